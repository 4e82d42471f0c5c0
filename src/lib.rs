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
//! * [`permissions`]: mode and owner of a file.
//! * [`wording`]: how a day, a list or an error with its causes is written.
//!
//! # Glossary
//!
//! | in the field | type | usual variable |
//! |---|---|---|
//! | private key; key id (SHA-256 of its SPKI) | [`PrivateKey`](pki::key::PrivateKey); [`PublicKeyId`](pki::key::PublicKeyId) | `key`; `key_id` |
//! | certificate signing request | [`SigningRequest`](pki::request::SigningRequest) | `request` |
//! | what a new request is to hold | `CsrSpec` | `spec` |
//! | DNS name; the names of a certificate | [`DnsName`](pki::name::DnsName); [`DnsNames`](pki::name::DnsNames) | `name`; `names` |
//! | files from the CA | [`CaDelivery`](delivery::CaDelivery) | `delivery` |
//! | certificate; chain; verified chain | [`Certificate`](pki::certificate::Certificate); [`Chain`](pki::chain::Chain); [`VerifiedChain`](pki::verify::VerifiedChain) | `certificate`, `leaf`; `chain` |
//! | certificate and its key, matched and verified | [`CertifiedKey`](pki::certified_key::CertifiedKey) | `certified` |
//! | trust anchors | [`TrustAnchors`](pki::trust::TrustAnchors) | `anchors` |
//! | validation record | [`DcvRecord`](dcv::record::DcvRecord) | `record` |
//! | what would satisfy the CA | [`ExpectedAnswer`](dcv::expectation::ExpectedAnswer) | `expected` |
//! | all answers about one record | [`DnsSurvey`](dcv::answer::DnsSurvey) | `survey` |
//! | a CA and its rules | [`Ca`](dcv::ca::Ca), [`CaProfile`](dcv::ca::CaProfile) | `ca`, `profile` |
//! | lineage: paths; stored options | [`LineageLayout`](store::layout::LineageLayout); [`LineageSettings`](store::settings::LineageSettings) | `layout`; `settings` |
//! | permission bits of a file; its user and group | [`Mode`](permissions::Mode); [`Owner`](permissions::Owner) | `mode`; `owner` |
//! | release: its files; its id | [`Release`](store::release::Release); [`ReleaseId`](store::layout::ReleaseId) | `release`; `id` |
//! | `live`, `proven` | [`ReleasePointer`](store::layout::ReleasePointer) | `pointer` |
//! | path that a server reads | [`StableLink`](store::layout::StableLink) | `link` |
//! | server block, virtual host, frontend | [`ConfigBlock`](webserver::model::ConfigBlock) | `block` |
//! | configuration, any server | [`ServerConfig`](webserver::model::ServerConfig) | `config` |
//! | a server on this machine | [`ServerProgram`](webserver::control::ServerProgram) | `program` |
//! | plan of an install; one step | [`InstallPlan`](install_plan::plan::InstallPlan); [`PlanStep`](install_plan::plan::PlanStep) | `plan`; `step` |
//! | what is on disk before an install | [`DiskObservation`](install_plan::observe::DiskObservation) | `observation` |
//! | address to probe; what it showed | [`ProbeTarget`](probe::ProbeTarget); [`TlsHandshake`](probe::TlsHandshake) | `target`; `handshake` |
//! | finding; next step | [`Finding`](finding::Finding); [`NextStep`](finding::NextStep) | `finding`; `next` |
//! | why a command has no outcome | [`Failure`](failure::Failure) | `failure` |
//! | row of `status`; why it is due | [`StatusRow`](inventory::StatusRow); [`StatusReason`](inventory::StatusReason) | `row`; `reason` |
//! | a renewal to come | [`ScheduledRenewal`](inventory::schedule::ScheduledRenewal) | `renewal` |

mod advice;
pub mod cli;
mod code_table;
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
mod permissions;
mod pki;
mod probe;
mod rehearsal;
mod report;
mod scan;
mod status_report;
mod store;
mod system;
mod webserver;
mod wording;
