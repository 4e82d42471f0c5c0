//! Matches certificates, keys and requests by key id, never by file name. Pure: `inputs` reads the
//! files.

mod choose_leaves;
mod error;
pub(crate) mod file_names;
mod folder;
mod keyring;
mod remark;
mod served_order;

pub(crate) use self::choose_leaves::{LeafCandidates, LeafChoice, choose, judged};
pub(crate) use self::error::MatchingError;
pub(crate) use self::folder::{FolderContents, HeldFile, folder_in_words, stem};
pub(crate) use self::keyring::{HeldRequest, KeyCandidates, NamedKeys, wrong_key};
pub(crate) use self::remark::{MatchingRemark, RequestTemplate, mended, not_issued};
pub(crate) use self::served_order::{ServedFault, faults};
