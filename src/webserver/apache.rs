//! Apache's dialect (<https://httpd.apache.org/docs/2.4/>): its configuration as blocks, the block
//! that it is to add, its complaints, and the gate that it lacks. Pure, from texts;
//! `webserver::control` fetches the texts and runs Apache.

pub(crate) mod block;
pub(crate) mod build;
pub(crate) mod gate;
mod lines;
pub(crate) mod listen;
pub(crate) mod read;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod words;
pub(crate) mod write;

pub(crate) use block::ApacheConfig;
pub(crate) use build::ApacheBuild;
pub(crate) use lines::ApacheParseError;
pub use read::ApacheDirective;
pub(crate) use read::{ApacheEnvironment, read};
pub(crate) use words::{complaint, unlisted_hosts};
pub(crate) use write::ApacheWriter;
