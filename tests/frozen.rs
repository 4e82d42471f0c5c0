//! Every later version can use what certctl 42475f8 left on disk (fixtures/frozen): each sample is
//! checked, listed, renewed, replaced, rolled back and removed.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use serde_json::json;
use support::frozen::{DUE, NOW, unpack};
use support::install_sandbox::{CHAIN, KEY, LINEAGE, key_matches_chain, leftovers, mode, tree};
use support::json::Json;
use support::namespace::is_root;
use support::{Run, Sandbox};

/// Words that may be renamed; each is defined once here.
mod word {
    /// The command that replaces the links by plain files and deletes the folder.
    pub(super) const REMOVE: &str = "forget";
    /// Verdicts of an install that wrote files, of one that had nothing to do, and of a renewal
    /// that created a request.
    pub(super) const WRITTEN: &str = "files";
    pub(super) const UNCHANGED: &str = "unchanged";
    pub(super) const PREPARED: &str = "prepared";
    /// The end of the paid term, in the document of a renewal.
    pub(super) const PAID_UNTIL: &str = "paid_until";
    /// The rows of `status --json`, and the state of an installed certificate's row.
    pub(super) const ROWS: &str = "rows";
    pub(super) const INSTALLED: &str = "installed";
}

/// Fields of settings.json that each install writes; the others are options, which are kept.
const WRITTEN_BY_INSTALLS: [&str; 4] = ["history", "former", "placeholder", "request"];

/// One sample, and the expected results.
struct Case {
    sample: &'static str,
    /// The stable paths.
    chain: &'static str,
    key: &'static str,
    /// The mode of the key.
    mode: u32,
    /// Exit code of `install --check`.
    check: i32,
    /// Exit code of `renew` on a day on which all certificates have expired: 1, if the next request is
    /// prepared.
    renew: i32,
    /// Exit code of the rollback after the next install.
    rollback: i32,
}

/// A sample without any problem.
const FINE: Case = Case {
    sample: "ordinary",
    chain: CHAIN,
    key: KEY,
    mode: 0o600,
    check: 0,
    renew: 1,
    rollback: 0,
};

fn run(sandbox: &Sandbox, args: &[&str]) -> Run {
    let at: &[&str] = if args.contains(&"--at") {
        &[]
    } else {
        &["--at", NOW]
    };
    sandbox.run(&[args, &["--root", "tree"], at].concat())
}

fn read_settings(sandbox: &Sandbox) -> Json {
    match fs::read_to_string(sandbox.join(&format!("{LINEAGE}/settings.json"))) {
        Ok(text) => Json::parse(&text),
        Err(_) => json!({"history": []}).into(),
    }
}

/// Returns the saved options, without the fields that each install writes.
fn options(settings: &Json) -> Json {
    let mut options = settings.clone();
    options
        .fields_mut()
        .retain(|(name, _)| !WRITTEN_BY_INSTALLS.contains(&name.as_str()));
    options
}

fn history(settings: &Json) -> &[Json] {
    settings["history"].as_array().unwrap()
}

/// Returns the id of the release that `live` or `proven` points to.
fn pointer(sandbox: &Sandbox, name: &str) -> Option<String> {
    let text = fs::read_link(sandbox.join(&format!("{LINEAGE}/{name}"))).ok()?;
    Some(
        text.to_str()
            .unwrap()
            .strip_prefix("releases/")
            .unwrap()
            .to_owned(),
    )
}

fn served(sandbox: &Sandbox, case: &Case) -> (String, String) {
    assert!(
        key_matches_chain(sandbox, case.chain, case.key),
        "{}: a chain with another key",
        case.sample
    );
    assert_eq!(mode(&sandbox.join(case.key)), case.mode, "{}", case.sample);
    (sandbox.read(case.chain), sandbox.read(case.key))
}

