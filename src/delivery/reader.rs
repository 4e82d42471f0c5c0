//! Reads one input after the other into a [`CaDelivery`], within its [`DeliveryLimits`].

use super::limits::{DeliveryError, DeliveryLimits, ReadBudget};
use super::mail::{self, MailPartKind};
use super::pbe::Passphrase;
use super::pem::{self, PemBlock};
use super::sniff::{self, DerOutline, FileForm};
use super::source::ItemSource;
use super::zip::{self, ZipContent};
use super::{pkcs7, pkcs12};
use crate::delivery::contents::{CaDelivery, DeliveryInput, FoundItem};
use crate::delivery::diagnostics::{AppliedRepair, IgnoredItem, RepairKind, UnusedContent};
use crate::delivery::encrypted_key::{DecryptError, EncryptedKey};
use crate::delivery::text_forms;
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::key::{KeyAlgorithm, KeyError, PrivateKey, PublicKey};
use crate::pki::request::{RequestError, SigningRequest, UnprovenRequest};
use crate::pki::signature::SignatureError;

impl CaDelivery {
    /// Reads all inputs as one bag.
    ///
    /// # Errors
    /// A bound that was exceeded, or a zip that cannot be read whole: see [`DeliveryError`].
    pub fn read(
        inputs: Vec<DeliveryInput>,
        limits: &DeliveryLimits,
    ) -> Result<Self, DeliveryError> {
        Self::open(&inputs, limits, None)
    }

    /// The same with a passphrase for whatever is locked.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn open(
        inputs: &[DeliveryInput],
        limits: &DeliveryLimits,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, DeliveryError> {
        let mut reader = Reader {
            delivery: Self::default(),
            budget: ReadBudget::new(limits),
            passphrase,
        };
        for input in inputs {
            let source = ItemSource {
                input: input.name.clone(),
                entry: None,
            };
            reader.read(&source, &input.bytes, 0)?;
        }
        Ok(reader.delivery)
    }
}

/// What has been read so far, and what is left of each bound.
struct Reader<'a> {
    delivery: CaDelivery,
    budget: ReadBudget<'a>,
    passphrase: Option<&'a Passphrase>,
}

