//! Finds the rows of words as a person types them: in any case, with hyphens, underscores or spaces,
//! under the names of earlier versions. For unknown words it finds similar codes.

use super::entry::{CodeEntry, CodeKind};
use super::renamed::{RENAMED_WORDS, RenamedKind, RenamedWord};
use super::sections::{entries, find};

/// The most words that are read as one code: `record from another request` has four.
const MOST_WORDS: usize = 6;
/// The most similar codes that are offered.
const MOST_SIMILAR: usize = 4;

/// What words mean.
#[derive(Debug, Default)]
pub(crate) struct CodeLookup {
    /// The rows, in the order of the words; each once.
    pub entries: Vec<&'static CodeEntry>,
    /// The words that have a new name. The rows of the new names are among `entries`.
    pub renamed: Vec<&'static RenamedWord>,
    /// Words that mean nothing here; plain words that follow one another are one text.
    pub unknown: Vec<String>,
}

/// Whether the word before another one is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum PreviousWord {
    Known,
    Unknown,
}

/// Looks up `arguments`: each is a code or a part of one, and a code may be spread over several.
#[must_use]
pub(crate) fn look_up(arguments: &[String]) -> CodeLookup {
    let words: Vec<&str> = arguments
        .iter()
        .flat_map(|argument| argument.split_whitespace())
        .collect();
    let mut lookup = CodeLookup::default();
    let mut start = 0;
    let mut previous = PreviousWord::Known;
    while start < words.len() {
        let longest = (words.len() - start).min(MOST_WORDS);
        let count = (1..=longest)
            .rev()
            .find(|count| lookup.add_code(&normalized(&words[start..start + count].join("-"))));
        match count {
            Some(count) => start += count,
            None => {
                lookup.add_unknown(words[start], previous);
                start += 1;
            }
        }
        previous = count.map_or(PreviousWord::Unknown, |_| PreviousWord::Known);
    }
    lookup
}

impl CodeLookup {
    /// Adds what `code` means. Returns false if it means nothing.
    fn add_code(&mut self, code: &str) -> bool {
        let number = exit_code_number(code);
        let is_meant = |entry: &&CodeEntry| match number {
            Some(number) => entry.kind == CodeKind::ExitCode && entry.code == number,
            None => entry.code == code,
        };
        let found: Vec<&'static CodeEntry> = entries().filter(is_meant).collect();
        let renamed: Vec<&'static RenamedWord> = RENAMED_WORDS
            .iter()
            .filter(|renamed| normalized(renamed.old) == code)
            .collect();
        let is_known = !(found.is_empty() && renamed.is_empty());
        found.into_iter().for_each(|entry| self.add_entry(entry));
        for renamed in renamed {
            if let RenamedKind::Code(kind) = renamed.kind
                && let Some(entry) = find(kind, renamed.new)
            {
                self.add_entry(entry);
            }
            if !self.renamed.contains(&renamed) {
                self.renamed.push(renamed);
            }
        }
        is_known
    }

    fn add_entry(&mut self, entry: &'static CodeEntry) {
        if !self.entries.contains(&entry) {
            self.entries.push(entry);
        }
    }

    fn add_unknown(&mut self, word: &str, previous: PreviousWord) {
        let is_plain = |text: &str| !text.contains(['-', '_']);
        match self.unknown.last_mut() {
            Some(last) if previous == PreviousWord::Unknown && is_plain(last) && is_plain(word) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => self.unknown.push(word.to_owned()),
        }
    }
}

/// `Wrong_Key` and `wrong key` as `wrong-key`; `--from` as `from`.
fn normalized(word: &str) -> String {
    word.to_lowercase()
        .replace(['_', ' '], "-")
        .trim_matches('-')
        .to_owned()
}

/// The number in `5`, `exit-5` and `exit-code-5`.
fn exit_code_number(code: &str) -> Option<&str> {
    let number = code.strip_prefix("exit-").unwrap_or(code);
    let number = number.strip_prefix("code-").unwrap_or(number);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(number)
}

/// Codes like `word`, the most similar first: those with nearly the same letters, then those with
/// the same parts, then those whose rows contain it.
#[must_use]
pub(crate) fn similar_codes(word: &str) -> Vec<&'static str> {
    let wanted = normalized(word);
    let mut ranked: Vec<((usize, usize), &'static str)> = entries()
        .filter(|entry| entry.kind != CodeKind::ExitCode)
        .filter_map(|entry| Some((rank(&wanted, entry)?, entry.code)))
        .collect();
    ranked.sort_unstable();
    let mut codes: Vec<&'static str> = ranked.into_iter().map(|(_, code)| code).collect();
    codes.dedup();
    codes.truncate(MOST_SIMILAR);
    codes
}

