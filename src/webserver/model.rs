//! The configuration of any server: the addresses, names and files of its blocks. Pure. A dialect
//! (`webserver::nginx`, ...) translates its server's configuration into a [`ServerConfig`];
//! decisions based on it (adoption, coverage, probe targets) are made here, once for all servers.
//!
//! A dialect provides: blocks in the order in which its server prefers them; every address of a
//! block, one by one; the certificates of each block as the files that the server reads, each with
//! the [`ReleaseFile`](crate::store::layout::ReleaseFile) that it expects there; the text of a new
//! block ([`WrittenBlock`]); and the complaints of a failed test ([`ServerComplaint`]).

mod answering;
pub(crate) mod block;
mod complaint;
pub(crate) mod config;
pub(crate) mod glob;
mod index;
pub(crate) mod key_type;
pub(crate) mod listen;
pub(crate) mod name;
mod name_clash;
pub(crate) mod name_pattern;
mod name_table;
mod new_block;
pub(crate) mod pass_through;
mod place_search;
pub(crate) mod probe_targets;
mod rules;
mod served;
mod software;

pub use answering::InstalledPaths;
pub use block::ConfiguredPath;
pub(crate) use block::{
    BlockCoverage, ConfigBlock, ConfiguredCertificate, NameSource, TlsHandling, TrafficKind,
    chain_and_key,
};
pub use complaint::ComplaintSubject;
pub(crate) use complaint::{ServerComplaint, last_lines, names_path};
pub(crate) use config::{ConfigFile, ConfigPosition, ServerConfig};
pub(crate) use listen::{ListenAddress, ListenInterface};
pub(crate) use name::ServerName;
pub(crate) use name_clash::NameClash;
pub(crate) use new_block::{
    BlockAddition, CIPHERS, DEFAULT_WEB_PORTS, WrittenBlock, origin_comment,
};
pub use new_block::{NewBlock, WebPorts};
pub use probe_targets::ProbeTargets;
pub(crate) use probe_targets::{AnswerRule, ServedElsewhere};
pub use rules::ModelRule;
pub use served::{ClientHello, ServedAnswer};
pub use software::ServerSoftware;
