//! CAA: whether a domain allows a CA to issue for a name, and with which parameters (RFC 8659; RFC
//! 8657 for the parameters). CAs check it before every issuance (BR 3.2.2.8). Pure: `system::dns`
//! queries the records and passes them as values.

pub(crate) mod order;
mod value;

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use self::value::IssueValue;
use super::answer::DnsAnswer;
use super::ca::CaaIssuer;
use crate::pki::baseline_dates;
use crate::pki::name::{DnsName, PublicSuffix};

/// A CAA record of a domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaaRecord {
    /// Bit 0 of the flags: a CA that does not know the tag must not issue (RFC 8659 4.1).
    pub critical: bool,
    pub tag: String,
    /// Its value; bytes that are not UTF-8 are replaced.
    pub value: String,
    /// For how many seconds it may be cached (TTL).
    pub ttl: u32,
}

/// The result of the lookup at one name of the climb.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CaaLookup {
    /// The records, and their owner name if an alias led to them.
    Records(Option<String>, Vec<CaaRecord>),
    /// No records: the climb continues.
    None,
    /// No answer: the records are unknown.
    Failed(DnsAnswer),
}

/// What is known about one name of the climb. A CA's resolver may have cached nothing: then it gets
/// the answer of one of the zone's own servers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CaaAnswers {
    /// The result at the resolver, which follows aliases.
    pub resolver: CaaLookup,
    /// The results at the zone's own servers that answered.
    pub zone_servers: Vec<CaaServerAnswer>,
}

/// The result at one of the zone's own servers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CaaServerAnswer {
    /// Its name and address.
    pub server: String,
    pub lookup: CaaLookup,
}

impl CaaAnswers {
    /// The result at a server; the resolver's if that server is not one of this zone's, or if there
    /// is no server.
    fn at(&self, server: Option<&str>) -> &CaaLookup {
        let own = self
            .zone_servers
            .iter()
            .find(|one| Some(one.server.as_str()) == server);
        own.map_or(&self.resolver, |one| &one.lookup)
    }
}

/// The CAs that may issue, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IssuanceRequest {
    /// The CAs that may turn out to issue; empty if no CA was given.
    pub issuers: &'static [CaaIssuer],
    /// The time at which parameters with a start date are evaluated.
    pub at: Timestamp,
}

/// The CAA decision for one name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaaRuling {
    /// The name of the certificate, with its wildcard.
    pub name: String,
    /// The owner name of the relevant records, if there are any.
    pub at: Option<String>,
    /// The records that decide, in zone-file syntax without name and class.
    pub records: Vec<String>,
    /// Whether the CA may issue.
    pub verdict: CaaVerdict,
    /// For how many seconds these records may be cached.
    pub ttl: Option<u32>,
    /// The CAs that may turn out to issue.
    pub issuers: &'static [CaaIssuer],
    /// The zone's server with these records, if the resolver has others.
    pub server: Option<String>,
}

/// Whether the records allow issuance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CaaVerdict {
    /// CAA was not queried.
    NotQueried,
    /// No record restricts issuance: any CA may issue.
    Unrestricted,
    /// The CA may issue.
    Allowed,
    /// No CA was given; only these CAs may issue.
    Only(Vec<String>),
    /// The CA may issue, but only with parameters that an order at a reseller may not satisfy.
    WithParameters(CaaParameters),
    /// Some of the CAs that may turn out to issue are allowed; these are not.
    AllowsSome(Vec<&'static str>),
    /// The CA may not issue.
    Forbidden(CaaRefusal),
    /// It is not known which identifiers allow the CA; only these may issue.
    CaUnknown(Vec<String>),
    /// The lookup for this name failed with this answer, so a CA may refuse to issue (BR 3.2.2.8).
    Failed(String, DnsAnswer),
}