/// How similar `entry` is to `wanted`, less being more; `None` if it is not.
fn rank(wanted: &str, entry: &CodeEntry) -> Option<(usize, usize)> {
    let distance = edit_distance(wanted, entry.code);
    if distance <= (wanted.chars().count() / 5).max(1) {
        return Some((0, distance));
    }
    let parts: Vec<&str> = wanted.split('-').collect();
    let shared = parts
        .iter()
        .filter(|part| entry.code.split('-').any(|other| is_same_part(part, other)))
        .count();
    if shared * 2 > parts.len() {
        return Some((1 + parts.len() - shared, entry.code.len()));
    }
    let phrase = wanted.replace('-', " ");
    let has_phrase = |text: &str| text.to_lowercase().contains(&phrase);
    let is_mentioned = phrase.len() >= 4 && [entry.meaning, entry.why].into_iter().any(has_phrase);
    is_mentioned.then_some((usize::MAX, entry.code.len()))
}

/// Whether two parts of codes are equal but for one letter, or for two letters that are swapped.
fn is_same_part(part: &str, other: &str) -> bool {
    part == other || (part.len() >= 4 && edit_distance(part, other) <= 1)
}

/// The number of letters to insert, delete, replace or swap with their neighbour between two words
/// (optimal string alignment).
fn edit_distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().take(100).collect();
    let other: Vec<char> = other.chars().collect();
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != wanted);
            let mut least = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            let is_swapped =
                row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *wanted;
            if is_swapped {
                let swapped: &Vec<usize> = &before_last;
                least = least.min(swapped[column - 1] + 1);
            }
            current.push(least);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::{CodeLookup, edit_distance, look_up, similar_codes};

    fn looked_up(arguments: &[&str]) -> CodeLookup {
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        look_up(&arguments)
    }

    fn codes(arguments: &[&str]) -> Vec<String> {
        let lookup = looked_up(arguments);
        let entries = lookup.entries.iter();
        entries
            .map(|entry| format!("{} {}", entry.kind.name(), entry.code))
            .collect()
    }

    #[test]
    fn codes_are_found_however_they_are_spelled() {
        for arguments in [
            &["wrong-key"][..],
            &["Wrong_Key"],
            &["wrong key"],
            &["WRONG", "KEY"],
            &["wrong-key", "wrong-key"],
        ] {
            assert_eq!(codes(arguments), ["finding wrong-key"], "{arguments:?}");
        }
        for arguments in [
            &["5"][..],
            &["exit", "5"],
            &["exit-code-5"],
            &["Exit code 5"],
        ] {
            assert_eq!(codes(arguments), ["exit-code 5"], "{arguments:?}");
        }
        assert_eq!(
            codes(&["not", "served", "expired"]),
            [
                "verdict not-served",
                "finding not-served",
                "finding expired"
            ]
        );
    }

    #[test]
    fn old_words_lead_to_the_new_ones() {
        let lookup = looked_up(&["not-asked"]);
        let renamed: Vec<&str> = lookup.renamed.iter().map(|renamed| renamed.new).collect();
        assert_eq!(renamed, ["not-probed", "not-queried"]);
        assert_eq!(
            codes(&["not-asked"]),
            ["finding not-probed", "record-caa not-queried"]
        );
        let command = looked_up(&["remove"]);
        assert_eq!((command.entries.len(), command.renamed.len()), (0, 1));
        assert_eq!(looked_up(&["from"]).renamed[0].new, "--like");
    }

    #[test]
    fn unknown_words_are_kept_as_they_were_typed() {
        let lookup = looked_up(&[
            "Key values",
            "mismatch",
            "expired",
            "wrogn-key",
            "exipred",
            "42",
        ]);
        assert_eq!(
            lookup.unknown,
            ["Key values mismatch", "wrogn-key", "exipred 42"]
        );
        assert_eq!(lookup.entries.len(), 1);
        assert!(looked_up(&["", " "]).unknown.is_empty());
    }

    #[test]
    fn similar_codes_come_first() {
        assert_eq!(similar_codes("wrogn-key")[0], "wrong-key");
        assert_eq!(similar_codes("exipred")[0], "expired");
        assert_eq!(
            similar_codes("names-missing")[0],
            "name-missing-in-certificate"
        );
        assert!(similar_codes("key values mismatch").contains(&"wrong-key"));
        assert_eq!(similar_codes("zzzz"), Vec::<&str>::new());
        assert!(similar_codes("certificate").len() <= super::MOST_SIMILAR);
    }

    #[test]
    fn the_distance_counts_edits() {
        for (one, other, distance) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("due", "duo", 1),
            ("ab", "ba", 1),
            ("wrogn", "wrong", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edit_distance(one, other), distance, "{one} {other}");
        }
    }
}
