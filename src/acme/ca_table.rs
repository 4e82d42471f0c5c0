//! The CAs that can be ordered from through ACME, as data: their directories, prices, rules for
//! accounts, and limits, each with its source. Any other CA is named by the URL of its directory.
//!
//! A price is `Free` only if the CA says so for everybody. Everything else needs the user's consent,
//! because an order cannot be undone. Whether a CA requires an external account is also in its
//! directory, which decides; the table only explains.

use std::fmt;
use std::str::FromStr;

/// What a certificate costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OrderPrice {
    Free,
    /// Each one is charged to the account.
    Charged,
    /// Depends on the contract, or is not known.
    Unknown,
}

impl OrderPrice {
    /// Returns the verb of a sentence about the CA.
    #[must_use]
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Free => "does not charge",
            Self::Charged => "charges",
            Self::Unknown => "may charge",
        }
    }
}

/// Whether a new account has to be bound to an external account (RFC 8555 7.3.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AccountBinding {
    None,
    /// The same binding can be used for several accounts.
    Reusable,
    /// Each binding works once.
    SingleUse,
    /// Required; it is not known how often it works.
    Unknown,
}

/// What is known about a CA.
#[derive(Debug)]
pub(crate) struct AcmeCa {
    /// The word for `--ca`.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    pub directory: &'static str,
    pub price: OrderPrice,
    pub binding: AccountBinding,
    /// How many certificates for the same set of names the CA issues in a week, if it limits that.
    pub same_names_a_week: Option<u32>,
    /// Whether clients trust its certificates.
    pub purpose: CaPurpose,
    /// Where the figures are from, and when they were read.
    pub source: &'static str,
}

/// What the certificates of a CA are for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CaPurpose {
    Production,
    /// No client trusts them.
    Testing,
}

/// All CAs, in the order of `--help`.
pub(crate) static ACME_CAS: [AcmeCa; 9] = [
    AcmeCa {
        name: "letsencrypt",
        title: "Let's Encrypt",
        directory: "https://acme-v02.api.letsencrypt.org/directory",
        price: OrderPrice::Free,
        binding: AccountBinding::None,
        same_names_a_week: Some(5),
        purpose: CaPurpose::Production,
        source: "letsencrypt.org/docs/rate-limits of 2026-08-05",
    },
    AcmeCa {
        name: "letsencrypt-staging",
        title: "Let's Encrypt (staging)",
        directory: "https://acme-staging-v02.api.letsencrypt.org/directory",
        price: OrderPrice::Free,
        binding: AccountBinding::None,
        same_names_a_week: None,
        purpose: CaPurpose::Testing,
        source: "letsencrypt.org/docs/staging-environment, 2026-11",
    },
    AcmeCa {
        name: "zerossl",
        title: "ZeroSSL",
        directory: "https://acme.zerossl.com/v2/DV90",
        price: OrderPrice::Free,
        binding: AccountBinding::Reusable,
        same_names_a_week: None,
        purpose: CaPurpose::Production,
        source: "zerossl.com/documentation/acme; reusable since 2022-03; read 2026-11",
    },
    AcmeCa {
        name: "ssl.com",
        title: "SSL.com",
        directory: "https://acme.ssl.com/sslcom-dv-ecc",
        price: OrderPrice::Unknown,
        binding: AccountBinding::Unknown,
        same_names_a_week: None,
        purpose: CaPurpose::Production,
        source: "list of CAs of lego 5.3.1; the free tier is not confirmed; 2026-11",
    },
    AcmeCa {
        name: "sectigo",
        title: "Sectigo",
        directory: "https://acme.sectigo.com/v2/DV",
        price: OrderPrice::Charged,
        binding: AccountBinding::SingleUse,
        same_names_a_week: None,
        purpose: CaPurpose::Production,
        source: "list of CAs of lego 5.3.1; certbot issue 8944; 2026-11",
    },
    AcmeCa {
        name: "google",
        title: "Google Trust Services",
        directory: "https://dv.acme-v02.api.pki.goog/directory",
        price: OrderPrice::Free,
        binding: AccountBinding::SingleUse,
        same_names_a_week: None,
        purpose: CaPurpose::Production,
        source: "cloud.google.com/certificate-manager/docs/public-ca, 2026-11",
    },
    AcmeCa {
        name: "digicert",
        title: "DigiCert",
        directory: "https://one.digicert.com/mpki/api/v1/acme/v2/directory",
        price: OrderPrice::Charged,
        binding: AccountBinding::Unknown,
        same_names_a_week: None,
        purpose: CaPurpose::Production,
        source: "list of CAs of lego 5.3.1; CertCentral shows a URL of its own; 2026-11",
    },
    AcmeCa {
        name: "globalsign",
        title: "GlobalSign",
        directory: "https://emea.acme.atlas.globalsign.com/directory",
        price: OrderPrice::Charged,
        binding: AccountBinding::Unknown,
        same_names_a_week: None,
        purpose: CaPurpose::Production,
        source: "list of CAs of lego 5.3.1; 2026-11",
    },
    AcmeCa {
        name: "actalis",
        title: "Actalis",
        directory: "https://acme-api.actalis.com/acme/directory",
        price: OrderPrice::Free,
        binding: AccountBinding::Unknown,
        same_names_a_week: None,
        purpose: CaPurpose::Production,
        source: "list of CAs of lego 5.3.1: free for one name without a wildcard; 2026-11",
    },
];

