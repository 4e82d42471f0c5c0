//! Install and rollback in unusual environments: umask, environment variables, closed or full
//! streams, a deleted folder, little memory, no /proc. The result is correct, and certctl does not
//! panic.
//! Needs: nginx openssl unshare mount prlimit
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use support::Run;
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, LINEAGE, leftovers, link, mode, tree};
use support::namespace::in_mount;
use support::program::{clear_environment, clock_words, program};

/// Creates a sandbox with two installed versions, and the file for a third.
fn setup() -> InstallSandbox {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    setup.renew_and_install(&[]).expect(0);
    setup.write_delivery("new.crt");
    setup
}

/// Runs `script` in a shell without environment; `$0` is certctl, `$HERE` the sandbox.
fn script(setup: &InstallSandbox, script: &str) -> Run {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", script, program()])
        .current_dir(setup.sandbox.path());
    clear_environment(&mut command)
        .env("HERE", setup.sandbox.path())
        .stdin(Stdio::null());
    let run = setup.sandbox.run_command(command);
    assert!(!run.to_string().contains("panicked"), "{script}\n{run}");
    run
}

const INSTALL: &str = "install \"$HERE/new.crt\" --key \"$HERE/example.com.key\" --root \"$HERE/tree\" --trust \"$HERE/root.pem\"";
const ROLLBACK: &str = "rollback example.com --root \"$HERE/tree\"";

/// Checks that key and chain differ from `before` and have the right modes, and that nothing is
/// left behind.
#[track_caller]
fn changed(setup: &InstallSandbox, before: &(String, String), what: &str) -> (String, String) {
    let now = setup.served();
    assert_ne!(&now, before, "{what}");
    assert_eq!(
        (
            mode(&setup.sandbox.join(CHAIN)),
            mode(&setup.sandbox.join(KEY))
        ),
        (0o644, 0o600),
        "{what}"
    );
    assert_eq!(leftovers(&setup.sandbox), Vec::<PathBuf>::new(), "{what}");
    for (path, text) in tree(&setup.sandbox.join("tree")) {
        let holds = text.contains("PRIVATE KEY");
        assert!(
            !holds || text.starts_with("600 "),
            "{what}: {}",
            path.display()
        );
    }
    now
}

#[test]
fn install_and_rollback_work_with_unusual_streams_environments_and_folders() {
    let setup = setup();
    let start = setup.served();
    for (what, wrapped, code) in [
        (
            "nothing at all in the environment",
            "exec env -i CLOCK \"HERE=$HERE\" \"$0\" ARGS",
            0,
        ),
        ("an empty PATH", "PATH= HOME= exec \"$0\" ARGS", 0),
        (
            "a home that does not exist",
            "HOME=/nonexistent LANG=C COLUMNS=1 TERM=dumb exec \"$0\" ARGS",
            0,
        ),
        ("stdin closed", "exec \"$0\" ARGS <&-", 0),
        ("stdout closed", "exec \"$0\" ARGS >&-", 0),
        ("stderr closed", "exec \"$0\" ARGS 2>&-", 0),
        ("all closed", "exec \"$0\" ARGS <&- >&- 2>&-", 0),
        (
            "all closed, JSON",
            "exec \"$0\" ARGS --json <&- >&- 2>&-",
            0,
        ),
        (
            "a reader that went away",
            "{ \"$0\" ARGS; echo $? >code; } | :; exit $(/bin/cat code)",
            0,
        ),
        // The install is complete, but the output could not be written.
        ("stdout full", "exec \"$0\" ARGS >/dev/full", 4),
        ("stdout full, JSON", "exec \"$0\" ARGS --json >/dev/full", 4),
        ("stderr full", "exec \"$0\" ARGS -v 2>/dev/full", 0),
        (
            "a folder that is gone",
            "/bin/mkdir gone && cd gone && /bin/rmdir ../gone && exec \"$0\" -C \"$HERE\" ARGS",
            0,
        ),
        (
            "a umask that takes nothing",
            "umask 000; exec \"$0\" ARGS",
            0,
        ),
        ("a umask that takes all", "umask 777; exec \"$0\" ARGS", 0),
        (
            "a umask that leaves the owner",
            "umask 077; exec \"$0\" ARGS",
            0,
        ),
    ] {
        let wrapped = wrapped.replace("CLOCK", &clock_words());
        let run = script(&setup, &wrapped.replace("ARGS", INSTALL));
        assert_eq!(run.code, code, "{what}\n{run}");
        if what == "stdout full" {
            let ended = "the command ended with: example.com is installed and expires";
            assert!(
                run.stderr.replace("\n        ", " ").contains(ended),
                "{run}"
            );
        }
        let installed = changed(&setup, &start, what);
        let run = script(&setup, &wrapped.replace("ARGS", ROLLBACK));
        assert_eq!(run.code, code, "{what}\n{run}");
        assert_eq!(changed(&setup, &installed, what), start, "{what}");
    }
}

