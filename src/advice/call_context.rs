//! Where the commands of next steps are run.

use crate::finding::NextStep;
use crate::inventory::item::{ItemLocation, ItemOrigin};

/// Makes steps with certctl commands that work from where this run was started. Each takes the
/// sentence of the step and the words after `certctl`.
pub(crate) struct CallContext<'a> {
    /// In the same directory and tree.
    pub here: &'a dyn Fn(&str, &[&str]) -> NextStep,
    /// As root, in the same tree.
    pub root: &'a dyn Fn(&str, &[&str]) -> NextStep,
}

/// Returns true for a file in the working directory.
pub(super) fn is_here(place: &ItemLocation) -> bool {
    matches!(
        place,
        ItemLocation::File {
            origin: ItemOrigin::Here,
            ..
        }
    )
}
