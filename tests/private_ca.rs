//! The root of a company's own CA: where it is found, and that the next step of each command names it.
//! Needs: openssl
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::Run;
use support::ca::{Leaf, TestCa, days, today};
use support::external::{external_program, succeed};
use support::install_sandbox::{InstallSandbox, LINEAGE, codes};
use support::json::Json;
use support::zip::zip;

/// Runs a command in the sandbox, with its tree.
fn run(setup: &InstallSandbox, args: &[&str]) -> Run {
    setup
        .sandbox
        .run(&[args, &["--root", "tree", "--json"]].concat())
}

/// The words of each step after `certctl`, without those for the tree.
fn words(steps: &Json) -> Vec<String> {
    let steps = steps.as_array().unwrap().iter();
    let commands = steps.filter(|step| step.to_string().contains("\"argv\""));
    let lines = commands.filter_map(|step| {
        let words = step["argv"].as_array()?.iter().skip(1);
        let words: Vec<&str> = words.map(|word| word.as_str().unwrap()).collect();
        let line = words.join(" ");
        Some(line.replace(" --root tree", "").replace("--root tree ", ""))
    });
    lines.map(|line| line.replace(" --json", "")).collect()
}

/// Returns the steps of the findings of an install.
fn refused_steps(setup: &InstallSandbox, args: &[&str]) -> Vec<String> {
    let document = run(setup, args).expect(1).json();
    let is_untrusted = |code: &&str| ["unknown-root", "unknown-issuer"].contains(code);
    assert!(codes(&document).iter().any(is_untrusted), "{document}");
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .flat_map(|finding| words(&finding["next"]))
        .collect()
}

/// Returns the steps of the only row of `status`.
fn status_steps(setup: &InstallSandbox) -> Vec<String> {
    let document = run(setup, &["status"]).json();
    let rows = document["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{document}");
    words(&rows[0]["next"])
}

/// Runs the command that a step names.
fn follow(setup: &InstallSandbox, step: &str) -> Run {
    let words: Vec<&str> = step.split(' ').collect();
    run(setup, &words)
}

/// Writes `mail.zip` with the certificate of a new request, and the root only in it.
fn write_zip(setup: &InstallSandbox) {
    let sandbox = &setup.sandbox;
    sandbox.run(&["csr", "example.com", "--force"]).expect(0);
    let leaf = setup.ca.issue(&sandbox.read("example.com.csr"));
    let bundle = setup.ca.bundle_pem();
    let files = [("site.crt", leaf), ("site.ca-bundle", bundle)];
    sandbox.write("mail.zip", zip(&files));
    std::fs::remove_file(sandbox.join("root.pem")).unwrap();
}

#[test]
fn install_names_the_file_with_the_root() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    for args in [
        &["install"][..],
        &["install", "new.crt"],
        &["install", "new.crt", "root.pem"],
    ] {
        let expected = [&args.join(" "), "--trust root.pem"].join(" ");
        assert_eq!(refused_steps(&setup, args), [expected]);
    }
    let steps = refused_steps(&setup, &["install"]);
    follow(&setup, &steps[0]).expect(0);
}

/// A zip with the root can be named; the server certificate in it does not become an anchor.
#[test]
fn a_root_in_a_zip_is_trusted_without_the_certificates_below_it() {
    let setup = InstallSandbox::new();
    write_zip(&setup);
    assert_eq!(status_steps(&setup), ["install mail.zip --trust mail.zip"]);
    let steps = refused_steps(&setup, &["install"]);
    assert_eq!(steps, ["install --trust mail.zip"]);
    follow(&setup, &steps[0]).expect(0);
    let kept = setup.sandbox.read(&format!("{LINEAGE}/trust.pem"));
    let kept: Vec<&str> = kept.matches("-----BEGIN CERTIFICATE-----").collect();
    assert_eq!(kept.len(), 2, "the root and the intermediate");

    // A certificate of another CA is not right because a file with a root has it.
    let other = TestCa::new();
    let leaf = other.issue(&setup.sandbox.read("example.com.csr"));
    let root = setup.ca.root_pem();
    setup.sandbox.write("mixed.pem", leaf.clone() + &root);
    setup.sandbox.write("leaf.pem", leaf);
    let verify = ["verify", "leaf.pem", "--trust", "mixed.pem"];
    setup.sandbox.run(&verify).expect(1);
}

