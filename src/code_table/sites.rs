//! Findings about the blocks that `site` writes.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "default-block-changed",
        meaning: "the new block would answer for names that another block answers for now",
        why: "Where no block of an address has `default_server`, nginx uses the first one for names \
            that no block has. The new file would be read before it, so other visitors would get \
            the new site.",
        fix: "Add `default_server` to the `listen` line of the block that is the default now, then \
            run the same command again.",
        source: "nginx: How nginx processes a request",
        example: "server {\n\
            \x20   listen 443 ssl default_server;\n\
            \x20   server_name other.example;\n\
            }",
        ..FINDING
    },
    CodeEntry {
        code: "name-already-served",
        meaning: "a block that certctl did not write answers for the name of the site",
        why: "Two blocks with one name at one address conflict: nginx ignores the second. certctl \
            never changes a block that it did not write.",
        fix: "Add the printed lines to that block, or let `--adopt` add them. Or remove the block, and run the same command \
            again.",
        source: "nginx: conflicting server name, ignored",
        example: "$ cat /etc/nginx/conf.d/shop.conf\n\
            server {\n\
            \x20   listen 80;\n\
            \x20   server_name shop.example;\n\
            \x20   root /srv/shop;\n\
            }",
        ..FINDING
    },
    CodeEntry {
        code: "nothing-to-adopt",
        meaning: "`--adopt` was given, and no block answers for the name",
        why: "`--adopt` adds TLS to the block that serves the name in plain text. A name for which \
            only the default server answers has no block of its own.",
        fix: "Let certctl write the block: `certctl site example.com --static /srv/www`.",
        source: "certctl",
        example: "$ sudo certctl site shop.example --adopt",
        ..FINDING
    },
    CodeEntry {
        code: "rollback-incomplete",
        meaning: "not everything is as before: a step of the rollback failed, or the site answers worse",
        why: "The site may be down, or the next start of the server may fail.",
        fix: "Repair the cause that the message names, then test and reload the server: \
            `sudo nginx -t && sudo nginx -s reload`.",
        source: "certctl",
        example: "cannot remove /etc/nginx/sites-enabled/shop.example:\n\
            Read-only file system (os error 30)",
        ..FINDING
    },
    CodeEntry {
        code: "site-failed",
        meaning: "the site does not answer as it should, so its block was not kept",
        why: "Visitors would get an error page, or no redirect to https.",
        fix: "Repair what the message names, then run the same command again. The server's log says \
            more: `sudo tail -n 20 /var/log/nginx/error.log`.",
        source: "RFC 9110 15",
        example: "https://shop.example/ answers 403\n\
            $ sudo tail -n 1 /var/log/nginx/error.log\n\
            ... open() \"/srv/shop/index.html\" failed\n\
            (13: Permission denied)",
        ..FINDING
    },
    CodeEntry {
        code: "site-file-edited",
        meaning: "somebody has edited the file that certctl wrote for a site",
        why: "certctl would overwrite the changes. The first line of the file has a checksum of the \
            rest, which no longer fits.",
        fix: "Keep the file and change it by hand; certctl leaves it alone. Or move it away, then run \
            the same command again.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "site-path-taken",
        meaning: "a file that certctl did not write is where the site's file or link belongs",
        why: "certctl never replaces a file that it did not write.",
        fix: "Find out what the file is for. If nothing needs it, move it away, then run the same \
            command again.",
        source: "certctl",
        example: "$ ls -l /etc/nginx/sites-available/shop.example\n\
            -rw-r--r-- 1 root root 812 Mar  3  2024 /etc/nginx/...",
        ..FINDING
    },
    CodeEntry {
        code: "upstream-closed",
        meaning: "nothing listens at the address of the application",
        why: "The server would answer 502 to every visitor.",
        fix: "Start the application, or correct the URL of `--upstream`. `sudo ss -ltnp` lists what \
            listens.",
        source: "RFC 9110 15.6.3",
        example: "$ certctl site shop.example --upstream http://127.0.0.1:8000\n\
            $ sudo ss -ltn\n\
            State   Local Address:Port\n\
            LISTEN  0.0.0.0:80\n\
            LISTEN  127.0.0.1:5000",
        ..FINDING
    },
];
