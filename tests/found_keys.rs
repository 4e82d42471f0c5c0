//! Keys that root finds and that other users own, can read or can replace: they are not used, and
//! the advice is to check them, never to throw them away.
//! Needs: setpriv
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use support::ca::{Leaf, TestCa, days};
use support::external::path_of;
use support::install_sandbox::codes;
use support::json::Json;
use support::namespace::is_root;
use support::program::{clear_environment, program};
use support::{Run, Sandbox};

/// Accounts of every system (passwd(5)); their groups have no other member.
const DAEMON: u32 = 1;
const BIN: u32 = 2;

/// A folder that everybody can reach, a CA, and a folder in it with the files of one user.
struct SharedMachine {
    sandbox: Sandbox,
    ca: TestCa,
}

impl SharedMachine {
    /// Creates the folder `here` with this mode and owner; none without root.
    fn new(mode: u32, owner: u32) -> Option<Self> {
        if !is_root() {
            return None;
        }
        let sandbox = Sandbox::new();
        set_mode(sandbox.path(), 0o755);
        let ca = TestCa::new();
        sandbox.write("root.pem", ca.root_pem());
        fs::create_dir(sandbox.join("here")).unwrap();
        set_mode(&sandbox.join("here"), mode);
        chown(sandbox.join("here"), Some(owner), Some(owner)).unwrap();
        Some(Self { sandbox, ca })
    }

    /// Puts a key and a request of `owner` there, with the mode of the key.
    fn plant(&self, stem: &str, owner: u32, mode: u32) {
        let made = Sandbox::new();
        let names = ["shop.example", "www.shop.example"];
        let _ = made.run(&[&["csr"], &names[..]].concat()).expect(0);
        for suffix in ["key", "csr"] {
            let path = self.sandbox.join(&format!("here/{stem}.{suffix}"));
            fs::copy(made.join(&format!("shop.example.{suffix}")), &path).unwrap();
            chown(path, Some(owner), Some(owner)).unwrap();
        }
        set_mode(&self.sandbox.join(&format!("here/{stem}.key")), mode);
    }

    /// Writes the certificate for a request, as the CA sends it.
    fn issue(&self, stem: &str) {
        let request = self.sandbox.read(&format!("here/{stem}.csr"));
        let mut leaf = Leaf::default();
        if stem.ends_with("-2") {
            leaf.not_after = days(leaf.not_after, 30);
        }
        let leaf = self.ca.issue_as(&request, leaf);
        let file = format!("here/{stem}.crt");
        self.sandbox.write(&file, self.ca.bundle_pem() + &leaf);
    }

    fn run(&self, args: &[&str]) -> Run {
        self.sandbox
            .run(&[&["-C", "here", "--json"], args].concat())
    }

    fn install(&self, more: &[&str]) -> Run {
        let args = ["install", "--root", "tree", "--trust", "root.pem"];
        self.run(&[&args[..], more].concat())
    }

    fn is_live(&self) -> bool {
        self.sandbox
            .join("tree/etc/ssl/certctl/shop.example/live")
            .exists()
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The commands of steps.
fn commands(steps: &Json) -> Vec<&str> {
    let steps = steps.as_array().unwrap().iter();
    steps.filter_map(|step| step["command"].as_str()).collect()
}

/// The commands of the finding with this code.
fn steps_of<'a>(document: &'a Json, code: &str) -> Vec<&'a str> {
    let mut findings = document["findings"].as_array().unwrap().iter();
    let finding = findings
        .find(|finding| finding["code"] == code)
        .unwrap_or_else(|| panic!("no {code} in {document:#}"));
    commands(&finding["next"])
}

#[test]
fn keys_planted_in_a_shared_folder_are_not_used() {
    let Some(machine) = SharedMachine::new(0o1777, 0) else {
        return;
    };
    machine.plant("shop.example", BIN, 0o600);
    let failed = machine
        .run(&["csr", "shop.example", "www.shop.example"])
        .expect(3)
        .json();
    assert_eq!(failed["error"]["kind"], "hostile", "{failed:#}");
    assert_eq!(
        failed["error"]["message"],
        "here/shop.example.key exists, but it is not used: it belongs to user bin"
    );
    let fresh = "certctl -C here csr shop.example www.shop.example --cert-name new.shop.example";
    assert_eq!(
        commands(&failed["error"]["next"]),
        [
            "sudo ls -ld here/shop.example.key",
            "sudo chown root: here/shop.example.key",
            fresh,
        ]
    );
    machine.issue("shop.example");
    let refused = machine.install(&[]).expect(1).json();
    assert_eq!(refused["verdict"], "refused", "{refused:#}");
    assert!(!machine.is_live());
    let repair = "sudo chown root: here/shop.example.key";
    let check = "sudo ls -ld here/shop.example.key";
    assert_eq!(steps_of(&refused, "key-of-another-user"), [check, repair]);
    // A certificate needs the key now, so no other one is made.
    let failed = machine.run(&["csr", "shop.example"]).expect(3).json();
    assert_eq!(commands(&failed["error"]["next"]), [check, repair]);

    let named = machine
        .install(&["shop.example", "--key", "here/shop.example.key"])
        .expect(0)
        .json();
    assert!(codes(&named).contains(&"key-of-another-user"), "{named:#}");
    fs::remove_dir_all(machine.sandbox.join("tree")).unwrap();
    chown(machine.sandbox.join("here/shop.example.key"), Some(0), None).unwrap();
    let installed = machine.install(&[]).expect(0).json();
    assert!(!codes(&installed).contains(&"key-of-another-user"));
    assert!(machine.is_live());
}

