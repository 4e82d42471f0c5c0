//! What nginx's configuration means for an install: pure, from texts. `install::server` fetches the texts and runs nginx.

pub mod block;
mod lex;
pub mod listen;
pub mod name;
pub mod parse;
pub mod target;

pub use block::{Config, Coverage, Pair, PairPath, Part, ServerBlock};
pub use target::{Targets, Unasked, Wanted};
