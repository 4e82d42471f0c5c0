//! `certctl explain`: every word of the code table is explained, as text and as JSON, within the
//! width of the terminal; old words lead to the new ones, and unknown ones to similar codes.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::ffi::OsString;

use certctl::facade::code_table::{CodeEntry, CodeKind, RENAMED_WORDS, RenamedKind, entries, find};
use support::json::Json;
use support::{Run, Sandbox};

/// Runs `certctl explain WORDS` on a terminal with this many `columns`.
fn explain_at_width(sandbox: &Sandbox, words: &[&str], columns: &str) -> Run {
    let mut command = sandbox.command(&[&["explain"], words].concat());
    command.env("COLUMNS", columns);
    sandbox.run_command(command)
}

fn explain(words: &[&str]) -> Run {
    Sandbox::new().run(&[&["explain"], words].concat())
}

/// Returns all codes, each once.
fn codes() -> Vec<&'static str> {
    let mut codes: Vec<&str> = entries().map(|entry| entry.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[test]
fn every_code_is_explained_in_text_and_json() {
    let sandbox = Sandbox::new();
    let codes = codes();
    // Explains several at once, because a run for each would take a minute.
    for some in codes.chunks(20) {
        let text = sandbox.run(&[&["explain"], some].concat()).expect(0).stdout;
        let document = sandbox.run(&[&["explain", "--json"], some].concat());
        let document = document.expect(0).json();
        assert_eq!(document["schema"], "certctl.explain/1");
        let explained = document["entries"].as_array().unwrap();
        let expected: Vec<&CodeEntry> = some
            .iter()
            .flat_map(|code| entries().filter(|entry| entry.code == *code))
            .collect();
        assert_eq!(explained.len(), expected.len());
        for (entry, row) in explained.iter().zip(expected) {
            assert_same(entry, row);
            let heading = format!(
                "{} ({})\nfound   {}\n",
                row.code,
                row.kind.title(),
                row.meaning
            );
            assert!(text.contains(&heading), "{heading}\n{text}");
            let source = Some(row.source).filter(|source| *source != "certctl");
            // A command at the end has a line of its own, without backticks and a full stop.
            let fix = row.fix.split('`').map(|part| part.trim_end_matches(": "));
            let fix = fix.filter(|part| *part != ".");
            let parts = [row.why].into_iter().chain(fix).chain(source);
            for part in parts.chain(row.example.lines()) {
                assert!(text.contains(part), "{part}\n{text}");
            }
        }
    }
}

fn assert_same(entry: &Json, row: &CodeEntry) {
    assert_eq!(
        entry.keys().join(" "),
        "kind code meaning why fix example source"
    );
    assert_eq!(entry["kind"], row.kind.name());
    for (field, text) in [
        ("code", row.code),
        ("meaning", row.meaning),
        ("why", row.why),
        ("fix", row.fix),
        ("example", row.example),
        ("source", row.source),
    ] {
        if text.is_empty() {
            assert!(entry[field].is_null(), "{entry}");
        } else {
            assert_eq!(entry[field], text);
        }
    }
}

#[test]
fn a_code_is_explained_in_the_usual_shape() {
    let run = explain_at_width(&Sandbox::new(), &["glued-lines"], "80").expect(0);
    assert_eq!(
        run.stdout,
        "\
glued-lines (finding)
found   an END line and the next BEGIN line are joined, so OpenSSL cannot read
        the file
        `cat` joins two files like this if the first has no line break at its
        end. nginx reports \"bad end line\" and does not start.
next    Write a clean file from the original ones:
            certctl bundle example.com.crt example.com.ca-bundle
note    example:
            -----END CERTIFICATE----------BEGIN CERTIFICATE-----
        source: RFC 7468 2
"
    );
}

#[test]
fn terms_of_the_field_are_topics() {
    for (word, means) in [
        ("ACME", "protocol"),
        ("CAA", "DNS records"),
        ("chain", "intermediate certificates"),
        ("CRL", "revoked"),
        ("CSR", "certificate signing request"),
        ("DCV", "domain control validation"),
        ("intermediate", "signed by a root"),
        ("OCSP", "revoked"),
        ("SNI", "server name indication"),
    ] {
        let run = explain(&[word]).expect(0);
        assert!(run.stdout.contains(means), "{run}");
        assert!(run.stdout.contains("(topic)"), "{run}");
    }
}

#[test]
fn explanations_and_the_list_fit_eighty_columns() {
    let sandbox = Sandbox::new();
    let list = explain_at_width(&sandbox, &[], "80").expect(0).stdout;
    let explanations = codes()
        .chunks(50)
        .map(|some| explain_at_width(&sandbox, some, "80").expect(0).stdout)
        .collect::<String>();
    for line in list.lines().chain(explanations.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_word_that_exists_in_several_kinds_is_explained_in_all() {
    let document = explain(&["not-served", "--json"]).expect(0).json();
    let kinds: Vec<&Json> = document["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["kind"])
        .collect();
    assert_eq!(kinds, ["verdict", "finding"]);
}

#[test]
fn spelling_and_case_do_not_matter() {
    let expected = explain(&["wrong-key", "name-missing-in-certificate"])
        .expect(0)
        .stdout;
    for words in [
        &["WRONG_KEY", "Name missing in certificate"][..],
        &["wrong", "key", "name", "missing", "in", "certificate"],
    ] {
        assert_eq!(explain(words).expect(0).stdout, expected);
    }
    let expected = explain(&["5"]).expect(0).stdout;
    assert!(expected.starts_with("5 (exit code)\n"), "{expected}");
    for words in [&["exit", "5"][..], &["exit-code-5"], &["EXIT CODE 5"]] {
        assert_eq!(explain(words).expect(0).stdout, expected);
    }
}

#[test]
fn without_a_word_all_codes_are_listed_by_section() {
    let list = explain_at_width(&Sandbox::new(), &[], "200")
        .expect(0)
        .stdout;
    assert!(list.starts_with("Exit codes\n  0 "), "{list}");
    for entry in entries() {
        let row = format!("  {:<27} {}", entry.code, entry.meaning);
        assert!(
            list.lines()
                .any(|line| line.split_whitespace().eq(row.split_whitespace())),
            "{row}\n{list}"
        );
    }
    assert_eq!(
        explain(&["-q"]).expect(0).stdout,
        explain(&[]).expect(0).stdout
    );
    let document = explain(&["--json"]).expect(0).json();
    assert_eq!(document["entries"].len(), entries().count());
    let narrow = explain_at_width(&Sandbox::new(), &[], "40")
        .expect(0)
        .stdout;
    assert!(
        narrow.lines().all(|line| line.chars().count() <= 40),
        "{narrow}"
    );
}

#[test]
fn old_words_are_answered_with_the_new_ones() {
    let sandbox = Sandbox::new();
    for renamed in RENAMED_WORDS {
        let document = sandbox.run(&["explain", "--json", "--", renamed.old]);
        let document = document.expect(0).json();
        let is_answered = document["renamed"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["kind"] == renamed.kind.name() && one["new"] == renamed.new);
        assert!(is_answered, "{renamed:?}: {document}");
        if let RenamedKind::Code(kind) = renamed.kind {
            let entries = document["entries"].as_array().unwrap();
            let is_explained =
                |entry: &Json| entry["kind"] == kind.name() && entry["code"] == renamed.new;
            assert!(entries.iter().any(is_explained), "{renamed:?}: {document}");
        }
    }
    let text = explain(&["older"]).expect(0).stdout;
    assert!(
        text.starts_with(
            "note    the finding `older` is now called `older-certificate`\nolder-certificate ("
        ),
        "{text}"
    );
    let command = explain(&["remove", "--json"]).expect(0).json();
    assert_eq!(command["next"][0]["command"], "certctl forget --help");
    let option = explain(&["from"]).expect(0).stdout;
    assert!(
        option.contains("the option `--from` of `csr` is now called `--like`"),
        "{option}"
    );
}

#[test]
fn unknown_words_are_answered_with_similar_codes() {
    let failure = explain(&["expired", "wrogn-key", "--json"])
        .expect(3)
        .json();
    let error = &failure["error"];
    assert_eq!(error["kind"], "not-found");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("certctl has no code \"wrogn-key\"; similar: wrong-key"),
        "{message}"
    );
    assert_eq!(error["next"][0]["command"], "certctl explain wrong-key");
    assert_eq!(error["next"][1]["command"], "certctl explain");

    let answer = explain(&["next begin line"]).expect(3).stderr;
    assert!(
        answer.starts_with("error   certctl has no code \"next begin line\"; similar:"),
        "{answer}"
    );
    assert!(answer.contains("glued-lines"), "{answer}");
    for words in [&["zzzz"][..], &["99"], &["exit", "99"], &["\u{1b}[31m"]] {
        let run = explain(words).expect(3);
        assert_eq!(run.stdout, "");
        assert!(!run.stderr.contains("similar"), "{run}");
        assert!(run.stderr.ends_with("    certctl explain\n"), "{run}");
        assert!(!run.stderr.contains('\u{1b}'), "{run}");
    }
}

/// Every command line that a row advises can be parsed.
#[test]
fn commands_of_the_table_parse() {
    let mut count = 0;
    let mut broken = Vec::new();
    for entry in entries() {
        let texts = [entry.meaning, entry.why, entry.fix];
        let quoted = texts
            .into_iter()
            .flat_map(|text| text.split('`').skip(1).step_by(2));
        for line in quoted.chain(entry.example.lines()) {
            count += 1;
            if let Some(error) = parse_error(line) {
                broken.push(format!("{}: {line}: {error}", entry.code));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(count > 100, "{count} commands");
}

/// Why a command line cannot be parsed; `None` if it can, or is not one of certctl.
fn parse_error(line: &str) -> Option<String> {
    let line = line.strip_prefix("sudo ").unwrap_or(line);
    if !line.starts_with("certctl ") {
        return None;
    }
    let parsed = certctl::cli::command_line().try_get_matches_from(shell_words(line));
    let error = parsed.err().filter(clap::Error::use_stderr)?;
    Some(error.to_string())
}

/// So can those of the tables of other programs' messages.
#[test]
fn commands_of_the_messages_parse() {
    let mut count = 0;
    let mut broken = Vec::new();
    for entry in std::fs::read_dir("src/error_texts").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let check = line.strip_prefix("check = \"");
            let check = check.map(|rest| rest.trim_end_matches('"'));
            let quoted = line.split('`').skip(1).step_by(2);
            for command in quoted.chain(check) {
                count += 1;
                if let Some(error) = parse_error(command) {
                    broken.push(format!("{}: {command}: {error}", path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(count > 100, "{count} commands");
}

/// Returns the words of a command line, which may only be quoted with single quotes.
fn shell_words(line: &str) -> Vec<OsString> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(letter),
        }
    }
    words.into_iter().map(OsString::from).collect()
}

#[test]
fn the_most_confusing_codes_have_examples() {
    let with_example = entries().filter(|entry| !entry.example.is_empty());
    assert!(with_example.count() >= 60);
    let wrong_key = find(CodeKind::Finding, "wrong-key").unwrap();
    assert!(wrong_key.example.contains("key values mismatch"));
}
