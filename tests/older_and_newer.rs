//! Certificates of different age, and several in one run: which one is installed, and the advice for
//! a server that still has an old one.
//! Needs: nginx, unshare, mount
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use support::any_server::ServerKind;
use support::ca::{Leaf, days, today};
use support::install_sandbox::{CHAIN, InstallSandbox, LINEAGE, codes, link};
use support::json::Json;
use support::namespace::is_root;
use support::nginx::write_config;
use support::site::Site;
use support::usual_server::with_usual_server;
use support::zip::zip;

/// A leaf that is valid from `from` until `until`, in days from today.
fn leaf(from: i64, until: i64) -> Leaf {
    Leaf {
        not_before: days(today(), from),
        not_after: days(today(), until),
        ..Leaf::default()
    }
}

/// Issues a certificate with these names for the request in the sandbox.
fn issue(setup: &InstallSandbox, names: &[&str], leaf: Leaf) -> String {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    let leaf = Leaf {
        names: Some(names),
        ..leaf
    };
    let request = setup.sandbox.read("example.com.csr");
    setup.ca.issue_as(&request, leaf)
}

#[test]
fn an_older_certificate_is_installed_only_if_that_is_allowed() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let install = |file: &str, leaf: Leaf, more: &[&str]| {
        setup.write_delivery_with(file, leaf);
        setup.install(file, &[&["--json"], more].concat())
    };
    install("new.crt", leaf(-10, 30), &[]).expect(0);
    let newest = sandbox.read(CHAIN);

    let refused = install("old.crt", leaf(-20, 20), &[]).expect(1).json();
    assert_eq!(refused["verdict"], "refused", "{refused}");
    assert!(codes(&refused).contains(&"ends-earlier"), "{refused}");
    assert_eq!(sandbox.read(CHAIN), newest);

    // One that was issued later may expire earlier, and one that was issued earlier may expire later.
    install("short.crt", leaf(-5, 20), &[]).expect(0);
    install("long.crt", leaf(-12, 28), &[]).expect(0);

    let allowed = install("old.crt", leaf(-20, 15), &["--allow", "ends-earlier"]);
    let allowed = allowed.expect(0).json();
    let finding = allowed["findings"].as_array().unwrap().iter();
    let finding = finding.clone().find(|one| one["code"] == "ends-earlier");
    assert_eq!(finding.unwrap()["severity"], "warning", "{allowed}");
    // Going back is what a rollback is for, in both directions.
    for _ in 0..2 {
        sandbox.run(&["rollback", "--root", "tree"]).expect(0);
    }
}

#[test]
fn sites_that_share_a_key_have_one_certificate_each() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("unused.crt");
    std::fs::remove_file(sandbox.join("unused.crt")).unwrap();
    let sent = |names: &[&str], leaf: Leaf| issue(&setup, names, leaf);
    let bundle = setup.ca.bundle_pem();
    let site = ["example.com", "www.example.com"];
    let archive = zip(&[
        ("shop.crt", sent(&["shop.example"], leaf(-1, 40))),
        ("old.crt", sent(&site, leaf(-30, 10))),
        ("site.crt", sent(&site, leaf(-1, 40))),
        ("ca-bundle.crt", bundle),
    ]);
    sandbox.write("both.zip", archive);
    let document = setup.install("both.zip", &["--json"]).expect(0).json();
    let certificates = document["certificates"].as_array().unwrap();
    let names: Vec<&str> = certificates
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["shop.example", "example.com"], "{document}");
    setup.served();
    // The newest of those with the same names.
    let expiry = days(today(), 40).to_string();
    for certificate in certificates {
        let not_after = certificate["not_after"].as_str().unwrap();
        assert!(not_after.starts_with(&expiry), "{document}");
    }
}

#[test]
fn the_zip_files_of_a_fleet_are_planned_in_one_run() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("unused.crt");
    std::fs::remove_file(sandbox.join("unused.crt")).unwrap();
    let bundle = setup.ca.bundle_pem();
    let mut args: Vec<String> = Vec::new();
    // Together they have more files than one delivery may have.
    for number in 0..510 {
        let name = format!("h{number}.example.com");
        let certificate = issue(&setup, &[&name], leaf(-1, 40));
        let archive = zip(&[("site.crt", &certificate), ("ca-bundle.crt", &bundle)]);
        sandbox.write(&format!("{name}.zip"), archive);
        args.push(format!("{name}.zip"));
    }
    let mut command = vec!["install", "--dry-run", "--json"];
    command.extend(["--root", "tree", "--trust", "root.pem"]);
    command.extend(args.iter().map(String::as_str));
    let document = sandbox.run(&command).expect(0).json();
    assert_eq!(document["certificates"].as_array().unwrap().len(), 510);
}

