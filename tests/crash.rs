//! A sweep over every file-system call of install, rollback and forget: SIGKILL at each call, and
//! each error that the call can return. Afterwards the complete old or new certificate with its key
//! is on disk, no user can read a key who should not, the exit code is right, and the next run
//! completes the work and leaves no temporary files. `cargo test` tries a fixed sample of the points;
//! `scripts/crash-sweep` tries all, or another sample.
//! Needs: strace openssl mount unshare
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed unwrap fails the test; the sweep prints its counts"
)]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use certctl::facade::install_plan::plan::{
    InstallPlan, PlanEnd, PlanStep, RollbackTarget, UnfinishedStart, flushes,
};
use certctl::facade::store::layout::{LineageLayout, ReleaseFile, ReleaseId};
use support::Sandbox;
use support::ca::noon;
use support::external::{external_program, path_of, succeed};
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, LINEAGE, link};
use support::json::Json;
use support::program::program;
use support::sweep::{Pair, Scenario, with_full_paths};
use support::swept_machine::{self, Machine, RunEnd};

const SITE: [&str; 2] = [CHAIN, KEY];

/// Chain and key of the second certificate of a batch.
const OTHER: [&str; 2] = [
    "tree/etc/ssl/other.example.fullchain.pem",
    "tree/etc/ssl/private/other.example.key",
];

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Returns the words of a command with `--at` noon today, so that two runs with the same input leave
/// the same files.
fn at_noon(text: &str) -> Vec<String> {
    words(&format!("{text} --at {}", noon(0)))
}

fn install() -> Vec<String> {
    at_noon("install new.crt --root tree --trust root.pem")
}

fn rollback() -> Vec<String> {
    at_noon("rollback example.com --root tree")
}

fn renew_and_install(setup: &InstallSandbox) {
    setup.write_delivery("new.crt");
    run(&setup.sandbox, &install());
}

fn run(sandbox: &Sandbox, args: &[String]) {
    sandbox
        .run(&args.iter().map(String::as_str).collect::<Vec<_>>())
        .expect(0);
}

fn pair(sandbox: &Sandbox, [chain, key]: [&str; 2]) -> Pair {
    let read = |path: &str| fs::read_to_string(sandbox.join(path)).ok();
    Some((read(chain)?, read(key)?))
}

fn found(sandbox: &Sandbox) -> Pair {
    pair(sandbox, SITE)
}

fn copied(sandbox: &Sandbox) -> Sandbox {
    let copy = Sandbox::new();
    succeed(
        Command::new("cp")
            .arg("-a")
            .arg(sandbox.join("."))
            .arg(copy.path()),
    );
    copy
}

/// Returns chain and key after the command, which match according to OpenSSL.
fn target(sandbox: &Sandbox, args: &[String]) -> Pair {
    let copy = copied(sandbox);
    run(&copy, args);
    let of_leaf = succeed(
        external_program("openssl")
            .args(["x509", "-noout", "-pubkey", "-in"])
            .arg(copy.join(CHAIN)),
    );
    let of_key = succeed(
        external_program("openssl")
            .args(["pkey", "-pubout", "-in"])
            .arg(copy.join(KEY)),
    );
    assert_eq!(of_leaf, of_key);
    found(&copy)
}

fn proven(sandbox: &Sandbox) -> Vec<String> {
    is_proven(sandbox, LINEAGE)
}

fn is_proven(sandbox: &Sandbox, pair: &str) -> Vec<String> {
    let [live, proven] = ["live", "proven"].map(|name| link(sandbox, &format!("{pair}/{name}")));
    if live == proven {
        Vec::new()
    } else {
        vec![format!("{pair}: not proven after the next run")]
    }
}

/// Returns a scenario that installs into the current tree of `setup`.
fn installing(name: &'static str, setup: InstallSandbox) -> Scenario {
    let sandbox = setup.sandbox;
    let new = target(&sandbox, &install());
    Scenario {
        name,
        sites: vec![SITE],
        args: install(),
        always: &[],
        code: 0,
        old: vec![found(&sandbox)],
        new: vec![new.clone()],
        broken: Vec::new(),
        heal: install(),
        heal_codes: &[0],
        healed: vec![new],
        key_mode: 0o600,
        settled: proven,
        machine: Machine::Tree,
        check_end: |_, _| Vec::new(),
        sandbox,
    }
}

fn first() -> Scenario {
    let setup = InstallSandbox::new();
    fs::create_dir(setup.sandbox.join("tree")).unwrap();
    setup.write_delivery("new.crt");
    installing("first", setup)
}

fn replacement() -> Scenario {
    let setup = InstallSandbox::new();
    renew_and_install(&setup);
    setup.write_delivery("new.crt");
    installing("replacement", setup)
}

