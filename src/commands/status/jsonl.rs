//! `--jsonl`: prints one JSON object per line for each file as it is read and each server as it
//! answers, ungrouped; the last one is the summary. Only a few files are in memory at a time.

use std::borrow::Cow;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;

use jiff::Timestamp;
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::inventory::due::days_between;
use crate::inventory::file_reader::{self, Keys};
use crate::inventory::{
    InventoryItem, ItemContent, ItemLocation, RenewBefore, RowVerdict, is_server_certificate,
};
use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::KeyAlgorithm;
use crate::probe::StartTls;
use crate::report::{self, Sink};
use crate::scan::{self, ScanResults, ScanScope};
use crate::status_report::MachineIdentity;
use crate::system::fs::parallel_read::{ReadFile, read_in_order};
use crate::system::fs::walk::WalkedEntry;

/// The line of a file or a server.
#[derive(Serialize)]
struct ScanLine<'a> {
    schema: &'static str,
    comment: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    verdict: &'static str,
    items: ItemList<'a>,
}

/// The line of something that could not be checked.
#[derive(Serialize)]
struct FindingLine<'a> {
    schema: &'static str,
    comment: &'a str,
    #[serde(flatten)]
    finding: &'a Finding,
}

/// The schema of every line but the last.
const LINE_SCHEMA: &str = "certctl.status-line/1";

/// The items of one file or server.
struct ItemList<'a> {
    contents: &'a [ItemContent],
    now: Timestamp,
}

impl Serialize for ItemList<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut items = to.serialize_seq(None)?;
        for content in self.contents {
            match content {
                ItemContent::Certificates(chain) => {
                    for certificate in chain {
                        items.serialize_element(&ItemLine::certificate(certificate, self.now))?;
                    }
                }
                ItemContent::Key(key) => items.serialize_element(&ItemLine::Key {
                    mode: key.mode.to_string(),
                    key: KeyLine {
                        algorithm: key.algorithm,
                        id: HexDigest(key.id.fingerprint()),
                    },
                })?,
                ItemContent::LockedKey { .. } => {
                    items.serialize_element(&ItemLine::EncryptedKey)?
                }
                // A line for the file itself says that it cannot be read.
                ItemContent::UnreadableKey => {}
                ItemContent::Request(request) => items.serialize_element(&ItemLine::Request {
                    dns_names: &request.names,
                    key: KeyLine {
                        algorithm: request.algorithm,
                        id: HexDigest(request.id.fingerprint()),
                    },
                })?,
                ItemContent::Revoked(list) => {
                    items.serialize_element(&ItemLine::Crl {
                        issuer: &list.issuer,
                        revoked: list.revoked,
                    })?;
                }
            }
        }
        items.end()
    }
}

/// One item of a line.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum ItemLine<'a> {
    Certificate {
        subject: &'a str,
        issuer: &'a str,
        dns_names: &'a [String],
        not_before: Timestamp,
        not_after: Timestamp,
        days_left: i64,
        serial: &'a str,
        sha256: HexDigest<'a>,
        ca: bool,
        key: KeyLine<'a>,
    },
    Crl {
        issuer: &'a str,
        revoked: usize,
    },
    EncryptedKey,
    Key {
        mode: String,
        key: KeyLine<'a>,
    },
    Request {
        dns_names: &'a [String],
        key: KeyLine<'a>,
    },
}

impl<'a> ItemLine<'a> {
    fn certificate(one: &'a Certificate, now: Timestamp) -> Self {
        Self::Certificate {
            subject: &one.subject,
            issuer: &one.issuer,
            dns_names: &one.dns_names,
            not_before: one.not_before,
            not_after: one.not_after,
            days_left: days_between(now, one.not_after),
            serial: &one.serial,
            sha256: HexDigest(&one.fingerprint),
            ca: one.is_ca,
            key: KeyLine {
                algorithm: one.algorithm,
                id: HexDigest(one.key_id.fingerprint()),
            },
        }
    }
}

#[derive(Serialize)]
struct KeyLine<'a> {
    #[serde(serialize_with = "serialize_display")]
    algorithm: KeyAlgorithm,
    id: HexDigest<'a>,
}

/// A hash in lower-case hex.
struct HexDigest<'a>(&'a Fingerprint);

impl Serialize for HexDigest<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0; 64];
        // Two ASCII digits for each octet: both calls succeed.
        let _ = hex::encode_to_slice(self.0.as_slice(), &mut digits);
        to.serialize_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

fn serialize_display<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// The rules for the verdict of a line.
#[derive(Clone, Copy)]
struct LinePolicy {
    now: Timestamp,
    renew_before: RenewBefore,
}

