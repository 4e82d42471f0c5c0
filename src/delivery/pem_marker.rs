//! BEGIN and END lines (RFC 7468 2), wherever on a line they stand: five hyphens on each side, or
//! what editors, mail programs and people make of them.

use memchr::memchr3;

/// Which end of a block.
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
    /// Counted from 1.
    pub line: usize,
    /// Five plain hyphens on each side and nothing between them and the words.
    pub exact: bool,
}

/// What a marker that is not exact must speak of: `-- BEGIN OF STORY --` is none.
const WORDS: [&[u8]; 5] = [b"CERTIFICATE", b"KEY", b"PKCS7", b"PKCS #7", b"CMS"];

/// The longest label: `ENCRYPTED PRIVATE KEY` has 21 characters.
const LABEL: usize = 64;

/// All BEGIN and END lines, at most `limit`.
pub(super) fn markers(bytes: &[u8], limit: usize) -> Vec<PemMarker<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line, mut counted) = (0, 1, 0);
    while let (Some(start), true) = (next_dash(bytes, at), found.len() < limit) {
        let run = dashes(&bytes[start..]);
        let Some(mut marker) = marker_at(bytes, start, &run) else {
            at = start + run.length.max(1);
            continue;
        };
        line += line_breaks(&bytes[counted..start]);
        counted = start;
        at = marker.end;
        marker.line = line;
        found.push(marker);
    }
    found
}

/// Whether `bytes` have any BEGIN or END line.
pub(super) fn any(bytes: &[u8]) -> bool {
    !markers(bytes, 1).is_empty()
}

/// What a dash of any kind starts with: base64 and ASCII text have few of them.
fn next_dash(bytes: &[u8], from: usize) -> Option<usize> {
    memchr3(b'-', 0xe2, 0xef, bytes.get(from..)?).map(|at| from + at)
}

/// A run of dashes: how many, how many bytes, and whether all are hyphens.
struct Run {
    count: usize,
    length: usize,
    plain: bool,
}

fn dashes(bytes: &[u8]) -> Run {
    let mut run = Run {
        count: 0,
        length: 0,
        plain: true,
    };
    while let Some(length) = bytes.get(run.length..).and_then(dash) {
        run = Run {
            count: run.count + 1,
            length: run.length + length,
            plain: run.plain && length == 1,
        };
    }
    run
}

/// The bytes of the dash that `bytes` start with: hyphen, U+2010 to U+2015, U+2212 minus, U+FE58,
/// U+FE63, U+FF0D.
fn dash(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'-', ..] => Some(1),
        [0xe2, 0x80, 0x90..=0x95, ..] | [0xe2, 0x88, 0x92, ..] => Some(3),
        [0xef, 0xb9, 0x98 | 0xa3, ..] | [0xef, 0xbc, 0x8d, ..] => Some(3),
        _ => None,
    }
}

/// LF, CR LF or CR.
fn line_breaks(bytes: &[u8]) -> usize {
    let lf = bytes.iter().filter(|&&byte| byte == b'\n').count();
    if lf > 0 {
        lf
    } else {
        bytes.iter().filter(|&&byte| byte == b'\r').count()
    }
}

/// The edge that `bytes` name, and how long its word is.
fn edge(bytes: &[u8]) -> Option<(MarkerEdge, usize)> {
    match bytes {
        [b'B', b'E', b'G', b'I', b'N', b' ', ..] => Some((MarkerEdge::Begin, 6)),
        [b'E', b'N', b'D', b' ', ..] => Some((MarkerEdge::End, 4)),
        _ => None,
    }
}

/// The marker whose first run of dashes lies at `start`.
fn marker_at<'a>(bytes: &'a [u8], start: usize, run: &Run) -> Option<PemMarker<'a>> {
    let after = &bytes[start + run.length..];
    let space = after.iter().take_while(|&&byte| byte == b' ').count();
    let (edge, word) = edge(after.get(space..)?)?;
    let label_start = start + run.length + space + word;
    let rest = &bytes[label_start..];
    let in_label = |byte: &u8| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'#')
    };
    let length = rest
        .iter()
        .take(LABEL)
        .take_while(|byte| in_label(byte))
        .count();
    let (label, rest) = rest.split_at(length);
    let closing = closing(rest);
    let exact = run.count == 5 && run.plain && space == 0 && closing.count == 5 && closing.plain;
    let meant = WORDS
        .iter()
        .any(|word| label.windows(word.len()).any(|part| part == *word));
    let enough = run.count >= 2 || !run.plain;
    // Where the dashes behind it are lost, the line must end there.
    let ended = closing.count > 0
        || rest
            .first()
            .is_none_or(|byte| matches!(byte, b'\r' | b'\n'));
    let exact = exact && !label.ends_with(b" ");
    (exact || enough && meant && ended).then(|| PemMarker {
        edge,
        label: label.trim_ascii(),
        start,
        end: label_start + length + closing.length,
        line: 0,
        exact,
    })
}

/// The dashes behind a label: all of them, or half of them where the next marker is glued to it.
fn closing(rest: &[u8]) -> Run {
    let run = dashes(rest);
    let glued = run.count > 1 && edge(&rest[run.length..]).is_some();
    if !glued {
        return run;
    }
    let wanted = run.count / 2;
    let mut half = Run {
        count: 0,
        length: 0,
        plain: true,
    };
    while half.count < wanted {
        let Some(length) = dash(&rest[half.length..]) else {
            break;
        };
        half = Run {
            count: half.count + 1,
            length: half.length + length,
            plain: half.plain && length == 1,
        };
    }
    half
}

#[cfg(test)]
mod tests {
    use super::{MarkerEdge, markers};

    #[test]
    fn markers_are_found_in_every_shape() {
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
            let found = markers(text.as_bytes(), 9);
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
            assert!(markers(text.as_bytes(), 9).is_empty(), "{text}");
        }
        let glued = "-----END CERTIFICATE----------BEGIN CERTIFICATE-----";
        let edges: Vec<_> = markers(glued.as_bytes(), 9)
            .iter()
            .map(|one| (one.edge, one.exact))
            .collect();
        assert_eq!(edges, [(MarkerEdge::End, true), (MarkerEdge::Begin, true)]);
    }
}
