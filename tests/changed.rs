//! `"changed"` and `"plan"`, which tools such as Ansible rely on: `changed` is true only if the files
//! that servers read differ from before, the plan lists what would be done, and a second run has
//! nothing to do.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::external::{external_program, succeed};
use support::install_sandbox::{CHAIN, InstallSandbox, KEY};
use support::json::Json;
use support::site::Site;

/// Returns the verdict, whether something changed, and the number of steps if there is a plan.
fn summary(document: &Json) -> (&str, bool, Option<usize>) {
    let plan = document["certificates"][0]
        .get("plan")
        .filter(|plan| !plan.is_null());
    let steps = plan.map(|plan| plan["steps"].len());
    (
        document["verdict"].as_str().unwrap(),
        document["changed"].as_bool().unwrap(),
        steps,
    )
}

/// The plan of the only certificate.
fn plan(document: &Json) -> &Json {
    &document["certificates"][0]["plan"]
}

#[test]
fn changed_is_true_only_if_files_changed() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let run = |args: &[&str], code: i32| {
        let before = setup.tree();
        let document = sandbox
            .run(&[args, &["--root", "tree", "--json"]].concat())
            .expect(code)
            .json();
        let changed = document.get("changed").is_some_and(|value| *value == true);
        assert_eq!(setup.tree() != before, changed, "{args:?}: {document}");
        document
    };
    setup.write_delivery("new.crt");
    let install = ["install", "new.crt", "--trust", "root.pem"];
    let dry = [&install[..], &["--dry-run"]].concat();
    let planned = run(&dry, 0);
    let (verdict, changed, steps) = summary(&planned);
    assert_eq!((verdict, changed), ("planned", false));
    assert!(steps > Some(0), "{planned}");
    let done = run(&install, 0);
    assert_eq!(
        summary(&done),
        ("files", true, steps),
        "the install runs the planned steps"
    );
    assert_eq!(plan(&planned), plan(&done));
    assert_eq!(planned["would_change"], true);
    assert_eq!(summary(&run(&dry, 0)), ("planned", false, Some(0)));
    assert_eq!(summary(&run(&install, 0)), ("unchanged", false, Some(0)));
    assert_eq!(
        summary(&run(&["install", "example.com", "--trust", "root.pem"], 0)),
        ("unchanged", false, Some(0))
    );
    assert_eq!(
        summary(&run(&["install", "--check"], 0)),
        ("unchanged", false, None)
    );
    run(&["rollback", "example.com"], 3);

    setup.write_delivery("next.crt");
    let next = ["install", "next.crt", "--trust", "root.pem"];
    assert_eq!(
        summary(&run(
            &[&next[..], &["--server", "none", "--test", "false"]].concat(),
            1
        )),
        ("refused", false, None)
    );
    assert_eq!(summary(&run(&next, 0)).0, "files");
    assert!(summary(&run(&["rollback", "example.com", "--dry-run"], 0)).2 > Some(0));
    assert_eq!(summary(&run(&["rollback", "example.com"], 0)).0, "files");
    let removed = run(&["forget", "example.com", "--dry-run"], 0);
    assert_eq!(summary(&removed), ("planned", false, Some(3)));
    assert_eq!(
        summary(&run(&["forget", "example.com"], 0)),
        ("forgotten", true, Some(3))
    );
}

#[test]
fn a_server_that_serves_the_certificate_is_not_reloaded() {
    let site = Site::new();
    let nginx = site.start("");
    let config = nginx.config().display().to_string();
    let install = |code: i32| {
        let words = [
            "install", "new.crt", "--root", "tree", "--trust", "root.pem", "--json",
        ];
        let server = ["--server", "nginx", "--server-config", &config];
        site.setup
            .sandbox
            .run(&[&words[..], &server].concat())
            .expect(code)
            .json()
    };
    site.setup.write_delivery("new.crt");
    let outcome = |document: Json| (summary(&document).0.to_owned(), summary(&document).1);
    let expected = |verdict: &str, changed: bool| (verdict.to_owned(), changed);
    assert_eq!(outcome(install(1)), expected("not-served", true));
    assert_eq!(
        outcome(install(1)),
        expected("not-served", false),
        "no server references it yet, and all files are written"
    );
    nginx.rewrite(&site.block(CHAIN, KEY));
    succeed(external_program("nginx").args(["-s", "reload", "-c", &config]));
    assert_eq!(
        outcome(install(0)),
        expected("live", true),
        "it is proven now"
    );
    assert_eq!(outcome(install(0)), expected("unchanged", false));
    let reloads = || nginx.log().matches("signal 1 (SIGHUP) received").count();
    let before = reloads();
    install(0);
    assert_eq!(reloads(), before, "a server that serves it is not reloaded");
}

#[test]
fn read_only_documents_say_that_nothing_changed() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    setup.install("new.crt", &[]).expect(0);
    let before = setup.tree();
    for words in [
        &[][..],
        &["status", "--html", "page.html"],
        &["verify", "new.crt", "--trust", "root.pem"],
        &["inspect", "new.crt"],
        &["explain", "wrong-key"],
    ] {
        let words = [words, &["--root", "tree", "--json"]].concat();
        let document = setup.sandbox.run(&words).json();
        assert_eq!(document["changed"], false, "{words:?}");
        let _: (&Json, &Json) = (&document["findings"], &document["next"]);
    }
    assert_eq!(setup.tree(), before);
}

#[test]
fn every_document_of_a_command_has_the_common_fields() {
    let mut count = 0;
    for (file, schema) in support::schemas::read_all() {
        let Some(name) = support::schemas::document_name(&file) else {
            continue;
        };
        // A line of a stream is not the document of a command.
        let others = [
            "certctl.error/1",
            "certctl.status-line/1",
            "certctl.summary/1",
        ];
        if others.contains(&name.as_str()) {
            continue;
        }
        count += 1;
        for field in ["schema", "comment", "changed", "findings", "next"] {
            let mut required = schema["required"].iter();
            assert!(required.any(|one| *one == field), "{name} has no {field}");
        }
        let plan = schema["properties"].get("plan");
        assert!(plan.is_none(), "{name}: a plan belongs in `certificates`");
    }
    assert_eq!(count, 20);
}

#[test]
fn status_names_the_machine() {
    let sandbox = support::Sandbox::new();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    sandbox.run(&["csr", "a.example"]).expect(0);
    let document = sandbox.run(&["status", "--json"]).expect(1).json();
    let stream = sandbox
        .run(&["status", ".", "--jsonl"])
        .expect(0)
        .json_lines();
    for document in [&document, stream.last().unwrap()] {
        assert_eq!(document["machine"]["hostname"], kernel.trim_end());
        assert_eq!(document["machine"]["version"], env!("CARGO_PKG_VERSION"));
    }
}
