//! A value with the file that contains it.

use std::path::PathBuf;

/// A value and the file that contains it.
#[derive(Clone, Debug)]
pub(crate) struct HeldFile<T> {
    pub path: PathBuf,
    /// The parsed content.
    pub value: T,
}
