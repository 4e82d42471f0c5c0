//! `certctl renew`: a new request with the names, the subject and the key algorithm of the last one,
//! in the same folder; the deployed files do not change, and a second run reports the same request.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::ca::{DAYS_LEFT, DAYS_UNTIL_DUE, Leaf, days, noon, today};
use support::install_sandbox::{InstallSandbox, codes, mode};
use support::json::Json;
use support::{Run, Sandbox};

/// Runs `renew ARGS` for the tree of the test.
fn renew(setup: &InstallSandbox, more: &[&str]) -> Run {
    setup
        .sandbox
        .run(&[&["renew", "--root", "tree"], more].concat())
}

fn renewed(setup: &InstallSandbox, more: &[&str]) -> Json {
    renew(setup, &[&["--json"], more].concat()).expect(0).json()
}

fn text<'a>(document: &'a Json, path: &str) -> &'a str {
    let step = |value: &'a Json, name: &str| match name.parse::<usize>() {
        Ok(at) => &value[at],
        Err(_) => &value[name],
    };
    let names = path.split('/').skip(1);
    names
        .fold(document, step)
        .as_str()
        .unwrap_or_else(|| panic!("{path}: {document}"))
}

/// Returns the subject, the names and the key algorithm of a request.
fn requested(sandbox: &Sandbox, file: &str) -> (String, Vec<String>, String) {
    let read = sandbox.run(&["inspect", file, "--json"]).expect(0).json();
    let item = &read["items"][0];
    let mut names: Vec<String> = item["dns_names"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    names.sort();
    (
        text(item, "/subject").to_owned(),
        names,
        text(item, "/key/algorithm").to_owned(),
    )
}

fn write_delivery(setup: &InstallSandbox, request: &str, file: &str, leaf: Leaf) {
    let leaf = setup.ca.issue_as(&setup.sandbox.read(request), leaf);
    setup.sandbox.write(file, setup.ca.bundle_pem() + &leaf);
}

#[test]
fn a_renewal_copies_the_content_of_the_last_request() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox
        .run(&[
            "csr",
            "example.com",
            "www.example.com",
            "--ca",
            "namecheap",
            "--key-type",
            "rsa-3072",
        ])
        .expect(0);
    write_delivery(&setup, "example.com.csr", "first.crt", Leaf::default());
    setup.install("first.crt", &[]).expect(0);
    let before = (
        setup.tree(),
        sandbox.read("example.com.key"),
        sandbox.read("example.com.csr"),
    );

    let nothing = renewed(&setup, &[]);
    assert_eq!(
        (&nothing["verdict"], &nothing["changed"]),
        (&"nothing-due".into(), &false.into()),
        "{nothing}"
    );
    assert_eq!(nothing["next_due"]["name"], "example.com");
    assert!(!sandbox.join("example.com-2.key").exists());

    let planned = renewed(&setup, &["--dry-run", "--at", &noon(DAYS_UNTIL_DUE)]);
    assert_eq!(
        (&planned["verdict"], &planned["changed"]),
        (&"planned".into(), &false.into()),
        "{planned}"
    );
    assert_eq!(planned["certificates"][0]["planned"], true);
    assert_eq!(
        text(&planned, "/certificates/0/key/path"),
        "example.com-2.key"
    );
    assert!(!sandbox.join("example.com-2.key").exists());

    let made = renewed(&setup, &["--at", &noon(DAYS_UNTIL_DUE)]);
    assert_eq!(
        (&made["verdict"], &made["changed"]),
        (&"prepared".into(), &true.into()),
        "{made}"
    );
    assert_eq!(made["certificates"][0]["planned"], false);
    assert_eq!(
        text(&made, "/certificates/0/request/path"),
        "example.com-2.csr"
    );
    assert_eq!(text(&made, "/certificates/0/ca"), "namecheap");
    assert_eq!(
        requested(sandbox, "example.com-2.csr"),
        requested(sandbox, "example.com.csr")
    );
    assert_eq!(mode(&sandbox.join("example.com-2.key")), 0o600);
    assert_eq!(sandbox.read("example.com-2.dcv"), "; ca namecheap\n");
    // What would renew it without a person is printed once, with figures.
    let alternatives = made["findings"].to_string() + &made["certificates"].to_string();
    assert!(
        alternatives.contains("requests by hand in the next two years"),
        "{made}"
    );
    assert!(
        alternatives.contains("order example.com www.example.com --ca letsencrypt --dry-run"),
        "{made}"
    );
    let again = renewed(&setup, &["--at", &noon(DAYS_UNTIL_DUE)]);
    assert!(
        !again.to_string().contains("by hand in the next"),
        "{again}"
    );
    assert_ne!(sandbox.read("example.com-2.key"), before.1);
    assert_eq!(
        (
            setup.tree(),
            sandbox.read("example.com.key"),
            sandbox.read("example.com.csr")
        ),
        before
    );

    // It waits for somebody, and most of the time has passed.
    let late = renew(&setup, &["--json", "--at", &noon(DAYS_LEFT - 5)]);
    assert_eq!(late.expect(1).json()["verdict"], "prepared");

    // Repeated, or with the name: the same request.
    let key = sandbox.read("example.com-2.key");
    for more in [
        &["--at", &noon(DAYS_UNTIL_DUE)][..],
        &["example.com"],
        &["www.example.com"],
        &["example.com", "--dry-run"],
    ] {
        let again = renewed(&setup, more);
        assert_eq!(
            (&again["verdict"], &again["changed"]),
            (&"prepared".into(), &false.into()),
            "{again}"
        );
        assert_eq!(
            again["certificates"][0]["request"],
            made["certificates"][0]["request"]
        );
    }
    assert_eq!(sandbox.read("example.com-2.key"), key);
    assert!(!sandbox.join("example.com-3.key").exists());
}

