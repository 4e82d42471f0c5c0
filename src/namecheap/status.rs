//! The states of a certificate at Namecheap.

use std::fmt;

/// The state of a certificate (the attribute `Status` of `ssl.getInfo` and `ssl.getList`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum CertificateStatus {
    /// Bought, and not activated: no names and no request.
    NewPurchase,
    /// The same for one that renews an earlier one.
    NewRenewal,
    /// Activated or reissued; the CA validates the names, or issues.
    Purchased,
    /// The CA or Namecheap could not process the activation.
    PurchaseError,
    /// Issued.
    Active,
    /// A reissue has another id.
    Replaced,
    Cancelled,
    Expired,
    /// A word that is not documented.
    Other(String),
}

impl CertificateStatus {
    /// Reads the word of the API, which writes it in several ways.
    #[must_use]
    pub(super) fn parse(text: &str) -> Self {
        let word: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        match word.to_ascii_lowercase().as_str() {
            "newpurchase" => Self::NewPurchase,
            "newrenewal" => Self::NewRenewal,
            "purchased" => Self::Purchased,
            "purchaseerror" => Self::PurchaseError,
            "active" | "issued" => Self::Active,
            "replaced" => Self::Replaced,
            "cancelled" | "canceled" => Self::Cancelled,
            "expired" => Self::Expired,
            _ => Self::Other(text.chars().take(40).collect()),
        }
    }

    /// Returns whether it can be activated.
    #[must_use]
    pub(crate) fn is_unused(&self) -> bool {
        matches!(self, Self::NewPurchase | Self::NewRenewal)
    }
}

/// Writes the word of the API's documentation.
impl fmt::Display for CertificateStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewPurchase => "Newpurchase",
            Self::NewRenewal => "Newrenewal",
            Self::Purchased => "Purchased",
            Self::PurchaseError => "Purchaseerror",
            Self::Active => "Active",
            Self::Replaced => "Replaced",
            Self::Cancelled => "Cancelled",
            Self::Expired => "Expired",
            Self::Other(word) => word,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::CertificateStatus;

    #[test]
    fn both_spellings_of_a_state_are_read() {
        for (text, word) in [
            ("NewPurchase", "Newpurchase"),
            ("NEWPURCHASE", "Newpurchase"),
            ("New Renewal", "Newrenewal"),
            ("purchased", "Purchased"),
            ("PURCHASEERROR", "Purchaseerror"),
            ("active", "Active"),
            ("replaced", "Replaced"),
            ("Canceled", "Cancelled"),
            ("Expired", "Expired"),
            ("on hold", "on hold"),
            ("", ""),
        ] {
            assert_eq!(CertificateStatus::parse(text).to_string(), word, "{text}");
        }
    }
}
