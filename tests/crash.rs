//! SIGKILL at each file-system call of install and rollback: what is on disk is the old or the new pair, whole; nobody
//! can read a key who should not; the next run heals and leaves nothing behind. Each `CERTCTL_CRASH_EVERY`th point is
//! tried (`scripts/crash-sweep` tries all); the points are numbered over all scenarios.
//! Needs: strace openssl
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; the sweep says what it did"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use support::foreign::{foreign, path_of, succeed};
use support::shop::{CHAIN, KEY, PAIR, Shop, leftovers, link, tree};

/// Every call that names a file, and those that change or lock one.
const CALLS: &str = "%file,read,write,close,fsync,fdatasync,fchmod,fchown,flock,getdents64,fstat";

/// What a server may find, and what it must find in the end.
struct Scenario {
    name: &'static str,
    /// The command, from the sandbox.
    args: Vec<String>,
    /// The next run.
    heal: Vec<String>,
    /// Chain and key, each as it may be found; `None`: no pair that can be loaded.
    allowed: Vec<Option<(String, String)>>,
    /// The pair after the next run.
    healed: (String, String),
    /// The bits that a key file may have.
    key_mode: u32,
}

/// A tree to start from, and a shop beside it.
struct Bench {
    shop: Shop,
    violations: Vec<String>,
}

impl Bench {
    fn new() -> Self {
        Self { shop: Shop::new(), violations: Vec::new() }
    }

    fn install(&self) -> Vec<String> {
        ["install", "new.crt", "--root", "tree", "--trust", "root.pem"].map(str::to_owned).to_vec()
    }

    /// Keeps the tree as the state that each point starts from.
    fn keep(&self) {
        let (tree, kept) = (self.shop.sandbox.join("tree"), self.shop.sandbox.join("kept"));
        fs::create_dir_all(&tree).unwrap();
        let _ = fs::remove_dir_all(&kept);
        succeed(Command::new("cp").arg("-a").arg(&tree).arg(&kept));
    }

    fn reset(&self) {
        let _ = fs::remove_dir_all(self.shop.sandbox.join("tree"));
        succeed(Command::new("cp").arg("-a").arg(self.shop.sandbox.join("kept")).arg(self.shop.sandbox.join("tree")));
    }

    /// What a server would read now; `None` where either is missing.
    fn found(&self) -> Option<(String, String)> {
        let read = |path: &str| fs::read_to_string(self.shop.sandbox.join(path)).ok();
        Some((read(CHAIN)?, read(KEY)?))
    }

    /// The pair that the scenario's command leads to.
    fn target(&self, args: &[String]) -> (String, String) {
        self.reset();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.shop.sandbox.run(&args).expect(0);
        let pair = self.found().unwrap();
        self.judge(&pair);
        pair
    }

    /// Other people's word that the pair is one.
    fn judge(&self, pair: &(String, String)) {
        let chain = self.shop.sandbox.write("judged.crt", &pair.0);
        let key = self.shop.sandbox.write("judged.key", &pair.1);
        let of_leaf = succeed(foreign("openssl").args(["x509", "-noout", "-pubkey", "-in"]).arg(chain));
        let of_key = succeed(foreign("openssl").args(["pkey", "-pubout", "-in"]).arg(key));
        assert_eq!(of_leaf, of_key);
    }

    /// The calls of one whole run, each with how often its name has come: the points to kill at.
    fn points(&self, scenario: &Scenario) -> Vec<(String, usize)> {
        self.reset();
        // Not where certctl would read it.
        let trace = self.shop.sandbox.write("traces/one", "");
        self.strace(scenario, &["-f", "-o", &trace.display().to_string(), "-e", &format!("trace={CALLS}")]);
        let text = fs::read_to_string(trace).unwrap();
        let mut threads: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        threads.dedup();
        assert_eq!(threads.len(), 1, "the transaction runs on one thread");
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        let mut points = Vec::new();
        for line in text.lines() {
            let Some((call, _)) = line.split_whitespace().nth(1).and_then(|word| word.split_once('(')) else {
                continue;
            };
            let number = count.entry(call.to_owned()).or_default();
            *number += 1;
            if call != "execve" {
                points.push((call.to_owned(), *number));
            }
        }
        points
    }

