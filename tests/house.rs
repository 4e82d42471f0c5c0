//! House rules that no compiler checks. Each is a row of `RULES`, and each has an example that
//! violates it.
//!
//! A rule that is still violated somewhere has a list of exceptions, tests/house/RULE.txt, which may
//! only shrink: the test fails for a violation that is not listed, and for a listed one that no longer
//! exists. `CERTCTL_HOUSE=shrink cargo test --test house` removes the latter.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

#[path = "support/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use source::{Source, Word, is_name};

const FUNCTION_LINES: usize = 80;
const FUNCTION_TOKENS: usize = 300;
const FILE_LINES: usize = 500;
/// The highest number, of a thousand doc comments, that may have three words or fewer: such comments
/// mostly repeat a name.
const SHORT_DOCS: usize = 30;
/// The highest number of tokens on a hundred lines that are not empty.
const DENSITY: usize = 760;
const DRAWERS: [&str; 6] = ["common", "helpers", "manager", "misc", "util", "utils"];

/// Phrases of the project's old dialect (plain English has better ones), one a line.
const PHRASES: &str = include_str!("house/phrases.txt");
/// What must contain old words: the table that translates them for scripts.
const WITH_OLD_WORDS: &str = "src/code_table/renamed.rs";

/// A violation of a rule. The key does not contain the line, which any edit above it changes.
struct Violation {
    key: String,
    line: usize,
}

struct Rule {
    name: &'static str,
    /// How to fix a violation.
    advice: &'static str,
    find: fn(&[Source]) -> Vec<Violation>,
}

const RULES: [Rule; 11] = [
    Rule {
        name: "file-purpose",
        advice: "describe the purpose of the file in a //! comment",
        find: |sources| each(sources, no_purpose),
    },
    Rule {
        name: "drawers",
        advice: "name the file after its content",
        find: |sources| each(sources, drawer),
    },
    Rule {
        name: "long-files",
        advice: "split the file: 500 lines before its unit tests",
        find: |sources| each(sources, long_file),
    },
    Rule {
        name: "long-functions",
        advice: "split the function: 80 lines and 300 tokens",
        find: |sources| each(sources, long_functions),
    },
    Rule {
        name: "tuple-parameters",
        advice: "pass a struct, or two parameters",
        find: |sources| each(sources, tuple_parameters),
    },
    Rule {
        name: "bool-parameters",
        advice: "pass an enum, so that the call shows what true means",
        find: |sources| each(sources, bool_parameters),
    },
    Rule {
        name: "nested-results",
        advice: "use an enum instead of Result<Result<..>>",
        find: |sources| each(sources, nested_results),
    },
    Rule {
        name: "bare-values",
        advice: "use a type with a meaning (Fingerprint, Mode, Owner) instead of [u8; 32], mode: u32, (u32, u32)",
        find: |sources| each(sources, bare_values),
    },
    Rule {
        name: "shared-type-names",
        advice: "a public type name exists once in the crate",
        find: shared_type_names,
    },
    Rule {
        name: "public-modules",
        advice: "keep the module private: the crate publishes `cli` and `facade`",
        find: |sources| each(sources, public_modules),
    },
    Rule {
        name: "rustfmt",
        advice: "no rustfmt.toml, no #[rustfmt::skip]: the defaults apply",
        find: |sources| each(sources, unformatted),
    },
];

