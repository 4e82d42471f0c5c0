//! What a passphrase opens: the password-based encryption of keys and PKCS#12 files. PBES2 (RFC
//! 8018 6.2) and the legacy schemes of PKCS#12 (RFC 7292 appendix C). How often a key is to be
//! derived is the file's to say, so it is looked at before anything is derived.

use aws_lc_rs::{digest, hmac};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use pkcs8::der::Decode;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use zeroize::Zeroizing;

use super::limits::KeyDerivationBudget;
use crate::pki::der;

/// A passphrase; wiped when dropped, and never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// The bytes as they were typed or read, without a line end.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// As zip files and PBES2 take it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As PKCS#12 takes it (RFC 7292 B.1): UTF-16, big-endian, with a NUL behind it.
    fn wide(&self) -> Zeroizing<Vec<u8>> {
        let text = Zeroizing::new(String::from_utf8_lossy(&self.0).into_owned());
        let mut wide = Zeroizing::new(Vec::with_capacity(text.len() * 2 + 2));
        text.encode_utf16()
            .for_each(|unit| wide.extend_from_slice(&unit.to_be_bytes()));
        wide.extend_from_slice(&[0, 0]);
        wide
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}

/// What is tried: a passphrase, or that there is none, which PKCS#12 writes in another way than an
/// empty one.
#[derive(Clone, Copy, Debug)]
pub(super) enum DecryptionAttempt<'a> {
    Given(&'a Passphrase),
    None,
}

impl DecryptionAttempt<'_> {
    fn narrow(&self) -> &[u8] {
        match self {
            Self::Given(passphrase) => passphrase.bytes(),
            Self::None => &[],
        }
    }

    fn wide(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Given(passphrase) => passphrase.wide(),
            Self::None => Zeroizing::default(),
        }
    }
}

/// Why something stays locked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DecryptionFailure {
    /// More rounds of key derivation were asked for than are made; holds how many.
    TooMuchWork(u64),
    /// A scheme that is not read.
    UnknownScheme,
    /// Another passphrase is wanted, or the content is damaged: which of them cannot be told.
    Wrong,
}

/// Decrypts `data` as its `AlgorithmIdentifier` (whole DER) says.
pub(super) fn decrypt(
    algorithm: &[u8],
    data: &[u8],
    passphrase: DecryptionAttempt<'_>,
    work: &mut KeyDerivationBudget,
) -> Result<Zeroizing<Vec<u8>>, DecryptionFailure> {
    if let Ok(EncryptionScheme::Pbes2(parameters)) = EncryptionScheme::from_der(algorithm) {
        work.spend(rounds(&parameters.kdf)?)
            .map_err(DecryptionFailure::TooMuchWork)?;
        return parameters
            .decrypt(passphrase.narrow(), data)
            .map(Zeroizing::new)
            .map_err(|_| DecryptionFailure::Wrong);
    }
    let scheme = Scheme::parse(algorithm).ok_or(DecryptionFailure::UnknownScheme)?;
    work.spend(scheme.iterations.saturating_mul(2))
        .map_err(DecryptionFailure::TooMuchWork)?;
    scheme
        .decrypt(data, &passphrase.wide())
        .ok_or(DecryptionFailure::Wrong)
}

/// The rounds that a derivation asks for; those of scrypt (RFC 7914) are its blocks, bounded by its
/// memory too.
fn rounds(kdf: &Kdf) -> Result<u64, DecryptionFailure> {
    const MEMORY: u64 = 32 * 1024 * 1024;
    match kdf {
        Kdf::Pbkdf2(parameters) => Ok(u64::from(parameters.iteration_count)),
        Kdf::Scrypt(parameters) => {
            let blocks = parameters
                .cost_parameter
                .saturating_mul(u64::from(parameters.block_size));
            let rounds = blocks.saturating_mul(u64::from(parameters.parallelization));
            if blocks.saturating_mul(128) > MEMORY {
                Err(DecryptionFailure::TooMuchWork(rounds))
            } else {
                Ok(rounds)
            }
        }
        _ => Err(DecryptionFailure::UnknownScheme),
    }
}

/// A legacy scheme of PKCS#12.
struct Scheme<'a> {
    cipher: Cipher,
    salt: &'a [u8],
    iterations: u64,
}

#[derive(Clone, Copy)]
enum Cipher {
    TripleDes,
    Rc2 { octets: usize },
}

impl<'a> Scheme<'a> {
    fn parse(algorithm: &'a [u8]) -> Option<Self> {
        /// 1.2.840.113549.1.12.1: pkcs-12PbeIds
        const IDS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01";
        let (outer, _) = der::split(algorithm)?;
        let (id, rest) = der::split(outer.value)?;
        let cipher = match id.value.strip_prefix(IDS)? {
            [3] => Cipher::TripleDes,
            [5] => Cipher::Rc2 { octets: 16 },
            [6] => Cipher::Rc2 { octets: 5 },
            _ => return None,
        };
        let (parameters, _) = der::split(rest)?;
        let (salt, rest) = der::split(parameters.value)?;
        let (iterations, _) = der::split(rest)?;
        Some(Self {
            cipher,
            salt: salt.value,
            iterations: number(iterations.value),
        })
    }

