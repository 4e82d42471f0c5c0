//! The completion scripts offer the names that certctl knows: in bash, fish and zsh, on a terminal and
//! without one. They print nothing into the line that is being typed, whatever happens.
//! Needs: bash fish openssl python3 zsh
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::process::{Command, Stdio};

use support::Sandbox;
use support::external::{external_program, succeed};
use support::install_sandbox::InstallSandbox;
use support::program::program;

/// The folders of the programs that the scripts may run besides certctl.
const PROGRAMS: &str = "/usr/bin:/bin";

/// A request with names that are commands, a certificate of which an attacker could have put here.
const HOSTILE: [&str; 10] = [
    "req",
    "-new",
    "-newkey",
    "ed25519",
    "-nodes",
    "-subj",
    "/CN=$(touch pwned)",
    "-addext",
    "subjectAltName=DNS:;touch pwned;.example,DNS:&touch pwned&,DNS:a b.example,DNS:good.example",
    "-out",
];

/// A sandbox with an installed certificate, requests in the folder, and hostile names.
fn sandbox() -> Sandbox {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    setup.install("new.crt", &["--server", "none"]).expect(0);
    let sandbox = setup.sandbox;
    sandbox
        .run(&["csr", "shop.example", "www.shop.example"])
        .expect(0);
    sandbox.run(&["csr", "*.wild.example"]).expect(0);
    let mut hostile = external_program("openssl");
    hostile
        .args(HOSTILE)
        .args(["hostile.csr", "-keyout", "hostile.key"])
        .current_dir(sandbox.path());
    succeed(&mut hostile);
    let folder = "tree/etc/ssl/certctl/$(touch pwned)";
    std::fs::create_dir_all(sandbox.join(folder)).unwrap();
    std::fs::create_dir_all(sandbox.join("bin")).unwrap();
    std::os::unix::fs::symlink(program(), sandbox.join("bin/certctl")).unwrap();
    for (shell, file) in [("bash", "c.bash"), ("fish", "c.fish"), ("zsh", "c.zsh")] {
        let script = sandbox.run(&["completions", shell]).expect(0).stdout;
        sandbox.write(file, script);
    }
    sandbox
}

/// Gives a shell the sandbox as its home and the folder `bin` of the sandbox as the first of PATH.
fn in_sandbox<'c>(sandbox: &Sandbox, shell: &'c mut Command) -> &'c mut Command {
    let path = format!("{}:{PROGRAMS}", sandbox.join("bin").display());
    shell
        .current_dir(sandbox.path())
        .env("HOME", sandbox.path())
        .env("PATH", path)
        .stdin(Stdio::null())
}

/// Runs a shell without a terminal; fails if it prints an error.
fn lines_of(sandbox: &Sandbox, shell: &mut Command) -> Vec<String> {
    let output = in_sandbox(sandbox, shell).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr, "", "{shell:?}");
    assert!(!sandbox.join("pwned").exists(), "{shell:?} ran a name");
    let stdout = String::from_utf8(output.stdout).unwrap();
    stdout.lines().map(str::to_owned).collect()
}

