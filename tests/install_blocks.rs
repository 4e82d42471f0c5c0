//! `certctl install` where nginx has further blocks: what does not count as installed, and which
//! paths are not adopted.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use support::install_sandbox::{CHAIN, KEY, codes};
use support::site::Site;

const OLD: (&str, &str) = ("outside/old.crt", "outside/old.key");
const A: (&str, &str) = ("tree/etc/ssl/a.crt", "tree/etc/ssl/a.key");
const B: (&str, &str) = ("tree/etc/ssl/b.crt", "tree/etc/ssl/b.key");

#[test]
fn a_first_block_with_another_certificate_is_not_served() {
    let site = Site::new();
    site.plain(OLD.0, OLD.1);
    let nginx = site.start("");
    nginx.rewrite(&format!(
        "{}\n{}",
        site.block(OLD.0, OLD.1),
        site.block(CHAIN, KEY)
    ));
    let run = site.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(
        (&run["verdict"], &run["certificates"][0]["proof"]),
        (&"not-served".into(), &"none".into()),
        "{run}"
    );
    let finding = run["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["code"] == "configured-elsewhere")
        .unwrap();
    let finding = finding.to_string();
    assert!(
        finding.contains("nginx.conf:")
            && finding.contains("change the certificate lines in ")
            && finding.contains("example.com.fullchain.pem"),
        "{finding}"
    );
    site.setup.served();
    assert!(!run["next"].as_array().unwrap().is_empty());
    let text = site.setup.install("new.crt", &[]).expect(1);
    assert!(!text.stdout.contains("done"), "{text}");

    nginx.rewrite(&site.block(CHAIN, KEY));
    assert_eq!(
        site.setup.install("new.crt", &["--json"]).expect(0).json()["verdict"],
        "live"
    );
}

#[test]
fn a_name_whose_block_keeps_another_certificate_leaves_the_install_incomplete() {
    let site = Site::new();
    site.plain(A.0, A.1);
    site.plain(B.0, B.1);
    let _nginx = site.start(&format!(
        "{}\n{}",
        site.block_for("example.com", A.0, A.1),
        site.block_for("www.example.com", B.0, B.1)
    ));
    let run = site.renew_and_install(&["--json"]).expect(7).json();
    assert_eq!(run["verdict"], "live-incomplete", "{run}");
    assert!(codes(&run).contains(&"other-certificate-served"), "{run}");
    assert_eq!(
        run["certificates"][0]["probes"][0]["sha256"],
        run["certificates"][0]["sha256"]
    );
}

#[test]
fn a_block_that_cannot_be_probed_is_not_served() {
    let site = Site::new();
    let nginx = site.start("");
    let socket = format!("unix:{}", site.folder().join("s").display());
    nginx.rewrite(
        &site
            .block(CHAIN, KEY)
            .replace(&format!("127.0.0.1:{}", site.port), &socket),
    );
    let run = site.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "not-served", "{run}");
    assert!(
        run["findings"].to_string().contains("--probe none"),
        "{run}"
    );
    let run = site
        .setup
        .install("new.crt", &["--probe", "none", "--json"])
        .expect(0)
        .json();
    assert_eq!(run["verdict"], "files", "{run}");
    assert!(codes(&run).contains(&"not-probed"), "{run}");
}

#[test]
fn options_are_stored_whenever_they_are_given() {
    let site = Site::new();
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    let unprobed = site
        .renew_and_install(&["--probe", "none", "--json"])
        .expect(0)
        .json();
    assert!(codes(&unprobed).contains(&"not-probed"), "{unprobed}");
    let at = format!("127.0.0.1:{}", site.port);
    let settings = || {
        site.setup
            .sandbox
            .read("tree/etc/ssl/certctl/example.com/settings.json")
    };
    assert!(
        !settings().contains("\"none\""),
        "`--probe none` is not stored: {}",
        settings()
    );
    let run = site.setup.install("new.crt", &["--json"]).expect(0).json();
    assert!(!codes(&run).contains(&"not-probed"), "probed again: {run}");
    assert_eq!(
        run["certificates"][0]["probes"][0]["sha256"], run["certificates"][0]["sha256"],
        "{run}"
    );
    let run = site
        .setup
        .install("new.crt", &["--probe", &at, "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"unchanged".into(), &false.into()),
        "{run}"
    );
    assert!(settings().contains(&at), "{}", settings());
    site.setup
        .install("new.crt", &["--test", "true", "--reload", "true"])
        .expect(0);
    assert!(
        settings().contains("\"reload\": \"true\""),
        "{}",
        settings()
    );
    site.setup
        .install(
            "new.crt",
            &["--test", "auto", "--reload", "auto", "--probe", "auto"],
        )
        .expect(0);
    assert!(
        !["\"reload\"", "\"test\"", "\"probe\""]
            .iter()
            .any(|word| settings().contains(word)),
        "`auto` removes stored options: {}",
        settings()
    );
    let run = site
        .renew_and_install(&["--reload", "true", "--json"])
        .expect(5)
        .json();
    assert_eq!(run["verdict"], "rolled-back");
    // A stored server that is no longer passed is reported.
    let run = site
        .setup
        .install("new.crt", &["--server", "none", "--json"])
        .expect(0)
        .json();
    assert!(codes(&run).contains(&"server-not-included"), "{run}");
}

#[test]
fn paths_of_blocks_with_regular_expressions_are_not_adopted() {
    let site = Site::new();
    site.plain(A.0, A.1);
    let before = site.setup.sandbox.read(A.0);
    let nginx = site.start(&format!(
        "{}\n{}",
        site.block(A.0, A.1),
        site.block_for("~^shop[.]", A.0, A.1)
    ));
    let run = site.renew_and_install(&["--json"]).expect(1).json();
    assert!(codes(&run).contains(&"paths-not-adopted"), "{run}");
    assert!(run["findings"].to_string().contains("~^shop[.]"), "{run}");
    assert_eq!(site.setup.sandbox.read(A.0), before);
    site.setup.served();

    // A block without a name serves every request.
    std::fs::remove_dir_all(site.setup.sandbox.join("tree/etc/ssl/certctl")).unwrap();
    nginx.rewrite(&format!(
        "{}\n{}",
        site.block(A.0, A.1),
        site.block_for("_", A.0, A.1)
    ));
    let run = site.renew_and_install(&["--json"]).expect(0).json();
    assert!(codes(&run).contains(&"names-not-covered"), "{run}");
}

#[test]
fn a_certificate_that_lacks_a_name_of_its_block_is_refused() {
    let site = Site::new();
    let names = "example.com www.example.com old.example.com";
    let nginx = site.start("");
    nginx.rewrite(&site.block_for(names, CHAIN, KEY));
    // A placeholder may lack names, and its names do not count as covered before.
    let config = nginx.config().display().to_string();
    let place = [
        "install",
        "--placeholder",
        "example.com",
        "--root",
        "tree",
        "--server",
        "nginx",
    ];
    let run = site
        .setup
        .sandbox
        .run(&[&place[..], &["--server-config", &config, "--json"]].concat())
        .expect(0)
        .json();
    assert!(codes(&run).contains(&"names-not-covered"), "{run}");
    let before = site.setup.tree();
    let run = site.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"refused".into(), &false.into()),
        "{run}"
    );
    let finding = run["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["code"] == "names-not-covered")
        .unwrap();
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .contains("old.example.com"),
        "{finding}"
    );
    assert_eq!(site.setup.tree(), before);
    site.renew_and_install(&["--allow", "names-not-covered"])
        .expect(0);
    // The current certificate lacks the name as well, so this is only a warning.
    let run = site.renew_and_install(&["--json"]).expect(0).json();
    assert!(codes(&run).contains(&"names-not-covered"), "{run}");
}

