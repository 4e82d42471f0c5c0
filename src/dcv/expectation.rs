//! What would satisfy the CA for one domain: the record, its accepted values, and the names at
//! which the CA accepts it.

use std::borrow::Cow;

use super::answer::RecordKind;
use super::ca::{Ca, DnsValidation, UniqueValue};
use super::record::{self, DcvRecord};
use crate::dcv::reseller_record::{self, GivenRecord, ValidatedDomain};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;

/// Where the accepted values come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ExpectationSource {
    /// The reseller's record, which has exactly this value.
    Reseller,
    /// The CA's known form, if it needs no unique value.
    Form,
    /// No value is known, only the part that is derived from the request.
    Unknown,
}

/// How a value that is related to the request is distinguished from an unrelated one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ValueLikeness {
    /// A related value starts with the request's hashes, `<SHA-256 first 32>.<last 32>`.
    Hash(String),
    /// A related value has the form of the CA's records.
    Shape(&'static str),
    Unknown,
}

/// What would satisfy the CA for one domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ExpectedAnswer {
    pub record: DcvRecord,
    /// The common form of values of its kind.
    pub related_form: ValueLikeness,
    /// The values known to be right.
    pub values: Vec<String>,
    /// The source of these values.
    pub source: ExpectationSource,
    /// The part of the record's name before the domain; empty if the record is at the domain
    /// itself.
    pub label: String,
    /// The validated domain, without the wildcard.
    pub domain: String,
    /// Names of the request below the domain; a record there does not validate the domain.
    below: Vec<String>,
}

/// How a name that is queried relates to the record's own name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RelativePosition {
    /// The record's own name.
    Here,
    /// The same label at a parent domain: the CA climbs there (BR 1.6.1, Authorization Domain
    /// Name).
    Parent,
    /// The whole host name was pasted into a DNS provider's console that appends the zone's name.
    Doubled,
    /// Below the domain: a record there validates less than is needed.
    Below,
    NoUnderscore,
}

impl ExpectedAnswer {
    /// Returns the names to query and the position of each; the record's own name first. `zone` is
    /// known once servers were queried.
    #[must_use]
    pub(crate) fn names_to_query(
        &self,
        zone: Option<&str>,
    ) -> Vec<(RelativePosition, Cow<'_, str>)> {
        let here = self.record.name.as_str();
        let mut places = vec![(RelativePosition::Here, here.into())];
        places.extend(
            self.record
                .also_at
                .iter()
                .map(|name| (RelativePosition::Parent, name.into())),
        );
        places.extend(self.below.iter().map(|name| {
            (
                RelativePosition::Below,
                reseller_record::join_names(&self.label, name).into(),
            )
        }));
        if let Some(bare) = here.strip_prefix('_') {
            places.push((RelativePosition::NoUnderscore, bare.into()));
        }
        if let Some(zone) = zone {
            places.push((
                RelativePosition::Doubled,
                reseller_record::join_names(here, zone).into(),
            ));
        }
        places
    }

    /// Returns the registrable domain; a zone above it cannot be the owner's.
    #[must_use]
    pub(crate) fn registrable_domain(&self) -> Option<String> {
        let name = DnsName::parse(&self.domain)
            .ok()
            .filter(DnsName::has_public_suffix)?;
        name.registrable().map(str::to_owned)
    }

    /// Removes the computed values: the record for a reused key has a unique value, which only the
    /// CA knows (docs.sectigo.com, request token).
    pub(crate) fn require_reseller_value(&mut self, request: &SigningRequest) {
        if self.source == ExpectationSource::Form {
            self.source = ExpectationSource::Unknown;
            self.values = Vec::new();
            self.record.value = None;
            self.record.complete = false;
            self.record.shape = Some(format!(
                "{}.<unique value>.<zone>",
                record::target_labels(request)
            ));
        }
    }

    /// Returns the expectation of the same value at exactly one name: no parent counts, and no other
    /// name is queried for a misplaced record.
    #[must_use]
    pub(crate) fn at_exactly(&self, name: &str, zone: &str) -> Self {
        Self {
            record: DcvRecord {
                name: name.to_owned(),
                zone: zone.to_owned(),
                relative_name: record::relative_name(name, zone),
                also_at: Vec::new(),
                ..self.record.clone()
            },
            label: String::new(),
            domain: name.to_owned(),
            below: Vec::new(),
            ..self.clone()
        }
    }

