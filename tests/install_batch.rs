//! Several certificates in one `certctl install`, without a server and with the real nginx.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::fs::PermissionsExt;

use certctl::facade::probe::ProbeTarget;
use certctl::facade::system::tls::probe_all;
use support::Sandbox;
use support::ca::{Leaf, days, today};
use support::install_sandbox::{InstallSandbox, codes, key_matches_chain, link};
use support::json::Json;
use support::nginx::{Nginx, free_port};
use support::program::program;
use support::zip::zip;

const NAMES: [&str; 3] = ["a.example", "b.example", "c.example"];

/// Creates a new key and a certificate for each name, in `NAME.crt`.
fn write_delivery(setup: &InstallSandbox, names: &[&str]) {
    for name in names {
        setup.sandbox.run(&["csr", name, "--force"]).expect(0);
        let leaf = setup.ca.issue(&setup.sandbox.read(&format!("{name}.csr")));
        setup
            .sandbox
            .write(&format!("{name}.crt"), leaf + &setup.ca.bundle_pem());
    }
}

fn chain(name: &str) -> String {
    format!("tree/etc/ssl/{name}.fullchain.pem")
}

fn key(name: &str) -> String {
    format!("tree/etc/ssl/private/{name}.key")
}

fn live(sandbox: &Sandbox, name: &str) -> String {
    link(sandbox, &format!("tree/etc/ssl/certctl/{name}/live"))
}

fn proven(sandbox: &Sandbox, name: &str) -> String {
    link(sandbox, &format!("tree/etc/ssl/certctl/{name}/proven"))
}

fn verdicts(document: &Json) -> Vec<&str> {
    document["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["verdict"].as_str().unwrap())
        .collect()
}

#[test]
fn all_files_are_read_together_and_each_leaf_is_installed() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    write_delivery(&setup, &NAMES);
    let common = ["--root", "tree", "--trust", "root.pem", "--json"];
    let files = NAMES.map(|name| format!("{name}.crt"));
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let args = [&["install"], &files[..], &common[..]].concat();
    let planned = sandbox
        .run(&[&args[..], &["--dry-run"]].concat())
        .expect(0)
        .json();
    assert_eq!(verdicts(&planned), ["planned"; 3]);
    assert!(!sandbox.join("tree").exists());
    let run = sandbox.run(&args).expect(0).json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"files".into(), &true.into()),
        "{run}"
    );
    assert_eq!(verdicts(&run), ["files"; 3]);
    for name in NAMES {
        assert!(key_matches_chain(sandbox, &chain(name), &key(name)));
        assert_eq!(live(sandbox, name), proven(sandbox, name));
    }
    let again = sandbox.run(&args).expect(0).json();
    assert_eq!(
        (&again["verdict"], &again["changed"]),
        (&"unchanged".into(), &false.into())
    );
    sandbox
        .run(&[&args[..], &["--cert-name", "x"]].concat())
        .expect(2);
}

#[test]
fn without_arguments_new_certificates_in_the_folder_are_installed() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    write_delivery(&setup, &NAMES);
    let args = ["install", "--root", "tree", "--trust", "root.pem"];
    let run = sandbox.run(&args).expect(0);
    assert!(run.stdout.contains("3 certificates: 3 files"), "{run}");
    let before = live(sandbox, "a.example");
    write_delivery(&setup, &["b.example"]);
    let run = sandbox
        .run(&[&args[..], &["--json"]].concat())
        .expect(0)
        .json();
    assert_eq!(
        run["certificates"].as_array().unwrap().len(),
        1,
        "only the new certificate is installed: {run}"
    );
    assert_eq!(run["certificates"][0]["name"], "b.example");
    assert_eq!(live(sandbox, "a.example"), before);
    let back = &run["undo"][0]["argv"];
    assert_eq!(
        back.as_array().unwrap()[..3],
        ["certctl", "rollback", "b.example"],
        "{run}"
    );
    // All of them are live now.
    let run = sandbox
        .run(&[&args[..], &["--json"]].concat())
        .expect(0)
        .json();
    assert_eq!(run["verdict"], "unchanged");
    // A name selects the installed certificate.
    let run = sandbox
        .run(&[
            "install",
            "a.example",
            "c.example",
            "--root",
            "tree",
            "--json",
        ])
        .expect(0)
        .json();
    assert_eq!(verdicts(&run), ["unchanged"; 2]);
    // One command rolls back all replaced certificates.
    write_delivery(&setup, &["a.example", "c.example"]);
    let run = sandbox.run(&args).expect(0);
    let mut lines = run.stdout.lines();
    assert!(
        lines.any(|line| line == "undo    Restore the previous certificates:"),
        "{run}"
    );
    let line = lines.next().unwrap().trim_start();
    assert_eq!(
        line,
        "for name in a.example c.example; do certctl rollback \"$name\" --root tree; done"
    );
    let certctl = program();
    let line = line.replace("certctl", certctl);
    let mut shell = std::process::Command::new("sh");
    assert!(
        shell
            .args(["-ec", &line])
            .current_dir(sandbox.path())
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(live(sandbox, "a.example"), before);
}

