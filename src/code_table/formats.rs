//! Findings about the form of a file, which certctl normalizes.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

/// What to do about text that certctl has normalized, but that OpenSSL rejects.
const REPAIRED: &str = "Nothing to do: certctl writes clean PEM. If a server reads this file as it \
    is, replace it: `certctl bundle example.com.crt`.";

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "bare-base64",
        meaning: "the file has base64 without BEGIN and END lines; they were added",
        why: "OpenSSL finds no certificate in it (\"no start line\"), so no server loads it.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        example: "MIIE9DCCA9ygAwIBAgIQB0...",
        ..FINDING
    },
    CodeEntry {
        code: "ber",
        meaning: "the PKCS#7 or PKCS#12 file is encoded in BER instead of DER; it was normalized",
        why: "Both encodings mean the same, but some programs read only DER.",
        fix: "Nothing to do: certctl reads both.",
        source: "X.690",
        ..FINDING
    },
    CodeEntry {
        code: "blank-lines",
        meaning: "the PEM block has blank lines inside; they were removed",
        why: "OpenSSL rejects a block that is interrupted by a blank line, so the server does not \
            start or loses a certificate of the chain.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "byte-order-mark",
        meaning: "the file begins with a byte order mark; it was removed",
        why: "Windows editors add these invisible bytes. Most servers ignore them, other programs \
            do not find the BEGIN line.",
        fix: "Nothing to do: certctl writes clean PEM.",
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "bytes-after-certificate",
        meaning: "there are bytes after the certificate in its PEM block; they were removed",
        why: "OpenSSL rejects the block, so nginx, Apache and HAProxy do not start with this file.",
        fix: REPAIRED,
        source: "RFC 7468 5.1",
        ..FINDING
    },
    CodeEntry {
        code: "cr-alone",
        meaning: "the lines end in a lone carriage return; they were normalized",
        why: "OpenSSL sees one long line and finds no certificate.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "crlf",
        meaning: "the lines end in CR LF; they were normalized",
        why: "Files from Windows have these line ends. Servers accept them.",
        fix: "Nothing to do: certctl writes clean PEM.",
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "damaged-markers",
        meaning: "the BEGIN or END lines were changed by an editor or a web page",
        why: "Editors and web pages turn hyphens into dashes or drop some of them. OpenSSL then \
            finds no certificate.",
        fix: "Download the file instead of copying its text.",
        source: "RFC 7468 2",
        example: "# found\n\
            —–BEGIN CERTIFICATE—–\n\
            # needed\n\
            -----BEGIN CERTIFICATE-----",
        ..FINDING
    },
    CodeEntry {
        code: "der",
        meaning: "the file is DER, and most servers read PEM",
        why: "nginx, Apache and HAProxy find no certificate in it (\"no start line\"). Java and \
            Windows read DER.",
        fix: "Convert it: `certctl bundle example.com.cer`.",
        source: "nginx: ssl_certificate",
        example: "nginx: [emerg] cannot load certificate \"/etc/ssl/example.com.cer\":\n\
            PEM_read_bio_X509_AUX() failed (SSL: ... no start line)",
        ..FINDING
    },
    CodeEntry {
        code: "escaped-lines",
        meaning: "the line breaks are written as two characters (backslash and n); they were \
            restored",
        why: "The text was copied from JSON or from an environment variable. OpenSSL finds no \
            certificate in it.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        example: "\"-----BEGIN CERTIFICATE-----\\nMIIE...\\n-----END CERTIFICATE-----\\n\"",
        ..FINDING
    },
    CodeEntry {
        code: "glued-lines",
        meaning: "an END line and the next BEGIN line are joined, so OpenSSL cannot read the file",
        why: "`cat` joins two files like this if the first has no line break at its end. nginx \
            reports \"bad end line\" and does not start.",
        fix: "Write a clean file from the original ones: `certctl bundle example.com.crt \
            example.com.ca-bundle`.",
        source: "RFC 7468 2",
        example: "-----END CERTIFICATE----------BEGIN CERTIFICATE-----",
        ..FINDING
    },
    CodeEntry {
        code: "indented",
        meaning: "the lines of the PEM block are indented; they were normalized",
        why: "The text was copied from a YAML file or a mail. OpenSSL does not recognize an \
            indented BEGIN line.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "markup",
        meaning: "the text contains HTML; it was removed",
        why: "The certificate was copied from the source of a web page. OpenSSL rejects the tags \
            inside of the block.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "missing-end",
        meaning: "the PEM block has no END line; it was added",
        why: "OpenSSL does not accept a block without its END line. The end of the text was \
            probably not copied.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "no-final-newline",
        meaning: "the file does not end in a line break; it was added",
        why: "The file itself is fine. If another one is appended to it with `cat`, the lines are \
            joined and servers reject the result.",
        fix: "Nothing to do: certctl writes clean PEM.",
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "not-loadable",
        meaning: "servers cannot load the file, or not all of its certificates",
        why: "certctl reads more forms than OpenSSL does. nginx, Apache and HAProxy read the file \
            with OpenSSL and stop where the message says.",
        fix: "Write a clean file: `certctl bundle example.com.crt`.",
        source: "OpenSSL: SSL_CTX_use_certificate_chain_file",
        example: "nginx: [emerg] cannot load certificate \"/etc/ssl/example.com.pem\":\n\
            PEM_read_bio_X509_AUX() failed (SSL: ... bad base64 decode)",
        ..FINDING
    },
    CodeEntry {
        code: "one-line",
        meaning: "a BEGIN or END line shares its line with other text; it was normalized",
        why: "The line breaks were lost, typically in a web form. OpenSSL finds no certificate.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        example: "-----BEGIN CERTIFICATE----- MIIE9DCC... -----END CERTIFICATE-----",
        ..FINDING
    },
    CodeEntry {
        code: "pem-label",
        meaning: "the PEM block has an older label; it was normalized",
        why: "Older programs write `X509 CERTIFICATE` or `NEW CERTIFICATE REQUEST`. OpenSSL reads \
            them, some other programs do not.",
        fix: "Nothing to do: certctl writes the usual label.",
        source: "RFC 7468 5.1, 7",
        example: "-----BEGIN X509 CERTIFICATE-----",
        ..FINDING
    },
    CodeEntry {
        code: "pkcs12",
        meaning: "the file is PKCS#12; its contents were extracted",
        why: "Windows and Java use PKCS#12 (.pfx, .p12), which contains key and certificates. \
            Most servers on Linux do not read it.",
        fix: "Nothing to do: certctl extracts what is needed.",
        source: "RFC 7292",
        ..FINDING
    },
    CodeEntry {
        code: "pkcs7",
        meaning: "the file is PKCS#7; its contents were extracted",
        why: "CAs send PKCS#7 (.p7b) for Windows and Java. Most servers on Linux do not read it.",
        fix: "Nothing to do: certctl extracts the certificates.",
        source: "RFC 5652; RFC 7468 8",
        ..FINDING
    },
    CodeEntry {
        code: "quoted",
        meaning: "the lines are quoted as in a mail reply; the quoting was removed",
        why: "OpenSSL does not recognize a BEGIN line that starts with `>`.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        example: "> -----BEGIN CERTIFICATE-----\n\
            > MIIE9DCCA9ygAwIBAgIQB0...",
        ..FINDING
    },
    CodeEntry {
        code: "quoted-printable",
        meaning: "the text is quoted-printable; it was decoded",
        why: "Mail programs write long lines and equals signs like this. OpenSSL cannot decode \
            the block.",
        fix: REPAIRED,
        source: "RFC 2045 6.7",
        example: "MIIE9DCCA9ygAwIBAgIQB0=3D=3D\n\
            -----END CERTIFICATE-----",
        ..FINDING
    },
    CodeEntry {
        code: "trust-data",
        meaning: "the file has OpenSSL's TRUSTED CERTIFICATE blocks; the extra data was removed",
        why: "These blocks have trust settings after the certificate that only OpenSSL \
            understands.",
        fix: "Nothing to do: certctl writes plain certificates.",
        source: "OpenSSL x509(1), -trustout",
        example: "-----BEGIN TRUSTED CERTIFICATE-----",
        ..FINDING
    },
    CodeEntry {
        code: "unreadable-certificate",
        meaning: "a certificate has a field that breaks the encoding rules, such as a date",
        why: "OpenSSL decodes the certificate; certctl and some clients do not, so nothing about it \
            was checked.",
        fix: "Ask the CA to issue it again.",
        source: "RFC 5280 4.1",
        example: "# the thirteenth month\n\
            Not After : Bad time value",
        ..FINDING
    },
    CodeEntry {
        code: "unusual-whitespace",
        meaning: "the PEM block has unusual white space; it was normalized",
        why: "Web pages and word processors insert invisible characters that look like spaces. \
            OpenSSL rejects them.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "utf-16",
        meaning: "the file is in UTF-16; it was converted",
        why: "Windows programs write text like this, with two bytes per character. OpenSSL finds \
            no certificate in it.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "wrong-dashes",
        meaning: "a BEGIN or END line does not have exactly five hyphens on each side; it was \
            normalized",
        why: "OpenSSL needs exactly five ASCII hyphens. Editors turn them into dashes.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        ..FINDING
    },
    CodeEntry {
        code: "wrong-pem-label",
        meaning: "the label of the PEM block does not match its contents; it was corrected",
        why: "OpenSSL believes the label and then cannot decode the block.",
        fix: REPAIRED,
        source: "RFC 7468 2",
        ..FINDING
    },
];