#[test]
fn arguments_and_bundles_do_not_use_planted_keys() {
    let Some(machine) = SharedMachine::new(0o1777, 0) else {
        return;
    };
    machine.plant("shop.example", BIN, 0o600);
    machine.issue("shop.example");
    let both = ["here/shop.example.crt", "here/shop.example.key"];
    let refused = machine.install(&both).expect(1).json();
    assert!(codes(&refused).contains(&"key-of-another-user"));
    let folder = machine.install(&["here"]).expect(1).json();
    assert!(codes(&folder).contains(&"key-of-another-user"));
    let bundle = ["bundle", "here/shop.example.crt", "--trust", "root.pem"];
    let chain = machine.run(&bundle).expect(0).json();
    assert!(codes(&chain).contains(&"key-of-another-user"));
    let combined = [&bundle[..], &["--format", "haproxy"]].concat();
    let failed = machine.run(&combined).expect(3).json();
    assert_eq!(failed["error"]["kind"], "hostile", "{failed:#}");
    // `verify` only compares.
    let fullchain = "here/shop.example.fullchain.pem";
    let verify = ["verify", fullchain, both[1], "--trust", "root.pem"];
    let _ = machine.run(&verify).expect(0);
    // A link of another user leads to a key of root. In a folder with the sticky bit, the kernel
    // may not follow it.
    set_mode(&machine.sandbox.join("here"), 0o755);
    let key = machine.sandbox.join("here/shop.example.key");
    let elsewhere = machine.sandbox.join("roots.key");
    fs::rename(&key, &elsewhere).unwrap();
    chown(&elsewhere, Some(0), Some(0)).unwrap();
    symlink(&elsewhere, &key).unwrap();
    std::os::unix::fs::lchown(&key, Some(BIN), Some(BIN)).unwrap();
    let linked = machine.install(&[]).expect(1).json();
    assert!(
        codes(&linked).contains(&"key-replaceable-by-others"),
        "{linked:#}"
    );
    std::os::unix::fs::lchown(&key, Some(0), Some(0)).unwrap();
    let _ = machine.install(&[]).expect(0);
}

#[test]
fn planted_renewals_are_not_continued() {
    let Some(machine) = SharedMachine::new(0o1777, 0) else {
        return;
    };
    machine.plant("shop.example", 0, 0o600);
    machine.issue("shop.example");
    let _ = machine.install(&[]).expect(0);
    machine.plant("shop.example-2", BIN, 0o600);
    let renew = ["renew", "shop.example", "--root", "tree"];
    let failed = machine.run(&renew).expect(3).json();
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("here/shop.example-2.key belongs to here/shop.example-2.csr, but"),
        "{message}"
    );
    let next = commands(&failed["error"]["next"]);
    assert_eq!(next[1], "sudo chown root: here/shop.example-2.key");
    assert_eq!(
        next[2],
        "certctl -C /root --root tree csr shop.example www.shop.example"
    );
    machine.issue("shop.example-2");
    let failed = machine.run(&renew).expect(3).json();
    let next = commands(&failed["error"]["next"]);
    assert_eq!(next.len(), 2, "a certificate needs the key: {next:?}");
    let refused = machine
        .install(&["here/shop.example-2.crt"])
        .expect(1)
        .json();
    assert!(codes(&refused).contains(&"key-of-another-user"));
    // Root's own request counts, whatever else is there.
    fs::remove_file(machine.sandbox.join("here/shop.example-2.crt")).unwrap();
    machine.plant("shop.example-3", 0, 0o600);
    let prepared = machine.run(&renew).expect(0).json();
    assert_eq!(prepared["verdict"], "prepared", "{prepared:#}");
    let request = &prepared["certificates"][0]["request"]["path"];
    assert_eq!(request, "here/shop.example-3.csr", "{prepared:#}");
}