#[test]
fn a_first_install_has_the_same_modes_under_any_umask() {
    let mut trees = Vec::new();
    for umask in ["000", "022", "077", "777"] {
        let setup = InstallSandbox::new();
        setup.write_delivery("new.crt");
        fs::create_dir(setup.sandbox.join("tree")).unwrap();
        let run = script(&setup, &format!("umask {umask}; exec \"$0\" {INSTALL}"));
        assert_eq!(run.code, 0, "{umask}\n{run}");
        changed(&setup, &(String::new(), String::new()), umask);
        let live = link(&setup.sandbox, &format!("{LINEAGE}/live"));
        let id = live.rsplit('/').next().unwrap();
        let modes = tree(&setup.sandbox.join("tree"))
            .into_iter()
            .map(|(path, text)| {
                let path = path
                    .strip_prefix(setup.sandbox.path())
                    .unwrap()
                    .display()
                    .to_string();
                (
                    path.replace(id, "ID"),
                    text.split(' ').next().unwrap().to_owned(),
                )
            });
        trees.push(modes.collect::<Vec<_>>());
    }
    assert!(trees.iter().all(|tree| *tree == trees[0]), "{trees:#?}");
    let text = trees[0]
        .iter()
        .map(|(path, mode)| format!("{mode:4} {path}"))
        .collect::<Vec<_>>()
        .join("\n");
    insta::assert_snapshot!(text, @r"
    755  tree/etc
    755  tree/etc/ssl
    755  tree/etc/ssl/certctl
    600  tree/etc/ssl/certctl/.lock
    755  tree/etc/ssl/certctl/example.com
    ->   tree/etc/ssl/certctl/example.com/live
    ->   tree/etc/ssl/certctl/example.com/proven
    755  tree/etc/ssl/certctl/example.com/releases
    755  tree/etc/ssl/certctl/example.com/releases/ID
    644  tree/etc/ssl/certctl/example.com/releases/ID/ca.pem
    644  tree/etc/ssl/certctl/example.com/releases/ID/cert.pem
    644  tree/etc/ssl/certctl/example.com/releases/ID/fullchain.pem
    600  tree/etc/ssl/certctl/example.com/releases/ID/key.pem
    644  tree/etc/ssl/certctl/example.com/settings.json
    644  tree/etc/ssl/certctl/example.com/trust.pem
    ->   tree/etc/ssl/example.com.fullchain.pem
    700  tree/etc/ssl/private
    ->   tree/etc/ssl/private/example.com.key
    ");
}

/// Like in a container: 64 MiB of memory, no /proc, few file descriptors.
#[test]
fn install_works_with_little_memory_and_without_proc() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let run = in_mount(
        &setup.sandbox,
        "size=4m",
        "mount -t tmpfs tmpfs /proc
         certctl() { prlimit --data=67108864 --nofile=16 --core=0 \"$CERTCTL\" \"$@\"; }
         certctl install new.crt --root tree --trust root.pem -q
         certctl install new.crt --root tree --trust root.pem -q
         openssl x509 -noout -pubkey -in tree/etc/ssl/example.com.fullchain.pem >one
         openssl pkey -pubout -in tree/etc/ssl/private/example.com.key >other
         cmp one other; stat -c %a tree/etc/ssl/certctl/example.com/live/key.pem",
    )
    .expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("600\n", ""));
}

/// Commands of servers are found in the usual folders even if `PATH` is empty, as with cron.
#[test]
fn an_empty_path_still_finds_the_server() {
    let setup = setup();
    let start = setup.served();
    let reload = setup
        .sandbox
        .write("reload", "#!/bin/sh\nset -e\ncat /dev/null\nnginx -v\n");
    fs::set_permissions(reload, fs::Permissions::from_mode(0o755)).unwrap();
    for path in ["PATH=", "PATH=relative:."] {
        let run = script(
            &setup,
            &format!(
                "{path}; exec \"$0\" {INSTALL} --server none --test 'openssl version' --reload $HERE/reload"
            ),
        );
        assert_eq!(run.code, 0, "{run}");
        let installed = changed(&setup, &start, path);
        let run = script(&setup, &format!("{path}; exec \"$0\" {ROLLBACK}"));
        assert_eq!(run.code, 0, "{run}");
        changed(&setup, &installed, path);
    }
}
