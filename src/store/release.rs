//! The files of a release: built from a verified certificate and its key, or taken over from the
//! files that a server reads now. Pure.

mod strict_pem;

use jiff::Timestamp;
use zeroize::Zeroizing;

use self::strict_pem::{StrictPemBlock, parse_blocks};
use super::combined_order::CombinedOrder;
use super::layout::{KEY_MODE, PUBLIC_MODE, ReleaseFile, ReleaseId};
use crate::permissions::{Mode, Owner};
use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::installable::InstallableCertificate;
use crate::pki::key::{KeyError, PrivateKey, PublicKeyId};

/// Mode and owner of a key file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyAccess {
    /// The permission bits of the key file.
    pub mode: Mode,
    /// User and group, if they are not those of the user who runs certctl.
    pub owner: Option<Owner>,
}

impl Default for KeyAccess {
    /// Returns access for only the user who runs certctl.
    fn default() -> Self {
        Self {
            mode: KEY_MODE,
            owner: None,
        }
    }
}

/// The files of a release in memory.
pub struct Release {
    /// The id, which is computed from the content.
    pub id: ReleaseId,
    /// The chain as a server sends it, leaf first.
    pub certificates: Vec<Certificate>,
    /// Mode and owner of its key.
    pub access: KeyAccess,
    /// Whether the chain file that was taken over contains a private key, which was omitted.
    pub had_key_in_chain: bool,
    files: Vec<(ReleaseFile, Zeroizing<Vec<u8>>)>,
    /// The id of the key, as part of the id of the release.
    key_id: String,
    /// Further input for the id: hashes of files with other bytes than certctl writes.
    verbatim: Vec<String>,
}

impl std::fmt::Debug for Release {
    /// Shows the id and never the bytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Release({})", self.id)
    }
}

/// Why a server cannot load the files at its two paths.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnloadableReason {
    /// The first certificate of the chain file has another key.
    #[error(
        "the key file contains the key {}, but the first certificate of the chain needs the key {}",
        key.short(),
        leaf.short()
    )]
    Mismatch {
        key: PublicKeyId,
        /// The key id in the first certificate.
        leaf: PublicKeyId,
    },
    /// The chain file has no certificate that a server can load.
    #[error("the chain file contains no certificate that a server can load")]
    NoChain,
    /// The key file has no key that a server can load.
    #[error("the key file contains no private key that a server can load")]
    NoKey,
    /// Without the password, certctl cannot check whether certificate and key match.
    #[error("the key is encrypted")]
    Locked,
}

impl Release {
    /// Creates the release of a verified certificate, with its key if that is a file.
    #[must_use]
    pub fn new(certificate: &InstallableCertificate, access: KeyAccess) -> Self {
        let verified = certificate.chain().chain();
        let key = match certificate {
            InstallableCertificate::WithKey(certified) => {
                certified.key().to_pem().as_bytes().to_vec()
            }
            InstallableCertificate::ChainAlone(_) => Vec::new(),
        };
        Self::from_files(
            verified.certificates().to_vec(),
            &verified.leaf().key_id.to_string(),
            Zeroizing::new(verified.to_pem().into_bytes()),
            Zeroizing::new(key),
            access,
        )
    }

    /// Takes over the exact bytes of a chain whose key is not a file, if a server can load them.
    ///
    /// # Errors
    /// [`UnloadableReason::NoChain`].
    pub fn take_over_chain(chain: Zeroizing<Vec<u8>>) -> Result<Self, UnloadableReason> {
        let certificates = read_certificates(&chain).ok_or(UnloadableReason::NoChain)?;
        let key_id = certificates[0].key_id.to_string();
        let no_key = Zeroizing::default();
        Ok(Self::from_files(
            certificates,
            &key_id,
            chain,
            no_key,
            KeyAccess::default(),
        ))
    }

    /// Takes over the exact bytes that a server reads now, if it can load them. A private key in
    /// the chain file is omitted, because all users may read that file of a release.
    ///
    /// # Errors
    /// The reason why the server cannot load them.
    pub fn take_over(
        chain: Zeroizing<Vec<u8>>,
        key: Zeroizing<Vec<u8>>,
        access: KeyAccess,
    ) -> Result<Self, UnloadableReason> {
        let (certificates, key_id) = load_certificate_and_key(&chain, &key)?;
        Ok(Self::from_files(
            certificates,
            &key_id.to_string(),
            chain,
            key,
            access,
        ))
    }

