//! The token of a challenge (RFC 8555 8.3), which becomes a file name and a part of a URL.

/// The minimum length: 128 bits of entropy in base64url (RFC 8555 8.1).
const SHORTEST: usize = 22;
/// The maximum length, well below that of a file name.
const LONGEST: usize = 128;

/// A token that is safe as a file name: base64url characters only.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ChallengeToken(String);

impl ChallengeToken {
    /// Returns the token; `None` for a text that is none, which only a hostile or broken CA sends.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        let is_token = (SHORTEST..=LONGEST).contains(&text.len()) && text.bytes().all(is_plain);
        is_token.then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::ChallengeToken;

    #[test]
    fn only_base64url_is_accepted() {
        for (text, is_token) in [
            ("DGyRejmCefe7v4NfDGDKfA", true),
            ("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA", true),
            ("DGyRejmCefe7v4NfDGDKf", false),
            ("../../../../../../etc/passwd", false),
            ("DGyRejmCefe7v4NfDGDK/A", false),
            ("DGyRejmCefe7v4NfDGDK.A", false),
            ("DGyRejmCefe7v4NfDGDK\0A", false),
            ("", false),
        ] {
            assert_eq!(ChallengeToken::parse(text).is_some(), is_token, "{text:?}");
        }
        assert!(ChallengeToken::parse(&"a".repeat(129)).is_none());
    }
}