#[test]
fn versions_that_two_rollbacks_need_are_kept() {
    let site = InstallSandbox::new();
    site.write_delivery("first.crt");
    let sandbox = &site.sandbox;
    // Plain files of another tool, which the first install takes over.
    sandbox.write(CHAIN, sandbox.read("first.crt"));
    sandbox.write_key(
        support::install_sandbox::KEY,
        sandbox.read("example.com.key"),
    );
    let mut installed = Vec::new();
    for _ in 0..3 {
        site.renew_and_install(&[]).expect(0);
        installed.push(link(sandbox, &format!("{LINEAGE}/live")));
    }
    for expected in [&installed[1], &installed[0]] {
        sandbox.run(&["rollback", "--root", "tree"]).expect(0);
        assert_eq!(link(sandbox, &format!("{LINEAGE}/live")), *expected);
    }
}

/// Runs `script` while nginx serves tls/site.pem, with an empty /etc/ssl.
fn with_nginx(site: &Site, script: &str) -> Vec<Json> {
    let block = site.block("tls/site.pem", "tls/site.key");
    write_config(&site.folder(), &block);
    let head = "mount -t tmpfs -o mode=0755 tmpfs /etc/ssl; mkdir /etc/ssl/private empty 2>/dev/null || true";
    let run = with_usual_server(
        ServerKind::Nginx,
        &site.setup.sandbox,
        &site.folder(),
        &format!("{head}\n{script}"),
    );
    let documents = run.stdout.lines().filter(|line| line.starts_with('{'));
    let documents: Vec<Json> = documents.map(Json::parse).collect();
    assert!(!documents.is_empty(), "{run}");
    documents
}

#[test]
fn a_server_with_an_old_certificate_loads_the_newer_one_before_any_renewal() {
    if !is_root() {
        return;
    }
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    let write_pair = |stem: &str, leaf: Leaf| {
        site.setup.write_delivery_with("sent.crt", leaf);
        let sent = sandbox.read("sent.crt");
        let leaf = &sent[sent.rfind("-----BEGIN").unwrap()..];
        let chain = leaf.to_owned() + &site.setup.ca.intermediate_pem();
        sandbox.write(&format!("tls/{stem}.pem"), chain);
        sandbox.write_key(&format!("tls/{stem}.key"), sandbox.read("example.com.key"));
    };
    write_pair("site", leaf(-40, 4));
    site.setup.write_delivery_with("new.crt", leaf(-1, 44));

    // The newer one is installed at paths that nginx does not read.
    let script = format!(
        "certctl install new.crt --trust root.pem --server none >/dev/null
        rm example.com.key
        certctl status -C empty --json || true
        host=127.0.0.1:{}
        certctl verify $host -C empty --host example.com --trust root.pem --json || true
        certctl csr example.com www.example.com -C empty --dry-run --json || true
        certctl renew example.com -C empty --dry-run --json || true
        certctl install --check -C empty --json || true
        certctl install example.com --server nginx --json
        certctl status -C empty --json || true
        certctl csr example.com www.example.com -C empty --dry-run --json || true
        certctl renew example.com -C empty --dry-run --json || true
        certctl verify $host -C empty --host example.com --trust root.pem --json || true
        certctl install --check -C empty --json || true",
        site.port
    );
    let documents = with_nginx(&site, &script);
    let [
        status,
        verify,
        csr,
        renew,
        check,
        installed,
        status_after,
        after @ ..,
    ] = &documents[..]
    else {
        panic!("{documents:?}")
    };
    let rows = status["rows"].as_array().unwrap().iter();
    let served = rows.clone().find(|row| row["state"] == "served").unwrap();
    assert_eq!(served["verdict"], "due", "{status}");
    let load = "sudo certctl -C empty install example.com --server nginx";
    assert_eq!(served["next"][0]["command"], load, "{status}");
    assert!(!served.to_string().contains("certctl csr"), "{status}");
    for document in [csr, renew] {
        assert_eq!(document["next"][0]["command"], load, "{document}");
    }
    for document in [verify, check] {
        let first = &document["findings"][0];
        assert_eq!(first["code"], "newer-not-served", "{document}");
        assert_eq!(first["next"][0]["command"], load, "{document}");
    }
    assert_eq!(installed["verdict"], "live", "{installed}");
    assert_eq!(status_after["verdict"], "fine", "{status_after}");
    assert_eq!(after.len(), 4, "{after:?}");
    for document in after {
        assert!(
            !document.to_string().contains("newer-not-served"),
            "{document}"
        );
    }

    // The newer one has replaced the files, and nginx was not reloaded.
    std::fs::remove_dir_all(sandbox.join("tls")).unwrap();
    write_pair("site", leaf(-40, 4));
    write_pair("next", leaf(-1, 44));
    let script = format!(
        "mv tls/next.pem tls/site.pem; mv tls/next.key tls/site.key; rm example.com.key
        certctl status -C empty --json || true
        certctl verify 127.0.0.1:{} -C empty --host example.com --trust root.pem --json || true",
        site.port
    );
    let documents = with_nginx(&site, &script);
    let reload = "sudo nginx -t && sudo systemctl reload nginx";
    let first = &documents[1]["findings"][0]["next"][0]["command"];
    assert_eq!(*first, reload, "{}", documents[1]);
    let rows = documents[0]["rows"].as_array().unwrap();
    for row in rows {
        assert_eq!(row["next"][0]["command"], reload, "{}", documents[0]);
    }
    assert_eq!(rows.len(), 2, "{}", documents[0]);
}
