//! Advice that `verify` prints about servers and installed files.

use crate::finding::NextStep;

/// `--starttls` was given without a host.
pub(crate) fn name_starttls_host() -> NextStep {
    NextStep::say("certctl verify mail.example.com:25")
}

/// The certificate that a server sends cannot be read.
pub(crate) fn show_sent_certificate() -> NextStep {
    NextStep::say("look at it:  openssl s_client -connect HOST:PORT -showcerts </dev/null")
}

/// The server sends a wrong chain: install what the CA sent there.
pub(crate) fn install_on_server() -> NextStep {
    NextStep::say("on that server, with what the CA sent:  sudo certctl install FILE")
}