#[test]
fn five_renewals_follow_each_other() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox
        .run(&[
            "csr",
            "example.com",
            "www.example.com",
            "--subject",
            "CN=example.com,O=Acme",
        ])
        .expect(0);
    write_delivery(&setup, "example.com.csr", "new.crt", Leaf::default());
    setup.install("new.crt", &[]).expect(0);
    for number in 2..=6 {
        let request = format!("example.com-{number}.csr");
        let made = renewed(&setup, &["example.com"]);
        assert_eq!(
            text(&made, "/certificates/0/request/path"),
            request,
            "{made}"
        );
        assert_eq!(made["changed"], true);
        assert!(requested(sandbox, &request).0.contains("O=Acme"));
        write_delivery(&setup, &request, "new.crt", Leaf::default());
        setup.install("new.crt", &[]).expect(0);
        setup.served();
        // No request that has a certificate is reported as pending.
        let check = sandbox
            .run(&["dcv-check", "--root", "tree", "--json"])
            .expect(3)
            .json();
        assert!(
            text(&check, "/error/message").contains("have their certificate already"),
            "{check}"
        );
        let status = sandbox
            .run(&["status", "--root", "tree", "--json"])
            .expect(0)
            .json();
        let states: Vec<&str> = status["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["state"].as_str().unwrap())
            .collect();
        assert!(!states.contains(&"pending"), "{number}: {status}");
    }
    assert!(!sandbox.join("tree/etc/ssl/certctl/example.com-2").exists());
    // After a rollback the previous certificate is live, and the request of the later one is not
    // taken for a pending one.
    sandbox.run(&["rollback", "--root", "tree"]).expect(0);
    let made = renewed(&setup, &["example.com"]);
    assert_eq!(
        text(&made, "/certificates/0/request/path"),
        "example.com-7.csr",
        "{made}"
    );
}

