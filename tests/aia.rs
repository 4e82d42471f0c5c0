//! `--aia`: missing issuers are downloaded from a test server over real sockets; certificates that
//! did not sign the leaf are not used.
//! Needs: openssl
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use rcgen::{
    CertificateSigningRequestParams, CertifiedIssuer, CustomExtension, ExtendedKeyUsagePurpose,
    KeyPair,
};
use support::ca::{TestCa, ca_params};
use support::file_server::FileServer;
use support::issued_certificate::IssuedCertificate;
use support::{Run, Sandbox};

/// Returns the authority information access extension with `urls` (RFC 5280 4.2.2.1).
fn access(urls: &[String]) -> CustomExtension {
    let tagged = |tag: u8, content: &[u8]| -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        let head: &[u8] = if length < 128 {
            &[tag, length]
        } else {
            &[tag, 0x81, length]
        };
        [head, content].concat()
    };
    let ca_issuers = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 48, 2];
    let each = urls.iter().map(|url| {
        tagged(
            0x30,
            &[ca_issuers.as_slice(), &tagged(0x86, url.as_bytes())].concat(),
        )
    });
    CustomExtension::from_oid_content(
        &[1, 3, 6, 1, 5, 5, 7, 1, 1],
        tagged(0x30, &each.collect::<Vec<_>>().concat()),
    )
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A delivery whose leaf was issued two CAs below the root and contains the URL of its issuer.
struct Delivery {
    setup: IssuedCertificate,
    server: FileServer,
    lower: Issuer,
}

fn delivery(paths: &[&str]) -> Delivery {
    let (setup, server) = (IssuedCertificate::new(), FileServer::start());
    let mut params = ca_params("Lower");
    params.custom_extensions = vec![access(&[server.url("/upper")])];
    let lower =
        Issuer::signed_by(params, KeyPair::generate().unwrap(), &setup.ca.intermediate).unwrap();
    let urls: Vec<String> = paths.iter().map(|path| server.url(path)).collect();
    let mut request =
        CertificateSigningRequestParams::from_pem(&setup.sandbox.read("example.com.csr")).unwrap();
    request.params.not_before = rcgen::date_time_ymd(2026, 6, 1);
    request.params.not_after = rcgen::date_time_ymd(2026, 12, 1);
    request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    request.params.custom_extensions = vec![access(&urls)];
    request.params.use_authority_key_identifier_extension = true;
    setup
        .sandbox
        .write("leaf.crt", request.signed_by(&lower).unwrap().pem());
    Delivery {
        setup,
        server,
        lower,
    }
}

const BUNDLE: [&str; 7] = [
    "bundle",
    "leaf.crt",
    "--trust",
    "root.pem",
    "--at",
    "2026-07-01T00:00:00Z",
    "--json",
];

fn bundle(sandbox: &Sandbox, aia: &[&str]) -> Run {
    sandbox.run(&[BUNDLE.as_slice(), aia].concat())
}

#[test]
fn missing_issuers_are_downloaded_up_to_the_root() {
    let Delivery {
        setup,
        server,
        lower,
    } = delivery(&["/gone", "/lower"]);
    let openssl = |args: &[&str]| {
        let mut command = support::external::external_program("openssl");
        support::external::succeed(command.args(args).current_dir(setup.sandbox.path()))
    };
    setup.sandbox.write("ca/lower.pem", lower.pem());
    openssl(&[
        "crl2pkcs7",
        "-nocrl",
        "-certfile",
        "ca/lower.pem",
        "-outform",
        "DER",
        "-out",
        "ca/lower.p7b",
    ]);
    let p7b = std::fs::read(setup.sandbox.join("ca/lower.p7b")).unwrap();
    for lower in [lower.der().to_vec(), lower.pem().into_bytes(), p7b] {
        server.put("/lower", lower);
        server.put("/upper", setup.ca.intermediate.der().to_vec());
        let run = bundle(&setup.sandbox, &["--aia=any", "--out", "out.pem"]).expect(0);
        let codes: Vec<String> = run.json()["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["code"].to_string())
            .collect();
        assert_eq!(
            codes.join(" "),
            r#""issuer-not-fetched" "issuer-fetched" "issuer-fetched""#,
            "{run}"
        );
        let chain = setup.sandbox.read("out.pem");
        assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 3);
        std::fs::remove_file(setup.sandbox.join("out.pem")).unwrap();
    }
    let requested = server.requested.lock().unwrap();
    assert_eq!(
        requested[..3],
        ["/gone", "/lower", "/upper"],
        "every URL is tried"
    );
}

#[test]
fn downloads_require_aia_and_public_addresses() {
    let Delivery {
        setup,
        server,
        lower,
    } = delivery(&["/lower"]);
    server.put("/lower", lower.der().to_vec());
    // The commands in the output are not run here, because they download.
    let stdout_of = |aia: &[&str]| {
        let mut command = setup.sandbox.command(&[&BUNDLE, aia].concat());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let offline = stdout_of(&[]);
    assert!(offline.contains("--aia"), "{offline}");
    let refused = stdout_of(&["--aia"]);
    for part in [
        "127.0.0.1 is an address of this machine",
        "If that address belongs to your own CA, repeat the command with `--aia=any`",
    ] {
        assert!(refused.contains(part), "{refused}");
    }
    assert!(server.requested.lock().unwrap().is_empty());
    assert!(!setup.sandbox.join("example.com.fullchain.pem").exists());
}

#[test]
fn certificates_that_did_not_sign_are_not_used() {
    let Delivery { setup, server, .. } = delivery(&["/lower"]);
    // A CA with the same name and another key, which only the signature distinguishes; then content
    // that is not a certificate.
    let impostor = Issuer::signed_by(
        ca_params("Lower"),
        KeyPair::generate().unwrap(),
        &TestCa::new().root,
    )
    .unwrap();
    for (bytes, why) in [
        (impostor.der().to_vec(), "did not sign example.com"),
        (b"<html>not here</html>".to_vec(), "no CA certificate"),
        (vec![0x30; 300 << 10], "larger than 256 KiB"),
    ] {
        server.put("/lower", bytes);
        let run = bundle(&setup.sandbox, &["--aia=any"]).expect(1);
        assert!(
            run.stdout.contains(why) && run.stdout.contains("missing-intermediate"),
            "{run}"
        );
    }
}
