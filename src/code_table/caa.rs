//! Findings about CAA records.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "caa-allows",
        meaning: "CAA records allow the CA",
        why: "A CA has to look for CAA records at every name before it issues. These records name \
            the CA, so they do not block the order.",
        fix: "Nothing to do.",
        source: "RFC 8659 4.2; BR 3.2.2.8",
        example: "example.com. CAA 0 issue \"letsencrypt.org\"",
        ..FINDING
    },
    CodeEntry {
        code: "caa-allows-some",
        meaning: "CAA records allow one of the CAs that the reseller may use, but not all",
        why: "Some resellers order from more than one CA and do not say in advance from which. If \
            the order goes to a CA that the records do not name, that CA refuses to issue.",
        fix: "Add one CAA record for each CA that is missing, next to the existing ones.",
        source: "RFC 8659 4.2",
        example: "example.com. CAA 0 issue \"sectigo.com\"\n\
            example.com. CAA 0 issue \"ssl.com\"",
        ..FINDING
    },
    CodeEntry {
        code: "caa-ca-unknown",
        meaning: "CAA records name CAs, and the name that identifies this CA in them is unknown",
        why: "certctl cannot tell whether these records allow the CA. If they do not, the CA \
            refuses to issue.",
        fix: "Look up in the CA's documentation which name it expects in CAA records, and compare \
            it with the records shown.",
        source: "RFC 8659 4.2",
        ..FINDING
    },
    CodeEntry {
        code: "caa-forbids",
        meaning: "CAA records do not allow the CA",
        why: "The CA must not issue while these records stand: the order waits or fails, although \
            the validation record may be right. If a name has no CAA records of its own, those of \
            its parent domain apply.",
        fix: "Add the CAA record that certctl prints. If you do not want to restrict CAs at all, \
            delete the CAA records instead.",
        source: "RFC 8659 3, 4.2; BR 3.2.2.8",
        example: "# found: only Let's Encrypt may issue\n\
            example.com. CAA 0 issue \"letsencrypt.org\"\n\
            # to be added for Sectigo\n\
            example.com. CAA 0 issue \"sectigo.com\"",
        ..FINDING
    },
    CodeEntry {
        code: "caa-lookup-failed",
        meaning: "CAA records cannot be looked up, which a CA may treat as a refusal",
        why: "A CA may issue after a failed lookup only if it tried again and the zone is not \
            signed with DNSSEC. Otherwise it must refuse. The usual cause is an old name server \
            or a firewall that does not answer queries of type CAA.",
        fix: "Make every name server of the zone answer queries of type CAA, and check it with \
            `dig CAA example.com`.",
        source: "BR 3.2.2.8",
        ..FINDING
    },
    CodeEntry {
        code: "caa-needs-ca",
        meaning: "CAA records exist, and no CA was given to compare them with",
        why: "The records allow only the CAs that they name. Whether yours is one of them is \
            unknown until you say which CA it is.",
        fix: "Name the CA: `certctl dcv-check example.com --ca sectigo`.",
        source: "RFC 8659 4.2",
        ..FINDING
    },
    CodeEntry {
        code: "caa-not-checked",
        meaning: "none of the zone's own servers answered the query for CAA records",
        why: "A CA asks the zone's own servers. A resolver may have an older answer, or none, so its \
            answer does not show that the CA may issue.",
        fix: "Allow queries to port 53 of the zone's name servers, and check again.",
        source: "RFC 8659 3; BR 3.2.2.8",
        ..FINDING
    },
    CodeEntry {
        code: "caa-parameters",
        meaning: "CAA records restrict accounts or validation methods (RFC 8657)",
        why: "Such a record allows the CA only for one account or for certain validation methods. \
            An order at a reseller has neither, so the CA refuses it. CAs must check this from \
            2027-03-15; some do already.",
        fix: "Remove the parameters from the record, or order with the account and method that it \
            names.",
        source: "RFC 8657; SC-098",
        example: "example.com. CAA 0 issue \"letsencrypt.org; validationmethods=dns-01\"",
        ..FINDING
    },
    CodeEntry {
        code: "caa-unknown-critical",
        meaning: "a CAA record with an unknown tag is marked critical, which forbids all CAs",
        why: "A CA must not issue if it does not understand a record whose critical flag (128) is \
            set. No CA knows this tag, so no CA issues.",
        fix: "Delete the record, or set its flags to 0.",
        source: "RFC 8659 4.1",
        example: "example.com. CAA 128 isue \"sectigo.com\"",
        ..FINDING
    },
    CodeEntry {
        code: "caa-unreadable",
        meaning: "a CAA record is malformed, which forbids all CAs",
        why: "A CA that cannot parse the value of an `issue` record must treat it as a record \
            that names no CA. So the record forbids all of them.",
        fix: "Replace the record by the one that certctl prints.",
        source: "RFC 8659 4.2",
        ..FINDING
    },
];
