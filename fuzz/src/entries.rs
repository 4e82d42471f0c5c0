//! The fuzzed functions and the invariants that must hold for every input. The fuzz targets and
//! `tests/fuzz_corpus.rs` call the same functions.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a violated invariant panics"
)]

use std::sync::OnceLock;

use certctl::facade::dcv::answer::{DnsAnswer, RecordKind, ServerRole};
use certctl::facade::dcv::dcv_file::StoredRecord;
use certctl::facade::dcv::parse;
use certctl::facade::delivery::{
    CaDelivery, DeliveryInput, DeliveryLimits, Password, load_certificates,
};
use certctl::facade::pki::certificate::Certificate;
use certctl::facade::pki::chain::{ChainCriteria, ChainPreference};
use certctl::facade::pki::name::{DnsName, DnsNames};
use certctl::facade::pki::trust::TrustAnchors;
use certctl::facade::pki::verify::{self, ChainProblem, VerifyPolicy};
use certctl::facade::probe::server_flight::{
    ClearCertificates, FLIGHT_LIMIT, FlightError, ServerFlight,
};
use certctl::facade::probe::stapled;
use certctl::facade::system::dns;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};

/// Every input is read within the limits, and certificates and keys that were read survive a round
/// trip.
pub fn reader(data: &[u8]) {
    let limits = DeliveryLimits {
        entries: 50,
        inflated: 1 << 20,
        blocks: 200,
        derivation_iterations: 5_000,
        ..DeliveryLimits::default()
    };
    let password = Password::new(b"x".to_vec());
    for password in [None, Some(&password)] {
        let Ok(found) = CaDelivery::read_with_password(
            &[DeliveryInput::new("x", data.to_vec())],
            &limits,
            password,
        ) else {
            continue;
        };
        let count = found.certificates.len()
            + found.requests.len()
            + found.keys.len()
            + found.encrypted_keys.len();
        assert!(count <= limits.blocks, "{count} blocks");
        for ignored in &found.ignored {
            assert!(!format!("{} {}", ignored.source, ignored.content).is_empty());
        }
        for one in &found.certificates {
            let again =
                CaDelivery::read(vec![DeliveryInput::new("y", one.to_pem().into())], &limits)
                    .unwrap();
            assert_eq!(
                (again.clone_certificates(), again.repairs, again.ignored),
                (vec![one.value.clone()], vec![], vec![])
            );
        }
        for key in &found.keys {
            let again = CaDelivery::read(
                vec![DeliveryInput::new("y", key.to_pem().as_bytes().to_vec())],
                &limits,
            )
            .unwrap();
            assert_eq!(again.keys[0].id(), key.id());
        }
    }
}

/// What a server loads of a file, it loads again of the same certificates in a clean file.
pub fn loader(data: &[u8]) {
    let Ok(loaded) = load_certificates(data) else {
        return;
    };
    assert!(!loaded.is_empty());
    let sound: Vec<Certificate> = loaded
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    if sound.is_empty() {
        return;
    }
    let clean: String = sound.iter().map(Certificate::to_pem).collect();
    let again = load_certificates(clean.as_bytes()).unwrap();
    let ders: Vec<&[u8]> = sound.iter().map(Certificate::der).collect();
    assert_eq!(again, ders);
}

/// Every bag yields a chain with valid signatures and without duplicates; if the bag contains the
/// valid certificates, it yields the valid chain.
pub fn chains(data: &[u8]) {
    let pool = Pool::get();
    let (mut bag, mut octets) = (Vec::new(), data.iter().copied());
    let (mut middle, mut leaf) = (false, pool.leaf.clone());
    while let Some(code) = octets.next() {
        if bag.len() > 60 {
            break;
        }
        let place = usize::from(code & 0x7f);
        let Some(one) = pool.all.get(place) else {
            continue;
        };
        if code < 0x80 {
            middle |= place == 0;
            bag.push(one.clone());
            continue;
        }
        // One changed octet: if it still parses as a certificate, it is added, sometimes as the
        // leaf.
        let (Some(high), Some(low), Some(octet)) = (octets.next(), octets.next(), octets.next())
        else {
            break;
        };
        let mut der = one.der().to_vec();
        let at = usize::from(u16::from_be_bytes([high, low])) % der.len();
        der[at] = octet;
        if let Ok(changed) = Certificate::from_der(&der) {
            if high & 0x80 != 0 {
                leaf = changed;
            } else {
                bag.push(changed);
            }
        }
    }
    let at = "2026-06-01T00:00:00Z".parse().unwrap();
    for prefer in [ChainPreference::Compatible, ChainPreference::Shortest] {
        let chain = verify::assemble_chain(
            &leaf,
            &bag,
            ChainCriteria {
                anchors: &pool.anchors,
                at,
                prefer,
            },
        )
        .chain;
        let links = chain.certificates();
        assert_eq!(links[0], leaf);
        for (place, pair) in links.windows(2).enumerate() {
            assert!(pair[0].is_signed_by(&pair[1]), "link {place} does not hold");
            assert!(
                !links[..=place].contains(&pair[1]),
                "{place} is there twice"
            );
        }
        let problems = verify::find_problems(
            &chain,
            VerifyPolicy {
                hosts: &[],
                anchors: &pool.anchors,
                at,
            },
        );
        if middle && leaf == pool.leaf {
            let fine = problems.is_empty() || problems.contains(&ChainProblem::TooManyCandidates);
            assert!(fine, "the good chain was not found: {problems:?}");
        }
        let shuffled: Vec<Certificate> = bag.iter().rev().cloned().collect();
        let other = verify::assemble_chain(
            &leaf,
            &shuffled,
            ChainCriteria {
                anchors: &pool.anchors,
                at,
                prefer,
            },
        )
        .chain;
        let same = verify::find_problems(
            &other,
            VerifyPolicy {
                hosts: &[],
                anchors: &pool.anchors,
                at,
            },
        );
        assert_eq!(
            problems.is_empty(),
            same.is_empty(),
            "the order decides: {problems:?} {same:?}"
        );
    }
}

