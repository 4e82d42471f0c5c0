//! The lines that certctl writes to the journal or syslog: in a mount namespace whose sockets the test
//! listens on.
//! Needs: mount openssl unshare
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::net::{UnixDatagram, UnixListener};
use std::time::Duration;

use support::Run;
use support::external::path_of;
use support::install_sandbox::{InstallSandbox, codes};
use support::json::Json;
use support::namespace::in_mount;

const JOURNAL: &str = "mkdir -p /run/systemd/journal; touch /run/systemd/journal/socket; mount --bind journal /run/systemd/journal/socket";
const SYSLOG: &str = "touch /run/dev-log; rm -f /dev/log; ln -s /run/dev-log /dev/log; mount --bind syslog /run/dev-log";
const INSTALL: &str = "certctl install --trust root.pem --server none";

/// Runs `script` on a machine with an empty /etc/ssl, /run and /dev; certificates are in `one.crt` and
/// `two.crt`, their keys in `one.key` and `two.key`.
fn here(setup: &InstallSandbox, script: &str) -> Run {
    let sandbox = &setup.sandbox;
    for name in ["one", "two"] {
        setup.write_delivery(&format!("{name}.crt"));
        let key = sandbox.join("example.com.key");
        std::fs::rename(key, sandbox.join(&format!("{name}.key"))).unwrap();
        std::fs::remove_file(sandbox.join("example.com.csr")).unwrap();
    }
    in_mount(
        sandbox,
        "size=1m",
        &format!(
            "mount -t tmpfs -o mode=755 tmpfs /etc/ssl; mkdir -m 700 /etc/ssl/private
             mount -t tmpfs -o mode=755 tmpfs /run; cp -a /dev/null /dev/urandom tree/ 2>/dev/null || true
             mount -t tmpfs -o mode=755 tmpfs /dev; mknod -m 666 /dev/null c 1 3 2>/dev/null || touch /dev/null
             unset SUDO_UID
             {script}"
        ),
    )
}

/// A socket of the test in the sandbox.
fn listen(setup: &InstallSandbox, name: &str) -> UnixDatagram {
    let socket = UnixDatagram::bind(setup.sandbox.join(name)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    socket
}

fn received(socket: &UnixDatagram) -> Vec<Vec<u8>> {
    let mut buffer = vec![0; 1 << 20];
    std::iter::from_fn(|| {
        let length = socket.recv(&mut buffer).ok()?;
        Some(buffer[..length].to_vec())
    })
    .collect()
}

/// An entry of the journal, as its documentation describes the protocol.
fn parse_entry(mut bytes: &[u8]) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.iter().position(|&byte| byte == b'\n').unwrap();
        let line = String::from_utf8(bytes[..end].to_vec()).unwrap();
        bytes = &bytes[end + 1..];
        if let Some((name, value)) = line.split_once('=') {
            fields.push((name.to_owned(), value.to_owned()));
            continue;
        }
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        let length = usize::try_from(length).unwrap();
        let value = String::from_utf8(bytes[8..8 + length].to_vec()).unwrap();
        assert_eq!(bytes[8 + length], b'\n');
        bytes = &bytes[8 + length + 1..];
        fields.push((line, value));
    }
    fields
}

fn field<'a>(entry: &'a [(String, String)], name: &str) -> &'a str {
    let found = entry.iter().find(|(other, _)| other == name);
    found.map_or("", |(_, value)| value.as_str())
}

