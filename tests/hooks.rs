//! The command of `--after`, and the programs that root runs for a user: in a mount namespace, because
//! nothing is run for the tree of another machine (`--root`).
//! Needs: nginx unshare mount
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::Run;
use support::install_sandbox::{InstallSandbox, codes};
use support::namespace::{in_mount, is_root};
use support::nginx::{free_port, write_config};

/// Installs are made with the files `one.crt`, `one.key` and `two.crt`, `two.key`.
const INSTALL: &str = "certctl install --trust root.pem --server nginx";

/// Runs `script` on a machine whose nginx serves the certificate at the usual paths.
fn here(setup: &InstallSandbox, script: &str) -> Run {
    let sandbox = &setup.sandbox;
    for name in ["one", "two"] {
        setup.write_delivery(&format!("{name}.crt"));
        let key = sandbox.join("example.com.key");
        std::fs::copy(key, sandbox.join(&format!("{name}.key"))).unwrap();
    }
    std::fs::remove_file(sandbox.join("example.com.key")).unwrap();
    std::fs::remove_file(sandbox.join("example.com.csr")).unwrap();
    let block = format!(
        "server {{ listen 127.0.0.1:{} ssl; server_name example.com www.example.com;\n\
         ssl_certificate /etc/ssl/example.com.fullchain.pem;\n ssl_certificate_key /etc/ssl/private/example.com.key; }}",
        free_port()
    );
    write_config(&sandbox.join("nginx"), &block);
    in_mount(
        sandbox,
        "size=1m",
        &format!(
            "mount -t tmpfs -o mode=755 tmpfs /etc/ssl; mkdir -m 700 /etc/ssl/private; mount -t tmpfs -o mode=755 tmpfs /run
             mount --bind nginx/nginx.conf /etc/nginx/nginx.conf
             certctl install --placeholder example.com www.example.com --server none >/dev/null
             nginx -c \"$PWD/nginx/nginx.conf\" & trap \"kill $!\" EXIT
             for i in 1 2 3 4 5 6 7 8 9 0; do [ -s nginx/nginx.pid ] && break; sleep 0.2; done
             settings() {{ cat /etc/ssl/certctl/example.com/settings.json; }}
             {script}"
        ),
    )
}

/// Writes a script that root may run.
fn write_script(setup: &InstallSandbox, name: &str, text: &str) {
    let path = setup.sandbox.write(name, format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The value of a variable in the output of `env`.
fn value<'a>(environment: &'a str, name: &str) -> &'a str {
    let mut lines = environment.lines();
    let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("{name} is not set:\n{environment}"))
}

#[test]
fn the_command_runs_after_each_verified_change_and_learns_about_the_certificate() {
    let setup = InstallSandbox::new();
    write_script(&setup, "hook", "env >hook.env; echo run >>hook.log");
    let run = here(
        &setup,
        &format!(
            "export ALICLOUD_SECRET_KEY=secret CERTCTL_QUIET=1
             {INSTALL} one.crt --key one.key --after \"$PWD/hook\" --dry-run --json >planned.json
             [ ! -e hook.log ]
             {INSTALL} one.crt --key one.key --after \"$PWD/hook\" --json >one.json; mv hook.env one.env
             certctl install example.com --json >unchanged.json; [ ! -e hook.env ]
             {INSTALL} two.crt --key two.key --json >two.json; mv hook.env two.env
             certctl rollback example.com --json >back.json; mv hook.env back.env
             settings >settings.json"
        ),
    );
    assert_eq!(run.code, 0, "{run}");
    let document = |file: &str| support::json::Json::parse(&setup.sandbox.read(file));
    let one = document("one.json");
    let step = |plan: &support::json::Json| {
        let steps = plan["certificates"][0]["plan"]["steps"].as_array().unwrap();
        steps.last().unwrap().clone()
    };
    assert_eq!(step(&document("planned.json")), step(&one));
    assert_eq!(step(&one)["step"], "run-hook", "{one}");
    assert_eq!(document("unchanged.json")["verdict"], "unchanged");
    assert_eq!(setup.sandbox.read("hook.log"), "run\n".repeat(3));
    let certificate = &one["certificates"][0];
    let environment = setup.sandbox.read("one.env");
    for (name, expected) in [
        ("CERTCTL_NAME", "example.com"),
        ("CERTCTL_NAMES", "example.com www.example.com"),
        ("CERTCTL_CHAIN_PATH", "/etc/ssl/example.com.fullchain.pem"),
        ("CERTCTL_KEY_PATH", "/etc/ssl/private/example.com.key"),
        (
            "CERTCTL_NOT_AFTER",
            certificate["not_after"].as_str().unwrap(),
        ),
        (
            "CERTCTL_FINGERPRINT",
            certificate["sha256"].as_str().unwrap(),
        ),
        ("CERTCTL_RELEASE", certificate["release"].as_str().unwrap()),
    ] {
        assert_eq!(value(&environment, name), expected);
    }
    assert!(!environment.contains("ALICLOUD"), "{environment}");
    assert!(!environment.contains("CERTCTL_QUIET"), "{environment}");
    let two = setup.sandbox.read("two.env");
    let back = setup.sandbox.read("back.env");
    let fingerprint = |text: &str| value(text, "CERTCTL_FINGERPRINT").to_owned();
    assert_eq!(
        value(&two, "CERTCTL_PREVIOUS_FINGERPRINT"),
        fingerprint(&environment)
    );
    assert_eq!(
        value(&back, "CERTCTL_PREVIOUS_FINGERPRINT"),
        fingerprint(&two)
    );
    assert_eq!(fingerprint(&back), fingerprint(&environment));
    let settings = setup.sandbox.read("settings.json");
    assert!(settings.contains("\"after\": "), "{settings}");
    assert!(!settings.contains("after_due"), "{settings}");
}

