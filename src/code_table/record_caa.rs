//! What CAA records mean for a validation record.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, RECORD_CAA};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "allowed",
        meaning: "CAA records allow the CA",
        ..RECORD_CAA
    },
    CodeEntry {
        code: "ca-unknown",
        meaning: "the name that identifies the CA in CAA records is not known",
        ..RECORD_CAA
    },
    CodeEntry {
        code: "failed",
        meaning: "the CAA records could not be looked up",
        ..RECORD_CAA
    },
    CodeEntry {
        code: "forbidden",
        meaning: "CAA records do not allow the CA",
        why: "The CA refuses to issue.",
        fix: "Add the CAA record that certctl prints.",
        ..RECORD_CAA
    },
    CodeEntry {
        code: "free",
        meaning: "no CAA records exist, so every CA may issue",
        ..RECORD_CAA
    },
    CodeEntry {
        code: "needs-ca",
        meaning: "CAA records exist, and no CA was given to compare them with",
        fix: "Name the CA: `certctl dcv-check example.com --ca sectigo`.",
        ..RECORD_CAA
    },
    CodeEntry {
        code: "not-queried",
        meaning: "not looked up, because no server answered for the record",
        ..RECORD_CAA
    },
    CodeEntry {
        code: "some",
        meaning: "CAA records allow one of the CAs that the reseller may use, but not all",
        fix: "Add one CAA record for each CA that is missing.",
        ..RECORD_CAA
    },
    CodeEntry {
        code: "with-parameters",
        meaning: "CAA records allow the CA for certain accounts or validation methods",
        ..RECORD_CAA
    },
];
