//! `certctl install` and `rollback` with a real nginx: certificates that are served or not configured
//! yet, broken configurations, reloads that fail or have no effect, and a server that does not run.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use certctl::facade::probe::ProbeTarget;
use certctl::facade::system::tls::probe_all;
use support::install_sandbox::{CHAIN, KEY, LINEAGE, codes, key_matches_chain, link};
use support::nginx::{Nginx, free_port, write_config};
use support::site::Site;

#[test]
fn a_certificate_is_installed_replaced_and_rolled_back() {
    let site = Site::new();
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    let first = site.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(
        (&first["verdict"], &first["certificates"][0]["proof"]),
        (&"live".into(), &"live".into())
    );
    let probes = first["certificates"][0]["probes"].as_array().unwrap();
    assert_eq!(probes.len(), 2, "both names: {probes:?}");
    assert_eq!(probes[0]["sha256"], first["certificates"][0]["sha256"]);
    assert_eq!(probes[0]["protocol"], "TLS 1.3");
    site.assert_serves(CHAIN);
    let one = site.setup.served();

    let run = site.renew_and_install(&[]).expect(0);
    assert!(
        run.stdout.contains("both names, TLS 1.3, this certificate"),
        "{run}"
    );
    site.assert_serves(CHAIN);
    assert_ne!(site.setup.served(), one);
    let run = site.setup.install("new.crt", &["--json"]).expect(0).json();
    assert_eq!(
        (&run["verdict"], &run["certificates"][0]["proof"]),
        (&"unchanged".into(), &"live".into())
    );

    site.setup
        .sandbox
        .run(&["rollback", "--root", "tree"])
        .expect(0);
    assert_eq!(site.setup.served(), one);
    site.assert_serves(CHAIN);
}

#[test]
fn the_lines_to_add_are_printed_when_no_block_answers() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    let plain = format!(
        "server {{ listen 127.0.0.1:{}; server_name example.com; location / {{ proxy_pass http://127.0.0.1:9; }} }}",
        free_port()
    );
    let nginx = site.start(&plain);
    let before = names_in(sandbox.path());
    let planned = site
        .renew_and_install(&["--dry-run", "--json"])
        .expect(0)
        .json();
    assert!(
        planned["next"].to_string().contains("ssl_certificate_key"),
        "{planned}"
    );
    let config = nginx.config().display().to_string();
    let options = ["--server", "nginx", "--server-config", &config, "--dry-run"];
    let shown = site.setup.install("new.crt", &options).expect(0);
    assert!(
        shown.stdout.contains("would end with exit code 1"),
        "{shown}"
    );
    let run = site
        .setup
        .install(
            "new.crt",
            &[
                "--server",
                "nginx",
                "--server-config",
                &nginx.config().display().to_string(),
                "--json",
            ],
        )
        .expect(1)
        .json();
    assert_eq!(run["verdict"], "not-served");
    assert!(codes(&run).contains(&"not-served"), "{run}");
    site.setup.served();
    assert!(
        sandbox
            .join(&format!("{LINEAGE}/proven"))
            .symlink_metadata()
            .is_err()
    );
    let text = run["next"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("add these lines to the server block at") && text.contains("nginx.conf:"),
        "{run}"
    );
    let lines = run["next"][0]["lines"].as_array().unwrap();
    let lines: Vec<&str> = lines.iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(lines[0], "listen 127.0.0.1:443 ssl;");
    assert!(
        lines[1].contains(&sandbox.join(CHAIN).display().to_string()),
        "{run}"
    );
    assert!(
        run["next"][1]
            .to_string()
            .contains("certctl install example.com"),
        "{run}"
    );
    let mut after = names_in(sandbox.path());
    after.retain(|name| !before.contains(name));
    assert_eq!(
        after,
        ["example.com.csr", "example.com.key", "new.crt", "tree"],
        "no block is written"
    );

    // With these lines, at a port that is free here, the site is live.
    let added = lines.join("\n").replace(":443", &format!(":{}", site.port));
    nginx.rewrite(&plain.replace("server_name", &format!("{added}\nserver_name")));
    let run = site.setup.install("new.crt", &["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live");
    assert_eq!(
        link(sandbox, &format!("{LINEAGE}/proven")),
        link(sandbox, &format!("{LINEAGE}/live"))
    );
}

