//! The sweep over every file-system call of install, rollback and remove: SIGKILL at each, and each
//! error that each can give. What is on disk is the old or the new pair, whole; nobody can read a
//! key who should not; the exit code tells the truth; the next run heals and leaves nothing behind.
//! A sample is tried here, the same one in every run; `scripts/crash-sweep` tries all, or another
//! sample.
//! Needs: strace openssl
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; the sweep says what it did"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use certctl::facade::install_plan::plan::{
    InstallPlan, PlanEnd, PlanStep, RollbackTarget, UnfinishedStart, flushes,
};
use certctl::facade::store::layout::{LineageLayout, ReleaseFile, ReleaseId};
use support::Sandbox;
use support::ca::noon;
use support::foreign::{foreign, path_of, succeed};
use support::json::Json;
use support::program::program;
use support::shop::{CHAIN, KEY, PAIR, Shop, link};
use support::sweep::{Pair, Scenario};

const SITE: [&str; 2] = [CHAIN, KEY];

/// The second pair of a batch.
const OTHER: [&str; 2] = [
    "tree/etc/ssl/other.example.fullchain.pem",
    "tree/etc/ssl/private/other.example.key",
];

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// The words of a command, evaluated as of noon today: two runs that do the same leave the same
/// files.
fn at_noon(text: &str) -> Vec<String> {
    words(&format!("{text} --at {}", noon(0)))
}

fn install() -> Vec<String> {
    at_noon("install new.crt --root tree --trust root.pem")
}

fn rollback() -> Vec<String> {
    at_noon("rollback example.com --root tree")
}

fn round(shop: &Shop) {
    shop.deliver("new.crt");
    run(&shop.sandbox, &install());
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

/// What the command leads to. By other people's word it is a pair.
fn target(sandbox: &Sandbox, args: &[String]) -> Pair {
    let copy = copied(sandbox);
    run(&copy, args);
    let of_leaf = succeed(
        foreign("openssl")
            .args(["x509", "-noout", "-pubkey", "-in"])
            .arg(copy.join(CHAIN)),
    );
    let of_key = succeed(
        foreign("openssl")
            .args(["pkey", "-pubout", "-in"])
            .arg(copy.join(KEY)),
    );
    assert_eq!(of_leaf, of_key);
    found(&copy)
}

fn proven(sandbox: &Sandbox) -> Vec<String> {
    is_proven(sandbox, PAIR)
}

fn is_proven(sandbox: &Sandbox, pair: &str) -> Vec<String> {
    let [live, proven] = ["live", "proven"].map(|name| link(sandbox, &format!("{pair}/{name}")));
    if live == proven {
        Vec::new()
    } else {
        vec![format!("{pair}: not proven after healing")]
    }
}

/// An install into the tree of the shop, as it is.
fn installing(name: &'static str, shop: Shop) -> Scenario {
    let sandbox = shop.sandbox;
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
        sandbox,
    }
}

fn first() -> Scenario {
    let shop = Shop::new();
    fs::create_dir(shop.sandbox.join("tree")).unwrap();
    shop.deliver("new.crt");
    installing("first", shop)
}

fn replacement() -> Scenario {
    let shop = Shop::new();
    round(&shop);
    shop.deliver("new.crt");
    installing("replacement", shop)
}

/// The lock is held when it is asked for: everything is looked at again under it. The first that is
/// locked is what is built.
fn waited() -> Scenario {
    Scenario {
        name: "waited",
        always: &["-e", "inject=flock:error=EAGAIN:when=2"],
        ..replacement()
    }
}

fn takeover() -> Scenario {
    let shop = Shop::new();
    round(&shop);
    let (chain, key) = found(&shop.sandbox).unwrap();
    fs::remove_dir_all(shop.sandbox.join("tree")).unwrap();
    shop.sandbox.write(CHAIN, chain + "as the shop sent it\n");
    let path = shop.sandbox.write(KEY, key);
    fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
    shop.deliver("new.crt");
    Scenario {
        key_mode: 0o640,
        ..installing("takeover", shop)
    }
}

