//! Reads one input after the other into a [`CaDelivery`], within its [`DeliveryLimits`].

use super::limits::{DeliveryError, DeliveryLimits, ReadBudget};
use super::mail::{self, MailPartKind};
use super::pbe::Password;
use super::pem::{self, PemBlock};
use super::sniff::{self, FileForm};
use super::source::ItemSource;
use super::zip::{self, ZipContent};
use crate::delivery::contents::{CaDelivery, DeliveryInput};
use crate::delivery::diagnostics::{AppliedRepair, IgnoredItem, RepairKind, UnusedContent};
use crate::delivery::text_forms;

mod elements;

/// `X509_CERT_AUX` of OpenSSL without any setting: an empty SEQUENCE.
const EMPTY_TRUST_SETTINGS: [u8; 2] = [0x30, 0];

impl CaDelivery {
    /// Reads all inputs into one delivery.
    ///
    /// # Errors
    /// A limit was exceeded, or a zip file cannot be read completely: see [`DeliveryError`].
    pub fn read(
        inputs: Vec<DeliveryInput>,
        limits: &DeliveryLimits,
    ) -> Result<Self, DeliveryError> {
        Self::read_with_password(&inputs, limits, None)
    }

    /// Reads all inputs, with a password for encrypted content.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_with_password(
        inputs: &[DeliveryInput],
        limits: &DeliveryLimits,
        password: Option<&Password>,
    ) -> Result<Self, DeliveryError> {
        let mut reader = Reader {
            delivery: Self::default(),
            budget: ReadBudget::new(limits),
            password,
        };
        for input in inputs {
            let source = ItemSource {
                input: input.name.clone(),
                entry: None,
            };
            reader.budget.start_input();
            reader.read(&source, &input.bytes, 0)?;
        }
        Ok(reader.delivery)
    }
}

/// The content read so far, and what remains of each limit.
struct Reader<'a> {
    delivery: CaDelivery,
    budget: ReadBudget<'a>,
    password: Option<&'a Password>,
}

/// Why a DER element was not read.
enum ReadFailure {
    /// The whole delivery cannot be read.
    Delivery(DeliveryError),
    /// The element contains nothing that can be used.
    Unused(UnusedContent),
}

impl From<DeliveryError> for ReadFailure {
    fn from(error: DeliveryError) -> Self {
        Self::Delivery(error)
    }
}

impl From<UnusedContent> for ReadFailure {
    fn from(content: UnusedContent) -> Self {
        Self::Unused(content)
    }
}

