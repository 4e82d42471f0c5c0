//! Dry runs: they write nothing, say whether the command would change anything, and give the plan an id
//! that is the same as long as nothing that matters differs.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::Sandbox;
use support::ca::Leaf;
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, codes, tree};
use support::json::Json;

/// Runs a command with `--dry-run --json`, which changes no file in the sandbox.
fn dry_run(sandbox: &Sandbox, words: &[&str]) -> Json {
    let before = tree(sandbox.path());
    let run = sandbox.run(&[words, &["--dry-run", "--json"]].concat());
    assert_eq!(tree(sandbox.path()), before, "{words:?} wrote something");
    let document = run.json();
    let id = document["plan_id"].as_str().unwrap();
    assert!(
        id.len() == 16 && id.bytes().all(|octet| octet.is_ascii_hexdigit()),
        "{id}"
    );
    assert_eq!(document["changed"], false, "{document}");
    document
}

/// Returns the id of the plan, which is the same when the dry run is repeated.
fn plan_id(sandbox: &Sandbox, words: &[&str]) -> String {
    let [first, second] = [(); 2].map(|()| dry_run(sandbox, words));
    assert_eq!(first["plan_id"], second["plan_id"], "{words:?}");
    first["plan_id"].as_str().unwrap().to_owned()
}

/// Fails if two of these plans have the same id.
fn assert_all_differ(ids: &[(&str, String)]) {
    for (index, (case, id)) in ids.iter().enumerate() {
        for (other, other_id) in &ids[index + 1..] {
            assert_ne!(id, other_id, "{case} and {other}");
        }
    }
}

/// Returns whether the command would change anything, according to its dry run.
fn would_change(sandbox: &Sandbox, words: &[&str]) -> bool {
    dry_run(sandbox, words)["would_change"] == true
}

const INSTALL: [&str; 5] = ["install", "--root", "tree", "--trust", "root.pem"];

#[test]
fn the_id_of_an_install_changes_with_inputs_options_and_live_release() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("one.crt");
    let id = |more: &[&str]| plan_id(sandbox, &[&INSTALL[..], more].concat());
    let first = id(&["one.crt"]);
    let mode = id(&["one.crt", "--key-mode", "0640"]);
    let path = id(&["one.crt", "--chain-path", "/etc/ssl/other.pem"]);
    let reload = id(&["one.crt", "--server", "none", "--reload", "true"]);
    let allowed = id(&["one.crt", "--allow", "names-not-covered"]);
    setup.install("one.crt", &[]).expect(0);
    let installed = id(&["one.crt"]);
    setup.write_delivery("two.crt");
    let second = id(&["two.crt"]);
    setup.install("two.crt", &[]).expect(0);
    setup.write_delivery("three.crt");
    let third = id(&["three.crt"]);
    sandbox
        .run(&["rollback", "example.com", "--root", "tree"])
        .expect(0);
    let other_live = id(&["three.crt"]);
    std::fs::remove_file(sandbox.join(CHAIN)).unwrap();
    let missing_link = id(&["three.crt"]);
    assert_all_differ(&[
        ("first", first),
        ("mode", mode),
        ("path", path),
        ("reload", reload),
        ("allowed", allowed),
        ("installed", installed),
        ("second certificate", second),
        ("third certificate", third),
        ("other live release", other_live),
        ("missing link", missing_link),
    ]);
}

#[test]
fn a_dry_run_of_an_install_predicts_the_change() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let words = [&INSTALL[..], &["new.crt"]].concat();
    let planned = dry_run(&setup.sandbox, &words);
    assert_eq!(planned["would_change"], true);
    let done = setup.install("new.crt", &["--json"]).expect(0).json();
    assert_eq!(done["changed"], true);
    assert!(done.get("would_change").is_none() && done.get("plan_id").is_none());
    let (planned, done) = (&planned["certificates"][0], &done["certificates"][0]);
    assert_eq!(planned["after"], done["after"]);
    assert_eq!(planned["plan"], done["plan"]);
    for step in planned["plan"]["steps"].iter() {
        assert!(step["text"].as_str().is_some_and(|text| !text.is_empty()));
    }
    assert!(planned["before"].is_null() && done["before"].is_null());
    assert!(!would_change(&setup.sandbox, &words));
}

#[test]
fn a_refused_install_would_change_nothing() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    setup.write_delivery("new.crt");
    std::fs::create_dir_all(sandbox.join("tree/etc/ssl/folder.pem")).unwrap();
    let blocked = ["new.crt", "--chain-path", "/etc/ssl/folder.pem"];
    let refused = dry_run(sandbox, &[&INSTALL[..], &blocked].concat());
    assert_eq!(refused["verdict"], "refused");
    assert_eq!(refused["would_change"], false);
    let entry = &refused["certificates"][0];
    assert_eq!(entry["after"], entry["before"]);
    assert!(!entry["before"].is_null());
    let untrusted = dry_run(
        sandbox,
        &["install", "new.crt", "--root", "tree", "--trust", "mozilla"],
    );
    assert_eq!(untrusted["verdict"], "refused");
    assert_ne!(refused["plan_id"], untrusted["plan_id"]);
}

