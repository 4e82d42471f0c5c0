//! `certctl rollback`: restores the previous version, or that of an id or a date, and lists the
//! versions that can be restored if there is no such version.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use jiff::civil::date;
use support::Run;
use support::ca::{Leaf, days, today};
use support::install_sandbox::{InstallSandbox, LINEAGE, codes, link};

fn back(setup: &InstallSandbox, more: &[&str]) -> Run {
    setup
        .sandbox
        .run(&[&["rollback", "example.com", "--root", "tree"], more].concat())
}

/// `live` as an id.
fn live(setup: &InstallSandbox) -> String {
    link(&setup.sandbox, &format!("{LINEAGE}/live"))
        .trim_start_matches("releases/")
        .to_owned()
}

/// Installs a new certificate at each of these times; returns the ids of the releases.
fn install_at(setup: &InstallSandbox, times: &[&str]) -> Vec<String> {
    let install = |at: &&str| {
        setup
            .sandbox
            .run(&["csr", "example.com", "www.example.com", "--force"])
            .expect(0);
        let always = Leaf {
            not_before: date(2026, 1, 1),
            not_after: days(today(), 1000),
            ..Leaf::default()
        };
        let leaf = setup
            .ca
            .issue_as(&setup.sandbox.read("example.com.csr"), always);
        setup
            .sandbox
            .write("new.crt", setup.ca.bundle_pem() + &leaf);
        setup.install("new.crt", &["--at", at]).expect(0);
        live(setup)
    };
    times.iter().map(install).collect()
}

#[test]
fn a_rollback_accepts_an_id_or_a_date() {
    let setup = InstallSandbox::new();
    let ids = install_at(
        &setup,
        &[
            "2026-05-01T10:00:00Z",
            "2026-06-01T10:00:00Z",
            "2026-07-01T10:00:00Z",
        ],
    );
    for (to, wanted) in [
        (ids[0].as_str(), &ids[0]),
        ("2026-06-30", &ids[1]),
        ("2026-05-01", &ids[0]),
        ("2026-07-01T12:00:00+02:00", &ids[2]),
        ("2026-06-01T09:59:59Z", &ids[0]),
    ] {
        let document = back(&setup, &["--to", to, "--json"]).expect(0).json();
        assert_eq!(live(&setup), *wanted, "{to}");
        assert_eq!(document["certificates"][0]["release"], wanted.as_str());
        assert_eq!(
            (&document["verdict"], &document["changed"]),
            (&"files".into(), &true.into()),
            "{to}"
        );
        let again = back(&setup, &["--to", to, "--json"]).expect(0).json();
        assert_eq!(
            (&again["verdict"], &again["changed"]),
            (&"unchanged".into(), &false.into()),
            "{to}"
        );
        setup.served();
    }
    // Without a date, the version before the live one is restored.
    back(&setup, &["--to", &ids[2]]).expect(0);
    back(&setup, &[]).expect(0);
    assert_eq!(live(&setup), ids[1]);
    let planned = back(&setup, &["--to", &ids[0], "--dry-run", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&planned["verdict"], live(&setup)),
        (&"planned".into(), ids[1].clone())
    );
}

#[test]
fn versions_that_can_be_restored_are_listed() {
    let setup = InstallSandbox::new();
    let times = [
        "2026-05-01T10:00:00Z",
        "2026-05-02T10:00:00Z",
        "2026-05-03T10:00:00Z",
        "2026-05-04T10:00:00Z",
    ];
    let ids = install_at(&setup, &times);
    let before = setup.tree();
    for (to, code, expected) in [
        ("yesterday", 2, "neither a date nor"),
        (&ids[3][..7], 2, "neither a date nor"),
        (
            "00000000",
            3,
            "the history of example.com has no version 00000000",
        ),
        (
            "2026-04-30",
            3,
            "no version of example.com was installed by 2026-04-30\n",
        ),
        (&ids[0], 3, "was deleted"),
        ("2026-05-01", 3, "was deleted"),
    ] {
        let run = back(&setup, &["--to", to]).expect(code);
        assert!(run.stderr.contains(expected), "{to}\n{run}");
        for id in &ids[1..] {
            assert!(
                run.stderr.contains(&format!(
                    "certctl rollback example.com --to {id} --root tree"
                )),
                "{run}"
            );
        }
        assert!(
            run.stderr.contains(&format!(
                "Restore version {}, installed on 2026-05-04; it expires on",
                ids[3]
            )),
            "{run}"
        );
        assert!(run.stderr.contains("(live now)"), "{run}");
        let document = back(&setup, &["--to", to, "--json"]).expect(code).json();
        assert_eq!(
            document["error"]["next"][0]["argv"][4],
            ids[3].as_str(),
            "{document}"
        );
    }
    assert_eq!(setup.tree(), before);
}