/// The user copies the zip file into the folder of the key, where the zip file of the previous term
/// may still exist.
#[test]
fn without_arguments_the_newest_archive_for_a_key_here_is_installed() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox.run(&["csr", "a.example"]).expect(0);
    let request = sandbox.read("a.example.csr");
    let bundle = setup.ca.bundle_pem();
    let ends_soon = Leaf {
        not_after: days(today(), 20),
        ..Leaf::default()
    };
    let first = setup.ca.issue_as(&request, ends_soon);
    sandbox.write(
        "a_example.zip",
        zip(&[("leaf.crt", &first), ("ca.crt", &bundle)]),
    );
    let elsewhere = Sandbox::new();
    elsewhere.run(&["csr", "b.example"]).expect(0);
    let other = setup.ca.issue(&elsewhere.read("b.example.csr"));
    sandbox.write("other.zip", zip(&[("other.crt", &other)]));
    sandbox.write("other.crt", &other);
    sandbox.write("damaged.zip", b"PK\x03\x04 and nothing that follows");
    let args = ["install", "--root", "tree", "--trust", "root.pem", "--json"];
    let run = sandbox.run(&args).expect(0).json();
    assert_eq!(run["certificates"].as_array().unwrap().len(), 1, "{run}");
    assert_eq!(run["certificates"][0]["name"], "a.example", "{run}");
    let before = live(sandbox, "a.example");

    let second = setup.ca.issue(&request);
    let files = [("leaf.crt", &second), ("ca.crt", &bundle)];
    sandbox.write("a_example (1).zip", zip(&files));
    let run = sandbox.run(&args).expect(0).json();
    assert_eq!(run["changed"], true, "{run}");
    assert_ne!(live(sandbox, "a.example"), before, "{run}");
    let run = sandbox.run(&args).expect(0).json();
    assert_eq!(run["verdict"], "unchanged", "{run}");
}

/// A certificate in the folder is never denied because its key is lost or was replaced.
#[test]
fn without_arguments_an_archive_without_its_key_is_named() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox.run(&["csr", "a.example"]).expect(0);
    let leaf = setup.ca.issue(&sandbox.read("a.example.csr"));
    let files = [("leaf.crt", &leaf), ("ca.crt", &setup.ca.bundle_pem())];
    sandbox.write("lost.zip", zip(&files));
    let install = |more: &[&str]| {
        let words = ["install", "--root", "tree", "--trust", "root.pem"];
        sandbox.run(&[&words[..], more].concat())
    };
    std::fs::create_dir(sandbox.join("tree")).unwrap();
    for replaced in [false, true] {
        for file in ["a.example.key", "a.example.csr"] {
            let _ = std::fs::remove_file(sandbox.join(file));
        }
        if replaced {
            sandbox.run(&["csr", "a.example"]).expect(0);
        }
        let passed = install(&["lost.zip"]).expect(1);
        let unnamed = install(&[]).expect(1);
        // A step that repeats the command repeats it as it was typed.
        let expected = passed.stdout.replace(" lost.zip --key none", " --key none");
        assert_eq!(unnamed.stdout, expected);
        assert_eq!(unnamed.stderr, passed.stderr);
        let text = unnamed.to_string();
        assert!(!text.contains("no server certificate"), "{text}");
    }
}

#[test]
fn the_key_beside_a_file_is_found_from_any_folder() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    for folder in ["certs", "elsewhere"] {
        std::fs::create_dir(sandbox.join(folder)).unwrap();
    }
    sandbox.run(&["-C", "certs", "csr", "a.example"]).expect(0);
    let leaf = setup.ca.issue(&sandbox.read("certs/a.example.csr"));
    let files = [("leaf.crt", &leaf), ("ca.crt", &setup.ca.bundle_pem())];
    sandbox.write("certs/a_example.zip", zip(&files));
    let words = ["-C", "elsewhere", "--root", "tree", "install", "--trust"];
    let run = sandbox.run(&[&words[..], &["root.pem", "certs/a_example.zip"]].concat());
    run.expect(0);
    assert!(key_matches_chain(
        sandbox,
        &chain("a.example"),
        &key("a.example")
    ));
}

