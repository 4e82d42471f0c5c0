//! Findings of `status` and `renew`.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "address-no-answer",
        meaning: "an address of the host does not answer",
        why: "Clients that choose this address wait or fail, while others see a working site.",
        fix: "Start the server at this address, or remove the address from DNS.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "certificate-rolled-back",
        meaning: "a rollback replaced this certificate, which is still in the folder",
        why: "Somebody had a reason to restore the previous one, so certctl does not suggest to \
            install it again.",
        fix: "When the reason is gone, install it again: `sudo certctl install example_com.zip`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "certificate-unreadable",
        meaning: "an installed certificate or its key cannot be read",
        why: "certctl cannot say whether it is valid or when it expires. The server may not be \
            able to read it either at its next start.",
        fix: "Run the command as root: `sudo certctl status`. If the files are missing or \
            damaged, install the certificate again.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "due",
        meaning: "the certificate should be renewed now",
        why: "The certificate is in the last part of its life. Renewing now leaves time for the \
            CA and for mistakes.",
        fix: "Renew it: `certctl renew example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "folder-missing",
        meaning: "the folder of the previous request does not exist",
        why: "certctl remembers the folder where a request was made, to find its key and record \
            for the next one. Without it the files of the next request are written to the current \
            folder.",
        fix: "Nothing to do if the current folder is fine. Otherwise choose one: `certctl -C \
            /root/certificates renew example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "host-no-answer",
        meaning: "the host does not answer",
        why: "certctl could not see which certificate the host serves. Visitors probably cannot \
            connect either.",
        fix: "Start the server, or check host, port and firewall.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "key-of-ca",
        meaning: "a key belongs to a CA certificate that is here",
        why: "With the key of a CA, certificates can be issued for every name that its clients visit. A site \
            needs a key of its own.",
        fix: "Nothing for a site. Keep the key of a CA where only the CA runs.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "keys-unreadable",
        meaning: "some keys cannot be read, so what belongs to them is unknown",
        why: "Keys should be readable only by their owner, so this is right. Without reading them \
            certctl cannot match them with certificates.",
        fix: "Run the command as root: `sudo certctl status`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "newer-not-served",
        meaning: "a newer certificate is deployed here, and the server still serves an old one",
        why: "The server was not reloaded since the files were replaced, or its configuration \
            references other files. Another renewal would not help: it would not be served either.",
        fix: "Make the server load it: `sudo certctl install example.com --server nginx`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "newer-ready",
        meaning: "a newer certificate is ready to be installed",
        why: "The server still serves the old certificate until the new one is installed, even if \
            the old one expires.",
        fix: "Install it: `sudo certctl install example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "no-timer",
        meaning: "nothing on this machine renews the certificates that were ordered",
        why: "Neither an enabled timer of systemd nor a table of cron runs `certctl renew`. The \
            certificates expire unless somebody renews them.",
        fix: "Enable the timer: `sudo systemctl enable --now certctl-renew.timer`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "order-term-ends",
        meaning: "the paid term ends before the next renewal",
        why: "Within the paid term the CA reissues without charge. After it a renewal needs a new \
            purchase, which certctl never makes on its own.",
        fix: "Buy the next certificate before that day, and tell certctl the new term: `sudo \
            certctl install --paid-until 2028-05-11`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "placeholder-in-place",
        meaning: "a self-signed certificate is in place of the real one",
        why: "certctl installed it so that the server can start before the CA has issued. \
            Visitors see a warning until the real one is installed.",
        fix: "When the files from the CA have arrived, install them: `sudo certctl install \
            example_com.zip`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "prepared",
        meaning: "the next request is prepared",
        why: "Nothing is renewed yet: the CA has to receive the request and issue the certificate.",
        fix: "Submit the request to the CA, publish its record and check it: `certctl dcv-check \
            example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "prepared-with-new-key",
        meaning: "the next request was prepared with a new key, as the old one could not be reused",
        why: "`--reuse-key` was given, but a request with a key of its own had been prepared \
            before, and certctl does not overwrite it. Records that pin the old key (TLSA) must \
            change.",
        fix: "Nothing to do if the new key is fine. Otherwise move the prepared files away and \
            run `certctl renew example.com --reuse-key` again.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "rehearsal-unexpected",
        meaning: "a step of the rehearsal did not go as expected",
        why: "The rehearsal runs the whole flow with servers of its own. If a step fails, \
            something on this machine differs, or certctl has an error. The real site was not \
            touched.",
        fix: "Report it with the complete output of `certctl rehearse`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "request-not-prepared",
        meaning: "the next request could not be prepared",
        why: "The certificate is due and nothing was prepared, so it expires unless somebody acts.",
        fix: "Remove the cause that the message names, and run `certctl renew example.com` again.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "request-pending",
        meaning: "a request waits for its certificate",
        why: "The site has no certificate for it until the CA has issued and it is installed.",
        fix: "Check whether the CA can validate the domain: `certctl dcv-check example.com`. When \
            the CA has issued, install its files: `sudo certctl install`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "rule-100-days",
        meaning: "from 2027-03-15 certificates are valid for at most 100 days",
        why: "A certificate that is issued from then on has to be renewed about four times a \
            year, and the validation of a domain can be reused for 100 days only.",
        fix: "Automate renewals by then.",
        source: "BR 6.3.2; SC-081",
        ..FINDING
    },
    CodeEntry {
        code: "rule-47-days",
        meaning: "from 2029-03-15 certificates are valid for at most 47 days",
        why: "A certificate that is issued from then on has to be renewed about eight times a \
            year, and the validation of a domain can be reused for 10 days only.",
        fix: "Automate renewals and domain validation by then.",
        source: "BR 6.3.2; SC-081",
        ..FINDING
    },
    CodeEntry {
        code: "rule-client-auth",
        meaning: "from 2027-03-15 Chrome's root program ends client authentication in server \
            certificates",
        why: "The next certificate will be for servers only. Whatever uses it as a TLS client \
            (mutual TLS, SMTP between servers, RADIUS) will fail.",
        fix: "Check whether anything uses this certificate as a client, and get a separate client \
            certificate for it.",
        source: "Chrome Root Program Policy 1.8",
        ..FINDING
    },
    CodeEntry {
        code: "rule-email-dcv-ends",
        meaning: "from 2028-03-15 validation by email ends",
        why: "Renewals that are validated by a link in an email will fail from then on.",
        fix: "Use the CNAME for the next renewals. It can stay in place.",
        source: "SC-090",
        ..FINDING
    },
    CodeEntry {
        code: "served-certificate-differs",
        meaning: "the server serves another certificate than its files contain",
        why: "A server reads its files when it starts or reloads. It was not reloaded after the \
            files changed, or another server answers at this address. The old certificate expires \
            although a newer one is on disk.",
        fix: "Reload the server, for example `sudo nginx -t && sudo systemctl reload nginx`, then \
            check with `certctl status`.",
        source: "certctl",
        example: "# on disk: expires 2027-11-20\n\
            # served at 203.0.113.5:443: expires 2027-05-25",
        ..FINDING
    },
    CodeEntry {
        code: "skipped",
        meaning: "a file, folder or server was skipped",
        why: "What it contains is not part of this report.",
        fix: "Nothing to do if it is not needed. If it could not be read, run the command as \
            root: `sudo certctl status`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "trust-unreadable",
        meaning: "the trust file cannot be read",
        why: "The certificate was installed with its own root (`--trust`). Without that file \
            certctl cannot verify the chain.",
        fix: "Restore the file, or install again with the right one: `sudo certctl install \
            example.com --trust company-root.pem`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "unreadable",
        meaning: "the file cannot be read",
        why: "What it contains is not part of this report, so a certificate that is about to \
            expire may be missing.",
        fix: "Check its permissions, or run the command as root: `sudo certctl status`.",
        source: "certctl",
        ..FINDING
    },
];
