//! Apache's dialect (<https://httpd.apache.org/docs/2.4/>): its configuration as blocks, the block
//! to add, its complaints, and a check of keys that it lacks. Pure: works on texts that
//! `webserver::control`, which also runs Apache, reads.

pub(crate) mod block;
pub(crate) mod build;
pub(crate) mod gate;
mod lines;
pub(crate) mod listen;
mod macros;
mod managed;
mod names;
mod precedence;
pub(crate) mod read;
#[cfg(test)]
pub(crate) mod testing;
mod variables;
pub(crate) mod words;
pub(crate) mod write;

pub(crate) use block::ApacheConfig;
pub(crate) use build::ApacheBuild;
pub(crate) use lines::ApacheParseError;
pub use read::ApacheDirective;
pub(crate) use read::{ApacheEnvironment, ApacheFiles, read};
pub(crate) use words::{complaint, is_unlisted, unlisted_hosts};
pub(crate) use write::ApacheWriter;
