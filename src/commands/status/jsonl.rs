//! `--jsonl`: one object a line for each file as it is read and each server as it answers,
//! ungrouped; the last one is the sum. However many files there are, few are in memory.

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
    InventoryItem, ItemContent, ItemLocation, RenewBefore, RowVerdict, is_a_sites,
};
use crate::pki::certificate::Certificate;
use crate::pki::key::KeyAlgorithm;
use crate::probe::StartTls;
use crate::report::{self, Sink};
use crate::scan::{ScanResults, ScanScope};
use crate::system::fs::parallel_read::{ReadFile, look_at};
use crate::system::fs::walk::WalkedEntry;

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    verdict: &'static str,
    items: Items<'a>,
}

/// What was found in one place.
struct Items<'a> {
    found: &'a [ItemContent],
    now: Timestamp,
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut items = to.serialize_seq(None)?;
        for what in self.found {
            match what {
                ItemContent::Certificates(chain) => {
                    chain.iter().try_for_each(|one| {
                        items.serialize_element(&Told::certificate(one, self.now))
                    })?;
                }
                ItemContent::Key(key) => items.serialize_element(&Told::Key {
                    mode: format!("{:04o}", key.mode),
                    key: KeyTold {
                        algorithm: key.algorithm,
                        id: Hex(key.id.octets()),
                    },
                })?,
                ItemContent::LockedKey { .. } => items.serialize_element(&Told::EncryptedKey)?,
                ItemContent::Request(asked) => items.serialize_element(&Told::Request {
                    dns_names: &asked.names,
                    key: KeyTold {
                        algorithm: asked.algorithm,
                        id: Hex(asked.id.octets()),
                    },
                })?,
                ItemContent::Revoked(list) => {
                    items.serialize_element(&Told::Crl {
                        issuer: &list.issuer,
                        revoked: list.revoked,
                    })?;
                }
            }
        }
        items.end()
    }
}

/// One thing in a file.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Told<'a> {
    Certificate {
        subject: &'a str,
        issuer: &'a str,
        dns_names: &'a [String],
        not_before: Timestamp,
        not_after: Timestamp,
        days_left: i64,
        serial: &'a str,
        sha256: Hex<'a>,
        ca: bool,
        key: KeyTold<'a>,
    },
    Crl {
        issuer: &'a str,
        revoked: usize,
    },
    EncryptedKey,
    Key {
        mode: String,
        key: KeyTold<'a>,
    },
    Request {
        dns_names: &'a [String],
        key: KeyTold<'a>,
    },
}

impl<'a> Told<'a> {
    fn certificate(one: &'a Certificate, now: Timestamp) -> Self {
        Self::Certificate {
            subject: &one.subject,
            issuer: &one.issuer,
            dns_names: &one.dns_names,
            not_before: one.not_before,
            not_after: one.not_after,
            days_left: days_between(now, one.not_after),
            serial: &one.serial,
            sha256: Hex(&one.fingerprint),
            ca: one.is_ca,
            key: KeyTold {
                algorithm: one.algorithm,
                id: Hex(one.key_id.octets()),
            },
        }
    }
}

#[derive(Serialize)]
struct KeyTold<'a> {
    #[serde(serialize_with = "as_written")]
    algorithm: KeyAlgorithm,
    id: Hex<'a>,
}

/// A hash in lower-case hex.
struct Hex<'a>(&'a [u8; 32]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0; 64];
        // There are two for each octet, and they are ASCII.
        let _ = hex::encode_to_slice(self.0, &mut digits);
        to.serialize_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

fn as_written<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// What a line is judged by.
#[derive(Clone, Copy)]
struct Measure {
    now: Timestamp,
    before: RenewBefore,
}

/// Counts for the last line.
#[derive(Default, Serialize)]
struct Sum {
    files: usize,
    certificates: usize,
    fine: usize,
    due: usize,
    wrong: usize,
    passed_over: usize,
    unreadable: usize,
}

