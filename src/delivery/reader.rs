//! Reads one input after the other into a [`Delivery`], within its [`Limits`].

use super::faults::{Ignored, Mended, Repair, Unused};
use super::found::{Delivery, Found, Input};
use super::limits::{Budget, DeliveryError, Limits};
use super::pem::{self, Block};
use super::sniff::{self, Form, Outline};
use super::source::Source;
use super::zip::{self, Content};
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyError, PrivateKey};
use crate::pki::request::{RequestError, SigningRequest};

impl Delivery {
    /// Reads all inputs as one bag.
    ///
    /// # Errors
    /// A bound that was exceeded, or a zip that cannot be read whole: see [`DeliveryError`].
    pub fn read(inputs: Vec<Input>, limits: &Limits) -> Result<Self, DeliveryError> {
        let mut reader = Reader { delivery: Self::default(), budget: Budget::new(limits) };
        for input in inputs {
            let source = Source { input: input.name, entry: None };
            reader.read(&source, &input.bytes, 0)?;
        }
        Ok(reader.delivery)
    }
}

/// What has been read so far, and what is left of each bound.
struct Reader<'a> {
    delivery: Delivery,
    budget: Budget<'a>,
}

impl Reader<'_> {
    fn read(&mut self, source: &Source, bytes: &[u8], depth: usize) -> Result<(), DeliveryError> {
        match sniff::form(bytes) {
            Form::Der => self.read_der_file(source, bytes),
            Form::Other(what) => {
                self.ignore(source, what);
                Ok(())
            }
            Form::Pem => self.read_pem(source, bytes),
            Form::Zip => self.read_zip(source, bytes, depth),
        }
    }

    fn read_zip(&mut self, source: &Source, bytes: &[u8], depth: usize) -> Result<(), DeliveryError> {
        self.budget.allow_depth(source, depth)?;
        let mut archive = zip::open(source, bytes, &mut self.budget)?;
        for index in 0..archive.len() {
            match zip::entry(&mut archive, index, source, &mut self.budget)? {
                (place, Content::File(content)) => self.read(&place, &content, depth + 1)?,
                (_, Content::Folder) => {}
                (place, Content::Unused(what)) => self.ignore(&place, what),
            }
        }
        Ok(())
    }

    fn read_pem(&mut self, source: &Source, bytes: &[u8]) -> Result<(), DeliveryError> {
        let scan = pem::scan(bytes, self.budget.blocks_left());
        self.delivery.repairs.extend(scan.mended.into_iter().map(|(what, line)| {
            let source = source.clone();
            Repair { what, source, line: Some(line) }
        }));
        for block in scan.blocks {
            self.budget.spend_block(source)?;
            self.read_block(source, block);
        }
        for what in scan.damaged {
            self.budget.spend_block(source)?;
            self.ignore(source, what);
        }
        Ok(())
    }

    /// A block is what its content is; its label only names what is not read.
    fn read_block(&mut self, source: &Source, block: Block) {
        let Block { label, line, der, encrypted } = block;
        if encrypted {
            return self.ignore(source, Unused::EncryptedKey);
        }
        let outline = sniff::outline(&der);
        match label.as_str() {
            // What OpenSSL writes before an EC key; the key carries its curve itself.
            "EC PARAMETERS" => return,
            "CERTIFICATE" | "CERTIFICATE REQUEST" | "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {}
            "ENCRYPTED PRIVATE KEY" | "PKCS7" | "PUBLIC KEY" => {}
            "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" | "NEW CERTIFICATE REQUEST" => {
                self.mend(source, Mended::Label, Some(line));
            }
            _ => return self.ignore(source, Unused::OtherBlock(label)),
        }
        if !outline.fits_label(&label) {
            self.mend(source, Mended::WrongLabel, Some(line));
        }
        if let Err(what) = self.take(source, outline, &der) {
            let what = match what {
                Unused::DamagedDer => Unused::DamagedBlock { label, line, reason: "its content is cut off or changed" },
                other => other,
            };
            self.ignore(source, what);
        }
    }

    /// One or more DER elements, one behind the other.
    fn read_der_file(&mut self, source: &Source, bytes: &[u8]) -> Result<(), DeliveryError> {
        let mut rest = bytes;
        while rest.first() == Some(&0x30) {
            self.budget.spend_block(source)?;
            let (element, after) = sniff::split_first(rest);
            match self.take(source, sniff::outline(element), element) {
                Ok(()) => self.mend(source, Mended::Der, None),
                Err(what) => self.ignore(source, what),
            }
            rest = after;
        }
        // A line break at the end is an editor's.
        if !rest.iter().all(u8::is_ascii_whitespace) {
            self.ignore(source, Unused::Trailing(rest.len()));
        }
        Ok(())
    }

    fn take(&mut self, source: &Source, outline: Outline, der: &[u8]) -> Result<(), Unused> {
        let found = &mut self.delivery;
        match outline {
            Outline::Certificate => {
                let value = Certificate::from_der(der).map_err(|_| Unused::DamagedDer)?;
                found.certificates.push(Found { value, source: source.clone() });
            }
            Outline::EncryptedKey | Outline::Key => {
                let value = PrivateKey::from_der(der).map_err(|error| match error {
                    KeyError::Encrypted => Unused::EncryptedKey,
                    _ => Unused::UnusableKey,
                })?;
                found.keys.push(Found { value, source: source.clone() });
            }
            Outline::Pkcs7 => return Err(Unused::Pkcs7),
            Outline::Pkcs12 => return Err(Unused::Pkcs12),
            Outline::PublicKey => return Err(Unused::PublicKey),
            Outline::Request => {
                let value = SigningRequest::from_der(der).map_err(|error| match error {
                    RequestError::Signature(_) => Unused::RequestSignature,
                    _ => Unused::DamagedDer,
                })?;
                found.requests.push(Found { value, source: source.clone() });
            }
            Outline::Unknown => return Err(Unused::DamagedDer),
        }
        Ok(())
    }

    fn mend(&mut self, source: &Source, what: Mended, line: Option<usize>) {
        self.delivery.repairs.push(Repair { what, source: source.clone(), line });
    }

    fn ignore(&mut self, source: &Source, what: Unused) {
        self.delivery.ignored.push(Ignored { what, source: source.clone() });
    }
}