/// Why the CA may not issue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CaaRefusal {
    /// No record allows this CA.
    NotListed,
    /// The records allow no CA.
    NoIssuer,
    /// A record with the critical flag has this tag, which CAs do not know (RFC 8659 4.1).
    UnknownCritical(String),
    /// The record cannot be parsed, which counts as allowing no CA (RFC 8659 4.2).
    Unreadable,
}

/// The parameters that the record sets (RFC 8657).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaaParameters {
    /// The account that the order must belong to.
    pub account: Option<String>,
    /// The validation methods that are allowed.
    pub methods: Option<String>,
    /// Whether all CAs must already respect them.
    pub in_force: bool,
}

/// Returns the names to query, in this order, until one has records: the name without its wildcard,
/// and all names above it except the root (RFC 8659 3).
#[must_use]
pub(crate) fn climb_names(name: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = Some(name.strip_prefix("*.").unwrap_or(name));
    while let Some(name) = rest.filter(|name| !name.is_empty()) {
        names.push(name.to_owned());
        rest = name.split_once('.').map(|(_, above)| above);
    }
    names
}

/// Evaluates CAA for `name`; `found` returns the lookup result for a name of its climb.
#[must_use]
pub(crate) fn evaluate(
    name: &str,
    found: impl Fn(&str) -> CaaLookup,
    issuance: IssuanceRequest,
) -> CaaRuling {
    for at in climb_names(name) {
        match found(&at) {
            CaaLookup::None => {}
            CaaLookup::Failed(answer) => {
                let failed = CaaVerdict::Failed(at, answer);
                return ruling_without_records(name, failed, issuance);
            }
            CaaLookup::Records(_, records) if records.is_empty() => {}
            CaaLookup::Records(alias, records) => {
                let deciding = deciding_records(name, &records);
                return CaaRuling {
                    name: name.to_owned(),
                    at: Some(alias.unwrap_or(at)),
                    records: deciding.iter().map(zone_line).collect(),
                    verdict: judge(&deciding, issuance),
                    ttl: deciding.iter().map(|record| record.ttl).min(),
                    issuers: issuance.issuers,
                    server: None,
                };
            }
        }
    }
    ruling_without_records(name, CaaVerdict::Unrestricted, issuance)
}

fn ruling_without_records(name: &str, verdict: CaaVerdict, issuance: IssuanceRequest) -> CaaRuling {
    CaaRuling {
        name: name.to_owned(),
        at: None,
        records: Vec::new(),
        verdict,
        ttl: None,
        issuers: issuance.issuers,
        server: None,
    }
}

/// The tags that CAs know: RFC 8659 4, BR appendix A.1.
const KNOWN: [&str; 5] = [
    "issue",
    "issuewild",
    "iodef",
    "contactemail",
    "contactphone",
];

/// The records at one name that decide about issuance for `name`.
enum DecidingRecords<'a> {
    /// A critical record with an unknown tag forbids issuance.
    UnknownCritical(&'a CaaRecord),
    /// The `issue` or `issuewild` records.
    Issue(Vec<&'a CaaRecord>),
    /// All records, none of which restricts issuance.
    Unlimited(Vec<&'a CaaRecord>),
}

impl<'a> DecidingRecords<'a> {
    fn iter(&self) -> impl Iterator<Item = &'a CaaRecord> {
        let records = match self {
            Self::UnknownCritical(record) => std::slice::from_ref(record),
            Self::Issue(records) | Self::Unlimited(records) => records,
        };
        records.iter().copied()
    }
}

fn deciding_records<'a>(name: &str, records: &'a [CaaRecord]) -> DecidingRecords<'a> {
    let unknown_critical = records
        .iter()
        .find(|record| record.critical && !KNOWN.iter().any(|tag| has_tag(record, tag)));
    if let Some(record) = unknown_critical {
        return DecidingRecords::UnknownCritical(record);
    }
    // RFC 8659 4.3: for a wildcard, issuewild records replace issue records; for other names they
    // are ignored.
    if name.starts_with("*.") {
        let issue_wild = records_with_tag(records, "issuewild");
        if !issue_wild.is_empty() {
            return DecidingRecords::Issue(issue_wild);
        }
    }
    let issue = records_with_tag(records, "issue");
    if issue.is_empty() {
        DecidingRecords::Unlimited(records.iter().collect())
    } else {
        DecidingRecords::Issue(issue)
    }
}

