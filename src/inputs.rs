//! Reads arguments and finds certificates with their chains and keys, for the commands that take
//! files from the CA ([`match_delivery`]) and those that check files as a server would use them
//! ([`read_served_files`]). Leaves are chosen by key id; repairs, omissions and missing parts are
//! reported. `pki::verify` validates the chains.

mod aia;
mod any_argument;
mod audited_key;
mod ca_delivery;
pub(crate) mod dcv_file;
mod delivery_findings;
pub(crate) mod folder;
pub(crate) mod foreign_lineages;
mod found_key;
mod host;
mod host_probes;
mod key_files;
mod key_use;
mod reader;
pub(crate) mod request_files;
pub(crate) mod request_steps;
mod served_files;
mod sources;
mod trust;

pub(crate) use self::aia::{AIA_STEPS, AIA_URLS};
pub(crate) use self::any_argument::read_any_argument;
pub(crate) use self::audited_key::audit_decrypted_key;
pub(crate) use self::ca_delivery::{
    DeliveryOptions, MatchedCertificate, file_stem_of, match_delivery, match_delivery_in_folder,
};
pub(crate) use self::folder::{archives_for_keys, archives_with_certificates};
pub(crate) use self::found_key::FoundKeyFile;
pub(crate) use self::host::{
    HOST_DEADLINE, HostAnswers, HostArgument, HostCertificates, parse_host_flags,
};
pub(crate) use self::host_probes::{OFFERS_IN_WORDS, offer_names, probe_every_offer};
pub(crate) use self::key_files::KeyFileInspector;
pub(crate) use self::key_files::NamedKeyOrigin;
pub(crate) use self::key_use::{KeyLocation, KeyUse};
pub(crate) use self::reader::{InputReader, PasswordArgs};
pub(crate) use self::served_files::{ServedCertificates, ServedFileOptions, read_served_files};
pub(crate) use self::sources::{read_named_keys, reading_findings, sort_causes_first};
pub(crate) use self::trust::{
    bundle_command, parse_trust, saved_trust, trust_anchors, trust_difference, trust_flags,
};
