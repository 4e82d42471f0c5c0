//! nginx's dialect: its configuration as blocks, the block that serves names in
//! plain text, its complaints. Pure: works on
//! texts that `webserver::control`, which also runs nginx, reads.

pub(crate) mod block;
pub(crate) mod build;
mod destination;
mod forward;
mod levels;
pub(crate) mod lex;
mod listen;
pub(crate) mod name;
pub(crate) mod parse;
mod plain_site;
#[cfg(test)]
pub(crate) mod testing;
mod upstream;
pub(crate) mod words;

pub(crate) use block::NginxConfig;
pub(crate) use build::{NginxBuild, NginxVersion};
pub(crate) use lex::NginxParseError;
pub use parse::NginxDirective;
pub use words::complaint;
