//! A lenient PEM scanner (RFC 7468 and what people make of it). Every BEGIN line leads to a block or to a damaged one
//! that is told; it is linear in the input and looks at no content.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::faults::{Mended, Unused};

/// A block as written.
pub(super) struct Block {
    /// The word in its BEGIN line.
    pub label: String,
    /// The line of its BEGIN line, counted from 1.
    pub line: usize,
    /// The decoded content, wiped when dropped.
    pub der: Zeroizing<Vec<u8>>,
    /// Traditional encryption (`Proc-Type: 4,ENCRYPTED`, RFC 1421 4.6.1.1): `der` is not filled.
    pub encrypted: bool,
}

/// What a text holds.
#[derive(Default)]
pub(super) struct Scan {
    /// The blocks in their order.
    pub blocks: Vec<Block>,
    /// What was mended and at which line; each kind once.
    pub mended: Vec<(Mended, usize)>,
    /// Blocks that could not be decoded.
    pub damaged: Vec<Unused>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Edge {
    Begin,
    End,
}

/// `-----BEGIN LABEL-----` or `-----END LABEL-----` at `start..end`.
struct Marker<'a> {
    edge: Edge,
    label: &'a [u8],
    start: usize,
    end: usize,
    line: usize,
}

/// Base64 as found in the wild: padding or not, stray bits in the last character.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Finds all blocks, at most a little more than `limit` of them.
#[must_use]
pub(super) fn scan(bytes: &[u8], limit: usize) -> Scan {
    let mut scan = Scan::default();
    if bytes.starts_with(b"\xef\xbb\xbf") {
        scan.mend(Mended::ByteOrderMark, 1);
    }
    let markers = markers(bytes, limit.saturating_add(1).saturating_mul(2));
    let mut at = 0;
    while let Some(marker) = markers.get(at) {
        let next = markers.get(at + 1);
        at += 1;
        if marker.edge == Edge::End {
            scan.damage(marker, "it has no BEGIN line");
            continue;
        }
        let end = next.filter(|next| next.edge == Edge::End);
        at += usize::from(end.is_some());
        let body_end = next.map_or(bytes.len(), |next| next.start);
        scan.layout(bytes, marker, end);
        scan.block(marker, end, &bytes[marker.end..body_end]);
    }
    if let Some(last) = markers.last().filter(|last| last.edge == Edge::End && last.end == bytes.len()) {
        scan.mend(Mended::NoFinalNewline, last.line);
    }
    scan
}

impl Scan {
    fn mend(&mut self, what: Mended, line: usize) {
        if !self.mended.iter().any(|(known, _)| *known == what) {
            self.mended.push((what, line));
        }
    }

    fn damage(&mut self, marker: &Marker<'_>, reason: &'static str) {
        let label = String::from_utf8_lossy(marker.label).into_owned();
        self.damaged.push(Unused::DamagedBlock { label, line: marker.line, reason });
    }

    fn block(&mut self, begin: &Marker<'_>, end: Option<&Marker<'_>>, body: &[u8]) {
        let label = String::from_utf8_lossy(begin.label).into_owned();
        let (data, encrypted) = data(body);
        if encrypted {
            self.blocks.push(Block { label, line: begin.line, der: Zeroizing::default(), encrypted });
            return;
        }
        // Into a buffer that is wiped whether all of it can be decoded or not.
        let mut der = Zeroizing::new(vec![0; base64::decoded_len_estimate(data.len())]);
        let Ok(length) = LENIENT.decode_slice(&*data, &mut der) else {
            let cut = "characters that are not base64, or a lost one";
            return self.damage(begin, if end.is_some() { cut } else { "it has no END line" });
        };
        der.truncate(length);
        match end {
            Some(end) if end.label != begin.label => self.mend(Mended::WrongLabel, end.line),
            Some(_) => {}
            // Without an END line only a whole element counts: the rest may have been cut off.
            None if crate::pki::der::split(&der).is_some_and(|(_, rest)| rest.is_empty()) => {
                self.mend(Mended::MissingEnd, begin.line);
            }
            None => return self.damage(begin, "it is cut off: no END line"),
        }
        self.blocks.push(Block { label, line: begin.line, der, encrypted });
    }