#[test]
fn src_keeps_the_house_rules() {
    let sources = Source::tree();
    let complaints: Vec<String> = RULES
        .iter()
        .flat_map(|rule| complaints_of(rule.name, rule.advice, (rule.find)(&sources)))
        .collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn each_rule_detects_its_violation() {
    let long_function = format!(
        "//! x\nfn f() {{\n{}}}\n",
        "    g();\n".repeat(FUNCTION_LINES)
    );
    let dense_function = format!(
        "//! x\nfn f() {{ {} }}\n",
        "g(); ".repeat(FUNCTION_TOKENS / 4)
    );
    let long_file = format!("//! x\n{}", "const X: u8 = 1;\n".repeat(FILE_LINES));
    for (rule, module, text, key) in [
        ("file-purpose", "pki::x", "use a::b;\n", "pki::x"),
        ("drawers", "pki::utils", "//! x\n", "pki::utils"),
        ("long-files", "pki::x", &long_file, "pki::x"),
        ("long-functions", "pki::x", &long_function, "pki::x f"),
        ("long-functions", "pki::x", &dense_function, "pki::x f"),
        (
            "tuple-parameters",
            "pki::x",
            "fn f((a, b): (u8, u8)) {}",
            "pki::x f",
        ),
        (
            "tuple-parameters",
            "pki::x",
            "fn f(a: &[u8], b: &(A, B)) {}",
            "pki::x f",
        ),
        (
            "bool-parameters",
            "pki::x",
            "fn f(&self, quiet: bool) {}",
            "pki::x f",
        ),
        (
            "nested-results",
            "pki::x",
            "fn f() -> Result<Result<A, B>, C> {}",
            "pki::x",
        ),
        (
            "nested-results",
            "pki::x",
            "fn f() { Err(Box::new(Ok(1))) }",
            "pki::x",
        ),
        (
            "bare-values",
            "pki::x",
            "fn f() -> [u8; 32] {}",
            "pki::x [u8; 32]",
        ),
        (
            "bare-values",
            "pki::x",
            "struct X { mode: u32 }",
            "pki::x mode: u32",
        ),
        (
            "bare-values",
            "pki::x",
            "struct X { owner: (u32, u32) }",
            "pki::x (u32, u32)",
        ),
        (
            "shared-type-names",
            "pki::x",
            "pub(crate) struct Old;",
            "pki::x Old",
        ),
        ("public-modules", "lib", "pub mod pki;", "lib pki"),
        ("rustfmt", "pki::x", "#[rustfmt::skip]\nfn f() {}", "pki::x"),
    ] {
        let other = Source::new("pki::old", "//! x\npub enum Old {}\n");
        let sources = [other, Source::new(module, text)];
        let rule = RULES.iter().find(|one| one.name == rule).unwrap();
        let found: Vec<String> = (rule.find)(&sources)
            .into_iter()
            .map(|one| one.key)
            .collect();
        assert!(
            found.iter().any(|one| one == key),
            "{}: {text}\n{found:?}",
            rule.name
        );
    }
}

#[test]
fn allowed_code_is_accepted() {
    let fine = format!(
        "//! x\npub mod y;\npub struct Only(pub(crate) bool);\n\
         fn f<T>(a: fn(bool, (u8, u8)), b: Vec<(u8, u8)>) -> [u8; 3] {{ g(|(a, b)| {{}}) }}\n\n\
         #[cfg(test)]\nmod tests {{\nfn f(a: bool) {{}}\n{}}}\n",
        "\n".repeat(900)
    );
    let sources = [
        Source::new("pki::x", &fine),
        Source::new("lib", "//! x\nmod pki;\npub mod cli;"),
    ];
    for rule in RULES {
        let found: Vec<String> = (rule.find)(&sources)
            .into_iter()
            .map(|one| one.key)
            .collect();
        assert!(found.is_empty(), "{}: {found:?}", rule.name);
    }
}

/// Returns the complaints of a rule: violations that are not listed, and listed ones that do not exist.
fn complaints_of(rule: &str, advice: &str, violations: Vec<Violation>) -> Vec<String> {
    let path = root().join("tests/house").join(rule).with_extension("txt");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let listed: BTreeMap<&str, usize> = text
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(n, key)| (key, n.parse().unwrap()))
        .collect();
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for one in violations {
        found.entry(one.key).or_default().push(one.line);
    }
    let mut complaints = Vec::new();
    for (key, lines) in &found {
        let allowed = listed.get(key.as_str()).copied().unwrap_or(0);
        if lines.len() > allowed {
            complaints.push(format!(
                "{rule}: {} {key} (lines {lines:?}, {allowed} listed): {advice}",
                lines.len()
            ));
        }
    }
    let now = |key: &str| found.get(key).map_or(0, Vec::len);
    let stale: Vec<&str> = listed
        .iter()
        .filter(|(key, n)| now(key) < **n)
        .map(|(key, _)| *key)
        .collect();
    if !stale.is_empty() && std::env::var("CERTCTL_HOUSE").is_ok_and(|value| value == "shrink") {
        let kept = listed
            .iter()
            .map(|(key, n)| (*key, now(key).min(*n)))
            .filter(|(_, n)| *n > 0);
        let text: String = kept.map(|(key, n)| format!("{n} {key}\n")).collect();
        fs::write(&path, text).unwrap();
    } else {
        complaints.extend(stale.iter().map(|key| {
            format!(
                "{rule}: {key}: {} now; lower the number in {} (CERTCTL_HOUSE=shrink does)",
                now(key),
                path.display()
            )
        }));
    }
    complaints
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn each(sources: &[Source], find: fn(&Source) -> Vec<Violation>) -> Vec<Violation> {
    sources.iter().flat_map(find).collect()
}

fn at(key: String, line: usize) -> Violation {
    Violation { key, line }
}

fn no_purpose(source: &Source) -> Vec<Violation> {
    if source.text.starts_with("//! ") {
        Vec::new()
    } else {
        vec![at(source.name(), 1)]
    }
}

fn drawer(source: &Source) -> Vec<Violation> {
    let last = source
        .module
        .last()
        .filter(|last| DRAWERS.contains(&last.as_str()));
    last.map(|_| at(source.name(), 1)).into_iter().collect()
}

fn long_file(source: &Source) -> Vec<Violation> {
    if source.lines() > FILE_LINES {
        vec![at(source.name(), source.lines())]
    } else {
        Vec::new()
    }
}

fn long_functions(source: &Source) -> Vec<Violation> {
    let long = |function: &&Function<'_>| {
        function.lines() > FUNCTION_LINES || tokens(function.words) > FUNCTION_TOKENS
    };
    functions(source)
        .iter()
        .filter(long)
        .map(|function| function.violation(source))
        .collect()
}