    /// Takes over the single file with certificates and key that a server reads now, if it can load
    /// it.
    ///
    /// # Errors
    /// The reason why the server cannot load it.
    pub fn take_over_combined(
        combined: Zeroizing<Vec<u8>>,
        access: KeyAccess,
    ) -> Result<Self, UnloadableReason> {
        let key = extract_key(&combined).ok_or(UnloadableReason::NoKey)?;
        Ok(Self {
            had_key_in_chain: false,
            ..Self::take_over(combined.clone(), key, access)?
        }
        .with_combined_file(combined))
    }

    /// Takes over files that a server has loaded but that certctl cannot parse (an encrypted key,
    /// an unknown curve). The id is computed from their exact bytes.
    #[must_use]
    pub fn take_over_opaque(
        chain: Zeroizing<Vec<u8>>,
        key: Zeroizing<Vec<u8>>,
        access: KeyAccess,
    ) -> Option<Self> {
        let certificates = parse_certificates(&parse_blocks(&chain)?)?;
        let key_id = format!("bytes {}", Fingerprint::of(&key));
        Some(Self::from_files(certificates, &key_id, chain, key, access))
    }

    /// Adds these files to the usual ones, which changes the id; a combined file has its parts in
    /// this order.
    #[must_use]
    pub fn with_extra_files(self, derived: &[ReleaseFile], order: CombinedOrder) -> Self {
        if !derived.contains(&ReleaseFile::Combined)
            || self.pieces().contains(&ReleaseFile::Combined)
        {
            return self;
        }
        let combined = self.combined(order);
        self.with_combined_file(combined)
    }

    /// Adds this file with certificates and key, which changes the id.
    #[must_use]
    pub fn with_combined_file(mut self, combined: Zeroizing<Vec<u8>>) -> Self {
        if combined != self.combined(CombinedOrder::CertificatesFirst) {
            self.verbatim
                .push(format!("combined {}\n", Fingerprint::of(&combined)));
        }
        self.files.push((ReleaseFile::Combined, combined));
        self.id = self.compute_id();
        self
    }

    /// Returns leaf, intermediates and key as certctl writes them into one file.
    fn combined(&self, order: CombinedOrder) -> Zeroizing<Vec<u8>> {
        let chain = to_pem(&self.certificates);
        let key = self.bytes(ReleaseFile::Key);
        let parts = match order {
            CombinedOrder::CertificatesFirst => [chain.as_slice(), key],
            CombinedOrder::KeyFirst => [key, chain.as_slice()],
        };
        let mut combined = Zeroizing::new(Vec::with_capacity(chain.len() + key.len() + 1));
        for part in parts {
            // A key that was taken over may lack its last line break.
            if combined.last().is_some_and(|last| *last != b'\n') {
                combined.push(b'\n');
            }
            combined.extend_from_slice(part);
        }
        combined
    }

    /// Returns whether a server that reads `combined` gets these certificates and this key from it.
    #[must_use]
    pub fn is_combined_in(&self, combined: &[u8]) -> bool {
        let read = || load_certificate_and_key(combined, &extract_key(combined)?).ok();
        *combined == **self.combined(CombinedOrder::CertificatesFirst)
            || read().is_some_and(|(certificates, key)| {
                certificates == self.certificates && key.to_string() == self.key_id
            })
    }

    /// Returns the release with an id that depends on mode and owner of the key. It is needed if a
    /// release with the same id exists whose key has another mode or owner.
    #[must_use]
    pub fn with_access_in_id(self) -> Self {
        let KeyAccess { mode, owner } = self.access;
        // The form of every version: an installed release is found by its id.
        let numbers = |owner: Owner| format!("{}:{}", owner.uid, owner.gid);
        let owner = owner.map_or_else(|| "own".to_owned(), numbers);
        let text = format!("{}\naccess {mode} {owner}\n", self.id);
        let id = ReleaseId::of_hash(Fingerprint::of(text.as_bytes()));
        self.with_id(id)
    }