/// Returns the names of the entries of a folder, sorted.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn plain_files_that_the_configuration_names_are_adopted() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    let (chain, key) = ("tree/etc/ssl/your_site.crt", "tree/etc/ssl/your_site.key");
    site.setup.write_delivery("old.crt");
    let leaf = sandbox.read("old.crt");
    let (bundle, leaf) = leaf.split_at(leaf.rfind("-----BEGIN").unwrap());
    sandbox.write(chain, leaf.to_owned() + bundle);
    sandbox.write(key, sandbox.read("example.com.key"));
    let _nginx = site.start(&site.block(chain, key));
    let old = sandbox.read(key);

    let run = site.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live");
    assert!(
        run["certificates"][0]["key_path"]
            .as_str()
            .unwrap()
            .ends_with("your_site.key")
    );
    assert!(key_matches_chain(sandbox, chain, key));
    site.assert_serves(chain);
    sandbox.run(&["rollback", "--root", "tree"]).expect(0);
    assert_eq!(sandbox.read(key), old);
    site.assert_serves(chain);
}

#[test]
fn files_that_nginx_loads_stay_when_the_first_verification_fails() {
    let site = Site::new();
    let nginx = site.start("");
    site.renew_and_install(&[]).expect(1);
    let files = site.setup.served();
    nginx.rewrite(&site.block(CHAIN, KEY));
    let test = || {
        let config = nginx.config().display().to_string();
        std::process::Command::new("nginx")
            .args(["-t", "-c", &config])
            .status()
            .unwrap()
            .success()
    };
    assert!(test());
    // nginx does not listen there yet, and this reload has no effect.
    let run = site
        .setup
        .install("new.crt", &["--reload", "true", "--json"])
        .expect(1)
        .json();
    assert_eq!(run["verdict"], "not-served");
    assert!(
        codes(&run).contains(&"no-previous-version") && run.to_string().contains("nginx.conf:"),
        "{run}"
    );
    assert_eq!(site.setup.served(), files);
    assert!(test(), "nginx can still start");
}

#[test]
fn first_files_that_nginx_has_loaded_stay_and_are_reported() {
    let site = Site::new();
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    let run = site
        .renew_and_install(&["--probe", "127.0.0.1:1", "--json"])
        .expect(6)
        .json();
    assert!(codes(&run).contains(&"no-previous-version"), "{run}");
    assert_eq!(run["changed"], true);
    site.setup.served();
    site.assert_serves(CHAIN);
    // The next certificate is rolled back: the previous one was verified live.
    let first = site.setup.install(
        "new.crt",
        &["--probe", &format!("127.0.0.1:{}", site.port), "--json"],
    );
    first.expect(0);
    let run = site
        .renew_and_install(&["--probe", "127.0.0.1:1", "--json"])
        .expect(5)
        .json();
    assert_eq!(run["verdict"], "rolled-back");
    site.assert_serves(CHAIN);
}

#[test]
fn a_key_that_certctl_cannot_read_is_restored() {
    for kind in ["encrypted", "curve"] {
        let site = Site::new();
        let sandbox = &site.setup.sandbox;
        let openssl = |line: &str| {
            let status = std::process::Command::new("openssl")
                .args(line.split(' '))
                .current_dir(sandbox.path())
                .status();
            assert!(status.unwrap().success(), "openssl {line}");
        };
        sandbox.write(CHAIN, "");
        sandbox.write(KEY, "");
        sandbox.write("password", "secret\n");
        match kind {
            "encrypted" => {
                site.setup.write_delivery("old.crt");
                sandbox.write(CHAIN, site.setup.ca.issue(&sandbox.read("example.com.csr")));
                openssl(&format!(
                    "pkcs8 -topk8 -in example.com.key -out {KEY} -passout pass:secret"
                ));
            }
            _ => {
                openssl(&format!(
                    "ecparam -name brainpoolP256r1 -genkey -noout -out {KEY}"
                ));
                openssl(&format!(
                    "req -x509 -key {KEY} -subj /CN=example.com -addext subjectAltName=DNS:example.com -out {CHAIN}"
                ));
            }
        }
        let old = (sandbox.read(CHAIN), sandbox.read(KEY));
        let password = format!("ssl_password_file {};", sandbox.join("password").display());
        let _nginx = site.start(&format!("{password}\n{}", site.block(CHAIN, KEY)));

        let run = site
            .renew_and_install(&["--test", "false", "--json"])
            .expect(1)
            .json();
        assert_eq!(run["verdict"], "refused", "{kind}");
        let run = site.renew_and_install(&["--reload", "false", "--json"]);
        // certctl cannot complete a handshake with a key on that curve; it reads the old certificate
        // in the clear. The reload fails during the rollback, too.
        let run = run.expect(6).json();
        assert_eq!(
            (sandbox.read(CHAIN), sandbox.read(KEY)),
            old,
            "{kind}: {run}"
        );
        let run = site.renew_and_install(&["--json"]).expect(0).json();
        assert_eq!(run["verdict"], "live");
        assert!(
            run["certificates"][0]["plan"]["back"]["to"]
                .as_str()
                .is_some(),
            "{run}"
        );
        if kind == "encrypted" {
            sandbox
                .run(&["rollback", "--root", "tree", "--json"])
                .expect(0);
            assert_eq!((sandbox.read(CHAIN), sandbox.read(KEY)), old);
        }
    }
}

