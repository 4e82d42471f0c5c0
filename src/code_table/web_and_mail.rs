//! Findings about validation by a file on the web server and by email.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "address-not-public",
        meaning: "a name has an address that no CA can reach (private or loopback)",
        why: "The CA fetches the file from the addresses that it finds in public DNS. What \
            certctl would see at a private address says nothing about that.",
        fix: "Query a public resolver: `certctl dcv-check example.com --method http --resolver \
            9.9.9.9`. If the address is private there too, choose validation by CNAME.",
        source: "RFC 6890",
        example: "$ dig +short A example.com\n\
            192.168.1.10",
        ..FINDING
    },
    CodeEntry {
        code: "addresses-not-found",
        meaning: "the addresses of a name could not be looked up",
        why: "Without an address neither certctl nor the CA knows which web server to fetch the \
            file from.",
        fix: "Look them up with `dig A example.com`, or query another resolver: `certctl \
            dcv-check example.com --method http --resolver 9.9.9.9`.",
        ..FINDING
    },
    CodeEntry {
        code: "email-dcv-ended",
        meaning: "CAs no longer accept validation by email",
        why: "Since 2028-03-15 no public CA may rely on an answer to an email.",
        fix: "Choose validation by CNAME at the CA.",
        source: "SC-090",
        ..FINDING
    },
    CodeEntry {
        code: "email-dcv-ends",
        meaning: "validation by email ends on 2028-03-15",
        why: "From then on no public CA may rely on an answer to an email, earlier answers \
            included. Renewals that depend on it will fail.",
        fix: "Use the CNAME for the next renewals. It can stay in place.",
        source: "SC-090",
        ..FINDING
    },
    CodeEntry {
        code: "email-not-accepted",
        meaning: "the CA does not offer validation by email",
        why: "The CA will not send a mail, so waiting for it is useless.",
        fix: "Choose validation by CNAME at the CA.",
        ..FINDING
    },
    CodeEntry {
        code: "file-from-another-request",
        meaning: "the file contains the hash of another request",
        why: "The CA computes the file's content from the hash of the CSR. The file of an earlier \
            CSR is not accepted for a reissue.",
        fix: "Replace the content of the file by the lines that certctl prints.",
        source: "docs.sectigo.com/sps/domain-control-validation/request-token",
        ..FINDING
    },
    CodeEntry {
        code: "file-is-a-page",
        meaning: "a web page is served instead of the file",
        why: "The application answers every path, the CA's file included. The CA reads a page \
            where it expects a few lines of text, and refuses it.",
        fix: "Serve the folder before the application, as in the example for nginx.",
        source: "BR 3.2.2.4.18",
        example: "location /.well-known/pki-validation/ {\n\
            \u{20}   root /var/www/validation;\n\
            }",
        ..FINDING
    },
    CodeEntry {
        code: "file-not-found",
        meaning: "the file's URL is answered with 404 or another status than 200",
        why: "The CA fetches exactly this URL and needs a successful answer. The path is \
            case-sensitive on most servers.",
        fix: "Put the file at the URL that certctl prints, with the same upper and lower case.",
        source: "BR 3.2.2.4.18",
        example: "http://example.com/.well-known/pki-validation/6FCFE984AC87413B.txt",
        ..FINDING
    },
    CodeEntry {
        code: "file-other-content",
        meaning: "the file contains something else",
        why: "The CA compares the content with the lines that it expects.",
        fix: "Put the lines that certctl prints into the file, each on its own line, and nothing \
            else.",
        source: "BR 3.2.2.4.18",
        example: "# the file has to contain exactly\n\
            46b9c075c165526983f73319a38c647bf35bf554d979c464b01d99f8839ba328\n\
            sectigo.com",
        ..FINDING
    },
    CodeEntry {
        code: "file-redirected",
        meaning: "the file's URL is redirected",
        why: "Several CAs do not follow redirects, not even from http to https, and others follow \
            only some. The CA then never sees the file.",
        fix: "Exclude `/.well-known/pki-validation/` from the redirect.",
        source: "BR 3.2.2.4.18",
        example: "# nginx, in the block that listens on port 80\n\
            location /.well-known/pki-validation/ { root /var/www/validation; }\n\
            location / { return 301 https://$host$request_uri; }",
        ..FINDING
    },
    CodeEntry {
        code: "mail-lookup-failed",
        meaning: "the mail servers of the domain could not be looked up",
        why: "certctl cannot tell whether a mail from the CA would arrive.",
        fix: "Look them up with `dig MX example.com`, or query another resolver: `certctl \
            dcv-check example.com --method email --resolver 9.9.9.9`.",
        ..FINDING
    },
    CodeEntry {
        code: "mailbox-unchecked",
        meaning: "whether anyone reads the mailbox cannot be checked",
        why: "The CA sends a link to one of five fixed addresses (admin, administrator, \
            webmaster, hostmaster, postmaster). certctl cannot see whether the mail arrives and \
            is read.",
        fix: "Send a mail to the address that you choose at the CA, and see whether it arrives.",
        source: "BR 3.2.2.4.4",
        ..FINDING
    },
    CodeEntry {
        code: "name-without-address",
        meaning: "the name has no address, so no web server was queried",
        why: "The CA fetches the file from the web server of this very name. A name without an \
            address cannot be validated by a file.",
        fix: "Add an A or AAAA record for the name, or choose validation by CNAME.",
        source: "BR 3.2.2.4.18",
        ..FINDING
    },
    CodeEntry {
        code: "no-mail-for-domain",
        meaning: "the domain accepts no mail",
        why: "The domain has no mail server, or declares with a null MX record that it accepts no \
            mail. The CA's mail would never arrive.",
        fix: "Add an MX record, or choose validation by CNAME.",
        source: "RFC 5321 5.1; RFC 7505",
        example: "example.com. MX 0 .",
        ..FINDING
    },
    CodeEntry {
        code: "web-server-no-answer",
        meaning: "an address of the name does not answer",
        why: "The CA may connect to any of the name's addresses, from several places. One that \
            does not answer makes the validation fail or depend on chance.",
        fix: "Open port 80 at this address to everyone, or remove the address from DNS.",
        source: "BR 3.2.2.4.18, 3.2.2.9",
        ..FINDING
    },
    CodeEntry {
        code: "wildcard-not-by-file",
        meaning: "a wildcard name cannot be validated by a file",
        why: "Since 2021-12-01 a file on a web server validates only the name that it was fetched \
            from, never a wildcard.",
        fix: "Choose validation by CNAME.",
        source: "BR 3.2.2.4.18",
        ..FINDING
    },
    CodeEntry {
        code: "www-will-be-dropped",
        meaning: "Sectigo omits a www name that does not serve the file, without reporting it",
        why: "The order seems to succeed, but the certificate lacks the www name. Visitors of \
            that name get a certificate error.",
        fix: "Serve the file at the www name too, or choose validation by CNAME, which covers \
            both.",
        source: "Sectigo knowledge base kA03l000000Xsf9",
        ..FINDING
    },
];
