//! `--deploy copy`: plain files instead of links. Install, renewal, rollback, failure, check, forget,
//! and the change from links to copies and back.
//! Needs: nginx apache2 haproxy
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed unwrap fails the test; the measurement is printed"
)]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::any_server::{ServedNames, ServerKind};
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, LINEAGE, codes, leftovers, link, mode};
use support::json::Json;
use support::nginx::free_port;
use support::site::Site;

const COPY: [&str; 2] = ["--deploy", "copy"];

#[track_caller]
fn assert_copies(setup: &InstallSandbox) {
    let live = setup.sandbox.join(LINEAGE).join("live");
    for (path, piece) in [(CHAIN, "fullchain.pem"), (KEY, "key.pem")] {
        let path = setup.sandbox.join(path);
        let meta = path.symlink_metadata().unwrap();
        assert!(meta.is_file(), "{} is a link", path.display());
        assert_eq!(meta.nlink(), 1, "{}", path.display());
        let file = live.join(piece);
        assert_eq!(fs::read(&path).unwrap(), fs::read(&file).unwrap());
        assert_eq!(mode(&path), mode(&file));
    }
    assert_eq!(leftovers(&setup.sandbox), Vec::<PathBuf>::new());
}

fn steps(document: &Json) -> Vec<String> {
    let steps = document["certificates"][0]["plan"]["steps"]
        .as_array()
        .unwrap();
    let name = |step: &Json| step["step"].as_str().unwrap().to_owned();
    steps.iter().map(name).collect()
}

#[test]
fn copies_are_installed_renewed_checked_and_rolled_back() {
    let setup = InstallSandbox::new();
    let first = setup
        .renew_and_install(&[&COPY[..], &["--json"]].concat())
        .expect(0)
        .json();
    assert_eq!(first["settings"]["deploy"], "copy");
    assert!(codes(&first).contains(&"copy-not-atomic"), "{first}");
    assert_eq!(
        steps(&first),
        [
            "write-release",
            "remember",
            "switch",
            "copy",
            "mark-proven",
            "record",
            "prune"
        ]
    );
    assert_copies(&setup);
    let one = setup.served();

    // The mode is saved.
    let second = setup.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(second["verdict"], "files");
    assert_copies(&setup);
    let two = setup.served();
    assert_ne!(one, two);
    let again = setup.install("new.crt", &["--json"]).expect(0).json();
    assert_eq!(
        (&again["verdict"], steps(&again)),
        (&"unchanged".into(), vec![])
    );

    let sandbox = &setup.sandbox;
    sandbox
        .run(&["install", "--check", "--root", "tree"])
        .expect(0);
    sandbox
        .run(&["rollback", "example.com", "--root", "tree"])
        .expect(0);
    assert_eq!(setup.served(), one);
    assert_copies(&setup);
    sandbox
        .run(&["install", "--check", "--root", "tree"])
        .expect(0);
}

#[test]
fn changed_copies_are_found_and_repaired() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&COPY).expect(0);
    let sandbox = &setup.sandbox;
    let check = || sandbox.run(&["install", "--check", "--root", "tree", "--json"]);
    let key = sandbox.join(KEY);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let run = check().expect(1).json();
    assert_eq!(codes(&run), ["drift-mode"], "{run}");
    setup.install("new.crt", &["--key-mode", "0600"]).expect(0);
    check().expect(0);

    fs::write(sandbox.join(CHAIN), "half a certifi").unwrap();
    let run = check().expect(1).json();
    assert_eq!(codes(&run), ["drift-link"], "{run}");
    setup.install("new.crt", &[]).expect(0);
    check().expect(0);
    assert_eq!(sandbox.read(&format!("{CHAIN}.~1~")), "half a certifi");

    fs::remove_file(&key).unwrap();
    std::os::unix::fs::symlink("../certctl/example.com/live/key.pem", &key).unwrap();
    let run = check().expect(1).json();
    assert_eq!(codes(&run), ["drift-link"], "{run}");
    setup.install("new.crt", &[]).expect(0);
    check().expect(0);
    assert_copies(&setup);
}