/// Returns the leaf of the next certificate; its file begins with the intermediate.
fn next_leaf(sandbox: &Sandbox) -> String {
    let text = sandbox.read("next.crt");
    text[text.rfind("-----BEGIN").unwrap()..].to_owned()
}

/// Runs the commands that only read, and checks that they change nothing.
fn assert_readable(sandbox: &Sandbox, case: &Case) {
    let before = tree(sandbox.path());
    run(sandbox, &["install", "--check"]).expect(case.check);
    let listed = run(sandbox, &["status", "--json"]);
    assert!([0, 1].contains(&listed.code), "{}: {listed}", case.sample);
    if let Some(live) = pointer(sandbox, "live") {
        let rows = listed.json()[word::ROWS].as_array().unwrap().clone();
        let installed: Vec<&Json> = rows
            .iter()
            .filter(|row| row["state"] == word::INSTALLED)
            .collect();
        assert!(
            !installed.is_empty() || case.check != 0,
            "{}: {live} is not listed: {listed}",
            case.sample
        );
        let path = sandbox.run(&["status", case.chain, "--at", NOW]);
        assert!([0, 1].contains(&path.code), "{}: {path}", case.sample);
    }
    assert_eq!(tree(sandbox.path()), before, "{}", case.sample);
    // In an empty folder, the request is created from the installed certificate.
    fs::create_dir(sandbox.join("elsewhere")).unwrap();
    let due = run(
        sandbox,
        &[
            "renew",
            "example.com",
            "-C",
            "elsewhere",
            "--json",
            "--at",
            DUE,
        ],
    )
    .expect(case.renew);
    assert!(
        case.renew != 1 || due.json()["verdict"] == word::PREPARED,
        "{}: {due}",
        case.sample
    );
    assert_eq!(
        tree(&sandbox.join("elsewhere")).is_empty(),
        case.renew != 1,
        "{}: {due}",
        case.sample
    );
    fs::remove_dir_all(sandbox.join("elsewhere")).unwrap();
    assert_eq!(tree(sandbox.path()), before, "{}", case.sample);
}

/// Installs the next certificate; returns the id of its release.
fn install_next(sandbox: &Sandbox, case: &Case) -> String {
    let before = read_settings(sandbox);
    let more: &[&str] = if before.get("trust").is_some() {
        &[]
    } else {
        &["--trust", "root.pem"]
    };
    let installed = run(
        sandbox,
        &[&["install", "next.crt", "--json"], more].concat(),
    )
    .expect(0)
    .json();
    assert_eq!(
        installed["verdict"],
        word::WRITTEN,
        "{}: {installed}",
        case.sample
    );
    assert!(
        served(sandbox, case).0.starts_with(&next_leaf(sandbox)),
        "{}",
        case.sample
    );
    let live = pointer(sandbox, "live").unwrap();
    assert_eq!(
        pointer(sandbox, "proven").as_ref(),
        Some(&live),
        "{}",
        case.sample
    );
    assert_eq!(
        leftovers_without_backups(sandbox),
        Vec::<String>::new(),
        "{}",
        case.sample
    );

    let after = read_settings(sandbox);
    let (old, new) = (history(&before), history(&after));
    assert_eq!(
        (&new[..old.len()], new.len()),
        (old, old.len() + 1),
        "{}: {after}",
        case.sample
    );
    assert_eq!(new[old.len()]["release"], live.as_str());
    let mut kept = options(&before);
    keep_anchors(sandbox, &mut kept);
    for (option, value) in kept.fields() {
        assert_eq!(after[option.as_str()], *value, "{}: {option}", case.sample);
    }
    run(sandbox, &["install", "--check"]).expect(0);
    let again = run(sandbox, &["install", "next.crt", "--json"]);
    assert_eq!(
        again.expect(0).json()["verdict"],
        word::UNCHANGED,
        "{}",
        case.sample
    );
    live
}

