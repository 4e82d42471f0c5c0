//! Decides whether a regular expression (PCRE) matches a host name. It knows what server names are
//! written with: literals, classes, groups, alternatives, repetitions, anchors and lookahead. All
//! that differs only in captures or in the order of attempts (lazy repetitions, named groups) is
//! irrelevant for a yes or no. Everything else is not evaluated: lookbehind, backreferences,
//! recursion, possessive repetitions and atomic groups.

mod parse;
mod syntax;

use std::cell::Cell;

pub(crate) use syntax::LetterCase;
use syntax::{Anchor, ByteSet, Node, is_word_byte};

/// The longest host that is matched, in bytes: longer ones are no host names.
const HOST_LIMIT: usize = 255;
/// The steps of one match; a usual name takes less than a hundred.
const STEPS: u32 = 20_000;

/// A regular expression that certctl can evaluate.
#[derive(Clone, Debug)]
pub(crate) struct NamePattern(Node);

impl NamePattern {
    /// Parses an expression; `None` where certctl cannot evaluate it.
    pub(crate) fn parse(text: &str, case: LetterCase) -> Option<Self> {
        parse::parse(text, case).map(Self)
    }

    /// The expression of a `server_name`, without its `~`: nginx ignores the case of letters if the
    /// expression has any upper-case letter. Hosts are in lower case.
    pub(crate) fn of_server_name(text: &str) -> Option<Self> {
        let has_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        let case = if has_upper {
            LetterCase::Ignored
        } else {
            LetterCase::Matters
        };
        Self::parse(text, case)
    }

    /// Returns whether any part of `host` matches; `None` if that takes too long to find out.
    pub(crate) fn matches(&self, host: &str) -> Option<bool> {
        if host.len() > HOST_LIMIT {
            return None;
        }
        let matcher = PatternMatcher {
            host: host.as_bytes(),
            steps: Cell::new(STEPS),
        };
        let mut starts = ByteSet::default();
        for start in 0..=host.len() {
            starts.insert(u8::try_from(start).ok()?);
        }
        Some(!matcher.ends(&self.0, starts)?.is_empty())
    }
}

/// Matches the parts of an expression: from the set of all positions at which a part may start to
/// the set of those at which it may end. This needs no backtracking.
struct PatternMatcher<'a> {
    host: &'a [u8],
    steps: Cell<u32>,
}

impl PatternMatcher<'_> {
    /// The ends of `node` for these starts; `None` when the steps are used up.
    fn ends(&self, node: &Node, starts: ByteSet) -> Option<ByteSet> {
        self.steps.set(self.steps.get().checked_sub(1)?);
        if starts.is_empty() {
            return Some(starts);
        }
        match node {
            Node::Set(set) => Some(self.after_one(set, starts)),
            Node::At(anchor) => Some(self.retain(starts, *anchor)),
            Node::Sequence(nodes) => {
                let mut ends = starts;
                for node in nodes {
                    if ends.is_empty() {
                        break;
                    }
                    ends = self.ends(node, ends)?;
                }
                Some(ends)
            }
            Node::Alternatives(nodes) => {
                let mut ends = ByteSet::default();
                for node in nodes {
                    ends = ends.union(self.ends(node, starts)?);
                }
                Some(ends)
            }
            Node::Repeat { node, least, most } => self.repeat(node, *least, *most, starts),
            Node::Ahead(node) => self.look(node, starts, Lookahead::Matches),
            Node::NotAhead(node) => self.look(node, starts, Lookahead::Fails),
        }
    }

    fn after_one(&self, set: &ByteSet, starts: ByteSet) -> ByteSet {
        let mut ends = ByteSet::default();
        for start in starts.iter() {
            let byte = self.host.get(usize::from(start));
            if byte.is_some_and(|&byte| set.contains(byte))
                && let Some(end) = start.checked_add(1)
            {
                ends.insert(end);
            }
        }
        ends
    }

    /// Positions only move forwards, and one that can stay always can: after as many repetitions as
    /// the host has bytes nothing changes any more.
    fn repeat(
        &self,
        node: &Node,
        least: usize,
        most: Option<usize>,
        starts: ByteSet,
    ) -> Option<ByteSet> {
        let mut now = starts;
        for _ in 0..least {
            let next = self.ends(node, now)?;
            if next == now {
                break;
            }
            now = next;
        }
        let mut ends = now;
        let mut count = least;
        while most.is_none_or(|most| count < most) {
            now = self.ends(node, now)?;
            let all = ends.union(now);
            if all == ends {
                break;
            }
            ends = all;
            count += 1;
        }
        Some(ends)
    }

    fn look(&self, node: &Node, starts: ByteSet, wanted: Lookahead) -> Option<ByteSet> {
        let mut found = ByteSet::default();
        for start in starts.iter() {
            let is_match = !self.ends(node, ByteSet::of(start))?.is_empty();
            if is_match == (wanted == Lookahead::Matches) {
                found.insert(start);
            }
        }
        Some(found)
    }

    fn retain(&self, starts: ByteSet, anchor: Anchor) -> ByteSet {
        let mut kept = ByteSet::default();
        for start in starts.iter() {
            let at = usize::from(start);
            let is_kept = match anchor {
                Anchor::Start => at == 0,
                Anchor::End => at == self.host.len(),
                Anchor::WordBoundary => self.is_boundary(at),
                Anchor::NoWordBoundary => !self.is_boundary(at),
            };
            if is_kept {
                kept.insert(start);
            }
        }
        kept
    }

    fn is_boundary(&self, at: usize) -> bool {
        let is_word = |at: Option<usize>| {
            let byte = at.and_then(|at| self.host.get(at));
            byte.is_some_and(|&byte| is_word_byte(byte))
        };
        is_word(at.checked_sub(1)) != is_word(Some(at))
    }
}

