//! `certctl install --placeholder`: a server can start although the CA has not issued the certificate
//! that its configuration references. The certificate replaces the placeholder, and no rollback
//! restores the placeholder.
//! Needs: nginx haproxy
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::Run;
use support::external::external_program;
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, LINEAGE, codes, leftovers, mode};
use support::json::Json;
use support::nginx::write_config;
use support::site::Site;

fn install_placeholder(setup: &InstallSandbox, more: &[&str]) -> Run {
    let words = [
        "install",
        "--placeholder",
        "example.com",
        "www.example.com",
        "--root",
        "tree",
    ];
    setup.sandbox.run(&[&words[..], more].concat())
}

#[test]
fn a_certificate_replaces_the_placeholder_for_good() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let planned = install_placeholder(&setup, &["--dry-run", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&planned["verdict"], &planned["changed"]),
        (&"planned".into(), &false.into())
    );
    assert!(!sandbox.join("tree").exists());

    let run = install_placeholder(&setup, &["--json"]).expect(0).json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"files".into(), &true.into()),
        "{run}"
    );
    assert_eq!(codes(&run), ["placeholder"], "{run}");
    assert_eq!(
        run["settings"]["placeholder"],
        run["certificates"][0]["release"]
    );
    let (chain, _) = setup.served();
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 1);
    assert_eq!(mode(&sandbox.join(KEY)), 0o600);
    assert!(
        !sandbox.join(LINEAGE).join("proven").exists(),
        "a placeholder is never proven"
    );

    let before = setup.tree();
    let again = install_placeholder(&setup, &["--json"]).expect(0).json();
    assert_eq!(
        (&again["verdict"], &again["changed"]),
        (&"unchanged".into(), &false.into()),
        "{again}"
    );
    assert_eq!(setup.tree(), before);
    let check = sandbox
        .run(&["install", "--check", "--root", "tree", "--json"])
        .expect(1)
        .json();
    assert_eq!(codes(&check), ["placeholder"], "{check}");
    sandbox.run(&["rollback", "--root", "tree"]).expect(3);
    let planned = sandbox
        .run(&[
            "forget",
            "example.com",
            "--root",
            "tree",
            "--dry-run",
            "--json",
        ])
        .expect(0)
        .json();
    assert_eq!(
        (&planned["verdict"], codes(&planned)),
        (&"planned".into(), vec!["placeholder"]),
        "{planned}"
    );
    std::fs::create_dir(sandbox.join("empty")).unwrap();
    let alone = sandbox
        .run(&["install", "example.com", "-C", "empty", "--root", "tree"])
        .expect(3);
    assert!(
        alone.stderr.contains("only a placeholder for example.com")
            && alone.stderr.contains("certctl install --root tree"),
        "{alone}"
    );

    // A placeholder that expires within a day is replaced by a new one.
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 6 + 1)).to_string();
    let renewed = install_placeholder(&setup, &["--json", "--at", &soon])
        .expect(0)
        .json();
    assert_eq!(renewed["changed"], true, "{renewed}");

    let real = setup.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(real["verdict"], "files", "{real}");
    assert_eq!(setup.served().0.matches("BEGIN CERTIFICATE").count(), 2);
    let settings = Json::parse(&sandbox.read(&format!("{LINEAGE}/settings.json")));
    assert!(settings.get("placeholder").is_none(), "{settings}");
    sandbox.run(&["rollback", "--root", "tree"]).expect(3);
    sandbox
        .run(&["rollback", "--root", "tree", "--to", "2001-01-01"])
        .expect(3);
    sandbox
        .run(&["install", "--check", "--root", "tree"])
        .expect(0);
    assert!(leftovers(sandbox).is_empty());
}

#[test]
fn forget_removes_a_placeholder() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    install_placeholder(&setup, &[]).expect(0);
    let served = setup.served();
    let run = sandbox
        .run(&["forget", "example.com", "--root", "tree", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&run["verdict"], codes(&run)),
        (&"forgotten".into(), vec!["placeholder"]),
        "{run}"
    );
    assert_eq!(setup.served(), served);
    assert!(!sandbox.join(LINEAGE).exists());
    assert!(
        std::fs::symlink_metadata(sandbox.join(CHAIN))
            .unwrap()
            .is_file()
    );
    assert!(leftovers(sandbox).is_empty());
    setup.renew_and_install(&[]).expect(0);
}