/// Changes the options to those after the next install: the trust anchors are those of the file that
/// the earlier version stored the path of, and are in the certificate's folder now.
fn keep_anchors(sandbox: &Sandbox, options: &mut Json) {
    if options.get("trust").is_some() {
        let passed = sandbox.read("root.pem");
        let kept = sandbox.read(&format!("{LINEAGE}/trust.pem"));
        assert_eq!(kept.trim(), passed.trim());
        options.set("trust", "/etc/ssl/certctl/example.com/trust.pem");
    }
}

/// Returns chain and key of a release.
fn release(sandbox: &Sandbox, id: &str) -> (String, String) {
    let read = |file: &str| sandbox.read(&format!("{LINEAGE}/releases/{id}/{file}"));
    (read("fullchain.pem"), read("key.pem"))
}

/// The releases that a rollback after the next install restores: the previous one, and the one of
/// the day before that install.
struct Before {
    last: (String, String),
    by_day: (String, String),
}

impl Before {
    fn of(sandbox: &Sandbox, case: &Case) -> Option<Self> {
        if case.rollback != 0 {
            return None;
        }
        let last = match pointer(sandbox, "proven") {
            Some(proven) => release(sandbox, &proven),
            None => served(sandbox, case),
        };
        let by_day = match history(&read_settings(sandbox)).last() {
            Some(entry) => release(sandbox, entry["release"].as_str().unwrap()),
            None => last.clone(),
        };
        Some(Self { last, by_day })
    }
}

/// Rolls back to the previous version, to the next one by its id, back again by date, and to the
/// next one again.
fn assert_rollbacks_work(sandbox: &Sandbox, case: &Case, before: Option<&Before>, next: &str) {
    let over = served(sandbox, case);
    let back = |more: &[&str], code: i32, wanted: &(String, String)| {
        run(sandbox, &[&["rollback", "example.com"], more].concat()).expect(code);
        assert!(
            served(sandbox, case) == *wanted,
            "{}: rollback {more:?}",
            case.sample
        );
        assert_eq!(
            pointer(sandbox, "live"),
            pointer(sandbox, "proven"),
            "{}",
            case.sample
        );
    };
    let Some(before) = before else {
        return back(&[], case.rollback, &over);
    };
    back(&[], 0, &before.last);
    back(&["--to", next], 0, &over);
    back(&["--to", "2026-08-01"], 0, &before.by_day);
    back(&["--to", next], 0, &over);
}

fn is_removed(sandbox: &Sandbox, case: &Case) {
    let over = served(sandbox, case);
    run(sandbox, &[word::REMOVE, "example.com"]).expect(0);
    assert!(
        [case.chain, case.key]
            .iter()
            .all(|path| is_plain(sandbox, path)),
        "{}",
        case.sample
    );
    assert!(served(sandbox, case) == over, "{}", case.sample);
    assert!(!sandbox.join(LINEAGE).exists(), "{}", case.sample);
    assert_eq!(
        leftovers_without_backups(sandbox),
        Vec::<String>::new(),
        "{}",
        case.sample
    );
}

fn is_plain(sandbox: &Sandbox, path: &str) -> bool {
    sandbox.join(path).symlink_metadata().unwrap().is_file()
}

/// Returns leftover temporary files; backups, which end in `.~<number>~`, do not count.
fn leftovers_without_backups(sandbox: &Sandbox) -> Vec<String> {
    let shown = leftovers(sandbox)
        .into_iter()
        .map(|path| path.display().to_string());
    shown.filter(|path| !path.contains(".~")).collect()
}

/// Runs all commands, in the order in which they are used on a server.
fn assert_can_be_continued(case: &Case) -> Sandbox {
    let sandbox = unpack(case.sample);
    let before = Before::of(&sandbox, case);
    assert_readable(&sandbox, case);
    let next = install_next(&sandbox, case);
    assert_rollbacks_work(&sandbox, case, before.as_ref(), &next);
    is_removed(&sandbox, case);
    sandbox
}

