//! A sweep: traces one command, then runs it again and again, each time killed at one of its system
//! calls or with one of them failing. Each time it checks the files on disk, who could read a key,
//! the exit code, and whether the next run succeeds.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Sandbox;
use super::external::{path_of, succeed};
use super::install_sandbox::{leftovers, tree};
use super::program::program;
use super::swept_machine::{JournalSocket, Machine, RunEnd};

/// Every call that names a file, those that change or lock one, those that create threads, and those
/// that write to the log.
pub const CALLS: &str = "%file,read,write,close,fsync,fdatasync,fchmod,fchown,flock,getdents64,fstat,fsetxattr,clone,clone3,socket,connect,sendto,sendmsg";

/// Chain and key as a server reads them; `None` if either is missing.
pub type Pair = Option<(String, String)>;

/// Stands for the exit code of a process that was killed.
const KILLED: i32 = -1;

/// A command, the state that it starts from, and the states that it may lead to.
pub struct Scenario {
    pub name: &'static str,
    /// The initial folder: the tree, keys, and files from the CA.
    pub sandbox: Sandbox,
    /// The paths at which servers read chain and key.
    pub sites: Vec<[&'static str; 2]>,
    /// The command, run in the sandbox; `--json` is added.
    pub args: Vec<String>,
    /// Options of strace in every run, such as a call that it answers itself.
    pub always: &'static [&'static str],
    /// The exit code without a fault.
    pub code: i32,
    /// Chain and key of each site before the command.
    pub old: Vec<Pair>,
    /// Chain and key of each site after the command.
    pub new: Vec<Pair>,
    /// Further states that may be found: chain and key that did not match before.
    pub broken: Vec<Pair>,
    /// The next run, its possible exit codes, and chain and key of each site after it.
    pub heal: Vec<String>,
    pub heal_codes: &'static [i32],
    pub healed: Vec<Pair>,
    /// The permission bits that a key file may have.
    pub key_mode: u32,
    /// Further checks after the next run; returns what is wrong.
    pub settled: fn(&Sandbox) -> Vec<String>,
    /// Where the command runs.
    pub machine: Machine,
    /// Further checks after each run with a fault.
    pub check_end: fn(&Sandbox, &RunEnd<'_>) -> Vec<String>,
}

/// The fault at a point.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fault {
    Kill,
    /// The call fails once.
    Error(&'static str),
    /// This call and all later ones fail: a broken disk, a mount that has become read-only.
    Lasting(&'static str),
}

/// A call by its name and number, and the fault at it.
#[derive(Clone, Debug)]
pub struct Point {
    pub call: String,
    pub number: usize,
    pub fault: Fault,
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fault = match self.fault {
            Fault::Kill => "SIGKILL",
            Fault::Error(error) | Fault::Lasting(error) => error,
        };
        let on = if let Fault::Lasting(_) = self.fault {
            " and all later ones"
        } else {
            ""
        };
        write!(f, "{fault} at {} no. {}{on}", self.call, self.number)
    }
}

/// The result of a sweep.
#[derive(Default)]
pub struct Tally {
    /// All points of the scenario.
    pub points: usize,
    /// The number of tried points by exit code (-1: killed).
    pub ends: BTreeMap<i32, usize>,
    pub violations: Vec<String>,
}

/// Returns a trace of `strace -y` in which each name that is relative to a descriptor is replaced by
/// its full path.
pub fn with_full_paths(trace: &str) -> String {
    let mut lines = String::new();
    for line in trace.lines() {
        let mut parts = line.split(">, \"");
        let mut full = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (before, folder) = full.rsplit_once('<').unwrap();
            let before = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
            full = match part.starts_with('/') {
                true => format!("{before}\"{part}"),
                false => format!("{before}\"{folder}/{part}"),
            };
        }
        lines.push_str(&full);
        lines.push('\n');
    }
    lines
}

