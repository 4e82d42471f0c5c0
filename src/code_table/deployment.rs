//! Findings about links and copies at the paths that servers read.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "copy-not-atomic",
        meaning: "copies of a certificate and its key are replaced one after the other",
        why: "With `--deploy copy` servers read plain files. Both are written first and then renamed, \
            so that the moment in which they do not match is short, but it exists. A server that is \
            started or reloaded at that moment refuses them.",
        fix: "Reload the server only through certctl. `--deploy link` changes both in one rename, \
            where the server sees /etc/ssl/certctl.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "deployed-as-copies",
        meaning: "plain files are installed instead of links",
        why: "A server in a container, a chroot or on another machine reads these paths, and does not \
            see the folder that links would lead to.",
        fix: "Nothing. `--deploy link` installs links again once every reader sees \
            /etc/ssl/certctl.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "file-is-mount-point",
        meaning: "a file that servers read is mounted on its own",
        why: "A file that is a mount point cannot be replaced: the system refuses the rename (EBUSY), \
            and a container into which a single file is mounted keeps the old file.",
        fix: "Mount the folder instead of the file: in Docker `-v /srv/ssl:/etc/nginx/ssl` instead of \
            one `-v` for each file. Or use other paths (`--chain-path`, `--key-path`).",
        source: "rename(2): EBUSY",
        example: "$ grep shop.crt /proc/self/mountinfo\n\
            212 190 8:1 /srv/shop.crt /etc/nginx/ssl/shop.crt rw - ext4 sda1",
        ..FINDING
    },
    CodeEntry {
        code: "link-target-hidden",
        meaning: "a server reads the path and does not see what a link there would lead to",
        why: "The server runs in a container, a chroot or on another machine. It would find a dangling \
            link at its next reload or start.",
        fix: "Install copies with `--deploy copy`, or make /etc/ssl/certctl visible to the server at \
            the same path.",
        source: "certctl",
        example: "$ sudo nsenter -t 812 -m -- ls /etc/ssl/certctl\n\
            ls: /etc/ssl/certctl: No such file or directory",
        ..FINDING
    },
];
