//! Installs with nginx, Apache and HAProxy, each alone and all three in one transaction.
//! Needs: nginx apache2 haproxy
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::net::{Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::pki::key::KeyAlgorithm;
use certctl::facade::probe::ProbeTarget;
use certctl::facade::system::tls::probe_all;
use support::Run;
use support::any_server::{Running, ServedNames, ServerKind};
use support::install_sandbox::{InstallSandbox, codes, leftovers};
use support::json::Json;
use support::nginx::free_port;

/// One of the three servers, with the CA and the request for the certificates that it serves.
struct ServerFixture {
    setup: InstallSandbox,
    kind: ServerKind,
    at: Vec<SocketAddr>,
}

const NAMES: &str = "example.com www.example.com";

impl ServerFixture {
    fn new(kind: ServerKind) -> Self {
        Self {
            setup: InstallSandbox::new(),
            kind,
            at: vec![([127, 0, 0, 1], free_port()).into()],
        }
    }

    fn folder(&self) -> PathBuf {
        self.setup.sandbox.join(self.kind.name())
    }

    fn default_paths(&self) -> (PathBuf, PathBuf) {
        self.kind.default_paths(&self.setup.sandbox.join("tree"))
    }

    fn place(&self) -> ServedNames {
        ServedNames {
            names: NAMES,
            at: self.at.clone(),
            pairs: vec![self.default_paths()],
        }
    }

    /// Starts the server and installs a first certificate with certctl.
    fn started(&self) -> Running {
        // The server starts with another certificate and gets the installed one by a reload.
        let running = self.kind.start(&self.folder(), &[self.plain("first")]);
        self.kind.write(&self.folder(), &[self.place()]);
        assert_eq!(
            self.renew_and_install(&["--json"]).expect(0).json()["verdict"],
            "live",
            "{:?}",
            self.kind
        );
        running
    }

    /// Issues another certificate, outside of the tree, and returns names that are served with it.
    fn plain(&self, name: &str) -> ServedNames {
        let sandbox = &self.setup.sandbox;
        sandbox
            .run(&["csr", "example.com", "www.example.com", "--force"])
            .expect(0);
        let leaf = self.setup.ca.issue(&sandbox.read("example.com.csr"));
        let chain = leaf + &self.setup.ca.intermediate_pem();
        let key = sandbox.read("example.com.key");
        let pair = match self.kind {
            ServerKind::Haproxy => {
                let both = sandbox.write(&format!("outside/{name}.pem"), chain + &key);
                (both.clone(), both)
            }
            _ => (
                sandbox.write(&format!("outside/{name}.crt"), chain),
                sandbox.write(&format!("outside/{name}.key"), key),
            ),
        };
        ServedNames {
            names: NAMES,
            at: self.at.clone(),
            pairs: vec![pair],
        }
    }

    fn renew_and_install(&self, more: &[&str]) -> Run {
        self.setup.write_delivery("new.crt");
        self.again(more)
    }

    fn again(&self, more: &[&str]) -> Run {
        let config = self.kind.config(&self.folder()).display().to_string();
        let server = ["--server", self.kind.name(), "--server-config", &config];
        self.setup.install("new.crt", &[&server[..], more].concat())
    }

    /// Returns the content of the files that the server reads.
    fn files(&self) -> (String, String) {
        let (chain, key) = self.default_paths();
        (
            std::fs::read_to_string(chain).unwrap(),
            std::fs::read_to_string(key).unwrap(),
        )
    }

    /// Returns the leaf that each address serves, as PEM.
    fn shown(&self, algorithm: Option<KeyAlgorithm>) -> Vec<String> {
        let ask = |at: &SocketAddr| {
            let target = [ProbeTarget {
                algorithm,
                ..ProbeTarget::new(*at, "example.com")
            }];
            let handshake = probe_all(&target, Duration::from_secs(20))
                .pop()
                .unwrap()
                .expect("a handshake");
            Certificate::from_der(&handshake.chain[0]).unwrap().to_pem()
        };
        self.at.iter().map(ask).collect()
    }

    fn shows_its_files(&self) {
        let (chain, _) = self.files();
        assert!(
            self.shown(None).iter().all(|leaf| chain.contains(leaf)),
            "{:?} serves another certificate",
            self.kind
        );
    }
}

/// Runs the test for all three servers in parallel.
fn each(test: fn(ServerKind)) {
    std::thread::scope(|scope| {
        let threads = ServerKind::ALL.map(|kind| (kind, scope.spawn(move || test(kind))));
        let failed: Vec<ServerKind> = threads
            .into_iter()
            .filter_map(|(kind, thread)| thread.join().is_err().then_some(kind))
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
    });
}

fn make_executable(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns the number of processes that have `word` in their command line.
fn processes_with(word: &str) -> usize {
    let lines = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|entry| entry.path().join("cmdline"));
    lines
        .filter(|line| {
            std::fs::read(line).is_ok_and(|line| String::from_utf8_lossy(&line).contains(word))
        })
        .count()
}

/// Checks that the run was rolled back completely, and returns its document.
fn assert_rolled_back(fixture: &ServerFixture, run: Run, before: &(String, String)) -> Json {
    assert_restored(fixture, run.expect(5), "rolled-back", before)
}

/// Checks that the run restored the files and that its reload failed again, and returns its document.
fn assert_rolled_back_without_reload(
    fixture: &ServerFixture,
    run: Run,
    before: &(String, String),
) -> Json {
    assert_restored(fixture, run.expect(6), "rollback-failed", before)
}

fn assert_restored(
    fixture: &ServerFixture,
    run: Run,
    verdict: &str,
    before: &(String, String),
) -> Json {
    let run = run.json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&verdict.into(), &false.into()),
        "{:?}: {run}",
        fixture.kind
    );
    assert_eq!(fixture.files(), *before, "{:?}", fixture.kind);
    assert_eq!(leftovers(&fixture.setup.sandbox), Vec::<PathBuf>::new());
    fixture.shows_its_files();
    run
}

