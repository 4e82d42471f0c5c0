//! The short reader: one DER certificate, or PEM blocks of certificates and private keys with
//! nothing before, between or behind them, as OpenSSL and every CA write them. Whatever is not
//! exactly that is `None`: the full reader's.

use std::sync::Arc;

use base64::Engine as _;
use memchr::memmem;
use zeroize::Zeroizing;

use super::super::item::{HeldKey, ItemContent};
use super::Keys;
use crate::pki::certificate::Certificate;
use crate::pki::der;
use crate::pki::key::{KeyAlgorithm, PrivateKey, PublicKey};

/// With the widest instructions that the processor has, where the library knows them.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64: std::sync::LazyLock<base64::engine::Simd> = std::sync::LazyLock::new(|| {
    base64::engine::Simd::standard(base64::engine::GeneralPurposeConfig::new())
});
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::engine::general_purpose::STANDARD as BASE64;

/// More blocks than that are the full reader's to refuse.
const BLOCKS: usize = 1000;
/// What may stand in a block, by its label.
const CERTIFICATE: &[u8] = b"CERTIFICATE";
const KEYS: [&[u8]; 3] = [b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY"];

/// What is in the file, or nothing where it is written in any other way.
pub(crate) fn read(bytes: &[u8], mode: u32, keys: Keys) -> Option<Vec<ItemContent>> {
    if bytes.first() == Some(&der::SEQUENCE) {
        // What begins as a certificate may end as a zip.
        let zipped = memmem::find(bytes, b"PK\x05\x06").is_some();
        return if zipped {
            None
        } else {
            Some(vec![ItemContent::Certificates(vec![certificate(
                bytes.to_vec(),
            )?])])
        };
    }
    let (mut chain, mut held, mut rest) = (Vec::new(), Vec::new(), bytes);
    while !rest.is_empty() {
        let (block, after) = Block::next(rest)?;
        rest = after;
        if block.label == CERTIFICATE {
            let mut der = vec![0; block.room()];
            let length = block.decode(&mut Vec::with_capacity(block.body.len()), &mut der)?;
            der.truncate(length);
            chain.push(certificate(der)?);
        } else {
            let mut der = Zeroizing::new(vec![0; block.room()]);
            let length = block.decode(
                &mut Zeroizing::new(Vec::with_capacity(block.body.len())),
                &mut der,
            )?;
            held.push(ItemContent::Key(key(&der[..length], mode, keys)?));
        }
        if chain.len() + held.len() > BLOCKS {
            return None;
        }
    }
    let certificates = (!chain.is_empty()).then_some(ItemContent::Certificates(chain));
    Some(certificates.into_iter().chain(held).collect())
}

/// A certificate that fills `der` to its end.
fn certificate(der: Vec<u8>) -> Option<Arc<Certificate>> {
    // Longer keys are refused.
    let usable =
        |one: &Certificate| !matches!(one.algorithm, KeyAlgorithm::Rsa(bits) if bits > 16_384);
    Certificate::from_plain_der(der)
        .filter(usable)
        .map(Arc::new)
}

fn key(der: &[u8], mode: u32, keys: Keys) -> Option<HeldKey> {
    if keys == Keys::Named
        && let Some(PublicKey { id, algorithm }) = PublicKey::named_in(der)
    {
        return Some(HeldKey {
            id,
            algorithm,
            mode,
        });
    }
    let (_, rest) = der::split(der)?;
    let key = PrivateKey::from_der(der).ok().filter(|_| rest.is_empty())?;
    Some(HeldKey {
        id: key.id(),
        algorithm: key.algorithm(),
        mode,
    })
}

/// A block in lines of one length.
struct Block<'a> {
    label: &'a [u8],
    /// Base64 with its line ends.
    body: &'a [u8],
    /// Characters a line, and what ends it.
    columns: usize,
    ending: usize,
}

impl<'a> Block<'a> {
    /// The block that `text` begins with, and what follows the line that ends it.
    fn next(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let rest = text.strip_prefix(b"-----BEGIN ")?;
        let (label, body) = rest.split_at(rest.iter().take(64).position(|&byte| byte == b'-')?);
        if label != CERTIFICATE && !KEYS.contains(&label) {
            return None;
        }
        let (_, body) = line_end(body.strip_prefix(b"-----")?).filter(|(length, _)| *length > 0)?;
        let line = body.iter().take(80).position(|&byte| byte == b'\n')?;
        let ending = 1 + usize::from(body[..line].last() == Some(&b'\r'));
        let columns = line + 1 - ending;
        // The last line is shorter, or the one before it was the last.
        let mut length = 0;
        while body.get(length + line).is_some_and(|&byte| byte == b'\n') && body[length] != b'-' {
            length += line + 1;
        }
        if body.get(length)? != &b'-' {
            length += body[length..]
                .iter()
                .take(line)
                .position(|&byte| byte == b'\n')?
                + 1;
        }
        let (body, rest) = body.split_at(length);
        let rest = rest
            .strip_prefix(b"-----END ")?
            .strip_prefix(label)?
            .strip_prefix(b"-----")?;
        let (_, rest) = line_end(rest)?;
        Some((
            Self {
                label,
                body,
                columns,
                ending,
            },
            rest,
        ))
    }

    /// As many octets as it decodes to, or a few more.
    fn room(&self) -> usize {
        self.body.len() / 4 * 3 + 3
    }

    /// Decodes all lines, joined in `text`, into `der` and says how much of it they fill.
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

/// The line end that `text` begins with, and what follows; the end of the text is one too.
fn line_end(text: &[u8]) -> Option<(usize, &[u8])> {
    match text {
        [] => Some((0, text)),
        [b'\n', rest @ ..] => Some((1, rest)),
        [b'\r', b'\n', rest @ ..] => Some((2, rest)),
        _ => None,
    }
}
