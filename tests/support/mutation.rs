//! Damaged files: a file, changed in a few places by a seeded generator.

use super::seed::Generator;

/// Changes a file in a few places, sometimes inside of the DER of its first PEM block.
pub fn mutate(original: &[u8], numbers: &mut Generator) -> Vec<u8> {
    let text = String::from_utf8_lossy(original).into_owned();
    if let Some((before, body, after)) = split_first_block(&text)
        && numbers.below(3) > 0
        && let Some(mut der) = decode(body)
        && !der.is_empty()
    {
        mutate_bytes(&mut der, numbers);
        return format!("{before}{}{after}", encode(&der)).into_bytes();
    }
    let mut bytes = original.to_vec();
    mutate_bytes(&mut bytes, numbers);
    bytes
}

/// The text through the first BEGIN line, the base64 behind it, and the text from the END line on.
fn split_first_block(text: &str) -> Option<(&str, &str, &str)> {
    let label = text.find("-----BEGIN ")?;
    let begin = label + text[label..].find("-----\n")? + "-----\n".len();
    let end = begin + text[begin..].find("\n-----END ")?;
    Some((&text[..begin], &text[begin..end], &text[end..]))
}

fn mutate_bytes(bytes: &mut Vec<u8>, numbers: &mut Generator) {
    const INTERESTING: [u8; 16] = [
        0, 1, 0x7f, 0x80, 0x81, 0xff, b'\n', b'\r', b' ', b'-', b'=', b':', 0x30, 0x02, 0x03, 0xa0,
    ];
    let changes = [1, 1, 1, 2, 3][numbers.below(5)];
    for _ in 0..changes {
        if bytes.is_empty() {
            return;
        }
        // The structure is at the start of a certificate, its values all over it.
        let reach = if numbers.below(2) == 0 {
            bytes.len().min(80)
        } else {
            bytes.len()
        };
        let at = numbers.below(reach);
        match numbers.below(5) {
            0 => bytes[at] ^= 1 << numbers.below(8),
            1 => bytes[at] = INTERESTING[numbers.below(INTERESTING.len())],
            2 => bytes.insert(at, INTERESTING[numbers.below(INTERESTING.len())]),
            3 => {
                bytes.remove(at);
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let text: String = text.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    lines.join("\n")
}
