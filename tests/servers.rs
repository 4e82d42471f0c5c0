//! Installs with nginx, Apache and HAProxy, each alone and all three in one transaction.
//! Needs: nginx apache2 haproxy
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

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
use support::fleet::{Kind, Place, Running};
use support::json::Json;
use support::nginx::free_port;
use support::shop::{Shop, codes, leftovers};

/// A CA and a request whose certificates one of the three servers serves.
struct Front {
    shop: Shop,
    kind: Kind,
    at: Vec<SocketAddr>,
}

const NAMES: &str = "example.com www.example.com";

impl Front {
    fn new(kind: Kind) -> Self {
        Self {
            shop: Shop::new(),
            kind,
            at: vec![([127, 0, 0, 1], free_port()).into()],
        }
    }

    fn folder(&self) -> PathBuf {
        self.shop.sandbox.join(self.kind.name())
    }

    fn usual(&self) -> (PathBuf, PathBuf) {
        self.kind.usual(&self.shop.sandbox.join("tree"))
    }

    fn place(&self) -> Place {
        Place {
            names: NAMES,
            at: self.at.clone(),
            pairs: vec![self.usual()],
        }
    }

    /// Starts the server and installs a first certificate with certctl.
    fn started(&self) -> Running {
        // The server starts with another certificate and gets the installed one by a reload.
        let running = self.kind.start(&self.folder(), &[self.plain("first")]);
        self.kind.write(&self.folder(), &[self.place()]);
        assert_eq!(
            self.round(&["--json"]).expect(0).json()["verdict"],
            "live",
            "{:?}",
            self.kind
        );
        running
    }

    /// Issues another certificate, outside of the tree, and returns a place that uses it.
    fn plain(&self, name: &str) -> Place {
        let sandbox = &self.shop.sandbox;
        sandbox
            .run(&["csr", "example.com", "www.example.com", "--force"])
            .expect(0);
        let leaf = self.shop.ca.issue(&sandbox.read("example.com.csr"));
        let chain = leaf + &self.shop.ca.intermediate_pem();
        let key = sandbox.read("example.com.key");
        let pair = match self.kind {
            Kind::Haproxy => {
                let both = sandbox.write(&format!("outside/{name}.pem"), chain + &key);
                (both.clone(), both)
            }
            _ => (
                sandbox.write(&format!("outside/{name}.crt"), chain),
                sandbox.write(&format!("outside/{name}.key"), key),
            ),
        };
        Place {
            names: NAMES,
            at: self.at.clone(),
            pairs: vec![pair],
        }
    }

    fn round(&self, more: &[&str]) -> Run {
        self.shop.deliver("new.crt");
        self.again(more)
    }

    fn again(&self, more: &[&str]) -> Run {
        let config = self.kind.config(&self.folder()).display().to_string();
        let server = ["--server", self.kind.name(), "--server-config", &config];
        self.shop.install("new.crt", &[&server[..], more].concat())
    }

    /// The content of the files that the server reads.
    fn files(&self) -> (String, String) {
        let (chain, key) = self.usual();
        (
            std::fs::read_to_string(chain).unwrap(),
            std::fs::read_to_string(key).unwrap(),
        )
    }

    /// The leaf that each address serves, as PEM.
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
fn each(test: fn(Kind)) {
    std::thread::scope(|scope| {
        let threads = Kind::ALL.map(|kind| (kind, scope.spawn(move || test(kind))));
        let failed: Vec<Kind> = threads
            .into_iter()
            .filter_map(|(kind, thread)| thread.join().is_err().then_some(kind))
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
    });
}

fn make_executable(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Counts the processes that have `word` in their command line.
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
fn assert_rolled_back(front: &Front, run: Run, before: &(String, String)) -> Json {
    let run = run.expect(5).json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"rolled-back".into(), &false.into()),
        "{:?}: {run}",
        front.kind
    );
    assert_eq!(front.files(), *before, "{:?}", front.kind);
    assert_eq!(leftovers(&front.shop.sandbox), Vec::<PathBuf>::new());
    front.shows_its_files();
    run
}

#[test]
fn a_reload_that_hangs_is_killed_with_its_child_processes() {
    each(|kind| {
        let front = Front::new(kind);
        let _running = front.started();
        let before = front.files();
        // A number of seconds that no other process sleeps.
        let mark = format!("86{}.25", front.at[0].port());
        let script = front
            .shop
            .sandbox
            .write("hang", format!("#!/bin/sh\nsleep {mark} &\nsleep {mark}\n"));
        make_executable(&script);
        let run = front.round(&["--reload", &script.display().to_string(), "--json"]);
        let run = assert_rolled_back(&front, run, &before);
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
        front.round(&[]).expect(0);
    });
}

#[test]
fn excessive_output_of_a_reload_is_truncated() {
    each(|kind| {
        let front = Front::new(kind);
        let _running = front.started();
        let before = front.files();
        let line = "no such file or directory, again and again and again";
        let script = format!("#!/bin/sh\nyes '{line}' | head -c 100000000\nexit 1\n");
        let script = front.shop.sandbox.write("flood", script);
        make_executable(&script);
        let run = front.round(&["--reload", &script.display().to_string(), "--json"]);
        assert!(
            run.stdout.len() < 256 * 1024,
            "{kind:?}: {} bytes",
            run.stdout.len()
        );
        let run = assert_rolled_back(&front, run, &before);
        assert!(
            run["findings"].to_string().contains(line),
            "{kind:?}: {run}"
        );
    });
}

#[test]
fn a_reload_without_effect_is_detected() {
    each(|kind| {
        let front = Front::new(kind);
        let _running = front.started();
        let before = front.files();
        let run = assert_rolled_back(
            &front,
            front.round(&["--reload", "true", "--json"]),
            &before,
        );
        assert!(codes(&run).contains(&"reload-no-effect"), "{kind:?}: {run}");
    });
}

