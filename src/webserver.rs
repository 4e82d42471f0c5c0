//! What the configuration of a web server means ([`model`], and a dialect each: [`apache`],
//! [`haproxy`], [`nginx`]), and how the server is found, tested and reloaded ([`control`], the only
//! part that touches the machine).

pub(crate) mod apache;
pub(crate) mod control;
pub(crate) mod haproxy;
pub(crate) mod model;
pub(crate) mod nginx;
