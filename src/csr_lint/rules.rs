//! The rules as data: code, severity and source. Sources read on 2026-11-23: BR 2.2.7 (CA/Browser
//! Forum TLS Baseline Requirements), Chrome Root Program Policy 1.8, Mozilla Root Store Policy 3.0,
//! RFC 5280.

use crate::finding::Severity;
use crate::wording::find_keyword;

/// A rule for requests.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct RequestRule {
    /// The code of the finding.
    pub code: &'static str,
    /// With `Error`, the request is refused unless the code is allowed.
    pub severity: Severity,
    /// The document that states the rule.
    pub source: &'static str,
}

const fn error(code: &'static str, source: &'static str) -> RequestRule {
    RequestRule {
        code,
        severity: Severity::Error,
        source,
    }
}

const fn warning(code: &'static str, source: &'static str) -> RequestRule {
    RequestRule {
        code,
        severity: Severity::Warning,
        source,
    }
}

const fn note(code: &'static str, source: &'static str) -> RequestRule {
    RequestRule {
        code,
        severity: Severity::Note,
        source,
    }
}

pub(crate) static ADDRESS: RequestRule =
    error("address-as-name", "BR 3.2.2.5; few resellers offer it");
pub(crate) static APEX: RequestRule = warning("apex-missing", "RFC 9525 6.3");
pub(crate) static CLIENT_AUTH: RequestRule = warning(
    "client-auth",
    "Chrome Root Program Policy 1.8, from 2027-03-15",
);
pub(crate) static COMMON_NAME: RequestRule = error("common-name-not-listed", "BR 7.1.4.3");
pub(crate) static COUNTRY: RequestRule = error("country-code", "RFC 5280 A.1, BR 7.1.4.2");
pub(crate) static INTERNAL: RequestRule = error("internal-name", "BR 4.2.2, 7.1.2.7.12");
pub(crate) static KEY_REUSED: RequestRule = warning("key-reused", "NIST SP 800-57 part 1, 5.2");
pub(crate) static LOOK_ALIKE: RequestRule =
    warning("look-alike-name", "UTS 39 5.2; browsers show the A-label");
pub(crate) static MAILBOX: RequestRule = error("mailbox-as-name", "BR 7.1.2.7.12");
pub(crate) static MUST_STAPLE: RequestRule =
    warning("must-staple", "RFC 7633; OCSP is optional since BR SC-063");
pub(crate) static UNUSUAL_KEY_TYPE: RequestRule = error("unsupported-key-type", "BR 6.1.5");
pub(crate) static ORGANIZATIONAL_UNIT: RequestRule =
    note("organizational-unit", "BR SC-047, since 2022-09-01");
pub(crate) static P521: RequestRule = error("unusual-key-type", "Mozilla Root Store Policy 5.1");
pub(crate) static PUBLIC_SUFFIX: RequestRule =
    error("public-suffix", "BR 3.2.2.6, publicsuffix.org");
pub(crate) static RESERVED: RequestRule = error("reserved-name", "BR 4.2.2, SC-086");
pub(crate) static SHARED_SUFFIX: RequestRule = warning(
    "shared-suffix",
    "BR 3.2.2.6, publicsuffix.org (private section)",
);
pub(crate) static SHORT_RSA: RequestRule = warning("rsa-too-short", "BR 6.1.5");
pub(crate) static TOO_LONG: RequestRule = error("subject-too-long", "RFC 5280 A.1, BR 7.1.4.2");
pub(crate) static TOO_MANY: RequestRule =
    warning("too-many-names", "the pages of several resellers, 2026-11");
pub(crate) static UNDERSCORE: RequestRule =
    error("underscore-in-name", "BR 7.1.2.7.12, since 2019-04-30");
pub(crate) static WEAK_KEY: RequestRule = error("broken-key", "BR 6.1.1.3");
pub(crate) static WILDCARD_BY_FILE: RequestRule =
    note("wildcard-not-by-file", "BR 3.2.2.4.18, since 2021-12-01");
pub(crate) static WWW: RequestRule = warning("www-missing", "RFC 9525 6.3");

/// All rules, sorted by code.
static ALL: [&RequestRule; 23] = [
    &ADDRESS,
    &APEX,
    &WEAK_KEY,
    &CLIENT_AUTH,
    &COMMON_NAME,
    &COUNTRY,
    &INTERNAL,
    &KEY_REUSED,
    &LOOK_ALIKE,
    &MAILBOX,
    &MUST_STAPLE,
    &UNUSUAL_KEY_TYPE,
    &ORGANIZATIONAL_UNIT,
    &PUBLIC_SUFFIX,
    &RESERVED,
    &SHORT_RSA,
    &SHARED_SUFFIX,
    &TOO_LONG,
    &TOO_MANY,
    &UNDERSCORE,
    &P521,
    &WILDCARD_BY_FILE,
    &WWW,
];

/// Returns the codes of all rules.
pub fn codes() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|rule| rule.code)
}

/// The codes of CAA findings that refuse a request.
const CAA: [&str; 5] = [
    "caa-forbids",
    "caa-lookup-failed",
    "caa-parameters",
    "caa-unknown-critical",
    "caa-unreadable",
];

/// Returns the codes that `--allow` accepts: those of errors.
fn allowable_codes() -> impl Iterator<Item = &'static str> {
    ALL.iter()
        .filter(|rule| rule.severity == Severity::Error)
        .map(|rule| rule.code)
        .chain(CAA)
}

/// Parses a code of `--allow`, in any case.
///
/// # Errors
/// The list of codes that are allowed.
pub(crate) fn parse_allowable_code(text: &str) -> Result<&'static str, String> {
    let codes: Vec<&str> = allowable_codes().collect();
    find_keyword(text, &codes)
        .ok_or_else(|| format!("the codes that can be allowed are {}", codes.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::{ALL, parse_allowable_code};
    use crate::finding::Severity;

    #[test]
    fn only_codes_of_errors_can_be_allowed() {
        for rule in ALL {
            let is_allowable = parse_allowable_code(rule.code).is_ok();
            assert_eq!(
                is_allowable,
                rule.severity == Severity::Error,
                "{}",
                rule.code
            );
        }
        assert_eq!(parse_allowable_code("Internal-Name"), Ok("internal-name"));
        let refusal = parse_allowable_code("").unwrap_err();
        assert!(refusal.contains("internal-name"));
    }
}
