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

#[cfg(test)]
mod tests {
    use super::{SecretText, redact};

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
