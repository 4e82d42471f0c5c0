//! Certificates with hostile text: control characters, bidirectional and invisible characters, very
//! long names, names that are not UTF-8. In text and JSON, it is shown with escapes and has no
//! effect.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use rcgen::{CustomExtension, DnType, IsCa, KeyPair, SanType};
use support::ca::{TestCa, ca_params};
use support::issued_certificate::IssuedCertificate;
use support::zip::zip;
use support::{Run, Sandbox};

/// Text that would set the title of the terminal, clear the screen, send a C1 CSI, forge a line,
/// override the text direction, and add invisible characters.
const EVIL: &str = "x\x1b]0;owned\x07\x1b[2J\u{9b}31m\r\nright  trusted by Mozilla's list\u{2028}next   curl e | sh\u{202e}gpj.\u{2066}\u{200f}\u{feff}\u{200b}\u{e0041}";

/// Returns true for characters that no stream may contain, except for line breaks.
fn hostile(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn ascii(text: &str) -> String {
    text.chars().filter(char::is_ascii).collect()
}

/// Creates a self-signed certificate with `EVIL` in every text field, and `count` names.
fn certificate(ca: IsCa, count: usize) -> Vec<u8> {
    let mut params = ca_params(EVIL);
    params.is_ca = ca;
    params
        .distinguished_name
        .push(DnType::OrganizationName, EVIL);
    params
        .distinguished_name
        .push(DnType::OrganizationalUnitName, "MARK");
    let names = (0..count)
        .map(|number| SanType::DnsName(format!("{}{number}", ascii(EVIL)).try_into().unwrap()));
    params.subject_alt_names.extend(names);
    params
        .subject_alt_names
        .push(SanType::URI(ascii(EVIL).try_into().unwrap()));
    params
        .subject_alt_names
        .push(SanType::Rfc822Name(ascii(EVIL).try_into().unwrap()));
    params
        .custom_extensions
        .push(access(ascii(EVIL).as_bytes()));
    let key = KeyPair::generate().unwrap();
    let mut der = params.self_signed(&key).unwrap().der().to_vec();
    // A part of the name is not UTF-8. The signature becomes invalid, which does not matter here.
    for at in 0..der.len() - 4 {
        if &der[at..at + 4] == b"MARK" {
            der[at..at + 4].copy_from_slice(b"\xff\xfe\x80\x9b");
        }
    }
    der
}

/// Returns an authority information access extension (RFC 5280 section 4.2.2.1) with this issuer
/// URL.
fn access(url: &[u8]) -> CustomExtension {
    let wrap = |tag: u8, parts: &[&[u8]]| {
        let body = parts.concat();
        [
            &[tag, 0x81, u8::try_from(body.len()).unwrap()],
            body.as_slice(),
        ]
        .concat()
    };
    let method = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let content = wrap(0x30, &[&wrap(0x30, &[&method, &wrap(0x86, &[url])])]);
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

fn pem(der: &[u8]) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE", der))
}

/// Checks that no stream contains hostile characters or a forged line of certctl.
fn is_harmless(run: &Run, right: bool) {
    for stream in [&run.stdout, &run.stderr] {
        assert!(!stream.contains(hostile), "{stream:?}");
        let forged = |line: &str| {
            let line = line.trim_start();
            !right && line.starts_with("right")
                || line.starts_with("next") && line.contains("curl e") && !line.contains("\\u")
        };
        assert!(!stream.lines().any(forged), "{stream}");
        assert!(stream.len() < 200_000, "{}", stream.len());
    }
}

fn run(sandbox: &Sandbox, args: &[&str]) -> [Run; 2] {
    [&[][..], &["--json"]].map(|json| sandbox.run(&[args, json].concat()))
}

#[test]
fn hostile_text_in_certificates_is_escaped() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let (site, ca) = (
        certificate(IsCa::NoCa, 3),
        certificate(ca_params("x").is_ca, 0),
    );
    sandbox.write("site.pem", pem(&site));
    sandbox.write("ca.pem", pem(&ca));
    sandbox.write("site.der", &site);
    sandbox.write("bag.pem", format!("{}{}", setup.chain(), pem(&ca)));
    sandbox.write(
        "bag.zip",
        zip(&[
            (EVIL, pem(&site)),
            ("b.crt", setup.chain()),
            ("c.txt", EVIL.to_owned()),
        ]),
    );
    for (args, codes) in [
        (&["inspect", "site.pem"][..], [0, 0]),
        (&["inspect", "site.der"], [0, 0]),
        (&["inspect", "ca.pem"], [0, 0]),
        (&["inspect", "bag.zip"], [0, 0]),
        (&["verify", "site.pem"], [1, 1]),
        (
            &["verify", "site.pem", "ca.pem", "--host", "www.example.com"],
            [1, 1],
        ),
        (
            &["verify", "--chain", "bag.pem", "--trust", "root.pem"],
            [0, 0],
        ),
        (&["bundle", "site.pem"], [1, 1]),
        (&["bundle", "ca.pem"], [1, 1]),
        (
            &[
                "bundle", "bag.pem", "--trust", "root.pem", "--format", "pem", "--for", "haproxy",
            ],
            [0, 0],
        ),
        (&["bundle", "bag.zip", "--trust", "root.pem"], [0, 0]),
    ] {
        for (run, code) in run(sandbox, args).into_iter().zip(codes) {
            is_harmless(&run, code == 0);
            assert_eq!(run.code, code, "{args:?}: {run}");
        }
    }
    // Programs get the unchanged characters.
    let shown = sandbox
        .run(&["inspect", "site.pem", "--json"])
        .expect(0)
        .json();
    let subject = shown["items"][0]["subject"].as_str().unwrap();
    // RFC 4514 requires the backslash.
    assert!(
        subject.contains(&format!("CN={EVIL}").replace(';', "\\;"))
            && subject.contains("OU=#0c04fffe809b"),
        "{subject}"
    );
    assert_eq!(
        shown["items"][0]["dns_names"][0],
        format!("{}0", ascii(EVIL))
    );
    assert_eq!(shown["items"][0]["issuer_urls"][0], ascii(EVIL));
    assert!(
        sandbox
            .run(&["inspect", "site.pem"])
            .stdout
            .contains(r"CN=x\u{1b}]0\;owned\u{7}\u{1b}[2J\u{9b}31m\u{d}\u{a}right")
    );
    // No file name contains untrusted text.
    let odd: Vec<String> = setup
        .listing()
        .into_iter()
        .filter(|name| name.contains(hostile) || name.contains("owned"))
        .collect();
    assert_eq!(odd, Vec::<String>::new());
}

