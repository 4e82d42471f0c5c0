//! Findings about name servers, caches and DNSSEC.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "dnssec-bogus",
        meaning: "DNSSEC signatures do not match the records",
        why: "Validating resolvers reject every answer from the zone. CAs have to validate \
            DNSSEC, so they can neither see the record nor issue.",
        fix: "Re-sign the zone at its DNS provider. If you do not need DNSSEC, remove the DS \
            record at the registrar.",
        source: "RFC 4035 5; SC-085",
        ..FINDING
    },
    CodeEntry {
        code: "dnssec-ds-mismatch",
        meaning: "the DS record matches none of the zone's keys",
        why: "The DS record in the parent zone says which key signs the zone. If it names another \
            key, typically after a change of the DNS provider, CAs reject every answer.",
        fix: "Replace the DS record at the registrar by the one of the key in use. `dig DNSKEY \
            example.com` shows the keys of the zone.",
        source: "RFC 4035 5.2; SC-085",
        example: "$ dig +short DS example.com\n\
            2371 13 2 1F98...\n\
            # the DNSKEY records of the zone have other key tags",
        ..FINDING
    },
    CodeEntry {
        code: "dnssec-ds-without-key",
        meaning: "the parent zone has a DS record, and the zone has no key",
        why: "The DS record promises a signed zone. Because the zone has no key, validating \
            resolvers, those of CAs among them, reject every answer. The usual cause is a move to \
            a provider that does not sign.",
        fix: "Remove the DS record at the registrar, or sign the zone at the DNS provider. `dig \
            DS example.com` shows the record.",
        source: "RFC 4035 5.2; SC-085",
        ..FINDING
    },
    CodeEntry {
        code: "dnssec-expired",
        meaning: "DNSSEC signatures have expired",
        why: "Signatures are valid for a limited time, and the zone was not re-signed before it \
            ended. CAs reject every answer from it.",
        fix: "Re-sign the zone, and find out why the automatic signing stopped.",
        source: "RFC 4034 3.1.5; SC-085",
        example: "$ delv example.com\n\
            no valid RRSIG resolving 'example.com/DNSKEY/IN'\n\
            RRSIG has expired",
        ..FINDING
    },
    CodeEntry {
        code: "dnssec-not-yet-valid",
        meaning: "DNSSEC signatures are not valid yet",
        why: "The signatures begin in the future, usually because the clock of the signing \
            machine is wrong. CAs reject every answer until then.",
        fix: "Correct the clock of the machine that signs, then re-sign the zone.",
        source: "RFC 4034 3.1.5; SC-085",
        ..FINDING
    },
    CodeEntry {
        code: "dnssec-signature-missing",
        meaning: "the zone is signed, but these records are not",
        why: "In a signed zone every record needs a signature. CAs reject records without one as \
            forged.",
        fix: "Re-sign the whole zone, and check that all of its servers have loaded the signed \
            version.",
        source: "RFC 4035 5; SC-085",
        ..FINDING
    },
    CodeEntry {
        code: "domain-not-delegated",
        meaning: "the domain has no name servers: it is not registered, has expired, or none are \
            set",
        why: "No one can look up any name below it, so neither the CA nor a visitor can reach the \
            site.",
        fix: "Check at the registrar that the domain is registered and paid for, and set its name \
            servers.",
        source: "RFC 1034 4.2.1",
        ..FINDING
    },
    CodeEntry {
        code: "name-servers-differ",
        meaning: "the registrar lists other name servers than the zone",
        why: "Resolvers may query either set. If they hold different data, the CA may see an old \
            zone without the record.",
        fix: "Set the same name servers at the registrar and in the zone. `dig +trace NS \
            example.com` shows both.",
        source: "RFC 1034 4.2.2",
        example: "# at the registrar\n\
            ns1.old-provider.example.net\n\
            # in the zone\n\
            ns1.new-provider.example.net",
        ..FINDING
    },
    CodeEntry {
        code: "negative-answer-cacheable",
        meaning: "resolvers may cache, until the time shown, that the record was absent",
        why: "A resolver that has queried the name keeps the answer \"does not exist\" for the \
            time that the SOA record sets. If the CA has already looked, it may not see the new \
            record before then.",
        fix: "After adding the record, wait until the time shown before you press Retry at the CA.",
        source: "RFC 2308 5",
        ..FINDING
    },
    CodeEntry {
        code: "resolver-cached-absence",
        meaning: "a resolver has cached that the record was absent",
        why: "The zone's own servers have the record, but this resolver still answers that it \
            does not exist. A CA whose resolver looked too early sees the same.",
        fix: "Check again at the time shown, or query another resolver: `certctl dcv-check \
            example.com --resolver 9.9.9.9`.",
        source: "RFC 2308 5",
        ..FINDING
    },
    CodeEntry {
        code: "resolver-differs",
        meaning: "a resolver answers differently from the zone's own servers",
        why: "Either the resolver has cached an older value, or the zone shows different data to \
            different networks. A CA checks from several places and must see the same value \
            everywhere.",
        fix: "Check again when the cached value has expired. If the answers still differ, publish \
            the record in every view of the zone.",
        source: "BR 3.2.2.9",
        ..FINDING
    },
    CodeEntry {
        code: "serials-differ",
        meaning: "the zone's servers have copies of different age",
        why: "A change has not reached all servers yet, so some of them may not have the record.",
        fix: "Wait until the zone transfer has finished. If the serial numbers stay different, \
            repair the transfer.",
        source: "RFC 1034 4.3.5",
        example: "ns1.example.net: serial 2027051102\n\
            ns2.example.net: serial 2027051101",
        ..FINDING
    },
    CodeEntry {
        code: "server-bogus",
        meaning: "a validating resolver rejects the zone's signatures",
        why: "The CA validates DNSSEC too and rejects the same answers.",
        fix: "Repair DNSSEC at the DNS provider, or remove the DS record at the registrar.",
        source: "RFC 4035 5; SC-085",
        ..FINDING
    },
    CodeEntry {
        code: "server-connection-refused",
        meaning: "no program accepts queries at the server's address",
        why: "The machine answers, but no DNS server runs there. A CA that reaches this server \
            gets no answer.",
        fix: "Start the DNS server. If the address is that of a resolver, query another one: \
            `certctl dcv-check example.com --resolver 9.9.9.9`.",
        ..FINDING
    },
    CodeEntry {
        code: "server-failed",
        meaning: "a server answers with another error code",
        why: "The server could not process the query. A CA that reaches it gets the same error.",
        fix: "Check the server. If it is a resolver, query another one: `certctl dcv-check \
            example.com --resolver 9.9.9.9`.",
        ..FINDING
    },
    CodeEntry {
        code: "server-lame",
        meaning: "a server is listed for the zone but has no authority over it",
        why: "Queries that reach this server get no useful answer. A CA that picks it does not \
            see the record.",
        fix: "Remove the server from the NS records at the registrar and in the zone, or \
            configure the zone on it.",
        source: "RFC 1912 2.8",
        example: "$ dig @ns3.example.net SOA example.com\n\
            # the answer has no \"aa\" flag",
        ..FINDING
    },
    CodeEntry {
        code: "server-no-address",
        meaning: "a server is listed for the zone but has no address",
        why: "No one can query a server without an address, so the zone depends on the others.",
        fix: "Give the server's name an address, or remove it from the NS records.",
        source: "RFC 1034 4.2.1",
        ..FINDING
    },
    CodeEntry {
        code: "server-no-tcp",
        meaning: "a server does not answer by TCP, and the answer is too long for UDP",
        why: "Resolvers repeat a query by TCP if the answer does not fit into UDP. Where TCP is \
            blocked, they get nothing.",
        fix: "Open TCP port 53 on the server and in its firewall.",
        source: "RFC 7766",
        ..FINDING
    },
    CodeEntry {
        code: "server-refused",
        meaning: "a server answers REFUSED",
        why: "The server does not serve this zone, or does not answer queries from this network. \
            If it belongs to the zone, a CA may get the same answer.",
        fix: "If it is a server of the zone, configure the zone on it. If it is a resolver, query \
            another one: `certctl dcv-check example.com --resolver 9.9.9.9`.",
        source: "RFC 1035 4.1.1",
        ..FINDING
    },
    CodeEntry {
        code: "server-servfail",
        meaning: "a server answers SERVFAIL: the zone is broken there",
        why: "The server has not loaded the zone, its copy has expired, or DNSSEC validation \
            failed. A CA gets no answer and does not issue.",
        fix: "Look at the DNS provider's status page or ask its support, then check again.",
        source: "RFC 1035 4.1.1",
        ..FINDING
    },
    CodeEntry {
        code: "server-timeout",
        meaning: "a server sent no usable answer in time",
        why: "The server is down, or a firewall blocks DNS between this machine and it. Only in \
            the first case does the CA have the same problem.",
        fix: "Check again. If a firewall blocks port 53 here, run certctl on another machine or \
            query a resolver: `certctl dcv-check example.com --resolver 9.9.9.9`.",
        ..FINDING
    },
    CodeEntry {
        code: "servers-disagree",
        meaning: "the zone's servers answer differently",
        why: "A CA checks from several places in the network and may reach any server. If the \
            values differ, validation fails or depends on chance.",
        fix: "Publish the same zone on all of its servers. Answers that depend on the place of \
            the client must not differ for this record.",
        source: "BR 3.2.2.9",
        ..FINDING
    },
    CodeEntry {
        code: "servers-not-queried",
        meaning: "the zone has more servers than certctl queries",
        why: "certctl limits how many servers it queries. Whether the others have the record is \
            unknown, so it does not say that the record is visible.",
        fix: "Query the servers that certctl lists yourself, for example `dig @ns9.example.net \
            CNAME _dnsauth.example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "unreachable-from-here",
        meaning: "a server is unreachable from this machine (no IPv6, or no network)",
        why: "certctl cannot see what this server answers. The CA may well reach it.",
        fix: "Nothing to do if the other servers were queried. Otherwise run certctl on a machine \
            with a network connection.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "zone-servers-not-found",
        meaning: "the zone's own servers were not found, so only the resolver was queried",
        why: "A resolver may have cached old answers. Without the zone's own servers certctl \
            cannot say what the CA will see.",
        fix: "Query a resolver that finds them: `certctl dcv-check example.com --resolver \
            9.9.9.9`.",
        source: "certctl",
        ..FINDING
    },
];
