//! PKCS#12 (RFC 7292), what Windows calls PFX: certificates and keys out of their bags, with what
//! could not be opened told one by one. Walked over the bytes as given, so that one odd bag costs
//! no other.

use zeroize::Zeroizing;

use super::ber;
use super::limits::KeyDerivationBudget;
use super::pbe::{self, DecryptionAttempt, DecryptionFailure, Passphrase};
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

/// What one file holds.
#[derive(Default)]
pub(super) struct OpenedPkcs12 {
    /// Each certificate's DER.
    pub certificates: Vec<Vec<u8>>,
    /// Each key's PKCS#8 DER.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
    /// Keys that stay encrypted, as `EncryptedPrivateKeyInfo`.
    pub locked: Vec<Zeroizing<Vec<u8>>>,
    /// What could not be used.
    pub unused: Vec<UnusedContent>,
    /// It was BER, which not all programs read.
    pub ber: bool,
    /// Its MAC holds with the passphrase that was given, and with none other.
    pub locked_by_passphrase: bool,
}

/// Opens a file with `passphrase`, else without any: as empty, as absent. Each costs `work`.
///
/// # Errors
/// That it is locked, damaged, or of a kind that is not read.
pub(super) fn read(
    bytes: &[u8],
    passphrase: Option<&Passphrase>,
    work: &mut KeyDerivationBudget,
) -> Result<OpenedPkcs12, UnusedContent> {
    let normal;
    let (pfx, ber) = match Pfx::parse(bytes) {
        Some(pfx) => (pfx, false),
        None => {
            normal = Zeroizing::new(ber::to_der(bytes).ok_or(UnusedContent::DamagedPkcs12)?);
            (
                Pfx::parse(&normal).ok_or(UnusedContent::DamagedPkcs12)?,
                true,
            )
        }
    };
    let empty = Passphrase::new(Vec::new());
    let tries = [
        passphrase.map(DecryptionAttempt::Given),
        Some(DecryptionAttempt::Given(&empty)),
        Some(DecryptionAttempt::None),
    ];
    let mut locked = DecryptionFailure::Wrong;
    for (place, one) in tries
        .into_iter()
        .enumerate()
        .filter_map(|(place, one)| Some((place, one?)))
    {
        match pfx.open(one, work) {
            Ok(opened) => {
                let locked_by_passphrase = place == 0 && pfx.mac.is_some();
                return Ok(OpenedPkcs12 {
                    ber,
                    locked_by_passphrase,
                    ..opened
                });
            }
            Err(Reason::Damaged) => return Err(UnusedContent::DamagedPkcs12),
            Err(Reason::Locked(reason)) => locked = reason,
        }
        if locked != DecryptionFailure::Wrong {
            break;
        }
    }
    Err(match (locked, passphrase) {
        (DecryptionFailure::TooMuchWork(rounds), _) => UnusedContent::TooMuchWork(rounds),
        (DecryptionFailure::UnknownScheme, _) => UnusedContent::UnknownEncryption,
        (DecryptionFailure::Wrong, Some(_)) => UnusedContent::WrongPassphrase("a PKCS#12 file"),
        (DecryptionFailure::Wrong, None) => UnusedContent::LockedPkcs12,
    })
}

/// Why a file was not opened.
enum Reason {
    Damaged,
    Locked(DecryptionFailure),
}

impl From<DecryptionFailure> for Reason {
    fn from(locked: DecryptionFailure) -> Self {
        Self::Locked(locked)
    }
}

/// A file taken apart as far as no passphrase is needed.
struct Pfx<'a> {
    /// The `AuthenticatedSafe`, which the MAC is over.
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
        let parts = elements(sequence(der::split(bytes)?.0)?)?;
        let [version, safes, rest @ ..] = parts.as_slice() else {
            return None;
        };
        let (octets, _) = der::split(content(safes.whole, DATA)?)?;
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

    fn open(
        &self,
        passphrase: DecryptionAttempt<'_>,
        work: &mut KeyDerivationBudget,
    ) -> Result<OpenedPkcs12, Reason> {
        if let Some(mac) = &self.mac {
            work.spend(mac.iterations)
                .map_err(DecryptionFailure::TooMuchWork)?;
            let holds = pbe::mac_holds(
                mac.digest,
                mac.salt,
                mac.iterations,
                passphrase,
                self.safes,
                mac.value,
            );
            if holds == Some(false) {
                return Err(DecryptionFailure::Wrong.into());
            }
        }
        let mut opened = OpenedPkcs12::default();
        let normal;
        let safes = match bags_of(self.safes) {
            Some(safes) => safes,
            None => {
                normal = ber::to_der(self.safes).ok_or(Reason::Damaged)?;
                bags_of(&normal).ok_or(Reason::Damaged)?
            }
        };
        for safe in safes {
            opened.safe(safe, passphrase, work)?;
        }
        Ok(opened)
    }
}