#[test]
fn ordinary_installs_can_be_continued() {
    let sandbox = assert_can_be_continued(&FINE);
    assert!(sandbox.join("example.com-3.dcv").exists());
    assert_can_be_continued(&Case {
        sample: "rolled-back",
        ..FINE
    });
    assert_can_be_continued(&Case {
        sample: "install-undone",
        ..FINE
    });
}

#[test]
fn installs_at_the_paths_of_red_hat_can_be_continued() {
    assert_can_be_continued(&Case {
        sample: "redhat",
        chain: "tree/etc/pki/tls/certs/example.com.fullchain.pem",
        key: "tree/etc/pki/tls/private/example.com.key",
        ..FINE
    });
}

#[test]
fn unfinished_installs_are_finished() {
    assert_can_be_continued(&Case {
        sample: "unfinished",
        check: 1,
        ..FINE
    });
    assert_can_be_continued(&Case {
        sample: "unfinished-first",
        check: 1,
        rollback: 3,
        ..FINE
    });
    assert_can_be_continued(&Case {
        sample: "unrecorded",
        ..FINE
    });
}

#[test]
fn leftovers_of_interrupted_installs_are_deleted() {
    assert_can_be_continued(&Case {
        sample: "interrupted",
        ..FINE
    });
    assert_can_be_continued(&Case {
        sample: "interrupted-first",
        check: 1,
        renew: 3,
        rollback: 3,
        ..FINE
    });
    assert_can_be_continued(&Case {
        sample: "interrupted-takeover",
        check: 1,
        ..FINE
    });
}

#[test]
fn placeholders_are_replaced_or_removed() {
    let sandbox = unpack("placeholder");
    let case = Case {
        sample: "placeholder",
        ..FINE
    };
    // Other certificates that are not proven are not removed.
    is_removed(&sandbox, &case);
    assert_can_be_continued(&Case {
        sample: "placeholder",
        check: 1,
        renew: 3,
        rollback: 3,
        ..FINE
    });
}

#[test]
fn interrupted_removals_are_finished() {
    for sample in ["removal-begun", "removal-ending"] {
        let sandbox = unpack(sample);
        let case = Case { sample, ..FINE };
        let before = served(&sandbox, &case);
        run(&sandbox, &[word::REMOVE, "example.com"]).expect(0);
        assert!(served(&sandbox, &case) == before, "{sample}");
        assert!(
            is_plain(&sandbox, CHAIN) && is_plain(&sandbox, KEY) && !sandbox.join(LINEAGE).exists(),
            "{sample}"
        );
        assert_eq!(
            leftovers_without_backups(&sandbox),
            Vec::<String>::new(),
            "{sample}"
        );
    }
    // The next command may also be an install.
    assert_can_be_continued(&Case {
        sample: "removal-begun",
        check: 1,
        ..FINE
    });
    assert_can_be_continued(&Case {
        sample: "removal-ending",
        check: 3,
        renew: 3,
        ..FINE
    });
}

/// Folder and name of the last request, the CA and the end of the order term come from the settings
/// alone.
#[test]
fn saved_settings_are_used_for_the_next_request() {
    let sandbox = unpack("ordinary");
    for entry in fs::read_dir(sandbox.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && !path.ends_with("root.pem") {
            fs::remove_file(path).unwrap();
        }
    }
    fs::create_dir(sandbox.join("elsewhere")).unwrap();
    let root = sandbox.join("tree").display().to_string();
    let args = [
        "renew",
        "example.com",
        "--root",
        &root,
        "--at",
        DUE,
        "--json",
    ];
    let mut command = sandbox.command(&args);
    command.current_dir(sandbox.join("elsewhere"));
    let due = sandbox.run_command(command).expect(1).json();
    assert!(tree(&sandbox.join("elsewhere")).is_empty(), "{due}");
    assert!(sandbox.join("example.com-3.csr").exists(), "{due}");
    assert_eq!(mode(&sandbox.join("example.com-3.key")), 0o600);
    assert_eq!(sandbox.read("example.com-3.dcv"), "; ca namecheap\n");
    assert_eq!(
        due["certificates"][0][word::PAID_UNTIL],
        "2028-01-01",
        "{due}"
    );
}