#[test]
fn a_folder_is_read_as_the_working_directory_is() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    std::fs::create_dir(sandbox.join("certs")).unwrap();
    let at = |name: &str| sandbox.join(&format!("certs/{name}"));
    for (days_left, stem) in [(200, "a.example-2"), (100, "a.example")] {
        sandbox.run(&["-C", "certs", "csr", "a.example"]).expect(0);
        let properties = Leaf {
            not_after: days(today(), days_left),
            ..Leaf::default()
        };
        let request = sandbox.read("certs/a.example.csr");
        let leaf = setup.ca.issue_as(&request, properties);
        let bundle = leaf + &setup.ca.bundle_pem();
        sandbox.write(&format!("certs/{stem}.crt"), bundle);
        for ending in ["key", "csr"] {
            let from = at(&format!("a.example.{ending}"));
            std::fs::rename(from, at(&format!("{stem}.{ending}"))).unwrap();
        }
    }
    let words = ["install", "certs", "--root", "tree", "--trust", "root.pem"];
    let document = sandbox.run(&[&words[..], &["--json"]].concat());
    let document = document.expect(0).json();
    let installed = document["certificates"].as_array().unwrap();
    assert_eq!(installed.len(), 1, "{document}");
    let expiry = installed[0]["not_after"].as_str().unwrap();
    assert!(
        expiry.starts_with(&days(today(), 200).to_string()),
        "{document}"
    );
}

#[test]
fn an_empty_folder_is_named_with_the_folders_of_known_requests() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    write_delivery(&setup, &["a.example"]);
    let words = ["install", "a.example.crt", "--root", "tree"];
    let run = sandbox.run(&[&words[..], &["--trust", "root.pem"]].concat());
    run.expect(0);
    let empty = Sandbox::new();
    let tree = sandbox.join("tree").display().to_string();
    let folder = sandbox.path().display().to_string();
    for verb in ["install", "dcv-check"] {
        let run = empty.run(&[verb, "--root", &tree]).expect(3);
        assert!(run.stderr.contains("this folder is "), "{run}");
        let words = format!("certctl -C {folder} --root {tree} {verb}\n");
        assert!(run.stderr.contains(&words), "{run}");
    }
}

#[test]
fn a_refused_certificate_does_not_block_the_others() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    write_delivery(&setup, &NAMES);
    // A folder exists at the path of the link.
    std::fs::create_dir_all(sandbox.join(&chain("b.example"))).unwrap();
    let run = sandbox
        .run(&["install", "--root", "tree", "--trust", "root.pem", "--json"])
        .expect(1)
        .json();
    assert_eq!(run["verdict"], "refused");
    assert_eq!(verdicts(&run), ["files", "refused", "files"], "{run}");
    assert!(codes(&run).contains(&"path-taken"));
    assert!(key_matches_chain(
        sandbox,
        &chain("a.example"),
        &key("a.example")
    ));
    assert!(key_matches_chain(
        sandbox,
        &chain("c.example"),
        &key("c.example")
    ));
    assert!(!sandbox.join(&key("b.example")).exists());
}

/// Three sites of one nginx, and its test and reload through scripts that count.
struct Sites {
    setup: InstallSandbox,
    port: u16,
    _nginx: Nginx,
}

impl Sites {
    fn new() -> Self {
        let (setup, port) = (InstallSandbox::new(), free_port());
        write_delivery(&setup, &NAMES);
        let nginx = Nginx::start(&setup.sandbox.join("nginx"), "");
        let path = |path: String| setup.sandbox.join(&path).display().to_string();
        let blocks = NAMES.map(|name| {
            format!(
                "server {{ listen 127.0.0.1:{port} ssl; server_name {name};\n ssl_certificate {};\n ssl_certificate_key {}; }}\n",
                path(chain(name)),
                path(key(name))
            )
        });
        nginx.rewrite(&blocks.concat());
        Self {
            setup,
            port,
            _nginx: nginx,
        }
    }

    /// Creates the scripts; the test script runs `also` in addition to nginx's own test.
    fn scripts(&self, also: &str) -> [String; 2] {
        let sandbox = &self.setup.sandbox;
        let config = sandbox.join("nginx/nginx.conf").display().to_string();
        let script = |name: &str, body: String| {
            let log = sandbox.join("log").display().to_string();
            let path = sandbox.write(name, format!("#!/bin/sh\necho {name} >>{log}\n{body}\n"));
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path.display().to_string()
        };
        let test = script("test", format!("nginx -t -c {config} || exit 1\n{also}"));
        [
            test,
            script("reload", format!("exec nginx -s reload -c {config}")),
        ]
    }

