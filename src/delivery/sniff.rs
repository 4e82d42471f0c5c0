//! Detects the form of a file and the outline of a DER element by their bytes, without parsing them
//! completely.

use memchr::memmem;

use super::mail;
use crate::delivery::diagnostics::UnusedContent;
use crate::delivery::{pem_marker, text_forms};
use crate::pki::der;
use crate::pki::request::looks_like_request;

/// The form of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum FileForm {
    /// Base64 without BEGIN and END lines.
    Base64,
    /// DER elements.
    Der,
    Mail,
    /// Markup with BEGIN lines in it.
    Markup,
    /// Content that certctl does not read.
    Other(UnusedContent),
    /// Text with at least one BEGIN or END line.
    Pem,
    /// Text in UTF-16.
    Utf16,
    Zip,
}

/// Detects the form of `bytes`.
#[must_use]
pub(crate) fn detect_form(bytes: &[u8]) -> FileForm {
    recognize_form(bytes).unwrap_or_else(|| FileForm::Other(describe_other(bytes)))
}

/// Detects the form of `bytes`; `None` for plain text and for bytes of no known form.
///
/// This is the one entry point of the fast path for files of other kinds. It serves the target of
/// benches/README.md for `status FOLDER --jsonl`: at most 1.1 times the CPU time of x509-parser and
/// rayon on 100,000 files. The gain: such files are never parsed, and unlike in [`detect_form`]
/// their text is neither decoded nor described.
#[must_use]
pub(crate) fn recognize_form(bytes: &[u8]) -> Option<FileForm> {
    const ZIP_STARTS: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"];
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Some(FileForm::Other(UnusedContent::Empty));
    }
    if ZIP_STARTS.iter().any(|start| bytes.starts_with(start)) {
        return Some(FileForm::Zip);
    }
    if !is_binary(bytes) {
        return text_form(bytes)
            .or_else(|| form_by_magic(bytes))
            .or_else(|| base64_form(bytes));
    }
    if let Some(form) = binary_form(bytes)
        .or_else(|| text_form(bytes))
        .or_else(|| form_by_magic(bytes))
    {
        return Some(form);
    }
    if bytes.first() == Some(&SEQUENCE) {
        return Some(FileForm::Der);
    }
    base64_form(bytes)
}

/// The forms that are detected in binary data before any text in it.
fn binary_form(bytes: &[u8]) -> Option<FileForm> {
    if ends_as_zip(bytes) {
        return Some(FileForm::Zip);
    }
    // Text in a DER file may be part of the signed content.
    if is_whole(bytes) {
        return Some(FileForm::Der);
    }
    // Reading a block from an archive would lose its other files.
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(FileForm::Other(UnusedContent::Archive("tar")));
    }
    None
}

fn text_form(bytes: &[u8]) -> Option<FileForm> {
    if text_forms::from_utf16(bytes).is_some() {
        return Some(FileForm::Utf16);
    }
    if mail::is_mail(bytes) {
        return Some(FileForm::Mail);
    }
    if text_forms::from_markup(bytes).is_some_and(|text| pem_marker::has_markers(&text)) {
        return Some(FileForm::Markup);
    }
    if pem_marker::has_markers(bytes) {
        return Some(FileForm::Pem);
    }
    None
}

fn form_by_magic(bytes: &[u8]) -> Option<FileForm> {
    let (_, content) = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic))?;
    Some(FileForm::Other(content.clone()))
}

fn base64_form(bytes: &[u8]) -> Option<FileForm> {
    text_forms::decode_bare_base64(bytes).map(|_| FileForm::Base64)
}

/// Returns whether `bytes` are one DER element (white space may follow), or BER of a known kind.
fn is_whole(bytes: &[u8]) -> bool {
    match der::split_element(bytes) {
        Some((element, rest)) => {
            element.tag == SEQUENCE && rest.iter().all(u8::is_ascii_whitespace)
        }
        None => outline_of_ber(bytes) != DerOutline::Unknown,
    }
}

/// Returns whether it is a zip file with other bytes in front (self-extracting, or saved with an
/// email header): the comment of the record that ends a directory of at least one entry reaches the
/// end of the file (APPNOTE 4.3.16).
fn ends_as_zip(bytes: &[u8]) -> bool {
    const RECORD: usize = 22;
    let tail = &bytes[bytes.len().saturating_sub(RECORD + usize::from(u16::MAX))..];
    memmem::find(tail, b"PK\x05\x06").is_some()
        && tail.windows(RECORD).enumerate().any(|(at, record)| {
            record.starts_with(b"PK\x05\x06")
                && record[10..12] != [0, 0]
                && at + RECORD + zip_comment_length(record) == tail.len()
        })
}

/// Returns the length of the comment after the record that ends the directory of a zip file.
fn zip_comment_length(record: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([record[20], record[21]]))
}

/// The first bytes of files that certctl does not read.
const MAGICS: [(&[u8], UnusedContent); 18] = [
    (b"\x1f\x8b", UnusedContent::Archive("gzip")),
    (b"7z\xbc\xaf\x27\x1c", UnusedContent::Archive("7z")),
    (b"Rar!\x1a", UnusedContent::Archive("rar")),
    (b"BZh", UnusedContent::Archive("bzip2")),
    (b"\xfd7zXZ", UnusedContent::Archive("xz")),
    (b"\x28\xb5\x2f\xfd", UnusedContent::Archive("zstd")),
    (b"\x89PNG", UnusedContent::Picture),
    (b"\xff\xd8\xff", UnusedContent::Picture),
    (b"GIF8", UnusedContent::Picture),
    (b"%PDF", UnusedContent::Pdf),
    (b"\xfe\xed\xfe\xed", UnusedContent::Jks),
    (b"\xce\xce\xce\xce", UnusedContent::Jks),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", UnusedContent::Office),
    (b"BM", UnusedContent::Picture),
    (b"RIFF", UnusedContent::Picture),
    (b"PuTTY-User-Key-File-", UnusedContent::OpenSsh),
    (b"ssh-", UnusedContent::OpenSsh),
    (b"ecdsa-sha2-", UnusedContent::OpenSsh),
];

