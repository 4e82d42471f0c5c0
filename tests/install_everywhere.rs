//! `certctl install` where the server answers for names of the certificate with other files, at an
//! address that no block of the certificate has: it is probed and reported, and nothing is rolled
//! back.
//! Needs: apache2 haproxy nginx
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::Run;
use support::apache::Apache;
use support::haproxy::Haproxy;
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, codes};
use support::json::Json;
use support::nginx::free_port;
use support::site::Site;

const OLD: (&str, &str) = ("outside/old.crt", "outside/old.key");
const BOTH: &str = "tree/etc/ssl/private/example.com.pem";
const OLD_BOTH: &str = "outside/old.pem";
const NAMES: &str = "example.com www.example.com";

/// Writes another certificate for the same names to `OLD` and `OLD_BOTH`.
fn write_old(setup: &InstallSandbox) {
    let sandbox = &setup.sandbox;
    sandbox
        .run(&["csr", "example.com", "www.example.com", "--force"])
        .expect(0);
    let leaf = setup.ca.issue(&sandbox.read("example.com.csr"));
    let (chain, key) = (
        leaf + &setup.ca.intermediate_pem(),
        sandbox.read("example.com.key"),
    );
    sandbox.write(OLD_BOTH, format!("{chain}{key}"));
    sandbox.write(OLD.0, chain);
    sandbox.write(OLD.1, key);
}

fn finding<'a>(run: &'a Json, code: &str) -> &'a Json {
    let findings = run["findings"].as_array().unwrap();
    let found = findings.iter().find(|one| one["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}: {run}"))
}

/// Asserts that the install is in use, and that `address` is reported with the lines to change in
/// `file`.
fn assert_incomplete(run: Run, address: &str, file: &str, line: &str) {
    let run = run.expect(7).json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"live-incomplete".into(), &true.into()),
        "{run}"
    );
    let found = finding(&run, "other-certificate-served");
    let message = found["message"].as_str().unwrap();
    assert!(
        found["severity"] == "error"
            && message.contains(address)
            && message.contains(&format!("{file}:"))
            && message.contains(", expires "),
        "{found}"
    );
    assert!(
        found["next"][0]["lines"].to_string().contains(line),
        "{found}"
    );
    let probes = run["certificates"][0]["probes"].as_array().unwrap();
    let ours = &run["certificates"][0]["sha256"];
    let serves_ours = |probe: &&Json| &probe["sha256"] == ours;
    let elsewhere = |probe: &&Json| probe["address"].as_str().unwrap().contains(address);
    assert!(probes.iter().any(|probe| serves_ours(&probe)), "{run}");
    assert!(
        probes
            .iter()
            .any(|probe| elsewhere(&probe) && !serves_ours(&probe)),
        "{run}"
    );
}

/// Asserts that the checks agree with what `install` reported.
fn assert_check_disagrees(setup: &InstallSandbox) {
    let check = setup
        .sandbox
        .run(&[
            "install",
            "--check",
            "example.com",
            "--root",
            "tree",
            "--json",
        ])
        .expect(1)
        .json();
    assert_eq!(check["verdict"], "not-served", "{check}");
    assert_eq!(codes(&check), ["other-certificate-served"], "{check}");
    let status = setup
        .sandbox
        .run(&["status", "example.com", "--root", "tree", "--json"])
        .expect(1)
        .json();
    assert!(
        status.to_string().contains("\"other-certificate-served\""),
        "{status}"
    );
}

