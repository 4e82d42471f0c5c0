//! The timer's `renew`, a manual `install` and a manual `order` of the same name at the same time: none waits
//! for another one for ever, and nothing is left half done. `cargo test` tries some runs;
//! `scripts/stress` tries 200. With the real pebble, nginx and knot on loopback.
//! Needs: bash ip knotd nginx pebble unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use support::Sandbox;
use support::dns::with_port_53;
use support::install_sandbox::{leftovers, link};
use support::order_lab::{NAMES, OrderLab};
use support::pebble::PebbleOptions;

/// The runs of `cargo test`.
const RUNS: usize = 12;
/// Longer than a run waits for each of its locks, one after the other.
const PATIENCE: Duration = Duration::from_secs(180);
const LINEAGE: &str = "tree/etc/ssl/certctl/shop.example";

/// A command that was started, and where its output is.
struct Started {
    line: String,
    output: PathBuf,
    child: std::process::Child,
}

impl Started {
    fn new(sandbox: &Sandbox, number: usize, words: &[&str]) -> Self {
        let output = sandbox.join(&format!("output-{number}"));
        let file = std::fs::File::create(&output).unwrap();
        let mut command = sandbox.command(words);
        command.stderr(file.try_clone().unwrap()).stdout(file);
        Self {
            line: words.join(" "),
            output,
            child: command.stdin(Stdio::null()).spawn().unwrap(),
        }
    }

    /// Waits for the end; a run that does not end holds a lock for which another one waits.
    fn expect_end(mut self) {
        let deadline = Instant::now() + PATIENCE;
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(Instant::now() < deadline, "{} does not end", self.line);
            std::thread::sleep(Duration::from_millis(10));
        };
        let text = std::fs::read_to_string(&self.output).unwrap();
        let line = &self.line;
        assert!(!text.contains("lock-held"), "{line}: {text}");
        // 1, 3: another one was faster, and there is nothing to install any more.
        assert!(
            [Some(0), Some(1), Some(3)].contains(&code),
            "{line}: {text}"
        );
    }
}

#[test]
fn renew_install_and_order_of_one_name_do_not_block_each_other() {
    const NAME: &str = "renew_install_and_order_of_one_name_do_not_block_each_other";
    with_port_53(NAME, || {
        let lab = OrderLab::start(0, PebbleOptions::default());
        let sandbox = &lab.sandbox;
        let placeholder = ["install", "--placeholder", NAMES[0], NAMES[1]];
        let words = [&["--root", "tree"], &placeholder[..]].concat();
        sandbox.run(&words).expect(0);
        let nginx = lab.nginx(&lab.both_blocks());
        let config = nginx.config().display().to_string();
        let server = ["--server", "nginx", "--server-config", &config];
        sandbox.run(&[&words[..], &server].concat()).expect(0);
        lab.order(&[]).expect(0);

        let runs = std::env::var("CERTCTL_MIXED_RUNS");
        let runs = runs.map_or(RUNS, |runs| runs.parse().unwrap());
        let forced = lab.words(&NAMES, &["--webroot", "webroot", "--force", "--json"]);
        let forced: Vec<&str> = forced.iter().map(String::as_str).collect();
        let timer = [
            "--root",
            "tree",
            "renew",
            "--renew-before",
            "9000d",
            "--json",
        ];
        let install = ["--root", "tree", "install", NAMES[0], "--json"];
        let commands = [&timer[..], &install, &forced];
        for run in 0..runs {
            let mut started = Vec::new();
            // Each order of the three comes again and again; one of them is a moment late.
            for place in 0..commands.len() {
                let number = (run + place * (1 + run % 2)) % commands.len();
                started.push(Started::new(sandbox, number, commands[number]));
                std::thread::sleep(Duration::from_millis(
                    u64::try_from(run * 37 % 400).unwrap(),
                ));
            }
            started.into_iter().for_each(Started::expect_end);
        }
        assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
        assert_eq!(lab.webroot_files(), Vec::<PathBuf>::new());
        let pointer = |name: &str| link(sandbox, &format!("{LINEAGE}/{name}"));
        assert_eq!(pointer("live"), pointer("proven"));
        assert!(leftovers(sandbox).is_empty());
        let checked = sandbox.run(&["--root", "tree", "install", "--check", "--json"]);
        let checked = checked.expect(0).json();
        assert_eq!(checked["certificates"][0]["proof"], "live", "{checked}");
    });
}
