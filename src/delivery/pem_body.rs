//! The base64 (RFC 4648 4) between a BEGIN and an END line, without the characters that mail
//! programs, editors and scripts insert.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::delivery::diagnostics::RepairKind;

/// Lenient base64: with or without padding, and with stray bits in the last character.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A body without its white space and headers.
pub(super) struct PemBody {
    /// Base64, unless the body is damaged.
    pub data: Zeroizing<Vec<u8>>,
    /// A header says that it is encrypted (RFC 1421 4.6.1.1).
    pub encrypted: bool,
    /// What was removed or decoded; each kind once.
    pub repairs: Vec<RepairKind>,
}

/// Whether the block has an END line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum EndLine {
    Missing,
    Present,
}

/// Decodes base64 into a buffer that is wiped when dropped, also if only a part can be decoded.
pub(super) fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut der = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = LENIENT.decode_slice(text, &mut der).ok()?;
    der.truncate(length);
    Some(der)
}

/// Returns whether mail programs put `byte` in front of lines that a reply quotes.
pub(super) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'>' | b'|' | b' ' | b'\t')
}

/// Extracts the base64 of `body`. Without an END line, it ends before the first line that cannot be
/// base64.
pub(super) fn extract_base64(body: &[u8], end_line: EndLine) -> PemBody {
    let body = match end_line {
        EndLine::Present => body,
        EndLine::Missing => cut_at_prose(body),
    };
    let Some(decoded) = decode_quoted_printable(body) else {
        return extract_base64_lines(body);
    };
    let mut extracted = extract_base64_lines(&decoded);
    extracted.repairs.push(RepairKind::QuotedPrintable);
    extracted
}

/// Extracts the base64 of `body` line by line; headers are skipped.
pub(super) fn extract_base64_lines(body: &[u8]) -> PemBody {
    let mut extracted = PemBody {
        data: Zeroizing::new(Vec::with_capacity(body.len())),
        encrypted: false,
        repairs: Vec::new(),
    };
    for line in body.split(|byte| matches!(byte, b'\r' | b'\n')) {
        if line.contains(&b':') {
            extracted.encrypted |=
                line.trim_ascii().starts_with(b"Proc-Type") && line.ends_with(b"ENCRYPTED");
            continue;
        }
        extracted.append_line(line);
    }
    extracted
}

/// Cuts `body` before the first line that is neither a header nor base64.
fn cut_at_prose(body: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        if !line.contains(&b':') && is_prose(line) {
            break;
        }
        end += line.len();
    }
    &body[..end]
}

/// Returns whether a line has punctuation that base64 and quoting lack, or several words.
fn is_prose(line: &[u8]) -> bool {
    let has_punctuation = line
        .iter()
        .any(|byte| byte.is_ascii_punctuation() && !b"+/=>|\\".contains(byte));
    let words = line
        .trim_ascii()
        .split(|&byte| byte == b' ')
        .filter(|word| word.len() > 1)
        .count();
    has_punctuation || words > 1
}

impl PemBody {
    /// Appends the base64 of one line.
    fn append_line(&mut self, line: &[u8]) {
        let mut rest = line.trim_ascii_start();
        while let [b'>' | b'|', after @ ..] = rest {
            self.add_repair(RepairKind::Quoted);
            rest = after.trim_ascii_start();
        }
        loop {
            // Nearly always the whole line.
            let plain = rest.iter().take_while(|&&byte| is_base64(byte)).count();
            self.data.extend_from_slice(&rest[..plain]);
            rest = &rest[plain..];
            let Some(&byte) = rest.first() else { break };
            let skip = match rest {
                [b'\\', b'n' | b'r' | b't' | b'/', ..] => {
                    self.add_repair(RepairKind::EscapedLines);
                    // `\/` is how JSON may write a slash, which is base64.
                    1 + usize::from(rest[1] != b'/')
                }
                _ => invisible_length(rest),
            };
            if skip == 0 && !byte.is_ascii_whitespace() {
                self.data.push(byte);
            } else if skip > 1 && byte != b'\\' {
                self.add_repair(RepairKind::UnusualWhitespace);
            }
            rest = &rest[skip.max(1)..];
        }
    }

