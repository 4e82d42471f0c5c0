//! Text that must not appear in any output: a password, a token, a key of an API. It is wiped from
//! memory when it is dropped, and `{:?}` does not show it.

use std::fmt;

use zeroize::Zeroizing;

/// A secret text.
#[derive(Clone, Default, Eq, PartialEq)]
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    #[must_use]
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
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

#[cfg(test)]
mod tests {
    use super::SecretText;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = SecretText::new("hunter2".to_owned());
        assert_eq!(format!("{:?}", Some(&secret)), "Some(SecretText(..))");
        assert_eq!(secret.expose(), "hunter2");
    }
}
