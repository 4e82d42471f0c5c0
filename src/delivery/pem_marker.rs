//! BEGIN and END lines (RFC 7468 2), anywhere on a line: five hyphens on each side, or what
//! editors, mail programs and people turn them into.

use memchr::memchr3;

/// Whether a marker starts or ends a block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum MarkerEdge {
    Begin,
    End,
}

/// `-----BEGIN LABEL-----` or `-----END LABEL-----` at `start..end`.
pub(super) struct PemMarker<'a> {
    pub edge: MarkerEdge,
    pub label: &'a [u8],
    pub start: usize,
    pub end: usize,
    /// The line number, counted from 1.
    pub line: usize,
    /// Five plain hyphens on each side, with nothing between them and the words.
    pub exact: bool,
}

/// The label of an inexact marker must contain one of these words; `-- BEGIN OF STORY --` is not a
/// marker.
const LABEL_WORDS: [&[u8]; 5] = [b"CERTIFICATE", b"KEY", b"PKCS7", b"PKCS #7", b"CMS"];

/// More than the longest label, `ENCRYPTED PRIVATE KEY`, has characters.
const LONGEST_LABEL: usize = 64;

/// Finds all BEGIN and END lines, at most `limit`.
pub(super) fn find_markers(bytes: &[u8], limit: usize) -> Vec<PemMarker<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut line = 1;
    // The offset up to which line breaks have been counted.
    let mut counted = 0;
    while found.len() < limit {
        let Some(start) = next_dash(bytes, at) else {
            break;
        };
        let run = read_dashes(&bytes[start..]);
        let Some(mut marker) = marker_at(bytes, start, &run) else {
            at = start + run.length.max(1);
            continue;
        };
        line += count_line_breaks(&bytes[counted..start]);
        counted = start;
        at = marker.end;
        marker.line = line;
        found.push(marker);
    }
    found
}

/// Returns whether `bytes` have any BEGIN or END line.
pub(super) fn has_markers(bytes: &[u8]) -> bool {
    !find_markers(bytes, 1).is_empty()
}

/// Finds the next byte that may start a dash; base64 and ASCII text contain few of them.
fn next_dash(bytes: &[u8], from: usize) -> Option<usize> {
    memchr3(b'-', 0xe2, 0xef, bytes.get(from..)?).map(|at| from + at)
}

/// A run of dashes.
struct DashRun {
    count: usize,
    /// The length in bytes.
    length: usize,
    /// All of them are ASCII hyphens.
    plain: bool,
}

impl DashRun {
    const EMPTY: Self = Self {
        count: 0,
        length: 0,
        plain: true,
    };

    /// The run with one more dash of `length` bytes.
    fn extended(&self, length: usize) -> Self {
        Self {
            count: self.count + 1,
            length: self.length + length,
            plain: self.plain && length == 1,
        }
    }

    /// Returns whether it is what RFC 7468 requires on each side of a label.
    fn is_standard(&self) -> bool {
        self.count == 5 && self.plain
    }
}

/// Reads the dashes that `bytes` start with.
fn read_dashes(bytes: &[u8]) -> DashRun {
    let mut run = DashRun::EMPTY;
    while let Some(length) = bytes.get(run.length..).and_then(dash_length) {
        run = run.extended(length);
    }
    run
}

/// Returns the length in bytes of the dash at the start of `bytes`: hyphen, U+2010 to U+2015,
/// U+2212 minus, U+FE58, U+FE63, U+FF0D.
fn dash_length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'-', ..] => Some(1),
        [0xe2, 0x80, 0x90..=0x95, ..] | [0xe2, 0x88, 0x92, ..] => Some(3),
        [0xef, 0xb9, 0x98 | 0xa3, ..] | [0xef, 0xbc, 0x8d, ..] => Some(3),
        _ => None,
    }
}

/// Counts line breaks: LF, CR LF, or CR if there is no LF.
fn count_line_breaks(bytes: &[u8]) -> usize {
    let lf = bytes.iter().filter(|&&byte| byte == b'\n').count();
    if lf > 0 {
        lf
    } else {
        bytes.iter().filter(|&&byte| byte == b'\r').count()
    }
}