/// Every field that certctl 42475f8 saves is in one of the samples.
#[test]
fn every_saved_field_is_in_a_sample() {
    let mut stored = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/frozen");
    for entry in fs::read_dir(folder).unwrap() {
        let sample = entry
            .unwrap()
            .path()
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if sample == "access" && !is_root() {
            continue;
        }
        let settings = read_settings(&unpack(&sample));
        stored.extend(settings.fields().iter().cloned());
    }
    let fields: Vec<&str> = stored.keys().map(String::as_str).collect();
    let all = "ca chain_path folder former history key_mode key_owner key_path links paid_until placeholder probe reload \
               request server server_config server_configs test trust";
    assert_eq!(fields.join(" "), all);
}

#[test]
fn fields_of_a_later_version_are_kept() {
    let sandbox = unpack("ordinary");
    let file = format!("{LINEAGE}/settings.json");
    let mut settings = read_settings(&sandbox);
    settings.set("of_later", json!({"one": ["two", 3]}));
    sandbox.write(&file, settings.to_string());
    let kept = |what: &str| {
        assert_eq!(
            read_settings(&sandbox)["of_later"],
            settings["of_later"],
            "{what}"
        )
    };
    run(&sandbox, &["install", "--check"]).expect(0);
    run(&sandbox, &["rollback", "example.com"]).expect(0);
    kept("rollback");
    run(&sandbox, &["install", "next.crt"]).expect(0);
    kept("install");
    run(&sandbox, &["install", "next.crt", "--key-mode", "0400"]).expect(0);
    kept("install with another option");
}

/// Starts a server that reads its files at each handshake; returns its address and the number of
/// handshakes.
fn serve(chain: PathBuf, key: PathBuf) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (
        listener.local_addr().unwrap(),
        Arc::new(AtomicUsize::new(0)),
    );
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::Relaxed);
            let chain: Vec<_> = CertificateDer::pem_file_iter(&chain)
                .unwrap()
                .map(Result::unwrap)
                .collect();
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap();
            let config = config
                .with_no_client_auth()
                .with_single_cert(chain, PrivateKeyDer::from_pem_file(&key).unwrap());
            let mut tls = ServerConnection::new(Arc::new(config.unwrap())).unwrap();
            // The probe closes the connection when it has the certificate.
            while tls.is_handshaking() && tls.complete_io(&mut connection).is_ok() {}
        }
    });
    (address, count)
}

#[test]
fn saved_commands_are_run_and_saved_addresses_probed() {
    let sandbox = unpack("commands");
    let (address, probes) = serve(sandbox.join(CHAIN), sandbox.join(KEY));
    let file = format!("{LINEAGE}/settings.json");
    let text = sandbox.read(&file);
    assert!(text.contains("\"127.0.0.1:1\""));
    sandbox.write(
        &file,
        text.replace("127.0.0.1:1\"", &format!("{address}\"")),
    );
    let before = read_settings(&sandbox);
    let lines = || fs::read_to_string(sandbox.join("log")).unwrap_or_default();
    run(&sandbox, &["install", "next.crt"]).expect(0);
    assert!(lines().ends_with("test\nreload\n"), "{}", lines());
    let first = probes.load(Ordering::Relaxed);
    assert!(first > 0);
    let mut kept = options(&before);
    keep_anchors(&sandbox, &mut kept);
    assert_eq!(options(&read_settings(&sandbox)), kept);
    let case = Case {
        sample: "commands",
        ..FINE
    };
    assert!(served(&sandbox, &case).0.starts_with(&next_leaf(&sandbox)));
    run(&sandbox, &["install", "--check"]).expect(0);
    fs::remove_file(sandbox.join("log")).unwrap();
    run(&sandbox, &["rollback", "example.com"]).expect(0);
    assert!(lines().ends_with("test\nreload\n"), "{}", lines());
    assert!(probes.load(Ordering::Relaxed) > first);
    is_removed(&sandbox, &case);
}

