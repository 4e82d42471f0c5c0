//! THE WORLD: the only place with files, network, processes, signals and the clock.
//! It decides nothing: callers say what they want, and judge what comes back.

pub mod clock;
pub mod dns;
pub mod files;
pub mod folders;
pub mod hosts;
pub mod http;
pub mod lines;
mod listing;
pub mod lock;
pub mod process;
pub mod reading;
pub mod roots;
pub mod runtime;
pub mod scratch;
pub mod serve;
pub mod signals;
pub mod space;
pub mod starttls;
pub mod terminal;
pub mod tls;
pub mod walk;
pub mod xattrs;