/// The CA that `--ca` names.
#[derive(Clone, Debug)]
pub(crate) enum AcmeChoice {
    Known(&'static AcmeCa),
    /// The directory of another CA.
    Url(String),
}

/// The text names no CA that can be ordered from.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a CA that certctl can order from; known are {0}, and the URL of an ACME directory")]
pub(crate) struct UnknownAcmeCa(String);

impl AcmeChoice {
    /// Returns the URL of the directory.
    #[must_use]
    pub(crate) fn directory(&self) -> &str {
        match self {
            Self::Known(ca) => ca.directory,
            Self::Url(url) => url,
        }
    }

    /// Returns what is known about the CA.
    #[must_use]
    pub(crate) fn known(&self) -> Option<&'static AcmeCa> {
        match self {
            Self::Known(ca) => Some(ca),
            Self::Url(_) => None,
        }
    }

    /// Returns the name for people.
    #[must_use]
    pub(crate) fn title(&self) -> &str {
        match self {
            Self::Known(ca) => ca.title,
            Self::Url(url) => url,
        }
    }
}

impl FromStr for AcmeChoice {
    type Err = UnknownAcmeCa;

    /// Recognizes a known CA by its name and by the URL of its directory.
    fn from_str(text: &str) -> Result<Self, UnknownAcmeCa> {
        let word = text.trim().to_ascii_lowercase();
        let mut known = ACME_CAS.iter();
        if let Some(ca) = known.find(|ca| ca.name == word || is_same_url(ca.directory, &word)) {
            return Ok(Self::Known(ca));
        }
        if word.starts_with("https://") || word.starts_with("http://") {
            return Ok(Self::Url(text.trim().to_owned()));
        }
        let mut names = Vec::new();
        for ca in &ACME_CAS {
            names.push(ca.name);
        }
        Err(UnknownAcmeCa(names.join(", ")))
    }
}

fn is_same_url(directory: &str, other: &str) -> bool {
    directory.eq_ignore_ascii_case(other.trim_end_matches('/'))
}

/// Writes it as `--ca` accepts it.
impl fmt::Display for AcmeChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(ca) => f.write_str(ca.name),
            Self::Url(url) => f.write_str(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ACME_CAS, AcmeChoice};

    #[test]
    fn cas_are_found_by_name_and_directory() {
        for (text, found) in [
            ("letsencrypt", Some("letsencrypt")),
            ("LetsEncrypt", Some("letsencrypt")),
            ("https://acme.zerossl.com/v2/DV90", Some("zerossl")),
            ("https://acme.zerossl.com/v2/DV90/", Some("zerossl")),
            ("https://ca.example/dir", Some("https://ca.example/dir")),
            ("ftp://ca.example/dir", None),
            ("namecheap", None),
            ("", None),
        ] {
            let choice: Option<AcmeChoice> = text.parse().ok();
            let shown = choice.map(|choice| choice.to_string());
            assert_eq!(shown.as_deref(), found, "{text}");
        }
    }

    #[test]
    fn each_ca_has_a_source_and_a_directory() {
        for ca in &ACME_CAS {
            assert!(ca.source.contains("2026"), "{}", ca.name);
            assert!(ca.directory.starts_with("https://"), "{}", ca.name);
            assert!(!ca.title.is_empty(), "{}", ca.name);
        }
    }
}
