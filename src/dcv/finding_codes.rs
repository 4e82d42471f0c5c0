//! Every code that `dcv-check` tells a finding by, what it means and what helps. The README's table
//! is made of it; a test holds both, and the code, together.

/// Code, meaning, cure; by code.
pub const FINDINGS: [(&str, &str, &str); 77] = [
    (
        "negative-answer-cacheable",
        "resolvers remember, until the time told, that it was absent (SOA minimum)",
        "give a CA whose resolver has looked that time",
    ),
    (
        "address-not-public",
        "a name leads to an address that no CA gets to (private, loopback)",
        "ask a resolver outside: `--resolver 9.9.9.9`; or choose DCV by CNAME",
    ),
    (
        "addresses-not-found",
        "the addresses of a name could not be looked up",
        "ask by hand, or name another resolver",
    ),
    (
        "alias-without-text",
        "the name is a CNAME for another, which has no such text",
        "delete the CNAME, or add the text at its target",
    ),
    (
        "ca-rule-unconfirmed",
        "what this CA wants is not confirmed by its documents",
        "go by what its page shows: `--record -`",
    ),
    (
        "caa-allows",
        "CAA records allow the CA",
        "nothing: it is fine",
    ),
    (
        "caa-allows-some",
        "CAA records allow one of the CAs that the shop may use, not all",
        "allow the others too",
    ),
    (
        "caa-ca-unknown",
        "CAA records name CAs; by which name this one goes is not known",
        "compare them with the CA's documents",
    ),
    (
        "caa-forbids",
        "CAA records do not allow the CA",
        "add the record shown",
    ),
    (
        "caa-needs-ca",
        "CAA records are there and no CA was named to compare them with",
        "name it: `--ca`",
    ),
    (
        "caa-lookup-failed",
        "CAA records cannot be looked up, and that is no permission",
        "have the servers answer for this type",
    ),
    (
        "caa-parameters",
        "CAA records limit accounts or methods (RFC 8657)",
        "use such an account or method, or change the record",
    ),
    (
        "caa-unknown-critical",
        "a CAA record that no CA knows is marked critical",
        "delete it, or set its flags to 0",
    ),
    (
        "caa-unreadable",
        "a CAA record cannot be read, which forbids all CAs",
        "write it anew",
    ),
    (
        "child-zone-hides-record",
        "the domain is a zone of its own: the parent's records are not seen",
        "add the record in the panel of that zone",
    ),
    (
        "cname-conflicts-with-records",
        "a CNAME and other data stand at one name (RFC 1034 3.6.2)",
        "delete the other data",
    ),
    (
        "cname-chain-long",
        "aliases lead on and on",
        "lead straight to the target",
    ),
    (
        "cname-flattened",
        "addresses in place of the CNAME: the provider flattens or proxies it",
        "switch that off for the record; enter CNAME, not ALIAS",
    ),
    (
        "cname-instead-of-txt",
        "the value is in a CNAME, the CA looks for a TXT",
        "change the type",
    ),
    (
        "cname-loop",
        "aliases lead in a circle",
        "put the CA's record in place of the alias",
    ),
    (
        "dnssec-bogus",
        "DNSSEC signatures do not fit the records",
        "have the zone signed anew, or take the DS record out",
    ),
    (
        "dnssec-ds-mismatch",
        "the DS record is of none of the zone's keys",
        "put that of the key in use in its place",
    ),
    (
        "dnssec-ds-without-key",
        "the zone above has a DS record, the zone no key",
        "take the DS record out, or sign the zone",
    ),
    (
        "dnssec-expired",
        "DNSSEC signatures have expired",
        "have the zone signed anew",
    ),
    (
        "dnssec-not-yet-valid",
        "DNSSEC signatures begin in the future",
        "see to the signer's clock",
    ),
    (
        "dnssec-signature-missing",
        "the zone is signed, these records are not",
        "have the zone signed anew",
    ),
    (
        "domain-not-delegated",
        "the domain has no name servers: not registered, expired, none set",
        "see to it at the registrar",
    ),
    (
        "email-not-accepted",
        "the CA takes no answer to an e-mail",
        "choose DCV by CNAME",
    ),
    (
        "email-dcv-ended",
        "no CA takes an answer to an e-mail any more (SC-090)",
        "choose DCV by CNAME",
    ),
    (
        "email-dcv-ends",
        "it ends on 2028-03-15",
        "use the CNAME for the rounds to come",
    ),
    (
        "file-is-a-page",
        "a web page in place of the file",
        "serve the folder before the site's program",
    ),
    (
        "file-not-found",
        "404 or another status than 200",
        "put the file there; mind upper case",
    ),
    (
        "file-from-another-request",
        "the file holds another request's hash",
        "put the new lines in: a reissue needs a new file",
    ),
    (
        "file-other-content",
        "the file holds something else",
        "put the lines shown in, nothing else",
    ),
    (
        "file-redirected",
        "the file's URL is redirected",
        "leave `/.well-known/pki-validation/` out of the redirect",
    ),
    (
        "found-at-parent",
        "it is at a parent domain, where the CA looks too",
        "nothing: it is fine",
    ),
    (
        "mail-lookup-failed",
        "who takes mail for the domain could not be looked up",
        "ask by hand, or name another resolver",
    ),
    (
        "mailbox-unchecked",
        "whether somebody reads the mailbox cannot be seen",
        "write to it and see",
    ),
    (
        "name-servers-differ",
        "the registrar names other servers than the zone",
        "set the same at both",
    ),
    (
        "name-without-address",
        "the name has no address, so no web server is asked",
        "add one, or choose DCV by CNAME",
    ),
    (
        "no-mail-for-domain",
        "mail for the domain arrives nowhere",
        "add an MX record, or choose DCV by CNAME",
    ),
    (
        "unreachable-from-here",
        "this machine has no way to a server (IPv6 without IPv6, no network)",
        "nothing, if others were asked; if it is none, a machine that has",
    ),
    (
        "not-on-all-servers",
        "some of the zone's servers have an older copy",
        "wait for them",
    ),
    (
        "not-published",
        "it is nowhere",
        "add the record in the zone's panel",
    ),
    (
        "records-conflict-with-cname",
        "other data are at the name, which keep a CNAME out",
        "delete them, then add the CNAME",
    ),
    (
        "wrong-unique-value",
        "made of this request, with another unique value than the shop's",
        "change the value to the shop's",
    ),
    ("wrong-value", "another value is there", "change it"),
    (
        "record-for-another-domain",
        "the record given proves none of the names asked for",
        "copy that of this order",
    ),
    (
        "record-from-another-request",
        "the record given was made from another CSR",
        "copy that of this order: a reissue needs a new one",
    ),
    (
        "record-below-domain",
        "it is below the domain, which it does not prove",
        "add it for the domain",
    ),
    (
        "resolver-differs",
        "a resolver has another value than the zone's own servers",
        "look again later; see to views by network",
    ),
    (
        "resolver-cached-absence",
        "a resolver remembers from before that it was absent",
        "look again then",
    ),
    (
        "serials-differ",
        "the copies of the zone are not of the same age",
        "wait, or see to the zone transfer",
    ),
    (
        "server-bogus",
        "a validating resolver rejects the zone's signatures",
        "mend DNSSEC, or take the DS record out",
    ),
    (
        "server-connection-refused",
        "nobody listens there",
        "see to the server, or ask another resolver",
    ),
    (
        "server-failed",
        "another response code",
        "see to the server, or ask another resolver",
    ),
    (
        "server-lame",
        "named for the zone, but without authority over it",
        "take it out of the NS records",
    ),
    (
        "server-no-address",
        "named for the zone, but without an address",
        "take it out of the NS records",
    ),
    (
        "server-no-tcp",
        "no answer by TCP, where the answer is too long for UDP",
        "open TCP port 53",
    ),
    (
        "server-refused",
        "REFUSED",
        "see to the server, or ask another resolver",
    ),
    (
        "server-servfail",
        "SERVFAIL: the zone is broken there",
        "see to it at the DNS provider",
    ),
    (
        "server-timeout",
        "no usable answer in time",
        "look again, or from another machine",
    ),
    (
        "servers-disagree",
        "the zone's servers answer differently",
        "have one and the same zone at all of them",
    ),
    (
        "servers-not-queried",
        "the zone has more servers than are asked",
        "ask them yourself",
    ),
    (
        "token-from-another-order",
        "of the same CA, with another random value",
        "change the value to that of this order",
    ),
    (
        "txt-instead-of-cname",
        "the value is in a TXT, the CA looks for a CNAME",
        "change the type",
    ),
    (
        "underscore-lost",
        "it is at the name without the underscore",
        "change the host",
    ),
    (
        "unique-value-unchecked",
        "its end was never compared with the shop's",
        "give the shop's record: `--record -`",
    ),
    (
        "value-from-another-request",
        "a record made from another CSR is there",
        "change the value: a reissue needs a new record",
    ),
    (
        "value-quoted",
        "quotes or spaces were typed with the value",
        "enter it without",
    ),
    (
        "web-server-no-answer",
        "an address of the name does not answer",
        "open port 80, or take the address out of the DNS",
    ),
    (
        "wildcard-answers",
        "a wildcard record answers for every name",
        "add the record itself",
    ),
    (
        "wildcard-not-by-file",
        "a wildcard cannot be proved by a file",
        "choose DCV by CNAME",
    ),
    (
        "www-will-be-dropped",
        "Sectigo leaves a www without the file out and says nothing",
        "serve it there too, or choose DCV by CNAME",
    ),
    (
        "zone-appended-to-value",
        "the provider added the zone's name to the value",
        "enter it with a dot at its end",
    ),
    (
        "zone-doubled",
        "the panel adds the zone, and it was typed too",
        "enter the host shown",
    ),
    (
        "zone-servers-not-found",
        "the zone's own servers were not found",
        "name a resolver that finds them",
    ),
];

/// All findings as a Markdown table.
#[must_use]
pub fn table() -> String {
    let rows = FINDINGS
        .iter()
        .map(|(code, meaning, cure)| format!("| `{code}` | {meaning} | {cure} |\n"));
    format!(
        "| code | it means | what helps |\n|---|---|---|\n{}",
        rows.collect::<String>()
    )
}