#[test]
fn a_configuration_with_another_error_is_not_changed() {
    let site = Site::new();
    let nginx =
        site.start(&"server { listen 127.0.0.1:1; }".replace(":1;", &format!(":{};", free_port())));
    nginx.rewrite(&(site.block(CHAIN, KEY) + "\nno_such_directive on;"));
    let run = site.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "refused");
    assert!(
        run["findings"].to_string().contains("no_such_directive"),
        "{run}"
    );
    assert!(!site.setup.sandbox.join("tree").exists());
    // The server's error, and one line that tests again and then continues.
    let text = site.renew_and_install(&[]).expect(1).stdout;
    assert_eq!(text.matches("\nnext ").count(), 1, "{text}");
    assert!(text.contains(" && certctl install "), "{text}");
}

#[test]
fn a_reload_without_effect_is_detected_and_rolled_back() {
    let site = Site::new();
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    site.renew_and_install(&[]).expect(0);
    let first = site.setup.served();
    let run = site
        .renew_and_install(&["--reload", "true", "--json"])
        .expect(5)
        .json();
    assert_eq!(run["verdict"], "rolled-back");
    assert!(codes(&run).contains(&"reload-no-effect"), "{run}");
    assert_eq!(site.setup.served(), first);
    site.assert_serves(CHAIN);
}

#[test]
fn a_reload_that_fails_during_the_rollback_is_reported() {
    let site = Site::new();
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    site.renew_and_install(&[]).expect(0);
    let first = site.setup.served();
    let run = site
        .renew_and_install(&["--reload", "false", "--json"])
        .expect(6)
        .json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"rollback-failed".into(), &false.into())
    );
    assert!(codes(&run).contains(&"reload-failed"), "{run}");
    assert_eq!(
        run["rolled_back"]["left"].as_array().unwrap().len(),
        1,
        "the reload is listed: {run}"
    );
    assert_eq!(site.setup.served(), first);
    site.assert_serves(CHAIN);
    // The reload command of a failed install is not stored.
    site.renew_and_install(&[]).expect(0);
}

#[test]
fn a_failed_rollback_to_the_proven_version_keeps_it() {
    let site = Site::new();
    let reload = site.setup.sandbox.join("reload");
    let write_reload = |script: String| site.setup.sandbox.write("reload", format!("{script}\n"));
    write_reload(format!(
        "nginx -s reload -c {}",
        site.folder().join("nginx.conf").display()
    ));
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    site.renew_and_install(&["--reload", &format!("sh {}", reload.display())])
        .expect(0);
    let first = site.setup.served();
    drop(nginx);
    site.renew_and_install(&[]).expect(1);
    let _nginx = site.start(&site.block(CHAIN, KEY));
    write_reload("exit 1".to_owned());
    let run = site
        .setup
        .sandbox
        .run(&["rollback", "example.com", "--root", "tree", "--json"])
        .expect(6)
        .json();
    assert!(codes(&run).contains(&"no-previous-version"), "{run}");
    assert_eq!(site.setup.served(), first);
}

#[test]
fn the_next_step_starts_a_server_that_does_not_run() {
    let site = Site::new();
    write_config(&site.folder(), &site.block(CHAIN, KEY));
    let run = site.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "not-served");
    assert!(codes(&run).contains(&"server-not-running"), "{run}");
    assert!(
        run["next"][0]["command"]
            .as_str()
            .unwrap()
            .contains("nginx -c"),
        "{run}"
    );
    site.setup.served();
    // After its start it serves the installed files, and the next install verifies them.
    let _nginx = site.start(&site.block(CHAIN, KEY));
    assert_eq!(
        site.setup.install("new.crt", &["--json"]).expect(0).json()["verdict"],
        "live"
    );
}

#[test]
fn a_broken_certificate_is_never_restored() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    site.setup.write_delivery("old.crt");
    sandbox.write(KEY, sandbox.read("example.com.key"));
    site.setup.write_delivery("other.crt");
    sandbox.write(CHAIN, site.setup.ca.issue(&sandbox.read("example.com.csr")));
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    let run = site
        .renew_and_install(&["--reload", "false", "--json"])
        .expect(6)
        .json();
    assert_eq!(run["verdict"], "rollback-failed");
    assert!(codes(&run).contains(&"previous-files-broken"), "{run}");
    site.setup.served();
    let reload = format!("nginx -s reload -c {}", nginx.config().display());
    let config = nginx.config().display().to_string();
    let again = site.setup.install(
        "new.crt",
        &[
            "--server",
            "nginx",
            "--server-config",
            &config,
            "--reload",
            &reload,
            "--json",
        ],
    );
    let again = again.expect(0).json();
    assert_eq!(again["verdict"], "live", "{again}");
    site.assert_serves(CHAIN);
}

