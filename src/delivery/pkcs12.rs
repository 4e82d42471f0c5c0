//! Reads PKCS#12 (RFC 7292), which Windows calls PFX: certificates and keys, and each bag that
//! could not be opened. Walks over the bytes as given, so that one unusual bag does not affect the
//! others.

use zeroize::Zeroizing;

use super::ber;
use super::limits::KeyDerivationBudget;
use super::pbe::{self, DecryptionAttempt, DecryptionFailure, Password};
use super::pkcs7::{ZERO, content, elements, sequence};
use crate::delivery::diagnostics::UnusedContent;
use crate::pki::der::{self, DerElement};

/// 1.2.840.113549.1.7.1 and .6: data, encryptedData.
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const ENCRYPTED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06";
/// 1.2.840.113549.1.12.10.1: bagtypes.
const BAGS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01";
/// 1.2.840.113549.1.9.22.1: x509Certificate.
const X509: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01";

/// The contents of one file.
#[derive(Default)]
pub(super) struct OpenedPkcs12 {
    /// The DER of each certificate.
    pub certificates: Vec<Vec<u8>>,
    /// The PKCS#8 DER of each key.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
    /// Keys that stay encrypted, as `EncryptedPrivateKeyInfo`.
    pub locked: Vec<Zeroizing<Vec<u8>>>,
    /// Content that could not be used.
    pub unused: Vec<UnusedContent>,
    /// The file is BER, which not all programs read.
    pub ber: bool,
    /// Whether its MAC is valid for the given password only.
    pub is_locked_by_password: bool,
}

/// Opens a file with `password`; if that fails, with an empty one, then with none. Each attempt
/// spends `work`.
///
/// # Errors
/// The file is encrypted with another password, damaged, or uses an unsupported scheme.
pub(super) fn read(
    bytes: &[u8],
    password: Option<&Password>,
    work: &mut KeyDerivationBudget,
) -> Result<OpenedPkcs12, UnusedContent> {
    if let Some(pfx) = Pfx::parse(bytes) {
        return pfx
            .open_with_any(password, work)
            .map_err(|failure| failure.unused_content(password));
    }
    let der = Zeroizing::new(ber::to_der(bytes).ok_or(UnusedContent::DamagedPkcs12)?);
    let pfx = Pfx::parse(&der).ok_or(UnusedContent::DamagedPkcs12)?;
    let opened = pfx
        .open_with_any(password, work)
        .map_err(|failure| failure.unused_content(password))?;
    Ok(OpenedPkcs12 {
        ber: true,
        ..opened
    })
}

/// Why a file was not opened.
enum OpeningFailure {
    Damaged,
    Locked(DecryptionFailure),
}

impl From<DecryptionFailure> for OpeningFailure {
    fn from(failure: DecryptionFailure) -> Self {
        Self::Locked(failure)
    }
}

impl OpeningFailure {
    /// Returns the content to report for a file that could not be opened with `password`.
    fn unused_content(self, password: Option<&Password>) -> UnusedContent {
        let failure = match self {
            Self::Damaged => return UnusedContent::DamagedPkcs12,
            Self::Locked(failure) => failure,
        };
        match failure {
            DecryptionFailure::TooMuchWork(rounds) => UnusedContent::TooMuchWork(rounds),
            DecryptionFailure::UnknownScheme => UnusedContent::UnknownEncryption,
            DecryptionFailure::Wrong if password.is_some() => {
                UnusedContent::WrongPassword("a PKCS#12 file")
            }
            DecryptionFailure::Wrong => UnusedContent::LockedPkcs12,
        }
    }
}

/// A file parsed as far as possible without a password.
struct Pfx<'a> {
    /// The `AuthenticatedSafe`, which the MAC protects.
    safes: &'a [u8],
    mac: Option<Mac<'a>>,
}

struct Mac<'a> {
    digest: &'a [u8],
    value: &'a [u8],
    salt: &'a [u8],
    iterations: u64,
}

