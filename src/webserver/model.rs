//! What the configuration of any server says, as far as an install asks: which blocks answer where,
//! for which names, with which files. Pure. A profile (`webserver::nginx`, ...) translates its
//! server's dialect into a [`ServerConfig`]; whatever is decided from it (adoption, coverage, whom
//! to ask) is decided here, once for all servers.
//!
//! A profile owes: blocks in the order in which its server prefers them; every address on which a
//! block answers, one by one; per block its pairs as the files the server reads, each with the
//! [`ReleaseFile`](crate::store::layout::ReleaseFile) it wants there; what the new block for a pair
//! looks like ([`WrittenBlock`]); and what a failing test complains of ([`ServerComplaint`]).

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

pub(crate) use block::{
    BlockCoverage, ConfigBlock, ConfiguredCertificate, ConfiguredPath, NameSource, TrafficKind,
    chain_and_key,
};
pub use complaint::ComplaintSubject;
pub(crate) use complaint::{ServerComplaint, last_lines, names_path};
pub(crate) use config::{ConfigFile, ConfigPosition, ServerConfig};
pub(crate) use listen::{ListenAddress, ListenInterface};
pub(crate) use name::ServerName;
pub(crate) use name_clash::NameClash;
pub(crate) use new_block::{BlockAddition, CIPHERS, WEB, WrittenBlock, origin_comment};
pub use new_block::{NewBlock, WebPorts};
pub(crate) use probe_targets::ServedElsewhere;
pub use probe_targets::{InstalledPaths, ProbeTargets};
pub(crate) use software::ServerSoftware;
