//! Orders certificates through ACME (RFC 8555), from the plan of the install to the installed
//! certificate. Every step is in the journal before it is taken, so that the same command continues an
//! order that was interrupted; an order is never placed twice.
//!
//! The steps, in this order:
//!
//! 1. `installed`: is a certificate needed at all? If the existing one is not due, nothing is done.
//! 2. `preflight`: would the install succeed? The plan of `install` is made with a certificate that
//!    exists only in memory, because a certificate that cannot be installed is not worth an order.
//! 3. `account`: the CA's directory is read. Terms of service, external accounts and profiles are
//!    checked before anything is created.
//! 4. `challenge_files`: a test file is fetched as the CA's validator would fetch it. A failed
//!    validation counts against the CA's limits; a test does not.
//! 5. `account`: the account is opened, or created with a key that is on the disk already. Then
//!    `caa_check`: do the CAA records of the names allow this account to order by this method?
//! 6. `new_files`: key and request are written, or found where `csr` has written them.
//! 7. `placed`: the order is placed, validated, finalized and downloaded. From here on, a failure
//!    is an outcome (`pending`) and not an error, because the order exists.
//! 8. `challenge_records`: with dns-01, the records are published before the CA is asked, and removed
//!    afterwards, both by the code of `dcv-publish`.
//! 9. `installing`: the transaction of `install`. How the certificate is renewed is saved with the
//!    other options of the install.
//!
//! `journal` is written before steps 7 to 9. What a killed run leaves behind:
//!
//! | killed | the next run |
//! |---|---|
//! | before the order | starts again; finds the key of the account, and key and request |
//! | while the order is placed | places an order; the CA reuses or forgets the other one |
//! | while names are validated | opens the same order; files and records are the same |
//! | while the request is sent | opens the same order, and asks for its state |
//! | before the install | installs the certificate from its file, and asks no CA |

mod account;
mod bought;
mod caa_check;
mod challenge_files;
mod challenge_records;
mod document;
mod folder_order;
mod installed;
mod installing;
mod issued;
mod journal;
mod listener;
mod new_files;
mod obtained;
mod order_ca;
mod order_calls;
mod order_run;
mod placed;
mod preflight;
mod progress;
mod publisher;
mod renewal;
mod renewal_command;
mod run;
mod spec;
mod suggestions;
mod take_over;
mod together;
mod waiting;
mod webroots;

pub(crate) use self::account::{CaConnection, record_imported_account};
pub(crate) use self::challenge_files::CHALLENGE_FILE_UNCHECKED;
pub(crate) use self::challenge_records::PUBLICATION_LIMIT;
pub(crate) use self::document::{OrderOutcome, OrderVerdict};
pub(crate) use self::folder_order::{ORDER_MODE, ORDER_SUFFIX, read_folder_order};
pub(crate) use self::order_ca::{OrderCa, PurchaseChoice, WantedPurchase};
pub(crate) use self::placed::MOST_STAGES;
pub(crate) use self::progress::LONGEST_WAIT;
pub(crate) use self::renewal::{
    RenewalOptions, RenewalUrgency, certificate_names, leave_to_other_tool, renewal_spec,
    wait_after_failure,
};
pub(crate) use self::run::{KEPT_IN_RESERVE, order_certificate};
pub(crate) use self::spec::{
    CertificatePlace, ChargeConsent, DeploymentSpec, InstallChoice, KeyChoice, LOCK_TIMEOUT,
    MOST_RENEWALS, NameExpansion, OrderSpec, OrderTiming, TermsConsent, ValidationSetup,
};
pub(crate) use self::suggestions::RenewalSuggestions;
pub(crate) use self::take_over::{TakenOverCertificate, take_over};
pub(crate) use self::together::{OrderToInstall, install_together};
pub(crate) use self::webroots::Webroots;