impl Sum {
    fn add(&mut self, more: &Self) {
        self.files += more.files;
        self.certificates += more.certificates;
        self.fine += more.fine;
        self.due += more.due;
        self.wrong += more.wrong;
        self.passed_over += more.passed_over;
        self.unreadable += more.unreadable;
    }
}

/// Prints the stream and says the exit code.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn run(
    context: &Context,
    sought: &[ScanScope],
    survey: &mut ScanResults,
    before: RenewBefore,
    starttls: Option<StartTls>,
) -> Result<u8, Failure> {
    let measure = Measure {
        now: context.now(),
        before,
    };
    let mut out = Out {
        sink: &context.sink,
        sum: Sum::default(),
        code: 0,
    };
    survey
        .items
        .retain(|InventoryItem { place, what }| concerns(sought, place, what));
    out.write(&Lines::surveyed(measure, survey));
    for path in sought.iter().filter_map(ScanScope::path) {
        let look = |lines: &mut Lines, seen: ReadFile<'_>| lines.seen(measure, seen);
        look_at(crate::scan::walk(path), file_reader::LIMIT, look, |lines| {
            out.write(&lines)
        });
    }
    survey.each_host(context, sought, starttls, |survey| {
        out.write(&Lines::surveyed(measure, survey))
    });
    Ok(out.finish(measure.now))
}

/// Whether a line of what was looked at unasked is wanted; what is named is told as it is read.
fn concerns(sought: &[ScanScope], place: &ItemLocation, what: &ItemContent) -> bool {
    let names: &[String] = match what {
        ItemContent::Certificates(chain) => chain.first().map_or(&[], |leaf| &leaf.dns_names),
        ItemContent::Request(asked) => &asked.names,
        ItemContent::Key(_) | ItemContent::LockedKey { .. } | ItemContent::Revoked(_) => &[],
    };
    let wants = |one: &ScanScope| match one {
        ScanScope::Host(host) => {
            matches!(place, ItemLocation::Address { name, .. } if *name == host.name)
        }
        ScanScope::Name(wanted) => names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(wanted.as_str())),
        ScanScope::Path(_) => false,
    };
    sought.is_empty() || sought.iter().any(wants)
}

impl Measure {
    /// By its own dates and its own mode alone.
    fn verdict(self, what: &ItemContent) -> RowVerdict {
        match what {
            ItemContent::Certificates(chain) => {
                let sites = chain.iter().filter(|one| is_a_sites(one));
                sites
                    .map(|one| self.dates(one))
                    .max()
                    .unwrap_or(RowVerdict::Fine)
            }
            ItemContent::Key(key) if key.mode & 0o007 != 0 => RowVerdict::Wrong,
            _ => RowVerdict::Fine,
        }
    }

    fn dates(self, one: &Certificate) -> RowVerdict {
        if !one.is_in_date(self.now) {
            RowVerdict::Wrong
        } else if self.now >= self.before.due(one.not_before, one.not_after) {
            RowVerdict::Due
        } else {
            RowVerdict::Fine
        }
    }
}

/// Some of the lines, and counts of them.
#[derive(Default)]
struct Lines {
    text: Vec<u8>,
    sum: Sum,
}

impl Lines {
    /// What was found and told since the last time.
    fn surveyed(measure: Measure, survey: &mut ScanResults) -> Self {
        let mut lines = Self::default();
        for InventoryItem { place, what } in survey.items.drain(..) {
            lines.found(measure, &place, std::slice::from_ref(&what));
        }
        survey
            .findings
            .drain(..)
            .for_each(|finding| lines.finding(&finding));
        lines
    }

