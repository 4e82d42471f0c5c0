//! The command line itself: help, usage errors, and unusual environments.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use support::ca::TestCa;
use support::program::{clear_environment, program};
use support::{Run, Sandbox};

const VERBS: [&str; 20] = [
    "csr",
    "dcv-check",
    "dcv-publish",
    "order",
    "install",
    "renew",
    "status",
    "verify",
    "inspect",
    "doctor",
    "explain",
    "bundle",
    "site",
    "rollback",
    "forget",
    "rehearse",
    "completions",
    "account",
    "import",
    "revoke",
];

#[test]
fn bare_certctl_lists_the_commands_in_groups() {
    let sandbox = Sandbox::new();
    let overview = sandbox.run(&[]).expect(0);
    for verb in VERBS {
        assert!(
            overview.stdout.contains(&format!("  {verb} ")),
            "{verb} is missing:\n{overview}"
        );
    }
    let mut last = 0;
    for group in ["\nget ", "\nkeep ", "\nfix ", "\nmore "] {
        let at = overview.stdout.find(group).unwrap_or_default();
        assert!(at > last, "{group:?}\n{overview}");
        last = at;
    }
    assert!(!overview.stdout.contains("\nnext "), "{overview}");
    assert_eq!(overview.stderr, "");
    let document = sandbox.run(&["--json"]).expect(0).json();
    assert_eq!(document["schema"], "certctl.overview/1");
    assert_eq!(document["commands"].len(), VERBS.len());
    assert_eq!(document["commands"][0]["group"], "get");
    assert_eq!(document["commands"][0]["name"], "csr");
    assert!(document["commands"][0]["summary"].as_str().unwrap().len() > 10);
    assert_eq!(document["next"].len(), 0);
}

#[test]
fn bare_certctl_ends_with_the_next_command() {
    let sandbox = Sandbox::new();
    let next = |args: &[&str]| {
        let document = sandbox.run(&[args, &["--json"]].concat()).expect(0).json();
        let next = document["next"].iter().next().cloned();
        next.map(|step| step["command"].as_str().unwrap().to_owned())
    };
    sandbox.run(&["csr", "a.example"]).expect(0);
    assert_eq!(next(&[]).as_deref(), Some("certctl dcv-check"));
    let overview = sandbox.run(&[]).expect(0).stdout;
    assert!(
        overview.ends_with("\n            certctl dcv-check\n"),
        "{overview}"
    );
    // Certificates that cannot be read are not a failure here.
    assert_eq!(next(&["-C", "nowhere"]), None);
    let ca = TestCa::new();
    let request = std::fs::read_to_string(sandbox.join("a.example.csr")).unwrap();
    let issued = ca.issue(&request) + &ca.intermediate_pem();
    let zip = support::zip::zip(&[("a_example.crt", issued.as_bytes())]);
    sandbox.write("a_example.zip", zip);
    assert_eq!(next(&[]).as_deref(), Some("sudo certctl install"));
    std::fs::remove_file(sandbox.join("a_example.zip")).unwrap();
    sandbox.write("a.crt", &issued);
    assert_eq!(next(&[]).as_deref(), Some("sudo certctl install"));
    assert_eq!(
        next(&["--root", "tree"]).as_deref(),
        Some("certctl --root tree install")
    );
    // The root of a company's own CA is passed.
    sandbox.write("root.pem", ca.root_pem());
    let with_root = "sudo certctl install --trust root.pem";
    assert_eq!(next(&[]).as_deref(), Some(with_root));
    let install = ["install", "a.crt", "--root", "tree"];
    let refused = sandbox.run(&install).expect(1);
    let complete = "certctl install a.crt --root tree --trust root.pem";
    assert!(refused.stdout.contains(complete), "{refused}");
    assert!(!refused.stdout.contains("for example"), "{refused}");
    let words = [
        "install", "--trust", "root.pem", "--root", "tree", "--server", "none",
    ];
    sandbox.run(&words).expect(0);
    assert_eq!(next(&["--root", "tree"]), None);
    // A zip whose key is not here.
    let zip = support::zip::zip(&[("a_example.crt", issued.as_bytes())]);
    sandbox.write("other/a_example.zip", zip);
    let check = "certctl -C other verify other/a_example.zip";
    assert_eq!(next(&["-C", "other"]).as_deref(), Some(check));
}