    fn add_repair(&mut self, repair: RepairKind) {
        if !self.repairs.contains(&repair) {
            self.repairs.push(repair);
        }
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Returns the length in bytes of the invisible character at the start of `bytes`: no-break space,
/// soft hyphen, zero-width characters, byte order mark. 0 for anything else, including ASCII
/// spaces.
fn invisible_length(bytes: &[u8]) -> usize {
    match bytes {
        [0xc2, 0xa0 | 0xad, ..] => 2,
        [0xe2, 0x80, 0x80..=0x8f | 0xa8..=0xaf, ..]
        | [0xe3, 0x80, 0x80, ..]
        | [0xef, 0xbb, 0xbf, ..] => 3,
        _ => 0,
    }
}

/// The meaning of a `=` in quoted-printable text (RFC 2045 6.7), and the text after it.
enum QuotedEscape<'a> {
    /// An escaped octet.
    Octet(u8, &'a [u8]),
    /// A line break that is not part of the content.
    SoftBreak(&'a [u8]),
}

/// Decodes quoted-printable (RFC 2045 6.7); `None` where `body` has no escapes: base64 has `=` only
/// at its end.
fn decode_quoted_printable(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut tails = body
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'=')
        .map(|(at, _)| &body[at + 1..]);
    if body.contains(&b':') || !tails.any(is_escape) {
        return None;
    }
    let mut decoded = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut rest = body;
    while let Some((&byte, after)) = rest.split_first() {
        let escape = if byte == b'=' {
            parse_escape(after)
        } else {
            None
        };
        match escape {
            Some(QuotedEscape::Octet(octet, after)) => {
                decoded.push(octet);
                rest = after;
            }
            Some(QuotedEscape::SoftBreak(after)) => rest = after,
            None => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    Some(decoded)
}

/// Parses what follows a `=`; `None` if it is no escape.
fn parse_escape(after: &[u8]) -> Option<QuotedEscape<'_>> {
    let white_space = after
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    match &after[white_space..] {
        [b'\r', b'\n', rest @ ..] | [b'\n' | b'\r', rest @ ..] => {
            Some(QuotedEscape::SoftBreak(rest))
        }
        [high, low, rest @ ..] => {
            let high = hex_value(*high)?;
            let low = hex_value(*low)?;
            Some(QuotedEscape::Octet(high * 16 + low, rest))
        }
        _ => None,
    }
}

/// Returns whether `after`, which follows a `=`, makes it an escape: two hex digits, or a line
/// break and more base64.
fn is_escape(after: &[u8]) -> bool {
    match after.trim_ascii_start() {
        [high, low, ..] if after.first() == Some(high) => {
            hex_value(*high).is_some() && hex_value(*low).is_some()
        }
        [next, ..] => {
            let line = after.len() - after.trim_ascii_start().len();
            after[..line]
                .iter()
                .any(|byte| matches!(byte, b'\r' | b'\n'))
                && next.is_ascii_alphanumeric()
        }
        [] => false,
    }
}

/// The value of an upper- or lower-case hex digit.
fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::{EndLine, RepairKind, extract_base64};

    #[test]
    fn base64_is_extracted_and_repairs_are_reported() {
        for (body, base64, repairs) in [
            ("\nAAAA\nBBBB\n", "AAAABBBB", vec![]),
            ("\n> AAAA\n>> BB==\n", "AAAABB==", vec![RepairKind::Quoted]),
            (
                "\\nAAAA\\r\\nBB\\/B\\n",
                "AAAABB/B",
                vec![RepairKind::EscapedLines],
            ),
            (
                "\nAAAA=\nBB=3D=3D\n",
                "AAAABB==",
                vec![RepairKind::QuotedPrintable],
            ),
            (
                "\nAAAA= \r\nBBBB\n",
                "AAAABBBB",
                vec![RepairKind::QuotedPrintable],
            ),
            (
                "\nAA\u{a0}AA\u{200b}\n",
                "AAAA",
                vec![RepairKind::UnusualWhitespace],
            ),
            ("\nAA=A\n", "AA=A", vec![]),
        ] {
            let extracted = extract_base64(body.as_bytes(), EndLine::Present);
            assert_eq!(std::str::from_utf8(&extracted.data), Ok(base64), "{body}");
            assert_eq!(extracted.repairs, repairs, "{body}");
        }
        assert_eq!(
            &*extract_base64(b"\nAAAA\nBB==\nYours, the CA\n", EndLine::Missing).data,
            b"AAAABB=="
        );
    }
}
