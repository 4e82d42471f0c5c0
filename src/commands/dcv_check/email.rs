//! `dcv-check --method email`: lists the mailboxes that a CA may write to for each domain, and checks
//! whether mail to them can be delivered.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::method::{MethodCheck, MethodLine, MethodOutcome, MethodResult};
use crate::advice::dcv_check_command;
use crate::context::Context;
use crate::dcv::answer::RecordKind;
use crate::dcv::ca::Confirmation;
use crate::dcv::judge::DcvVerdict;
use crate::dcv::mailbox::{self, MailDelivery, MailDomain, MailReason};
use crate::dcv::record;
use crate::dcv::reseller_record::climb;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::pki::baseline_dates::EMAIL_VALIDATION;
use crate::system::dns;
use crate::validation::select::ChosenRecords;

/// A domain that has to be validated for a request.
struct DomainToCheck {
    /// The path of the request as it is printed.
    request: String,
    domain: String,
}

/// Checks all mailboxes once.
pub(super) fn check_mailboxes(check: &MethodCheck<'_>) -> Result<MethodOutcome, Failure> {
    let domains = domains_to_check(check.chosen);
    let mut findings: Vec<Finding> = check.chosen.first_findings();
    findings.extend(ca_findings(check));
    let mail_domains = look_up_mail(check, &domains)?;
    let mut results = Vec::new();
    for one in &domains {
        let candidates: Vec<&MailDomain> = climb(&one.domain)
            .iter()
            .filter_map(|domain| mail_domains.get(domain))
            .collect();
        let (verdict, reason) = judge(&candidates);
        findings.extend(reason.map(|reason| Finding::from(&reason)));
        results.push(mailbox_result(one, &candidates, verdict));
    }
    findings.extend(method_findings(check.context, &results));
    let next_if_visible =
        dcv_check_command::install_after_mail(&check.context.command_words("install"));
    // If mail can be delivered, there is nothing more to check.
    let is_deliverable = results
        .iter()
        .all(|result| result.verdict == DcvVerdict::Unchecked);
    let next_otherwise = if is_deliverable {
        next_if_visible.clone()
    } else {
        dcv_check_command::check_again(check.wait_command)
    };
    Ok(MethodOutcome {
        results,
        findings,
        changed: !check.chosen.written.is_empty(),
        next_if_visible,
        next_otherwise,
    })
}

fn domains_to_check(chosen: &ChosenRecords) -> Vec<DomainToCheck> {
    let mut domains = Vec::new();
    for selected in &chosen.selected {
        for domain in record::domains_to_validate(&selected.request) {
            domains.push(DomainToCheck {
                request: selected.shown.clone(),
                domain: domain.as_str().to_owned(),
            });
        }
    }
    domains
}

/// The findings about CAs that do not, or may not, offer validation by email.
fn ca_findings(check: &MethodCheck<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for selected in &check.chosen.selected {
        let Some(ca) = selected.ca(check.ca) else {
            continue;
        };
        let profile = ca.profile();
        let ca = profile.title;
        match profile.email {
            Confirmation::No => findings.push(Finding::from(&MailReason::NotOffered { ca })),
            Confirmation::Unknown => findings.push(Finding::from(&MailReason::NotConfirmed { ca })),
            Confirmation::Yes => {}
        }
    }
    findings
}

/// The findings about validation by email in general.
fn method_findings(context: &Context, results: &[MethodResult]) -> Vec<Finding> {
    let mut reasons = Vec::new();
    let has_mailbox = results
        .iter()
        .any(|result| result.verdict == DcvVerdict::Unchecked);
    if has_mailbox {
        reasons.push(MailReason::Unchecked);
    }
    reasons.push(if EMAIL_VALIDATION.holds(context.now()) {
        MailReason::Ended
    } else {
        MailReason::Ends
    });
    reasons.iter().map(Finding::from).collect()
}

