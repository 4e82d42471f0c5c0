//! The export formats, their file names and modes.

use crate::permissions::Mode;

/// A format that a certificate can be exported in (`--format`).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, clap::ValueEnum)]
pub(crate) enum ExportFormat {
    /// The certificate and its intermediates in one PEM file, as most servers read it
    Pem,
    /// Only the certificate
    Cert,
    /// Only the intermediates
    Chain,
    /// Only the certificate, as DER
    Der,
    /// The certificate and its intermediates as PKCS#7
    P7b,
    /// Certificate, intermediates and key as PKCS#12, encrypted with a password
    Pfx,
    /// Certificate, intermediates and key in one PEM file
    Haproxy,
}

impl ExportFormat {
    /// Returns the name on the command line.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pem => "pem",
            Self::Cert => "cert",
            Self::Chain => "chain",
            Self::Der => "der",
            Self::P7b => "p7b",
            Self::Pfx => "pfx",
            Self::Haproxy => "haproxy",
        }
    }

    /// Returns the extension of its files, after `NAME.`.
    #[must_use]
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Pem => "fullchain.pem",
            Self::Cert => "cert.pem",
            Self::Chain => "chain.pem",
            Self::Der => "cer",
            Self::P7b => "p7b",
            Self::Pfx => "pfx",
            Self::Haproxy => "haproxy.pem",
        }
    }

    /// Returns whether it includes the private key.
    #[must_use]
    pub(crate) fn includes_key(self) -> bool {
        matches!(self, Self::Pfx | Self::Haproxy)
    }

    /// Returns the mode that its files are created with.
    #[must_use]
    pub(crate) fn mode(self) -> Mode {
        Mode::new(if self.includes_key() { 0o600 } else { 0o644 })
    }
}