#[test]
fn version_says_what_was_built_and_when() {
    let sandbox = Sandbox::new();
    let version = sandbox.run(&["--version"]).expect(0).stdout;
    let lines: Vec<&str> = version.lines().collect();
    let start = concat!("certctl ", env!("CARGO_PKG_VERSION"), " (");
    assert!(
        lines[0].starts_with(start) && lines[0].ends_with(')'),
        "{version}"
    );
    assert!(lines[1].starts_with("trust list: Mozilla, 20"), "{version}");
    assert!(lines[2].starts_with("aws-lc: "), "{version}");
    assert_eq!(lines.len(), 3, "{version}");
    let short = sandbox.run(&["-V"]).expect(0).stdout;
    assert_eq!(short, format!("{}\n", lines[0]));
}

#[test]
fn help_lists_groups_options_variables_and_exit_codes() {
    let sandbox = Sandbox::new();
    let help = sandbox.run(&["--help"]).expect(0).stdout;
    assert_eq!(help, sandbox.run(&["-h"]).expect(0).stdout);
    assert!(!help.contains("What the user types"), "{help}");
    let mut at = 0;
    for part in [
        "Get TLS certificates",
        "\nExamples:\n  certctl ",
        "\n  sudo certctl install ",
        "\nUsage: certctl ",
        "\nget ",
        "\nkeep ",
        "\nfix ",
        "\nmore ",
        "\nGlobal:\n",
        "[env: CERTCTL_JSON]",
        "\nExit codes:\n",
        "\n  5 ",
    ] {
        let found = help[at..].find(part);
        assert!(found.is_some(), "{part:?} is missing or misplaced:\n{help}");
        at += found.unwrap();
    }
}

#[test]
fn help_fits_the_terminal() {
    let sandbox = Sandbox::new();
    for columns in ["60", "80", "200"] {
        for args in [
            &["--help"][..],
            &["install", "--help"],
            &["status", "--help"],
            &[],
        ] {
            let mut command = sandbox.command(args);
            command.env("COLUMNS", columns);
            let help = sandbox.run_command(command).expect(0).stdout;
            let limit = columns.parse::<usize>().unwrap().min(100);
            for line in help.lines() {
                // A command is never split across lines.
                let is_command = line.starts_with("  certctl") || line.starts_with("  sudo");
                assert!(
                    line.chars().count() <= limit || is_command,
                    "{columns}: {line}"
                );
            }
        }
    }
}

#[test]
fn each_help_opens_with_two_examples() {
    let sandbox = Sandbox::new();
    for verb in VERBS {
        for flag in ["--help", "-h"] {
            let help = sandbox.run(&[verb, flag]).expect(0).stdout;
            let mut lines = help.lines();
            assert_eq!(lines.next(), Some("Examples:"), "{verb}:\n{help}");
            for _ in 0..2 {
                let example = lines.next().unwrap();
                let typed = example.trim_start().trim_start_matches("sudo ");
                assert!(
                    typed.starts_with(&format!("certctl {verb}")),
                    "{verb}: {example}"
                );
            }
            assert!(help.contains("\nUsage: certctl "), "{help}");
            assert!(
                help.lines().all(|line| line.chars().count() <= 100),
                "{help}"
            );
        }
    }
}

#[test]
fn the_examples_in_the_help_are_understood() {
    let sandbox = Sandbox::new();
    for verb in VERBS {
        let help = sandbox.run(&[verb, "--help"]).expect(0).stdout;
        for example in help
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with("  "))
        {
            let typed = example
                .split(['|', '>', '<', '#'])
                .next()
                .unwrap()
                .replace('\'', "");
            let words: Vec<&str> = typed
                .split_whitespace()
                .skip_while(|word| *word != "certctl")
                .skip(1)
                .collect();
            // With `--help` at the end, the words before it are still parsed, but the command is
            // not run.
            let run = sandbox.run(&[&words[..], &["--help"]].concat());
            assert_eq!(run.code, 0, "{example}\n{run}");
        }
    }
}