#[test]
fn the_new_request_is_written_to_the_folder_of_the_last_one() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    std::fs::create_dir(sandbox.join("requests")).unwrap();
    sandbox
        .run(&["csr", "example.com", "-C", "requests"])
        .expect(0);
    write_delivery(
        &setup,
        "requests/example.com.csr",
        "new.crt",
        Leaf::default(),
    );
    setup.install("new.crt", &["-C", "requests"]).expect(0);
    let made = renewed(&setup, &["example.com"]);
    assert!(
        text(&made, "/certificates/0/key/path").ends_with("/requests/example.com-2.key"),
        "{made}"
    );
    assert!(sandbox.join("requests/example.com-2.csr").exists());
    let check: Vec<&str> = made["certificates"][0]["next"][1]["argv"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    assert_eq!(check[1], "-C", "{check:?}");

    // `status` reports the pending request and the certificate for it from any folder.
    let installed = || {
        let run = sandbox
            .run(&[
                "status",
                "--root",
                "tree",
                "--at",
                &noon(DAYS_UNTIL_DUE),
                "--json",
            ])
            .expect(1)
            .json();
        run["rows"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["state"] == "installed")
            .unwrap()
            .clone()
    };
    let pending = installed();
    assert_eq!(
        (
            &pending["reasons"][0]["code"],
            &pending["reasons"][1]["code"]
        ),
        (&"due".into(), &"prepared".into()),
        "{pending}"
    );
    assert!(
        text(&pending, "/next/0/command").ends_with("/requests/example.com-2.csr"),
        "{pending}"
    );
    sandbox
        .run(&[
            "dcv-check",
            "requests/example.com-2.csr",
            "--resolver",
            "127.0.0.1:1",
        ])
        .expect(4);
    sandbox.write("requests/notes.csr", "not a request");
    let later = Leaf {
        not_before: today(),
        not_after: days(today(), 300),
        ..Leaf::default()
    };
    write_delivery(
        &setup,
        "requests/example.com-2.csr",
        "requests/example.com-2.crt",
        later,
    );
    let ready = installed();
    assert_eq!(ready["reasons"][1]["code"], "newer-ready");
    let argv = &ready["next"][0]["argv"];
    assert_eq!(
        (&argv[1], &argv[3]),
        (&"--root".into(), &"install".into()),
        "{ready}"
    );
    setup
        .install(text(&ready, "/next/0/argv/4"), &["--dry-run"])
        .expect(0);
    std::fs::remove_file(sandbox.join("requests/example.com-2.crt")).unwrap();

    // `-C` takes precedence.
    std::fs::create_dir(sandbox.join("elsewhere")).unwrap();
    let made = renewed(&setup, &["example.com", "-C", "elsewhere"]);
    assert_eq!(
        text(&made, "/certificates/0/key/path"),
        "elsewhere/example.com-2.key",
        "{made}"
    );

    std::fs::remove_dir_all(sandbox.join("requests")).unwrap();
    let made = renewed(&setup, &["example.com"]);
    assert_eq!(codes(&made), ["folder-missing"]);
    assert_eq!(
        text(&made, "/certificates/0/key/path"),
        "example.com-2.key",
        "{made}"
    );
    assert_eq!(requested(sandbox, "example.com-2.csr").1, ["example.com"]);
}

/// Makes a request for `name` and installs the certificate.
fn installed(setup: &InstallSandbox, name: &str, leaf: Leaf) {
    setup.sandbox.run(&["csr", name]).expect(0);
    let file = format!("{name}.crt");
    write_delivery(setup, &format!("{name}.csr"), &file, leaf);
    setup.install(&file, &[]).expect(0);
}

#[test]
fn a_reused_key_is_reported_and_not_copied() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox
        .run(&["csr", "example.com", "--ca", "sectigo"])
        .expect(0);
    write_delivery(&setup, "example.com.csr", "new.crt", Leaf::default());
    setup.install("new.crt", &[]).expect(0);
    for number in 2..=3 {
        let request = format!("example.com-{number}.csr");
        let made = renewed(&setup, &["example.com", "--reuse-key"]);
        assert_eq!(codes(&made), ["key-reused"], "{made}");
        assert_eq!(text(&made, "/certificates/0/request/path"), request);
        assert_eq!(text(&made, "/certificates/0/key/path"), "example.com.key");
        // Sectigo adds a unique value then, which only Sectigo knows.
        assert_eq!(
            made["certificates"][0]["records"][0]["complete"], false,
            "{made}"
        );
        assert!(!sandbox.join(&format!("example.com-{number}.key")).exists());
        let again = renewed(&setup, &["example.com"]);
        assert_eq!(
            (
                &again["changed"],
                text(&again, "/certificates/0/request/path")
            ),
            (&false.into(), &*request)
        );
        write_delivery(&setup, &request, "new.crt", Leaf::default());
        setup.install("new.crt", &[]).expect(0);
    }
}

