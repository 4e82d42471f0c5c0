//! Parses records in lines and columns: labels or the order of the words show which word is the
//! host, the type or the value.

use std::borrow::Cow;

use super::shown::{self, RawRecord, RecordError};
use crate::dcv::answer::RecordKind;

/// The labels of the host in DNS providers' consoles. A label of two words is compared word by
/// word: `record name`.
const HOST: [&str; 21] = [
    "host",
    "hostname",
    "name",
    "alias",
    "subdomain",
    "owner",
    "rr",
    "nombre",
    "nom",
    "nome",
    "hôte",
    "anfitrión",
    "servidor",
    "имя",
    "хост",
    "主机记录",
    "主机名",
    "主机",
    "记录名",
    "名称",
    "ホスト名",
];
/// The labels of the value in DNS providers' consoles.
const VALUE: [&str; 23] = [
    "value",
    "target",
    "content",
    "data",
    "points",
    "destination",
    "answer",
    "canonical",
    "wert",
    "ziel",
    "inhalt",
    "valeur",
    "cible",
    "valor",
    "destino",
    "valore",
    "contenido",
    "значение",
    "记录值",
    "目标",
    "值",
    "値",
    "waarde",
];
/// Further words of consoles, which are ignored.
const NOISE: [&str; 17] = [
    "",
    "-",
    "in",
    "to",
    "record",
    "type",
    "typ",
    "tipo",
    "тип",
    "记录类型",
    "ttl",
    "auto",
    "automatic",
    "dns",
    "add",
    "is",
    "priority",
];

/// Longer words, in bytes, are not compared with these: all of them are shorter, with their
/// punctuation.
const LONGEST: usize = 40;

/// A word of a line.
#[derive(Default)]
struct Word<'a> {
    text: Cow<'a, str>,
    quoted: bool,
}

/// Which column of a record a word belongs to.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Column {
    Host,
    Value,
}

/// A record that is not complete yet.
#[derive(Default)]
struct PartialRecord {
    host: Option<String>,
    kind: Option<RecordKind>,
    value: Option<String>,
}

/// The state of the parser.
#[derive(Default)]
struct LineRecords {
    records: Vec<RawRecord>,
    draft: PartialRecord,
    /// The column of the next word, if a label precedes it.
    next_column: Option<Column>,
}

/// Returns the records in the lines of `text`.
///
/// # Errors
/// An incomplete record, another record type, or a URL.
pub(super) fn read_lines(text: &str) -> Result<Vec<RawRecord>, RecordError> {
    let mut reader = LineRecords::default();
    for line in text.lines() {
        reader.read_line(split_words(line))?;
    }
    reader.finish_record()?;
    Ok(reader.records)
}

impl LineRecords {
    fn read_line(&mut self, words: Vec<Word<'_>>) -> Result<(), RecordError> {
        if is_table_head(&words) {
            return Ok(());
        }
        let mut text_before = false;
        let phrase = foreign_label(&words);
        for word in words.into_iter().skip(phrase) {
            if is_noise(&word) {
                continue;
            }
            if let Some(kind) = parse_kind(&word) {
                self.set_kind(kind?)?;
            } else if let Some(column) = column_of_label(&word) {
                self.next_column = Some(column);
            } else if word.quoted && text_before {
                // The next string of the same TXT record.
                if let Some(value) = &mut self.draft.value {
                    value.push_str(&word.text);
                }
            } else {
                self.add_data(&word)?;
                text_before = word.quoted
                    && self.draft.value.is_some()
                    && self.draft.kind == Some(RecordKind::Txt);
            }
        }
        Ok(())
    }

    fn set_kind(&mut self, kind: RecordKind) -> Result<(), RecordError> {
        if self.draft.kind.is_some() {
            self.finish_record()?;
        }
        self.draft.kind = Some(kind);
        Ok(())
    }

    fn add_data(&mut self, word: &Word<'_>) -> Result<(), RecordError> {
        if word.text.contains("//") && !word.quoted {
            return Err(RecordError::Url(word.text.to_string()));
        }
        let by_order = if self.draft.host.is_some() && self.draft.value.is_none() {
            Column::Value
        } else {
            Column::Host
        };
        let column = self.next_column.take().unwrap_or(by_order);
        if self.draft.cell(column).is_some() {
            self.finish_record()?;
        }
        *self.draft.cell(column) = Some(word.text.to_string());
        Ok(())
    }

    /// Adds the current record to the others.
    fn finish_record(&mut self) -> Result<(), RecordError> {
        let PartialRecord { host, kind, value } = std::mem::take(&mut self.draft);
        match (host, value) {
            (Some(value), None) | (None, Some(value)) if shown::is_lone_hash_value(&value) => {
                return Err(RecordError::NoHashHost(value));
            }
            (Some(host), Some(value)) => self.records.push(RawRecord { host, kind, value }),
            (Some(host), None) => {
                return Err(shown::damaged_host_error(&host).unwrap_or(RecordError::NoValue(host)));
            }
            (None, Some(value)) => return Err(RecordError::NoHost(value)),
            (None, None) => {}
        }
        Ok(())
    }
}

impl PartialRecord {
    fn cell(&mut self, column: Column) -> &mut Option<String> {
        match column {
            Column::Host => &mut self.host,
            Column::Value => &mut self.value,
        }
    }
}