#[test]
fn a_certificate_that_loses_a_served_name_is_refused() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    site.renew_and_install(&[]).expect(0);
    let before = site.setup.tree();
    sandbox.run(&["csr", "example.com", "--force"]).expect(0);
    let leaf = site.setup.ca.issue(&sandbox.read("example.com.csr"));
    sandbox.write("less.crt", leaf + &site.setup.ca.bundle_pem());
    let run = site.setup.install("less.crt", &["--json"]).expect(1).json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"refused".into(), &false.into()),
        "{run}"
    );
    let findings = run["findings"].to_string();
    assert!(
        findings.contains("www.example.com")
            && findings.contains("server_name in")
            && findings.contains("nginx.conf:"),
        "{findings}"
    );
    assert_eq!(site.setup.tree(), before);

    nginx.rewrite(&site.block_for("example.com", CHAIN, KEY));
    site.setup.install("less.crt", &[]).expect(0);
    // The current certificate lacks the name as well.
    nginx.rewrite(&site.block(CHAIN, KEY));
    let run = site.setup.install("less.crt", &["--json"]).expect(0).json();
    assert!(codes(&run).contains(&"names-not-covered"), "{run}");
}

#[test]
fn files_behind_a_link_into_another_tools_folder_are_not_adopted() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    site.plain(
        "tree/etc/.acme.sh/example.com/f.cer",
        "tree/etc/.acme.sh/example.com/k.key",
    );
    std::fs::create_dir_all(sandbox.join("tree/etc/nginx")).unwrap();
    let (theirs, link) = (
        sandbox.join("tree/etc/.acme.sh/example.com"),
        sandbox.join("tree/etc/nginx/certs"),
    );
    std::os::unix::fs::symlink(theirs, link).unwrap();
    let before = sandbox.read("tree/etc/.acme.sh/example.com/k.key");
    let _nginx =
        site.start(&site.block("tree/etc/nginx/certs/f.cer", "tree/etc/nginx/certs/k.key"));
    let run = site.renew_and_install(&["--json"]).expect(1).json();
    assert!(codes(&run).contains(&"paths-not-adopted"), "{run}");
    assert!(run["findings"].to_string().contains("acme.sh"), "{run}");
    assert_eq!(sandbox.read("tree/etc/.acme.sh/example.com/k.key"), before);
}

#[test]
fn the_user_chooses_one_of_two_certificates_of_a_block() {
    let site = Site::new();
    site.plain(A.0, A.1);
    let path = |path: &str| site.setup.sandbox.join(path).display().to_string();
    let (chain, key) = (path(A.0), path(A.1));
    site.setup
        .sandbox
        .run(&[
            "csr",
            "example.com",
            "www.example.com",
            "--key-type",
            "rsa-2048",
        ])
        .expect(0);
    let leaf = site
        .setup
        .ca
        .issue(&site.setup.sandbox.read("example.com.rsa.csr"));
    site.setup
        .sandbox
        .write(B.0, leaf + &site.setup.ca.intermediate_pem());
    site.setup
        .sandbox
        .write(B.1, site.setup.sandbox.read("example.com.rsa.key"));
    let both = format!(
        "ssl_certificate {}; ssl_certificate_key {}; return",
        path(B.0),
        path(B.1)
    );
    let _nginx = site.start(&site.block(A.0, A.1).replace("return", &both));
    let run = site.renew_and_install(&["--json"]).expect(1).json();
    let line = format!("--chain-path {chain} --key-path {key}");
    assert!(run["findings"].to_string().contains(&line), "{run}");
    let run = site
        .setup
        .install("new.crt", &["--chain-path", &chain, "--key-path", &key])
        .expect(0);
    assert!(run.stdout.contains("live  "), "{run}");
}