#[test]
fn nginx_blocks_at_other_addresses_are_reported() {
    for (listen, names, address) in [
        ("[::1]:PORT", NAMES, "[::1]:PORT"),
        ("127.0.0.1:OTHER", NAMES, "127.0.0.1:OTHER"),
        (
            "127.0.0.1:OTHER",
            "*.example.com example.*",
            "127.0.0.1:OTHER",
        ),
        ("127.0.0.1:OTHER", "_", "127.0.0.1:OTHER"),
        ("127.0.0.1:OTHER", "~^(www[.])?(.+)$", "127.0.0.1:OTHER"),
        ("[::1]:PORT default_server", "\"\"", "[::1]:PORT"),
    ] {
        let site = Site::new();
        let other_port = free_port().to_string();
        let fill = |text: &str| {
            text.replace("PORT", &site.port.to_string())
                .replace("OTHER", &other_port)
        };
        write_old(&site.setup);
        let nginx = site.start("");
        let own = site.block(CHAIN, KEY);
        let at_other = |chain: &str, key: &str| {
            let block = site.block_for(names, chain, key);
            block.replace(&format!("127.0.0.1:{}", site.port), &fill(listen))
        };
        nginx.rewrite(&format!("{own}\n{}", at_other(OLD.0, OLD.1)));
        let address = fill(address);
        let chain_line = "example.com.fullchain.pem";
        for _ in 0..2 {
            let run = site.renew_and_install(&["--json"]);
            assert_incomplete(run, &address, "nginx.conf", chain_line);
            site.assert_serves(CHAIN);
        }
        assert_check_disagrees(&site.setup);
        let text = site.setup.install("new.crt", &[]).expect(7);
        assert!(
            text.stdout.contains("not every address serves it"),
            "{text}"
        );
        assert!(!text.stdout.contains("full chain"), "{text}");

        nginx.rewrite(&format!("{own}\n{}", at_other(CHAIN, KEY)));
        let run = site.renew_and_install(&["--json"]).expect(0).json();
        assert_eq!(run["verdict"], "live", "{run}");
    }
}

#[test]
fn a_name_with_a_block_of_its_own_is_reported() {
    let site = Site::new();
    write_old(&site.setup);
    let nginx = site.start("");
    nginx.rewrite(&format!(
        "{}\n{}",
        site.block_for("example.com", CHAIN, KEY),
        site.block_for("www.example.com", OLD.0, OLD.1)
    ));
    let address = format!("127.0.0.1:{}", site.port);
    let run = site.renew_and_install(&["--json"]);
    assert_incomplete(run, &address, "nginx.conf", "example.com.fullchain.pem");
    assert_check_disagrees(&site.setup);
    let allowed = ["--allow", "configured-elsewhere", "--json"];
    let run = site.setup.install("new.crt", &allowed).expect(0).json();
    assert_eq!(finding(&run, "configured-elsewhere")["severity"], "warning");
}

#[test]
fn a_failed_reload_is_rolled_back_whatever_other_blocks_serve() {
    let site = Site::new();
    write_old(&site.setup);
    let nginx = site.start("");
    let other = site.block(OLD.0, OLD.1);
    let other = other.replace("127.0.0.1:", "[::1]:");
    nginx.rewrite(&format!("{}\n{other}", site.block(CHAIN, KEY)));
    site.renew_and_install(&[]).expect(7);
    let before = site.setup.served();
    let run = site
        .renew_and_install(&["--reload", "true", "--json"])
        .expect(5)
        .json();
    assert_eq!(run["verdict"], "rolled-back", "{run}");
    assert_eq!(site.setup.served(), before);
}

#[test]
fn another_block_that_reads_the_same_certificate_is_no_fault() {
    let site = Site::new();
    let nginx = site.start("");
    let sandbox = &site.setup.sandbox;
    std::fs::create_dir_all(sandbox.join("outside")).unwrap();
    for (path, link) in [(CHAIN, OLD.0), (KEY, OLD.1)] {
        std::os::unix::fs::symlink(sandbox.join(path), sandbox.join(link)).unwrap();
    }
    let other = site.block(OLD.0, OLD.1);
    let other = other.replace("127.0.0.1:", "[::1]:");
    nginx.rewrite(&format!("{}\n{other}", site.block(CHAIN, KEY)));
    let run = site.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}");
    assert!(
        run["certificates"][0]["probes"]
            .to_string()
            .contains("[::1]")
    );
}

#[test]
fn unrelated_sites_at_other_addresses_are_not_reported() {
    let site = Site::new();
    write_old(&site.setup);
    let nginx = site.start("");
    let other = site.block_for("other.example", OLD.0, OLD.1);
    let other = other.replace("127.0.0.1:", "[::1]:");
    nginx.rewrite(&format!("{}\n{other}", site.block(CHAIN, KEY)));
    let run = site.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}");
}

