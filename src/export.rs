//! Exports a verified certificate and its key: the formats that servers use, the formats that each
//! server needs, and the check that a written file contains the same certificates and key when it
//! is read back. Pure: values in, bytes out.

mod error;
mod format;
mod guard;
mod pkcs12;
mod pkcs7;
mod read_back;
mod render;
mod service_profile;
mod target;

pub(crate) use self::error::ExportError;
pub(crate) use self::format::ExportFormat;
pub(crate) use self::guard::{OverwriteLoss, find_delivery_loss, find_overwrite_loss};
pub(crate) use self::pkcs12::{Pkcs12Protection, Pkcs12Strength};
pub(crate) use self::read_back::verify_export;
pub(crate) use self::render::{ExportSource, render_export};
pub(crate) use self::service_profile::{OWNED_KEY_MODE, ServiceProfile};
pub(crate) use self::target::{DescribedService, ExportTarget, TargetStep};

#[cfg(test)]
mod tests;
