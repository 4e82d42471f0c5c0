//! nginx's dialect: its configuration as blocks, the block to add, its complaints. Pure: works on
//! texts that `webserver::control`, which also runs nginx, reads.

pub(crate) mod block;
pub(crate) mod build;
mod forward;
mod levels;
pub(crate) mod lex;
mod listen;
pub(crate) mod name;
pub(crate) mod parse;
pub(crate) mod print;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod words;
pub(crate) mod write;

pub(crate) use block::NginxConfig;
pub(crate) use build::NginxBuild;
pub(crate) use lex::NginxParseError;
pub use parse::NginxDirective;
pub use words::complaint;
pub(crate) use write::NginxWriter;
