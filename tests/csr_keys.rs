//! `certctl csr --key`, `--like` and `--encrypt-key`: keys in all formats, names and subjects from
//! certificates and requests, and other programs that read the results.
//! Needs: openssl, keytool, nginx
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::Sandbox;
use support::external::{external_program, succeed};
use support::issued_certificate::IssuedCertificate;
use support::json::Json;

/// Runs openssl with the words of each line; `PASS` stands for the password.
fn openssl(sandbox: &Sandbox, lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words = line
            .split(' ')
            .map(|word| if word == "PASS" { "pass:geheim" } else { word });
        succeed(
            external_program("openssl")
                .args(words)
                .current_dir(sandbox.path()),
        );
    }
}

/// The key files in all formats: the file, and whether it is encrypted.
const FORMS: [(&str, bool); 15] = [
    ("pkcs8.pem", false),
    ("pkcs8.der", false),
    ("pkcs1.pem", false),
    ("pkcs1.der", false),
    ("sec1.pem", false),
    ("sec1.der", false),
    ("parameters.pem", false),
    ("explicit.pem", false),
    ("ed25519.pem", false),
    ("p521.pem", false),
    ("encrypted.pem", true),
    ("scrypt.pem", true),
    ("old.pem", true),
    ("key.pfx", true),
    ("legacy.pfx", true),
];

fn forms(sandbox: &Sandbox) {
    openssl(
        sandbox,
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out pkcs8.pem
         pkey -in pkcs8.pem -outform DER -out pkcs8.der
         rsa -in pkcs8.pem -traditional -out pkcs1.pem
         rsa -in pkcs8.pem -traditional -outform DER -out pkcs1.der
         ecparam -name prime256v1 -genkey -noout -out sec1.pem
         ec -in sec1.pem -outform DER -out sec1.der
         ecparam -name secp384r1 -genkey -out parameters.pem
         ecparam -name prime256v1 -param_enc explicit -genkey -noout -out explicit.pem
         genpkey -algorithm ED25519 -out ed25519.pem
         genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.pem
         pkcs8 -topk8 -in sec1.pem -out encrypted.pem -passout PASS
         pkcs8 -topk8 -in pkcs8.pem -out scrypt.pem -passout PASS -scrypt
         pkcs8 -topk8 -in pkcs8.pem -out old.pem -passout PASS -v1 PBE-SHA1-3DES
         req -x509 -new -key sec1.pem -subj /CN=x -out x.crt
         pkcs12 -export -inkey sec1.pem -in x.crt -out key.pfx -passout PASS
         pkcs12 -export -legacy -inkey sec1.pem -in x.crt -out legacy.pfx -passout PASS",
    );
    sandbox.write("pass", "geheim\n");
}