#[test]
fn status_installs_with_the_root_in_the_folder_or_with_a_stored_one() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let leaf = |name: &str| {
        sandbox.run(&["csr", name]).expect(0);
        let leaf = setup.ca.issue(&sandbox.read(&format!("{name}.csr")));
        sandbox.write(&format!("{name}.crt"), leaf + &setup.ca.intermediate_pem());
    };
    leaf("example.com");
    let steps = status_steps(&setup);
    assert_eq!(steps, ["install example.com --trust root.pem"]);
    follow(&setup, &steps[0]).expect(0);

    // The root is stored with the first certificate, which serves as the source for another name.
    std::fs::remove_file(sandbox.join("root.pem")).unwrap();
    leaf("shop.example");
    let document = run(&setup, &["status", "shop.example"]).json();
    let step = &words(&document["rows"][0]["next"])[0];
    let stored = sandbox.join(&format!("{LINEAGE}/trust.pem"));
    let expected = format!("install shop.example --trust {}", stored.display());
    assert_eq!(*step, expected);
    let steps = refused_steps(&setup, &["install", "shop.example"]);
    assert_eq!(steps, [expected]);
    for command in ["verify", "bundle"] {
        let words = [command, "shop.example.crt"];
        let expected = format!("{command} shop.example.crt --trust {}", stored.display());
        let steps = refused_steps(&setup, &words);
        assert_eq!(steps, [expected]);
        follow(&setup, &steps[0]).expect(0);
    }
    follow(&setup, step).expect(0);

    // The next version of a certificate uses its stored root.
    let names = ["csr", "shop.example", "--force"];
    sandbox.run(&names).expect(0);
    let renewed = setup.ca.issue(&sandbox.read("shop.example.csr"));
    let files = [
        ("site.crt", renewed),
        ("ca.crt", setup.ca.intermediate_pem()),
    ];
    sandbox.write("mail.zip", zip(&files));
    std::fs::remove_file(sandbox.join("shop.example.crt")).unwrap();
    let document = run(&setup, &["status", "shop.example"]).json();
    let all = document.to_string();
    assert!(all.contains("\"mail.zip\""), "{all}");
    assert!(!all.contains("\"--trust\""), "{all}");
}

/// `csr --ca private` is known: without the root, no command suggests an install that is refused.
#[test]
fn a_missing_root_is_waited_for_and_a_stored_one_is_used() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let root = sandbox.read("root.pem");
    std::fs::remove_file(sandbox.join("root.pem")).unwrap();
    let csr = ["csr", "example.com", "--ca", "private"];
    sandbox.run(&csr).expect(0);
    let issue = |request: &str, file: &str| {
        let leaf = setup.ca.issue(&sandbox.read(request));
        sandbox.write(file, leaf + &setup.ca.intermediate_pem());
    };
    let pending = |args: &[&str]| sandbox.run(&[&["--root", "tree"], args].concat()).stdout;
    let refused = run(&setup, &["install"]).expect(3).json();
    let error = refused["error"].to_string();
    assert!(error.contains("example.com.csr waits for its certificate"));
    assert_eq!(words(&refused["error"]["next"]), ["status"]);

    issue("example.com.csr", "site.crt");
    let step = "install example.com --trust root.pem";
    let document = run(&setup, &["status"]).json();
    let next = &document["rows"][0]["next"];
    assert_eq!(words(next), [step]);
    assert_eq!(next[0]["when"], "later");
    assert!(pending(&[]).contains("When your CA's root certificate (here root.pem)"));

    sandbox.write("root.pem", root);
    assert_eq!(status_steps(&setup), [step]);
    follow(&setup, step).expect(0);

    // The root is stored now: no command asks for it again.
    std::fs::remove_file(sandbox.join("root.pem")).unwrap();
    run(&setup, &["renew", "example.com", "--force"]).expect(0);
    let waiting = run(&setup, &["status"]).json();
    let rows = waiting["rows"].as_array().unwrap().iter();
    let mut steps = rows.flat_map(|row| words(&row["next"]));
    assert_eq!(steps.next().unwrap(), "install", "{waiting}");
    assert!(!pending(&[]).contains("--trust"));
    let checked = run(&setup, &["dcv-check"]).expect(3).json();
    assert_eq!(words(&checked["error"]["next"]), ["install"]);
    issue("example.com-2.csr", "renewed.crt");
    assert!(!pending(&[]).contains("--trust"));
    let verified = run(&setup, &["verify", "renewed.crt"]).expect(0).json();
    assert!(
        verified.to_string().contains("example.com/trust.pem"),
        "{verified}"
    );
    run(&setup, &["install"]).expect(0);
}

/// `verify` of an archive names the root in it, and its steps work: the install trusts that root.
#[test]
fn verify_names_the_root_in_an_archive() {
    let setup = InstallSandbox::new();
    write_zip(&setup);
    let document = run(&setup, &["verify", "mail.zip"]).expect(1).json();
    let findings = document["findings"].as_array().unwrap();
    let step = |code: &str| {
        let mut found = findings.iter().filter(|finding| finding["code"] == code);
        words(&found.next().unwrap()["next"]).join("; ")
    };
    let install = "install mail.zip --trust mail.zip";
    assert_eq!(step("still-archived"), install, "{document}");
    let again = "verify mail.zip --trust mail.zip";
    assert_eq!(step("unknown-root"), again, "{document}");
    follow(&setup, install).expect(0);
}