#[test]
fn links_become_copies_and_copies_become_links() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    assert!(setup.sandbox.join(CHAIN).is_symlink());
    setup.renew_and_install(&COPY).expect(0);
    assert_copies(&setup);
    let served = setup.served();
    setup.install("new.crt", &["--deploy", "link"]).expect(0);
    assert!(setup.sandbox.join(CHAIN).is_symlink() && setup.sandbox.join(KEY).is_symlink());
    assert_eq!(setup.served(), served);
    assert_eq!(leftovers(&setup.sandbox), Vec::<PathBuf>::new());
    setup.renew_and_install(&COPY).expect(0);
    setup.renew_and_install(&["--deploy", "link"]).expect(0);
    assert!(setup.sandbox.join(CHAIN).is_symlink());
    setup.served();
}

#[test]
fn forget_leaves_the_copies() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&COPY).expect(0);
    let served = setup.served();
    setup
        .sandbox
        .run(&["forget", "example.com", "--root", "tree"])
        .expect(0);
    assert_eq!(setup.served(), served);
    assert!(!setup.sandbox.join(LINEAGE).exists());
}

#[test]
fn a_failed_install_restores_the_copies() {
    let site = Site::new();
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    site.renew_and_install(&[&COPY[..], &["--json"]].concat())
        .expect(0);
    let sandbox = &site.setup.sandbox;
    let status = || [CHAIN, KEY].map(|path| sandbox.join(path).metadata().unwrap());
    let before = status().map(|meta| (meta.ino(), meta.mtime_nsec()));
    let live = link(sandbox, &format!("{LINEAGE}/live"));
    let run = site
        .renew_and_install(&["--reload", "true", "--json"])
        .expect(5)
        .json();
    assert_eq!(run["verdict"], "rolled-back");
    assert_eq!(status().map(|meta| (meta.ino(), meta.mtime_nsec())), before);
    assert_eq!(link(sandbox, &format!("{LINEAGE}/live")), live);
    assert_copies(&site.setup);
    site.assert_serves(CHAIN);
    let run = site.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live");
    site.assert_serves(CHAIN);
}

#[test]
fn a_dry_run_says_what_is_not_atomic() {
    let setup = InstallSandbox::new();
    let run = setup
        .renew_and_install(&["--deploy", "copy", "--dry-run"])
        .expect(0);
    assert!(run.stdout.contains("one rename after the other"), "{run}");
    assert!(run.stdout.contains("do not match"), "{run}");
    assert!(!run.stdout.contains("chain and key in one rename"), "{run}");
    assert!(run.stdout.contains("the copies are removed again"), "{run}");
    assert!(!setup.sandbox.join("tree").exists());
}

/// What a reader found at one moment: the files, and whether they match.
struct Sample {
    at: Instant,
    files: (String, String),
}

/// Reads chain and key again and again until `stop`. A sample counts if the chain is the same before
/// and after the key was read, so that both were there at one moment.
fn read_files(setup: &InstallSandbox, [chain, key]: [&str; 2], stop: &AtomicBool) -> Vec<Sample> {
    let [chain, key] = [chain, key].map(|path| setup.sandbox.join(path));
    let mut samples = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let before = fs::read_to_string(&chain).expect("the chain is never missing");
        let key = fs::read_to_string(&key).expect("the key is never missing");
        let at = Instant::now();
        if fs::read_to_string(&chain).unwrap() == before {
            samples.push(Sample {
                at,
                files: (before, key),
            });
        }
    }
    samples
}

/// Returns how long each moment lasted in which a reader could see files that do not match: from the
/// last sample before it to the first one after it.
fn mismatched_moments(samples: &[Sample], matching: &[(String, String)]) -> Vec<Duration> {
    let mut moments = Vec::new();
    let mut last_right = samples[0].at;
    let mut is_wrong = false;
    for sample in samples {
        if !matching.contains(&sample.files) {
            is_wrong = true;
            continue;
        }
        if is_wrong {
            moments.push(sample.at - last_right);
        }
        is_wrong = false;
        last_right = sample.at;
    }
    moments
}