/// Every parsed name survives a round trip, is safe in a file name, and covers exactly the hosts
/// that RFC 9525 permits.
pub fn names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (first, second) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(name) = DnsName::parse(first) {
        assert_eq!(DnsName::parse(name.as_str()).as_ref(), Ok(&name));
        assert_eq!(
            DnsName::parse_presented(name.as_str()).as_ref(),
            Some(&name)
        );
        let stem = name.file_stem();
        assert!(
            !stem.starts_with(['.', '-', '~']) && !stem.contains(['/', '\\', '\0', ' ', '*']),
            "{stem:?}"
        );
        assert!(stem.is_ascii() && stem.len() <= 255, "{stem:?}");
        assert!(name.covers(name.base()) != name.is_wildcard());
        assert!(
            name.registrable()
                .is_none_or(|domain| name.base().ends_with(domain))
        );
        let _ = (name.unicode(), name.has_public_suffix());
    }
    if let Some(name) = DnsName::parse_presented(first) {
        assert_eq!(
            name.covers(second),
            covers(first, second),
            "{first:?} {second:?}"
        );
    }
    let _ = DnsNames::parse(&text.lines().collect::<Vec<_>>());
}

/// A record with a complete name that was parsed from pasted text is written as a line that
/// survives a round trip (only such records are stored); a file of such lines is unchanged when
/// rewritten.
pub fn record(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for record in parse::parse(&text).into_iter().flatten() {
        let line = record.zone_line();
        assert!(
            !line.contains(['\n', '\r']) || record.value.contains(['\n', '\r']),
            "{line:?}"
        );
        let whole = line
            .split(' ')
            .next()
            .is_some_and(|host| host.len() > 1 && host.ends_with('.'));
        if whole && !line.contains(char::is_control) {
            let again = parse::parse(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
            assert_eq!(again, [record], "{line:?}");
        }
    }
    let kept = StoredRecord::read(&text);
    let again = StoredRecord::read(&kept.text());
    assert_eq!((again.ca(), again.records()), (kept.ca(), kept.records()));
    assert!(kept.records().len() <= text.lines().count());
}

/// A message counts as an answer only with the id and the question of the query, and names in it
/// are printed without terminal control characters.
pub fn answers(data: &[u8]) {
    const NAME: &str = "_x.example.com";
    let id = data.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    for kind in [RecordKind::A, RecordKind::Cname, RecordKind::Txt] {
        for role in [ServerRole::Authoritative, ServerRole::Resolver] {
            assert!(dns::read_datagram(id ^ 1, NAME, kind, role, data).is_none());
            let Some((answer, _)) = dns::read_datagram(id, NAME, kind, role, data) else {
                continue;
            };
            assert!(
                data.get(2).is_some_and(|flags| flags & 0x80 != 0),
                "a question is no answer"
            );
            if let DnsAnswer::Cname(target) = &answer {
                assert!(
                    target.is_ascii() && !target.contains(|c: char| c.is_control() || c == ' '),
                    "{target:?}"
                );
            }
            assert!(!answer.word().is_empty());
        }
    }
}

/// The fast path reads the same alias as the parser of complete messages.
pub fn dns_fast_path(data: &[u8]) {
    const NAME: &str = "_x.example.com";
    let id = data.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    assert!(dns::compare_fast_path(id ^ 1, NAME, data).is_none());
    if let Some((fast, full)) = dns::compare_fast_path(id, NAME, data) {
        assert_eq!(Some(fast), full);
    }
}

/// The first flight of a server gives the same certificates in one piece and in many, none of which
/// is empty or was not received. The first byte is the size of the pieces.
pub fn server_flight(data: &[u8]) {
    let (&size, flight) = data.split_first().unwrap_or((&1, data));
    let flight = &flight[..flight.len().min(FLIGHT_LIMIT)];
    let at_once = read_flight(flight, flight.len().max(1));
    assert_eq!(at_once, read_flight(flight, usize::from(size).max(1)));
    let leaf = &Pool::get().leaf;
    if let Ok(Some(found)) = at_once {
        let received: usize = found.chain.iter().map(Vec::len).sum();
        assert!(!found.chain.is_empty() && found.chain.iter().all(|one| !one.is_empty()));
        assert!(received + found.stapled.len() <= flight.len());
        assert!(!found.protocol.is_empty());
        let _ = stapled::find_subject(&found.stapled, leaf, Some(leaf));
    }
    let _ = stapled::find_subject(flight, leaf, None);
}

fn read_flight(flight: &[u8], size: usize) -> Result<Option<ClearCertificates>, FlightError> {
    let mut reader = ServerFlight::default();
    for piece in flight.chunks(size) {
        if let Some(found) = reader.add(piece)? {
            return Ok(Some(found));
        }
    }
    Ok(reader.finish())
}

/// Matches a host as in RFC 9525 6.3, label by label.
fn covers(presented: &str, host: &str) -> bool {
    let labels = |name: &str| {
        name.to_ascii_lowercase()
            .split('.')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let host = labels(host.strip_suffix('.').unwrap_or(host));
    let presented = labels(presented);
    presented.len() == host.len()
        && presented
            .iter()
            .zip(&host)
            .enumerate()
            .all(|(place, (wanted, label))| {
                wanted == label
                    || place == 0 && wanted == "*" && !label.is_empty() && presented.len() > 1
            })
}

/// CAs that are created once: the chain of the leaf, decoys with the same names, a mesh, and
/// untrusted roots.
struct Pool {
    leaf: Certificate,
    /// The certificates; the first is the intermediate that issued the leaf.
    all: Vec<Certificate>,
    anchors: TrustAnchors,
}

struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 12, 31);
        Self {
            params,
            key: KeyPair::generate().unwrap(),
        }
    }

    fn root(&self) -> Certificate {
        read(&self.params.self_signed(&self.key).unwrap())
    }

    fn certify(&self, other: &Self) -> Certificate {
        self.certify_until(other, 2026)
    }

    fn certify_until(&self, other: &Self, year: i32) -> Certificate {
        let mut params = other.params.clone();
        params.not_before = rcgen::date_time_ymd(year, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 12, 31);
        read(
            &params
                .signed_by(&other.key, &Issuer::from_params(&self.params, &self.key))
                .unwrap(),
        )
    }
}