#[test]
fn keys_copied_under_another_account_are_checked_first() {
    let Some(machine) = SharedMachine::new(0o755, DAEMON) else {
        return;
    };
    machine.plant("shop.example", DAEMON, 0o600);
    machine.issue("shop.example");
    let refused = machine.install(&[]).expect(1).json();
    let here = machine.sandbox.path().canonicalize().unwrap().join("here");
    let next = steps_of(&refused, "key-of-another-user");
    let check = format!("sudo ls -ld here/shop.example.key {}", here.display());
    assert_eq!(next[0], check);
    // The account owns the folder and can replace the key, so a change of its owner does not help.
    assert!(next[1].ends_with("--key here/shop.example.key"), "{next:?}");
    assert_eq!(next.len(), 2);
    // The same account behind sudo.
    let install = [
        "-C", "here", "install", "--root", "tree", "--trust", "root.pem",
    ];
    for (uid, name, code) in [("1", "daemon", 0), ("1", "bin", 1), ("2", "bin", 1)] {
        let mut command = machine.sandbox.command(&install);
        command.env("SUDO_UID", uid).env("SUDO_USER", name);
        let _ = machine.sandbox.run_command(command).expect(code);
    }
}

/// Runs certctl as root in a session of this login user, in which `parent` became root.
fn run_in_session(machine: &SharedMachine, login: u32, parent: u32, args: &[&str]) -> Run {
    let script = "echo \"$1\" >/proc/self/loginuid && shift && exec \"$@\"";
    let setpriv = path_of("setpriv").display().to_string();
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh", &login.to_string(), &setpriv, "--ruid"])
        .arg(parent.to_string())
        .arg(program())
        .args(args);
    clear_environment(&mut command)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(machine.sandbox.path());
    machine.sandbox.run_command(command)
}

#[test]
fn su_from_the_session_of_the_owner_is_like_sudo() {
    let Some(machine) = SharedMachine::new(0o755, DAEMON) else {
        return;
    };
    if !Path::new("/proc/self/loginuid").exists() {
        return;
    }
    machine.plant("shop.example", DAEMON, 0o600);
    machine.issue("shop.example");
    // The real and the effective user differ: the loader passes over LD_PRELOAD, and with it over the
    // clock of this test.
    let now = jiff::Timestamp::now().to_string();
    let install = [
        "-C", "here", "install", "--root", "tree", "--trust", "root.pem", "--at", &now,
    ];
    for (login, parent, code) in [
        (BIN, BIN, 1),
        (DAEMON, 0, 1),
        (BIN, DAEMON, 1),
        (DAEMON, DAEMON, 0),
    ] {
        let _ = run_in_session(&machine, login, parent, &install).expect(code);
    }
}

#[test]
fn private_groups_and_groups_chosen_by_root_are_no_other_users() {
    // RHEL: umask 0002, and each user has a group.
    let Some(machine) = SharedMachine::new(0o2775, DAEMON) else {
        return;
    };
    machine.plant("shop.example", DAEMON, 0o660);
    machine.issue("shop.example");
    let install = [
        "-C", "here", "install", "--root", "tree", "--trust", "root.pem",
    ];
    let mut command = machine.sandbox.command(&install);
    command.env("SUDO_UID", "1").env("SUDO_USER", "daemon");
    let _ = machine.sandbox.run_command(command).expect(0);
    // Debian: root:ssl-cert 0640 in a folder with mode 0710.
    let machine = SharedMachine::new(0o710, 0).unwrap();
    machine.plant("shop.example", 0, 0o640);
    for path in ["here", "here/shop.example.key"] {
        chown(machine.sandbox.join(path), None, Some(4711)).unwrap();
    }
    machine.issue("shop.example");
    let _ = machine.install(&[]).expect(0);
}

#[test]
fn keys_that_others_can_read_or_replace_are_reported() {
    let Some(machine) = SharedMachine::new(0o755, 0) else {
        return;
    };
    machine.plant("shop.example", 0, 0o644);
    let failed = machine
        .run(&["csr", "shop.example", "www.shop.example"])
        .expect(3)
        .json();
    let next = commands(&failed["error"]["next"]);
    assert_eq!(next[1], "sudo chmod go= here/shop.example.key");
    machine.issue("shop.example");
    let refused = machine.install(&[]).expect(1).json();
    assert_eq!(
        steps_of(&refused, "key-readable-by-others")[1],
        "sudo chmod go= here/shop.example.key"
    );
    // No other user reaches it in a private folder.
    set_mode(&machine.sandbox.join("here"), 0o700);
    let _ = machine.install(&[]).expect(0);

    let machine = SharedMachine::new(0o777, 0).unwrap();
    machine.plant("shop.example", 0, 0o600);
    let failed = machine
        .run(&["csr", "shop.example", "www.shop.example"])
        .expect(3)
        .json();
    assert_eq!(
        commands(&failed["error"]["next"]).last(),
        Some(&"certctl -C /root csr shop.example www.shop.example")
    );
    machine.issue("shop.example");
    let refused = machine.install(&[]).expect(1).json();
    assert!(codes(&refused).contains(&"key-replaceable-by-others"));
}