#[test]
fn files_outside_of_the_tree_are_not_adopted_where_a_catch_all_answers() {
    let site = Site::new();
    write_old(&site.setup);
    for names in ["_", "~^(www[.])?(.+)$", "\"\""] {
        let _nginx = site.start(&site.block_for(names, OLD.0, OLD.1));
        let run = site.renew_and_install(&["--json"]).expect(1).json();
        assert_eq!(run["verdict"], "not-served", "{run}");
        let found = finding(&run, "paths-not-adopted");
        assert!(
            found["next"][0]["lines"]
                .to_string()
                .contains("example.com.fullchain.pem"),
            "{found}"
        );
        let next = run["next"].as_array().unwrap();
        assert!(
            next.iter().all(|step| step.get("lines").is_none()),
            "no second block: {run}"
        );
    }
}

/// Returns an Apache host with TLS; `names` are its further lines.
fn apache_host(setup: &InstallSandbox, address: &str, names: &str, files: (&str, &str)) -> String {
    let path = |path: &str| setup.sandbox.join(path).display().to_string();
    format!(
        "<VirtualHost {address}>\n{names}\nSSLEngine on\nSSLCertificateFile {}\n\
         SSLCertificateKeyFile {}\n</VirtualHost>\n",
        path(files.0),
        path(files.1)
    )
}

#[test]
fn apache_hosts_at_other_addresses_are_reported() {
    const ALL: &str = "ServerName example.com\nServerAlias www.example.com";
    for (address, own_names, other_names) in [
        ("[::1]:PORT", ALL, ALL),
        ("127.0.0.1:OTHER", ALL, ALL),
        ("127.0.0.1:OTHER", ALL, "ServerAdmin webmaster@localhost"),
        (
            "127.0.0.1:OTHER",
            ALL,
            "ServerName x.example\nServerAlias *.com",
        ),
        (
            "127.0.0.1:PORT",
            "ServerName example.com",
            "ServerName www.example.com",
        ),
    ] {
        let setup = InstallSandbox::new();
        write_old(&setup);
        let (port, other_port) = (free_port().to_string(), free_port().to_string());
        let address = address.replace("PORT", &port).replace("OTHER", &other_port);
        let folder = setup.sandbox.join("apache");
        let mut listens = format!("Listen 127.0.0.1:{port}\n");
        if address != format!("127.0.0.1:{port}") {
            listens.push_str(&format!("Listen {address}\n"));
        }
        let apache = Apache::start(&folder, &listens);
        let own = apache_host(
            &setup,
            &format!("127.0.0.1:{port}"),
            own_names,
            (CHAIN, KEY),
        );
        let other = apache_host(&setup, &address, other_names, OLD);
        apache.rewrite(&format!("{listens}{own}{other}"));
        let config = apache.config().display().to_string();
        let flags = ["--server", "apache", "--server-config", &config, "--json"];
        assert_incomplete(
            setup.renew_and_install(&flags),
            &address,
            "apache2.conf",
            "fullchain.pem",
        );
        assert_check_disagrees(&setup);
    }
}

#[test]
fn haproxy_binds_at_other_addresses_are_reported() {
    for (bind, own_words, other_words) in [
        ("[::1]:PORT", "crt OWN", "crt OLD"),
        ("127.0.0.1:OTHER", "crt OWN", "crt OLD"),
        ("127.0.0.1:OTHER", "crt OWN", "crt OLD strict-sni"),
    ] {
        let setup = InstallSandbox::new();
        write_old(&setup);
        let (port, other_port) = (free_port().to_string(), free_port().to_string());
        let address = bind.replace("PORT", &port).replace("OTHER", &other_port);
        let fill = |words: &str| {
            let path = |path: &str| setup.sandbox.join(path).display().to_string();
            words
                .replace("OWN", &path(BOTH))
                .replace("OLD", &path(OLD_BOTH))
        };
        let plain = format!("frontend f\n    bind 127.0.0.1:{}\n", free_port());
        let haproxy = Haproxy::start(&setup.sandbox.join("haproxy"), &plain);
        haproxy.rewrite(&format!(
            "frontend f\n    bind 127.0.0.1:{port} ssl {}\n    bind {address} ssl {}\n    \
             http-request return status 204\n",
            fill(own_words),
            fill(other_words)
        ));
        let config = haproxy.config().display().to_string();
        let flags = ["--server", "haproxy", "--server-config", &config, "--json"];
        assert_incomplete(
            setup.renew_and_install(&flags),
            &address,
            "haproxy.cfg",
            "example.com.pem",
        );
        assert_check_disagrees(&setup);
    }
}
