//! docs/reference/limits.md: how much is read, and how long certctl waits.

use std::time::Duration;

use jiff::SignedDuration;

use super::table::table_row;
use crate::commands::csr::NAME_LIMIT;
use crate::commands::order::HMAC_KEY_LIMIT;
use crate::dcv::http_file::MOST_BODY;
use crate::delivery::{
    BER_BYTES, BER_DEPTH, BER_ELEMENTS, DeliveryLimits, INPUTS_TOGETHER, LONGEST_RSA, SCRYPT_MEMORY,
};
use crate::inputs::folder::{FILE_LIMIT, FOLDER_LIMIT, GLANCE_LIMIT};
use crate::inputs::{AIA_STEPS, AIA_URLS, HOST_DEADLINE};
use crate::install::placeholder::certificate::DAYS;
use crate::install::transaction::LOCK_TIMEOUT;
use crate::install_plan::apply::HANDSHAKE_TIMEOUT;
use crate::install_plan::apply::hook::{HOOK_TIMEOUT, OUTPUT_LIMIT};
use crate::inventory::{backoff, file_reader};
use crate::ordering;
use crate::probe::http::REDIRECT_LIMIT;
use crate::providers;
use crate::report::MESSAGE_LIMIT;
use crate::scan;
use crate::state::folder::{ENTRY_LIMIT, LOCK_WAIT};
use crate::state::orders::KEPT_TIMES;
use crate::store::disk::OLDER_RELEASES;
use crate::store::settings::{HISTORY_LIMIT, SETTINGS_LIMIT};
use crate::system::acme::NONCE_TRIES;
use crate::system::dns::{ALIAS_LIMIT, NAME_SERVER_LIMIT, SERVER_ADDRESS_LIMIT};
use crate::system::fs::remote;
use crate::system::http::api;
use crate::system::http::validator::VALIDATOR_REDIRECTS;
use crate::system::http::{self, MOST_BYTES, MOST_REDIRECTS};
use crate::system::renewal_timer;
use crate::system::tls::hosts::{ADDRESS_LIMIT, HOSTS_AT_ONCE};
use crate::system::tls::http_get;
use crate::system::tls::starttls::{LINE, LINES};
use crate::webserver::{apache, control, nginx};

const INTRODUCTION: &str = "\
# Limits

What certctl reads is bounded, so that no file and no server can use up memory or time. A limit
counts what was really read, not what a header declares. This page is generated from the program's
own constants.
";

/// One limit.
struct LimitRow {
    /// What is limited.
    what: &'static str,
    /// The limit, with its unit.
    at_most: String,
    /// What happens beyond it.
    beyond: &'static str,
}

/// Returns the page.
pub(super) fn page() -> String {
    let mut text = INTRODUCTION.to_owned();
    for (title, rows) in [
        ("Files", file_limits()),
        ("What a file contains", content_limits()),
        ("DNS, HTTP and TLS", network_limits()),
        ("Web servers and installed files", server_limits()),
        ("Orders", order_limits()),
        ("Renewals", renewal_limits()),
    ] {
        text.push_str(&format!("\n## {title}\n\n"));
        text.push_str(&table_row(&["what", "at most", "beyond it"]));
        text.push_str("|---|---|---|\n");
        for row in rows {
            text.push_str(&table_row(&[row.what, &row.at_most, row.beyond]));
        }
    }
    text
}

fn file_limits() -> Vec<LimitRow> {
    let delivery = DeliveryLimits::default();
    vec![
        row(
            "A file that you name, or all files of a folder that you name",
            octets(FILE_LIMIT),
            "refused (exit code 3)",
        ),
        row(
            "Any other file in the working directory",
            octets(GLANCE_LIMIT),
            "ignored: keys, requests and chains are far smaller",
        ),
        row(
            "Files of the working directory",
            count(FOLDER_LIMIT),
            "the others are not read",
        ),
        row(
            "Everything that zips and mails unpack to",
            octets(delivery.inflated),
            "refused as hostile (exit code 3)",
        ),
        row(
            "Files in zips, parts of mails, files of a folder that you name",
            count(delivery.entries),
            "refused as hostile (exit code 3)",
        ),
        row(
            "Zips and mails inside each other",
            format!("{} levels", delivery.depth),
            "refused as hostile (exit code 3)",
        ),
        row(
            "A file that `status` finds",
            octets(file_reader::LIMIT),
            "skipped, and a note says so",
        ),
        row(
            "A file that is named on the command line of `status`",
            octets(scan::NAMED_LIMIT),
            "reported as `unreadable`",
        ),
        row(
            "One read on a file system of another machine or program (NFS, SMB, FUSE)",
            seconds(remote::DEADLINE),
            "reported as unreadable; after the second, the whole mount",
        ),
        row(
            "A message for people",
            format!("{} characters", count(MESSAGE_LIMIT)),
            "shortened; `--json` has all of it",
        ),
    ]
}