/// What bash offers for the last of `words`, as its function returns it to readline.
fn offered_by_bash(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    const OFFER: &str = r#"
        source ./c.bash
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _certctl_with_names certctl "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
        if [[ ${#COMPREPLY[@]} -gt 0 ]]; then printf '%s\n' "${COMPREPLY[@]}"; fi
    "#;
    let mut bash = external_program("bash");
    bash.args(["--norc", "--noprofile", "-c", OFFER, "bash", "certctl"]);
    lines_of(sandbox, bash.args(words))
}

/// What fish offers at the end of `line`, without descriptions.
fn offered_by_fish(sandbox: &Sandbox, line: &str) -> Vec<String> {
    let mut fish = external_program("fish");
    let command = "source ./c.fish; complete -C $argv[1]";
    fish.args(["--no-config", "-c", command, line]);
    let lines = lines_of(sandbox, &mut fish).into_iter();
    let without_description = |line: String| line.split('\t').next().unwrap().to_owned();
    lines.map(without_description).collect()
}

#[test]
fn bash_offers_the_names_that_fit_a_command() {
    let sandbox = sandbox();
    let offered = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        offered_by_bash(&sandbox, &words)
    };
    assert_eq!(offered("rollback --root tree "), ["example.com"]);
    assert_eq!(offered("rollback --root = tree ex"), ["example.com"]);
    assert_eq!(offered("--root tree forget EX"), ["example.com"]);
    assert_eq!(offered("dcv-check sh")[0], "shop.example");
    assert_eq!(
        offered("csr "),
        [
            "_.wild.example",
            "example.com",
            "good.example",
            "shop.example",
            "www.example.com",
            "www.shop.example"
        ]
    );
    assert_eq!(offered("renew www.s"), ["www.shop.example"]);
    assert_eq!(offered("renew --root tree ex"), ["example.com"]);
    let installable = offered("install ex");
    assert_eq!(installable[0], "example.com");
    assert!(
        installable.contains(&"example.com.csr".to_owned()),
        "{installable:?}"
    );
    // In another folder.
    assert_eq!(offered("-C tree csr "), offered("-C bin csr "));
    // Where no name is expected, the generated function answers.
    assert!(
        offered("rollback --root tree a.example ")
            .iter()
            .all(|word| word != "example.com")
    );
    assert!(offered("csr --ca nam").contains(&"namecheap".to_owned()));
    assert!(offered("csr --key-").contains(&"--key-type".to_owned()));
    assert!(offered("roll").contains(&"rollback".to_owned()));
    assert!(!offered("completions ").contains(&"names".to_owned()));
}

#[test]
fn fish_offers_the_names_that_fit_a_command() {
    let sandbox = sandbox();
    let offered = |line: &str| offered_by_fish(&sandbox, &format!("certctl {line}"));
    assert_eq!(offered("rollback --root tree "), ["example.com"]);
    assert_eq!(offered("--root=tree forget ex"), ["example.com"]);
    assert_eq!(offered("csr good"), ["good.example"]);
    let installable = offered("install --root tree ex");
    assert!(
        installable.contains(&"example.com".to_owned()),
        "{installable:?}"
    );
    assert!(
        installable.contains(&"example.com.csr".to_owned()),
        "{installable:?}"
    );
    assert!(offered("csr --ca nam").contains(&"namecheap".to_owned()));
    assert!(!offered("rollback --to ").contains(&"example.com".to_owned()));
}

/// Types a line with a tab into a shell on a terminal, then prints the line that the shell has made of
/// it: Ctrl-A goes to its start, where `echo` is typed. Arguments: the line, then the shell's words.
/// The lines on stdin prepare the shell.
const TERMINAL: &str = r#"
import os, pty, select, sys, time
line, words = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execv(words[0], words)
seen = b""
def read_until(marker):
    global seen
    end = time.monotonic() + 60
    while marker not in seen:
        if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
            sys.exit(f"{marker} was not seen: {seen!r}")
        seen += os.read(terminal, 4096)
for number, command in enumerate(sys.stdin.read().splitlines()):
    os.write(terminal, f"{command}; echo prepared-{number}-$((1 + 1))\n".encode())
    read_until(f"prepared-{number}-2".encode())
seen = b""
os.write(terminal, line.encode() + b"\t")
time.sleep(0.5)
os.write(terminal, b"\x01echo the-line-$((1 + 1)) \n")
read_until(b"the-line-2")
os.write(terminal, b"exit\n")
try:
    while piece := os.read(terminal, 4096):
        seen += piece
except OSError:
    pass
os.write(1, seen)
"#;

/// A shell on a terminal: its words, and the commands that prepare it.
struct TerminalShell {
    words: &'static [&'static str],
    preparation: &'static str,
}

const BASH: TerminalShell = TerminalShell {
    words: &["/bin/bash", "--norc", "--noprofile", "-i"],
    preparation: "source ./c.bash",
};

const ZSH: TerminalShell = TerminalShell {
    words: &["/bin/zsh", "-f", "-i"],
    preparation: "bindkey -e; unsetopt beep\nautoload -U compinit; compinit -D -u\nsource ./c.zsh",
};

/// Returns what the terminal shows, and the line after the tab.
fn press_tab(sandbox: &Sandbox, shell: &TerminalShell, line: &str) -> (String, String) {
    sandbox.write("preparation", shell.preparation);
    let mut python = external_program("python3");
    in_sandbox(sandbox, &mut python)
        .args(["-c", TERMINAL, line])
        .args(shell.words)
        .env("TERM", "dumb")
        .stdin(std::fs::File::open(sandbox.join("preparation")).unwrap());
    let output = python.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}\n{stderr}");
    assert!(!sandbox.join("pwned").exists(), "a name was run:\n{shown}");
    let (_, completed) = shown.rsplit_once("the-line-2 ").unwrap();
    let completed = completed.lines().next().unwrap().trim_end().to_owned();
    (shown, completed)
}