#[test]
fn each_change_is_one_entry_of_the_journal() {
    let setup = InstallSandbox::new();
    let journal = listen(&setup, "journal");
    let run = here(
        &setup,
        &format!(
            "{JOURNAL}
             {INSTALL} one.crt --key one.key --json >one.json
             certctl install example.com >/dev/null; certctl install --check >/dev/null
             {INSTALL} two.crt --key two.key --dry-run >/dev/null
             {INSTALL} two.crt --key two.key --json >two.json
             certctl rollback example.com >/dev/null
             certctl status >/dev/null || true
             {INSTALL} two.crt --key two.key --test true --reload true --probe 127.0.0.1:9 >/dev/null || true
             certctl forget example.com >/dev/null
             certctl csr other.example 'other.example' >/dev/null
             certctl csr quiet.example --root tree >/dev/null 2>&1 || true
             {INSTALL} one.crt --key one.key --root tree >/dev/null"
        ),
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    let entries: Vec<_> = received(&journal)
        .iter()
        .map(|one| parse_entry(one))
        .collect();
    let lines: Vec<String> = entries
        .iter()
        .map(|entry| {
            ["ACTION", "RESULT", "PROOF"]
                .map(|name| field(entry, &format!("CERTCTL_{name}")))
                .join(" ")
        })
        .collect();
    assert_eq!(
        lines,
        [
            "install files files",
            "install files files",
            "rollback files files",
            "install rolled-back none",
            "forget forgotten ",
            "create-key done ",
        ]
    );
    let sha256 = |file: &str| {
        let document = Json::parse(&setup.sandbox.read(file));
        document["certificates"][0]["sha256"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (one, two) = (sha256("one.json"), sha256("two.json"));
    let changes: Vec<(&str, &str)> = entries
        .iter()
        .map(|entry| {
            (
                field(entry, "CERTCTL_BEFORE"),
                field(entry, "CERTCTL_AFTER"),
            )
        })
        .collect();
    let (one, two) = (one.as_str(), two.as_str());
    assert_eq!(
        changes,
        [
            ("", one),
            (one, two),
            (two, one),
            (one, one),
            (one, one),
            ("", "")
        ]
    );
    for entry in &entries {
        assert_eq!(field(entry, "SYSLOG_IDENTIFIER"), "certctl");
        assert!(["5", "6"].contains(&field(entry, "PRIORITY")));
        assert_eq!(field(entry, "CERTCTL_UID"), "0");
        let message = field(entry, "MESSAGE");
        assert!(message.contains("command='certctl "), "{message}");
    }
    let command = "certctl install --trust root.pem --server none one.crt --key one.key --json";
    assert_eq!(field(&entries[0], "CERTCTL_COMMAND"), command);
    let key = setup.sandbox.join("other.example.key");
    assert_eq!(
        field(&entries[5], "CERTCTL_SUBJECT"),
        key.display().to_string()
    );
    let all = format!("{entries:?}");
    assert!(!all.contains("PRIVATE KEY"), "{all}");
}

#[test]
fn without_a_journal_the_lines_go_to_syslog() {
    let setup = InstallSandbox::new();
    let syslog = listen(&setup, "syslog");
    let run = here(
        &setup,
        &format!("{SYSLOG}; SUDO_UID=1234 certctl csr other.example >/dev/null"),
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    let lines = received(&syslog);
    let line = String::from_utf8(lines[0].clone()).unwrap();
    assert_eq!(lines.len(), 1, "{line}");
    assert!(line.starts_with("<85>"), "{line}");
    assert!(
        line.contains(" certctl[") && line.contains("]: action=create-key "),
        "{line}"
    );
    let login = std::fs::read_to_string("/proc/self/loginuid").unwrap_or_default();
    let login = match login.trim() {
        "" | "4294967295" => "1234",
        login => login,
    };
    assert!(line.contains(&format!(" login_uid={login} ")), "{line}");
    assert!(!line.contains('\n'), "{line}");
}

#[test]
fn a_syslog_that_expects_connections_gets_the_line() {
    use std::io::Read;
    let setup = InstallSandbox::new();
    let syslog = UnixListener::bind(setup.sandbox.join("syslog")).unwrap();
    let run = here(
        &setup,
        &format!("{SYSLOG}; certctl csr other.example >/dev/null"),
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    let mut text = Vec::new();
    syslog.accept().unwrap().0.read_to_end(&mut text).unwrap();
    assert_eq!(text.last(), Some(&0));
}

#[test]
fn a_log_that_accepts_nothing_is_a_note_and_a_missing_one_is_not_mentioned() {
    let setup = InstallSandbox::new();
    // Nothing listens on the socket any more.
    drop(listen(&setup, "journal"));
    let run = here(
        &setup,
        &format!(
            "certctl csr one.example --json >silent.json
             {JOURNAL}; certctl csr two.example --json >note.json
             {INSTALL} one.crt --key one.key --json >installed.json"
        ),
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    let document = |file: &str| Json::parse(&setup.sandbox.read(file));
    assert!(!codes(&document("silent.json")).contains(&"log-not-written"));
    for file in ["note.json", "installed.json"] {
        let document = document(file);
        let findings = document["findings"].as_array().unwrap();
        let note = findings.iter().find(|one| one["code"] == "log-not-written");
        assert_eq!(note.unwrap()["severity"], "note", "{document}");
    }
}

#[test]
fn a_full_log_is_not_waited_for() {
    let setup = InstallSandbox::new();
    let journal = listen(&setup, "journal");
    let sender = UnixDatagram::unbound().unwrap();
    sender.set_nonblocking(true).unwrap();
    while sender
        .send_to(b"full", setup.sandbox.join("journal"))
        .is_ok()
    {}
    let run = here(
        &setup,
        &format!("{JOURNAL}; certctl csr other.example --json"),
    );
    assert_eq!(run.code, 0, "{run}");
    assert!(codes(&run.json()).contains(&"log-not-written"), "{run}");
    drop(journal);
}

#[test]
fn line_breaks_in_a_command_line_do_not_forge_fields() {
    let setup = InstallSandbox::new();
    let journal = listen(&setup, "journal");
    let run = here(
        &setup,
        &format!(
            "{JOURNAL}
             {INSTALL} one.crt --key one.key --test \"true 'a
CERTCTL_LOGIN_UID=7'\" >/dev/null"
        ),
    );
    assert_eq!(run.code, 0, "{run}");
    let entries: Vec<_> = received(&journal)
        .iter()
        .map(|one| parse_entry(one))
        .collect();
    let names: Vec<&str> = entries[0].iter().map(|(name, _)| name.as_str()).collect();
    let count = |wanted: &str| names.iter().filter(|name| **name == wanted).count();
    assert!(
        count("CERTCTL_LOGIN_UID") <= 1 && count("CERTCTL_COMMAND") == 1,
        "{names:?}"
    );
    assert_ne!(field(&entries[0], "CERTCTL_LOGIN_UID"), "7'");
    assert!(!field(&entries[0], "MESSAGE").contains('\n'));
}

#[test]
fn decrypted_and_extracted_keys_are_logged() {
    let setup = InstallSandbox::new();
    let journal = listen(&setup, "journal");
    setup.sandbox.write("password", "correct horse\n");
    let run = here(
        &setup,
        &format!(
            "{JOURNAL}
             {} pkcs8 -topk8 -in one.key -out locked.key -passout file:password
             {INSTALL} one.crt --key locked.key --password-file password >/dev/null",
            path_of("openssl").display()
        ),
    );
    assert_eq!(run.code, 0, "{run}");
    let entries: Vec<_> = received(&journal)
        .iter()
        .map(|one| parse_entry(one))
        .collect();
    let actions: Vec<&str> = entries
        .iter()
        .map(|entry| field(entry, "CERTCTL_ACTION"))
        .collect();
    assert_eq!(actions, ["install", "decrypt-key"]);
    let key = setup.sandbox.join("locked.key");
    assert_eq!(
        field(&entries[1], "CERTCTL_SUBJECT"),
        key.display().to_string()
    );
    assert!(!format!("{entries:?}").contains("horse"));
}

/// Options with a secret as their value would show it to every user (`ps`), and to the log.
#[test]
fn no_option_takes_a_secret() {
    let command_line = certctl::cli::command_line();
    let mut options = 0;
    for command in command_line.get_subcommands() {
        for option in command.get_arguments() {
            let Some(name) = option
                .get_long()
                .filter(|_| option.get_action().takes_values())
            else {
                continue;
            };
            options += 1;
            let is_secret = ["password", "passphrase", "secret", "token", "hmac", "pin"]
                .iter()
                .any(|word| name.split('-').any(|part| part == *word));
            assert!(!is_secret || name.ends_with("-file"), "--{name}");
        }
    }
    assert!(options > 30, "{options}");
}
