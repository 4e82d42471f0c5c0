//! `--jsonl`: one object a line for each file as it is read and each address that was asked, ungrouped; the last one is the
//! sum. However many files there are, few are in memory.

use std::fmt::Display;
use std::path::Path;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::inventory::due::days_between;
use crate::inventory::glance::{self, Keys};
use crate::inventory::{Item, Place, RenewBefore, Verdict, What, is_a_sites};
use crate::pki::certificate::Certificate;
use crate::pki::key::KeyAlgorithm;
use crate::report::{self, Sink};
use crate::survey::{Sought, Survey};
use crate::system::reading::{Looked, look_at};
use crate::system::walk::Met;

/// As much is written at once.
const BLOCK: usize = 32 * 1024;

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    verdict: &'static str,
    items: Vec<Told<'a>>,
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
#[derive(Default)]
struct Sum {
    files: usize,
    certificates: usize,
    verdicts: [usize; 3],
    passed_over: usize,
    unreadable: usize,
}

/// Prints the stream and says the exit code.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn run(context: &Context, sought: &[Sought], survey: &Survey, before: RenewBefore) -> Result<u8, Failure> {
    let measure = Measure { now: context.now(), before };
    let mut out = Out { sink: &context.sink, block: String::new(), sum: Sum::default() };
    for path in sought.iter().filter_map(Sought::path) {
        let look = |path: &Path, bytes: &[u8], mode: u32| measure.file(path, &glance::glance(bytes, mode, Keys::Named));
        look_at(crate::survey::walk(path), glance::LIMIT, look, |looked| out.looked(looked));
    }
    for Item { place, what } in &survey.items {
        if concerns(sought, place, what) {
            out.rendered(measure.line(place, std::slice::from_ref(what)));
        }
    }
    survey.findings.iter().for_each(|finding| out.finding(finding));
    out.finish(measure.now)
}

/// Whether a line of it is wanted; what lies in files that are named was told as it was read.
fn concerns(sought: &[Sought], place: &Place, what: &What) -> bool {
    let names: &[String] = match what {
        What::Certificates(chain) => chain.first().map_or(&[], |leaf| &leaf.dns_names),
        What::Request(asked) => &asked.names,
        What::Key(_) | What::LockedKey { .. } | What::Revoked(_) => &[],
    };
    let wants = |one: &Sought| match one {
        Sought::Host(host) => matches!(place, Place::Address { name, .. } if *name == host.name),
        Sought::Name(wanted) => names.iter().any(|name| name.eq_ignore_ascii_case(wanted.as_str())),
        Sought::Path(_) => false,
    };
    sought.is_empty() || sought.iter().any(wants)
}

/// A line as text, with what the sum needs of it.
struct Rendered {
    text: String,
    verdict: Verdict,
    certificates: usize,
}

impl Measure {
    /// The line of a file; none where nothing of use is in it.
    fn file(self, path: &Path, found: &[What]) -> Option<Rendered> {
        if found.is_empty() {
            return None;
        }
        let line = Line { path: Some(report::shown(path)), address: None, name: None, verdict: "", items: Vec::new() };
        Some(self.render(line, found))
    }

    fn line(self, place: &Place, found: &[What]) -> Rendered {
        let line = match place {
            Place::File { path, .. } => {
                Line { path: Some(report::shown(path)), address: None, name: None, verdict: "", items: Vec::new() }
            }
            Place::Address { address, name } => {
                let address = Some(address.to_string());
                Line { path: None, address, name: Some(name), verdict: "", items: Vec::new() }
            }
        };
        self.render(line, found)
    }

