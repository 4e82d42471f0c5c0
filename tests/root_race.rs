//! `--root DIR` where another user owns DIR and replaces a folder in it by a link while certctl runs
//! as root: nothing outside of DIR is created or changed, with openat2 and without.
//! Needs: setpriv, python3, strace
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use support::external::path_of;
use support::install_sandbox::{InstallSandbox, tree};
use support::namespace::is_root;
use support::program::{clear_environment, program};

/// The user who owns the tree.
const OWNER: u32 = 65534;

/// Installs in each variant.
const ATTEMPTS: usize = 64;

/// Replaces tree/etc by links that lead out of the tree, and back, until it is ended.
const SWAPPER: &str = "
import os, random, sys, time

def move(one, other):
    try:
        os.rename('tree/' + one, 'tree/' + other)
    except OSError:
        pass

number = 0
print('ready', flush=True)
while True:
    for target in sys.argv[1:]:
        try:
            os.rename('tree/etc', 'tree/kept')
            os.symlink(target, 'tree/etc')
            time.sleep(random.choice([0, 0.00005, 0.0005]))
            os.unlink('tree/etc')
            os.rename('tree/kept', 'tree/etc')
            time.sleep(random.choice([0, 0.00005, 0.0005]))
        except OSError:
            # certctl has created tree/etc in the meantime.
            number += 1
            move('etc', 'old-%d' % number)
            move('kept', 'etc')
";

