//! Whether a zone's signatures hold, judged from what its servers say: DS at the zone above,
//! DNSKEY, RRSIG and the clock (RFC 4035 5). CAs must check this for every look-up (BR 3.2.2.4 and
//! 3.2.2.8.1, SC-085), also where the resolver here does not. Pure; no trust anchor is needed: the
//! question is what the owner of the domain has wrong, so the zones above the domain are taken at
//! their word. A zone without DS is unsigned, which is fine.

use hickory_proto::dnssec::crypto::Digest;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, RRSIG};
use hickory_proto::dnssec::{PublicKey, Verifier};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use jiff::{SignedDuration, Timestamp};

/// A zone on the way down to the one asked about, and what is known of its keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ZoneCut {
    pub zone: Name,
    /// The DS records that the zone above has for it; not known where missing.
    pub ds: Option<Vec<DS>>,
    /// What each server that was asked for the keys said: its name, and keys with signatures; not
    /// known where missing.
    pub keys: Vec<(String, Option<Vec<Record>>)>,
}

/// All that there is to judge from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct DnssecEvidence {
    /// From the top level down to the zone.
    pub cuts: Vec<ZoneCut>,
    /// What each of the zone's servers said to a question, with signatures: its name, the name
    /// asked for, the records.
    pub answers: Vec<(String, Name, Vec<Record>)>,
}

/// What it comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DnssecState {
    /// There is no DS on the way: nothing to check.
    Unsigned,
    /// All that was looked at holds.
    Signed,
    /// A CA will reject it.
    Broken(Vec<DnssecFault>),
    /// Not enough was said to tell.
    Unknown,
}

impl DnssecState {
    /// The word in JSON.
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

/// Something that does not hold, and at which servers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DnssecFault {
    pub zone: String,
    pub flaw: DnssecFlaw,
    pub servers: Vec<String>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DnssecFlaw {
    /// The zone above has a DS record, the zone has no key.
    NoKey,
    /// The DS record is of none of the zone's keys.
    OtherKey,
    /// The signature of these records ended.
    Expired(String, Timestamp),
    /// The signature of these records begins later.
    NotYet(String, Timestamp),
    /// These records have no signature of the zone's keys.
    Unsigned(String),
    /// The signature of these records is not of them.
    Wrong(String),
}

/// Judges the evidence at an instant.
#[must_use]
pub(crate) fn judge(evidence: &DnssecEvidence, at: Timestamp) -> DnssecState {
    let Some(last) = evidence.cuts.last() else {
        return DnssecState::Unknown;
    };
    let mut seen = Seen {
        faults: Vec::new(),
        all_known: !evidence.answers.is_empty(),
        checks: MOST_CHECKS,
    };
    for cut in &evidence.cuts {
        match &cut.ds {
            None => return DnssecState::Unknown,
            // What is below an unsigned zone is unsigned, whatever it says (RFC 4035 5.2).
            Some(ds) if ds.is_empty() => return seen.or(DnssecState::Unsigned),
            Some(ds) => keys_hold(cut, ds, at, &mut seen),
        }
    }
    for (server, name, records) in &evidence.answers {
        let keys = last
            .keys
            .iter()
            .find(|(one, _)| one == server)
            .and_then(|(_, keys)| keys.as_deref());
        seen.all_known &= keys.is_some();
        let keys = dnskeys(keys.unwrap_or_default());
        if keys.len() > MOST_KEYS {
            seen.all_known = false;
            continue;
        }
        // Where there is no key, that is the fault.
        for set in sets(records, name).into_iter().filter(|_| !keys.is_empty()) {
            let found = holds(&set, records, &keys, (&last.zone, at), &mut seen.checks);
            seen.note(&last.zone, server, found);
        }
    }
    // Where nobody who was asked told the keys of a zone, what is above and below it is not joined.
    let told = |cut: &ZoneCut| cut.keys.iter().any(|(_, keys)| keys.is_some());
    seen.all_known &= told(last)
        && evidence
            .cuts
            .iter()
            .all(|cut| cut.keys.is_empty() || told(cut));
    let all_known = seen.all_known;
    seen.or(if all_known {
        DnssecState::Signed
    } else {
        DnssecState::Unknown
    })
}

/// What a zone may cost: signatures that are checked in all, keys and DS records of a set. Real
/// zones have a few; a hostile one could make work of thousands (CVE-2023-50387).
const MOST_CHECKS: usize = 512;
const MOST_KEYS: usize = 64;

/// What has come up so far.
struct Seen {
    faults: Vec<DnssecFault>,
    all_known: bool,
    /// So many signatures may still be checked.
    checks: usize,
}

impl Seen {
    fn or(self, otherwise: DnssecState) -> DnssecState {
        if self.faults.is_empty() {
            otherwise
        } else {
            DnssecState::Broken(self.faults)
        }
    }

