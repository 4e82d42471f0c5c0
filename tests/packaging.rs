//! The files in `packaging/`: systemd accepts the units and rates their exposure as low; the cron
//! line is silent until something is due; the mail contains the output.
//! Needs: systemd-analyze, unshare, mount
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use support::Sandbox;
use support::ca::{DAYS_UNTIL_DUE, Leaf, days, noon, today};
use support::external::{external_program, path_of, succeed};
use support::install_sandbox::InstallSandbox;
use support::namespace::in_mount;
use support::program::{clear_environment, clock_words, program};

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging")
        .join(name)
}

/// Returns the units as installed, with the current paths of the programs that they start.
fn units(sandbox: &Sandbox) -> Vec<String> {
    let names = [
        "certctl-status.service",
        "certctl-status.timer",
        "certctl-status-mail.service",
        "certctl-renew.service",
        "certctl-renew.timer",
    ];
    let mailer = packaging("systemd/status-mail").display().to_string();
    names
        .into_iter()
        .map(|name| {
            let text = std::fs::read_to_string(packaging("systemd").join(name)).unwrap();
            let text = text
                .replace("/usr/local/bin/certctl", program())
                .replace("/usr/local/lib/certctl/status-mail", &mailer);
            sandbox.write(name, text).display().to_string()
        })
        .collect()
}

#[test]
fn systemd_accepts_the_units() {
    let sandbox = Sandbox::new();
    let units = units(&sandbox);
    let result = external_program("systemd-analyze")
        .arg("verify")
        .args(&units)
        .output()
        .unwrap();
    let about_ours = String::from_utf8_lossy(&result.stderr);
    assert!(
        result.status.success() && !about_ours.contains("certctl"),
        "{about_ours}"
    );
    // The exposure on a scale from 0 to 10, times ten. Renewals write files and reload servers.
    for (unit, threshold) in [(&units[0], 30), (&units[3], 32)] {
        succeed(
            external_program("systemd-analyze")
                .args(["security", "--offline=true"])
                .arg(format!("--threshold={threshold}"))
                .arg(unit),
        );
    }
    let broken = sandbox.write("broken.service", "[Service]\nExecStart=/nowhere/at/all\n");
    assert!(
        !external_program("systemd-analyze")
            .arg("verify")
            .arg(broken)
            .output()
            .unwrap()
            .status
            .success()
    );
}

