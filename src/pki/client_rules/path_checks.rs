//! The rules for the certificates of a chain together: path length, name constraints, key
//! identifiers, names.

use super::broken_rule::BrokenRule;
use super::chain_link::{ChainLink, ChainRole};
use super::clients::TlsClient;
use super::constraints::{ConstraintFault, NameConstraints, OddSubtree, ViolatingName};
use super::table;
use crate::pki::certificate_fields::{
    ExtensionField, IdentifierMatch, NAME_CONSTRAINTS, compare_identifier,
};
use crate::pki::chain::Chain;
use crate::pki::der::split_element;
use crate::pki::folded_name::FoldedName;
use crate::pki::trust::TrustAnchors;

pub(super) fn check_path(
    links: &[ChainLink<'_>],
    chain: &Chain,
    anchors: &TrustAnchors,
) -> Vec<BrokenRule> {
    let mut found = Vec::new();
    for (below, pair) in links.windows(2).enumerate() {
        let [subject, issuer] = pair else { continue };
        found.extend(check_names(subject, issuer));
        found.extend(check_identifier(subject, issuer));
        found.extend(check_length(issuer, &links[1..=below]));
    }
    for (place, issuer) in links.iter().enumerate().skip(1) {
        found.extend(check_constraints(issuer, &links[..place]));
    }
    let last = links.last().filter(|link| link.role != ChainRole::Root);
    if let (Some(last), Some(key)) = (last, chain.anchor()) {
        if !anchors.has_name(last.fields.issuer, key) {
            let how =
                "it spells the name of its root differently (capitals, spaces or string types)";
            found.push(last.broken(&table::NAME_SPELLING, how.to_owned()));
        }
        let constraints = anchors.constraints_with_key(key);
        found.extend(
            constraints
                .into_iter()
                .flat_map(|constraints| check_anchor_constraints(constraints, links)),
        );
    }
    found
}

/// RFC 5280 6.1.3 a 4: the search accepts names that RFC 5280 7.1 calls equal; many clients compare
/// octets.
fn check_names(subject: &ChainLink<'_>, issuer: &ChainLink<'_>) -> Option<BrokenRule> {
    if subject.fields.issuer == issuer.fields.subject {
        return None;
    }
    let how = format!(
        "it spells the name of its issuer {} differently (capitals, spaces or string types)",
        issuer.certificate.label()
    );
    let broken = subject.broken(&table::NAME_SPELLING, how);
    let has_same_text = subject.certificate.issuer == issuer.certificate.subject;
    Some(if has_same_text {
        broken.except(&[TlsClient::GnuTls])
    } else {
        broken
    })
}

/// RFC 5280 4.2.1.1: whether the identifier, if there is one, is that of the issuer's certificate.
fn check_identifier(subject: &ChainLink<'_>, issuer: &ChainLink<'_>) -> Option<BrokenRule> {
    let wanted = subject.fields.authority_key()?;
    let rule = match compare_identifier(&wanted, &issuer.fields) {
        IdentifierMatch::Same => return None,
        IdentifierMatch::OtherKey => &table::ISSUER_IDENTIFIER,
        IdentifierMatch::OtherCertificate => &table::ISSUER_SERIAL,
    };
    let has_empty_key = wanted.key_identifier.is_some_and(<[u8]>::is_empty)
        || issuer.fields.has_empty_key_identifier();
    let accepting: &[TlsClient] = if has_empty_key {
        &[TlsClient::GnuTls]
    } else {
        &[]
    };
    let how = format!(
        "its authority key identifier names another certificate than that of {}, so OpenSSL \
            reports \"unable to get local issuer certificate\"",
        issuer.certificate.label()
    );
    Some(subject.broken(rule, how).except(accepting))
}

/// Returns whether the identifier of `subject`, if it has one, names the certificate `issuer`.
pub(super) fn names_issuer(subject: &ChainLink<'_>, issuer: &ChainLink<'_>) -> bool {
    let wanted = subject.fields.authority_key();
    wanted.is_none_or(|wanted| compare_identifier(&wanted, &issuer.fields) == IdentifierMatch::Same)
}

/// RFC 5280 4.2.1.9: self-issued certificates do not count.
fn check_length(issuer: &ChainLink<'_>, below: &[ChainLink<'_>]) -> Option<BrokenRule> {
    let most = usize::try_from(issuer.certificate.usage.path_length?).ok()?;
    let counted = below.iter().filter(|link| !is_self_issued(link)).count();
    if counted > most {
        let how = format!("it allows {most} CAs below it, and the chain has {counted}");
        return Some(issuer.broken(&table::PATH_LENGTH, how));
    }
    (below.len() > most).then(|| {
        let how = format!(
            "it allows {most} CAs below it, which holds only without the self-issued certificates"
        );
        issuer.broken(&table::SELF_ISSUED_LENGTH, how)
    })
}

/// RFC 5280 3.2: subject and issuer are the same name.
fn is_self_issued(link: &ChainLink<'_>) -> bool {
    link.fields.subject == link.fields.issuer
        || FoldedName::of(link.fields.subject) == FoldedName::of(link.fields.issuer)
}

