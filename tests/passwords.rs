//! Encrypted zips, keys and PKCS#12 files: one password opens all of them; it is read from a file
//! or a terminal and never shown.
//! Needs: openssl, zip, python3
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::process::Stdio;

use support::external::{external_program, succeed};
use support::issued_certificate::IssuedCertificate;
use support::program::program;
use support::{Sandbox, limit_processor};

const PASSWORD: &str = "p\u{e4}ss word";

/// Returns a sandbox with the files `leaf.pem` and `bundle.pem`, and the password in `pass`.
fn setup() -> IssuedCertificate {
    let setup = IssuedCertificate::new();
    setup.sandbox.write("in/leaf.pem", &setup.leaf);
    setup.sandbox.write("in/bundle.pem", setup.ca.bundle_pem());
    setup
        .sandbox
        .write("pass", format!("{PASSWORD}\r\nnot this line\n"));
    setup
}

fn openssl(sandbox: &Sandbox, words: &str) {
    let words = words.split(' ').map(|word| {
        if word == "PASS" {
            format!("pass:{PASSWORD}")
        } else {
            word.to_owned()
        }
    });
    succeed(
        external_program("openssl")
            .args(words)
            .current_dir(sandbox.path()),
    );
}

#[test]
fn pfx_files_of_all_programs_are_opened() {
    let setup = setup();
    let sandbox = &setup.sandbox;
    let export =
        "pkcs12 -export -inkey example.com.key -in in/leaf.pem -certfile in/bundle.pem -out x.pfx";
    for (how, locked) in [
        ("-passout PASS", true),
        ("-passout PASS -legacy", true),
        (
            "-passout PASS -legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-RC2-40",
            true,
        ),
        ("-passout PASS -macalg sha512 -iter 50000", true),
        ("-passout PASS -nomac", true),
        ("-passout pass:", false),
        ("-passout pass: -legacy", false),
        ("-passout pass: -nomac -keypbe NONE -certpbe NONE", false),
    ] {
        openssl(sandbox, &format!("{export} {how}"));
        let plain = sandbox.run(&["bundle", "x.pfx", "--trust", "root.pem", "--out", "-"]);
        if how.contains("nomac") || !locked {
            assert_eq!(plain.expect(0).stdout, setup.chain(), "{how}");
        } else {
            let plain = plain.expect(3);
            assert!(
                plain
                    .stderr
                    .contains("x.pfx is a password-protected PKCS#12 file (.pfx)"),
                "{plain}"
            );
        }
        let args = [
            "bundle",
            "x.pfx",
            "--trust",
            "root.pem",
            "--password-file",
            "pass",
        ];
        let opened = sandbox
            .run(&[args.as_slice(), &["--out", "-"]].concat())
            .expect(0);
        assert_eq!(opened.stdout, setup.chain(), "{how}");
    }
    sandbox.write("other", "another\n");
    openssl(sandbox, &format!("{export} -passout PASS"));
    let wrong = sandbox
        .run(&["bundle", "x.pfx", "--password-file", "other"])
        .expect(3);
    insta::assert_snapshot!(wrong, @"
    --- stderr
    error   x.pfx is a PKCS#12 file that is protected with a different password than the one given
    next    Pass the password of the file, which is often sent in a separate mail: `--password-file password.txt`.
    --- exit 3
    ");
}

#[test]
fn encrypted_keys_are_opened_only_when_needed() {
    let setup = setup();
    let sandbox = &setup.sandbox;
    let plain = sandbox.read("example.com.key");
    std::fs::remove_file(sandbox.join("example.com.key")).unwrap();
    sandbox.write("plain/k.pem", plain);
    for how in [
        "-v2 aes-256-cbc",
        "-v2 aes-128-cbc -v2prf hmacWithSHA1",
        "-v2 des3",
        "-scrypt",
        "-v1 PBE-SHA1-3DES",
        "-v1 PBE-SHA1-RC2-128 -provider legacy -provider default",
    ] {
        openssl(
            sandbox,
            &format!("pkcs8 -topk8 -in plain/k.pem -out locked.key -passout PASS {how}"),
        );
        let args = [
            "verify",
            "in/leaf.pem",
            "in/bundle.pem",
            "--trust",
            "root.pem",
            "--key",
            "locked.key",
        ];
        let opened = sandbox
            .run(&[args.as_slice(), &["--password-file", "pass"]].concat())
            .expect(0);
        assert!(opened.stdout.contains("matches"), "{how}: {opened}");
        let refused = sandbox.run(&args).expect(3);
        assert!(
            refused.stderr.contains("--password-file password.txt"),
            "{how}: {refused}"
        );
    }
    // The request is enough for the chain: certctl prompts for no password and derives no key.
    sandbox
        .run(&["bundle", "in", "--trust", "root.pem"])
        .expect(0);
    std::fs::remove_file(sandbox.join("example.com.csr")).unwrap();
    let without = sandbox
        .run(&["bundle", "in", "--trust", "root.pem"])
        .expect(0);
    assert!(
        without
            .stdout
            .contains("locked.key is encrypted: without its password it cannot be compared"),
        "{without}"
    );
    let with = sandbox
        .run(&[
            "bundle",
            "in",
            "--trust",
            "root.pem",
            "--password-file",
            "pass",
        ])
        .expect(0);
    assert!(with.stdout.contains("matches locked.key"), "{with}");
    sandbox.write("other", "another");
    let args = [
        "bundle",
        "in",
        "--trust",
        "root.pem",
        "--key",
        "locked.key",
        "--password-file",
        "other",
    ];
    insta::assert_snapshot!(sandbox.run(&args).expect(3), @"
    --- stderr
    error   cannot decrypt the private key locked.key: wrong password
    next    Find out which password opens it:
                openssl pkey -in locked.key -noout
    next    Put its password into a file with mode 0600 and pass it: `--password-file password.txt`.
    --- exit 3
    ");
}

#[test]
fn install_reports_that_it_decrypts_the_key() {
    let setup = setup();
    let sandbox = &setup.sandbox;
    openssl(
        sandbox,
        "pkcs8 -topk8 -in example.com.key -out locked.key -passout PASS",
    );
    let key = sandbox.read("example.com.key");
    std::fs::remove_file(sandbox.join("example.com.key")).unwrap();
    let args = [
        "install", "in", "--trust", "root.pem", "--root", "tree", "--server", "none",
    ];
    std::fs::create_dir(sandbox.join("tree")).unwrap();
    let without = sandbox.run(&args).expect(1);
    assert!(!sandbox.join("tree/etc").exists(), "{without}");
    for words in [
        "error   locked.key is encrypted: without its password it cannot be compared with the certificate example.com",
        "next    Put its password into a file with mode 0600 and pass it: `--password-file password.txt`",
    ] {
        assert!(without.stdout.contains(words), "{without}");
    }
    assert_eq!(
        without.stdout.matches("error   ").count(),
        1,
        "one reason: {without}"
    );
    sandbox.write("other", "another");
    let wrong = sandbox
        .run(&[args.as_slice(), &["--password-file", "other", "--json"]].concat())
        .expect(1)
        .json();
    assert_eq!(wrong["findings"][1]["code"], "wrong-password", "{wrong}");
    assert!(
        !wrong.to_string().contains("key-missing"),
        "one reason: {wrong}"
    );
    let run = sandbox
        .run(&[args.as_slice(), &["--password-file", "pass", "--json"]].concat())
        .expect(0)
        .json();
    let codes: Vec<&str> = run["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"key-decrypted"), "{run}");
    assert_eq!(sandbox.read("tree/etc/ssl/private/example.com.key"), key);
}

#[test]
fn encrypted_zips_are_opened() {
    let setup = setup();
    let sandbox = &setup.sandbox;
    let zip = |words: &[&str]| {
        succeed(
            external_program("zip")
                .args(["-q", "-P", PASSWORD])
                .args(words)
                .current_dir(sandbox.path()),
        );
    };
    zip(&["old.zip", "in/leaf.pem", "in/bundle.pem"]);
    sandbox.write(
        "aes.zip",
        support::zip::aes(
            &[("a.crt", &setup.leaf), ("b.crt", &setup.ca.bundle_pem())],
            PASSWORD,
        ),
    );
    sandbox.write("other", "another\n");
    for name in ["old.zip", "aes.zip"] {
        let args = ["bundle", name, "--trust", "root.pem", "--out", "-"];
        let opened = sandbox
            .run(&[args.as_slice(), &["--password-file", "pass"]].concat())
            .expect(0);
        assert_eq!(opened.stdout, setup.chain());
        for (more, expected) in [
            (vec![], "is protected with a password"),
            (
                vec!["--password-file", "other"],
                "is a file that is protected with a different password than the one given",
            ),
        ] {
            let refused = sandbox.run(&[args.as_slice(), &more].concat()).expect(3);
            assert!(refused.stderr.contains(expected), "{refused}");
        }
    }
    sandbox.write("empty", "\nsecond\n");
    sandbox
        .run(&["bundle", "aes.zip", "--password-file", "empty"])
        .expect(3);
    sandbox
        .run(&["bundle", "aes.zip", "--password-file", "nowhere"])
        .expect(3);
}

/// Runs certctl on a terminal where each of `answers` answers one prompt; returns the exit code and
/// the output of the terminal.
fn on_a_terminal(sandbox: &Sandbox, args: &[&str], answers: &[&str]) -> (i32, String) {
    const SCRIPT: &str = r#"
import os, pty, sys
words, answers = sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
child, terminal = pty.fork()
if child == 0:
    os.execv(words[0], words)
printed = b""
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    printed += piece
    if piece.rstrip(b" ").endswith(b":") and answers:
        os.write(terminal, answers.pop(0).encode())
sys.stdout.write(printed.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;
    let mut python = external_program("python3");
    python
        .args(["-c", SCRIPT, program()])
        .args(args)
        .arg("--")
        .args(answers);
    let output = python
        .env("PYTHONUTF8", "1")
        .current_dir(sandbox.path())
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn passwords_are_prompted_for_at_most_three_times() {
    let setup = setup();
    let sandbox = &setup.sandbox;
    openssl(
        sandbox,
        "pkcs12 -export -inkey example.com.key -in in/leaf.pem -certfile in/bundle.pem -out x.pfx -passout PASS",
    );
    let good = format!("{PASSWORD}\n");
    let pfx = ["bundle", "x.pfx", "--trust", "root.pem"];
    let (code, printed) = on_a_terminal(sandbox, &pfx, &["wrong\n", &good]);
    assert!(
        code == 0 && printed.contains("password of x.pfx (not shown): "),
        "{code} {printed}"
    );
    assert!(
        printed.contains("wrong password; password of x.pfx") && !printed.contains(PASSWORD),
        "{printed}"
    );
    let (code, printed) = on_a_terminal(sandbox, &pfx, &["1\n", "2\n", "3\n", &good]);
    assert!(
        code == 3 && printed.matches("(not shown)").count() == 3,
        "{code} {printed}"
    );
    let (code, printed) = on_a_terminal(sandbox, &pfx, &["half\u{3}"]);
    assert!(
        code == 130 && printed.contains("interrupted"),
        "{code} {printed}"
    );
    let (code, printed) = on_a_terminal(sandbox, &pfx, &["\n"]);
    assert!(
        code == 3 && printed.matches("(not shown)").count() == 1,
        "{code} {printed}"
    );
    // With a matching request, certctl does not prompt for the key's password; `install` needs it.
    openssl(
        sandbox,
        "pkcs8 -topk8 -in example.com.key -out locked.key -passout PASS",
    );
    std::fs::remove_file(sandbox.join("example.com.key")).unwrap();
    let (code, printed) =
        on_a_terminal(sandbox, &["bundle", "in", "--trust", "root.pem"], &[&good]);
    assert!(
        code == 0 && !printed.contains("(not shown)"),
        "{code} {printed}"
    );
    std::fs::create_dir(sandbox.join("tree")).unwrap();
    let install = [
        "install", "in", "--trust", "root.pem", "--root", "tree", "--server", "none",
    ];
    let (code, printed) = on_a_terminal(sandbox, &install, &[&good]);
    assert!(
        code == 0 && printed.contains("password of locked.key (not shown): "),
        "{code} {printed}"
    );
}

/// A file that requires two billion iterations is rejected without deriving a key.
#[test]
fn iterations_are_limited_before_key_derivation() {
    let setup = setup();
    // EncryptedPrivateKeyInfo with pbeWithSHAAnd3-KeyTripleDES-CBC, a salt of eight octets and 2^31
    // - 1 iterations.
    let scheme = [
        &[0x06, 0x0a][..],
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03",
    ]
    .concat();
    let parameters = [
        &[0x30, 0x10, 0x04, 0x08][..],
        &[7; 8],
        &[0x02, 0x04, 0x7f, 0xff, 0xff, 0xff],
    ]
    .concat();
    let algorithm = [&[0x30, 0x1e][..], &scheme, &parameters].concat();
    let key = [&[0x30, 0x2a][..], &algorithm, &[0x04, 0x08], &[9; 8]].concat();
    setup.sandbox.write("slow.key", key);
    let mut command = setup
        .sandbox
        .command(&["inspect", "slow.key", "--password-file", "pass"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Enough time to reject them, but far too little for four billion iterations: the kernel would
    // kill the process.
    limit_processor(&child, 5);
    insta::assert_snapshot!(setup.sandbox.wait_for(child).expect(3), @"
    --- stderr
    error   slow.key is encrypted with a key derivation of 4294967294 iterations, more than certctl computes
    next    Decrypt a copy with OpenSSL, and pass slow.plain.pem:
                (umask 077; openssl pkcs12 -in slow.key -nodes -out slow.plain.pem || openssl pkey -in slow.key -out slow.plain.pem)
    --- exit 3
    ");
}
