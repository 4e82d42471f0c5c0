//! Whatever is wrong with a file, the message is certctl's own: no name of a Rust type and no Debug
//! output of a library reaches a person. Files of every format are damaged, by a fixed seed, and read
//! by every command that reads files.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use support::issued_certificate::IssuedCertificate;
use support::mutation::mutate;
use support::seed::Generator;
use support::zip::zip;

/// Words with a capital letter inside that are not names of Rust types.
const NAMES: [&str; 6] = ["DigiCert", "GnuTLS", "GoDaddy", "KiB", "MiB", "OpenSSL"];

/// Debug output of values that are often part of an error.
const DEBUG_OUTPUT: [&str; 6] = ["Some(", "None)", "Ok(", "Err(", "Error(", " { kind"];

const COMMANDS: [&str; 6] = [
    "inspect in/file",
    "verify in/file --trust root.pem",
    "verify made/chain.pem --key in/file --trust root.pem",
    "bundle in/file --key example.com.key --trust root.pem --password-file made/password --out out.pem",
    "--root tree install in/file --server none --trust in/file --dry-run",
    "csr example.net --like in/file --dry-run",
];

/// How many damaged files are read.
fn count() -> usize {
    if std::env::var_os("CERTCTL_QUICK").is_some() {
        60
    } else {
        600
    }
}

/// Returns the first name of a Rust type, path of a Rust item, or piece of Debug output.
fn find_rust_text(text: &str) -> Option<&str> {
    let found = DEBUG_OUTPUT.into_iter().find(|piece| text.contains(piece));
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_:-./=+@".contains(c);
    // A line of PEM is a single word.
    let lines = text.lines().filter(|line| line.trim().contains(' '));
    let mut words = lines.flat_map(|line| line.split(|c| !is_word(c)));
    found.or_else(|| words.find(|word| is_type_name(word) || is_rust_path(word)))
}

/// Returns whether `word` is like `BadDer`. A digit in it means that it is base64.
fn is_type_name(word: &str) -> bool {
    let letters = word.as_bytes();
    let has_capital_inside = letters
        .windows(2)
        .any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    letters.iter().all(u8::is_ascii_alphabetic)
        && letters.first().is_some_and(u8::is_ascii_uppercase)
        && has_capital_inside
        && !NAMES.contains(&word)
}

/// Returns whether `word` is like `webpki::Error`; `fe80::ab` is an address.
fn is_rust_path(word: &str) -> bool {
    let is_identifier = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    word.split_once("::").is_some_and(|(before, after)| {
        let is_address = before.chars().all(|c| c.is_ascii_hexdigit());
        is_identifier(before) && is_identifier(after) && !is_address
    })
}

/// One file of each format that certctl reads.
fn originals(setup: &IssuedCertificate) -> Vec<Vec<u8>> {
    let sandbox = &setup.sandbox;
    let chain = setup.chain();
    let key = sandbox.read("example.com.key");
    sandbox.write("made/chain.pem", &chain);
    sandbox.write("made/password", "secret");
    let make = |options: &str, out: &str| {
        let command = format!(
            "bundle made/chain.pem --key example.com.key --trust root.pem {options} --out {out}"
        );
        let args: Vec<&str> = command.split_whitespace().collect();
        sandbox.run(&args).expect(0);
        std::fs::read(sandbox.join(out)).unwrap()
    };
    vec![
        chain.clone().into_bytes(),
        sandbox.read("example.com.csr").into_bytes(),
        key.clone().into_bytes(),
        format!("{key}{chain}").into_bytes(),
        make(
            "--format pfx --pfx-password-file made/password",
            "made/example.pfx",
        ),
        make("--format p7b", "made/example.p7b"),
        zip(&[("example_com.crt", &chain), ("example_com.key", &key)]),
    ]
}

#[test]
fn damaged_files_are_described_in_words_of_certctl() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let mut numbers = Generator::new(20_261_130);
    let originals = originals(&setup);
    let mut refused = 0;
    for number in 0..count() {
        let original = &originals[number % originals.len()];
        sandbox.write_key("in/file", mutate(original, &mut numbers));
        let command = COMMANDS[numbers.below(COMMANDS.len())];
        let args: Vec<&str> = command.split_whitespace().collect();
        let run = sandbox.run(&args);
        let repeat = numbers.repeat("own_words", "damaged_files");
        assert!((0..=4).contains(&run.code), "{command} ({repeat}):\n{run}");
        refused += usize::from(run.code != 0);
        let found = find_rust_text(&run.stdout).or_else(|| find_rust_text(&run.stderr));
        assert!(found.is_none(), "{found:?} of {command} ({repeat}):\n{run}");
    }
    assert!(refused > count() / 3, "{refused} refused");
}

#[test]
fn text_for_programmers_is_detected() {
    for text in [
        "path validation says InvalidSignatureForPublicKey",
        "it has TrailingData(SignedData)",
        "Some(3)",
        "refused: webpki::Error",
        "invalid: Error { kind: X }",
    ] {
        assert!(find_rust_text(text).is_some(), "{text}");
    }
    let own = "fe80::ab ::1 sha256:Ab OpenSSL 3 at https://example.com/aB, example.com.key";
    assert_eq!(find_rust_text(own), None);
}
