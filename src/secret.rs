//! Text that must not appear in any output: a password, a token, a key of an API. It is wiped from
//! memory when it is dropped, and `{:?}` does not show it.

use std::fmt;

use zeroize::Zeroizing;

use crate::wording::percent_encode;

/// A secret text.
#[derive(Clone, Default, Eq, PartialEq)]
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    #[must_use]
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Returns the same without spaces and line ends around it, which no credential has.
    #[must_use]
    pub(crate) fn trimmed(&self) -> Self {
        Self::new(self.0.trim().to_owned())
    }

    /// Returns the text, for the one place that sends it or computes with it.
    #[must_use]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// What is shown instead of a secret.
const REDACTED: &str = "[secret]";
/// Shorter values are no secrets, and would make the text unreadable.
const SHORTEST: usize = 6;

/// Returns a text without the secrets, which another program or a server has repeated in it: as they
/// are, and percent-encoded as in a URL.
#[must_use]
pub(crate) fn redact<'a>(text: &str, secrets: impl IntoIterator<Item = &'a SecretText>) -> String {
    let mut shown = text.to_owned();
    for secret in secrets {
        let secret = secret.expose().trim();
        if secret.len() >= SHORTEST {
            shown = shown.replace(secret, REDACTED);
            shown = shown.replace(&*Zeroizing::new(percent_encode(secret)), REDACTED);
        }
    }
    shown
}

/// The attribute of a PKCS#11 URI with the PIN of a token (RFC 7512 2.4).
const PIN_ATTRIBUTE: &str = "pin-value=";

/// Returns a text without the PINs of PKCS#11 URIs in it, which a server repeats from its
/// configuration.
#[must_use]
pub(crate) fn mask_pins(text: &str) -> String {
    let mut parts = text.split(PIN_ATTRIBUTE);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // The characters that RFC 7512 2.3 allows in a value.
        let is_of_pin = |character: char| {
            character.is_ascii_alphanumeric() || "-._~%:[]@!$'()*+,=".contains(character)
        };
        shown.push_str(PIN_ATTRIBUTE);
        shown.push_str(REDACTED);
        shown.push_str(part.trim_start_matches(is_of_pin));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{SecretText, mask_pins, redact};

    #[test]
    fn pins_of_tokens_are_masked() {
        for (text, shown) in [
            ("", ""),
            ("no pin", "no pin"),
            (
                "\"engine:pkcs11:token=t;pin-value=12%334&x\": failed; pin-value=5",
                "\"engine:pkcs11:token=t;pin-value=[secret]&x\": failed; pin-value=[secret]",
            ),
        ] {
            assert_eq!(mask_pins(text), shown);
        }
    }

    #[test]
    fn secrets_in_other_texts_are_replaced() {
        let secrets = ["hunter2/x", "short"].map(|text| SecretText::new(text.to_owned()));
        let text = "GET /?token=hunter2%2Fx failed: hunter2/x is short";
        assert_eq!(
            redact(text, &secrets),
            "GET /?token=[secret] failed: [secret] is short"
        );
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = SecretText::new("hunter2".to_owned());
        assert_eq!(format!("{:?}", Some(&secret)), "Some(SecretText(..))");
        assert_eq!(secret.expose(), "hunter2");
    }
}