/// The counts of the last line.
#[derive(Default, Serialize)]
struct LineCounts {
    files: usize,
    certificates: usize,
    fine: usize,
    due: usize,
    wrong: usize,
    skipped: usize,
    unreadable: usize,
}

impl LineCounts {
    fn add(&mut self, more: &Self) {
        self.files += more.files;
        self.certificates += more.certificates;
        self.fine += more.fine;
        self.due += more.due;
        self.wrong += more.wrong;
        self.skipped += more.skipped;
        self.unreadable += more.unreadable;
    }
}

/// Prints the stream; returns the exit code.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn run(
    context: &Context,
    scopes: &[ScanScope],
    results: &mut ScanResults,
    renew_before: RenewBefore,
    starttls: Option<StartTls>,
) -> Result<u8, Failure> {
    let policy = LinePolicy {
        now: context.now(),
        renew_before,
    };
    let mut output = LineOutput {
        sink: &context.sink,
        counts: LineCounts::default(),
        code: 0,
    };
    results.items.retain(|item| is_in_scope(scopes, item));
    output.write(&LineBuffer::drain(policy, results));
    for path in scopes.iter().filter_map(ScanScope::path) {
        let entries = scan::walk(path);
        read_in_order(
            entries,
            file_reader::LIMIT,
            |lines: &mut LineBuffer, entry: ReadFile<'_>| lines.add_entry(policy, entry),
            |lines| output.write(&lines),
        );
    }
    results.for_each_host(context, scopes, starttls, |results| {
        output.write(&LineBuffer::drain(policy, results))
    });
    Ok(output.finish(policy.now))
}

/// Whether an item from the usual places belongs to a host or name on the command line. Files on the
/// command line are printed as they are read.
fn is_in_scope(scopes: &[ScanScope], item: &InventoryItem) -> bool {
    scopes.is_empty() || scopes.iter().any(|scope| scope_includes(scope, item))
}

fn scope_includes(scope: &ScanScope, item: &InventoryItem) -> bool {
    match scope {
        ScanScope::Host(host) => {
            matches!(&item.location, ItemLocation::Address { name, .. } if *name == host.name)
        }
        ScanScope::Name(wanted) => names_of(&item.content)
            .iter()
            .any(|name| name.eq_ignore_ascii_case(wanted.as_str())),
        ScanScope::Path(_) => false,
    }
}

/// The DNS names of a leaf or a request.
fn names_of(content: &ItemContent) -> &[String] {
    match content {
        ItemContent::Certificates(chain) => chain.first().map_or(&[], |leaf| &leaf.dns_names),
        ItemContent::Request(request) => &request.names,
        _ => &[],
    }
}

impl LinePolicy {
    /// Judges the dates of certificates and the mode of keys.
    fn verdict(self, content: &ItemContent) -> RowVerdict {
        match content {
            ItemContent::Certificates(chain) => chain
                .iter()
                .filter(|certificate| is_server_certificate(certificate))
                .map(|certificate| self.date_verdict(certificate))
                .max()
                .unwrap_or(RowVerdict::Fine),
            ItemContent::Key(key) if key.mode.has_any(0o007) => RowVerdict::Wrong,
            _ => RowVerdict::Fine,
        }
    }

    fn date_verdict(self, certificate: &Certificate) -> RowVerdict {
        if !certificate.is_in_date(self.now) {
            RowVerdict::Wrong
        } else if self.now
            >= self
                .renew_before
                .due(certificate.not_before, certificate.not_after)
        {
            RowVerdict::Due
        } else {
            RowVerdict::Fine
        }
    }
}

/// Lines to print, with their counts.
#[derive(Default)]
struct LineBuffer {
    text: Vec<u8>,
    counts: LineCounts,
}

impl LineBuffer {
    /// Takes the items and findings out of the results.
    fn drain(policy: LinePolicy, results: &mut ScanResults) -> Self {
        let mut lines = Self::default();
        for InventoryItem {
            location: place,
            content: what,
        } in results.items.drain(..)
        {
            lines.add_items(policy, &place, std::slice::from_ref(&what));
        }
        for finding in results.findings.drain(..) {
            lines.add_finding(&finding);
        }
        lines
    }

