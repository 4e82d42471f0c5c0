//! Advice for what was handed over.

use crate::delivery::{DeliveryError, Ignored, Unused};
use crate::failure::{Failure, Kind};
use crate::finding::{Finding, Next, Severity, shell_word};

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        let again = || Next::say("download it again at the shop; compare:  unzip -t FILE");
        match &error {
            DeliveryError::DuplicateNames(_) => Self::of(Kind::Malformed, &error)
                .because("which of them is meant cannot be told, so none is used")
                .with(Next::say(
                    "unpack it and pass the files one by one:  certctl bundle FILE...",
                )),
            DeliveryError::TooDeep(..)
            | DeliveryError::TooLarge(..)
            | DeliveryError::TooManyBlocks(..) => Self::of(Kind::Hostile, &error)
                .because("no CA sends that; reading stopped there and nothing was written")
                .with(Next::say(
                    "pass the certificate files in it alone:  certctl bundle FILE...",
                )),
            DeliveryError::MailTooLarge(_) => Self::of(Kind::Hostile, &error)
                .because("no CA sends that; nothing was read")
                .with(Next::say(
                    "save the attachment alone, and pass that:  certctl bundle FILE...",
                )),
            DeliveryError::TooManyEntries(..) => Self::of(Kind::Hostile, &error)
                .because("no CA sends that many; nothing was read")
                .with(Next::say(
                    "pass the certificate files in it alone:  certctl bundle FILE...",
                )),
            DeliveryError::Zip(..) => Self::of(Kind::Malformed, &error).with(again()),
        }
    }
}

/// What to do with each thing that could not be used; `None` where there is nothing to do.
fn advice(ignored: &Ignored) -> Option<String> {
    let packed = ignored.source.entry.is_some();
    let file = if packed {
        "FILE".to_owned()
    } else {
        shell_word(&ignored.source.input)
    };
    Some(match &ignored.what {
        Unused::Archive(_) | Unused::OtherMethod => format!(
            "unpack it and pass the files in it; if it is a zip that was renamed, download it \
                again ({file})"
        ),
        Unused::Binary | Unused::Picture | Unused::Pdf => format!("see what it is:  file {file}"),
        Unused::DamagedBlock { .. }
        | Unused::DamagedDer
        | Unused::DamagedPkcs12
        | Unused::Trailing(_) => {
            "copy or download it again: a part of it was lost on the way".to_owned()
        }
        Unused::DamagedMarkers => {
            "download the file itself in place of copying it from a page: editors turn hyphens \
                into dashes"
                .to_owned()
        }
        Unused::Empty => "download it again: an earlier write or download failed".to_owned(),
        Unused::EncryptedEntry | Unused::EncryptedKey | Unused::LockedPkcs12 => {
            "put its password into a file of mode 0600 and pass that:  --password-file FILE"
                .to_owned()
        }
        Unused::Html(_) => {
            "the browser saved a page (a login or an error) in place of the file: log in at the \
                shop and download it again"
                .to_owned()
        }
        Unused::Jks => format!(
            "convert it:  keytool -importkeystore -srckeystore {file} -destkeystore out.p12 \
                -deststoretype PKCS12   and pass out.p12"
        ),
        Unused::LongKey(_) => {
            "ask the CA which certificate is meant: no server uses such a key".to_owned()
        }
        Unused::Office => "open it, and save the certificates in it as text, or the attached zip \
            as it is"
            .to_owned(),
        Unused::Mail => {
            "pass the mail that the certificate came in, or the file that was attached \
            to it"
                .to_owned()
        }
        Unused::OpenSsh => "pass the key that was made with the request, often NAME.key; this one \
            is for ssh"
            .to_owned(),
        Unused::Pkcs7 => format!(
            "see what it holds:  openssl asn1parse -in {file}   (add  -inform \
            DER  if that fails)"
        ),
        Unused::RequestWeak => "make a new key and request:  certctl csr NAME...".to_owned(),
        Unused::RequestSignature => "use the request as it was made, or make a new one:  certctl \
            csr NAME..."
            .to_owned(),
        Unused::TooMuchWork(_) | Unused::UnknownEncryption if packed => {
            "unpack it, and encrypt it again in the usual way with openssl pkcs12 or openssl pkcs8"
                .to_owned()
        }
        Unused::TooMuchWork(_) | Unused::UnknownEncryption => format!(
            "let OpenSSL open it:  (umask 077; openssl pkcs12 -in {file} -nodes -out out.pem)   \
                or, for a key:  (umask 077; openssl pkey -in {file} -out plain.key)"
        ),
        Unused::TraditionalKey => format!(
            "decrypt a copy:  (umask 077; openssl pkey -in {file} \
            -out plain.key)"
        ),
        Unused::OtherKey(_) | Unused::ShortKey(_) => "make a new key and request:  certctl csr \
            NAME..."
            .to_owned(),
        Unused::UnusableKey => format!(
            "let OpenSSL write it anew:  (umask 077; openssl pkey -in {file} -out plain.key)   if \
                it refuses too, the file is damaged"
        ),
        Unused::WrongPassphrase(_) => {
            "pass the password that the file was protected with, often in another mail:  \
                --password-file FILE"
                .to_owned()
        }
        Unused::Crl
        | Unused::Link
        | Unused::MailSignature
        | Unused::OtherBag
        | Unused::OtherBlock(_)
        | Unused::Pgp => return None,
        Unused::PublicKey | Unused::Text => return None,
    })
}

