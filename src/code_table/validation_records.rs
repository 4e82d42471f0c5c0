//! Findings about the DNS record that validates control of a domain.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "alias-without-text",
        meaning: "the name is a CNAME for another name, which has no such TXT record",
        why: "The CA follows the CNAME and looks for the TXT record at its target. A TXT record \
            next to a CNAME is impossible, so it has to be at the target.",
        fix: "Delete the CNAME, or add the TXT record at the name that the CNAME points to.",
        source: "RFC 1034 3.6.2",
        example: "_dnsauth.example.com. CNAME old-provider.example.net.",
        ..FINDING
    },
    CodeEntry {
        code: "ca-rule-unconfirmed",
        meaning: "the documents of the CA do not confirm what it looks for",
        why: "certctl shows the record or method that is usual for this CA, but found no document \
            that confirms it. The CA may expect something else.",
        fix: "Use what the CA's own page shows. Paste its record: `certctl dcv-check example.com \
            --record -`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "child-zone-hides-record",
        meaning: "the domain is a zone of its own, so a record in the parent zone is not visible",
        why: "Resolvers follow the delegation to the name servers of the child zone and never see \
            what the parent zone has below that point.",
        fix: "Add the record in the child zone, at the DNS provider that hosts it. `dig NS \
            shop.example.com` shows its name servers.",
        source: "RFC 1034 4.2.1",
        example: "# delegated, so a record for it in the zone example.com is hidden\n\
            shop.example.com. NS ns1.cloud.example.net.",
        ..FINDING
    },
    CodeEntry {
        code: "cname-chain-long",
        meaning: "the chain of CNAME records is too long",
        why: "Resolvers stop following CNAME records after a number of steps, and the CA then \
            gets no answer.",
        fix: "Point the name directly at its final target.",
        source: "RFC 1034 3.6.2",
        ..FINDING
    },
    CodeEntry {
        code: "cname-conflicts-with-records",
        meaning: "a CNAME and other records exist at the same name",
        why: "DNS forbids other records next to a CNAME. Resolvers then answer with one or the \
            other or fail, so the CA may not see the CNAME.",
        fix: "Delete the other records at this name.",
        source: "RFC 1034 3.6.2",
        example: "_6fcfe984ac87413b.example.com. CNAME 46b9c075.f35bf554.sectigo.com.\n\
            _6fcfe984ac87413b.example.com. TXT   \"old-value\"",
        ..FINDING
    },
    CodeEntry {
        code: "cname-flattened",
        meaning: "the DNS provider flattens or proxies the CNAME, so only addresses are visible",
        why: "The provider answers with the addresses of the target and hides the CNAME itself. \
            The CA looks for the CNAME and does not find it.",
        fix: "Switch off proxying or flattening for this record. In Cloudflare's console set it \
            to \"DNS only\"; where the console offers ALIAS, choose CNAME.",
        source: "certctl",
        example: "$ dig +short CNAME _dnsauth.example.com\n\
            # nothing\n\
            $ dig +short A _dnsauth.example.com\n\
            104.21.3.7",
        ..FINDING
    },
    CodeEntry {
        code: "cname-instead-of-txt",
        meaning: "the value is in a CNAME record, and the CA looks for a TXT record",
        why: "The CA queries the record type that its method prescribes. A right value in a \
            record of another type is not found.",
        fix: "Delete the CNAME and add a TXT record with the same host and value.",
        source: "BR 3.2.2.4.7",
        ..FINDING
    },
    CodeEntry {
        code: "cname-loop",
        meaning: "the CNAME records form a loop",
        why: "A loop never leads to a record. Resolvers give up, and the CA gets no answer.",
        fix: "Delete the CNAME at this name and add the CA's record in its place.",
        source: "RFC 1034 3.6.2",
        example: "_dnsauth.example.com. CNAME verify.example.com.\n\
            verify.example.com.   CNAME _dnsauth.example.com.",
        ..FINDING
    },
    CodeEntry {
        code: "found-at-parent",
        meaning: "the record is at a parent domain, where the CA looks too",
        why: "A record at the parent domain validates all names below it.",
        fix: "Nothing to do.",
        source: "BR 1.6.1 (Authorization Domain Name)",
        ..FINDING
    },
    CodeEntry {
        code: "not-on-all-servers",
        meaning: "some of the zone's servers have an older copy without the record",
        why: "The CA queries from several places in the network, and each may reach another \
            server. Validation succeeds only once all of them have the record.",
        fix: "Wait until all servers have it: `certctl dcv-check example.com --wait`. If it takes \
            hours, ask the DNS provider.",
        source: "BR 3.2.2.9",
        ..FINDING
    },
    CodeEntry {
        code: "not-published",
        meaning: "the record was not found anywhere",
        why: "The CA validates control of the domain by finding this record. Until it exists, the \
            order does not proceed.",
        fix: "Add the record in the zone at your DNS provider, with the type, host and value that \
            certctl prints, then run `certctl dcv-check example.com --wait`.",
        source: "BR 3.2.2.4",
        example: "Type   CNAME\n\
            Host   _6fcfe984ac87413b45a0d531d2172600\n\
            Value  46b9c075c1655269....f35bf554d979c464....sectigo.com.",
        ..FINDING
    },
    CodeEntry {
        code: "record-below-domain",
        meaning: "the record is below the domain, where it does not validate the domain",
        why: "A record validates its own domain and the names below it, never the parent. A \
            record for `www.example.com` does not validate `example.com`.",
        fix: "Add the record for the domain itself.",
        source: "BR 1.6.1 (Authorization Domain Name)",
        example: "# found\n\
            _6fcfe984ac87413b.www.example.com. CNAME ...\n\
            # needed\n\
            _6fcfe984ac87413b.example.com.     CNAME ...",
        ..FINDING
    },
    CodeEntry {
        code: "record-for-another-domain",
        meaning: "the record that was given validates none of the requested names",
        why: "The host of the record belongs to another domain. The record probably comes from \
            another order.",
        fix: "Copy host and value of this order from the CA's page: `certctl dcv-check \
            example.com --record -`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "record-from-another-request",
        meaning: "the record that was given was made from another request",
        why: "These CAs compute the record from a hash of the CSR. A new CSR, as for a reissue, \
            has another hash and therefore another record.",
        fix: "Copy the record of the current order from the CA's page. If you submitted another \
            CSR there, submit the current one.",
        source: "docs.sectigo.com/sps/domain-control-validation/request-token",
        ..FINDING
    },
    CodeEntry {
        code: "records-conflict-with-cname",
        meaning: "other records exist at the name, which prevent a CNAME",
        why: "DNS allows no other records next to a CNAME, so DNS providers refuse to add it or \
            drop it silently.",
        fix: "Delete the other records at this name, then add the CNAME.",
        source: "RFC 1034 3.6.2",
        ..FINDING
    },
    CodeEntry {
        code: "several-cnames",
        meaning: "a name has several CNAME records",
        why: "DNS allows one CNAME at a name. A resolver takes any of them or rejects all, so \
            whether the CA sees the right one is a matter of chance.",
        fix: "Delete all but the one that the CA shows for the order that is open now.",
        source: "RFC 1034 3.6.2",
        example: "_6fcfe984ac87413b.example.com. CNAME 46b9c075.f35bf554.sectigo.com.\n\
            _6fcfe984ac87413b.example.com. CNAME 0d9e01aa.77c1b3f4.sectigo.com.",
        ..FINDING
    },
    CodeEntry {
        code: "token-from-another-order",
        meaning: "the record is from the same CA, with the random value of another order",
        why: "The CA makes a new random value for each order and accepts no other.",
        fix: "Change the value of the record to the one that the CA shows for this order.",
        source: "BR 3.2.2.4.7",
        ..FINDING
    },
    CodeEntry {
        code: "txt-instead-of-cname",
        meaning: "the value is in a TXT record, and the CA looks for a CNAME",
        why: "The CA queries the record type that its method prescribes. A right value in a \
            record of another type is not found.",
        fix: "Delete the TXT record and add a CNAME with the same host and value.",
        source: "BR 3.2.2.4.7",
        example: "# found\n\
            _dnsauth.example.com. TXT   \"3kq0c2.dcv.digicert.com\"\n\
            # needed\n\
            _dnsauth.example.com. CNAME 3kq0c2.dcv.digicert.com.",
        ..FINDING
    },
    CodeEntry {
        code: "underscore-lost",
        meaning: "the record is at the name without the leading underscore",
        why: "The CA queries the name with the underscore only. Some consoles remove it, and it \
            is easily missed when copying.",
        fix: "Change the host so that it begins with an underscore.",
        source: "BR 3.2.2.4.7",
        example: "# found\n\
            6fcfe984ac87413b45a0d531d2172600.example.com.  CNAME ...\n\
            # needed\n\
            _6fcfe984ac87413b45a0d531d2172600.example.com. CNAME ...",
        ..FINDING
    },
    CodeEntry {
        code: "unique-value-unchecked",
        meaning: "the unique value of the record or file was never compared with the reseller's",
        why: "Many resellers add a unique value that cannot be computed from the CSR. certctl \
            checked the rest, but if the unique value is wrong, the CA refuses the record.",
        fix: "Paste the reseller's record, so that certctl can compare all of it: `certctl \
            dcv-check example.com --record -`.",
        source: "docs.sectigo.com/sps/domain-control-validation/request-token",
        example: "# the unique value is the part before the CA's domain\n\
            46b9c075c165526983f73319a38c647b.f35bf554.5a955211b1f8c.sectigo.com.",
        ..FINDING
    },
    CodeEntry {
        code: "value-from-another-request",
        meaning: "the published record was made from another request",
        why: "These CAs compute the record from a hash of the CSR. After a reissue with a new CSR \
            the old record is no longer accepted.",
        fix: "Change the record to the value that certctl prints. Each new request needs a new \
            record.",
        source: "docs.sectigo.com/sps/domain-control-validation/request-token",
        ..FINDING
    },
    CodeEntry {
        code: "value-quoted",
        meaning: "quotes or spaces were entered with the value",
        why: "The DNS console adds the quotes of a TXT record itself. Quotes or spaces that are \
            typed become part of the value, which the CA then does not recognize.",
        fix: "Enter the value again without quotes and spaces.",
        source: "certctl",
        example: "# found\n\
            _acme-challenge.example.com. TXT \"\\\"gfj9Xq...Rg85nM\\\"\"\n\
            # needed\n\
            _acme-challenge.example.com. TXT \"gfj9Xq...Rg85nM\"",
        ..FINDING
    },
    CodeEntry {
        code: "wildcard-answers",
        meaning: "the record does not exist, and a wildcard record answers in its place",
        why: "A record `*.example.com` answers for every name that does not exist, so the CA sees \
            its value instead of the expected one.",
        fix: "Add the validation record itself. It takes precedence over the wildcard, which can \
            stay.",
        source: "RFC 4592",
        example: "*.example.com. CNAME web.example.net.",
        ..FINDING
    },
    CodeEntry {
        code: "wrong-unique-value",
        meaning: "the record or file is from this request, with another unique value than the \
            reseller's",
        why: "The reseller chooses the unique value for each order or reissue. The CA compares it \
            too, so this value fails.",
        fix: "Change the value to exactly what the reseller shows for this order.",
        source: "docs.sectigo.com/sps/domain-control-validation/request-token",
        example: "# found\n\
            46b9c075....f35bf554....5a955211b1f8c.sectigo.com.\n\
            # in the reseller's console\n\
            46b9c075....f35bf554....69ff68dc5168c.sectigo.com.",
        ..FINDING
    },
    CodeEntry {
        code: "wrong-value",
        meaning: "the record has another value",
        why: "The CA compares the value with the one that it expects and refuses any other.",
        fix: "Change the value of the record to the one that certctl prints.",
        source: "BR 3.2.2.4",
        ..FINDING
    },
    CodeEntry {
        code: "zone-appended-to-value",
        meaning: "the DNS provider appended the zone's name to the value",
        why: "Many consoles treat a value without a final dot as relative and append the zone, so \
            the CNAME points to a name that does not exist.",
        fix: "Enter the value again with a final dot.",
        source: "RFC 1035 5.1",
        example: "# found\n\
            46b9c075.f35bf554.sectigo.com.example.com.\n\
            # needed\n\
            46b9c075.f35bf554.sectigo.com.",
        ..FINDING
    },
    CodeEntry {
        code: "zone-doubled",
        meaning: "the host was entered with the zone's name, and the console appended the zone \
            again",
        why: "Most consoles append the zone to what is typed as the host. If you paste the full \
            host name, the record ends up at a doubled name that the CA never queries.",
        fix: "Enter only the host that certctl prints, without the domain.",
        source: "RFC 1035 5.1",
        example: "# found\n\
            _6fcfe984ac87413b.example.com.example.com. CNAME ...\n\
            # to be entered as the host in the zone example.com\n\
            _6fcfe984ac87413b",
        ..FINDING
    },
];
