//! How other ACME clients renew a certificate, from the files that they keep about it (pure).

pub(crate) mod acme_sh;
pub(crate) mod certbot;
pub(crate) mod dns_plugins;
pub(crate) mod lego;
mod renewal;
mod sections;

pub(crate) use self::renewal::{ForeignMethod, ForeignRenewal};