    fn install(&self, also: &str) -> support::Run {
        let [test, reload] = self.scripts(also);
        let config = self
            .setup
            .sandbox
            .join("nginx/nginx.conf")
            .display()
            .to_string();
        self.setup.sandbox.write("log", "");
        self.setup.sandbox.run(&[
            "install",
            "--root",
            "tree",
            "--trust",
            "root.pem",
            "--json",
            "--server",
            "nginx",
            "--server-config",
            &config,
            "--test",
            &test,
            "--reload",
            &reload,
        ])
    }

    fn log(&self, word: &str) -> usize {
        self.setup
            .sandbox
            .read("log")
            .lines()
            .filter(|line| *line == word)
            .count()
    }

    /// Returns whether nginx serves the installed certificate.
    fn serves(&self, name: &str) -> bool {
        let target = ProbeTarget::new(([127, 0, 0, 1], self.port).into(), name);
        let Ok(handshake) = probe_all(&[target], std::time::Duration::from_secs(20))
            .pop()
            .unwrap()
        else {
            return false;
        };
        let leaf =
            certctl::facade::pki::certificate::Certificate::from_der(&handshake.chain[0]).unwrap();
        self.setup
            .sandbox
            .read(&chain(name))
            .contains(&leaf.to_pem())
    }
}

#[test]
fn one_test_and_one_reload_for_all_sites_of_a_server() {
    let sites = Sites::new();
    let first = sites.install("").expect(0).json();
    assert_eq!(
        (&first["verdict"], verdicts(&first)),
        (&"live".into(), vec!["live"; 3]),
        "{first}"
    );
    // One test before anything is changed, one after the links were switched.
    assert_eq!((sites.log("test"), sites.log("reload")), (2, 1));
    assert!(NAMES.iter().all(|name| sites.serves(name)));
    write_delivery(&sites.setup, &NAMES);
    let second = sites.install("").expect(0).json();
    assert_eq!(verdicts(&second), ["live"; 3]);
    assert_eq!((sites.log("test"), sites.log("reload")), (2, 1));
    assert!(NAMES.iter().all(|name| sites.serves(name)));
}

#[test]
fn only_the_certificate_that_the_server_rejects_is_rolled_back() {
    let sites = Sites::new();
    let sandbox = &sites.setup.sandbox;
    sites.install("").expect(0);
    let old = NAMES.map(|name| live(sandbox, name));
    write_delivery(&sites.setup, &NAMES);
    // The server's test rejects the new certificate of the second site.
    let path = sandbox.join(&chain("b.example")).display().to_string();
    let pointer = sandbox
        .join("tree/etc/ssl/certctl/b.example/live")
        .display()
        .to_string();
    let complaint = format!("cannot load certificate \"{path}\": no such luck");
    let refuse = format!(
        "[ \"$(readlink {pointer})\" = {} ] || {{ echo '{complaint}'; exit 1; }}",
        old[1]
    );
    let run = sites.install(&refuse).expect(5).json();
    assert_eq!(run["verdict"], "rolled-back");
    assert_eq!(verdicts(&run), ["live", "rolled-back", "live"], "{run}");
    assert!(codes(&run).contains(&"test-failed"));
    // The test before any change, the one that fails, and the one after the rollback of the second;
    // then one reload for all.
    assert_eq!((sites.log("test"), sites.log("reload")), (3, 1));
    for (name, before) in NAMES.iter().zip(&old) {
        assert_eq!(live(sandbox, name) == *before, *name == "b.example");
        assert_eq!(live(sandbox, name), proven(sandbox, name));
        assert!(sites.serves(name), "{name}");
    }
    // If the output names no certificate, all certificates of the server are rolled back.
    write_delivery(&sites.setup, &NAMES);
    let kept = NAMES.map(|name| live(sandbox, name));
    let refuse = format!("[ \"$(readlink {pointer})\" = {} ] || exit 1", old[1]);
    let run = sites.install(&refuse).expect(5).json();
    assert_eq!(verdicts(&run), ["rolled-back"; 3], "{run}");
    assert_eq!(NAMES.map(|name| live(sandbox, name)), kept);
    assert!(NAMES.iter().all(|name| sites.serves(name)));
}