#[test]
fn the_order_term_decides_between_reissue_and_purchase() {
    let setup = InstallSandbox::new();
    setup
        .sandbox
        .run(&["csr", "example.com", "--ca", "namecheap"])
        .expect(0);
    write_delivery(&setup, "example.com.csr", "new.crt", Leaf::default());
    let until = days(today(), DAYS_LEFT - 4).to_string();
    setup
        .install("new.crt", &["--paid-until", &until])
        .expect(0);
    let plan = setup.install("new.crt", &["--dry-run"]).expect(0).stdout;
    assert!(plan.contains(&format!("paid until  {until}")), "{plan}");
    let early = renewed(
        &setup,
        &["--dry-run", "--renew-before", "42d", "--at", &noon(5)],
    );
    assert_eq!(text(&early, "/certificates/0/order"), "reissue", "{early}");
    let late = renew(&setup, &["--at", &noon(DAYS_UNTIL_DUE)])
        .expect(0)
        .stdout;
    assert!(
        late.contains(&format!(
            "The order is paid until {until}, so buy a new one at Namecheap, choose Activate there"
        )),
        "{late}"
    );
    let status = setup
        .sandbox
        .run(&["status", "--root", "tree", "--json"])
        .expect(1)
        .json();
    let rows = status["rows"].as_array().unwrap();
    assert!(
        rows.iter().any(|row| row["paid_until"] == until.as_str()),
        "{status}"
    );
    // A later date replaces the first one.
    setup
        .install("new.crt", &["--paid-until", "2099-01-01"])
        .expect(0);
    assert_eq!(
        text(
            &renewed(&setup, &["--at", &noon(DAYS_UNTIL_DUE)]),
            "/certificates/0/order"
        ),
        "reissue"
    );
    setup
        .install("new.crt", &["--paid-until", "soon"])
        .expect(2);
    // `none` removes the date.
    let plan = setup
        .install("new.crt", &["--paid-until", "none", "--dry-run"])
        .expect(0)
        .stdout;
    assert!(!plan.contains("paid until"), "{plan}");
    setup
        .install("new.crt", &["--paid-until", "none"])
        .expect(0);
    let again = renewed(&setup, &["--at", &noon(DAYS_UNTIL_DUE)]);
    assert_eq!(
        (
            &again["certificates"][0]["order"],
            &again["certificates"][0]["paid_until"]
        ),
        (&Json::Null, &Json::Null)
    );
    setup.install("new.crt", &[]).expect(0);
    assert!(!settings(&setup).contains("paid_until"));
}

fn settings(setup: &InstallSandbox) -> String {
    setup.sandbox.read(&format!(
        "{}/settings.json",
        support::install_sandbox::LINEAGE
    ))
}

#[test]
fn a_renewal_that_fails_does_not_stop_the_others() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    for name in ["a.example", "b.example", "c.example"] {
        std::fs::create_dir(sandbox.join(name)).unwrap();
        sandbox.run(&["csr", name, "-C", name]).expect(0);
        write_delivery(
            &setup,
            &format!("{name}/{name}.csr"),
            &format!("{name}.crt"),
            Leaf::default(),
        );
        setup
            .install(&format!("{name}.crt"), &["-C", name])
            .expect(0);
    }
    // Its `.dcv` file cannot be read.
    sandbox.write("b.example/b.example.dcv", [0xff, 0xfe]);
    let run = renew(&setup, &["--json", "--at", &noon(DAYS_UNTIL_DUE)])
        .expect(1)
        .json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"prepared".into(), &true.into())
    );
    assert_eq!(run["certificates"].as_array().unwrap().len(), 2, "{run}");
    assert!(codes(&run).contains(&"request-not-prepared"), "{run}");
    assert!(
        sandbox.join("a.example/a.example-2.csr").exists()
            && sandbox.join("c.example/c.example-2.csr").exists()
    );
    renew(&setup, &["b.example"]).expect(3);
}

