//! Why a certificate cannot be exported.

use super::format::ExportFormat;

/// Why a certificate cannot be exported. The advice is in `advice`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ExportError {
    /// Read again, the file differs from the certificates and the key it was made from.
    #[error("the {} file does not read back as the certificates and the key that it was made from", .0.name())]
    Differs(ExportFormat),
    /// The format has only intermediates, and there is none.
    #[error("{label} needs no intermediate: there is nothing to put into the chain file")]
    NoChain {
        /// The label of the certificate.
        label: String,
    },
    /// The format includes the key, and the key was not found.
    #[error("{} holds the private key of {label}, which is not here; looked at {searched_places}", .format.name())]
    NoKey {
        /// The requested format.
        format: ExportFormat,
        /// The label of the certificate.
        label: String,
        /// Where certctl looked for the key.
        searched_places: String,
    },
    /// The format requires a password, and none was given.
    #[error("the new .{} file is to be locked with a password, and none was given", .0.name())]
    NoPassword(ExportFormat),
    /// The password has characters that the format cannot encode (RFC 7292 B.1: 16 bits each).
    #[error(
        "the password for the new .pfx file has characters that none can have (beyond U+FFFF: \
            emoji, rare scripts)"
    )]
    Password,
    /// The certificates or the key cannot be encoded; `reason` is the error of the library.
    #[error("the certificates cannot be packed as {}: {reason}", .format.name())]
    Unpackable {
        format: ExportFormat,
        reason: String,
    },
}
