//! Findings about requests, their names and keys.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "address-as-name",
        meaning: "an IP address is given as a name",
        why: "Few resellers sell certificates for IP addresses, and a visitor who types the name \
            of the site would get an error.",
        fix: "Request the DNS name of the site: `certctl csr example.com`. If your company's own \
            CA issues it, add `--ca private`.",
        source: "BR 3.2.2.5",
        ..FINDING
    },
    CodeEntry {
        code: "already-installed",
        meaning: "a certificate for these names is installed",
        why: "Some CAs refuse a request that was used before. `renew` makes a new key and request \
            for the same names.",
        fix: "Renew it instead: `certctl renew example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "apex-missing",
        meaning: "the request has www.NAME or *.NAME but not NAME",
        why: "A certificate for `www.example.com` or `*.example.com` does not cover \
            `example.com`. Some CAs add it, others do not. If it is missing, visitors of the \
            shorter name get an error.",
        fix: "Request both: `certctl csr example.com www.example.com`.",
        source: "RFC 9525 6.3",
        ..FINDING
    },
    CodeEntry {
        code: "broken-key",
        meaning: "the private key is publicly known or can be computed from the public key",
        why: "Anyone can impersonate the site with such a key (weak generators such as \
            ROCA, and keys that were published). CAs must refuse it and must revoke certificates for it.",
        fix: "Make a new key and have the certificate reissued: `certctl csr example.com \
            --force`. The old key is kept as a numbered backup.",
        source: "BR 6.1.1.3",
        ..FINDING
    },
    CodeEntry {
        code: "client-auth",
        meaning: "the certificate or request is for client authentication too, which public CAs \
            stop issuing",
        why: "Chrome's root program ends certificates with both purposes on 2027-03-15. Whatever \
            uses the certificate as a TLS client (mutual TLS, SMTP between servers, RADIUS) will \
            fail after that.",
        fix: "Plan for a separate client certificate from your company's own CA or another CA.",
        source: "Chrome Root Program Policy 1.8",
        ..FINDING
    },
    CodeEntry {
        code: "common-name-not-listed",
        meaning: "the common name is not among the DNS names",
        why: "Clients ignore the common name and look at the DNS names only. CAs must not issue a \
            certificate whose common name is not one of them.",
        fix: "Request it as a name too, or choose one of the names as the common name.",
        source: "BR 7.1.4.3",
        ..FINDING
    },
    CodeEntry {
        code: "country-code",
        meaning: "the country is not a code of two capital letters",
        why: "CAs refuse a country that is not an ISO 3166-1 code.",
        fix: "Use the two-letter code: `certctl csr example.com --subject 'O=Example GmbH,C=DE'`.",
        source: "RFC 5280 A.1; BR 7.1.4.2",
        ..FINDING
    },
    CodeEntry {
        code: "files-of-root",
        meaning: "root created key and request in the folder of another user",
        why: "That user cannot read the key, so `certctl` without sudo does not find the certificate's \
            key in this folder.",
        fix: "Nothing to do if only root works with these files. Otherwise change their owner: `sudo \
            chown ann:ann example.com.key example.com.csr`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "internal-name",
        meaning: "the name is internal, and public CAs do not issue for it",
        why: "The name does not exist in public DNS, so no CA can validate control of it.",
        fix: "Use a name below a domain that you own. If your company's own CA issues it: \
            `certctl csr server1 --ca private`.",
        source: "BR 4.2.2, 7.1.2.7.12",
        ..FINDING
    },
    CodeEntry {
        code: "key-not-opened",
        meaning: "an encrypted key was not opened, so whether it belongs to the request is unknown",
        why: "certctl found the key but has no password for it. If it belongs to another request, \
            the certificate will not match it.",
        fix: "Pass its password: `certctl csr example.com --password-file key.password`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "key-reused",
        meaning: "the key was used before",
        why: "Anyone who obtains the key can impersonate all sites that use it, and each must \
            change it when it leaks.",
        fix: "Leave out `--key`, so that certctl makes a new key for this request.",
        source: "NIST SP 800-57 part 1, 5.2",
        ..FINDING
    },
    CodeEntry {
        code: "look-alike-name",
        meaning: "the name mixes scripts or looks like another name",
        why: "Browsers show such names in their encoded form (xn--...), and CAs may refuse them. \
            Often a letter was typed on the wrong keyboard layout.",
        fix: "Compare the name letter by letter with the one at your DNS provider.",
        source: "UTS 39 5.2",
        example: "# the first letter is Cyrillic\n\
            аpple.example is xn--pple-43d.example",
        ..FINDING
    },
    CodeEntry {
        code: "mailbox-as-name",
        meaning: "a mail address is given as a name",
        why: "A TLS certificate is issued for DNS names. A mail address needs an S/MIME \
            certificate.",
        fix: "Request the DNS name: `certctl csr example.com`.",
        source: "BR 7.1.2.7.12",
        ..FINDING
    },
    CodeEntry {
        code: "must-staple",
        meaning: "the request asks for OCSP must-staple, which most CAs no longer support",
        why: "A certificate with must-staple is rejected by clients unless the server sends an \
            OCSP response. Since OCSP is optional, many CAs have none, so the site would fail.",
        fix: "Make the request without must-staple.",
        source: "RFC 7633; SC-063",
        ..FINDING
    },
    CodeEntry {
        code: "organizational-unit",
        meaning: "the subject has an organizational unit, which public CAs drop",
        why: "Public CAs may not issue certificates with an OU since 2022-09-01. They drop it or \
            refuse the request.",
        fix: "Leave OU out of `--subject`.",
        source: "SC-047",
        ..FINDING
    },
    CodeEntry {
        code: "public-suffix",
        meaning: "the name is a public suffix",
        why: "Anyone may register names below a public suffix such as `co.uk`. No CA issues a \
            certificate that would cover them.",
        fix: "Request a name below it that you own: `certctl csr example.co.uk`.",
        source: "BR 3.2.2.6; publicsuffix.org",
        ..FINDING
    },
    CodeEntry {
        code: "reserved-name",
        meaning: "the name is reserved, and public CAs do not issue for it",
        why: "Names such as `.test`, `.local` and `home.arpa` never exist in public DNS, so \
            control of them cannot be validated.",
        fix: "Use a name below a domain that you own. If your company's own CA issues it: \
            `certctl csr printer.home.arpa --ca private`.",
        source: "BR 4.2.2; SC-086",
        ..FINDING
    },
    CodeEntry {
        code: "rsa-too-short",
        meaning: "the RSA key is too short",
        why: "Keys of less than 2048 bits can be broken. CAs refuse them, and clients reject \
            certificates that have one.",
        fix: "Make a key of at least 2048 bits: `certctl csr example.com --key-type rsa-2048 \
            --force`.",
        source: "BR 6.1.5",
        ..FINDING
    },
    CodeEntry {
        code: "shared-suffix",
        meaning: "the name is below a suffix that a provider shares among customers",
        why: "Only the owner of the suffix, such as `github.io`, gets a certificate for the \
            suffix itself. Its customers get one for their own name at most.",
        fix: "Check that the name is yours and not the provider's.",
        source: "BR 3.2.2.6; publicsuffix.org (private section)",
        ..FINDING
    },
    CodeEntry {
        code: "subject-too-long",
        meaning: "a part of the subject is too long",
        why: "RFC 5280 limits each part, the common name and the organization to 64 characters. \
            CAs refuse longer ones.",
        fix: "Shorten that part of `--subject`.",
        source: "RFC 5280 A.1; BR 7.1.4.2",
        ..FINDING
    },
    CodeEntry {
        code: "too-many-names",
        meaning: "the request has more names than most resellers accept",
        why: "Many CAs and resellers accept at most 100 names in a certificate and refuse the \
            order.",
        fix: "Split the names over several certificates, or use a wildcard: `certctl csr \
            '*.example.com'`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "underscore-in-name",
        meaning: "the name has an underscore, which public CAs do not issue",
        why: "Host names consist of letters, digits and hyphens. Public CAs may not issue for \
            names with an underscore since 2019-04-30.",
        fix: "Rename the host: use a hyphen instead of the underscore.",
        source: "BR 7.1.2.7.12",
        ..FINDING
    },
    CodeEntry {
        code: "unsupported-key-type",
        meaning: "public CAs do not issue for a key of this type",
        why: "Public CAs may issue for RSA and for ECDSA on P-256, P-384 and P-521 only. Ed25519 \
            works with a company's own CA.",
        fix: "Make a key of another type: `certctl csr example.com --key-type ecdsa-p256 --force`.",
        source: "BR 6.1.5",
        ..FINDING
    },
    CodeEntry {
        code: "unusual-key-type",
        meaning: "some CAs and clients do not accept a key of this type",
        why: "Mozilla's root store policy does not allow P-521, so many CAs refuse it, and some \
            clients cannot use it.",
        fix: "Make an ECDSA P-256 key: `certctl csr example.com --key-type ecdsa-p256 --force`.",
        source: "Mozilla Root Store Policy 5.1",
        ..FINDING
    },
    CodeEntry {
        code: "www-missing",
        meaning: "the request has NAME but not www.NAME",
        why: "A certificate for `example.com` does not cover `www.example.com`. Some CAs add it, \
            others do not. If it is missing, visitors of the www name get an error.",
        fix: "Request both: `certctl csr example.com www.example.com`.",
        source: "RFC 9525 6.3",
        ..FINDING
    },
];