/// The certificate of the live release, without its intermediates.
const LIVE_CERTIFICATE: &str = "tree/etc/ssl/certctl/example.com/live/cert.pem";

/// Returns a scenario in which a file of the live release was damaged: the release is written again
/// and exchanged for the damaged one in one step. Chain and key are the same all the time.
fn repair() -> Scenario {
    let setup = InstallSandbox::new();
    renew_and_install(&setup);
    let certificate = setup.sandbox.read(LIVE_CERTIFICATE);
    let damaged = certificate + "damaged\n";
    setup.sandbox.write(LIVE_CERTIFICATE, damaged);
    Scenario {
        settled: repaired,
        ..installing("repair", setup)
    }
}

/// Returns what is wrong with the live release after a repair.
fn repaired(sandbox: &Sandbox) -> Vec<String> {
    let mut wrong = proven(sandbox);
    if sandbox.read(LIVE_CERTIFICATE).contains("damaged") {
        wrong.push("the damaged release is still live".to_owned());
    }
    let releases = fs::read_dir(sandbox.join(LINEAGE).join("releases")).unwrap();
    let count = releases.count();
    if count != 1 {
        wrong.push(format!("there are {count} releases instead of one"));
    }
    wrong
}

/// Returns a scenario in which an install has to wait for the lock, and therefore observes
/// everything again. The first flock(2) call locks the release that is being written.
fn waiting_for_the_lock() -> Scenario {
    Scenario {
        name: "waited",
        always: &["-e", "inject=flock:error=EAGAIN:when=2"],
        ..replacement()
    }
}

/// The same command with copies instead of links.
fn install_copies() -> Vec<String> {
    [install(), words("--deploy copy")].concat()
}

/// The files that a run leaves that is killed between two copies: the chain of one certificate and
/// the key of the other.
fn between_copies(before: &Pair, after: &Pair) -> Vec<Pair> {
    let (Some((old_chain, old_key)), Some((new_chain, new_key))) = (before, after) else {
        return vec![None];
    };
    vec![
        Some((new_chain.clone(), old_key.clone())),
        Some((old_chain.clone(), new_key.clone())),
    ]
}

fn copied_files(sandbox: &Sandbox) -> Vec<String> {
    let mut wrong = proven(sandbox);
    for path in SITE {
        let path = sandbox.join(path);
        let meta = path.symlink_metadata().unwrap();
        if !meta.is_file() || meta.nlink() != 1 {
            wrong.push(format!(
                "{} is not a plain file with one name",
                path.display()
            ));
        }
    }
    wrong
}

/// Returns a scenario that deploys copies into the current tree of `setup`. Between two renames
/// chain and key do not match, which the next run repairs.
fn copying(name: &'static str, setup: InstallSandbox) -> Scenario {
    let new = target(&setup.sandbox, &install_copies());
    let old = found(&setup.sandbox);
    Scenario {
        args: install_copies(),
        heal: install_copies(),
        broken: between_copies(&old, &new),
        new: vec![new.clone()],
        healed: vec![new],
        settled: copied_files,
        ..installing(name, setup)
    }
}

fn first_copies() -> Scenario {
    let setup = InstallSandbox::new();
    fs::create_dir(setup.sandbox.join("tree")).unwrap();
    setup.write_delivery("new.crt");
    copying("first_copies", setup)
}

fn copies() -> Scenario {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    run(&setup.sandbox, &install_copies());
    setup.write_delivery("new.crt");
    copying("copies", setup)
}

/// Returns a scenario in which copies replace plain files that certctl did not write.
fn takeover_by_copies() -> Scenario {
    Scenario {
        key_mode: 0o640,
        ..copying("taken_copies", plain_files())
    }
}

