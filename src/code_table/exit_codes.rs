//! Exit codes of the process.
//! Rows of the code table, in the order of their numbers.

use super::entry::{CodeEntry, EXIT_CODE};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "0",
        meaning: "done, or checked and right",
        why: "certctl returns 0 only for what it has checked itself. A dry run returns 0 if the \
            plan could run.",
        fix: "Nothing to do.",
        source: "certctl",
        ..EXIT_CODE
    },
    CodeEntry {
        code: "1",
        meaning: "read, and judged wrong or incomplete; nothing was harmed",
        why: "The answer is no: the record is absent, the chain is refused, the certificate is \
            due, or the files are installed and not served yet. A running site is as it was.",
        fix: "Follow the `next` lines of the output. With `--json`, the findings say why.",
        source: "certctl",
        example: "certctl verify example.com.crt --key example.com.key\n\
            test $? -eq 1 && echo \"do not install it\"",
        ..EXIT_CODE
    },
    CodeEntry {
        code: "2",
        meaning: "command-line error",
        why: "certctl did not understand the command line, and did nothing.",
        fix: "Read the help of the command, for example `certctl install --help`.",
        source: "certctl",
        ..EXIT_CODE
    },
    CodeEntry {
        code: "3",
        meaning: "not found, or not what was asked for: missing, malformed, hostile, ambiguous",
        why: "certctl could not begin, because a file or name was missing or could be several \
            things. Nothing was changed.",
        fix: "Correct the argument that the message names.",
        source: "certctl",
        ..EXIT_CODE
    },
    CodeEntry {
        code: "4",
        meaning: "machine or network: permissions, full disk, DNS servers that do not answer, \
            lock held",
        why: "The input may be right, but the machine or the network prevented the check. Nothing \
            is known about the certificate, and a later attempt may succeed.",
        fix: "Remove the cause and run the same command again. In a script, retry after a pause.",
        source: "certctl",
        ..EXIT_CODE
    },
    CodeEntry {
        code: "5",
        meaning: "failed after the switch and rolled back: the site is as it was",
        why: "The new certificate was in place for a moment, and the server's test, its reload or \
            the verification failed. The previous files are active again.",
        fix: "Repair what the findings name, then run `sudo certctl install` again.",
        source: "certctl",
        ..EXIT_CODE
    },
    CodeEntry {
        code: "6",
        meaning: "failed and not fully rolled back: the output lists what is restored and what is \
            not",
        why: "The site may be down or serve the wrong certificate.",
        fix: "Act at once: follow the `next` lines of the output, and check the site: `sudo \
            certctl status`.",
        source: "certctl",
        ..EXIT_CODE
    },
    CodeEntry {
        code: "7",
        meaning: "installed and in use, but not complete: an address still serves something else, a \
            process was not reached, or `--after` failed; nothing was rolled back",
        why: "The new certificate is served wherever the configuration names its files. At another \
            address, port or name, the server answers with other files, and visitors there see \
            another certificate; or a server process that uses the files could not be reloaded or \
            probed; or the command of `--after` did not do its work.",
        fix: "Fix the command, change the lines or reload the process that the output names, then run \
            `sudo certctl install` again.",
        source: "certctl",
        ..EXIT_CODE
    },
    CodeEntry {
        code: "130",
        meaning: "interrupted by SIGINT",
        why: "Somebody pressed Ctrl-C. The output says how far the command got and, for an \
            installation, what was restored.",
        fix: "Run the same command again.",
        source: "certctl",
        ..EXIT_CODE
    },
    CodeEntry {
        code: "143",
        meaning: "interrupted by SIGTERM",
        why: "Another program, such as systemd or cron, ended the run. The output says how far \
            the command got and, for an installation, what was restored.",
        fix: "Run the same command again. If a time limit caused it, raise the limit.",
        source: "certctl",
        ..EXIT_CODE
    },
];