fn tuple_parameters(source: &Source) -> Vec<Violation> {
    let tuple = |parameter: &&[Word]| {
        let kind: Vec<&str> = parameter
            .split(|word| word.text == ":")
            .next_back()
            .unwrap()
            .iter()
            .map(|word| word.text.as_str())
            .skip_while(|word| ["&", "mut", "\""].contains(word))
            .collect();
        parameter.iter().any(|word| word.text == ":")
            && kind.first() == Some(&"(")
            && kind.contains(&",")
    };
    with_parameter(source, tuple)
}

fn bool_parameters(source: &Source) -> Vec<Violation> {
    let bool = |parameter: &&[Word]| {
        let last = &parameter[parameter.len().saturating_sub(2)..];
        last.len() == 2 && last[0].text == ":" && last[1].text == "bool"
    };
    with_parameter(source, bool)
}

fn with_parameter(source: &Source, broken: impl Fn(&&[Word]) -> bool) -> Vec<Violation> {
    let mut found = Vec::new();
    for function in functions(source) {
        let parameters = function.parameters();
        found.extend(
            parameters
                .iter()
                .filter(|one| broken(one))
                .map(|_| function.violation(source)),
        );
    }
    found
}

fn nested_results(source: &Source) -> Vec<Violation> {
    let result = ["Result", "<", "Result", "<"];
    let boxed = ["Err", "(", "Box", "::", "new", "(", "Ok"];
    let places = [sequence(source, &result), sequence(source, &boxed)].concat();
    places
        .into_iter()
        .map(|line| at(source.name(), line))
        .collect()
}

fn bare_values(source: &Source) -> Vec<Violation> {
    let kinds: [(&str, &[&str]); 3] = [
        ("[u8; 32]", &["[", "u8", ";", "32", "]"]),
        ("mode: u32", &["mode", ":", "u32"]),
        ("(u32, u32)", &["(", "u32", ",", "u32", ")"]),
    ];
    let mut found = Vec::new();
    for (kind, words) in kinds {
        let lines = sequence(source, words);
        found.extend(
            lines
                .into_iter()
                .map(|line| at(format!("{} {kind}", source.name()), line)),
        );
    }
    found
}

/// Returns the lines on which these words follow each other.
fn sequence(source: &Source, wanted: &[&str]) -> Vec<usize> {
    let windows = source.words.windows(wanted.len());
    let matches_words = |window: &&[Word]| {
        window
            .iter()
            .zip(wanted)
            .all(|(word, wanted)| word.text == *wanted)
    };
    windows
        .filter(matches_words)
        .map(|window| window[0].line)
        .collect()
}

