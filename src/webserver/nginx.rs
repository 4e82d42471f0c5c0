//! nginx's dialect: its configuration as blocks, the block that it is to add, its complaints. Pure,
//! from texts; `webserver::control` fetches the texts and runs nginx.

pub mod block;
pub mod build;
mod lex;
mod listen;
mod name;
pub mod parse;
pub mod print;
#[cfg(test)]
pub(crate) mod testing;
pub mod words;
pub mod write;

pub use block::{Config, ServerBlock};
pub use build::{Build, Http2, Version};
pub use lex::{Fault, ParseError};
pub use parse::Directive;
pub use words::complaint;
pub use write::Writer;
