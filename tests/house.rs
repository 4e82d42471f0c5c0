//! House rules that no compiler checks: short functions and files, what each file is for, which tests need other
//! people's programs, that tests compare no times. A broken example of each shows that it can fail.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use source::{Source, Word, is_name};

const FUNCTION_LINES: usize = 60;
const FILE_LINES: usize = 400;
const DRAWERS: [&str; 6] = ["common", "helpers", "manager", "misc", "util", "utils"];

#[test]
fn src_keeps_the_house_rules() {
    let broken: Vec<String> = Source::tree().iter().flat_map(broken).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn each_rule_can_fail() {
    let long_function = format!(
        "//! x\n\nfn f() {{\n{}}}\n",
        "    g();\n".repeat(FUNCTION_LINES)
    );
    let long_file = format!("//! x\n{}", "const X: u8 = 1;\n".repeat(FILE_LINES));
    for (module, text, complaint) in [
        (
            "pki::x",
            "use a::b;\n",
            "pki::x says nothing of what it is for (//!)",
        ),
        (
            "pki::utils",
            "//! x\n",
            "pki::utils is a drawer: name what it holds",
        ),
        ("pki::x", &long_function, "pki::x:3 f has 62 lines"),
        ("pki::x", &long_file, "pki::x has 401 lines"),
    ] {
        assert_eq!(broken(&Source::new(module, text)), [complaint]);
    }
    let fine = format!(
        "//! x\nfn f<T>() -> [u8; 3] {{ g(|| {{}}) }}\n\n#[cfg(test)]\nmod tests {{\n{}}}\n",
        "\n".repeat(900)
    );
    assert_eq!(broken(&Source::new("pki::x", &fine)), Vec::<String>::new());
}

fn broken(source: &Source) -> Vec<String> {
    let name = source.name();
    let mut complaints = Vec::new();
    if !source.text.starts_with("//! ") {
        complaints.push(format!("{name} says nothing of what it is for (//!)"));
    }
    if source
        .module
        .last()
        .is_some_and(|last| DRAWERS.contains(&last.as_str()))
    {
        complaints.push(format!("{name} is a drawer: name what it holds"));
    }
    if source.lines() > FILE_LINES {
        complaints.push(format!("{name} has {} lines", source.lines()));
    }
    for (function, from, to) in functions(source) {
        if to - from + 1 > FUNCTION_LINES {
            complaints.push(format!(
                "{name}:{from} {function} has {} lines",
                to - from + 1
            ));
        }
    }
    complaints
}

/// Each function with a body: its name, its first line and its last.
fn functions(source: &Source) -> Vec<(String, usize, usize)> {
    let words = &source.words;
    let mut found = Vec::new();
    for at in 0..words.len().saturating_sub(1) {
        if words[at].text != "fn" || !is_name(&words[at + 1].text) {
            continue;
        }
        let (mut brackets, mut braces) = (0, 0);
        for word in &words[at..] {
            match word.text.as_str() {
                "(" | "[" => brackets += 1,
                ")" | "]" => brackets -= 1,
                ";" if brackets == 0 && braces == 0 => break,
                "{" => braces += 1,
                "}" => {
                    braces -= 1;
                    if braces == 0 {
                        found.push((words[at + 1].text.clone(), words[at].line, word.line));
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// Every Rust file below `folder`.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn tests_count_what_happened_and_never_seconds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    for path in rust_files(&root.join("tests")) {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        broken.extend(timed(&name, &std::fs::read_to_string(&path).unwrap()));
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
    let complaint = "x.rs:2 compares time that has passed: count what happened (queries, connections, attempts)";
    for line in [
        "    assert!(began.elapsed() < limit);",
        "    assert_eq!(began.elapsed().as_secs(), 3);",
        "    let late = began.elapsed() > limit;",
        "    let late = began.elapsed().as_secs() >= 5;",
        "    assert!(took < Duration::from_secs(15));",
    ] {
        assert_eq!(
            timed("x.rs", &format!("fn f() {{\n{line}\n}}\n")),
            [complaint],
            "{line}"
        );
    }
    // A deadline that only ends a test that hangs, and time that is an input of what is tested.
    let fine = "fn f() {\n    assert!(Instant::now() < ends, \"it did not start\");\n    g(began.elapsed());\n}\n";
    assert_eq!(timed("x.rs", fine), Vec::<String>::new());
}

/// Where a test compares a time that has passed: an assertion with `elapsed` or a `Duration` in it, or a comparison of
/// `elapsed()` anywhere. A machine that is busy makes such a test fail, and a fast one lets it pass for no reason.
fn timed(file: &str, text: &str) -> Vec<String> {
    let words = Source::new("test", text).words;
    let is = |at: usize, text: &str| words.get(at).is_some_and(|word| word.text == text);
    let mut lines = BTreeSet::new();
    for at in 0..words.len() {
        if words[at].text.starts_with("assert") && is(at + 1, "!") {
            let all = at + 2..closing(&words, at + 2);
            lines.extend(
                words[all]
                    .iter()
                    .find(|word| ["elapsed", "Duration"].contains(&word.text.as_str()))
                    .map(|_| words[at].line),
            );
        }
        if words[at].text == "elapsed" && is(at + 1, "(") {
            // `elapsed()`, or a number made of it: `elapsed().as_secs()`.
            let mut end = closing(&words, at + 1) + 1;
            if is(end, ".") && is(end + 2, "(") {
                end = closing(&words, end + 2) + 1;
            }
            if is(end, "<") || is(end, ">") {
                lines.insert(words[at].line);
            }
        }
    }
    let complain = |line| {
        format!(
            "{file}:{line} compares time that has passed: count what happened (queries, connections, attempts)"
        )
    };
    lines.into_iter().map(complain).collect()
}

/// Where the bracket that opens at `at` is closed.
fn closing(words: &[Word], at: usize) -> usize {
    let mut depth = 0;
    for (index, word) in words.iter().enumerate().skip(at) {
        match word.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    words.len()
}

#[test]
fn tests_say_which_programs_they_need() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut broken = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            broken.extend(unsaid(&path.file_name().unwrap().to_string_lossy(), &text));
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
    assert_eq!(
        unsaid("x.rs", "//! x\nuse support::foreign::foreign;\n"),
        ["x.rs runs other people's programs: say so in a line `//! Needs: ...`"]
    );
    assert_eq!(
        unsaid(
            "x.rs",
            "//! x\n//! Needs: zip\nuse support::foreign::foreign;\n"
        ),
        Vec::<String>::new()
    );
}

/// `scripts/test --quick` goes by the line.
fn unsaid(file: &str, text: &str) -> Vec<String> {
    let source = Source::new("test", text);
    let needs = ["apache", "fleet", "foreign", "haproxy", "nginx", "dns"];
    let uses = source.paths().iter().any(|(path, _)| {
        path.len() > 1 && path[0] == "support" && needs.contains(&path[1].as_str())
    });
    let said = text.lines().any(|line| line.starts_with("//! Needs: "));
    if uses && !said {
        return vec![format!(
            "{file} runs other people's programs: say so in a line `//! Needs: ...`"
        )];
    }
    Vec::new()
}