#[test]
fn a_placeholder_has_the_same_plan_although_its_key_is_new_in_each_run() {
    let setup = InstallSandbox::new();
    let words = ["install", "--placeholder", "example.com", "--root", "tree"];
    let first = plan_id(&setup.sandbox, &words);
    let more = [&words[..], &["www.example.com"]].concat();
    assert_ne!(first, plan_id(&setup.sandbox, &more));
}

#[test]
fn entries_show_what_was_and_will_be_deployed() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let first = setup.renew_and_install(&["--json"]).expect(0).json();
    let first = &first["certificates"][0]["after"];
    assert_eq!(
        first.keys().join(" "),
        "sha256 names not_after chain_length key_id key_mode owner chain_path key_path"
    );
    assert_eq!(first["chain_length"], 2);
    assert_eq!(first["key_mode"], "0600");
    for (field, path) in [("chain_path", CHAIN), ("key_path", KEY)] {
        let shown = first[field].as_str().unwrap();
        assert!(
            shown.ends_with(path.strip_prefix("tree").unwrap()),
            "{shown}"
        );
    }
    let second = setup
        .renew_and_install(&["--chain-path", "/etc/ssl/moved.pem", "--json"])
        .expect(0)
        .json();
    let second = &second["certificates"][0];
    for field in ["sha256", "key_id", "chain_path", "key_path", "key_mode"] {
        assert_eq!(second["before"][field], first[field], "{field}");
    }
    assert_ne!(second["after"]["sha256"], first["sha256"]);
    let moved = second["after"]["chain_path"].as_str().unwrap();
    assert!(moved.ends_with("/etc/ssl/moved.pem"), "{moved}");

    let rollback = dry_run(sandbox, &["rollback", "example.com", "--root", "tree"]);
    let rollback = &rollback["certificates"][0];
    assert_eq!(rollback["before"]["sha256"], second["after"]["sha256"]);
    assert_eq!(rollback["after"]["sha256"], first["sha256"]);
    assert_eq!(rollback["before"], second["after"]);

    let failed = setup.install(
        "new.crt",
        &["--server", "none", "--test", "false", "--json"],
    );
    let failed = failed.json();
    assert_eq!(
        failed["certificates"][0]["after"],
        failed["certificates"][0]["before"]
    );
    let forget = dry_run(sandbox, &["forget", "example.com", "--root", "tree"]);
    let forget = &forget["certificates"][0];
    assert_eq!(forget["before"]["sha256"], second["after"]["sha256"]);
    assert_eq!(forget["after"], forget["before"]);
}

#[test]
fn ids_of_rollback_forget_and_renew_follow_the_live_release() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let commands: [&[&str]; 3] = [
        &["rollback", "example.com", "--root", "tree"],
        &["forget", "example.com", "--root", "tree"],
        &["renew", "example.com", "--root", "tree"],
    ];
    for _ in 0..2 {
        setup.renew_and_install(&[]).expect(0);
    }
    let before = commands.map(|words| plan_id(sandbox, words));
    for words in commands {
        assert!(would_change(sandbox, words), "{words:?}");
    }
    assert_ne!(
        plan_id(
            sandbox,
            &["renew", "example.com", "--reuse-key", "--root", "tree"]
        ),
        before[2]
    );
    setup.renew_and_install(&[]).expect(0);
    for (words, id) in commands.iter().zip(&before) {
        assert_ne!(plan_id(sandbox, words), *id, "{words:?}");
    }
    // What was prepared is not prepared again.
    sandbox.run(commands[2]).expect(0);
    assert!(!would_change(sandbox, commands[2]));
}

#[test]
fn several_certificates_have_one_id() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("one.crt");
    sandbox.run(&["csr", "example.org"]).expect(0);
    let request = sandbox.read("example.org.csr");
    let leaf = setup.ca.issue_as(&request, Leaf::default());
    sandbox.write("two.crt", setup.ca.bundle_pem() + &leaf);
    let both = [&INSTALL[..], &["one.crt", "two.crt"]].concat();
    let id = plan_id(sandbox, &both);
    assert!(would_change(sandbox, &both));
    assert_ne!(id, plan_id(sandbox, &[&INSTALL[..], &["one.crt"]].concat()));
    assert_ne!(
        id,
        plan_id(sandbox, &[&both[..], &["--key-mode", "0640"]].concat())
    );
}

