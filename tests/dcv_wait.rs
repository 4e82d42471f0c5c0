//! Tests `dcv-check --wait` on a terminal: the progress table, its end when the zone changes, and
//! Ctrl-C.
//! Needs: ip knotd nginx python3 unbound unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use support::Sandbox;
use support::dns::{NameServer, port_53, with_port_53};
use support::external::external_program;
use support::nginx::Nginx;
use support::program::program;

/// Runs its arguments on a terminal of 80 columns; copies its output to stdout and stdin to it.
const TERMINAL: &str = r#"
import fcntl, os, pty, select, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 8, 80, 0, 0))
watched = [terminal, 0]
while True:
    ready = select.select(watched, [], [])[0]
    if 0 in ready:
        typed = os.read(0, 100)
        watched = watched if typed else [terminal]
        os.write(terminal, typed)
    if terminal in ready:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        os.write(1, piece)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

/// A program on a terminal, and its output so far.
struct TerminalRun {
    child: Child,
    text: String,
}

impl TerminalRun {
    fn start(sandbox: &Sandbox, args: &[&str], term: &str) -> Self {
        Self::program(sandbox, &[&[program()], args].concat(), term)
    }

    fn program(sandbox: &Sandbox, words: &[&str], term: &str) -> Self {
        let mut python = external_program("python3");
        python
            .args(["-c", TERMINAL])
            .args(words)
            .env("TERM", term)
            .env("NO_COLOR", "1");
        python
            .current_dir(sandbox.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        Self {
            child: python.spawn().unwrap(),
            text: String::new(),
        }
    }

    /// Reads the output until it contains `expected`.
    fn read_until(&mut self, expected: &str) {
        let (deadline, mut piece) = (Instant::now() + Duration::from_secs(30), [0; 4096]);
        while !self.text.contains(expected) {
            assert!(Instant::now() < deadline, "{expected}\n{}", self.text);
            let count = self
                .child
                .stdout
                .as_mut()
                .unwrap()
                .read(&mut piece)
                .unwrap();
            assert!(count > 0, "it ended before {expected:?}\n{}", self.text);
            self.text += &String::from_utf8_lossy(&piece[..count]);
        }
    }

    fn finish(mut self) -> (i32, String) {
        let mut rest = Vec::new();
        self.child
            .stdout
            .as_mut()
            .unwrap()
            .read_to_end(&mut rest)
            .unwrap();
        (
            self.child.wait().unwrap().code().unwrap(),
            self.text + &String::from_utf8_lossy(&rest),
        )
    }
}

/// Creates a request for `shop.example`; returns its record and the zone's line for it.
fn order(sandbox: &Sandbox) -> (String, String) {
    let created = sandbox
        .run(&["csr", "shop.example", "www.shop.example", "--json"])
        .expect(0)
        .json();
    let (md5, sha256) = (
        created["request"]["md5"].as_str().unwrap(),
        created["request"]["sha256"].as_str().unwrap(),
    );
    let value = format!(
        "{}.{}.69ff68dc5168c.comodoca.com",
        &sha256[..32],
        &sha256[32..]
    );
    (
        format!("_{md5}.shop.example {value}"),
        format!("_{md5} CNAME {value}."),
    )
}

#[test]
fn a_table_shows_each_server_until_the_record_is_visible() {
    let sandbox = Sandbox::new();
    let (given, line) = order(&sandbox);
    let mut server = NameServer::knot("");
    let at = server.at();
    let mut terminal = TerminalRun::start(
        &sandbox,
        &[
            "dcv-check",
            "--wait=60s",
            "--record",
            &given,
            "--resolver",
            &at,
        ],
        "xterm",
    );
    terminal.read_until("checked once; next check ");
    assert!(terminal.text.contains("absent  _"), "{}", terminal.text);
    assert!(
        terminal
            .text
            .contains(&format!("  resolver {at}  absent (NXDOMAIN")),
        "{}",
        terminal.text
    );
    assert!(
        terminal.text.contains(", since ") && terminal.text.contains(", or Ctrl-C"),
        "{}",
        terminal.text
    );
    server.publish(&line, 2);
    let (code, text) = terminal.finish();
    assert_eq!(code, 0, "{text}");
    // The report replaces the table.
    let (table, report) = text.rsplit_once("\x1b[J").unwrap();
    assert!(table.ends_with("\x1b[3A\r"), "{text}");
    assert!(
        report.contains("done    the record is visible at all servers")
            && !report.contains("next check"),
        "{text}"
    );
}

#[test]
fn ctrl_c_reports_the_last_result_below_the_table() {
    let sandbox = Sandbox::new();
    let (given, _) = order(&sandbox);
    let server = NameServer::knot("");
    let at = server.at();
    let mut terminal = TerminalRun::start(
        &sandbox,
        &["dcv-check", "--wait", "--record", &given, "--resolver", &at],
        "xterm",
    );
    terminal.read_until(", or Ctrl-C");
    terminal
        .child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"\x03")
        .unwrap();
    let (code, text) = terminal.finish();
    assert_eq!(code, 130, "{text}");
    assert!(
        text.contains(&format!("cause: absent at resolver {at}")),
        "{text}"
    );
    assert!(
        text.contains("\n            certctl dcv-check --wait"),
        "{text}"
    );
}

