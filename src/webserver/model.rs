//! What the configuration of any server says, as far as an install asks: which blocks answer where,
//! for which names, with which files. Pure. A profile
//! (`webserver::nginx`, ...) translates its server's dialect into a [`Config`]; whatever is decided
//! from it (adoption, coverage, whom to ask) is decided here, once for all servers.
//!
//! A profile owes: blocks in the order in which its server prefers them; every address on which a
//! block answers, one by one; per block its pairs as the files the server reads, each with the
//! [`Piece`](crate::store::layout::Piece) it wants there; what the new block for a pair looks like
//! ([`Written`]); and what a failing test complains of ([`Complaint`]).

pub(crate) mod block;
mod complaint;
pub(crate) mod config;
pub(crate) mod glob;
mod index;
pub(crate) mod listen;
pub(crate) mod name;
mod name_clash;
mod new_block;
pub(crate) mod probe_targets;
mod software;

pub(crate) use block::{Block, Coverage, NamesFrom, Pair, PairPath, Part, chain_and_key};
pub use complaint::Blame;
pub(crate) use complaint::{Complaint, last_words, names_path};
pub(crate) use config::{Config, ConfigText};
pub(crate) use listen::{Interface, Listen};
pub(crate) use name::ServerName;
pub(crate) use name_clash::Clash;
pub use new_block::NewBlock;
pub(crate) use new_block::{Addition, CIPHERS, WEB, Written};
pub(crate) use probe_targets::Elsewhere;
pub use probe_targets::{Targets, Wanted};
pub(crate) use software::Software;