#[test]
fn both_ip_families_are_probed() {
    each(|kind| {
        let mut front = Front::new(kind);
        front
            .at
            .push((Ipv6Addr::LOCALHOST, front.at[0].port()).into());
        let _running = front.started();
        let run = front.round(&["--json"]).expect(0).json();
        let probes = run["certificates"][0]["probes"].as_array().unwrap();
        let mut probed: Vec<&str> = probes
            .iter()
            .map(|probe| probe["address"].as_str().unwrap())
            .collect();
        probed.dedup();
        let at: Vec<String> = front.at.iter().map(ToString::to_string).collect();
        assert_eq!(probed, at, "{kind:?}");
        front.shows_its_files();
    });
}

#[test]
fn a_block_that_answers_first_with_another_certificate_is_not_served() {
    each(|kind| {
        let front = Front::new(kind);
        let other = front.plain("other");
        let _running = kind.start(&front.folder(), std::slice::from_ref(&other));
        kind.write(&front.folder(), &[other, front.place()]);
        let run = front.round(&["--json"]).expect(1).json();
        assert_eq!(
            (&run["verdict"], &run["certificates"][0]["proof"]),
            (&"not-served".into(), &"none".into()),
            "{run}"
        );
        kind.write(&front.folder(), &[front.place()]);
        assert_eq!(
            front.again(&["--json"]).expect(0).json()["verdict"],
            "live",
            "{kind:?}"
        );
        front.shows_its_files();
    });
}

/// All three servers with one certificate, which each of them reads from its own path.
struct Three {
    shop: Shop,
    fronts: Vec<(Kind, SocketAddr)>,
}

impl Three {
    fn new() -> Self {
        let at = |kind| (kind, SocketAddr::from(([127, 0, 0, 1], free_port())));
        Self {
            shop: Shop::new(),
            fronts: Kind::ALL.map(at).into(),
        }
    }

    fn place(&self, kind: Kind, at: SocketAddr) -> Place {
        let pair = kind.usual(&self.shop.sandbox.join("tree"));
        Place {
            names: "example.com *.example.com",
            at: vec![at],
            pairs: vec![pair],
        }
    }

    fn folder(&self, kind: Kind) -> PathBuf {
        self.shop.sandbox.join(kind.name())
    }

    fn start(&self) -> Vec<Running> {
        self.fronts
            .iter()
            .map(|&(kind, at)| kind.start(&self.folder(kind), &[self.place(kind, at)]))
            .collect()
    }

    /// Writes a wildcard certificate to plain files at the paths that the three servers read.
    fn plain(&self) {
        let (chain, key) = self.deliver();
        for (kind, _) in &self.fronts {
            let (certificate, own) = kind.usual(&self.shop.sandbox.join("tree"));
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

    fn deliver(&self) -> (String, String) {
        let sandbox = &self.shop.sandbox;
        sandbox
            .run(&["csr", "example.com", "*.example.com", "--force"])
            .expect(0);
        let leaf = self.shop.ca.issue(&sandbox.read("example.com.csr"));
        let chain = leaf + &self.shop.ca.intermediate_pem();
        sandbox.write("new.crt", &chain);
        (chain, sandbox.read("example.com.key"))
    }

    fn round(&self, more: &[&str]) -> Run {
        self.deliver();
        let config = |(kind, _): &(Kind, SocketAddr)| {
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
        self.shop.install("new.crt", &[&configs[..], more].concat())
    }

    /// The leaf that all three serve for a name below the wildcard.
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
    let three = Three::new();
    three.plain();
    let running = three.start();
    let first = three.shown();
    let run = three.round(&["--json"]).expect(0).json();
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
    let run = three.round(&["--json"]);
    send(rustix::process::Signal::CONT);
    let run = run.expect(5).json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"rolled-back".into(), &false.into()),
        "{run}"
    );
    assert_eq!(probed(&run), 3, "{run}");
    assert_eq!(three.shown(), second);
    assert_eq!(leftovers(&three.shop.sandbox), Vec::<PathBuf>::new());

    // One rollback restores all three.
    assert_eq!(three.round(&["--json"]).expect(0).json()["verdict"], "live");
    assert_ne!(three.shown(), second);
    three
        .shop
        .sandbox
        .run(&["rollback", "--root", "tree"])
        .expect(0);
    assert_eq!(three.shown(), second);
    three
        .shop
        .sandbox
        .run(&["rollback", "--root", "tree"])
        .expect(0);
    assert_eq!(three.shown(), first);

    // A server that does not run is not probed, and its absence does not cause a rollback.
    let up = running
        .into_iter()
        .filter(|running| !matches!(running, Running::Haproxy(_)))
        .collect::<Vec<_>>();
    let run = three.round(&["--json"]).expect(1).json();
    assert_eq!(
        (&run["verdict"], codes(&run)),
        (&"not-served".into(), vec!["server-not-running"]),
        "{run}"
    );
    assert_eq!((up.len(), probed(&run)), (2, 2), "{run}");
    let text = three.round(&[]).expect(1);
    assert!(
        text.stdout.contains("live    127.0.0.1:") && text.stdout.contains("HAProxy"),
        "{text}"
    );

    // A running server that was not given is reported.
    let run = three
        .round(&["--server", "nginx", "--json"])
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
    let three = Three::new();
    three.plain();
    let _running = three.start();
    let (combined, _) = Kind::Haproxy.usual(&three.shop.sandbox.join("tree"));
    std::fs::remove_file(combined).unwrap();
    let run = three
        .round(&["--server", "nginx", "--server", "apache", "--json"])
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
