//! Repairs that were necessary to read a delivery, and content that could not be used.

use std::fmt;

use super::source::ItemSource;

/// A deviation that was repaired while reading; other programs may fail on it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RepairKind {
    /// BER with indefinite lengths instead of DER.
    Ber,
    /// Empty lines inside a block.
    BlankLines,
    /// A UTF-8 byte order mark at the start.
    ByteOrderMark,
    /// Lines end in CR alone.
    CrAlone,
    /// Lines end in CR LF.
    CrLf,
    /// BEGIN or END lines without exactly five hyphens on each side.
    WrongDashes,
    /// DER, while servers require PEM.
    Der,
    /// `\n` written as two characters, as JSON and scripts do.
    EscapedLines,
    /// `-----END CERTIFICATE----------BEGIN CERTIFICATE-----` on one line.
    JoinedMarkers,
    /// Lines are indented.
    Indented,
    /// An unusual label in the BEGIN line (`X509 CERTIFICATE`, `NEW CERTIFICATE REQUEST`).
    UnusualLabel,
    /// HTML markup of a web page or an email around a block or in it.
    Markup,
    /// A whole block without its END line.
    MissingEnd,
    /// Base64 without BEGIN and END lines.
    BareBase64,
    /// The file does not end with a line break, so a file appended to it starts on the same line.
    NoFinalNewline,
    /// Invisible characters in the base64 other than plain spaces.
    UnusualWhitespace,
    /// A BEGIN or END line shares its line with other text.
    OneLine,
    /// PKCS#12, while servers require PEM.
    Pkcs12,
    /// PKCS#7, while servers require PEM.
    Pkcs7,
    /// Lines that start with `>`, as in a reply to an email.
    Quoted,
    /// The soft line breaks and escapes of quoted-printable.
    QuotedPrintable,
    /// Further bytes after a certificate in its block.
    TrailingBytes,
    /// Trust settings of OpenSSL after a certificate, which were removed.
    TrustData,
    /// UTF-16, while servers require ASCII.
    Utf16,
    /// The label of the END line differs from the BEGIN line, or that of the BEGIN line does not
    /// match the content.
    WrongLabel,
}

impl RepairKind {
    /// The stable code of the finding.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ber => "ber",
            Self::BlankLines => "blank-lines",
            Self::ByteOrderMark => "byte-order-mark",
            Self::CrAlone => "cr-alone",
            Self::CrLf => "crlf",
            Self::WrongDashes => "wrong-dashes",
            Self::Der => "der",
            Self::EscapedLines => "escaped-lines",
            Self::JoinedMarkers => "glued-lines",
            Self::Indented => "indented",
            Self::UnusualLabel => "pem-label",
            Self::Markup => "markup",
            Self::MissingEnd => "missing-end",
            Self::BareBase64 => "bare-base64",
            Self::NoFinalNewline => "no-final-newline",
            Self::UnusualWhitespace => "unusual-whitespace",
            Self::OneLine => "one-line",
            Self::Pkcs12 => "pkcs12",
            Self::Pkcs7 => "pkcs7",
            Self::Quoted => "quoted",
            Self::QuotedPrintable => "quoted-printable",
            Self::TrailingBytes => "bytes-after-certificate",
            Self::TrustData => "trust-data",
            Self::Utf16 => "utf-16",
            Self::WrongLabel => "wrong-pem-label",
        }
    }

    /// Returns whether OpenSSL, and so nginx, Apache and HAProxy, fails on such a PEM file or loses
    /// a certificate (tested with OpenSSL 3.0). False for DER, which other programs read.
    #[must_use]
    pub fn breaks_servers(self) -> bool {
        !matches!(
            self,
            Self::ByteOrderMark
                | Self::CrLf
                | Self::Der
                | Self::UnusualLabel
                | Self::NoFinalNewline
                | Self::TrustData
        )
    }
}