    fn add_entry(&mut self, policy: LinePolicy, entry: ReadFile<'_>) {
        match entry {
            ReadFile::File(path, Ok((bytes, mode))) => {
                self.counts.files += 1;
                let contents = file_reader::read_items(bytes, mode, Keys::Identified);
                // Most files have none.
                if !contents.is_empty() {
                    self.add_file(policy, path, &contents);
                }
            }
            ReadFile::File(path, Err(error)) => match scan::unreadable_severity(&error) {
                Some(Severity::Note) => {
                    self.add_skipped(path, "skipped", &error.source.to_string())
                }
                Some(_) => self.add_skipped(path, "unreadable", &error.source.to_string()),
                None => {}
            },
            ReadFile::Other(WalkedEntry::Skipped(path, reason)) => {
                self.add_skipped(&path, "skipped", reason)
            }
            ReadFile::Other(WalkedEntry::Failed(error)) => {
                self.add_skipped(&error.path, "unreadable", &error.source.to_string())
            }
            ReadFile::Other(WalkedEntry::File(_)) => {}
        }
    }

    fn add_items(&mut self, policy: LinePolicy, place: &ItemLocation, contents: &[ItemContent]) {
        match place {
            ItemLocation::File { path, .. } => self.add_file(policy, path, contents),
            ItemLocation::Address { address, name } => {
                let verdict = self.count(policy, contents);
                let items = ItemList {
                    contents,
                    now: policy.now,
                };
                self.push(&ScanLine {
                    schema: LINE_SCHEMA,
                    comment: verdict.comment(),
                    path: None,
                    address: Some(*address),
                    name: Some(name),
                    verdict: verdict.name(),
                    items,
                });
            }
        }
    }

    fn add_file(&mut self, policy: LinePolicy, path: &Path, contents: &[ItemContent]) {
        let verdict = self.count(policy, contents);
        let items = ItemList {
            contents,
            now: policy.now,
        };
        self.push(&ScanLine {
            schema: LINE_SCHEMA,
            comment: verdict.comment(),
            path: Some(report::path_text(path)),
            address: None,
            name: None,
            verdict: verdict.name(),
            items,
        });
    }

    /// Counts the contents of one line; returns its verdict.
    fn count(&mut self, policy: LinePolicy, contents: &[ItemContent]) -> RowVerdict {
        for content in contents {
            if let ItemContent::Certificates(chain) = content {
                self.counts.certificates += chain.len();
            }
        }
        let verdict = contents
            .iter()
            .map(|content| policy.verdict(content))
            .max()
            .unwrap_or(RowVerdict::Fine);
        let count = match verdict {
            RowVerdict::Fine => &mut self.counts.fine,
            RowVerdict::Due => &mut self.counts.due,
            RowVerdict::Wrong => &mut self.counts.wrong,
        };
        *count += 1;
        verdict
    }

    fn add_skipped(&mut self, path: &Path, code: &'static str, reason: &str) {
        let count = if code == "unreadable" {
            &mut self.counts.unreadable
        } else {
            &mut self.counts.skipped
        };
        *count += 1;
        self.push(&json!({
            "schema": LINE_SCHEMA,
            "comment": reason,
            "path": report::path_text(path),
            "code": code,
            "message": reason,
        }));
    }

    fn add_finding(&mut self, finding: &Finding) {
        if finding.severity == Severity::Error {
            self.counts.unreadable += 1;
        }
        self.push(&FindingLine {
            schema: LINE_SCHEMA,
            comment: &finding.message,
            finding,
        });
    }

    fn push(&mut self, line: &impl Serialize) {
        report::push_json_line(&mut self.text, line);
    }
}

struct LineOutput<'a> {
    sink: &'a Sink,
    counts: LineCounts,
    /// The exit code of the last write.
    code: u8,
}

impl LineOutput<'_> {
    /// A write error is reported once; then nothing more is written.
    fn write(&mut self, lines: &LineBuffer) {
        self.counts.add(&lines.counts);
        if self.code == 0 && !lines.text.is_empty() {
            self.code = self.sink.print_bytes(&lines.text);
        }
    }

    /// Prints the summary; returns the exit code.
    fn finish(mut self, at: Timestamp) -> u8 {
        let counts = &self.counts;
        let verdict = match (counts.wrong + counts.unreadable, counts.due) {
            (0, 0) => RowVerdict::Fine,
            (0, _) => RowVerdict::Due,
            _ => RowVerdict::Wrong,
        };
        let mut last = LineBuffer::default();
        last.push(&LineSummary {
            schema: "certctl.summary/1",
            comment: verdict.comment(),
            verdict: verdict.name(),
            machine: MachineIdentity::read(),
            at,
            counts,
        });
        self.write(&last);
        if self.code == 0 {
            u8::from(verdict != RowVerdict::Fine)
        } else {
            self.code
        }
    }
}

/// The last line.
#[derive(Serialize)]
struct LineSummary<'a> {
    schema: &'static str,
    comment: &'static str,
    verdict: &'static str,
    machine: MachineIdentity,
    at: Timestamp,
    #[serde(flatten)]
    counts: &'a LineCounts,
}
