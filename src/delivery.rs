//! Reads certificates, requests and keys from the files of a CA or a user. Pure: bytes in, values
//! out. Forms are detected by content, never by file name. Nothing is dropped silently: every
//! repair is an [`AppliedRepair`], unusable content is an [`IgnoredItem`], and exceeding the
//! [`DeliveryLimits`] is an error.

mod ber;
mod contents;
mod diagnostics;
mod encrypted_key;
mod limits;
mod mail;
mod pbe;
mod pem;
mod pem_body;
mod pem_marker;
mod pkcs12;
mod pkcs7;
mod reader;
mod server_loader;
mod sniff;
mod source;
mod text_forms;
mod zip;

pub(crate) use self::ber::{BER_BYTES, BER_DEPTH, BER_ELEMENTS};
pub(crate) use self::contents::FoundItem;
pub use self::contents::{CaDelivery, DeliveryInput};
pub(crate) use self::diagnostics::IgnoredItem;
pub use self::diagnostics::UnusedContent;
pub(crate) use self::diagnostics::{AppliedRepair, RepairKind};
pub(crate) use self::encrypted_key::{DecryptError, EncryptedKey};
pub use self::limits::{DeliveryError, DeliveryLimits};
pub(crate) use self::limits::{INPUTS_TOGETHER, LONGEST_RSA};
pub use self::pbe::Password;
pub(crate) use self::pbe::SCRYPT_MEMORY;
pub use self::server_loader::{LoadFault, load_certificates};
pub(crate) use self::sniff::{FileForm, detect_form, recognize_form};
pub(crate) use self::source::ItemSource;
