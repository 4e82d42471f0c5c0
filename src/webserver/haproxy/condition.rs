//! `.if` and its kin, as far as they can be told:
//! <https://docs.haproxy.org/2.6/configuration.html#2.4>.

use super::lex::{HaproxyEnvironment, HaproxyWord};

/// Conditional blocks that are open.
#[derive(Debug, Default)]
pub(crate) struct OpenConditions {
    open: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    /// Whether the lines here count.
    counts: bool,
    /// Whether a branch of it counted before.
    taken: bool,
}

/// What a line is to the conditions.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum ConditionalLine {
    Theirs,
    /// One of theirs that cannot be told: the lines after it are read.
    Untold,
    Read,
    LeftOut,
}

impl OpenConditions {
    /// Takes in one line.
    pub(crate) fn take(
        &mut self,
        words: &[HaproxyWord],
        environment: &HaproxyEnvironment,
    ) -> ConditionalLine {
        let Some((first, rest)) = words.split_first() else {
            return ConditionalLine::LeftOut;
        };
        match first.text.as_str() {
            ".if" => {
                let (told, line) = Self::ask(rest, environment, self.counts());
                self.open.push(Level {
                    counts: told,
                    taken: told && line == ConditionalLine::Theirs,
                });
                line
            }
            ".elif" => {
                let Some(level) = self.open.pop() else {
                    return ConditionalLine::Theirs;
                };
                let (told, line) = Self::ask(rest, environment, self.counts() && !level.taken);
                self.open.push(Level {
                    counts: told,
                    taken: level.taken || (told && line == ConditionalLine::Theirs),
                });
                line
            }
            ".else" => {
                let Some(level) = self.open.pop() else {
                    return ConditionalLine::Theirs;
                };
                self.open.push(Level {
                    counts: self.counts() && !level.taken,
                    taken: true,
                });
                ConditionalLine::Theirs
            }
            ".endif" => {
                self.open.pop();
                ConditionalLine::Theirs
            }
            word if word.starts_with('.') => ConditionalLine::Theirs,
            _ if self.counts() => ConditionalLine::Read,
            _ => ConditionalLine::LeftOut,
        }
    }

    fn counts(&self) -> bool {
        self.open.iter().all(|level| level.counts)
    }

    fn ask(
        words: &[HaproxyWord],
        environment: &HaproxyEnvironment,
        matters: bool,
    ) -> (bool, ConditionalLine) {
        if !matters {
            return (false, ConditionalLine::Theirs);
        }
        let open = words.iter().any(|word| word.open);
        let text: String = words
            .iter()
            .map(|word| word.text.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        match holds(&text, environment).filter(|_| !open) {
            Some(told) => (told, ConditionalLine::Theirs),
            None => (true, ConditionalLine::Untold),
        }
    }
}

/// One predicate, perhaps negated; `None` for what is more, or asks for HAProxy's version or build.
fn holds(text: &str, environment: &HaproxyEnvironment) -> Option<bool> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('!') {
        return holds(rest, environment).map(|told| !told);
    }
    if text.is_empty() {
        return Some(false);
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(number != 0);
    }
    let (name, rest) = text.split_once('(')?;
    let arguments = rest
        .strip_suffix(')')
        .filter(|rest| !rest.contains(['(', ')', '"', '\'', '\\']))?;
    let set = |name: &str| environment.set.iter().any(|(set, _)| set == name);
    match (name.trim(), arguments.split_once(',')) {
        ("defined", None) => set(arguments)
            .then_some(true)
            .or_else(|| environment.complete.then_some(false)),
        // What reads `bind ... ssl` has it.
        ("feature", None) if arguments == "OPENSSL" => Some(true),
        ("streq", Some((one, other))) => Some(one == other),
        ("strneq", Some((one, other))) => Some(one != other),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::lex::{HaproxyEnvironment, words};
    use super::{ConditionalLine, OpenConditions};

    #[test]
    fn lines_that_count_and_lines_that_do_not() {
        let environment = HaproxyEnvironment {
            set: vec![("A".to_owned(), "yes".to_owned())],
            complete: true,
        };
        for (text, expected) in [
            ("a; .if 1; b; .else; c; .endif; d", "a b d"),
            (
                ".if 0; a; .elif 1; b; .elif 1; c; .else; d; .endif; e",
                "b e",
            ),
            (
                ".if streq(\"$A\",yes); a; .endif; .if strneq(\"$A\",yes); b; .endif",
                "a",
            ),
            (
                ".if defined(A); a; .endif; .if !defined(B); b; .endif; .if defined(B); c; .endif",
                "a b",
            ),
            (".if 0; .if 1; a; .else; b; .endif; .else; c; .endif", "c"),
            (".if feature(OPENSSL); a; .endif; .if; b; .endif", "a"),
            (".notice \"x\"; a; .endif; .else; .elif 1; b", "a b"),
            // What cannot be told is read, and told.
            (
                ".if version_atleast(2.8); a; .else; b; .endif; c",
                "? a b c",
            ),
            (".if defined(A) && defined(B); a; .endif", "? a"),
        ] {
            let mut conditions = OpenConditions::default();
            let mut read = Vec::new();
            for line in text.split("; ") {
                match conditions.take(&words(line, &environment).unwrap(), &environment) {
                    ConditionalLine::Read => read.push(line),
                    ConditionalLine::Untold => read.push("?"),
                    ConditionalLine::Theirs | ConditionalLine::LeftOut => {}
                }
            }
            assert_eq!(read.join(" "), expected, "{text}");
        }
    }
}
