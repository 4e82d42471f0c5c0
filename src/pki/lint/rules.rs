//! The rules for public CAs and their certificates as data, with their sources; those that change
//! over time are in `pki::baseline_dates`. Read on 2026-11-23: BR 2.2.7
//! (CA/Browser Forum TLS Baseline Requirements), Chrome Root Program Policy 1.8, Mozilla Root Store
//! Policy 3.0, RFC 5280.

/// The consequence of breaking a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LintSeverity {
    /// Clients refuse the certificate, or its key is publicly known.
    Refuses,
    /// It works with most clients.
    Warns,
}

/// The certificates that a rule applies to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RuleScope {
    AllCertificates,
    /// Certificates of public CAs; for a private CA it is a note.
    PublicCas,
}

#[derive(Debug, Eq, PartialEq)]
pub(crate) struct LintRule {
    /// The code of its finding.
    pub code: &'static str,
    /// The consequence of breaking it.
    pub severity: LintSeverity,
    pub applies_to: RuleScope,
    /// The section of the standard.
    pub section: &'static str,
}

const fn rule(
    code: &'static str,
    weight: LintSeverity,
    binds: RuleScope,
    section: &'static str,
) -> LintRule {
    LintRule {
        code,
        severity: weight,
        applies_to: binds,
        section,
    }
}

pub(super) static ANY_USAGE: LintRule = rule(
    "any-extended-key-usage",
    LintSeverity::Warns,
    RuleScope::PublicCas,
    "BR 7.1.2.7.10",
);
pub(super) static BROKEN_KEY: LintRule = rule(
    "broken-key",
    LintSeverity::Refuses,
    RuleScope::AllCertificates,
    "BR 6.1.1.3",
);
pub(super) static CLIENT_AUTH: LintRule = rule(
    "client-auth",
    LintSeverity::Warns,
    RuleScope::PublicCas,
    "Chrome Root Program Policy 1.8, from 2027-03-15",
);
pub(super) static CLIENT_AUTH_LOST: LintRule = rule(
    "client-auth-removed",
    LintSeverity::Warns,
    RuleScope::AllCertificates,
    "Chrome Root Program Policy 1.8",
);
pub(super) static COMMON_NAME: LintRule = rule(
    "common-name-not-listed",
    LintSeverity::Warns,
    RuleScope::PublicCas,
    "BR 7.1.4.3",
);
pub(super) static ENDS_FIRST: LintRule = rule(
    "intermediate-expires-first",
    LintSeverity::Warns,
    RuleScope::AllCertificates,
    "RFC 5280 6.1.3 a 2",
);
pub(super) static FEW_SCTS: LintRule = rule(
    "too-few-scts",
    LintSeverity::Warns,
    RuleScope::PublicCas,
    "Chrome and Apple CT policies",
);
pub(super) static MALFORMED_NAME: LintRule = rule(
    "malformed-name",
    LintSeverity::Warns,
    RuleScope::PublicCas,
    "RFC 5280 4.2.1.6, BR 7.1.2.7.12",
);
pub(super) static NO_SERVER_AUTH: LintRule = rule(
    "no-server-auth",
    LintSeverity::Refuses,
    RuleScope::PublicCas,
    "BR 7.1.2.7.10",
);
pub(super) static ODD_CURVE: LintRule = rule(
    "unsupported-key-type",
    LintSeverity::Refuses,
    RuleScope::PublicCas,
    "BR 6.1.5",
);
pub(super) static ODD_MODULUS: LintRule = rule(
    "invalid-modulus",
    LintSeverity::Warns,
    RuleScope::PublicCas,
    "BR 6.1.5, 6.1.6",
);
pub(super) static P521: LintRule = rule(
    "unusual-key-type",
    LintSeverity::Warns,
    RuleScope::PublicCas,
    "Mozilla Root Store Policy 5.1",
);
pub(super) static SERIAL: LintRule = rule(
    "invalid-serial",
    LintSeverity::Warns,
    RuleScope::PublicCas,
    "RFC 5280 4.1.2.2",
);
pub(super) static VALIDITY: LintRule = rule(
    "validity-too-long",
    LintSeverity::Refuses,
    RuleScope::PublicCas,
    "BR 6.3.2",
);

/// How many different logs must have signed timestamps in a certificate.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct SctRequirement {
    /// It applies to certificates that are valid for more days than this.
    pub above_days: i64,
    pub logs: usize,
}

/// The requirements, the longest validity last. Read on 2026-11-23: Chrome CT Policy (Embedded
/// SCTs), Apple's Certificate Transparency policy; Firefox requires the same since version 135.
pub(super) static SCT_REQUIREMENTS: [SctRequirement; 2] = [
    SctRequirement {
        above_days: 0,
        logs: 2,
    },
    SctRequirement {
        above_days: 180,
        logs: 3,
    },
];

/// A root that has expired or is no longer trusted.
#[derive(Debug, Eq, PartialEq)]
pub struct RetiredRoot {
    /// Its common name, or the organizational unit that distinguishes it from other roots of its
    /// CA.
    pub name: &'static str,
    /// The day on which it expired or lost its trust.
    pub since: &'static str,
    /// What happened, in words.
    pub why: &'static str,
    pub source: &'static str,
}

/// Roots that old bundles still contain, as themselves or cross-signed. Dates and sources were
/// checked on 2026-11-23 in the certificates themselves and in Debian's changelog.
pub(super) static RETIRED_ROOTS: [RetiredRoot; 8] = [
    RetiredRoot {
        name: "AddTrust External CA Root",
        since: "2020-05-30",
        why: "it expired",
        source: "Sectigo, AddTrust External CA Root Expiring May 30, 2020",
    },
    RetiredRoot {
        name: "UTN-USERFirst-Hardware",
        since: "2019-07-09",
        why: "it expired",
        source: "the certificate's own dates",
    },
    RetiredRoot {
        name: "DST Root CA X3",
        since: "2021-09-30",
        why: "it expired",
        source: "Let's Encrypt, DST Root CA X3 Expiration (September 2021)",
    },
    RetiredRoot {
        name: "GlobalSign Root CA - R2",
        since: "2021-12-15",
        why: "it expired",
        source: "the certificate's own dates",
    },
    RetiredRoot {
        name: "Baltimore CyberTrust Root",
        since: "2025-05-12",
        why: "it expired",
        source: "the certificate's own dates",
    },
    RetiredRoot {
        name: "GeoTrust Global CA",
        since: "2020-06-01",
        why: "browsers stopped trusting it in 2018, and Debian's list dropped it",
        source: "ca-certificates 20200601, of Mozilla's bundle 2.40",
    },
    RetiredRoot {
        name: "VeriSign Class 3 Public Primary Certification Authority - G5",
        since: "2020-06-01",
        why: "browsers stopped trusting it in 2018, and Debian's list dropped it",
        source: "ca-certificates 20200601, of Mozilla's bundle 2.40",
    },
    RetiredRoot {
        name: "thawte Primary Root CA",
        since: "2020-06-01",
        why: "browsers stopped trusting it in 2018, and Debian's list dropped it",
        source: "ca-certificates 20200601, of Mozilla's bundle 2.40",
    },
];
