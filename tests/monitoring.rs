//! packaging/monitoring and packaging/hooks: promtool accepts and tests the alert rules, and parses
//! every query of the Grafana board; both use only metrics that certctl writes. The scripts for
//! `--after` send what they should, to an HTTP server of the test and to a stand-in for sendmail.
//! Needs: curl promtool
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::Sandbox;
use support::external::{external_program, path_of, succeed};
use support::json::Json;

fn packaged(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging")
        .join(path)
}

#[test]
fn the_alerts_fire_when_they_should() {
    let folder = packaged("monitoring");
    for check in [
        &["check", "rules", "certctl.rules.yml"],
        &["test", "rules", "certctl.rules.test.yml"],
    ] {
        let mut promtool = external_program("promtool");
        let output = succeed(promtool.args(check).current_dir(&folder));
        assert!(output.contains("SUCCESS"), "{output}");
    }
}

/// The names of metrics in a text.
fn metrics(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let words = text.split(|letter: char| !is_part(letter));
    let named = words.filter(|word| word.starts_with("certctl_"));
    named.map(str::to_owned).collect()
}

/// The queries of a board.
fn queries(board: &Json) -> Vec<String> {
    let mut queries = Vec::new();
    for panel in board["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            queries.push(target["expr"].as_str().unwrap().to_owned());
        }
    }
    queries
}

#[test]
fn the_board_has_only_valid_queries_of_real_metrics() {
    let sandbox = Sandbox::new();
    let board = std::fs::read_to_string(packaged("monitoring/certctl-dashboard.json")).unwrap();
    let queries = queries(&Json::parse(&board));
    assert!(queries.len() >= 9, "{queries:?}");
    let mut rules = "groups:\n- name: board\n  rules:\n".to_owned();
    for (index, query) in queries.iter().enumerate() {
        rules.push_str(&format!(
            "  - record: board:query:{index}\n    expr: '{query}'\n"
        ));
    }
    sandbox.write("board.yml", &rules);
    let mut promtool = external_program("promtool");
    promtool.args(["check", "rules", "board.yml"]);
    succeed(promtool.current_dir(sandbox.path()));

    let page = std::fs::read_to_string("docs/monitoring.md").unwrap();
    let (_, page) = page.split_once("| metric | labels | value |").unwrap();
    let (table, _) = page.split_once("\n\n").unwrap();
    let written = metrics(table);
    let alerts = std::fs::read_to_string(packaged("monitoring/certctl.rules.yml")).unwrap();
    for text in [alerts, queries.join("\n")] {
        let unknown: Vec<String> = metrics(&text).difference(&written).cloned().collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
    // The table of the page is what certctl writes.
    sandbox.run(&["csr", "example.com"]).expect(0);
    sandbox
        .run(&["status", "--prometheus", "all.prom"])
        .expect(1);
    let missing: Vec<String> = metrics(&sandbox.read("all.prom"))
        .difference(&written)
        .cloned()
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Runs a script of packaging/hooks as certctl runs the command of `--after`.
fn hook(name: &str, argument: &str, folder: &Path) -> std::process::Output {
    let mut command = Command::new(packaged("hooks").join(name));
    command
        .arg(argument)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .env("CERTCTL_NAME", "example.com")
        .env("CERTCTL_NAMES", "example.com www.example.com")
        .env("CERTCTL_CHAIN_PATH", "/etc/ssl/example.com.fullchain.pem")
        .env("CERTCTL_KEY_PATH", "/etc/ssl/private/example.com.key")
        .env("CERTCTL_NOT_AFTER", "2027-06-10T23:59:59Z")
        .env("CERTCTL_FINGERPRINT", "aa11")
        .env("CERTCTL_PREVIOUS_FINGERPRINT", "bb22");
    command.output().unwrap()
}

/// Answers one request with `status` and returns its head and its body.
fn receive(listener: &TcpListener, status: &str) -> (String, String) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut stream: TcpStream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    (head, String::from_utf8(body).unwrap())
}

#[test]
fn the_hooks_send_what_was_installed() {
    path_of("curl");
    let sandbox = Sandbox::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
    let file = sandbox.write("url", format!("{url}\n"));
    for name in ["webhook", "slack", "ntfy"] {
        let folder = sandbox.path().to_owned();
        let argument = file.display().to_string();
        let sender = std::thread::spawn(move || hook(name, &argument, &folder));
        let (head, body) = receive(&listener, "200 OK");
        let output = sender.join().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
        assert!(head.starts_with("POST /secret-path "), "{head}");
        assert!(body.contains("example.com"), "{body}");
        assert!(body.contains("2027-06-10T23:59:59Z"), "{body}");
        if name != "ntfy" {
            assert!(head.to_lowercase().contains("application/json"), "{head}");
            let document = Json::parse(&body);
            let event = if name == "slack" { "text" } else { "event" };
            assert!(document[event].as_str().is_some(), "{body}");
        }
    }
    // A message that was not taken is a failure, which certctl reports with exit code 7.
    let folder = sandbox.path().to_owned();
    let argument = file.display().to_string();
    let sender = std::thread::spawn(move || hook("slack", &argument, &folder));
    receive(&listener, "404 Not Found");
    let output = sender.join().unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("secret-path"));
}

#[test]
fn the_mail_names_certificate_and_date() {
    let sandbox = Sandbox::new();
    let sendmail = sandbox.write("sendmail", "#!/bin/sh\ncat >\"$(dirname \"$0\")/sent\"\n");
    std::fs::set_permissions(sendmail, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = hook("mail", "root", sandbox.path());
    assert!(output.status.success(), "{output:?}");
    let mail = sandbox.read("sent");
    for part in [
        "To: root\n",
        "certificate of example.com renewed\n",
        "Names:       example.com www.example.com\n",
        "Valid until: 2027-06-10T23:59:59Z\n",
        "Before:      bb22\n",
    ] {
        assert!(mail.contains(part), "{mail}");
    }
}