#[test]
fn the_cron_line_is_silent_until_something_is_due() {
    let table = std::fs::read_to_string(packaging("cron/certctl")).unwrap();
    let line = table
        .lines()
        .find(|line| line.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap();
    let fields: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(
        (fields[5], &fields[6..]),
        ("root", &["cd", "/", "&&", "certctl", "status", "-q"][..])
    );

    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let status = |at: i64| {
        setup
            .sandbox
            .run(&["status", "-q", "--root", "tree", "--at", &noon(at)])
    };
    let fine = status(1).expect(0);
    assert_eq!(
        (fine.stdout.as_str(), fine.stderr.as_str()),
        ("", ""),
        "{fine}"
    );
    let due = status(DAYS_UNTIL_DUE).expect(1);
    assert!(
        due.stdout.contains("example.com") && due.stdout.contains("renew"),
        "{due}"
    );
}

/// cron reads an unescaped percent sign as the end of the command.
#[test]
fn the_cron_line_of_renew_waits_at_random_and_renews() {
    let line = value("cron/certctl-renew", "23 3,15 * * *  root  ");
    let command = line.replace("\\%", "%");
    assert_eq!(line.matches('%').count(), line.matches("\\%").count());
    let sandbox = Sandbox::new();
    for (name, script) in [
        ("sleep", "echo sleep $1"),
        ("certctl", "echo certctl $*; pwd"),
    ] {
        let path = sandbox.write(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut shell = std::process::Command::new("/bin/sh");
    clear_environment(&mut shell).args(["-c", &command]);
    let path = format!("{}:/usr/bin:/bin", sandbox.join("bin").display());
    let output = shell.env("PATH", path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let seconds: u32 = lines[0].strip_prefix("sleep ").unwrap().parse().unwrap();
    assert!(seconds < 7200, "{text}");
    assert_eq!(lines[1..], ["certctl renew -q", "/"], "{text}");
}

/// Returns the text after `key` in a file of `packaging`.
fn value(name: &str, key: &str) -> String {
    let text = std::fs::read_to_string(packaging(name)).unwrap();
    text.lines()
        .find_map(|line| line.strip_prefix(key))
        .unwrap_or_else(|| panic!("{key} in {name}"))
        .to_owned()
}

#[test]
fn the_commands_of_cron_and_systemd_run_unchanged() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("fine.crt");
    let leaf = Leaf {
        not_before: days(today(), -35),
        not_after: days(today(), 9),
        ..Leaf::default()
    };
    sandbox.run(&["csr", "due.example"]).expect(0);
    let leaf = setup.ca.issue_as(&sandbox.read("due.example.csr"), leaf);
    sandbox.write("due.crt", leaf + &setup.ca.intermediate_pem());
    let cron = value("cron/certctl", "17 6 * * *  root  ");
    let unit = value("systemd/certctl-status.service", "ExecStart=");
    let folder = value("systemd/certctl-status.service", "WorkingDirectory=");
    // As cron and systemd start them: with a small environment. Certificates and servers of this
    // machine are hidden.
    let path = value("cron/certctl", "PATH=");
    let clock = clock_words();
    let lines = [
        format!(
            "env -i {clock}HOME=/root LOGNAME=root SHELL=/bin/sh PATH={path} /bin/sh -c '{cron}'"
        ),
        format!("cd {folder}; env -i {clock}LANG=C PATH={path} {unit}"),
    ];
    let runs: String = lines
        .iter()
        .map(|line| format!("({line}); echo \"code $?\"\n"))
        .collect();
    let mount = path_of("mount").display().to_string();
    let script = format!(
        "for place in /usr/local/bin /etc/ssl /etc/nginx /etc/apache2 /etc/haproxy; do\n\
           if [ -d $place ]; then {mount} -t tmpfs -o size=4m tmpfs $place; fi\ndone\n\
         ln -s $CERTCTL /usr/local/bin/certctl\nset +e\n\
         certctl install fine.crt --trust root.pem --server none >/dev/null 2>&1; echo \"installed $?\"\n{runs}\
         certctl install due.crt --trust root.pem --server none >/dev/null 2>&1; echo \"installed $?\"\n{runs}"
    );
    let run = in_mount(sandbox, "size=1m", &script);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        lines[..4],
        ["installed 0", "code 0", "code 0", "installed 0"],
        "{run}"
    );
    let due = |line: &&str| line.contains("due.example");
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("code 1"))
            .count(),
        2,
        "{run}"
    );
    assert!(
        lines[4..].iter().any(due) && !run.stdout.contains("example.com") && run.stderr.is_empty(),
        "{run}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.trim() == "certctl renew due.example"),
        "{run}"
    );
}

#[test]
fn the_mail_contains_the_output() {
    let sandbox = Sandbox::new();
    for (name, script) in [
        (
            "systemctl",
            "test \"$4\" = certctl-status.service && echo 0123abcd",
        ),
        (
            "journalctl",
            "case \"$*\" in *_SYSTEMD_INVOCATION_ID=0123abcd*) cat found ;; esac",
        ),
        ("sendmail", "cat > mail"),
    ] {
        let path = sandbox.write(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    for (found, expected) in [
        (
            "due  $(touch broken) `x` example.com\n",
            "due  $(touch broken) `x` example.com",
        ),
        ("", "printed nothing"),
    ] {
        sandbox.write("found", found);
        let mut mail = std::process::Command::new("/bin/sh");
        clear_environment(&mut mail)
            .arg(packaging("systemd/status-mail"))
            .current_dir(sandbox.path());
        let path = format!("{}:/usr/bin:/bin", sandbox.join("bin").display());
        succeed(mail.env("PATH", path).env("MAILTO", "ops@example.com"));
        let mail = sandbox.read("mail");
        let (head, body) = mail.split_once("\n\n").unwrap();
        assert!(
            head.starts_with("To: ops@example.com\nSubject: certctl on "),
            "{mail}"
        );
        assert!(body.contains(expected), "{mail}");
    }
    assert!(!sandbox.join("broken").exists());
}
