//! Which certificate, key and request belong together: by key id, never by file name and never by guess. Pure: files
//! are read by `directory`, and `intake` puts it all together.

mod choose;
mod directory;
mod error;
mod keyring;
pub mod naming;
mod remark;
mod served;

pub use self::choose::{Choice, Scope, choose, judged};
pub use self::directory::{Directory, Held, folder_in_words, stem};
pub use self::error::PairingError;
pub use self::keyring::{HeldRequest, Keyring, Named, wrong_key};
pub use self::remark::{Anew, Remark, mended, not_issued};
pub use self::served::{ServedFault, faults};