#[test]
fn keys_in_all_formats_are_used_and_not_changed() {
    let sandbox = Sandbox::new();
    forms(&sandbox);
    std::fs::create_dir(sandbox.join("out")).unwrap();
    for (number, (form, locked)) in FORMS.into_iter().enumerate() {
        let before = std::fs::read(sandbox.join(form)).unwrap();
        let name = format!("a{number}.example.com");
        let args = [
            "-C",
            "out",
            "csr",
            &name,
            "--ca",
            "private",
            "--key",
            form,
            "--password-file",
            "pass",
            "--json",
        ];
        let made = sandbox.run(&args).expect(0).json();
        assert_eq!(
            (&made["key"]["path"], &made["key"]["reused"]),
            (&form.into(), &true.into()),
            "{form}"
        );
        assert_eq!(made["key"]["encrypted"], locked, "{form}");
        assert_eq!(
            made["next"][1]["command"],
            format!("sudo certctl -C out install --key {form} --trust root.pem")
        );
        assert_eq!(std::fs::read(sandbox.join(form)).unwrap(), before, "{form}");
        let request = format!("out/{name}.csr");
        let public_key = succeed(
            external_program("openssl")
                .args(["req", "-verify", "-noout", "-pubkey", "-in", &request])
                .current_dir(sandbox.path()),
        );
        if !form.ends_with("pfx") {
            let inform = if form.ends_with("der") { "DER" } else { "PEM" };
            let args = [
                "pkey",
                "-pubout",
                "-passin",
                "pass:geheim",
                "-inform",
                inform,
                "-in",
                form,
            ];
            let public = succeed(
                external_program("openssl")
                    .args(args)
                    .current_dir(sandbox.path()),
            );
            // OpenSSL keeps explicit curve parameters, which certificates must not have (RFC 5480).
            assert!(
                public_key.contains(public.trim()) || form == "explicit.pem",
                "{form}: {public_key}"
            );
        }
        let again = sandbox.run(&args).expect(0).json();
        assert_eq!(
            (&again["changed"], &again["request"]),
            (&false.into(), &made["request"]),
            "{form}"
        );
    }
    let written = std::fs::read_dir(sandbox.join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let keys = written
        .filter(|name| name.to_string_lossy().ends_with(".key"))
        .count();
    assert_eq!(keys, 0, "no key is copied");
}

/// OpenSSL compares the points of key and certificate, and so does every server that loads them.
#[test]
fn a_curve_spelled_out_in_key_or_certificate_is_the_same_curve() {
    for curve in ["prime256v1", "secp384r1", "secp521r1"] {
        let sandbox = Sandbox::new();
        let openssl = |arguments: &str| {
            let mut command = external_program("openssl");
            command
                .args(arguments.split(' '))
                .current_dir(sandbox.path());
            succeed(&mut command)
        };
        openssl(&format!(
            "ecparam -name {curve} -param_enc explicit -genkey -noout -out explicit.key"
        ));
        openssl("req -x509 -key explicit.key -subj /CN=a.example -outform DER -out explicit.der");
        openssl("pkey -in explicit.key -ec_param_enc named_curve -out named.key");
        let id = |file: &str| {
            let run = sandbox.run(&["inspect", file, "--json"]).expect(0).json();
            let key = &run["items"][0]["key"];
            let id = if key.is_null() {
                &run["items"][0]["id"]
            } else {
                &key["id"]
            };
            id.as_str().unwrap_or_else(|| panic!("{run}")).to_owned()
        };
        assert_eq!(id("explicit.der"), id("named.key"), "{curve}");
        assert_eq!(id("explicit.key"), id("named.key"), "{curve}");
        // The same point with another base point belongs to another key (CVE-2020-0601).
        let parameters = openssl(&format!(
            "ecparam -name {curve} -param_enc explicit -text -noout"
        ));
        let base = parameters.split("Generator").nth(1).unwrap();
        let base: String = base.lines().nth(1).unwrap().trim().replace(':', "");
        let base = hex::decode(base).unwrap();
        let mut der = std::fs::read(sandbox.join("explicit.der")).unwrap();
        let at = der
            .windows(base.len())
            .position(|part| part == base)
            .unwrap();
        der[at + base.len() - 1] ^= 1;
        std::fs::write(sandbox.join("other.der"), der).unwrap();
        assert_ne!(id("other.der"), id("named.key"), "{curve}");
    }
}

#[test]
fn unusable_keys_are_rejected_with_their_kind() {
    let sandbox = Sandbox::new();
    openssl(
        &sandbox,
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out short.pem
         rsa -in short.pem -traditional -out short-pkcs1.pem
         genpkey -algorithm ED448 -out ed448.pem
         ecparam -name secp256k1 -genkey -noout -out k1.pem
         genpkey -algorithm RSA-PSS -out pss.pem
         rsa -in short.pem -traditional -aes128 -passout PASS -out traditional.pem",
    );
    sandbox.write("text.pem", "no key\n");
    sandbox.write(
        "both.pem",
        [sandbox.read("short.pem"), sandbox.read("k1.pem")].concat(),
    );
    for (file, expected) in [
        (
            "short.pem",
            "an RSA key of 1024 bits; CAs require at least 2048",
        ),
        (
            "short-pkcs1.pem",
            "an RSA key of 1024 bits; CAs require at least 2048",
        ),
        ("ed448.pem", "of type Ed448, which web servers do not use"),
        ("k1.pem", "of type EC on secp256k1, which"),
        ("pss.pem", "of type RSA-PSS, which"),
        (
            "traditional.pem",
            "(umask 077; openssl pkey -in traditional.pem -out traditional.plain.key)",
        ),
        ("text.pem", "text.pem contains no private key"),
        ("none.pem", "cannot read none.pem"),
    ] {
        let run = sandbox.run(&["csr", "acme.com", "--key", file]).expect(3);
        assert!(run.stderr.contains(expected), "{file}: {run}");
    }
    sandbox.run(&["csr", "acme.com", "--key", "-"]).expect(2);
    assert!(!sandbox.join("acme.com.csr").exists());
}

#[test]
fn a_reused_key_and_a_readable_key_file_are_reported() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "one.example"]).expect(0);
    let second = sandbox
        .run(&[
            "csr",
            "two.example",
            "--key",
            "one.example.key",
            "--ca",
            "sectigo",
            "--json",
        ])
        .expect(0)
        .json();
    assert_eq!(second["findings"][0]["code"], "key-reused");
    assert!(
        second["findings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("one.example.csr"),
        "{second}"
    );
    // Sectigo adds a unique value to the record if a key is used again.
    assert_eq!(
        (
            &second["records"][0]["value"],
            &second["records"][0]["complete"]
        ),
        (&Json::Null, &false.into())
    );
    std::fs::set_permissions(
        sandbox.join("one.example.key"),
        std::fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let third = sandbox
        .run(&["csr", "three.example", "--key", "one.example.key"])
        .expect(0)
        .stdout;
    assert!(
        third.contains("one.example.key: other users can read it (mode 0644)"),
        "{third}"
    );
    let run = sandbox
        .run(&[
            "csr",
            "four.example",
            "--key",
            "one.example.key",
            "--key-type",
            "rsa-2048",
        ])
        .expect(2);
    assert!(
        run.stderr
            .contains("`--key-type rsa-2048` contradicts `--key`: one.example.key is ecdsa-p256"),
        "{run}"
    );
}

/// Certificates with the same key are found in files of all formats and among the installed ones,
/// even if their requests no longer exist.
#[test]
fn a_key_of_an_existing_certificate_is_reported() {
    let issued = IssuedCertificate::new();
    let sandbox = &issued.sandbox;
    sandbox.write("site.crt", issued.chain());
    let install = ["--trust", "root.pem", "--server", "none", "--root", "tree"];
    sandbox
        .run(&[&["install", "site.crt"], &install[..]].concat())
        .expect(0);
    openssl(sandbox, "x509 -in site.crt -outform DER -out site.der");
    std::fs::remove_file(sandbox.join("example.com.csr")).unwrap();
    let first_finding = |name: &str, more: &[&str]| {
        let args = [
            "csr",
            name,
            "--key",
            "example.com.key",
            "--ca",
            "sectigo",
            "--json",
        ];
        sandbox.run(&[&args[..], more].concat()).expect(0).json()["findings"][0].clone()
    };
    let assert_reused = |finding: &Json, other: &str| {
        let message = finding["message"].as_str().unwrap();
        assert_eq!(
            (&finding["code"], message.contains(other)),
            (&"key-reused".into(), true),
            "{other}: {finding}"
        );
    };
    assert_reused(
        &first_finding("one.example", &[]),
        "the key is also used by site.crt, site.der",
    );
    std::fs::remove_file(sandbox.join("site.crt")).unwrap();
    std::fs::remove_file(sandbox.join("one.example.csr")).unwrap();
    assert_reused(
        &first_finding("two.example", &[]),
        "the key is also used by site.der",
    );
    std::fs::remove_file(sandbox.join("site.der")).unwrap();
    std::fs::remove_file(sandbox.join("two.example.csr")).unwrap();
    assert_reused(
        &first_finding("three.example", &["--root", "tree"]),
        "the key is also used by the installed certificate of example.com",
    );
}

#[test]
fn the_proposed_command_makes_a_request_for_an_existing_key() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "one.example"]).expect(0);
    let key = sandbox.read("one.example.key");
    std::fs::remove_file(sandbox.join("one.example.csr")).unwrap();
    let failed = sandbox
        .run(&["csr", "one.example", "--json"])
        .expect(3)
        .json();
    let argv: Vec<&str> = failed["error"]["next"][0]["argv"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|word| word.as_str().unwrap())
        .collect();
    assert_eq!(argv.join(" "), "csr one.example --key one.example.key");
    sandbox.run(&argv).expect(0);
    assert_eq!(sandbox.read("one.example.key"), key);
    let again = sandbox
        .run(&["csr", "one.example", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&again["changed"], &again["key"]["path"]),
        (&false.into(), &"one.example.key".into())
    );
    // A renamed key file is found by the key in it.
    std::fs::rename(sandbox.join("one.example.key"), sandbox.join("renamed.key")).unwrap();
    let again = sandbox
        .run(&["csr", "one.example", "--json"])
        .expect(0)
        .json();
    assert_eq!(again["key"]["path"], "renamed.key");
    sandbox.run(&["csr", "two.example"]).expect(0);
    let other = sandbox
        .run(&["csr", "one.example", "--key", "two.example.key"])
        .expect(3);
    assert!(
        other
            .stderr
            .contains("one.example.csr already exists and was made with another key than `--key`"),
        "{other}"
    );
    let forced = sandbox
        .run(&["csr", "one.example", "--key", "two.example.key", "--force"])
        .expect(0);
    assert!(
        forced
            .stdout
            .contains("one.example.csr.~1~ (backup of the replaced file)"),
        "{forced}"
    );
    assert!(sandbox.join("two.example.key").exists());
}

