//! How another program renews a certificate.

use std::path::PathBuf;

/// How another program renews a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ForeignRenewal {
    /// The URL of the CA's directory; `None` if the program does not save it.
    pub directory: Option<String>,
    pub method: ForeignMethod,
    /// The folder of the account below the program's own, or its name there.
    pub account: Option<PathBuf>,
    /// Whether renewals keep the key.
    pub keeps_key: bool,
    /// The command that the program runs after each renewal.
    pub hook: Option<String>,
}

/// How another program proves control of the names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ForeignMethod {
    /// The values of `--webroot`.
    Webroot(Vec<String>),
    /// The value of `--standalone`; empty for port 80 of all addresses.
    Standalone(String),
    /// A value of `--dns`.
    Dns(&'static str),
    /// Nothing that certctl has. The program's own word for it.
    Unknown(String),
    /// The program does not save it.
    Unrecorded,
}
