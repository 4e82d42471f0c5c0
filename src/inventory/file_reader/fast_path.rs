//! The fast path of the file reader: one DER certificate, or PEM blocks of certificates and private
//! keys with nothing before, between or after them, as OpenSSL and every CA write them. The full
//! reader reads everything else.

use std::sync::Arc;

use base64::Engine as _;
use memchr::memmem;
use zeroize::Zeroizing;

use super::super::item::{HeldKey, ItemContent};
use super::Keys;
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::pki::der;
use crate::pki::key::{KeyAlgorithm, PrivateKey, PublicKey};

/// Uses the widest instructions of the processor, where the library supports them.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64: std::sync::LazyLock<base64::engine::Simd> = std::sync::LazyLock::new(|| {
    base64::engine::Simd::standard(base64::engine::GeneralPurposeConfig::new())
});
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::engine::general_purpose::STANDARD as BASE64;

/// The full reader refuses files with more blocks.
const BLOCKS: usize = 1000;
/// The labels of the blocks that are read here.
const CERTIFICATE: &[u8] = b"CERTIFICATE";
const KEYS: [&[u8]; 3] = [b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY"];

/// Returns the content of the file, or `None` if it is written in any other way; the full reader
/// then reads it. This is the only entry point of the fast path.
///
/// It serves the goal for `status FOLDER` in `benches/tree.py` (described in `benches/README.md`):
/// on 100,000 files at most 1.1 times the CPU of a program on x509-parser and rayon.
pub(super) fn read(bytes: &[u8], mode: Mode, keys: Keys) -> Option<Vec<ItemContent>> {
    if bytes.first() == Some(&der::SEQUENCE) {
        read_der(bytes)
    } else {
        read_pem(bytes, mode, keys)
    }
}

fn read_der(bytes: &[u8]) -> Option<Vec<ItemContent>> {
    // A file that starts as a certificate may end as a zip file.
    if memmem::find(bytes, b"PK\x05\x06").is_some() {
        return None;
    }
    let certificate = certificate(bytes.to_vec())?;
    Some(vec![ItemContent::Certificates(vec![certificate])])
}

fn read_pem(bytes: &[u8], mode: Mode, keys: Keys) -> Option<Vec<ItemContent>> {
    let mut chain = Vec::new();
    let mut held_keys = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (block, after) = Block::split_first(rest)?;
        rest = after;
        if block.label == CERTIFICATE {
            chain.push(certificate(block.decoded()?)?);
        } else {
            let der = block.decoded_secret()?;
            let PublicKey { id, algorithm } = public_key(&der, keys)?;
            held_keys.push(ItemContent::Key(HeldKey {
                id,
                algorithm,
                mode,
            }));
        }
        if chain.len() + held_keys.len() > BLOCKS {
            return None;
        }
    }
    let mut found = Vec::with_capacity(1 + held_keys.len());
    if !chain.is_empty() {
        found.push(ItemContent::Certificates(chain));
    }
    found.append(&mut held_keys);
    Some(found)
}

/// Parses a certificate that fills `der` to its end.
fn certificate(der: Vec<u8>) -> Option<Arc<Certificate>> {
    let certificate = Certificate::from_plain_der(der)?;
    // The full reader refuses longer keys.
    if matches!(certificate.algorithm, KeyAlgorithm::Rsa(bits) if bits > 16_384) {
        return None;
    }
    Some(Arc::new(certificate))
}

/// Returns the public key of the private key that fills `der` to its end.
fn public_key(der: &[u8], keys: Keys) -> Option<PublicKey> {
    if keys == Keys::Identified
        && let Some(stated) = PublicKey::stated_in(der)
    {
        return Some(stated);
    }
    let (_, rest) = der::split_element(der)?;
    if !rest.is_empty() {
        return None;
    }
    let key = PrivateKey::from_der(der).ok()?;
    Some(PublicKey {
        id: key.id(),
        algorithm: key.algorithm(),
    })
}

/// A PEM block whose lines have the same length.
struct Block<'a> {
    label: &'a [u8],
    /// Base64 with its line ends.
    body: &'a [u8],
    /// The characters of a line without its end, and the length of the line end.
    columns: usize,
    ending: usize,
}

impl<'a> Block<'a> {
    /// Returns the block at the beginning of `text`, and the rest after its last line.
    fn split_first(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let rest = text.strip_prefix(b"-----BEGIN ")?;
        let label_length = rest.iter().take(64).position(|&byte| byte == b'-')?;
        let (label, rest) = rest.split_at(label_length);
        if label != CERTIFICATE && !KEYS.contains(&label) {
            return None;
        }
        let (line_end_length, rest) = line_end(rest.strip_prefix(b"-----")?)?;
        if line_end_length == 0 {
            return None;
        }
        let line = rest.iter().take(80).position(|&byte| byte == b'\n')?;
        let ending = 1 + usize::from(rest[..line].last() == Some(&b'\r'));
        let (body, rest) = rest.split_at(body_length(rest, line)?);
        let block = Self {
            label,
            body,
            columns: line + 1 - ending,
            ending,
        };
        let rest = rest
            .strip_prefix(b"-----END ")?
            .strip_prefix(label)?
            .strip_prefix(b"-----")?;
        let (_, rest) = line_end(rest)?;
        Some((block, rest))
    }

    /// Returns the DER of a certificate.
    fn decoded(&self) -> Option<Vec<u8>> {
        let mut der = vec![0; self.room()];
        let mut text = Vec::with_capacity(self.body.len());
        let length = self.decode(&mut text, &mut der)?;
        der.truncate(length);
        Some(der)
    }

    /// Returns the DER of a key, in memory that is overwritten when it is freed.
    fn decoded_secret(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut der = Zeroizing::new(vec![0; self.room()]);
        let mut text = Zeroizing::new(Vec::with_capacity(self.body.len()));
        let length = self.decode(&mut text, &mut der)?;
        der.truncate(length);
        Some(der)
    }

    /// Returns an upper bound for the decoded length, at most a few octets too large.
    fn room(&self) -> usize {
        self.body.len() / 4 * 3 + 3
    }

    /// Decodes all lines, joined in `text`, into `der`; returns the decoded length.
    fn decode(&self, text: &mut Vec<u8>, der: &mut [u8]) -> Option<usize> {
        for line in self.body.chunks(self.columns + self.ending) {
            match (self.ending, line) {
                (1, [line @ .., b'\n']) | (2, [line @ .., b'\r', b'\n']) => {
                    text.extend_from_slice(line)
                }
                _ => return None,
            }
        }
        BASE64.decode_slice(text, der).ok()
    }
}

/// Returns the length of the Base64 at the beginning of `text`, in lines of `line` characters and a
/// line feed. The last line may be shorter.
fn body_length(text: &[u8], line: usize) -> Option<usize> {
    let mut length = 0;
    while text.get(length + line).is_some_and(|&byte| byte == b'\n') && text[length] != b'-' {
        length += line + 1;
    }
    if text.get(length)? != &b'-' {
        let last_line = text[length..].iter().take(line);
        length += last_line.copied().position(|byte| byte == b'\n')? + 1;
    }
    Some(length)
}

/// Returns the length of the line end at the beginning of `text`, and the rest; the end of the text
/// is a line end of length 0.
fn line_end(text: &[u8]) -> Option<(usize, &[u8])> {
    match text {
        [] => Some((0, text)),
        [b'\n', rest @ ..] => Some((1, rest)),
        [b'\r', b'\n', rest @ ..] => Some((2, rest)),
        _ => None,
    }
}
