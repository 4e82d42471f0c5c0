//! `dcv-check --method email`: who may be written to for each domain, and whether mail for them
//! arrives anywhere.

use std::collections::BTreeMap;

use serde_json::json;

use super::method::{MethodOutcome, MethodResult};
use crate::commands::dcv_check::select::{ChosenRecords, SelectedRequest};
use crate::context::Context;
use crate::dcv::answer::RecordKind;
use crate::dcv::ca::{Ca, Confirmation};
use crate::dcv::judge::DcvVerdict;
use crate::dcv::mailbox::{self, MailDelivery, MailDomain, MailReason};
use crate::dcv::record;
use crate::dcv::reseller_record::climb;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep};
use crate::pki::baseline_dates::EMAIL_PROOF;
use crate::system::dns::{self, ResolverList};

/// One look at all mailboxes.
pub(super) fn look(
    context: &Context,
    resolvers: &ResolverList,
    named: Option<Ca>,
    chosen: &ChosenRecords,
    again: &[String],
) -> Result<MethodOutcome, Failure> {
    let mut wanted: Vec<(String, String)> = Vec::new();
    let mut findings: Vec<Finding> = chosen.strays.clone();
    for SelectedRequest {
        shown,
        request,
        kept,
        ..
    } in &chosen.selected
    {
        wanted.extend(
            record::domains(request)
                .iter()
                .map(|domain| (shown.clone(), domain.as_str().to_owned())),
        );
        let taken = named
            .or_else(|| kept.ca())
            .map(Ca::profile)
            .and_then(|ca| match ca.email {
                Confirmation::No => Some(MailReason::NotTaken { ca: ca.title }),
                Confirmation::Unknown => Some(MailReason::NotConfirmed { ca: ca.title }),
                Confirmation::Yes => None,
            });
        findings.extend(taken.map(|reason| Finding::from(&reason)));
    }
    let mailboxes = ask(context, resolvers, wanted.iter().map(|(_, domain)| domain))?;
    let mut parts = Vec::new();
    for (request, domain) in &wanted {
        let own: Vec<&MailDomain> = climb(domain)
            .iter()
            .filter_map(|one| mailboxes.get(one))
            .collect();
        let (verdict, reason) = judge(&own);
        findings.extend(reason.map(|reason| Finding::from(&reason)));
        parts.push(part(request, domain, &own, verdict));
    }
    if parts
        .iter()
        .any(|part| part.verdict == DcvVerdict::Unchecked)
    {
        findings.push((&MailReason::Unchecked).into());
    }
    let ended = EMAIL_PROOF.holds(context.now());
    findings.push(
        (if ended {
            &MailReason::Ended
        } else {
            &MailReason::Ends
        })
        .into(),
    );
    let install = NextStep::run(&context.again("install")).text;
    let done = NextStep::say(format!(
        "answer the mail that the CA sends there. When the zip has come:  sudo {install} FILE.zip"
    ));
    // Where mail arrives there is nothing more to look for.
    let arrives = parts
        .iter()
        .all(|part| part.verdict == DcvVerdict::Unchecked);
    let again = if arrives {
        done.clone()
    } else {
        NextStep::run(again)
    };
    Ok(MethodOutcome {
        parts,
        findings,
        changed: !chosen.kept.is_empty(),
        done,
        again,
    })
}

/// What the DNS says of every domain that a CA may use for these.
fn ask<'a>(
    context: &Context,
    resolvers: &ResolverList,
    domains: impl Iterator<Item = &'a String>,
) -> Result<BTreeMap<String, MailDomain>, Failure> {
    let mut all: Vec<String> = domains.flat_map(|domain| climb(domain)).collect();
    all.sort();
    all.dedup();
    let questions: Vec<(String, RecordKind)> = all
        .iter()
        .flat_map(|domain| {
            let own = [RecordKind::Mx, RecordKind::A, RecordKind::Aaaa]
                .map(|kind| (domain.clone(), kind));
            own.into_iter()
                .chain([(mailbox::contact_name(domain), RecordKind::Txt)])
        })
        .collect();
    let answers = dns::look_up(&questions, resolvers, &context.interrupt)?;
    let caa = dns::caa(&all, resolvers, &context.interrupt)?;
    let read = |(domain, answers): (&String, &[crate::dcv::answer::DnsAnswer])| match answers {
        [mx, four, six, text] => Some((
            domain.clone(),
            MailDomain::read(domain, [mx, four, six, text], caa.get(domain)),
        )),
        _ => None,
    };
    Ok(all.iter().zip(answers.chunks(4)).filter_map(read).collect())
}

/// Mail to one of the domains is enough.
fn judge(own: &[&MailDomain]) -> (DcvVerdict, Option<MailReason>) {
    if own.iter().any(|one| one.arrives() == Some(true)) {
        return (DcvVerdict::Unchecked, None);
    }
    let unknown = own.iter().find_map(|one| match &one.mail {
        MailDelivery::Unknown(answer) => Some(MailReason::Unknown {
            domain: one.domain.clone(),
            answer: answer.clone(),
        }),
        _ => None,
    });
    if unknown.is_some() {
        return (DcvVerdict::Unreachable, unknown);
    }
    let first = own.first().map(|one| MailReason::NoMail {
        domain: one.domain.clone(),
        mail: one.mail.clone(),
    });
    (DcvVerdict::Absent, first)
}

fn part(request: &str, domain: &str, own: &[&MailDomain], verdict: DcvVerdict) -> MethodResult {
    let entry = |one: &&MailDomain| {
        json!({
            "domain": one.domain,
            "addresses": one.addresses(),
            "contacts": one.contacts,
            "mail": word(&one.mail),
            "mx": if let MailDelivery::Taken(names) = &one.mail { names.as_slice() } else { &[] },
        })
    };
    let record = json!({
        "name": domain,
        "type": "EMAIL",
        "complete": false,
        "mailboxes": own.iter().map(entry).collect::<Vec<_>>(),
        "request": request,
        "verdict": verdict.word(),
    });
    let lines = own.iter().map(|one| {
        (
            "mail",
            format!("{}   ({})", one.addresses().join(", "), in_words(&one.mail)),
        )
    });
    let (name, lines) = (domain.to_owned(), lines.collect());
    MethodResult {
        verdict,
        answered: verdict != DcvVerdict::Unreachable,
        record,
        name,
        lines,
        rows: Vec::new(),
    }
}

fn word(mail: &MailDelivery) -> &'static str {
    match mail {
        MailDelivery::Taken(_) => "mx",
        MailDelivery::ByAddress => "address",
        MailDelivery::Null => "null-mx",
        MailDelivery::Nowhere => "none",
        MailDelivery::Unknown(_) => "unknown",
    }
}

fn in_words(mail: &MailDelivery) -> String {
    match mail {
        MailDelivery::Taken(names) => format!("mail goes to {}", names.join(", ")),
        MailDelivery::ByAddress => "no MX; mail goes to the domain's own address".to_owned(),
        MailDelivery::Null => "takes no mail: null MX".to_owned(),
        MailDelivery::Nowhere => "neither MX nor address".to_owned(),
        MailDelivery::Unknown(_) => "who takes it was not found out".to_owned(),
    }
}
