//! What the configuration of a web server means ([`model`], and a dialect each: [`apache`],
//! [`haproxy`], [`nginx`]), which processes run it ([`masters`]), and how the server is found,
//! tested and reloaded ([`control`], the only part that touches the machine).

pub(crate) mod apache;
pub(crate) mod control;
pub(crate) mod haproxy;
pub(crate) mod masters;
pub(crate) mod model;
pub(crate) mod nginx;
