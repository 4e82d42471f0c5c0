//! Advice for what was handed over.

use crate::delivery::{DeliveryError, IgnoredItem, UnusedContent};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity, shell_word};

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        let again = || NextStep::say("download it again at the shop; compare:  unzip -t FILE");
        match &error {
            DeliveryError::DuplicateNames(_) => Self::of(FailureKind::Malformed, &error)
                .because("which of them is meant cannot be told, so none is used")
                .with(NextStep::say(
                    "unpack it and pass the files one by one:  certctl bundle FILE...",
                )),
            DeliveryError::TooDeep(..)
            | DeliveryError::TooLarge(..)
            | DeliveryError::TooManyBlocks(..) => Self::of(FailureKind::Hostile, &error)
                .because("no CA sends that; reading stopped there and nothing was written")
                .with(NextStep::say(
                    "pass the certificate files in it alone:  certctl bundle FILE...",
                )),
            DeliveryError::MailTooLarge(_) => Self::of(FailureKind::Hostile, &error)
                .because("no CA sends that; nothing was read")
                .with(NextStep::say(
                    "save the attachment alone, and pass that:  certctl bundle FILE...",
                )),
            DeliveryError::TooManyEntries(..) => Self::of(FailureKind::Hostile, &error)
                .because("no CA sends that many; nothing was read")
                .with(NextStep::say(
                    "pass the certificate files in it alone:  certctl bundle FILE...",
                )),
            DeliveryError::Zip(..) => Self::of(FailureKind::Malformed, &error).with(again()),
        }
    }
}

/// What to do with each thing that could not be used; `None` where there is nothing to do.
fn advice(ignored: &IgnoredItem) -> Option<String> {
    let packed = ignored.source.entry.is_some();
    let file = if packed {
        "FILE".to_owned()
    } else {
        shell_word(&ignored.source.input)
    };
    Some(match &ignored.what {
        UnusedContent::Archive(_) | UnusedContent::OtherMethod => format!(
            "unpack it and pass the files in it; if it is a zip that was renamed, download it \
                again ({file})"
        ),
        UnusedContent::Binary | UnusedContent::Picture | UnusedContent::Pdf => {
            format!("see what it is:  file {file}")
        }
        UnusedContent::DamagedBlock { .. }
        | UnusedContent::DamagedDer
        | UnusedContent::DamagedPkcs12
        | UnusedContent::Trailing(_) => {
            "copy or download it again: a part of it was lost on the way".to_owned()
        }
        UnusedContent::DamagedMarkers => {
            "download the file itself in place of copying it from a page: editors turn hyphens \
                into dashes"
                .to_owned()
        }
        UnusedContent::Empty => "download it again: an earlier write or download failed".to_owned(),
        UnusedContent::EncryptedEntry
        | UnusedContent::EncryptedKey
        | UnusedContent::LockedPkcs12 => {
            "put its password into a file of mode 0600 and pass that:  --password-file FILE"
                .to_owned()
        }
        UnusedContent::Html(_) => {
            "the browser saved a page (a login or an error) in place of the file: log in at the \
                shop and download it again"
                .to_owned()
        }
        UnusedContent::Jks => format!(
            "convert it:  keytool -importkeystore -srckeystore {file} -destkeystore out.p12 \
                -deststoretype PKCS12   and pass out.p12"
        ),
        UnusedContent::LongKey(_) => {
            "ask the CA which certificate is meant: no server uses such a key".to_owned()
        }
        UnusedContent::Office => {
            "open it, and save the certificates in it as text, or the attached zip \
            as it is"
                .to_owned()
        }
        UnusedContent::Mail => {
            "pass the mail that the certificate came in, or the file that was attached \
            to it"
                .to_owned()
        }
        UnusedContent::OpenSsh => {
            "pass the key that was made with the request, often NAME.key; this one \
            is for ssh"
                .to_owned()
        }
        UnusedContent::Pkcs7 => format!(
            "see what it holds:  openssl asn1parse -in {file}   (add  -inform \
            DER  if that fails)"
        ),
        UnusedContent::RequestWeak => "make a new key and request:  certctl csr NAME...".to_owned(),
        UnusedContent::RequestSignature => {
            "use the request as it was made, or make a new one:  certctl \
            csr NAME..."
                .to_owned()
        }
        UnusedContent::TooMuchWork(_) | UnusedContent::UnknownEncryption if packed => {
            "unpack it, and encrypt it again in the usual way with openssl pkcs12 or openssl pkcs8"
                .to_owned()
        }
        UnusedContent::TooMuchWork(_) | UnusedContent::UnknownEncryption => format!(
            "let OpenSSL open it:  (umask 077; openssl pkcs12 -in {file} -nodes -out out.pem)   \
                or, for a key:  (umask 077; openssl pkey -in {file} -out plain.key)"
        ),
        UnusedContent::TraditionalKey => format!(
            "decrypt a copy:  (umask 077; openssl pkey -in {file} \
            -out plain.key)"
        ),
        UnusedContent::OtherKey(_) | UnusedContent::ShortKey(_) => {
            "make a new key and request:  certctl csr \
            NAME..."
                .to_owned()
        }
        UnusedContent::UnusableKey => format!(
            "let OpenSSL write it anew:  (umask 077; openssl pkey -in {file} -out plain.key)   if \
                it refuses too, the file is damaged"
        ),
        UnusedContent::WrongPassphrase(_) => {
            "pass the password that the file was protected with, often in another mail:  \
                --password-file FILE"
                .to_owned()
        }
        UnusedContent::Crl
        | UnusedContent::Link
        | UnusedContent::MailSignature
        | UnusedContent::OtherBag
        | UnusedContent::OtherBlock(_)
        | UnusedContent::Pgp => return None,
        UnusedContent::PublicKey | UnusedContent::Text => return None,
    })
}