    fn render<'a>(self, mut line: Line<'a>, found: &'a [What]) -> Rendered {
        let mut verdict = Verdict::Fine;
        let mut certificates = 0;
        for what in found {
            verdict = verdict.max(self.verdict(what));
            match what {
                What::Certificates(chain) => {
                    certificates += chain.len();
                    line.items.extend(chain.iter().map(|one| self.certificate(one)));
                }
                What::Key(key) => line.items.push(Told::Key {
                    mode: format!("{:04o}", key.mode),
                    key: KeyTold { algorithm: key.algorithm, id: Hex(key.id.octets()) },
                }),
                What::LockedKey { .. } => line.items.push(Told::EncryptedKey),
                What::Request(asked) => line.items.push(Told::Request {
                    dns_names: &asked.names,
                    key: KeyTold { algorithm: asked.algorithm, id: Hex(asked.id.octets()) },
                }),
                What::Revoked(list) => line.items.push(Told::Crl { issuer: &list.issuer, revoked: list.revoked }),
            }
        }
        line.verdict = verdict.name();
        Rendered { text: report::json_line(&line), verdict, certificates }
    }

    fn certificate(self, one: &Certificate) -> Told<'_> {
        Told::Certificate {
            subject: &one.subject,
            issuer: &one.issuer,
            dns_names: &one.dns_names,
            not_before: one.not_before,
            not_after: one.not_after,
            days_left: days_between(self.now, one.not_after),
            serial: &one.serial,
            sha256: Hex(&one.fingerprint),
            ca: one.is_ca,
            key: KeyTold { algorithm: one.algorithm, id: Hex(one.key_id.octets()) },
        }
    }

    /// By its own dates and its own mode alone.
    fn verdict(self, what: &What) -> Verdict {
        match what {
            What::Certificates(chain) => {
                let sites = chain.iter().filter(|one| is_a_sites(one));
                sites.map(|one| self.dates(one)).max().unwrap_or(Verdict::Fine)
            }
            What::Key(key) if key.mode & 0o007 != 0 => Verdict::Wrong,
            _ => Verdict::Fine,
        }
    }

    fn dates(self, one: &Certificate) -> Verdict {
        if !one.is_in_date(self.now) {
            Verdict::Wrong
        } else if self.now >= self.before.due(one.not_before, one.not_after) {
            Verdict::Due
        } else {
            Verdict::Fine
        }
    }
}

/// Where lines go.
struct Out<'a> {
    sink: &'a Sink,
    block: String,
    sum: Sum,
}

impl Out<'_> {
    fn looked(&mut self, looked: Looked<Option<Rendered>>) {
        match looked {
            Looked::File(_, Ok(rendered)) => {
                self.sum.files += 1;
                rendered.into_iter().for_each(|rendered| self.rendered(rendered));
            }
            Looked::File(path, Err(error)) => match crate::survey::unread(&error) {
                Some(Severity::Note) => self.told(&path, "passed-over", &error.source.to_string()),
                Some(_) => self.told(&path, "unreadable", &error.source.to_string()),
                None => {}
            },
            Looked::Other(Met::Skipped(path, why)) => self.told(&path, "passed-over", why),
            Looked::Other(Met::Failed(error)) => self.told(&error.path, "unreadable", &error.source.to_string()),
            Looked::Other(Met::File(_)) => {}
        }
    }

    fn rendered(&mut self, rendered: Rendered) {
        self.sum.certificates += rendered.certificates;
        let place = match rendered.verdict {
            Verdict::Fine => 0,
            Verdict::Due => 1,
            Verdict::Wrong => 2,
        };
        self.sum.verdicts[place] += 1;
        self.write(&rendered.text);
    }

    fn told(&mut self, path: &Path, code: &'static str, why: &str) {
        if code == "unreadable" {
            self.sum.unreadable += 1;
        } else {
            self.sum.passed_over += 1;
        }
        self.write(&report::json_line(&json!({"path": report::shown(path), "code": code, "message": why})));
    }

    fn finding(&mut self, finding: &Finding) {
        if finding.severity == Severity::Error {
            self.sum.unreadable += 1;
        }
        self.write(&report::json_line(finding));
    }

    fn write(&mut self, text: &str) {
        self.block.push_str(text);
        if self.block.len() >= BLOCK {
            // What cannot be written is told once, at the end.
            let _ = self.sink.raw(self.block.as_bytes());
            self.block.clear();
        }
    }

    fn finish(mut self, at: Timestamp) -> Result<u8, Failure> {
        let Sum { files, certificates, verdicts: [fine, due, wrong], passed_over, unreadable } = self.sum;
        let verdict = match (wrong + unreadable, due) {
            (0, 0) => Verdict::Fine,
            (0, _) => Verdict::Due,
            _ => Verdict::Wrong,
        };
        let summary = json!({
            "schema": "certctl.summary/1",
            "verdict": verdict.name(),
            "at": at,
            "files": files,
            "certificates": certificates,
            "fine": fine,
            "due": due,
            "wrong": wrong,
            "passed_over": passed_over,
            "unreadable": unreadable,
        });
        self.block.push_str(&report::json_line(&summary));
        let code = self.sink.answer(self.block.as_bytes());
        Ok(if code == 0 { u8::from(verdict != Verdict::Fine) } else { code })
    }
}
