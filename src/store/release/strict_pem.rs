//! PEM blocks (RFC 7468), parsed as strictly as a server does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A PEM block (RFC 7468) in a file that a server reads.
pub(super) struct StrictPemBlock {
    pub label: String,
    /// Empty if it is encrypted.
    pub der: Zeroizing<Vec<u8>>,
    pub encrypted: bool,
}

/// The state of a parser that reads PEM blocks line by line.
struct StrictPemParser {
    blocks: Vec<StrictPemBlock>,
    open: Option<StrictPemBlock>,
    /// The content of the open block.
    base64: Zeroizing<String>,
}

/// Parses the PEM blocks as strictly as OpenSSL: `BEGIN` and `END` must be on lines of their own.
/// Returns `None` if a block is malformed.
pub(super) fn parse_blocks(bytes: &[u8]) -> Option<Vec<StrictPemBlock>> {
    let mut parser = StrictPemParser {
        blocks: Vec::new(),
        open: None,
        base64: Zeroizing::new(String::with_capacity(bytes.len())),
    };
    for line in bytes.split(|&byte| byte == b'\n') {
        parser.add_line(line.trim_ascii_end())?;
    }
    parser.open.is_none().then_some(parser.blocks)
}

impl StrictPemParser {
    /// Parses one line; returns `None` if it is malformed.
    fn add_line(&mut self, line: &[u8]) -> Option<()> {
        if let Some(label) = line.strip_prefix(b"-----BEGIN ") {
            self.open = Some(StrictPemBlock::begin(label)?);
            self.base64.clear();
            return Some(());
        }
        let Some(block) = &mut self.open else {
            return Some(());
        };
        if let Some(label) = line.strip_prefix(b"-----END ") {
            block.end(label, &self.base64)?;
            self.blocks.extend(self.open.take());
        } else if line.contains(&b':') {
            // RFC 1421 section 4.6: a header marks keys that are encrypted in the traditional
            // format.
            block.encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
        } else {
            self.base64.push_str(std::str::from_utf8(line).ok()?);
        }
        Some(())
    }
}

impl StrictPemBlock {
    /// Opens a block; `label` is what follows `-----BEGIN `.
    fn begin(label: &[u8]) -> Option<Self> {
        let label = std::str::from_utf8(label).ok()?.strip_suffix("-----")?;
        if label.contains("-----") {
            return None;
        }
        Some(Self {
            label: label.to_owned(),
            der: Zeroizing::default(),
            encrypted: label.contains("ENCRYPTED"),
        })
    }

    /// Closes the block; `label` is what follows `-----END `.
    fn end(&mut self, label: &[u8], base64: &str) -> Option<()> {
        if label.strip_suffix(b"-----") != Some(self.label.as_bytes()) {
            return None;
        }
        if !self.encrypted {
            let mut der = Zeroizing::new(Vec::with_capacity(base64.len()));
            STANDARD.decode_vec(base64.as_bytes(), &mut der).ok()?;
            self.der = der;
        }
        Some(())
    }
}
