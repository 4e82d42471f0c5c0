//! Findings about records that certctl publishes.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "provider-did-nothing",
        meaning: "the DNS provider reported success, but its records are not as requested",
        why: "Success that a provider reports is no proof. A name server, for example, answers \
            NOERROR to an update that it ignores because of another record.",
        fix: "Check the records at this name in the provider's console, and the log of the name \
            server. Then run the command again.",
        source: "RFC 2136 3.4.2",
        ..FINDING
    },
    CodeEntry {
        code: "publication-failed",
        meaning: "the record could not be published or removed",
        why: "The DNS provider or the zone's servers could not be reached, or refused the change. \
            Other records of the same run are not affected.",
        fix: "Follow the `next` lines of the output. A repeated run changes only what is missing.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "record-conflict",
        meaning: "another record at this name does not allow the new one",
        why: "No other record may exist beside a CNAME. certctl replaces only what it has published \
            itself, because something else may need the existing record.",
        fix: "If nothing needs the existing CNAME, name its full value: `certctl dcv-publish \
            --replace VALUE`. Remove records of other types in the provider's console.",
        example: "$ dig +short CNAME _acme-challenge.example.com\n\
            other-service.example.net.",
        source: "RFC 1034 3.6.2",
        ..FINDING
    },
    CodeEntry {
        code: "record-not-visible",
        meaning: "not all servers of the zone have the published record",
        why: "A CA queries any of the servers, from several places. It refuses the validation if \
            the server that it happens to query does not have the record.",
        fix: "Wait until the provider has updated all of its servers: `certctl dcv-publish --wait`.",
        source: "BR 3.2.2.9",
        ..FINDING
    },
    CodeEntry {
        code: "record-still-visible",
        meaning: "a removed record was still seen, or its removal could not be confirmed",
        why: "The provider no longer lists the record, but at least one of the zone's servers \
            still answers with it or could not be queried.",
        fix: "Run `certctl dcv-publish --remove` again later. The record stays in certctl's list \
            until its removal is confirmed.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "unchecked-record",
        meaning: "none of the zone's own servers could be queried from this machine",
        why: "The provider reported success, which is no proof. If a firewall closes port 53, only \
            the CA will find out whether the record is there.",
        fix: "Allow queries to other name servers, or accept it: `--allow unchecked-record`.",
        source: "certctl",
        ..FINDING
    },
];
