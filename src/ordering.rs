//! Orders certificates through ACME (RFC 8555), from the plan of the install to the installed
//! certificate. Every step is in the journal before it is taken, so that the same command continues an
//! order that was interrupted; an order is never placed twice.

mod account;
mod challenge_files;
mod challenge_records;
mod document;
mod installed;
mod installing;
mod issued;
mod journal;
mod new_files;
mod order_run;
mod placed;
mod preflight;
mod progress;
mod publisher;
mod run;
mod spec;
mod webroots;

pub(crate) use self::challenge_files::CHALLENGE_FILE_UNCHECKED;
pub(crate) use self::document::OrderOutcome;
pub(crate) use self::run::order_certificate;
pub(crate) use self::spec::{
    ChargeConsent, InstallChoice, NameExpansion, OrderSpec, OrderTiming, TermsConsent,
    ValidationSetup,
};
pub(crate) use self::webroots::Webroots;
