//! Anything that a CA or a person hands over, read into certificates, requests and keys. Pure:
//! bytes in, values out. Forms are told by content, never by file name; nothing is lost in silence:
//! what was mended is a [`Repair`], what could not be used is an [`Ignored`], and what would exceed
//! the [`Limits`] ends the reading.

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

pub(crate) use self::contents::Found;
pub use self::contents::{Delivery, Input};
pub(crate) use self::diagnostics::Ignored;
pub use self::diagnostics::Unused;
pub(crate) use self::diagnostics::{Mended, Repair};
pub(crate) use self::encrypted_key::{LockError, LockedKey};
pub use self::limits::{DeliveryError, Limits};
pub use self::pbe::Passphrase;
pub(crate) use self::sniff::{Form, form, recognised};
pub(crate) use self::source::Source;
