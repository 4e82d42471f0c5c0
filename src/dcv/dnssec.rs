//! Validates a zone's signatures from its servers' answers: DS in the parent zone, DNSKEY, RRSIG
//! and the clock (RFC 4035 5). CAs must check them for every lookup (BR 3.2.2.4 and 3.2.2.8.1,
//! SC-085), even if the local resolver does not. Pure. It needs no trust anchor: it looks for
//! mistakes of the domain's owner, so it trusts the zones above the domain. A zone without a DS
//! record is unsigned, which is not a fault.

use hickory_proto::dnssec::crypto::Digest;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, RRSIG};
use hickory_proto::dnssec::{PublicKey, Verifier};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use jiff::{SignedDuration, Timestamp};

/// A zone on the path from the root to the zone of the record, and its keys as far as known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ZoneCut {
    pub zone: Name,
    /// The DS records for it in the parent zone; `None` if they are not known.
    pub ds: Option<Vec<DS>>,
    /// The answer of each server that was queried for the keys.
    pub keys: Vec<ServerKeys>,
}

/// One server's answer to the query for a zone's keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerKeys {
    pub server: String,
    /// The keys with their signatures; `None` if the server gave no answer.
    pub records: Option<Vec<Record>>,
}

/// One server's answer to the query for the validation record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SignedAnswer {
    pub server: String,
    /// The name that was queried.
    pub name: Name,
    /// The records of the answer with their signatures.
    pub records: Vec<Record>,
}

/// The evidence for the verdict.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct DnssecEvidence {
    /// The zones from the top-level domain down to the zone of the record.
    pub cuts: Vec<ZoneCut>,
    /// The answers of the zone's own servers.
    pub answers: Vec<SignedAnswer>,
}

/// The result of checking a zone's signatures.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DnssecState {
    /// Some zone on the path has no DS record: nothing to check.
    Unsigned,
    /// All signatures that were checked are valid.
    Signed,
    /// A CA will reject the answers.
    Broken(Vec<DnssecFault>),
    /// The answers do not suffice to decide.
    Unknown,
}

impl DnssecState {
    /// Returns the word for JSON.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Signed => "signed",
            Self::Broken(_) => "broken",
            Self::Unknown => "unknown",
        }
    }
}

/// A flaw, and the servers that show it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DnssecFault {
    pub zone: String,
    pub flaw: DnssecFlaw,
    pub servers: Vec<String>,
}

/// What is wrong with a zone's signatures.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DnssecFlaw {
    /// The parent zone has a DS record, but the zone has no key.
    NoKey,
    /// The DS record matches none of the zone's keys.
    OtherKey,
    /// The signature of these records has expired.
    Expired(String, Timestamp),
    /// The signature of these records is not valid yet.
    NotYet(String, Timestamp),
    /// None of the zone's keys signed these records.
    Unsigned(String),
    /// The signature does not match these records.
    Wrong(String),
}

/// Judges the evidence as of a time.
#[must_use]
pub(crate) fn judge_signatures(evidence: &DnssecEvidence, at: Timestamp) -> DnssecState {
    let Some(zone_cut) = evidence.cuts.last() else {
        return DnssecState::Unknown;
    };
    let mut validation = DnssecValidation {
        at,
        faults: Vec::new(),
        all_known: !evidence.answers.is_empty(),
        remaining_checks: MOST_CHECKS,
    };
    for cut in &evidence.cuts {
        match &cut.ds {
            None => return DnssecState::Unknown,
            // Everything below an unsigned zone is unsigned, whatever it claims (RFC 4035 5.2).
            Some(ds) if ds.is_empty() => return validation.state_or(DnssecState::Unsigned),
            Some(ds) => validation.check_keys(cut, ds),
        }
    }
    for answer in &evidence.answers {
        validation.check_answer(zone_cut, answer);
    }
    validation.all_known &= keys_are_known(&evidence.cuts, zone_cut);
    let state = if validation.all_known {
        DnssecState::Signed
    } else {
        DnssecState::Unknown
    };
    validation.state_or(state)
}

/// Returns whether some server returned the keys of the zone, and of each parent zone that was
/// queried for them. Otherwise the chain of trust has a gap.
fn keys_are_known(cuts: &[ZoneCut], zone_cut: &ZoneCut) -> bool {
    has_known_keys(zone_cut)
        && cuts
            .iter()
            .all(|cut| cut.keys.is_empty() || has_known_keys(cut))
}