    /// The same flaw at another server is one fault.
    fn note(&mut self, zone: &Name, server: &str, found: Result<(), Option<DnssecFlaw>>) {
        let flaw = match found {
            Ok(()) => return,
            Err(None) => return self.all_known = false,
            Err(Some(flaw)) => flaw,
        };
        let zone = shown(zone);
        match self
            .faults
            .iter_mut()
            .find(|fault| fault.zone == zone && fault.flaw == flaw)
        {
            Some(fault) if fault.servers.iter().any(|one| one == server) => {}
            Some(fault) => fault.servers.push(server.to_owned()),
            None => self.faults.push(DnssecFault {
                zone,
                flaw,
                servers: vec![server.to_owned()],
            }),
        }
    }
}

fn shown(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}

/// The zone's keys at each server: one of the DS records' is there and signs them all.
fn keys_hold(cut: &ZoneCut, ds: &[DS], at: Timestamp, seen: &mut Seen) {
    for (server, records) in &cut.keys {
        let Some(records) = records else { continue };
        let keys = dnskeys(records);
        if keys.len() > MOST_KEYS || ds.len() > MOST_KEYS {
            seen.all_known = false;
            continue;
        }
        let entry: Vec<&DNSKEY> = keys
            .iter()
            .copied()
            .filter(|key| entrusted(&cut.zone, ds, key))
            .collect();
        let found = if keys.is_empty() {
            Err(Some(DnssecFlaw::NoKey))
        } else if entry.is_empty() {
            Err(comparable(ds).then_some(DnssecFlaw::OtherKey))
        } else {
            let set = Set {
                name: cut.zone.clone(),
                kind: RecordType::DNSKEY,
            };
            holds(&set, records, &entry, (&cut.zone, at), &mut seen.checks)
        };
        seen.note(&cut.zone, server, found);
    }
}

fn dnskeys(records: &[Record]) -> Vec<&DNSKEY> {
    let keys = records.iter().filter_map(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::DNSKEY(key)) => Some(key),
        _ => None,
    });
    keys.collect()
}

fn entrusted(zone: &Name, ds: &[DS], key: &DNSKEY) -> bool {
    let tag = key.calculate_key_tag().ok();
    ds.iter().any(|ds| {
        Some(ds.key_tag()) == tag
            && ds.algorithm() == key.public_key().algorithm()
            && ds.covers(zone, key).unwrap_or(false)
    })
}

/// False where no DS record has a digest that can be computed here: nothing is known then.
fn comparable(ds: &[DS]) -> bool {
    ds.iter()
        .any(|ds| Digest::new(&[], ds.digest_type()).is_ok())
}

/// Records of one name and type.
#[derive(Debug, Eq, PartialEq)]
struct Set {
    name: Name,
    kind: RecordType,
}