/// The stable code of the finding, and whether it may matter.
fn code(what: &UnusedContent) -> (&'static str, Severity) {
    use Severity::{Note, Warning};
    match what {
        UnusedContent::Archive(_) => ("unsupported-archive", Warning),
        UnusedContent::Binary => ("binary", Note),
        UnusedContent::Crl => ("crl", Note),
        UnusedContent::DamagedBlock { .. } | UnusedContent::DamagedDer => {
            ("damaged-block", Warning)
        }
        UnusedContent::DamagedPkcs12 => ("damaged-pkcs12", Warning),
        UnusedContent::DamagedMarkers => ("damaged-markers", Warning),
        UnusedContent::Empty => ("empty", Warning),
        UnusedContent::EncryptedEntry => ("encrypted-entry", Warning),
        UnusedContent::EncryptedKey => ("encrypted-key", Note),
        UnusedContent::Html(_) => ("html", Warning),
        UnusedContent::Jks => ("jks", Note),
        UnusedContent::Link => ("symlink", Note),
        UnusedContent::LockedPkcs12 => ("locked-pkcs12", Warning),
        UnusedContent::LongKey(_) => ("long-key", Warning),
        UnusedContent::Mail => ("mail", Warning),
        UnusedContent::MailSignature => ("mail-signature", Note),
        UnusedContent::Office => ("office-file", Warning),
        UnusedContent::OpenSsh => ("openssh-key", Note),
        UnusedContent::OtherBag => ("other-pkcs12-content", Note),
        UnusedContent::OtherBlock(_) => ("other-pem-block", Note),
        UnusedContent::OtherMethod => ("unsupported-compression", Warning),
        UnusedContent::Pdf => ("pdf", Note),
        UnusedContent::Pgp => ("pgp", Note),
        UnusedContent::Picture => ("picture", Note),
        UnusedContent::Pkcs7 => ("damaged-pkcs7", Warning),
        UnusedContent::PublicKey => ("public-key", Note),
        UnusedContent::RequestSignature => ("request-signature", Warning),
        UnusedContent::RequestWeak => ("request-weak", Warning),
        UnusedContent::Text => ("text", Note),
        UnusedContent::TooMuchWork(_) => ("too-many-iterations", Warning),
        UnusedContent::TraditionalKey => ("traditional-key", Warning),
        UnusedContent::Trailing(_) => ("trailing-bytes", Warning),
        UnusedContent::UnknownEncryption => ("unknown-encryption", Warning),
        UnusedContent::OtherKey(_) | UnusedContent::UnusableKey => ("unusable-key", Warning),
        UnusedContent::ShortKey(_) => ("rsa-too-short", Warning),
        UnusedContent::WrongPassphrase(_) => ("wrong-password", Warning),
    }
}

/// What it is not, where that is not plain.
fn mistaken(what: &UnusedContent) -> &'static str {
    match what {
        UnusedContent::Jks => ", which this version does not read",
        UnusedContent::DamagedBlock { .. }
        | UnusedContent::DamagedDer
        | UnusedContent::DamagedPkcs12
        | UnusedContent::Empty
        | UnusedContent::Link => "",
        UnusedContent::DamagedMarkers
        | UnusedContent::EncryptedEntry
        | UnusedContent::LockedPkcs12
        | UnusedContent::LongKey(_)
        | UnusedContent::Mail
        | UnusedContent::OtherKey(_)
        | UnusedContent::Pkcs7 => "",
        UnusedContent::ShortKey(_)
        | UnusedContent::TooMuchWork(_)
        | UnusedContent::TraditionalKey => "",
        UnusedContent::UnknownEncryption
        | UnusedContent::UnusableKey
        | UnusedContent::WrongPassphrase(_) => "",
        _ => ", not a certificate",
    }
}

impl From<&IgnoredItem> for Finding {
    /// Beside other things that were of use.
    fn from(ignored: &IgnoredItem) -> Self {
        let (code, severity) = code(&ignored.what);
        let message = format!("not used: {} is {}", ignored.source, ignored.what);
        let finding = match severity {
            Severity::Note => Self::note(code, message),
            _ => Self::warning(code, message),
        };
        match advice(ignored) {
            Some(text) => finding.with(NextStep::say(text)),
            None => finding,
        }
    }
}

impl From<&[IgnoredItem]> for Failure {
    /// When nothing else was found: the most telling one speaks, the others are causes.
    fn from(ignored: &[IgnoredItem]) -> Self {
        let mut sorted: Vec<&IgnoredItem> = ignored.iter().collect();
        sorted.sort_by_key(|one| std::cmp::Reverse(code(&one.what).1));
        let Some((first, others)) = sorted.split_first() else {
            return Self::new(
                FailureKind::Malformed,
                "nothing in it is a certificate, a request or a key",
            )
            .with(NextStep::say("see what it holds:  unzip -l FILE"));
        };
        let message = format!(
            "{} is {}{}",
            first.source,
            first.what,
            mistaken(&first.what)
        );
        let mut failure = Self::new(FailureKind::Malformed, message);
        failure.causes.extend(
            others
                .iter()
                .take(8)
                .map(|one| format!("{} is {}", one.source, one.what)),
        );
        let otherwise = || "pass what the CA sent: a zip, or .crt and .ca-bundle files".to_owned();
        failure
            .next
            .push(NextStep::say(advice(first).unwrap_or_else(otherwise)));
        failure
    }
}
