//! Why a certificate cannot be exported.

use super::format::ExportFormat;

/// Why a certificate cannot be exported. The advice is in `advice`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ExportError {
    /// The file as read back differs from the certificates and the key that were written.
    #[error("the new {} file does not contain the same certificates and key when it is read back", .0.name())]
    Differs(ExportFormat),
    /// The format contains only intermediates, and the chain has none.
    #[error("{label} has no intermediates, so its chain file would be empty")]
    NoChain {
        /// The label of the certificate.
        label: String,
    },
    /// The format includes the key, and the key was not found.
    #[error("the {} format includes the private key of {label}, which was not found; searched {searched_places}", .format.name())]
    NoKey {
        /// The requested format.
        format: ExportFormat,
        /// The label of the certificate.
        label: String,
        /// The places that were searched for the key.
        searched_places: String,
    },
    /// The format requires a password, and none was given.
    #[error("the new .{} file needs a password, and none was given", .0.name())]
    NoPassword(ExportFormat),
    /// The password has characters that the format cannot encode (RFC 7292 B.1: 16 bits each).
    #[error(
        "the password for the new .pfx file contains characters beyond U+FFFF (such as emoji), \
            which PKCS#12 cannot encode"
    )]
    Password,
    /// The certificates or the key cannot be encoded; `reason` is the error of the library.
    #[error("the certificates cannot be encoded as {}: {reason}", .format.name())]
    Unpackable {
        format: ExportFormat,
        reason: String,
    },
}