impl Reader<'_> {
    fn read(
        &mut self,
        source: &ItemSource,
        bytes: &[u8],
        depth: usize,
    ) -> Result<(), DeliveryError> {
        match sniff::detect_form(bytes) {
            FileForm::Base64 => self.read_base64(source, bytes),
            FileForm::Der => self.read_der_file(source, bytes),
            FileForm::Mail => self.read_mail(source, bytes, depth),
            FileForm::Markup => self.read_markup(source, bytes),
            FileForm::Other(content) => {
                self.ignore(source, content);
                Ok(())
            }
            FileForm::Pem => self.read_pem(source, bytes),
            FileForm::Utf16 => self.read_utf16(source, bytes, depth),
            FileForm::Zip => self.read_zip(source, bytes, depth),
        }
    }

    fn read_base64(&mut self, source: &ItemSource, bytes: &[u8]) -> Result<(), DeliveryError> {
        let Some(der) = text_forms::decode_bare_base64(bytes) else {
            return Ok(());
        };
        self.add_repair(source, RepairKind::BareBase64, None);
        self.read_der(source, &der)
    }

    fn read_markup(&mut self, source: &ItemSource, bytes: &[u8]) -> Result<(), DeliveryError> {
        let Some(text) = text_forms::from_markup(bytes) else {
            return Ok(());
        };
        self.add_repair(source, RepairKind::Markup, None);
        self.read_pem(source, &text)
    }

    fn read_utf16(
        &mut self,
        source: &ItemSource,
        bytes: &[u8],
        depth: usize,
    ) -> Result<(), DeliveryError> {
        let Some(text) = text_forms::from_utf16(bytes) else {
            return Ok(());
        };
        self.add_repair(source, RepairKind::Utf16, None);
        if sniff::detect_form(&text) == FileForm::Utf16 {
            // UTF-16 in UTF-16 is decoded once only.
            self.ignore(source, UnusedContent::Binary);
            return Ok(());
        }
        self.read(source, &text, depth)
    }

    /// Reads the parts of an email; its own text is not reported.
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
        let items_before = self.delivery.count_items();
        for part in mail::split_parts(bytes).unwrap_or_default() {
            let place = source.within(&part.name);
            self.budget.spend_entries(source, 1)?;
            self.budget.spend_inflated(&place, part.bytes.len())?;
            match part.kind {
                MailPartKind::Signature => self.ignore(&place, UnusedContent::MailSignature),
                MailPartKind::Html if self.delivery.count_items() > items_before => {}
                MailPartKind::PlainText | MailPartKind::Html
                    if is_prose(&sniff::detect_form(&part.bytes)) => {}
                _ => self.read(&place, &part.bytes, depth + 1)?,
            }
        }
        if self.delivery.count_items() == items_before && !self.has_ignored(&source.input) {
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
            let (place, content) =
                zip::read_entry(&mut archive, index, source, &mut self.budget, self.password)?;
            match content {
                ZipContent::File(content) => self.read(&place, &content, depth + 1)?,
                ZipContent::Folder => {}
                ZipContent::Unused(content) => self.ignore(&place, content),
            }
        }
        Ok(())
    }

    fn read_pem(&mut self, source: &ItemSource, bytes: &[u8]) -> Result<(), DeliveryError> {
        let scan = pem::scan(bytes, self.budget.blocks_left());
        for (repair, line) in scan.repairs {
            self.add_repair(source, repair, Some(line));
        }
        for block in scan.blocks {
            self.budget.spend_block(source)?;
            self.read_block(source, block)?;
        }
        for content in scan.damaged {
            self.budget.spend_block(source)?;
            self.ignore(source, content);
        }
        Ok(())
    }

    /// Reads a block by its content; only blocks of other kinds are described by their labels.
    fn read_block(&mut self, source: &ItemSource, block: PemBlock) -> Result<(), DeliveryError> {
        if block.encrypted {
            self.ignore(source, UnusedContent::TraditionalKey);
            return Ok(());
        }
        match classify_label(&block.label) {
            LabelClass::Skipped => Ok(()),
            LabelClass::Standard => self.read_block_content(source, block),
            LabelClass::Variant => {
                self.add_repair(source, RepairKind::UnusualLabel, Some(block.line));
                self.read_block_content(source, block)
            }
            LabelClass::Other => {
                self.ignore_other_block(source, block);
                Ok(())
            }
        }
    }

    fn ignore_other_block(&mut self, source: &ItemSource, block: PemBlock) {
        let known = if block.label.ends_with("CRL") {
            self.read_crl(source, &block.der)
        } else if block.label == "RSA PUBLIC KEY" {
            Some(self.read_rsa_public_key(source, &block.der))
        } else {
            None
        };
        self.ignore(source, known.unwrap_or_else(|| other_block(block.label)));
    }

    fn read_block_content(
        &mut self,
        source: &ItemSource,
        block: PemBlock,
    ) -> Result<(), DeliveryError> {
        let (first, rest) = sniff::split_first(&block.der);
        let outline = sniff::outline(first);
        if !outline.fits_label(&block.label) {
            self.add_repair(source, RepairKind::WrongLabel, Some(block.line));
        }
        match self.read_element(source, outline, first) {
            Ok(()) if block.label == "TRUSTED CERTIFICATE" && !rest.is_empty() => {
                self.add_repair(source, RepairKind::TrustData, Some(block.line));
                Ok(())
            }
            Ok(()) => {
                if outline == sniff::DerOutline::Certificate && !rest.is_empty() {
                    return self.read_after_certificate(source, rest, block.line);
                }
                self.read_following(source, rest)
            }
            Err(ReadFailure::Delivery(error)) => Err(error),
            Err(ReadFailure::Unused(UnusedContent::DamagedDer)) => {
                let content = UnusedContent::DamagedBlock {
                    label: block.label,
                    line: block.line,
                    reason: "its content is truncated or changed",
                };
                self.ignore(source, content);
                Ok(())
            }
            Err(ReadFailure::Unused(content)) => {
                self.ignore(source, content);
                Ok(())
            }
        }
    }

    /// Reads what follows a certificate in its block. OpenSSL reads the first certificate of a file
    /// together with trust settings, and fails on anything else there; it ignores what follows in
    /// later blocks.
    fn read_after_certificate(
        &mut self,
        source: &ItemSource,
        rest: &[u8],
        line: usize,
    ) -> Result<(), DeliveryError> {
        let certificates = self.delivery.certificates.iter();
        let is_first = certificates.filter(|one| one.source == *source).count() == 1;
        if rest == EMPTY_TRUST_SETTINGS {
            self.add_repair(source, RepairKind::TrustData, Some(line));
            return Ok(());
        }
        if is_first {
            self.add_repair(source, RepairKind::TrailingBytes, Some(line));
        }
        match sniff::outline(sniff::split_first(rest).0) {
            sniff::DerOutline::Unknown => Ok(()),
            _ => self.read_following(source, rest),
        }
    }

    /// Reads a DER file, and notes that it is DER unless its container or its content is reported.
    fn read_der_file(&mut self, source: &ItemSource, bytes: &[u8]) -> Result<(), DeliveryError> {
        let repairs_before = self.delivery.repairs.len();
        self.read_der(source, bytes)?;
        let wrapped = self.delivery.repairs[repairs_before..]
            .iter()
            .any(|repair| matches!(repair.kind, RepairKind::Pkcs7 | RepairKind::Pkcs12));
        let ignored = self
            .delivery
            .ignored
            .last()
            .is_some_and(|last| last.source == *source);
        if !wrapped && !ignored {
            self.add_repair(source, RepairKind::Der, None);
        }
        Ok(())
    }

    /// Reads one or more DER elements in sequence.
    fn read_der(&mut self, source: &ItemSource, bytes: &[u8]) -> Result<(), DeliveryError> {
        let (first, rest) = sniff::split_first(bytes);
        self.budget.spend_block(source)?;
        self.read_element_or_ignore(source, first)?;
        self.read_following(source, rest)
    }

    /// Reads the elements that follow the first.
    fn read_following(
        &mut self,
        source: &ItemSource,
        mut rest: &[u8],
    ) -> Result<(), DeliveryError> {
        while rest.first() == Some(&0x30) {
            self.budget.spend_block(source)?;
            let (element, after) = sniff::split_first(rest);
            self.read_element_or_ignore(source, element)?;
            rest = after;
        }
        // Editors append a line break.
        if !rest.iter().all(u8::is_ascii_whitespace) {
            self.ignore(source, UnusedContent::Trailing(rest.len()));
        }
        Ok(())
    }

    fn read_element_or_ignore(
        &mut self,
        source: &ItemSource,
        element: &[u8],
    ) -> Result<(), DeliveryError> {
        match self.read_element(source, sniff::outline(element), element) {
            Ok(()) => Ok(()),
            Err(ReadFailure::Delivery(error)) => Err(error),
            Err(ReadFailure::Unused(content)) => {
                self.ignore(source, content);
                Ok(())
            }
        }
    }

    /// Returns whether anything in `input` was ignored.
    fn has_ignored(&self, input: &str) -> bool {
        self.delivery
            .ignored
            .iter()
            .any(|item| item.source.input == input)
    }

    fn add_repair(&mut self, source: &ItemSource, what: RepairKind, line: Option<usize>) {
        self.delivery.repairs.push(AppliedRepair {
            kind: what,
            source: source.clone(),
            line,
        });
    }

    fn ignore(&mut self, source: &ItemSource, what: UnusedContent) {
        self.delivery.ignored.push(IgnoredItem {
            content: what,
            source: source.clone(),
        });
    }
}