/// What a lookahead demands of the text that follows.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Lookahead {
    Matches,
    Fails,
}

#[cfg(test)]
mod tests {
    use super::NamePattern;

    fn matches(pattern: &str, host: &str) -> Option<bool> {
        NamePattern::of_server_name(pattern)?.matches(host)
    }

    #[test]
    fn expressions_of_server_names_are_evaluated() {
        for (pattern, yes, no) in [
            ("^a", "a.example", "b.a.example"),
            ("example", "a.example.org", "a.test"),
            (
                r"^(?<sub>.+)\.example\.com$",
                "x.example.com",
                "example.com",
            ),
            (
                r"^(?P<sub>.+)\.example\.com$",
                "x.y.example.com",
                "xexampleacom",
            ),
            (r"^(?'s'www\.)?(.+)$", "www.x", ""),
            (
                r"^www\d+\.example\.com$",
                "www12.example.com",
                "www.example.com",
            ),
            (r"^[a-z0-9-]+\.example$", "shop-1.example", "a.b.example"),
            (r"^[^.]+\.example$", "x_1.example", "a.b.example"),
            (r"^(a|b|c)\.(example|test)$", "c.test", "d.test"),
            (r"^(?:a|)b$", "b", "aab"),
            (r"^a{2}b{1,2}c{0,}$", "aabb", "aabbb"),
            (r"^x{2,}$", "xxx", "x"),
            (r"^(?!www\.).+\.example$", "shop.example", "www.example"),
            (r"^(?=.*shop).+$", "my.shop.example", "my.example"),
            (r"^.+?\.example$", "a.b.example", ".example"),
            (r"\bshop\b", "my-shop.example", "workshop.example"),
            (r"\Bshop", "workshop.example", "shop.example"),
            (r"\Aa\.\w+\z", "a.example", "ba.example"),
            (r"^[[:alpha:]]+\.[[:digit:]]+$", "a.1", "1.a"),
            (r"^[]a]+$", "a]", "b"),
            (r"^[a\-z]+$", "a-z", "b"),
            (r"^[\w.-]+$", "a-b.c_d", "a b"),
            (r"^[\D]+$", "abc", "a1"),
            ("^EXAMPLE$", "example", "examples"),
            ("(?i)^EXAMPLE$", "example", "x"),
            ("^(?i:A)b$", "ab", "ac"),
            (r"^a\x2eb$", "a.b", "axb"),
            (r"^a{b$", "a{b", "ab"),
            (r"^a{1b$", "a{1b", "ab"),
            (
                r"^((a+)+)+$",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "aaaaaaaaaaaaaaaaaaaaaaaaaab",
            ),
        ] {
            assert_eq!(matches(pattern, yes), Some(true), "{pattern} {yes}");
            assert_eq!(matches(pattern, no), Some(false), "{pattern} {no}");
        }
        assert_eq!(matches("", "anything"), Some(true));
        assert_eq!(matches("", &"a".repeat(300)), None, "not a host name");
    }

    #[test]
    fn the_case_of_letters_counts_only_without_upper_case() {
        let case = |text: &str| {
            let pattern = NamePattern::parse(text, super::LetterCase::Matters).unwrap();
            (pattern.matches("ab"), pattern.matches("AB"))
        };
        assert_eq!(case("^ab$"), (Some(true), Some(false)));
        assert_eq!(case("^(?i)ab$"), (Some(true), Some(true)));
        assert_eq!(case("^(?i:a)b$"), (Some(true), Some(false)));
        assert_eq!(matches("^[A-C]x", "bx"), Some(true));
    }

    #[test]
    fn other_expressions_are_not_evaluated() {
        for pattern in [
            "(?<=a)b",
            "(?<!a)b",
            r"(a)\1",
            r"(?<n>a)\k<n>",
            "(?>a+)",
            "a++",
            "a?+",
            "(?R)",
            "(?1)",
            "(?(1)a)",
            "(*UTF8)a",
            r"\Qa\E",
            "(?x)a",
            r"\p{L}",
            "*a",
            "a**",
            "(a",
            "a)",
            "[a",
            "[z-a]",
            r"a\",
            "a{2}{3}",
            "a{3,2}",
            "^*",
            "[[.a.]]",
            "a{,3}",
            r"\0",
            "(?#x)a",
        ] {
            assert!(NamePattern::of_server_name(pattern).is_none(), "{pattern}");
        }
        let deep = "(".repeat(1000) + &")".repeat(1000);
        assert!(NamePattern::of_server_name(&deep).is_none());
        let long = "a".repeat(10_000);
        assert!(NamePattern::of_server_name(&long).is_none());
    }

    #[test]
    fn expensive_expressions_end_without_an_answer() {
        let nested = "((((((.*)*)*,)*)*x)*y)*".repeat(20);
        let started = format!("^{nested}$");
        let pattern = NamePattern::of_server_name(&started).unwrap();
        assert_eq!(pattern.matches(&"a.".repeat(127)), Some(false));
        let looks = NamePattern::of_server_name("((?=((?=(.*z)).*y)*).*x)*w$").unwrap();
        assert_eq!(looks.matches(&"a".repeat(255)), None);
    }

    #[test]
    fn malformed_expressions_never_panic() {
        let whole = r"^(?<a>[^x\d-]{2,3}?|(?!\b)\x2e)+[[:alpha:]](?i)$";
        for start in 0..whole.len() {
            for end in start..whole.len() {
                if let Some(pattern) = NamePattern::of_server_name(&whole[start..end]) {
                    let _ = pattern.matches("www.a-b.example");
                }
            }
        }
    }
}
