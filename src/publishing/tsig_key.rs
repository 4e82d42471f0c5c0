//! A TSIG key (RFC 8945) as other programs write it: BIND's `key "name" { ... };`, and the
//! `algorithm:name:secret` of kdig and nsupdate.

use crate::secret::SecretText;

/// A key, not yet decoded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TsigKeyText {
    pub name: String,
    pub algorithm: TsigHash,
    /// In base64.
    pub secret: SecretText,
}

/// The algorithms that are supported: HMAC-MD5 and HMAC-SHA1 are not, because RFC 8945 section 6
/// advises against them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum TsigHash {
    #[default]
    Sha256,
    Sha384,
    Sha512,
}

impl TsigHash {
    /// The names of the algorithms.
    pub(crate) const NAMES: &str = "hmac-sha256, hmac-sha384, hmac-sha512";

    /// Returns the algorithm with this name, in any case and with or without a final dot.
    #[must_use]
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        match name.trim_end_matches('.').to_ascii_lowercase().as_str() {
            "hmac-sha256" => Some(Self::Sha256),
            "hmac-sha384" => Some(Self::Sha384),
            "hmac-sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

/// Why a text is not a key. Never contains a part of the text, which may be the secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum TsigKeyError {
    #[error("the algorithm of the TSIG key is none of {}", TsigHash::NAMES)]
    Algorithm,
    #[error("the text is not a TSIG key")]
    Form,
    #[error("the secret of the TSIG key is not base64")]
    Secret,
    #[error("the name of the TSIG key is not a DNS name")]
    Name,
}

/// Parses a key file.
///
/// # Errors
/// See [`TsigKeyError`].
pub(crate) fn parse_key(text: &SecretText) -> Result<TsigKeyText, TsigKeyError> {
    let text = text.expose().trim_start_matches('\u{feff}').trim();
    if let Some((algorithm, name, secret)) = colon_fields(text) {
        return key_from(name, Some(algorithm), secret);
    }
    let mut words = bind_words(text);
    if words.next() != Some("key") {
        return Err(TsigKeyError::Form);
    }
    let name = words.next().ok_or(TsigKeyError::Form)?;
    let mut algorithm = None;
    let mut secret = None;
    while let Some(word) = words.next() {
        match word {
            "algorithm" => algorithm = words.next(),
            "secret" => secret = words.next(),
            _ => return Err(TsigKeyError::Form),
        }
    }
    key_from(name, algorithm, secret.ok_or(TsigKeyError::Form)?)
}

fn key_from(
    name: &str,
    algorithm: Option<&str>,
    secret: &str,
) -> Result<TsigKeyText, TsigKeyError> {
    let algorithm = match algorithm {
        Some(name) => TsigHash::by_name(name).ok_or(TsigKeyError::Algorithm)?,
        None => TsigHash::default(),
    };
    Ok(TsigKeyText {
        name: name.to_owned(),
        algorithm,
        secret: SecretText::new(secret.to_owned()),
    })
}

/// Returns the fields of `algorithm:name:secret`; without an algorithm, that is HMAC-MD5 for
/// nsupdate, which is not supported.
fn colon_fields(text: &str) -> Option<(&str, &str, &str)> {
    let mut fields = text.splitn(3, ':');
    let algorithm = fields.next()?;
    let name = fields.next()?;
    let secret = fields.next()?;
    (!text.contains(char::is_whitespace)).then_some((algorithm, name, secret))
}

/// Returns the words of a key in BIND's configuration, without comments, quotes and punctuation.
fn bind_words(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(without_comment);
    let separators = |c: char| c.is_whitespace() || "{};\"".contains(c);
    lines
        .flat_map(move |line| line.split(separators))
        .filter(|word| !word.is_empty())
}

/// Base64 may contain `//`, so that a comment starts at the beginning of the line or after a space.
fn without_comment(line: &str) -> &str {
    let starts = ["#", "//"];
    if starts
        .iter()
        .any(|start| line.trim_start().starts_with(start))
    {
        return "";
    }
    let end = [" #", " //", "\t#", "\t//"]
        .iter()
        .filter_map(|start| line.find(start))
        .min();
    line.get(..end.unwrap_or(line.len())).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::{TsigHash, TsigKeyError, parse_key};
    use crate::secret::SecretText;

    #[test]
    fn keys_of_other_programs_are_read() {
        for text in [
            "key \"certctl.\" {\n\talgorithm hmac-sha512;\n\tsecret \"aGVsbG8//w==\";\n};\n",
            "\u{feff}# made by tsig-keygen\r\nkey certctl. { algorithm HMAC-SHA512; secret aGVsbG8//w==; }; // x\r\n",
            "hmac-sha512:certctl.:aGVsbG8//w==\n",
        ] {
            let key = parse_key(&SecretText::new(text.to_owned())).unwrap();
            assert_eq!(key.name, "certctl.", "{text}");
            assert_eq!(key.algorithm, TsigHash::Sha512);
            assert_eq!(key.secret.expose(), "aGVsbG8//w==");
        }
    }

    #[test]
    fn other_texts_are_refused_without_showing_them() {
        for (text, error) in [
            ("", TsigKeyError::Form),
            ("hello", TsigKeyError::Form),
            ("zone x { secret y; };", TsigKeyError::Form),
            ("key x { algorithm hmac-sha256; };", TsigKeyError::Form),
            (
                "key x { algorithm hmac-md5; secret y; };",
                TsigKeyError::Algorithm,
            ),
            ("hmac-sha1:x:y", TsigKeyError::Algorithm),
        ] {
            assert_eq!(
                parse_key(&SecretText::new(text.to_owned())),
                Err(error),
                "{text}"
            );
        }
    }
}
