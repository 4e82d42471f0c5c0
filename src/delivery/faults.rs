//! What a delivery had to be forgiven: what was mended while reading, and what could not be used. Facts only.

use std::fmt;

use super::source::Source;

/// What was mended while reading: certctl reads it, other programs may not.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Mended {
    /// Empty lines inside a block.
    BlankLines,
    /// A UTF-8 byte order mark at the start.
    ByteOrderMark,
    /// Lines end in CR alone.
    CrAlone,
    /// Lines end in CR LF.
    CrLf,
    /// DER, where servers want PEM.
    Der,
    /// `-----END CERTIFICATE----------BEGIN CERTIFICATE-----` on one line.
    Glued,
    /// Lines are indented.
    Indented,
    /// Another word in the BEGIN line than the usual one (`X509 CERTIFICATE`, `NEW CERTIFICATE REQUEST`).
    Label,
    /// A whole block without its END line.
    MissingEnd,
    /// The file does not end with a line break: the next one that is appended gets glued.
    NoFinalNewline,
    /// A BEGIN or END line shares its line with other text.
    OneLine,
    /// The END line has another word than the BEGIN line, or the BEGIN line another word than the content.
    WrongLabel,
}

impl Mended {
    /// The stable code of the finding.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::BlankLines => "blank-lines",
            Self::ByteOrderMark => "byte-order-mark",
            Self::CrAlone => "cr-alone",
            Self::CrLf => "crlf",
            Self::Der => "der",
            Self::Glued => "glued-lines",
            Self::Indented => "indented",
            Self::Label => "label",
            Self::MissingEnd => "missing-end",
            Self::NoFinalNewline => "no-final-newline",
            Self::OneLine => "one-line",
            Self::WrongLabel => "wrong-label",
        }
    }

    /// Whether OpenSSL, and so nginx, Apache and HAProxy, fails on a PEM file with it or loses a certificate (tried with
    /// OpenSSL 3.0). DER is for other programs.
    #[must_use]
    pub fn breaks_servers(self) -> bool {
        match self {
            Self::BlankLines
            | Self::CrAlone
            | Self::Glued
            | Self::Indented
            | Self::MissingEnd
            | Self::OneLine
            | Self::WrongLabel => true,
            Self::ByteOrderMark | Self::CrLf | Self::Der | Self::Label | Self::NoFinalNewline => false,
        }
    }
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BlankLines => "empty lines inside a block",
            Self::ByteOrderMark => "a byte order mark at the start",
            Self::CrAlone => "lines that end in CR alone",
            Self::CrLf => "Windows line ends (CR LF)",
            Self::Der => "DER, not PEM",
            Self::Glued => "an END line and the next BEGIN line glued into one",
            Self::Indented => "indented lines",
            Self::Label => "an unusual word in the BEGIN line",
            Self::MissingEnd => "no END line",
            Self::NoFinalNewline => "no line break at the end",
            Self::OneLine => "a BEGIN or END line that shares its line with other text",
            Self::WrongLabel => "a BEGIN line that does not say what is in the block",
        })
    }
}

/// One repair and where.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Repair {
    /// What was mended.
    pub what: Mended,
    /// Where.
    pub source: Source,
    /// The line, counted from 1, where it is one.
    pub line: Option<usize>,
}

/// What something is that could not be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unused {
    /// gzip, 7z, rar, tar...: the name of the format.
    #[error("a {0} archive")]
    Archive(&'static str),
    /// Bytes of no known form.
    #[error("binary data of no known form")]
    Binary,
    /// A block that cannot be decoded.
    #[error("damaged: the {label} block at line {line} ({reason})")]
    DamagedBlock {
        /// The word in its BEGIN line.
        label: String,
        /// Its line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// DER that is cut off or damaged.
    #[error("DER that is cut off or damaged")]
    DamagedDer,
    /// A BEGIN line was meant, but its dashes are not five hyphens.
    #[error("text with damaged BEGIN lines: five hyphens are wanted on both sides")]
    DamagedMarkers,
    /// Nothing in it.
    #[error("empty")]
    Empty,
    /// A zip entry that needs a password.
    #[error("protected with a password")]
    EncryptedEntry,
    /// A private key that needs a passphrase.
    #[error("an encrypted private key")]
    EncryptedKey,
    /// A web page.
    #[error("an HTML page")]
    Html,
    /// A Java keystore.
    #[error("a Java keystore (JKS)")]
    Jks,
    /// A zip entry that is a symbolic link.
    #[error("a link, not a file")]
    Link,
    /// A PEM block of another kind; holds its label.
    #[error("a {0} block")]
    OtherBlock(String),
    /// PDF.
    #[error("a PDF file")]
    Pdf,
    /// A picture.
    #[error("a picture")]
    Picture,
    /// Certificates in PKCS#12.
    #[error("a PKCS#12 file (.pfx)")]
    Pkcs12,
    /// Certificates in PKCS#7.
    #[error("a PKCS#7 file (.p7b)")]
    Pkcs7,
    /// A public key alone.
    #[error("a public key alone")]
    PublicKey,
    /// A request whose signature does not hold.
    #[error("a certificate request that is damaged: its own signature does not hold")]
    RequestSignature,
    /// Text without a block.
    #[error("plain text")]
    Text,
    /// Bytes behind the last DER element; holds how many.
    #[error("DER with {0} bytes behind it that are none")]
    Trailing(usize),
    /// A private key that cannot be used here.
    #[error("a private key of a kind that is not supported, or damaged")]
    UnusableKey,
    /// UTF-16.
    #[error("UTF-16 text")]
    Utf16,
}

/// Something that could not be used and where it was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ignored {
    /// What it is.
    pub what: Unused,
    /// Where.
    pub source: Source,
}
