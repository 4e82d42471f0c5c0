//! THE WORLD: the only place with files, network, processes, signals and the clock.
//! It decides nothing: callers say what they want, and judge what comes back.

pub mod clock;
pub mod dns;
pub mod fs;
pub mod http;
pub mod line_reader;
pub mod process;
pub mod roots;
pub mod runtime;
pub mod serve;
pub mod signals;
pub mod terminal;
pub mod tls;
