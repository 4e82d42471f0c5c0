//! The application behind a site: its user, its virtual environment and its service, which are
//! created together, and removed together if a step fails.

pub(crate) mod accounts;
pub(crate) mod environment;
pub(crate) mod fault;
pub(crate) mod observe;
pub(crate) mod obstacles;
pub(crate) mod service;
pub(crate) mod source;
pub(crate) mod transaction;
