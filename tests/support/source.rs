//! Parses Rust source for the house rules: words with their lines, without comments, strings and unit
//! tests, and the paths that a file uses, resolved through its `use` lines.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "test support; each test uses a part"
)]

use std::collections::BTreeMap;
use std::path::Path;

/// One file of `src`.
pub struct Source {
    /// `["pki", "key"]` for `src/pki/key.rs`; `["main"]` and `["lib"]` for the roots.
    pub module: Vec<String>,
    pub text: String,
    pub words: Vec<Word>,
}

/// A name, a `::`, or one character of anything else.
#[derive(Clone, Debug)]
pub struct Word {
    pub text: String,
    pub line: usize,
    /// Whether no space separates it from the previous word.
    pub glued: bool,
}

impl Source {
    pub fn new(module: &str, text: &str) -> Self {
        let words = without_tests(words(text));
        Self {
            module: module.split("::").map(str::to_owned).collect(),
            text: text.to_owned(),
            words,
        }
    }

    /// Reads every file below `src`.
    pub fn tree() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut sources = Vec::new();
        read(&root, &root, &mut sources);
        sources
    }

    pub fn name(&self) -> String {
        self.module.join("::")
    }

    /// Returns the number of lines before the unit tests.
    pub fn lines(&self) -> usize {
        self.text
            .lines()
            .take_while(|line| *line != "#[cfg(test)]")
            .count()
    }

    /// Returns every path of two or more names, and every single name that a `use` imports, resolved
    /// and with its line. Paths into this crate begin with `crate`.
    pub fn paths(&self) -> Vec<(Vec<String>, usize)> {
        let mut uses = Vec::new();
        let mut others = Vec::new();
        let mut at = 0;
        while at < self.words.len() {
            let line = self.words[at].line;
            if self.words[at].text == "use" {
                at = use_tree(&self.words, at + 1, &mut Vec::new(), &mut |path| {
                    uses.push((path, line))
                });
            } else if is_name(&self.words[at].text) && (at == 0 || self.words[at - 1].text != "::")
            {
                let (path, next) = path_at(&self.words, at);
                others.push((path, line));
                at = next;
            } else {
                at += 1;
            }
        }
        let bound: BTreeMap<String, Vec<String>> = uses
            .iter()
            .filter_map(|(path, _)| Some((path.last()?.clone(), path.clone())))
            .collect();
        let expanded = others
            .into_iter()
            .filter_map(|(path, line)| match bound.get(&path[0]) {
                Some(full) => Some((full.iter().chain(&path[1..]).cloned().collect(), line)),
                None => (path.len() > 1).then_some((path, line)),
            });
        uses.iter()
            .cloned()
            .chain(expanded)
            .map(|(path, line)| (self.resolve(path), line))
            .collect()
    }

    /// Resolves `self` and `super` to `crate` paths.
    fn resolve(&self, path: Vec<String>) -> Vec<String> {
        let mut base = match path[0].as_str() {
            "self" => self.module.clone(),
            "super" => self.module[..self.module.len() - 1].to_vec(),
            _ => return path,
        };
        let mut rest = &path[1..];
        while rest.first().is_some_and(|name| name == "super") {
            base.pop();
            rest = &rest[1..];
        }
        std::iter::once("crate".to_owned())
            .chain(base)
            .chain(rest.iter().cloned())
            .collect()
    }
}

fn read(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = path
                .strip_prefix(root)
                .unwrap()
                .with_extension("")
                .display()
                .to_string()
                .replace('/', "::");
            sources.push(Source::new(
                &module,
                &std::fs::read_to_string(&path).unwrap(),
            ));
        }
    }
}

pub fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Returns the path that starts at `at`, and the index after it.
fn path_at(words: &[Word], mut at: usize) -> (Vec<String>, usize) {
    let mut path = vec![words[at].text.clone()];
    at += 1;
    while at + 1 < words.len() && words[at].text == "::" && is_name(&words[at + 1].text) {
        path.push(words[at + 1].text.clone());
        at += 2;
    }
    (path, at)
}

