//! Reads a file of certificates as OpenSSL does for a server (`SSL_CTX_use_certificate_chain_file`
//! of OpenSSL 3.0, which nginx, Apache, HAProxy and Python's `ssl` call or imitate). It repairs
//! nothing: what it refuses, a server refuses. `reader` is the lenient counterpart.
//! tests/server_loader.rs compares it with OpenSSL itself.

mod base64_lines;
mod encoding;
mod file_lines;
mod structures;

use self::file_lines::FileLines;

/// Why a server cannot load a file. Lines are counted from 1.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LoadFault {
    /// A block with something other than base64.
    #[error("the block at line {line} is not base64 (OpenSSL: bad base64 decode)")]
    Base64 {
        /// The line of its BEGIN line.
        line: usize,
    },
    /// A block that is not a certificate in BER.
    #[error("the certificate at line {line} is malformed (OpenSSL: asn1 encoding routines)")]
    Certificate {
        /// The line of its BEGIN line.
        line: usize,
    },
    /// A block without content.
    #[error("the block at line {line} is empty")]
    Empty {
        /// The line of its BEGIN line.
        line: usize,
    },
    /// A block with headers, such as an encrypted one.
    #[error("the certificate at line {line} has headers or an empty line in it")]
    Headers {
        /// The line of its BEGIN line.
        line: usize,
    },
    /// A block that does not end, or not with the label that it begins with.
    #[error("the block at line {line} has no END line of its own (OpenSSL: bad end line)")]
    NoEnd {
        /// The line of its BEGIN line.
        line: usize,
    },
    /// A file without certificates in PEM.
    #[error("it has no BEGIN line of a certificate (OpenSSL: no start line)")]
    NoStart,
}

/// Reads the certificates of `file` in their order, as DER or BER.
///
/// # Errors
/// The fault at which OpenSSL stops.
pub fn load_certificates(file: &[u8]) -> Result<Vec<Vec<u8>>, LoadFault> {
    let mut lines = FileLines::new(file);
    let mut loaded = Vec::new();
    while let Some(block) = read_block(&mut lines)? {
        let is_first = loaded.is_empty();
        match block.label.as_slice() {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => {}
            b"TRUSTED CERTIFICATE" if is_first => {}
            _ => continue,
        }
        let line = block.line;
        if !block.header.is_empty() {
            return Err(LoadFault::Headers { line });
        }
        let length = structures::measure_certificate(&block.content);
        let length = length.ok_or(LoadFault::Certificate { line })?;
        let (certificate, after) = block.content.split_at(length);
        // OpenSSL reads trust settings after the first certificate only.
        if is_first && !after.is_empty() && !structures::is_trust_settings(after) {
            return Err(LoadFault::Certificate { line });
        }
        loaded.push(certificate.to_vec());
    }
    if loaded.is_empty() {
        return Err(LoadFault::NoStart);
    }
    Ok(loaded)
}

/// Returns whether `der` is one certificate that OpenSSL decodes, and nothing more.
pub(super) fn is_whole_certificate(der: &[u8]) -> bool {
    structures::measure_certificate(der) == Some(der.len())
}

/// A block of any label.
struct LoadedBlock {
    label: Vec<u8>,
    /// The headers (RFC 1421), as text.
    header: Vec<u8>,
    content: Vec<u8>,
    /// The line of its BEGIN line.
    line: usize,
}

/// Reads the next block; `None` at the end of the file. Blocks of every label must be sound.
fn read_block(lines: &mut FileLines<'_>) -> Result<Option<LoadedBlock>, LoadFault> {
    let Some((label, line)) = find_begin(lines) else {
        return Ok(None);
    };
    let body = read_body(lines, &label).ok_or(LoadFault::NoEnd { line })?;
    let content = base64_lines::decode(&body.data).ok_or(LoadFault::Base64 { line })?;
    if content.is_empty() {
        return Err(LoadFault::Empty { line });
    }
    Ok(Some(LoadedBlock {
        label,
        header: body.header,
        content,
        line,
    }))
}

const DASHES: &[u8] = b"-----";

