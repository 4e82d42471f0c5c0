//! Anything that a CA or a person hands over, read into certificates, requests and keys. Pure:
//! bytes in, values out. Forms are told by content, never by file name; nothing is lost in silence:
//! what was mended is a [`AppliedRepair`], what could not be used is an [`IgnoredItem`], and what
//! would exceed the [`DeliveryLimits`] ends the reading.

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
mod sniff;
mod source;
mod text_forms;
mod zip;

pub(crate) use self::contents::FoundItem;
pub use self::contents::{CaDelivery, DeliveryInput};
pub(crate) use self::diagnostics::IgnoredItem;
pub use self::diagnostics::UnusedContent;
pub(crate) use self::diagnostics::{AppliedRepair, RepairKind};
pub(crate) use self::encrypted_key::{DecryptError, EncryptedKey};
pub use self::limits::{DeliveryError, DeliveryLimits};
pub use self::pbe::Passphrase;
pub(crate) use self::sniff::{FileForm, form, recognised};
pub(crate) use self::source::ItemSource;
