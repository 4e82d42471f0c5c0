//! Conventions of command lines: words of other tools, typing errors, environment variables, values
//! in any case, lists with commas, optional values, `-` for stdin and stdout, and `-v`.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use support::Sandbox;
use support::ca::TestCa;
use support::install_sandbox::InstallSandbox;

/// Returns the names of all files in the sandbox.
fn files_in(sandbox: &Sandbox) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(sandbox.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn words_of_other_tools_are_answered_with_the_right_command_and_do_nothing() {
    let sandbox = Sandbox::new();
    for (words, command) in [
        (&["issue", "-d", "a.example"][..], "certctl csr --help"),
        (&["--issue", "-d", "a.example"], "certctl csr --help"),
        (&["obtain", "a.example"], "certctl csr --help"),
        (&["certonly", "--nginx"], "certctl csr --help"),
        (&["run"], "certctl csr --help"),
        (&["certificates"], "certctl status"),
        (&["list", "--json"], "certctl status"),
        (&["-C", ".", "--list"], "certctl status"),
        (&["renew-all"], "certctl renew --help"),
        (&["delete", "a.example"], "certctl forget --help"),
        (&["remove", "a.example"], "certctl forget --help"),
        (&["version"], "certctl --version"),
    ] {
        let mut args = words.to_vec();
        if !args.contains(&"--json") {
            args.push("--json");
        }
        let document = sandbox.run(&args).expect(2).json();
        assert_eq!(document["schema"], "certctl.error/1", "{words:?}");
        assert_eq!(document["error"]["kind"], "usage", "{words:?}");
        let next = &document["error"]["next"];
        assert_eq!(next.len(), 1, "{words:?}");
        assert_eq!(next[0]["command"], command, "{words:?}");
        assert_eq!(next[0]["when"], "now", "{words:?}");
    }
    assert_eq!(files_in(&sandbox), Vec::<String>::new());
}

#[test]
fn a_typing_error_is_answered_with_the_nearest_word_and_the_help() {
    let sandbox = Sandbox::new();
    for (words, message, command) in [
        (
            &["instal", "x.zip"][..],
            "there is no command `instal`; did you mean `install`?",
            "certctl install --help",
        ),
        (
            &["csr", "a.example", "--forse"],
            "`csr` has no option `--forse`; did you mean `--force`?",
            "certctl csr --help",
        ),
        (
            &["csr", "a.example", "--ca", "namechep"],
            "`namechep` is not a valid value of `--ca`; did you mean `namecheap`?",
            "certctl csr --help",
        ),
        (
            &["csr", "a.example", "--ca", "lets"],
            "`lets` is not a valid value of `--ca`",
            "certctl csr --help",
        ),
        (
            &["install", "--yes"],
            "`install` has no option `--yes`",
            "certctl install --help",
        ),
        (
            &["it", "x.zip"],
            "there is no command `it`",
            "certctl --help",
        ),
        (
            &["csr", "--like", "a.example:443", "--from", "x"],
            "`csr` has no option `--from`; it is called `--like`",
            "certctl csr --help",
        ),
    ] {
        let mut args = words.to_vec();
        args.push("--json");
        let error = sandbox.run(&args).expect(2).json()["error"].clone();
        assert_eq!(error["message"], message);
        assert_eq!(error["next"].len(), 1);
        assert_eq!(error["next"][0]["command"], command, "{words:?}");
    }
    assert_eq!(files_in(&sandbox), Vec::<String>::new());
}

#[test]
fn an_empty_argument_is_named_as_such() {
    let sandbox = Sandbox::new();
    for words in [
        &["verify", ""][..],
        &["install", "x.zip", ""],
        &["status", ""],
        &["csr", ""],
        &["explain", ""],
        &["inspect", ""],
        &["bundle", ""],
    ] {
        let document = sandbox.run(&[words, &["--json"]].concat()).expect(2).json();
        let error = &document["error"];
        assert_eq!(error["message"], "an argument is empty", "{words:?}");
        let help = format!("certctl {} --help", words[0]);
        assert_eq!(error["next"][0]["command"], help, "{words:?}");
    }
    // The value of an option may be empty.
    let document = sandbox
        .run(&["bundle", "x.zip", "--host", "", "--json"])
        .json();
    assert_ne!(document["error"]["message"], "an argument is empty");
}

#[test]
fn values_of_other_programs_are_explained() {
    let sandbox = Sandbox::new();
    for (option, value, cause) in [
        ("--ca", "letsencrypt", "issues through ACME only"),
        ("--key-type", "rsa", "the size is part of the value"),
    ] {
        let run = sandbox.run(&["csr", "a.example", option, value]).expect(2);
        assert!(run.stderr.contains(cause), "{run}");
        assert!(!run.stderr.contains("did you mean"), "{run}");
    }
}

#[test]
fn a_date_is_a_time() {
    let sandbox = Sandbox::new();
    let run = |time: &str| sandbox.run(&["csr", "a.example", "--dry-run", "--at", time]);
    run("2027-05-11").expect(0);
    run("2027-05-11T00:00:00Z").expect(0);
    run("2027-05-32").expect(2);
}

#[test]
fn global_options_can_be_set_in_the_environment() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.join("folder")).unwrap();
    let run = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = sandbox.command(args);
        command.envs(variables.iter().copied());
        sandbox.run_command(command)
    };
    let json = ("CERTCTL_JSON", "1");
    let made = run(
        &[json, ("CERTCTL_DIRECTORY", "folder")],
        &["csr", "a.example"],
    )
    .expect(0);
    assert_eq!(made.json()["schema"], "certctl.csr/1");
    assert!(sandbox.join("folder/a.example.key").is_file());
    // The command line takes precedence.
    run(
        &[("CERTCTL_DIRECTORY", "nowhere")],
        &["-C", "folder", "csr", "a.example"],
    )
    .expect(0);
    run(&[("CERTCTL_DIRECTORY", "nowhere")], &["csr", "a.example"]).expect(3);
    let colored = ("CERTCTL_COLOR", "Always");
    assert!(
        run(&[colored], &["csr", "a..b"])
            .expect(2)
            .stderr
            .contains('\x1b')
    );
    let plain = run(&[colored], &["csr", "a..b", "--color", "never"]).expect(2);
    assert!(!plain.stderr.contains('\x1b'));
    // Errors in the command line are reported in the format that the environment sets.
    assert_eq!(
        run(&[json], &["--bogus"]).expect(2).json()["error"]["kind"],
        "usage"
    );
    for (value, code) in [
        ("true", 0),
        ("YES", 0),
        ("on", 0),
        ("", 0),
        ("0", 0),
        ("false", 0),
        ("No", 0),
        ("off", 0),
        ("2", 2),
        ("maybe", 2),
    ] {
        let run = run(
            &[("CERTCTL_QUIET", value)],
            &["-C", "folder", "csr", "a.example"],
        );
        assert_eq!(run.code, code, "{value:?}\n{run}");
        if code == 2 {
            assert!(run.stderr.contains("CERTCTL_QUIET"), "{run}");
        }
    }
    let unset = run(
        &[("CERTCTL_JSON", "off")],
        &["-C", "folder", "csr", "a.example"],
    )
    .expect(0);
    assert!(!unset.stdout.starts_with('{'), "{unset}");
    for (name, value) in [("CERTCTL_AT", "tomorrow"), ("CERTCTL_COLOR", "red")] {
        let refused = run(&[(name, value)], &["-C", "folder", "csr", "a.example"]).expect(2);
        assert!(refused.stderr.contains(name), "{refused}");
    }
    // The format of a stream does not depend on the environment.
    let stream = run(&[json], &["status", "folder", "--jsonl"]);
    assert!(stream.code < 2, "{stream}");
    let help = run(&[], &["--help"]).expect(0).stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for name in [
        "JSON",
        "DIRECTORY",
        "ROOT",
        "AT",
        "QUIET",
        "VERBOSE",
        "COLOR",
    ] {
        assert!(help.contains(&format!("[env: CERTCTL_{name}]")), "{help}");
    }
}