#[test]
fn openssl_reads_an_encrypted_key_and_certctl_finds_it_again() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "geheim\n");
    let args = [
        "csr",
        "one.example",
        "--encrypt-key",
        "--password-file",
        "pass",
        "--json",
    ];
    let made = sandbox.run(&args).expect(0).json();
    assert_eq!(made["key"]["encrypted"], true);
    let mode = std::fs::metadata(sandbox.join("one.example.key"))
        .unwrap()
        .permissions()
        .mode()
        & 0o7777;
    assert_eq!(mode, 0o600);
    let key = sandbox.read("one.example.key");
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    openssl(
        &sandbox,
        "pkey -in one.example.key -passin PASS -check -noout",
    );
    let shown = succeed(
        external_program("openssl")
            .args(["asn1parse", "-in", "one.example.key"])
            .current_dir(sandbox.path()),
    );
    for part in [
        "PBES2",
        "PBKDF2",
        ":0927C0",
        "hmacWithSHA256",
        "aes-256-cbc",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let again = sandbox.run(&["csr", "one.example"]).expect(0).stdout;
    assert!(
        again.contains("one.example.key is encrypted, so it was not compared with the request"),
        "{again}"
    );
    let again = sandbox
        .run(&["csr", "one.example", "--password-file", "pass", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&again["changed"], &again["findings"]),
        (&false.into(), &Json::Array(Vec::new()))
    );
    // An encrypted key without its request is used with `--key`, and is not changed even by
    // `--force`.
    std::fs::remove_file(sandbox.join("one.example.csr")).unwrap();
    for more in [&[][..], &["--force"]] {
        let args = [
            &[
                "csr",
                "one.example",
                "--key",
                "./one.example.key",
                "--password-file",
                "pass",
            ][..],
            more,
        ]
        .concat();
        sandbox.run(&args).expect(0);
        assert_eq!(sandbox.read("one.example.key"), key, "{more:?}");
    }
    // Another key in its place, encrypted with the same password.
    sandbox
        .run(&[
            "csr",
            "two.example",
            "--encrypt-key",
            "--password-file",
            "pass",
        ])
        .expect(0);
    std::fs::copy(
        sandbox.join("two.example.key"),
        sandbox.join("one.example.key"),
    )
    .unwrap();
    sandbox
        .run(&["csr", "one.example", "--password-file", "pass"])
        .expect(3);
    for args in [
        &["csr", "x.example", "--encrypt-key"][..],
        &["csr", "x.example", "--encrypt-key", "--key", "pass"],
    ] {
        sandbox.run(args).expect(2);
    }
    // A key that is not encrypted does not satisfy `--encrypt-key`.
    sandbox.run(&["csr", "open.example"]).expect(0);
    let run = sandbox
        .run(&[
            "csr",
            "open.example",
            "--encrypt-key",
            "--password-file",
            "pass",
        ])
        .expect(3);
    assert!(
        run.stderr
            .contains("open.example.key already exists and is not encrypted"),
        "{run}"
    );
    sandbox.write("empty", "\n");
    sandbox
        .run(&[
            "csr",
            "x.example",
            "--encrypt-key",
            "--password-file",
            "empty",
        ])
        .expect(3);
    assert!(!sandbox.join("x.example.key").exists());
}

