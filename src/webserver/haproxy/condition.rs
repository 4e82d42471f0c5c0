//! Evaluates `.if` and similar conditions, as far as that is possible without HAProxy:
//! <https://docs.haproxy.org/2.6/configuration.html#2.4>.

use super::expression::{self, ConditionFacts};
use super::lex::HaproxyWord;
use crate::webserver::model::ModelRule;

/// The conditional blocks around the current line.
#[derive(Debug, Default)]
pub(crate) struct OpenConditions {
    levels: Vec<ConditionLevel>,
}

#[derive(Debug)]
struct ConditionLevel {
    /// Whether the lines of the current branch apply.
    applies: bool,
    /// Whether a branch has applied for certain.
    decided: bool,
}

/// How a line relates to the conditions.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum ConditionalLine {
    /// A condition or another directive of the preprocessor.
    Directive,
    /// A condition that only HAProxy can decide: the lines after it are read.
    UnknownCondition,
    Read,
    Skipped,
}

/// The result of a condition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ConditionResult {
    Met,
    NotMet,
    Unknown,
}

impl ConditionResult {
    fn line(self) -> ConditionalLine {
        match self {
            Self::Met | Self::NotMet => ConditionalLine::Directive,
            Self::Unknown => ConditionalLine::UnknownCondition,
        }
    }
}

impl OpenConditions {
    /// Classifies the next line.
    pub(crate) fn classify(
        &mut self,
        words: &[HaproxyWord],
        facts: ConditionFacts<'_>,
    ) -> ConditionalLine {
        let Some((keyword, arguments)) = words.split_first() else {
            return ConditionalLine::Skipped;
        };
        match keyword.text.as_str() {
            ".if" => self.open_branch(arguments, facts, None),
            ".elif" => match self.levels.pop() {
                Some(previous) => self.open_branch(arguments, facts, Some(previous)),
                None => ConditionalLine::Directive,
            },
            ".else" => {
                if let Some(previous) = self.levels.pop() {
                    self.levels.push(ConditionLevel {
                        applies: self.applies() && !previous.decided,
                        decided: true,
                    });
                }
                ConditionalLine::Directive
            }
            ".endif" => {
                self.levels.pop();
                ConditionalLine::Directive
            }
            word if word.starts_with('.') => ConditionalLine::Directive,
            _ if self.applies() => ConditionalLine::Read,
            _ => ConditionalLine::Skipped,
        }
    }

    fn applies(&self) -> bool {
        !ModelRule::HaproxyCondition.is_followed() || self.levels.iter().all(|level| level.applies)
    }

    /// Opens the branch of an `.if`, or of an `.elif` after the `previous` branches.
    fn open_branch(
        &mut self,
        condition: &[HaproxyWord],
        facts: ConditionFacts<'_>,
        previous: Option<ConditionLevel>,
    ) -> ConditionalLine {
        let was_decided = previous.is_some_and(|level| level.decided);
        let result = if self.applies() && !was_decided {
            evaluate(condition, facts)
        } else {
            ConditionResult::NotMet
        };
        self.levels.push(ConditionLevel {
            applies: result != ConditionResult::NotMet,
            decided: was_decided || result == ConditionResult::Met,
        });
        result.line()
    }
}

fn evaluate(words: &[HaproxyWord], facts: ConditionFacts<'_>) -> ConditionResult {
    if words.iter().any(|word| word.unresolved) {
        return ConditionResult::Unknown;
    }
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    match expression::evaluate(&words.join(" "), facts) {
        Some(true) => ConditionResult::Met,
        Some(false) => ConditionResult::NotMet,
        None => ConditionResult::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::HaproxyBuild;
    use super::super::lex::{HaproxyEnvironment, words};
    use super::{ConditionFacts, ConditionalLine, OpenConditions};

    #[test]
    fn lines_of_branches_that_do_not_apply_are_skipped() {
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
            // An unknown condition counts as met and is reported (`?`).
            (
                ".if version_atleast(2.8); a; .else; b; .endif; c",
                "? a b c",
            ),
            (".if defined(A) && defined(B); a; .endif", ""),
            (".if defined(A) || defined(B); a; .endif", "a"),
        ] {
            let mut conditions = OpenConditions::default();
            let build = HaproxyBuild::default();
            let facts = ConditionFacts {
                environment: &environment,
                build: &build,
            };
            let mut read = Vec::new();
            for line in text.split("; ") {
                match conditions.classify(&words(line, &environment).unwrap(), facts) {
                    ConditionalLine::Read => read.push(line),
                    ConditionalLine::UnknownCondition => read.push("?"),
                    ConditionalLine::Directive | ConditionalLine::Skipped => {}
                }
            }
            assert_eq!(read.join(" "), expected, "{text}");
        }
    }
}