/// What a signed zone signs in an answer: what was asked for, or the proof that it is not there.
fn sets(records: &[Record], name: &Name) -> Vec<Set> {
    let mut sets: Vec<Set> = Vec::new();
    for record in records {
        let kind = record.record_type();
        let denial = matches!(kind, RecordType::SOA | RecordType::NSEC | RecordType::NSEC3);
        let set = Set {
            name: record.name.clone(),
            kind,
        };
        if kind != RecordType::RRSIG && (record.name == *name || denial) && !sets.contains(&set) {
            sets.push(set);
        }
    }
    sets
}

/// `Err(None)`: it cannot be told here (an algorithm that is not known, more signatures than are
/// checked).
fn holds(
    set: &Set,
    records: &[Record],
    keys: &[&DNSKEY],
    (zone, at): (&Name, Timestamp),
    checks: &mut usize,
) -> Result<(), Option<DnssecFlaw>> {
    let what = format!("{} {}", shown(&set.name), set.kind);
    let mut flaw = DnssecFlaw::Unsigned(what.clone());
    for signature in signatures(records, set).filter(|one| one.input().signer_name == *zone) {
        let input = signature.input();
        let (from, until) = (
            instant(input.sig_inception.get(), at),
            instant(input.sig_expiration.get(), at),
        );
        let by = |key: &&&DNSKEY| {
            key.calculate_key_tag().ok() == Some(input.key_tag)
                && key.public_key().algorithm() == input.algorithm
        };
        if at > until {
            flaw = DnssecFlaw::Expired(what.clone(), until);
            continue;
        } else if at < from {
            flaw = DnssecFlaw::NotYet(what.clone(), from);
            continue;
        }
        // Tags are no names: two keys may have the same.
        for key in keys.iter().filter(by).take(4) {
            let Some(left) = checks.checked_sub(1).filter(|_| key.key().is_ok()) else {
                return Err(None);
            };
            *checks = left;
            if key
                .verify_rrsig(&set.name, DNSClass::IN, signature, records.iter())
                .is_ok()
            {
                return Ok(());
            }
            flaw = DnssecFlaw::Wrong(what.clone());
        }
    }
    Err(Some(flaw))
}

fn signatures<'a>(records: &'a [Record], set: &'a Set) -> impl Iterator<Item = &'a RRSIG> {
    records.iter().filter_map(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature))
            if record.name == set.name && signature.input().type_covered == set.kind =>
        {
            Some(signature)
        }
        _ => None,
    })
}

