//! Findings about what servers send after an installation, and about files that belong to one
//! certificate.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "answers-differ",
        meaning: "one address sends different certificates to the same client",
        why: "Several servers share the address (a load balancer, several processes), and they do not \
            have the same certificate. Which one a visitor gets is a matter of chance.",
        fix: "Install the same certificate on every server behind the address, and reload each of \
            them.",
        source: "certctl",
        example: "# one of two backends was not reloaded\n\
            certctl verify example.com:443",
        ..FINDING
    },
    CodeEntry {
        code: "handshakes-fail",
        meaning: "with the new certificate the server refuses clients that it accepted before",
        why: "An alert ends the handshake at once, and waiting does not change that. The previous \
            certificate was restored within a second.",
        fix: "Check that the server's protocols and cipher suites allow the key type of the new \
            certificate, and that its key usage contains digitalSignature. Request a certificate \
            that fits.",
        source: "RFC 8446 6.2",
        example: "# only RSA certificates, and the new one is ECDSA\n\
            ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;",
        ..FINDING
    },
    CodeEntry {
        code: "key-not-checked",
        meaning: "the server sends the certificate, and whether it has the key was not checked",
        why: "certctl does not support the key or the algorithms that the server requires, so it \
            could not complete the handshake in which the server proves that it has the key. Many \
            browsers do not support them either. With `--key none` an install needs this \
            handshake, because certctl does not have the key.",
        fix: "Nothing to do if all clients support it. Otherwise allow TLS 1.3, or ECDHE suites \
            with AES-GCM, and use an RSA-2048 or ECDSA P-256 key. With `--key none`, pass an \
            address where the server uses the certificate: \
            `sudo certctl install a.zip --key none --probe 127.0.0.1:443`.",
        source: "RFC 5246 7.4.2",
        example: "ssl_protocols TLSv1.2;\n\
            ssl_ciphers AES256-GCM-SHA384;",
        ..FINDING
    },
    CodeEntry {
        code: "listeners-not-searched",
        meaning: "it is not known whether a server still sends the previous certificate",
        why: "Where certctl reloads and probes no server, it asks every TLS server of the machine, for \
            a limited number of certificates in a run.",
        fix: "Check this certificate on its own: `sudo certctl install example.com --check`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "not-verified",
        meaning: "which certificate the server sends could not be read",
        why: "The server speaks only TLS 1.3 with groups or algorithms that certctl does not \
            support. It refused certctl in the same way before the installation, so this is no \
            sign of a fault. The files are installed and the server was reloaded.",
        fix: "Check the certificate with another client, for instance `openssl s_client -connect \
            127.0.0.1:443`.",
        source: "certctl",
        example: "ssl_protocols TLSv1.3;\n\
            ssl_ecdh_curve X448;",
        ..FINDING
    },
    CodeEntry {
        code: "other-without-sni",
        meaning: "clients without SNI get another certificate",
        why: "Without the name in the handshake, the server sends the certificate of its default \
            site. Browsers send the name; some monitoring tools and old clients do not.",
        fix: "Nothing to do, unless clients without SNI use this site: then make it the default \
            site of the address.",
        source: "RFC 6066 3",
        ..FINDING
    },
    CodeEntry {
        code: "previous-certificate-served",
        meaning: "a running server still sends the previous certificate",
        why: "The files were replaced, but this server read them when it started and was not \
            reloaded, or its reload had no effect. Visitors get the previous certificate until it \
            expires.",
        fix: "Reload or restart the server. Give certctl the command and the address, as in the \
            example, so that the next renewal does it.",
        source: "certctl",
        example: "$ sudo certctl install example.com \\\n\
            \x20   --reload \"systemctl reload dovecot\" --probe 127.0.0.1:993",
        ..FINDING
    },
    CodeEntry {
        code: "previous-files-open",
        meaning: "a process has the previous files open or mapped",
        why: "A program that keeps a file open reads its old content after the file was replaced.",
        fix: "Reload or restart the program that certctl lists.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "related-file-outdated",
        meaning: "the server reads a file that belongs to the old certificate",
        why: "OCSP responses, issuers and CT timestamps are about one certificate. With another one \
            they are useless, and some clients reject the connection.",
        fix: "Replace or remove the file as certctl prints, then reload the server.",
        source: "nginx: ssl_stapling_file; HAProxy: ssl-load-extra-files",
        example: "/etc/haproxy/certs/example.com.pem\n\
            /etc/haproxy/certs/example.com.pem.ocsp",
        ..FINDING
    },
    CodeEntry {
        code: "server-test-warning",
        meaning: "the server's own test succeeded with warnings about the certificate's files",
        why: "The server can use the files, but ignores a part of its configuration or of them.",
        fix: "Read the quoted lines. They often concern OCSP stapling.",
        source: "certctl",
        example: "nginx: [warn] \"ssl_stapling\" ignored, issuer certificate not\n\
            found for certificate \"/etc/ssl/example.com.fullchain.pem\"",
        ..FINDING
    },
    CodeEntry {
        code: "stapled-response-differs",
        meaning: "the server staples an OCSP response that is not for the certificate",
        why: "Clients that check the stapled response reject the connection.",
        fix: "Replace the stored response (nginx: `ssl_stapling_file`, HAProxy: the file `.ocsp` \
            next to the certificate) or stop using it, then reload the server.",
        source: "RFC 6066 8; RFC 6960 4.2.1",
        example: "ssl_stapling on;\n\
            ssl_stapling_file /etc/nginx/ssl/example.com.ocsp;",
        ..FINDING
    },
    CodeEntry {
        code: "tree-server-not-read",
        meaning: "a server of the tree was neither read nor reloaded",
        why: "With `--root`, the tree belongs to another machine: certctl reads and changes only the \
            tree and runs none of its programs, and the configuration of this machine is not that of \
            the tree.",
        fix: "Put the lines that are printed into the configuration in the tree, or name it: `sudo \
            certctl install --root TREE --server-config FILE`. On the running machine, verify: \
            `sudo certctl install example.com`.",
        source: "certctl",
        ..FINDING
    },
];
