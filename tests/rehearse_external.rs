//! `certctl rehearse` checked by other programs: with the real nginx, traced by strace, and its DNS
//! zone queried by kdig.
//! Needs: kdig nginx python3 strace
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::sync::Arc;

use certctl::facade::rehearsal::zone::RehearsalZone;
use certctl::facade::system::serve::dns::DnsServer;
use support::Sandbox;
use support::external::{external_program, path_of, succeed};
use support::program::program;

#[test]
fn the_rehearsal_works_with_the_real_nginx() {
    let _ = path_of("nginx");
    let sandbox = Sandbox::new();
    for _ in 0..2 {
        let document = sandbox
            .run(&["rehearse", "--server", "nginx", "--json"])
            .expect(0)
            .json();
        assert_eq!(document["verdict"], "as-expected");
        assert!(
            !sandbox.join("rehearsal/nginx/nginx.pid").exists(),
            "nginx is still running"
        );
    }
    let run = sandbox.run(&["rehearse", "--server", "nginx"]).expect(0);
    assert!(
        run.stdout
            .contains("the web server is the nginx of this machine"),
        "{run}"
    );
    sandbox
        .run(&["rehearse", "--server", "nginx", "--api"])
        .expect(0);
}

/// Every address that is bound or connected to is on loopback, and every file that is opened for
/// writing, created, renamed or removed is in the folder.
#[test]
fn only_loopback_and_its_own_folder_are_used() {
    only_loopback_and_own_folder(&["rehearse"]);
}

#[test]
fn only_loopback_and_its_own_folder_are_used_by_an_order() {
    only_loopback_and_own_folder(&["rehearse", "--api"]);
}

fn only_loopback_and_own_folder(arguments: &[&str]) {
    let sandbox = Sandbox::new();
    let log = sandbox.join("strace.log");
    let mut strace = external_program("strace");
    strace
        .current_dir(sandbox.path())
        .args(["-f", "-yy", "-qq", "-s", "4096", "-o"])
        .arg(&log);
    strace.args(["-e", "trace=bind,connect,sendto,openat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,symlink,symlinkat,link,linkat,chmod,fchmodat,chown,fchownat,lchown"]);
    succeed(strace.arg(program()).args(arguments));
    let log = std::fs::read_to_string(log).unwrap();
    let (mut sockets, mut files) = (0, 0);
    for line in log.lines().filter(|line| !line.contains("resumed>")) {
        if line.contains("sin_addr") || line.contains("sin6_addr") {
            sockets += 1;
            // A DNS client binds to port 0, so that the system chooses the port, and then connects.
            let source = line.contains("<UDP")
                && line.contains("bind(")
                && line.contains("sin_port=htons(0)");
            let loopback = line.contains("inet_addr(\"127.0.0.1\")") || line.contains("\"::1\"");
            assert!(loopback || source, "not loopback: {line}");
        }
        let reads = line.contains("openat(")
            && !["O_WRONLY", "O_RDWR", "O_CREAT"]
                .iter()
                .any(|flag| line.contains(flag));
        let network = ["bind(", "connect(", "sendto("]
            .iter()
            .any(|call| line.contains(call));
        if network || reads || !line.contains('(') || line.contains("/dev/null") {
            continue;
        }
        files += 1;
        for path in line.split('"').skip(1).step_by(2) {
            let inside = path.starts_with("rehearsal")
                || line.contains("/rehearsal/")
                || line.contains("/rehearsal>")
                || path.starts_with("releases/");
            assert!(inside, "outside of the folder: {line}");
        }
    }
    assert!(
        sockets > 5 && files > 10,
        "strace saw {sockets} sockets and {files} changes:\n{log}"
    );
}

/// Runs `certctl rehearse --step` on a terminal and presses Enter after each prompt; prints the output
/// of the terminal and exits with the exit code.
const PRESS_ENTER: &str = r#"
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], [sys.argv[1], "rehearse", "--step"])
output, answered = b"", 0
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        part = b""
    if not part:
        break
    output += part
    while output.count(b"Press Enter to continue.") > answered:
        answered += 1
        sys.stdout.write(f"[{answered} prompts, {output.count(b'Step ')} steps]\n")
        os.write(terminal, b"\n")
sys.stdout.write(output.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

#[test]
fn step_waits_for_enter_after_each_step() {
    let sandbox = Sandbox::new();
    let mut python = external_program("python3");
    python
        .args(["-c", PRESS_ENTER, program()])
        .env("PYTHONUTF8", "1")
        .current_dir(sandbox.path());
    let output = succeed(&mut python);
    for number in 1..=5 {
        let line = format!("[{number} prompts, {number} steps]");
        assert!(output.contains(&line), "{line} is missing:\n{output}");
    }
    assert_eq!(output.matches("Step 1. ").count(), 1, "{output}");
    assert!(
        output.contains("https://shop.example at 127.0.0.1:"),
        "{output}"
    );
}

#[test]
fn kdig_reads_the_zone() {
    let zone = RehearsalZone::new("shop.example").unwrap();
    zone.add_cname("_a", "b.c.comodoca.com").unwrap();
    let server = DnsServer::start(Arc::new(move |query: &[u8]| zone.answer(query))).unwrap();
    let query = |arguments: &[&str]| {
        let port = server.address().port().to_string();
        succeed(
            external_program("kdig")
                .args(["@127.0.0.1", "-p", &port, "+time=2", "+retry=0"])
                .args(arguments),
        )
    };
    for transport in ["+notcp", "+tcp"] {
        assert_eq!(
            query(&[transport, "+short", "_a.shop.example", "CNAME"]),
            "b.c.comodoca.com.\n"
        );
        let absent = query(&[transport, "+edns", "nothing.shop.example", "CNAME"]);
        for part in [
            "status: NXDOMAIN",
            "qr aa",
            "EDNS PSEUDOSECTION",
            "SOA\tns1.shop.example.",
        ] {
            assert!(absent.contains(part), "{part} is missing:\n{absent}");
        }
    }
    assert!(query(&["example.org", "CNAME"]).contains("status: REFUSED"));
}