/// Returns whether `bytes` are not text. `0x30`, which starts all DER, is also the digit 0.
fn is_binary(bytes: &[u8]) -> bool {
    if bytes.is_ascii() {
        return bytes
            .iter()
            .any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    }
    std::str::from_utf8(bytes).map_or(true, |text| {
        text.chars()
            .any(|c| c.is_control() && !c.is_ascii_whitespace())
    })
}

/// Describes text or bytes of no known form.
fn describe_other(bytes: &[u8]) -> UnusedContent {
    let head = &bytes[..bytes.len().min(4096)];
    let head = String::from_utf8_lossy(head);
    let lower = head.to_ascii_lowercase();
    if lower.contains("<!doctype html") || lower.contains("<html") || lower.contains("<head") {
        return UnusedContent::Html(page_title(&head, &lower));
    }
    if is_binary(bytes) {
        return UnusedContent::Binary;
    }
    if lower.contains("begin certificate")
        || lower.contains("private key") && lower.contains("begin")
    {
        return UnusedContent::DamagedMarkers;
    }
    UnusedContent::Text
}

/// The title of a page, without line breaks, at most 80 characters. `lower` is `head` with its
/// ASCII letters in lower case, so that both have the same offsets.
fn page_title(head: &str, lower: &str) -> String {
    let title = lower.find("<title").and_then(|at| {
        let open = at + lower[at..].find('>')? + 1;
        let close = open + lower[open..].find('<')?;
        head.get(open..close)
    });
    let words: Vec<&str> = title.unwrap_or_default().split_whitespace().collect();
    words.join(" ").chars().take(80).collect()
}

/// The kind of a DER element, by the tags of its first parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DerOutline {
    /// A signed structure other than a request.
    Certificate,
    /// `EncryptedPrivateKeyInfo` (RFC 5958 3).
    EncryptedKey,
    /// PKCS#8, PKCS#1 or SEC1.
    Key,
    /// `ContentInfo` (RFC 5652 3).
    Pkcs7,
    /// `PFX` (RFC 7292 4).
    Pkcs12,
    /// `SubjectPublicKeyInfo`.
    PublicKey,
    /// A PKCS#10 request.
    Request,
    /// None of these, or truncated.
    Unknown,
}

impl DerOutline {
    /// Returns whether this is the content that the label announces.
    pub(super) fn fits_label(self, label: &str) -> bool {
        match self {
            Self::Certificate => label.ends_with("CERTIFICATE"),
            Self::Request => label.ends_with("CERTIFICATE REQUEST"),
            Self::Key | Self::EncryptedKey => label.ends_with("PRIVATE KEY"),
            Self::Pkcs7 => matches!(label, "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA"),
            Self::PublicKey => label == "PUBLIC KEY",
            // Both are reported by their content.
            Self::Pkcs12 | Self::Unknown => true,
        }
    }
}

/// Determines the outline of `element`.
#[must_use]
pub(super) fn outline(element: &[u8]) -> DerOutline {
    let Some((outer, _)) = der::split_element(element).filter(|(outer, _)| outer.tag == SEQUENCE)
    else {
        return outline_of_ber(element);
    };
    let Some((first, rest)) = der::split_element(outer.value) else {
        return DerOutline::Unknown;
    };
    let second = der::split_element(rest);
    let tags = (
        first.tag,
        second.map(|(second, _)| second.tag),
        second.is_some_and(|(_, rest)| rest.is_empty()),
    );
    match tags {
        (SEQUENCE, Some(OCTET_STRING), true) => DerOutline::EncryptedKey,
        (SEQUENCE, Some(BIT_STRING), true) => DerOutline::PublicKey,
        (SEQUENCE, Some(SEQUENCE), false) if looks_like_request(element) => DerOutline::Request,
        (SEQUENCE, Some(SEQUENCE), false) => DerOutline::Certificate,
        (INTEGER, Some(SEQUENCE), _) if first.value == [3] => DerOutline::Pkcs12,
        (INTEGER, Some(_), _) => DerOutline::Key,
        (OBJECT_IDENTIFIER, _, _) => DerOutline::Pkcs7,
        _ => DerOutline::Unknown,
    }
}

/// Determines the outline of BER with an indefinite length, which [`der::split_element`] does not
/// parse.
fn outline_of_ber(element: &[u8]) -> DerOutline {
    match element {
        [SEQUENCE, 0x80, OBJECT_IDENTIFIER, ..] => DerOutline::Pkcs7,
        [SEQUENCE, 0x80, INTEGER, 1, 3, ..] => DerOutline::Pkcs12,
        _ => DerOutline::Unknown,
    }
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// Splits off the first element; all of `bytes` if its length exceeds them.
pub(super) fn split_first(bytes: &[u8]) -> (&[u8], &[u8]) {
    match der::split_element(bytes) {
        Some((element, after)) => (element.whole, after),
        None => (bytes, &[]),
    }
}