    /// The command under strace, with a umask that takes nothing away.
    fn strace(&self, scenario: &Scenario, options: &[&str]) -> ExitStatus {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(path_of("strace")).args(options);
        command.arg(env!("CARGO_BIN_EXE_certctl")).args(&scenario.args).current_dir(self.shop.sandbox.path());
        command.output().unwrap().status
    }

    fn kill_at(&mut self, scenario: &Scenario, (call, number): &(String, usize)) {
        self.reset();
        let inject = format!("inject={call}:signal=KILL:when={number}");
        let ended = self.strace(scenario, &["-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject]);
        let place = format!("{}: {call} no. {number}", scenario.name);
        if ended.success() {
            // The last calls of a run can differ by one or two; a point past the end is none.
            return;
        }
        self.look(scenario, &place);
        let args: Vec<&str> = scenario.heal.iter().map(String::as_str).collect();
        let healed = self.shop.sandbox.run(&args);
        if healed.code != 0 {
            self.violations.push(format!("{place}: the next run does not heal:\n{healed}"));
            return;
        }
        if self.found().as_ref() != Some(&scenario.healed) {
            self.violations.push(format!("{place}: healed to another pair"));
        }
        let left = leftovers(&self.shop.sandbox);
        if !left.is_empty() {
            self.violations.push(format!("{place}: left behind: {left:?}"));
        }
        let (live, proven) = ["live", "proven"].map(|name| link(&self.shop.sandbox, &format!("{PAIR}/{name}"))).into();
        if live != proven {
            self.violations.push(format!("{place}: not proven after healing"));
        }
    }

    /// What the kill has left.
    fn look(&mut self, scenario: &Scenario, place: &str) {
        let found = self.found();
        if !scenario.allowed.contains(&found) {
            let what = if found.is_some() { "a mixed pair" } else { "no pair" };
            self.violations.push(format!("{place}: {what} on disk"));
        }
        for path in keys(&self.shop.sandbox.join("tree")) {
            let mode = path.metadata().unwrap().mode() & 0o777;
            if mode & !scenario.key_mode != 0 {
                self.violations.push(format!("{place}: {} has mode {mode:o}", path.display()));
            }
        }
    }
}

/// Every regular file below `folder` with as much as the first words of a private key.
fn keys(folder: &Path) -> Vec<PathBuf> {
    let plain = |path: &PathBuf| path.symlink_metadata().unwrap().is_file();
    let holds = |path: &PathBuf| fs::read_to_string(path).unwrap_or_default().contains("PRIVATE KEY");
    tree(folder).into_keys().filter(plain).filter(holds).collect()
}

fn first(bench: &Bench) -> Scenario {
    bench.shop.deliver("new.crt");
    bench.keep();
    let healed = bench.target(&bench.install());
    let allowed = vec![None, Some(healed.clone())];
    Scenario { name: "first", args: bench.install(), heal: bench.install(), allowed, healed, key_mode: 0o600 }
}

fn replacement(bench: &Bench) -> Scenario {
    bench.shop.round(&[]).expect(0);
    bench.shop.deliver("new.crt");
    bench.keep();
    let old = bench.found();
    let healed = bench.target(&bench.install());
    let allowed = vec![old, Some(healed.clone())];
    Scenario { name: "replacement", args: bench.install(), heal: bench.install(), allowed, healed, key_mode: 0o600 }
}

fn back(bench: &Bench) -> Scenario {
    bench.shop.round(&[]).expect(0);
    bench.shop.round(&[]).expect(0);
    bench.keep();
    let present = bench.found().unwrap();
    let args = ["rollback", "example.com", "--root", "tree"].map(str::to_owned).to_vec();
    let target = bench.target(&args);
    let allowed = vec![Some(present.clone()), Some(target)];
    // What the install of the second comes to is the second again.
    Scenario { name: "rollback", args, heal: bench.install(), allowed, healed: present, key_mode: 0o600 }
}

fn takeover(bench: &Bench) -> Scenario {
    bench.shop.round(&[]).expect(0);
    let (chain, key) = bench.found().unwrap();
    fs::remove_dir_all(bench.shop.sandbox.join("tree")).unwrap();
    let old = (chain + "as the shop sent it\n", key);
    bench.shop.sandbox.write(CHAIN, &old.0);
    let path = bench.shop.sandbox.write(KEY, &old.1);
    fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
    bench.shop.deliver("new.crt");
    bench.keep();
    let healed = bench.target(&bench.install());
    let allowed = vec![Some(old), Some(healed.clone())];
    Scenario { name: "takeover", args: bench.install(), heal: bench.install(), allowed, healed, key_mode: 0o640 }
}

fn strays(bench: &Bench) -> Scenario {
    bench.shop.deliver("stray.crt");
    let sandbox = &bench.shop.sandbox;
    let path = sandbox.write(KEY, sandbox.read("example.com.key"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    bench.shop.deliver("stray.crt");
    sandbox.write(CHAIN, bench.shop.ca.issue(&sandbox.read("example.com.csr")));
    bench.shop.deliver("new.crt");
    bench.keep();
    // What was there was no pair: it, nothing, or the new one.
    let old = bench.found();
    let healed = bench.target(&bench.install());
    Scenario {
        name: "strays",
        args: bench.install(),
        heal: bench.install(),
        allowed: vec![old, None, Some(healed.clone())],
        healed,
        key_mode: 0o600,
    }
}

#[test]
fn a_kill_at_any_call_leaves_a_whole_pair_and_the_next_run_heals() {
    let every: usize = std::env::var("CERTCTL_CRASH_EVERY").ok().and_then(|text| text.parse().ok()).unwrap_or(29);
    let (mut total, mut tried, mut violations) = (0, 0, Vec::new());
    for prepare in [first, replacement, takeover, strays, back] {
        let mut bench = Bench::new();
        let scenario = prepare(&bench);
        let points = bench.points(&scenario);
        assert!(points.len() > 50, "{}: {points:?}", scenario.name);
        let mut own = 0;
        for (index, point) in points.iter().enumerate() {
            if (total + index) % every == 0 {
                bench.kill_at(&scenario, point);
                own += 1;
            }
        }
        println!(
            "{:12} {:4} points, {own:4} tried, {} violations",
            scenario.name,
            points.len(),
            bench.violations.len()
        );
        total += points.len();
        tried += own;
        violations.append(&mut bench.violations);
    }
    println!("in all       {total:4} points, {tried:4} tried, {} violations", violations.len());
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

/// Where `words` come for the first time at or after line `from` of a trace.
fn line(trace: &[&str], from: usize, words: &[&str]) -> usize {
    let fits = |text: &&str| words.iter().all(|word| text.contains(word));
    let found = trace.iter().skip(from).position(fits);
    from + found.unwrap_or_else(|| panic!("{words:?} is not in the trace from line {from} on:\n{}", trace.join("\n")))
}

/// What a power loss can undo must be flushed before what relies on it (`-y` says the paths of descriptors).
#[test]
fn flushes_and_renames_come_in_the_order_that_a_power_loss_allows() {
    let bench = Bench::new();
    bench.shop.round(&[]).expect(0);
    bench.shop.deliver("new.crt");
    let [test, reload] = ["a-test", "a-reload"].map(|name| {
        let path = bench.shop.sandbox.write(&format!("bin/{name}"), "#!/bin/sh\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    });
    let args = [bench.install(), ["--test", &test, "--reload", &reload].map(str::to_owned).to_vec()].concat();
    let pair = bench.found().unwrap();
    let scenario =
        Scenario { name: "order", heal: args.clone(), args, allowed: Vec::new(), healed: pair, key_mode: 0o600 };
    let file = bench.shop.sandbox.write("traces/order", "");
    let calls = "trace=fsync,rename,renameat,renameat2,execve";
    assert!(
        bench.strace(&scenario, &["-f", "-y", "-s", "300", "-o", &file.display().to_string(), "-e", calls]).success()
    );
    let text = fs::read_to_string(file).unwrap();
    let trace: Vec<&str> = text.lines().filter(|line| !line.contains("ENOENT")).collect();

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
