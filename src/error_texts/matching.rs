//! Finds known messages in a text, whatever numbers, paths, times, quotes and line breaks are in it.

use super::table::{ErrorTable, Problem};

/// The most letters between two parts of a text, where the table has `…`.
const MOST_BETWEEN: usize = 600;
/// A shorter text must begin and end where words do.
const SHORTEST_INSIDE_WORDS: usize = 14;
/// A match that has fewer than this part of the best one's letters is by chance.
const LEAST_PART: usize = 3;

/// A known message in a text.
#[derive(Debug)]
pub(crate) struct KnownMessage<'t> {
    /// What it means.
    pub problem: &'t Problem,
    /// The key of the program whose text it is.
    pub program: &'t str,
    /// The text as the table has it.
    pub text: &'t str,
    /// Whether it is the whole text.
    pub is_whole: bool,
    strength: MatchStrength,
    start: usize,
    end: usize,
}

/// How much a match says; the greatest is the best.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct MatchStrength {
    /// Whether the text says what happened, and not only that something did.
    is_specific: bool,
    /// The number of letters that are equal.
    letters: usize,
}

/// A text of the tables, ready to be searched for.
struct KnownText<'t> {
    problem: &'t Problem,
    program: &'t str,
    text: &'t str,
    is_specific: bool,
    parts: Vec<Letters>,
}

/// All texts of the tables.
pub(crate) struct MessageIndex<'t> {
    texts: Vec<KnownText<'t>>,
}

impl<'t> MessageIndex<'t> {
    #[must_use]
    pub(crate) fn new(table: &'t ErrorTable) -> Self {
        let mut texts = Vec::new();
        for problem in &table.problems {
            let specific = problem.texts.iter().map(|row| (row, true));
            let general = problem.general.iter().map(|row| (row, false));
            for ((program, known), is_specific) in specific.chain(general) {
                for text in known {
                    let parts = text.split('…').map(Letters::of);
                    texts.push(KnownText {
                        problem,
                        program,
                        text,
                        is_specific,
                        parts: parts.filter(|part| !part.text.is_empty()).collect(),
                    });
                }
            }
        }
        Self { texts }
    }

    /// The messages in `text`, the one that says most first; each problem once.
    #[must_use]
    pub(crate) fn find_messages(&self, text: &str) -> Vec<KnownMessage<'t>> {
        let given = Letters::of(text);
        let mut found: Vec<KnownMessage<'t>> = Vec::new();
        for known in &self.texts {
            let Some((start, end)) = given.find(&known.parts) else {
                continue;
            };
            let letters = known.parts.iter().map(|part| part.text.len()).sum();
            found.push(KnownMessage {
                problem: known.problem,
                program: known.program,
                text: known.text,
                is_whole: letters == given.text.len(),
                strength: MatchStrength {
                    is_specific: known.is_specific,
                    letters,
                },
                start,
                end,
            });
        }
        // A stable sort: the order of the tables decides between equal ones.
        found.sort_by(|one, other| {
            let order = other.strength.cmp(&one.strength);
            order.then(one.start.cmp(&other.start))
        });
        independent(found)
    }
}

/// Removes what is only a part of a better match, and what is too short beside the best one.
fn independent(found: Vec<KnownMessage<'_>>) -> Vec<KnownMessage<'_>> {
    let mut kept: Vec<KnownMessage<'_>> = Vec::new();
    for message in found {
        let is_extra = kept.iter().any(|better| {
            let overlaps = message.start < better.end && better.start < message.end;
            let is_general = better.strength.is_specific && !message.strength.is_specific;
            let is_short = message.strength.letters * LEAST_PART < better.strength.letters;
            let is_same = std::ptr::eq(message.problem, better.problem);
            overlaps || is_general || is_short || is_same
        });
        if !is_extra {
            kept.push(message);
        }
    }
    kept
}

/// Known texts that have most words of `text`, the most similar first.
#[must_use]
pub(crate) fn similar_texts<'t>(table: &'t ErrorTable, text: &str) -> Vec<&'t str> {
    let wanted = words(text);
    let mut ranked = Vec::new();
    for problem in &table.problems {
        for known in problem.texts.values().chain(problem.general.values()) {
            for known in known {
                let parts = words(known);
                let shared = parts.iter().filter(|part| wanted.contains(part)).count();
                if parts.len() >= 3 && shared * 4 >= parts.len() * 3 {
                    ranked.push((shared, known.as_str()));
                }
            }
        }
    }
    ranked.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
    ranked.truncate(3);
    ranked.into_iter().map(|(_, known)| known).collect()
}

