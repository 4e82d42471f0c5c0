//! Advice for what was handed over.

use super::{Failure, Kind};
use crate::delivery::{DeliveryError, Ignored, Unused};
use crate::finding::{Finding, Next, Severity, shell_word};

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        let again = || Next::say("download it again at the shop; compare:  unzip -t FILE");
        match &error {
            DeliveryError::DuplicateNames(_) => Self::of(Kind::Malformed, &error)
                .because("which of them is meant cannot be told, so none is used")
                .with(Next::say("unpack it and pass the files one by one:  certctl bundle FILE...")),
            DeliveryError::TooDeep(..) | DeliveryError::TooLarge(..) | DeliveryError::TooManyBlocks(..) => {
                Self::of(Kind::Hostile, &error)
                    .because("no CA sends that; reading stopped there and nothing was written")
                    .with(Next::say("pass the certificate files in it alone:  certctl bundle FILE..."))
            }
            DeliveryError::TooManyEntries(..) => Self::of(Kind::Hostile, &error)
                .because("no CA sends that many; nothing was read")
                .with(Next::say("pass the certificate files in it alone:  certctl bundle FILE...")),
            DeliveryError::Zip(..) => Self::of(Kind::Malformed, &error).with(again()),
        }
    }
}

/// What to do with each thing that could not be used; `None` where there is nothing to do.
fn advice(ignored: &Ignored) -> Option<String> {
    let file = shell_word(&ignored.source.input);
    let packed = ignored.source.entry.is_some();
    let unpacked = if packed { "FILE".to_owned() } else { file.clone() };
    Some(match &ignored.what {
        Unused::Archive(_) => format!("unpack it and pass the files in it; if it is a zip that was renamed, download it again ({unpacked})"),
        Unused::Binary | Unused::Picture | Unused::Pdf => format!("see what it is:  file {unpacked}"),
        Unused::DamagedBlock { .. } | Unused::DamagedDer | Unused::Trailing(_) => {
            "copy or download it again: a part of it was lost on the way".to_owned()
        }
        Unused::DamagedMarkers => {
            "download the file itself in place of copying it from a page: editors turn hyphens into dashes".to_owned()
        }
        Unused::Empty => "download it again: an earlier write or download failed".to_owned(),
        Unused::EncryptedEntry => format!("unpack it with its password and pass the files in it:  unzip {file}"),
        Unused::EncryptedKey => {
            format!("decrypt a copy:  (umask 077; openssl pkey -in {unpacked} -out plain.key)")
        }
        Unused::Html => {
            "the browser saved a page (a login or an error) in place of the file: log in at the shop and download it again"
                .to_owned()
        }
        Unused::Jks => format!(
            "convert it:  keytool -importkeystore -srckeystore {unpacked} -destkeystore out.p12 -deststoretype PKCS12 && openssl pkcs12 -in out.p12 -nokeys -out out.pem"
        ),
        Unused::Pkcs7 => format!(
            "convert it:  openssl pkcs7 -in {unpacked} -print_certs -out out.pem   (add  -inform DER  if that fails)"
        ),
        Unused::Pkcs12 => format!("convert it:  (umask 077; openssl pkcs12 -in {unpacked} -nodes -out out.pem)"),
        Unused::RequestSignature => "use the request as it was made, or make a new one:  certctl csr NAME...".to_owned(),
        Unused::UnusableKey => format!("see what it is:  openssl pkey -in {unpacked} -noout -text_pub"),
        Unused::Utf16 => format!("convert it:  iconv -f UTF-16 -t UTF-8 {unpacked} > out.pem"),
        Unused::Link | Unused::OtherBlock(_) | Unused::PublicKey | Unused::Text => return None,
    })
}

/// The stable code of the finding, and whether it may matter.
fn code(what: &Unused) -> (&'static str, Severity) {
    use Severity::{Note, Warning};
    match what {
        Unused::Archive(_) => ("archive", Warning),
        Unused::Binary => ("binary", Note),
        Unused::DamagedBlock { .. } | Unused::DamagedDer => ("damaged-block", Warning),
        Unused::DamagedMarkers => ("damaged-markers", Warning),
        Unused::Empty => ("empty", Warning),
        Unused::EncryptedEntry => ("encrypted-entry", Warning),
        Unused::EncryptedKey => ("encrypted-key", Note),
        Unused::Html => ("html", Warning),
        Unused::Jks => ("jks", Note),
        Unused::Link => ("link", Note),
        Unused::OtherBlock(_) => ("other-block", Note),
        Unused::Pdf => ("pdf", Note),
        Unused::Picture => ("picture", Note),
        Unused::Pkcs12 => ("pkcs12", Note),
        Unused::Pkcs7 => ("pkcs7", Note),
        Unused::PublicKey => ("public-key", Note),
        Unused::RequestSignature => ("request-signature", Warning),
        Unused::Text => ("text", Note),
        Unused::Trailing(_) => ("trailing-bytes", Warning),
        Unused::UnusableKey => ("unusable-key", Warning),
        Unused::Utf16 => ("utf-16", Warning),
    }
}

/// That it may well hold certificates, in a form that is not read.
fn unread(what: &Unused) -> &'static str {
    match what {
        Unused::EncryptedEntry | Unused::Jks | Unused::Pkcs12 | Unused::Pkcs7 | Unused::Utf16 => {
            ", which this version does not read yet"
        }
        _ => "",
    }
}

/// What it is not, where that is not plain.
fn mistaken(what: &Unused) -> &'static str {
    match what {
        Unused::DamagedBlock { .. } | Unused::DamagedDer | Unused::DamagedMarkers | Unused::Empty => "",
        other if unread(other).is_empty() => ", not a certificate",
        other => unread(other),
    }
}

impl From<&Ignored> for Finding {
    /// Beside other things that were of use.
    fn from(ignored: &Ignored) -> Self {
        let (code, severity) = code(&ignored.what);
        let message = format!("not used: {} is {}{}", ignored.source, ignored.what, unread(&ignored.what));
        let finding = match severity {
            Severity::Note => Self::note(code, message),
            _ => Self::warning(code, message),
        };
        match advice(ignored) {
            Some(text) => finding.with(Next::say(text)),
            None => finding,
        }
    }
}

impl From<&[Ignored]> for Failure {
    /// When nothing else was found: the most telling one speaks, the others are causes.
    fn from(ignored: &[Ignored]) -> Self {
        let mut sorted: Vec<&Ignored> = ignored.iter().collect();
        sorted.sort_by_key(|one| std::cmp::Reverse(code(&one.what).1));
        let Some((first, others)) = sorted.split_first() else {
            return Self::new(Kind::Malformed, "nothing in it is a certificate, a request or a key")
                .with(Next::say("see what it holds:  unzip -l FILE"));
        };
        let message = format!("{} is {}{}", first.source, first.what, mistaken(&first.what));
        let mut failure = Self::new(Kind::Malformed, message);
        failure.causes.extend(others.iter().take(8).map(|one| format!("{} is {}", one.source, one.what)));
        let otherwise = || "pass what the CA sent: a zip, or .crt and .ca-bundle files".to_owned();
        failure.next.push(Next::say(advice(first).unwrap_or_else(otherwise)));
        failure
    }
}