impl fmt::Display for RepairKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ber => "BER with indefinite lengths instead of DER",
            Self::BlankLines => "empty lines inside a block",
            Self::ByteOrderMark => "a byte order mark at the start",
            Self::CrAlone => "line endings of CR alone",
            Self::CrLf => "Windows line endings (CR LF)",
            Self::WrongDashes => "BEGIN or END lines without exactly five hyphens on each side",
            Self::Der => "DER instead of PEM",
            Self::EscapedLines => "line breaks written as \\n",
            Self::JoinedMarkers => "an END line and the next BEGIN line joined into one",
            Self::Indented => "indented lines",
            Self::UnusualLabel => "an unusual label in the BEGIN line",
            Self::Markup => "markup of a web page",
            Self::MissingEnd => "no END line",
            Self::BareBase64 => "base64 without BEGIN and END lines",
            Self::NoFinalNewline => "no line break at the end",
            Self::UnusualWhitespace => "invisible characters other than spaces",
            Self::OneLine => "a BEGIN or END line that shares its line with other text",
            Self::Pkcs12 => "PKCS#12 (.pfx), which most servers do not read",
            Self::Pkcs7 => "PKCS#7 (.p7b), which most servers do not read",
            Self::Quoted => "lines quoted with >",
            Self::QuotedPrintable => "quoted-printable line breaks and escapes",
            Self::TrailingBytes => "further bytes after the certificate in its block",
            Self::TrustData => "OpenSSL trust settings after the certificate, which were removed",
            Self::Utf16 => "UTF-16 text",
            Self::WrongLabel => "a BEGIN line that does not match the content of the block",
        })
    }
}

/// A repair and where it was necessary.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct AppliedRepair {
    pub kind: RepairKind,
    pub source: ItemSource,
    /// The line, counted from 1, if the repair is about one line.
    pub line: Option<usize>,
}

/// The kind of content that could not be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnusedContent {
    /// An archive other than a zip file; holds the name of the format (gzip, 7z, rar, tar...).
    #[error("an archive in a format that certctl does not read ({0})")]
    Archive(&'static str),
    /// Bytes of no known form.
    #[error("binary data in an unknown format")]
    Binary,
    /// A list of revoked certificates.
    #[error("a certificate revocation list (CRL)")]
    Crl,
    /// A block that cannot be decoded.
    #[error("damaged in the {label} block at line {line} ({reason})")]
    DamagedBlock {
        /// The label of its BEGIN line.
        label: String,
        /// Its line, counted from 1.
        line: usize,
        /// The damage.
        reason: &'static str,
    },
    /// Truncated or damaged DER.
    #[error("truncated or damaged DER")]
    DamagedDer,
    /// Truncated or damaged PKCS#12.
    #[error("a truncated or damaged PKCS#12 file (.pfx)")]
    DamagedPkcs12,
    /// A line resembles a BEGIN line but is not one.
    #[error("text with damaged BEGIN lines, which need five hyphens on each side")]
    DamagedMarkers,
    /// The file has no content.
    #[error("empty")]
    Empty,
    /// A zip file entry that needs a password.
    #[error("protected with a password")]
    EncryptedEntry,
    /// A private key that needs a password.
    #[error("an encrypted private key")]
    EncryptedKey,
    /// A web page; holds its title.
    #[error("an HTML page{}", format_title(.0))]
    Html(String),
    /// A Java key store.
    #[error("a Java keystore (JKS)")]
    Jks,
    /// A zip file entry that is a symbolic link.
    #[error("a symbolic link, not a file")]
    Link,
    /// A PKCS#12 file that needs a password.
    #[error("a password-protected PKCS#12 file (.pfx)")]
    LockedPkcs12,
    /// A certificate with an RSA key that is too long; holds its bits.
    #[error("a certificate with an RSA key of {0} bits; certctl reads at most 16384")]
    LongKey(usize),
    /// An email without any certificate.
    #[error("an email without certificates")]
    Mail,
    /// The signature of an email.
    #[error("the signature of an email (S/MIME)")]
    MailSignature,
    /// An office document, or an email saved by Outlook.
    #[error("an office document or an email saved by Outlook")]
    Office,
    /// A key for SSH.
    #[error("an SSH key, which TLS servers cannot use")]
    OpenSsh,
    /// A bag of a PKCS#12 file that holds neither a certificate nor a key.
    #[error("PKCS#12 content that is neither a certificate nor a key")]
    OtherBag,
    /// A PEM block of another kind; holds its label.
    #[error("a {0} block")]
    OtherBlock(String),
    /// A private key of a type that web servers do not use; holds its name.
    #[error("a private key of type {0}, which web servers do not use")]
    OtherKey(&'static str),
    /// An unsupported compression method.
    #[error("compressed with an unsupported method")]
    OtherMethod,
    /// A PDF document.
    #[error("a PDF file")]
    Pdf,
    /// A PGP message or key.
    #[error("a PGP block")]
    Pgp,
    /// An image, such as a scan.
    #[error("an image")]
    Picture,
    /// PKCS#7 that contains no certificates.
    #[error("a PKCS#7 file that is damaged or contains no certificates")]
    Pkcs7,
    /// A public key alone.
    #[error("a public key without its private key")]
    PublicKey,
    /// A request whose signature is wrong.
    #[error("a certificate request whose own signature is invalid")]
    RequestSignature,
    /// A request whose signature cannot be checked.
    #[error(
        "a certificate request signed with an algorithm that CAs do not accept (SHA-1, MD5, DSA or \
            a short key)"
    )]
    RequestWeak,
    /// An RSA private key that is too short for CAs; holds its bits.
    #[error("an RSA key of {0} bits; CAs require at least 2048")]
    ShortKey(usize),
    /// Text without a block.
    #[error("plain text")]
    Text,
    /// The file requires too many iterations of key derivation; holds how many.
    #[error("encrypted with a key derivation of {0} iterations, more than certctl computes")]
    TooMuchWork(u64),
    /// A private key in the encryption of OpenSSL before PKCS#8.
    #[error("a private key encrypted in OpenSSL's traditional format (Proc-Type: 4,ENCRYPTED)")]
    TraditionalKey,
    /// A certificate that OpenSSL decodes and certctl does not.
    #[error(
        "a certificate with a field that is not encoded as the standard requires, such as a date \
            or a name"
    )]
    UnreadableCertificate,
    /// Bytes after the last DER element; holds how many.
    #[error("DER followed by {0} bytes that do not belong to it")]
    Trailing(usize),
    /// An unsupported encryption scheme.
    #[error("encrypted with an unsupported scheme")]
    UnknownEncryption,
    /// A private key that is unsupported or damaged.
    #[error("a private key that is damaged or of an unsupported type")]
    UnusableKey,
    /// The password is wrong; holds what it should have decrypted.
    #[error("{0} that is protected with a different password than the one given")]
    WrongPassword(&'static str),
}

