//! Where things are installed, what an install plans, and how it is done or undone.
//!
//! * Pure: [`layout`] (paths, links, modes), [`release`] (what is in one), [`plan`] (the heart), [`settings`], [`site`]
//!   (what any server's configuration means), and a dialect each: [`apache`], [`haproxy`], [`nginx`].
//! * The world: [`observe`] looks, [`apply`] runs a plan and takes it back, [`server`] tests and reloads.

pub mod acl;
pub mod allow;
pub mod apache;
pub mod apply;
pub mod drift;
pub mod haproxy;
pub mod history;
pub mod inherit;
pub mod layout;
pub mod nginx;
pub mod observe;
pub mod owner;
pub mod placeholder;
pub mod plan;
pub mod release;
pub mod removal;
pub mod server;
pub mod settings;
pub mod site;
