//! How an installation was verified.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, PROOF};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "certificate",
        meaning: "every address sends the new certificate, and a server did not prove that it has \
            the key",
        why: "certctl does not support what the server requires, so it could not complete the TLS \
            handshake. It read the certificate, which is sent in the clear up to TLS 1.2.",
        ..PROOF
    },
    CodeEntry {
        code: "files",
        meaning: "the files are in place, and what servers send was not or could not be read",
        why: "Whether a server serves them was not verified.",
        ..PROOF
    },
    CodeEntry {
        code: "live",
        meaning: "verified at every address where the names are answered",
        why: "certctl completed a TLS handshake at each address and received the new certificate.",
        ..PROOF
    },
    CodeEntry {
        code: "none",
        meaning: "a dry run, not served, or failed",
        ..PROOF
    },
];