/// Returns the number of words in front of one value that are its label in a language that is not
/// known here: words without digits, of which the last ends in a colon. Then the order of the lines
/// says which value it is.
fn foreign_label(words: &[Word<'_>]) -> usize {
    let Some((_, before)) = words.split_last() else {
        return 0;
    };
    let Some(last) = before.last() else {
        return 0;
    };
    let is_phrase = last.text.ends_with([':', '\u{ff1a}'])
        && before.iter().all(|word| {
            let text = word.text.trim_end_matches([':', '\u{ff1a}']);
            !word.quoted
                && text
                    .chars()
                    .all(|c| c.is_alphabetic() || "-()/'".contains(c))
        });
    let is_known = |word: &Word<'_>| column_of_label(word).is_some() || parse_kind(word).is_some();
    if is_phrase && !before.iter().any(is_known) {
        before.len()
    } else {
        0
    }
}

/// Returns whether a line has only column headings of a table, which are not labels of the next
/// word.
fn is_table_head(words: &[Word<'_>]) -> bool {
    let labels = words
        .iter()
        .filter(|word| column_of_label(word).is_some())
        .count();
    labels > 1
        && words.iter().all(|word| {
            is_noise(word) || parse_kind(word).is_some() || column_of_label(word).is_some()
        })
}

/// Returns the words of a line without its comment; a quoted text is one word.
fn split_words(line: &str) -> Vec<Word<'_>> {
    if !is_plain_line(line) {
        return split_quoted_words(line);
    }
    line.split_ascii_whitespace()
        .map(|word| Word {
            text: word.into(),
            quoted: false,
        })
        .collect()
}

/// Returns whether only spaces and tabs separate the words of a line. Checks many bytes at once,
/// because most lines of a long list are plain.
fn is_plain_line(line: &str) -> bool {
    line.as_bytes().chunks(32).all(|chunk| {
        chunk
            .iter()
            .fold(true, |plain, octet| plain & is_plain(*octet))
    })
}

/// The meaning of a character in a line.
enum CharMeaning {
    /// It belongs to the word.
    Text,
    /// The next character belongs to the word, even if it is special.
    Escape,
    /// A quoted text begins or ends.
    Quote,
    /// It separates words.
    Separator,
    /// The rest of the line is a comment.
    Comment,
}

fn split_quoted_words(line: &str) -> Vec<Word<'_>> {
    let mut words = vec![Word::default()];
    let mut quoted = false;
    let mut escaped = false;
    for c in line.chars() {
        let meaning = if escaped {
            CharMeaning::Text
        } else if quoted {
            meaning_in_quotes(c)
        } else {
            meaning_outside_quotes(c)
        };
        escaped = false;
        match meaning {
            CharMeaning::Text => {
                if let Some(last) = words.last_mut() {
                    last.text.to_mut().push(c);
                }
            }
            CharMeaning::Escape => escaped = true,
            CharMeaning::Quote => {
                quoted = !quoted;
                words.push(Word {
                    quoted,
                    ..Word::default()
                });
            }
            CharMeaning::Separator => words.push(Word::default()),
            CharMeaning::Comment => break,
        }
    }
    words.retain(|word| word.quoted || !word.text.is_empty());
    words
}

fn meaning_in_quotes(c: char) -> CharMeaning {
    match c {
        '\\' => CharMeaning::Escape,
        _ if is_quote(c) => CharMeaning::Quote,
        _ => CharMeaning::Text,
    }
}

fn meaning_outside_quotes(c: char) -> CharMeaning {
    match c {
        ';' => CharMeaning::Comment,
        _ if is_quote(c) => CharMeaning::Quote,
        _ if is_separator(c) => CharMeaning::Separator,
        _ => CharMeaning::Text,
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || "|,'`<>\u{feff}\u{2192}\u{2018}\u{2019}".contains(c)
}

/// Returns whether a byte is a part of a word, or a space or tab; quotes, comments and other
/// separators are not.
fn is_plain(octet: u8) -> bool {
    let special = matches!(
        octet,
        b'"' | b'\\' | b';' | b'|' | b',' | b'\'' | b'`' | b'<' | b'>'
    );
    matches!(octet, b'\t' | b' '..=b'~') & !special
}

/// Returns the column of a label such as `Host:` or `points`.
fn column_of_label(word: &Word<'_>) -> Option<Column> {
    if word.text.len() > LONGEST {
        return None;
    }
    let label = label_text(word);
    if HOST.contains(&label.as_str()) {
        Some(Column::Host)
    } else if VALUE.contains(&label.as_str()) {
        Some(Column::Value)
    } else {
        None
    }
}

fn label_text(word: &Word<'_>) -> String {
    word.text
        .trim_end_matches([':', '\u{ff1a}', '='])
        .trim_end_matches("(s)")
        .to_lowercase()
}

/// Returns whether a word is a class, a TTL, or another word without information about the record.
fn is_noise(word: &Word<'_>) -> bool {
    let text = word.text.as_ref();
    if text.len() > LONGEST {
        return false;
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ttl = text.len() < 11
        && text.len() - digits.len() < 2
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit());
    let is_rule = text.chars().all(|c| "-=+_:#*\u{2500}\u{2502}".contains(c));
    !word.quoted && (ttl || is_rule || NOISE.contains(&label_text(word).as_str()))
}

/// Parses a record type; a type other than CNAME and TXT is an error.
fn parse_kind(word: &Word<'_>) -> Option<Result<RecordKind, RecordError>> {
    const OTHERS: [&str; 8] = ["A", "AAAA", "ALIAS", "ANAME", "CAA", "MX", "NS", "SRV"];
    if word.text.len() > LONGEST {
        return None;
    }
    // The article `a` is a word of a sentence.
    if word.text == "a" {
        return None;
    }
    let text = word.text.trim_end_matches(':').to_ascii_uppercase();
    match text.as_str() {
        "CNAME" => Some(Ok(RecordKind::Cname)),
        "TXT" => Some(Ok(RecordKind::Txt)),
        _ => OTHERS
            .contains(&text.as_str())
            .then_some(Err(RecordError::Type(text))),
    }
}