fn records_with_tag<'a>(records: &'a [CaaRecord], tag: &str) -> Vec<&'a CaaRecord> {
    records
        .iter()
        .filter(|record| has_tag(record, tag))
        .collect()
}

fn has_tag(record: &CaaRecord, tag: &str) -> bool {
    record.tag.eq_ignore_ascii_case(tag)
}

fn judge(deciding: &DecidingRecords<'_>, issuance: IssuanceRequest) -> CaaVerdict {
    match deciding {
        DecidingRecords::UnknownCritical(record) => {
            CaaVerdict::Forbidden(CaaRefusal::UnknownCritical(record.tag.clone()))
        }
        DecidingRecords::Issue(records) => {
            let values: Vec<IssueValue> = records
                .iter()
                .map(|record| IssueValue::read(&record.value))
                .collect();
            judge_issue_values(&values, issuance)
        }
        DecidingRecords::Unlimited(_) => CaaVerdict::Unrestricted,
    }
}

fn judge_issue_values(values: &[IssueValue], issuance: IssuanceRequest) -> CaaVerdict {
    let mut listed: Vec<String> = values
        .iter()
        .filter_map(|value| value.issuer.clone())
        .collect();
    listed.dedup();
    if listed.is_empty() {
        let is_readable = values.iter().all(|value| value.readable);
        return CaaVerdict::Forbidden(if is_readable {
            CaaRefusal::NoIssuer
        } else {
            CaaRefusal::Unreadable
        });
    }
    if issuance.issuers.is_empty() {
        return CaaVerdict::Only(listed);
    }
    if issuance
        .issuers
        .iter()
        .all(|issuer| issuer.caa_identities.is_empty())
    {
        return CaaVerdict::CaUnknown(listed);
    }
    judge_issuers(values, issuance)
}

/// Judges which of the known issuers the records allow, and with which parameters.
fn judge_issuers(values: &[IssueValue], issuance: IssuanceRequest) -> CaaVerdict {
    let mut allowing: Vec<&IssueValue> = Vec::new();
    let mut not_allowed: Vec<&'static str> = Vec::new();
    for issuer in issuance.issuers {
        let before = allowing.len();
        allowing.extend(values.iter().filter(|value| allows(value, issuer)));
        if allowing.len() == before {
            not_allowed.push(issuer.title);
        }
    }
    let Some(first) = allowing.first() else {
        return CaaVerdict::Forbidden(CaaRefusal::NotListed);
    };
    if !not_allowed.is_empty() {
        return CaaVerdict::AllowsSome(not_allowed);
    }
    // Permissions add up (RFC 8659 4.2): one record without parameters is enough.
    if !allowing.iter().all(|value| value.has_parameters()) {
        return CaaVerdict::Allowed;
    }
    CaaVerdict::WithParameters(CaaParameters {
        account: first.account.clone(),
        methods: first.methods.clone(),
        in_force: baseline_dates::CAA_PARAMETERS.holds(issuance.at),
    })
}

fn allows(value: &IssueValue, issuer: &CaaIssuer) -> bool {
    value
        .issuer
        .as_ref()
        .is_some_and(|name| issuer.caa_identities.contains(&name.as_str()))
}

/// Returns the record in zone-file syntax, without name and class: `0 issue "sectigo.com"`.
fn zone_line(record: &CaaRecord) -> String {
    let quoted = record.value.replace('\\', "\\\\").replace('"', "\\\"");
    let flags = if record.critical { 128 } else { 0 };
    format!("{flags} {} \"{quoted}\"", record.tag)
}

