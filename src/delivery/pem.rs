//! A lenient PEM scanner: RFC 7468 and the common deviations from it. Every BEGIN line becomes a
//! block or is reported as damaged. Runs in linear time and does not interpret the content.

use zeroize::Zeroizing;

use crate::delivery::diagnostics::{RepairKind, UnusedContent};
use crate::delivery::pem_body::{self, EndLine};
use crate::delivery::pem_marker::{MarkerEdge, PemMarker, find_markers};

/// A block as it is written in the text.
pub(super) struct PemBlock {
    /// The label of its BEGIN line.
    pub label: String,
    /// The line of its BEGIN line, counted from 1.
    pub line: usize,
    /// The decoded content, wiped when dropped.
    pub der: Zeroizing<Vec<u8>>,
    /// Traditional encryption (`Proc-Type: 4,ENCRYPTED`, RFC 1421 4.6.1.1): `der` is not filled.
    pub encrypted: bool,
}

/// The blocks of a text, with repairs and damage.
#[derive(Default)]
pub(super) struct PemScan {
    /// The blocks in the order of the text.
    pub blocks: Vec<PemBlock>,
    /// The kinds of repair, each with the first line that needed it.
    pub repairs: Vec<(RepairKind, usize)>,
    /// Blocks that could not be decoded.
    pub damaged: Vec<UnusedContent>,
}

/// Finds all blocks, at most a little more than `limit` of them.
#[must_use]
pub(super) fn scan(bytes: &[u8], limit: usize) -> PemScan {
    let mut scan = PemScan::default();
    if bytes.starts_with(b"\xef\xbb\xbf") {
        scan.add_repair(RepairKind::ByteOrderMark, 1);
    }
    let markers = find_markers(bytes, limit.saturating_add(1).saturating_mul(2));
    let mut at = 0;
    while let Some(marker) = markers.get(at) {
        let next = markers.get(at + 1);
        at += 1;
        if marker.edge == MarkerEdge::End {
            scan.add_damage(marker, "it has no BEGIN line");
            continue;
        }
        let end = next.filter(|next| next.edge == MarkerEdge::End);
        at += usize::from(end.is_some());
        let body_end = next.map_or(bytes.len(), |next| next.start);
        scan.note_layout(bytes, marker, end);
        scan.decode_block(marker, end, &bytes[marker.end..body_end]);
    }
    if let Some(last) = markers
        .last()
        .filter(|last| last.edge == MarkerEdge::End && last.end == bytes.len())
    {
        scan.add_repair(RepairKind::NoFinalNewline, last.line);
    }
    scan
}

impl PemScan {
    fn add_repair(&mut self, repair: RepairKind, line: usize) {
        if !self.repairs.iter().any(|(known, _)| *known == repair) {
            self.repairs.push((repair, line));
        }
    }

    fn add_damage(&mut self, marker: &PemMarker<'_>, reason: &'static str) {
        let label = String::from_utf8_lossy(marker.label).into_owned();
        self.damaged.push(UnusedContent::DamagedBlock {
            label,
            line: marker.line,
            reason,
        });
    }

    /// Adds a block; without `der`, one in traditional encryption.
    fn add_block(&mut self, begin: &PemMarker<'_>, der: Option<Zeroizing<Vec<u8>>>) {
        let encrypted = der.is_none();
        self.blocks.push(PemBlock {
            label: String::from_utf8_lossy(begin.label).into_owned(),
            line: begin.line,
            der: der.unwrap_or_default(),
            encrypted,
        });
    }