fn shared_type_names(sources: &[Source]) -> Vec<Violation> {
    let mut places: BTreeMap<String, Vec<(String, usize)>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !is_test(source)) {
        for (name, line) in public_types(source) {
            places.entry(name).or_default().push((source.name(), line));
        }
    }
    let shared = places.into_iter().filter(|(_, places)| places.len() > 1);
    shared
        .flat_map(|(name, places)| {
            places
                .into_iter()
                .map(move |(module, line)| at(format!("{module} {name}"), line))
        })
        .collect()
}

fn is_test(source: &Source) -> bool {
    source
        .module
        .iter()
        .any(|part| part == "tests" || part == "testing")
}

/// Returns the types that are visible outside of their file.
fn public_types(source: &Source) -> Vec<(String, usize)> {
    let words = &source.words;
    let mut found = Vec::new();
    for at in 1..words.len().saturating_sub(1) {
        let kind = ["struct", "enum", "trait", "union", "type"].contains(&words[at].text.as_str());
        if !kind || !is_name(&words[at + 1].text) {
            continue;
        }
        let mut before = at - 1;
        while before > 0
            && ["(", ")", "crate", "super", "in", "self"].contains(&words[before].text.as_str())
        {
            before -= 1;
        }
        if words[before].text == "pub" {
            found.push((words[at + 1].text.clone(), words[at].line));
        }
    }
    found
}

fn public_modules(source: &Source) -> Vec<Violation> {
    if source.name() != "lib" {
        return Vec::new();
    }
    let words = source.words.windows(3);
    let public = words.filter(|three| three[0].text == "pub" && three[1].text == "mod");
    let others = public.filter(|three| !["cli", "facade"].contains(&three[2].text.as_str()));
    others
        .map(|three| at(format!("lib {}", three[2].text), three[0].line))
        .collect()
}

fn unformatted(source: &Source) -> Vec<Violation> {
    let mut found: Vec<Violation> = sequence(source, &["rustfmt", "::", "skip"])
        .into_iter()
        .map(|line| at(source.name(), line))
        .collect();
    if source.name() == "lib" && root().join("rustfmt.toml").exists() {
        found.push(at("rustfmt.toml".to_owned(), 1));
    }
    found
}

/// A function with its body.
struct Function<'a> {
    name: &'a str,
    /// From `fn` to the last brace.
    words: &'a [Word],
}

impl<'a> Function<'a> {
    fn lines(&self) -> usize {
        self.words[self.words.len() - 1].line - self.words[0].line + 1
    }

    fn violation(&self, source: &Source) -> Violation {
        at(
            format!("{} {}", source.name(), self.name),
            self.words[0].line,
        )
    }

    /// Returns the words of each parameter.
    fn parameters(&self) -> Vec<&'a [Word]> {
        let mut open = 2;
        // Skips generic parameters; a `->` in their bounds is no closing bracket.
        let mut angles = 0;
        while self.words[open].text != "(" || angles > 0 {
            match self.words[open].text.as_str() {
                "<" => angles += 1,
                ">" if self.words[open - 1].text != "-" => angles -= 1,
                _ => {}
            }
            open += 1;
        }
        let inner = &self.words[open + 1..closing(self.words, open)];
        let (mut depth, mut parts, mut from) = (0, Vec::new(), 0);
        for (index, word) in inner.iter().enumerate() {
            match word.text.as_str() {
                "(" | "[" | "{" | "<" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                ">" if inner[index - 1].text != "-" => depth -= 1,
                "," if depth == 0 => {
                    parts.push(&inner[from..index]);
                    from = index + 1;
                }
                _ => {}
            }
        }
        parts.push(&inner[from..]);
        parts.retain(|part| !part.is_empty());
        parts
    }
}

