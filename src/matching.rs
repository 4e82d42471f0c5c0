//! Matches certificates, keys and requests by key id, never by file name. Pure: `inputs` reads the
//! files.

mod choose_leaves;
mod error;
pub(crate) mod file_names;
mod folder;
mod held_file;
mod issuer_search;
pub(crate) mod key_trust;
mod keyring;
mod loaded_file;
mod private_root;
mod remark;
mod served_order;

pub(crate) use self::choose_leaves::{
    LeafCandidates, LeafChoice, choose_leaves, select_leaves_to_check,
};
pub(crate) use self::error::MatchingError;
pub(crate) use self::folder::{FolderContents, describe_folder, file_stem_of};
pub(crate) use self::held_file::HeldFile;
pub(crate) use self::keyring::{HeldRequest, KeyCandidates, NamedKeys, find_key_mismatch};
pub(crate) use self::loaded_file::LoadedFile;
pub(crate) use self::private_root::PrivateRoots;
pub(crate) use self::remark::{
    MatchingRemark, RequestTemplate, find_names_not_issued, remark_repairs,
};
pub(crate) use self::served_order::{PresentedFiles, ServedFault, find_served_faults};