#[test]
fn csr_reports_what_it_would_write() {
    let sandbox = Sandbox::new();
    let words = ["csr", "example.com", "www.example.com", "--ca", "namecheap"];
    let planned = dry_run(&sandbox, &words);
    assert_eq!(planned["would_change"], true);
    let steps: Vec<&str> = planned["certificates"][0]["plan"]["steps"]
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["write-key", "write-request", "write-record"]);
    assert!(planned["key"]["id"].is_null() && planned["request"]["pem"].is_null());
    let text = sandbox
        .run(&[&words[..], &["--dry-run"]].concat())
        .expect(0);
    for line in [
        "plan    write a new key to example.com.key (0600, ecdsa-p256)",
        "        write the request to example.com.csr",
        "        store the CA in example.com.dcv",
        "done    dry run: nothing was changed",
    ] {
        assert!(text.stdout.contains(line), "{line} in {text}");
    }

    let done = sandbox
        .run(&[&words[..], &["--json"]].concat())
        .expect(0)
        .json();
    assert_eq!(done["certificates"], planned["certificates"]);
    assert_eq!(done["request"]["subject"], planned["request"]["subject"]);
    assert_eq!(
        done["request"]["pem"],
        sandbox.read("example.com.csr").as_str()
    );

    let again = dry_run(&sandbox, &words);
    assert_eq!(again["would_change"], false);
    assert_eq!(again["request"], done["request"]);
    let other_ca = dry_run(
        &sandbox,
        &["csr", "example.com", "www.example.com", "--ca", "ssls"],
    );
    assert_eq!(other_ca["would_change"], true);
    assert_ne!(again["plan_id"], other_ca["plan_id"]);

    let forced = dry_run(&sandbox, &[&words[..], &["--force"]].concat());
    let steps: Vec<&str> = forced["certificates"][0]["plan"]["steps"]
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(&steps[..3], ["back-up"; 3]);
}

#[test]
fn the_id_of_a_request_changes_with_names_options_and_key() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "other.example"]).expect(0);
    sandbox.run(&["csr", "third.example"]).expect(0);
    let id = |words: &[&str]| plan_id(&sandbox, &[&["csr", "example.com"], words].concat());
    assert_all_differ(&[
        ("plain", id(&[])),
        ("names", id(&["www.example.com"])),
        ("algorithm", id(&["--key-type", "rsa-2048"])),
        ("CA", id(&["--ca", "namecheap"])),
        ("subject", id(&["--subject", "CN=example.com,O=Acme"])),
        ("stem", id(&["--cert-name", "site"])),
        ("key", id(&["--key", "other.example.key"])),
        ("other key", id(&["--key", "third.example.key"])),
    ]);
}

#[test]
fn csr_checks_everything_in_a_dry_run() {
    let sandbox = Sandbox::new();
    let refused = dry_run(&sandbox, &["csr", "host.internal"]);
    assert_eq!(refused["would_change"], false);
    assert!(!codes(&refused).is_empty(), "{refused}");
    sandbox.write("example.com.key", "");
    sandbox.run(&["csr", "example.com", "--dry-run"]).expect(3);
    let elsewhere = ["csr", "example.org", "-C", "missing", "--dry-run"];
    assert_ne!(sandbox.run(&elsewhere).code, 0);
}

#[test]
fn a_plan_quotes_commands_as_a_shell_needs_it() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let commands = [
        "--server",
        "none",
        "--test",
        "sh -c 'exit 0'",
        "--reload",
        "sh -c \"test 'a b' = 'a b'\"",
    ];
    let words = [&INSTALL[..], &["new.crt"], &commands].concat();
    let planned = dry_run(&setup.sandbox, &words);
    let texts: Vec<&str> = planned["certificates"][0]["plan"]["steps"]
        .iter()
        .map(|step| step["text"].as_str().unwrap())
        .collect();
    for text in [
        "test the server: `sh -c 'exit 0'`",
        r"reload the server: `sh -c 'test '\''a b'\'' = '\''a b'\'''`",
    ] {
        assert!(texts.contains(&text), "{text} in {texts:?}");
    }
}

#[test]
fn a_dry_run_ends_with_the_line_that_runs_this_plan() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("new.crt");
    let words = [&INSTALL[..], &["new.crt"]].concat();
    let planned = dry_run(sandbox, &words);
    let id = planned["plan_id"].as_str().unwrap();
    let steps = planned["next"].as_array().unwrap();
    let last = steps.last().unwrap();
    let command = last["command"].as_str().unwrap();
    assert!(command.ends_with(&format!("--plan {id}")), "{command}");
    assert!(!command.contains("--dry-run"), "{command}");
    let text = sandbox.run(&[&words[..], &["--dry-run"]].concat());
    let line = format!("certctl {} --plan {id}\n", words.join(" "));
    assert!(text.expect(0).stdout.ends_with(&line), "{line}");

    let argv: Vec<&str> = last["argv"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    sandbox.run(&argv[1..]).expect(0);
    // Nothing is left to do, so there is no plan to approve.
    let nothing = dry_run(sandbox, &words);
    assert_eq!(nothing["next"].as_array().unwrap().len(), 0, "{nothing}");
}