/// The stable code of the finding, and whether it may matter.
fn code(what: &Unused) -> (&'static str, Severity) {
    use Severity::{Note, Warning};
    match what {
        Unused::Archive(_) => ("archive", Warning),
        Unused::Binary => ("binary", Note),
        Unused::Crl => ("crl", Note),
        Unused::DamagedBlock { .. } | Unused::DamagedDer => ("damaged-block", Warning),
        Unused::DamagedPkcs12 => ("damaged-pkcs12", Warning),
        Unused::DamagedMarkers => ("damaged-markers", Warning),
        Unused::Empty => ("empty", Warning),
        Unused::EncryptedEntry => ("encrypted-entry", Warning),
        Unused::EncryptedKey => ("encrypted-key", Note),
        Unused::Html(_) => ("html", Warning),
        Unused::Jks => ("jks", Note),
        Unused::Link => ("link", Note),
        Unused::LockedPkcs12 => ("locked-pkcs12", Warning),
        Unused::LongKey(_) => ("long-key", Warning),
        Unused::Mail => ("mail", Warning),
        Unused::MailSignature => ("mail-signature", Note),
        Unused::Office => ("office-file", Warning),
        Unused::OpenSsh => ("openssh-key", Note),
        Unused::OtherBag => ("other-bag", Note),
        Unused::OtherBlock(_) => ("other-block", Note),
        Unused::OtherMethod => ("other-method", Warning),
        Unused::Pdf => ("pdf", Note),
        Unused::Pgp => ("pgp", Note),
        Unused::Picture => ("picture", Note),
        Unused::Pkcs7 => ("damaged-pkcs7", Warning),
        Unused::PublicKey => ("public-key", Note),
        Unused::RequestSignature => ("request-signature", Warning),
        Unused::RequestWeak => ("request-weak", Warning),
        Unused::Text => ("text", Note),
        Unused::TooMuchWork(_) => ("too-many-rounds", Warning),
        Unused::TraditionalKey => ("traditional-key", Warning),
        Unused::Trailing(_) => ("trailing-bytes", Warning),
        Unused::UnknownEncryption => ("unknown-encryption", Warning),
        Unused::OtherKey(_) | Unused::UnusableKey => ("unusable-key", Warning),
        Unused::ShortKey(_) => ("rsa-too-short", Warning),
        Unused::WrongPassphrase(_) => ("wrong-password", Warning),
    }
}

/// What it is not, where that is not plain.
fn mistaken(what: &Unused) -> &'static str {
    match what {
        Unused::Jks => ", which this version does not read",
        Unused::DamagedBlock { .. }
        | Unused::DamagedDer
        | Unused::DamagedPkcs12
        | Unused::Empty
        | Unused::Link => "",
        Unused::DamagedMarkers
        | Unused::EncryptedEntry
        | Unused::LockedPkcs12
        | Unused::LongKey(_)
        | Unused::Mail
        | Unused::OtherKey(_)
        | Unused::Pkcs7 => "",
        Unused::ShortKey(_) | Unused::TooMuchWork(_) | Unused::TraditionalKey => "",
        Unused::UnknownEncryption | Unused::UnusableKey | Unused::WrongPassphrase(_) => "",
        _ => ", not a certificate",
    }
}

impl From<&Ignored> for Finding {
    /// Beside other things that were of use.
    fn from(ignored: &Ignored) -> Self {
        let (code, severity) = code(&ignored.what);
        let message = format!("not used: {} is {}", ignored.source, ignored.what);
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
            return Self::new(
                Kind::Malformed,
                "nothing in it is a certificate, a request or a key",
            )
            .with(Next::say("see what it holds:  unzip -l FILE"));
        };
        let message = format!(
            "{} is {}{}",
            first.source,
            first.what,
            mistaken(&first.what)
        );
        let mut failure = Self::new(Kind::Malformed, message);
        failure.causes.extend(
            others
                .iter()
                .take(8)
                .map(|one| format!("{} is {}", one.source, one.what)),
        );
        let otherwise = || "pass what the CA sent: a zip, or .crt and .ca-bundle files".to_owned();
        failure
            .next
            .push(Next::say(advice(first).unwrap_or_else(otherwise)));
        failure
    }
}
