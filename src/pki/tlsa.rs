//! TLSA records (DANE, RFC 6698 and 7671): a domain's DNS says which certificate a server sends at a port.

use std::fmt::Write;

use aws_lc_rs::digest;

use super::certificate::Certificate;

/// A record, with the numbers of RFC 6698 2.1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TlsaRecord {
    pub usage: u8,
    pub selector: u8,
    pub matching: u8,
    pub data: Vec<u8>,
}

impl TlsaRecord {
    /// Returns whether the record is about the server's own certificate, and not about a CA.
    #[must_use]
    pub(crate) fn is_about_leaf(&self) -> bool {
        matches!(self.usage, 1 | 3)
    }

    /// Returns whether the record stays right as long as the key does.
    #[must_use]
    pub(crate) fn is_about_key(&self) -> bool {
        self.selector == 1
    }

    /// Returns whether the record allows this certificate.
    #[must_use]
    pub(crate) fn matches(&self, leaf: &Certificate) -> bool {
        self.data_of(leaf).is_some_and(|data| data == self.data)
    }

    /// Returns the value of the record that allows this certificate instead, as in a zone file.
    #[must_use]
    pub(crate) fn value_for(&self, leaf: &Certificate) -> Option<String> {
        let Self {
            usage,
            selector,
            matching,
            ..
        } = self;
        let mut value = format!("{usage} {selector} {matching} ");
        for byte in self.data_of(leaf)? {
            let _ = write!(value, "{byte:02x}");
        }
        Some(value)
    }

    /// The data for a certificate; `None` where the numbers have no meaning.
    fn data_of(&self, leaf: &Certificate) -> Option<Vec<u8>> {
        let selected = match self.selector {
            0 => leaf.der(),
            1 => leaf.spki(),
            _ => return None,
        };
        let algorithm = match self.matching {
            0 => return Some(selected.to_vec()),
            1 => &digest::SHA256,
            2 => &digest::SHA512,
            _ => return None,
        };
        Some(digest::digest(algorithm, selected).as_ref().to_vec())
    }
}