#[test]
fn a_failed_command_rolls_nothing_back_and_is_due_until_it_succeeds() {
    let setup = InstallSandbox::new();
    write_script(
        &setup,
        "hook",
        "[ -e fixed ] && echo \"$CERTCTL_PREVIOUS_FINGERPRINT\" >hook.env && exit\necho the other machine is down; exit 9",
    );
    let run = here(
        &setup,
        &format!(
            "{INSTALL} one.crt --key one.key >/dev/null
             code=0; {INSTALL} two.crt --key two.key --after \"$PWD/hook\" --json >failed.json || code=$?; [ $code = 7 ]
             code=0; certctl install example.com >again.txt || code=$?; [ $code = 7 ]
             settings >due.json
             certctl install --check --json >check.json
             touch fixed; certctl install example.com --json >fixed.json
             settings >settings.json; rm hook.env
             certctl install --check --json >checked.json
             certctl install example.com; [ ! -e hook.env ]"
        ),
    );
    assert_eq!(run.code, 0, "{run}");
    let failed = support::json::Json::parse(&setup.sandbox.read("failed.json"));
    assert_eq!(failed["verdict"], "live-incomplete", "{failed}");
    assert_eq!(failed["changed"], true, "{failed}");
    assert_eq!(codes(&failed), ["root-omitted", "hook-failed"], "{failed}");
    let finding = &failed["findings"][1];
    assert_eq!(finding["lines"][0], "the other machine is down", "{failed}");
    assert!(
        finding["message"].to_string().contains("exit 9"),
        "{failed}"
    );
    assert_eq!(failed["certificates"][0]["proof"], "live", "{failed}");
    let again = setup.sandbox.read("again.txt");
    assert!(again.contains("the other machine is down"), "{again}");
    assert!(
        again.contains("sudo certctl install example.com"),
        "{again}"
    );
    let due = support::json::Json::parse(&setup.sandbox.read("due.json"));
    let previous = due["after_due"]["previous"].as_str().unwrap().to_owned();
    assert_eq!(previous.len(), 64, "{due}");
    // A check names the command until it has succeeded.
    let check = support::json::Json::parse(&setup.sandbox.read("check.json"));
    assert_eq!(codes(&check), ["hook-failed"], "{check}");
    let step = &check["findings"][0]["next"][0]["command"];
    assert_eq!(step, "sudo certctl install example.com");
    let checked = support::json::Json::parse(&setup.sandbox.read("checked.json"));
    assert_eq!(codes(&checked), [""; 0], "{checked}");
    let fixed = support::json::Json::parse(&setup.sandbox.read("fixed.json"));
    assert_eq!(
        (&fixed["verdict"], &fixed["changed"]),
        (&"unchanged".into(), &false.into())
    );
    let settings = setup.sandbox.read("settings.json");
    assert!(!settings.contains("after_due"), "{settings}");
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_all_its_processes() {
    let setup = InstallSandbox::new();
    write_script(&setup, "slow", "sleep 1001 & echo started; sleep 1000");
    write_script(&setup, "quick", "sleep 1002 & exec 1>&- 2>&-; exit 0");
    let run = here(
        &setup,
        &format!(
            "code=0; {INSTALL} one.crt --key one.key --after \"$PWD/slow\" --hook-timeout 1s >slow.txt || code=$?; [ $code = 7 ]
             {INSTALL} two.crt --key two.key --after \"$PWD/quick\" >quick.txt
             sleep 0.2; grep -la '^sleep' /proc/[0-9]*/cmdline >sleeping || true"
        ),
    );
    assert_eq!(run.code, 0, "{run}");
    let slow = setup.sandbox.read("slow.txt");
    assert!(
        slow.contains("timed out") && slow.contains("started"),
        "{slow}"
    );
    assert_eq!(setup.sandbox.read("sleeping"), "");
}

#[test]
fn a_signal_or_a_crash_leaves_the_command_due() {
    let setup = InstallSandbox::new();
    write_script(
        &setup,
        "hook",
        "echo run >>hook.log; [ -e fixed ] || sleep 1000",
    );
    let run = here(
        &setup,
        "wait_for() { for i in $(seq 50); do [ \"$(cat hook.log 2>/dev/null | wc -l)\" = $1 ] && return; sleep 0.1; done; }
             \"$CERTCTL\" install --trust root.pem --server nginx one.crt --key one.key --after \"$PWD/hook\" >first.txt 2>&1 & pid=$!
             wait_for 1; kill -TERM $pid; code=0; wait $pid || code=$?; [ $code = 143 ]
             \"$CERTCTL\" install example.com >second.txt 2>&1 & pid=$!
             wait_for 2; kill -KILL $pid; wait $pid || true
             touch fixed; certctl install example.com >third.txt; certctl install example.com",
    );
    assert_eq!(run.code, 0, "{run}");
    let first = setup.sandbox.read("first.txt");
    assert!(first.contains("the certificate is installed"), "{first}");
    assert_eq!(setup.sandbox.read("hook.log"), "run\n".repeat(3));
    let third = setup.sandbox.read("third.txt");
    assert!(third.contains("hook` succeeded"), "{third}");
}

#[test]
fn the_command_waits_for_a_verification() {
    let setup = InstallSandbox::new();
    write_script(&setup, "hook", "echo run >>hook.log");
    let run = here(
        &setup,
        &format!(
            "{INSTALL} one.crt --key one.key --after \"$PWD/hook\" --probe none --json >skipped.json; [ ! -e hook.log ]
             certctl install example.com --json >later.json; [ -e hook.log ]
             {INSTALL} two.crt --key two.key --after none >none.txt"
        ),
    );
    assert_eq!(run.code, 0, "{run}");
    let skipped = support::json::Json::parse(&setup.sandbox.read("skipped.json"));
    assert!(codes(&skipped).contains(&"hook-not-run"), "{skipped}");
    assert_eq!(setup.sandbox.read("hook.log"), "run\n");
}

#[test]
fn files_without_a_server_are_handed_on_by_the_command() {
    let setup = InstallSandbox::new();
    write_script(&setup, "hook", "echo run >>hook.log; exit 3");
    let run = here(
        &setup,
        "code=0; certctl install --trust root.pem --server none one.crt --key one.key --after ./hook --json || code=$?
         [ $code = 7 ]; [ -e hook.log ]",
    );
    assert_eq!(run.code, 0, "{run}");
    let document = run.json();
    assert_eq!(document["certificates"][0]["proof"], "files", "{document}");
}

#[test]
fn root_runs_only_what_root_alone_can_change() {
    if !is_root() {
        return;
    }
    let setup = InstallSandbox::new();
    for name in ["hook", "theirs/hook", "shared"] {
        write_script(&setup, name, "touch \"$0.was-run\"");
    }
    let run = here(
        &setup,
        &format!(
            "chown 1234 hook theirs; chmod 0775 shared
             refused() {{
               code=0; {INSTALL} one.crt --key one.key \"$@\" --json || code=$?; [ $code = 3 ]
             }}
             for option in --after --test --reload; do
               refused $option \"$PWD/hook\"; refused $option \"sh $PWD/hook\"; refused $option \"env -i sh -x ./hook\"
               refused $option \"$PWD/theirs/hook\"; refused $option ./shared
             done >refused.jsonl
             {INSTALL} one.crt --key one.key >/dev/null
             settings | sed 's|^{{|{{\"after\": \"'$PWD'/hook\", |' >changed; cat changed >/etc/ssl/certctl/example.com/settings.json
             code=0; {INSTALL} two.crt --key two.key --json >stored.json || code=$?; [ $code = 7 ]
             ls *.was-run theirs/*.was-run || true"
        ),
    );
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run}");
    let stored = support::json::Json::parse(&setup.sandbox.read("stored.json"));
    assert!(codes(&stored).contains(&"hook-failed"), "{stored}");
    assert!(
        stored["findings"].to_string().contains("sudo chown root"),
        "{stored}"
    );
    let lines = setup.sandbox.read("refused.jsonl");
    assert_eq!(lines.lines().count(), 15, "{lines}");
    for line in lines.lines() {
        assert!(line.contains("users other than root can change"), "{line}");
        let expected = if line.contains("theirs") {
            "sudo install -o root -g root -m 0755 "
        } else {
            "sudo chown root "
        };
        assert!(line.contains(expected), "{line}");
    }
}

/// The output of the command is read to its end, so that it does not wait, and kept only in part.
#[test]
fn the_output_of_the_command_is_bounded() {
    let setup = InstallSandbox::new();
    let noise = "head -c 5000000 /dev/zero | tr '\\0' x; echo; echo the last line; exit 9";
    write_script(&setup, "hook", noise);
    let run = here(
        &setup,
        &format!(
            "code=0; {INSTALL} one.crt --key one.key --after \"$PWD/hook\" --json >failed.json || code=$?; [ $code = 7 ]"
        ),
    );
    assert_eq!(run.code, 0, "{run}");
    let text = setup.sandbox.read("failed.json");
    assert!(text.len() < 200_000, "{} bytes", text.len());
    let failed = support::json::Json::parse(&text);
    assert!(codes(&failed).contains(&"hook-failed"), "{failed}");
}