    fn decrypt(&self, data: &[u8], wide: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let octets = match self.cipher {
            Cipher::TripleDes => 24,
            Cipher::Rc2 { octets } => octets,
        };
        let derive = |purpose, length| {
            derive(
                &digest::SHA1_FOR_LEGACY_USE_ONLY,
                purpose,
                wide,
                self.salt,
                self.iterations,
                length,
            )
        };
        let (key, iv) = (derive(Purpose::Key, octets), derive(Purpose::Iv, 8));
        let mut buffer = Zeroizing::new(data.to_vec());
        let length = match self.cipher {
            Cipher::TripleDes => {
                let cipher = cbc::Decryptor::<des::TdesEde3>::new_from_slices(&key, &iv).ok()?;
                cipher.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len()
            }
            Cipher::Rc2 { .. } => {
                let cipher = cbc::Decryptor::<rc2::Rc2>::new_from_slices(&key, &iv).ok()?;
                cipher.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len()
            }
        };
        buffer.truncate(length);
        Some(buffer)
    }
}

/// A DER INTEGER that counts; what does not fit is more than any bound.
pub(super) fn number(octets: &[u8]) -> u64 {
    if octets.len() > 8 {
        return u64::MAX;
    }
    octets
        .iter()
        .fold(0, |sum, &octet| (sum << 8) | u64::from(octet))
}

/// What a derived key is for (RFC 7292 B.3).
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// Whether `mac` over `content` holds, with a key derived as PKCS#12 does; `None` for a digest that
/// is not known.
pub(super) fn mac_holds(
    digest_id: &[u8],
    salt: &[u8],
    iterations: u64,
    passphrase: DecryptionAttempt<'_>,
    content: &[u8],
    mac: &[u8],
) -> Option<bool> {
    let (_, digest, hmac) = DIGESTS.iter().find(|(id, ..)| *id == digest_id)?;
    let key = derive(
        digest,
        Purpose::Mac,
        &passphrase.wide(),
        salt,
        iterations,
        digest.output_len(),
    );
    Some(hmac::verify(&hmac::Key::new(*hmac, &key), content, mac).is_ok())
}

/// The digests of a PKCS#12 MAC.
static DIGESTS: [(&[u8], &digest::Algorithm, hmac::Algorithm); 4] = [
    (
        b"\x2b\x0e\x03\x02\x1a",
        &digest::SHA1_FOR_LEGACY_USE_ONLY,
        hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    ),
    (
        b"\x60\x86\x48\x01\x65\x03\x04\x02\x01",
        &digest::SHA256,
        hmac::HMAC_SHA256,
    ),
    (
        b"\x60\x86\x48\x01\x65\x03\x04\x02\x02",
        &digest::SHA384,
        hmac::HMAC_SHA384,
    ),
    (
        b"\x60\x86\x48\x01\x65\x03\x04\x02\x03",
        &digest::SHA512,
        hmac::HMAC_SHA512,
    ),
];

/// The key derivation of PKCS#12 (RFC 7292 B.2).
fn derive(
    algorithm: &'static digest::Algorithm,
    purpose: Purpose,
    wide: &[u8],
    salt: &[u8],
    iterations: u64,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = algorithm.block_len();
    let filled = |bytes: &[u8]| -> Vec<u8> {
        bytes
            .iter()
            .copied()
            .cycle()
            .take(bytes.len().div_ceil(block) * block)
            .collect()
    };
    let mut input = Zeroizing::new([filled(salt), filled(wide)].concat());
    let diversifier = match purpose {
        Purpose::Key => [1],
        Purpose::Iv => [2],
        Purpose::Mac => [3],
    };
    let mut out = Zeroizing::new(Vec::with_capacity(length + algorithm.output_len()));
    while out.len() < length {
        let mut context = digest::Context::new(algorithm);
        (0..block).for_each(|_| context.update(&diversifier));
        context.update(&input);
        let mut hash = context.finish();
        for _ in 1..iterations {
            hash = digest::digest(algorithm, hash.as_ref());
        }
        out.extend_from_slice(hash.as_ref());
        let addend: Vec<u8> = hash.as_ref().iter().copied().cycle().take(block).collect();
        for chunk in input.chunks_mut(block) {
            add_one_more(chunk, &addend);
        }
    }
    out.truncate(length);
    out
}

/// `number + addend + 1`, big-endian, without what is carried out of it.
fn add_one_more(number: &mut [u8], addend: &[u8]) {
    let mut carry = 1;
    for (octet, other) in number.iter_mut().zip(addend).rev() {
        let sum = u16::from(*octet) + u16::from(*other) + carry;
        let [high, low] = sum.to_be_bytes();
        (*octet, carry) = (low, u16::from(high));
    }
}
