//! The `.dcv` file beside a request: zone-file text with the CA named (`; ca namecheap`) and the shop's records.
//! Pure: text in, text out.

use super::ca::Ca;
use super::parse::{self, GivenRecord};

/// What is known of a request's record from earlier.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Kept {
    /// The CA that `csr --ca` or `dcv-check --ca` named.
    pub ca: Option<Ca>,
    /// The shop's records.
    pub records: Vec<GivenRecord>,
    /// Further comments of whoever edited the file.
    comments: Vec<String>,
}

impl Kept {
    /// Reads a file's text; lines that are no record of this kind are passed over.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut kept = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(name) = line.strip_prefix("; ca ") {
                kept.ca = Ca::by_name(name.trim());
            } else if line.starts_with(';') {
                kept.comments.push(line.to_owned());
            } else if let Ok(records) = parse::parse(line) {
                kept.add(&records);
            }
        }
        kept
    }

    /// Takes records in; one for the same host takes the place of the one before.
    pub fn add(&mut self, records: &[GivenRecord]) {
        for record in records {
            self.records.retain(|one| !one.same_host(record));
            self.records.push(record.clone());
        }
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        let ca = self.ca.map(|ca| format!("; ca {}", ca.name()));
        let records = self.records.iter().map(GivenRecord::zone_line);
        ca.into_iter()
            .chain(self.comments.iter().cloned())
            .chain(records)
            .fold(String::new(), |text, line| text + &line + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;
    use crate::dcv::ca::Ca;
    use crate::dcv::parse::parse;

    const LINE: &str = "_47cba4dfbe697765f51230e84f04d091.example.com. 300 IN CNAME \
        2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c4e96769d2101d67de72584dd.69ff68dc5168c.comodoca.com.\n";

    #[test]
    fn what_is_written_is_read_again() {
        let text = format!("; ca namecheap\n; order 17\n{LINE}");
        let kept = Kept::read(&text);
        assert_eq!(kept.ca, Some(Ca::Namecheap));
        assert_eq!(kept.text(), text);
    }

    #[test]
    fn a_new_value_takes_the_place_of_the_old_one() {
        let mut kept = Kept::read(LINE);
        kept.add(&parse(&LINE.replace("69ff68dc5168c", "5a955211b1f8c")).unwrap());
        assert_eq!(kept.records.len(), 1);
        assert!(kept.text().contains("5a955211b1f8c"));
    }

    #[test]
    fn garbage_is_passed_over() {
        assert_eq!(Kept::read("\u{0}\nexample.com. TXT x\n; ca nobody\n"), Kept::default());
    }
}
