//! Advice for files from the CA that cannot be used.

use std::path::Path;

use crate::advice::command_lines::unused_copy_name;
use crate::delivery::{DeliveryError, IgnoredItem, ItemSource, UnusedContent};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity, shell_word};

const PASS_CA_FILES: &str = "Pass the files that the CA sent: a zip, or .crt and .ca-bundle files";

/// The most ignored items that a failure lists as causes.
pub(crate) const MOST_CAUSES: usize = 8;

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        match &error {
            DeliveryError::DuplicateNames(_) => Self::from_error(FailureKind::Malformed, &error)
                .because("certctl cannot know which of them is meant, so it uses neither")
                .with_step(NextStep::say(format!("Unpack it, and {PASS_FILES}"))),
            DeliveryError::TooDeep(..)
            | DeliveryError::TooLarge(..)
            | DeliveryError::TooManyBlocks(..) => Self::from_error(FailureKind::Hostile, &error)
                .because("no CA sends such files; certctl stopped reading, and no file was written")
                .with_step(NextStep::say(format!("Unpack it, and {PASS_FILES}"))),
            DeliveryError::MailTooLarge(_) => Self::from_error(FailureKind::Hostile, &error)
                .because("no CA sends such mails; certctl did not read it")
                .with_step(NextStep::say(format!(
                    "Save the attachment of the mail, and {PASS_FILES}"
                ))),
            DeliveryError::TooManyEntries(..) => Self::from_error(FailureKind::Hostile, &error)
                .because("no CA sends so many files; certctl did not read them")
                .with_step(NextStep::say(format!("Unpack it, and {PASS_FILES}"))),
            DeliveryError::TooMuchTogether(_) => Self::from_error(FailureKind::Usage, &error)
                .because("certctl stopped reading, and nothing was changed")
                .with_step(NextStep::say(
                    "Pass fewer files at once, for example with `xargs -n 1000 certctl install`",
                )),
            DeliveryError::Zip(source, _) => {
                let failure = Self::from_error(FailureKind::Malformed, &error);
                let failure = match path(source).map(shell_word) {
                    Some(file) => failure.with_step(NextStep::run_shell(
                        "Test the archive",
                        format!("unzip -t {file}"),
                    )),
                    None => failure,
                };
                failure.with_step(NextStep::say("Download it from the CA or reseller again"))
            }
        }
    }
}

/// The end of a sentence: what to pass instead of an archive or a mail.
const PASS_FILES: &str = "pass only the certificate files in it, for example \
    `certctl bundle example_com.crt example_com.ca-bundle`";

/// The path of the input; `None` for stdin and for a file inside of another one.
fn path(source: &ItemSource) -> Option<&str> {
    let is_file = source.entry.is_none() && source.input != "stdin";
    is_file.then_some(source.input.as_str())
}

/// What to do about content that could not be used; `None` where there is nothing to do.
fn advice(ignored: &IgnoredItem) -> Option<NextStep> {
    path(&ignored.source)
        .and_then(|file| advice_for_file(&ignored.content, file))
        .or_else(|| advice_without_file(&ignored.content).map(NextStep::say))
}

