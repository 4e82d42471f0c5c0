//! Reads one input after the other into a [`Delivery`], within its [`Limits`].

use super::limits::{Budget, DeliveryError, Limits};
use super::mail::{self, PartKind};
use super::pbe::Passphrase;
use super::pem::{self, Block};
use super::sniff::{self, Form, Outline};
use super::source::Source;
use super::zip::{self, Content};
use super::{pkcs7, pkcs12};
use crate::delivery::contents::{Delivery, Found, Input};
use crate::delivery::diagnostics::{Ignored, Mended, Repair, Unused};
use crate::delivery::encrypted_key::{LockError, LockedKey};
use crate::delivery::text_forms;
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::key::{KeyAlgorithm, KeyError, PrivateKey, PublicKey};
use crate::pki::request::{RequestError, SigningRequest, UnprovenRequest};
use crate::pki::signature::SignatureError;

impl Delivery {
    /// Reads all inputs as one bag.
    ///
    /// # Errors
    /// A bound that was exceeded, or a zip that cannot be read whole: see [`DeliveryError`].
    pub fn read(inputs: Vec<Input>, limits: &Limits) -> Result<Self, DeliveryError> {
        Self::open(&inputs, limits, None)
    }

    /// The same with a passphrase for whatever is locked.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn open(
        inputs: &[Input],
        limits: &Limits,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, DeliveryError> {
        let mut reader = Reader {
            delivery: Self::default(),
            budget: Budget::new(limits),
            passphrase,
        };
        for input in inputs {
            let source = Source {
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
    delivery: Delivery,
    budget: Budget<'a>,
    passphrase: Option<&'a Passphrase>,
}

impl Reader<'_> {
    fn read(&mut self, source: &Source, bytes: &[u8], depth: usize) -> Result<(), DeliveryError> {
        let mended = match sniff::form(bytes) {
            Form::Der => return self.read_der_file(source, bytes),
            Form::Other(what) => {
                self.ignore(source, what);
                return Ok(());
            }
            Form::Mail => return self.read_mail(source, bytes, depth),
            Form::Pem => return self.read_pem(source, bytes),
            Form::Zip => return self.read_zip(source, bytes, depth),
            Form::Base64 => text_forms::naked(bytes).map(|der| (Mended::NakedBase64, der)),
            Form::Markup => text_forms::from_markup(bytes).map(|text| (Mended::Markup, text)),
            Form::Utf16 => text_forms::from_utf16(bytes).map(|text| (Mended::Utf16, text)),
        };
        let Some((what, text)) = mended else {
            return Ok(());
        };
        self.mend(source, what, None);
        match what {
            Mended::NakedBase64 => self.read_der(source, &text),
            Mended::Markup => self.read_pem(source, &text),
            // One level, however often it was wrapped.
            _ if sniff::form(&text) == Form::Utf16 => {
                self.ignore(source, Unused::Binary);
                Ok(())
            }
            _ => self.read(source, &text, depth),
        }
    }

    /// The parts of a mail; its own words are nothing to report.
    fn read_mail(
        &mut self,
        source: &Source,
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
                PartKind::Signature => self.ignore(&place, Unused::MailSignature),
                PartKind::Page if self.delivery.blocks() > before => {}
                PartKind::Letter | PartKind::Page if is_plain(&sniff::form(&part.bytes)) => {}
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
            self.ignore(source, Unused::Mail);
        }
        Ok(())
    }

    fn read_zip(
        &mut self,
        source: &Source,
        bytes: &[u8],
        depth: usize,
    ) -> Result<(), DeliveryError> {
        self.budget.allow_depth(source, depth)?;
        let mut archive = zip::open(source, bytes, &mut self.budget)?;
        if zip::is_document(&archive) {
            self.ignore(source, Unused::Office);
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
                (place, Content::File(content)) => self.read(&place, &content, depth + 1)?,
                (_, Content::Folder) => {}
                (place, Content::Unused(what)) => self.ignore(&place, what),
            }
        }
        Ok(())
    }

