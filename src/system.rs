//! THE WORLD: the only place with files, network, processes, signals and the clock.
//! It decides nothing: callers say what they want, and judge what comes back.

pub(crate) mod activity;
pub(crate) mod clock;
pub(crate) mod dns;
pub(crate) mod environment;
pub(crate) mod fs;
pub(crate) mod http;
pub(crate) mod line_reader;
pub(crate) mod process;
pub(crate) mod roots;
pub(crate) mod runtime;
pub(crate) mod serve;
pub(crate) mod signals;
pub(crate) mod terminal;
pub(crate) mod tls;
