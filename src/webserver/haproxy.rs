//! HAProxy's dialect: its configuration as blocks, the section that it is to add, its complaints.
//! Pure, from texts and from what lies where; `webserver::control` fetches them and runs HAProxy.

mod address;
mod bind;
mod condition;
pub mod config;
pub mod crt;
pub mod lex;
mod list;
pub mod master;
pub mod words;
pub mod write;

pub use config::{Config, Frontend, World};
pub use crt::{Lying, Shown};
pub use lex::Environment;
pub use master::Master;
pub use words::complaint;
pub use write::Writer;
