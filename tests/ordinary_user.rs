//! What an ordinary user can do with certificates that root installed: look, and prepare the
//! renewal. What only root can do ends with the same command for root.
//! Needs: setpriv
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::collections::BTreeSet;
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
        for _ in 0..3 {
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
        let mut command = self.command_of_user();
        command
            .args(args)
            .args(["--root", "tree"])
            .current_dir(self.setup.sandbox.path());
        self.setup.sandbox.run_command(command)
    }

    /// certctl as the user, without arguments.
    fn command_of_user(&self) -> Command {
        let id = USER.to_string();
        let mut command = Command::new(path_of("setpriv"));
        command
            .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
            .arg(self.bin.join("certctl"));
        command
    }

    /// Runs certctl as root and as the user in a folder that has no files of either.
    fn run_as_both(&self, args: &[&str]) -> (Run, Run) {
        let folder = self.bin.join("empty");
        std::fs::create_dir_all(&folder).unwrap();
        chown(&folder, Some(USER), None).unwrap();
        let tree = self.setup.sandbox.join("tree").display().to_string();
        let args = [args, &["--json", "--root", &tree]].concat();
        let mut as_user = self.command_of_user();
        as_user.args(&args).current_dir(&folder);
        let mut as_root = Command::new(self.bin.join("certctl"));
        as_root.args(&args).current_dir(&folder);
        let sandbox = &self.setup.sandbox;
        let root = sandbox.run_command(as_root);
        // The user finds the folder as root found it.
        let _ = std::fs::remove_file(folder.join("x.pem"));
        (root, sandbox.run_command(as_user))
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

#[test]
fn another_user_gets_the_same_report_except_for_what_only_root_can_read() {
    if !is_root() {
        return;
    }
    let installed = Installed::new();
    let expires = installed.run_as_both(&["status"]).0.json()["rows"][0]["not_after"].clone();
    let expires = expires.as_str().unwrap()[..10].to_owned();
    for args in [
        &["status"][..],
        &["status", "example.com"],
        &["renew", "--dry-run"],
        &["csr", "example.com", "www.example.com", "--dry-run"],
    ] {
        let (root, user) = installed.run_as_both(args);
        assert_eq!(user.code, root.code, "{args:?}\n{root}\n{user}");
        let (mut root, mut user) = (root.json(), user.json());
        remove_what_keys_tell(&mut root);
        let unreadable = remove_what_keys_tell(&mut user);
        assert_eq!(user, root, "{args:?}");
        let tree = installed.setup.sandbox.join("tree");
        for finding in unreadable {
            let command = format!(
                "sudo certctl {} --json --root {}",
                args.join(" "),
                tree.display()
            );
            assert_eq!(
                finding["next"][0]["command"].as_str(),
                Some(command.as_str())
            );
        }
    }
    for args in [
        &["verify", "example.com"][..],
        &["verify"],
        &["install", "--check"],
        &["install", "example.com", "--dry-run"],
        &["rollback", "example.com", "--dry-run"],
        &["forget", "example.com", "--dry-run"],
    ] {
        let (root, user) = installed.run_as_both(args);
        let _ = root.expect(0);
        let failed = user.expect(4).json();
        let facts = failed["error"]["known"].as_array().unwrap();
        let says = |text: &str| {
            let is_said = facts
                .iter()
                .any(|fact| fact.as_str().unwrap().contains(text));
            assert!(is_said, "{args:?}: {text} is not in {failed}");
        };
        says(&format!("example.com, www.example.com, expires {expires}"));
        match args[0] {
            "verify" => says("trusted by"),
            "rollback" => says("version to restore: example.com, www.example.com"),
            _ => says("installed and verified"),
        }
        assert_eq!(
            failed["error"]["next"].as_array().unwrap().len(),
            1,
            "{failed}"
        );
        assert_eq!(
            failed["error"]["next"][0]["needs_root"],
            Json::Bool(true),
            "{failed}"
        );
    }
}

/// Removes what only a reader of the keys can know; returns the findings that say so.
fn remove_what_keys_tell(document: &mut Json) -> Vec<Json> {
    if document.get("at").is_some() {
        document.remove("at");
    }
    if let Some(rows) = document
        .get("rows")
        .map(|rows| rows.as_array().unwrap().len())
    {
        for row in 0..rows {
            document["rows"][row].remove("keys");
        }
    }
    let findings = document["findings"].as_array().unwrap().to_vec();
    let (unreadable, others): (Vec<Json>, Vec<Json>) = findings
        .into_iter()
        .partition(|finding| finding["code"] == "keys-unreadable");
    document.set("findings", Json::Array(others));
    unreadable
}

#[test]
fn changed_public_files_are_reported_without_root() {
    if !is_root() {
        return;
    }
    let installed = Installed::new();
    let chain = "tree/etc/ssl/example.com.fullchain.pem";
    std::fs::remove_file(installed.setup.sandbox.join(chain)).unwrap();
    let failed = installed
        .run(&["install", "--check", "--json"])
        .expect(4)
        .json();
    let facts = failed["error"]["known"].to_string();
    assert!(facts.contains("example.com.fullchain.pem"), "{failed}");
    assert!(!facts.contains("is unchanged"), "{failed}");
}

#[test]
fn an_install_without_root_says_so() {
    if !is_root() {
        return;
    }
    let installed = Installed::new();
    let sandbox = &installed.setup.sandbox;
    installed.setup.write_delivery("new.crt");
    chown(sandbox.join("example.com.key"), Some(USER), None).unwrap();
    let mut command = installed.command_of_user();
    command
        .args(["install", "new.crt", "--trust", "root.pem"])
        .current_dir(sandbox.path());
    let run = sandbox.run_command(command).expect(4);
    let text = &run.stderr;
    assert!(
        text.contains("error   `certctl install` has to be run as root"),
        "{run}"
    );
    assert_eq!(text.matches("next ").count(), 1, "{run}");
    let last = text.lines().last().unwrap().trim();
    assert_eq!(last, "sudo certctl install new.crt --trust root.pem");
}

#[test]
fn a_zip_that_only_root_can_install_has_one_next_step() {
    if !is_root() {
        return;
    }
    let installed = Installed::new();
    let sandbox = &installed.setup.sandbox;
    installed.setup.write_delivery("new.crt");
    std::fs::set_permissions(
        sandbox.join("example.com.key"),
        Permissions::from_mode(0o600),
    )
    .unwrap();
    chown(sandbox.join("example.com.key"), Some(USER), None).unwrap();
    let zip = support::zip::zip(&[("new.crt", sandbox.read("new.crt").as_bytes())]);
    sandbox.write("x.zip", zip);
    for more in [&[][..], &["--cert-name", "fresh"]] {
        let args = [&["install", "x.zip", "--trust", "root.pem"], more].concat();
        let failed = installed
            .run(&[&args[..], &["--json"]].concat())
            .expect(4)
            .json();
        let steps = failed["error"]["next"].as_array().unwrap();
        let command = format!("sudo certctl {} --json --root tree", args.join(" "));
        assert_eq!(steps.len(), 1, "{failed}");
        assert_eq!(
            steps[0]["command"].as_str(),
            Some(command.as_str()),
            "{failed}"
        );
    }
}

/// How the answers of a command to root and to another user compare.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Comparison {
    /// They are equal, but for what only a reader of the keys can know.
    Same,
    /// The other user gets exit 4 with the command for root.
    NeedsRoot,
}

