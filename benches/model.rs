//! The time in which certctl reads an nginx configuration of a thousand blocks and finds the block
//! that answers for each of their names: the median of several runs, in milliseconds.

#![allow(clippy::print_stdout, reason = "the figure is its output")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use certctl::facade::webserver::control::NginxProgram;
use certctl::facade::webserver::model::{ClientHello, ServedAnswer};

const BLOCKS: usize = 1_000;
const RUNS: usize = 11;

/// The configuration: of ten blocks seven have two exact names, one has a leading wildcard, one a
/// trailing one, and one a regular expression.
fn configuration() -> String {
    let mut text = "events { }\nhttp {\n".to_owned();
    for number in 0..BLOCKS {
        let names = match number % 10 {
            7 => format!(".s{number}.example"),
            8 => format!("s{number}.*"),
            9 => format!(r"~^(?<sub>[a-z0-9-]+)\.s{number}\.example$"),
            _ => format!("s{number}.example www.s{number}.example"),
        };
        let _ = writeln!(
            text,
            "server {{ listen 443 ssl; listen [::]:443 ssl; server_name {names};\n\
             ssl_certificate /etc/ssl/s{number}.pem; ssl_certificate_key /etc/ssl/s{number}.key; }}"
        );
    }
    text + "}\n"
}

fn main() {
    let file = std::env::temp_dir().join(format!("certctl-model-{}.conf", std::process::id()));
    std::fs::write(&file, configuration()).expect("the configuration can be written");
    let program = NginxProgram::find(Some(&file))
        .expect("nginx can be run")
        .expect("nginx is installed");
    let addresses: [SocketAddr; 2] = [
        ([127, 0, 0, 1], 443).into(),
        (std::net::Ipv6Addr::LOCALHOST, 443).into(),
    ];
    let names: Vec<String> = (0..BLOCKS)
        .map(|number| format!("www.s{number}.example"))
        .collect();

    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            answer_all(&program, &names, addresses);
            start.elapsed()
        })
        .collect();
    times.sort();
    let _ = std::fs::remove_file(&file);
    println!("median {:.1} ms", times[RUNS / 2].as_secs_f64() * 1e3);
}

/// Reads the configuration, and asks for all names at all addresses.
fn answer_all(program: &NginxProgram, names: &[String], addresses: [SocketAddr; 2]) {
    let config = program
        .observe()
        .expect("the configuration can be read")
        .config;
    let mut found = 0;
    for name in names {
        for address in addresses {
            let hello = ClientHello {
                name: Some(name),
                algorithm: None,
            };
            let answer = black_box(config.served_at(address, hello));
            found += usize::from(matches!(answer, ServedAnswer::Certificates(_)));
        }
    }
    assert_eq!(found, 2 * BLOCKS, "every name is answered");
}
