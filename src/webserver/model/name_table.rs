//! The names at one address of nginx, and the order in which it compares them: the exact name, the
//! longest wildcard with a leading `*`, the longest one with a trailing `*`, and then the regular
//! expressions in their order (`ngx_http_server_names`, `ngx_hash_add_key`). A name that conflicts
//! with an earlier one is ignored, as nginx warns; `.example.com` is ignored as a whole.

use std::collections::{HashMap, HashSet};

use super::name::ServerName;
use super::name_pattern::NamePattern;
use super::rules::ModelRule;

/// Names, each with the number of the block that has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameTable {
    exact: HashMap<String, usize>,
    /// Exact names, and those that `.example.com` includes.
    taken: HashSet<String>,
    /// `*.example.com` and `.example.com` by `example.com`.
    leading: HashMap<String, LeadingWildcard>,
    /// `www.example.*` by `www.example`.
    trailing: HashMap<String, usize>,
    patterns: Vec<TablePattern>,
}

#[derive(Clone, Copy, Debug)]
struct LeadingWildcard {
    block: usize,
    base: WildcardBase,
}

/// Whether a leading wildcard includes the name without the `*`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum WildcardBase {
    Included,
    Excluded,
}

#[derive(Clone, Debug)]
struct TablePattern {
    block: usize,
    /// `None` where certctl cannot evaluate it.
    pattern: Option<NamePattern>,
}

/// The block that a name selects.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum NameMatch {
    Found(usize),
    Missing,
    /// One of these, or none of them: a regular expression that certctl cannot evaluate decides.
    Undecided {
        blocks: Vec<usize>,
        /// The block that is selected if none of them matches.
        otherwise: Option<usize>,
    },
}

impl NameTable {
    /// Adds a name of a block; the blocks of one address in the order of the configuration.
    pub(crate) fn add(&mut self, name: &ServerName, block: usize) {
        match name {
            ServerName::Exact(host) => {
                if self.taken.insert(host.clone()) {
                    self.exact.insert(host.clone(), block);
                }
            }
            ServerName::WithBelow(base) => {
                let base = base.trim_start_matches('.');
                let is_new = self.taken.insert(base.to_owned());
                if is_new || !ModelRule::NginxConflict.is_followed() {
                    self.add_leading(base, block, WildcardBase::Included);
                }
            }
            ServerName::Below(base) => {
                let base = base.trim_start_matches('.');
                self.add_leading(base, block, WildcardBase::Excluded);
            }
            ServerName::Trailing(base) => {
                let base = base.trim_end_matches('.').to_owned();
                self.trailing.entry(base).or_insert(block);
            }
            ServerName::Regex(text) => {
                let pattern = NamePattern::of_server_name(text.trim_start_matches('~'));
                self.patterns.push(TablePattern { block, pattern });
            }
            ServerName::Glob(_)
            | ServerName::Label(_)
            | ServerName::Except(_)
            | ServerName::Inherited(_)
            | ServerName::Nothing(_) => {}
        }
    }

    fn add_leading(&mut self, name: &str, block: usize, base: WildcardBase) {
        let wildcard = LeadingWildcard { block, base };
        self.leading.entry(name.to_owned()).or_insert(wildcard);
    }

    /// The blocks with regular expressions, in their order.
    pub(crate) fn pattern_blocks(&self) -> impl Iterator<Item = usize> {
        self.patterns.iter().map(|pattern| pattern.block)
    }

    /// Selects the block for `host`, which is in lower case.
    pub(crate) fn find(&self, host: &str) -> NameMatch {
        match self.find_named(host) {
            Some(block) => NameMatch::Found(block),
            // nginx does not compare an empty name with expressions.
            None if host.is_empty() => NameMatch::Missing,
            None if !ModelRule::NginxExpression.is_followed() => NameMatch::Missing,
            None => self.find_pattern(host),
        }
    }

    /// The block that has `host` as an exact name or below a wildcard.
    fn find_named(&self, host: &str) -> Option<usize> {
        let exact = self.exact.get(host).copied();
        let exact = exact.filter(|_| ModelRule::NginxExactName.is_followed());
        if ModelRule::NginxLeadingFirst.is_followed() {
            exact
                .or_else(|| self.find_leading(host))
                .or_else(|| self.find_trailing(host))
        } else {
            exact
                .or_else(|| self.find_trailing(host))
                .or_else(|| self.find_leading(host))
        }
    }

