//! Findings about orders through ACME or the API of a reseller.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "account-not-imported",
        meaning: "the account of the other program is not used",
        why: "certctl signs with ECDSA P-256 keys only, and certbot's accounts have RSA keys. The \
            first renewal creates a new account. CAA records with the old `accounturi` no longer fit.",
        fix: "Nothing, unless the CA demands an external account binding: then order once with \
            `--eab-kid` and `--eab-hmac-key-file`.",
        source: "RFC 8555 7.3; RFC 8657 3",
        ..FINDING
    },
    CodeEntry {
        code: "activation-is-final",
        meaning: "a certificate that was bought was activated for these names",
        why: "An activation uses the purchase for the first name of the request. Later reissues are free, \
            and keep that name.",
        fix: "Nothing to do. With `--dry-run` the same command shows product and names and activates \
            nothing.",
        source: "namecheap.com/support/api/methods/ssl/activate",
        ..FINDING
    },
    CodeEntry {
        code: "automatic-alternatives",
        meaning: "a certificate is renewed by hand, and what would renew it without you",
        why: "Certificates are valid for at most 200 days since 2026-03-15, for 100 from 2027-03-15, and \
            for 47 from 2029-03-15. `certctl renew` prints this once, with the first renewal.",
        fix: "Nothing to do if you renew by hand. Otherwise: `certctl order www.example.com --ca \
            letsencrypt`, or an account with access to the reseller's API: `certctl explain namecheap`.",
        source: "CA/Browser Forum ballot SC-081v3",
        ..FINDING
    },
    CodeEntry {
        code: "ca-refused",
        meaning: "the CA refused the order, and says why",
        why: "The order is closed. Most refusals are about validation: the CA could not see the \
            file or the record. What certctl itself sees follows.",
        fix: "Remove the cause that the CA names, then run the command again: it places a new \
            order. Let's Encrypt allows five failed validations an hour for each name.",
        source: "RFC 8555 6.7, 7.1.6",
        ..FINDING
    },
    CodeEntry {
        code: "certificate-bought",
        meaning: "a certificate was bought, and the account was charged",
        why: "`--buy` was given. The number of the certificate is saved: reissues within the paid term \
            are free.",
        fix: "Nothing to do. `certctl renew` buys nothing.",
        source: "namecheap.com/support/api/methods/ssl/create",
        ..FINDING
    },
    CodeEntry {
        code: "certificate-in-use",
        meaning: "the certificate is still in use, so it is not revoked",
        why: "Clients that check revocation would refuse the site at once. A certificate is in use \
            if it is the installed one, or if a server of this machine sends it.",
        fix: "Replace it first (`certctl order example.com --ca letsencrypt --force`), then revoke \
            the replaced one: `certctl revoke example.com --replaced`.",
        source: "RFC 5280 5.3.1",
        ..FINDING
    },
    CodeEntry {
        code: "certificate-not-usable",
        meaning: "the reseller's certificate cannot be issued for this request now",
        why: "It has a state in which the reseller accepts no request, or it is in use for another \
            request.",
        fix: "Do what the message says for its state, and run the same command again.",
        source: "namecheap.com/support/api/methods/ssl/get-info",
        ..FINDING
    },
    CodeEntry {
        code: "challenge-file-unchecked",
        meaning: "certctl could not fetch a test file as the CA would",
        why: "A firewall or router may prevent this machine from reaching its own public address. \
            The CA may still reach it, but each failed validation counts against its limits.",
        fix: "Make port 80 of the name's addresses reachable from here, or order with \
            `--allow challenge-file-unchecked`.",
        source: "RFC 8555 8.3",
        ..FINDING
    },
    CodeEntry {
        code: "challenge-file-wrong",
        meaning: "a test file in the webroot is not served, or the name has no address",
        why: "The CA fetches the validation file over port 80 from any address of the name. It \
            would refuse the order, so certctl has not placed it.",
        fix: "Pass the folder that the web server serves for this name, and let it serve \
            `/.well-known/acme-challenge/` over plain HTTP: \
            `certctl order example.com --ca letsencrypt --webroot /var/www/html`.",
        example: "server {\n    listen 80;\n    server_name example.com;\n    root /var/www/html;\n}",
        source: "RFC 8555 8.3",
        ..FINDING
    },
    CodeEntry {
        code: "hook-not-imported",
        meaning: "the other program ran a command after each renewal, which certctl does not run",
        why: "Most such commands reload the web server, which certctl does by itself. Another command \
            may copy the certificate to another service.",
        fix: "If the command does more than that, save it: `sudo certctl install example.com --after \
            /usr/local/sbin/hook`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "import-failed",
        meaning: "one of several certificates was not taken over",
        why: "The other program still renews it, and the other certificates were taken over.",
        fix: "Remove the cause that the message names, then run the command again for this name: \
            `sudo certctl import certbot example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "last-renewal-failed",
        meaning: "a renewal failed, and it is not tried again yet",
        why: "A CA limits how often validation may fail. The pause after each failure is longer, and \
            never longer than a quarter of the time that is left.",
        fix: "Remove the cause that the message names, then try at once: `certctl renew \
            example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "order-pending",
        meaning: "the order is not finished, and the same command continues it",
        why: "The CA, the network or this machine failed after the order was placed. certctl keeps \
            the order, the account and the key.",
        fix: "Remove the cause that the message names, and run the same command again.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "outside-install-window",
        meaning: "the next certificate is here, and is installed when `install_window` opens",
        why: "The configuration says when servers may be reloaded. The current certificate does not \
            expire before.",
        fix: "Nothing to do where a timer runs `renew` within the window. To install it now: `certctl \
            renew example.com --force`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "paid-term-ends",
        meaning: "the certificate cannot be reissued any more: what was paid for is over",
        why: "A reissue ends with the paid term. certctl never buys by itself.",
        fix: "Buy another one with the command that is shown, or at the reseller, or change to a CA that \
            does not charge: `certctl order www.example.com --ca letsencrypt`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "purchase-unconfirmed",
        meaning: "an earlier run was ended while it bought a certificate",
        why: "certctl does not know whether the purchase arrived, and buys nothing twice.",
        fix: "Look at the certificates of the account. If the purchase is there, pass its number: \
            `certctl order www.example.com --ca namecheap --certificate 953413`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "record-differs-from-request",
        meaning: "the reseller's record is not derived from this request",
        why: "CSR-hash validation uses the MD5 and the SHA-256 of the request, so certctl can compute the \
            record except for its last labels. The reseller's own record counts.",
        fix: "Nothing to do if the certificate is issued. Otherwise compare the request at the reseller \
            with the one in the folder: `certctl inspect www.example.com.csr`.",
        source: "docs.sectigo.com/sps/domain-control-validation/request-token",
        ..FINDING
    },
    CodeEntry {
        code: "renewal-failed",
        meaning: "a certificate that is due could not be ordered",
        why: "The certificate expires unless a later run succeeds or somebody acts. Servers keep the \
            current one until then.",
        fix: "Remove the cause that the message names, then renew it: `certctl renew example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "renewed-elsewhere",
        meaning: "another program renews the certificate; an error if it is due, and was taken over by \
            certctl",
        why: "Two programs would order the same certificate, and each would count against the limits \
            of the CA.",
        fix: "Stop the other program for this name with the command that is printed with this finding. For \
            certbot, it renames the file of the name in /etc/letsencrypt/renewal.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "revocation-failed",
        meaning: "one of several certificates could not be revoked",
        why: "The CA, the network or this machine failed after another certificate was revoked.",
        fix: "Remove the cause that the message names, and run the same command again.",
        source: "RFC 8555 7.6",
        ..FINDING
    },
    CodeEntry {
        code: "tlsa-mismatch",
        meaning: "a TLSA record is for the certificate that is renewed, or for its key",
        why: "Mail servers that check DANE deliver nothing to a server whose certificate no TLSA record \
            allows. Records for the key (selector 1) stay right as long as the key is kept.",
        fix: "Publish the record for the new certificate beside the old one, or keep the key: \
            `sudo certctl renew example.com --reuse-key`.",
        example: "_25._tcp.mail.example.com. TLSA 3 1 1 0b9fa5a5...",
        source: "RFC 7671 8.1",
        ..FINDING
    },
    CodeEntry {
        code: "validation-repeated",
        meaning: "the CA did not see the record at the first attempt, and certctl tried once more",
        why: "Every server of the zone had the record. The CA's resolver may have kept an older answer \
            for some seconds, or asked a server that had not taken the record over.",
        fix: "Nothing to do, if the second attempt succeeded. If it happens at each renewal, ask the DNS \
            provider how long its servers need.",
        source: "RFC 2308 5; RFC 8555 8.4",
        ..FINDING
    },
];