impl<'a> Mac<'a> {
    /// `MacData` (RFC 7292 4): digest, salt, iterations, of which the last may be absent.
    fn parse(element: DerElement<'a>) -> Option<Self> {
        let parts = elements(sequence(element)?)?;
        let [info, salt, rest @ ..] = parts.as_slice() else {
            return None;
        };
        let info = elements(sequence(*info)?)?;
        let [algorithm, value] = info.as_slice() else {
            return None;
        };
        let (digest, _) = der::split(sequence(*algorithm)?)?;
        let iterations = rest
            .first()
            .map_or(1, |iterations| pbe::number(iterations.value));
        Some(Self {
            digest: digest.value,
            value: value.value,
            salt: salt.value,
            iterations,
        })
    }
}

impl OpenedPkcs12 {
    /// One `ContentInfo` of the `AuthenticatedSafe`.
    fn safe(
        &mut self,
        safe: DerElement<'_>,
        passphrase: DecryptionAttempt<'_>,
        work: &mut KeyDerivationBudget,
    ) -> Result<(), Reason> {
        if let Some(plain) = content(safe.whole, DATA) {
            let (octets, _) = der::split(plain).ok_or(Reason::Damaged)?;
            return self.bags(octets.value, passphrase, work);
        }
        let Some(encrypted) = content(safe.whole, ENCRYPTED_DATA) else {
            self.unused.push(UnusedContent::UnknownEncryption);
            return Ok(());
        };
        let (algorithm, data) = encrypted_content(encrypted).ok_or(Reason::Damaged)?;
        let plain = pbe::decrypt(algorithm, &data, passphrase, work)?;
        // A wrong passphrase may end in a padding that fits by chance.
        match self.bags(&plain, passphrase, work) {
            Err(Reason::Damaged) => Err(DecryptionFailure::Wrong.into()),
            other => other,
        }
    }

    /// `SafeContents`. A key that stays locked costs no certificate.
    fn bags(
        &mut self,
        bytes: &[u8],
        passphrase: DecryptionAttempt<'_>,
        work: &mut KeyDerivationBudget,
    ) -> Result<(), Reason> {
        let normal;
        let bags = match bags_of(bytes) {
            Some(bags) => bags,
            None => {
                normal = Zeroizing::new(ber::to_der(bytes).ok_or(Reason::Damaged)?);
                bags_of(&normal).ok_or(Reason::Damaged)?
            }
        };
        for bag in bags {
            let (id, value) = bag_of(bag).ok_or(Reason::Damaged)?;
            match id.strip_prefix(BAGS) {
                Some([1]) => self.keys.push(Zeroizing::new(value.to_vec())),
                Some([2]) => self.shrouded(value, passphrase, work)?,
                Some([3]) => match certificate(value) {
                    Some(der) => self.certificates.push(der.to_vec()),
                    None => self.unused.push(UnusedContent::OtherBag),
                },
                _ => self.unused.push(UnusedContent::OtherBag),
            }
        }
        Ok(())
    }

    fn shrouded(
        &mut self,
        value: &[u8],
        passphrase: DecryptionAttempt<'_>,
        work: &mut KeyDerivationBudget,
    ) -> Result<(), Reason> {
        let parts = der::split(value)
            .and_then(|(outer, _)| elements(outer.value))
            .ok_or(Reason::Damaged)?;
        let [algorithm, data] = parts.as_slice() else {
            return Err(Reason::Damaged);
        };
        match pbe::decrypt(algorithm.whole, data.value, passphrase, work) {
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

/// The elements of a SEQUENCE: of safes, or of bags.
fn bags_of(bytes: &[u8]) -> Option<Vec<DerElement<'_>>> {
    elements(sequence(der::split(bytes)?.0)?)
}

/// `EncryptedData` (RFC 5652 8): the algorithm and the content, which BER may have left in pieces.
fn encrypted_content(bytes: &[u8]) -> Option<(&[u8], Vec<u8>)> {
    let parts = elements(sequence(der::split(bytes)?.0)?)?;
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

/// A bag's kind and its content.
fn bag_of(bag: DerElement<'_>) -> Option<(&[u8], &[u8])> {
    let parts = elements(sequence(bag)?)?;
    let [id, value, ..] = parts.as_slice() else {
        return None;
    };
    Some((id.value, value.value))
}

/// The X.509 certificate of a `CertBag`.
fn certificate(value: &[u8]) -> Option<&[u8]> {
    let parts = elements(sequence(der::split(value)?.0)?)?;
    let [id, value, ..] = parts.as_slice() else {
        return None;
    };
    let (octets, _) = der::split(value.value)?;
    (id.value == X509).then_some(octets.value)
}