/// What is there is no pair: it, nothing, or the new one may be found.
fn strays() -> Scenario {
    let shop = Shop::new();
    shop.deliver("stray.crt");
    let sandbox = &shop.sandbox;
    let path = sandbox.write(KEY, sandbox.read("example.com.key"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    shop.deliver("stray.crt");
    sandbox.write(CHAIN, shop.ca.issue(&sandbox.read("example.com.csr")));
    shop.deliver("new.crt");
    Scenario {
        broken: vec![None],
        ..installing("strays", shop)
    }
}

fn back() -> Scenario {
    let shop = Shop::new();
    round(&shop);
    round(&shop);
    let old = found(&shop.sandbox);
    let new = target(&shop.sandbox, &rollback());
    // What the install of the second comes to is the second again.
    Scenario {
        name: "rollback",
        args: rollback(),
        new: vec![new],
        healed: vec![old],
        ..installing("rollback", shop)
    }
}

/// The server's test refuses the new pair: it is taken back.
fn undo() -> Scenario {
    let shop = Shop::new();
    round(&shop);
    let (_, key) = found(&shop.sandbox).unwrap();
    shop.sandbox.write("old.key", key);
    let test = format!("#!/bin/sh\nexec cmp -s old.key {KEY}\n");
    fs::set_permissions(
        shop.sandbox.write("a-test", test),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    shop.deliver("new.crt");
    let args = [install(), words("--test ./a-test --reload true")].concat();
    // The next run is not told of the test.
    Scenario {
        args,
        code: 5,
        heal: [install(), words("--test true")].concat(),
        ..installing("undo", shop)
    }
}

/// Two replacements in one transaction.
fn batch() -> Scenario {
    let shop = Shop::new();
    let sandbox = &shop.sandbox;
    let args = at_noon("install new.crt other.crt --root tree --trust root.pem");
    let deliver = || {
        shop.deliver("new.crt");
        sandbox.run(&["csr", "other.example", "--force"]).expect(0);
        let leaf = shop.ca.issue(&sandbox.read("other.example.csr"));
        sandbox.write("other.crt", leaf + &shop.ca.intermediate_pem());
    };
    deliver();
    run(sandbox, &args);
    let pairs = |sandbox: &Sandbox| [SITE, OTHER].map(|site| pair(sandbox, site)).to_vec();
    let old = pairs(sandbox);
    deliver();
    let copy = copied(sandbox);
    run(&copy, &args);
    let new = pairs(&copy);
    assert!(
        old.iter()
            .zip(&new)
            .all(|(old, new)| old.is_some() && new.is_some() && old != new)
    );
    let both = |sandbox: &Sandbox| {
        let other = PAIR.replace("example.com", "other.example");
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
        ..installing("batch", shop)
    }
}

/// Servers read the same all the time.
fn removal() -> Scenario {
    let shop = Shop::new();
    round(&shop);
    round(&shop);
    let pair = found(&shop.sandbox);
    let args = at_noon("forget example.com --root tree");
    let gone = |sandbox: &Sandbox| match sandbox.join(PAIR).exists() {
        true => vec!["its folder is still there".to_owned()],
        false => Vec::new(),
    };
    Scenario {
        new: vec![pair.clone()],
        healed: vec![pair],
        heal: args.clone(),
        // It may have ended already.
        heal_codes: &[0, 3],
        args,
        settled: gone,
        ..installing("forget", shop)
    }
}

/// Without `CERTCTL_SWEEP_EVERY`: one point out of so many is tried.
const EVERY: usize = 23;

/// Without `CERTCTL_SWEEP_SEED`: which ones. Fixed, so that a change is judged by the same points
/// before and after it.
const SEED: usize = 20;

/// A number from the environment.
fn number(name: &str) -> Option<usize> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is {text:?}, which is not a number")),
    )
}

#[test]
fn a_fault_at_any_call_leaves_a_whole_pair_and_the_next_run_heals() {
    let every = number("CERTCTL_SWEEP_EVERY").unwrap_or(EVERY);
    let seed = number("CERTCTL_SWEEP_SEED").unwrap_or(SEED);
    let only = |name: &str| std::env::var("CERTCTL_SWEEP_ONLY").is_ok_and(|only| only != name);
    let workers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(2);
    let (mut total, mut tried, mut violations) = (0, 0, Vec::new());
    for prepare in [
        first,
        replacement,
        waited,
        takeover,
        strays,
        back,
        undo,
        removal,
        batch,
    ] {
        let scenario = prepare();
        if only(scenario.name) {
            continue;
        }
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
        "{}\nto try the same sample again (seed {seed}):\n  scripts/crash-sweep {every} {seed}",
        violations.join("\n")
    );
}

/// Where `words` come for the first time at or after line `from` of a trace.
fn line(trace: &[&str], from: usize, words: &[&str]) -> usize {
    let fits = |text: &&str| words.iter().all(|word| text.contains(word));
    let found = trace.iter().skip(from).position(fits);
    from + found.unwrap_or_else(|| {
        panic!(
            "{words:?} is not in the trace from line {from} on:\n{}",
            trace.join("\n")
        )
    })
}

/// What a power loss can undo must be flushed before what relies on it (`-y` says the paths of
/// descriptors).
#[test]
fn flushes_and_renames_come_in_the_order_that_a_power_loss_allows() {
    let shop = Shop::new();
    round(&shop);
    shop.deliver("new.crt");
    let [test, reload] = ["a-test", "a-reload"].map(|name| {
        let path = shop.sandbox.write(&format!("bin/{name}"), "#!/bin/sh\n");
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
    let sandbox = &shop.sandbox;
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
    let text = fs::read_to_string(file).unwrap();
    let trace: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("ENOENT"))
        .collect();

    let mut last = 0;
    for piece in ["fullchain.pem", "cert.pem", "ca.pem", "key.pem"] {
        last = last.max(line(&trace, 0, &["fsync(", "/releases/.", piece]));
    }
    for words in [
        // The hidden folder itself, then its name, then the folder that holds the name.
        &["fsync(", "/releases/.", "~>)"][..],
        &["renameat2(", "/releases/.", "RENAME_NOREPLACE"],
        &["fsync(", "/releases>)"],
        &["rename(", "/.live."],
        &["fsync(", "/certctl/example.com>)"],
        &["execve(", "/a-test"],
        &["execve(", "/a-reload"],
        &["rename(", "/.proven."],
        &["fsync(", "/certctl/example.com>)"],
    ] {
        last = line(&trace, last + 1, words);
    }
}

/// The steps that a document says were done, as far as they are told apart by what they flush.
fn steps(document: &Json) -> Vec<PlanStep> {
    let id = |value: &Json| ReleaseId::parse(value.as_str().unwrap()).unwrap();
    let path = |step: &Json| PathBuf::from(step["path"].as_str().unwrap());
    let step = |step: &Json| match step["step"].as_str().unwrap() {
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
    document["plan"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(step)
        .collect()
}

/// What the kernel was asked to flush, in this order; what is flushed under a temporary name counts
/// under the one that it is given.
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

/// A run of the scenario: its document, what it flushed, the tree.
fn traced(scenario: &Scenario) -> (Json, Vec<PathBuf>, PathBuf) {
    let sandbox = &scenario.sandbox;
    sandbox.write("traces/flushes", "");
    // Folders that have to be made are flushed too.
    for pair in ["example.com", "other.example"] {
        fs::create_dir_all(sandbox.join(PAIR).with_file_name(pair).join("releases")).unwrap();
    }
    fs::create_dir_all(sandbox.join("tree/etc/ssl/private")).unwrap();
    let options = [
        "-y",
        "-o",
        "traces/flushes",
        "-e",
        "trace=fsync,fdatasync,rename,renameat2",
    ];
    let (code, document, _) = scenario.strace(sandbox, &options);
    assert_eq!(code, 0);
    let flushed = flushed(&sandbox.read("traces/flushes"));
    (
        Json::parse(&document),
        flushed,
        fs::canonicalize(sandbox.join("tree")).unwrap(),
    )
}

/// The plan and the paths of a certificate of a document.
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

/// Each file once, each folder once after each set of changes that a later step relies on: what the
/// plan says is what the kernel is asked for.
#[test]
fn what_is_flushed_is_what_the_plan_says() {
    for (scenario, taken, count) in [
        (first(), &[][..], 12),
        (replacement(), &[], 10),
        (takeover(), &ReleaseFile::USUAL, 19),
        (back(), &[], 2),
    ] {
        let (document, flushed, root) = traced(&scenario);
        let (plan, layout) = planned(&root, &document, "example.com", SITE);
        assert_eq!(flushed, plan.flushes(&layout, taken), "{}", scenario.name);
        assert_eq!(flushed.len(), count, "{}: {flushed:?}", scenario.name);
    }
}

/// The folders that pairs share are flushed once for all of them.
#[test]
fn what_a_batch_flushes_is_what_its_plans_say() {
    let scenario = batch();
    fs::remove_dir_all(scenario.sandbox.join("tree/etc")).unwrap();
    let (document, mut flushed, root) = traced(&scenario);
    let (of, other) = (&document["certificates"][0], &document["certificates"][1]);
    let one = planned(&root, of, "example.com", SITE);
    let two = planned(&root, other, "other.example", OTHER);
    let mut said = flushes(&[(&one.0, &one.1, &[]), (&two.0, &two.1, &[])]);
    assert_eq!(flushed.len(), 2 * 12 - 2, "{flushed:?}");
    // Both releases are built before the first is given its name.
    flushed.sort();
    said.sort();
    assert_eq!(flushed, said);
}