#[test]
fn certificates_that_certctl_did_not_install() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox
        .run(&["csr", "example.com", "--cert-name", "site"])
        .expect(0);
    let pending = renew(&setup, &["example.com"]).expect(3);
    assert!(
        pending
            .stderr
            .contains("example.com has no certificate yet, only a request"),
        "{pending}"
    );
    write_delivery(&setup, "site.csr", "site.crt", Leaf::default());
    let made = renewed(&setup, &["--at", &noon(DAYS_UNTIL_DUE)]);
    assert_eq!(
        text(&made, "/certificates/0/request/path"),
        "site-2.csr",
        "{made}"
    );

    std::fs::create_dir_all(sandbox.join("tree/etc/letsencrypt/live/acme.example")).unwrap();
    let certbots = renew(&setup, &["acme.example"]).expect(3);
    assert!(
        certbots
            .stderr
            .contains("sudo certbot renew --cert-name acme.example"),
        "{certbots}"
    );
    let mistyped = renew(&setup, &["exampel.com", "--json"]).expect(3).json();
    let step = &mistyped["error"]["next"][0];
    assert_eq!(step["command"], "certctl --root tree renew example.com");
    let unknown = renew(&setup, &["unknown.example"]).expect(3);
    assert!(
        unknown
            .stderr
            .contains("certctl --root tree csr unknown.example"),
        "{unknown}"
    );
    sandbox.run(&["renew", "--at", &noon(1)]).expect(2);
}

#[test]
fn what_other_programs_renew_is_said_and_not_counted_as_not_due() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    for number in 1..=6 {
        let file = format!("tree/etc/letsencrypt/renewal/{number}.example.conf");
        sandbox.write(&file, "version = 2.1.0\n");
    }
    let text = renew(&setup, &[])
        .expect(0)
        .stdout
        .replace("\n        ", " ");
    for part in [
        "note    certbot renews 1.example, 2.example, 3.example, 4.example, 5.example, 1 more",
        "`certctl import certbot` takes over",
        "done    certctl has no certificate to renew",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let document = renewed(&setup, &[]);
    assert_eq!(codes(&document), ["renewed-elsewhere"], "{document}");
}

#[test]
fn a_newer_certificate_in_the_folder_is_to_be_installed() {
    let setup = InstallSandbox::new();
    installed(
        &setup,
        "example.com",
        Leaf {
            not_after: days(today(), 20),
            ..Leaf::default()
        },
    );
    let made = renewed(&setup, &["example.com"]);
    write_delivery(
        &setup,
        text(&made, "/certificates/0/request/path"),
        "newer.crt",
        Leaf::default(),
    );
    let ready = renewed(&setup, &["example.com"]);
    assert_eq!(ready["changed"], false);
    assert!(
        text(&ready, "/next/0/command").ends_with("install newer.crt"),
        "{ready}"
    );
    setup.install("newer.crt", &[]).expect(0);
    assert_eq!(renewed(&setup, &[])["verdict"], "nothing-due");
}

#[test]
fn the_document_has_these_fields() {
    let setup = InstallSandbox::new();
    installed(&setup, "example.com", Leaf::default());
    let made = renewed(&setup, &["example.com"]);
    let fields = |value: &Json| {
        value
            .keys()
            .into_iter()
            .map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let words = |names: &str| names.split(' ').map(str::to_owned).collect();
    assert_eq!(made["schema"], "certctl.renew/1");
    assert_eq!(
        fields(&made),
        words("schema comment verdict changed certificates not_due next_due findings next")
    );
    let certificate = &made["certificates"][0];
    assert_eq!(
        fields(certificate),
        words(
            "name verdict names not_after due changed planned ca paid_until order dcv dcv_reusable_until key request records before after plan findings next ordered"
        )
    );
    assert_eq!(fields(&certificate["key"]), words("path algorithm id"));
    assert_eq!(
        fields(&certificate["request"]),
        words("path md5 sha256 subject pem")
    );
    let output = renew(&setup, &["example.com"]).expect(0).stdout;
    for part in [
        "found   example.com-2.key (ecdsa-p256), example.com-2.csr; prepared by an earlier run\n        \
            names: example.com\n",
        "nothing is renewed yet: servers keep the current certificate",
        "\n-----BEGIN CERTIFICATE REQUEST-----\n",
        "\n            certctl --root tree dcv-check --wait --record -\n",
        "\n            certctl --root tree install\n",
    ] {
        assert!(output.contains(part), "{part} is missing:\n{output}");
    }
}