fn check_constraints(issuer: &ChainLink<'_>, below: &[ChainLink<'_>]) -> Vec<BrokenRule> {
    let Some(extension) = issuer.fields.extension(NAME_CONSTRAINTS) else {
        return Vec::new();
    };
    let content = split_element(extension.value).map(|(content, _)| content.value);
    if content.is_some_and(<[u8]>::is_empty) {
        let how = "its name constraints are empty".to_owned();
        return vec![BrokenRule::new(
            &table::EMPTY_CONSTRAINTS,
            issuer.certificate.label(),
            how,
        )];
    }
    let Some(constraints) = content.and_then(NameConstraints::read) else {
        let how = "its name constraints are malformed".to_owned();
        return vec![issuer.broken(&table::UNCHECKED_CONSTRAINTS, how)];
    };
    let label = issuer.certificate.label();
    let mut found = find_violations(&constraints, &label, below);
    found.extend(check_encoding(&constraints, issuer));
    if constraints.restricts_directories() {
        found.push(check_directories(&constraints, issuer, extension));
    }
    found
}

/// Constraints on names of which some clients compare none.
fn check_directories(
    constraints: &NameConstraints<'_>,
    issuer: &ChainLink<'_>,
    extension: &ExtensionField<'_>,
) -> BrokenRule {
    let what = if constraints.names_directories() {
        "directory names"
    } else {
        "names of an unusual kind"
    };
    let how = format!("its name constraints contain {what}, which some clients do not support");
    let label = issuer.certificate.label();
    let mut accepting = Vec::new();
    if !extension.is_critical() {
        accepting.push(TlsClient::Go);
    }
    if !(constraints.excludes_directories() || constraints.permits_other_kinds()) {
        accepting.push(TlsClient::GnuTls);
    }
    if !constraints.names_directories() {
        accepting.push(TlsClient::Rustls);
    }
    BrokenRule::new(&table::DIRECTORY_CONSTRAINTS, label, how).except(&accepting)
}

/// Encodings that only some clients read.
fn check_encoding(constraints: &NameConstraints<'_>, issuer: &ChainLink<'_>) -> Vec<BrokenRule> {
    use TlsClient::{Chrome, Firefox, Go, Rustls};
    let mut found = Vec::new();
    for odd in constraints.odd_subtrees() {
        let (what, accepting): (&str, &[TlsClient]) = match odd {
            OddSubtree::Address => ("an invalid address or mask", &[Firefox, Rustls]),
            OddSubtree::DnsName => ("an invalid DNS name", &[Chrome, Firefox]),
            OddSubtree::SpelledMinimum => ("a `minimum`, which DER omits", &[Go]),
        };
        let how = format!("its name constraints have {what}");
        found.push(
            issuer
                .broken(&table::ODD_CONSTRAINTS, how)
                .except(accepting),
        );
    }
    if constraints.has_empty_list() {
        let how = "its name constraints have a list without a name".to_owned();
        let label = issuer.certificate.label();
        found.push(BrokenRule::new(&table::EMPTY_CONSTRAINTS, label, how));
    }
    found
}

/// The constraints of an anchor of which only name, key and constraints are known.
fn check_anchor_constraints(content: &[u8], below: &[ChainLink<'_>]) -> Vec<BrokenRule> {
    NameConstraints::read(content).map_or_else(Vec::new, |constraints| {
        find_violations(&constraints, "the root", below)
    })
}

/// RFC 5280 6.1.3 b: self-issued certificates are exempt, except the last one.
fn find_violations(
    constraints: &NameConstraints<'_>,
    issuer: &str,
    below: &[ChainLink<'_>],
) -> Vec<BrokenRule> {
    let mut found = Vec::new();
    for link in below {
        if link.role != ChainRole::Leaf && is_self_issued(link) {
            continue;
        }
        let Err(fault) = constraints.check(&link.fields) else {
            continue;
        };
        found.push(describe_fault(fault, issuer, link));
    }
    found
}

fn describe_fault(fault: ConstraintFault, issuer: &str, link: &ChainLink<'_>) -> BrokenRule {
    let label = link.certificate.label();
    let refused = |how| BrokenRule::new(&table::NAME_CONSTRAINTS, label.clone(), how);
    let unchecked = |how| BrokenRule::new(&table::UNCHECKED_CONSTRAINTS, label.clone(), how);
    match fault {
        ConstraintFault::Excluded(name) => {
            let ViolatingName {
                description,
                accepting,
            } = name;
            let how = format!("the name constraints of {issuer} exclude {description}");
            refused(how).except(&accepting)
        }
        ConstraintFault::NotPermitted(name) => {
            let ViolatingName {
                description,
                accepting,
            } = name;
            let how = format!("the name constraints of {issuer} do not permit {description}");
            refused(how).except(&accepting)
        }
        ConstraintFault::OtherSubject => {
            let how = format!("the name constraints of {issuer} do not permit its subject");
            refused(how).except(&[TlsClient::GnuTls, TlsClient::Go])
        }
        ConstraintFault::Unsupported(name) => unchecked(format!(
            "the name constraints of {issuer} cannot be applied to {name}"
        )),
        ConstraintFault::Malformed => unchecked(format!(
            "it has a malformed name, and {issuer} has name constraints"
        )),
        ConstraintFault::TooMany => unchecked(format!(
            "it has too many names to compare them with the constraints of {issuer}"
        )),
    }
}