/// Returns each function that has a body.
fn functions(source: &Source) -> Vec<Function<'_>> {
    let words = &source.words;
    let mut found = Vec::new();
    for at in 0..words.len().saturating_sub(1) {
        if words[at].text != "fn" || !is_name(&words[at + 1].text) {
            continue;
        }
        let (mut brackets, mut braces) = (0, 0);
        for (end, word) in words.iter().enumerate().skip(at) {
            match word.text.as_str() {
                "(" | "[" => brackets += 1,
                ")" | "]" => brackets -= 1,
                ";" if brackets == 0 && braces == 0 => break,
                "{" => braces += 1,
                "}" => {
                    braces -= 1;
                    if braces == 0 {
                        found.push(Function {
                            name: &words[at + 1].text,
                            words: &words[at..=end],
                        });
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// Returns the number of tokens: operators of two characters and lifetimes count as one.
fn tokens(words: &[Word]) -> usize {
    let operators = [
        "->", "=>", "..", "&&", "||", "==", "!=", "<=", ">=", "-=", "+=", "*=", "/=", "%=", "^=",
        "|=", "&=",
    ];
    let (mut count, mut pending) = (0, String::new());
    for word in words {
        let joined = format!("{pending}{}", word.text);
        if word.glued
            && (operators.contains(&joined.as_str()) || pending == "\"" && is_name(&word.text))
        {
            pending.clear();
            continue;
        }
        count += 1;
        pending.clone_from(&word.text);
    }
    count
}

/// The limits are those of other well-maintained Rust packages: 6.6 to 7.4 tokens on a line that is
/// not empty, and type names of at least two words with 10 to 16 letters.
#[test]
fn names_and_density_stay_within_limits() {
    let mut types = Vec::new();
    let mut count = 0;
    let mut lines = 0;
    for source in Source::tree().iter().filter(|source| !is_test(source)) {
        count += tokens(&source.words);
        lines += lines_with_words(source);
        types.extend(public_types(source).into_iter().map(|(name, _)| name));
    }
    let single = types.iter().filter(|name| is_one_word(name)).count();
    let letters: usize = types.iter().map(String::len).sum();
    assert!(
        count * 100 <= lines * DENSITY,
        "{count} tokens on {lines} lines"
    );
    assert!(
        single * 100 <= types.len() * 35,
        "{single} of {} type names are one word",
        types.len()
    );
    assert!(
        letters >= types.len() * 10,
        "the type names have only {letters} letters in total"
    );
    assert!(is_one_word("Wanted") && is_one_word("TLS") && !is_one_word("WantedKey"));
    let packed = Source::new("x", "fn f() { a(b, c); d(e, f) }\n");
    assert!(tokens(&packed.words) * 100 > lines_with_words(&packed) * DENSITY);
}

fn lines_with_words(source: &Source) -> usize {
    let lines: BTreeSet<usize> = source.words.iter().map(|word| word.line).collect();
    lines.len()
}

/// `Certificate` and `TLS` are one word, `DnsName` is two.
fn is_one_word(name: &str) -> bool {
    let capitals = name.chars().filter(char::is_ascii_uppercase).count();
    capitals <= 1 || capitals == name.len()
}

#[test]
fn doc_comments_do_not_only_repeat_names() {
    let (mut all, mut short) = (0, 0);
    for source in Source::tree().iter().filter(|source| !is_test(source)) {
        for words in doc_comments(&source.text) {
            all += 1;
            short += usize::from(words <= 3);
        }
    }
    let share = short * 1000 / all;
    assert!(
        share <= SHORT_DOCS,
        "{short} of {all} doc comments have three words or fewer: {share} of 1000"
    );
    assert_eq!(
        doc_comments("/// One two three.\nfn f() {}\n/// A\n/// b.\n\n/// C d e f.\n"),
        [3, 2, 4]
    );
}

/// Returns the number of words of each doc comment.
fn doc_comments(text: &str) -> Vec<usize> {
    let mut counts = Vec::new();
    let mut goes_on = false;
    for line in text.split("\n#[cfg(test)]\nmod ").next().unwrap().lines() {
        let comment = line.trim_start().strip_prefix("///");
        match (comment, goes_on) {
            (Some(words), false) => counts.push(words.split_whitespace().count()),
            (Some(words), true) => *counts.last_mut().unwrap() += words.split_whitespace().count(),
            (None, _) => {}
        }
        goes_on = comment.is_some();
    }
    counts
}

#[test]
fn the_old_dialect_is_gone() {
    let complaints: Vec<String> = prose()
        .iter()
        .flat_map(|(path, text)| {
            let path = path.strip_prefix(root()).unwrap().display();
            dialect(text)
                .into_iter()
                .map(move |one| format!("{path}:{}: {}", one.line, one.key))
        })
        .collect();
    assert!(
        complaints.is_empty(),
        "write plain English (who does what):\n{}\n",
        complaints.join("\n")
    );
}

#[test]
fn the_phrases_are_found_in_the_old_dialect() {
    let found: Vec<String> = dialect("It is told anew;\nhe toldest all the\nsame")
        .into_iter()
        .map(|one| one.key)
        .collect();
    assert_eq!(found, ["told", "anew"]);
    let old = dialect(include_str!("../fixtures/dialect.md"));
    assert!(old.len() >= 100, "only {} phrases were found", old.len());
    let unique: BTreeSet<&str> = phrases().collect();
    assert!(unique.len() >= 40, "the list has {} phrases", unique.len());
    assert_eq!(unique.len(), phrases().count(), "a phrase is listed twice");
    let places: BTreeSet<PathBuf> = prose().into_iter().map(|(path, _)| path).collect();
    for read in [
        "README.md",
        "docs/man/certctl.1",
        "docs/reference/commands.md",
        "completions/certctl.fish",
        "packaging/cron/certctl",
        "scripts/test",
        "src/cli/help.rs",
    ] {
        assert!(places.contains(&root().join(read)), "{read} is not checked");
    }
}

/// Returns everything that people read: sources, tests, scripts, documents, help.
fn prose() -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    let mut open: Vec<PathBuf> = [
        ".ci",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.toml",
        "README.md",
        "SECURITY.md",
        "benches",
        "build.rs",
        "completions",
        "docs",
        "fixtures/README.md",
        "fuzz",
        "packaging",
        "scripts",
        "src",
        "tests",
    ]
    .iter()
    .map(|path| root().join(path))
    .collect();
    while let Some(path) = open.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["corpus", "target", "house"].contains(&name.as_str()) {
            open.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.is_file() && name != "house.rs" && !path.ends_with(WITH_OLD_WORDS) {
            all.extend(fs::read_to_string(&path).ok().map(|text| (path, text)));
        }
    }
    all
}

/// Returns the phrases of the old dialect.
fn phrases() -> impl Iterator<Item = &'static str> {
    PHRASES
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
}

fn dialect(text: &str) -> Vec<Violation> {
    let mut by_first_word: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    for phrase in phrases() {
        let words: Vec<&str> = phrase.split(' ').collect();
        by_first_word.entry(words[0]).or_default().push(words);
    }
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.to_lowercase();
        let words: Vec<&str> = line
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .collect();
        for (start, first) in words.iter().enumerate() {
            for phrase in by_first_word.get(first).into_iter().flatten() {
                if words[start..].starts_with(phrase) {
                    found.push(at(phrase.join(" "), index + 1));
                }
            }
        }
    }
    found
}

#[test]
fn tests_do_not_compare_elapsed_time() {
    let mut broken = Vec::new();
    for path in ["tests", "src"]
        .map(|folder| rust_files(&root().join(folder)))
        .concat()
    {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        broken.extend(timed(&name, unit_tests(&name, &text)));
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
    let complaint =
        "x.rs:2 compares elapsed time: count events instead (queries, connections, attempts)";
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
    // Allowed: a deadline that ends a hanging test, and a time that is an input of the tested code.
    let fine = "fn f() {\n    assert!(Instant::now() < ends, \"it did not start\");\n    g(began.elapsed());\n}\n";
    assert_eq!(timed("x.rs", fine), Vec::<String>::new());
}

/// Returns every Rust file below `folder`.
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

/// Returns the part of a file that is a test: for a file of src, its unit tests.
fn unit_tests<'a>(name: &str, text: &'a str) -> &'a str {
    if name.starts_with("tests/") || name.ends_with("/tests.rs") || name.contains("/tests/") {
        return text;
    }
    text.split_once("\n#[cfg(test)]\nmod tests {")
        .map_or("", |(_, tests)| tests)
}

/// Finds comparisons of elapsed time in tests: an assertion with `elapsed` or a `Duration`, or a
/// comparison of `elapsed()`. Such a test fails on a busy machine, and can pass on a fast one although
/// the code is wrong.
fn timed(file: &str, text: &str) -> Vec<String> {
    let words = Source::new("test", text).words;
    let is = |at: usize, text: &str| words.get(at).is_some_and(|word| word.text == text);
    // In unit tests a `Duration` is an input of the tested code.
    let watched: &[&str] = if file.starts_with("src/") {
        &["elapsed"]
    } else {
        &["elapsed", "Duration"]
    };
    let mut lines = BTreeSet::new();
    for at in 0..words.len() {
        if words[at].text.starts_with("assert") && is(at + 1, "!") {
            let all = at + 2..closing(&words, at + 2);
            lines.extend(
                words[all]
                    .iter()
                    .find(|word| watched.contains(&word.text.as_str()))
                    .map(|_| words[at].line),
            );
        }
        if words[at].text == "elapsed" && is(at + 1, "(") {
            // `elapsed()`, or a number computed from it: `elapsed().as_secs()`.
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
            "{file}:{line} compares elapsed time: count events instead (queries, connections, attempts)"
        )
    };
    lines.into_iter().map(complain).collect()
}

/// Returns the position of the bracket that closes the one at `at`.
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
fn tests_list_the_programs_that_they_need() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut broken = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            broken.extend(missing_needs_line(
                &path.file_name().unwrap().to_string_lossy(),
                &text,
            ));
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
    assert_eq!(
        missing_needs_line("x.rs", "//! x\nuse support::external::external_program;\n"),
        ["x.rs runs other programs: list them in a line `//! Needs: ...`"]
    );
    assert_eq!(
        missing_needs_line(
            "x.rs",
            "//! x\n//! Needs: zip\nuse support::external::external_program;\n"
        ),
        Vec::<String>::new()
    );
}