impl<'a> Pfx<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let parts = elements(sequence(der::split_element(bytes)?.0)?)?;
        let [version, safes, rest @ ..] = parts.as_slice() else {
            return None;
        };
        let (octets, _) = der::split_element(content(safes.whole, DATA)?)?;
        (version.value == [3] && octets.tag == 0x04).then_some(())?;
        let mac = match rest.first() {
            Some(mac) => Some(Mac::parse(*mac)?),
            None => None,
        };
        Some(Self {
            safes: octets.value,
            mac,
        })
    }

    /// Tries `password`, then an empty one, then none, until one opens the file.
    fn open_with_any(
        &self,
        password: Option<&Password>,
        work: &mut KeyDerivationBudget,
    ) -> Result<OpenedPkcs12, OpeningFailure> {
        if let Some(password) = password {
            match self.open(DecryptionAttempt::Given(password), work) {
                Ok(opened) => {
                    return Ok(OpenedPkcs12 {
                        is_locked_by_password: self.mac.is_some(),
                        ..opened
                    });
                }
                Err(OpeningFailure::Locked(DecryptionFailure::Wrong)) => {}
                Err(failure) => return Err(failure),
            }
        }
        let empty = Password::new(Vec::new());
        match self.open(DecryptionAttempt::Given(&empty), work) {
            Err(OpeningFailure::Locked(DecryptionFailure::Wrong)) => {
                self.open(DecryptionAttempt::None, work)
            }
            outcome => outcome,
        }
    }

    fn open(
        &self,
        password: DecryptionAttempt<'_>,
        work: &mut KeyDerivationBudget,
    ) -> Result<OpenedPkcs12, OpeningFailure> {
        if let Some(mac) = &self.mac {
            work.spend(mac.iterations)
                .map_err(DecryptionFailure::TooMuchWork)?;
            let is_right = pbe::verify_mac(
                mac.digest,
                mac.salt,
                mac.iterations,
                password,
                self.safes,
                mac.value,
            );
            if is_right == Some(false) {
                return Err(DecryptionFailure::Wrong.into());
            }
        }
        let mut opened = OpenedPkcs12::default();
        let der;
        let safes = match split_sequence(self.safes) {
            Some(safes) => safes,
            None => {
                der = ber::to_der(self.safes).ok_or(OpeningFailure::Damaged)?;
                split_sequence(&der).ok_or(OpeningFailure::Damaged)?
            }
        };
        for safe in safes {
            opened.read_safe(safe, password, work)?;
        }
        Ok(opened)
    }
}

impl<'a> Mac<'a> {
    /// Parses `MacData` (RFC 7292 4): digest, salt, iterations, of which the last may be absent.
    fn parse(element: DerElement<'a>) -> Option<Self> {
        let parts = elements(sequence(element)?)?;
        let [info, salt, rest @ ..] = parts.as_slice() else {
            return None;
        };
        let info = elements(sequence(*info)?)?;
        let [algorithm, value] = info.as_slice() else {
            return None;
        };
        let (digest, _) = der::split_element(sequence(*algorithm)?)?;
        let iterations = rest
            .first()
            .map_or(1, |iterations| pbe::parse_count(iterations.value));
        Some(Self {
            digest: digest.value,
            value: value.value,
            salt: salt.value,
            iterations,
        })
    }
}

impl OpenedPkcs12 {
    /// Reads one `ContentInfo` of the `AuthenticatedSafe`.
    fn read_safe(
        &mut self,
        safe: DerElement<'_>,
        password: DecryptionAttempt<'_>,
        work: &mut KeyDerivationBudget,
    ) -> Result<(), OpeningFailure> {
        if let Some(plain) = content(safe.whole, DATA) {
            let (octets, _) = der::split_element(plain).ok_or(OpeningFailure::Damaged)?;
            return self.read_bags(octets.value, password, work);
        }
        let Some(encrypted) = content(safe.whole, ENCRYPTED_DATA) else {
            self.unused.push(UnusedContent::UnknownEncryption);
            return Ok(());
        };
        let (algorithm, data) = encrypted_content(encrypted).ok_or(OpeningFailure::Damaged)?;
        let plain = pbe::decrypt(algorithm, &data, password, work)?;
        // The padding may be valid by chance even with a wrong password.
        match self.read_bags(&plain, password, work) {
            Err(OpeningFailure::Damaged) => Err(DecryptionFailure::Wrong.into()),
            other => other,
        }
    }

