//! Inputs that are unusual but sound, and inputs that certctl cannot read: each is described as what
//! it is, and what was not read is reported first.
//! Needs: openssl
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use support::Sandbox;
use support::external::{external_program, succeed};
use support::issued_certificate::IssuedCertificate;
use support::json::Json;

fn openssl(sandbox: &Sandbox, line: &str) {
    let args: Vec<&str> = line.split(' ').collect();
    succeed(
        external_program("openssl")
            .args(args)
            .current_dir(sandbox.path()),
    );
}

fn decode(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

fn encode(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn replace(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes.windows(old.len()).position(|part| part == old);
    let at = at.expect("the octets are there");
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

fn inspected(sandbox: &Sandbox, file: &str) -> Json {
    let document = sandbox.run(&["inspect", file, "--json"]).expect(0).json();
    document["items"][0].clone()
}

/// A certificate that ends in the year 9999, whose end is then written as `end`.
fn certificate_until(sandbox: &Sandbox, file: &str, end: &[u8; 15]) {
    openssl(
        sandbox,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -out x.pem \
            -days 2910000 -subj /CN=shop.example -addext subjectAltName=DNS:shop.example",
    );
    let der = decode(&sandbox.read("x.pem"));
    let at = der.windows(2).position(|part| part == b"\x18\x0f").unwrap() + 2;
    let changed = [&der[..at], end, &der[at + 15..]].concat();
    sandbox.write(file, encode("CERTIFICATE", &changed));
}

#[test]
fn the_last_date_is_shown_as_written() {
    let sandbox = Sandbox::new();
    certificate_until(&sandbox, "never.pem", b"99991231235959Z");
    let item = inspected(&sandbox, "never.pem");
    assert_eq!(item["not_after"], "9999-12-31T23:59:59Z");
    let run = sandbox.run(&["inspect", "never.pem"]).expect(0);
    assert!(run.stdout.contains("to 9999-12-31"), "{run}");
}

#[test]
fn a_sound_certificate_with_an_odd_date_is_not_called_damaged() {
    let sandbox = Sandbox::new();
    certificate_until(&sandbox, "odd.pem", b"99991331235959Z");
    for command in ["inspect", "verify", "bundle"] {
        let run = sandbox.run(&[command, "odd.pem"]).expect(3);
        let is_described = run.stderr.contains("not encoded as the standard requires");
        assert!(is_described && !run.stderr.contains("damaged"), "{run}");
        assert!(!run.stderr.contains("ownload it again"), "{run}");
    }
}

#[test]
fn keys_that_cannot_be_used_are_shown() {
    let sandbox = Sandbox::new();
    openssl(&sandbox, "genrsa -out short.key 1024");
    openssl(
        &sandbox,
        "rsa -in short.key -RSAPublicKey_out -out pkcs1.pem",
    );
    openssl(&sandbox, "rsa -in short.key -pubout -out spki.pem");
    openssl(
        &sandbox,
        "rsa -in short.key -traditional -out traditional.key",
    );
    let public = inspected(&sandbox, "spki.pem");
    for (file, kind) in [
        ("pkcs1.pem", "public-key"),
        ("short.key", "key"),
        ("traditional.key", "key"),
    ] {
        let item = inspected(&sandbox, file);
        assert_eq!(
            (&item["kind"], &item["key"]),
            (&kind.into(), &public["key"])
        );
        let run = sandbox.run(&["inspect", file]).expect(0);
        assert!(run.stdout.contains("rsa-1024"), "{run}");
    }
}

#[test]
fn the_signature_of_a_request_is_judged_apart_from_its_algorithm() {
    let sandbox = Sandbox::new();
    openssl(&sandbox, "genrsa -out rsa.key 2048");
    openssl(&sandbox, "genrsa -out short.key 1024");
    openssl(
        &sandbox,
        "ecparam -name prime256v1 -genkey -noout -out ec.key",
    );
    for (file, key, hash) in [
        ("sha1.csr", "rsa.key", "-sha1"),
        ("short.csr", "short.key", "-sha256"),
        ("curve.csr", "ec.key", "-sha1"),
    ] {
        openssl(
            &sandbox,
            &format!("req -new {hash} -key {key} -subj /CN=shop.example -out {file}"),
        );
    }
    for file in ["sha1.csr", "short.csr"] {
        let der = decode(&sandbox.read(file));
        let broken = replace(&der, b"shop.example", b"chop.example");
        let broken = encode("CERTIFICATE REQUEST", &broken);
        sandbox.write(&format!("broken-{file}"), broken);
    }
    for (file, holds) in [
        ("sha1.csr", Json::from(true)),
        ("short.csr", true.into()),
        ("curve.csr", Json::Null),
        ("broken-sha1.csr", false.into()),
        ("broken-short.csr", false.into()),
    ] {
        let item = inspected(&sandbox, file);
        assert_eq!(item["signature_holds"], holds, "{file}: {item}");
    }
}

/// Every command that reads a request says the same about one that no CA accepts.
#[test]
fn weak_and_broken_requests_are_described_alike() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("good.pem", setup.chain());
    openssl(sandbox, "genrsa -out rsa.key 2048");
    openssl(
        sandbox,
        "req -new -sha1 -key rsa.key -subj /CN=shop.example -out weak.csr",
    );
    let der = decode(&sandbox.read("example.com.csr"));
    let broken = replace(&der, b"example.com", b"axample.com");
    sandbox.write("broken.csr", encode("CERTIFICATE REQUEST", &broken));
    for (file, words) in [
        (
            "weak.csr",
            "signed with an algorithm that CAs do not accept",
        ),
        ("broken.csr", "whose own signature is invalid"),
    ] {
        for command in [
            "dcv-check FILE --ca namecheap",
            "status FILE",
            "verify good.pem FILE --trust root.pem",
            "bundle good.pem --csr FILE --trust root.pem --out -",
            "inspect FILE",
        ] {
            let line = command.replace("FILE", file);
            let run = sandbox.run(&line.split(' ').collect::<Vec<_>>());
            let text = format!("{}{}", run.stdout, run.stderr);
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(words), "{line}: {run}");
        }
    }
}

/// The site's certificate is in a form that certctl does not read; the CA's own file is fine.
#[test]
fn what_was_not_read_is_reported_first() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let chain = setup.chain();
    let end = "-----END CERTIFICATE-----\n";
    let (leaf, authority) = chain.split_at(chain.find(end).unwrap() + end.len());
    sandbox.write("ca.pem", authority);
    let der = decode(leaf);
    sandbox.write("leaf.hex", hex::encode(&der));
    sandbox.write(
        "leaf.url",
        format!("data:x;base64,{}", STANDARD.encode(&der)),
    );
    let paragraphs = leaf.replace('\n', "\\par\n");
    sandbox.write("leaf.rtf", format!("{{\\rtf1\\ansi\n{paragraphs}}}\n"));
    for file in ["leaf.hex", "leaf.url", "leaf.rtf"] {
        for command in [
            "bundle FILE ca.pem --trust root.pem --out -",
            "install FILE ca.pem --trust root.pem --server none --dry-run --root tree",
            "verify FILE ca.pem --trust root.pem",
        ] {
            let line = command.replace("FILE", file);
            let run = sandbox.run(&line.split(' ').collect::<Vec<_>>()).expect(3);
            let first = format!("error   {file} is ");
            assert!(run.stderr.starts_with(&first), "{line}: {run}");
            assert!(!run.stderr.contains("key values mismatch"), "{run}");
        }
    }
    // A readable certificate beside it is judged.
    sandbox.write("good.pem", leaf);
    let line = "bundle good.pem ca.pem leaf.hex --trust root.pem --out -";
    sandbox.run(&line.split(' ').collect::<Vec<_>>()).expect(0);
}

#[test]
fn a_host_with_an_underscore_is_compared() {
    let sandbox = Sandbox::new();
    openssl(
        &sandbox,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -out x.pem \
            -days 9 -subj /CN=shop.example -addext subjectAltName=DNS:*.shop.example",
    );
    let codes = |host: &str| -> Vec<String> {
        let args = ["verify", "x.pem", "--host", host, "--json"];
        let document = sandbox.run(&args).expect(1).json();
        let findings = document["findings"].as_array().unwrap().iter();
        findings
            .map(|finding| finding["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let not_covered = "host-not-covered".to_owned();
    assert!(!codes("foo_bar.shop.example").contains(&not_covered));
    assert!(codes("foo_bar.bank.example").contains(&not_covered));
    sandbox
        .run(&["verify", "x.pem", "--host", "foo bar.example"])
        .expect(2);
}
