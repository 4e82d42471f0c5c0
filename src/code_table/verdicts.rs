//! Verdicts of documents.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, VERDICT};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "absent",
        meaning: "dcv-check: the record does not exist",
        why: "The CA cannot validate the domain before the record is published.",
        fix: "Add the record that certctl prints, then run `certctl dcv-check example.com --wait`.",
        ..VERDICT
    },
    CodeEntry {
        code: "as-expected",
        meaning: "rehearse: every step went as expected",
        ..VERDICT
    },
    CodeEntry {
        code: "different",
        meaning: "dcv-check: the record has another value",
        why: "The CA compares the value and refuses this one.",
        fix: "Change the record to the value that certctl prints.",
        ..VERDICT
    },
    CodeEntry {
        code: "due",
        meaning: "status: a certificate should be renewed now",
        why: "There is still time before it expires.",
        fix: "Renew it: `certctl renew example.com`.",
        ..VERDICT
    },
    CodeEntry {
        code: "exported",
        meaning: "account: the key of the account was written to a file",
        ..VERDICT
    },
    CodeEntry {
        code: "files",
        meaning: "install, rollback: the files are in place, and there was nothing to probe",
        why: "certctl did not verify what a server serves, for instance because no server is on \
            this machine.",
        ..VERDICT
    },
    CodeEntry {
        code: "fine",
        meaning: "status: nothing to do",
        ..VERDICT
    },
    CodeEntry {
        code: "forgotten",
        meaning: "forget: the links are plain files, and certctl no longer manages them",
        why: "Servers keep reading the same certificate. certctl neither renews it nor reports \
            its expiry as that of an installed certificate.",
        ..VERDICT
    },
    CodeEntry {
        code: "healthy",
        meaning: "doctor: nothing is wrong, as far as this machine can see",
        ..VERDICT
    },
    CodeEntry {
        code: "imported",
        meaning: "import: the certificates are installed, and `renew` renews them; account: later \
            orders use this account",
        ..VERDICT
    },
    CodeEntry {
        code: "issued",
        meaning: "order: the certificate was issued and written to a file, but not installed",
        fix: "Install it: `sudo certctl install example.com`.",
        ..VERDICT
    },
    CodeEntry {
        code: "listed",
        meaning: "account: the accounts were listed",
        ..VERDICT
    },
    CodeEntry {
        code: "live",
        meaning: "install, rollback, site: in place and verified at every address",
        ..VERDICT
    },
    CodeEntry {
        code: "live-incomplete",
        meaning: "install, rollback: in place and in use, and another address serves something else, \
            or a server process could not be reached",
        why: "Visitors of the other address see another certificate, which expires on its own date; \
            a process that was not reloaded may serve the previous one. Nothing was rolled back.",
        fix: "Change the lines or reload the process that certctl prints, then run `sudo certctl \
            install example.com` again.",
        ..VERDICT
    },
    CodeEntry {
        code: "not-served",
        meaning: "install, rollback: in place, and no server serves it yet",
        why: "Visitors do not see the certificate yet.",
        fix: "Add the lines that certctl prints to the server's configuration, then run `sudo \
            certctl install example.com` again.",
        ..VERDICT
    },
    CodeEntry {
        code: "not-visible",
        meaning: "dcv-publish: the provider has the record, but not all servers of its zone do",
        why: "A CA may query a server that does not have it.",
        fix: "Wait until all servers have it: `certctl dcv-publish --wait`.",
        ..VERDICT
    },
    CodeEntry {
        code: "nothing-due",
        meaning: "renew: no certificate is due",
        ..VERDICT
    },
    CodeEntry {
        code: "pending",
        meaning: "order, renew: an order was begun, and it is not finished",
        why: "The CA needs more time, or something failed on the way.",
        fix: "Run the same command again, not before the time that certctl prints.",
        ..VERDICT
    },
    CodeEntry {
        code: "planned",
        meaning: "a dry run: the plan could run, and nothing was changed",
        ..VERDICT
    },
    CodeEntry {
        code: "prepared",
        meaning: "renew: the next request is prepared",
        why: "Nothing is renewed yet: the CA has to receive the request and issue the certificate.",
        fix: "Submit the request to the CA, publish its record and check it: `certctl dcv-check \
            example.com`.",
        ..VERDICT
    },
    CodeEntry {
        code: "published",
        meaning: "dcv-publish: added, and every server of the zone has it each time it is asked",
        fix: "Ask the CA to validate now. Resellers call the button Retry or Save.",
        ..VERDICT
    },
    CodeEntry {
        code: "ready",
        meaning: "renew: the next certificate was obtained, but not installed",
        fix: "Install it: `sudo certctl renew example.com`.",
        ..VERDICT
    },
    CodeEntry {
        code: "refused",
        meaning: "install, rollback, forget, revoke, site, dcv-publish: refused before anything was \
            changed; order: not placed, or refused by the CA",
        why: "A check failed that would have harmed the site. The findings say which.",
        fix: "Follow the `next` lines of the output.",
        ..VERDICT
    },
    CodeEntry {
        code: "removed",
        meaning: "dcv-publish: removed, and no server of the zone has it any more; site: its files \
            are removed",
        ..VERDICT
    },
    CodeEntry {
        code: "renewed",
        meaning: "renew: the next certificate was obtained and installed",
        ..VERDICT
    },
    CodeEntry {
        code: "revoked",
        meaning: "revoke: the CA has revoked the certificates",
        why: "Clients learn of it through the CA's CRL, some of them hours later.",
        ..VERDICT
    },
    CodeEntry {
        code: "right",
        meaning: "bundle, verify: everything that was checked is right",
        ..VERDICT
    },
    CodeEntry {
        code: "rollback-failed",
        meaning: "install, rollback, site: failed after the switch, but not everything could be rolled back",
        why: "The site may be down or serve the wrong certificate.",
        fix: "Follow the `next` lines of the output, and check the site: `sudo certctl status`.",
        ..VERDICT
    },
    CodeEntry {
        code: "rolled-back",
        meaning: "install, rollback, site: failed after the switch and rolled back",
        why: "The site is as it was before.",
        fix: "Repair what the findings name, then install again.",
        ..VERDICT
    },
    CodeEntry {
        code: "rolled-over",
        meaning: "account: the account has a new key",
        why: "Orders and renewals use it from now on.",
        ..VERDICT
    },
    CodeEntry {
        code: "sick",
        meaning: "doctor: something is wrong with a site",
        why: "Visitors get an error, or will get one. The findings say why, the most likely cause first.",
        fix: "Run the first `next` line of the output, then check again.",
        ..VERDICT
    },
    CodeEntry {
        code: "unchanged",
        meaning: "install, rollback: already installed; dcv-publish: already published; order: not due",
        ..VERDICT
    },
    CodeEntry {
        code: "unchecked",
        meaning: "dcv-check: a record from this request exists, and its unique value was never \
            compared; dcv-publish: none of the zone's servers could be queried",
        why: "If the unique value is not the reseller's, the CA refuses the record.",
        fix: "Paste the reseller's record: `certctl dcv-check example.com --record -`.",
        ..VERDICT
    },
    CodeEntry {
        code: "unexpected",
        meaning: "rehearse: a step did not go as expected",
        fix: "Report it with the complete output of `certctl rehearse`.",
        ..VERDICT
    },
    CodeEntry {
        code: "unreachable",
        meaning: "dcv-check: no server answered, or not all of them",
        why: "What the CA would see is unknown.",
        fix: "Run the command again, or on a machine with another network connection.",
        ..VERDICT
    },
    CodeEntry {
        code: "visible",
        meaning: "dcv-check: the CA would see the record",
        fix: "Ask the CA to validate now. Resellers call the button Retry or Save.",
        ..VERDICT
    },
    CodeEntry {
        code: "wrong",
        meaning: "bundle, verify, status: something is wrong",
        why: "Servers or clients would reject the certificate as it is. The findings say why.",
        fix: "Follow the `next` lines of the output.",
        ..VERDICT
    },
    CodeEntry {
        code: "wrong-place",
        meaning: "dcv-check: the record is at a name that the CA does not query",
        why: "The value may be right, but the CA does not look there.",
        fix: "Add the record with the host that certctl prints.",
        ..VERDICT
    },
];