/// Returns the label of the next BEGIN line and its number. Other lines are skipped.
fn find_begin(lines: &mut FileLines<'_>) -> Option<(Vec<u8>, usize)> {
    let mut line = lines.next()?;
    line.strip_byte_order_mark();
    loop {
        let label = line
            .text()
            .strip_prefix(b"-----BEGIN ")
            .and_then(|rest| rest.strip_suffix(DASHES));
        if let Some(label) = label {
            return Some((label.to_vec(), line.number()));
        }
        line = lines.next()?;
    }
}

/// The lines of a block so far.
struct BlockBody {
    header: Vec<u8>,
    data: Vec<u8>,
    state: BodyState,
    /// Whether no further data may follow: a data line was short.
    is_complete: bool,
}

/// What the lines of a block were so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum BodyState {
    /// Data, unless an empty line follows.
    MaybeHeader,
    /// A header, since a line had a colon.
    Header,
    /// Data after an empty line.
    Data,
}

/// Most characters of a data line after an empty line.
const LINE_OF_DATA: usize = 64;

/// Reads up to the END line of `label`; `None` if there is none or the lines are not in its form.
fn read_body(lines: &mut FileLines<'_>, label: &[u8]) -> Option<BlockBody> {
    let end_line = [b"-----END ", label, DASHES].concat();
    let mut body = BlockBody {
        header: Vec::new(),
        data: Vec::new(),
        state: BodyState::MaybeHeader,
        is_complete: false,
    };
    let mut is_continued = false;
    loop {
        let line = lines.next()?;
        let continues = std::mem::replace(&mut is_continued, line.is_cut());
        if body.state == BodyState::MaybeHeader && line.has_colon() {
            body.state = BodyState::Header;
        }
        let text = line.text();
        if text.starts_with(b"-----END ") {
            return (text == end_line).then(|| body.finish());
        }
        if !text.is_empty() {
            body.add_text(text)?;
        } else if !continues {
            body.add_empty_line()?;
        }
    }
}

impl BlockBody {
    /// Without an empty line, all lines were data.
    fn finish(mut self) -> Self {
        if self.state == BodyState::MaybeHeader {
            std::mem::swap(&mut self.header, &mut self.data);
        }
        self
    }

    /// Ends the header; `None` at a second empty line.
    fn add_empty_line(&mut self) -> Option<()> {
        if self.state == BodyState::Data {
            return None;
        }
        self.state = BodyState::Data;
        Some(())
    }

    /// Adds a line with text; `None` if it is too long, or follows a short one.
    fn add_text(&mut self, text: &[u8]) -> Option<()> {
        if self.is_complete {
            return None;
        }
        let lines = if self.state == BodyState::Data {
            self.is_complete = text.len() < LINE_OF_DATA;
            &mut self.data
        } else {
            &mut self.header
        };
        lines.extend_from_slice(text);
        lines.push(b'\n');
        (self.state != BodyState::Data || text.len() <= LINE_OF_DATA).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{LoadFault, load_certificates};

    #[test]
    fn faults_are_found_where_openssl_stops() {
        let line = 1;
        for (file, fault) in [
            ("", LoadFault::NoStart),
            (
                "-----BEGIN X-----\nAAAA\n-----END X-----\n",
                LoadFault::NoStart,
            ),
            ("-----BEGIN X-----\nAAAA\n", LoadFault::NoEnd { line }),
            (
                "-----BEGIN X-----\nAAAA\n-----END Y-----\n",
                LoadFault::NoEnd { line },
            ),
            (
                "-----BEGIN X-----\nAA*A\n-----END X-----\n",
                LoadFault::Base64 { line },
            ),
            (
                "-----BEGIN X-----\n-----END X-----\n",
                LoadFault::Empty { line },
            ),
            (
                "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
                LoadFault::Certificate { line },
            ),
            (
                "-----BEGIN CERTIFICATE-----\nA: b\n\nMAA=\n-----END CERTIFICATE-----\n",
                LoadFault::Headers { line },
            ),
        ] {
            assert_eq!(load_certificates(file.as_bytes()), Err(fault), "{file}");
        }
    }
}
