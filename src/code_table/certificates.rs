//! Findings about certificates, chains and revocation lists.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "any-extended-key-usage",
        meaning: "the certificate allows any extended key usage, which public CAs must not issue",
        why: "Clients may reject a certificate that could be used for anything.",
        fix: "Report it to the CA and have the certificate reissued.",
        source: "BR 7.1.2.7.10",
        ..FINDING
    },
    CodeEntry {
        code: "ca-as-leaf",
        meaning: "the certificate is a CA's, not a server's",
        why: "A server cannot prove that it holds the key of a CA certificate, and clients reject \
            it as a server certificate. The usual cause is that the CA's bundle was passed in \
            place of the site's certificate.",
        fix: "Pass the file that the CA issued for the site together with the bundle: `certctl \
            bundle example.com.crt example.com.ca-bundle`.",
        source: "RFC 5280 4.2.1.9",
        ..FINDING
    },
    CodeEntry {
        code: "chain-refused",
        meaning: "the chain breaks a rule of RFC 5280",
        why: "Clients apply the same rules (name constraints, path length, key usage, critical \
            extensions) and reject the chain.",
        fix: "Use the intermediates that the CA offers for this certificate. If these are already \
            the right ones, send the message to the CA.",
        source: "RFC 5280 6.1",
        example: "# the intermediate may issue for one domain only\n\
            X509v3 Name Constraints: critical\n\
            \u{20}   Permitted: DNS:example.org",
        ..FINDING
    },
    CodeEntry {
        code: "client-auth-removed",
        meaning: "the certificate lacks the client authentication that the previous one had",
        why: "The site itself works. Whatever uses the certificate as a TLS client (mutual TLS, \
            SMTP between servers, RADIUS) fails with the new one.",
        fix: "Check whether anything uses this certificate as a client, and get a separate client \
            certificate for it.",
        source: "Chrome Root Program Policy 1.8",
        ..FINDING
    },
    CodeEntry {
        code: "crl-delta",
        meaning: "the revocation list is a delta, which says nothing about older entries",
        why: "A delta list has only the changes since a complete list. A certificate that was \
            revoked earlier is not in it.",
        fix: "Pass the complete list too.",
        source: "RFC 5280 5.2.4",
        ..FINDING
    },
    CodeEntry {
        code: "crl-missing",
        meaning: "the certificate names no CRL that can be downloaded",
        why: "Without a list, only the CA knows whether it revoked the certificate. CAs that issue \
            for a few days publish none, and neither do some company CAs.",
        fix: "If the CA gives out a list, pass it: `certctl status example.com.crt ca.crl`.",
        source: "RFC 5280 4.2.1.13",
        ..FINDING
    },
    CodeEntry {
        code: "crl-old",
        meaning: "the revocation list is out of date",
        why: "A newer list should exist by now, and the certificate may be on it.",
        fix: "Download the current list from the URL in the certificate's CRL distribution \
            points. `certctl inspect example.com.crt` shows it.",
        source: "RFC 5280 5.1.2.5",
        ..FINDING
    },
    CodeEntry {
        code: "crl-other-issuer",
        meaning: "the revocation list is from another issuer",
        why: "The list says nothing about this certificate, because only its own issuer can \
            revoke it.",
        fix: "Pass the revocation list of the certificate's issuer.",
        source: "RFC 5280 6.3.3",
        ..FINDING
    },
    CodeEntry {
        code: "crl-unchecked",
        meaning: "a CRL could not be used, so a revocation was not checked",
        why: "The list could not be downloaded, is out of date, covers other certificates, or its \
            signature was not made by the issuer. The certificate may be revoked.",
        fix: "Run it again later: `certctl status --crl`. If the list of your own CA has a private \
            address, allow it: `certctl status --crl=any`.",
        source: "RFC 5280 6.3.3",
        ..FINDING
    },
    CodeEntry {
        code: "expired",
        meaning: "the certificate has expired",
        why: "Browsers show a full-page warning, and other clients refuse to connect.",
        fix: "If a newer certificate has arrived, install it: `sudo certctl install`. Otherwise \
            renew it: `certctl renew example.com`.",
        source: "RFC 5280 4.1.2.5",
        example: "$ curl https://example.com\n\
            curl: (60) SSL certificate problem: certificate has expired",
        ..FINDING
    },
    CodeEntry {
        code: "host-not-covered",
        meaning: "the certificate does not cover the name",
        why: "Clients compare the name that they connect to with the DNS names in the \
            certificate, and reject the connection. A wildcard covers exactly one label: \
            `*.example.com` covers `www.example.com`, but neither `example.com` nor \
            `a.b.example.com`.",
        fix: "Have the certificate reissued with the name: `certctl csr example.com \
            shop.example.com`.",
        source: "RFC 9525 6.3",
        example: "# the certificate covers example.com and www.example.com\n\
            $ curl https://shop.example.com\n\
            curl: (60) SSL: no alternative certificate subject name matches\n\
            target host name 'shop.example.com'",
        ..FINDING
    },
    CodeEntry {
        code: "intermediate-expired",
        meaning: "an intermediate has expired",
        why: "Clients reject the chain although the certificate itself is valid. CAs replace \
            intermediates from time to time, and old bundles keep circulating.",
        fix: "Download the CA's current bundle and install it: `sudo certctl install \
            example.com.crt example.com.ca-bundle`.",
        source: "RFC 5280 6.1.3",
        ..FINDING
    },
    CodeEntry {
        code: "intermediate-expires-first",
        meaning: "an intermediate expires before the certificate",
        why: "From that day on clients reject the chain, although the certificate itself is still \
            valid.",
        fix: "Ask the CA for the bundle with its newer intermediate, and install that before the \
            day shown.",
        source: "RFC 5280 6.1.3",
        ..FINDING
    },
    CodeEntry {
        code: "invalid-modulus",
        meaning: "the RSA modulus or exponent breaks the rules",
        why: "CAs must not issue for an RSA key whose length is not a multiple of 8 bits or whose \
            exponent is even or too small. Some clients reject it.",
        fix: "Make a new key and have the certificate reissued: `certctl csr example.com --force`.",
        source: "BR 6.1.5, 6.1.6",
        ..FINDING
    },
    CodeEntry {
        code: "invalid-serial",
        meaning: "the serial number breaks the rules",
        why: "A serial number must be positive and have at most 20 octets. Some clients reject \
            other certificates.",
        fix: "Report it to the CA and have the certificate reissued.",
        source: "RFC 5280 4.1.2.2",
        ..FINDING
    },
    CodeEntry {
        code: "malformed-name",
        meaning: "a name in the certificate is malformed",
        why: "Clients ignore a name that is not a proper DNS name, or reject the certificate.",
        fix: "Have the certificate reissued with the correct name: `certctl csr example.com`.",
        source: "RFC 5280 4.2.1.6; BR 7.1.2.7.12",
        ..FINDING
    },
    CodeEntry {
        code: "missing-intermediate",
        meaning: "an intermediate is missing",
        why: "Clients know the roots, not the intermediates. Some browsers find a missing one by \
            themselves, so the site seems to work, while curl, mobile apps and other servers \
            fail.",
        fix: "Add the CA's bundle: `certctl bundle example.com.crt example.com.ca-bundle`. If you \
            do not have it, let certctl download it: `certctl bundle example.com.crt --aia`.",
        source: "RFC 8446 4.4.2",
        example: "$ curl https://example.com\n\
            curl: (60) SSL certificate problem: unable to get local issuer\n\
            certificate",
        ..FINDING
    },
    CodeEntry {
        code: "no-names",
        meaning: "the certificate has no DNS names, so clients reject it",
        why: "Clients do not look at the common name any more. A certificate without DNS names \
            matches no site.",
        fix: "Have it reissued with its names: `certctl csr example.com`.",
        source: "RFC 9525 6.3; BR 7.1.2.7.12",
        ..FINDING
    },
    CodeEntry {
        code: "no-server-auth",
        meaning: "the certificate is not for servers",
        why: "A server certificate needs the extended key usage serverAuth. Clients reject one \
            without it, Apple's devices in any case.",
        fix: "Use the certificate that the CA issued for the site, or have it reissued as a \
            server certificate.",
        source: "RFC 5280 4.2.1.12; BR 7.1.2.7.10",
        ..FINDING
    },
    CodeEntry {
        code: "not-revoked",
        meaning: "the current CRL of the issuer does not list the certificate",
        why: "The CA had not revoked it when it issued the list.",
        fix: "Nothing to do.",
        source: "RFC 5280 6.3.3",
        ..FINDING
    },
    CodeEntry {
        code: "not-yet-valid",
        meaning: "the certificate is not valid yet",
        why: "Clients reject a certificate before its first day. If it was issued in the past, \
            the clock of this machine is wrong.",
        fix: "Check the clock with `date -u`. If it is right, wait until the time shown before \
            you install the certificate.",
        source: "RFC 5280 4.1.2.5",
        example: "Not Before: May 11 00:00:00 2027 GMT\n\
            # but this machine says\n\
            $ date -u\n\
            Tue Jan  1 00:03:12 UTC 2019",
        ..FINDING
    },
    CodeEntry {
        code: "outdated-ca",
        meaning: "the chain has a CA certificate that is known to be outdated",
        why: "Clients have removed this CA certificate or its root, or it has expired. A server \
            that sends it makes some of them fail.",
        fix: "Use the bundle that the CA offers today.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "refused-by-some-clients",
        meaning: "some clients refuse the chain; OpenSSL accepts it",
        why: "Python 3.13 and later, rustls and GnuTLS apply rules of RFC 5280 that other clients \
            ignore; Go and Firefox refuse a few chains that RFC 5280 allows. The message names the \
            rule and the clients that refuse the chain.",
        fix: "Nothing to do if no such client connects. Otherwise ask the CA to issue the \
            certificate again by the rule that the message names.",
        source: "RFC 5280 4.2",
        example: "# Python 3.13 reports, for a CA made without this extension\n\
            certificate verify failed: Missing Authority Key Identifier",
        ..FINDING
    },
    CodeEntry {
        code: "revoked",
        meaning: "the certificate was revoked",
        why: "The CA has declared it invalid before its expiry, and clients that check revocation \
            reject it. If its key was compromised, others may be able to impersonate the site.",
        fix: "Make a new key and request, and have the certificate reissued: `certctl csr \
            example.com --force`.",
        source: "RFC 5280 3.3; BR 4.9.1.1",
        ..FINDING
    },
    CodeEntry {
        code: "self-signed",
        meaning: "the certificate is self-signed",
        why: "No CA vouches for it, so clients show a warning or refuse to connect.",
        fix: "Install the certificate that the CA issued. If clients are meant to trust this very \
            certificate, pass it: `certctl verify example.com.crt --trust example.com.crt`.",
        source: "RFC 5280 6.1",
        example: "$ curl https://example.com\n\
            curl: (60) SSL certificate problem: self-signed certificate",
        ..FINDING
    },
    CodeEntry {
        code: "too-few-scts",
        meaning: "the certificate has the timestamps of too few Certificate Transparency logs",
        why: "Chrome, Safari and Firefox refuse a certificate of a public CA that fewer than 2 \
            logs have recorded, or 3 if it is valid for more than 180 days.",
        fix: "Ask the CA to issue it again with the timestamps (SCTs) in it. `certctl inspect \
            example.com.crt` lists them.",
        source: "Chrome CT Policy; Apple Certificate Transparency policy",
        ..FINDING
    },
    CodeEntry {
        code: "too-many-candidates",
        meaning: "too many certificates could issue each other",
        why: "certctl limits its search for a chain, so that crafted files cannot keep it busy. \
            Nothing was verified.",
        fix: "Pass only what the CA sent for this site: its certificate and its bundle.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "trust-stores-disagree",
        meaning: "one trust store accepts the chain and the other rejects it",
        why: "Browsers bring their own list of roots (certctl has Mozilla's built in), while curl \
            and many programs use the list of the operating system. The certificate works for one \
            group only.",
        fix: "If the clients of this site trust the system's roots, verify against them: `certctl \
            verify example.com.crt --trust system`. For a public site, get a certificate whose \
            root is in both lists.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "unknown-issuer",
        meaning: "the issuer was not found; it may be the root of a company's own CA",
        why: "Clients need a path to a root that they know. A certificate of a public CA names a \
            URL of its issuer; this one does not, so it is probably from a private CA. Then either \
            its root was not passed, or an intermediate is missing.",
        fix: "If it is your company's CA, pass its root: `certctl verify example.com.crt --trust \
            company-root.pem`. If that finds no path either, add the CA's intermediate.",
        source: "RFC 5280 6.1",
        example: "$ openssl verify example.com.crt\n\
            error 20 at 0 depth lookup: unable to get local issuer certificate",
        ..FINDING
    },
    CodeEntry {
        code: "unknown-root",
        meaning: "the chain ends in a root that is not trusted",
        why: "Clients that do not have this root reject the connection. A company's own CA is \
            trusted only on machines where its root was installed.",
        fix: "If it is your company's CA, pass its root: `certctl verify example.com.crt --trust \
            company-root.pem`.",
        source: "RFC 5280 6.1",
        example: "$ openssl verify example.com.crt\n\
            error 20 at 0 depth lookup: unable to get local issuer certificate",
        ..FINDING
    },
    CodeEntry {
        code: "validity-too-long",
        meaning: "the certificate is valid for longer than public CAs may issue",
        why: "Browsers reject public certificates that exceed the limit for their date of issue: \
            398 days before 2026-03-15, 200 days from then on, 100 days from 2027-03-15 and 47 \
            days from 2029-03-15.",
        fix: "Have it reissued with a shorter validity.",
        source: "BR 6.3.2; SC-081",
        ..FINDING
    },
    CodeEntry {
        code: "weak-key",
        meaning: "the key is too weak",
        why: "Such a key can be broken, so clients and servers refuse it. OpenSSL reports \"ee \
            key too small\".",
        fix: "Make a new key and have the certificate reissued: `certctl csr example.com --force`.",
        source: "BR 6.1.5",
        example: "nginx: [emerg] SSL_CTX_use_certificate(\"/etc/ssl/x.crt\") failed\n\
            (SSL: error:0A00018F:SSL routines::ee key too small)",
        ..FINDING
    },
    CodeEntry {
        code: "weak-signature",
        meaning: "the signature algorithm is too weak",
        why: "Signatures with SHA-1, MD5 or a short key can be forged. Clients reject a chain \
            that has one below the root.",
        fix: "Use the CA's current bundle. If the certificate of the site itself is meant, have \
            it reissued.",
        source: "BR 7.1.3.2",
        ..FINDING
    },
    CodeEntry {
        code: "wrong-key",
        meaning: "the key does not belong to the certificate",
        why: "The server cannot prove that it owns the certificate. nginx, HAProxy and OpenSSL \
            report \"key values mismatch\". Apache does not notice it in its configuration test \
            and stops at the next reload.",
        fix: "Pass the key that was made with the request: `certctl verify example.com.crt --key \
            example.com.key`. If it is lost, have the certificate reissued for a new request.",
        source: "OpenSSL X509_check_private_key",
        example: "nginx: [emerg] SSL_CTX_use_PrivateKey(\"/etc/ssl/x.key\") failed\n\
            (SSL: error:05800074:x509 certificate routines::key values mismatch)",
        ..FINDING
    },
    CodeEntry {
        code: "wrong-key-type",
        meaning: "the key has another type than the certificate needs",
        why: "An RSA key never belongs to an ECDSA certificate, nor the reverse. `nginx -t` \
            accepts such files, and then every handshake fails.",
        fix: "Pass the key that was made with the request. `certctl inspect example.com.key` \
            shows its type.",
        source: "OpenSSL X509_check_private_key",
        example: "# the certificate\n\
            Public Key Algorithm: id-ecPublicKey\n\
            # the key\n\
            Private-Key: (2048 bit, 2 primes)",
        ..FINDING
    },
];
