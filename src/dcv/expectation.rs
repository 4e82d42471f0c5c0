//! What would satisfy the CA for one domain: the record, the values it may have, and the names it
//! may stand at.

use std::borrow::Cow;

use super::ca::{Ca, DnsValidation, UniqueValue};
use super::record::{self, DcvRecord};
use crate::dcv::reseller_record::{self, GivenRecord, ValidatedDomain};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;

/// Where the accepted values come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ExpectationSource {
    /// The record that the shop showed: it has this very value.
    Shop,
    /// The CA's known form, where it needs no unique value.
    Form,
    /// Nowhere: only the part made of the request is known.
    Nowhere,
}

/// How a value that is not known to be right is told from one that has nothing to do with the
/// proof.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ValueLikeness {
    /// It starts with the request's hashes, `<SHA-256 first 32>.<last 32>`.
    Hash(String),
    /// It has the form of the CA's records.
    Shape(&'static str),
    Unknown,
}

/// What would satisfy the CA for one domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ExpectedAnswer {
    pub record: DcvRecord,
    /// What values of its kind have in common.
    pub likeness: ValueLikeness,
    /// The values known to be right.
    pub values: Vec<String>,
    /// Where they come from.
    pub source: ExpectationSource,
    /// What stands before the domain; empty where the record is at the domain itself.
    pub label: String,
    /// The domain proved, wildcard stripped.
    pub domain: String,
    /// Names asked for below the domain: a record there does not prove the domain.
    below: Vec<String>,
}

/// How a name that is asked for stands to the record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RelativePosition {
    /// The record's own name.
    Here,
    /// The same label at a parent domain: the CA climbs there (BR 1.6.1, Authorization Domain
    /// Name).
    Parent,
    /// The zone's name typed into a panel that adds it by itself.
    Doubled,
    /// Below the domain: proves less than is needed.
    Below,
    NoUnderscore,
}

impl ExpectedAnswer {
    /// The names to ask for and what each is; the record's own name first. `zone` is known once
    /// servers were asked.
    #[must_use]
    pub(crate) fn places(&self, zone: Option<&str>) -> Vec<(RelativePosition, Cow<'_, str>)> {
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
                reseller_record::name(&self.label, name).into(),
            )
        }));
        if let Some(bare) = here.strip_prefix('_') {
            places.push((RelativePosition::NoUnderscore, bare.into()));
        }
        if let Some(zone) = zone {
            places.push((
                RelativePosition::Doubled,
                reseller_record::name(here, zone).into(),
            ));
        }
        places
    }

    /// The registrable domain, where a zone above it cannot be the owner's.
    #[must_use]
    pub(crate) fn top(&self) -> Option<String> {
        let name = DnsName::parse(&self.domain)
            .ok()
            .filter(DnsName::has_public_suffix)?;
        name.registrable().map(str::to_owned)
    }

    /// A key that is used again has a unique value in its record, which only the CA knows
    /// (docs.sectigo.com, request token).
    pub(crate) fn shop_decides(&mut self, request: &SigningRequest) {
        if self.source == ExpectationSource::Form {
            (self.source, self.values) = (ExpectationSource::Nowhere, Vec::new());
            (self.record.value, self.record.complete) = (None, false);
            self.record.shape = Some(format!(
                "{}.<unique value>.<zone>",
                record::target_labels(request)
            ));
        }
    }

    /// Takes the zone cut that servers tell in place of the registrable domain.
    pub(crate) fn lies_in(&mut self, zone: &str) {
        let below = |name: &str| {
            name.strip_suffix(zone)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        // A cut above the registrable domain means that the domain is not delegated: no panel has
        // that zone.
        if below(&self.domain) && zone.len() >= self.record.zone.len() {
            self.record.relative_name = record::relative(&self.record.name, zone);
            self.record.zone = zone.to_owned();
        }
    }
}

/// The most names below one domain that are looked at for a record put too low.
const BELOW_LIMIT: usize = 8;