#[test]
fn a_terminal_without_cursor_control_gets_one_line_for_each_change() {
    let sandbox = Sandbox::new();
    let (given, line) = order(&sandbox);
    let mut server = NameServer::knot("");
    let at = server.at();
    let mut terminal = TerminalRun::start(
        &sandbox,
        &[
            "dcv-check",
            "--wait=60s",
            "--record",
            &given,
            "--resolver",
            &at,
        ],
        "dumb",
    );
    terminal.read_until("; next check ");
    server.publish(&line.replace("69ff68dc5168c", "5a955211b1f8c"), 2);
    terminal.read_until("different at resolver");
    server.publish(&line, 3);
    let (code, text) = terminal.finish();
    assert_eq!(
        (code, text.matches("; next check ").count()),
        (0, 2),
        "{text}"
    );
    assert!(!text.contains('\x1b') || !text.contains("\x1b[J"), "{text}");
}

/// Fault D2: a mistake is shown as soon as it is known, with the line to enter.
#[test]
fn a_doubled_zone_is_shown_at_once_with_the_host_to_enter() {
    let sandbox = Sandbox::new();
    let (given, line) = order(&sandbox);
    let (label, value) = line.split_once(' ').unwrap();
    let mut server = NameServer::knot(&format!("{label}.shop.example {value}"));
    let args = [
        "dcv-check",
        "--wait=60s",
        "--record",
        &given,
        "--resolver",
        &server.at(),
    ];
    for (kind, version) in [("xterm", 2), ("dumb", 4)] {
        let mut terminal = TerminalRun::start(&sandbox, &args, kind);
        terminal.read_until("; next check ");
        let shown = terminal.text.replace("\r\n", "\n");
        assert!(
            shown.contains("the host was entered with shop.example"),
            "{shown}"
        );
        let host = format!("\n            {label}\n");
        assert_eq!(shown.matches(&host).count(), 1, "{shown}");
        server.publish(&line, version);
        let (code, text) = terminal.finish();
        assert_eq!(code, 0, "{text}");
        server.publish(&format!("{label}.shop.example {value}"), version + 1);
    }
}

/// The record alone is not enough: the CA does not issue while CAA forbids it.
#[test]
fn waiting_continues_while_caa_forbids_issuance() {
    let sandbox = Sandbox::new();
    let (given, line) = order(&sandbox);
    let forbids = format!("{line}\n@ CAA 0 issue \"letsencrypt.org\"");
    let mut server = NameServer::knot(&forbids);
    let at = server.at();
    let args = [
        "dcv-check",
        "--wait=60s",
        "--ca",
        "sectigo",
        "--record",
        &given,
        "--resolver",
        &at,
    ];
    let (message, add) = (
        "Sectigo may not issue for shop.example",
        "shop.example. CAA 0 issue \"sectigo.com\"",
    );

    let mut terminal = TerminalRun::start(&sandbox, &args, "xterm");
    terminal.read_until("checked 2 times; next check ");
    // The finding with its next step is printed above the table, once.
    let (above, table) = terminal.text.split_once("\x1b[?7l").unwrap();
    assert!(
        above.contains(message) && above.contains(add),
        "{}",
        terminal.text
    );
    assert!(
        table.contains("visible  _") && table.contains("\n  caa-forbids "),
        "{}",
        terminal.text
    );
    assert_eq!(terminal.text.matches(add).count(), 1, "{}", terminal.text);
    server.publish(&format!("{forbids}\n@ CAA 0 issue \"sectigo.com\""), 2);
    let (code, text) = terminal.finish();
    assert!(
        code == 0 && text.contains("; CAA allows issuance"),
        "{text}"
    );

    server.publish(&forbids, 3);
    let mut terminal = TerminalRun::start(&sandbox, &args, "dumb");
    terminal.read_until("; next check ");
    assert!(
        terminal.text.contains(&format!(
            "  visible at resolver {at}; still wrong: caa-forbids; "
        )),
        "{}",
        terminal.text
    );
    assert!(terminal.text.contains(add), "{}", terminal.text);
    terminal
        .child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"\x03")
        .unwrap();
    let (code, text) = terminal.finish();
    assert!(
        code == 130
            && text.contains("cause: visible at")
            && text.contains("still wrong: caa-forbids"),
        "{text}"
    );
}