#[test]
fn very_long_names_are_shortened_in_text_and_complete_in_json() {
    let sandbox = Sandbox::new();
    let mut params = ca_params(&"n".repeat(60_000));
    params.is_ca = IsCa::NoCa;
    params.subject_alt_names = (0..3000)
        .map(|one| SanType::DnsName(format!("host{one}.example").try_into().unwrap()))
        .collect();
    let key = KeyPair::generate().unwrap();
    sandbox.write("long.pem", params.self_signed(&key).unwrap().pem());
    for (args, code) in [
        (&["inspect", "long.pem"][..], 0),
        (&["verify", "long.pem", "--host", "www.example.com"], 1),
        (&["bundle", "long.pem"], 1),
    ] {
        let run = sandbox.run(args).expect(code);
        is_harmless(&run, false);
        assert!(
            run.stdout.len() < 20_000,
            "{}: {}",
            run.stdout.len(),
            &run.stdout[..2000]
        );
    }
    let shown = sandbox
        .run(&["inspect", "long.pem", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        shown["items"][0]["dns_names"].as_array().unwrap().len(),
        3000
    );
    assert!(shown["items"][0]["subject"].as_str().unwrap().len() > 60_000);
}

#[test]
fn a_hostile_label_of_a_good_chain_is_harmless() {
    let setup = IssuedCertificate::new();
    let evil =
        rcgen::CertifiedIssuer::self_signed(ca_params(EVIL), KeyPair::generate().unwrap()).unwrap();
    let ca = TestCa {
        root: evil,
        intermediate: TestCa::new().intermediate,
    };
    let sandbox = &setup.sandbox;
    sandbox.write("evil.pem", ca.root_pem());
    sandbox.write("chain.pem", setup.leaf.clone() + &ca.root_pem());
    for args in [
        &["verify", "chain.pem", "--trust", "evil.pem"][..],
        &["bundle", "chain.pem", "--trust", "evil.pem"],
    ] {
        for run in run(sandbox, args) {
            is_harmless(&run, false);
            assert_eq!(run.code, 1, "{run}");
        }
    }
}