/// Returns the errors that a call can return; `EINTR` must have no effect.
fn errors(call: &str, line: &str) -> &'static [&'static str] {
    match call {
        "open" | "openat" if line.contains("O_CREAT") => &[
            "ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO", "EMFILE", "EINTR",
        ],
        "open" | "openat" => &["EACCES", "EIO", "EMFILE", "EINTR"],
        "openat2" => &["EACCES", "EIO", "EMFILE", "EINTR", "EAGAIN", "ENOSYS"],
        "read" => &["EIO", "EINTR"],
        "write" => &["ENOSPC", "EDQUOT", "EIO", "EINTR"],
        "fsync" | "fdatasync" => &["EIO", "ENOSPC", "EDQUOT", "EROFS", "EINTR"],
        "close" => &["EIO", "EINTR"],
        "mkdir" | "mkdirat" | "symlink" | "symlinkat" => {
            &["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO"]
        }
        "link" | "linkat" | "rename" | "renameat" | "renameat2" => {
            &["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO", "EXDEV"]
        }
        "unlink" | "unlinkat" | "rmdir" | "chmod" | "fchmod" | "fchmodat" | "chown" | "fchown" => {
            &["EROFS", "EACCES", "EIO"]
        }
        "fsetxattr" | "setxattr" => &["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO"],
        "getxattr" | "stat" | "lstat" | "fstat" | "newfstatat" | "statx" | "readlink"
        | "readlinkat" | "access" => &["EACCES", "EIO"],
        "getdents64" => &["EIO"],
        "flock" => &["EINTR", "EIO"],
        "socket" => &["EACCES", "EMFILE", "EAFNOSUPPORT"],
        "connect" => &["EACCES", "ECONNREFUSED"],
        "sendto" | "sendmsg" => &["EAGAIN", "ECONNREFUSED", "EINTR", "EMSGSIZE", "ENOBUFS"],
        _ => &[],
    }
}

/// Returns whether a call changes the disk. Not `write`, because certctl could not print anything
/// either if it failed permanently (`install_faults` has a full disk on a small tmpfs).
fn changes(call: &str, line: &str) -> bool {
    match call {
        "open" | "openat" => line.contains("O_CREAT"),
        "fsync" | "mkdir" | "mkdirat" | "symlink" | "symlinkat" | "link" | "linkat" | "rename"
        | "renameat" | "renameat2" | "unlink" | "unlinkat" => true,
        _ => false,
    }
}

/// What a worker of a sweep starts each run from.
struct StartState<'a> {
    /// The tree before each run.
    description: String,
    /// The states from which the next run has been tried.
    healed: &'a Mutex<HashSet<String>>,
    journal: Option<JournalSocket>,
}