fn read(certificate: &rcgen::Certificate) -> Certificate {
    Certificate::from_der(certificate.der()).unwrap()
}

impl Pool {
    fn get() -> &'static Self {
        static POOL: OnceLock<Pool> = OnceLock::new();
        POOL.get_or_init(Self::new)
    }

    fn new() -> Self {
        let (root, middle, old) = (
            Authority::new("Root"),
            Authority::new("Middle"),
            Authority::new("Old"),
        );
        let decoys = [
            Authority::new("Middle"),
            Authority::new("Root"),
            Authority::new("Middle"),
        ];
        let mesh: Vec<Authority> = (0..5)
            .map(|number| Authority::new(&format!("Mesh {number}")))
            .collect();
        let mut all = vec![
            root.certify(&middle),
            root.root(),
            old.certify(&root),
            old.root(),
        ];
        all.push(root.certify_until(&middle, 2020));
        all.push(old.certify_until(&root, 2020));
        all.push(root.certify(&old));
        all.extend(decoys.iter().map(Authority::root));
        all.extend(decoys.iter().map(|decoy| old.certify(decoy)));
        for by in &mesh {
            all.extend(mesh.iter().map(|to| by.certify(to)));
            all.extend([
                by.certify(&middle),
                by.certify(&root),
                middle.certify(by),
                root.certify(by),
            ]);
        }
        let mut site = CertificateParams::new(vec!["example.com".to_owned()]).unwrap();
        site.distinguished_name = DistinguishedName::new();
        site.not_before = rcgen::date_time_ymd(2026, 1, 1);
        site.not_after = rcgen::date_time_ymd(2026, 12, 31);
        let key = KeyPair::generate().unwrap();
        let leaf = read(
            &site
                .signed_by(&key, &Issuer::from_params(&middle.params, &middle.key))
                .unwrap(),
        );
        let anchors = TrustAnchors::from_certificates("root.pem", &[root.root()]);
        Self { leaf, all, anchors }
    }
}
