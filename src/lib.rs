//! certctl manages server certificates that a CA issues for a CSR: from the private key and the
//! validation record to the installed and verified certificate.
//!
//! The modules, outermost first; each may use those below it (`tests/layers.rs` checks that). All
//! are private to the crate, except for what [`facade`] re-exports for the tests:
//!
//! * [`cli`] parses the command line and creates the [`context`]; [`commands`] has one file per
//!   command.
//! * [`mod@reference`]: the pages about files and limits in docs/reference.
//! * [`rehearsal`]: a CA, a DNS zone, a reseller and a web server for `rehearse`.
//! * [`ordering`]: orders certificates through ACME or a reseller, from the plan of the install to its report.
//! * [`scan`]: collects the certificates on this machine and on servers, for `status`.
//! * [`publication`]: publishes and removes validation records, and verifies them.
//! * [`validation`]: selects validation records, and checks whether the CA would see them.
//! * [`install`]: install, rollback and forget, from the preflight to the report.
//! * [`inputs`]: finds and reads the files that the arguments name.
//! * [`audit`]: one line in the system's log for each change.
//! * [`status_report`]: the outcome of `status` as text, JSON, HTML, a calendar and Prometheus metrics.
//! * [`report`], [`advice`], [`failure`], [`finding`]: output for people and programs.
//! * [`inventory`]: evaluates what was scanned: states, reasons, renewals.
//! * [`install_plan`]: what an install changes: observe, plan, apply.
//! * [`site`]: decides the files of a web site: the server block and the link that enables it.
//! * [`webserver`]: finds, tests and reloads web servers, and reads their configuration.
//! * [`store`]: the files under /etc/ssl/certctl, and the access to keys.
//! * [`providers`]: reads and changes records at DNS providers.
//! * [`state`]: the journal of published records, and locks.
//! * [`configuration`]: configuration files and credentials.
//! * [`system`]: files, network, processes, clock. Only this module uses them.
//! * [`probe`]: compares a TLS handshake with the expected certificate.
//! * [`matching`]: finds which certificate, key and request belong together.
//! * [`export`]: writes a certificate in the formats of different servers.
//! * [`delivery`]: reads the files that a CA sends, within limits.
//! * [`csr_lint`]: checks whether a CA would accept a request.
//! * [`publishing`]: the DNS providers' data, and how the records at a name have to change.
//! * [`namecheap`]: the calls and the answers of Namecheap's API for certificates.
//! * [`acme`]: the CAs that offer ACME, and its signed messages.
//! * [`dcv`]: domain control validation: the record, and the evaluation of DNS answers.
//! * [`pki`]: names, keys, requests, certificates, chains and their verification.
//! * [`permissions`]: mode and owner of a file.
//! * [`secret`]: text that must not appear in any output.
//! * [`wording`]: formats days, lists, and errors with their causes.
//!
//! # Glossary
//!
//! | in the field | type | usual variable |
//! |---|---|---|
//! | private key; key id (SHA-256 of its SPKI) | [`PrivateKey`](pki::key::PrivateKey); [`PublicKeyId`](pki::key::PublicKeyId) | `key`; `key_id` |
//! | certificate signing request | [`SigningRequest`](pki::request::SigningRequest) | `request` |
//! | content of a new request | `CsrSpec` | `spec` |
//! | DNS name; the names of a certificate | [`DnsName`](pki::name::DnsName); [`DnsNames`](pki::name::DnsNames) | `name`; `names` |
//! | files from the CA | [`CaDelivery`](delivery::CaDelivery) | `delivery` |
//! | certificate; chain; verified chain | [`Certificate`](pki::certificate::Certificate); [`Chain`](pki::chain::Chain); [`VerifiedChain`](pki::verify::VerifiedChain) | `certificate`, `leaf`; `chain` |
//! | certificate and its key, matched and verified | [`CertifiedKey`](pki::certified_key::CertifiedKey) | `certified` |
//! | trust anchors | [`TrustAnchors`](pki::trust::TrustAnchors) | `anchors` |
//! | validation record | [`DcvRecord`](dcv::record::DcvRecord) | `record` |
//! | record or file that the CA accepts | [`ExpectedAnswer`](dcv::expectation::ExpectedAnswer) | `expected` |
//! | all answers about one record | [`DnsSurvey`](dcv::answer::DnsSurvey) | `survey` |
//! | a CA and its rules | [`Ca`](dcv::ca::Ca), [`CaProfile`](dcv::ca::CaProfile) | `ca`, `profile` |
//! | lineage: paths; stored options | [`LineageLayout`](store::layout::LineageLayout); [`LineageSettings`](store::settings::LineageSettings) | `layout`; `settings` |
//! | permission bits of a file; its user and group | [`Mode`](permissions::Mode); [`Owner`](permissions::Owner) | `mode`; `owner` |
//! | release: its files; its id | [`Release`](store::release::Release); [`ReleaseId`](store::layout::ReleaseId) | `release`; `id` |
//! | `live`, `proven` | [`ReleasePointer`](store::layout::ReleasePointer) | `pointer` |
//! | path in a server's configuration | [`StableLink`](store::layout::StableLink) | `link` |
//! | server block, virtual host, frontend | [`ConfigBlock`](webserver::model::ConfigBlock) | `block` |
//! | configuration, any server | [`ServerConfig`](webserver::model::ServerConfig) | `config` |
//! | a server on this machine | [`ServerProgram`](webserver::control::ServerProgram) | `program` |
//! | plan of an install; one step | [`InstallPlan`](install_plan::plan::InstallPlan); [`PlanStep`](install_plan::plan::PlanStep) | `plan`; `step` |
//! | files on disk before an install | [`DiskObservation`](install_plan::observe::DiskObservation) | `observation` |
//! | address to probe; its TLS handshake | [`ProbeTarget`](probe::ProbeTarget); [`TlsHandshake`](probe::TlsHandshake) | `target`; `handshake` |
//! | finding; next step | [`Finding`](finding::Finding); [`NextStep`](finding::NextStep) | `finding`; `next` |
//! | failure of a command | [`Failure`](failure::Failure) | `failure` |
//! | row of `status`; reason for its state | [`StatusRow`](inventory::StatusRow); [`StatusReason`](inventory::StatusReason) | `row`; `reason` |
//! | future renewal | [`ScheduledRenewal`](inventory::schedule::ScheduledRenewal) | `renewal` |

mod acme;
mod acme_clients;
mod advice;
mod audit;
pub mod cli;
mod code_table;
mod commands;
mod configuration;
mod context;
mod csr_lint;
mod dcv;
mod delivery;
mod diagnosis;
mod error_texts;
mod export;
pub mod facade;
mod failure;
mod finding;
mod inputs;
mod install;
mod install_plan;
mod inventory;
mod matching;
mod namecheap;
mod ordering;
mod permissions;
mod pki;
mod probe;
mod providers;
mod publication;
mod publishing;
mod reference;
mod rehearsal;
mod report;
mod scan;
mod secret;
mod site;
mod state;
mod status_report;
mod store;
mod system;
mod validation;
mod webserver;
mod wording;
