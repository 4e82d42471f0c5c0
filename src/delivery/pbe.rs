//! Password-based encryption of keys and PKCS#12 files: PBES2 (RFC 8018 6.2) and the legacy schemes
//! of PKCS#12 (RFC 7292 appendix C). The file sets the iteration count, so the count is checked
//! against the budget before any key is derived.

use aws_lc_rs::{digest, hmac};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use pkcs8::der::Decode;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use zeroize::Zeroizing;

use super::limits::KeyDerivationBudget;
use crate::pki::der;

/// A password; wiped when dropped, and never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// The bytes as typed or read, without a line ending.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The form that zip files and PBES2 use.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The form that PKCS#12 uses (RFC 7292 B.1): UTF-16, big-endian, with a final NUL.
    fn wide(&self) -> Zeroizing<Vec<u8>> {
        let text = Zeroizing::new(String::from_utf8_lossy(&self.0).into_owned());
        let mut wide = Zeroizing::new(Vec::with_capacity(text.len() * 2 + 2));
        text.encode_utf16()
            .for_each(|unit| wide.extend_from_slice(&unit.to_be_bytes()));
        wide.extend_from_slice(&[0, 0]);
        wide
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

/// A password to try, or none, which PKCS#12 encodes differently from an empty one.
#[derive(Clone, Copy, Debug)]
pub(super) enum DecryptionAttempt<'a> {
    Given(&'a Password),
    None,
}

impl DecryptionAttempt<'_> {
    fn narrow(&self) -> &[u8] {
        match self {
            Self::Given(password) => password.bytes(),
            Self::None => &[],
        }
    }

    fn wide(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Given(password) => password.wide(),
            Self::None => Zeroizing::default(),
        }
    }
}

/// Why something cannot be decrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DecryptionFailure {
    /// The file requires more iterations of key derivation than the budget allows; holds how many.
    TooMuchWork(u64),
    /// An encryption scheme that certctl does not support.
    UnknownScheme,
    /// The password is wrong or the content is damaged; the two cannot be distinguished.
    Wrong,
}

/// Decrypts `data` as its `AlgorithmIdentifier` (whole DER) says.
pub(super) fn decrypt(
    algorithm: &[u8],
    data: &[u8],
    password: DecryptionAttempt<'_>,
    work: &mut KeyDerivationBudget,
) -> Result<Zeroizing<Vec<u8>>, DecryptionFailure> {
    if let Ok(EncryptionScheme::Pbes2(parameters)) = EncryptionScheme::from_der(algorithm) {
        work.spend(count_iterations(&parameters.kdf)?)
            .map_err(DecryptionFailure::TooMuchWork)?;
        return parameters
            .decrypt(password.narrow(), data)
            .map(Zeroizing::new)
            .map_err(|_| DecryptionFailure::Wrong);
    }
    let scheme = Scheme::parse(algorithm).ok_or(DecryptionFailure::UnknownScheme)?;
    work.spend(scheme.iterations.saturating_mul(2))
        .map_err(DecryptionFailure::TooMuchWork)?;
    scheme
        .decrypt(data, &password.wide())
        .ok_or(DecryptionFailure::Wrong)
}

/// The most memory that one scrypt derivation may use, in bytes.
pub(crate) const SCRYPT_MEMORY: u64 = 32 * 1024 * 1024;

/// Returns how many iterations a key derivation requires. For scrypt (RFC 7914) these are its
/// blocks, and its memory is limited too.
fn count_iterations(kdf: &Kdf) -> Result<u64, DecryptionFailure> {
    match kdf {
        Kdf::Pbkdf2(parameters) => Ok(u64::from(parameters.iteration_count)),
        Kdf::Scrypt(parameters) => {
            let blocks = parameters
                .cost_parameter
                .saturating_mul(u64::from(parameters.block_size));
            let iterations = blocks.saturating_mul(u64::from(parameters.parallelization));
            if blocks.saturating_mul(128) > SCRYPT_MEMORY {
                Err(DecryptionFailure::TooMuchWork(iterations))
            } else {
                Ok(iterations)
            }
        }
        _ => Err(DecryptionFailure::UnknownScheme),
    }
}