/// The commands of [`advice`], for content that is a file on its own.
fn advice_for_file(content: &UnusedContent, file: &str) -> Option<NextStep> {
    let quoted = shell_word(file);
    let (sentence, command) = match content {
        UnusedContent::Binary | UnusedContent::Picture | UnusedContent::Pdf => {
            ("Find out what it is".to_owned(), format!("file {quoted}"))
        }
        UnusedContent::Jks => {
            let copy = shell_word(&unused_copy_name(Path::new(file), "p12"));
            (
                format!("Convert it to PKCS#12, and pass {copy}"),
                format!(
                    "keytool -importkeystore -srckeystore {quoted} -destkeystore {copy} \
                        -deststoretype PKCS12"
                ),
            )
        }
        UnusedContent::Pkcs7 => (
            "Show its structure".to_owned(),
            format!("openssl asn1parse -in {quoted} || openssl asn1parse -inform DER -in {quoted}"),
        ),
        UnusedContent::TooMuchWork(_) | UnusedContent::UnknownEncryption => {
            let copy = shell_word(&unused_copy_name(Path::new(file), "plain.pem"));
            (
                format!("Decrypt a copy with OpenSSL, and pass {copy}"),
                format!(
                    "(umask 077; openssl pkcs12 -in {quoted} -nodes -out {copy} || openssl pkey \
                        -in {quoted} -out {copy})"
                ),
            )
        }
        UnusedContent::TraditionalKey => convert_key(file, "Decrypt a copy, and pass", ""),
        UnusedContent::UnusableKey => convert_key(
            file,
            "Convert a copy with OpenSSL, and pass",
            "; if OpenSSL fails too, the file is damaged",
        ),
        _ => return None,
    };
    Some(NextStep::run_shell(sentence, command))
}

/// The sentence, with the name of the copy between `start` and `end`, and the command that writes a
/// decrypted copy of a key.
fn convert_key(file: &str, start: &str, end: &str) -> (String, String) {
    let copy = shell_word(&unused_copy_name(Path::new(file), "plain.key"));
    let quoted = shell_word(file);
    (
        format!("{start} {copy}{end}"),
        format!("(umask 077; openssl pkey -in {quoted} -out {copy})"),
    )
}

/// The rest of [`advice`]: sentences without a command.
fn advice_without_file(what: &UnusedContent) -> Option<&'static str> {
    match what {
        UnusedContent::Archive(_) | UnusedContent::OtherMethod => Some(
            "Unpack it and pass the files in it; if it is a zip that was renamed, download it again",
        ),
        UnusedContent::DamagedBlock { .. }
        | UnusedContent::DamagedDer
        | UnusedContent::DamagedPkcs12
        | UnusedContent::Pkcs7
        | UnusedContent::Trailing(_) => {
            Some("Copy or download it again: a part of it is missing or changed")
        }
        UnusedContent::DamagedMarkers => Some(
            "Download the file instead of copying its text from a page: editors turn hyphens into \
                dashes",
        ),
        UnusedContent::Empty => Some("Download it again: the file was not written completely"),
        UnusedContent::EncryptedEntry
        | UnusedContent::EncryptedKey
        | UnusedContent::LockedPkcs12 => Some(
            "Put its password into a file with mode 0600 and pass it: \
                `--password-file password.txt`",
        ),
        UnusedContent::Html(_) => Some(
            "Log in at the CA or reseller and download the file again: the browser saved a page, \
                such as a login form, in its place",
        ),
        UnusedContent::Jks => Some("Unpack it, and convert it to PKCS#12 with `keytool`"),
        UnusedContent::LongKey(_) => {
            Some("Ask the CA which certificate is meant: servers do not use such keys")
        }
        UnusedContent::Office | UnusedContent::Mail | UnusedContent::UnreadableCertificate => {
            advice_about_origin(what)
        }
        UnusedContent::OpenSsh => Some(
            "Pass the key that was created with the request, for example \
                `--key example.com.key`",
        ),
        UnusedContent::RequestWeak | UnusedContent::OtherKey(_) | UnusedContent::ShortKey(_) => {
            Some("Create a new key and request, for example with `certctl csr example.com`")
        }
        UnusedContent::RequestSignature => Some(
            "Use the original request, or create a new one, for example with \
                `certctl csr example.com`",
        ),
        UnusedContent::TooMuchWork(_) | UnusedContent::UnknownEncryption => Some(
            "Unpack it, and encrypt it again in a common way with `openssl pkcs12` or \
                `openssl pkcs8`",
        ),
        UnusedContent::TraditionalKey | UnusedContent::UnusableKey => {
            Some("Unpack it, and convert the key with `openssl pkey`")
        }
        UnusedContent::WrongPassword(_) => Some(
            "Pass the password of the file, which is often sent in a separate mail: \
                `--password-file password.txt`",
        ),
        UnusedContent::Binary
        | UnusedContent::Crl
        | UnusedContent::Link
        | UnusedContent::MailSignature
        | UnusedContent::OtherBag
        | UnusedContent::OtherBlock(_)
        | UnusedContent::Pdf
        | UnusedContent::Pgp
        | UnusedContent::Picture
        | UnusedContent::PublicKey
        | UnusedContent::Text => None,
    }
}

