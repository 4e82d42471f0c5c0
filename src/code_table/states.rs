//! States of the rows of `status`.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, STATE};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "installed",
        meaning: "a server's configuration uses it, or certctl installed it; it was not verified \
            live",
        ..STATE
    },
    CodeEntry {
        code: "key-missing",
        meaning: "a certificate whose key was not found",
        why: "No server can use it without the key. A key in a hardware module (PKCS#11, HSM) is no \
            file that certctl could find.",
        fix: "Let certctl search the folder that may have the key: `certctl status /root/keys`. If \
            the server opens the key in a hardware module: `sudo certctl install example_com.zip \
            --key none`.",
        ..STATE
    },
    CodeEntry {
        code: "key-refused",
        meaning: "certificate and key exist, but certctl does not use the key: other users own it, \
            can read it or can replace it",
        why: "Somebody else may have made the key or may know it.",
        fix: "Check who owns it, and give it to root alone: `sudo chown root: example.com.key`.",
        ..STATE
    },
    CodeEntry {
        code: "pending",
        meaning: "a request without a certificate",
        why: "The CA has not issued yet, or its files were not found.",
        fix: "Check whether the CA can validate the domain: `certctl dcv-check example.com`.",
        ..STATE
    },
    CodeEntry {
        code: "ready",
        meaning: "certificate and key exist, and no server uses them",
        fix: "Install it: `sudo certctl install example.com`.",
        ..STATE
    },
    CodeEntry {
        code: "served",
        meaning: "a server serves it",
        ..STATE
    },
    CodeEntry {
        code: "superseded",
        meaning: "another certificate for the same names replaced it",
        ..STATE
    },
    CodeEntry {
        code: "unused-key",
        meaning: "a key with neither request nor certificate",
        fix: "If it is for a site, make a request for it: `certctl csr example.com --key \
            example.com.key`.",
        ..STATE
    },
];
