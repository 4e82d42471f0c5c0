//! The checker of next steps: it accepts complete commands, and rejects placeholders, unknown
//! programs and commands that certctl does not accept.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::Sandbox;
use support::paste::{check_steps, run_steps};

/// Returns a document with one step, `more` its fields after the sentence.
fn document(text: &str, more: &str) -> String {
    format!(r#"{{"findings":[{{"code":"x","next":[{{"text":"{text}",{more}}}]}}]}}"#)
}

/// Returns a document with a command that can be run now.
fn now(command: &str) -> String {
    let more = format!(r#""command":"{command}","when":"now","needs_root":false"#);
    document("Do it", &more)
}

/// Returns whether `check` panics.
fn fails(check: impl FnOnce() + std::panic::UnwindSafe) -> bool {
    std::panic::catch_unwind(check).is_err()
}

#[test]
fn sentences_and_words_of_a_command_are_checked() {
    for (text, is_right) in [
        ("Install it", true),
        ("Add `--force`", true),
        ("", false),
        ("install it", false),
        ("Install it.", false),
        ("Install it:", false),
    ] {
        let stdout = document(text, r#""when":"later""#);
        assert_eq!(!fails(|| check_steps(&stdout)), is_right, "{text}");
    }
    let in_sentence = document("Run `certctl status`", r#""command":"ls","when":"now""#);
    assert!(fails(|| check_steps(&in_sentence)));
    assert!(fails(|| check_steps(&document("Do it", r#""when":"now""#))));
    for (command, is_right) in [
        ("sudo certctl install 'a b.zip' --root tree", true),
        ("mv -n a b && certctl install a", true),
        ("ls -l", true),
        ("certctl install FILE", false),
        ("certctl install <file>", false),
        ("certctl csr ...", false),
        ("dig CNAME HOST", false),
        ("no-such-program --help", false),
        ("ls && no-such-program", false),
    ] {
        assert_eq!(!fails(|| check_steps(&now(command))), is_right, "{command}");
    }
    for (argv, is_right) in [
        (r#"["certctl","install","a b"]"#, true),
        (r#"["certctl","install","a","b"]"#, false),
    ] {
        let more = format!(
            r#""command":"sudo certctl install 'a b'","argv":{argv},"when":"now","needs_root":true"#
        );
        let stdout = document("Install it", &more);
        assert_eq!(!fails(|| check_steps(&stdout)), is_right, "{argv}");
    }
}

#[test]
fn commands_are_run_in_a_copy() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "content");
    let name = sandbox.join("a").display().to_string();
    for (command, is_right) in [
        ("certctl csr example.com".to_owned(), true),
        (format!("rm {name}"), true),
        ("certctl no-such-command".to_owned(), false),
        ("certctl bundle missing.zip".to_owned(), false),
        ("ls --no-such-option".to_owned(), false),
        ("ls 'unclosed".to_owned(), false),
    ] {
        let stdout = now(&command);
        let ran = sandbox.command(&["status"]);
        let path = sandbox.path().to_owned();
        let run = std::panic::AssertUnwindSafe(|| run_steps(&stdout, &ran, &path));
        assert_eq!(!fails(run), is_right, "{command}");
    }
    // What the commands changed is gone.
    let entries: Vec<_> = std::fs::read_dir(sandbox.path()).unwrap().collect();
    assert_eq!(entries.len(), 1);
}