impl Scenario {
    /// Runs the command under strace with umask 000; returns its exit code, stdout and stderr.
    pub fn strace(&self, sandbox: &Sandbox, options: &[&str]) -> (i32, String, String) {
        let mut command = self.machine.command();
        // For two options about one call, the last one applies.
        command
            .arg(path_of("strace"))
            .args(self.always)
            .args(options);
        command.arg(program()).args(&self.args).arg("--json");
        let output = command
            .current_dir(sandbox.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // strace exits with the code of its child, or as the child was killed; as the first process of
        // a namespace it cannot be killed, and exits with 128 and the signal.
        let code = output.status.code().filter(|code| *code != 128 + 9);
        (
            code.unwrap_or(KILLED),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    /// Returns the points of a complete run, from its first access to its own files, without its
    /// output.
    pub fn points(&self) -> Vec<Point> {
        let sandbox = self.copy();
        sandbox.write("traces/one", "");
        let (code, stdout, stderr) = self.strace(
            &sandbox,
            &["-f", "-o", "traces/one", "-e", &format!("trace={CALLS}")],
        );
        assert_eq!(
            code, self.code,
            "{}: without a fault\n{stdout}{stderr}",
            self.name
        );
        assert_eq!(
            self.found(&sandbox),
            if code == 5 {
                self.old.clone()
            } else {
                self.new.clone()
            },
            "{}",
            self.name
        );
        let text = sandbox.read("traces/one");
        let own = text.split_whitespace().next().unwrap();
        // Programs that it runs may have threads.
        let mut own_lines = text.lines().filter(|line| line.starts_with(own));
        assert!(
            !own_lines.any(|line| line.contains("CLONE_THREAD")),
            "the transaction runs on one thread\n{text}"
        );
        let folder = sandbox
            .path()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let (mut count, mut points, mut begun) =
            (BTreeMap::<String, usize>::new(), Vec::new(), false);
        for line in text.lines() {
            let Some((process, rest)) = line.split_once(' ') else {
                continue;
            };
            let Some((call, _)) = rest.trim_start().split_once('(').filter(|_| process == own)
            else {
                continue;
            };
            let number = count.entry(call.to_owned()).or_default();
            *number += 1;
            let ours = line.contains("\"tree") || line.contains(&folder) || line.contains(".crt\"");
            begun |= ours && call != "execve";
            let is_output =
                call == "write" && (rest.contains("write(1,") || rest.contains("write(2,"));
            if !begun || is_output || call.starts_with("clone") || call == "execve" {
                continue;
            }
            let errors = errors(call, line);
            let lasting = ["ENOSPC", "EROFS", "EIO"]
                .into_iter()
                .filter(|error| errors.contains(error) && changes(call, line));
            let faults = errors
                .iter()
                .map(|error| Fault::Error(error))
                .chain(lasting.map(Fault::Lasting));
            let point = |fault| Point {
                call: call.to_owned(),
                number: *number,
                fault,
            };
            points.extend(std::iter::once(Fault::Kill).chain(faults).map(point));
        }
        points
    }

    /// Returns a copy of the folder.
    fn copy(&self) -> Sandbox {
        let sandbox = Sandbox::new();
        succeed(
            Command::new("cp")
                .arg("-a")
                .arg(self.sandbox.join("."))
                .arg(sandbox.path()),
        );
        sandbox
    }

    fn reset(&self, sandbox: &Sandbox) {
        let _ = fs::remove_dir_all(sandbox.join("tree"));
        succeed(
            Command::new("cp")
                .arg("-a")
                .arg(self.sandbox.join("tree"))
                .arg(sandbox.path()),
        );
    }

    /// Returns chain and key of each site, as servers would read them now.
    pub fn found(&self, sandbox: &Sandbox) -> Vec<Pair> {
        let read = |path: &str| fs::read_to_string(sandbox.join(path)).ok();
        self.sites
            .iter()
            .map(|[chain, key]| Some((read(chain)?, read(key)?)))
            .collect()
    }

    /// Tries the points with `workers` threads, each in its own folder.
    pub fn sweep(&self, points: &[Point], workers: usize) -> Tally {
        let (next, healed) = (AtomicUsize::new(0), Mutex::new(HashSet::new()));
        let tally = Mutex::new(Tally {
            points: points.len(),
            ..Tally::default()
        });
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    let sandbox = self.copy();
                    let start = StartState {
                        description: state(&sandbox),
                        healed: &healed,
                        journal: self.machine.listen(&sandbox),
                    };
                    while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let (code, found) = self.attempt(&sandbox, point, &start);
                        let mut tally = tally.lock().unwrap();
                        *tally.ends.entry(code).or_default() += 1;
                        let place = format!("{}: {point}", self.name);
                        tally
                            .violations
                            .extend(found.into_iter().map(|what| format!("{place}: {what}")));
                    }
                });
            }
        });
        tally.into_inner().unwrap()
    }

    /// Tries one point; returns the exit code and the violations. Restores the folder.
    fn attempt(
        &self,
        sandbox: &Sandbox,
        point: &Point,
        start: &StartState<'_>,
    ) -> (i32, Vec<String>) {
        let fault = match point.fault {
            Fault::Kill => "signal=KILL".to_owned(),
            Fault::Error(error) | Fault::Lasting(error) => format!("error={error}"),
        };
        let on = if let Fault::Lasting(_) = point.fault {
            "+"
        } else {
            ""
        };
        let journal = start.journal.as_ref();
        // Those of the run that repaired the previous state.
        let _ = journal.map(JournalSocket::entries);
        let inject = format!("inject={}:{fault}:when={}{on}", point.call, point.number);
        // Without -f: the calls of child processes are not counted.
        let trace = format!("trace=flock,{}", point.call);
        let (code, stdout, stderr) =
            self.strace(sandbox, &["-o", "/dev/null", "-e", &trace, "-e", &inject]);
        let mut wrong = self.check_files(sandbox);
        let killed = point.fault == Fault::Kill && code == KILLED;
        if !killed {
            wrong.extend(self.check_exit_code(sandbox, point, (code, &stdout, &stderr)));
        }
        let entries = journal.map(JournalSocket::entries).unwrap_or_default();
        let end = RunEnd {
            code: (!killed).then_some(code),
            stdout: &stdout,
            is_new: self.found(sandbox) == self.new,
            entries: &entries,
        };
        wrong.extend((self.check_end)(sandbox, &end));
        let after = state(sandbox);
        if after != start.description {
            if wrong.is_empty() && start.healed.lock().unwrap().insert(after) {
                wrong.extend(self.heals(sandbox));
            }
            self.reset(sandbox);
        }
        if !wrong.is_empty() {
            wrong[0].push_str(&format!(
                "\n  exit {code}\n  {}\n  {}",
                stdout.trim_end(),
                stderr.trim_end()
            ));
        }
        (code, wrong)
    }

    /// Checks that each site has the old or the new chain and key, and that no key is readable by
    /// more users than allowed.
    pub fn check_files(&self, sandbox: &Sandbox) -> Vec<String> {
        let mut wrong = Vec::new();
        for (index, found) in self.found(sandbox).iter().enumerate() {
            if *found != self.old[index]
                && *found != self.new[index]
                && !self.broken.contains(found)
            {
                let what = if found.is_some() {
                    "chain and key of different certificates"
                } else {
                    "no chain or no key"
                };
                wrong.push(format!("{what} at {}", self.sites[index][0]));
            }
        }
        for path in keys(&sandbox.join("tree")) {
            let mode = path.metadata().unwrap().mode() & 0o777;
            if mode & !self.key_mode != 0 {
                wrong.push(format!("{} has mode {mode:o}", path.display()));
            }
        }
        wrong
    }

    /// Checks that the exit code describes the state on disk.
    pub fn check_exit_code(
        &self,
        sandbox: &Sandbox,
        point: &Point,
        (code, stdout, stderr): (i32, &str, &str),
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let found = self.found(sandbox);
        let has_no_effect = match point.fault {
            Fault::Error("EINTR") => true,
            Fault::Error("EAGAIN" | "ENOSYS") => point.call == "openat2",
            _ => false,
        };
        if has_no_effect && code != self.code {
            wrong.push("an interrupted call was not repeated".to_owned());
        }
        let lost = ["fsync", "write"].contains(&point.call.as_str())
            && !matches!(point.fault, Fault::Kill | Fault::Error("EINTR"));
        if lost && code == 0 && !stdout.contains("\"follow-up-failed\"") {
            wrong.push("a failed write was ignored".to_owned());
        }
        let (is_old, is_new) = (found == self.old, found == self.new);
        let true_code = match code {
            0 => is_new,
            // In a batch, certificates whose install succeeded stay.
            1..=5 => is_old || self.sites.len() > 1,
            6 => stdout.contains("\"left\":[\"") || stdout.contains("previous-files-broken"),
            7 => is_new && stdout.contains("\"hook-failed\""),
            _ => false,
        };
        if !true_code {
            wrong.push(format!(
                "exit {code}, and {}",
                match (is_old, is_new) {
                    (true, _) => "the old files are in place",
                    (_, true) => "the new files are in place",
                    _ => "neither is in place",
                }
            ));
        }
        if stderr.contains("panicked") {
            wrong.push("a panic".to_owned());
        }
        wrong
    }

    /// Makes the next run and checks its result.
    fn heals(&self, sandbox: &Sandbox) -> Vec<String> {
        let mut wrong = Vec::new();
        let run = self.machine.run(sandbox, &self.heal);
        if !self.heal_codes.contains(&run.code) {
            return vec![format!("the next run fails:\n{run}")];
        }
        if self.found(sandbox) != self.healed {
            wrong.push("the next run leaves other files".to_owned());
        }
        let left = leftovers(sandbox);
        if !left.is_empty() {
            wrong.push(format!("temporary files are left: {left:?}"));
        }
        wrong.extend((self.settled)(sandbox));
        wrong
    }
}

