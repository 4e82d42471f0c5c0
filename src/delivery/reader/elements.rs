//! Reads one DER element and adds its content to the delivery.

use super::{ReadFailure, Reader};
use crate::delivery::contents::{CaDelivery, FoundItem};
use crate::delivery::diagnostics::{RepairKind, UnusedContent};
use crate::delivery::encrypted_key::{DecryptError, EncryptedKey};
use crate::delivery::limits::{DeliveryError, LONGEST_RSA};
use crate::delivery::server_loader::is_whole_certificate;
use crate::delivery::sniff::{self, DerOutline};
use crate::delivery::source::ItemSource;
use crate::delivery::{pkcs7, pkcs12};
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::key::{KeyAlgorithm, KeyError, PrivateKey, PublicKey};
use crate::pki::request::{RequestError, SigningRequest, UnprovenRequest};
use crate::pki::signature::SignatureError;

impl Reader<'_> {
    /// Reads one element.
    ///
    /// # Errors
    /// [`ReadFailure::Unused`] if it contains nothing that can be used.
    pub(super) fn read_element(
        &mut self,
        source: &ItemSource,
        outline: DerOutline,
        der: &[u8],
    ) -> Result<(), ReadFailure> {
        match outline {
            DerOutline::Pkcs7 => self.read_pkcs7(source, der)?,
            DerOutline::Pkcs12 => self.read_pkcs12(source, der)?,
            DerOutline::Certificate => self.read_certificate(source, der)?,
            DerOutline::EncryptedKey => self.read_encrypted_key(source, der)?,
            DerOutline::Key => self.read_key(source, der)?,
            DerOutline::Request => self.read_request(source, der)?,
            DerOutline::PublicKey => {
                self.delivery.public_keys.push(FoundItem {
                    value: PublicKey::of_spki(der),
                    source: source.clone(),
                });
                return Err(UnusedContent::PublicKey.into());
            }
            DerOutline::Unknown => return Err(UnusedContent::DamagedDer.into()),
        }
        Ok(())
    }

    fn read_certificate(&mut self, source: &ItemSource, der: &[u8]) -> Result<(), UnusedContent> {
        // The content of a PKCS#7 or PKCS#12 file has no outline yet.
        if sniff::outline(der) != DerOutline::Certificate {
            return Err(UnusedContent::DamagedDer);
        }
        let Ok(value) = Certificate::from_der(der) else {
            let other = self.read_crl(source, der);
            return Err(other.unwrap_or_else(|| {
                if is_whole_certificate(der) {
                    UnusedContent::UnreadableCertificate
                } else {
                    UnusedContent::DamagedDer
                }
            }));
        };
        if let KeyAlgorithm::Rsa(bits) = value.algorithm
            && bits > LONGEST_RSA
        {
            return Err(UnusedContent::LongKey(bits));
        }
        self.delivery.certificates.push(FoundItem {
            value,
            source: source.clone(),
        });
        Ok(())
    }

    /// Reads a certificate revocation list, which is only displayed; `None` if it is none.
    pub(super) fn read_crl(&mut self, source: &ItemSource, der: &[u8]) -> Option<UnusedContent> {
        let value = RevocationList::from_der(der)?;
        self.delivery.lists.push(FoundItem {
            value,
            source: source.clone(),
        });
        Some(UnusedContent::Crl)
    }

    /// Reads a PKCS#1 public key, which is only displayed.
    pub(super) fn read_rsa_public_key(&mut self, source: &ItemSource, der: &[u8]) -> UnusedContent {
        let Some(value) = PublicKey::of_pkcs1(der) else {
            return UnusedContent::DamagedDer;
        };
        self.delivery.public_keys.push(FoundItem {
            value,
            source: source.clone(),
        });
        UnusedContent::PublicKey
    }

    fn read_key(&mut self, source: &ItemSource, der: &[u8]) -> Result<(), UnusedContent> {
        let value = PrivateKey::from_der(der).map_err(|error| match error {
            KeyError::OtherKind(kind) => UnusedContent::OtherKey(kind),
            KeyError::ShortRsa(bits) => {
                let short = PublicKey::of_short_rsa(der).map(|value| FoundItem {
                    value,
                    source: source.clone(),
                });
                self.delivery.short_keys.extend(short);
                UnusedContent::ShortKey(bits)
            }
            _ => UnusedContent::UnusableKey,
        })?;
        self.delivery.keys.push(FoundItem {
            value,
            source: source.clone(),
        });
        Ok(())
    }

    fn read_encrypted_key(&mut self, source: &ItemSource, der: &[u8]) -> Result<(), UnusedContent> {
        let encrypted = EncryptedKey::new(der);
        let opened = self
            .password
            .map(|password| encrypted.open_within(password, &mut self.budget.work));
        let content = match opened {
            Some(Ok(value)) => {
                self.delivery.decrypted_key_ids.push(value.id());
                self.delivery.keys.push(FoundItem {
                    value,
                    source: source.clone(),
                });
                return Ok(());
            }
            None => UnusedContent::EncryptedKey,
            Some(Err(DecryptError::Wrong)) => {
                UnusedContent::WrongPassword("an encrypted private key")
            }
            Some(Err(DecryptError::TooMuchWork(rounds))) => {
                return Err(UnusedContent::TooMuchWork(rounds));
            }
            Some(Err(DecryptError::Unknown)) => return Err(UnusedContent::UnknownEncryption),
        };
        self.delivery.encrypted_keys.push(FoundItem {
            value: encrypted,
            source: source.clone(),
        });
        Err(content)
    }

    fn read_request(&mut self, source: &ItemSource, der: &[u8]) -> Result<(), UnusedContent> {
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
        self.delivery.unproven_requests.push(FoundItem {
            value: unproven,
            source: source.clone(),
        });
        Err(match error {
            RequestError::Signature(SignatureError::Unsupported) => UnusedContent::RequestWeak,
            _ => UnusedContent::RequestSignature,
        })
    }

    fn read_pkcs7(&mut self, source: &ItemSource, der: &[u8]) -> Result<(), ReadFailure> {
        let content = pkcs7::read(der)
            .filter(|content| !content.certificates.is_empty())
            .ok_or(UnusedContent::Pkcs7)?;
        self.add_repair(source, RepairKind::Pkcs7, None);
        if content.ber {
            self.add_repair(source, RepairKind::Ber, None);
        }
        self.read_certificates(source, &content.certificates)?;
        Ok(())
    }

    fn read_pkcs12(&mut self, source: &ItemSource, der: &[u8]) -> Result<(), ReadFailure> {
        let opened = pkcs12::read(der, self.password, &mut self.budget.work)?;
        self.add_repair(source, RepairKind::Pkcs12, None);
        if opened.ber {
            self.add_repair(source, RepairKind::Ber, None);
        }
        self.read_certificates(source, &opened.certificates)?;
        for content in opened.unused {
            self.ignore(source, content);
        }
        let keys_before = self.delivery.keys.len();
        for key in &opened.keys {
            self.budget.spend_block(source)?;
            let outcome = self.read_key(source, key);
            self.ignore_unused(source, outcome);
        }
        for key in &opened.locked {
            self.budget.spend_block(source)?;
            let outcome = self.read_encrypted_key(source, key);
            self.ignore_unused(source, outcome);
        }
        if opened.is_locked_by_password {
            let CaDelivery {
                keys,
                decrypted_key_ids: opened,
                ..
            } = &mut self.delivery;
            opened.extend(keys[keys_before..].iter().map(|key| key.id()));
        }
        Ok(())
    }

    fn ignore_unused(&mut self, source: &ItemSource, outcome: Result<(), UnusedContent>) {
        if let Err(content) = outcome {
            self.ignore(source, content);
        }
    }

    fn read_certificates(
        &mut self,
        source: &ItemSource,
        certificates: &[Vec<u8>],
    ) -> Result<(), DeliveryError> {
        for der in certificates {
            self.budget.spend_block(source)?;
            let outcome = self.read_certificate(source, der);
            self.ignore_unused(source, outcome);
        }
        Ok(())
    }
}
