//! Kinds of errors, as in `error.kind` of a document `certctl.error/1`.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FAILURE};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "ambiguous",
        meaning: "several things fit what was asked for (exit 3)",
        why: "certctl does not guess which file, key or certificate is meant, because a wrong \
            guess could break a site. Nothing was changed.",
        fix: "Name the one that is meant, as the output shows.",
        source: "certctl",
        ..FAILURE
    },
    CodeEntry {
        code: "exists",
        meaning: "something is in the way and is never overwritten (exit 3)",
        why: "A key that is overwritten is lost for ever, together with every certificate that \
            needs it.",
        fix: "Move the file away or choose another name. `--force` moves an old key to a numbered \
            backup: `certctl csr example.com --force`.",
        source: "certctl",
        ..FAILURE
    },
    CodeEntry {
        code: "hostile",
        meaning: "the input exceeds a limit that honest files never reach (exit 3)",
        why: "Crafted files expand to gigabytes or keep a program busy for hours. certctl stops \
            reading at the limit, and uses nothing of the file.",
        fix: "Pass only the certificate files: `certctl bundle example.com.crt \
            example.com.ca-bundle`.",
        source: "certctl",
        ..FAILURE
    },
    CodeEntry {
        code: "internal",
        meaning: "an error in certctl itself (exit 4)",
        why: "certctl met a situation that should not happen. It stops rather than going on with \
            wrong assumptions.",
        fix: "Report it with the complete output and the output of `certctl --version`.",
        source: "certctl",
        ..FAILURE
    },
    CodeEntry {
        code: "interrupted",
        meaning: "a signal ended the run (exit 128 + its number)",
        why: "The output says how far the command got and, for an installation, what was restored.",
        fix: "Run the same command again.",
        source: "certctl",
        ..FAILURE
    },
    CodeEntry {
        code: "io",
        meaning: "a file, the disk or a program failed (exit 4)",
        why: "certctl could not read or write a file or run a program. The output says whether \
            anything was changed.",
        fix: "Remove the cause that the output names (permissions, a full disk, a missing \
            program), and run the same command again.",
        source: "certctl",
        ..FAILURE
    },
    CodeEntry {
        code: "lock-held",
        meaning: "another certctl holds the lock (exit 4)",
        why: "Only one certctl at a time may change the installed files, so that two never mix \
            their certificates.",
        fix: "Wait until the other run has ended, or let this one wait longer: `sudo certctl \
            install --lock-timeout 10m`.",
        source: "certctl",
        ..FAILURE
    },
    CodeEntry {
        code: "malformed",
        meaning: "the input cannot be read as what it should be (exit 3)",
        why: "The file is damaged or is something else than the command needs. Nothing was \
            changed.",
        fix: "See what the file contains: `certctl inspect example.com.crt`.",
        source: "certctl",
        ..FAILURE
    },
    CodeEntry {
        code: "network",
        meaning: "a server cannot be reached or does not answer (exit 4)",
        why: "What the server would have answered is unknown, so certctl gives no verdict.",
        fix: "Check the network and the address, then run the same command again.",
        source: "certctl",
        ..FAILURE
    },
    CodeEntry {
        code: "not-found",
        meaning: "what was asked for does not exist (exit 3)",
        why: "The file, name or installed certificate that the command needs was not found, so \
            nothing was done.",
        fix: "Check the spelling and the folder. `certctl status` shows what is on this machine.",
        source: "certctl",
        ..FAILURE
    },
    CodeEntry {
        code: "usage",
        meaning: "the command line is wrong (exit 2)",
        why: "certctl did not understand the command line, and did nothing.",
        fix: "Read the help of the command, for example `certctl install --help`.",
        source: "certctl",
        ..FAILURE
    },
];
