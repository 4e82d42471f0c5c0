//! The configuration of any server: the addresses, names and files of its blocks. Pure. A dialect
//! (`webserver::nginx`, ...) translates its server's configuration into a [`ServerConfig`];
//! decisions based on it (adoption, coverage, probe targets) are made here, once for all servers.
//!
//! A dialect provides: blocks in the order in which its server prefers them; every address of a
//! block, one by one; the certificates of each block as the files that the server reads, each with
//! the [`ReleaseFile`](crate::store::layout::ReleaseFile) that it expects there; the section that
//! serves names in plain text ([`PlainSite`]); and the complaints of a failed test
//! ([`ServerComplaint`]).

mod answering;
pub(crate) mod block;
mod catch_all;
mod complaint;
pub(crate) mod config;
pub(crate) mod glob;
mod index;
pub(crate) mod key_type;
mod lines_to_add;
pub(crate) mod listen;
pub(crate) mod name;
mod name_clash;
pub(crate) mod name_pattern;
mod name_table;
pub(crate) mod pass_through;
mod place_search;
pub(crate) mod probe_targets;
mod rules;
mod served;
mod site_addresses;
mod software;
mod test_warning;
mod upstream;
mod web_places;

pub use answering::InstalledPaths;
pub use block::ConfiguredPath;
pub(crate) use block::{
    BlockCoverage, ConfigBlock, ConfiguredCertificate, NameSource, TlsHandling, TrafficKind,
    is_covered,
};
pub(crate) use catch_all::CatchAllBlocks;
pub use complaint::ComplaintSubject;
pub(crate) use complaint::{ServerComplaint, last_lines, names_path};
pub(crate) use config::{ConfigFile, ConfigPosition, DefaultBlock, ServerConfig};
pub(crate) use lines_to_add::{LinesPlace, LinesToAdd, PlainSite, UnservedNames};
pub(crate) use listen::{ListenAddress, ListenInterface};
pub(crate) use name::ServerName;
pub(crate) use name_clash::NameClash;
pub use probe_targets::ProbeTargets;
pub(crate) use probe_targets::{AnswerRule, ServedElsewhere};
pub use rules::ModelRule;
pub use served::{ClientHello, ServedAnswer};
pub(crate) use site_addresses::SiteAddresses;
pub use software::ServerSoftware;
pub(crate) use software::quote;
pub(crate) use test_warning::{test_warnings, warnings_about};
pub(crate) use upstream::UpstreamAddress;
pub(crate) use web_places::{WebPlace, find_web_places};
