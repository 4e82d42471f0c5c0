//! `certctl status` on trees with faults: each file that cannot be read is reported, the scan never
//! blocks, and no row is lost.
//! Needs: setpriv
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::external::path_of;
use support::issued_certificate::IssuedCertificate;
use support::json::Json;
use support::namespace::is_root;
use support::program::program;
use support::{Run, Sandbox};
use tempfile::NamedTempFile;

/// Runs certctl without the capability to bypass file permissions.
fn run_without_capabilities(sandbox: &Sandbox, args: &[&str]) -> Run {
    let command = if is_root() {
        let mut command = Command::new(path_of("setpriv"));
        command
            .args(["--inh-caps=-all", "--bounding-set=-all", program()])
            .args(args);
        command.current_dir(sandbox.path());
        command
    } else {
        sandbox.command(args)
    };
    sandbox.run_command(command)
}

/// Creates a tree with a good certificate at each end and every fault in between.
fn tree() -> (IssuedCertificate, UnixListener, NamedTempFile) {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    for file in ["t/a/first.pem", "t/z/last.pem"] {
        sandbox.write(file, &setup.leaf);
    }
    sandbox.write("t/closed/inside.pem", &setup.leaf);
    sandbox.write("t/sealed.pem", &setup.leaf);
    sandbox.write("t/\u{1b}[31mred\nname.pem", &setup.leaf);
    sandbox.write("t/junk.bin", (0..=255).collect::<Vec<u8>>());
    sandbox.write("t/empty.pem", "");
    sandbox.write("t/half.pem", &setup.leaf[..setup.leaf.len() / 2]);
    // Outside of the sandbox, because the tests search the sandbox for keys.
    let huge = tempfile::NamedTempFile::new().unwrap();
    huge.as_file().set_len(1 << 30).unwrap();
    symlink(huge.path(), sandbox.join("t/huge.pem")).unwrap();
    symlink("..", sandbox.join("t/a/up")).unwrap();
    symlink("loop", sandbox.join("t/loop")).unwrap();
    symlink("nowhere", sandbox.join("t/gone")).unwrap();
    let socket = UnixListener::bind(sandbox.join("t/socket")).unwrap();
    let (fifo, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::from(0o600));
    rustix::fs::mknodat(rustix::fs::CWD, sandbox.join("t/pipe"), fifo, mode, 0).unwrap();
    (setup, socket, huge)
}

fn set_mode(sandbox: &Sandbox, path: &str, mode: u32) {
    fs::set_permissions(sandbox.join(path), Permissions::from_mode(mode)).unwrap();
}