#[test]
fn readers_of_links_never_see_files_that_do_not_match() {
    const RENEWALS: usize = 10;
    let one_path = "/etc/ssl/private/one.pem";
    let one_file = ["--chain-path", one_path, "--key-path", one_path];
    let two_files = [CHAIN, KEY];
    for (mode, options, files) in [
        ("link", &["--deploy", "link"][..], two_files),
        ("copy", &COPY, two_files),
        (
            "copy of one file",
            &[&COPY[..], &one_file].concat(),
            ["tree/etc/ssl/private/one.pem"; 2],
        ),
    ] {
        let setup = InstallSandbox::new();
        setup.renew_and_install(options).expect(0);
        let deployed = || {
            let _ = setup.served();
            let [chain, key] = files.map(|file| setup.sandbox.read(file));
            (chain, key)
        };
        let mut matching = vec![deployed()];
        let stop = AtomicBool::new(false);
        let samples = std::thread::scope(|scope| {
            let reader = scope.spawn(|| read_files(&setup, files, &stop));
            for _ in 0..RENEWALS {
                setup.renew_and_install(&[]).expect(0);
                matching.push(deployed());
            }
            stop.store(true, Ordering::Relaxed);
            reader.join().unwrap()
        });
        let moments = mismatched_moments(&samples, &matching);
        println!(
            "{mode}: {} of {RENEWALS} renewals seen with files that do not match, at most {:?} long, in {} samples",
            moments.len(),
            moments.iter().max().copied().unwrap_or_default(),
            samples.len()
        );
        assert!(samples.len() > RENEWALS, "{mode}");
        assert!(
            moments.len() <= if mode == "copy" { RENEWALS } else { 0 },
            "{mode}: {moments:?}"
        );
    }
}

/// HAProxy reads one file; nginx and Apache read two, or one for both where their configuration says
/// so. One file is replaced in one rename.
#[test]
fn every_server_reads_copies() {
    for kind in ServerKind::ALL {
        for is_in_one_file in [true, false] {
            if is_in_one_file || kind != ServerKind::Haproxy {
                check_copies(kind, is_in_one_file);
            }
        }
    }
}

fn check_copies(kind: ServerKind, is_in_one_file: bool) {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox
        .run(&["csr", "example.com", "www.example.com"])
        .expect(0);
    let leaf = setup.ca.issue(&sandbox.read("example.com.csr"));
    let chain = leaf + &setup.ca.intermediate_pem();
    let key = sandbox.read("example.com.key");
    let files = if is_in_one_file {
        vec![("tree/site/both.pem", format!("{chain}{key}"))]
    } else {
        vec![("tree/site/chain.pem", chain), ("tree/site/key.pem", key)]
    };
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|(path, text)| {
            let path = sandbox.write(path, text);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            path
        })
        .collect();
    let site = ServedNames {
        names: "example.com www.example.com",
        at: vec![([127, 0, 0, 1], free_port()).into()],
        pairs: vec![(paths[0].clone(), paths[paths.len() - 1].clone())],
    };
    let folder = sandbox.join("server");
    let _running = kind.start(&folder, &[site]);
    let config = kind.config(&folder).display().to_string();
    let server = [
        "--server",
        kind.name(),
        "--server-config",
        &config,
        "--json",
    ];
    let inodes = || -> Vec<u64> {
        paths
            .iter()
            .map(|path| path.symlink_metadata().unwrap().ino())
            .collect()
    };
    let before = inodes();
    let failed = setup
        .renew_and_install(&[&server[..], &COPY, &["--reload", "true"]].concat())
        .expect(5)
        .json();
    assert_eq!(inodes(), before, "{failed}");
    let first = setup
        .renew_and_install(&[&server[..], &COPY].concat())
        .expect(0)
        .json();
    assert_eq!(first["verdict"], "live", "{first}");
    assert!(paths.iter().all(|path| !path.is_symlink()), "{first}");
    let is_reported = codes(&first).contains(&"copy-not-atomic");
    assert!(is_in_one_file || is_reported, "{first}");
    let second = setup.renew_and_install(&server).expect(0).json();
    assert_eq!(second["verdict"], "live", "{second}");
    let back = sandbox
        .run(&["rollback", "example.com", "--root", "tree", "--json"])
        .expect(0)
        .json();
    assert_eq!(back["verdict"], "live", "{back}");
    assert!(paths.iter().all(|path| !path.is_symlink()), "{back}");
    assert_eq!(leftovers(sandbox), Vec::<PathBuf>::new());
}
