//! Findings of `install --check`: what was changed after an installation.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "damaged-version-replaced",
        meaning: "an installed version was damaged, and the install writes it again",
        why: "A server that is restarted could not load the damaged files, or other users could read \
            the key.",
        fix: "Find out what changed the files below /etc/ssl/certctl. If other users could read the \
            key, prepare a new one and have the certificate reissued: `certctl renew example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "drift-file",
        meaning: "an installed file was changed after the installation",
        why: "Key and certificate may no longer fit, and the server may fail at its next start or \
            serve something else.",
        fix: "Find out who changed it. Then restore the previous version or install the files \
            from the CA again, as certctl prints.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "drift-link",
        meaning: "a link was changed after the installation",
        why: "The server reads another file than certctl installed, so renewals have no effect on \
            it.",
        fix: "If nothing else needs the other file, install again: `sudo certctl install \
            example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "drift-live",
        meaning: "the live link does not lead to an installed version",
        why: "The paths that servers read lead nowhere or to a wrong version. The server fails at \
            its next start.",
        fix: "Point the link to the version that was verified last, as certctl prints, then run \
            `sudo certctl install example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "drift-mode",
        meaning: "the mode of an installed file was changed after the installation",
        why: "A wider mode may let others read the key. A narrower one may lock the server out.",
        fix: "Restore the mode as certctl prints, for example `sudo chmod 0600 \
            /etc/ssl/private/example.com.key`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "drift-not-configured",
        meaning: "no server's configuration uses the installed files any more",
        why: "Visitors get another certificate or none, and renewals have no effect on the site.",
        fix: "Add the files to the server's configuration again, or stop managing them: `sudo \
            certctl forget example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "drift-owner",
        meaning: "the owner of an installed file was changed after the installation",
        why: "The server may not be able to read the file, or another user may be able to change \
            it.",
        fix: "Restore the owner as certctl prints, for example `sudo chown root:root \
            /etc/ssl/private/example.com.key`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "drift-served",
        meaning: "the server serves another certificate than the installed one",
        why: "Visitors get a certificate that certctl does not renew. The server was not \
            reloaded, or another server answers.",
        fix: "Run the command that certctl prints. It reloads the server and verifies what is \
            served.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "drift-settings",
        meaning: "the settings file was changed after the installation and cannot be used",
        why: "certctl stores there how the certificate is installed and renewed. A file that \
            others may write is not trusted.",
        fix: "Restore its owner and mode if these were changed, or install again: `sudo certctl \
            install example.com`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "drift-unverified",
        meaning: "the last installation was never verified live",
        why: "The installation did not finish, so certctl does not know whether the server serves \
            these files.",
        fix: "Run `sudo certctl install example.com` again. It verifies what is served.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "label-differs",
        meaning: "a deployed file has another SELinux type than the files beside it",
        why: "SELinux decides by the type whether a server may open a file, whatever owner and mode \
            are. A label comes along when a file is moved from another folder.",
        fix: "Restore the label that the policy has for the path: `sudo restorecon -v \
            /etc/ssl/certctl/example.com/live/key.pem`.",
        source: "restorecon(8)",
        ..FINDING
    },
];