    /// Returns the release with another access to the key and the same id.
    #[must_use]
    pub fn with_access(self, access: KeyAccess) -> Self {
        Self { access, ..self }
    }

    /// Returns the release with the id that it has on disk.
    #[must_use]
    pub fn with_id(self, id: ReleaseId) -> Self {
        Self { id, ..self }
    }

    fn from_files(
        certificates: Vec<Certificate>,
        key_id: &str,
        chain: Zeroizing<Vec<u8>>,
        key: Zeroizing<Vec<u8>>,
        access: KeyAccess,
    ) -> Self {
        let mixed = has_key(&chain);
        let chain = if mixed { to_pem(&certificates) } else { chain };
        let cert = to_pem(&certificates[..1]);
        let ca = to_pem(&certificates[1..]);
        let canonical = *chain == *to_pem(&certificates);
        let verbatim = if canonical {
            vec![]
        } else {
            vec![format!("verbatim {}\n", Fingerprint::of(&chain))]
        };
        let mut files = vec![
            (ReleaseFile::FullChain, chain),
            (ReleaseFile::Cert, cert),
            (ReleaseFile::Ca, ca),
            (ReleaseFile::Key, key),
        ];
        files.retain(|(_, bytes)| !bytes.is_empty());
        let id = ReleaseId::of_hash(Fingerprint::of(b""));
        let release = Self {
            id,
            certificates,
            access,
            had_key_in_chain: mixed,
            files,
            key_id: key_id.to_owned(),
            verbatim,
        };
        let id = release.compute_id();
        release.with_id(id)
    }

    /// Computes the id from the hashes of the certificates, the key id and the list of files. A
    /// file that was taken over with other bytes than certctl writes (comments, CRLF) changes the
    /// id.
    fn compute_id(&self) -> ReleaseId {
        let mut text = String::new();
        for (index, certificate) in self.certificates.iter().enumerate() {
            let name = if index == 0 { "leaf" } else { "intermediate" };
            text.push_str(&format!("{name} {}\n", certificate.sha256()));
        }
        text.push_str(&format!("key {}\n", self.key_id));
        for (piece, _) in &self.files {
            text.push_str(&format!("file {}\n", piece.file_name()));
        }
        text.extend(self.verbatim.iter().map(String::as_str));
        ReleaseId::of_hash(Fingerprint::of(text.as_bytes()))
    }

    /// Returns the leaf.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        // `load_certificate_and_key` and `Chain` return at least the leaf.
        &self.certificates[0]
    }

    /// Returns the last second of validity.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.leaf().not_after
    }

    /// Returns which files it has.
    #[must_use]
    pub fn pieces(&self) -> Vec<ReleaseFile> {
        self.files.iter().map(|(piece, _)| *piece).collect()
    }

    /// Returns its files with their bytes and permission bits.
    pub fn files(&self) -> impl Iterator<Item = (ReleaseFile, &[u8], Mode)> {
        self.files.iter().map(|(piece, bytes)| {
            let mode = if piece.is_secret() {
                self.access.mode
            } else {
                PUBLIC_MODE
            };
            (*piece, bytes.as_slice(), mode)
        })
    }

    /// Returns the bytes of one file; empty if it has no such file.
    #[must_use]
    pub fn bytes(&self, piece: ReleaseFile) -> &[u8] {
        self.files
            .iter()
            .find(|(has, _)| *has == piece)
            .map_or(&[], |(_, bytes)| bytes)
    }
}

fn to_pem(some: &[Certificate]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(
        some.iter()
            .map(Certificate::to_pem)
            .collect::<String>()
            .into_bytes(),
    )
}

/// Returns whether the label of a private key occurs; a truncated or malformed key counts too.
fn has_key(bytes: &[u8]) -> bool {
    const LABEL: &[u8] = b"PRIVATE KEY";
    bytes.windows(LABEL.len()).any(|window| window == LABEL)
}