    /// Uses the zone that servers report instead of the registrable domain.
    pub(crate) fn set_zone(&mut self, zone: &str) {
        let is_in_zone = self
            .domain
            .strip_suffix(zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        // A cut above the registrable domain means that the domain is not delegated: no provider's
        // console has that zone.
        if is_in_zone && zone.len() >= self.record.zone.len() {
            self.record.relative_name = record::relative_name(&self.record.name, zone);
            self.record.zone = zone.to_owned();
        }
    }
}

/// The maximum number of names below one domain that are queried for a misplaced record.
const BELOW_LIMIT: usize = 8;

/// Returns whether a reseller's record is for this request: both host and value are derived from
/// it, or the record is derived from no request and is for one of its names.
#[must_use]
pub(crate) fn belongs_to_request(given: &GivenRecord, request: &SigningRequest) -> bool {
    match (given.md5(), given.hash_labels()) {
        (Some(md5), Some(target)) => {
            md5 == request.md5() && target == record::target_labels(request)
        }
        _ => is_for_request_name(given, request),
    }
}

/// Returns whether a record is for one of the names of a request.
#[must_use]
pub(crate) fn is_for_request_name(given: &GivenRecord, request: &SigningRequest) -> bool {
    record::domains_to_validate(request)
        .iter()
        .any(|domain| given.anchor_for(domain.as_str()).is_some())
}

/// Returns whether a record is at one of the names of a request, or at a parent that a CA queries.
#[must_use]
pub(crate) fn is_at_request_name(given: &GivenRecord, request: &SigningRequest) -> bool {
    request.dns_names.iter().any(|name| {
        let domain = name.strip_prefix("*.").unwrap_or(name);
        given.anchor_for(domain).is_some()
    })
}

/// Returns one expectation for each domain to validate; none for a CA that needs no record. `given`
/// are the reseller's records that belong to this request.
#[must_use]
pub(crate) fn expectations(
    request: &SigningRequest,
    ca: Option<Ca>,
    given: &[GivenRecord],
) -> Vec<ExpectedAnswer> {
    let mut all: Vec<ExpectedAnswer> = Vec::new();
    for domain in record::domains_to_validate(request) {
        if let Some(expectation) = expectation(request, ca, given, domain.as_str())
            && !all
                .iter()
                .any(|one| one.record.name == expectation.record.name)
        {
            all.push(expectation);
        }
    }
    all
}

fn expectation(
    request: &SigningRequest,
    ca: Option<Ca>,
    given: &[GivenRecord],
    domain: &str,
) -> Option<ExpectedAnswer> {
    let anchored = given
        .iter()
        .filter_map(|given| Some((given, given.anchor_for(domain)?)));
    // The reseller's record nearest to this domain takes precedence.
    if let Some((nearest, anchor)) = anchored.max_by_key(|(_, anchor)| anchor.domain.len()) {
        return Some(from_reseller(request, nearest, &anchor));
    }
    // The value that is derived from a request is the same for all of its domains.
    if let Some(of_request) = given.iter().find(|given| given.md5().is_some()) {
        let anchor = ValidatedDomain {
            label: record::host_label(request),
            domain: domain.to_owned(),
        };
        return Some(from_reseller(request, of_request, &anchor));
    }
    from_form(request, ca, given, domain)
}

/// Returns the expectation for a reseller's record without a request: exactly its value. `None` if
/// its host is not a complete name.
#[must_use]
pub(crate) fn expect_without_request(given: &GivenRecord) -> Option<ExpectedAnswer> {
    let (label, domain) = match given.host.split_once('.') {
        Some((label, domain)) if label.starts_with('_') => (label, domain),
        _ => ("", given.host.as_str()),
    };
    let name = DnsName::parse(domain).ok()?;
    let climbed = reseller_record::climb_to(domain, Some(name.registrable()?));
    let anchor = ValidatedDomain {
        label: label.to_owned(),
        domain: domain.to_owned(),
    };
    let record = record::record_without_request(label, domain, climbed, given.kind);
    Some(with_given_value(given, &anchor, record, Vec::new()))
}

/// Returns the expectation of a record with exactly this name and value.
#[must_use]
pub(crate) fn expect_record(
    name: &str,
    zone: &str,
    kind: RecordKind,
    value: &str,
) -> ExpectedAnswer {
    let record = record::record_without_request("", name, vec![name.to_owned()], kind);
    ExpectedAnswer {
        record: DcvRecord {
            zone: zone.to_owned(),
            relative_name: record::relative_name(name, zone),
            value: Some(value.to_owned()),
            complete: true,
            ..record
        },
        related_form: ValueLikeness::Unknown,
        values: vec![value.to_owned()],
        source: ExpectationSource::Reseller,
        label: String::new(),
        domain: name.to_owned(),
        below: Vec::new(),
    }
}

/// The expectation of exactly the value of the reseller's record.
fn from_reseller(
    request: &SigningRequest,
    given: &GivenRecord,
    anchor: &ValidatedDomain,
) -> ExpectedAnswer {
    let record = record::record_at(request, &anchor.label, &anchor.domain, given.kind);
    let below = names_below(request, &anchor.domain);
    with_given_value(given, anchor, record, below)
}

fn with_given_value(
    given: &GivenRecord,
    anchor: &ValidatedDomain,
    record: DcvRecord,
    below: Vec<String>,
) -> ExpectedAnswer {
    let likeness = match (given.hash_labels(), given.shape()) {
        (Some(target), _) => ValueLikeness::Hash(target.to_owned()),
        (None, Some(shape)) => ValueLikeness::Shape(shape),
        (None, None) => ValueLikeness::Unknown,
    };
    ExpectedAnswer {
        record: DcvRecord {
            value: Some(given.value.clone()),
            complete: true,
            ..record
        },
        related_form: likeness,
        values: vec![given.value.clone()],
        source: ExpectationSource::Reseller,
        label: anchor.label.clone(),
        domain: anchor.domain.clone(),
        below,
    }
}

/// Derives the expectation from the CA's form; for an unknown CA, from the record for another
/// domain.
fn from_form(
    request: &SigningRequest,
    ca: Option<Ca>,
    given: &[GivenRecord],
    domain: &str,
) -> Option<ExpectedAnswer> {
    let by_profile = record::record(request, domain, ca)?;
    let record = match (ca, given.first()) {
        (None, Some(other)) => {
            let label = request_label(request, other).unwrap_or_default();
            record::record_at(request, &label, domain, other.kind)
        }
        _ => by_profile,
    };
    let target = record::target_labels(request);
    let values = values_by_form(ca, &target);
    let likeness = match ca.map(|ca| &ca.profile().dns) {
        Some(DnsValidation::Token([form, ..])) => ValueLikeness::Shape(form.value),
        None if !given.is_empty() => ValueLikeness::Unknown,
        _ => ValueLikeness::Hash(target),
    };
    let source = if values.is_empty() {
        ExpectationSource::Unknown
    } else {
        ExpectationSource::Form
    };
    let before_domain = record.name.strip_suffix(domain).unwrap_or_default();
    Some(ExpectedAnswer {
        label: before_domain.trim_end_matches('.').to_owned(),
        record,
        related_form: likeness,
        values,
        source,
        domain: domain.to_owned(),
        below: names_below(request, domain),
    })
}

/// Returns the values that the CA accepts, if they can be computed from the request alone.
fn values_by_form(ca: Option<Ca>, target: &str) -> Vec<String> {
    match ca.and_then(Ca::csr_hash) {
        Some(form) if form.unique == UniqueValue::WhenKeyIsReused => form
            .zones
            .iter()
            .map(|zone| format!("{target}.{zone}"))
            .collect(),
        _ => Vec::new(),
    }
}

/// Returns the part before the domain in a record for one of the names of `request`.
fn request_label(request: &SigningRequest, given: &GivenRecord) -> Option<String> {
    record::domains_to_validate(request)
        .iter()
        .find_map(|domain| given.anchor_for(domain.as_str()))
        .map(|anchor| anchor.label)
}

/// Returns the first few names of the request that are below `domain`.
fn names_below(request: &SigningRequest, domain: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in &request.dns_names {
        let Ok(name) = DnsName::parse(name) else {
            continue;
        };
        let base = name.base();
        let is_below = base
            .strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'));
        if is_below && !names.iter().any(|one| one == base) && names.len() < BELOW_LIMIT {
            names.push(base.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::{ExpectationSource, ExpectedAnswer, RelativePosition, expectations};
    use crate::dcv::ca::Ca;
    use crate::dcv::parse::parse;
    use crate::dcv::record::{host_label, target_labels};
    use crate::dcv::reseller_record::GivenRecord;
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::pki::name::DnsNames;
    use crate::pki::request::SigningRequest;

    fn request(names: &[&str]) -> SigningRequest {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        SigningRequest::build(&DnsNames::parse(names).unwrap(), &key).unwrap()
    }

    fn given(request: &SigningRequest, rest: &str) -> Vec<GivenRecord> {
        parse(&format!(
            "{}{rest} {}.u1.comodoca.com",
            host_label(request),
            target_labels(request)
        ))
        .unwrap()
    }

    fn domains(expected: &[ExpectedAnswer]) -> Vec<&str> {
        expected.iter().map(|one| one.domain.as_str()).collect()
    }

    #[test]
    fn the_resellers_record_takes_precedence_over_the_known_form() {
        let request = request(&["example.com"]);
        let reseller = given(&request, ".example.com");
        for (ca, given, source, values) in [
            (None, &[][..], ExpectationSource::Unknown, 0),
            (Some(Ca::Namecheap), &[][..], ExpectationSource::Unknown, 0),
            (Some(Ca::Sectigo), &[][..], ExpectationSource::Form, 2),
            (
                Some(Ca::Sectigo),
                &reseller[..],
                ExpectationSource::Reseller,
                1,
            ),
        ] {
            let expected = &expectations(&request, ca, given)[0];
            assert_eq!(
                (expected.source, expected.values.len()),
                (source, values),
                "{ca:?}"
            );
            assert_eq!(expected.record.complete, values > 0);
        }
    }

    #[test]
    fn one_value_validates_every_domain_and_a_parent_all_below_it() {
        let request = request(&["a.example.com", "b.example.com", "example.net"]);
        let apart = expectations(&request, None, &given(&request, ".a.example.com"));
        assert_eq!(
            domains(&apart),
            ["a.example.com", "b.example.com", "example.net"]
        );
        assert!(
            apart
                .iter()
                .all(|one| one.source == ExpectationSource::Reseller)
        );
        let above = expectations(&request, None, &given(&request, ".example.com"));
        assert_eq!(domains(&above), ["example.com", "example.net"]);
        assert_eq!(above[0].record.relative_name, host_label(&request));
    }

    #[test]
    fn the_ca_climbs_but_never_above_the_registrable_domain() {
        let request = request(&["a.b.example.co.uk", "x.a.b.example.co.uk"]);
        let expected = &expectations(&request, None, &[])[0];
        let label = host_label(&request);
        let places = expected.names_to_query(Some("example.co.uk"));
        let places: Vec<(RelativePosition, String)> = places
            .into_iter()
            .map(|(place, name)| (place, name.into_owned()))
            .collect();
        let wanted = [
            (RelativePosition::Here, format!("{label}.a.b.example.co.uk")),
            (RelativePosition::Parent, format!("{label}.b.example.co.uk")),
            (RelativePosition::Parent, format!("{label}.example.co.uk")),
            (
                RelativePosition::Below,
                format!("{label}.x.a.b.example.co.uk"),
            ),
            (
                RelativePosition::NoUnderscore,
                format!("{}.a.b.example.co.uk", &label[1..]),
            ),
            (
                RelativePosition::Doubled,
                format!("{label}.a.b.example.co.uk.example.co.uk"),
            ),
        ];
        assert_eq!(places, wanted);
    }

    #[test]
    fn the_record_belongs_in_the_zone_that_servers_report() {
        let request = request(&["www.dept.example.com"]);
        for (zone, record_zone, suffix) in [
            ("example.com", "example.com", ".www.dept"),
            ("dept.example.com", "dept.example.com", ".www"),
            ("com", "example.com", ".www.dept"),
            ("elsewhere.net", "example.com", ".www.dept"),
        ] {
            let mut expected = expectations(&request, None, &[]).remove(0);
            expected.set_zone(zone);
            assert_eq!(expected.record.zone, record_zone, "{zone}");
            assert_eq!(
                expected.record.relative_name,
                format!("{}{suffix}", host_label(&request)),
                "{zone}"
            );
        }
    }
}