#[test]
fn like_takes_names_subject_and_key_algorithm() {
    let issued = IssuedCertificate::new();
    let sandbox = &issued.sandbox;
    sandbox.write("leaf.pem", &issued.leaf);
    let names = sandbox
        .run(&["inspect", "leaf.pem", "--json"])
        .expect(0)
        .json()["items"][0]["dns_names"]
        .clone();
    std::fs::create_dir(sandbox.join("next")).unwrap();
    let made = sandbox
        .run(&["-C", "next", "csr", "--like", "leaf.pem", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&made["names"], &made["key"]["algorithm"]),
        (&names, &"ecdsa-p256".into())
    );
    assert!(
        made["from"]
            .as_str()
            .unwrap()
            .starts_with("leaf.pem (certificate of "),
        "{made}"
    );
    let args = [
        "csr",
        "db.corp",
        "10.0.0.1",
        "ann@db.corp",
        "--ca",
        "private",
        "--key-type",
        "rsa-3072",
        "--subject",
        "OU=a,OU=b,C=DE",
    ];
    let first = sandbox
        .run(&[&args[..], &["--json"]].concat())
        .expect(0)
        .json();
    let second = sandbox.run(&[
        "-C", "next", "csr", "--like", "db.corp", "--ca", "private", "--json",
    ]);
    // A name is looked up in the folder of `-C`, where it is unknown; a file is found relative to
    // the current folder.
    second.expect(4);
    let second = sandbox
        .run(&[
            "-C",
            "next",
            "csr",
            "--like",
            "db.corp.csr",
            "--ca",
            "private",
            "--json",
        ])
        .expect(0)
        .json();
    assert_eq!(second["names"], first["names"]);
    assert_eq!(second["request"]["subject"], "CN=db.corp,OU=a,OU=b,C=DE");
    assert_eq!(second["key"]["algorithm"], "rsa-3072");
    // Command-line values take precedence.
    let third = sandbox
        .run(&[
            "-C",
            "next",
            "csr",
            "nas.corp",
            "--like",
            "db.corp.csr",
            "--ca",
            "private",
            "--key-type",
            "ecdsa-p384",
            "--json",
        ])
        .expect(0)
        .json();
    assert_eq!(third["names"], serde_json::json!(["nas.corp"]));
    assert_eq!(third["key"]["algorithm"], "ecdsa-p384");
    sandbox.run(&["csr", "--like", "none.pem"]).expect(3);
    sandbox.write("note.txt", "nothing\n");
    sandbox.run(&["csr", "--like", "note.txt"]).expect(3);
}