fn content_limits() -> Vec<LimitRow> {
    let delivery = DeliveryLimits::default();
    vec![
        row(
            "Certificates, requests, keys and other blocks",
            count(delivery.blocks),
            "refused as hostile (exit code 3)",
        ),
        row(
            "Archived files, unpacked bytes and blocks of all files of a run together",
            format!("{INPUTS_TOGETHER} times the limit of one file"),
            "refused (exit code 2); pass fewer files at once",
        ),
        row(
            "Iterations of key derivation, for all encrypted keys and PKCS#12 files together",
            grouped(delivery.derivation_iterations),
            "reported as `too-many-iterations`; the key is not decrypted",
        ),
        row(
            "Memory of one scrypt derivation",
            octets(SCRYPT_MEMORY),
            "reported as `too-many-iterations`; the key is not decrypted",
        ),
        row(
            "RSA key of a certificate",
            format!("{} bits", count(LONGEST_RSA)),
            "the certificate is not used: no client accepts it",
        ),
        row(
            "BER (indefinite lengths): levels, elements, size",
            format!(
                "{BER_DEPTH}, {}, {}",
                count(BER_ELEMENTS),
                octets(wide(BER_BYTES))
            ),
            "reported as damaged",
        ),
        row(
            "Names that `csr --like` takes from a certificate or request",
            count(NAME_LIMIT),
            "refused (exit code 3)",
        ),
    ]
}

fn network_limits() -> Vec<LimitRow> {
    vec![
        row(
            "Name servers of a zone, and their addresses",
            format!("{NAME_SERVER_LIMIT} names, {SERVER_ADDRESS_LIMIT} addresses"),
            "the others are not queried, and a note says so",
        ),
        row(
            "Aliases (CNAME) in a row",
            count(ALIAS_LIMIT),
            "reported as too long",
        ),
        row(
            "The file that `dcv-check --method http` fetches",
            octets(wide(MOST_BODY)),
            "cut",
        ),
        row(
            "Waiting for the file: each address, all addresses",
            format!(
                "{}, {}",
                seconds(http::many::PATIENCE),
                seconds(http::many::ALL)
            ),
            "reported as unresponsive",
        ),
        row(
            "`--aia`: intermediates in a row, URLs of each certificate",
            format!("{AIA_STEPS}, {AIA_URLS}"),
            "the chain stays incomplete",
        ),
        row(
            "`--aia`: one download, its time, its redirects",
            format!(
                "{}, {}, {MOST_REDIRECTS}",
                octets(wide(MOST_BYTES)),
                seconds(http::DEADLINE)
            ),
            "the download fails",
        ),
        row(
            "Addresses of a host in `status`, `verify` and `inspect`",
            count(ADDRESS_LIMIT),
            "the others are not probed",
        ),
        row(
            "A handshake in `verify` and `inspect`",
            seconds(HOST_DEADLINE),
            "reported as unresponsive",
        ),
        row(
            "A handshake in `status`: this machine's own servers, other hosts",
            format!(
                "{}, {}",
                seconds(scan::hosts::LOCAL_DEADLINE),
                seconds(scan::hosts::HOST_DEADLINE)
            ),
            "reported as unresponsive",
        ),
        row(
            "Hosts that `status` probes at once",
            count(HOSTS_AT_ONCE),
            "the others wait for their turn",
        ),
        row(
            "What a server sends before STARTTLS",
            format!("{LINES} lines of {}", octets(wide(LINE))),
            "the probe fails",
        ),
    ]
}

fn server_limits() -> Vec<LimitRow> {
    vec![
        row(
            "The home page that `install` asks for: one try of two, with its redirects",
            format!(
                "{}, {} of one response, {} redirects",
                seconds(http_get::TRY_TIMEOUT),
                octets(wide(http_get::BYTE_LIMIT)),
                count(REDIRECT_LIMIT)
            ),
            "reported as no answer",
        ),
        row(
            "All home pages of a run, before and after the switch each",
            seconds(http_get::TOTAL_TIMEOUT),
            "the others are not checked",
        ),
        row(
            "A server's test or reload",
            seconds(control::DEADLINE),
            "ended; counts as failed",
        ),
        row(
            "The command of `--after`, unless `--hook-timeout` is given",
            seconds(HOOK_TIMEOUT),
            "ended with all of its processes; counts as failed",
        ),
        row(
            "Output of the command of `--after`",
            octets(wide(OUTPUT_LIMIT)),
            "the middle is omitted",
        ),
        row(
            "A configuration file of a web server",
            octets(control::FILE_LIMIT),
            "the configuration cannot be read",
        ),
        row(
            "Files of one configuration",
            count(control::FILES),
            "the configuration cannot be read",
        ),
        row(
            "Nested blocks and includes: nginx, Apache",
            format!("{}, {}", nginx::parse::DEPTH, apache::read::DEPTH),
            "the configuration cannot be read",
        ),
        row(
            "One handshake after an installation",
            seconds(HANDSHAKE_TIMEOUT),
            "counts as no answer",
        ),
        row(
            "Waiting for the lock (`--lock-timeout`)",
            seconds(LOCK_TIMEOUT),
            "exit code 4",
        ),
        row(
            "Older versions kept on disk, which as many rollbacks restore (`keep` in config.toml)",
            count(OLDER_RELEASES),
            "the oldest is removed",
        ),
        row(
            "`settings.json` of a certificate, and the installations in its history",
            format!("{}, {HISTORY_LIMIT}", octets(SETTINGS_LIMIT)),
            "a larger file is refused; the oldest installations are forgotten",
        ),
        row(
            "Validity of `install --placeholder`",
            format!("{DAYS} days"),
            "it expires",
        ),
    ]
}

