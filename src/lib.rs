//! certctl takes a site from a private key to the padlock in the browser, for certificates that a
//! CA issues against a CSR.
//!
//! The modules, outermost first; each may use those below it (`tests/layers.rs` enforces it). All
//! are private to the crate, except for what [`facade`] lends to the tests:
//!
//! * [`cli`] parses the command line and makes the [`context`]; [`commands`] has one file per
//!   command.
//! * [`rehearsal`]: a CA, a DNS zone, a reseller and a web server for `rehearse`.
//! * [`scan`]: gathers what is on this machine and what is served, for `status`.
//! * [`install`]: install, rollback and forget, from the preflight to the report.
//! * [`inputs`]: reads the files that the arguments mean.
//! * [`status_report`]: what `status` found, as text, JSON, HTML, calendar and Prometheus metrics.
//! * [`report`], [`advice`], [`failure`], [`finding`]: what people and programs read.
//! * [`inventory`]: judges what was gathered: states, reasons, renewals.
//! * [`install_plan`]: what an install changes: observe, plan, apply.
//! * [`webserver`]: what a server's configuration means; finds, tests and reloads the server.
//! * [`store`]: everything under /etc/ssl/certctl, and who may read a key.
//! * [`system`]: files, network, processes, clock. Nothing else touches the world.
//! * [`probe`]: judges a TLS handshake.
//! * [`matching`]: which certificate, key and request belong together.
//! * [`export`]: a certificate in the formats that servers want.
//! * [`delivery`]: reads whatever a CA sends, within bounds.
//! * [`csr_lint`]: whether a CA would accept a request.
//! * [`dcv`]: domain control validation: the record, and what the DNS answers mean.
//! * [`pki`]: names, keys, requests, certificates, chains and their verification.

mod advice;
pub mod cli;
mod commands;
mod context;
mod csr_lint;
mod dcv;
mod delivery;
mod export;
pub mod facade;
mod failure;
mod finding;
mod inputs;
mod install;
mod install_plan;
mod inventory;
mod matching;
mod pki;
mod probe;
mod rehearsal;
mod report;
mod scan;
mod status_report;
mod store;
mod system;
mod webserver;
