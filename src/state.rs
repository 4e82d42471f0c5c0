//! What certctl remembers about work outside of this machine: the records that it has published.
//! `/var/lib/certctl` for root, `$XDG_STATE_HOME/certctl` for other users. Every change is one rename;
//! an intent is written before the change that it is about.

pub(crate) mod folder;
pub(crate) mod published_records;

pub(crate) use self::folder::{StateError, StateFolder};
pub(crate) use self::published_records::{PublicationStage, PublishedRecord};