#[test]
fn a_placeholder_never_replaces_files() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    for (path, text) in [(CHAIN, "the user's"), (KEY, "the user's")] {
        sandbox.write(path, text);
        let run = install_placeholder(&setup, &["--json"]).expect(1).json();
        assert_eq!(run["verdict"], "refused", "{run}");
        assert!(codes(&run).contains(&"path-taken"), "{run}");
        assert_eq!(sandbox.read(path), text);
        std::fs::remove_file(sandbox.join(path)).unwrap();
    }
    setup.renew_and_install(&[]).expect(0);
    let before = setup.tree();
    let run = install_placeholder(&setup, &["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "refused", "{run}");
    assert_eq!(setup.tree(), before);
    for words in [
        &["--placeholder"][..],
        &["--placeholder", "a..b"],
        &["--placeholder", "example.com", "--check"],
    ] {
        sandbox
            .run(&[&["install"], words, &["--root", "tree"]].concat())
            .expect(2);
    }
}

#[test]
fn nginx_starts_with_a_placeholder() {
    let site = Site::new();
    let block = site.block(CHAIN, KEY);
    let config = write_config(&site.folder(), &block).display().to_string();
    let test = || {
        external_program("nginx")
            .args(["-t", "-c", &config])
            .output()
            .unwrap()
    };
    assert!(!test().status.success(), "its files do not exist yet");
    let options = ["--server", "nginx", "--server-config", &config];
    let run = install_placeholder(&site.setup, &[&options[..], &["--json"]].concat())
        .expect(0)
        .json();
    assert_eq!(run["changed"], true, "{run}");
    let output = test();
    assert!(output.status.success(), "{output:?}");
    let _nginx = site.start(&block);
    site.assert_serves(CHAIN);
    let real = site.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(real["verdict"], "live", "{real}");
    site.assert_serves(CHAIN);
}

#[test]
fn a_file_that_haproxy_lacks_is_reported_with_the_options_that_install_it() {
    let setup = InstallSandbox::new();
    let path = setup
        .sandbox
        .join("tree/etc/haproxy/site.pem")
        .display()
        .to_string();
    let section = format!(
        "frontend f\n    bind 127.0.0.1:{} ssl crt {path}\n",
        support::nginx::free_port()
    );
    let config = support::haproxy::write_config(&setup.sandbox.join("haproxy"), &section)
        .display()
        .to_string();
    let server = ["--server", "haproxy", "--server-config", &config, "--json"];
    let run = install_placeholder(&setup, &server).expect(1).json();
    let flags = format!("--chain-path {path} --key-path {path}");
    let findings = run["findings"].as_array().unwrap();
    let broken = findings
        .iter()
        .find(|one| one["code"] == "server-config-broken")
        .unwrap_or_else(|| panic!("the broken configuration is not reported: {run}"));
    let next = broken["next"][0]["text"].as_str().unwrap();
    assert!(next.contains(&flags), "{run}");
    let flags = ["--chain-path", &path, "--key-path", &path];
    install_placeholder(&setup, &[&server[..], &flags].concat()).expect(0);
    assert!(
        setup
            .sandbox
            .read("tree/etc/haproxy/site.pem")
            .contains("PRIVATE KEY")
    );
    support::external::succeed(external_program("haproxy").args(["-c", "-f", &config]));
}

#[test]
fn one_name_stands_for_all_names_of_its_request() {
    let setup = InstallSandbox::new();
    setup
        .sandbox
        .run(&["csr", "example.com", "www.example.com", "shop.example.com"])
        .expect(0);
    let place = |more: &[&str]| {
        let words = [
            &["install", "--placeholder"],
            more,
            &["--root", "tree", "--dry-run"],
        ]
        .concat();
        let output = setup.sandbox.run(&words).expect(0).stdout;
        let (_, names) = output
            .split_once("placeholder for ")
            .expect("the names of the placeholder");
        names
            .split_once(", expires ")
            .expect("the expiry date")
            .0
            .to_owned()
    };
    assert_eq!(
        place(&["example.com"]),
        "example.com, www.example.com, shop.example.com"
    );
    assert_eq!(place(&["other.example.com"]), "other.example.com");
    assert_eq!(
        place(&["example.com", "www.example.com"]),
        "example.com, www.example.com"
    );
}
