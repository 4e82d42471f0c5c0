//! What bytes are, told by the bytes: the form of a file and the outline of a DER element. It
//! parses nothing whole.

use memchr::memmem;

use super::mail;
use crate::delivery::diagnostics::Unused;
use crate::delivery::{pem_marker, text_forms};
use crate::pki::der;
use crate::pki::request::looks_like_request;

/// The form of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// Base64 without BEGIN and END lines.
    Base64,
    /// DER elements.
    Der,
    Mail,
    /// Markup with BEGIN lines in it.
    Markup,
    /// Nothing that can be read here; named for what it is.
    Other(Unused),
    /// Text with at least one BEGIN or END line.
    Pem,
    /// Text in UTF-16.
    Utf16,
    Zip,
}

/// The form of `bytes`.
#[must_use]
pub(crate) fn form(bytes: &[u8]) -> Form {
    recognised(bytes).unwrap_or_else(|| Form::Other(text(bytes)))
}

/// The same where it is told by more than what the words in it say.
#[must_use]
pub(crate) fn recognised(bytes: &[u8]) -> Option<Form> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Some(Form::Other(Unused::Empty));
    }
    if [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"]
        .iter()
        .any(|magic| bytes.starts_with(*magic))
    {
        return Some(Form::Zip);
    }
    let binary = is_binary(bytes);
    if binary && ends_as_zip(bytes) {
        return Some(Form::Zip);
    }
    // Before any text in it, which may be what was signed.
    if binary && is_whole(bytes) {
        return Some(Form::Der);
    }
    // Before any text in it too: what is beside that would be lost.
    if binary && bytes.get(257..262) == Some(b"ustar") {
        return Some(Form::Other(Unused::Archive("tar")));
    }
    if text_forms::from_utf16(bytes).is_some() {
        return Some(Form::Utf16);
    }
    if mail::is_mail(bytes) {
        return Some(Form::Mail);
    }
    if text_forms::from_markup(bytes).is_some_and(|text| pem_marker::any(&text)) {
        return Some(Form::Markup);
    }
    if pem_marker::any(bytes) {
        return Some(Form::Pem);
    }
    if let Some((_, what)) = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(Form::Other(what.clone()));
    }
    if bytes.first() == Some(&0x30) && binary {
        return Some(Form::Der);
    }
    if text_forms::naked(bytes).is_some() {
        return Some(Form::Base64);
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
        None => indefinite(bytes) != Outline::Unknown,
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
const MAGICS: [(&[u8], Unused); 18] = [
    (b"\x1f\x8b", Unused::Archive("gzip")),
    (b"7z\xbc\xaf\x27\x1c", Unused::Archive("7z")),
    (b"Rar!\x1a", Unused::Archive("rar")),
    (b"BZh", Unused::Archive("bzip2")),
    (b"\xfd7zXZ", Unused::Archive("xz")),
    (b"\x28\xb5\x2f\xfd", Unused::Archive("zstd")),
    (b"\x89PNG", Unused::Picture),
    (b"\xff\xd8\xff", Unused::Picture),
    (b"GIF8", Unused::Picture),
    (b"%PDF", Unused::Pdf),
    (b"\xfe\xed\xfe\xed", Unused::Jks),
    (b"\xce\xce\xce\xce", Unused::Jks),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Unused::Office),
    (b"BM", Unused::Picture),
    (b"RIFF", Unused::Picture),
    (b"PuTTY-User-Key-File-", Unused::OpenSsh),
    (b"ssh-", Unused::OpenSsh),
    (b"ecdsa-sha2-", Unused::OpenSsh),
];

/// No text: `0x30`, which starts all DER, is also the digit 0.
fn is_binary(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or(true, |text| {
        text.chars()
            .any(|c| c.is_control() && !c.is_ascii_whitespace())
    })
}

fn text(bytes: &[u8]) -> Unused {
    let head = &bytes[..bytes.len().min(4096)];
    let head = String::from_utf8_lossy(head);
    let lower = head.to_ascii_lowercase();
    if lower.contains("<!doctype html") || lower.contains("<html") || lower.contains("<head") {
        return Unused::Html(title(&head, &lower));
    }
    if is_binary(bytes) {
        return Unused::Binary;
    }
    if lower.contains("begin certificate")
        || lower.contains("private key") && lower.contains("begin")
    {
        return Unused::DamagedMarkers;
    }
    Unused::Text
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
pub(super) enum Outline {
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

impl Outline {
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
pub(super) fn outline(element: &[u8]) -> Outline {
    let Some((outer, _)) = der::split(element).filter(|(outer, _)| outer.tag == SEQUENCE) else {
        return indefinite(element);
    };
    let Some((first, rest)) = der::split(outer.value) else {
        return Outline::Unknown;
    };
    let second = der::split(rest);
    let tags = (
        first.tag,
        second.map(|(second, _)| second.tag),
        second.is_some_and(|(_, rest)| rest.is_empty()),
    );
    match tags {
        (SEQUENCE, Some(OCTET_STRING), true) => Outline::EncryptedKey,
        (SEQUENCE, Some(BIT_STRING), true) => Outline::PublicKey,
        (SEQUENCE, Some(SEQUENCE), false) if looks_like_request(element) => Outline::Request,
        (SEQUENCE, Some(SEQUENCE), false) => Outline::Certificate,
        (INTEGER, Some(SEQUENCE), _) if first.value == [3] => Outline::Pkcs12,
        (INTEGER, Some(_), _) => Outline::Key,
        (OBJECT_IDENTIFIER, _, _) => Outline::Pkcs7,
        _ => Outline::Unknown,
    }
}

/// The outline of BER with an indefinite length, which [`der::split`] does not see through.
fn indefinite(element: &[u8]) -> Outline {
    match element {
        [SEQUENCE, 0x80, OBJECT_IDENTIFIER, ..] => Outline::Pkcs7,
        [SEQUENCE, 0x80, INTEGER, 1, 3, ..] => Outline::Pkcs12,
        _ => Outline::Unknown,
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
