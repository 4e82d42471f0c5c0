//! Evaluates the expression of an `.if`: predicates, `!`, `&&`, `||` and parentheses, as far as that
//! is possible without HAProxy: <https://docs.haproxy.org/2.6/configuration.html#2.4>.

use super::build::{HaproxyBuild, HaproxyVersion};
use super::lex::HaproxyEnvironment;

/// The maximum nesting depth of an expression.
const DEPTH: usize = 32;

/// What conditions depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConditionFacts<'a> {
    pub environment: &'a HaproxyEnvironment,
    pub build: &'a HaproxyBuild,
}

/// Evaluates an expression; `None` where only HAProxy can decide. The empty one is false.
pub(crate) fn evaluate(text: &str, facts: ConditionFacts<'_>) -> Option<bool> {
    if text.trim().is_empty() {
        return Some(false);
    }
    let mut expression = Expression { rest: text, facts };
    match expression.any(0) {
        Ok(result) if expression.rest.trim().is_empty() => result,
        _ => None,
    }
}

/// An expression that HAProxy would reject.
struct MalformedExpression;

/// The part of an expression that is still to be read.
struct Expression<'a> {
    rest: &'a str,
    facts: ConditionFacts<'a>,
}

impl Expression<'_> {
    /// Reads alternatives, separated by `||`.
    fn any(&mut self, depth: usize) -> Result<Option<bool>, MalformedExpression> {
        let mut result = self.all(depth)?;
        while self.skip("||") {
            let other = self.all(depth)?;
            result = match (result, other) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        Ok(result)
    }

    /// Reads terms that must all hold, separated by `&&`.
    fn all(&mut self, depth: usize) -> Result<Option<bool>, MalformedExpression> {
        let mut result = self.term(depth)?;
        while self.skip("&&") {
            let other = self.term(depth)?;
            result = match (result, other) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        Ok(result)
    }

    fn term(&mut self, depth: usize) -> Result<Option<bool>, MalformedExpression> {
        if depth > DEPTH {
            return Err(MalformedExpression);
        }
        if self.skip("!") {
            return Ok(self.term(depth + 1)?.map(|met| !met));
        }
        if self.skip("(") {
            let inner = self.any(depth + 1)?;
            return if self.skip(")") {
                Ok(inner)
            } else {
                Err(MalformedExpression)
            };
        }
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if let Ok(number) = word.parse::<i64>() {
            return Ok(Some(number != 0));
        }
        if word.is_empty() || !self.skip("(") {
            return Err(MalformedExpression);
        }
        let Some((arguments, rest)) = self.rest.split_once(')') else {
            return Err(MalformedExpression);
        };
        self.rest = rest;
        Ok(self.predicate(word, arguments))
    }

    /// Skips spaces, and `expected` if it is next.
    fn skip(&mut self, expected: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn predicate(&self, name: &str, arguments: &str) -> Option<bool> {
        if arguments.contains(['(', '"', '\'', '\\']) {
            return None;
        }
        let build = self.facts.build;
        let is_before = || Some(build.version? < HaproxyVersion::parse(arguments)?);
        match (name, arguments.split_once(',')) {
            ("defined", None) => self.facts.environment.is_defined(arguments),
            ("feature", None) => match &build.features {
                Some(features) => Some(features.iter().any(|feature| feature == arguments)),
                // A configuration with `bind ... ssl` needs it.
                None => (arguments == "OPENSSL").then_some(true),
            },
            ("streq", Some((one, other))) => Some(one == other),
            ("strneq", Some((one, other))) => Some(one != other),
            ("version_atleast", None) => is_before().map(|before| !before),
            ("version_before", None) => is_before(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::HaproxyBuild;
    use super::super::lex::HaproxyEnvironment;
    use super::{ConditionFacts, evaluate};

    #[test]
    fn expressions_are_evaluated_as_haproxy_does() {
        let environment = HaproxyEnvironment {
            set: vec![("A".to_owned(), "yes".to_owned())],
            complete: true,
        };
        let build =
            HaproxyBuild::parse("HAProxy version 2.6.12-1\nFeature list : +OPENSSL -QUIC\n");
        let facts = ConditionFacts {
            environment: &environment,
            build: &build,
        };
        for (text, expected) in [
            ("", Some(false)),
            ("0", Some(false)),
            ("-1", Some(true)),
            ("!0", Some(true)),
            ("defined(A)", Some(true)),
            ("defined(B)", Some(false)),
            ("defined(HAPROXY_LOCALPEER)", None),
            ("feature(OPENSSL) && !feature(QUIC)", Some(true)),
            ("version_atleast(2.6)", Some(true)),
            ("version_before(2.6.12)", Some(false)),
            ("version_before(2.6.13-dev1)", Some(true)),
            ("streq(a,b) || 1 && 0 || strneq(a,b)", Some(true)),
            ("(1 || 0) && 0", Some(false)),
            ("! ( 1 && 0 )", Some(true)),
            ("openssl_version_atleast(3.0.0)", None),
            ("openssl_version_atleast(3.0.0) || 1", Some(true)),
            ("streq(\"a\",a)", None),
            ("1 1", None),
            ("(1", None),
            ("streq(a", None),
        ] {
            assert_eq!(evaluate(text, facts), expected, "{text}");
        }
        assert_eq!(evaluate(&"(".repeat(100), facts), None);
    }
}
