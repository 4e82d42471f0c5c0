//! From arguments to certificates with their chains and keys, for the verbs that take what a CA sent ([`take()`]) or
//! judge what is there ([`present()`]). Leaves are chosen by key id; what was mended, left out or missing is told. No chain
//! is judged here: see `pki::verify`.

mod aia;
mod anything;
mod host;
mod present;
mod reading;
mod sources;
mod take;
mod trust;

pub use self::anything::anything;
pub use self::host::{Answers, Host, Seen, ask, wanted_hosts};
pub use self::present::{PresentOptions, Presented, present};
pub use self::reading::{ReadArgs, Reading};
pub use self::sources::{causes_first, findings_of, named_keys};
pub use self::take::{KeyPlace, KeyUse, TakeOptions, Taken, stem_of, take, take_beside};
pub use self::trust::{anchors, bundle_again, second_opinion, trust_flags};