#[test]
fn extensions_that_like_does_not_take_over_are_reported() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "x.cnf",
        "[req]\ndistinguished_name=d\nreq_extensions=e\n[d]\n[e]\nsubjectAltName=DNS:acme.com,DNS:www.acme.com\n\
         extendedKeyUsage=serverAuth,clientAuth\ntlsfeature=status_request\n",
    );
    openssl(
        &sandbox,
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out x.key
         req -new -key x.key -config x.cnf -subj /CN=acme.com -out x.csr",
    );
    let made = sandbox
        .run(&["csr", "--like", "x.csr", "--ca", "sectigo", "--json"])
        .expect(0)
        .json();
    let codes: Vec<&str> = made["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["client-auth", "must-staple"]);
    assert!(
        made["findings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("Sectigo stops issuing it on 2027-02-10"),
        "{made}"
    );
    let text = succeed(
        external_program("openssl")
            .args(["req", "-noout", "-text", "-in", "acme.com.csr"])
            .current_dir(sandbox.path()),
    );
    assert!(
        !text.contains("Extended Key Usage") && !text.contains("TLS Feature"),
        "{text}"
    );
}

#[test]
fn nginx_and_java_load_the_keys() {
    for key_type in [
        "ecdsa-p256",
        "ecdsa-p384",
        "ecdsa-p521",
        "rsa-2048",
        "rsa-3072",
        "rsa-4096",
        "ed25519",
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("pass", "geheim\n");
        for (name, more) in [
            ("plain.example", &[][..]),
            (
                "locked.example",
                &["--encrypt-key", "--password-file", "pass"][..],
            ),
        ] {
            let args = [
                &["csr", name, "--ca", "private", "--key-type", key_type],
                more,
            ]
            .concat();
            sandbox.run(&args).expect(0);
            openssl(
                &sandbox,
                &format!(
                    "x509 -req -in {name}.csr -signkey {name}.key -passin PASS -days 9 -out {name}.crt"
                ),
            );
            let folder = sandbox.path().display();
            let config = format!(
                "pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; server {{ listen 127.0.0.1:1 ssl; \
                 ssl_certificate {folder}/{name}.crt; ssl_certificate_key {folder}/{name}.key; ssl_password_file {folder}/pass; }} }}"
            );
            sandbox.write("nginx.conf", config);
            let path = sandbox.join("nginx.conf");
            succeed(external_program("nginx").args([
                "-t",
                "-e",
                "stderr",
                "-c",
                &path.display().to_string(),
            ]));
            openssl(
                &sandbox,
                &format!(
                    "pkcs12 -export -in {name}.crt -inkey {name}.key -passin PASS -passout PASS -name x -out {name}.p12"
                ),
            );
            let listed = succeed(
                external_program("keytool")
                    .args([
                        "-list",
                        "-v",
                        "-keystore",
                        &format!("{name}.p12"),
                        "-storepass",
                        "geheim",
                    ])
                    .current_dir(sandbox.path()),
            );
            assert!(listed.contains("PrivateKeyEntry"), "{key_type}: {listed}");
        }
    }
}

/// Replaces what differs from run to run: the body of the request and its hashes.
fn masked(output: &str, document: &Json) -> String {
    let field = |name: &str| document["request"][name].as_str().unwrap().to_owned();
    let (md5, sha256) = (field("md5"), field("sha256"));
    let output = [
        (&md5[..], "[MD5]"),
        (&sha256[..32], "[SHA256 FIRST]"),
        (&sha256[32..], "[SHA256 LAST]"),
    ]
    .into_iter()
    .fold(output.to_owned(), |output, (what, mask)| {
        output.replace(what, mask)
    });
    let (before, rest) = output.split_once("REQUEST-----\nMI").unwrap();
    format!(
        "{before}REQUEST-----\n[BASE64]\n-----END{}",
        rest.split_once("-----END").unwrap().1
    )
}

#[test]
fn instructions_for_existing_keys() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "geheim\n");
    sandbox.run(&["csr", "one.example"]).expect(0);
    std::fs::create_dir(sandbox.join("next")).unwrap();
    let output_of = |args: &[&str]| {
        let output = sandbox.run(args).expect(0).to_string();
        // A second run returns the values of the same request, because nothing new is created.
        let again = args.iter().copied().filter(|word| *word != "--force");
        let document = sandbox
            .run(&again.chain(["--json"]).collect::<Vec<_>>())
            .expect(0)
            .json();
        masked(&output, &document)
    };
    insta::assert_snapshot!(
        "key_of_another",
        output_of(&[
            "csr",
            "two.example",
            "--key",
            "one.example.key",
            "--ca",
            "sectigo"
        ])
    );
    insta::assert_snapshot!("key_of_another_again", output_of(&["csr", "two.example"]));
    insta::assert_snapshot!(
        "key_elsewhere",
        output_of(&[
            "-C",
            "next",
            "csr",
            "three.example",
            "--key",
            "one.example.key"
        ])
    );
    insta::assert_snapshot!(
        "key_encrypted",
        output_of(&[
            "csr",
            "four.example",
            "--encrypt-key",
            "--password-file",
            "pass",
            "--ca",
            "digicert"
        ])
    );
    insta::assert_snapshot!(
        "taken_over",
        output_of(&[
            "-C",
            "next",
            "csr",
            "--like",
            "four.example.csr",
            "--ca",
            "godaddy"
        ])
    );
}
