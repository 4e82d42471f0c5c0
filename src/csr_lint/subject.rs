//! Checks the subject: the limits of RFC 5280, and attributes that public CAs refuse or omit.

use super::fault::LintFault;
use super::rules;
use crate::csr_lint::request::LintedRequest;
use crate::pki::subject::{SubjectAttribute, SubjectName};

/// Returns the faults of attributes that exceed the limits of RFC 5280.
pub(crate) fn check_subject(subject: &SubjectName) -> Vec<LintFault> {
    subject.attributes().filter_map(check_attribute).collect()
}

fn check_attribute(attribute: &SubjectAttribute) -> Option<LintFault> {
    let name = attribute.name();
    let text = attribute.text()?;
    if name == "C" || name == "jurisdictionC" {
        return check_country(&name, text);
    }
    let length = text.chars().count();
    let most = attribute.most()?;
    if length <= most {
        return None;
    }
    let description = format!("{name} has {length} characters; the limit is {most}");
    Some(LintFault::new(&rules::TOO_LONG, description))
}

fn check_country(name: &str, text: &str) -> Option<LintFault> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let description = format!(
        "{name}={text} is not a two-letter country code in upper case (ISO 3166-1), such as DE"
    );
    Some(LintFault::new(&rules::COUNTRY, description))
}

/// Returns the faults of attributes that public CAs refuse or omit.
pub(crate) fn check_for_public_ca(request: &LintedRequest<'_>) -> Vec<LintFault> {
    let mut faults = Vec::new();
    for common_name in request.subject.common_names() {
        let is_listed = request.names.iter().any(|name| name.text() == common_name);
        if !is_listed {
            faults.push(unlisted_common_name(common_name));
        }
    }
    let has_unit = request
        .subject
        .attributes()
        .any(|attribute| attribute.name() == "OU");
    if has_unit {
        let description = "public CAs omit OU from the certificate; it does no harm in the request";
        faults.push(LintFault::new(&rules::ORGANIZATIONAL_UNIT, description));
    }
    faults
}

fn unlisted_common_name(name: &str) -> LintFault {
    let description = format!(
        "CN={name} is not one of the requested names: public CAs refuse it, and clients ignore it"
    );
    LintFault::new(&rules::COMMON_NAME, description)
}
