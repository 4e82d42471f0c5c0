//! Base64 as OpenSSL decodes it (`EVP_DecodeUpdate`): blanks and line breaks anywhere, nothing after
//! the padding, and a hyphen as the end of the data.

/// The value of the base64 character, 0 for the padding; `None` for anything else.
fn value_of(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        b'=' => 0,
        _ => return None,
    }))
}

/// The characters that are decoded together.
const GROUP_LINE: usize = 64;

/// Decodes `text`.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
    let mut held = Vec::with_capacity(GROUP_LINE);
    let mut padding = 0;
    for &byte in text {
        match byte {
            b'\t' | b' ' | b'\r' | b'\n' => continue,
            b'-' => {
                return held.len().is_multiple_of(4).then(|| {
                    decode_groups(&held, padding, &mut decoded);
                    decoded
                });
            }
            _ => {}
        }
        let value = value_of(byte)?;
        if byte == b'=' {
            padding += 1;
        } else if padding > 0 {
            return None;
        }
        if padding > 2 {
            return None;
        }
        held.push(value);
        if held.len() == GROUP_LINE {
            decode_groups(&held, padding, &mut decoded);
            held.clear();
        }
    }
    if !held.len().is_multiple_of(4) {
        return None;
    }
    decode_groups(&held, padding, &mut decoded);
    Some(decoded)
}

/// Decodes groups of four characters, without the bytes that the padding stands for.
fn decode_groups(values: &[u32], padding: usize, decoded: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    for group in values.chunks_exact(4) {
        let bits = group.iter().fold(0, |bits, value| (bits << 6) | value);
        let [_, octets @ ..] = bits.to_be_bytes();
        decoded.extend_from_slice(&octets);
    }
    decoded.truncate(decoded.len() - padding);
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn base64_is_decoded_as_openssl_decodes_it() {
        for (text, decoded) in [
            ("AAEC", Some(vec![0, 1, 2])),
            ("AA\n E\tC\r\n", Some(vec![0, 1, 2])),
            ("AAE=", Some(vec![0, 1])),
            ("AA==", Some(vec![0])),
            ("AAEC-rest", Some(vec![0, 1, 2])),
            ("AAE", None),
            ("AA=C", None),
            ("A===", None),
            ("AA==AAEC", None),
            ("AA\u{b}EC", None),
        ] {
            assert_eq!(decode(text.as_bytes()), decoded, "{text:?}");
        }
    }
}