/// Returns the PEM block of the private key in a file with other content, unchanged.
fn extract_key(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut key: Option<Zeroizing<Vec<u8>>> = None;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let text = line.trim_ascii_end();
        let is_key = text.ends_with(b"PRIVATE KEY-----");
        if key.is_none() && is_key && text.starts_with(b"-----BEGIN ") {
            key = Some(Zeroizing::new(Vec::with_capacity(bytes.len() + 1)));
        }
        if let Some(key) = &mut key {
            key.extend_from_slice(line);
            if is_key && text.starts_with(b"-----END ") {
                break;
            }
        }
    }
    key.map(|mut key| {
        if !key.ends_with(b"\n") {
            key.push(b'\n');
        }
        key
    })
}

/// Loads two files as a server does: returns the certificates in the order in which it sends them,
/// and the key's id.
fn load_certificate_and_key(
    chain: &[u8],
    key: &[u8],
) -> Result<(Vec<Certificate>, PublicKeyId), UnloadableReason> {
    let chain_blocks = parse_blocks(chain).ok_or(UnloadableReason::NoChain)?;
    let certificates = parse_certificates(&chain_blocks).ok_or(UnloadableReason::NoChain)?;
    let key_blocks = parse_blocks(key).ok_or(UnloadableReason::NoKey)?;
    let block = key_blocks
        .iter()
        .find(|block| block.label.ends_with("PRIVATE KEY"))
        .ok_or(UnloadableReason::NoKey)?;
    if block.encrypted {
        return Err(UnloadableReason::Locked);
    }
    let key = PrivateKey::from_der(&block.der).map_err(|error| match error {
        KeyError::Encrypted => UnloadableReason::Locked,
        _ => UnloadableReason::NoKey,
    })?;
    let leaf = certificates[0].key_id;
    if leaf == key.id() {
        Ok((certificates, leaf))
    } else {
        Err(UnloadableReason::Mismatch {
            key: key.id(),
            leaf,
        })
    }
}

/// Parses the certificates of a chain file as a server does, leaf first; `None` if it could not load
/// them.
pub(super) fn read_certificates(chain: &[u8]) -> Option<Vec<Certificate>> {
    parse_certificates(&parse_blocks(chain)?)
}