/// The rules for public CAs do not bind a CA that is in no public list: its certificate is not to be
/// issued again with a shorter term.
#[test]
fn a_long_term_is_no_fault_of_a_certificate_from_an_unknown_root() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let long = Leaf {
        not_after: days(today(), 365),
        ..Leaf::default()
    };
    setup.write_delivery_with("new.crt", long);
    for command in ["verify", "install", "bundle"] {
        let document = run(&setup, &[command, "new.crt"]).expect(1).json();
        let findings = document["findings"].as_array().unwrap();
        let of = |code: &str| findings.iter().find(|finding| finding["code"] == code);
        assert_eq!(of("unknown-root").unwrap()["severity"], "error");
        let term = of("validity-too-long").unwrap();
        assert_eq!(term["severity"], "note", "{document}");
    }
    // `--strict` applies them to every CA.
    let strict = ["verify", "new.crt", "--strict", "--trust", "root.pem"];
    let document = sandbox.run(&[&strict[..], &["--json"]].concat());
    assert!(codes(&document.expect(1).json()).contains(&"validity-too-long"));
}

/// A root that only a PKCS#12 file has is written to a file that `--trust` can read.
#[test]
fn a_root_in_a_pfx_is_found() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let sandbox = &setup.sandbox;
    let root = sandbox.read("root.pem");
    sandbox.write("chain.pem", setup.ca.bundle_pem());
    sandbox.write("password", "secret\n");
    let openssl = |line: &str| {
        let mut command = external_program("openssl");
        command.args(line.split(' ')).current_dir(sandbox.path());
        succeed(&mut command);
    };
    openssl(
        "pkcs12 -export -in new.crt -inkey example.com.key -certfile chain.pem -out site.pfx \
            -passout file:password",
    );
    for file in ["new.crt", "chain.pem", "root.pem", "example.com.key"] {
        std::fs::remove_file(sandbox.join(file)).unwrap();
    }
    let args = ["bundle", "site.pfx", "--password-file", "password"];
    let document = run(&setup, &args).expect(1).json();
    let findings = document["findings"].as_array().unwrap();
    let mut untrusted = findings.iter().filter(|one| one["code"] == "unknown-root");
    let next = &untrusted.next().unwrap()["next"];
    let write = next[0]["command"].as_str().unwrap();
    assert_eq!(
        write,
        "openssl pkcs12 -in site.pfx -cacerts -nokeys -out root.pem"
    );
    let line = write.trim_start_matches("openssl ");
    openssl(&format!("{line} -passin file:password"));
    assert!(sandbox.read("root.pem").contains(root.trim()));
    follow(&setup, &words(next)[0]).expect(0);
}

/// Without an intermediate, an install is refused: neither `status` nor bare `certctl` suggests it.
#[test]
fn a_missing_intermediate_is_waited_for() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox.run(&["csr", "example.com"]).expect(0);
    let leaf = setup.ca.issue(&sandbox.read("example.com.csr"));
    sandbox.write("example.com.crt", &leaf);
    let document = run(&setup, &["status"]).json();
    let row = &document["rows"][0];
    assert_eq!(row["reasons"][0]["code"], "unknown-issuer", "{document}");
    assert_eq!(row["next"][0]["when"], "later", "{document}");
    let bare = sandbox.run(&["--root", "tree"]).expect(0);
    assert!(bare.stdout.contains("Its issuer is missing"), "{bare}");
    // The bundle may be in a file of its own.
    sandbox.write("ca.crt", setup.ca.intermediate_pem());
    let bare = sandbox.run(&["--root", "tree"]).expect(0);
    assert!(bare.stdout.contains("If the root in root.pem is"), "{bare}");
    let steps = status_steps(&setup);
    assert_eq!(steps, ["install example.com --trust root.pem"]);
    follow(&setup, &steps[0]).expect(0);
}

/// `status` trusts what an install trusts: the roots of the configuration.
#[test]
fn status_trusts_the_configured_root() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let root = setup.sandbox.join("root.pem");
    let line = format!("trust = \"{}\"\n", root.display());
    setup.sandbox.write("tree/etc/certctl/config.toml", line);
    let document = run(&setup, &["status"]).expect(0).json();
    let reasons = document["rows"][0]["reasons"].as_array().unwrap();
    assert!(reasons.is_empty(), "{document}");
    follow(&setup, &status_steps(&setup)[0]).expect(0);
}
