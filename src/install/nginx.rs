//! What nginx's configuration means for an install: pure, from texts. `install::server` fetches the texts and runs nginx.

pub mod block;
pub mod build;
pub mod glob;
mod lex;
pub mod listen;
pub mod name;
pub mod parse;
pub mod print;
pub mod target;
#[cfg(test)]
mod testing;
pub mod words;
pub mod write;

pub use block::{Config, Coverage, Pair, PairPath, Part, ServerBlock};
pub use build::{Build, Http2, Version};
pub use lex::{Fault, ParseError};
pub use parse::Directive;
pub use target::{Elsewhere, Targets, Unasked, Wanted};
pub use words::{Blame, Complaint};
pub use write::{Addition, Site, Written};
