//! Unusual requests are accepted or rejected, and their hashes are computed over the original bytes.
//! Needs: openssl
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::Sandbox;
use support::external::{external_program, succeed};
use support::seed::Generator;

fn openssl(sandbox: &Sandbox, words: &str) -> String {
    succeed(
        external_program("openssl")
            .args(words.split(' '))
            .current_dir(sandbox.path()),
    )
}

#[test]
fn unusual_requests_are_accepted_or_rejected() {
    let sandbox = Sandbox::new();
    openssl(
        &sandbox,
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out x.key",
    );
    openssl(
        &sandbox,
        "req -new -key x.key -subj /CN=one.example -out bare.csr",
    );
    openssl(
        &sandbox,
        "req -new -key x.key -subj /CN=one.example -md5 -out md5.csr",
    );
    let text = sandbox.read("bare.csr");
    sandbox.write(
        "new.csr",
        text.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
    );
    openssl(&sandbox, "req -in bare.csr -outform DER -out bare.der");
    let mut broken = std::fs::read(sandbox.join("bare.der")).unwrap();
    *broken.last_mut().unwrap() ^= 1;
    sandbox.write("broken.der", &broken);
    let md5 = openssl(&sandbox, "dgst -md5 -r bare.der");
    let md5 = md5.split_whitespace().next().unwrap();
    for (file, exit_code) in [
        ("bare.csr", 4),
        ("new.csr", 4),
        ("bare.der", 4),
        ("md5.csr", 3),
        ("broken.der", 3),
    ] {
        let shown = sandbox.run(&["inspect", file, "--json"]);
        let item = shown.expect(0).json()["items"][0].clone();
        assert_eq!(item["kind"], "request", "{file}");
        assert_eq!(item["md5"] == md5, exit_code == 4, "{file}: {item}");
        // No server answers at that address: 4 means that the request was accepted and the resolver
        // queried, 3 that the request was rejected before any query.
        let checked = sandbox.run(&["dcv-check", file, "--resolver", "127.0.0.1:1"]);
        assert_eq!(checked.code, exit_code, "{file}: {checked}");
    }
}

/// Encodes tag, length and content as DER.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
    let head = match length {
        0..128 => vec![tag, low],
        128..256 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content.to_vec()].concat()
}

/// Returns the content of the first element, and what follows it.
fn split(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, head) = match der[1] {
        0x81 => (usize::from(der[2]), 3),
        0x82 => (usize::from(u16::from_be_bytes([der[2], der[3]])), 4),
        short => (usize::from(short), 2),
    };
    (&der[head..head + length], &der[head + length..])
}

/// RFC 2986 allows more than one extensionRequest attribute in a request; each can contain names.
#[test]
fn names_of_two_extension_requests_are_read() {
    let sandbox = Sandbox::new();
    openssl(
        &sandbox,
        "ecparam -name prime256v1 -genkey -noout -out x.key",
    );
    for name in ["one", "two"] {
        openssl(
            &sandbox,
            &format!(
                "req -new -key x.key -subj /CN=one.example -addext subjectAltName=DNS:{name}.example -outform DER -out {name}.der"
            ),
        );
    }
    let info = |name: &str| {
        let der = std::fs::read(sandbox.join(&format!("{name}.der"))).unwrap();
        split(split(&der).0).0.to_vec()
    };
    let (one, two) = (info("one"), info("two"));
    // Version, subject and key come before the attributes.
    let attributes = |info: &[u8]| (0..3).fold(info.to_vec(), |rest, _| split(&rest).1.to_vec());
    let before = &one[..one.len() - attributes(&one).len()];
    let both = [split(&attributes(&one)).0, split(&attributes(&two)).0].concat();
    let signed = element(0x30, &[before, &element(0xa0, &both)].concat());
    sandbox.write("info.der", &signed);
    openssl(&sandbox, "dgst -sha256 -sign x.key -out signature info.der");
    let signature = [vec![0], std::fs::read(sandbox.join("signature")).unwrap()].concat();
    // ecdsa-with-SHA256.
    let algorithm = element(0x30, &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
    sandbox.write(
        "both.der",
        element(0x30, &[signed, algorithm, element(3, &signature)].concat()),
    );
    let verified = succeed(
        external_program("openssl")
            .args([
                "req", "-inform", "DER", "-in", "both.der", "-verify", "-noout", "-text",
            ])
            .current_dir(sandbox.path()),
    );
    assert_eq!(
        verified.matches("Requested Extensions").count(),
        1,
        "{verified}"
    );
    let shown = sandbox
        .run(&["inspect", "both.der", "--json"])
        .expect(0)
        .json()["items"][0]
        .clone();
    assert_eq!(shown["signature_holds"], true, "{shown}");
    assert_eq!(
        shown["dns_names"],
        serde_json::json!(["one.example", "two.example"]),
        "both are requested: {shown}"
    );
    sandbox
        .run(&["dcv-check", "both.der", "--resolver", "127.0.0.1:1"])
        .expect(4);
}

/// The seed of the mutations, unless `CERTCTL_TEST_SEED` is set.
const SEED: u64 = 2026;

#[test]
fn mutated_requests_never_panic() {
    let sandbox = Sandbox::new();
    let subject = "CN=one.example+OU=a,O=b,C=DE";
    let args = [
        "csr",
        "one.example",
        "10.0.0.1",
        "ann@one.example",
        "--ca",
        "private",
        "--subject",
        subject,
    ];
    sandbox.run(&args).expect(0);
    openssl(&sandbox, "req -in one.example.csr -outform DER -out x.der");
    let whole = std::fs::read(sandbox.join("x.der")).unwrap();
    let mut generator = Generator::new(SEED);
    let repeat = generator.repeat("csr_odd", "mutated_requests_never_panic");
    for turn in 0..100 {
        let mut changed = whole.clone();
        let at = generator.below(changed.len());
        match turn % 5 {
            0 => changed[at] ^= 1 << generator.below(8),
            1 => changed.truncate(at),
            2 => changed.insert(at, u8::try_from(generator.below(256)).unwrap()),
            3 => drop(changed.remove(at)),
            _ => changed
                .splice(at..at, whole[..generator.below(64)].iter().copied())
                .for_each(drop),
        }
        sandbox.write("changed.der", &changed);
        for args in [
            &["inspect", "changed.der"][..],
            &["dcv-check", "changed.der", "--resolver", "127.0.0.1:1"],
        ] {
            let run = sandbox.run(args);
            assert!(
                matches!(run.code, 0 | 1 | 3 | 4),
                "turn {turn}, {args:?}: {run}\n{repeat}"
            );
            assert!(
                !run.stderr.contains("panicked"),
                "turn {turn}, {args:?}: {run}\n{repeat}"
            );
        }
    }
}