#[test]
fn values_may_be_written_in_any_case() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&[
            "csr",
            "a.example",
            "--ca",
            "Namecheap",
            "--key-type",
            "ECDSA-P256",
            "--color",
            "Never",
        ])
        .expect(0);
    let ca = TestCa::new();
    let request = std::fs::read_to_string(sandbox.join("a.example.csr")).unwrap();
    sandbox.write("a.crt", ca.issue(&request) + &ca.intermediate_pem());
    sandbox.write("root.pem", ca.root_pem());
    sandbox
        .run(&[
            "bundle", "a.crt", "--trust", "root.pem", "--format", "PEM,P7B", "--prefer", "Shortest",
        ])
        .expect(0);
    assert!(sandbox.join("a.example.p7b").is_file());
    let trust = sandbox
        .run(&["verify", "a.crt", "--trust", "Mozilla", "--json"])
        .expect(1)
        .json();
    assert!(
        trust["trust"].as_str().unwrap().starts_with("Mozilla"),
        "{trust:?}"
    );
    sandbox.run(&["completions", "Bash"]).expect(0);
    sandbox
        .run(&[
            "dcv-check",
            "a.example",
            "--method",
            "HTTP",
            "--resolver",
            "127.0.0.1:1",
        ])
        .expect(4);
}

