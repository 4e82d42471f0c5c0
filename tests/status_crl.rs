//! `status --crl`: downloads the CRL that each certificate names, from a server on loopback, and
//! trusts it only if the issuer signed it, it is current, and it covers the certificate.
//! Needs: python3-cryptography
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::process::Command;

use support::Sandbox;
use support::external::{path_of, succeed};
use support::file_server::FileServer;
use support::json::Json;

/// Creates a CA, and for each case a certificate `CASE.example` that names `/CASE.crl` and that list.
const LISTS: &str = r#"
import sys; sys.path.append('/usr/lib/python3/dist-packages')
from datetime import datetime, timedelta
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
base = sys.argv[1]
now = datetime.utcnow()
def name(text): return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
def key(): return ec.generate_private_key(ec.SECP256R1())
ca_key, other_key = key(), key()
def ca(key, usage=True):
    built = (x509.CertificateBuilder().subject_name(name('Lists')).issuer_name(name('Lists')).serial_number(1)
        .public_key(key.public_key()).not_valid_before(now - timedelta(days=9)).not_valid_after(now + timedelta(days=900))
        .add_extension(x509.BasicConstraints(True, None), True))
    return built.sign(key, hashes.SHA256())
root = ca(ca_key)
pem = lambda one: one.public_bytes(serialization.Encoding.PEM)
def url(case): return f'{base}/{case}.crl'
def point(address): return x509.DistributionPoint([x509.UniformResourceIdentifier(address)], None, None, None)
def leaf(case, serial, addresses):
    built = (x509.CertificateBuilder().subject_name(name(case)).issuer_name(root.subject).serial_number(serial)
        .public_key(key().public_key()).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=80))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(case + '.example')]), False))
    if addresses:
        built = built.add_extension(x509.CRLDistributionPoints([point(one) for one in addresses]), False)
    open(case + '.pem', 'wb').write(pem(built.sign(ca_key, hashes.SHA256())) + pem(root))
