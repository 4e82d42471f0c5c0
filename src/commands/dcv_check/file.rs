//! `dcv-check --method http`: the file that the CA fetches, at every address of every name.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::method::{MethodOutcome, MethodResult};
use crate::commands::dcv_check::select::{ChosenRecords, SelectedRequest};
use crate::context::Context;
use crate::dcv::answer::{DnsAnswer, RecordKind};
use crate::dcv::ca::Ca;
use crate::dcv::expectation;
use crate::dcv::http_file::{self, FileReason, HttpResponse, ValidationFile};
use crate::dcv::judge::DcvVerdict;
use crate::dcv::public_address;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::system::dns::{self, ResolverList};
use crate::system::http;

/// The port that a CA asks at.
const PORT: u16 = 80;

/// One name to ask.
struct Wanted {
    request: String,
    proof: ValidationFile,
    /// False for the www that some CAs add by themselves.
    asked_for: bool,
    ca: Option<Ca>,
    /// Whether one server alone is asked for addresses, as in a test.
    rehearsed: bool,
}

/// One look at all files.
pub(super) fn look(
    context: &Context,
    resolvers: &ResolverList,
    named: Option<Ca>,
    chosen: &ChosenRecords,
    again: &[String],
) -> Result<MethodOutcome, Failure> {
    let (wanted, mut findings) = wanted(named, chosen, resolvers);
    if wanted.is_empty() && findings.is_empty() {
        return Err(Failure::new(
            FailureKind::NotFound,
            "the CA named for the request takes no proof by a file",
        )
        .with(NextStep::run(again)));
    }
    let names: Vec<(String, RecordKind)> = wanted
        .iter()
        .flat_map(|one| {
            [RecordKind::A, RecordKind::Aaaa].map(|kind| (one.proof.record.name.clone(), kind))
        })
        .collect();
    let answers = dns::look_up(&names, resolvers, &context.interrupt)?;
    let questions: Vec<Vec<SocketAddr>> = answers.chunks(2).map(addresses).collect();
    let asked: Vec<(String, SocketAddr)> = wanted
        .iter()
        .zip(&questions)
        .flat_map(|(one, at)| {
            at.iter()
                .map(|address| (one.proof.record.url.clone(), *address))
        })
        .collect();
    let interrupted = |signal| {
        Failure::new(
            FailureKind::Interrupted(signal),
            "interrupted while the files were asked for",
        )
    };
    let mut got = http::at::look(&asked, &context.interrupt)
        .map_err(interrupted)?
        .into_iter();
    let mut parts = Vec::new();
    for ((one, at), answers) in wanted.iter().zip(&questions).zip(answers.chunks(2)) {
        let got: Vec<(SocketAddr, HttpResponse)> = at.iter().copied().zip(got.by_ref()).collect();
        let (part, found) = part(one, &got, answers);
        found.into_iter().for_each(|finding| {
            if !findings.contains(&finding) {
                findings.push(finding)
            }
        });
        parts.extend(part);
    }
    findings.splice(0..0, chosen.strays.iter().cloned());
    let install = NextStep::run(&context.again("install")).text;
    let done = format!(
        "press Retry at the shop; leave the files there. When the zip has come:  sudo {install} \
            FILE.zip"
    );
    // Without the shop's lines it would not be compared the next time either.
    let incomplete = wanted.iter().any(|one| !one.proof.record.complete);
    let more: &[&str] = if incomplete { &["--record", "-"] } else { &[] };
    let mut again: Vec<String> = again
        .iter()
        .cloned()
        .chain(more.iter().map(|&word| word.to_owned()))
        .collect();
    if findings
        .iter()
        .any(|finding| finding.code == "wildcard-not-by-file")
    {
        // It is proved by a record or not at all.
        again.retain(|word| !matches!(word.as_str(), "--method" | "http"));
    }
    Ok(MethodOutcome {
        parts,
        findings,
        changed: !chosen.kept.is_empty(),
        done: NextStep::say(done),
        again: NextStep::run(&again),
    })
}

/// The files of all requests, and what no file can prove.
fn wanted(
    named: Option<Ca>,
    chosen: &ChosenRecords,
    resolvers: &ResolverList,
) -> (Vec<Wanted>, Vec<Finding>) {
    let (mut all, mut findings) = (Vec::new(), Vec::new());
    for SelectedRequest {
        shown,
        request,
        kept,
        reuses_key,
        ..
    } in &chosen.selected
    {
        let ca = named.or_else(|| kept.ca());
        let given: Vec<_> = kept
            .records()
            .into_iter()
            .filter(|record| expectation::belongs(record, request))
            .collect();
        let wildcards = request
            .dns_names
            .iter()
            .filter(|name| name.starts_with("*."));
        findings.extend(
            wildcards.map(|name| Finding::from(&FileReason::Wildcard { name: name.clone() })),
        );
        let proof = |mut proof: ValidationFile, asked_for| {
            if *reuses_key && given.is_empty() {
                proof.shop_decides();
            }
            Wanted {
                request: shown.clone(),
                proof,
                asked_for,
                ca,
                rehearsed: resolvers.alone(),
            }
        };
        all.extend(
            http_file::files(request, ca, &given)
                .into_iter()
                .map(|one| proof(one, true)),
        );
        // A certificate for one name gets its www too, if that serves the file.
        if let ([only], Some(_)) = (request.dns_names.as_slice(), ca.and_then(www_drops_out))
            && !only.starts_with("www.")
            && !only.starts_with("*.")
        {
            all.extend(
                http_file::file(request, &format!("www.{only}"), ca, &given)
                    .map(|one| proof(one, false)),
            );
        }
    }
    (all, findings)
}

