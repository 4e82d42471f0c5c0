//! Where certificates are ordered: a CA with ACME, or a reseller with an API of its own.

use std::fmt;
use std::str::FromStr;

use crate::acme::ca_table::{AcmeCa, AcmeChoice, UnknownAcmeCa};
use crate::namecheap::{self, CertificateId, PurchaseTerm};

/// The value of `order --ca` for Namecheap.
const NAMECHEAP: &str = "namecheap";

/// The value of `order --ca`.
#[derive(Clone, Debug)]
pub(crate) enum OrderCa {
    Acme(AcmeChoice),
    /// A certificate that is bought at Namecheap.
    Namecheap,
}

/// Which certificate of a reseller is used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum PurchaseChoice {
    /// None was given.
    Unspecified,
    /// One that was bought already (`--certificate`).
    Certificate(CertificateId),
    /// A new one (`--buy`, `--years`).
    Buy(WantedPurchase),
}

/// What is to be bought.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct WantedPurchase {
    /// As the reseller names it.
    pub product: String,
    pub term: PurchaseTerm,
}

impl OrderCa {
    /// Returns the URL that identifies the CA in the journal and in documents.
    #[must_use]
    pub(crate) fn directory(&self) -> &str {
        match self {
            Self::Acme(ca) => ca.directory(),
            Self::Namecheap => namecheap::API_URL,
        }
    }

    /// Returns the name for people.
    #[must_use]
    pub(crate) fn title(&self) -> &str {
        match self {
            Self::Acme(ca) => ca.title(),
            Self::Namecheap => namecheap::TITLE,
        }
    }

    /// Returns what is known about a CA with ACME.
    #[must_use]
    pub(crate) fn known(&self) -> Option<&'static AcmeCa> {
        match self {
            Self::Acme(ca) => ca.known(),
            Self::Namecheap => None,
        }
    }

    /// Returns whether certificates have to be bought there first.
    #[must_use]
    pub(crate) fn is_reseller(&self) -> bool {
        matches!(self, Self::Namecheap)
    }
}

impl FromStr for OrderCa {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_named = |known: &str| text.trim().eq_ignore_ascii_case(known);
        if is_named(NAMECHEAP) || is_named(namecheap::API_URL) {
            return Ok(Self::Namecheap);
        }
        let parsed: Result<AcmeChoice, UnknownAcmeCa> = text.parse();
        let failed = |error: UnknownAcmeCa| format!("{error}, and {NAMECHEAP}");
        parsed.map(Self::Acme).map_err(failed)
    }
}

/// Writes it as `--ca` accepts it.
impl fmt::Display for OrderCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acme(ca) => ca.fmt(f),
            Self::Namecheap => f.write_str(NAMECHEAP),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OrderCa;

    #[test]
    fn resellers_are_found_beside_the_cas_with_acme() {
        for (text, shown, is_reseller) in [
            ("Namecheap", Some("namecheap"), true),
            (" namecheap ", Some("namecheap"), true),
            (
                "https://api.namecheap.com/xml.response",
                Some("namecheap"),
                true,
            ),
            ("letsencrypt", Some("letsencrypt"), false),
            (
                "https://ca.example/dir",
                Some("https://ca.example/dir"),
                false,
            ),
            ("namecheap.com", None, false),
        ] {
            let parsed: Result<OrderCa, String> = text.parse();
            let parsed = parsed.ok();
            let is = parsed.as_ref().is_some_and(OrderCa::is_reseller);
            assert_eq!(parsed.map(|ca| ca.to_string()).as_deref(), shown);
            assert_eq!(is, is_reseller, "{text}");
        }
    }
}