/// The edge that the word at the start of `bytes` names, and the length of that word.
fn edge_at(bytes: &[u8]) -> Option<(MarkerEdge, usize)> {
    match bytes {
        [b'B', b'E', b'G', b'I', b'N', b' ', ..] => Some((MarkerEdge::Begin, 6)),
        [b'E', b'N', b'D', b' ', ..] => Some((MarkerEdge::End, 4)),
        _ => None,
    }
}

/// Parses the marker whose opening dashes start at `start`.
fn marker_at<'a>(bytes: &'a [u8], start: usize, opening: &DashRun) -> Option<PemMarker<'a>> {
    let after = &bytes[start + opening.length..];
    let spaces = after.iter().take_while(|&&byte| byte == b' ').count();
    let (edge, word) = edge_at(after.get(spaces..)?)?;
    let label_start = start + opening.length + spaces + word;
    let (label, rest) = split_label(&bytes[label_start..]);
    let closing = read_closing_dashes(rest);
    let exact =
        opening.is_standard() && spaces == 0 && closing.is_standard() && !label.ends_with(b" ");
    // If the closing dashes are missing, the line must end after the label.
    let is_closed = closing.count > 0 || is_line_end(rest);
    let is_plausible =
        (opening.count >= 2 || !opening.plain) && names_pem_content(label) && is_closed;
    (exact || is_plausible).then(|| PemMarker {
        edge,
        label: label.trim_ascii(),
        start,
        end: label_start + label.len() + closing.length,
        line: 0,
        exact,
    })
}

/// Splits `bytes` after the characters that a label may contain.
fn split_label(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = bytes
        .iter()
        .take(LONGEST_LABEL)
        .take_while(|byte| is_label_byte(**byte))
        .count();
    bytes.split_at(length)
}

fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'#')
}

fn names_pem_content(label: &[u8]) -> bool {
    LABEL_WORDS
        .iter()
        .any(|word| label.windows(word.len()).any(|part| part == *word))
}

/// Returns whether the line or the text ends where `rest` starts.
fn is_line_end(rest: &[u8]) -> bool {
    rest.first()
        .is_none_or(|byte| matches!(byte, b'\r' | b'\n'))
}

/// Reads the dashes after a label: all of them, or half of them if another marker follows without a
/// line break.
fn read_closing_dashes(rest: &[u8]) -> DashRun {
    let run = read_dashes(rest);
    let is_glued = run.count > 1 && edge_at(&rest[run.length..]).is_some();
    if !is_glued {
        return run;
    }
    let mut half = DashRun::EMPTY;
    while half.count < run.count / 2 {
        let Some(length) = dash_length(&rest[half.length..]) else {
            break;
        };
        half = half.extended(length);
    }
    half
}

#[cfg(test)]
mod tests {
    use super::{MarkerEdge, find_markers};

    #[test]
    fn markers_are_found_in_every_spelling() {
        for (text, label, exact) in [
            ("-----BEGIN CERTIFICATE-----", "CERTIFICATE", true),
            ("-----BEGIN DH PARAMETERS-----", "DH PARAMETERS", true),
            ("----BEGIN CERTIFICATE----", "CERTIFICATE", false),
            ("------BEGIN CERTIFICATE------", "CERTIFICATE", false),
            (
                "\u{2013}\u{2013}\u{2013}\u{2013}\u{2013}BEGIN CERTIFICATE\u{2014}\u{2014}-",
                "CERTIFICATE",
                false,
            ),
            ("----- BEGIN CERTIFICATE -----", "CERTIFICATE", false),
            ("-----BEGIN CERTIFICATE\n", "CERTIFICATE", false),
        ] {
            let found = find_markers(text.as_bytes(), 9);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(
                (found[0].label, found[0].exact),
                (label.as_bytes(), exact),
                "{text}"
            );
        }
        for text in [
            "-- BEGIN OF STORY --",
            "BEGIN CERTIFICATE",
            "--BEGINNING",
            "-BEGIN CERTIFICATE-",
            "-----",
        ] {
            assert!(find_markers(text.as_bytes(), 9).is_empty(), "{text}");
        }
        let glued = "-----END CERTIFICATE----------BEGIN CERTIFICATE-----";
        let edges: Vec<_> = find_markers(glued.as_bytes(), 9)
            .iter()
            .map(|one| (one.edge, one.exact))
            .collect();
        assert_eq!(edges, [(MarkerEdge::End, true), (MarkerEdge::Begin, true)]);
    }
}