/// Evaluates CAA for each of `names`; `found` contains the answers for each name of their climbs, and
/// is empty if CAA was not queried. If the resolver and the zone's servers differ, what restricts
/// issuance most counts: a CA may get any of these answers.
#[must_use]
pub(crate) fn evaluate_all(
    names: &[String],
    found: &HashMap<String, CaaAnswers>,
    issuance: IssuanceRequest,
) -> Vec<CaaRuling> {
    names
        .iter()
        .map(|name| rule_from_map(name, found, issuance))
        .collect()
}

fn rule_from_map(
    name: &str,
    found: &HashMap<String, CaaAnswers>,
    issuance: IssuanceRequest,
) -> CaaRuling {
    let names = climb_names(name);
    let answers: Vec<&CaaAnswers> = names.iter().filter_map(|name| found.get(name)).collect();
    let rule_at =
        |server: Option<&str>| evaluate(name, |name| lookup_in_map(name, found, server), issuance);
    let mut ruling = rule_at(None);
    if answers.is_empty() {
        ruling.verdict = CaaVerdict::NotQueried;
        return ruling;
    }
    let servers: BTreeSet<&str> = answers
        .iter()
        .flat_map(|answers| &answers.zone_servers)
        .map(|one| one.server.as_str())
        .collect();
    for server in servers {
        let other = rule_at(Some(server));
        if other.verdict.restriction() > ruling.verdict.restriction() {
            ruling = CaaRuling {
                server: Some(server.to_owned()),
                ..other
            };
        }
    }
    ruling
}

/// Returns the names for which none of the zone's own servers answered: a CA asks those, and a
/// resolver may have an older answer.
#[must_use]
pub(crate) fn unchecked_names(
    names: &[String],
    found: &HashMap<String, CaaAnswers>,
) -> Vec<String> {
    let is_checked = |name: &&String| {
        let climb = climb_names(name);
        let mut answers = climb.iter().filter_map(|name| found.get(name));
        answers.any(|answers| !answers.zone_servers.is_empty())
    };
    names
        .iter()
        .filter(|name| !is_checked(name))
        .cloned()
        .collect()
}

fn lookup_in_map(
    name: &str,
    found: &HashMap<String, CaaAnswers>,
    server: Option<&str>,
) -> CaaLookup {
    match found.get(name).map(|answers| answers.at(server)) {
        // A registry's zone has no CAA records, and its failure does not matter here.
        Some(CaaLookup::Failed(_)) if is_of_registry(name) => CaaLookup::None,
        Some(lookup) => lookup.clone(),
        None => CaaLookup::None,
    }
}

impl CaaVerdict {
    /// How much the verdict restricts issuance, for comparisons.
    fn restriction(&self) -> u8 {
        match self {
            Self::NotQueried => 0,
            Self::Unrestricted | Self::Allowed => 1,
            Self::Only(_) => 2,
            Self::WithParameters(_) => 3,
            Self::AllowsSome(_) => 4,
            Self::CaUnknown(_) => 5,
            Self::Failed(..) => 6,
            Self::Forbidden(_) => 7,
        }
    }
}

/// Returns whether the name is a top-level domain, or one under which a registry registers domains
/// (`co.uk`).
pub(crate) fn is_of_registry(name: &str) -> bool {
    if !name.contains('.') {
        return true;
    }
    DnsName::parse(name).is_ok_and(|name| {
        name.registrable().is_none() && name.public_suffix() != Some(PublicSuffix::Shared)
    })
}

