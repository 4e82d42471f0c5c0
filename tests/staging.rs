//! `--root DIR` as an ordinary user: a tree for an image or a package. No server is run, and nothing
//! outside of the tree is changed.
//! Needs: setpriv strace
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use support::external::{external_program, path_of, succeed};
use support::install_sandbox::{InstallSandbox, link, mode};
use support::program::program;

/// The id of a user without privileges.
const USER: u32 = 65534;

/// A sandbox whose folder belongs to an ordinary user, with a copy of certctl that this user can
/// run.
struct Staging {
    setup: InstallSandbox,
    user: u32,
    certctl: PathBuf,
}

impl Staging {
    fn new() -> Self {
        let setup = InstallSandbox::new();
        setup.write_delivery("one.crt");
        std::fs::copy(
            setup.sandbox.join("example.com.key"),
            setup.sandbox.join("one.key"),
        )
        .unwrap();
        setup.write_delivery("two.crt");
        let certctl = setup.sandbox.join("certctl");
        std::fs::copy(program(), &certctl).unwrap();
        let root = rustix::process::geteuid().is_root();
        let user = if root {
            USER
        } else {
            rustix::process::geteuid().as_raw()
        };
        for entry in std::fs::read_dir(setup.sandbox.path()).unwrap() {
            chown(entry.unwrap().path(), Some(user), None).unwrap();
        }
        chown(setup.sandbox.path(), Some(user), None).unwrap();
        Self {
            setup,
            user,
            certctl,
        }
    }

    /// Runs certctl as that user; returns stdout and a trace of all calls that name a file.
    fn run(&self, args: &[&str]) -> (String, String) {
        let trace = self.setup.sandbox.write("trace", "");
        let mut command = external_program("strace");
        command
            .args([
                "-f",
                "-qq",
                "-y",
                "-e",
                "trace=%file,fchmod,fchown,ftruncate",
                "-o",
            ])
            .arg(&trace);
        if rustix::process::geteuid().is_root() {
            let id = self.user.to_string();
            command.arg(path_of("setpriv")).args([
                "--reuid",
                &id,
                "--regid",
                &id,
                "--clear-groups",
                "--",
            ]);
        }
        command
            .arg(&self.certctl)
            .args(args)
            .args(["--root", "image"])
            .current_dir(self.setup.sandbox.path());
        let output = succeed(&mut command);
        (output, std::fs::read_to_string(trace).unwrap())
    }

    fn pair(&self, tree: &str) -> (String, String) {
        let read = |path: &str| self.setup.sandbox.read(&format!("{tree}/etc/ssl/{path}"));
        (
            read("example.com.fullchain.pem"),
            read("private/example.com.key"),
        )
    }
}

/// Returns the calls that change something at a path.
fn changes(trace: &str) -> Vec<&str> {
    let changing = [
        "rename", "link", "mkdir", "rmdir", "chmod", "chown", "truncate", "mknod", "utime",
        "setxattr",
    ];
    let writes = |line: &&str| {
        line.contains("O_WRONLY") || line.contains("O_RDWR") || line.contains("O_CREAT")
    };
    let is = |line: &&str| {
        let call = line
            .split_whitespace()
            .nth(1)
            .unwrap_or_default()
            .split('(')
            .next()
            .unwrap_or_default();
        let named =
            changing.iter().any(|word| call.contains(word)) && !call.starts_with("readlink");
        let done = !line.contains(" = -1 ");
        done && (named || call.starts_with("open") && writes(line))
    };
    trace.lines().filter(is).collect()
}

fn owners(folder: &Path, user: u32) {
    for path in support::install_sandbox::tree(folder).into_keys() {
        assert_eq!(
            path.symlink_metadata().unwrap().uid(),
            user,
            "{}",
            path.display()
        );
    }
}

#[test]
fn an_ordinary_user_can_install_into_a_tree() {
    let staging = Staging::new();
    let sandbox = &staging.setup.sandbox;
    let install = [
        "install", "one.crt", "--trust", "root.pem", "--key", "one.key",
    ];
    let mut traces = vec![staging.run(&install).1];
    let first = staging.pair("image");
    assert!(mode(&sandbox.join("image/etc/ssl/private/example.com.key")) == 0o600);
    assert_eq!(
        link(sandbox, "image/etc/ssl/private/example.com.key"),
        "../certctl/example.com/live/key.pem"
    );
    traces.push(
        staging
            .run(&["install", "two.crt", "--trust", "root.pem"])
            .1,
    );
    let second = staging.pair("image");
    assert_ne!(first, second);
    let again = staging
        .run(&["install", "two.crt", "--trust", "root.pem", "--json"])
        .0;
    assert!(
        again.contains("\"verdict\":\"unchanged\",\"changed\":false"),
        "{again}"
    );
    traces.push(staging.run(&["rollback"]).1);
    assert_eq!(staging.pair("image"), first);
    traces.push(staging.run(&["install", "--check"]).1);
    owners(&sandbox.join("image"), staging.user);

    // The tree can be moved, because no link leaves it.
    std::fs::create_dir(sandbox.join("elsewhere")).unwrap();
    succeed(
        Command::new("cp")
            .arg("-a")
            .arg(sandbox.join("image"))
            .arg(sandbox.join("elsewhere/chroot")),
    );
    std::fs::set_permissions(
        sandbox.join("image"),
        std::fs::Permissions::from_mode(0o000),
    )
    .unwrap();
    assert_eq!(staging.pair("elsewhere/chroot"), first);
    std::fs::set_permissions(
        sandbox.join("image"),
        std::fs::Permissions::from_mode(0o755),
    )
    .unwrap();

    traces.push(staging.run(&["forget", "example.com"]).1);
    assert_eq!(staging.pair("image"), first);
    let inside = sandbox.join("image").display().to_string();
    for trace in &traces {
        assert!(
            trace.matches("execve(").count() <= 2,
            "no server may be searched for or run:\n{trace}"
        );
        for line in changes(trace) {
            assert!(
                line.contains("\"image") || line.contains(&inside),
                "a change outside of the tree: {line}"
            );
        }
    }
    assert!(
        traces
            .iter()
            .map(|trace| changes(trace).len())
            .sum::<usize>()
            > 40,
        "the trace shows too few changes"
    );
}