#[test]
fn a_reload_that_hangs_is_killed_with_its_child_processes() {
    each(|kind| {
        let fixture = ServerFixture::new(kind);
        let _running = fixture.started();
        let before = fixture.files();
        // A number of seconds for which no other process sleeps.
        let mark = format!("86{}.25", fixture.at[0].port());
        let script = fixture
            .setup
            .sandbox
            .write("hang", format!("#!/bin/sh\nsleep {mark} &\nsleep {mark}\n"));
        make_executable(&script);
        let run = fixture.renew_and_install(&["--reload", &script.display().to_string(), "--json"]);
        let run = assert_rolled_back_without_reload(&fixture, run, &before);
        assert!(codes(&run).contains(&"reload-failed"), "{kind:?}: {run}");
        assert!(
            run["findings"].to_string().contains("timed out"),
            "killed at its deadline: {kind:?}: {run}"
        );
        assert_eq!(
            processes_with(&mark),
            0,
            "{kind:?}: its process group is gone"
        );
        fixture.renew_and_install(&[]).expect(0);
    });
}

#[test]
fn excessive_output_of_a_reload_is_truncated() {
    each(|kind| {
        let fixture = ServerFixture::new(kind);
        let _running = fixture.started();
        let before = fixture.files();
        let line = "no such file or directory, again and again and again";
        let script = format!("#!/bin/sh\nyes '{line}' | head -c 100000000\nexit 1\n");
        let script = fixture.setup.sandbox.write("flood", script);
        make_executable(&script);
        let run = fixture.renew_and_install(&["--reload", &script.display().to_string(), "--json"]);
        assert!(
            run.stdout.len() < 256 * 1024,
            "{kind:?}: {} bytes",
            run.stdout.len()
        );
        let run = assert_rolled_back_without_reload(&fixture, run, &before);
        assert!(
            run["findings"].to_string().contains(line),
            "{kind:?}: {run}"
        );
    });
}

#[test]
fn a_reload_without_effect_is_detected() {
    each(|kind| {
        let fixture = ServerFixture::new(kind);
        let _running = fixture.started();
        let before = fixture.files();
        let run = assert_rolled_back(
            &fixture,
            fixture.renew_and_install(&["--reload", "true", "--json"]),
            &before,
        );
        assert!(codes(&run).contains(&"reload-no-effect"), "{kind:?}: {run}");
    });
}