/// Groups names with the same verdict from the same records, and names of one domain whose lookups
/// fail in the same way.
#[must_use]
pub(crate) fn group_rulings<'a>(rulings: impl Iterator<Item = &'a CaaRuling>) -> Vec<CaaRuling> {
    let mut groups: Vec<CaaRuling> = Vec::new();
    for ruling in rulings {
        match groups.iter_mut().find(|group| is_like(group, ruling)) {
            Some(group) => {
                group.name = format!("{}, {}", group.name, ruling.name);
                if let (CaaVerdict::Failed(at, _), CaaVerdict::Failed(above, _)) =
                    (&mut group.verdict, &ruling.verdict)
                    && above.len() < at.len()
                {
                    at.clone_from(above);
                }
            }
            None => groups.push(ruling.clone()),
        }
    }
    groups
}

fn is_like(group: &CaaRuling, ruling: &CaaRuling) -> bool {
    if let (CaaVerdict::Failed(one, why), CaaVerdict::Failed(other, cause)) =
        (&group.verdict, &ruling.verdict)
    {
        return why == cause && (is_at_or_below(one, other) || is_at_or_below(other, one));
    }
    group.name.starts_with("*.") == ruling.name.starts_with("*.")
        && CaaRuling {
            name: ruling.name.clone(),
            ..group.clone()
        } == *ruling
}

