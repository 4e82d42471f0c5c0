//! Findings about how keys, certificates and the files from the CA fit together.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "duplicate",
        meaning: "the same certificate is there more than once",
        why: "The server sends it twice in every handshake. Most clients accept that, some do not.",
        fix: "Nothing to do for files from the CA. If a server reads this file, write a clean \
            one: `certctl bundle example.com.crt`.",
        source: "RFC 8446 4.4.2",
        example: "# the CA's bundle has the certificate of the site already\n\
            cat example.com.crt full-bundle.crt > chain.pem",
        ..FINDING
    },
    CodeEntry {
        code: "encrypted-key",
        meaning: "the file has an encrypted private key",
        why: "certctl can use the key only with its password. A server that reads it would ask \
            for the password at every start.",
        fix: "Pass its password: `sudo certctl install example_com.zip --password-file \
            key.password`.",
        source: "nginx: ssl_password_file",
        example: "# the first line of the key says\n\
            ENCRYPTED PRIVATE KEY",
        ..FINDING
    },
    CodeEntry {
        code: "issuer-fetched",
        meaning: "the missing issuer was downloaded from the URL in the certificate",
        why: "The chain is complete now. The downloaded certificate was verified like any other.",
        fix: "Nothing to do.",
        source: "RFC 5280 4.2.2.1",
        ..FINDING
    },
    CodeEntry {
        code: "issuer-found",
        meaning: "the missing issuer is in another file here",
        why: "The chain is incomplete without it, and clients that do not know it reject the \
            connection.",
        fix: "Pass that file too: `certctl bundle example.com.crt example.com.ca-bundle`.",
        source: "RFC 8446 4.4.2",
        ..FINDING
    },
    CodeEntry {
        code: "issuer-not-fetched",
        meaning: "the missing issuer could not be downloaded from the URL in the certificate",
        why: "The chain stays incomplete, and clients that do not know the issuer reject the \
            connection.",
        fix: "Get the CA's bundle, and pass it too: `certctl bundle example.com.crt \
            example.com.ca-bundle`.",
        source: "RFC 5280 4.2.2.1",
        ..FINDING
    },
    CodeEntry {
        code: "key-decrypted",
        meaning: "the key was decrypted for the server",
        why: "A server cannot ask for a password when it restarts by itself. The installed copy \
            is protected by its mode and owner.",
        fix: "Nothing to do.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "key-file-needed",
        meaning: "a server reads its key from a file, and `--key none` installs no key",
        why: "HAProxy loads keys from files only. With the chain alone it could not start.",
        fix: "Name the servers that open the key themselves: `sudo certctl install \
            example_com.zip --key none --server nginx`.",
        source: "HAProxy: crt",
        example: "sudo certctl install example_com.zip --key none --server haproxy",
        ..FINDING
    },
    CodeEntry {
        code: "key-found",
        meaning: "the key for the certificate is in another file than the one that was given",
        why: "The key that was given with `--key` does not belong to the certificate. certctl \
            found the right one, but does not replace what you chose.",
        fix: "Pass it: `sudo certctl install example_com.zip --key example.com.key`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "key-in-delivery",
        meaning: "the CA or reseller sent a private key too",
        why: "Everyone who made or forwarded the key could copy it. A private key should never \
            leave the machine that it was made on.",
        fix: "Make the key yourself next time: `certctl csr example.com`.",
        source: "BR 6.1.2",
        ..FINDING
    },
    CodeEntry {
        code: "key-locked",
        meaning: "the key is encrypted, and no password opens it",
        why: "certctl cannot check whether it belongs to the certificate, and cannot install it.",
        fix: "Pass its password in a file that only you may read: `sudo certctl install \
            example_com.zip --password-file key.password`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "key-missing",
        meaning: "no key here belongs to the certificate",
        why: "A server cannot use a certificate without its private key, and the CA does not have \
            it. It was made together with the request, perhaps on another machine. A key in a \
            hardware module (PKCS#11, HSM) is no file that certctl could find.",
        fix: "Pass the key: `sudo certctl install example_com.zip --key example.com.key`. If the \
            server opens the key in a hardware module, install the chain alone: `sudo certctl \
            install example_com.zip --key none`. If the key is lost, make a new request and have \
            the certificate reissued.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "key-of-another-user",
        meaning: "the private key belongs to another user",
        why: "The user who put the key there knows it, and can impersonate the site once a server uses \
            it. As root, certctl uses a key that it finds only if root or the user behind sudo \
            owns it; a key that `--key` names is used and reported.",
        fix: "Check who owns the file. If it is your key, for example copied under another \
            account: `sudo chown root: example.com.key`. A key that a certificate was issued for \
            must not be thrown away.",
        source: "certctl",
        example: "$ ls -l /srv/shared/example.com.key\n\
            -rw------- 1 bob bob 241 May 11 09:14 example.com.key",
        ..FINDING
    },
    CodeEntry {
        code: "key-readable-by-others",
        meaning: "other users may read the private key",
        why: "Anyone who can read the key can impersonate the site. As root, certctl does not use \
            such a key when it merely finds it.",
        fix: "Remove the permission: `sudo chmod 0600 /etc/ssl/private/example.com.key`. If \
            others used the machine meanwhile, replace the key.",
        source: "BR 9.6.3",
        example: "$ ls -l /etc/ssl/private/example.com.key\n\
            -rw-r--r-- 1 root root 241 May 11 09:14 example.com.key",
        ..FINDING
    },
    CodeEntry {
        code: "key-replaceable-by-others",
        meaning: "another user can replace the private key",
        why: "A user who can write to the key, to its folder, or to a folder above it can put \
            another key there. As root, certctl does not use such a key when it merely finds it. Groups \
            without other members and folders with the sticky bit are fine.",
        fix: "Check the folders with `ls -ld`. If it is still your key, name it: `sudo certctl \
            install example_com.zip --key example.com.key`. Keep keys in a folder that only you \
            can write to.",
        source: "certctl",
        example: "$ ls -ld /srv/shared\n\
            drwxrwxrwx 2 root root 4096 May 11 09:14 /srv/shared",
        ..FINDING
    },
    CodeEntry {
        code: "key-storage-changed",
        meaning: "a certificate has a key file and is to be installed without one, or the other way \
            round",
        why: "A rollback restores an earlier version with its key. With another kind of key, the \
            earlier versions would not fit the server's configuration any more.",
        fix: "Stop managing the certificate, which leaves plain files at its paths, and install \
            again: `sudo certctl forget example.com`.",
        source: "certctl",
        example: "sudo certctl install example_com.zip --key example.com.key\n\
            sudo certctl install example_com-2.zip --key none",
        ..FINDING
    },
    CodeEntry {
        code: "leaf-not-first",
        meaning: "the first certificate of the file is not the server's",
        why: "Servers use the first certificate as their own. nginx and HAProxy refuse the file \
            with \"key values mismatch\", and Apache stops at its next reload.",
        fix: "Write the file in the right order: `certctl bundle example.com.crt \
            example.com.ca-bundle`.",
        source: "nginx: ssl_certificate; RFC 8446 4.4.2",
        example: "# wrong\n\
            cat example.com.ca-bundle example.com.crt > chain.pem\n\
            # right\n\
            cat example.com.crt example.com.ca-bundle > chain.pem",
        ..FINDING
    },
    CodeEntry {
        code: "long-key",
        meaning: "the key is longer than any server accepts",
        why: "Such a key makes every handshake slow, and servers and clients refuse it.",
        fix: "Ask the CA which certificate is meant.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "name-missing-in-certificate",
        meaning: "a requested name is not in the certificate",
        why: "The CA issued the certificate without it, for instance because its validation \
            failed. Visitors of that name get a certificate error.",
        fix: "If the name is needed, have the certificate reissued with it.",
        source: "RFC 9525 6.3",
        example: "# requested\n\
            example.com, www.example.com\n\
            # in the certificate\n\
            example.com",
        ..FINDING
    },
    CodeEntry {
        code: "no-matching-key",
        meaning: "a certificate belongs to no key here",
        why: "certctl installs a certificate only together with its key, so it omits this one.",
        fix: "Pass its key to include it: `sudo certctl install example_com.zip --key \
            other.example.com.key`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "older-certificate",
        meaning: "a newer certificate for the same names is used instead",
        why: "Several certificates for these names fit the key. certctl uses the newest.",
        fix: "Nothing to do.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "openssh-key",
        meaning: "the key is for SSH",
        why: "OpenSSH keeps keys in a format of its own that TLS servers do not read.",
        fix: "Pass the key that was made with the request, usually `example.com.key`.",
        source: "certctl",
        example: "# the first line of the key says\n\
            OPENSSH PRIVATE KEY",
        ..FINDING
    },
    CodeEntry {
        code: "out-of-order",
        meaning: "the intermediates are out of order",
        why: "Each certificate should be issued by the one that follows it. Most clients sort \
            them, some fail.",
        fix: "Write the file in the right order: `certctl bundle example.com.crt \
            example.com.ca-bundle`.",
        source: "RFC 8446 4.4.2; nginx: ssl_certificate",
        example: "# each certificate should be followed by its issuer\n\
            example.com\n\
            USERTrust RSA Certification Authority\n\
            Sectigo RSA Domain Validation Secure Server CA",
        ..FINDING
    },
    CodeEntry {
        code: "request-signature",
        meaning: "the signature of the request is wrong",
        why: "The request was changed after it was made, and CAs refuse it.",
        fix: "Use the request as it was made, or make a new one: `certctl csr example.com`.",
        source: "RFC 2986 4.2",
        ..FINDING
    },
    CodeEntry {
        code: "request-weak",
        meaning: "the request has a weak key",
        why: "CAs refuse requests for such keys.",
        fix: "Make a new key and request: `certctl csr example.com --force`.",
        source: "BR 6.1.1.3",
        ..FINDING
    },
    CodeEntry {
        code: "root-found",
        meaning: "the missing root is in a file here, and it is not trusted",
        why: "A root that merely lies in a folder proves nothing. Only you can say whether your \
            clients trust it.",
        fix: "If it is your company's CA, pass it: `certctl bundle example.com.crt --trust \
            company-root.pem`.",
        source: "RFC 5280 6.1",
        ..FINDING
    },
    CodeEntry {
        code: "root-included",
        meaning: "the file includes the root, which clients already have",
        why: "The root makes every handshake larger and has no effect: clients trust only their \
            own copy.",
        fix: "Nothing to do.",
        source: "RFC 8446 4.4.2",
        example: "# the last one is not needed\n\
            example.com\n\
            Sectigo Public Server Authentication CA DV R36\n\
            Sectigo Public Server Authentication Root R46",
        ..FINDING
    },
    CodeEntry {
        code: "root-omitted",
        meaning: "the root was omitted: clients already have it",
        why: "Clients trust only their own copy of the root, so sending it is useless.",
        fix: "Nothing to do.",
        source: "RFC 8446 4.4.2",
        ..FINDING
    },
    CodeEntry {
        code: "traditional-key",
        meaning: "the key has OpenSSL's traditional encryption, which certctl does not read",
        why: "This old format (`Proc-Type: 4,ENCRYPTED`) protects the key badly.",
        fix: "Let OpenSSL decrypt a copy that only you may read, in a file that does not exist \
            yet: `(umask 077; set -C; openssl pkey -in site.key >site.plain.key)`.",
        source: "RFC 1421 4.6.1.1",
        example: "Proc-Type: 4,ENCRYPTED\n\
            DEK-Info: DES-EDE3-CBC,5B1C2A...",
        ..FINDING
    },
    CodeEntry {
        code: "unrelated",
        meaning: "a certificate is not part of the chain",
        why: "The server sends it in every handshake for nothing.",
        fix: "Nothing to do for files from the CA. If a server reads this file, write a clean \
            one: `certctl bundle example.com.crt`.",
        source: "RFC 8446 4.4.2",
        ..FINDING
    },
    CodeEntry {
        code: "unusable-key",
        meaning: "the private key cannot be read",
        why: "The key is damaged or of a kind that TLS servers do not use.",
        fix: "Let OpenSSL write it again, to a file that does not exist yet: `(umask 077; set -C; \
            openssl pkey -in site.key >site.plain.key)`. If that fails too, make a new key and \
            request.",
        source: "RFC 5958",
        ..FINDING
    },
    CodeEntry {
        code: "wrong-password",
        meaning: "the password is wrong",
        why: "The file stays closed, so what it contains is unknown.",
        fix: "Pass the password that the file was protected with: `certctl bundle example.com.pfx \
            --password-file pfx.password`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "wrong-request",
        meaning: "the certificate was issued for another request",
        why: "The key of the request that was named does not belong to this certificate, so a \
            server could not use both together.",
        fix: "Pass the request or key of this order: `certctl bundle example_com.zip --csr \
            example.com-2.csr`.",
        source: "certctl",
        ..FINDING
    },
];