/// Passes each path of a `use` tree to `found`; the last name of a path is the one that it binds
/// (`a::b as c` counts as `a::b`, so that `c` is unknown).
fn use_tree(
    words: &[Word],
    mut at: usize,
    prefix: &mut Vec<String>,
    found: &mut impl FnMut(Vec<String>),
) -> usize {
    let depth = prefix.len();
    while at < words.len() {
        match words[at].text.as_str() {
            "{" => {
                at = use_tree(words, at + 1, prefix, found);
                // The prefix of a group is not a path of its own: `std::net::{IpAddr}` imports only
                // the address.
                prefix.truncate(depth);
            }
            "," | "}" | ";" => {
                if prefix.len() > depth {
                    found(prefix.clone());
                }
                prefix.truncate(depth);
                if words[at].text == "}" || words[at].text == ";" {
                    return at + 1;
                }
                at += 1;
            }
            "as" => at += 2,
            "self" if depth > 0 => {
                found(prefix[..depth].to_vec());
                at += 1;
            }
            name => {
                if is_name(name) || name == "*" {
                    prefix.push(name.to_owned());
                }
                at += 1;
            }
        }
    }
    at
}

/// Splits `text` into words, without comments; a string or character literal becomes one `"`.
fn words(text: &str) -> Vec<Word> {
    let bytes: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let (mut at, mut line, mut last_end) = (0, 1, 0);
    let starts = |at: usize, what: &str| {
        what.chars()
            .enumerate()
            .all(|(i, c)| bytes.get(at + i) == Some(&c))
    };
    while at < bytes.len() {
        let c = bytes[at];
        let end = if starts(at, "//") {
            skip_until(&bytes, at, |i| bytes[i] == '\n')
        } else if starts(at, "/*") {
            skip_until(&bytes, at + 2, |i| starts(i, "*/")) + 2
        } else if c == '"' {
            string_end(&bytes, at)
        } else if c == 'r' && (starts(at, "r\"") || starts(at, "r#\"")) {
            raw_string_end(&bytes, at)
        } else if c == '\'' {
            character_end(&bytes, at)
        } else if c.is_alphanumeric() || c == '_' {
            skip_until(&bytes, at, |i| {
                !(bytes[i].is_alphanumeric() || bytes[i] == '_')
            })
        } else if starts(at, "::") {
            at + 2
        } else {
            at + 1
        };
        let end = end.min(bytes.len());
        let raw: String = bytes[at..end].iter().collect();
        if !raw.starts_with("//") && !raw.starts_with("/*") && !raw.trim().is_empty() {
            let literal =
                raw.starts_with(['"', '\'']) || raw.starts_with("r\"") || raw.starts_with("r#\"");
            words.push(Word {
                text: if literal {
                    "\"".to_owned()
                } else {
                    raw.clone()
                },
                line,
                glued: at == last_end,
            });
            last_end = end;
        }
        line += raw.matches('\n').count();
        at = end;
    }
    words
}

fn skip_until(chars: &[char], from: usize, stop: impl Fn(usize) -> bool) -> usize {
    (from..chars.len())
        .find(|&i| stop(i))
        .unwrap_or(chars.len())
}

fn string_end(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw_string_end(chars: &[char], from: usize) -> usize {
    let hashes = usize::from(chars[from + 1] == '#');
    skip_until(chars, from + 2 + hashes, |i| {
        chars[i] == '"' && (hashes == 0 || chars.get(i + 1) == Some(&'#'))
    }) + 1
        + hashes
}

/// Returns the end of a character literal; a lifetime is a `'` alone.
fn character_end(chars: &[char], from: usize) -> usize {
    match (chars.get(from + 1), chars.get(from + 2)) {
        (Some('\\'), _) => skip_until(chars, from + 3, |i| chars[i] == '\'') + 1,
        (_, Some('\'')) => from + 3,
        _ => from + 1,
    }
}

/// Removes everything after `#[cfg(test)] mod`, because unit tests are at the end of a file.
fn without_tests(mut words: Vec<Word>) -> Vec<Word> {
    let marker = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let starts = |at: usize| {
        marker
            .iter()
            .enumerate()
            .all(|(i, word)| words.get(at + i).is_some_and(|w| w.text == *word))
    };
    if let Some(at) = (0..words.len()).find(|&at| starts(at)) {
        words.truncate(at);
    }
    words
}
