//! What certctl remembers about work outside of this machine: the records that it has published,
//! its accounts at CAs, its orders, the renewals that failed, and the changes of sites that have begun.
//! `/var/lib/certctl` for root, `$XDG_STATE_HOME/certctl` for other users. Every change is one rename;
//! an intent is written before the change that it is about.

pub(crate) mod acme_accounts;
pub(crate) mod failed_tries;
pub(crate) mod folder;
pub(crate) mod orders;
pub(crate) mod published_records;
pub(crate) mod unfinished_sites;

pub(crate) use self::acme_accounts::AcmeAccount;
pub(crate) use self::failed_tries::FailedTry;
pub(crate) use self::folder::{StateError, StateFolder};
pub(crate) use self::orders::{
    JournaledFile, JournaledOrder, JournaledPurchase, JournaledRecord, OrderProgress, PurchaseStep,
};
pub(crate) use self::published_records::{PublicationStage, PublishedRecord};
pub(crate) use self::unfinished_sites::{UnfinishedApplication, UnfinishedFile, UnfinishedSite};