def listed(case, serials=(), signer=ca_key, issuer='Lists', made=now - timedelta(hours=1), days=7, scope=None, delta=False):
    built = x509.CertificateRevocationListBuilder().issuer_name(name(issuer)).last_update(made).next_update(made + timedelta(days=days))
    for serial in serials:
        built = built.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build())
    if scope:
        built = built.add_extension(x509.IssuingDistributionPoint(**{**dict(full_name=None, relative_name=None,
            only_contains_user_certs=False, only_contains_ca_certs=False, only_some_reasons=None, indirect_crl=False,
            only_contains_attribute_certs=False), **scope}), True)
    if delta: built = built.add_extension(x509.DeltaCRLIndicator(1), True)
    open(case + '.crl', 'wb').write(built.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
uri = lambda case: [x509.UniformResourceIdentifier(url(case))]
lists = {
    'good': dict(serials=[999]),
    'revoked': dict(serials=[11]),
    'forged': dict(signer=other_key),
    'otherca': dict(issuer='Others'),
    'old': dict(made=now - timedelta(days=30)),
    'early': dict(made=now + timedelta(days=2)),
    'delta': dict(delta=True),
    'cas': dict(scope=dict(only_contains_ca_certs=True)),
    'reasons': dict(scope=dict(only_some_reasons=frozenset([x509.ReasonFlags.key_compromise]))),
    'shard': dict(scope=dict(full_name=uri('shard'))),
    'shardrevoked': dict(scope=dict(full_name=uri('shardrevoked')), serials=[20]),
    'othershard': dict(scope=dict(full_name=uri('shard'))),
}
for number, (case, how) in enumerate(lists.items()):
    leaf(case, 10 + number, [url(case)])
    listed(case, **how)
leaf('gone', 50, [url('gone')])
leaf('moved', 51, [url('moved')])
leaf('junk', 52, [url('junk')])
leaf('bare', 53, [])
leaf('ldap', 54, ['ldap://ldap.example/cn=Lists'])
leaf('second', 55, ['ldap://ldap.example/cn=Lists', url('gone'), url('good')])
"#;

const LISTED: [&str; 12] = [
    "good",
    "revoked",
    "forged",
    "otherca",
    "old",
    "early",
    "delta",
    "cas",
    "reasons",
    "shard",
    "shardrevoked",
    "othershard",
];

/// The certificates, and a server with their lists.
fn set_up() -> (Sandbox, FileServer) {
    let (sandbox, server) = (Sandbox::new(), FileServer::start());
    succeed(
        Command::new(path_of("python3"))
            .args(["-c", LISTS, &server.url("")])
            .current_dir(sandbox.path()),
    );
    for case in LISTED {
        let list = std::fs::read(sandbox.join(&format!("{case}.crl"))).unwrap();
        server.put(&format!("/{case}.crl"), list);
        std::fs::remove_file(sandbox.join(&format!("{case}.crl"))).unwrap();
    }
    server.put("/junk.crl", b"<html>".to_vec());
    let elsewhere = format!("http://localhost:{}/good.crl", server.address.port());
    server.redirect("/moved.crl", &elsewhere);
    (sandbox, server)
}

/// The codes of the reasons of the row `case`.example.
fn reasons(document: &Json, case: &str) -> Vec<String> {
    let rows = document["rows"].as_array().unwrap();
    let name = format!("{case}.example");
    let row = rows
        .iter()
        .find(|row| row["name"] == name.as_str())
        .unwrap();
    let codes = row["reasons"].as_array().unwrap().iter();
    let codes = codes.map(|one| one["code"].as_str().unwrap().to_owned());
    codes.filter(|code| code != "unknown-root").collect()
}

/// The message of the finding about the list of `case`, which was not used.
fn unchecked(document: &Json, case: &str) -> String {
    let findings = document["findings"].as_array().unwrap().iter();
    let mut messages = findings
        .filter(|one| one["code"] == "crl-unchecked")
        .map(|one| one["message"].as_str().unwrap());
    let start = format!("the revocation of {case}.example was not checked: ");
    let found = messages.find(|message| message.starts_with(&start));
    found
        .unwrap_or_else(|| panic!("{case}: {document}"))
        .to_owned()
}

#[test]
fn a_downloaded_crl_counts_only_if_it_is_right() {
    let (sandbox, server) = set_up();
    let document = sandbox
        .run(&["status", ".", "--crl=any", "--json"])
        .expect(1)
        .json();
    for case in ["good", "shard"] {
        assert_eq!(reasons(&document, case), ["not-revoked"], "{case}");
    }
    for case in ["revoked", "shardrevoked"] {
        assert_eq!(reasons(&document, case), ["revoked"], "{case}");
    }
    for case in ["bare", "ldap"] {
        assert_eq!(reasons(&document, case), ["crl-missing"], "{case}");
    }
    for (case, cause) in [
        (
            "forged",
            "its signature cannot be accepted: the signature is invalid",
        ),
        ("otherca", "it is a CRL of CN=Others"),
        ("old", "it is out of date"),
        ("early", "is in the future"),
        ("delta", "it is a delta CRL"),
        ("cas", "it is for CA certificates alone"),
        ("reasons", "it lists revocations for some reasons alone"),
        ("othershard", "with another CRL distribution point"),
        ("gone", "the server answered with status 404"),
        ("moved", "it redirects to another host, localhost"),
        ("junk", "it is not a CRL in DER"),
    ] {
        assert_eq!(reasons(&document, case), Vec::<String>::new(), "{case}");
        let message = unchecked(&document, case);
        assert!(message.contains(cause), "{message}");
        assert!(
            message.contains(&server.url(&format!("/{case}.crl"))),
            "{message}"
        );
    }
    // The first list that can be used decides.
    assert_eq!(reasons(&document, "second"), ["not-revoked"]);
    // Each list is downloaded once, however many certificates name it.
    let requested = server.requested.lock().unwrap();
    let times = |path: &str| requested.iter().filter(|one| *one == path).count();
    assert_eq!(
        (times("/good.crl"), times("/gone.crl")),
        (1, 1),
        "{requested:?}"
    );
}

#[test]
fn private_addresses_need_consent_and_nothing_is_downloaded_without_the_option() {
    let (sandbox, server) = set_up();
    sandbox.run(&["status", "good.pem"]).expect(0);
    let refused = sandbox.run(&["status", "good.pem", "--crl"]).expect(1);
    assert!(
        refused.stdout.contains("private network"),
        "{}",
        refused.stdout
    );
    assert!(
        refused.stdout.contains("status good.pem --crl=any"),
        "{}",
        refused.stdout
    );
    assert!(server.requested.lock().unwrap().is_empty());
    sandbox.run(&["status", "good.pem", "--crl=any"]).expect(0);
}