    fn find_leading(&self, host: &str) -> Option<usize> {
        let itself = self.leading.get(host);
        let itself = itself.filter(|found| found.base == WildcardBase::Included);
        let dots = host.match_indices('.').filter(|(at, _)| *at > 0);
        let above = dots.filter_map(|(at, _)| self.leading.get(&host[at + 1..]));
        let found = longest(itself.into_iter().chain(above));
        found.map(|found| found.block)
    }

    fn find_trailing(&self, host: &str) -> Option<usize> {
        let dots = host.rmatch_indices('.');
        let ends = dots.filter(|(at, _)| at + 1 < host.len());
        longest(ends.filter_map(|(at, _)| self.trailing.get(&host[..at]).copied()))
    }

    fn find_pattern(&self, host: &str) -> NameMatch {
        let mut blocks = Vec::new();
        let mut matching = None;
        for TablePattern { block, pattern } in &self.patterns {
            match pattern.as_ref().and_then(|pattern| pattern.matches(host)) {
                Some(true) => {
                    matching = Some(*block);
                    if ModelRule::NginxExpressionOrder.is_followed() {
                        break;
                    }
                }
                Some(false) => {}
                None => blocks.push(*block),
            }
        }
        // Expressions of the block that is selected in any case decide nothing.
        blocks.retain(|block| Some(*block) != matching);
        blocks.dedup();
        match matching {
            _ if !blocks.is_empty() => NameMatch::Undecided {
                blocks,
                otherwise: matching,
            },
            Some(block) => NameMatch::Found(block),
            None => NameMatch::Missing,
        }
    }
}

/// The longest of the wildcards that match, which is the first.
fn longest<T>(mut found: impl Iterator<Item = T>) -> Option<T> {
    if ModelRule::NginxLongestWildcard.is_followed() {
        found.next()
    } else {
        found.last()
    }
}

#[cfg(test)]
mod tests {
    use super::{NameMatch, NameTable};
    use crate::webserver::nginx::name::server_name;

    fn table(blocks: &[&str]) -> NameTable {
        let mut table = NameTable::default();
        for (block, names) in blocks.iter().enumerate() {
            for word in names.split(' ') {
                table.add(&server_name(word), block);
            }
        }
        table
    }

    #[test]
    fn names_are_compared_in_nginx_order() {
        for (blocks, host, expected) in [
            (
                vec!["*.example", "a.example", ".a.example"],
                "a.example",
                Some(1),
            ),
            (vec!["*.example", ".a.example"], "a.example", Some(1)),
            (vec!["*.example", "*.a.example"], "b.a.example", Some(1)),
            (vec!["*.example", "*.a.example"], "a.example", Some(0)),
            (vec!["www.*", "*.example"], "www.example", Some(1)),
            (vec!["www.*", "www.a.*"], "www.a.test", Some(1)),
            (vec!["www.*", "www.a.*"], "www.a", Some(0)),
            (vec!["~^a", "~^a\\.", "b.*"], "a.test", Some(0)),
            (vec!["~^a", "a.*"], "a.test", Some(1)),
            // The first of two equal names, and the whole of a name that conflicts.
            (vec!["a.example", "a.example"], "a.example", Some(0)),
            (vec!["a.example", ".a.example"], "b.a.example", None),
            (vec!["a.example .a.example"], "b.a.example", None),
            (vec![".a.example", "a.example"], "a.example", Some(0)),
            (
                vec!["*.a.example", ".a.example", "a.example"],
                "a.example",
                None,
            ),
            (vec!["*.a.example", ".a.example"], "b.a.example", Some(0)),
            (vec!["~^x", "_"], "_", None),
            (vec!["~."], "", None),
        ] {
            let found = match table(&blocks).find(host) {
                NameMatch::Found(block) => Some(block),
                NameMatch::Missing => None,
                NameMatch::Undecided { .. } => panic!("{blocks:?} {host}"),
            };
            assert_eq!(found, expected, "{blocks:?} {host}");
        }
    }

    #[test]
    fn expressions_that_are_not_evaluated_leave_several_blocks() {
        let undecided = |blocks: &[&str]| match table(blocks).find("a.example") {
            NameMatch::Undecided { blocks, otherwise } => (blocks, otherwise),
            other => panic!("{other:?}"),
        };
        assert_eq!(undecided(&["~(?<=x)a"]), (vec![0], None));
        assert_eq!(
            undecided(&["~(?<=x)a", "~b", "~a", "~(?<!a)"]),
            (vec![0], Some(2))
        );
        assert_eq!(
            table(&["~b", "~a", "~(?<=x)a"]).find("a.example"),
            NameMatch::Found(1)
        );
        assert_eq!(
            table(&["~(?<=x)a ~a"]).find("a.example"),
            NameMatch::Found(0)
        );
    }
}
