//! What a verified pair is given out as: the formats that servers and their people ask for, which
//! server wants which, and the proof that a file reads back as what it was made from. Pure: values
//! in, bytes out.

mod error;
mod format;
mod guard;
mod pkcs12;
mod pkcs7;
mod read_back;
mod render;
mod target;

pub(crate) use self::error::ExportError;
pub(crate) use self::format::Format;
pub(crate) use self::guard::{Loss, loss, loss_of};
pub(crate) use self::pkcs12::{Protection, Strength};
pub(crate) use self::read_back::read_back;
pub(crate) use self::render::{Pair, render};
pub(crate) use self::target::Target;

#[cfg(test)]
mod tests;