fn has_known_keys(cut: &ZoneCut) -> bool {
    cut.keys.iter().any(|keys| keys.records.is_some())
}

/// The maximum number of signatures that are checked for one record. Real zones need a few; a
/// hostile one could cause thousands of checks (CVE-2023-50387).
const MOST_CHECKS: usize = 512;
/// The maximum number of keys, and of DS records, in one set.
const MOST_KEYS: usize = 64;

/// The state of a validation.
struct DnssecValidation {
    /// The time for which signatures are checked.
    at: Timestamp,
    faults: Vec<DnssecFault>,
    /// False once something could not be checked.
    all_known: bool,
    /// How many signatures may still be checked.
    remaining_checks: usize,
}

/// The result of the check of one record set.
enum SetCheck {
    Valid,
    /// It cannot be checked here (an unknown algorithm, too many signatures).
    Unknown,
    Flawed(DnssecFlaw),
}

impl DnssecValidation {
    fn state_or(self, otherwise: DnssecState) -> DnssecState {
        if self.faults.is_empty() {
            otherwise
        } else {
            DnssecState::Broken(self.faults)
        }
    }

    /// Adds the result for one server; the same flaw at several servers is one fault.
    fn add(&mut self, zone: &Name, server: &str, check: SetCheck) {
        let flaw = match check {
            SetCheck::Valid => return,
            SetCheck::Unknown => return self.all_known = false,
            SetCheck::Flawed(flaw) => flaw,
        };
        let zone = without_final_dot(zone);
        let known = self
            .faults
            .iter_mut()
            .find(|fault| fault.zone == zone && fault.flaw == flaw);
        match known {
            Some(fault) if fault.servers.iter().any(|one| one == server) => {}
            Some(fault) => fault.servers.push(server.to_owned()),
            None => self.faults.push(DnssecFault {
                zone,
                flaw,
                servers: vec![server.to_owned()],
            }),
        }
    }

    /// Checks the zone's keys at each server: a key that matches a DS record has to sign all of
    /// them.
    fn check_keys(&mut self, cut: &ZoneCut, ds: &[DS]) {
        for ServerKeys { server, records } in &cut.keys {
            let Some(records) = records else { continue };
            let keys = dnskeys(records);
            if keys.len() > MOST_KEYS || ds.len() > MOST_KEYS {
                self.all_known = false;
                continue;
            }
            let check = self.check_key_set(cut, ds, records, &keys);
            self.add(&cut.zone, server, check);
        }
    }

    fn check_key_set(
        &mut self,
        cut: &ZoneCut,
        ds: &[DS],
        records: &[Record],
        keys: &[&DNSKEY],
    ) -> SetCheck {
        if keys.is_empty() {
            return SetCheck::Flawed(DnssecFlaw::NoKey);
        }
        let entry_keys: Vec<&DNSKEY> = keys
            .iter()
            .copied()
            .filter(|key| matches_ds(&cut.zone, ds, key))
            .collect();
        if !entry_keys.is_empty() {
            let set = RecordSetId {
                name: cut.zone.clone(),
                kind: RecordType::DNSKEY,
            };
            self.check_set(&set, records, &cut.zone, &entry_keys)
        } else if has_known_digest(ds) {
            SetCheck::Flawed(DnssecFlaw::OtherKey)
        } else {
            SetCheck::Unknown
        }
    }

    /// Checks the signatures in one server's answer with the keys from the same server.
    fn check_answer(&mut self, zone_cut: &ZoneCut, answer: &SignedAnswer) {
        let SignedAnswer {
            server,
            name,
            records,
        } = answer;
        let key_records = zone_cut
            .keys
            .iter()
            .find(|keys| keys.server == *server)
            .and_then(|keys| keys.records.as_deref());
        self.all_known &= key_records.is_some();
        let keys = dnskeys(key_records.unwrap_or_default());
        if keys.len() > MOST_KEYS {
            self.all_known = false;
            return;
        }
        if keys.is_empty() {
            // `check_keys` has reported that already.
            return;
        }
        for set in signed_sets(records, name) {
            let check = self.check_set(&set, records, &zone_cut.zone, &keys);
            self.add(&zone_cut.zone, server, check);
        }
    }

