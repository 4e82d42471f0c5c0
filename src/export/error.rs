//! Why a format cannot be given.

use super::format::ExportFormat;

/// Facts only; the advice is `failure`'s.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ExportError {
    /// What was made does not read back as what it was made from.
    #[error("the {} file does not read back as the certificates and the key that it was made from", .0.name())]
    Differs(ExportFormat),
    /// There is no intermediate, and the format is of intermediates alone.
    #[error("{label} needs no intermediate: there is nothing to put into the chain file")]
    NoChain {
        /// The certificate in words.
        label: String,
    },
    /// The format holds the key, and the key is not here.
    #[error("{} holds the private key of {label}, which is not here; looked at {looked}", .format.name())]
    NoKey {
        /// The format that was asked for.
        format: ExportFormat,
        /// The certificate in words.
        label: String,
        /// Where the key was looked for.
        looked: String,
    },
    /// The format is locked with a password, and none was given.
    #[error("the new .{} file is to be locked with a password, and none was given", .0.name())]
    NoPassword(ExportFormat),
    /// A password that the format cannot carry (RFC 7292 B.1: 16-bit characters).
    #[error(
        "the password for the new .pfx file has characters that none can have (beyond U+FFFF: \
            emoji, rare scripts)"
    )]
    Password,
    /// The certificates or the key cannot be packed; holds the packer's words.
    #[error("the certificates cannot be packed as {}: {reason}", .format.name())]
    Unpackable {
        format: ExportFormat,
        reason: String,
    },
}