/// Returns a scenario in which the server's test rejects the new copies, which are rolled back.
fn undo_copies() -> Scenario {
    let setup = plain_files();
    let (chain, key) = found(&setup.sandbox).unwrap();
    setup.sandbox.write("old.key", key.clone());
    let test = format!("#!/bin/sh\nexec cmp -s old.key {KEY}\n");
    fs::set_permissions(
        setup.sandbox.write("a-test", test),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    let args = [install_copies(), words("--test ./a-test --reload true")].concat();
    Scenario {
        args,
        code: 5,
        key_mode: 0o640,
        old: vec![Some((chain, key))],
        heal: [install_copies(), words("--test true")].concat(),
        ..copying("undo_copies", setup)
    }
}

fn back_by_copies() -> Scenario {
    let setup = InstallSandbox::new();
    for _ in 0..2 {
        setup.write_delivery("new.crt");
        run(&setup.sandbox, &install_copies());
    }
    let old = found(&setup.sandbox);
    let new = target(&setup.sandbox, &rollback());
    Scenario {
        args: rollback(),
        broken: between_copies(&old, &new),
        new: vec![new],
        healed: vec![old],
        ..copying("back_copies", setup)
    }
}

fn takeover() -> Scenario {
    Scenario {
        key_mode: 0o640,
        ..installing("takeover", plain_files())
    }
}

/// Returns a tree with a certificate in plain files that certctl did not write.
fn plain_files() -> InstallSandbox {
    let setup = InstallSandbox::new();
    renew_and_install(&setup);
    let (chain, key) = found(&setup.sandbox).unwrap();
    fs::remove_dir_all(setup.sandbox.join("tree")).unwrap();
    setup.sandbox.write(CHAIN, chain + "as the CA sent it\n");
    let path = setup.sandbox.write(KEY, key);
    fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
    setup.write_delivery("new.crt");
    setup
}

/// Returns a scenario in which the existing chain and key do not match: these files, no files, or
/// the new ones may be found.
fn mismatched_files() -> Scenario {
    let setup = InstallSandbox::new();
    setup.write_delivery("stray.crt");
    let sandbox = &setup.sandbox;
    let path = sandbox.write(KEY, sandbox.read("example.com.key"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    setup.write_delivery("stray.crt");
    sandbox.write(CHAIN, setup.ca.issue(&sandbox.read("example.com.csr")));
    setup.write_delivery("new.crt");
    Scenario {
        broken: vec![None],
        ..installing("mismatched_files", setup)
    }
}

fn back() -> Scenario {
    let setup = InstallSandbox::new();
    renew_and_install(&setup);
    renew_and_install(&setup);
    let old = found(&setup.sandbox);
    let new = target(&setup.sandbox, &rollback());
    // The next run installs the second certificate again.
    Scenario {
        name: "rollback",
        args: rollback(),
        new: vec![new],
        healed: vec![old],
        ..installing("rollback", setup)
    }
}

/// Returns a scenario in which the server's test rejects the new certificate, which is rolled back.
fn undo() -> Scenario {
    let setup = InstallSandbox::new();
    renew_and_install(&setup);
    let (_, key) = found(&setup.sandbox).unwrap();
    setup.sandbox.write("old.key", key);
    let test = format!("#!/bin/sh\nexec cmp -s old.key {KEY}\n");
    fs::set_permissions(
        setup.sandbox.write("a-test", test),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    setup.write_delivery("new.crt");
    let args = [install(), words("--test ./a-test --reload true")].concat();
    // The next run uses another test.
    Scenario {
        args,
        code: 5,
        heal: [install(), words("--test true")].concat(),
        ..installing("undo", setup)
    }
}

/// Returns a scenario with two replacements in one transaction.
fn batch() -> Scenario {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let args = at_noon("install new.crt other.crt --root tree --trust root.pem");
    let deliver_files = || {
        setup.write_delivery("new.crt");
        sandbox.run(&["csr", "other.example", "--force"]).expect(0);
        let leaf = setup.ca.issue(&sandbox.read("other.example.csr"));
        sandbox.write("other.crt", leaf + &setup.ca.intermediate_pem());
    };
    deliver_files();
    run(sandbox, &args);
    let pairs = |sandbox: &Sandbox| [SITE, OTHER].map(|site| pair(sandbox, site)).to_vec();
    let old = pairs(sandbox);
    deliver_files();
    let copy = copied(sandbox);
    run(&copy, &args);
    let new = pairs(&copy);
    assert!(
        old.iter()
            .zip(&new)
            .all(|(old, new)| old.is_some() && new.is_some() && old != new)
    );
    let both = |sandbox: &Sandbox| {
        let other = LINEAGE.replace("example.com", "other.example");
        [proven(sandbox), is_proven(sandbox, &other)].concat()
    };
    Scenario {
        name: "batch",
        sites: vec![SITE, OTHER],
        heal: args.clone(),
        args,
        old,
        healed: new.clone(),
        new,
        settled: both,
        ..installing("batch", setup)
    }
}

/// Returns a scenario for `forget`, during which servers read the same files all the time.
fn removal() -> Scenario {
    let setup = InstallSandbox::new();
    renew_and_install(&setup);
    renew_and_install(&setup);
    let pair = found(&setup.sandbox);
    let args = at_noon("forget example.com --root tree");
    let gone = |sandbox: &Sandbox| match sandbox.join(LINEAGE).exists() {
        true => vec!["its folder still exists".to_owned()],
        false => Vec::new(),
    };
    Scenario {
        new: vec![pair.clone()],
        healed: vec![pair],
        heal: args.clone(),
        // The first run may have completed the removal.
        heal_codes: &[0, 3],
        args,
        settled: gone,
        ..installing("forget", setup)
    }
}

/// The install of a chain whose key is not a file. Only this machine's server could prove that the
/// key fits, and a tree has none.
fn install_chain_alone() -> Vec<String> {
    let options = words("--key none --allow key-not-checked");
    [install(), options].concat()
}

/// Returns a scenario in which a chain alone is replaced, with `--key none`: no key may be written.
fn chain_alone() -> Scenario {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    run(&setup.sandbox, &install_chain_alone());
    setup.write_delivery("new.crt");
    let sandbox = &setup.sandbox;
    let chains = [CHAIN, CHAIN];
    let before = pair(sandbox, chains);
    let copy = copied(sandbox);
    run(&copy, &install_chain_alone());
    let after = pair(&copy, chains);
    assert!(before.is_some() && after.is_some() && before != after);
    Scenario {
        name: "chain_alone",
        sites: vec![chains],
        heal: install_chain_alone(),
        args: install_chain_alone(),
        always: &[],
        code: 0,
        old: vec![before],
        new: vec![after.clone()],
        broken: Vec::new(),
        heal_codes: &[0],
        healed: vec![after],
        key_mode: 0,
        settled: proven,
        machine: Machine::Tree,
        check_end: |sandbox, _| written_keys(sandbox),
        sandbox: setup.sandbox,
    }
}

/// Returns a violation for each private key in the tree of a certificate that was installed without
/// one.
fn written_keys(sandbox: &Sandbox) -> Vec<String> {
    let keys = support::sweep::keys(&sandbox.join("tree"));
    let violations = keys
        .iter()
        .map(|path| format!("{} has a key", path.display()));
    violations.collect()
}

/// Returns the scenario of `forget --force`, for a certificate that was never verified.
fn forced_removal() -> Scenario {
    let removal = removal();
    fs::remove_file(removal.sandbox.join(LINEAGE).join("proven")).unwrap();
    let args = at_noon("forget example.com --force --root tree");
    Scenario {
        name: "forget_force",
        heal: args.clone(),
        args,
        ..removal
    }
}

/// The words of an install into the /etc/ssl of a namespace.
const INSTALL_THERE: &str = "install new.crt --trust root.pem --server none";

/// Returns a scenario in a namespace, where the command of `--after` runs and the log is written:
/// a replacement by `install` with these further words.
fn in_namespace(name: &'static str, more: &str) -> Scenario {
    let setup = InstallSandbox::new();
    let args = words(&format!("{INSTALL_THERE} {more}"));
    let machine = Machine::Namespace;
    let private = setup.sandbox.join("tree/etc/ssl/private");
    fs::create_dir_all(&private).unwrap();
    fs::set_permissions(private, fs::Permissions::from_mode(0o700)).unwrap();
    let hook = setup.sandbox.write("hook", swept_machine::HOOK);
    fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).unwrap();
    setup.write_delivery("new.crt");
    machine.run(&setup.sandbox, &words(INSTALL_THERE)).expect(0);
    setup.write_delivery("new.crt");
    let copy = copied(&setup.sandbox);
    machine.run(&copy, &args).expect(0);
    let new = found(&copy);
    let (chain, _) = new.clone().unwrap();
    setup.sandbox.write("expected.pem", chain);
    Scenario {
        name,
        sites: vec![SITE],
        heal: args.clone(),
        args,
        always: &[],
        code: 0,
        old: vec![found(&setup.sandbox)],
        new: vec![new.clone()],
        broken: Vec::new(),
        heal_codes: &[0],
        healed: vec![new],
        key_mode: 0o600,
        settled: proven,
        machine,
        check_end: |_, _| Vec::new(),
        sandbox: setup.sandbox,
    }
}

/// Returns a replacement with a command of `--after`, with the lines in the log.
fn hook_and_log() -> Scenario {
    Scenario {
        check_end: swept_machine::check_hook_and_log,
        settled: |sandbox| [proven(sandbox), swept_machine::has_run_hook(sandbox)].concat(),
        ..in_namespace("hook_and_log", "--after /mnt/hook")
    }
}

/// Returns a replacement that was approved by its id. The next run needs no approval.
fn approved() -> Scenario {
    let scenario = in_namespace("approved", "--cert-name example.com");
    let dry_run = [scenario.args.clone(), words("--dry-run --json")].concat();
    let planned = scenario.machine.run(&scenario.sandbox, &dry_run).expect(0);
    let id = planned.json()["plan_id"].as_str().unwrap().to_owned();
    Scenario {
        args: [scenario.args.clone(), vec!["--plan".to_owned(), id]].concat(),
        ..scenario
    }
}

/// A scenario, and the name with which `CERTCTL_SWEEP_ONLY` selects it.
type NamedScenario = (&'static str, fn() -> Scenario);

/// The scenarios of the sweep.
const SCENARIOS: [NamedScenario; 17] = [
    ("first", first),
    ("replacement", replacement),
    ("repair", repair),
    ("waited", waiting_for_the_lock),
    ("takeover", takeover),
    ("mismatched_files", mismatched_files),
    ("rollback", back),
    ("undo", undo),
    ("forget", removal),
    ("batch", batch),
    ("first_copies", first_copies),
    ("copies", copies),
    ("taken_copies", takeover_by_copies),
    ("undo_copies", undo_copies),
    ("back_copies", back_by_copies),
    ("forget_force", forced_removal),
    ("chain_alone", chain_alone),
];

/// The scenarios that need a namespace.
const SCENARIOS_IN_NAMESPACES: [NamedScenario; 2] =
    [("hook_and_log", hook_and_log), ("approved", approved)];

/// Returns the scenarios that this machine can run: all, or those that `CERTCTL_SWEEP_ONLY` names,
/// with commas between them.
fn chosen_scenarios() -> Vec<NamedScenario> {
    let mut scenarios = SCENARIOS.to_vec();
    if swept_machine::is_possible() {
        scenarios.extend(SCENARIOS_IN_NAMESPACES);
    }
    let only = std::env::var("CERTCTL_SWEEP_ONLY").unwrap_or_default();
    if only.is_empty() {
        return scenarios;
    }
    let known: Vec<&str> = scenarios.iter().map(|(name, _)| *name).collect();
    for name in only.split(',') {
        assert!(
            known.contains(&name),
            "CERTCTL_SWEEP_ONLY names {name:?}, which is none of {known:?}"
        );
    }
    scenarios.retain(|(name, _)| only.split(',').any(|one| one == *name));
    scenarios
}

/// Without `CERTCTL_SWEEP_EVERY`, one in this many points is tried.
const EVERY: usize = 23;

/// Which of the points are tried without `CERTCTL_SWEEP_SEED`. Fixed, so that the same points are
/// tried before and after a change.
const SEED: usize = 20;

/// Reads a number from the environment.
fn number(name: &str) -> Option<usize> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is {text:?}, which is not a number")),
    )
}

#[test]
fn a_fault_at_any_call_leaves_a_complete_certificate_and_the_next_run_succeeds() {
    let every = number("CERTCTL_SWEEP_EVERY").unwrap_or(EVERY);
    let seed = number("CERTCTL_SWEEP_SEED").unwrap_or(SEED);
    let workers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(2);
    let (mut total, mut tried, mut violations) = (0, 0, Vec::new());
    for (name, prepare) in chosen_scenarios() {
        let scenario = prepare();
        assert_eq!(scenario.name, name);
        let points = scenario.points();
        assert!(points.len() > 200, "{}: {points:?}", scenario.name);
        let mut chosen = points.clone();
        let mut index = total + seed;
        chosen.retain(|_| {
            index += 1;
            index.is_multiple_of(every)
        });
        let mut tally = scenario.sweep(&chosen, workers);
        let ends: Vec<String> = tally
            .ends
            .iter()
            .map(|(code, count)| match code {
                -1 => format!("killed {count}"),
                code => format!("exit {code}: {count}"),
            })
            .collect();
        println!(
            "{:12} {:5} points, {:5} tried ({}), {} violations",
            scenario.name,
            points.len(),
            chosen.len(),
            ends.join(", "),
            tally.violations.len()
        );
        total += points.len();
        tried += chosen.len();
        violations.append(&mut tally.violations);
    }
    println!(
        "in all       {total:5} points, {tried:5} tried, {} violations (every {every}, seed {seed})",
        violations.len()
    );
    assert!(
        violations.is_empty(),
        "{}\nto run the same sample again (seed {seed}):\n  scripts/crash-sweep {every} {seed}",
        violations.join("\n")
    );
}

/// The checks of the sweep find what a broken program would leave.
#[test]
fn planted_violations_are_found() {
    let scenario = copies();
    let sandbox = &scenario.sandbox;
    assert_eq!(scenario.check_files(sandbox), Vec::<String>::new());
    assert_eq!((scenario.settled)(sandbox), Vec::<String>::new());
    let (chain, key) = (sandbox.join(CHAIN), sandbox.join(KEY));
    let plant = |violation: &dyn Fn(), path: &Path| {
        let kept = path.with_extension("planted");
        fs::rename(path, &kept).unwrap();
        fs::copy(&kept, path).unwrap();
        violation();
        let found = [scenario.check_files(sandbox), (scenario.settled)(sandbox)].concat();
        fs::rename(&kept, path).unwrap();
        found
    };
    let text = sandbox.read(CHAIN);
    let half = plant(
        &|| fs::write(&chain, &text[..text.len() / 2]).unwrap(),
        &chain,
    );
    assert!(
        half[0].contains("chain and key of different certificates"),
        "{half:?}"
    );
    let open = plant(
        &|| fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap(),
        &key,
    );
    assert!(
        open.iter().any(|found| found.contains("has mode 644")),
        "{open:?}"
    );
    let link = plant(
        &|| {
            fs::remove_file(&key).unwrap();
            std::os::unix::fs::symlink("../certctl/example.com/live/key.pem", &key).unwrap();
        },
        &key,
    );
    assert!(
        link.iter()
            .any(|found| found.contains("is not a plain file")),
        "{link:?}"
    );
    let kept = sandbox.write("tree/etc/ssl/private/.example.com.key.before~", "");
    assert_eq!(support::install_sandbox::leftovers(sandbox), [kept]);
}

/// The checks of a repair find a release that is still damaged, a half exchange and a leftover.
#[test]
fn planted_violations_of_repairs_are_found() {
    let scenario = repair();
    let sandbox = &scenario.sandbox;
    assert_eq!(scenario.check_files(sandbox), Vec::<String>::new());
    assert_eq!(repaired(sandbox), ["the damaged release is still live"]);
    run(sandbox, &scenario.args);
    assert_eq!(repaired(sandbox), Vec::<String>::new());
    let releases = format!("{LINEAGE}/releases");
    fs::create_dir(sandbox.join(&format!("{releases}/.planted~"))).unwrap();
    assert_eq!(repaired(sandbox), ["there are 2 releases instead of one"]);
    let live_chain = format!("{LINEAGE}/live/fullchain.pem");
    fs::remove_file(sandbox.join(&live_chain)).unwrap();
    let found = scenario.check_files(sandbox);
    assert!(found[0].contains("no chain or no key"), "{found:?}");
}

/// The checks of an install without a key find a key that was written.
#[test]
fn a_planted_key_is_found_where_only_the_chain_is_installed() {
    let scenario = chain_alone();
    let sandbox = &scenario.sandbox;
    let checks = || {
        let files = scenario.check_files(sandbox);
        [files, (scenario.settled)(sandbox), written_keys(sandbox)].concat()
    };
    assert_eq!(checks(), Vec::<String>::new());
    sandbox.write(KEY, sandbox.read("example.com.key"));
    assert!(checks().iter().any(|one| one.contains("has a key")));
    fs::remove_file(sandbox.join(KEY)).unwrap();
    let text = sandbox.read(CHAIN);
    fs::write(sandbox.join(CHAIN), &text[..text.len() / 2]).unwrap();
    assert!(checks()[0].contains("different certificates"));
}

/// The checks of the command of `--after` and of the log find what a broken program would leave.
#[test]
fn planted_violations_of_hooks_and_logs_are_found() {
    if !swept_machine::is_possible() {
        return;
    }
    let scenario = hook_and_log();
    let sandbox = &scenario.sandbox;
    let entry = "MESSAGE=x\nCERTCTL_ACTION=install\nCERTCTL_RESULT=files\n".to_owned();
    let one = std::slice::from_ref(&entry);
    let two = [entry.clone(), entry.clone()];
    let done = RunEnd {
        code: Some(0),
        stdout: "{}",
        is_new: true,
        entries: one,
    };
    let refused = RunEnd {
        code: Some(4),
        is_new: false,
        ..done
    };
    let silent = RunEnd {
        entries: &[],
        ..done
    };
    let repeated = RunEnd {
        entries: &two,
        ..done
    };
    let unlogged = RunEnd {
        stdout: "{\"code\":\"log-not-written\"}",
        ..silent
    };
    for (runs, end, expected) in [
        ("new\n", done, None),
        ("new\n", unlogged, None),
        ("", done, Some("without the command")),
        ("new\nnew\n", done, Some("ran 2 times")),
        ("other\n", done, Some("before the certificate was in place")),
        ("new\n", silent, Some("without a line")),
        ("new\n", repeated, Some("more than one line")),
        ("", refused, Some("did not take place")),
    ] {
        sandbox.write("tree/etc/ssl/hook.log", runs);
        let found = (scenario.check_end)(sandbox, &end);
        match expected {
            None => assert_eq!(found, Vec::<String>::new(), "{runs:?}"),
            Some(part) => assert!(
                found.iter().any(|one| one.contains(part)),
                "{part}: {found:?}"
            ),
        }
    }
    sandbox.write("tree/etc/ssl/hook.log", "");
    assert!(!(scenario.settled)(sandbox).is_empty());

    // A plan that was refused must not have changed anything; a removal leaves no folder.
    let point = support::sweep::Point {
        call: "read".to_owned(),
        number: 1,
        fault: support::sweep::Fault::Error("EIO"),
    };
    let approved = approved();
    approved
        .machine
        .run(&approved.sandbox, &approved.args)
        .expect(0);
    let end = (1, "{\"code\":\"plan-changed\"}", "");
    let found = approved.check_exit_code(&approved.sandbox, &point, end);
    assert!(found[0].contains("the new files are in place"), "{found:?}");
    let removal = forced_removal();
    assert!(!(removal.settled)(&removal.sandbox).is_empty());
    let key = removal.sandbox.join(KEY);
    fs::remove_file(key).unwrap();
    let found = removal.check_files(&removal.sandbox);
    assert!(found[0].contains("no chain or no key"), "{found:?}");
}

/// Returns the first line of a trace, at or after line `from`, that contains all `words`.
fn line(trace: &[&str], from: usize, words: &[&str]) -> usize {
    let has_words = |text: &&str| words.iter().all(|word| text.contains(word));
    let found = trace.iter().skip(from).position(has_words);
    from + found.unwrap_or_else(|| {
        panic!(
            "{words:?} is not in the trace from line {from} on:\n{}",
            trace.join("\n")
        )
    })
}

/// A change that a power loss could undo must be flushed before changes that rely on it (`-y` prints
/// the paths of descriptors).
#[test]
fn changes_are_flushed_before_others_rely_on_them() {
    let setup = InstallSandbox::new();
    renew_and_install(&setup);
    setup.write_delivery("new.crt");
    let [test, reload] = ["a-test", "a-reload"].map(|name| {
        let path = setup.sandbox.write(&format!("bin/{name}"), "#!/bin/sh\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    });
    let args = [
        install(),
        ["--test", &test, "--reload", &reload]
            .map(str::to_owned)
            .to_vec(),
    ]
    .concat();
    let sandbox = &setup.sandbox;
    let file = sandbox.write("traces/order", "");
    let mut strace = Command::new(path_of("strace"));
    strace
        .args([
            "-f",
            "-y",
            "-s",
            "300",
            "-e",
            "trace=fsync,rename,renameat,renameat2,execve",
            "-o",
        ])
        .arg(&file);
    succeed(strace.arg(program()).args(args).current_dir(sandbox.path()));
    let text = with_full_paths(&fs::read_to_string(file).unwrap());
    let trace: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("ENOENT"))
        .collect();

    let mut last = 0;
    for piece in ["fullchain.pem", "cert.pem", "ca.pem", "key.pem"] {
        last = last.max(line(&trace, 0, &["fsync(", "/releases/.", piece]));
    }
    for words in [
        // The temporary folder itself, then its rename, then the folder above it.
        &["fsync(", "/releases/.", "~>)"][..],
        &["renameat2(", "/releases/.", "RENAME_NOREPLACE"],
        &["fsync(", "/releases>)"],
        &["renameat(", "/.live."],
        &["fsync(", "/certctl/example.com>)"],
        &["execve(", "/a-test"],
        &["execve(", "/a-reload"],
        &["renameat(", "/.proven."],
        &["fsync(", "/certctl/example.com>)"],
    ] {
        last = line(&trace, last + 1, words);
    }
}

/// Parses the steps of a certificate's entry, as far as they differ in what they flush.
fn steps(certificate: &Json) -> Vec<PlanStep> {
    let id = |value: &Json| ReleaseId::parse(value.as_str().unwrap()).unwrap();
    let path = |step: &Json| PathBuf::from(step["path"].as_str().unwrap());
    let step = |step: &Json| match step["step"].as_str().unwrap() {
        "keep" => PlanStep::Keep { path: path(step) },
        "link" => PlanStep::Link {
            path: path(step),
            text: PathBuf::new(),
        },
        "mark-proven" => PlanStep::MarkProven {
            from: None,
            to: id(&step["to"]),
        },
        "prune" => PlanStep::Prune,
        "record" => PlanStep::Record {
            release: id(&step["release"]),
            before: None,
        },
        "remember" => PlanStep::Remember { path: path(step) },
        "run-hook" => PlanStep::RunHook {
            command: step["command"].as_str().unwrap().to_owned(),
        },
        "switch" => PlanStep::Switch {
            from: None,
            to: id(&step["to"]),
        },
        "take-over" => PlanStep::TakeOver {
            release: id(&step["release"]),
        },
        "write-release" => PlanStep::WriteRelease {
            release: id(&step["release"]),
            pieces: ReleaseFile::USUAL.to_vec(),
        },
        other => panic!("{other}"),
    };
    certificate["plan"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(step)
        .collect()
}

/// Returns the paths that were flushed, in order; a path under a temporary name is replaced by its
/// final name.
fn flushed(trace: &str) -> Vec<PathBuf> {
    let renames = trace.lines().filter(|line| line.contains("rename"));
    let given: Vec<(&str, &str)> = renames
        .map(|line| {
            let names: Vec<&str> = line.split('"').collect();
            (names[1], names[3])
        })
        .collect();
    let flushed = trace
        .lines()
        .filter(|line| line.contains("sync("))
        .map(|line| {
            let path = line.split_once('<').unwrap().1.split_once('>').unwrap().0;
            let name = given
                .iter()
                .find_map(|(from, to)| Some(format!("{to}{}", path.strip_prefix(from)?)));
            PathBuf::from(name.unwrap_or_else(|| path.to_owned()))
        });
    flushed.collect()
}

/// Runs a scenario; returns its document, the flushed paths, and the path of the tree.
fn traced(scenario: &Scenario) -> (Json, Vec<PathBuf>, PathBuf) {
    let sandbox = &scenario.sandbox;
    sandbox.write("traces/flushes", "");
    // Folders that have to be created would be flushed, too.
    for pair in ["example.com", "other.example"] {
        fs::create_dir_all(sandbox.join(LINEAGE).with_file_name(pair).join("releases")).unwrap();
    }
    fs::create_dir_all(sandbox.join("tree/etc/ssl/private")).unwrap();
    let options = [
        "-y",
        "-o",
        "traces/flushes",
        "-e",
        "trace=fsync,fdatasync,rename,renameat,renameat2",
    ];
    let (code, document, _) = scenario.strace(sandbox, &options);
    assert_eq!(code, 0);
    let flushed = flushed(&with_full_paths(&sandbox.read("traces/flushes")));
    (
        Json::parse(&document),
        flushed,
        fs::canonicalize(sandbox.join("tree")).unwrap(),
    )
}

/// Returns the plan and the layout of a certificate of a document.
fn planned(
    root: &Path,
    steps_of: &Json,
    stem: &str,
    site: [&str; 2],
) -> (InstallPlan, LineageLayout) {
    let [chain, key] = site.map(|path| root.join(path.strip_prefix("tree/").unwrap()));
    let start = UnfinishedStart::default();
    let plan = InstallPlan {
        steps: steps(steps_of),
        back: RollbackTarget::Stay(String::new()),
        end: PlanEnd::Proven,
        start,
    };
    (plan, LineageLayout::new(Some(root), stem, chain, key))
}

/// Adds the trust anchors, which the first install of a certificate copies when it saves its options.
fn with_anchors(mut flushed: Vec<PathBuf>, layout: &LineageLayout) -> Vec<PathBuf> {
    let settings = layout.settings();
    let saved = flushed.iter().rposition(|path| *path == settings).unwrap();
    flushed.insert(saved, settings.with_file_name("trust.pem"));
    flushed
}

/// The plan predicts the flushes: each file once, each folder once after each set of changes that a
/// later step relies on.
#[test]
fn an_install_flushes_what_its_plan_predicts() {
    for (scenario, taken, count) in [
        (first(), &[][..], 13),
        (replacement(), &[], 10),
        (takeover(), &ReleaseFile::USUAL, 22),
        (back(), &[], 3),
    ] {
        let (document, flushed, root) = traced(&scenario);
        let (plan, layout) = planned(&root, &document["certificates"][0], "example.com", SITE);
        let mut predicted = plan.flushes(&layout, taken);
        if ["first", "takeover"].contains(&scenario.name) {
            predicted = with_anchors(predicted, &layout);
        }
        assert_eq!(flushed, predicted, "{}", scenario.name);
        assert_eq!(flushed.len(), count, "{}: {flushed:?}", scenario.name);
    }
}

/// Folders that several certificates share are flushed once for all of them.
#[test]
fn a_batch_flushes_what_its_plans_predict() {
    let scenario = batch();
    fs::remove_dir_all(scenario.sandbox.join("tree/etc")).unwrap();
    let (document, mut flushed, root) = traced(&scenario);
    let (of, other) = (&document["certificates"][0], &document["certificates"][1]);
    let one = planned(&root, of, "example.com", SITE);
    let two = planned(&root, other, "other.example", OTHER);
    let predicted = flushes(&[(&one.0, &one.1, &[]), (&two.0, &two.1, &[])]);
    let mut predicted = with_anchors(with_anchors(predicted, &one.1), &two.1);
    assert_eq!(flushed.len(), 2 * 13 - 2, "{flushed:?}");
    // Both releases are written before the first is renamed to its final name.
    flushed.sort();
    predicted.sort();
    assert_eq!(flushed, predicted);
}
