//! House rules that no compiler checks: short functions and files, what each file is for, which tests need other
//! people's programs. A broken example of each shows that it can fail.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/source.rs"]
mod source;

use std::path::Path;

use source::{Source, is_name};

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
