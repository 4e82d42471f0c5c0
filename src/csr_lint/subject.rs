//! The subject: what RFC 5280 bounds, and what public CAs do with it.

use super::fault::LintFault;
use super::rules;
use crate::csr_lint::request::LintedRequest;
use crate::pki::subject::{SubjectAttribute, SubjectName};

/// What nobody may write.
pub(crate) fn faults(subject: &SubjectName) -> Vec<LintFault> {
    subject.attributes().filter_map(fault).collect()
}

fn fault(attribute: &SubjectAttribute) -> Option<LintFault> {
    let (name, text) = (attribute.name(), attribute.text()?);
    if name == "C" || name == "jurisdictionC" {
        let fine = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
        return (!fine).then(|| {
            LintFault::new(
                &rules::COUNTRY,
                format!("{name}={text}: a country is its two capital letters in ISO 3166-1, as DE"),
            )
        });
    }
    let (length, most) = (text.chars().count(), attribute.most()?);
    (length > most).then(|| {
        LintFault::new(
            &rules::TOO_LONG,
            format!("{name} has {length} characters; {most} is the most"),
        )
    })
}

/// What public CAs refuse or leave out.
pub(crate) fn public_faults(order: &LintedRequest<'_>) -> Vec<LintFault> {
    let listed = |name: &&str| order.names.iter().all(|listed| listed.text() != **name);
    let mut faults: Vec<LintFault> = order
        .subject
        .common_names()
        .filter(listed)
        .map(unlisted)
        .collect();
    if order
        .subject
        .attributes()
        .any(|attribute| attribute.name() == "OU")
    {
        let what = "OU is left out by public CAs; it does no harm in the request";
        faults.push(LintFault::new(&rules::ORGANIZATIONAL_UNIT, what));
    }
    faults
}

fn unlisted(name: &str) -> LintFault {
    LintFault::new(
        &rules::COMMON_NAME,
        format!("CN={name} is none of the names: public CAs refuse it, and no client looks at it"),
    )
}
