//! The clients that the rules name.

/// A TLS client, or a library that clients use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TlsClient {
    Chrome,
    Firefox,
    GnuTls,
    Go,
    /// OpenSSL with its default settings: curl, most programs on Linux.
    OpenSsl,
    Rustls,
    /// Python 3.13 and later: OpenSSL with `VERIFY_X509_STRICT`.
    StrictPython,
}

impl TlsClient {
    /// All clients, in the order in which they are listed.
    pub(crate) const ALL: [Self; 7] = [
        Self::OpenSsl,
        Self::Go,
        Self::Chrome,
        Self::Firefox,
        Self::StrictPython,
        Self::GnuTls,
        Self::Rustls,
    ];
}

impl std::fmt::Display for TlsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Chrome => "Chrome",
            Self::Firefox => "Firefox",
            Self::GnuTls => "GnuTLS",
            Self::Go => "Go",
            Self::OpenSsl => "OpenSSL",
            Self::Rustls => "rustls",
            Self::StrictPython => "Python 3.13",
        })
    }
}
