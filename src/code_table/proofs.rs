//! How an installation was verified.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, PROOF};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "files",
        meaning: "the files are in place, and there was nothing to probe",
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
