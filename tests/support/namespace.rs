//! Runs scripts in separate mount and process namespaces with a small file system mounted at `tree`, for full
//! disks, read-only mounts and attributes that the file system of the test may not support. Without
//! root, a user namespace is created too.

use super::external::{external_program, path_of};
use super::program::program;
use super::{Run, Sandbox};

/// Mounts a tmpfs with `options` at `tree` and runs `script` in a POSIX shell that stops at the first
/// failure; in it, `certctl` is the real binary.
pub fn in_mount(sandbox: &Sandbox, options: &str, script: &str) -> Run {
    std::fs::create_dir_all(sandbox.join("tree")).unwrap();
    let root = rustix::process::geteuid().is_root();
    let mut command = external_program("unshare");
    let head = format!(
        "set -e; {} -t tmpfs -o {options} tmpfs tree; certctl() {{ \"$CERTCTL\" \"$@\"; }}",
        path_of("mount").display()
    );
    command
        .arg(if root { "-mpf" } else { "-rmpf" })
        // The servers of other tests are not visible.
        .arg("--mount-proc")
        .args(["sh", "-c", &format!("{head}\n{script}")])
        .env("CERTCTL", program())
        .current_dir(sandbox.path());
    sandbox.run_command(command)
}

/// The user id that runs the tests.
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Returns whether root runs the tests: some faults can be set up only by root, and some do not
/// affect root.
pub fn is_root() -> bool {
    user() == 0
}
