//! certctl takes a site from a private key to the padlock in the browser, for certificates that a CA issues against a CSR.
//!
//! The map, outermost first; each layer may use those below it (`tests/layers.rs` holds them to it):
//!
//! * [`cli`] reads the command line and makes the [`context`]; [`commands`] are the verbs.
//! * [`rehearsal`]: a CA, a DNS zone, a shop and a web server, for the verb that plays the whole round.
//! * [`survey`]: what is here and what is served, gathered for `status`.
//! * [`changeover`]: install and rollback, from the first look to the report.
//! * [`directory`], [`intake`]: what lies in the folder, and which pair the arguments mean.
//! * [`report`], [`failure`], [`finding`]: what people and programs read.
//! * [`system`]: files, network, processes, clock; nothing else touches the world.
//! * [`inventory`]: from what was gathered to rows: states, reasons, the rounds to come.
//! * [`acceptance`]: whether a CA would take a request.
//! * [`install`], [`dcv`], [`live`], [`delivery`]: what the verbs decide, from values alone (`install::apply` acts).
//! * [`export`]: a pair in the formats that servers want, read back.
//! * [`pairing`]: which certificate, key and request belong together.
//! * [`pki`]: names, keys, requests, certificates, chains.

pub mod acceptance;
pub mod changeover;
pub mod cli;
pub mod commands;
pub mod context;
pub mod dcv;
pub mod delivery;
pub mod directory;
pub mod export;
pub mod failure;
pub mod finding;
pub mod install;
pub mod intake;
pub mod inventory;
pub mod live;
pub mod pairing;
pub mod pki;
pub mod rehearsal;
pub mod report;
pub mod survey;
pub mod system;
