//! Terms of the field that people look up.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, TOPIC};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "acme",
        meaning: "the protocol by which a program orders certificates from a CA",
        why: "The CA validates the domain and issues within seconds, so renewals run without people. \
            Let's Encrypt issues in no other way.",
        fix: "Order a certificate: `certctl order www.example.com --ca letsencrypt`.",
        source: "RFC 8555",
        ..TOPIC
    },
    CodeEntry {
        code: "aia",
        meaning: "authority information access: the address in a certificate from which its \
            issuer can be downloaded",
        why: "Some browsers download a missing intermediate from there. Most other programs \
            do not, so a server has to send it.",
        fix: "Download what is missing, and write the chain: `certctl bundle example.com.crt \
            --aia`.",
        source: "RFC 5280 4.2.2.1",
        ..TOPIC
    },
    CodeEntry {
        code: "caa",
        meaning: "DNS records that list which CAs may issue for a domain",
        why: "A CA queries them before it issues and refuses if they list only others. Without such \
            records every CA may issue.",
        fix: "`certctl dcv-check` compares them with the CA of the request.",
        example: "example.com. CAA 0 issue \"sectigo.com\"",
        source: "RFC 8659",
        ..TOPIC
    },
    CodeEntry {
        code: "chain",
        meaning: "the certificate of the site, followed by the intermediate certificates up to the \
            root, which is omitted",
        why: "Browsers have the roots only. A server that does not send the intermediates works in \
            some browsers and fails in other programs.",
        fix: "Build it from the files of the CA: `certctl bundle example_com.zip`.",
        source: "RFC 8446 4.4.2",
        ..TOPIC
    },
    CodeEntry {
        code: "crl",
        meaning: "a list of the certificates that a CA has revoked, signed by the CA",
        why: "Browsers download such lists, or an extract of them, and reject what is listed.",
        fix: "Pass the list with the certificate: `certctl status example.com.crt ca.crl`.",
        source: "RFC 5280 5",
        ..TOPIC
    },
    CodeEntry {
        code: "csr",
        meaning: "certificate signing request: the names and the public key, signed with the private \
            key",
        why: "The CA gets the request and never the private key. The certificate fits only the key \
            that the request was made with.",
        fix: "Create a key and its request: `certctl csr www.example.com`.",
        source: "RFC 2986",
        ..TOPIC
    },
    CodeEntry {
        code: "ct",
        meaning: "certificate transparency: public logs of all certificates that public CAs \
            issue",
        why: "Browsers accept only certificates that were logged, which the CA does. \
            Everybody can read the names in the logs, also those of internal servers.",
        fix: "Nothing to do. Use a private CA for names that have to stay secret: `certctl \
            csr intra.example --ca private`.",
        source: "RFC 9162",
        ..TOPIC
    },
    CodeEntry {
        code: "dcv",
        meaning: "domain control validation: the CA checks that you control the domain",
        why: "The CA looks for a DNS record, a file on the web server or the answer to an email. \
            Without it nothing is issued.",
        fix: "See what the CA would see now: `certctl dcv-check`.",
        source: "CA/Browser Forum Baseline Requirements 3.2.2.4",
        ..TOPIC
    },
    CodeEntry {
        code: "dnssec",
        meaning: "signatures on DNS records, which a resolver checks",
        why: "CAs check them. A domain whose signatures are wrong gets no certificate, even \
            where most visitors notice nothing.",
        fix: "`certctl dcv-check` says whether the zone is signed and whether the signatures \
            are valid.",
        source: "RFC 4033",
        ..TOPIC
    },
    CodeEntry {
        code: "fullchain",
        meaning: "a file with the certificate of the site, followed by the intermediates",
        why: "It is what nginx expects in `ssl_certificate`, and HAProxy and Apache accept \
            it too.",
        fix: "Write it: `certctl bundle example_com.zip`.",
        source: "certctl",
        ..TOPIC
    },
    CodeEntry {
        code: "hsts",
        meaning: "a header that makes browsers use only https for a site, for as long as it says",
        why: "It protects the first request of a visit. It stays in browsers: a site whose \
            certificate expires is then unreachable, because browsers offer no way around it.",
        fix: "Add the header once renewals run by themselves; certctl does not add it.",
        example: "Strict-Transport-Security: max-age=63072000",
        source: "RFC 6797",
        ..TOPIC
    },
    CodeEntry {
        code: "intermediate",
        meaning: "a certificate of the CA that signs the certificates of sites, and is signed by a root",
        why: "Servers have to send it, because browsers have the roots only.",
        fix: "`certctl install` takes it from the files of the CA; `--aia` downloads it.",
        source: "RFC 5280 3.2",
        ..TOPIC
    },
    CodeEntry {
        code: "namecheap",
        meaning: "a reseller of certificates, with an API for accounts with 20 domains, a balance of $50, \
            or purchases of $50 in two years",
        why: "With the API, certctl activates, reissues and installs a certificate that was bought. \
            Without it, the CSR is pasted on the web page. Since 2026-07 the certificates are announced to \
            come from SSL.com, before from Sectigo; the record that Namecheap shows counts.",
        fix: "With the API, write `api_user`, `api_key` and `client_ip` to `[ca.namecheap]` in \
            credentials.toml and list what the account has: \
            `certctl order www.example.com --ca namecheap --dry-run`. Without it: \
            `certctl csr www.example.com --ca namecheap`.",
        source: "namecheap.com/support/api/intro and /support/api/methods/ssl, read 2026-11",
        ..TOPIC
    },
    CodeEntry {
        code: "ocsp",
        meaning: "a protocol that asks the CA whether it has revoked a certificate",
        why: "Most CAs have replaced it with lists of revoked certificates (CRLs), and browsers have \
            lists of their own.",
        fix: "Pass the CA's list too: `certctl status example.com.crt ca.crl`.",
        source: "RFC 6960",
        ..TOPIC
    },
    CodeEntry {
        code: "pem",
        meaning: "text with BEGIN and END lines around base64, in which most servers read \
            certificates and keys",
        why: "One file may hold several certificates, the one of the site first. A key has a \
            BEGIN line of its own.",
        fix: "See what is in a file: `certctl inspect example.com.fullchain.pem`.",
        source: "RFC 7468",
        ..TOPIC
    },
    CodeEntry {
        code: "pfx",
        meaning: "one file with certificate, chain and private key, protected by a password \
            (PKCS#12)",
        why: "Windows, Java and some appliances import nothing else.",
        fix: "Write one: `certctl bundle example_com.zip --format pfx`.",
        source: "RFC 7292",
        ..TOPIC
    },
    CodeEntry {
        code: "redirect",
        meaning: "the answer of port 80 that sends visitors to https",
        why: "People type names without https. CAs follow the redirect, and also read the files \
            below /.well-known/ without one.",
        fix: "`certctl site example.com --static /srv/www` writes it with the block.",
        example: "return 301 https://$host$request_uri;",
        source: "RFC 9110 15.4.2",
        ..TOPIC
    },
    CodeEntry {
        code: "reverse-proxy",
        meaning: "a web server that passes requests on to an application",
        why: "The application listens only on this machine; the web server speaks TLS, and tells it \
            the visitor's address and scheme in headers such as X-Forwarded-Proto.",
        fix: "Write its block: `certctl site example.com --upstream http://127.0.0.1:8000`.",
        source: "RFC 9110 3.7",
        ..TOPIC
    },
    CodeEntry {
        code: "root",
        meaning: "the certificate of a CA that browsers trust because they have it in their list",
        why: "A root proves itself, so sending it is useless, and servers omit it. A company \
            has a root of its own, which only its machines trust.",
        fix: "Pass your company's root: `certctl verify example.com.crt --trust root.pem`.",
        source: "RFC 5280 3.2",
        ..TOPIC
    },
    CodeEntry {
        code: "san",
        meaning: "subject alternative name: the list of names in a certificate",
        why: "Browsers compare the address with this list only, and not with the common \
            name.",
        fix: "See the names: `certctl inspect example.com.crt`.",
        source: "RFC 5280 4.2.1.6",
        ..TOPIC
    },
    CodeEntry {
        code: "server-block",
        meaning: "the part of a web server's configuration that answers for some names",
        why: "It names the addresses, the certificate and what visitors get. Apache calls it a \
            virtual host, HAProxy a frontend.",
        fix: "Write one: `certctl site example.com --static /srv/www`.",
        example: "server { listen 443 ssl; server_name example.com; ... }",
        source: "nginx: How nginx processes a request",
        ..TOPIC
    },
    CodeEntry {
        code: "sni",
        meaning: "server name indication: the client sends the name of the site before the server \
            sends its certificate",
        why: "One address can serve many certificates. A client that sends no name gets the one of the \
            default server.",
        fix: "See what a server sends for a name: `certctl inspect www.example.com:443`.",
        source: "RFC 6066 3",
        ..TOPIC
    },
    CodeEntry {
        code: "upstream",
        meaning: "the application to which a web server passes requests",
        why: "If nothing listens at its address, the web server answers 502.",
        fix: "Start the application; `sudo ss -ltnp` lists what listens.",
        example: "proxy_pass http://127.0.0.1:8000;",
        source: "nginx: ngx_http_proxy_module",
        ..TOPIC
    },
    CodeEntry {
        code: "wildcard",
        meaning: "a name such as *.example.com, which stands for one label in front of the domain",
        why: "It covers www.example.com, and neither example.com nor a.b.example.com. CAs \
            validate it by DNS only.",
        fix: "Request both: `certctl csr example.com '*.example.com'`.",
        source: "RFC 9525 6.3",
        ..TOPIC
    },
    CodeEntry {
        code: "x-forwarded-proto",
        meaning: "the header by which a web server tells the application that the visitor uses https",
        why: "Without it, an application that redirects to https redirects every request again \
            (ERR_TOO_MANY_REDIRECTS), and Django refuses forms.",
        fix: "The block that certctl writes sets it; the application has to trust it, as Django does with \
            SECURE_PROXY_SSL_HEADER.",
        example: "proxy_set_header X-Forwarded-Proto $scheme;",
        source: "nginx: ngx_http_proxy_module",
        ..TOPIC
    },
];