fn messages(document: &Json, code: &str) -> Vec<String> {
    let all = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["code"] == code);
    all.map(|one| one["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_fault_is_reported_and_the_scan_continues() {
    let (setup, _socket, _huge) = tree();
    let sandbox = &setup.sandbox;
    let fine = sandbox.run(&["status", "t", "--json"]).expect(0).json();
    let places = fine["rows"][0]["places"].as_array().unwrap();
    assert_eq!(
        (fine["rows"].as_array().unwrap().len(), places.len()),
        (1, 5),
        "{fine}"
    );
    let skipped = messages(&fine, "skipped");
    for word in [
        "t/gone: a dangling link",
        "t/loop: a link that points to itself",
        "t/pipe: a FIFO",
        "t/socket: a socket",
        "t/huge.pem",
    ] {
        assert!(
            skipped.iter().any(|message| message.contains(word)),
            "{word}: {skipped:?}"
        );
    }
    // A file that was passed on the command line has to be readable.
    for named in ["t/huge.pem", "t/pipe", "t/socket", "t/gone"] {
        let run = sandbox.run(&["status", named, "--json"]).expect(1).json();
        assert_eq!(messages(&run, "unreadable").len(), 1, "{named}: {run}");
    }
    set_mode(sandbox, "t/closed", 0);
    set_mode(sandbox, "t/sealed.pem", 0);
    let run = run_without_capabilities(sandbox, &["status", "t", "--json"])
        .expect(1)
        .json();
    assert_eq!(
        run["rows"][0]["places"].as_array().unwrap().len(),
        3,
        "{run}"
    );
    let unread = messages(&run, "unreadable");
    assert_eq!(unread.len(), 2, "{unread:?}");
    assert!(
        unread[0].contains("Permission denied")
            && unread.iter().any(|one| one.contains("t/closed")),
        "{unread:?}"
    );
    let text = run_without_capabilities(sandbox, &["status", "t"]).expect(1);
    assert!(!text.stdout.contains('\u{1b}'), "{text}");
    set_mode(sandbox, "t/closed", 0o700);
}

#[test]
fn a_pkcs12_file_with_a_password_is_reported() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("chain.pem", setup.chain());
    sandbox.write("password.txt", "geheim\n");
    let pack = ["--format", "pfx", "--pfx-password-file", "password.txt"];
    let bundle = ["bundle", "chain.pem", "--trust", "root.pem"];
    sandbox.run(&[&bundle[..], &pack].concat()).expect(0);
    std::fs::create_dir(sandbox.join("t")).unwrap();
    std::fs::rename(sandbox.join("example.com.pfx"), sandbox.join("t/a.pfx")).unwrap();
    // In a folder, and by its name.
    for path in ["t", "t/a.pfx"] {
        let text = sandbox.run(&["status", path]).expect(0).stdout;
        for part in [
            "warning not used: t/a.pfx is a password-protected PKCS#12 file",
            "\n            certctl inspect t/a.pfx --password-file password.txt\n",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}

#[test]
fn a_stream_reports_the_same_faults() {
    let (setup, _socket, _huge) = tree();
    let sandbox = &setup.sandbox;
    set_mode(sandbox, "t/closed", 0);
    let run = run_without_capabilities(sandbox, &["status", "t", "--jsonl"]).expect(1);
    set_mode(sandbox, "t/closed", 0o700);
    let lines = run.json_lines();
    let (summary, lines) = lines.split_last().unwrap();
    assert_eq!(summary["schema"], "certctl.summary/1", "{summary}");
    assert_eq!(
        (
            &summary["certificates"],
            &summary["unreadable"],
            &summary["verdict"]
        ),
        (&4.into(), &1.into(), &"wrong".into()),
        "{summary}"
    );
    let found = lines
        .iter()
        .filter_map(|line| line.get("items"))
        .filter(|items| items[0]["kind"] == "certificate")
        .count();
    assert_eq!(found, 4, "{run}");
    let codes = |code: &str| {
        let all = lines.iter().filter_map(|line| line.get("code"));
        all.filter(|found| *found == code).count()
    };
    assert_eq!((codes("skipped"), codes("unreadable")), (5, 1), "{run}");
    // The dates of each file are judged by themselves.
    let late = sandbox
        .run(&[
            "status",
            "t/a/first.pem",
            "--jsonl",
            "--at",
            "2099-01-01T00:00:00Z",
        ])
        .expect(1);
    let line = Json::parse(late.stdout.lines().next().unwrap());
    assert_eq!(
        (&line["path"], &line["verdict"]),
        (&"t/a/first.pem".into(), &"wrong".into()),
        "{late}"
    );
}

#[test]
fn files_that_change_while_they_are_read_lose_no_row() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    for number in 0..200 {
        sandbox.write(&format!("t/{}/{number}.pem", number % 10), &setup.leaf);
    }
    sandbox.write("t/5/a-steady.pem", &setup.leaf);
    let stop = Arc::new(AtomicBool::new(false));
    let (folder, leaf, ended) = (sandbox.join("t"), setup.leaf.clone(), Arc::clone(&stop));
    let writer = std::thread::spawn(move || {
        let mut number = 0_usize;
        while !ended.load(Ordering::Relaxed) {
            number += 7;
            let path = folder.join(format!("{}/{}.pem", number % 10, number % 200));
            let _ = match number % 5 {
                0 => fs::remove_file(&path),
                1 => fs::write(&path, &leaf[..number % leaf.len()]),
                2 => fs::remove_dir_all(folder.join("9")),
                3 => fs::create_dir_all(folder.join("9")),
                _ => fs::write(&path, leaf.repeat(number % 50)),
            };
        }
    });
    let ends = Instant::now() + Duration::from_secs(5);
    let mut runs = 0;
    while Instant::now() < ends || runs == 0 {
        runs += 1;
        for form in ["--json", "--jsonl"] {
            let run = sandbox.run(&["status", "t", form]);
            assert!(
                run.code <= 1 && run.stdout.contains("a-steady.pem"),
                "{run}"
            );
        }
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}

#[test]
fn unknown_arguments_are_rejected_without_network_access() {
    let sandbox = Sandbox::new();
    for name in ["nothing.pem", "./nothing", "no such thing", "*.example.com"] {
        let run = sandbox.run(&["status", name]).expect(3);
        assert!(run.stderr.contains("no such file, name or host"), "{run}");
    }
}