/// Every command of the command line, with arguments for a certificate that root installed. `TREE` is
/// the folder of `--root`.
const EVERY_COMMAND: [(Comparison, &[&str]); 34] = [
    (Comparison::Same, &[]),
    (Comparison::Same, &["account", "list"]),
    (
        Comparison::Same,
        &[
            "bundle",
            "TREE/etc/ssl/example.com.fullchain.pem",
            "--trust",
            "TRUST",
            "--out",
            "x.pem",
        ],
    ),
    (
        Comparison::NeedsRoot,
        &[
            "bundle",
            "TREE/etc/ssl/example.com.fullchain.pem",
            "--key",
            "KEY",
            "--format",
            "haproxy",
        ],
    ),
    (Comparison::Same, &["completions", "bash"]),
    (
        Comparison::Same,
        &["csr", "example.com", "www.example.com", "--dry-run"],
    ),
    (
        Comparison::NeedsRoot,
        &["csr", "example.com", "--key", "KEY", "--dry-run"],
    ),
    (
        Comparison::NeedsRoot,
        &["csr", "example.com", "--like", "KEY", "--dry-run"],
    ),
    (Comparison::Same, &["dcv-check", "example.com"]),
    (
        Comparison::Same,
        &["dcv-publish", "example.com", "--dns", "exec:/bin/true"],
    ),
    (Comparison::Same, &["doctor", "example.com"]),
    (Comparison::Same, &["explain", "expired"]),
    (
        Comparison::NeedsRoot,
        &["forget", "example.com", "--dry-run"],
    ),
    (Comparison::Same, &["import", "certbot", "--dry-run"]),
    (
        Comparison::Same,
        &["inspect", "TREE/etc/ssl/example.com.fullchain.pem"],
    ),
    (Comparison::NeedsRoot, &["inspect", "KEY"]),
    (
        Comparison::NeedsRoot,
        &["install", "example.com", "--dry-run"],
    ),
    (Comparison::NeedsRoot, &["install", "--check"]),
    (Comparison::NeedsRoot, &["install", "KEY", "--dry-run"]),
    (
        Comparison::NeedsRoot,
        &[
            "order",
            "example.com",
            "www.example.com",
            "--ca",
            "letsencrypt",
            "--webroot",
            ".",
            "--agree-tos",
        ],
    ),
    (Comparison::Same, &["rehearse", "not a name"]),
    (Comparison::Same, &["renew", "--dry-run"]),
    (
        Comparison::Same,
        &["revoke", "example.com", "--replaced", "--dry-run"],
    ),
    (
        Comparison::NeedsRoot,
        &["rollback", "example.com", "--dry-run"],
    ),
    (
        Comparison::Same,
        &["rollback", "example.com", "--to", "2000-01-01", "--dry-run"],
    ),
    (
        Comparison::Same,
        &["rollback", "example.com", "--to", "00000000"],
    ),
    (
        Comparison::Same,
        &["site", "example.com", "--static", "/srv", "--dry-run"],
    ),
    (Comparison::Same, &["status"]),
    (Comparison::Same, &["status", "example.com"]),
    (Comparison::NeedsRoot, &["status", "KEY"]),
    (
        Comparison::Same,
        &[
            "verify",
            "TREE/etc/ssl/example.com.fullchain.pem",
            "--trust",
            "TRUST",
        ],
    ),
    (Comparison::NeedsRoot, &["verify"]),
    (Comparison::NeedsRoot, &["verify", "example.com"]),
    (Comparison::NeedsRoot, &["verify", "KEY"]),
];