/// Returns whether the file is text without any block.
fn is_prose(form: &FileForm) -> bool {
    matches!(
        form,
        FileForm::Other(UnusedContent::Text | UnusedContent::Html(_) | UnusedContent::Empty)
    )
}

/// How to read a block, by its label.
enum LabelClass {
    /// Content that is not read.
    Other,
    /// A block that is ignored silently.
    Skipped,
    /// The usual label of content that is read.
    Standard,
    /// Another label for the same content.
    Variant,
}

fn classify_label(label: &str) -> LabelClass {
    match label {
        // OpenSSL writes these parameters before an EC key, which has its curve itself.
        "EC PARAMETERS" => LabelClass::Skipped,
        "CERTIFICATE"
        | "CERTIFICATE REQUEST"
        | "PRIVATE KEY"
        | "RSA PRIVATE KEY"
        | "EC PRIVATE KEY"
        | "ENCRYPTED PRIVATE KEY"
        | "PKCS7"
        | "CMS"
        | "PKCS #7 SIGNED DATA"
        | "PKCS12"
        | "PUBLIC KEY" => LabelClass::Standard,
        "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" | "NEW CERTIFICATE REQUEST" => {
            LabelClass::Variant
        }
        _ => LabelClass::Other,
    }
}

/// Describes a block that is not read, by its label.
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
