//! The `.dcv` file beside a request: zone-file text with the CA named (`; ca namecheap`) and the
//! shop's records. Lines of other kinds belong to whoever wrote them and stay as they are. Pure:
//! text in, text out.

use super::ca::Ca;
use super::parse;
use crate::dcv::reseller_record::GivenRecord;

/// What is known of a request's record from earlier.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StoredRecord {
    lines: Vec<Line>,
    changed: bool,
}

/// A line of the file with its text as it stands there.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Line {
    Ca(Ca, String),
    Record(GivenRecord, String),
    Other(String),
}

impl StoredRecord {
    /// Reads a file's text; lines that are no record of this kind are kept and otherwise passed
    /// over.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self {
            lines: text.lines().map(Line::read).collect(),
            changed: false,
        }
    }

    /// The CA that `csr --ca` or `dcv-check --ca` named.
    #[must_use]
    pub fn ca(&self) -> Option<Ca> {
        self.lines.iter().rev().find_map(|line| {
            if let Line::Ca(ca, _) = line {
                Some(*ca)
            } else {
                None
            }
        })
    }

    /// The shop's records; of several for one host the last.
    #[must_use]
    pub fn records(&self) -> Vec<GivenRecord> {
        let mut records: Vec<GivenRecord> = Vec::new();
        for record in self.lines.iter().filter_map(Line::record) {
            records.retain(|one| !record.replaces(one));
            records.push(record.clone());
        }
        records
    }

    /// Takes the name of a CA in, in place of the one before.
    pub fn set_ca(&mut self, ca: Ca) {
        if self.ca() != Some(ca) {
            let line = Line::Ca(ca, format!("; ca {}", ca.name()));
            self.put(line, |one| matches!(one, Line::Ca(..)), 0);
        }
    }

    /// Takes a record in; one for the same host takes the place of those before.
    pub fn add(&mut self, record: &GivenRecord) {
        if !self.records().contains(record) {
            let line = Line::Record(record.clone(), record.zone_line());
            let replaced = |one: &Line| one.record().is_some_and(|one| record.replaces(one));
            self.put(line, replaced, self.lines.len());
        }
    }

    /// Puts a line where the first of those is that it replaces, else at `otherwise`.
    fn put(&mut self, line: Line, replaces: impl Fn(&Line) -> bool, otherwise: usize) {
        let at = self.lines.iter().position(&replaces).unwrap_or(otherwise);
        self.lines.retain(|one| !replaces(one));
        self.lines.insert(at, line);
        self.changed = true;
    }

    /// Whether anything was taken in since it was read.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// The content of the file, in zone-file syntax.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines
            .iter()
            .fold(String::new(), |text, line| text + line.text() + "\n")
    }
}

impl Line {
    fn read(text: &str) -> Self {
        let trimmed = text.trim();
        let text = text.to_owned();
        if let Some(ca) = trimmed
            .strip_prefix("; ca ")
            .and_then(|name| Ca::by_name(name.trim()))
        {
            return Self::Ca(ca, text);
        }
        match parse::parse(trimmed).as_deref() {
            Ok([record]) if record.md5().is_some() || is_whole(trimmed) => {
                Self::Record(record.clone(), text)
            }
            _ => Self::Other(text),
        }
    }

    fn record(&self) -> Option<&GivenRecord> {
        if let Self::Record(record, _) = self {
            Some(record)
        } else {
            None
        }
    }

    fn text(&self) -> &str {
        let (Self::Ca(_, text) | Self::Record(_, text) | Self::Other(text)) = self;
        text
    }
}

/// Whether a line is written as a record given is kept: with its whole name, TTL and class. What
/// others note may look like a record, but hardly like this.
fn is_whole(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let name = words
        .next()
        .is_some_and(|name| name.len() > 1 && name.ends_with('.'));
    name && words
        .next()
        .is_some_and(|ttl| ttl.bytes().all(|b| b.is_ascii_digit()))
        && words.next() == Some("IN")
}

#[cfg(test)]
mod tests {
    use super::StoredRecord;
    use crate::dcv::ca::Ca;
    use crate::dcv::parse::parse;
    use crate::dcv::reseller_record::GivenRecord;

    const LINE: &str = "_47cba4dfbe697765f51230e84f04d091.example.com. 300 IN CNAME \
        2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c4e96769d2101d67de72584dd.69ff68dc5168c.comodoca.com.\n";

    fn record(line: &str) -> GivenRecord {
        parse(line).unwrap().remove(0)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut kept = StoredRecord::default();
        kept.set_ca(Ca::Namecheap);
        kept.add(&record(LINE));
        assert_eq!(kept.text(), format!("; ca namecheap\n{LINE}"));
        let again = StoredRecord::read(&kept.text());
        assert_eq!((again.ca(), again.records()), (kept.ca(), kept.records()));
    }

    #[test]
    fn what_is_there_already_changes_nothing() {
        let text = format!(
            "  ; ca namecheap \n{}",
            LINE.to_uppercase().replace(" 300 IN", "\t60\tIN")
        );
        let mut kept = StoredRecord::read(&text);
        kept.set_ca(Ca::Namecheap);
        kept.add(&kept.records()[0].clone());
        assert!(!kept.changed());
        assert_eq!(kept.text(), text);
    }

    #[test]
    fn a_new_value_takes_the_place_of_the_old_ones() {
        let new = LINE.replace("69ff68dc5168c", "5a955211b1f8c");
        let mut kept = StoredRecord::read(&format!("; before\n{LINE}; between\n{LINE}; after\n"));
        assert_eq!(kept.records().len(), 1);
        kept.add(&record(&new));
        assert!(kept.changed());
        assert_eq!(kept.records(), [record(&new)]);
        assert_eq!(kept.text(), format!("; before\n{new}; between\n; after\n"));
    }

    #[test]
    fn lines_of_others_stay() {
        let text =
            "$ORIGIN example.com.\n\u{1}\n\nnote TXT \"a  b\"\n\tTXT \"same owner\"\n; ca nobody\n";
        let mut kept = StoredRecord::read(text);
        assert_eq!((kept.ca(), kept.records()), (None, vec![]));
        assert_eq!(kept.text(), text);
        kept.set_ca(Ca::Sectigo);
        kept.set_ca(Ca::Namecheap);
        kept.add(&record(LINE));
        assert_eq!(kept.text(), format!("; ca namecheap\n{text}{LINE}"));
    }
}