fn parse_certificates(blocks: &[StrictPemBlock]) -> Option<Vec<Certificate>> {
    let certificates: Option<Vec<Certificate>> = blocks
        .iter()
        .filter(|block| block.label.ends_with("CERTIFICATE"))
        .map(|block| Certificate::from_der(&block.der).ok())
        .collect();
    certificates.filter(|certificates| !certificates.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{KEY_MODE, KeyAccess, Release, ReleaseFile, UnloadableReason, Zeroizing};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::store::combined_order::CombinedOrder;

    fn certificate_and_key(algorithm: KeyAlgorithm) -> (String, String) {
        let key = PrivateKey::generate(algorithm).unwrap();
        let signing = rcgen::KeyPair::try_from(key.pkcs8()).unwrap();
        let params = rcgen::CertificateParams::new(vec!["example.com".to_owned()]).unwrap();
        let pem = params
            .self_signed(&signing)
            .unwrap()
            .pem()
            .replace("\r\n", "\n");
        (pem, key.to_pem().to_string())
    }

    fn take_over(chain: &str, key: &str) -> Result<Release, UnloadableReason> {
        Release::take_over(
            Zeroizing::new(chain.into()),
            Zeroizing::new(key.into()),
            KeyAccess::default(),
        )
    }

    #[test]
    fn loadable_files_are_taken_over_byte_for_byte() {
        let (cert, key) = certificate_and_key(KeyAlgorithm::EcdsaP256);
        let plain = take_over(&cert, &key).unwrap();
        assert_eq!(
            plain.pieces(),
            [ReleaseFile::FullChain, ReleaseFile::Cert, ReleaseFile::Key],
            "without intermediates there is no ca.pem"
        );
        let commented = format!("from the reseller\r\n{}", cert.replace('\n', "\r\n"));
        let other = take_over(&commented, &key).unwrap();
        assert_eq!(other.bytes(ReleaseFile::FullChain), commented.as_bytes());
        assert_eq!(other.bytes(ReleaseFile::Key), key.as_bytes());
        assert_eq!(other.leaf(), plain.leaf());
        assert_ne!(other.id, plain.id, "other bytes change the id");
        assert_eq!(
            take_over(&cert, &key).unwrap().id,
            plain.id,
            "the same bytes have the same id"
        );
    }

    #[test]
    fn keys_in_chain_files_are_omitted() {
        let (cert, key) = certificate_and_key(KeyAlgorithm::EcdsaP256);
        let plain = take_over(&cert, &key).unwrap();
        for chain in [
            format!("{cert}{key}"),
            format!("{key}{cert}"),
            format!("{cert}# PRIVATE KEY"),
        ] {
            let mixed = take_over(&chain, &key).unwrap();
            assert_eq!(mixed.bytes(ReleaseFile::FullChain), cert.as_bytes());
            assert!(mixed.had_key_in_chain);
            assert_eq!(mixed.id, plain.id);
        }
        assert!(!plain.had_key_in_chain);
    }

    #[test]
    fn combined_files_are_taken_over_byte_for_byte() {
        let (cert, key) = certificate_and_key(KeyAlgorithm::EcdsaP256);
        let plain = take_over(&cert, &key).unwrap();
        let derived = take_over(&cert, &key)
            .unwrap()
            .with_extra_files(&[ReleaseFile::Combined], CombinedOrder::CertificatesFirst);
        assert_ne!(derived.id, plain.id, "the list of files is part of the id");
        assert_eq!(
            derived.bytes(ReleaseFile::Combined),
            format!("{cert}{key}").as_bytes()
        );
        assert!(
            derived
                .files()
                .all(|(piece, _, mode)| (mode == KEY_MODE) == piece.is_secret())
        );
        let take_over_combined = |text: &str| {
            Release::take_over_combined(Zeroizing::new(text.into()), KeyAccess::default())
        };
        assert_eq!(
            take_over_combined(&format!("{cert}{key}")).unwrap().id,
            derived.id,
            "a file as certctl writes it has the same id"
        );
        let other = format!("{key}\r\n# the site\n{cert}");
        let taken = take_over_combined(&other).unwrap();
        assert_eq!(taken.bytes(ReleaseFile::Combined), other.as_bytes());
        assert_eq!(taken.bytes(ReleaseFile::FullChain), cert.as_bytes());
        assert_eq!(taken.bytes(ReleaseFile::Key), key.as_bytes());
        assert!(taken.id != derived.id && !taken.had_key_in_chain);
        assert!(
            derived.is_combined_in(other.as_bytes()) && !derived.is_combined_in(cert.as_bytes())
        );
        assert_eq!(
            take_over_combined(&cert).unwrap_err(),
            UnloadableReason::NoKey
        );
    }

    #[test]
    fn unloadable_files_are_reported_with_the_reason() {
        let (cert, key) = certificate_and_key(KeyAlgorithm::EcdsaP256);
        let (other, rsa) = certificate_and_key(KeyAlgorithm::Rsa(2048));
        let glued = format!("{}{cert}", other.trim_end());
        let locked =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: \
            AES-256-CBC,00\n\nMAA=\n-----END RSA PRIVATE KEY-----\n";
        let mismatch =
            |error: &UnloadableReason| matches!(error, UnloadableReason::Mismatch { .. });
        for (name, chain, key, wanted) in [
            ("another key", cert.as_str(), rsa.as_str(), None),
            ("intermediate first", &format!("{other}{cert}"), &key, None),
            ("glued lines", &glued, &rsa, Some(UnloadableReason::NoChain)),
            ("empty", "", &key, Some(UnloadableReason::NoChain)),
            (
                "cut short",
                &cert[..cert.len() - 30],
                &key,
                Some(UnloadableReason::NoChain),
            ),
            ("no key", &cert, "", Some(UnloadableReason::NoKey)),
            ("encrypted", &cert, locked, Some(UnloadableReason::Locked)),
            (
                "encrypted in the traditional format",
                &cert,
                old,
                Some(UnloadableReason::Locked),
            ),
        ] {
            let error = take_over(chain, key).unwrap_err();
            assert!(
                wanted
                    .as_ref()
                    .map_or_else(|| mismatch(&error), |wanted| *wanted == error),
                "{name}: {error:?}"
            );
        }
    }
}
