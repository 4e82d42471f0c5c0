//! What the configuration of a web server means ([`model`], and a dialect each: [`apache`],
//! [`haproxy`], [`nginx`]), and how the server is found, tested and reloaded ([`control`], the only
//! part that touches the machine).

pub mod apache;
pub mod control;
pub mod haproxy;
pub mod model;
pub mod nginx;
