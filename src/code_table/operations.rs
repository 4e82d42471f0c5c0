//! Findings about what surrounds an installation: the command of `--after`, approval, the audit log.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "config-ignored",
        meaning: "a file with defaults is wrong, and the rollback went on without it",
        why: "A rollback has to work when something else is broken. Nothing that the file \
            configures took part, such as the command of `after`; no older version was removed.",
        fix: "Correct the file as the message says.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "hook-failed",
        meaning: "the certificate is installed and verified, and the command of --after failed",
        why: "The servers that certctl knows serve the new certificate. Whatever the command was \
            for, such as a copy on another machine, may still have the old one. Nothing is rolled \
            back (exit 7).",
        fix: "Fix what the command reports, and run `sudo certctl install example.com`: it runs the \
            command again until it succeeds. `--after auto` forgets the command.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "hook-not-run",
        meaning: "the command of --after was not run, because nothing was verified live",
        why: "The command may hand the certificate to others. certctl runs it only after it has \
            verified what the servers serve, and with `--probe none` it verifies nothing.",
        fix: "Install again without `--probe none`: `sudo certctl install example.com` verifies the \
            certificate and then runs the command.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "log-not-written",
        meaning: "the line about a change could not be written to the system's log",
        why: "The change is made and not undone. The journal or syslog, which shows who changed a \
            certificate, lacks this change.",
        fix: "Check the log of the system: `systemctl status systemd-journald`. There is nothing to \
            repeat.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "plan-changed",
        meaning: "the plan of the install is not the one that was approved with --plan",
        why: "Since the dry run whose id was approved, a certificate, an option, a file that servers \
            read or a server's configuration has changed. Nothing is changed (exit 1).",
        fix: "Run the dry run again, check what it would do now, and approve its `plan_id`.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "reload-by-number",
        meaning: "the command of --reload names a process by its ID",
        why: "The command is saved for the next renewals. By then the server may have another process ID, \
            and the signal goes to nothing or to another program.",
        fix: "Name the service instead: `sudo certctl install example.com --reload 'systemctl reload \
            nginx'`. `--reload auto` lets certctl choose the command.",
        source: "kill(1)",
        ..FINDING
    },
    CodeEntry {
        code: "saved-options-used",
        meaning: "options that an earlier install saved took part in the step that failed",
        why: "The command line does not show them. An earlier test, reload or address may no longer \
            fit the server.",
        fix: "If that is the cause, forget the option: `sudo certctl install example.com --reload \
            auto`.",
        source: "certctl",
        ..FINDING
    },
];