#[test]
fn names_may_be_separated_by_commas() {
    let sandbox = Sandbox::new();
    let names = |args: &[&str]| {
        let document = sandbox.run(args).expect(0).json();
        let names: Vec<String> = document["names"]
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        names
    };
    assert_eq!(
        names(&["csr", "a.example,b.example", "--json"]),
        ["a.example", "b.example"]
    );
    assert_eq!(
        names(&["csr", "c.example,", "d.example", "--json"]),
        ["c.example", "d.example"]
    );
    sandbox.run(&["csr", ","]).expect(2);
    sandbox.run(&["csr", ""]).expect(2);
    let ca = TestCa::new();
    let request = std::fs::read_to_string(sandbox.join("a.example.csr")).unwrap();
    sandbox.write("a.crt", ca.issue(&request) + &ca.intermediate_pem());
    sandbox.write("root.pem", ca.root_pem());
    let verify = ["verify", "a.crt", "--trust", "root.pem", "--json", "--host"];
    sandbox
        .run(&[&verify[..], &["a.example,b.example"]].concat())
        .expect(0);
    sandbox
        .run(&[&verify[..], &["a.example,z.example"]].concat())
        .expect(1);
}

#[test]
fn wait_takes_the_next_word_only_if_it_is_a_duration() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "a.example"]).expect(0);
    for args in [
        &["dcv-check", "--wait", "1s", "a.example"][..],
        &["dcv-check", "a.example", "--wait", "1s"],
        &["dcv-check", "a.example", "--wait=1s"],
    ] {
        let run = sandbox.run(&[args, &["--resolver", "127.0.0.1:1"]].concat());
        assert!(matches!(run.code, 1 | 4), "{args:?}\n{run}");
    }
    let unknown = sandbox
        .run(&[
            "dcv-check",
            "--wait",
            "b.example",
            "--resolver",
            "127.0.0.1:1",
            "--json",
        ])
        .expect(3);
    assert!(
        unknown.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("b.example")
    );
}

#[test]
fn help_prints_the_same_text_as_the_option() {
    let sandbox = Sandbox::new();
    for (words, option) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "csr"], &["csr", "--help"]),
        (&["help", "dcv"], &["dcv-check", "--help"]),
        (&["help", "help"], &["--help"]),
        (&["--json", "help", "install"], &["install", "--help"]),
    ] {
        assert_eq!(
            sandbox.run(words).expect(0).stdout,
            sandbox.run(option).expect(0).stdout,
            "{words:?}"
        );
    }
    let unknown = sandbox.run(&["help", "instal", "--json"]).expect(2).json();
    assert_eq!(
        unknown["error"]["next"][0]["command"],
        "certctl install --help"
    );
}

#[test]
fn a_dash_is_stdout_for_each_output_of_status() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "a.example"]).expect(0);
    for (option, start) in [
        ("--html", "<!DOCTYPE html>"),
        ("--ics", "BEGIN:VCALENDAR"),
        ("--prometheus", "# HELP"),
    ] {
        let run = sandbox.run(&["status", ".", option, "-"]);
        assert!(run.code < 2, "{run}");
        assert!(run.stdout.starts_with(start), "{option}\n{}", run.stdout);
        assert!(!sandbox.join("-").exists());
        sandbox
            .run(&["status", ".", option, "-", "--json"])
            .expect(2);
    }
    sandbox
        .run(&["status", ".", "--html", "-", "--ics", "-"])
        .expect(2);
}

