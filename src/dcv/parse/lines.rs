//! Lines and columns: words become host, type and value by their labels or their order.

use std::borrow::Cow;

use super::shown::{self, RawRecord, RecordError};
use crate::dcv::answer::RecordKind;

/// What panels call the host. Two words of one label stand apart: `record name`.
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
/// What panels call the value.
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
/// What stands around them.
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

/// The longest word in bytes that is looked at as one of these; all are shorter, with what may
/// stand behind them.
const LONGEST: usize = 40;

/// A word of a line.
struct Word<'a> {
    text: Cow<'a, str>,
    quoted: bool,
}

/// What the next word is.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Role {
    Host,
    Value,
}

/// A record as far as its words have come.
#[derive(Default)]
struct Draft {
    host: Option<String>,
    kind: Option<RecordKind>,
    value: Option<String>,
}

#[derive(Default)]
struct Reader {
    pairs: Vec<RawRecord>,
    draft: Draft,
    /// What a label says that the next word is.
    role: Option<Role>,
}

/// The records in lines.
pub(super) fn pairs(text: &str) -> Result<Vec<RawRecord>, RecordError> {
    let mut reader = Reader::default();
    for line in text.lines() {
        reader.line(words(line))?;
    }
    reader.flush()?;
    Ok(reader.pairs)
}

impl Reader {
    fn line(&mut self, words: Vec<Word<'_>>) -> Result<(), RecordError> {
        let labels = words.iter().filter(|word| role(word).is_some()).count();
        let data = words
            .iter()
            .any(|word| !is_noise(word) && kind(word).is_none() && role(word).is_none());
        // The heads of a table say nothing of the next word.
        if labels > 1 && !data {
            return Ok(());
        }
        let mut text_before = false;
        for word in words {
            if is_noise(&word) {
                continue;
            }
            match (kind(&word), role(&word)) {
                (Some(kind), _) => self.kind(kind?)?,
                (_, Some(role)) => self.role = Some(role),
                _ if word.quoted && text_before => self
                    .draft
                    .value
                    .iter_mut()
                    .for_each(|value| value.push_str(&word.text)),
                _ => {
                    self.data(&word)?;
                    text_before = word.quoted
                        && self.draft.value.is_some()
                        && self.draft.kind == Some(RecordKind::Txt);
                }
            }
        }
        Ok(())
    }

    fn kind(&mut self, kind: RecordKind) -> Result<(), RecordError> {
        if self.draft.kind.is_some() {
            self.flush()?;
        }
        self.draft.kind = Some(kind);
        Ok(())
    }

    fn data(&mut self, word: &Word<'_>) -> Result<(), RecordError> {
        if word.text.contains("//") && !word.quoted {
            return Err(RecordError::Url(word.text.to_string()));
        }
        let role = self.role.take().unwrap_or(match self.draft {
            Draft {
                host: Some(_),
                value: None,
                ..
            } => Role::Value,
            _ => Role::Host,
        });
        let Draft { host, value, .. } = &self.draft;
        let taken = match role {
            Role::Host => host.is_some(),
            Role::Value => value.is_some(),
        };
        if taken {
            self.flush()?;
        }
        let place = match role {
            Role::Host => &mut self.draft.host,
            Role::Value => &mut self.draft.value,
        };
        *place = Some(word.text.to_string());
        Ok(())
    }

    /// Takes the record before in, once the next one begins.
    fn flush(&mut self) -> Result<(), RecordError> {
        let Draft { host, kind, value } = std::mem::take(&mut self.draft);
        match (host, value) {
            (Some(host), Some(value)) => self.pairs.push(RawRecord { host, kind, value }),
            (Some(host), None) => {
                return Err(shown::nearly(&host).unwrap_or(RecordError::NoValue(host)));
            }
            (None, Some(value)) => return Err(RecordError::NoHost(value)),
            (None, None) => {}
        }
        Ok(())
    }
}

/// The words of a line without its comment; what stands in quotes is one word.
fn words(line: &str) -> Vec<Word<'_>> {
    // Many octets at once: a line is read in no time where nothing but blanks is between its words.
    if line.as_bytes().chunks(32).all(|some| {
        some.iter()
            .fold(true, |plain, octet| plain & is_plain(*octet))
    }) {
        return line
            .split_ascii_whitespace()
            .map(|word| Word {
                text: word.into(),
                quoted: false,
            })
            .collect();
    }
    let mut words = vec![Word {
        text: Cow::default(),
        quoted: false,
    }];
    let mut inside = false;
    let mut escaped = false;
    for c in line.chars() {
        let quote = "\"\u{201c}\u{201d}\u{201e}".contains(c);
        let between = c.is_whitespace() || "|,'`<>\u{feff}\u{2192}\u{2018}\u{2019}".contains(c);
        match c {
            _ if escaped => escaped = false,
            '\\' if inside => {
                escaped = true;
                continue;
            }
            _ if quote => {
                inside = !inside;
                words.push(Word {
                    text: Cow::default(),
                    quoted: inside,
                });
                continue;
            }
            ';' if !inside => break,
            _ if between && !inside => {
                words.push(Word {
                    text: Cow::default(),
                    quoted: false,
                });
                continue;
            }
            _ => {}
        }
        if let Some(last) = words.last_mut() {
            last.text.to_mut().push(c);
        }
    }
    words.retain(|word| word.quoted || !word.text.is_empty());
    words
}

/// Whether it is a part of a word, or a blank; quotes, comments and what else stands between words
/// are not.
fn is_plain(octet: u8) -> bool {
    let special = matches!(
        octet,
        b'"' | b'\\' | b';' | b'|' | b',' | b'\'' | b'`' | b'<' | b'>'
    );
    matches!(octet, b'\t' | b' '..=b'~') & !special
}

/// What a word says of the next one: `Host:`, `points`.
fn role(word: &Word<'_>) -> Option<Role> {
    if word.text.len() > LONGEST {
        return None;
    }
    let label = label(word);
    let is = |labels: &[&str]| labels.contains(&label.as_str());
    match (is(&HOST), is(&VALUE)) {
        (true, _) => Some(Role::Host),
        (_, true) => Some(Role::Value),
        _ => None,
    }
}

fn label(word: &Word<'_>) -> String {
    word.text
        .trim_end_matches([':', '\u{ff1a}', '='])
        .trim_end_matches("(s)")
        .to_lowercase()
}

/// Class, TTL, and words that stand around what is meant.
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
    !word.quoted && (ttl || NOISE.contains(&label(word).as_str()))
}

/// The type of record; one that proves nothing is an error.
fn kind(word: &Word<'_>) -> Option<Result<RecordKind, RecordError>> {
    const OTHERS: [&str; 8] = ["A", "AAAA", "ALIAS", "ANAME", "CAA", "MX", "NS", "SRV"];
    if word.text.len() > LONGEST {
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