#[test]
fn a_tab_completes_a_name_on_a_terminal() {
    let sandbox = sandbox();
    for shell in [&BASH, &ZSH] {
        for (line, expected) in [
            (
                "certctl rollback --root tree ex",
                "certctl rollback --root tree example.com",
            ),
            (
                "certctl --root=tree forget e",
                "certctl --root=tree forget example.com",
            ),
            ("certctl csr www.s", "certctl csr www.shop.example"),
            ("certctl csr _", "certctl csr _.wild.example"),
            ("certctl rollb", "certctl rollback"),
        ] {
            let (shown, completed) = press_tab(&sandbox, shell, line);
            assert_eq!(completed, expected, "{:?}\n{shown}", shell.words);
        }
    }
}

/// A stand-in for a broken certctl: prints to both streams and fails.
const BROKEN: &str = "#!/bin/sh\necho example.com\necho 'broken: noise' >&2\nexit 1\n";

#[test]
fn a_missing_or_broken_certctl_leaves_the_line_alone() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = sandbox();
    let line = "certctl rollback --root tree ex";
    std::fs::remove_file(sandbox.join("bin/certctl")).unwrap();
    // Shells complete files too.
    for file in ["csr", "key"] {
        std::fs::remove_file(sandbox.join(&format!("example.com.{file}"))).unwrap();
    }
    for is_broken in [false, true] {
        if is_broken {
            let broken = sandbox.write("bin/certctl", BROKEN);
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(broken, mode).unwrap();
        }
        for shell in [&BASH, &ZSH] {
            let (shown, completed) = press_tab(&sandbox, shell, line);
            assert_eq!(completed, line, "{:?}\n{shown}", shell.words);
            for noise in ["not found", "noise", "error"] {
                assert!(!shown.contains(noise), "{:?}\n{shown}", shell.words);
            }
        }
        let offered = offered_by_fish(&sandbox, line);
        assert!(!offered.contains(&"example.com".to_owned()), "{offered:?}");
        assert_eq!(
            offered_by_bash(&sandbox, &["rollback", "--root", "tree", "ex"]).len(),
            0
        );
    }
}

#[test]
fn every_command_that_takes_names_offers_them() {
    let sandbox = sandbox();
    let whole = certctl::cli::command_line();
    let mut count = 0;
    for command in whole.get_subcommands() {
        let Some(argument) = command.get_positionals().next() else {
            continue;
        };
        let value = argument.get_value_names().unwrap_or_default();
        let value = value.first().map(|name| name.as_str());
        let is_name = matches!(
            value.unwrap_or("NAME"),
            "NAME"
                | "NAME|CSR"
                | "NAME|FILE"
                | "NAME|FILE|HOST:PORT"
                | "PATH|HOST"
                | "FILE|HOST[:PORT]"
        );
        let name = command.get_name();
        if !is_name || ["completions", "rehearse"].contains(&name) {
            continue;
        }
        count += 1;
        let words = [
            "completions",
            "names",
            "--",
            "certctl",
            name,
            "--root",
            "tree",
            "ex",
        ];
        let answer = sandbox.run(&words).expect(0).stdout;
        assert!(answer.ends_with("\nexample.com\n"), "{name}: {answer}");
    }
    assert_eq!(count, 14);
}

#[test]
fn nothing_is_said_about_what_cannot_be_read() {
    let sandbox = sandbox();
    for words in [
        &["certctl", "rollback", "--root", "missing", ""][..],
        &["certctl", "csr", "-C", "missing", ""],
        &["certctl", "csr", "-C", "root.pem", ""],
    ] {
        let words = [&["completions", "names", "--"], words].concat();
        let run = sandbox.run(&words).expect(0);
        assert_eq!((run.stdout.lines().count(), &*run.stderr), (1, ""), "{run}");
    }
    for words in [
        &["--"][..],
        &["--", "certctl"],
        &[],
        &["--", "certctl", "unknown", ""],
    ] {
        let run = sandbox
            .run(&[&["completions", "names"], words].concat())
            .expect(0);
        assert_eq!((&*run.stdout, &*run.stderr), ("", ""), "{run}");
    }
}