fn order_limits() -> Vec<LimitRow> {
    vec![
        row(
            "Waiting for one step of the CA in one run",
            seconds(ordering::LONGEST_WAIT),
            "exit code 4; the next run continues the order",
        ),
        row(
            "Waiting until all servers of a zone have a validation record",
            seconds(ordering::PUBLICATION_LIMIT),
            "the CA is not asked to validate",
        ),
        row(
            "One request to the API of a CA or of a DNS provider",
            seconds(api::API_DEADLINE),
            "reported as no answer",
        ),
        row(
            "An answer of such an API",
            octets(wide(api::MOST_ANSWER)),
            "refused",
        ),
        row(
            "The time after which such an API asks to be asked again",
            seconds(api::LONGEST_RETRY),
            "a longer time counts as this one",
        ),
        row(
            "Redirects of a validation file",
            count(VALIDATOR_REDIRECTS),
            "nothing is ordered",
        ),
        row(
            "Stages that one run follows an order through",
            count(ordering::MOST_STAGES),
            "exit code 4; the next run continues the order",
        ),
        row(
            "Waiting for another certctl that changes records in the same zone",
            seconds(LOCK_WAIT),
            "exit code 4",
        ),
        row(
            "Waiting for another certctl that orders the same certificate",
            seconds(ordering::LOCK_TIMEOUT),
            "exit code 4",
        ),
        row(
            "A program of `--dns exec:`",
            seconds(providers::HOOK_TIMEOUT),
            "ended; the record counts as not published",
        ),
        row(
            "A message that the CA refuses because of its nonce",
            format!("{NONCE_TRIES} tries"),
            "the CA's error is reported",
        ),
        row(
            "Certificates for the same names that are left below the CA's limit for a week",
            ordering::KEPT_IN_RESERVE.to_string(),
            "nothing is ordered without `--force`",
        ),
        row(
            "Times of issuance that are kept for one set of names",
            count(KEPT_TIMES),
            "the oldest are forgotten",
        ),
        row(
            "An entry of certctl's state",
            octets(ENTRY_LIMIT),
            "refused (exit code 3)",
        ),
        row(
            "A file with the HMAC key of an external account",
            octets(HMAC_KEY_LIMIT),
            "refused (exit code 3)",
        ),
    ]
}

fn renewal_limits() -> Vec<LimitRow> {
    vec![
        row(
            "Numbers of a name's requests in one folder",
            grouped(ordering::MOST_RENEWALS.into()),
            "no further request is made",
        ),
        row(
            "The pause after the first failure of a renewal; it doubles with each further one",
            hours(backoff::FIRST),
            "the next run tries again",
        ),
        row(
            "The longest pause",
            hours(backoff::LONGEST),
            "the next run tries again",
        ),
        row(
            "The part of the time until the expiry that such a pause takes",
            format!("1/{}", backoff::SHARE_OF_REST),
            "the next run tries again",
        ),
        row(
            "A unit or a table of cron that may run `certctl renew`",
            octets(renewal_timer::SIZE_LIMIT),
            "reported as not checked",
        ),
    ]
}

fn hours(time: SignedDuration) -> String {
    format!("{} h", time.as_hours())
}

fn row(what: &'static str, at_most: String, beyond: &'static str) -> LimitRow {
    LimitRow {
        what,
        at_most,
        beyond,
    }
}

/// Returns a size in the largest unit that divides it: `16 MiB`.
fn octets(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = KIB * KIB;
    match bytes {
        0 => "0 bytes".to_owned(),
        bytes if bytes % MIB == 0 => format!("{} MiB", grouped(bytes / MIB)),
        bytes if bytes % KIB == 0 => format!("{} KiB", grouped(bytes / KIB)),
        bytes => format!("{} bytes", grouped(bytes)),
    }
}

fn count(number: usize) -> String {
    grouped(wide(number))
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Returns a number with a comma after every three digits: `10,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Duration, grouped, octets, seconds};

    #[test]
    fn numbers_are_written_with_their_units() {
        assert_eq!(octets(16 * 1024 * 1024), "16 MiB");
        assert_eq!(octets(256 * 1024), "256 KiB");
        assert_eq!(octets(1500), "1,500 bytes");
        assert_eq!(octets(0), "0 bytes");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(10_000_000), "10,000,000");
        assert_eq!(seconds(Duration::from_millis(2500)), "2.5 s");
        assert_eq!(seconds(Duration::from_secs(60)), "60 s");
    }
}