fn is_at_or_below(name: &str, above: &str) -> bool {
    name.strip_suffix(above)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{
        CaaLookup, CaaRecord, CaaRefusal, CaaRuling, CaaVerdict, IssuanceRequest, climb_names,
        evaluate, group_rulings,
    };
    use crate::dcv::answer::DnsAnswer;
    use crate::dcv::ca::CaaIssuer;

    static SECTIGO: [CaaIssuer; 1] = [CaaIssuer {
        title: "Sectigo",
        caa_identities: &["sectigo.com", "comodoca.com"],
    }];
    static EITHER: [CaaIssuer; 2] = [
        CaaIssuer {
            title: "SSL.com",
            caa_identities: &["ssl.com"],
        },
        CaaIssuer {
            title: "Sectigo",
            caa_identities: &["sectigo.com"],
        },
    ];

    /// Judges a zone with one `NAME TAG VALUE` per line; a tag with `!` is critical, and the value
    /// `fails` stands for a failed lookup.
    fn ruled(zone: &str, name: &str, issuers: &'static [CaaIssuer], at: &str) -> CaaRuling {
        let found = |at: &str| {
            let mut records = Vec::new();
            for line in zone.lines() {
                let (owner, rest) = line.trim().split_once(' ').unwrap();
                let (tag, value) = rest.split_once(' ').unwrap();
                if owner == at && value == "fails" {
                    return CaaLookup::Failed(DnsAnswer::ServFail);
                }
                if owner == at {
                    let critical = tag.ends_with('!');
                    let tag = tag.trim_end_matches('!').to_owned();
                    records.push(CaaRecord {
                        critical,
                        tag,
                        value: value.trim_matches('"').to_owned(),
                        ttl: 60,
                    });
                }
            }
            if records.is_empty() {
                CaaLookup::None
            } else {
                CaaLookup::Records(None, records)
            }
        };
        let at: Timestamp = at.parse().unwrap();
        evaluate(name, found, IssuanceRequest { issuers, at })
    }

    #[test]
    fn the_climb_ends_below_the_root() {
        assert_eq!(
            climb_names("*.a.example.com"),
            ["a.example.com", "example.com", "com"]
        );
        assert_eq!(climb_names("com"), ["com"]);
    }

    /// One row for each rule of RFC 8659.
    #[test]
    fn each_rule_has_its_verdict() {
        use CaaRefusal::{NoIssuer, NotListed, UnknownCritical, Unreadable};
        use CaaVerdict::{Allowed, Unrestricted};
        let forbidden = CaaVerdict::Forbidden;
        for (rule, zone, name, verdict, at) in [
            ("no records at all", "", "a.example.com", Unrestricted, None),
            (
                "the CA is listed",
                "example.com issue sectigo.com",
                "example.com",
                Allowed,
                Some("example.com"),
            ),
            (
                "by another of its identifiers",
                "example.com issue comodoca.com",
                "example.com",
                Allowed,
                Some("example.com"),
            ),
            (
                "case is ignored",
                "example.com ISSUE Sectigo.COM",
                "example.com",
                Allowed,
                Some("example.com"),
            ),
            (
                "another CA is listed",
                "example.com issue ca.test",
                "example.com",
                forbidden(NotListed),
                Some("example.com"),
            ),
            (
                "the CA is one of two",
                "a.test issue ca.test\na.test issue sectigo.com",
                "a.test",
                Allowed,
                Some("a.test"),
            ),
            (
                "records of a parent count",
                "example.com issue ca.test",
                "a.b.example.com",
                forbidden(NotListed),
                Some("example.com"),
            ),
            (
                "the nearest records count",
                "b.test issue sectigo.com\ntest issue ;",
                "a.b.test",
                Allowed,
                Some("b.test"),
            ),
            (
                "the TLD counts too",
                "test issue ;",
                "a.b.test",
                forbidden(NoIssuer),
                Some("test"),
            ),
            (
                "records below do not count",
                "www.a.test issue ;",
                "a.test",
                Unrestricted,
                None,
            ),
            (
                "no issuer",
                "a.test issue ;",
                "a.test",
                forbidden(NoIssuer),
                Some("a.test"),
            ),
            (
                "no issuer, empty value",
                "a.test issue \"\"",
                "a.test",
                forbidden(NoIssuer),
                Some("a.test"),
            ),
            (
                "no issuer beside an issuer",
                "a.test issue ;\na.test issue sectigo.com",
                "a.test",
                Allowed,
                Some("a.test"),
            ),
            (
                "malformed",
                "a.test issue %%%%%",
                "a.test",
                forbidden(Unreadable),
                Some("a.test"),
            ),
            (
                "a final dot is malformed",
                "a.test issue sectigo.com.",
                "a.test",
                forbidden(Unreadable),
                Some("a.test"),
            ),
            (
                "only iodef",
                "a.test iodef mailto:a@a.test",
                "a.test",
                Unrestricted,
                Some("a.test"),
            ),
            (
                "iodef ends the climb",
                "a.test iodef x\ntest issue ;",
                "a.test",
                Unrestricted,
                Some("a.test"),
            ),
            (
                "an unknown tag",
                "a.test tbs x\na.test issue sectigo.com",
                "a.test",
                Allowed,
                Some("a.test"),
            ),
            (
                "an unknown critical tag",
                "a.test tbs! x\na.test issue sectigo.com",
                "a.test",
                forbidden(UnknownCritical("tbs".to_owned())),
                Some("a.test"),
            ),
            (
                "a known critical tag",
                "a.test issue! sectigo.com",
                "a.test",
                Allowed,
                Some("a.test"),
            ),
            (
                "issuewild is ignored for other names",
                "a.test issuewild ;",
                "a.test",
                Unrestricted,
                Some("a.test"),
            ),
            (
                "issuewild replaces issue for wildcards",
                "a.test issue sectigo.com\na.test issuewild ;",
                "*.a.test",
                forbidden(NoIssuer),
                Some("a.test"),
            ),
            (
                "issuewild allows a wildcard",
                "a.test issue ;\na.test issuewild sectigo.com",
                "*.a.test",
                Allowed,
                Some("a.test"),
            ),
            (
                "issue counts for wildcards without issuewild",
                "a.test issue ca.test",
                "*.a.test",
                forbidden(NotListed),
                Some("a.test"),
            ),
            (
                "unknown parameters are ignored",
                "a.test issue sectigo.com; policy=ev",
                "a.test",
                Allowed,
                Some("a.test"),
            ),
        ] {
            let ruling = ruled(zone, name, &SECTIGO, "2026-11-23T00:00:00Z");
            assert_eq!(
                (ruling.verdict, ruling.at.as_deref()),
                (verdict, at),
                "{rule}"
            );
        }
    }

    #[test]
    fn a_failed_lookup_does_not_allow_issuance() {
        let ruling = ruled(
            "example.com issue fails",
            "www.example.com",
            &SECTIGO,
            "2026-11-23T00:00:00Z",
        );
        assert_eq!(
            ruling.verdict,
            CaaVerdict::Failed("example.com".to_owned(), DnsAnswer::ServFail)
        );
        let nearer = "www.example.com issue sectigo.com\nexample.com issue fails";
        let ruling = ruled(nearer, "www.example.com", &SECTIGO, "2026-11-23T00:00:00Z");
        assert_eq!(
            ruling.verdict,
            CaaVerdict::Allowed,
            "the climb ends at the first records"
        );
    }

    #[test]
    fn equal_failures_in_one_domain_are_grouped() {
        let zone = "a.test issue fails\nwww.a.test issue fails\nb.test issue fails";
        let names = ["www.a.test", "*.a.test", "a.test", "b.test"];
        let rulings = names.map(|name| ruled(zone, name, &SECTIGO, "2026-11-23T00:00:00Z"));
        let groups: Vec<_> = group_rulings(rulings.iter())
            .into_iter()
            .map(|one| (one.name, one.verdict))
            .collect();
        let failed = |at: &str| CaaVerdict::Failed(at.to_owned(), DnsAnswer::ServFail);
        assert_eq!(
            groups,
            [
                ("www.a.test, *.a.test, a.test".to_owned(), failed("a.test")),
                ("b.test".to_owned(), failed("b.test"))
            ]
        );
    }

    #[test]
    fn without_a_ca_the_allowed_issuers_are_listed() {
        let one = ruled(
            "a.test issue sectigo.com",
            "a.test",
            &[],
            "2026-11-23T00:00:00Z",
        );
        assert_eq!(
            one.verdict,
            CaaVerdict::Only(vec!["sectigo.com".to_owned()])
        );
        assert_eq!(one.records, ["0 issue \"sectigo.com\""]);
        assert_eq!(
            ruled("a.test issue ;", "a.test", &[], "2026-11-23T00:00:00Z").verdict,
            CaaVerdict::Forbidden(CaaRefusal::NoIssuer)
        );
    }

    #[test]
    fn a_reseller_with_two_cas_needs_both_allowed() {
        let one = ruled(
            "a.test issue sectigo.com",
            "a.test",
            &EITHER,
            "2026-11-23T00:00:00Z",
        );
        assert_eq!(one.verdict, CaaVerdict::AllowsSome(vec!["SSL.com"]));
        let both = "a.test issue sectigo.com\na.test issue ssl.com";
        assert_eq!(
            ruled(both, "a.test", &EITHER, "2026-11-23T00:00:00Z").verdict,
            CaaVerdict::Allowed
        );
    }

    #[test]
    fn parameters_are_in_force_from_their_day() {
        let account = "a.test issue sectigo.com; accounturi=https://ca.test/1 ; \
            validationmethods=dns-01,http-01";
        for (at, in_force) in [
            ("2027-03-14T23:59:59Z", false),
            ("2027-03-15T00:00:00Z", true),
        ] {
            let CaaVerdict::WithParameters(terms) = ruled(account, "a.test", &SECTIGO, at).verdict
            else {
                panic!("{at}")
            };
            assert_eq!(terms.in_force, in_force);
            assert_eq!(terms.account.as_deref(), Some("https://ca.test/1"));
            assert_eq!(terms.methods.as_deref(), Some("dns-01,http-01"));
        }
        let one_without = format!("{account}\na.test issue sectigo.com");
        assert_eq!(
            ruled(&one_without, "a.test", &SECTIGO, "2027-04-01T00:00:00Z").verdict,
            CaaVerdict::Allowed
        );
    }
}