#[test]
fn saved_owner_and_mode_of_a_key_are_kept() {
    // Only root may give a key to another group.
    if !is_root() {
        return;
    }
    let sandbox = assert_can_be_continued(&Case {
        sample: "access",
        mode: 0o640,
        ..FINE
    });
    let key = sandbox.join(KEY).metadata().unwrap();
    assert_eq!((key.uid(), key.gid()), (0, 114));
}

#[test]
fn adopted_paths_are_kept() {
    let chain = "tree/srv/tls/moved.crt";
    let case = Case {
        sample: "adopted",
        chain,
        key: "tree/srv/tls/site.key",
        mode: 0o640,
        ..FINE
    };
    let sandbox = unpack("adopted");
    let [former, backup] = ["tree/srv/tls/site.crt", "tree/srv/tls/site.crt.~1~"];
    let kept = sandbox.read(backup);
    let first = read_settings(&sandbox)["history"][0]["before"]
        .as_str()
        .unwrap()
        .to_owned();
    run(&sandbox, &["rollback", "example.com", "--to", &first]).expect(0);
    assert_eq!(
        served(&sandbox, &case).0,
        sandbox.read(former),
        "the file that existed before certctl was used"
    );

    let sandbox = assert_can_be_continued(&case);
    assert!(is_plain(&sandbox, former));
    assert_eq!(sandbox.read(former), sandbox.read(chain));
    assert_eq!(sandbox.read(backup).lines().next(), kept.lines().next());
    assert!(!sandbox.join(CHAIN).exists() && !sandbox.join(KEY).exists());
}

/// No server is running, so only the settings list the further links.
#[test]
fn further_links_are_replaced_too() {
    let sandbox = unpack("servers");
    let combined = "tree/etc/ssl/private/example.com.pem";
    let before = sandbox.read(combined);
    is_removed(
        &sandbox,
        &Case {
            sample: "servers",
            ..FINE
        },
    );
    assert!(is_plain(&sandbox, combined));
    assert_eq!(mode(&sandbox.join(combined)), 0o600);
    assert!(sandbox.read(combined) == before);
}

#[test]
fn installs_of_several_certificates_can_be_continued() {
    let sandbox = unpack("batch");
    let stems = ["example.com", "example.com-rsa", "_.example.org"];
    let path = |stem: &str, what: &str| format!("tree/etc/ssl/certctl/{stem}/{what}");
    let live = |stem: &str| fs::read_link(sandbox.join(&path(stem, "live"))).unwrap();
    let before = stems.map(live);
    run(&sandbox, &["install", "--check"]).expect(0);
    run(
        &sandbox,
        &["install", "next.crt", "next-rsa.crt", "next-wildcard.crt"],
    )
    .expect(0);
    for (stem, before) in stems.iter().zip(&before) {
        assert_ne!(live(stem), *before, "{stem}");
        let settings = Json::parse(&sandbox.read(&path(stem, "settings.json")));
        assert_eq!(history(&settings).len(), 2, "{stem}");
        run(&sandbox, &["rollback", stem]).expect(0);
        assert_eq!(live(stem), *before, "{stem}");
        run(&sandbox, &[word::REMOVE, stem]).expect(0);
        let (chain, key) = (
            format!("tree/etc/ssl/{stem}.fullchain.pem"),
            format!("tree/etc/ssl/private/{stem}.key"),
        );
        assert!(
            is_plain(&sandbox, &chain)
                && is_plain(&sandbox, &key)
                && key_matches_chain(&sandbox, &chain, &key),
            "{stem}"
        );
    }
    assert_eq!(leftovers_without_backups(&sandbox), Vec::<String>::new());
}