/// Complains about a test that runs other programs without a `//! Needs:` line, which
/// `scripts/test --quick` reads.
fn missing_needs_line(file: &str, text: &str) -> Vec<String> {
    let source = Source::new("test", text);
    let needs = [
        "apache",
        "any_server",
        "external",
        "haproxy",
        "nginx",
        "dns",
    ];
    let uses = source.paths().iter().any(|(path, _)| {
        path.len() > 1 && path[0] == "support" && needs.contains(&path[1].as_str())
    });
    let is_listed = text.lines().any(|line| line.starts_with("//! Needs: "));
    if uses && !is_listed {
        return vec![format!(
            "{file} runs other programs: list them in a line `//! Needs: ...`"
        )];
    }
    Vec::new()
}

#[test]
fn tests_read_json_through_the_strict_helper() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    for path in rust_files(&root.join("tests")) {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        broken.extend(lenient_json(
            &name,
            &std::fs::read_to_string(&path).unwrap(),
        ));
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
    for line in [
        "let document: serde_json::Value = g();",
        "let document = serde_json::from_str(&run.stdout).unwrap();",
        "let document = serde_json::from_str::<Map>(&run.stdout).unwrap();",
        "let document = serde_json::from_slice(&bytes).unwrap();",
        "let document = serde_json::from_reader(file).unwrap();",
        "use serde_json::{Value, json};",
        "use serde_json as lenient;",
        "use serde_json::*;",
        "let document: Value = g();\nuse serde_json::Value;",
    ] {
        let complaint = lenient_json("tests/x.rs", line);
        assert!(!complaint.is_empty(), "{line}");
        assert!(
            complaint
                .iter()
                .all(|one| one.ends_with(": read JSON with support::json::Json")),
            "{complaint:?}"
        );
    }
    for (file, fine) in [
        ("tests/x.rs", "use serde_json::json;\nf(json!([1]));"),
        ("tests/x.rs", "f(serde_json::json!({\"name\": true}));"),
        (
            "tests/x.rs",
            "// serde_json::Value\nf(\"serde_json::Value\");",
        ),
        ("tests/x.rs", "f(Reason::Value);"),
        ("tests/support/json.rs", "use serde_json::Value;"),
    ] {
        assert_eq!(lenient_json(file, fine), Vec::<String>::new(), "{fine}");
    }
}

/// Finds tests that use more of `serde_json` than the macro `json!`. A `serde_json::Value` returns
/// null for a missing field, so an assertion can pass because the name is wrong. Only the helper
/// itself may use it.
fn lenient_json(file: &str, text: &str) -> Vec<String> {
    if file == "tests/support/json.rs" {
        return Vec::new();
    }
    let words = Source::new("test", text).words;
    let mut complaints = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if word.text != "serde_json" {
            continue;
        }
        let named: Vec<&str> = words[at + 1..]
            .iter()
            .map(|word| word.text.as_str())
            .take(2)
            .collect();
        if named != ["::", "json"] {
            complaints.push(format!(
                "{file}:{} uses serde_json{}: read JSON with support::json::Json",
                word.line,
                named.concat()
            ));
        }
    }
    complaints
}
