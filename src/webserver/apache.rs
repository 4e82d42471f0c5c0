//! Apache's dialect (<https://httpd.apache.org/docs/2.4/>): its configuration as blocks, the block
//! that it is to add, its complaints, and the gate that it lacks. Pure, from texts;
//! `webserver::control` fetches the texts and runs Apache.

pub mod block;
pub mod build;
pub mod gate;
mod lines;
pub mod listen;
pub mod read;
#[cfg(test)]
pub(crate) mod testing;
pub mod words;
pub mod write;

pub use block::{Config, VirtualHost};
pub use build::Build;
pub use lines::ParseError;
pub use read::{Directive, Surroundings, read};
pub use words::{complaint, unlisted};
pub use write::Writer;
