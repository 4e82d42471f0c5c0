//! From arguments to certificates with their chains and keys, for the commands that take what a CA
//! sent ([`take()`]) or judge what is there ([`present()`]). Leaves are chosen by key id; repairs,
//! omissions and missing parts are reported. No chain is judged here: see `pki::verify`.

mod aia;
mod any_argument;
mod ca_delivery;
pub mod dcv_file;
pub mod folder;
mod host;
mod reader;
pub mod request_files;
mod served_files;
mod sources;
mod trust;

pub use self::any_argument::anything;
pub use self::ca_delivery::{KeyPlace, KeyUse, TakeOptions, Taken, stem_of, take, take_beside};
pub use self::host::{Answers, Host, Seen, ask, wanted_hosts};
pub use self::reader::{ReadArgs, Reading};
pub use self::served_files::{PresentOptions, Presented, present};
pub use self::sources::{causes_first, findings_of, named_keys};
pub use self::trust::{anchors, bundle_again, second_opinion, trust_flags};
