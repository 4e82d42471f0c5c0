//! The `.dcv` file beside a request: zone-file text with the CA (`; ca namecheap`) and the
//! reseller's records. Other lines belong to the user and stay unchanged. Pure: parses and
//! returns text.

use super::ca::Ca;
use super::parse;
use crate::dcv::reseller_record::GivenRecord;

/// The stored CA and records of a request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StoredRecord {
    lines: Vec<DcvLine>,
    changed: bool,
}

/// A line of the file with its unchanged text.
#[derive(Clone, Debug, Eq, PartialEq)]
enum DcvLine {
    Ca(Ca, String),
    Record(GivenRecord, String),
    Other(String),
}

impl StoredRecord {
    /// Parses a file's text; lines that are neither the CA nor a record are kept and ignored.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self {
            lines: text.lines().map(DcvLine::read).collect(),
            changed: false,
        }
    }

    /// Returns the CA that was given to `csr --ca` or `dcv-check --ca`.
    #[must_use]
    pub fn ca(&self) -> Option<Ca> {
        self.lines.iter().rev().find_map(|line| {
            if let DcvLine::Ca(ca, _) = line {
                Some(*ca)
            } else {
                None
            }
        })
    }

    /// Returns the reseller's records; of several for the same host and type, the last.
    #[must_use]
    pub fn records(&self) -> Vec<GivenRecord> {
        let mut records: Vec<GivenRecord> = Vec::new();
        for record in self.lines.iter().filter_map(DcvLine::record) {
            records.retain(|one| !record.replaces(one));
            records.push(record.clone());
        }
        records
    }

    /// Returns a new record that stores only the CA.
    #[must_use]
    pub fn of_ca(ca: Ca) -> Self {
        let mut record = Self::default();
        record.set_ca(ca);
        record
    }

    /// Stores the CA, in place of an earlier one.
    pub fn set_ca(&mut self, ca: Ca) {
        if self.ca() != Some(ca) {
            let line = DcvLine::Ca(ca, format!("; ca {}", ca.name()));
            self.insert(line, |one| matches!(one, DcvLine::Ca(..)), 0);
        }
    }

    /// Adds a record; it replaces earlier ones for the same host and type.
    pub fn add(&mut self, record: &GivenRecord) {
        if !self.records().contains(record) {
            let line = DcvLine::Record(record.clone(), record.zone_line());
            self.insert(
                line,
                |one| one.record().is_some_and(|one| record.replaces(one)),
                self.lines.len(),
            );
        }
    }

    /// Inserts a line instead of the first one that it replaces, or else at the index `otherwise`.
    fn insert(&mut self, line: DcvLine, replaces: impl Fn(&DcvLine) -> bool, otherwise: usize) {
        let at = self.lines.iter().position(&replaces).unwrap_or(otherwise);
        self.lines.retain(|one| !replaces(one));
        self.lines.insert(at, line);
        self.changed = true;
    }

    /// Returns whether the CA or a record was stored since the file was read.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// Returns the content of the file, in zone-file syntax.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines
            .iter()
            .fold(String::new(), |text, line| text + line.text() + "\n")
    }
}

impl DcvLine {
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
            Ok([record]) if record.md5().is_some() || is_stored_form(trimmed) => {
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

/// Returns whether a line has the form in which certctl stores records: with complete name, TTL and
/// class. A note of the user may look like a record, but hardly like this.
fn is_stored_form(line: &str) -> bool {
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
    fn a_written_file_is_read_unchanged() {
        let mut stored = StoredRecord::default();
        stored.set_ca(Ca::Namecheap);
        stored.add(&record(LINE));
        assert_eq!(stored.text(), format!("; ca namecheap\n{LINE}"));
        let again = StoredRecord::read(&stored.text());
        assert_eq!(
            (again.ca(), again.records()),
            (stored.ca(), stored.records())
        );
    }

    #[test]
    fn the_same_record_again_changes_nothing() {
        let text = format!(
            "  ; ca namecheap \n{}",
            LINE.to_uppercase().replace(" 300 IN", "\t60\tIN")
        );
        let mut stored = StoredRecord::read(&text);
        stored.set_ca(Ca::Namecheap);
        stored.add(&stored.records()[0].clone());
        assert!(!stored.changed());
        assert_eq!(stored.text(), text);
    }

    #[test]
    fn a_new_value_replaces_the_old_ones() {
        let new = LINE.replace("69ff68dc5168c", "5a955211b1f8c");
        let mut stored = StoredRecord::read(&format!("; before\n{LINE}; between\n{LINE}; after\n"));
        assert_eq!(stored.records().len(), 1);
        stored.add(&record(&new));
        assert!(stored.changed());
        assert_eq!(stored.records(), [record(&new)]);
        assert_eq!(
            stored.text(),
            format!("; before\n{new}; between\n; after\n")
        );
    }

    #[test]
    fn other_lines_are_kept() {
        let text = "$ORIGIN example.com.\n\u{1}\n\nnote TXT \"a  b\"\n\tTXT \"same owner\"\n; ca unknown\n";
        let mut stored = StoredRecord::read(text);
        assert_eq!((stored.ca(), stored.records()), (None, vec![]));
        assert_eq!(stored.text(), text);
        stored.set_ca(Ca::Sectigo);
        stored.set_ca(Ca::Namecheap);
        stored.add(&record(LINE));
        assert_eq!(stored.text(), format!("; ca namecheap\n{text}{LINE}"));
    }
}