/// A legacy encryption scheme of PKCS#12 with its parameters.
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
        let (outer, _) = der::split_element(algorithm)?;
        let (id, rest) = der::split_element(outer.value)?;
        let cipher = match id.value.strip_prefix(IDS)? {
            [3] => Cipher::TripleDes,
            [5] => Cipher::Rc2 { octets: 16 },
            [6] => Cipher::Rc2 { octets: 5 },
            _ => return None,
        };
        let (parameters, _) = der::split_element(rest)?;
        let (salt, rest) = der::split_element(parameters.value)?;
        let (iterations, _) = der::split_element(rest)?;
        Some(Self {
            cipher,
            salt: salt.value,
            iterations: parse_count(iterations.value),
        })
    }

    fn decrypt(&self, data: &[u8], wide: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let key_length = match self.cipher {
            Cipher::TripleDes => 24,
            Cipher::Rc2 { octets } => octets,
        };
        let derivation = Pkcs12Derivation {
            digest: &digest::SHA1_FOR_LEGACY_USE_ONLY,
            wide,
            salt: self.salt,
            iterations: self.iterations,
        };
        let key = derivation.derive(Purpose::Key, key_length);
        let iv = derivation.derive(Purpose::Iv, 8);
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

/// Reads the value of a DER INTEGER as a count; `u64::MAX` if it does not fit.
pub(super) fn parse_count(octets: &[u8]) -> u64 {
    if octets.len() > 8 {
        return u64::MAX;
    }
    octets
        .iter()
        .fold(0, |sum, &octet| (sum << 8) | u64::from(octet))
}

/// The purpose of a derived key (RFC 7292 B.3).
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// Returns whether `mac` over `content` is valid for a key derived as in PKCS#12; `None` for an
/// unknown digest.
pub(super) fn verify_mac(
    digest_id: &[u8],
    salt: &[u8],
    iterations: u64,
    password: DecryptionAttempt<'_>,
    content: &[u8],
    mac: &[u8],
) -> Option<bool> {
    let (_, digest, hmac) = DIGESTS.iter().find(|(id, ..)| *id == digest_id)?;
    let derivation = Pkcs12Derivation {
        digest,
        wide: &password.wide(),
        salt,
        iterations,
    };
    let key = derivation.derive(Purpose::Mac, digest.output_len());
    Some(hmac::verify(&hmac::Key::new(*hmac, &key), content, mac).is_ok())
}

/// Digests that a PKCS#12 MAC may use: object identifier, digest, HMAC.
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

/// The input of PKCS#12 key derivation (RFC 7292 B.2).
struct Pkcs12Derivation<'a> {
    digest: &'static digest::Algorithm,
    /// The password as UTF-16, see [`Password::wide`].
    wide: &'a [u8],
    salt: &'a [u8],
    iterations: u64,
}

impl Pkcs12Derivation<'_> {
    /// Derives `length` octets for `purpose`.
    fn derive(&self, purpose: Purpose, length: usize) -> Zeroizing<Vec<u8>> {
        let block = self.digest.block_len();
        let salt = repeat_to_blocks(self.salt, block);
        let password = repeat_to_blocks(self.wide, block);
        let mut input = Zeroizing::new([salt, password].concat());
        let mut derived = Zeroizing::new(Vec::with_capacity(length + self.digest.output_len()));
        while derived.len() < length {
            let hash = self.hash_repeatedly(purpose, &input);
            derived.extend_from_slice(hash.as_ref());
            let addend: Vec<u8> = hash.as_ref().iter().copied().cycle().take(block).collect();
            for chunk in input.chunks_mut(block) {
                add_one_more(chunk, &addend);
            }
        }
        derived.truncate(length);
        derived
    }

    /// Hashes the diversifier of `purpose` and `input`, then the result again, `iterations` times
    /// in all.
    fn hash_repeatedly(&self, purpose: Purpose, input: &[u8]) -> digest::Digest {
        let diversifier = match purpose {
            Purpose::Key => [1],
            Purpose::Iv => [2],
            Purpose::Mac => [3],
        };
        let mut context = digest::Context::new(self.digest);
        for _ in 0..self.digest.block_len() {
            context.update(&diversifier);
        }
        context.update(input);
        let mut hash = context.finish();
        for _ in 1..self.iterations {
            hash = digest::digest(self.digest, hash.as_ref());
        }
        hash
    }
}

/// Repeats `bytes` up to the next multiple of `block`.
fn repeat_to_blocks(bytes: &[u8], block: usize) -> Vec<u8> {
    bytes
        .iter()
        .copied()
        .cycle()
        .take(bytes.len().div_ceil(block) * block)
        .collect()
}

/// Sets `number` to `number + addend + 1`, big-endian, dropping the final carry.
fn add_one_more(number: &mut [u8], addend: &[u8]) {
    let mut carry = 1;
    for (octet, other) in number.iter_mut().zip(addend).rev() {
        let sum = u16::from(*octet) + u16::from(*other) + carry;
        let [high, low] = sum.to_be_bytes();
        *octet = low;
        carry = u16::from(high);
    }
}
