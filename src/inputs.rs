//! From arguments to certificates with their chains and keys, for the commands that take what a CA
//! sent ([`take()`]) or judge what is there ([`present()`]). Leaves are chosen by key id; repairs,
//! omissions and missing parts are reported. No chain is judged here: see `pki::verify`.

mod aia;
mod any_argument;
mod ca_delivery;
pub(crate) mod dcv_file;
mod delivery_findings;
pub(crate) mod folder;
mod host;
mod reader;
pub(crate) mod request_files;
mod served_files;
mod sources;
mod trust;

pub(crate) use self::any_argument::anything;
pub(crate) use self::ca_delivery::{
    DeliveryOptions, KeyLocation, KeyUse, MatchedCertificate, stem_of, take, take_beside,
};
pub(crate) use self::host::{HostAnswers, HostArgument, HostCertificates, ask, wanted_hosts};
pub(crate) use self::reader::{InputReader, PasswordArgs};
pub(crate) use self::served_files::{ServedCertificates, ServedFileOptions, present};
pub(crate) use self::sources::{causes_first, findings_of, named_keys};
pub(crate) use self::trust::{anchors, bundle_again, second_opinion, trust_flags};