#[test]
fn both_ip_families_are_probed() {
    each(|kind| {
        let mut fixture = ServerFixture::new(kind);
        fixture
            .at
            .push((Ipv6Addr::LOCALHOST, fixture.at[0].port()).into());
        let _running = fixture.started();
        let run = fixture.renew_and_install(&["--json"]).expect(0).json();
        let probes = run["certificates"][0]["probes"].as_array().unwrap();
        let mut probed: Vec<&str> = probes
            .iter()
            .map(|probe| probe["address"].as_str().unwrap())
            .collect();
        probed.dedup();
        let at: Vec<String> = fixture.at.iter().map(ToString::to_string).collect();
        assert_eq!(probed, at, "{kind:?}");
        fixture.shows_its_files();
    });
}

#[test]
fn a_block_that_answers_first_with_another_certificate_is_not_served() {
    each(|kind| {
        let fixture = ServerFixture::new(kind);
        let other = fixture.plain("other");
        let _running = kind.start(&fixture.folder(), std::slice::from_ref(&other));
        kind.write(&fixture.folder(), &[other, fixture.place()]);
        let run = fixture.renew_and_install(&["--json"]).expect(1).json();
        assert_eq!(
            (&run["verdict"], &run["certificates"][0]["proof"]),
            (&"not-served".into(), &"none".into()),
            "{run}"
        );
        kind.write(&fixture.folder(), &[fixture.place()]);
        assert_eq!(
            fixture.again(&["--json"]).expect(0).json()["verdict"],
            "live",
            "{kind:?}"
        );
        fixture.shows_its_files();
    });
}

/// All three servers with one certificate, which each of them reads from its own path.
struct AllServers {
    setup: InstallSandbox,
    fronts: Vec<(ServerKind, SocketAddr)>,
}

impl AllServers {
    fn new() -> Self {
        let at = |kind| (kind, SocketAddr::from(([127, 0, 0, 1], free_port())));
        Self {
            setup: InstallSandbox::new(),
            fronts: ServerKind::ALL.map(at).into(),
        }
    }

    fn place(&self, kind: ServerKind, at: SocketAddr) -> ServedNames {
        let pair = kind.default_paths(&self.setup.sandbox.join("tree"));
        ServedNames {
            names: "example.com *.example.com",
            at: vec![at],
            pairs: vec![pair],
        }
    }

    fn folder(&self, kind: ServerKind) -> PathBuf {
        self.setup.sandbox.join(kind.name())
    }

    fn start(&self) -> Vec<Running> {
        self.fronts
            .iter()
            .map(|&(kind, at)| kind.start(&self.folder(kind), &[self.place(kind, at)]))
            .collect()
    }

    /// Writes a wildcard certificate to plain files at the paths that the three servers read.
    fn plain(&self) {
        let (chain, key) = self.write_delivery();
        for (kind, _) in &self.fronts {
            let (certificate, own) = kind.default_paths(&self.setup.sandbox.join("tree"));
            let both = certificate == own;
            for path in [&certificate, &own] {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            }
            std::fs::write(&own, &key).unwrap();
            std::fs::write(
                &certificate,
                if both {
                    chain.clone() + &key
                } else {
                    chain.clone()
                },
            )
            .unwrap();
        }
    }

    fn write_delivery(&self) -> (String, String) {
        let sandbox = &self.setup.sandbox;
        sandbox
            .run(&["csr", "example.com", "*.example.com", "--force"])
            .expect(0);
        let leaf = self.setup.ca.issue(&sandbox.read("example.com.csr"));
        let chain = leaf + &self.setup.ca.intermediate_pem();
        sandbox.write("new.crt", &chain);
        (chain, sandbox.read("example.com.key"))
    }

    fn renew_and_install(&self, more: &[&str]) -> Run {
        self.write_delivery();
        let config = |(kind, _): &(ServerKind, SocketAddr)| {
            [
                "--server-config".to_owned(),
                format!(
                    "{}={}",
                    kind.name(),
                    kind.config(&self.folder(*kind)).display()
                ),
            ]
        };
        let configs: Vec<String> = self.fronts.iter().flat_map(config).collect();
        let configs: Vec<&str> = configs.iter().map(String::as_str).collect();
        self.setup
            .install("new.crt", &[&configs[..], more].concat())
    }