/// Returns every regular file below `folder` that contains the start of a private key.
pub fn keys(folder: &Path) -> Vec<PathBuf> {
    let plain = |path: &PathBuf| path.symlink_metadata().unwrap().is_file();
    let holds = |path: &PathBuf| {
        fs::read_to_string(path)
            .unwrap_or_default()
            .contains("PRIVATE KEY")
    };
    tree(folder)
        .into_keys()
        .filter(plain)
        .filter(holds)
        .collect()
}

/// Describes everything in the tree, without the random part of temporary names, so that equal states
/// have equal descriptions.
fn state(sandbox: &Sandbox) -> String {
    let mut lines = BTreeSet::new();
    for (path, what) in tree(&sandbox.join("tree")) {
        let name = path
            .strip_prefix(sandbox.path())
            .unwrap()
            .display()
            .to_string();
        let parts = name.split('/').map(|part| {
            match part
                .strip_suffix('~')
                .and_then(|part| part.rsplit_once('.'))
            {
                Some((stem, digits)) if digits.len() == 16 => format!("{stem}.RANDOM~"),
                _ => part.to_owned(),
            }
        });
        let names = path
            .symlink_metadata()
            .map_or(0, |meta| if meta.is_dir() { 1 } else { meta.nlink() });
        lines.insert(format!(
            "{} {names} {what}",
            parts.collect::<Vec<_>>().join("/")
        ));
    }
    Vec::from_iter(lines).join("\n")
}