/// Returns a server block that answers with `answer` for the file of this request's MD5.
fn block(web: std::net::IpAddr, md5: &str, answer: &str) -> String {
    let path = format!("/.well-known/pki-validation/{}.txt", md5.to_uppercase());
    format!(
        "server {{ listen {web}:80; location = {path} {{ default_type text/plain; {answer} }} }}\n"
    )
}

#[test]
fn waiting_works_for_a_file_too() {
    with_port_53("waiting_works_for_a_file_too", || {
        let sandbox = Sandbox::new();
        let created = sandbox
            .run(&["csr", "shop.example", "--ca", "sectigo", "--json"])
            .expect(0)
            .json();
        let (md5, sha256) = (
            created["request"]["md5"].as_str().unwrap(),
            created["request"]["sha256"].as_str().unwrap(),
        );
        let web = port_53(0, 44).ip();
        let dns = NameServer::knot(&format!("@ A {web}"));
        let at = dns.at();
        let args = [
            "dcv-check",
            "--wait=60s",
            "--method",
            "http",
            "--resolver",
            &at,
        ];
        let absent = Nginx::start(&sandbox.join("absent"), &block(web, md5, "return 404;"));

        // In a pipe there is one line for each change, and after a signal the last result.
        let mut command = sandbox.command(&args);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(2800));
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&child),
            rustix::process::Signal::INT,
        )
        .unwrap();
        let run = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&run.stderr);
        assert_eq!(
            (run.status.code(), stderr.matches("; next check ").count()),
            (Some(130), 1),
            "{stderr}"
        );
        let result = format!("absent shop.example ({web}:80 HTTP status 404)");
        assert!(
            stderr.contains(&format!("  {result}; next check ")),
            "{stderr}"
        );
        assert!(
            stderr.contains(&format!("cause: {result}")) && stderr.contains("--wait --method http"),
            "{stderr}"
        );

        // On a terminal there is the table.
        let mut terminal = TerminalRun::start(&sandbox, &args, "xterm");
        terminal.read_until("checked once; next check ");
        assert!(
            terminal.text.contains("absent  shop.example"),
            "{}",
            terminal.text
        );
        assert!(
            terminal
                .text
                .contains(&format!("  {web}:80  HTTP status 404, since ")),
            "{}",
            terminal.text
        );
        drop(absent);
        let right = block(web, md5, &format!("return 200 \"{sha256}\\nsectigo.com\";"));
        let _right = Nginx::start(&sandbox.join("right"), &right);
        let (code, text) = terminal.finish();
        assert_eq!(code, 0, "{text}");
        let report = text.rsplit_once("\x1b[J").unwrap().1;
        assert!(
            report.contains(&format!("{web}:80: visible")) && !report.contains("next check"),
            "{text}"
        );
    });
}

#[test]
fn a_list_shows_its_progress_on_the_terminal() {
    let sandbox = Sandbox::new();
    let server = NameServer::knot("");
    let line = |number: u8| format!("_x{number}.shop.example TXT abc\n");
    sandbox.write("list", (0..3).map(line).collect::<String>());
    let command = format!(
        "{} dcv-check --batch list --resolver {} >out",
        program(),
        server.at()
    );
    let (code, text) =
        TerminalRun::program(&sandbox, &["/bin/sh", "-c", &command], "xterm").finish();
    assert_eq!(
        (code, sandbox.read("out").lines().count()),
        (1, 4),
        "{text}"
    );
    assert!(
        text.contains("3 checked: 3 absent") && text.ends_with("\x1b[J"),
        "the progress is removed at the end: {text:?}"
    );
}