fn addresses(answers: &[DnsAnswer]) -> Vec<SocketAddr> {
    let found = answers.iter().filter_map(|answer| match answer {
        DnsAnswer::Addresses(addresses) => Some(addresses),
        _ => None,
    });
    found
        .flatten()
        .map(|address| SocketAddr::new(*address, PORT))
        .collect()
}

/// What one name comes to, with the reasons; no part for a www that was not asked for.
fn part(
    one: &Wanted,
    got: &[(SocketAddr, HttpResponse)],
    answers: &[DnsAnswer],
) -> (Option<MethodResult>, Vec<Finding>) {
    let record = &one.proof.record;
    let told: Vec<_> = got
        .iter()
        .map(|(address, got)| (address, got, one.proof.judge(got)))
        .collect();
    let asked = told
        .iter()
        .filter(|(_, got, _)| **got != HttpResponse::NoRoute);
    let failed = answers
        .iter()
        .find(|answer| !answer.is_answer() || **answer == DnsAnswer::Bogus);
    let verdict = match (asked.map(|(_, _, (verdict, _))| *verdict).max(), failed) {
        (Some(verdict), None) => verdict,
        (Some(verdict), Some(_)) => verdict.max(DcvVerdict::Unreachable),
        (None, Some(_)) => DcvVerdict::Unreachable,
        (None, None) if !got.is_empty() => DcvVerdict::Unreachable,
        (None, None) => DcvVerdict::Absent,
    };
    let drops_out = www_drops_out(one.ca.unwrap_or(Ca::Sectigo))
        .filter(|_| record.name.starts_with("www.") && verdict != DcvVerdict::Visible);
    let mut findings: Vec<Finding> = Vec::new();
    if one.asked_for {
        let reasons = told.iter().filter_map(|(address, got, (_, flaw))| {
            FileReason::of(&one.proof, address, got, flaw.as_ref())
        });
        // Where no CA gets to anyway, silence is nothing to be mended.
        let matters = |reason: &FileReason| match reason {
            FileReason::Silent { address, .. } => {
                one.rehearsed || public_address::unreachable(address.ip()).is_none()
            }
            _ => true,
        };
        findings.extend(reasons.filter(matters).map(|reason| Finding::from(&reason)));
        if got.is_empty() {
            findings.push(
                (&FileReason::NoAddress {
                    name: record.name.clone(),
                    failed: failed.cloned(),
                })
                    .into(),
            );
        }
        findings.extend(inside(one, got));
    }
    if let Some(source) = drops_out {
        findings.push(
            (&FileReason::WwwDropsOut {
                name: record.name.clone(),
                source,
            })
                .into(),
        );
    }
    let servers: Vec<Value> = told
        .iter()
        .map(|(address, got, (verdict, _))| server(address, got, *verdict))
        .collect();
    let mut lines = vec![("file", record.url.clone())];
    if verdict != DcvVerdict::Visible {
        let content = record
            .body
            .as_ref()
            .or(record.shape.as_ref())
            .into_iter()
            .flat_map(|body| body.lines());
        lines.extend(content.map(|line| ("lines", line.to_owned())));
    }
    let rows = told
        .iter()
        .map(|(address, got, (verdict, _))| (address.to_string(), says(got, *verdict)))
        .collect();
    let mut entry = json!(record);
    entry["request"] = json!(one.request);
    entry["verdict"] = json!(verdict.word());
    entry["servers"] = json!(servers);
    let answered = got
        .iter()
        .any(|(_, got)| matches!(got, HttpResponse::Answered { .. }))
        || (got.is_empty() && failed.is_none());
    let name = record.name.clone();
    (
        one.asked_for.then_some(MethodResult {
            verdict,
            answered,
            record: entry,
            name,
            lines,
            rows,
        }),
        findings,
    )
}

/// That an address is one that nobody outside gets to; once for a name.
fn inside(one: &Wanted, got: &[(SocketAddr, HttpResponse)]) -> Option<Finding> {
    let (address, why) = got
        .iter()
        .find_map(|(at, _)| Some((at.ip(), public_address::unreachable(at.ip())?)))?;
    let name = one.proof.record.name.clone();
    Some(
        (&FileReason::Outside {
            name,
            address,
            why,
            rehearsed: one.rehearsed,
        })
            .into(),
    )
}

/// Where the CA says that it leaves such a name out.
fn www_drops_out(ca: Ca) -> Option<&'static str> {
    ca.profile().www_drops_out
}

fn server(address: &SocketAddr, got: &HttpResponse, verdict: DcvVerdict) -> Value {
    let mut server =
        json!({"address": address.to_string(), "role": "web", "verdict": verdict.word()});
    match got {
        HttpResponse::Answered {
            status, location, ..
        } => {
            server["answer"] = json!(status.to_string());
            server["location"] = json!(location);
        }
        HttpResponse::Silent(reason) => {
            server["answer"] = json!("silent");
            server["reason"] = json!(reason);
        }
        HttpResponse::NoRoute => server["answer"] = json!("unreachable-from-here"),
    }
    server
}

fn says(got: &HttpResponse, verdict: DcvVerdict) -> String {
    match got {
        HttpResponse::Answered { status: 200, .. } => match verdict {
            DcvVerdict::Visible => "visible".to_owned(),
            DcvVerdict::Unchecked => "there, its last line unchecked".to_owned(),
            _ => "another content".to_owned(),
        },
        HttpResponse::Answered {
            status,
            location: Some(to),
            ..
        } => format!("{status}, sends to {to}"),
        HttpResponse::Answered { status, .. } => format!("{status}"),
        HttpResponse::Silent(reason) => format!("no answer ({reason})"),
        HttpResponse::NoRoute => "not asked: no way there from here".to_owned(),
    }
}
