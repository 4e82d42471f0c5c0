//! Advice for files from the CA that cannot be used.

use crate::delivery::{DeliveryError, IgnoredItem, UnusedContent};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity, shell_word};

/// The most ignored items that a failure lists as causes.
pub(crate) const MOST_CAUSES: usize = 8;

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        match &error {
            DeliveryError::DuplicateNames(_) => Self::from_error(FailureKind::Malformed, &error)
                .because("which of them is meant cannot be told, so none is used")
                .with_step(NextStep::say(
                    "unpack it and pass the files one by one:  certctl bundle FILE...",
                )),
            DeliveryError::TooDeep(..)
            | DeliveryError::TooLarge(..)
            | DeliveryError::TooManyBlocks(..) => Self::from_error(FailureKind::Hostile, &error)
                .because("no CA sends that; reading stopped there and nothing was written")
                .with_step(NextStep::say(
                    "pass the certificate files in it alone:  certctl bundle FILE...",
                )),
            DeliveryError::MailTooLarge(_) => Self::from_error(FailureKind::Hostile, &error)
                .because("no CA sends that; nothing was read")
                .with_step(NextStep::say(
                    "save the attachment alone, and pass that:  certctl bundle FILE...",
                )),
            DeliveryError::TooManyEntries(..) => Self::from_error(FailureKind::Hostile, &error)
                .because("no CA sends that many; nothing was read")
                .with_step(NextStep::say(
                    "pass the certificate files in it alone:  certctl bundle FILE...",
                )),
            DeliveryError::Zip(..) => Self::from_error(FailureKind::Malformed, &error).with_step(
                NextStep::say("download it again at the shop; compare:  unzip -t FILE"),
            ),
        }
    }
}

/// What to do about content that could not be used; `None` where there is nothing to do.
fn advice(ignored: &IgnoredItem) -> Option<String> {
    let packed = ignored.source.entry.is_some();
    let file = if packed {
        "FILE".to_owned()
    } else {
        shell_word(&ignored.source.input)
    };
    let text = match &ignored.content {
        UnusedContent::Archive(_) | UnusedContent::OtherMethod => format!(
            "unpack it and pass the files in it; if it is a zip that was renamed, download it \
                again ({file})"
        ),
        UnusedContent::Binary | UnusedContent::Picture | UnusedContent::Pdf => {
            format!("see what it is:  file {file}")
        }
        UnusedContent::Jks => format!(
            "convert it:  keytool -importkeystore -srckeystore {file} -destkeystore out.p12 \
                -deststoretype PKCS12   and pass out.p12"
        ),
        UnusedContent::Pkcs7 => format!(
            "see what it holds:  openssl asn1parse -in {file}   (add  -inform \
            DER  if that fails)"
        ),
        UnusedContent::TooMuchWork(_) | UnusedContent::UnknownEncryption if !packed => format!(
            "let OpenSSL open it:  (umask 077; openssl pkcs12 -in {file} -nodes -out out.pem)   \
                or, for a key:  (umask 077; openssl pkey -in {file} -out plain.key)"
        ),
        UnusedContent::TraditionalKey => format!(
            "decrypt a copy:  (umask 077; openssl pkey -in {file} \
            -out plain.key)"
        ),
        UnusedContent::UnusableKey => format!(
            "let OpenSSL write it anew:  (umask 077; openssl pkey -in {file} -out plain.key)   if \
                it refuses too, the file is damaged"
        ),
        other => return advice_without_file(other).map(str::to_owned),
    };
    Some(text)
}