    /// Checks the signatures of a set: valid if one of them is; else the flaw of the last one.
    fn check_set(
        &mut self,
        set: &RecordSetId,
        records: &[Record],
        zone: &Name,
        keys: &[&DNSKEY],
    ) -> SetCheck {
        let set_name = format!("{} {}", without_final_dot(&set.name), set.kind);
        let mut flaw = DnssecFlaw::Unsigned(set_name.clone());
        for signature in signatures(records, set).filter(|one| one.input().signer_name == *zone) {
            if let Some(outside) = self.validity_flaw(signature, &set_name) {
                flaw = outside;
                continue;
            }
            // Two keys may have the same tag.
            for key in keys
                .iter()
                .filter(|key| may_have_signed(key, signature))
                .take(4)
            {
                if !self.may_check(key) {
                    return SetCheck::Unknown;
                }
                if key
                    .verify_rrsig(&set.name, DNSClass::IN, signature, records.iter())
                    .is_ok()
                {
                    return SetCheck::Valid;
                }
                flaw = DnssecFlaw::Wrong(set_name.clone());
            }
        }
        SetCheck::Flawed(flaw)
    }

    /// Returns the flaw of a signature that has expired or is not valid yet.
    fn validity_flaw(&self, signature: &RRSIG, set_name: &str) -> Option<DnssecFlaw> {
        let input = signature.input();
        let from = nearest_time(input.sig_inception.get(), self.at);
        let until = nearest_time(input.sig_expiration.get(), self.at);
        if self.at > until {
            Some(DnssecFlaw::Expired(set_name.to_owned(), until))
        } else if self.at < from {
            Some(DnssecFlaw::NotYet(set_name.to_owned(), from))
        } else {
            None
        }
    }

    /// Returns whether the key is usable and one more check is allowed; if so, counts the check.
    fn may_check(&mut self, key: &DNSKEY) -> bool {
        if self.remaining_checks == 0 || key.key().is_err() {
            return false;
        }
        self.remaining_checks -= 1;
        true
    }
}

/// Returns whether the key may have made the signature: both have the same tag and algorithm.
fn may_have_signed(key: &DNSKEY, signature: &RRSIG) -> bool {
    let input = signature.input();
    key.calculate_key_tag().ok() == Some(input.key_tag)
        && key.public_key().algorithm() == input.algorithm
}

fn without_final_dot(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}

fn dnskeys(records: &[Record]) -> Vec<&DNSKEY> {
    let keys = records.iter().filter_map(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::DNSKEY(key)) => Some(key),
        _ => None,
    });
    keys.collect()
}

fn matches_ds(zone: &Name, ds: &[DS], key: &DNSKEY) -> bool {
    let tag = key.calculate_key_tag().ok();
    ds.iter().any(|ds| {
        Some(ds.key_tag()) == tag
            && ds.algorithm() == key.public_key().algorithm()
            && ds.covers(zone, key).unwrap_or(false)
    })
}

/// Returns whether a DS record has a digest that can be computed here; otherwise nothing can be
/// concluded.
fn has_known_digest(ds: &[DS]) -> bool {
    ds.iter()
        .any(|ds| Digest::new(&[], ds.digest_type()).is_ok())
}

/// The name and type of a set of records.
#[derive(Debug, Eq, PartialEq)]
struct RecordSetId {
    name: Name,
    kind: RecordType,
}

/// Returns the sets in an answer that a signed zone signs: the queried records, or the records that
/// prove their absence.
fn signed_sets(records: &[Record], name: &Name) -> Vec<RecordSetId> {
    let mut sets: Vec<RecordSetId> = Vec::new();
    for record in records {
        let kind = record.record_type();
        let denial = matches!(kind, RecordType::SOA | RecordType::NSEC | RecordType::NSEC3);
        let set = RecordSetId {
            name: record.name.clone(),
            kind,
        };
        if kind != RecordType::RRSIG && (record.name == *name || denial) && !sets.contains(&set) {
            sets.push(set);
        }
    }
    sets
}

fn signatures<'a>(records: &'a [Record], set: &'a RecordSetId) -> impl Iterator<Item = &'a RRSIG> {
    records.iter().filter_map(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature))
            if record.name == set.name && signature.input().type_covered == set.kind =>
        {
            Some(signature)
        }
        _ => None,
    })
}

