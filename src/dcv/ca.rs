//! What is known of each CA and shop, as data with source and date.

/// A CA or shop, by the name that a buyer knows (`--ca`).
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Ca {
    /// namecheap.com
    Namecheap,
    /// ssls.com
    Ssls,
    /// sectigo.com and most of its resellers
    Sectigo,
    /// zerossl.com
    Zerossl,
    /// ssl.com
    #[value(name = "ssl.com")]
    SslCom,
    /// A company's own CA: no proof in the DNS
    Private,
}

/// Whether the target carries a value that only the shop knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UniqueValue {
    /// Always: the target cannot be known from the request alone.
    Always,
    /// Only where a key is used again: a fresh request has none.
    WhenKeyIsReused,
}

/// How a CA of the CSR-hash family writes its CNAME target.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CsrHash {
    /// The zones it is known to use, the likeliest first.
    pub zones: &'static [&'static str],
    /// Whether a unique value stands before the zone.
    pub unique: UniqueValue,
}

impl Ca {
    /// The name as typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Namecheap => "namecheap",
            Self::Ssls => "ssls",
            Self::Sectigo => "sectigo",
            Self::Zerossl => "zerossl",
            Self::SslCom => "ssl.com",
            Self::Private => "private",
        }
    }

    /// The CA of a name as typed.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Namecheap, Self::Ssls, Self::Sectigo, Self::Zerossl, Self::SslCom, Self::Private]
            .into_iter()
            .find(|ca| ca.name() == name)
    }

    /// The name as the shop writes it, for sentences.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Namecheap => "Namecheap",
            Self::Ssls => "SSLs.com",
            Self::Sectigo => "Sectigo",
            Self::Zerossl => "ZeroSSL",
            Self::SslCom => "SSL.com",
            Self::Private => "your CA",
        }
    }

    /// How it writes the record; `None` where it asks for no proof in the DNS.
    #[must_use]
    pub fn csr_hash(self) -> Option<CsrHash> {
        use UniqueValue::{Always, WhenKeyIsReused};
        let (zones, unique): (&[&str], _) = match self {
            // Reissue answers of 2026-05 carry a unique value and comodoca.com (Namecheap API, ssl.reissue); a move
            // to SSL.com was announced for 2026-07-11, and the zone that shows since is not confirmed.
            Self::Namecheap => (&["comodoca.com", "ssl.com", "sectigo.com"], Always),
            // ssls.com is Namecheap's other shop; same back end.
            Self::Ssls => (&["comodoca.com", "ssl.com", "sectigo.com"], Always),
            // docs.sectigo.com request-token page and the CNAME FAQ, seen 2026-11.
            Self::Sectigo => (&["sectigo.com", "comodoca.com"], WhenKeyIsReused),
            // API answer of 2024-04: 15 hex digits before comodoca.com.
            Self::Zerossl => (&["comodoca.com", "sectigo.com"], Always),
            // SSL.com's DV requirements: the unique value is required.
            Self::SslCom => (&["ssl.com"], Always),
            Self::Private => return None,
        };
        Some(CsrHash { zones, unique })
    }
}