/// The rest of [`advice`]: text that does not name the file.
fn advice_without_file(what: &UnusedContent) -> Option<&'static str> {
    match what {
        UnusedContent::DamagedBlock { .. }
        | UnusedContent::DamagedDer
        | UnusedContent::DamagedPkcs12
        | UnusedContent::Trailing(_) => {
            Some("copy or download it again: a part of it was lost on the way")
        }
        UnusedContent::DamagedMarkers => Some(
            "download the file itself in place of copying it from a page: editors turn hyphens \
                into dashes",
        ),
        UnusedContent::Empty => Some("download it again: an earlier write or download failed"),
        UnusedContent::EncryptedEntry
        | UnusedContent::EncryptedKey
        | UnusedContent::LockedPkcs12 => {
            Some("put its password into a file of mode 0600 and pass that:  --password-file FILE")
        }
        UnusedContent::Html(_) => Some(
            "the browser saved a page (a login or an error) in place of the file: log in at the \
                shop and download it again",
        ),
        UnusedContent::LongKey(_) => {
            Some("ask the CA which certificate is meant: no server uses such a key")
        }
        UnusedContent::Office => Some(
            "open it, and save the certificates in it as text, or the attached zip \
            as it is",
        ),
        UnusedContent::Mail => Some(
            "pass the mail that the certificate came in, or the file that was attached \
            to it",
        ),
        UnusedContent::OpenSsh => Some(
            "pass the key that was made with the request, often NAME.key; this one \
            is for ssh",
        ),
        UnusedContent::RequestWeak | UnusedContent::OtherKey(_) | UnusedContent::ShortKey(_) => {
            Some("make a new key and request:  certctl csr NAME...")
        }
        UnusedContent::RequestSignature => Some(
            "use the request as it was made, or make a new one:  certctl \
            csr NAME...",
        ),
        UnusedContent::TooMuchWork(_) | UnusedContent::UnknownEncryption => Some(
            "unpack it, and encrypt it again in the usual way with openssl pkcs12 or openssl pkcs8",
        ),
        UnusedContent::WrongPassphrase(_) => Some(
            "pass the password that the file was protected with, often in another mail:  \
                --password-file FILE",
        ),
        UnusedContent::Crl
        | UnusedContent::Link
        | UnusedContent::MailSignature
        | UnusedContent::OtherBag
        | UnusedContent::OtherBlock(_)
        | UnusedContent::Pgp
        | UnusedContent::PublicKey
        | UnusedContent::Text => None,
        // `advice` answers for these.
        UnusedContent::Archive(_)
        | UnusedContent::Binary
        | UnusedContent::Jks
        | UnusedContent::OtherMethod
        | UnusedContent::Pdf
        | UnusedContent::Picture
        | UnusedContent::Pkcs7
        | UnusedContent::TraditionalKey
        | UnusedContent::UnusableKey => None,
    }
}

/// The stable code of the finding, and a warning where the item may have been needed.
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

/// Says that it is not a certificate, where its description does not make that plain.
fn what_it_is_not(what: &UnusedContent) -> &'static str {
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

/// How an ignored item reads as a cause.
pub(crate) fn item_in_words(ignored: &IgnoredItem) -> String {
    format!("{} is {}", ignored.source, ignored.content)
}

impl From<&IgnoredItem> for Finding {
    /// A note or warning about an item that was ignored while others were of use.
    fn from(ignored: &IgnoredItem) -> Self {
        let (code, severity) = code(&ignored.content);
        let message = format!("not used: {} is {}", ignored.source, ignored.content);
        let finding = match severity {
            Severity::Note => Self::note(code, message),
            _ => Self::warning(code, message),
        };
        match advice(ignored) {
            Some(text) => finding.with_step(NextStep::say(text)),
            None => finding,
        }
    }
}

impl From<&[IgnoredItem]> for Failure {
    /// Reports the most severe item as the error and the others as its causes, when nothing of use
    /// was found.
    fn from(ignored: &[IgnoredItem]) -> Self {
        let mut sorted: Vec<&IgnoredItem> = ignored.iter().collect();
        sorted.sort_by_key(|item| std::cmp::Reverse(code(&item.content).1));
        let Some((first, others)) = sorted.split_first() else {
            return Self::new(
                FailureKind::Malformed,
                "nothing in it is a certificate, a request or a key",
            )
            .with_step(NextStep::say("see what it holds:  unzip -l FILE"));
        };
        let message = format!(
            "{} is {}{}",
            first.source,
            first.content,
            what_it_is_not(&first.content)
        );
        let mut failure = Self::new(FailureKind::Malformed, message);
        failure.causes.extend(
            others
                .iter()
                .take(MOST_CAUSES)
                .map(|ignored| item_in_words(ignored)),
        );
        let step = advice(first).unwrap_or_else(|| {
            "pass what the CA sent: a zip, or .crt and .ca-bundle files".to_owned()
        });
        failure.next.push(NextStep::say(step));
        failure
    }
}
