//! Publishes and removes validation records: finds the zone, reads what is there, changes exactly one
//! record, and queries the zone's own servers afterwards. The journal knows a record before the
//! provider does.

mod change;
mod document;
mod location;
mod model;
mod needless;
mod removal;
mod verification;

pub(crate) use self::change::{PublicationRequest, publish_record};
pub(crate) use self::document::PublicationOutcome;
pub(crate) use self::model::{
    Publication, PublicationMode, PublicationSettings, PublicationVerdict, UNCHECKED_RECORD,
    UncheckedRule,
};
pub(crate) use self::needless::needless_records;
pub(crate) use self::removal::remove_published;