#[test]
fn usage_errors_say_what_is_wrong_and_where_to_look() {
    let sandbox = Sandbox::new();
    let said = |args: &[&str]| sandbox.run(args).expect(2).to_string();
    insta::assert_snapshot!(said(&["csr"]), @r"
    --- stderr
    error   `csr` needs an argument: NAME...
    next    Show the arguments and options of `csr`:
                certctl csr --help
    --- exit 2
    ");
    insta::assert_snapshot!(said(&["csr", "--bogus", "example.com"]), @r"
    --- stderr
    error   `csr` has no option `--bogus`
    next    Show the arguments and options of `csr`:
                certctl csr --help
    --- exit 2
    ");
    insta::assert_snapshot!(said(&["verfy"]), @r"
    --- stderr
    error   there is no command `verfy`; did you mean `verify`?
    next    Show the arguments and options of `verify`:
                certctl verify --help
    --- exit 2
    ");
    insta::assert_snapshot!(said(&["--at", "tomorrow", "csr", "example.com"]), @r"
    --- stderr
    error   `tomorrow` is not a valid value of `--at`
            cause: not a date such as 2027-05-11, or a time such as 2027-05-11T00:00:00Z
    next    Show the arguments and options of `csr`:
                certctl csr --help
    --- exit 2
    ");
    insta::assert_snapshot!(said(&["completions", "bash", "zsh"]), @r"
    --- stderr
    error   `completions` takes no argument `zsh` here
    next    Show the arguments and options of `completions`:
                certctl completions --help
    --- exit 2
    ");
    let unknown_ca = ["csr", "--ca", "verisign", "example.com", "--json"];
    let error = sandbox.run(&unknown_ca).expect(2).json()["error"].clone();
    assert_eq!(
        error["message"],
        "`verisign` is not a valid value of `--ca`"
    );
    let values = error["causes"][0].as_str().unwrap();
    assert!(values.starts_with("the values are namecheap, "), "{values}");
    assert_eq!(
        sandbox.run(&["csr", "--json", "--bogus"]).expect(2).json()["error"]["kind"],
        "usage"
    );
    // After `--` it is a name, and an invalid one.
    assert!(
        sandbox
            .run(&["csr", "--", "--json"])
            .expect(2)
            .stdout
            .is_empty()
    );
}

/// Commands of the product contract that a later version will provide do not exist yet: there are
/// no stubs.
#[test]
fn commands_of_later_versions_are_usage_errors() {
    let sandbox = Sandbox::new();
    for verb in ["order", "issue", "site"] {
        assert_eq!(
            sandbox.run(&[verb, "--json"]).expect(2).json()["schema"],
            "certctl.error/1",
            "{verb}"
        );
    }
}

/// Runs `certctl ARGS` with `stdout` as its standard output.
fn with_stdout(sandbox: &Sandbox, args: &[&str], stdout: Stdio) -> Run {
    let mut command = sandbox.command(args);
    let child = command
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    sandbox.wait_for(child)
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    let sandbox = Sandbox::new();
    for args in [
        &[][..],
        &["--help"],
        &["completions", "bash"],
        &["csr", "example.com"],
        &["csr", "a.example", "--json"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = with_stdout(&sandbox, args, writer.into()).expect(0);
        assert_eq!(run.stderr, "", "{args:?}");
    }
}

#[test]
fn an_unwritable_stdout_is_reported_with_exit_code_4() {
    let sandbox = Sandbox::new();
    let full = || Stdio::from(OpenOptions::new().write(true).open("/dev/full").unwrap());
    for args in [
        &[][..],
        &["--help"],
        &["--version"],
        &["completions", "zsh"],
        &["csr", "example.com"],
    ] {
        let run = with_stdout(&sandbox, args, full()).expect(4);
        assert!(
            run.stderr.contains(
                "error   cannot write the result to stdout\n        cause: No space left"
            ),
            "{run}"
        );
    }
    // A failure keeps its own code and is printed as text if the JSON document cannot be written.
    let run = with_stdout(&sandbox, &["csr", "a..b", "--json"], full()).expect(2);
    assert!(run.stderr.contains("is not a DNS name"), "{run}");
    // Nothing can be printed, but the exit code is right.
    for (args, code) in [(&["csr", "a..b"][..], 2), (&["csr", "other.example"], 0)] {
        let child = sandbox
            .command(args)
            .stdout(Stdio::piped())
            .stderr(full())
            .spawn()
            .unwrap();
        sandbox.wait_for(child).expect(code);
    }
}

#[test]
fn unusual_environments_are_tolerated() {
    let sandbox = Sandbox::new();
    let plain = sandbox.run(&["csr", "--help"]).expect(0).stdout;
    for (name, value) in [
        ("COLUMNS", "1"),
        ("COLUMNS", "99999999999999999999"),
        ("LANG", "C"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("NO_COLOR", "1"),
        ("CLICOLOR_FORCE", "1"),
        ("TERM", "dumb"),
        ("RUST_BACKTRACE", "full"),
        ("HOME", "/nonexistent"),
    ] {
        for args in [
            &[][..],
            &["--help"],
            &["csr", "--help"],
            &["csr", "a..b"],
            &["verify", "--bogus"],
        ] {
            let mut command = sandbox.command(args);
            command.env(name, value);
            let run = sandbox.run_command(command);
            assert!(
                matches!(run.code, 0 | 2) && !run.to_string().contains("panicked"),
                "{name}={value}\n{run}"
            );
            assert!(
                !run.to_string().contains('\x1b'),
                "colour in a pipe with {name}={value}"
            );
            if args.len() == 2 && args[1] == "--help" && name != "COLUMNS" {
                assert_eq!(run.stdout, plain);
            }
        }
    }
    let mut bare = Command::new(program());
    clear_environment(&mut bare)
        .args(["csr", "bare.example"])
        .current_dir(sandbox.path());
    sandbox.run_command(bare).expect(0);
}

#[test]
fn color_is_used_on_terminals_or_on_request() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["csr", "a..b", "--color", "always"]);
    command.env("NO_COLOR", "1");
    assert!(
        sandbox
            .run_command(command)
            .expect(2)
            .stderr
            .starts_with("\x1b[31merror\x1b[0m ")
    );
    assert!(
        !sandbox
            .run(&["csr", "a..b", "--color", "never"])
            .expect(2)
            .stderr
            .contains('\x1b')
    );
    assert!(
        !sandbox
            .run(&["csr", "example.com", "--json", "--color", "always"])
            .expect(0)
            .stdout
            .contains('\x1b')
    );
}

#[test]
fn a_closed_stdin_and_a_deleted_folder_are_handled() {
    let sandbox = Sandbox::new();
    for (script, code) in [
        ("exec \"$0\" csr closed.example <&-", 0),
        ("exec \"$0\" csr closed2.example --json <&- 2>&-", 0),
        (
            "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" csr example.com",
            3,
        ),
        (
            "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" --version",
            0,
        ),
        ("exec \"$0\" -C /proc/self/fd csr example.com", 3),
        ("exec \"$0\" -C nowhere csr example.com", 3),
    ] {
        let mut command = sandbox.command(&[]);
        let certctl = command.get_program().to_owned();
        command = Command::new("/bin/sh");
        command
            .args([OsStr::new("-c"), OsStr::new(script), &certctl])
            .current_dir(sandbox.path());
        clear_environment(&mut command);
        let run = sandbox.run_command(command);
        assert!(!run.stderr.contains("panicked"), "{script}\n{run}");
        assert_eq!(run.code, code, "{script}\n{run}");
    }
}

#[test]
fn arguments_that_are_not_utf8_never_panic() {
    let sandbox = Sandbox::new();
    let odd = OsStr::from_bytes(b"odd-\xff\n\x1b[2J");
    std::fs::create_dir(sandbox.path().join(odd)).unwrap();
    let mut command = sandbox.command(&["csr", "--json"]);
    command.arg(odd);
    sandbox.run_command(command).expect(2).json();
    let ca = TestCa::new();
    for (args, code) in [
        (&["csr", "example.com"][..], 0),
        (&["csr", "example.com"], 0),
        (&["inspect", "plain.csr"], 0),
        // A file in such a folder cannot be referred to by its name alone.
        (&["inspect", "ODD/example.com.csr"], 2),
        (&["dcv-check", "--resolver", "127.0.0.1:1"], 4),
        (&["bundle", "example.com.crt", "--trust", "root.pem"], 0),
        (&["verify", "example.com", "--trust", "root.pem"], 0),
        (
            &[
                "install",
                "example.com",
                "--trust",
                "root.pem",
                "--root",
                "ODD",
                "--dry-run",
            ],
            0,
        ),
        (
            &[
                "install",
                "example.com.crt",
                "--trust",
                "root.pem",
                "--root",
                "ODD",
            ],
            0,
        ),
        (
            &[
                "install",
                "example.com.crt",
                "--trust",
                "root.pem",
                "--root",
                "ODD",
            ],
            0,
        ),
        (
            &["rollback", "example.com", "--root", "ODD", "--dry-run"],
            0,
        ),
        (&["rehearse"], 2),
    ] {
        for json in [&["--json"][..], &[]] {
            let mut command = sandbox.command(json);
            for arg in args {
                let (head, tail) = arg.split_at(arg.find('/').unwrap_or(arg.len()));
                let mut word = if head == "ODD" {
                    odd.to_owned()
                } else {
                    head.into()
                };
                word.push(tail);
                command.arg(word);
            }
            command.arg("-C").arg(odd);
            let run = sandbox.run_command(command);
            assert_eq!(run.code, code, "{args:?}\n{run}");
            assert!(!run.to_string().contains('\x1b'), "{run}");
            assert!(json.is_empty() || !run.json().fields().is_empty(), "{run}");
        }
        let request =
            std::fs::read_to_string(sandbox.path().join(odd).join("example.com.csr")).unwrap();
        sandbox.write("plain.csr", &request);
        sandbox.write(
            "example.com.crt",
            ca.issue(&request) + &ca.intermediate_pem(),
        );
        sandbox.write("root.pem", ca.root_pem());
    }
}
