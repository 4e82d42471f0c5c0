//! What bytes are, told by the bytes: the form of a file and the outline of a DER element. It
//! parses nothing whole.

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
    /// Nothing that can be read here; named for what it is.
    Other(UnusedContent),
    /// Text with at least one BEGIN or END line.
    Pem,
    /// Text in UTF-16.
    Utf16,
    Zip,
}

/// The form of `bytes`.
#[must_use]
pub(crate) fn form(bytes: &[u8]) -> FileForm {
    recognised(bytes).unwrap_or_else(|| FileForm::Other(text(bytes)))
}

/// The same where it is told by more than what the words in it say.
#[must_use]
pub(crate) fn recognised(bytes: &[u8]) -> Option<FileForm> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Some(FileForm::Other(UnusedContent::Empty));
    }
    if [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"]
        .iter()
        .any(|magic| bytes.starts_with(*magic))
    {
        return Some(FileForm::Zip);
    }
    let binary = is_binary(bytes);
    if binary && ends_as_zip(bytes) {
        return Some(FileForm::Zip);
    }
    // Before any text in it, which may be what was signed.
    if binary && is_whole(bytes) {
        return Some(FileForm::Der);
    }
    // Before any text in it too: what is beside that would be lost.
    if binary && bytes.get(257..262) == Some(b"ustar") {
        return Some(FileForm::Other(UnusedContent::Archive("tar")));
    }
    if text_forms::from_utf16(bytes).is_some() {
        return Some(FileForm::Utf16);
    }
    if mail::is_mail(bytes) {
        return Some(FileForm::Mail);
    }
    if text_forms::from_markup(bytes).is_some_and(|text| pem_marker::any(&text)) {
        return Some(FileForm::Markup);
    }
    if pem_marker::any(bytes) {
        return Some(FileForm::Pem);
    }
    if let Some((_, what)) = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(FileForm::Other(what.clone()));
    }
    if bytes.first() == Some(&0x30) && binary {
        return Some(FileForm::Der);
    }
    if text_forms::naked(bytes).is_some() {
        return Some(FileForm::Base64);
    }
    None
}

/// One element from the first byte to the last, but for an editor's line break; or BER of a known
/// kind.
fn is_whole(bytes: &[u8]) -> bool {
    match der::split(bytes) {
        Some((element, rest)) => {
            element.tag == SEQUENCE && rest.iter().all(u8::is_ascii_whitespace)
        }
        None => indefinite(bytes) != DerOutline::Unknown,
    }
}

/// A zip with other bytes in front (it unpacks itself, or a mail's header was saved with it): the
/// record that ends a directory of at least one entry lies where its own comment reaches the end of
/// the file (APPNOTE 4.3.16).
fn ends_as_zip(bytes: &[u8]) -> bool {
    const RECORD: usize = 22;
    let from = bytes.len().saturating_sub(RECORD + usize::from(u16::MAX));
    let ends = |(at, record): (usize, &[u8])| {
        record.starts_with(b"PK\x05\x06")
            && record[10..12] != [0, 0]
            && from + at + RECORD + usize::from(u16::from_le_bytes([record[20], record[21]]))
                == bytes.len()
    };
    memmem::find(&bytes[from..], b"PK\x05\x06").is_some()
        && bytes[from..].windows(RECORD).enumerate().any(ends)
}

/// How files of other kinds start.
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

/// No text: `0x30`, which starts all DER, is also the digit 0.
fn is_binary(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or(true, |text| {
        text.chars()
            .any(|c| c.is_control() && !c.is_ascii_whitespace())
    })
}

fn text(bytes: &[u8]) -> UnusedContent {
    let head = &bytes[..bytes.len().min(4096)];
    let head = String::from_utf8_lossy(head);
    let lower = head.to_ascii_lowercase();
    if lower.contains("<!doctype html") || lower.contains("<html") || lower.contains("<head") {
        return UnusedContent::Html(title(&head, &lower));
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

/// The title of a page, without line breaks, at most 80 characters: ASCII letters change case
/// alone, so `lower` has the places of `head`.
fn title(head: &str, lower: &str) -> String {
    let title = lower.find("<title").and_then(|at| {
        let open = at + lower[at..].find('>')? + 1;
        let close = open + lower[open..].find('<')?;
        head.get(open..close)
    });
    let words: Vec<&str> = title.unwrap_or_default().split_whitespace().collect();
    words.join(" ").chars().take(80).collect()
}

/// What a DER element looks like from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DerOutline {
    /// Something signed that is no request.
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
    /// None of these, or cut off.
    Unknown,
}

impl DerOutline {
    /// Whether a block of this label may hold it.
    pub(super) fn fits_label(self, label: &str) -> bool {
        match self {
            Self::Certificate => label.ends_with("CERTIFICATE"),
            Self::Request => label.ends_with("CERTIFICATE REQUEST"),
            Self::Key | Self::EncryptedKey => label.ends_with("PRIVATE KEY"),
            Self::Pkcs7 => matches!(label, "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA"),
            Self::PublicKey => label == "PUBLIC KEY",
            // Not read: what it is is told anyway.
            Self::Pkcs12 | Self::Unknown => true,
        }
    }
}

/// The outline of `element`.
#[must_use]
pub(super) fn outline(element: &[u8]) -> DerOutline {
    let Some((outer, _)) = der::split(element).filter(|(outer, _)| outer.tag == SEQUENCE) else {
        return indefinite(element);
    };
    let Some((first, rest)) = der::split(outer.value) else {
        return DerOutline::Unknown;
    };
    let second = der::split(rest);
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

/// The outline of BER with an indefinite length, which [`der::split`] does not see through.
fn indefinite(element: &[u8]) -> DerOutline {
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

/// The first element and what follows it; all of it where its length does not fit.
pub(super) fn split_first(bytes: &[u8]) -> (&[u8], &[u8]) {
    match der::split(bytes) {
        Some((element, after)) => (element.whole, after),
        None => (bytes, &[]),
    }
}
