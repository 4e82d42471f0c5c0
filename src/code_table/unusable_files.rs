//! Findings about files that have nothing to use in them.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "binary",
        meaning: "the file is neither text nor a format that certctl reads",
        why: "It has no certificate that certctl could use. The download may be damaged, or it is \
            another file.",
        fix: "See what it is with `file example.com.crt`, and download the certificate again.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "crl",
        meaning: "the file is a revocation list, which is not part of a chain",
        why: "Servers do not send revocation lists. `status` uses them to check the certificates.",
        fix: "Nothing to do.",
        source: "RFC 5280 5",
        ..FINDING
    },
    CodeEntry {
        code: "damaged-block",
        meaning: "a PEM block or DER file cannot be read",
        why: "A part of it was lost or changed, so no server can load it.",
        fix: "Copy or download it again.",
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "damaged-pkcs12",
        meaning: "the PKCS#12 file cannot be read",
        why: "It is cut off or damaged.",
        fix: "Download it again.",
        source: "RFC 7292",
        ..FINDING
    },
    CodeEntry {
        code: "damaged-pkcs7",
        meaning: "the PKCS#7 file cannot be read",
        why: "It is cut off or damaged, or it contains something other than certificates.",
        fix: "Download it again. `openssl asn1parse -inform DER -in example.com.p7b` shows what \
            it contains.",
        source: "RFC 5652",
        ..FINDING
    },
    CodeEntry {
        code: "empty",
        meaning: "the file is empty",
        why: "A download or a write failed, perhaps because the disk was full.",
        fix: "Download it again.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "encrypted-entry",
        meaning: "an entry of the archive is encrypted",
        why: "certctl cannot read it without its password.",
        fix: "Write the password to a file that only you may read, and pass it: `certctl bundle \
            example_com.zip --password-file zip.password`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "html",
        meaning: "a web page was saved instead of the file",
        why: "The browser saved the login or error page of the CA.",
        fix: "Log in at the CA and download the file again.",
        source: "certctl",
        example: "<!DOCTYPE html>\n\
            <title>Log in</title>",
        ..FINDING
    },
    CodeEntry {
        code: "jks",
        meaning: "the file is a Java key store, which certctl does not read",
        why: "Its contents are in a format that only Java reads.",
        fix: "Convert it with keytool, and pass the result to certctl.",
        source: "keytool(1)",
        example: "keytool -importkeystore -srckeystore site.jks \\\n\
            \u{20}   -destkeystore site.p12 -deststoretype PKCS12",
        ..FINDING
    },
    CodeEntry {
        code: "locked-pkcs12",
        meaning: "no password opens the PKCS#12 file",
        why: "Key and certificates in it are encrypted. The password was chosen when the file was \
            made, or came in another mail.",
        fix: "Pass its password: `certctl bundle example.com.pfx --password-file pfx.password`.",
        source: "RFC 7292",
        ..FINDING
    },
    CodeEntry {
        code: "mail",
        meaning: "the mail contains no certificate",
        why: "CAs send several mails for an order. This is not the one with the certificate.",
        fix: "Pass the mail in which the certificate came, or its attachment: `certctl bundle \
            certificate.eml`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "mail-signature",
        meaning: "the certificate signs the mail and is not the server's",
        why: "Signed mails contain the certificate of the sender. It has nothing to do with the \
            site.",
        fix: "Nothing to do.",
        source: "RFC 8551",
        ..FINDING
    },
    CodeEntry {
        code: "more-findings",
        meaning: "more things were found than are listed",
        why: "certctl limits the list so that it stays readable.",
        fix: "Nothing to do. To see the rest, pass fewer files at a time.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "office-file",
        meaning: "the file is an office document",
        why: "certctl does not read documents. The certificate is probably inside as text or as \
            an attachment.",
        fix: "Open the document and save the certificates in it as a text file.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "other-pem-block",
        meaning: "a PEM block is neither a certificate, a request nor a key",
        why: "It is not needed for a server certificate.",
        fix: "Nothing to do.",
        source: "RFC 7468",
        ..FINDING
    },
    CodeEntry {
        code: "other-pkcs12-content",
        meaning: "the PKCS#12 file has content that certctl does not use",
        why: "A PKCS#12 file can also contain revocation lists and secrets of other kinds.",
        fix: "Nothing to do.",
        source: "RFC 7292",
        ..FINDING
    },
    CodeEntry {
        code: "pdf",
        meaning: "the file is a PDF document",
        why: "It is an invoice or a description, not the certificate.",
        fix: "Download the certificate from the CA's page.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "pgp",
        meaning: "the file is for PGP",
        why: "PGP keys and signatures have nothing to do with TLS.",
        fix: "Nothing to do.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "picture",
        meaning: "the file is a picture",
        why: "It is probably a site seal or a screenshot.",
        fix: "Download the certificate from the CA's page.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "public-key",
        meaning: "the file has a public key, which is not needed",
        why: "The certificate contains the public key already. The server needs the private one.",
        fix: "Nothing to do.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "still-archived",
        meaning: "the file is a zip or a mail, which a server cannot read",
        why: "The certificates are packed inside. A server needs the certificates themselves, in \
            one PEM file.",
        fix: "Write that file: `certctl bundle example_com.zip`.",
        source: "nginx: ssl_certificate",
        ..FINDING
    },
    CodeEntry {
        code: "symlink",
        meaning: "an entry of the archive is a symbolic link",
        why: "certctl never follows a link from an archive, because it could point to any file of \
            this machine.",
        fix: "Nothing to do.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "text",
        meaning: "the file is text without a certificate",
        why: "It is probably an instruction or a licence.",
        fix: "Nothing to do.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "too-many-iterations",
        meaning: "opening the file's encryption takes too much work",
        why: "The file asks for more rounds of key derivation than honest files have. certctl \
            stops, so that a crafted file cannot keep the machine busy.",
        fix: "If you trust the file, let OpenSSL decrypt a copy that only you may read, in a file \
            that does not exist yet: `(umask 077; set -C; openssl pkcs12 -in site.pfx -nodes \
            >site.pem)`.",
        source: "RFC 8018 4.2",
        ..FINDING
    },
    CodeEntry {
        code: "trailing-bytes",
        meaning: "bytes follow after the end of the certificate",
        why: "The file was damaged or something was appended. nginx rejects such a block.",
        fix: "Copy or download it again.",
        source: "X.690",
        ..FINDING
    },
    CodeEntry {
        code: "unknown-encryption",
        meaning: "the file's encryption is not supported",
        why: "certctl reads the usual kinds of encryption of PKCS#8 and PKCS#12 only.",
        fix: "Let OpenSSL decrypt a copy that only you may read, in a file that does not exist \
            yet: `(umask 077; set -C; openssl pkey -in site.key >site.plain.key)`.",
        source: "RFC 8018",
        ..FINDING
    },
    CodeEntry {
        code: "unsupported-archive",
        meaning: "the archive has a format that certctl does not read",
        why: "certctl reads zip. In another archive it cannot look for the certificate.",
        fix: "Unpack it, and pass its files: `certctl bundle example.com.crt \
            example.com.ca-bundle`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "unsupported-compression",
        meaning: "the archive's entry has a compression that certctl does not read",
        why: "The entry may be the certificate, and certctl cannot see it.",
        fix: "Unpack the archive, and pass its files: `certctl bundle example.com.crt \
            example.com.ca-bundle`.",
        source: "certctl",
        ..FINDING
    },
];