#[test]
fn ordinary_users_use_their_keys_and_see_who_can_read_them() {
    let Some(machine) = SharedMachine::new(0o755, DAEMON) else {
        return;
    };
    machine.plant("shop.example", DAEMON, 0o644);
    machine.issue("shop.example");
    let id = DAEMON.to_string();
    let bin = Sandbox::new();
    fs::copy(program(), bin.join("certctl")).unwrap();
    set_mode(bin.path(), 0o755);
    let run = |args: &[&str]| {
        let mut command = Command::new(path_of("setpriv"));
        command
            .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
            .arg(bin.join("certctl"))
            .args(args);
        clear_environment(&mut command)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir(machine.sandbox.path());
        machine.sandbox.run_command(command)
    };
    for args in [
        &["csr", "shop.example", "www.shop.example"][..],
        &["bundle", "here/shop.example.crt", "--trust", "root.pem"],
    ] {
        let used = run(&[&["-C", "here", "--json"], args].concat())
            .expect(0)
            .json();
        assert_eq!(
            steps_of(&used, "key-readable-by-others"),
            ["chmod go= here/shop.example.key"],
            "{used:#}"
        );
    }
}

#[test]
fn keys_on_stdin_are_used() {
    let Some(machine) = SharedMachine::new(0o1777, 0) else {
        return;
    };
    machine.plant("shop.example", BIN, 0o600);
    machine.issue("shop.example");
    let key = machine.sandbox.read("here/shop.example.key");
    let all = machine.sandbox.read("here/shop.example.crt") + &key;
    let path = machine.sandbox.write("here/all.pem", &all);
    set_mode(&path, 0o600);
    chown(&path, Some(BIN), Some(BIN)).unwrap();
    fs::create_dir(machine.sandbox.join("empty")).unwrap();
    let args = [
        "-C", "empty", "install", "-", "--json", "--root", "tree", "--trust", "root.pem",
    ];
    let piped = machine
        .sandbox
        .run_with_input(&args, all.as_bytes())
        .expect(0)
        .json();
    assert!(!codes(&piped).contains(&"key-of-another-user"));
    let mut command = machine.sandbox.command(&args);
    command.stdin(fs::File::open(&path).unwrap());
    let redirected = machine.sandbox.run_command(command).expect(0).json();
    assert!(codes(&redirected).contains(&"key-of-another-user"));
}

#[test]
fn status_does_not_call_a_certificate_ready_whose_key_is_refused() {
    let Some(machine) = SharedMachine::new(0o1777, 0) else {
        return;
    };
    let rows = |code: i32| {
        let run = machine.run(&["status", "shop.example", "--root", "tree"]);
        let document = run.expect(code).json();
        document["rows"].as_array().unwrap().to_vec()
    };
    let check = "sudo ls -ld here/shop.example.key";
    let repair = "sudo chown root: here/shop.example.key";
    machine.plant("shop.example", BIN, 0o600);
    let pending = rows(1);
    assert_eq!(pending[0]["state"], "pending", "{pending:?}");
    assert_eq!(commands(&pending[0]["next"])[..2], [check, repair]);

    machine.issue("shop.example");
    let refused = rows(1);
    assert_eq!(refused[0]["state"], "key-refused", "{refused:?}");
    assert_eq!(refused[0]["verdict"], "wrong", "{refused:?}");
    // A fresh key is no answer to one that a certificate fits.
    assert_eq!(commands(&refused[0]["next"]), [check, repair]);

    // The same steps come first for the certificate that it would replace.
    let key = machine.sandbox.join("here/shop.example.key");
    chown(&key, Some(0), Some(0)).unwrap();
    machine.install(&[]).expect(0);
    machine.plant("shop.example-2", BIN, 0o600);
    machine.issue("shop.example-2");
    let both = rows(1);
    let live = both.iter().find(|row| row["state"] == "installed").unwrap();
    let check = "sudo ls -ld here/shop.example-2.key";
    let repair = "sudo chown root: here/shop.example-2.key";
    assert_eq!(commands(&live["next"]), [check, repair], "{live}");
    chown(
        machine.sandbox.join("here/shop.example-2.key"),
        Some(0),
        Some(0),
    )
    .unwrap();
    let ready = rows(0);
    assert!(ready.iter().any(|row| row["state"] == "ready"), "{ready:?}");
}
