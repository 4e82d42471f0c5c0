//! The rules of each CA and reseller: how it validates control of a domain, which CA issues for it,
//! and which requests it accepts. The rows are in `table`, each with its source and the month in
//! which the source was read; unconfirmed facts are marked.

mod profile;
mod table;

pub(crate) use self::profile::{
    CaProfile, CaaIssuer, Confirmation, CsrHashTarget, DnsValidation, HttpValidation,
    RandomValueRecord, RedirectPolicy, RequestLimits, UniqueValue,
};

/// A CA or reseller (`--ca`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ca {
    Acm,
    Certum,
    Digicert,
    Globalsign,
    Godaddy,
    Gogetssl,
    Namecheap,
    Private,
    Sectigo,
    SslCom,
    Ssls,
    Starfield,
    Tencent,
    Zerossl,
}

impl Ca {
    /// All CAs and resellers, in the order of `--help`.
    pub const ALL: [Self; 14] = [
        Self::Namecheap,
        Self::Ssls,
        Self::Sectigo,
        Self::Zerossl,
        Self::SslCom,
        Self::Gogetssl,
        Self::Digicert,
        Self::Globalsign,
        Self::Godaddy,
        Self::Starfield,
        Self::Certum,
        Self::Tencent,
        Self::Acm,
        Self::Private,
    ];

    #[must_use]
    pub fn profile(self) -> &'static CaProfile {
        match self {
            Self::Acm => &table::ACM,
            Self::Certum => &table::CERTUM,
            Self::Digicert => &table::DIGICERT,
            Self::Globalsign => &table::GLOBALSIGN,
            Self::Godaddy => &table::GODADDY,
            Self::Gogetssl => &table::GOGETSSL,
            Self::Namecheap => &table::NAMECHEAP,
            Self::Private => &table::PRIVATE,
            Self::Sectigo => &table::SECTIGO,
            Self::SslCom => &table::SSL_COM,
            Self::Ssls => &table::SSLS,
            Self::Starfield => &table::STARFIELD,
            Self::Tencent => &table::TENCENT,
            Self::Zerossl => &table::ZEROSSL,
        }
    }

    /// Returns what the CA accepts in a request; without a CA, what every public CA accepts.
    #[must_use]
    pub fn accepts(ca: Option<Self>) -> &'static RequestLimits {
        ca.map_or(&table::PUBLIC, |ca| &ca.profile().accepts)
    }

    /// Returns the name for the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.profile().name
    }

    /// Finds the CA for a name or brand from the command line.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|ca| ca.name() == name || ca.profile().brands.contains(&name))
    }

    /// Returns the CA's own spelling of its name, for sentences.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.profile().title
    }

    /// Returns how the CA derives its record from the request, if it does.
    #[must_use]
    pub fn csr_hash(self) -> Option<CsrHashTarget> {
        match self.profile().dns {
            DnsValidation::CsrHash(form) => Some(form),
            DnsValidation::Token(_) | DnsValidation::None => None,
        }
    }
}

impl clap::ValueEnum for Ca {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        let CaProfile {
            name,
            brands: also,
            about,
            ..
        } = self.profile();
        Some(
            clap::builder::PossibleValue::new(*name)
                .aliases(*also)
                .help(*about),
        )
    }
}

/// Returns whether `text` has the form `shape`, where each `<...>` stands for one or more
/// characters of a single label or word. Case is ignored, as in the DNS.
#[must_use]
pub(crate) fn fits(shape: &str, text: &str) -> bool {
    let Some((before, placeholder)) = shape.split_once('<') else {
        return shape.eq_ignore_ascii_case(text);
    };
    let after = placeholder.split_once('>').map_or("", |(_, after)| after);
    let Some((start, rest)) = text.split_at_checked(before.len()) else {
        return false;
    };
    // The shape continues with a character that no word has, or ends, so only the longest word can
    // match.
    let word = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
    start.eq_ignore_ascii_case(before) && word > 0 && fits(after, &rest[word..])
}

fn is_word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_=+/".contains(c)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::{Ca, Confirmation, DnsValidation, HttpValidation, fits};

    #[test]
    fn rows_are_found_by_their_names_and_have_a_source() {
        let mut names: Vec<&str> = Vec::new();
        for ca in Ca::ALL {
            let row = ca.profile();
            assert_eq!(Ca::by_name(row.name), Some(ca));
            assert!(
                row.brands.iter().all(|name| Ca::by_name(name) == Some(ca)),
                "{ca:?}"
            );
            assert!(
                row.source.len() > 10 && row.read_in.starts_with("20") && row.read_in.len() == 7,
                "{ca:?}"
            );
            assert_eq!(row.issuers.is_empty(), ca == Ca::Private);
            names.extend(row.brands.iter().chain([&row.name]));
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "two rows have the same name");
        assert_eq!(Ca::value_variants().len(), 14);
        assert_eq!(Ca::from_str("rapidssl", false), Ok(Ca::Digicert));
        assert_eq!(Ca::by_name("unknown"), None);
    }

    #[test]
    fn a_private_ca_requires_no_validation() {
        let row = Ca::Private.profile();
        assert_eq!(
            (&row.dns, &row.http, row.email),
            (
                &DnsValidation::None,
                &HttpValidation::None,
                Confirmation::No
            )
        );
        assert_eq!(row.accepts.keys, None);
    }

    #[test]
    fn shapes_match_texts_that_differ_only_in_their_placeholders() {
        for (shape, text, fit) in [
            ("<token>.dcv.digicert.com", "abc123.dcv.digicert.com", true),
            ("<token>.dcv.digicert.com", "ABC-1_2.DCV.DigiCert.com", true),
            ("<token>.dcv.digicert.com", ".dcv.digicert.com", false),
            ("<token>.dcv.digicert.com", "a.b.dcv.digicert.com", false),
            (
                "<token>.dcv.digicert.com",
                "abc.dcv.digicert.com.evil.example",
                false,
            ),
            (
                "_<32 hex>.<letters>.acm-validations.aws",
                "_0ab.mzl.acm-validations.aws",
                true,
            ),
            (
                "_<32 hex>.<letters>.acm-validations.aws",
                "0ab.mzl.acm-validations.aws",
                false,
            ),
            (
                "_globalsign-domain-verification=<token>",
                "_globalsign-domain-verification=Ab-_9",
                true,
            ),
            ("<token>", "v=spf1 -all", false),
            ("<token>", "abcDEF012", true),
            ("<token>", "", false),
            ("<token>", "\u{e9}", false),
            ("x<token>", "\u{e9}", false),
        ] {
            assert_eq!(fits(shape, text), fit, "{shape} {text}");
        }
    }
}