    fn read_pem(&mut self, source: &Source, bytes: &[u8]) -> Result<(), DeliveryError> {
        let scan = pem::scan(bytes, self.budget.blocks_left());
        self.delivery
            .repairs
            .extend(scan.mended.into_iter().map(|(what, line)| {
                let source = source.clone();
                Repair {
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
    fn read_block(&mut self, source: &Source, block: Block) -> Result<(), DeliveryError> {
        let Block {
            label,
            line,
            der,
            encrypted,
        } = block;
        if encrypted {
            self.ignore(source, Unused::TraditionalKey);
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
                self.mend(source, Mended::Label, Some(line));
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
            self.mend(source, Mended::WrongLabel, Some(line));
        }
        if let Err(what) = self.take(source, outline, first)? {
            let what = match what {
                Unused::DamagedDer => Unused::DamagedBlock {
                    label,
                    line,
                    reason: "its content is cut off or changed",
                },
                other => other,
            };
            self.ignore(source, what);
        } else if label == "TRUSTED CERTIFICATE" && !rest.is_empty() {
            self.mend(source, Mended::TrustData, Some(line));
        } else {
            self.read_more(source, rest)?;
        }
        Ok(())
    }

    /// A file of DER.
    fn read_der_file(&mut self, source: &Source, bytes: &[u8]) -> Result<(), DeliveryError> {
        let before = self.delivery.repairs.len();
        self.read_der(source, bytes)?;
        let wrapped = self.delivery.repairs[before..]
            .iter()
            .any(|repair| matches!(repair.what, Mended::Pkcs7 | Mended::Pkcs12));
        let ignored = self
            .delivery
            .ignored
            .last()
            .is_some_and(|last| last.source == *source);
        if !wrapped && !ignored {
            self.mend(source, Mended::Der, None);
        }
        Ok(())
    }

    /// DER elements, one behind the other.
    fn read_der(&mut self, source: &Source, bytes: &[u8]) -> Result<(), DeliveryError> {
        let (first, rest) = sniff::split_first(bytes);
        self.budget.spend_block(source)?;
        if let Err(what) = self.take(source, sniff::outline(first), first)? {
            self.ignore(source, what);
        }
        self.read_more(source, rest)
    }

    /// What follows a first element.
    fn read_more(&mut self, source: &Source, mut rest: &[u8]) -> Result<(), DeliveryError> {
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
            self.ignore(source, Unused::Trailing(rest.len()));
        }
        Ok(())
    }

    /// Takes one element; the inner error is what it is instead of something of use.
    fn take(
        &mut self,
        source: &Source,
        outline: Outline,
        der: &[u8],
    ) -> Result<Result<(), Unused>, DeliveryError> {
        match outline {
            Outline::Pkcs7 => return self.take_pkcs7(source, der),
            Outline::Pkcs12 => return self.take_pkcs12(source, der),
            _ => {}
        }
        Ok(match outline {
            Outline::Certificate => self.take_certificate(source, der),
            Outline::EncryptedKey => self.take_locked(source, der),
            Outline::Key => self.take_key(source, der),
            Outline::Request => self.take_request(source, der),
            Outline::PublicKey => {
                let value = PublicKey::of_spki(der);
                self.delivery.public_keys.push(Found {
                    value,
                    source: source.clone(),
                });
                Err(Unused::PublicKey)
            }
            Outline::Pkcs12 | Outline::Pkcs7 | Outline::Unknown => Err(Unused::DamagedDer),
        })
    }

    fn take_certificate(&mut self, source: &Source, der: &[u8]) -> Result<(), Unused> {
        const LONGEST: usize = 16_384;
        // What comes out of a PKCS#7 or PKCS#12 file must be readable by itself too.
        if sniff::outline(der) != Outline::Certificate {
            return Err(Unused::DamagedDer);
        }
        let Ok(value) = Certificate::from_der(der) else {
            return Err(self.take_list(source, der).unwrap_or(Unused::DamagedDer));
        };
        if let KeyAlgorithm::Rsa(bits) = value.algorithm
            && bits > LONGEST
        {
            return Err(Unused::LongKey(bits));
        }
        self.delivery.certificates.push(Found {
            value,
            source: source.clone(),
        });
        Ok(())
    }

    /// A list of revoked certificates is kept to be shown, and is of no use otherwise.
    fn take_list(&mut self, source: &Source, der: &[u8]) -> Option<Unused> {
        let value = RevocationList::from_der(der)?;
        self.delivery.lists.push(Found {
            value,
            source: source.clone(),
        });
        Some(Unused::Crl)
    }

    fn take_key(&mut self, source: &Source, der: &[u8]) -> Result<(), Unused> {
        let value = PrivateKey::from_der(der).map_err(|error| match error {
            KeyError::OtherKind(kind) => Unused::OtherKey(kind),
            KeyError::ShortRsa(bits) => Unused::ShortKey(bits),
            _ => Unused::UnusableKey,
        })?;
        self.delivery.keys.push(Found {
            value,
            source: source.clone(),
        });
        Ok(())
    }

    fn take_locked(&mut self, source: &Source, der: &[u8]) -> Result<(), Unused> {
        let locked = LockedKey::new(der);
        let opened = self
            .passphrase
            .map(|passphrase| locked.open_within(passphrase, &mut self.budget.work));
        let what = match opened {
            Some(Ok(value)) => {
                self.delivery.opened.push(value.id());
                self.delivery.keys.push(Found {
                    value,
                    source: source.clone(),
                });
                return Ok(());
            }
            None => Unused::EncryptedKey,
            Some(Err(LockError::Wrong)) => Unused::WrongPassphrase("an encrypted private key"),
            Some(Err(LockError::TooMuchWork(rounds))) => return Err(Unused::TooMuchWork(rounds)),
            Some(Err(LockError::Unknown)) => return Err(Unused::UnknownEncryption),
        };
        self.delivery.locked.push(Found {
            value: locked,
            source: source.clone(),
        });
        Err(what)
    }

    fn take_request(&mut self, source: &Source, der: &[u8]) -> Result<(), Unused> {
        let error = match SigningRequest::from_der(der) {
            Ok(value) => {
                self.delivery.requests.push(Found {
                    value,
                    source: source.clone(),
                });
                return Ok(());
            }
            Err(error) => error,
        };
        let unproven = UnprovenRequest::from_der(der).map_err(|_| Unused::DamagedDer)?;
        self.delivery.unproven.push(Found {
            value: unproven,
            source: source.clone(),
        });
        Err(match error {
            RequestError::Signature(SignatureError::Unsupported) => Unused::RequestWeak,
            _ => Unused::RequestSignature,
        })
    }

    fn take_pkcs7(
        &mut self,
        source: &Source,
        der: &[u8],
    ) -> Result<Result<(), Unused>, DeliveryError> {
        let Some(bag) = pkcs7::read(der).filter(|bag| !bag.certificates.is_empty()) else {
            return Ok(Err(Unused::Pkcs7));
        };
        self.mend(source, Mended::Pkcs7, None);
        if bag.ber {
            self.mend(source, Mended::Ber, None);
        }
        self.take_certificates(source, &bag.certificates)?;
        Ok(Ok(()))
    }

    fn take_pkcs12(
        &mut self,
        source: &Source,
        der: &[u8],
    ) -> Result<Result<(), Unused>, DeliveryError> {
        let opened = match pkcs12::read(der, self.passphrase, &mut self.budget.work) {
            Ok(opened) => opened,
            Err(what) => return Ok(Err(what)),
        };
        self.mend(source, Mended::Pkcs12, None);
        if opened.ber {
            self.mend(source, Mended::Ber, None);
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
            let Delivery { keys, opened, .. } = &mut self.delivery;
            opened.extend(keys[before..].iter().map(|key| key.id()));
        }
        Ok(Ok(()))
    }

    fn take_certificates(
        &mut self,
        source: &Source,
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

    fn mend(&mut self, source: &Source, what: Mended, line: Option<usize>) {
        self.delivery.repairs.push(Repair {
            what,
            source: source.clone(),
            line,
        });
    }

    fn ignore(&mut self, source: &Source, what: Unused) {
        self.delivery.ignored.push(Ignored {
            what,
            source: source.clone(),
        });
    }
}

/// Words without any block.
fn is_plain(form: &Form) -> bool {
    matches!(
        form,
        Form::Other(Unused::Text | Unused::Html(_) | Unused::Empty)
    )
}

/// What a block is that is not read, by its label.
fn other_block(label: String) -> Unused {
    match label.as_str() {
        "X509 CRL" | "CRL" => Unused::Crl,
        "OPENSSH PRIVATE KEY" | "SSH2 PUBLIC KEY" | "SSH2 ENCRYPTED PRIVATE KEY" => Unused::OpenSsh,
        _ if label.starts_with("PGP ") => Unused::Pgp,
        _ => Unused::OtherBlock(label),
    }
}