/// Nothing can be rolled back: the step shows the state, and installs nothing.
#[test]
fn without_an_earlier_version_the_state_is_shown() {
    let setup = InstallSandbox::new();
    let step = |args: &[&str], code: i32| {
        let args = [&["rollback"], args, &["--root", "tree", "--json"]].concat();
        let error = setup.sandbox.run(&args).expect(code).json()["error"].clone();
        assert_eq!(error["next"].as_array().unwrap().len(), 1, "{error}");
        error["next"][0]["argv"].to_string()
    };
    let status = r#"["certctl","--root","tree","status"]"#;
    std::fs::create_dir(setup.sandbox.join("tree")).unwrap();
    assert_eq!(step(&[], 3), status);
    assert_eq!(step(&["example.com"], 3), status);
    setup.renew_and_install(&[]).expect(0);
    let named = r#"["certctl","--root","tree","status","example.com"]"#;
    assert_eq!(step(&[], 3), named);
    assert_eq!(step(&["example.com"], 3), named);
    let more = ["--cert-name", "other.example"];
    let paths = ["--chain-path", "/srv/o.pem", "--key-path", "/srv/o.key"];
    setup
        .renew_and_install(&[&more[..], &paths].concat())
        .expect(0);
    assert_eq!(step(&[], 3), status);
}

#[test]
fn later_versions_are_listed_if_there_is_no_earlier_one() {
    let setup = InstallSandbox::new();
    let ids = install_at(&setup, &["2026-05-01T10:00:00Z"]);
    let run = back(&setup, &[]).expect(3);
    assert!(
        run.stderr
            .contains("no earlier install succeeded on this machine"),
        "{run}"
    );
    let ids = [ids, install_at(&setup, &["2026-06-01T10:00:00Z"])].concat();
    back(&setup, &[]).expect(0);
    assert_eq!(live(&setup), ids[0]);
    let run = back(&setup, &[]).expect(3);
    assert!(
        run.stderr
            .contains("no version of example.com was installed before the live one"),
        "{run}"
    );
    assert!(
        run.stderr.contains(&format!(
            "certctl rollback example.com --to {} --root tree",
            ids[1]
        )),
        "{run}"
    );
    assert!(
        !run.stderr.contains(&ids[0]) && !run.stderr.contains("no earlier install"),
        "{run}"
    );
}

#[test]
fn an_expired_certificate_is_restored_only_if_that_is_allowed() {
    let setup = InstallSandbox::new();
    let ids = install_at(&setup, &["2026-05-01T10:00:00Z", "2026-05-02T10:00:00Z"]);
    let at = ["--at", "2040-01-01T00:00:00Z", "--json"];
    let run = back(&setup, &at).expect(1).json();
    assert_eq!(live(&setup), ids[1]);
    assert_eq!(run["verdict"], "refused");
    assert!(codes(&run).contains(&"expired"), "{run}");
    assert!(run.to_string().contains("--allow expired"), "{run}");
    back(&setup, &["--allow", "wrong-key"]).expect(2);
    let run = back(&setup, &[&at[..], &["--allow", "Expired"]].concat())
        .expect(0)
        .json();
    assert_eq!(live(&setup), ids[0]);
    assert!(codes(&run).contains(&"expired"), "{run}");
    assert!(run["findings"].to_string().contains("\"warning\""), "{run}");
    let run = back(
        &setup,
        &["--to", &ids[1], "--at", "2001-01-01T00:00:00Z", "--json"],
    )
    .expect(0)
    .json();
    assert!(codes(&run).contains(&"not-yet-valid"), "{run}");
}