/// Runs a program in which openat2 fails as on Linux before 5.6: a filter of system calls (seccomp)
/// answers ENOSYS (38) for its number, 437, which is the same on every architecture.
const WITHOUT_OPENAT2: &str = "
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
code = [(0x20, 0, 0, 0), (0x15, 0, 1, 437), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7fff0000)]
program = b''.join(struct.pack('HBBI', *line) for line in code)
buffer = ctypes.create_string_buffer(program, len(program))
filter = struct.pack('HxxxxxxP', len(code), ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(filter, len(filter)), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
";

/// A tree of another user, and a folder outside of it that must not change.
struct ForeignTree {
    setup: InstallSandbox,
}

impl ForeignTree {
    fn new() -> Self {
        let setup = InstallSandbox::new();
        setup.write_delivery("new.crt");
        let sandbox = &setup.sandbox;
        fs::set_permissions(sandbox.path(), Permissions::from_mode(0o755)).unwrap();
        sandbox.write("outside/etc/ssl/private/example.com.key", "outside");
        sandbox.write("outside/etc/ssl/certctl/keep", "outside");
        sandbox.write("tree/etc/hostname", "inside");
        for path in ["tree", "tree/etc", "tree/etc/hostname"] {
            chown(sandbox.join(path), Some(OWNER), Some(OWNER)).unwrap();
        }
        Self { setup }
    }

    /// Starts the user's program, and waits until it runs.
    fn start_swapping(&self) -> Swapper {
        use std::io::{BufRead, BufReader};
        let id = OWNER.to_string();
        let outside = self.setup.sandbox.join("outside/etc");
        let mut child = Command::new(path_of("setpriv"))
            .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
            .arg(path_of("python3"))
            .args(["-c", SWAPPER])
            .arg(&outside)
            .arg("../outside/etc")
            .current_dir(self.setup.sandbox.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Swapper(child)
    }

    fn outside(&self) -> BTreeMap<PathBuf, String> {
        tree(&self.setup.sandbox.join("outside"))
    }

    /// Runs `install` and other commands, and returns how many succeeded.
    fn install_often(&self, start: &[&str]) -> usize {
        let before = self.outside();
        let mut succeeded = 0;
        for attempt in 0..ATTEMPTS {
            let args: &[&str] = match attempt % 8 {
                6 => &["rollback", "example.com", "--root", "tree"],
                7 => &["forget", "example.com", "--root", "tree"],
                _ => &[
                    "install", "new.crt", "--root", "tree", "--trust", "root.pem",
                ],
            };
            let mut command = self.setup.sandbox.command(&[]);
            if let Some((first, rest)) = start.split_first() {
                command = Command::new(first);
                command.args(rest).arg(program());
                clear_environment(&mut command)
                    .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
                    .current_dir(self.setup.sandbox.path());
            }
            let output = command.args(args).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(!stderr.contains("panicked"), "{stderr}");
            assert_eq!(self.outside(), before, "attempt {attempt}: {args:?}");
            succeeded += usize::from(output.status.success());
        }
        succeeded
    }
}

/// The user's program, which is ended when it is dropped.
struct Swapper(Child);

impl Drop for Swapper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_swapped_folder_leads_nowhere() {
    if !is_root() {
        return;
    }
    let foreign = ForeignTree::new();
    let swapper = foreign.start_swapping();
    foreign.install_often(&[]);
    drop(swapper);
}

#[test]
fn a_swapped_folder_leads_nowhere_on_old_kernels() {
    if !is_root() {
        return;
    }
    let python = path_of("python3").display().to_string();
    let start = [python.as_str(), "-c", WITHOUT_OPENAT2];
    let undisturbed = ForeignTree::new();
    assert!(undisturbed.install_often(&start) > ATTEMPTS / 2);
    let foreign = ForeignTree::new();
    let swapper = foreign.start_swapping();
    foreign.install_often(&start);
    drop(swapper);
}

/// An order for a certificate that is not due.
const ORDER: [&str; 10] = [
    "order",
    "example.com",
    "www.example.com",
    "--ca",
    "letsencrypt",
    "--webroot",
    ".",
    "--agree-tos",
    "--trust",
    "root.pem",
];

/// The commands that read or change a tree, in an order in which each has something to do.
const COMMANDS_OF_TREES: [&[&str]; 18] = [
    &["install", "new.crt", "--trust", "root.pem", "--dry-run"],
    &["install", "new.crt", "--trust", "root.pem"],
    &[
        "install", "next.crt", "--deploy", "copy", "--key", "next.key",
    ],
    &["install", "--check"],
    &["rollback", "example.com"],
    &["status"],
    &["status", "example.com"],
    &["verify"],
    &["verify", "example.com"],
    &["renew", "--dry-run"],
    &["csr", "example.com", "www.example.com", "--dry-run"],
    &["revoke", "example.com", "--replaced", "--dry-run"],
    &["account", "list"],
    &["import", "certbot", "--dry-run"],
    &["dcv-publish", "example.com", "--dns", "exec:/bin/true"],
    &ORDER,
    &[],
    &["forget", "example.com"],
];

/// Every call with a path below the tree starts at a descriptor of the tree: no call resolves the whole
/// path, in which a folder may have been swapped.
#[test]
fn no_call_resolves_a_path_into_the_tree_from_outside() {
    if !is_root() {
        return;
    }
    for fault in ["none", "openat2:error=ENOSYS"] {
        let setup = InstallSandbox::new();
        let sandbox = &setup.sandbox;
        setup.write_delivery("next.crt");
        fs::rename(sandbox.join("example.com.key"), sandbox.join("next.key")).unwrap();
        setup.write_delivery("new.crt");
        fs::create_dir(sandbox.join("tree")).unwrap();
        let inside = sandbox.join("tree/").display().to_string();
        let trace = sandbox.join("trace");
        for args in COMMANDS_OF_TREES {
            let mut command = Command::new(path_of("strace"));
            command.args(["-f", "-s", "4096", "-e", "trace=%file", "-o"]);
            command.arg(&trace);
            if fault != "none" {
                command.args(["-e", &format!("inject={fault}")]);
            }
            command.arg(program()).args(args).args(["--root", "tree"]);
            clear_environment(&mut command)
                .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
                .current_dir(sandbox.path());
            let run = sandbox.run_command(command);
            assert_ne!(run.code, 2, "{args:?}: {run}");
            let text = sandbox.read("trace");
            // readlink(2) only finds out where a link leads, for the failure of one that leads out.
            let harmless = ["execve(", "readlink("];
            let is_harmless = |line: &&str| harmless.iter().any(|call| line.contains(call));
            let mut calls = text.lines().filter(|line| !is_harmless(line));
            let escaped = calls.find(|line| {
                let mut paths = line.split('"').skip(1).step_by(2);
                paths.any(|path| path.starts_with(&inside) || path.starts_with("tree/"))
            });
            assert_eq!(escaped, None, "{args:?}");
            let tried = text.matches("openat2(").count();
            assert!(args.is_empty() || tried > 0, "{args:?}: {text}");
        }
    }
}