impl Reader<'_> {
    fn read(
        &mut self,
        source: &ItemSource,
        bytes: &[u8],
        depth: usize,
    ) -> Result<(), DeliveryError> {
        let mended = match sniff::form(bytes) {
            FileForm::Der => return self.read_der_file(source, bytes),
            FileForm::Other(what) => {
                self.ignore(source, what);
                return Ok(());
            }
            FileForm::Mail => return self.read_mail(source, bytes, depth),
            FileForm::Pem => return self.read_pem(source, bytes),
            FileForm::Zip => return self.read_zip(source, bytes, depth),
            FileForm::Base64 => text_forms::naked(bytes).map(|der| (RepairKind::NakedBase64, der)),
            FileForm::Markup => {
                text_forms::from_markup(bytes).map(|text| (RepairKind::Markup, text))
            }
            FileForm::Utf16 => text_forms::from_utf16(bytes).map(|text| (RepairKind::Utf16, text)),
        };
        let Some((what, text)) = mended else {
            return Ok(());
        };
        self.mend(source, what, None);
        match what {
            RepairKind::NakedBase64 => self.read_der(source, &text),
            RepairKind::Markup => self.read_pem(source, &text),
            // One level, however often it was wrapped.
            _ if sniff::form(&text) == FileForm::Utf16 => {
                self.ignore(source, UnusedContent::Binary);
                Ok(())
            }
            _ => self.read(source, &text, depth),
        }
    }

    /// The parts of a mail; its own words are nothing to report.
    fn read_mail(
        &mut self,
        source: &ItemSource,
        bytes: &[u8],
        depth: usize,
    ) -> Result<(), DeliveryError> {
        self.budget.allow_depth(source, depth)?;
        if !mail::is_bounded(bytes, self.budget.entries_left()) {
            return Err(DeliveryError::MailTooLarge(source.clone()));
        }
        let before = self.delivery.blocks();
        for part in mail::parts(bytes).unwrap_or_default() {
            let place = source.within(&part.name);
            self.budget.spend_entries(source, 1)?;
            self.budget.spend_inflated(&place, part.bytes.len())?;
            match part.kind {
                MailPartKind::Signature => self.ignore(&place, UnusedContent::MailSignature),
                MailPartKind::Page if self.delivery.blocks() > before => {}
                MailPartKind::Letter | MailPartKind::Page
                    if is_plain(&sniff::form(&part.bytes)) => {}
                _ => self.read(&place, &part.bytes, depth + 1)?,
            }
        }
        if self.delivery.blocks() == before
            && !self
                .delivery
                .ignored
                .iter()
                .any(|one| one.source.input == source.input)
        {
            self.ignore(source, UnusedContent::Mail);
        }
        Ok(())
    }

    fn read_zip(
        &mut self,
        source: &ItemSource,
        bytes: &[u8],
        depth: usize,
    ) -> Result<(), DeliveryError> {
        self.budget.allow_depth(source, depth)?;
        let mut archive = zip::open(source, bytes, &mut self.budget)?;
        if zip::is_document(&archive) {
            self.ignore(source, UnusedContent::Office);
            return Ok(());
        }
        for index in 0..archive.len() {
            match zip::entry(
                &mut archive,
                index,
                source,
                &mut self.budget,
                self.passphrase,
            )? {
                (place, ZipContent::File(content)) => self.read(&place, &content, depth + 1)?,
                (_, ZipContent::Folder) => {}
                (place, ZipContent::Unused(what)) => self.ignore(&place, what),
            }
        }
        Ok(())
    }

    fn read_pem(&mut self, source: &ItemSource, bytes: &[u8]) -> Result<(), DeliveryError> {
        let scan = pem::scan(bytes, self.budget.blocks_left());
        self.delivery
            .repairs
            .extend(scan.mended.into_iter().map(|(what, line)| {
                let source = source.clone();
                AppliedRepair {
                    what,
                    source,
                    line: Some(line),
                }
            }));
        for block in scan.blocks {
            self.budget.spend_block(source)?;
            self.read_block(source, block)?;
        }
        for what in scan.damaged {
            self.budget.spend_block(source)?;
            self.ignore(source, what);
        }
        Ok(())
    }

    /// A block is what its content is; its label only names what is not read.
    fn read_block(&mut self, source: &ItemSource, block: PemBlock) -> Result<(), DeliveryError> {
        let PemBlock {
            label,
            line,
            der,
            encrypted,
        } = block;
        if encrypted {
            self.ignore(source, UnusedContent::TraditionalKey);
            return Ok(());
        }
        match label.as_str() {
            // What OpenSSL writes before an EC key; the key carries its curve itself.
            "EC PARAMETERS" => return Ok(()),
            "CERTIFICATE"
            | "CERTIFICATE REQUEST"
            | "PRIVATE KEY"
            | "RSA PRIVATE KEY"
            | "EC PRIVATE KEY" => {}
            "ENCRYPTED PRIVATE KEY"
            | "PKCS7"
            | "CMS"
            | "PKCS #7 SIGNED DATA"
            | "PKCS12"
            | "PUBLIC KEY" => {}
            "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" | "NEW CERTIFICATE REQUEST" => {
                self.mend(source, RepairKind::Label, Some(line));
            }
            _ => {
                let list = if label.ends_with("CRL") {
                    self.take_list(source, &der)
                } else {
                    None
                };
                self.ignore(source, list.unwrap_or_else(|| other_block(label)));
                return Ok(());
            }
        }
        let (first, rest) = sniff::split_first(&der);
        let outline = sniff::outline(first);
        if !outline.fits_label(&label) {
            self.mend(source, RepairKind::WrongLabel, Some(line));
        }
        if let Err(what) = self.take(source, outline, first)? {
            let what = match what {
                UnusedContent::DamagedDer => UnusedContent::DamagedBlock {
                    label,
                    line,
                    reason: "its content is cut off or changed",
                },
                other => other,
            };
            self.ignore(source, what);
        } else if label == "TRUSTED CERTIFICATE" && !rest.is_empty() {
            self.mend(source, RepairKind::TrustData, Some(line));
        } else {
            self.read_more(source, rest)?;
        }
        Ok(())
    }

    /// A file of DER.
    fn read_der_file(&mut self, source: &ItemSource, bytes: &[u8]) -> Result<(), DeliveryError> {
        let before = self.delivery.repairs.len();
        self.read_der(source, bytes)?;
        let wrapped = self.delivery.repairs[before..]
            .iter()
            .any(|repair| matches!(repair.what, RepairKind::Pkcs7 | RepairKind::Pkcs12));
        let ignored = self
            .delivery
            .ignored
            .last()
            .is_some_and(|last| last.source == *source);
        if !wrapped && !ignored {
            self.mend(source, RepairKind::Der, None);
        }
        Ok(())
    }

    /// DER elements, one behind the other.
    fn read_der(&mut self, source: &ItemSource, bytes: &[u8]) -> Result<(), DeliveryError> {
        let (first, rest) = sniff::split_first(bytes);
        self.budget.spend_block(source)?;
        if let Err(what) = self.take(source, sniff::outline(first), first)? {
            self.ignore(source, what);
        }
        self.read_more(source, rest)
    }

    /// What follows a first element.
    fn read_more(&mut self, source: &ItemSource, mut rest: &[u8]) -> Result<(), DeliveryError> {
        while rest.first() == Some(&0x30) {
            self.budget.spend_block(source)?;
            let (element, after) = sniff::split_first(rest);
            if let Err(what) = self.take(source, sniff::outline(element), element)? {
                self.ignore(source, what);
            }
            rest = after;
        }
        // A line break at the end is an editor's.
        if !rest.iter().all(u8::is_ascii_whitespace) {
            self.ignore(source, UnusedContent::Trailing(rest.len()));
        }
        Ok(())
    }

    /// Takes one element; the inner error is what it is instead of something of use.
    fn take(
        &mut self,
        source: &ItemSource,
        outline: DerOutline,
        der: &[u8],
    ) -> Result<Result<(), UnusedContent>, DeliveryError> {
        match outline {
            DerOutline::Pkcs7 => return self.take_pkcs7(source, der),
            DerOutline::Pkcs12 => return self.take_pkcs12(source, der),
            _ => {}
        }
        Ok(match outline {
            DerOutline::Certificate => self.take_certificate(source, der),
            DerOutline::EncryptedKey => self.take_locked(source, der),
            DerOutline::Key => self.take_key(source, der),
            DerOutline::Request => self.take_request(source, der),
            DerOutline::PublicKey => {
                let value = PublicKey::of_spki(der);
                self.delivery.public_keys.push(FoundItem {
                    value,
                    source: source.clone(),
                });
                Err(UnusedContent::PublicKey)
            }
            DerOutline::Pkcs12 | DerOutline::Pkcs7 | DerOutline::Unknown => {
                Err(UnusedContent::DamagedDer)
            }
        })
    }

    fn take_certificate(&mut self, source: &ItemSource, der: &[u8]) -> Result<(), UnusedContent> {
        const LONGEST: usize = 16_384;
        // What comes out of a PKCS#7 or PKCS#12 file must be readable by itself too.
        if sniff::outline(der) != DerOutline::Certificate {
            return Err(UnusedContent::DamagedDer);
        }
        let Ok(value) = Certificate::from_der(der) else {
            return Err(self
                .take_list(source, der)
                .unwrap_or(UnusedContent::DamagedDer));
        };
        if let KeyAlgorithm::Rsa(bits) = value.algorithm
            && bits > LONGEST
        {
            return Err(UnusedContent::LongKey(bits));
        }
        self.delivery.certificates.push(FoundItem {
            value,
            source: source.clone(),
        });
        Ok(())
    }

    /// A list of revoked certificates is kept to be shown, and is of no use otherwise.
    fn take_list(&mut self, source: &ItemSource, der: &[u8]) -> Option<UnusedContent> {
        let value = RevocationList::from_der(der)?;
        self.delivery.lists.push(FoundItem {
            value,
            source: source.clone(),
        });
        Some(UnusedContent::Crl)
    }

    fn take_key(&mut self, source: &ItemSource, der: &[u8]) -> Result<(), UnusedContent> {
        let value = PrivateKey::from_der(der).map_err(|error| match error {
            KeyError::OtherKind(kind) => UnusedContent::OtherKey(kind),
            KeyError::ShortRsa(bits) => UnusedContent::ShortKey(bits),
            _ => UnusedContent::UnusableKey,
        })?;
        self.delivery.keys.push(FoundItem {
            value,
            source: source.clone(),
        });
        Ok(())
    }

    fn take_locked(&mut self, source: &ItemSource, der: &[u8]) -> Result<(), UnusedContent> {
        let locked = EncryptedKey::new(der);
        let opened = self
            .passphrase
            .map(|passphrase| locked.open_within(passphrase, &mut self.budget.work));
        let what = match opened {
            Some(Ok(value)) => {
                self.delivery.opened.push(value.id());
                self.delivery.keys.push(FoundItem {
                    value,
                    source: source.clone(),
                });
                return Ok(());
            }
            None => UnusedContent::EncryptedKey,
            Some(Err(DecryptError::Wrong)) => {
                UnusedContent::WrongPassphrase("an encrypted private key")
            }
            Some(Err(DecryptError::TooMuchWork(rounds))) => {
                return Err(UnusedContent::TooMuchWork(rounds));
            }
            Some(Err(DecryptError::Unknown)) => return Err(UnusedContent::UnknownEncryption),
        };
        self.delivery.locked.push(FoundItem {
            value: locked,
            source: source.clone(),
        });
        Err(what)
    }

    fn take_request(&mut self, source: &ItemSource, der: &[u8]) -> Result<(), UnusedContent> {
        let error = match SigningRequest::from_der(der) {
            Ok(value) => {
                self.delivery.requests.push(FoundItem {
                    value,
                    source: source.clone(),
                });
                return Ok(());
            }
            Err(error) => error,
        };
        let unproven = UnprovenRequest::from_der(der).map_err(|_| UnusedContent::DamagedDer)?;
        self.delivery.unproven.push(FoundItem {
            value: unproven,
            source: source.clone(),
        });
        Err(match error {
            RequestError::Signature(SignatureError::Unsupported) => UnusedContent::RequestWeak,
            _ => UnusedContent::RequestSignature,
        })
    }

    fn take_pkcs7(
        &mut self,
        source: &ItemSource,
        der: &[u8],
    ) -> Result<Result<(), UnusedContent>, DeliveryError> {
        let Some(bag) = pkcs7::read(der).filter(|bag| !bag.certificates.is_empty()) else {
            return Ok(Err(UnusedContent::Pkcs7));
        };
        self.mend(source, RepairKind::Pkcs7, None);
        if bag.ber {
            self.mend(source, RepairKind::Ber, None);
        }
        self.take_certificates(source, &bag.certificates)?;
        Ok(Ok(()))
    }

    fn take_pkcs12(
        &mut self,
        source: &ItemSource,
        der: &[u8],
    ) -> Result<Result<(), UnusedContent>, DeliveryError> {
        let opened = match pkcs12::read(der, self.passphrase, &mut self.budget.work) {
            Ok(opened) => opened,
            Err(what) => return Ok(Err(what)),
        };
        self.mend(source, RepairKind::Pkcs12, None);
        if opened.ber {
            self.mend(source, RepairKind::Ber, None);
        }
        self.take_certificates(source, &opened.certificates)?;
        for what in opened.unused {
            self.ignore(source, what);
        }
        let before = self.delivery.keys.len();
        for (der, locked) in opened
            .keys
            .iter()
            .map(|key| (key, false))
            .chain(opened.locked.iter().map(|key| (key, true)))
        {
            self.budget.spend_block(source)?;
            let taken = if locked {
                self.take_locked(source, der)
            } else {
                self.take_key(source, der)
            };
            if let Err(what) = taken {
                self.ignore(source, what);
            }
        }
        if opened.locked_by_passphrase {
            let CaDelivery { keys, opened, .. } = &mut self.delivery;
            opened.extend(keys[before..].iter().map(|key| key.id()));
        }
        Ok(Ok(()))
    }

    fn take_certificates(
        &mut self,
        source: &ItemSource,
        certificates: &[Vec<u8>],
    ) -> Result<(), DeliveryError> {
        for der in certificates {
            self.budget.spend_block(source)?;
            if let Err(what) = self.take_certificate(source, der) {
                self.ignore(source, what);
            }
        }
        Ok(())
    }

    fn mend(&mut self, source: &ItemSource, what: RepairKind, line: Option<usize>) {
        self.delivery.repairs.push(AppliedRepair {
            what,
            source: source.clone(),
            line,
        });
    }

    fn ignore(&mut self, source: &ItemSource, what: UnusedContent) {
        self.delivery.ignored.push(IgnoredItem {
            what,
            source: source.clone(),
        });
    }
}

/// Words without any block.
fn is_plain(form: &FileForm) -> bool {
    matches!(
        form,
        FileForm::Other(UnusedContent::Text | UnusedContent::Html(_) | UnusedContent::Empty)
    )
}

/// What a block is that is not read, by its label.
fn other_block(label: String) -> UnusedContent {
    match label.as_str() {
        "X509 CRL" | "CRL" => UnusedContent::Crl,
        "OPENSSH PRIVATE KEY" | "SSH2 PUBLIC KEY" | "SSH2 ENCRYPTED PRIVATE KEY" => {
            UnusedContent::OpenSsh
        }
        _ if label.starts_with("PGP ") => UnusedContent::Pgp,
        _ => UnusedContent::OtherBlock(label),
    }
}