/// Each command answers another user as it answers root, or says that it needs root.
#[test]
fn every_command_answers_another_user_as_root_or_needs_root() {
    if !is_root() {
        return;
    }
    let installed = Installed::new();
    let tree = installed.setup.sandbox.join("tree").display().to_string();
    let key = format!("{tree}/etc/ssl/private/example.com.key");
    let trust = format!("{tree}/etc/ssl/certctl/example.com/trust.pem");
    let compared: BTreeSet<&str> = EVERY_COMMAND
        .iter()
        .filter_map(|(_, args)| args.first().copied())
        .collect();
    let command_line = certctl::cli::command_line();
    let commands = command_line.get_subcommands().map(|one| one.get_name());
    let hidden = ["help"];
    for command in commands.filter(|name| !hidden.contains(name)) {
        assert!(compared.contains(command), "{command} is not compared");
    }
    for (comparison, args) in EVERY_COMMAND {
        let args: Vec<String> = args
            .iter()
            .map(|arg| match *arg {
                "KEY" => key.clone(),
                "TRUST" => trust.clone(),
                arg => arg.replace("TREE", &tree),
            })
            .collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (root, user) = installed.run_as_both(&args);
        let all = format!("{args:?}\nroot: {root}\nuser: {user}");
        for denied in ["no such file", "does not exist", "No such file"] {
            let is_of_user_only = user.stdout.contains(denied) && !root.stdout.contains(denied);
            assert!(!is_of_user_only, "{all}");
        }
        match comparison {
            Comparison::Same => {
                assert_eq!(user.code, root.code, "{all}");
                if !root.stdout.starts_with('{') {
                    assert_eq!(user.stdout, root.stdout, "{args:?}");
                    continue;
                }
                let (mut root, mut user) = (root.json(), user.json());
                for document in [&mut root, &mut user] {
                    if document.get("findings").is_some() {
                        remove_what_keys_tell(document);
                    }
                }
                assert_eq!(user, root, "{args:?}");
            }
            Comparison::NeedsRoot => assert_needs_root(&args, &user, &all),
        }
        let _ = std::fs::remove_file(installed.bin.join("empty/x.pem"));
    }
}

/// The answer says that the command needs root, with exactly that command.
fn assert_needs_root(args: &[&str], user: &Run, all: &str) {
    let document = user.json();
    let steps = match document.get("error") {
        Some(error) => {
            assert_eq!(user.code, 4, "{all}");
            error["next"].clone()
        }
        None => document["findings"][0]["next"].clone(),
    };
    assert_eq!(steps.as_array().unwrap().len(), 1, "{all}");
    let command = steps[0]["command"].as_str().unwrap();
    let words: Vec<String> = args.iter().map(|word| (*word).to_owned()).collect();
    let expected = format!("sudo certctl {} --json --root ", words.join(" "));
    assert!(command.starts_with(&expected), "{all}");
}
