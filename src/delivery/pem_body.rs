//! What stands between a BEGIN and an END line, as base64 (RFC 4648 4), freed of what mail
//! programs, editors and scripts put into it.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::delivery::diagnostics::RepairKind;

/// Base64 as found in the wild: padding or not, stray bits in the last character.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A body without its white space and headers.
pub(super) struct PemBody {
    /// Base64, if it is one at all.
    pub data: Zeroizing<Vec<u8>>,
    /// A header says that it is encrypted (RFC 1421 4.6.1.1).
    pub encrypted: bool,
    /// What was taken out.
    pub mended: Vec<RepairKind>,
}

/// `text` decoded, in a buffer that is wiped whether all of it can be decoded or not.
pub(super) fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut der = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = LENIENT.decode_slice(text, &mut der).ok()?;
    der.truncate(length);
    Some(der)
}

/// What may stand before a line that was quoted in an answer.
pub(super) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'>' | b'|' | b' ' | b'\t')
}

/// The base64 of `body`. Without an END line (`whole` is false), what follows the base64 is no part
/// of it.
pub(super) fn data(body: &[u8], whole: bool) -> PemBody {
    let body = if whole { body } else { cut(body) };
    let decoded = quoted_printable(body);
    let mended = decoded.as_ref().map(|_| RepairKind::QuotedPrintable);
    let body = decoded.as_deref().map_or(body, Vec::as_slice);
    let mut found = lines(body);
    found.mended.extend(mended);
    found
}

/// The base64 of `body`, line by line.
pub(super) fn lines(body: &[u8]) -> PemBody {
    let mut found = PemBody {
        data: Zeroizing::new(Vec::with_capacity(body.len())),
        encrypted: false,
        mended: Vec::new(),
    };
    for line in body.split(|byte| matches!(byte, b'\r' | b'\n')) {
        if line.contains(&b':') {
            found.encrypted |=
                line.trim_ascii().starts_with(b"Proc-Type") && line.ends_with(b"ENCRYPTED");
            continue;
        }
        found.line(line);
    }
    found
}

/// `body` up to the first line that can be no part of it.
fn cut(body: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let odd = |byte: &u8| byte.is_ascii_punctuation() && !b"+/=>|\\".contains(byte);
        let words = line
            .trim_ascii()
            .split(|&byte| byte == b' ')
            .filter(|word| word.len() > 1)
            .count();
        if !line.contains(&b':') && (line.iter().any(odd) || words > 1) {
            break;
        }
        end += line.len();
    }
    &body[..end]
}

impl PemBody {
    fn line(&mut self, line: &[u8]) {
        let mut rest = line.trim_ascii_start();
        while let [b'>' | b'|', after @ ..] = rest {
            self.mend(RepairKind::Quoted);
            rest = after.trim_ascii_start();
        }
        loop {
            // Nearly always all of the line.
            let plain = rest.iter().take_while(|&&byte| is_base64(byte)).count();
            self.data.extend_from_slice(&rest[..plain]);
            rest = &rest[plain..];
            let Some(&byte) = rest.first() else { break };
            let skip = match rest {
                [b'\\', b'n' | b'r' | b't' | b'/', ..] => {
                    self.mend(RepairKind::EscapedLines);
                    // `\/` is how JSON may write a slash, which is base64.
                    1 + usize::from(rest[1] != b'/')
                }
                _ => invisible(rest),
            };
            if skip == 0 && !byte.is_ascii_whitespace() {
                self.data.push(byte);
            } else if skip > 1 && byte != b'\\' {
                self.mend(RepairKind::OddSpaces);
            }
            rest = &rest[skip.max(1)..];
        }
    }

    fn mend(&mut self, what: RepairKind) {
        if !self.mended.contains(&what) {
            self.mended.push(what);
        }
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// The bytes of an invisible character that is no ASCII space: no-break space, soft hyphen,
/// zero-width ones, byte order mark.
fn invisible(bytes: &[u8]) -> usize {
    match bytes {
        [0xc2, 0xa0 | 0xad, ..] => 2,
        [0xe2, 0x80, 0x80..=0x8f | 0xa8..=0xaf, ..]
        | [0xe3, 0x80, 0x80, ..]
        | [0xef, 0xbb, 0xbf, ..] => 3,
        _ => 0,
    }
}

/// `body` without the soft line breaks and escapes of quoted-printable (RFC 2045 6.7), where it has
/// any: base64 has `=` at its end alone.
fn quoted_printable(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut places = body
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'=')
        .map(|(at, _)| &body[at + 1..]);
    if body.contains(&b':') || !places.any(is_escape) {
        return None;
    }
    let mut out = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut rest = body;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        let blanks = after
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        match &after[blanks..] {
            [b'\r', b'\n', more @ ..] | [b'\n' | b'\r', more @ ..] => rest = more,
            [high, low, more @ ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high * 16 + low);
                    rest = more;
                }
                _ => out.push(byte),
            },
            _ => out.push(byte),
        }
    }
    Some(out)
}

/// Whether `after`, which follows a `=`, makes an escape of it: two hex digits, or a line end and
/// more base64.
fn is_escape(after: &[u8]) -> bool {
    match after.trim_ascii_start() {
        [high, low, ..] if after.first() == Some(high) => {
            hex(*high).is_some() && hex(*low).is_some()
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
fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::{RepairKind, data};

    #[test]
    fn a_body_is_its_base64() {
        for (body, wanted, mended) in [
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
                vec![RepairKind::OddSpaces],
            ),
            ("\nAA=A\n", "AA=A", vec![]),
        ] {
            let found = data(body.as_bytes(), true);
            assert_eq!(
                (std::str::from_utf8(&found.data).unwrap(), found.mended),
                (wanted, mended),
                "{body}"
            );
        }
        assert_eq!(
            &*data(b"\nAAAA\nBB==\nYours, the shop\n", false).data,
            b"AAAABB=="
        );
    }
}