#[test]
fn files_that_were_taken_over_have_an_id_and_no_date() {
    let setup = InstallSandbox::new();
    install_at(&setup, &["2026-05-01T10:00:00Z"]);
    let (chain, key) = setup.served();
    std::fs::remove_dir_all(setup.sandbox.join("tree")).unwrap();
    setup.sandbox.write(support::install_sandbox::CHAIN, &chain);
    setup.sandbox.write(support::install_sandbox::KEY, &key);
    install_at(&setup, &["2026-06-01T10:00:00Z"]);
    let run = back(&setup, &["--to", "nowhere"]).expect(2);
    assert!(run.stderr.contains("which existed before certctl"), "{run}");
    back(&setup, &["--to", "2026-05-15"]).expect(0);
    assert_eq!(setup.served(), (chain, key));
}

#[test]
fn rollbacks_are_part_of_the_history() {
    let setup = InstallSandbox::new();
    let times = ["2026-05-01T10:00:00Z", "2026-06-01T10:00:00Z"];
    let mut ids = install_at(&setup, &times);
    let run = back(&setup, &["--at", "2026-06-10T10:00:00Z", "--json"]);
    let document = run.expect(0).json();
    assert_eq!(
        document["undo"][0]["command"],
        format!("certctl rollback example.com --to {} --root tree", ids[1])
    );
    ids.extend(install_at(&setup, &["2026-07-01T10:00:00Z"]));
    for (to, wanted) in [
        ("2026-05-31", &ids[0]),
        ("2026-06-05", &ids[1]),
        ("2026-06-20", &ids[0]),
        ("2026-07-01", &ids[2]),
    ] {
        let words = ["--to", to, "--dry-run", "--json"];
        let document = back(&setup, &words).expect(0).json();
        let release = &document["certificates"][0]["release"];
        assert_eq!(*release, wanted.as_str(), "{to}");
    }
    let before = setup.tree();
    let run = back(&setup, &["--to", "2999-01-01"]).expect(2);
    assert!(run.stderr.contains("2999-01-01 is in the future"), "{run}");
    assert_eq!(setup.tree(), before);
    // The version that was rolled back from is not the one before the live one.
    let run = back(&setup, &[]).expect(0);
    assert_eq!(live(&setup), ids[0], "{run}");
    assert!(run.stdout.contains(&ids[0]), "{run}");
    let again = back(&setup, &["--to", &ids[0], "--json"]).expect(0).json();
    assert_eq!(again["undo"].as_array().unwrap().len(), 0);
}

/// The folder still has the certificate that was rolled back: the name alone means the installed one,
/// so that steps such as `certctl install NAME` do not bring the trouble back.
#[test]
fn a_name_does_not_bring_back_what_was_rolled_back() {
    let setup = InstallSandbox::new();
    let expires_in = |file: &str, more: i64| {
        let leaf = Leaf {
            not_after: days(today(), 100 + more),
            ..Leaf::default()
        };
        setup.write_delivery_with(file, leaf);
    };
    expires_in("one.crt", 0);
    setup.install("one.crt", &[]).expect(0);
    expires_in("two.crt", 1);
    setup.install("example.com", &[]).expect(0);
    let two = live(&setup);
    back(&setup, &[]).expect(0);
    let one = live(&setup);
    assert_ne!(one, two);

    let again = setup.install("example.com", &["--json"]).expect(0).json();
    assert_eq!(again["verdict"], "unchanged", "{again}");
    assert_eq!(live(&setup), one);
    // A newer one is what the name means, and the file itself can be passed.
    setup.install("two.crt", &[]).expect(0);
    assert_eq!(live(&setup), two);
    back(&setup, &[]).expect(0);
    expires_in("three.crt", 2);
    setup.install("example.com", &[]).expect(0);
    assert!(![one, two].contains(&live(&setup)));
}