    fn seen(&mut self, measure: Measure, seen: ReadFile<'_>) {
        match seen {
            ReadFile::File(path, Ok((bytes, mode))) => {
                self.sum.files += 1;
                let found = file_reader::glance(bytes, mode, Keys::Named);
                // Most that lies about is nothing of use.
                if !found.is_empty() {
                    self.file(measure, path, &found);
                }
            }
            ReadFile::File(path, Err(error)) => match crate::scan::unread(&error) {
                Some(Severity::Note) => self.told(path, "skipped", &error.source.to_string()),
                Some(_) => self.told(path, "unreadable", &error.source.to_string()),
                None => {}
            },
            ReadFile::Other(WalkedEntry::Skipped(path, why)) => self.told(&path, "skipped", why),
            ReadFile::Other(WalkedEntry::Failed(error)) => {
                self.told(&error.path, "unreadable", &error.source.to_string())
            }
            ReadFile::Other(WalkedEntry::File(_)) => {}
        }
    }

    fn found(&mut self, measure: Measure, place: &ItemLocation, found: &[ItemContent]) {
        match place {
            ItemLocation::File { path, .. } => self.file(measure, path, found),
            ItemLocation::Address { address, name } => {
                let verdict = self.counted(measure, found);
                let items = Items {
                    found,
                    now: measure.now,
                };
                self.push(&Line {
                    path: None,
                    address: Some(*address),
                    name: Some(name),
                    verdict,
                    items,
                });
            }
        }
    }

    fn file(&mut self, measure: Measure, path: &Path, found: &[ItemContent]) {
        let verdict = self.counted(measure, found);
        let items = Items {
            found,
            now: measure.now,
        };
        self.push(&Line {
            path: Some(report::shown(path)),
            address: None,
            name: None,
            verdict,
            items,
        });
    }

    /// What is to be said of it in one word.
    fn counted(&mut self, measure: Measure, found: &[ItemContent]) -> &'static str {
        let certificates = |what: &ItemContent| {
            if let ItemContent::Certificates(chain) = what {
                chain.len()
            } else {
                0
            }
        };
        self.sum.certificates += found.iter().map(certificates).sum::<usize>();
        let verdict = found
            .iter()
            .map(|what| measure.verdict(what))
            .max()
            .unwrap_or(RowVerdict::Fine);
        let count = match verdict {
            RowVerdict::Fine => &mut self.sum.fine,
            RowVerdict::Due => &mut self.sum.due,
            RowVerdict::Wrong => &mut self.sum.wrong,
        };
        *count += 1;
        verdict.name()
    }

    fn told(&mut self, path: &Path, code: &'static str, why: &str) {
        let count = if code == "unreadable" {
            &mut self.sum.unreadable
        } else {
            &mut self.sum.passed_over
        };
        *count += 1;
        self.push(&json!({"path": report::shown(path), "code": code, "message": why}));
    }

    fn finding(&mut self, finding: &Finding) {
        if finding.severity == Severity::Error {
            self.sum.unreadable += 1;
        }
        self.push(finding);
    }

    fn push(&mut self, line: &impl Serialize) {
        report::push_json_line(&mut self.text, line);
    }
}

struct Out<'a> {
    sink: &'a Sink,
    sum: Sum,
    /// What came of writing.
    code: u8,
}

impl Out<'_> {
    /// What cannot be written is told once, and nothing more is written then.
    fn write(&mut self, lines: &Lines) {
        self.sum.add(&lines.sum);
        if self.code == 0 && !lines.text.is_empty() {
            self.code = self.sink.answer(&lines.text);
        }
    }

    /// The line that ends all.
    fn finish(mut self, at: Timestamp) -> u8 {
        let sum = &self.sum;
        let verdict = match (sum.wrong + sum.unreadable, sum.due) {
            (0, 0) => RowVerdict::Fine,
            (0, _) => RowVerdict::Due,
            _ => RowVerdict::Wrong,
        };
        let mut last = Lines::default();
        last.push(&Summary {
            schema: "certctl.summary/1",
            verdict: verdict.name(),
            at,
            sum,
        });
        self.write(&last);
        if self.code == 0 {
            u8::from(verdict != RowVerdict::Fine)
        } else {
            self.code
        }
    }
}

#[derive(Serialize)]
struct Summary<'a> {
    schema: &'static str,
    verdict: &'static str,
    at: Timestamp,
    #[serde(flatten)]
    sum: &'a Sum,
}