    /// Reads `SafeContents`. A key that cannot be decrypted does not affect the certificates.
    fn read_bags(
        &mut self,
        bytes: &[u8],
        password: DecryptionAttempt<'_>,
        work: &mut KeyDerivationBudget,
    ) -> Result<(), OpeningFailure> {
        let der;
        let bags = match split_sequence(bytes) {
            Some(bags) => bags,
            None => {
                der = Zeroizing::new(ber::to_der(bytes).ok_or(OpeningFailure::Damaged)?);
                split_sequence(&der).ok_or(OpeningFailure::Damaged)?
            }
        };
        for bag in bags {
            let (id, value) = split_bag(bag).ok_or(OpeningFailure::Damaged)?;
            match id.strip_prefix(BAGS) {
                Some([1]) => self.keys.push(Zeroizing::new(value.to_vec())),
                Some([2]) => self.read_encrypted_key(value, password, work)?,
                Some([3]) => match certificate_der(value) {
                    Some(der) => self.certificates.push(der.to_vec()),
                    None => self.unused.push(UnusedContent::OtherBag),
                },
                _ => self.unused.push(UnusedContent::OtherBag),
            }
        }
        Ok(())
    }

    /// Reads a `PKCS8ShroudedKeyBag` (RFC 7292 4.2.2).
    fn read_encrypted_key(
        &mut self,
        value: &[u8],
        password: DecryptionAttempt<'_>,
        work: &mut KeyDerivationBudget,
    ) -> Result<(), OpeningFailure> {
        let parts = der::split_element(value)
            .and_then(|(outer, _)| elements(outer.value))
            .ok_or(OpeningFailure::Damaged)?;
        let [algorithm, data] = parts.as_slice() else {
            return Err(OpeningFailure::Damaged);
        };
        match pbe::decrypt(algorithm.whole, data.value, password, work) {
            Ok(key) => self.keys.push(key),
            Err(DecryptionFailure::Wrong) => self.locked.push(Zeroizing::new(value.to_vec())),
            Err(DecryptionFailure::UnknownScheme) => {
                self.unused.push(UnusedContent::UnknownEncryption)
            }
            Err(other) => return Err(other.into()),
        }
        Ok(())
    }
}

/// Splits a SEQUENCE, of safes or of bags, into its elements.
fn split_sequence(bytes: &[u8]) -> Option<Vec<DerElement<'_>>> {
    elements(sequence(der::split_element(bytes)?.0)?)
}

/// Splits `EncryptedData` (RFC 5652 8) into algorithm and content; BER may have the content in
/// pieces.
fn encrypted_content(bytes: &[u8]) -> Option<(&[u8], Vec<u8>)> {
    let parts = elements(sequence(der::split_element(bytes)?.0)?)?;
    let info = elements(sequence(*parts.get(1)?)?)?;
    let [_, algorithm, data, ..] = info.as_slice() else {
        return None;
    };
    let octets = match data.tag {
        ZERO => elements(data.value)?
            .iter()
            .flat_map(|piece| piece.value)
            .copied()
            .collect(),
        _ => data.value.to_vec(),
    };
    Some((algorithm.whole, octets))
}

/// Splits a bag into its kind and its content.
fn split_bag(bag: DerElement<'_>) -> Option<(&[u8], &[u8])> {
    let parts = elements(sequence(bag)?)?;
    let [id, value, ..] = parts.as_slice() else {
        return None;
    };
    Some((id.value, value.value))
}

/// The DER of the X.509 certificate in a `CertBag`.
fn certificate_der(value: &[u8]) -> Option<&[u8]> {
    let parts = elements(sequence(der::split_element(value)?.0)?)?;
    let [id, value, ..] = parts.as_slice() else {
        return None;
    };
    let (octets, _) = der::split_element(value.value)?;
    (id.value == X509).then_some(octets.value)
}
