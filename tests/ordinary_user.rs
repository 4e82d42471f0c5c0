//! What an ordinary user can do with certificates that root installed: look, and prepare the
//! renewal. What only root can do ends with the same command for root.
//! Needs: setpriv
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

use support::external::path_of;
use support::install_sandbox::InstallSandbox;
use support::json::Json;
use support::namespace::is_root;
use support::program::program;
use support::{Run, Sandbox};

/// The id of a user without privileges.
const USER: u32 = 65534;

/// A certificate that root installed, and the user whose folder has its request.
struct Installed {
    setup: InstallSandbox,
    /// A folder with certctl that every user may read.
    bin: Sandbox,
}

impl Installed {
    fn new() -> Self {
        let setup = InstallSandbox::new();
        for _ in 0..2 {
            let _ = setup.renew_and_install(&[]).expect(0);
        }
        let bin = Sandbox::new();
        std::fs::copy(program(), bin.join("certctl")).unwrap();
        std::fs::set_permissions(bin.path(), Permissions::from_mode(0o755)).unwrap();
        for entry in std::fs::read_dir(setup.sandbox.path()).unwrap() {
            let path = entry.unwrap().path();
            if !path.ends_with("tree") {
                chown(path, Some(USER), None).unwrap();
            }
        }
        chown(setup.sandbox.path(), Some(USER), None).unwrap();
        Self { setup, bin }
    }

    /// Runs certctl as the user.
    fn run(&self, args: &[&str]) -> Run {
        let id = USER.to_string();
        let mut command = Command::new(path_of("setpriv"));
        command
            .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
            .arg(self.bin.join("certctl"))
            .args(args)
            .args(["--root", "tree"])
            .current_dir(self.setup.sandbox.path());
        self.setup.sandbox.run_command(command)
    }
}

#[test]
fn renewals_are_prepared_without_reading_installed_keys() {
    if !is_root() {
        return;
    }
    let installed = Installed::new();
    let due = ["renew", "--renew-before", "9000d", "--json"];
    let planned = installed
        .run(&[&due[..], &["--dry-run"]].concat())
        .expect(0)
        .json();
    assert_eq!(planned["verdict"], "planned", "{planned}");
    let first = installed.run(&due).expect(0).json();
    assert_eq!(
        (&first["verdict"], &first["changed"]),
        (&"prepared".into(), &true.into()),
        "{first}"
    );
    let request = installed.setup.sandbox.join("example.com-2.csr");
    assert_eq!(request.metadata().unwrap().uid(), USER);
    let second = installed.run(&due).expect(0).json();
    assert_eq!(second["changed"], false, "{second}");
    assert!(!installed.setup.sandbox.join("example.com-3.csr").exists());
    assert!(
        installed
            .run(&["status", "--json"])
            .stdout
            .contains("\"installed\"")
    );
}

#[test]
fn what_needs_root_ends_with_the_command_for_root() {
    if !is_root() {
        return;
    }
    let installed = Installed::new();
    for args in [
        &["install", "--check"][..],
        &["rollback", "example.com", "--dry-run"],
        &["verify", "example.com"],
        &["install", "new.crt", "--trust", "root.pem"],
    ] {
        let failed = installed
            .run(&[args, &["--json"]].concat())
            .expect(4)
            .json();
        let next = &failed["error"]["next"][0];
        let command = format!("sudo certctl {} --json --root tree", args.join(" "));
        assert_eq!(next["command"].as_str(), Some(command.as_str()), "{failed}");
        assert_eq!(next["needs_root"], Json::Bool(true), "{failed}");
    }
}