/// The words of a text that have at least three letters.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let long = words.filter(|word| word.chars().count() >= 3);
    long.map(str::to_owned).collect()
}

/// A text without anything but letters and digits, in small letters.
struct Letters {
    text: String,
    /// For each byte of `text`, and its end, whether a word begins there.
    begins_word: Vec<bool>,
}

impl Letters {
    fn of(text: &str) -> Self {
        let mut letters = Self {
            text: String::new(),
            begins_word: Vec::new(),
        };
        let mut follows_gap = true;
        for letter in unescaped(text).chars() {
            if !letter.is_alphanumeric() {
                follows_gap = true;
                continue;
            }
            for small in letter.to_lowercase() {
                letters.text.push(small);
                letters.begins_word.push(follows_gap);
                let rest = small.len_utf8() - 1;
                letters.begins_word.extend(std::iter::repeat_n(false, rest));
                follows_gap = false;
            }
        }
        letters.begins_word.push(true);
        letters
    }

    /// Finds `parts` one after the other. Returns where the first begins and the last ends.
    fn find(&self, parts: &[Self]) -> Option<(usize, usize)> {
        let (first, rest) = parts.split_first()?;
        let mut from = 0;
        while let Some(start) = self.find_part(first, from, self.text.len()) {
            let mut end = start + first.text.len();
            let is_complete = rest.iter().all(|part| {
                let limit = (end + MOST_BETWEEN).min(self.text.len());
                let place = self.find_part(part, end, limit);
                end = place.unwrap_or(end) + part.text.len();
                place.is_some()
            });
            if is_complete {
                return Some((start, end));
            }
            from = start + first.text.chars().next().map_or(1, char::len_utf8);
        }
        None
    }

    /// The place of one part between two offsets.
    fn find_part(&self, part: &Self, from: usize, limit: usize) -> Option<usize> {
        let mut from = from;
        loop {
            let place = from + self.text.get(from..)?.find(&part.text)?;
            let end = place + part.text.len();
            if place > limit {
                return None;
            }
            let is_word = self.begins_word[place] && self.begins_word[end];
            if is_word || part.text.len() >= SHORTEST_INSIDE_WORDS {
                return Some(place);
            }
            from = place + part.text.chars().next().map_or(1, char::len_utf8);
        }
    }
}

/// Replaces the colours of a terminal, `\n`, `\"` and the like of JSON, and `&quot;` and the like of HTML
/// by blanks.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let length = escape_length(rest);
        if length > 0 {
            plain.push(' ');
            rest = &rest[length..];
        } else {
            plain.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    plain
}