/// Looks up mail delivery for every domain that a CA may use: the given ones and their parents.
fn look_up_mail(
    check: &MethodCheck<'_>,
    domains: &[DomainToCheck],
) -> Result<BTreeMap<String, MailDomain>, Failure> {
    let interrupt = &check.context.interrupt;
    let mut all = Vec::new();
    for one in domains {
        all.extend(climb(&one.domain));
    }
    all.sort();
    all.dedup();
    let answers = dns::look_up(&mail_queries(&all), check.resolvers, interrupt)?;
    let caa = dns::caa(&all, check.resolvers, interrupt)?;
    let mut mail_domains = BTreeMap::new();
    for (domain, answers) in all.iter().zip(answers.chunks(4)) {
        if let [mx, ipv4, ipv6, contact] = answers {
            let answers = [mx, ipv4, ipv6, contact];
            let contacts = caa.get(domain).map(|found| &found.resolver);
            let mail_domain = MailDomain::read(domain, answers, contacts);
            mail_domains.insert(domain.clone(), mail_domain);
        }
    }
    Ok(mail_domains)
}

/// Returns the four queries for each domain.
fn mail_queries(domains: &[String]) -> Vec<(String, RecordKind)> {
    let mut queries = Vec::new();
    for domain in domains {
        for kind in [RecordKind::Mx, RecordKind::A, RecordKind::Aaaa] {
            queries.push((domain.clone(), kind));
        }
        queries.push((mailbox::contact_name(domain), RecordKind::Txt));
    }
    queries
}

/// Judges the candidates for one domain: one that receives mail is enough.
fn judge(candidates: &[&MailDomain]) -> (DcvVerdict, Option<MailReason>) {
    for one in candidates {
        if one.is_deliverable() == Some(true) {
            return (DcvVerdict::Unchecked, None);
        }
    }
    for one in candidates {
        if let MailDelivery::Unknown(answer) = &one.mail {
            let reason = MailReason::Unknown {
                domain: one.domain.clone(),
                answer: answer.clone(),
            };
            return (DcvVerdict::Unreachable, Some(reason));
        }
    }
    let reason = candidates.first().map(|first| MailReason::NoMail {
        domain: first.domain.clone(),
        mail: first.mail.clone(),
    });
    (DcvVerdict::Absent, reason)
}

fn mailbox_result(
    checked: &DomainToCheck,
    candidates: &[&MailDomain],
    verdict: DcvVerdict,
) -> MethodResult {
    let mut mailboxes = Vec::with_capacity(candidates.len());
    let mut lines = Vec::with_capacity(candidates.len());
    for one in candidates {
        mailboxes.push(mailbox_json(one));
        let addresses = one.addresses().join(", ");
        let delivery = delivery_in_words(&one.mail);
        lines.push(MethodLine::Fact(format!("{delivery}: {addresses}")));
    }
    let record = json!({
        "name": checked.domain,
        "type": "EMAIL",
        "complete": false,
        "mailboxes": mailboxes,
        "request": checked.request,
        "verdict": verdict.word(),
    });
    MethodResult {
        verdict,
        answered: verdict != DcvVerdict::Unreachable,
        record,
        name: checked.domain.clone(),
        lines,
        rows: Vec::new(),
    }
}

fn mailbox_json(candidate: &MailDomain) -> Value {
    let servers: &[String] = match &candidate.mail {
        MailDelivery::Accepted(names) => names,
        _ => &[],
    };
    json!({
        "domain": candidate.domain,
        "addresses": candidate.addresses(),
        "contacts": candidate.contacts,
        "mail": delivery_code(&candidate.mail),
        "mx": servers,
    })
}

fn delivery_code(mail: &MailDelivery) -> &'static str {
    match mail {
        MailDelivery::Accepted(_) => "mx",
        MailDelivery::ByAddress => "address",
        MailDelivery::Null => "null-mx",
        MailDelivery::Nowhere => "none",
        MailDelivery::Unknown(_) => "unknown",
    }
}

fn delivery_in_words(mail: &MailDelivery) -> String {
    match mail {
        MailDelivery::Accepted(names) => format!("mail is delivered to {}", names.join(", ")),
        MailDelivery::ByAddress => {
            "no MX; mail is delivered to the domain's own address".to_owned()
        }
        MailDelivery::Null => "no mail is accepted (null MX)".to_owned(),
        MailDelivery::Nowhere => "mail cannot be delivered (neither MX nor address)".to_owned(),
        MailDelivery::Unknown(_) => "mail delivery unknown, because the lookup failed".to_owned(),
    }
}
