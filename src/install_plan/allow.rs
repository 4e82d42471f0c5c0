//! The finding codes that `--allow CODE` may override, with a reason for each. Other findings block
//! an install because no server could use the files, no client would accept them, or another user
//! would lose files.

use crate::wording::find_keyword;

/// The codes of findings, and what allowing each of them accepts.
pub(crate) const ALLOWABLE: [(&str, &str); 8] = [
    (
        "names-not-covered",
        "names that a server block serves and the certificate lacks are served without a valid certificate",
    ),
    (
        "configured-elsewhere",
        "some names of the certificate are still served with other files",
    ),
    (
        "apache-reload-risk",
        "Apache is reloaded although certctl cannot use a certificate of its configuration",
    ),
    (
        "config-not-understood",
        "files are installed for a server whose configuration certctl cannot read",
    ),
    (
        ENDS_EARLIER,
        "a certificate is installed that was issued before the live one and expires before it",
    ),
    (
        KEY_NOT_CHECKED,
        "a chain is installed without a key file, and no handshake shows that the key fits",
    ),
    (
        "key-unreachable",
        "the user who owns the key cannot enter a folder of its path",
    ),
    (
        "key-wrong-owner",
        "the new key belongs to the user who runs certctl, and no longer to its previous owner",
    ),
];

/// The code of a certificate that is older than the live one.
pub(crate) const ENDS_EARLIER: &str = "ends-earlier";

/// The code of a key that no handshake has proven.
pub(crate) const KEY_NOT_CHECKED: &str = "key-not-checked";

/// The code of an expired certificate, which `rollback` restores only if it is allowed.
pub(crate) const EXPIRED: &str = "expired";

/// The code of a revoked certificate, which `rollback` restores only if it is allowed.
pub(crate) const REVOKED: &str = "revoked";

/// Parses a code that `rollback` may ignore, in any case.
///
/// # Errors
/// A message that says what can be allowed.
pub(crate) fn parse_rollback_code(text: &str) -> Result<&'static str, &'static str> {
    find_keyword(text, &[EXPIRED, REVOKED]).ok_or(
        "codes that can be allowed: expired (a certificate is restored that has expired), revoked (one \
            that certctl has revoked)",
    )
}

/// Parses a code that may be allowed, in any case.
///
/// # Errors
/// A message that lists what can be allowed.
pub(crate) fn parse_allowed_code(text: &str) -> Result<&'static str, String> {
    let codes = ALLOWABLE.map(|(code, _)| code);
    find_keyword(text, &codes).ok_or_else(|| {
        let known: Vec<String> = ALLOWABLE
            .iter()
            .map(|(code, what)| format!("{code} ({what})"))
            .collect();
        format!("codes that can be allowed: {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::{ALLOWABLE, parse_allowed_code};

    #[test]
    fn only_listed_codes_are_allowed() {
        for (known, _) in ALLOWABLE {
            assert_eq!(parse_allowed_code(known), Ok(known));
            assert_eq!(parse_allowed_code(&known.to_uppercase()), Ok(known));
        }
        for refused in ["expired", "wrong-key", "", "names-not-covered "] {
            assert!(
                parse_allowed_code(refused)
                    .unwrap_err()
                    .contains("configured-elsewhere"),
                "{refused}"
            );
        }
    }
}
