//! The only module that uses files, the network, processes, signals and the clock. It makes no
//! decisions: callers say what they need and judge the results.

pub(crate) mod accounts;
pub(crate) mod acme;
pub(crate) mod activity;
pub(crate) mod clock;
pub(crate) mod command_words;
pub(crate) mod deadline;
pub(crate) mod dns;
pub(crate) mod environment;
pub(crate) mod fs;
pub(crate) mod http;
pub(crate) mod line_reader;
pub(crate) mod listening;
pub(crate) mod local_zone;
pub(crate) mod login;
pub(crate) mod namecheap;
pub(crate) mod nonce;
pub(crate) mod privileges;
pub(crate) mod process;
pub(crate) mod process_start;
pub(crate) mod program_trust;
pub(crate) mod renewal_timer;
pub(crate) mod roots;
pub(crate) mod runtime;
pub(crate) mod serve;
pub(crate) mod signals;
pub(crate) mod system_log;
pub(crate) mod terminal;
pub(crate) mod tls;