    /// Decodes the `body` of the block that starts at `begin`.
    fn decode_block(&mut self, begin: &PemMarker<'_>, end: Option<&PemMarker<'_>>, body: &[u8]) {
        let end_line = match end {
            Some(_) => EndLine::Present,
            None => EndLine::Missing,
        };
        let body = pem_body::extract_base64(body, end_line);
        if body.encrypted {
            self.add_block(begin, None);
            return;
        }
        let Some(der) = pem_body::decode(&body.data) else {
            let reason = match end_line {
                EndLine::Present => "invalid base64",
                EndLine::Missing => "it has no END line",
            };
            return self.add_damage(begin, reason);
        };
        for repair in body.repairs {
            self.add_repair(repair, begin.line);
        }
        match end {
            Some(end) if end.label != begin.label => {
                self.add_repair(RepairKind::WrongLabel, end.line);
            }
            Some(_) => {}
            // Without an END line, only a complete element counts: the rest may be missing.
            None if crate::pki::der::split_element(&der)
                .is_some_and(|(_, rest)| rest.is_empty()) =>
            {
                self.add_repair(RepairKind::MissingEnd, begin.line);
            }
            None => return self.add_damage(begin, "truncated: it has no END line"),
        }
        self.add_block(begin, Some(der));
    }

    /// Records everything unusual about the lines of a block.
    fn note_layout(&mut self, bytes: &[u8], begin: &PemMarker<'_>, end: Option<&PemMarker<'_>>) {
        self.note_marker_layout(bytes, begin);
        let Some(end) = end else { return };
        self.note_marker_layout(bytes, end);
        self.note_body_layout(&bytes[begin.end..end.start], begin.line);
    }

    fn note_marker_layout(&mut self, bytes: &[u8], marker: &PemMarker<'_>) {
        if !marker.exact {
            self.add_repair(RepairKind::WrongDashes, marker.line);
        }
        if let Some(repair) = repair_before_marker(line_before(bytes, marker.start)) {
            self.add_repair(repair, marker.line);
        }
    }

    fn note_body_layout(&mut self, body: &[u8], line: usize) {
        if !starts_with_line_break(body) {
            self.add_repair(RepairKind::OneLine, line);
        }
        match (body.contains(&b'\r'), body.contains(&b'\n')) {
            (true, true) => self.add_repair(RepairKind::CrLf, line),
            (true, false) => self.add_repair(RepairKind::CrAlone, line),
            _ => {}
        }
        if has_blank_lines(body) {
            self.add_repair(RepairKind::BlankLines, line);
        }
    }
}

/// The repair that the text in front of a BEGIN or END line makes necessary.
fn repair_before_marker(before: &[u8]) -> Option<RepairKind> {
    if before.is_empty() {
        return None;
    }
    let has_quote_mark = before.iter().any(|&byte| byte == b'>' || byte == b'|');
    let repair = if before.ends_with(b"-----") {
        RepairKind::JoinedMarkers
    } else if before.iter().all(u8::is_ascii_whitespace) {
        RepairKind::Indented
    } else if has_quote_mark && before.iter().all(|&byte| pem_body::is_quote(byte)) {
        RepairKind::Quoted
    } else {
        RepairKind::OneLine
    };
    Some(repair)
}

/// Returns whether the white space at the start of `body` contains a line break.
fn starts_with_line_break(body: &[u8]) -> bool {
    let white_space = body.len() - body.trim_ascii_start().len();
    body[..white_space]
        .iter()
        .any(|byte| matches!(byte, b'\r' | b'\n'))
}

/// Returns whether `body` has empty lines between its first and last; one with headers must have
/// one.
fn has_blank_lines(body: &[u8]) -> bool {
    let has_headers = body.contains(&b':');
    let text = body.trim_ascii();
    let mut lines = text.split(|&byte| byte == b'\n');
    !has_headers && !text.is_empty() && lines.any(|line| line.trim_ascii().is_empty())
}

/// The text before `start` on its line, without a byte order mark.
fn line_before(bytes: &[u8], start: usize) -> &[u8] {
    // Marker lines are short: 200 bytes are enough.
    let from = start.saturating_sub(200);
    let window = &bytes[from..start];
    let line = window
        .iter()
        .rposition(|byte| matches!(byte, b'\r' | b'\n'))
        .map_or(window, |at| &window[at + 1..]);
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}