impl UnusedContent {
    /// Returns whether it is a request that no CA accepts.
    #[must_use]
    pub fn is_request(&self) -> bool {
        matches!(self, Self::RequestSignature | Self::RequestWeak)
    }

    /// Returns whether the right password would decrypt it.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(
            self,
            Self::EncryptedEntry | Self::EncryptedKey | Self::LockedPkcs12 | Self::WrongPassword(_)
        )
    }

    /// Returns whether it may contain a private key, readable or not.
    #[must_use]
    pub fn may_hold_key(&self) -> bool {
        let is_key_container = matches!(
            self,
            Self::DamagedPkcs12
                | Self::Jks
                | Self::LockedPkcs12
                | Self::OpenSsh
                | Self::OtherKey(_)
                | Self::ShortKey(_)
                | Self::TooMuchWork(_)
                | Self::TraditionalKey
                | Self::UnknownEncryption
                | Self::UnusableKey
        );
        is_key_container || self.is_locked()
    }
}

fn format_title(title: &str) -> String {
    if title.is_empty() {
        String::new()
    } else {
        format!(" (\"{title}\")")
    }
}

/// Content that could not be used and its source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IgnoredItem {
    pub content: UnusedContent,
    pub source: ItemSource,
}

impl IgnoredItem {
    /// Returns whether a certificate may be in it. Instructions that a CA adds to a zip file are
    /// none; a text, page or picture that was passed by itself may be one.
    #[must_use]
    pub(crate) fn may_hold_certificate(&self) -> bool {
        match self.content {
            UnusedContent::Html(_)
            | UnusedContent::Pdf
            | UnusedContent::Picture
            | UnusedContent::Text => self.source.entry.is_none(),
            UnusedContent::Archive(_)
            | UnusedContent::Binary
            | UnusedContent::DamagedBlock { .. }
            | UnusedContent::DamagedDer
            | UnusedContent::DamagedMarkers => true,
            UnusedContent::DamagedPkcs12
            | UnusedContent::EncryptedEntry
            | UnusedContent::Jks
            | UnusedContent::LockedPkcs12
            | UnusedContent::Mail => true,
            UnusedContent::Office
            | UnusedContent::OtherMethod
            | UnusedContent::Pkcs7
            | UnusedContent::UnreadableCertificate => true,
            _ => false,
        }
    }
}