/// The instant that 32 bits of seconds mean: the one nearest to `at` (RFC 4034 3.1.5, RFC 1982).
fn instant(seconds: u32, at: Timestamp) -> Timestamp {
    const ROUND: i64 = 1 << 32;
    let ahead = (i64::from(seconds) - at.as_second()).rem_euclid(ROUND);
    let nearest = if ahead < ROUND / 2 {
        ahead
    } else {
        ahead - ROUND
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

    use super::{DnssecEvidence, DnssecFlaw, DnssecState, ZoneCut, instant, judge};

    /// Signatures are valid for a day from here.
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

    /// These records of one name, and their signature.
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
        name("_proof.shop.example.")
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

    /// Everything right, at one server.
    fn right(by: &DnssecSigner) -> DnssecEvidence {
        let above = ZoneCut {
            zone: name("example."),
            ds: Some(vec![ds(by)]),
            keys: Vec::new(),
        };
        let own = ZoneCut {
            zone: zone(),
            ds: Some(vec![ds(by)]),
            keys: vec![("ns1".to_owned(), Some(keys(by)))],
        };
        let answer = signed(&owner(), vec![target("ca.example.")], by);
        DnssecEvidence {
            cuts: vec![above, own],
            answers: vec![("ns1".to_owned(), owner(), answer)],
        }
    }

    fn flaws(evidence: &DnssecEvidence, seconds: i64) -> Vec<DnssecFlaw> {
        match judge(evidence, at(seconds)) {
            DnssecState::Broken(faults) => faults.into_iter().map(|fault| fault.flaw).collect(),
            state => panic!("{state:?}"),
        }
    }

    #[test]
    fn what_holds_holds_for_as_long_as_it_says() {
        let evidence = right(&signer());
        assert_eq!(judge(&evidence, at(BEGIN)), DnssecState::Signed);
        assert_eq!(judge(&evidence, at(BEGIN + DAY)), DnssecState::Signed);
        let [keys, answer] =
            ["shop.example DNSKEY", "_proof.shop.example CNAME"].map(str::to_owned);
        let ended = at(BEGIN + DAY);
        assert_eq!(
            flaws(&evidence, BEGIN + DAY + 1),
            [
                DnssecFlaw::Expired(keys.clone(), ended),
                DnssecFlaw::Expired(answer.clone(), ended)
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
    fn without_ds_nothing_is_checked_and_what_is_not_known_is_not_judged() {
        let mut evidence = right(&signer());
        evidence.answers[0].2.pop();
        evidence.cuts[1].ds = None;
        assert_eq!(judge(&evidence, at(BEGIN)), DnssecState::Unknown);
        evidence.cuts[1].ds = Some(Vec::new());
        assert_eq!(judge(&evidence, at(BEGIN)), DnssecState::Unsigned);
        let mut evidence = right(&signer());
        evidence.cuts[0].ds = Some(Vec::new());
        evidence.cuts[1].ds = Some(vec![ds(&signer())]);
        assert_eq!(
            judge(&evidence, at(BEGIN)),
            DnssecState::Unsigned,
            "below an unsigned zone"
        );
        let mut evidence = right(&signer());
        evidence.cuts[1].keys[0].1 = None;
        assert_eq!(
            judge(&evidence, at(BEGIN)),
            DnssecState::Unknown,
            "no server gave its keys"
        );
        assert_eq!(
            judge(&DnssecEvidence::default(), at(BEGIN)),
            DnssecState::Unknown
        );
    }

    #[test]
    fn each_flaw_is_told_by_itself() {
        let by = signer();
        let mut no_key = right(&by);
        no_key.cuts[1].keys[0].1 = Some(Vec::new());
        let mut other_key = right(&by);
        other_key.cuts[1].ds = Some(vec![ds(&signer())]);
        let mut unsigned = right(&by);
        unsigned.answers[0].2.pop();
        let mut changed = right(&by);
        changed.answers[0].2[0].data = target("elsewhere.example.");
        let mut foreign = right(&by);
        foreign.answers[0].2 = signed(&owner(), vec![target("ca.example.")], &signer());
        let answer = || "_proof.shop.example CNAME".to_owned();
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
    fn one_signature_that_holds_is_enough() {
        let (by, other) = (signer(), signer());
        let mut evidence = right(&by);
        let mut wrong = signed(&owner(), vec![target("elsewhere.example.")], &other);
        evidence.answers[0].2.insert(0, wrong.remove(1));
        evidence.cuts[1].ds.as_mut().unwrap().push(ds(&other));
        assert_eq!(
            judge(&evidence, at(BEGIN)),
            DnssecState::Signed,
            "a second DS and a second signature are a key's change"
        );
    }

    #[test]
    fn the_same_flaw_at_two_servers_is_one_fault() {
        let by = signer();
        let mut evidence = right(&by);
        evidence.cuts[1].keys = ["ns1", "ns2"]
            .map(|server| (server.to_owned(), Some(Vec::new())))
            .to_vec();
        let DnssecState::Broken(faults) = judge(&evidence, at(BEGIN)) else {
            panic!()
        };
        assert_eq!(
            (faults.len(), &faults[0].servers[..]),
            (1, &["ns1".to_owned(), "ns2".to_owned()][..])
        );
    }

    #[test]
    fn seconds_wrap_in_2106() {
        let late = 4_294_967_296 + 100;
        assert_eq!(instant(200, at(late)), at(4_294_967_296 + 200));
        assert_eq!(instant(u32::MAX, at(late)), at(4_294_967_295));
    }
}