/// The rest of [`advice_without_file`]: what came from a CA or a mail program in this form.
fn advice_about_origin(what: &UnusedContent) -> Option<&'static str> {
    Some(match what {
        UnusedContent::Office => {
            "Open it, and save the certificates in it as text, or the attached zip as a file"
        }
        UnusedContent::Mail => {
            "Pass the mail with the certificate, or the file that was attached to it"
        }
        UnusedContent::UnreadableCertificate => {
            "Ask the CA to issue it again: some clients refuse such a certificate"
        }
        _ => return None,
    })
}

/// Returns the stable code of the finding and its severity: a warning if the item may be needed.
fn code(what: &UnusedContent) -> (&'static str, Severity) {
    use Severity::{Note, Warning};
    match what {
        UnusedContent::Archive(_) => ("unsupported-archive", Warning),
        UnusedContent::Binary => ("binary", Note),
        UnusedContent::Crl => ("crl", Note),
        UnusedContent::DamagedBlock { .. } | UnusedContent::DamagedDer => {
            ("damaged-block", Warning)
        }
        UnusedContent::UnreadableCertificate => ("unreadable-certificate", Warning),
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
        UnusedContent::WrongPassword(_) => ("wrong-password", Warning),
    }
}

/// Returns an addition that says that the content is not a certificate, unless its description
/// shows that.
fn what_it_is_not(what: &UnusedContent) -> &'static str {
    match what {
        UnusedContent::Jks => ", which certctl cannot read",
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
        | UnusedContent::OpenSsh
        | UnusedContent::OtherKey(_)
        | UnusedContent::Pkcs7
        | UnusedContent::RequestSignature
        | UnusedContent::RequestWeak => "",
        UnusedContent::ShortKey(_)
        | UnusedContent::TooMuchWork(_)
        | UnusedContent::TraditionalKey => "",
        UnusedContent::UnknownEncryption
        | UnusedContent::UnreadableCertificate
        | UnusedContent::UnusableKey
        | UnusedContent::WrongPassword(_) => "",
        _ => ", not a certificate",
    }
}

/// Describes an ignored item as the cause of a failure.
pub(crate) fn item_in_words(ignored: &IgnoredItem) -> String {
    format!("{} is {}", ignored.source, ignored.content)
}

impl From<&IgnoredItem> for Finding {
    /// Returns a note or warning about an item that was ignored although others were used.
    fn from(ignored: &IgnoredItem) -> Self {
        let (code, severity) = code(&ignored.content);
        let message = format!("not used: {} is {}", ignored.source, ignored.content);
        let finding = match severity {
            Severity::Note => Self::note(code, message),
            _ => Self::warning(code, message),
        };
        match advice(ignored) {
            Some(step) => finding.with_step(step),
            None => finding,
        }
    }
}

impl From<&[IgnoredItem]> for Failure {
    /// Reports the most severe item as the error and the others as its causes, if nothing usable
    /// was found.
    fn from(ignored: &[IgnoredItem]) -> Self {
        let mut sorted: Vec<&IgnoredItem> = ignored.iter().collect();
        sorted.sort_by_key(|item| std::cmp::Reverse(code(&item.content).1));
        let Some((first, others)) = sorted.split_first() else {
            return Self::new(
                FailureKind::Malformed,
                "the input contains no certificate, request or key",
            )
            .with_step(NextStep::say(PASS_CA_FILES));
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
        let step = advice(first).unwrap_or_else(|| NextStep::say(PASS_CA_FILES));
        failure.next.push(step);
        failure
    }
}
