//! A lenient PEM scanner (RFC 7468 and what people make of it). Every BEGIN line leads to a block
//! or to a damaged one that is told; it is linear in the input and looks at no content.

use zeroize::Zeroizing;

use crate::delivery::diagnostics::{RepairKind, UnusedContent};
use crate::delivery::pem_body::{self, PemBody};
use crate::delivery::pem_marker::{MarkerEdge, PemMarker, markers};

/// A block as written.
pub(super) struct PemBlock {
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
pub(super) struct PemScan {
    /// The blocks in their order.
    pub blocks: Vec<PemBlock>,
    /// What was mended and at which line; each kind once.
    pub mended: Vec<(RepairKind, usize)>,
    /// Blocks that could not be decoded.
    pub damaged: Vec<UnusedContent>,
}

/// Finds all blocks, at most a little more than `limit` of them.
#[must_use]
pub(super) fn scan(bytes: &[u8], limit: usize) -> PemScan {
    let mut scan = PemScan::default();
    if bytes.starts_with(b"\xef\xbb\xbf") {
        scan.mend(RepairKind::ByteOrderMark, 1);
    }
    let markers = markers(bytes, limit.saturating_add(1).saturating_mul(2));
    let mut at = 0;
    while let Some(marker) = markers.get(at) {
        let next = markers.get(at + 1);
        at += 1;
        if marker.edge == MarkerEdge::End {
            scan.damage(marker, "it has no BEGIN line");
            continue;
        }
        let end = next.filter(|next| next.edge == MarkerEdge::End);
        at += usize::from(end.is_some());
        let body_end = next.map_or(bytes.len(), |next| next.start);
        scan.layout(bytes, marker, end);
        scan.block(marker, end, &bytes[marker.end..body_end]);
    }
    if let Some(last) = markers
        .last()
        .filter(|last| last.edge == MarkerEdge::End && last.end == bytes.len())
    {
        scan.mend(RepairKind::NoFinalNewline, last.line);
    }
    scan
}

impl PemScan {
    fn mend(&mut self, what: RepairKind, line: usize) {
        if !self.mended.iter().any(|(known, _)| *known == what) {
            self.mended.push((what, line));
        }
    }

    fn damage(&mut self, marker: &PemMarker<'_>, reason: &'static str) {
        let label = String::from_utf8_lossy(marker.label).into_owned();
        self.damaged.push(UnusedContent::DamagedBlock {
            label,
            line: marker.line,
            reason,
        });
    }

    fn block(&mut self, begin: &PemMarker<'_>, end: Option<&PemMarker<'_>>, body: &[u8]) {
        let label = String::from_utf8_lossy(begin.label).into_owned();
        let PemBody {
            data,
            encrypted,
            mended,
        } = pem_body::data(body, end.is_some());
        if encrypted {
            self.blocks.push(PemBlock {
                label,
                line: begin.line,
                der: Zeroizing::default(),
                encrypted,
            });
            return;
        }
        let Some(der) = pem_body::decode(&data) else {
            let cut = "characters that are not base64, or a lost one";
            return self.damage(
                begin,
                if end.is_some() {
                    cut
                } else {
                    "it has no END line"
                },
            );
        };
        mended
            .into_iter()
            .for_each(|what| self.mend(what, begin.line));
        match end {
            Some(end) if end.label != begin.label => self.mend(RepairKind::WrongLabel, end.line),
            Some(_) => {}
            // Without an END line only a whole element counts: the rest may have been cut off.
            None if crate::pki::der::split(&der).is_some_and(|(_, rest)| rest.is_empty()) => {
                self.mend(RepairKind::MissingEnd, begin.line);
            }
            None => return self.damage(begin, "it is cut off: no END line"),
        }
        self.blocks.push(PemBlock {
            label,
            line: begin.line,
            der,
            encrypted,
        });
    }

    /// What is odd about the lines of a block.
    fn layout(&mut self, bytes: &[u8], begin: &PemMarker<'_>, end: Option<&PemMarker<'_>>) {
        for marker in [Some(begin), end].into_iter().flatten() {
            let before = line_before(bytes, marker.start);
            if !marker.exact {
                self.mend(RepairKind::Dashes, marker.line);
            }
            if before.ends_with(b"-----") {
                self.mend(RepairKind::Glued, marker.line);
            } else if !before.is_empty() && before.iter().all(u8::is_ascii_whitespace) {
                self.mend(RepairKind::Indented, marker.line);
            } else if before.iter().any(|&byte| byte == b'>' || byte == b'|')
                && before.iter().all(|&byte| pem_body::is_quote(byte))
            {
                self.mend(RepairKind::Quoted, marker.line);
            } else if !before.is_empty() {
                self.mend(RepairKind::OneLine, marker.line);
            }
        }
        let Some(end) = end else { return };
        let body = &bytes[begin.end..end.start];
        let text = body.trim_ascii_start();
        if !body[..body.len() - text.len()]
            .iter()
            .any(|byte| matches!(byte, b'\r' | b'\n'))
        {
            self.mend(RepairKind::OneLine, begin.line);
        }
        match (body.contains(&b'\r'), body.contains(&b'\n')) {
            (true, true) => self.mend(RepairKind::CrLf, begin.line),
            (true, false) => self.mend(RepairKind::CrAlone, begin.line),
            _ => {}
        }
        let headers = body.contains(&b':');
        let mut lines = body.trim_ascii().split(|&byte| byte == b'\n');
        if !headers
            && lines.any(|line| line.trim_ascii().is_empty())
            && !body.trim_ascii().is_empty()
        {
            self.mend(RepairKind::BlankLines, begin.line);
        }
    }
}

/// What stands before `start` on its line; a byte order mark does not count.
fn line_before(bytes: &[u8], start: usize) -> &[u8] {
    // A marker line is short; what matters is within reach.
    let from = start.saturating_sub(200);
    let window = &bytes[from..start];
    let line = window
        .iter()
        .rposition(|byte| matches!(byte, b'\r' | b'\n'))
        .map_or(window, |at| &window[at + 1..]);
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}