    /// Returns the leaf that all three serve for a name below the wildcard.
    fn shown(&self) -> String {
        let targets: Vec<ProbeTarget> = self
            .fronts
            .iter()
            .map(|(_, at)| ProbeTarget::new(*at, "shop.example.com"))
            .collect();
        let shown = probe_all(&targets, Duration::from_secs(20)).into_iter();
        let leaf = |shown: Result<certctl::facade::probe::TlsHandshake, _>| {
            Certificate::from_der(&shown.expect("a handshake").chain[0])
                .unwrap()
                .to_pem()
        };
        let leaves: Vec<String> = shown.map(leaf).collect();
        assert!(
            leaves.iter().all(|leaf| *leaf == leaves[0]),
            "they serve different certificates"
        );
        leaves[0].clone()
    }
}

#[test]
fn one_certificate_on_all_three_is_one_transaction() {
    let three = AllServers::new();
    three.plain();
    let running = three.start();
    let first = three.shown();
    let run = three.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(
        (&run["verdict"], &run["certificates"][0]["proof"]),
        (&"live".into(), &"live".into()),
        "{run}"
    );
    let probed = |run: &Json| {
        let probes = run["certificates"][0]["probes"].as_array().unwrap();
        let mut ports: Vec<String> = probes
            .iter()
            .map(|probe| probe["address"].to_string())
            .collect();
        ports.sort();
        ports.dedup();
        ports.len()
    };
    assert_eq!(probed(&run), 3, "{run}");
    let second = three.shown();
    assert_ne!(second, first);

    // HAProxy does not load it: all three are rolled back.
    let master = running.iter().find_map(|running| match running {
        Running::Haproxy(haproxy) => {
            rustix::process::Pid::from_raw(haproxy.id().try_into().unwrap())
        }
        _ => None,
    });
    let send = |signal| rustix::process::kill_process(master.unwrap(), signal).unwrap();
    send(rustix::process::Signal::STOP);
    let run = three.renew_and_install(&["--json"]);
    send(rustix::process::Signal::CONT);
    let run = run.expect(5).json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"rolled-back".into(), &false.into()),
        "{run}"
    );
    assert_eq!(probed(&run), 3, "{run}");
    assert_eq!(three.shown(), second);
    assert_eq!(leftovers(&three.setup.sandbox), Vec::<PathBuf>::new());

    // One rollback restores all three.
    assert_eq!(
        three.renew_and_install(&["--json"]).expect(0).json()["verdict"],
        "live"
    );
    assert_ne!(three.shown(), second);
    three
        .setup
        .sandbox
        .run(&["rollback", "--root", "tree"])
        .expect(0);
    assert_eq!(three.shown(), second);
    three
        .setup
        .sandbox
        .run(&["rollback", "--root", "tree"])
        .expect(0);
    assert_eq!(three.shown(), first);

    // A server that does not run is not probed, and its absence does not cause a rollback.
    let up = running
        .into_iter()
        .filter(|running| !matches!(running, Running::Haproxy(_)))
        .collect::<Vec<_>>();
    let run = three.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(
        (&run["verdict"], codes(&run)),
        (&"not-served".into(), vec!["server-not-running"]),
        "{run}"
    );
    assert_eq!((up.len(), probed(&run)), (2, 2), "{run}");
    let text = three.renew_and_install(&[]).expect(1);
    assert!(
        text.stdout.contains("live    127.0.0.1:") && text.stdout.contains("HAProxy"),
        "{text}"
    );

    // A running server that was not passed is reported.
    let run = three
        .renew_and_install(&["--server", "nginx", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&run["verdict"], codes(&run)),
        (&"live".into(), vec!["server-not-included"]),
        "{run}"
    );
    let next = run["findings"][0]["next"].to_string();
    assert!(next.contains("--server nginx --server apache"), "{run}");
}

/// The combined file does not exist yet: it is written only when HAProxy is among the servers.
#[test]
fn a_server_that_names_a_missing_combined_file_is_reported() {
    let three = AllServers::new();
    three.plain();
    let _running = three.start();
    let (combined, _) = ServerKind::Haproxy.default_paths(&three.setup.sandbox.join("tree"));
    std::fs::remove_file(combined).unwrap();
    let run = three
        .renew_and_install(&["--server", "nginx", "--server", "apache", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&run["verdict"], codes(&run)[0]),
        (&"live".into(), "server-not-included"),
        "{run}"
    );
    let message = run["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("haproxy.cfg:"), "{message}");
}