#[test]
fn verbose_runs_show_what_is_written_queried_and_run() {
    let sandbox = Sandbox::new();
    let made = sandbox.run(&["csr", "a.example", "-v"]).expect(0);
    for file in ["a.example.key", "a.example.csr"] {
        assert!(made.stderr.contains(&format!("write: {file}")), "{made}");
    }
    let asked = sandbox.run(&["dcv-check", "a.example", "--resolver", "127.0.0.1:1", "-v"]);
    assert!(asked.stderr.contains("query: "), "{asked}");
    assert!(asked.stderr.contains("127.0.0.1:1"), "{asked}");
    for quiet in [
        &["csr", "a.example", "--force"][..],
        &["csr", "a.example", "--force", "-v", "--json"],
    ] {
        assert!(!sandbox.run(quiet).expect(0).stderr.contains("write:"));
    }
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let installed = setup.sandbox.run(&[
        "install", "new.crt", "--trust", "root.pem", "--root", "tree", "--server", "none",
        "--reload", "true", "-v",
    ]);
    assert!(installed.stderr.contains("run: true"), "{installed}");
    assert!(installed.stderr.contains("fullchain.pem"), "{installed}");
}

#[test]
fn verbose_runs_show_the_codes_of_findings() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("new.crt");
    let check = ["verify", "new.crt"];
    let run = sandbox.run(&check).expect(1);
    assert!(!run.stdout.contains("code: "), "{run}");
    let run = sandbox.run(&[&check[..], &["-v"]].concat());
    let line = run.stdout.lines().find(|line| line.contains("code: "));
    let code = line.and_then(|line| line.trim().strip_prefix("code: "));
    sandbox.run(&["explain", code.unwrap()]).expect(0);
}

#[test]
fn a_dash_is_stdin_for_password_files() {
    let sandbox = Sandbox::new();
    sandbox.write("password", "correct horse\n");
    sandbox
        .run(&[
            "csr",
            "a.example",
            "--encrypt-key",
            "--password-file",
            "password",
        ])
        .expect(0);
    let ca = TestCa::new();
    let request = std::fs::read_to_string(sandbox.join("a.example.csr")).unwrap();
    sandbox.write("a.crt", ca.issue(&request) + &ca.intermediate_pem());
    sandbox.write("root.pem", ca.root_pem());
    let verify = [
        "verify",
        "a.crt",
        "--trust",
        "root.pem",
        "--key",
        "a.example.key",
        "--password-file",
        "-",
    ];
    sandbox
        .run_with_input(&verify, b"correct horse\n")
        .expect(0);
    assert_ne!(sandbox.run_with_input(&verify, b"wrong\n").code, 0);

    // The password that encrypts a new key.
    let csr = |more: &[&str]| {
        let common = ["csr", "b.example", "--password-file", "-"];
        sandbox.run_with_input(&[&common[..], more].concat(), b"correct horse\n")
    };
    csr(&["--encrypt-key", "--dry-run"]).expect(0);
    csr(&["--encrypt-key"]).expect(0);
    let again = csr(&["--json"]).expect(0).json();
    assert_eq!(again["changed"], false);
    let inspect = ["inspect", "b.example.key", "--password-file", "-", "--json"];
    let shown = sandbox.run_with_input(&inspect, b"correct horse\n");
    let shown = shown.expect(0).json();
    assert_eq!(shown["items"][0]["key"]["id"], again["key"]["id"]);
    sandbox.run_with_input(&inspect, b"wrong\n").expect(3);
}

#[test]
fn stdin_is_not_read_for_two_arguments() {
    let sandbox = Sandbox::new();
    let words = ["bundle", "-", "--password-file", "-"];
    let run = sandbox.run_with_input(&words, b"correct horse\n").expect(2);
    assert!(run.stderr.contains("Only one argument can be `-`"), "{run}");
}
