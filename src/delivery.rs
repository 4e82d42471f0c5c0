//! Anything that a CA or a person hands over, read into certificates, requests and keys. Pure: bytes in, values out.
//! Forms are told by content, never by file name; nothing is lost in silence: what was mended is a [`Repair`], what
//! could not be used is an [`Ignored`], and what would exceed the [`Limits`] ends the reading.

mod ber;
mod body;
mod faults;
mod found;
mod limits;
mod lock;
mod mail;
mod marker;
mod pbe;
mod pem;
mod pkcs12;
mod pkcs7;
mod reader;
mod sniff;
mod source;
mod text;
mod zip;

pub use self::faults::{Ignored, Mended, Repair, Unused};
pub use self::found::{Delivery, Found, Input};
pub use self::limits::{DeliveryError, Limits};
pub use self::lock::{LockError, LockedKey};
pub use self::pbe::Passphrase;
pub use self::sniff::{Form, form, recognised};
pub use self::source::Source;
