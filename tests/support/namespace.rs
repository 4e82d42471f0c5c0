//! Scripts in a mount namespace of their own, where a small file system is the tree: full disks,
//! read-only mounts and attributes that the test's own folder may not take. Without root it is a
//! user namespace too.

use super::foreign::{foreign, path_of};
use super::program::program;
use super::{Run, Sandbox};

/// Mounts a tmpfs with `options` at `tree` and runs `script` there (a POSIX shell's, ended by the
/// first failure; `certctl` is the real binary).
pub fn in_mount(sandbox: &Sandbox, options: &str, script: &str) -> Run {
    std::fs::create_dir_all(sandbox.join("tree")).unwrap();
    let root = rustix::process::geteuid().is_root();
    let mut command = foreign("unshare");
    let head = format!(
        "set -e; {} -t tmpfs -o {options} tmpfs tree; certctl() {{ \"$CERTCTL\" \"$@\"; }}",
        path_of("mount").display()
    );
    command
        .arg(if root { "-m" } else { "-rm" })
        .args(["sh", "-c", &format!("{head}\n{script}")])
        .env("CERTCTL", program())
        .current_dir(sandbox.path());
    sandbox.run_command(command)
}

/// Who runs the tests.
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Some faults only root can set up, and root passes by some others.
pub fn is_root() -> bool {
    user() == 0
}