/// The length of the escape sequence with which `text` begins; 0 if it begins with none.
fn escape_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes {
        [0x1b, b'[', parameters @ ..] => {
            let end = parameters.iter().position(u8::is_ascii_alphabetic);
            end.map_or(2, |end| end + 3)
        }
        [b'\\', b'n' | b'r' | b't' | b'"', ..] => 2,
        [b'\\', b'u', digits @ ..] => {
            let hex = digits.iter().take(4);
            let count = hex.take_while(|digit| digit.is_ascii_hexdigit()).count();
            if count == 4 { 6 } else { 0 }
        }
        [b'&', ..] => [
            "&quot;", "&#39;", "&apos;", "&lt;", "&gt;", "&amp;", "&nbsp;",
        ]
        .into_iter()
        .find(|entity| text.starts_with(entity))
        .map_or(0, str::len),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorTable, MessageIndex, similar_texts};

    /// Numbers, paths and times in place of `…`.
    const BETWEEN: &str = " /etc/ssl/some-file.pem:17 2026-11-30T10:00:00Z ";

    fn first_problem(index: &MessageIndex<'_>, text: &str) -> Option<String> {
        let found = index.find_messages(text);
        found.first().map(|message| message.problem.name.clone())
    }

    /// Every text of the tables leads to its own problem, as it is, in a line of a log, broken into
    /// short lines, and as a JSON string in capitals.
    #[test]
    fn every_text_is_found_in_each_form() {
        let table = ErrorTable::read().unwrap();
        let mut count = 0;
        let index = MessageIndex::new(&table);
        let mut wrong = Vec::new();
        for problem in &table.problems {
            let texts = problem.texts.values().chain(problem.general.values());
            for text in texts.flatten() {
                count += 1;
                let plain = text.replace('…', BETWEEN);
                let logged =
                    format!("Nov 30 10:11:12 www1 app[4711]: [emerg] 7#7: *12 {plain}, at 3");
                let letters: Vec<char> = plain.chars().collect();
                let lines: Vec<String> = letters
                    .chunks(19)
                    .map(|line| line.iter().collect())
                    .collect();
                let quoted = format!("> {}", lines.join("\n> "));
                let json = format!("{{\"error\":\"\\n{}\"}}", plain.to_uppercase());
                for form in [&plain, &logged, &quoted, &json] {
                    let found = first_problem(&index, form);
                    if found.as_ref() != Some(&problem.name) {
                        wrong.push(format!("{form}: {found:?} and not {}", problem.name));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(count >= 150, "{count} texts");
    }

    /// What is pasted from terminals, logs and dialogs, with more around it than the tables have.
    #[test]
    fn pasted_messages_lead_to_the_problem() {
        let table = ErrorTable::read().unwrap();
        let index = MessageIndex::new(&table);
        let rows = include_str!("field_texts.txt").lines();
        let rows = rows.filter(|row| !row.starts_with('#'));
        let mut wrong = Vec::new();
        for row in rows {
            let (problem, text) = row.split_once('\t').unwrap();
            let found = first_problem(&index, text);
            if found.as_deref() != Some(problem) {
                wrong.push(format!("{text}: {found:?} and not {problem}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn unknown_texts_are_not_known() {
        let table = ErrorTable::read().unwrap();
        let index = MessageIndex::new(&table);
        for text in UNKNOWN {
            let found = index.find_messages(text);
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }

    /// Errors that have nothing to do with certificates or sites, and ordinary sentences.
    const UNKNOWN: [&str; 24] = [
        "Segmentation fault (core dumped)",
        "E: Unable to locate package nginx-extras2",
        "bash: certctl: command not found",
        "error: failed to push some refs to 'origin'",
        "No space left on device",
        "cannot open shared object file",
        "TypeError: 'NoneType' object is not subscriptable",
        "ModuleNotFoundError: No module named 'flask'",
        "Cannot read properties of undefined (reading 'map')",
        "FATAL: password authentication failed for user \"postgres\"",
        "ERROR 1045 (28000): Access denied for user 'root'@'localhost'",
        "sudo: a password is required",
        "Out of memory: Killed process 1234 (java)",
        "kernel: EXT4-fs error (device sda1)",
        "Host key verification failed.",
        "The certificate was renewed successfully",
        "All is well with the key and the certificate",
        "nginx version: nginx/1.22.1",
        "the configuration file /etc/nginx/nginx.conf syntax is ok",
        "fatal: not a git repository (or any of the parent directories): .git",
        "undefined reference to `main'",
        "npm ERR! missing script: start",
        "0",
        "",
    ];

    #[test]
    fn the_text_that_says_more_comes_first() {
        let table = ErrorTable::read().unwrap();
        for (text, problem) in [
            (
                "Job for nginx.service failed because the control process exited with error code.\n\
                 nginx: [emerg] cannot load certificate \"/etc/ssl/a.crt\": PEM_read_bio_X509_AUX() \
                 failed (SSL: error:04800066:PEM routines::bad end line)",
                "pem-block-broken-at-its-end",
            ),
            (
                "curl: (60) SSL certificate problem: certificate has expired",
                "certificate-expired",
            ),
            (
                "urn:ietf:params:acme:error:unauthorized :: No TXT record found at _acme-challenge.a.example",
                "ca-finds-no-record",
            ),
            (
                "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, \
                 certificate is not valid for 'a.example'. (_ssl.c:992)",
                "name-not-in-certificate",
            ),
        ] {
            assert_eq!(
                first_problem(&MessageIndex::new(&table), text).as_deref(),
                Some(problem),
                "{text}"
            );
        }
    }

    #[test]
    fn similar_texts_are_offered() {
        let table = ErrorTable::read().unwrap();
        let similar = similar_texts(&table, "unable to verify first certificate");
        assert_eq!(
            similar.first(),
            Some(&"unable to verify the first certificate")
        );
        assert!(similar_texts(&table, "hello world").is_empty());
    }
}