/// Returns the time that 32 bits of seconds stand for: the one nearest to `at` (RFC 4034 3.1.5, RFC
/// 1982).
fn nearest_time(seconds: u32, at: Timestamp) -> Timestamp {
    const PERIOD: i64 = 1 << 32;
    let ahead = (i64::from(seconds) - at.as_second()).rem_euclid(PERIOD);
    let nearest = if ahead < PERIOD / 2 {
        ahead
    } else {
        ahead - PERIOD
    };
    Timestamp::from_second(at.as_second())
        .and_then(|at| at.checked_add(SignedDuration::from_secs(nearest)))
        .unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use hickory_proto::dnssec::crypto::EcdsaSigningKey;
    use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, RRSIG};
    use hickory_proto::dnssec::{Algorithm, DigestType, DnssecSigner, SigningKey};
    use hickory_proto::rr::rdata::CNAME;
    use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordSet};
    use jiff::Timestamp;

    use super::{
        DnssecEvidence, DnssecFlaw, DnssecState, ServerKeys, SignedAnswer, ZoneCut,
        judge_signatures, nearest_time,
    };

    /// The time from which signatures are valid for a day.
    const BEGIN: i64 = 1_800_000_000;
    const DAY: i64 = 86_400;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn zone() -> Name {
        name("shop.example.")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn signer() -> DnssecSigner {
        let der = EcdsaSigningKey::generate_pkcs8(Algorithm::ECDSAP256SHA256).unwrap();
        let key = EcdsaSigningKey::from_pkcs8(&der, Algorithm::ECDSAP256SHA256).unwrap();
        let dnskey = DNSKEY::from_key(&key.to_public_key().unwrap());
        let day = std::time::Duration::from_secs(DAY.unsigned_abs());
        DnssecSigner::new(dnskey, Box::new(key), zone(), day)
    }

    /// Returns these records of one name, and their signature.
    fn signed(owner: &Name, data: Vec<RData>, by: &DnssecSigner) -> Vec<Record> {
        let mut set = RecordSet::new(owner.clone(), data[0].record_type(), 1);
        for one in data {
            set.insert(Record::from_rdata(owner.clone(), 60, one), 1);
        }
        let begin = time::OffsetDateTime::from_unix_timestamp(BEGIN).unwrap();
        let signature = RRSIG::from_rrset(&set, DNSClass::IN, begin, by).unwrap();
        let mut records: Vec<Record> = set.records_without_rrsigs().cloned().collect();
        records.push(Record::from_rdata(
            owner.clone(),
            60,
            RData::DNSSEC(DNSSECRData::RRSIG(signature)),
        ));
        records
    }

    fn ds(of: &DnssecSigner) -> DS {
        let digest = of.dnskey().to_digest(&zone(), DigestType::SHA256).unwrap();
        DS::new(
            of.calculate_key_tag().unwrap(),
            Algorithm::ECDSAP256SHA256,
            DigestType::SHA256,
            digest.as_ref().to_vec(),
        )
    }

    fn owner() -> Name {
        name("_dnsauth.shop.example.")
    }

    fn target(text: &str) -> RData {
        RData::CNAME(CNAME(name(text)))
    }

    fn keys(by: &DnssecSigner) -> Vec<Record> {
        signed(
            &zone(),
            vec![RData::DNSSEC(DNSSECRData::DNSKEY(by.dnskey().clone()))],
            by,
        )
    }

    /// Evidence without faults, from one server.
    fn right(by: &DnssecSigner) -> DnssecEvidence {
        let above = ZoneCut {
            zone: name("example."),
            ds: Some(vec![ds(by)]),
            keys: Vec::new(),
        };
        let own = ZoneCut {
            zone: zone(),
            ds: Some(vec![ds(by)]),
            keys: vec![ServerKeys {
                server: "ns1".to_owned(),
                records: Some(keys(by)),
            }],
        };
        let answer = signed(&owner(), vec![target("ca.example.")], by);
        DnssecEvidence {
            cuts: vec![above, own],
            answers: vec![SignedAnswer {
                server: "ns1".to_owned(),
                name: owner(),
                records: answer,
            }],
        }
    }

    fn flaws(evidence: &DnssecEvidence, seconds: i64) -> Vec<DnssecFlaw> {
        match judge_signatures(evidence, at(seconds)) {
            DnssecState::Broken(faults) => faults.into_iter().map(|fault| fault.flaw).collect(),
            state => panic!("{state:?}"),
        }
    }

    #[test]
    fn signatures_are_valid_only_within_their_period() {
        let evidence = right(&signer());
        assert_eq!(judge_signatures(&evidence, at(BEGIN)), DnssecState::Signed);
        assert_eq!(
            judge_signatures(&evidence, at(BEGIN + DAY)),
            DnssecState::Signed
        );
        let [keys, answer] =
            ["shop.example DNSKEY", "_dnsauth.shop.example CNAME"].map(str::to_owned);
        let expired = at(BEGIN + DAY);
        assert_eq!(
            flaws(&evidence, BEGIN + DAY + 1),
            [
                DnssecFlaw::Expired(keys.clone(), expired),
                DnssecFlaw::Expired(answer.clone(), expired)
            ]
        );
        assert_eq!(
            flaws(&evidence, BEGIN - 1),
            [
                DnssecFlaw::NotYet(keys, at(BEGIN)),
                DnssecFlaw::NotYet(answer, at(BEGIN))
            ]
        );
    }

    #[test]
    fn zones_without_ds_are_unsigned_and_missing_evidence_is_unknown() {
        let mut evidence = right(&signer());
        evidence.answers[0].records.pop();
        evidence.cuts[1].ds = None;
        assert_eq!(judge_signatures(&evidence, at(BEGIN)), DnssecState::Unknown);
        evidence.cuts[1].ds = Some(Vec::new());
        assert_eq!(
            judge_signatures(&evidence, at(BEGIN)),
            DnssecState::Unsigned
        );
        let mut evidence = right(&signer());
        evidence.cuts[0].ds = Some(Vec::new());
        evidence.cuts[1].ds = Some(vec![ds(&signer())]);
        assert_eq!(
            judge_signatures(&evidence, at(BEGIN)),
            DnssecState::Unsigned,
            "below an unsigned zone"
        );
        let mut evidence = right(&signer());
        evidence.cuts[1].keys[0].records = None;
        assert_eq!(
            judge_signatures(&evidence, at(BEGIN)),
            DnssecState::Unknown,
            "no server returned its keys"
        );
        assert_eq!(
            judge_signatures(&DnssecEvidence::default(), at(BEGIN)),
            DnssecState::Unknown
        );
    }

    #[test]
    fn each_flaw_is_reported() {
        let by = signer();
        let mut no_key = right(&by);
        no_key.cuts[1].keys[0].records = Some(Vec::new());
        let mut other_key = right(&by);
        other_key.cuts[1].ds = Some(vec![ds(&signer())]);
        let mut unsigned = right(&by);
        unsigned.answers[0].records.pop();
        let mut changed = right(&by);
        changed.answers[0].records[0].data = target("elsewhere.example.");
        let mut foreign = right(&by);
        foreign.answers[0].records = signed(&owner(), vec![target("ca.example.")], &signer());
        let answer = || "_dnsauth.shop.example CNAME".to_owned();
        for (evidence, flaw) in [
            (no_key, DnssecFlaw::NoKey),
            (other_key, DnssecFlaw::OtherKey),
            (unsigned, DnssecFlaw::Unsigned(answer())),
            (changed, DnssecFlaw::Wrong(answer())),
            (foreign, DnssecFlaw::Unsigned(answer())),
        ] {
            assert_eq!(flaws(&evidence, BEGIN), [flaw]);
        }
    }

    #[test]
    fn one_valid_signature_is_enough() {
        let (by, other) = (signer(), signer());
        let mut evidence = right(&by);
        let mut wrong = signed(&owner(), vec![target("elsewhere.example.")], &other);
        evidence.answers[0].records.insert(0, wrong.remove(1));
        evidence.cuts[1].ds.as_mut().unwrap().push(ds(&other));
        assert_eq!(
            judge_signatures(&evidence, at(BEGIN)),
            DnssecState::Signed,
            "a key rollover has a second DS and a second signature"
        );
    }

    #[test]
    fn the_same_flaw_at_two_servers_is_one_fault() {
        let by = signer();
        let mut evidence = right(&by);
        evidence.cuts[1].keys = ["ns1", "ns2"]
            .map(|server| ServerKeys {
                server: server.to_owned(),
                records: Some(Vec::new()),
            })
            .to_vec();
        let DnssecState::Broken(faults) = judge_signatures(&evidence, at(BEGIN)) else {
            panic!()
        };
        assert_eq!(
            (faults.len(), &faults[0].servers[..]),
            (1, &["ns1".to_owned(), "ns2".to_owned()][..])
        );
    }

    #[test]
    fn seconds_wrap_around_in_2106() {
        let late = 4_294_967_296 + 100;
        assert_eq!(nearest_time(200, at(late)), at(4_294_967_296 + 200));
        assert_eq!(nearest_time(u32::MAX, at(late)), at(4_294_967_295));
    }
}