#[test]
fn clients_see_no_failed_and_no_mixed_handshake() {
    let site = Site::new();
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    site.renew_and_install(&[]).expect(0);
    let stop = Arc::new(AtomicBool::new(false));
    let port = site.port;
    let client = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            let target = [ProbeTarget::new(
                ([127, 0, 0, 1], port).into(),
                "example.com",
            )];
            let mut handshakes = 0;
            while !stop.load(Ordering::Relaxed) {
                let answer = probe_all(&target, Duration::from_secs(20)).pop().unwrap();
                assert_eq!(answer.expect("a handshake").chain.len(), 2);
                handshakes += 1;
            }
            handshakes
        })
    };
    for _ in 0..3 {
        site.renew_and_install(&[]).expect(0);
    }
    stop.store(true, Ordering::Relaxed);
    assert!(client.join().unwrap() > 10);
}

#[test]
fn paths_outside_of_the_tree_are_not_adopted() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    site.setup.write_delivery("old.crt");
    let leaf = site.setup.ca.issue(&sandbox.read("example.com.csr"));
    sandbox.write(
        "elsewhere/site.crt",
        leaf + &site.setup.ca.intermediate_pem(),
    );
    sandbox.write("elsewhere/site.key", sandbox.read("example.com.key"));
    let _nginx = site.start(&site.block("elsewhere/site.crt", "elsewhere/site.key"));
    let before = sandbox.read("elsewhere/site.key");
    let run = site.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "not-served");
    assert!(codes(&run).contains(&"paths-not-adopted"), "{run}");
    assert_eq!(sandbox.read("elsewhere/site.key"), before);
    assert!(Path::new(&sandbox.join(CHAIN)).exists());
}

#[test]
fn other_servers_are_supported_by_commands_and_a_probe() {
    let site = Site::new();
    let config = site.folder().join("nginx.conf").display().to_string();
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    let (test, reload) = (
        format!("nginx -t -c {config}"),
        format!("nginx -s reload -c '{config}'"),
    );
    let common = [
        "--server", "none", "--test", &test, "--reload", &reload, "--json",
    ];
    // At first the test command fails, because the certificate that this run installs is missing.
    let first = site.setup.renew_and_install(
        &[
            &common[..],
            &["--probe", &format!("127.0.0.1:{}", site.port)],
        ]
        .concat(),
    );
    assert_eq!(first.expect(0).json()["verdict"], "live");
    site.assert_serves(CHAIN);
    let one = site.setup.served();

    // This reload has no effect: the probe sees the old certificate, which is restored.
    let run = site
        .setup
        .renew_and_install(&["--reload", "true", "--json"])
        .expect(5)
        .json();
    assert_eq!(run["verdict"], "rolled-back");
    assert_eq!(site.setup.served(), one);
}

#[test]
fn certctls_own_folder_is_not_a_path_to_adopt() {
    let site = Site::new();
    let nginx = site.start("");
    site.renew_and_install(&["--server", "none"]).expect(0);
    let inside = |file: &str| format!("{LINEAGE}/live/{file}");
    nginx.rewrite(&site.block(&inside("fullchain.pem"), &inside("key.pem")));
    let before = site.setup.tree();
    site.setup.write_delivery("new.crt");
    let config = nginx.config().display().to_string();
    let run = site.setup.install(
        "new.crt",
        &[
            "--server",
            "nginx",
            "--server-config",
            &config,
            "--dry-run",
            "--json",
        ],
    );
    let run = run.expect(0).json();
    assert!(codes(&run).contains(&"paths-not-adopted"), "{run}");
    assert!(
        run["certificates"][0]["chain_path"]
            .as_str()
            .unwrap()
            .ends_with(CHAIN),
        "{run}"
    );
    assert_eq!(site.setup.tree(), before);
}

#[test]
fn a_partial_reload_is_distinguished_from_one_without_effect() {
    let site = Site::new();
    let block = || {
        let two = format!(
            "listen 127.0.0.1:{0} ssl reuseport; listen 127.0.0.2:{0} ssl reuseport;",
            site.port
        );
        site.block(CHAIN, KEY)
            .replace(&format!("listen 127.0.0.1:{} ssl;", site.port), &two)
    };
    let nginx = site.start("");
    nginx.rewrite(&block());
    site.renew_and_install(&[]).expect(0);
    let first = site.setup.served();
    // Another nginx accepts half of the connections and is not reloaded.
    let _other = Nginx::start(&site.setup.sandbox.join("other"), &block());
    let run = site.renew_and_install(&["--json"]).expect(5).json();
    assert_eq!(run["verdict"], "rolled-back", "{run}");
    assert!(codes(&run).contains(&"reload-partial"), "{run}");
    assert_eq!(site.setup.served(), first);
    site.assert_serves(CHAIN);
}
