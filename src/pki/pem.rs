//! Writes PEM (RFC 7468): LF, 64 columns, one newline at the end. `delivery` reads it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

#[must_use]
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let config = ::pem::EncodeConfig::new().set_line_ending(::pem::LineEnding::LF);
    ::pem::encode_config(&::pem::Pem::new(label, der), config)
}

/// Encodes a `PRIVATE KEY` block. Every buffer with key bytes is wiped, and none grows, which would
/// leave copies behind.
#[must_use]
pub(crate) fn encode_key(pkcs8: &[u8]) -> Zeroizing<String> {
    const COLUMNS: usize = 64;
    let mut body = Zeroizing::new(vec![0; pkcs8.len().div_ceil(3) * 4]);
    // The buffer is as long as the text.
    let length = STANDARD.encode_slice(pkcs8, &mut body).unwrap_or(0);
    let mut text = Zeroizing::new(String::with_capacity(length + length / COLUMNS + 64));
    text.push_str("-----BEGIN PRIVATE KEY-----\n");
    for line in body[..length].chunks(COLUMNS) {
        // Base64 is ASCII.
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_encoded_as_by_the_library() {
        for length in [1, 47, 48, 49, 96, 1200] {
            let der = vec![7; length];
            assert_eq!(
                *super::encode_key(&der),
                super::encode("PRIVATE KEY", &der),
                "{length}"
            );
        }
    }
}
