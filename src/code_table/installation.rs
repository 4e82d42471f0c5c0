//! Findings of `install`, `rollback` and `forget`.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "acl-kept",
        meaning: "the access control list of the previous file was kept",
        why: "Services that could read the previous file through its ACL can read the new one too.",
        fix: "Nothing to do.",
        source: "acl(5)",
        ..FINDING
    },
    CodeEntry {
        code: "acl-not-kept",
        meaning: "the access control list of the previous file could not be kept",
        why: "A service that read the previous file through its ACL cannot read the new one.",
        fix: "If such a service needs the file, set the ACL again after the installation: `sudo \
            setfacl -m u:postgres:r /etc/ssl/private/example.com.key`.",
        source: "acl(5)",
        ..FINDING
    },
    CodeEntry {
        code: "address-elsewhere",
        meaning: "the configuration has an address that this machine does not have",
        why: "Another machine answers there at present, for instance the active one of two that \
            share the address. Its certificate says nothing about this machine.",
        fix: "Nothing to do, unless the address should be here: `ip address` lists those that are. \
            On a machine that takes the address over later, run `sudo certctl install --check` \
            then.",
        source: "certctl",
        example: "server {\n\
            \u{20}   listen 192.0.2.10:443 ssl; # held by the other machine\n\
            }",
        ..FINDING
    },
    CodeEntry {
        code: "apache-reload-risk",
        meaning: "certctl cannot use a certificate or key that Apache loads",
        why: "Apache's configtest does not open keys. With one that it cannot load, Apache exits at \
            the next reload, with all of its sites; with `--key none` also if the certificate has \
            another key than the present one.",
        fix: "Give the line that certctl prints a certificate and its key. If Apache has started \
            with these files or keys, allow it: `--allow apache-reload-risk`.",
        source: "certctl",
        example: "<VirtualHost *:443>\n\
            \u{20}   SSLCertificateFile /etc/ssl/old.crt\n\
            \u{20}   SSLCertificateKeyFile /etc/ssl/other.key\n\
            </VirtualHost>",
        ..FINDING
    },
    CodeEntry {
        code: "block-has-no-certificate",
        meaning: "a server block for these names uses TLS and has no certificate",
        why: "The server cannot complete a TLS handshake for this block, so visitors get an error.",
        fix: "Add the lines that certctl prints to the block, then install again.",
        source: "nginx: ssl_certificate",
        example: "server {\n\
            \u{20}   listen 443 ssl;\n\
            \u{20}   server_name example.com;\n\
            }",
        ..FINDING
    },
    CodeEntry {
        code: "config-not-loaded",
        meaning: "the configuration was changed after the server loaded it",
        why: "The reload of this installation activates these changes too. If one of them breaks \
            the site, that looks like a fault of the new certificate.",
        fix: "Check the changes that certctl lists. If they are wanted, there is nothing to do.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "config-not-understood",
        meaning: "the server accepts its configuration, and certctl cannot read it",
        why: "certctl does not know which files the server reads and where it answers.",
        fix: "Nothing is wrong with the configuration. Allow it with `--allow \
            config-not-understood`, and give the paths that the server reads (`--chain-path`, \
            `--key-path`) and its address (`--probe 127.0.0.1:443`).",
        source: "certctl",
        example: "content_by_lua_block { ngx.say([[ {{ name ]]) }",
        ..FINDING
    },
    CodeEntry {
        code: "config-unclear",
        meaning: "only the server can decide what a part of its configuration means",
        why: "The configuration depends on a variable, a script or a condition that certctl does \
            not evaluate. Names or files there may be used otherwise than certctl assumes.",
        fix: "Check the place that certctl names. `certctl status example.com` shows what is \
            served.",
        source: "certctl",
        example: "# the file is known only when a visitor connects\n\
            ssl_certificate /etc/ssl/$ssl_server_name.pem;",
        ..FINDING
    },
    CodeEntry {
        code: "configured-elsewhere",
        meaning: "a server block for these names uses other files",
        why: "For these names the server keeps serving the certificate in the other files, which \
            expires on its own date.",
        fix: "Change the block to the files that certctl prints. If it is meant to use other \
            files, there is nothing to do.",
        source: "certctl",
        example: "server {\n\
            \u{20}   listen [::]:443 ssl;\n\
            \u{20}   server_name example.com;\n\
            \u{20}   ssl_certificate /etc/nginx/old/example.com.pem;\n\
            }",
        ..FINDING
    },
    CodeEntry {
        code: "duplicate-cert-name",
        meaning: "two certificates would be installed under one name",
        why: "Both would be written to the same files, and one would replace the other.",
        fix: "Install one of them under another name: `sudo certctl install other.zip --cert-name \
            shop.example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "duplicate-server-name",
        meaning: "two server blocks have the same name, and the server uses the first",
        why: "The second block is never reached for this name. If only the second uses the new \
            certificate, visitors do not see it. nginx reports \"conflicting server name\".",
        fix: "Remove the name from one of the blocks.",
        source: "nginx: server_name",
        example: "nginx: [warn] conflicting server name \"example.com\" on 0.0.0.0:443,\n\
            ignored",
        ..FINDING
    },
    CodeEntry {
        code: "ends-earlier",
        meaning: "the certificate is older than the live one and expires before it",
        why: "Old files from the CA are often kept next to the new ones, and a script may pass the \
            wrong ones: the site would go back to a certificate that expires sooner. certctl \
            installs it only if that is allowed; a rollback may always go back.",
        fix: "Pass the newest files from the CA. If the older certificate is meant: `sudo certctl \
            install old.zip --allow ends-earlier`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "folder-not-empty",
        meaning: "the certificate's folder has files that certctl did not write",
        why: "`forget` would delete them together with the folder, and it cannot know whether \
            anyone needs them. It changed nothing.",
        fix: "Move the other files away, and run `sudo certctl forget example.com` again.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "folder-writable",
        meaning: "other users may write to the key's folder",
        why: "Anyone who may write to the folder can replace the key and the certificate by \
            others.",
        fix: "If the folder belongs to root, remove the permission: `sudo chmod go-w \
            /etc/ssl/private`. The folder of a service stays as it is; keep the key elsewhere.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "follow-up-failed",
        meaning: "the certificate is live, and a step after that failed",
        why: "The site serves the new certificate. What failed, for instance storing the options \
            for the next renewal, is named in the message.",
        fix: "Remove the cause, and run `sudo certctl install example.com` again. It changes \
            nothing that is right already.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "hard-link",
        meaning: "the file has a second name, which keeps the previous content",
        why: "certctl replaces a file by a new one. Whatever reads the old file by its other name \
            keeps reading the old certificate.",
        fix: "Find the other name as shown, and let its reader use the new file.",
        source: "link(2)",
        example: "$ ls -l /etc/ssl/example.com.pem\n\
            -rw-r--r-- 2 root root 3841 May 11 09:14 /etc/ssl/example.com.pem",
        ..FINDING
    },
    CodeEntry {
        code: "key-in-chain",
        meaning: "the file has a private key beside the certificates",
        why: "The previous file mixed key and certificates. certctl keeps it as a numbered backup \
            with the same mode and takes over the certificates only.",
        fix: "Nothing to do.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "key-mode-tightened",
        meaning: "other users could read the previous key's file; they cannot read the new one",
        why: "A key that others can read lets them impersonate the site. A service that relied on \
            that permission can no longer read the key.",
        fix: "Nothing to do. If a service needs the key, give it to its group: `sudo certctl \
            install --owner root:ssl-cert --key-mode 0640`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "key-unreachable",
        meaning: "the server's user cannot reach the key at its path",
        why: "The file may be read by this user or group, but a folder above it may not be \
            entered. The server fails to load the key at its next start.",
        fix: "Add the user to the group that may enter the folder, and restart its server: `sudo \
            usermod -aG ssl-cert mosquitto`. Or use a path without closed folders: `sudo certctl \
            install example.com --key-path /etc/ssl/example.com.key`.",
        source: "path_resolution(7)",
        example: "$ ls -ld /etc/ssl/private\n\
            drwx------ 2 root root 4096 May 11 09:14 /etc/ssl/private",
        ..FINDING
    },
    CodeEntry {
        code: "key-wrong-owner",
        meaning: "the key belongs to another user than root",
        why: "That user can read the key, and may be able to replace it. A server that runs as \
            that user could not read a new key that belongs to root.",
        fix: "If a server runs as that user, install with that owner, as in the example. Otherwise \
            give the file to root: `sudo chown root:root /etc/ssl/private/example.com.key`.",
        source: "certctl",
        example: "$ sudo certctl install example.com \\\n\
            \x20   --owner postgres:postgres --key-mode 0600",
        ..FINDING
    },
    CodeEntry {
        code: "names-not-covered",
        meaning: "a server block that uses these files has names that the certificate does not \
            cover",
        why: "Visitors of these names would get a certificate error after the installation.",
        fix: "Have the certificate reissued with these names, or give them a block with other \
            files. To install anyway: `sudo certctl install example.com --allow \
            names-not-covered`.",
        source: "RFC 9525 6.3",
        example: "# the certificate covers example.com and www.example.com\n\
            server_name example.com www.example.com shop.example.com;",
        ..FINDING
    },
    CodeEntry {
        code: "new-certificate-not-served",
        meaning: "an address does not serve the new certificate after the reload",
        why: "The files are right and the server was reloaded, but a visitor of this address gets \
            another certificate. Another program may listen there, or another block answers.",
        fix: "See which process listens at the address: `sudo ss -ltnp`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "no-previous-version",
        meaning: "there is no previous version to restore",
        why: "Nothing was installed before, or nothing that was verified, so certctl leaves the \
            new files in place.",
        fix: "Check the site: `certctl status example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "not-probed",
        meaning: "no address was probed for a server block",
        why: "certctl knows no address where it could verify that the certificate is served, or \
            was asked not to. Whether visitors get it is unknown.",
        fix: "Name an address to probe: `sudo certctl install example.com --probe 127.0.0.1:443`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "not-served",
        meaning: "no server serves the certificate yet",
        why: "The files are in place, but no server block uses them, so visitors do not see the \
            certificate.",
        fix: "Add the lines that certctl prints to the server's configuration, then run `sudo \
            certctl install example.com` again.",
        source: "certctl",
        example: "ssl_certificate     /etc/ssl/example.com.fullchain.pem;\n\
            ssl_certificate_key /etc/ssl/private/example.com.key;",
        ..FINDING
    },
    CodeEntry {
        code: "not-verified-live",
        meaning: "the files are in place and were not verified live since",
        why: "The last installation did not finish, so certctl does not know whether the server \
            serves these files.",
        fix: "Run `sudo certctl install example.com` again. It verifies what is served.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "other-certificate-served",
        meaning: "an address serves another certificate for a name of the new one",
        why: "A block with other files answers there: it has the name, or it is the default for \
            names that no block has. Visitors of that address see its certificate, which expires \
            on its own date.",
        fix: "Change the block to the files that certctl prints, then run `sudo certctl install \
            example.com` again. If it is meant to serve the other certificate, add `--allow \
            configured-elsewhere`.",
        source: "certctl",
        example: "server {\n\
            \u{20}   listen [::]:443 ssl;\n\
            \u{20}   server_name example.com;\n\
            \u{20}   ssl_certificate /etc/nginx/old/example.com.pem;\n\
            }",
        ..FINDING
    },
    CodeEntry {
        code: "path-missing",
        meaning: "a path that servers read does not exist",
        why: "The server fails at its next start or reload, because it cannot find the file.",
        fix: "Check the installation and follow its advice: `certctl install --check example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "path-taken",
        meaning: "the path is taken by something that certctl did not write",
        why: "certctl never overwrites a folder, a device or a link that belongs to another tool.",
        fix: "Look at it with `ls -ld /etc/ssl/example.com.fullchain.pem` and move it away, or \
            install to other paths with `--chain-path` and `--key-path`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "paths-not-adopted",
        meaning: "a server block uses other files, and certctl did not take them over",
        why: "Those files belong to another tool or package, are used by other names too, or are \
            not plain files. Replacing them could break something else, so this block keeps \
            serving the old certificate.",
        fix: "Change the paths in the block to those that certctl prints.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "placeholder",
        meaning: "a self-signed certificate was installed until the real one arrives",
        why: "The server can start, but visitors see a warning.",
        fix: "When the files from the CA have arrived, install them: `sudo certctl install \
            example_com.zip`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "previous-files-broken",
        meaning: "the previous files were broken, so the new ones stay",
        why: "The installation failed after the switch. Restoring files that the server cannot \
            use would make it worse.",
        fix: "Repair what the message names, then run `sudo certctl install example.com` again.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "process-not-reached",
        meaning: "a running server process uses the files and was not reloaded or not probed",
        why: "It runs in a container or another network namespace, belongs to another user, or its \
            configuration cannot be read. It may keep serving the previous certificate, which \
            expires on its own date.",
        fix: "Reload that process as certctl prints, and check what it serves. If it belongs to \
            another user, run certctl as root.",
        source: "namespaces(7)",
        ..FINDING
    },
    CodeEntry {
        code: "reload-failed",
        meaning: "the server's reload failed",
        why: "The server did not load the new certificate. certctl restores the previous files, \
            unless these were broken too.",
        fix: "Run the reload command by hand to see the error, for example `sudo systemctl reload \
            nginx`, repair it, then install again.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "reload-no-effect",
        meaning: "the reload command succeeded but had no effect",
        why: "Every probed address still serves the old certificate. The command may reload \
            another server or instance, or the server needs a restart.",
        fix: "Check what the command reloads, and name the right one: `sudo certctl install \
            example.com --reload 'systemctl reload nginx'`.",
        source: "certctl",
        example: "# reloads the nginx of systemd, while a container serves port 443\n\
            systemctl reload nginx",
        ..FINDING
    },
    CodeEntry {
        code: "reload-partial",
        meaning: "some of the server's workers still serve the previous certificate",
        why: "At one address certctl got now the new certificate, now the old one. Old workers \
            still accept connections, or a second server listens at the same address.",
        fix: "Find the other process that listens there: `sudo ss -ltnp`.",
        source: "certctl",
        example: "$ ss -ltnp 'sport = :443'\n\
            0.0.0.0:443 users:((\"nginx\",pid=812,fd=6))\n\
            0.0.0.0:443 users:((\"nginx\",pid=2290,fd=6))",
        ..FINDING
    },
    CodeEntry {
        code: "server-config-broken",
        meaning: "the server's own configuration test fails",
        why: "The server would not load the new certificate, and a restart would fail. certctl \
            found this before it changed anything.",
        fix: "Correct what the test reports, and try it: `sudo nginx -t`, `sudo apachectl \
            configtest` or `sudo haproxy -c -f /etc/haproxy/haproxy.cfg`.",
        source: "certctl",
        example: "nginx: [emerg] unknown directive \"ssl_certficate\" in\n\
            /etc/nginx/conf.d/shop.conf:7",
        ..FINDING
    },
    CodeEntry {
        code: "server-not-included",
        meaning: "a server uses these files and was not included, so it was not reloaded",
        why: "It keeps serving the old certificate from memory until it is reloaded.",
        fix: "Include it: `sudo certctl install example.com --server nginx --server haproxy`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "server-not-running",
        meaning: "the server is not running",
        why: "No one serves the site, so certctl cannot verify it either.",
        fix: "Start it, for example `sudo systemctl start nginx`, then run `sudo certctl install \
            example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "server-not-tested",
        meaning: "the server's own configuration test cannot run here",
        why: "The test opens keys, logs and the pid file, which only root may do. Whether the \
            server could be restarted is not known.",
        fix: "Run the command as root: `sudo certctl status`.",
        source: "certctl",
        example: "nginx: [emerg] open() \"/run/nginx.pid\" failed\n\
            (13: Permission denied)",
        ..FINDING
    },
    CodeEntry {
        code: "server-skipped",
        meaning: "a server is installed but not running, and was skipped",
        why: "certctl installs for the servers that run. This one was neither configured nor \
            tested.",
        fix: "Nothing to do if it is not needed. Otherwise include it: `sudo certctl install \
            example.com --server nginx --server apache`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "site-answers-error",
        meaning: "the site answers with an error since the reload, and did not before",
        why: "The certificate is served, but visitors get an error page or no answer. The reload \
            may have activated an earlier change to the configuration, or the application behind \
            the server has stopped. Nothing was rolled back, because another certificate would not \
            change it.",
        fix: "Read the server's log, for example `sudo tail -n 20 /var/log/nginx/error.log`, and \
            repair the cause.",
        source: "RFC 9110 15.6",
        example: "https://example.com/ answers 502 since the reload: nothing listens\n\
            on 127.0.0.1:8000 (before: it works (200))",
        ..FINDING
    },
    CodeEntry {
        code: "stapling-without-ocsp",
        meaning: "the configuration staples OCSP responses, and the certificate has no OCSP URL",
        why: "OCSP is optional for CAs since 2024, and many have switched it off. nginx then \
            reports `\"ssl_stapling\" ignored`; the site works without it.",
        fix: "Remove the stapling directive (`ssl_stapling` in nginx, `SSLUseStapling` in Apache).",
        source: "SC-063; nginx: ssl_stapling",
        example: "nginx: [warn] \"ssl_stapling\" ignored, no OCSP responder URL in the\n\
            certificate \"/etc/ssl/example.com.fullchain.pem\"",
        ..FINDING
    },
    CodeEntry {
        code: "step-failed",
        meaning: "a step failed",
        why: "The message names the step and its cause. The output says what was done before it \
            and what was restored.",
        fix: "Remove the cause, and run the same command again. It continues where this run \
            stopped.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "still-configured",
        meaning: "a server's configuration still uses a path inside certctl's folder",
        why: "`forget` deletes that folder. The server would not find the file at its next start.",
        fix: "Change the path in the configuration to the link in /etc/ssl, reload the server, \
            and run `sudo certctl forget example.com` again.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "test-failed",
        meaning: "the server's configuration test failed with the new files",
        why: "The server would refuse to load the new files. certctl restores the previous ones, \
            unless these were broken too. The running server was not reloaded.",
        fix: "Correct what the test reports, then install again.",
        source: "certctl",
        example: "nginx: [emerg] host not found in upstream \"app:8000\"\n\
            nginx: configuration file /etc/nginx/nginx.conf test failed",
        ..FINDING
    },
];