/// Whether a record is the shop's for this request: both host and value are made of it, or (made of
/// no request) it is for one of its names.
#[must_use]
pub(crate) fn belongs(given: &GivenRecord, request: &SigningRequest) -> bool {
    match (given.md5(), given.target()) {
        (Some(md5), Some(target)) => {
            md5 == request.md5() && target == record::target_labels(request)
        }
        _ => is_for(given, request),
    }
}

/// Whether a record is for one of the names of a request.
#[must_use]
pub(crate) fn is_for(given: &GivenRecord, request: &SigningRequest) -> bool {
    record::domains(request)
        .iter()
        .any(|domain| given.anchor_for(domain.as_str()).is_some())
}

/// One expectation for each domain to prove; none for a CA that wants no record. `given` are the
/// shop's records that belong to this request.
#[must_use]
pub(crate) fn expectations(
    request: &SigningRequest,
    ca: Option<Ca>,
    given: &[GivenRecord],
) -> Vec<ExpectedAnswer> {
    let mut all: Vec<ExpectedAnswer> = Vec::new();
    for domain in record::domains(request) {
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
    // The shop's line nearest to this domain goes first.
    let nearest = given
        .iter()
        .filter_map(|given| Some((given, given.anchor_for(domain)?)));
    match nearest.max_by_key(|(_, anchor)| anchor.domain.len()) {
        Some((shown, anchor)) => Some(as_shown(request, shown, &anchor)),
        // The value made of a request is the same for every domain of it.
        None => match given.iter().find(|given| given.md5().is_some()) {
            Some(shown) => {
                let anchor = ValidatedDomain {
                    label: record::host_label(request),
                    domain: domain.to_owned(),
                };
                Some(as_shown(request, shown, &anchor))
            }
            None => as_known(request, ca, given, domain),
        },
    }
}

/// A record that was given without any request: it is to be there as it was shown. `None` where its
/// host is not whole.
#[must_use]
pub(crate) fn alone(shown: &GivenRecord) -> Option<ExpectedAnswer> {
    let (label, domain) = match shown.host.split_once('.') {
        Some((label, domain)) if label.starts_with('_') => (label, domain),
        _ => ("", shown.host.as_str()),
    };
    let name = DnsName::parse(domain).ok()?;
    let climbed = reseller_record::climb_to(domain, Some(name.registrable()?));
    let anchor = ValidatedDomain {
        label: label.to_owned(),
        domain: domain.to_owned(),
    };
    Some(of(
        shown,
        &anchor,
        record::alone(label, domain, climbed, shown.kind),
        Vec::new(),
    ))
}

/// The record has the very value that the shop showed.
fn as_shown(
    request: &SigningRequest,
    shown: &GivenRecord,
    anchor: &ValidatedDomain,
) -> ExpectedAnswer {
    let ValidatedDomain { label, domain } = anchor;
    of(
        shown,
        anchor,
        record::at(request, label, domain, shown.kind),
        below(request, domain),
    )
}

fn of(
    shown: &GivenRecord,
    anchor: &ValidatedDomain,
    record: DcvRecord,
    below: Vec<String>,
) -> ExpectedAnswer {
    let ValidatedDomain { label, domain } = anchor;
    let likeness = match shown.target() {
        Some(target) => ValueLikeness::Hash(target.to_owned()),
        None => shown
            .shape()
            .map_or(ValueLikeness::Unknown, ValueLikeness::Shape),
    };
    ExpectedAnswer {
        record: DcvRecord {
            value: Some(shown.value.clone()),
            complete: true,
            ..record
        },
        likeness,
        values: vec![shown.value.clone()],
        source: ExpectationSource::Shop,
        label: label.clone(),
        domain: domain.clone(),
        below,
    }
}

/// The record as far as the CA's form tells it; of a CA that is not known, as far as the record for
/// another domain does.
fn as_known(
    request: &SigningRequest,
    ca: Option<Ca>,
    given: &[GivenRecord],
    domain: &str,
) -> Option<ExpectedAnswer> {
    let known = record::record(request, domain, ca)?;
    let record = match (ca, given.first()) {
        (None, Some(other)) => {
            let label = request_label(request, other).unwrap_or_default();
            record::at(request, &label, domain, other.kind)
        }
        _ => known,
    };
    let form = ca.and_then(Ca::csr_hash);
    let target = record::target_labels(request);
    let values = match form.filter(|form| form.unique == UniqueValue::WhenKeyIsReused) {
        Some(form) => form
            .zones
            .iter()
            .map(|zone| format!("{target}.{zone}"))
            .collect(),
        None => Vec::new(),
    };
    let likeness = match ca.map(|ca| &ca.profile().dns) {
        Some(DnsValidation::Token([form, ..])) => ValueLikeness::Shape(form.value),
        None if !given.is_empty() => ValueLikeness::Unknown,
        _ => ValueLikeness::Hash(target),
    };
    let label = record
        .name
        .strip_suffix(domain)
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_owned();
    let source = if values.is_empty() {
        ExpectationSource::Nowhere
    } else {
        ExpectationSource::Form
    };
    Some(ExpectedAnswer {
        record,
        likeness,
        values,
        source,
        label,
        domain: domain.to_owned(),
        below: below(request, domain),
    })
}

/// What stands before the domain in a record for one of the names of `request`.
fn request_label(request: &SigningRequest, given: &GivenRecord) -> Option<String> {
    record::domains(request)
        .iter()
        .find_map(|domain| given.anchor_for(domain.as_str()))
        .map(|anchor| anchor.label)
}

fn below(request: &SigningRequest, domain: &str) -> Vec<String> {
    let mut below: Vec<String> = Vec::new();
    for name in request
        .dns_names
        .iter()
        .filter_map(|name| DnsName::parse(name).ok())
    {
        let under = name
            .base()
            .strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'));
        if under && !below.iter().any(|one| one == name.base()) && below.len() < BELOW_LIMIT {
            below.push(name.base().to_owned());
        }
    }
    below
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
    fn the_shops_record_goes_before_the_known_form() {
        let request = request(&["example.com"]);
        let shop = given(&request, ".example.com");
        for (ca, given, source, values) in [
            (None, &[][..], ExpectationSource::Nowhere, 0),
            (Some(Ca::Namecheap), &[][..], ExpectationSource::Nowhere, 0),
            (Some(Ca::Sectigo), &[][..], ExpectationSource::Form, 2),
            (Some(Ca::Sectigo), &shop[..], ExpectationSource::Shop, 1),
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
    fn one_value_serves_every_domain_and_a_host_above_all_below_it() {
        let request = request(&["a.example.com", "b.example.com", "example.net"]);
        let apart = expectations(&request, None, &given(&request, ".a.example.com"));
        assert_eq!(
            domains(&apart),
            ["a.example.com", "b.example.com", "example.net"]
        );
        assert!(
            apart
                .iter()
                .all(|one| one.source == ExpectationSource::Shop)
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
        let places = expected.places(Some("example.co.uk"));
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
    fn the_panel_is_that_of_the_zone_cut() {
        let request = request(&["www.dept.example.com"]);
        for (zone, panel, suffix) in [
            ("example.com", "example.com", ".www.dept"),
            ("dept.example.com", "dept.example.com", ".www"),
            ("com", "example.com", ".www.dept"),
            ("elsewhere.net", "example.com", ".www.dept"),
        ] {
            let mut expected = expectations(&request, None, &[]).remove(0);
            expected.lies_in(zone);
            assert_eq!(expected.record.zone, panel, "{zone}");
            assert_eq!(
                expected.record.relative_name,
                format!("{}{suffix}", host_label(&request)),
                "{zone}"
            );
        }
    }
}