    /// What is odd about the lines of a block.
    fn layout(&mut self, bytes: &[u8], begin: &Marker<'_>, end: Option<&Marker<'_>>) {
        for marker in [Some(begin), end].into_iter().flatten() {
            let before = line_before(bytes, marker.start);
            if before.ends_with(b"-----") {
                self.mend(Mended::Glued, marker.line);
            } else if !before.is_empty() && before.iter().all(u8::is_ascii_whitespace) {
                self.mend(Mended::Indented, marker.line);
            } else if !before.is_empty() {
                self.mend(Mended::OneLine, marker.line);
            }
        }
        let Some(end) = end else { return };
        let body = &bytes[begin.end..end.start];
        let text = body.trim_ascii_start();
        if !body[..body.len() - text.len()].iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            self.mend(Mended::OneLine, begin.line);
        }
        match (body.contains(&b'\r'), body.contains(&b'\n')) {
            (true, true) => self.mend(Mended::CrLf, begin.line),
            (true, false) => self.mend(Mended::CrAlone, begin.line),
            _ => {}
        }
        let headers = body.contains(&b':');
        let lines: Vec<&[u8]> = body.trim_ascii().split(|&byte| byte == b'\n').collect();
        if !headers && lines.len() > 1 && lines.iter().any(|line| line.trim_ascii().is_empty()) {
            self.mend(Mended::BlankLines, begin.line);
        }
    }
}

/// What stands before `start` on its line; a byte order mark does not count.
fn line_before(bytes: &[u8], start: usize) -> &[u8] {
    // A marker line is short; what matters is within reach.
    let from = start.saturating_sub(200);
    let window = &bytes[from..start];
    let line = window.iter().rposition(|byte| matches!(byte, b'\r' | b'\n')).map_or(window, |at| &window[at + 1..]);
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// The base64 of a body without white space and headers (RFC 1421 4.4), and whether a header says that it is encrypted.
fn data(body: &[u8]) -> (Zeroizing<Vec<u8>>, bool) {
    let mut data = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut encrypted = false;
    for line in body.split(|byte| matches!(byte, b'\r' | b'\n')) {
        if line.contains(&b':') {
            encrypted |= line.trim_ascii().starts_with(b"Proc-Type") && line.ends_with(b"ENCRYPTED");
        } else {
            data.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
    }
    (data, encrypted)
}

/// All BEGIN and END lines, wherever on a line they stand, at most `limit`.
fn markers(bytes: &[u8], limit: usize) -> Vec<Marker<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line, mut counted) = (0, 1, 0);
    while let (Some(start), true) = (next_dash(bytes, at), found.len() < limit) {
        let Some((edge, label, end)) = marker_at(&bytes[start..]) else {
            at = start + 1;
            continue;
        };
        line += line_breaks(&bytes[counted..start]);
        counted = start;
        found.push(Marker { edge, label, start, end: start + end, line });
        at = start + end;
    }
    found
}

fn next_dash(bytes: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.iter().position(|&byte| byte == b'-').map(|at| from + at)
}

/// LF, CR LF or CR.
fn line_breaks(bytes: &[u8]) -> usize {
    let lf = bytes.iter().filter(|&&byte| byte == b'\n').count();
    if lf > 0 { lf } else { bytes.iter().filter(|&&byte| byte == b'\r').count() }
}

/// The marker that `bytes` start with: its edge, its label and its length.
fn marker_at(bytes: &[u8]) -> Option<(Edge, &[u8], usize)> {
    let (edge, skip) = if bytes.starts_with(b"-----BEGIN ") {
        (Edge::Begin, 11)
    } else if bytes.starts_with(b"-----END ") {
        (Edge::End, 9)
    } else {
        return None;
    };
    let rest = bytes.get(skip..)?;
    let length = rest.iter().take(64).position(|&byte| byte == b'-')?;
    let label = &rest[..length];
    let plain = label.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ');
    (plain && rest[length..].starts_with(b"-----")).then_some((edge, label.trim_ascii(), skip + length + 5))
}
