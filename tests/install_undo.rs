//! A failed first install leaves the files exactly as they were: the same inodes with their times,
//! owners and ACLs, and nothing that did not exist before. A rollback in which a test or a reload
//! fails is not a rollback.
//! Needs: nginx setfacl getfattr setfattr strace
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use support::ca::{Leaf, days, today};
use support::external::{external_program, path_of, succeed};
use support::install_sandbox::{CHAIN, KEY, LINEAGE, codes, leftovers, tree};
use support::namespace::is_root;
use support::nginx::{Nginx, free_port};
use support::program::program;
use support::site::Site;

/// Everything about a file that a program can see, but for its inode.
type Appearance = (u32, u32, u32, SystemTime, Vec<u8>, String);

fn appearance(path: &Path) -> Appearance {
    let meta = path.symlink_metadata().unwrap();
    assert!(meta.is_file(), "{} is not a plain file", path.display());
    // With every extended attribute: ACL, label.
    let mut getfattr = external_program("getfattr");
    getfattr.args(["--absolute-names", "-d", "-m", "-", "-e", "hex"]);
    (
        meta.mode(),
        meta.uid(),
        meta.gid(),
        meta.modified().unwrap(),
        fs::read(path).unwrap(),
        succeed(getfattr.arg(path)),
    )
}

/// What identifies a file and everything about it that a program can see.
fn identity(path: &Path) -> (u64, Appearance) {
    (path.symlink_metadata().unwrap().ino(), appearance(path))
}

/// Returns a site whose nginx serves plain files that were written long ago, the key with an ACL.
fn plain_site() -> Site {
    let site = Site::new();
    site.plain(CHAIN, KEY);
    for (path, age) in [(CHAIN, 1_000_000), (KEY, 2_000_000)] {
        let path = site.setup.sandbox.join(path);
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 - age);
        let times = FileTimes::new().set_modified(written);
        File::open(&path).unwrap().set_times(times).unwrap();
    }
    let key = site.setup.sandbox.join(KEY);
    succeed(external_program("setfacl").args(["-m", "u:33:r"]).arg(&key));
    if is_root() {
        let label = "system_u:object_r:my_key_t:s0";
        let mut setfattr = external_program("setfattr");
        setfattr.args(["-n", "security.selinux", "-v", label]);
        succeed(setfattr.arg(&key));
        chown(&key, Some(4711), Some(4712)).unwrap();
    }
    site
}

#[test]
fn a_failed_first_install_restores_the_same_files() {
    let site = plain_site();
    let sandbox = &site.setup.sandbox;
    let _nginx = site.start(&site.block(CHAIN, KEY));
    let paths = [CHAIN, KEY].map(|path| sandbox.join(path));
    let before = paths.each_ref().map(|path| identity(path));
    let files = tree(&sandbox.join("tree"));
    // The reload has no effect, so the new certificate is never served.
    let run = site
        .renew_and_install(&["--reload", "true", "--json"])
        .expect(5)
        .json();
    assert_eq!(run["verdict"], "rolled-back");
    assert!(codes(&run).contains(&"reload-no-effect"), "{run}");
    assert_eq!(paths.each_ref().map(|path| identity(path)), before, "{run}");
    let mut after = tree(&sandbox.join("tree"));
    // certctl's folder stays with the lock that other runs may wait for.
    after.retain(|path, _| !path.ends_with("certctl") && !path.ends_with(".lock"));
    assert_eq!(after, files, "{run}");
    site.assert_serves(CHAIN);

    // The next install takes the files over, and keeps none of them under a hidden name.
    let run = site.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live");
    assert!(paths.iter().all(|path| path.is_symlink()), "{run}");
    assert_eq!(leftovers(sandbox), Vec::<PathBuf>::new());
    site.assert_serves(CHAIN);
}

/// A file system without hard links (FAT, some network file systems): the files are other ones
/// afterwards, and look the same.
#[test]
fn files_are_restored_where_no_hard_link_is_possible() {
    let site = plain_site();
    let sandbox = &site.setup.sandbox;
    let _nginx = site.start(&site.block(CHAIN, KEY));
    let paths = [CHAIN, KEY].map(|path| sandbox.join(path));
    let before = paths.each_ref().map(|path| appearance(path));
    // The test accepts the old key only.
    sandbox.write("old.key", sandbox.read(KEY));
    let test = sandbox.write("a-test", format!("exec cmp -s old.key {KEY}\n"));
    let test = format!("sh {}", test.display());
    site.setup.write_delivery("new.crt");
    let config = site.folder().join("nginx.conf").display().to_string();
    let install = [
        "install",
        "new.crt",
        "--root",
        "tree",
        "--trust",
        "root.pem",
        "--server",
        "nginx",
        "--server-config",
        &config,
        "--test",
        &test,
        "--reload",
        "true",
        "--json",
    ];
    for deploy in ["link", "copy"] {
        for error in ["EPERM", "EOPNOTSUPP", "ENOSYS"] {
            let mut command = Command::new(path_of("strace"));
            command
                .args(["-f", "-o", "/dev/null", "-e"])
                .arg(format!("inject=link,linkat:error={error}"))
                .arg(program())
                .args(install)
                .args(["--deploy", deploy])
                .current_dir(sandbox.path());
            let run = sandbox.run_command(command).expect(5).json();
            assert_eq!(run["verdict"], "rolled-back", "{error}");
            let after = paths.each_ref().map(|path| appearance(path));
            assert_eq!(after, before, "{deploy} {error}: {run}");
            assert_eq!(leftovers(sandbox), Vec::<PathBuf>::new());
            site.assert_serves(CHAIN);
        }
    }
}

#[test]
fn folders_that_did_not_exist_before_are_removed() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    fs::create_dir(sandbox.join("tree")).unwrap();
    let run = site.renew_and_install(&[
        "--server",
        "none",
        "--test",
        "false",
        "--chain-path",
        "/srv/new/chain.pem",
        "--key-path",
        "/srv/new/private/key.pem",
    ]);
    assert!(run.code == 5 || run.code == 6, "{run}");
    assert!(!sandbox.join("tree/srv").exists(), "{run}");
    assert!(!sandbox.join(LINEAGE).exists(), "{run}");
}

#[test]
fn a_test_that_fails_during_the_rollback_is_reported() {
    let site = plain_site();
    let sandbox = &site.setup.sandbox;
    let _nginx = site.start(&site.block(CHAIN, KEY));
    // The test fails once the reload was tried.
    let test = sandbox
        .write("a-test", "test ! -e tried\n")
        .display()
        .to_string();
    let reload = sandbox
        .write("a-reload", "touch tried; exit 1\n")
        .display()
        .to_string();
    let run = site
        .renew_and_install(&[
            "--test",
            &format!("sh {test}"),
            "--reload",
            &format!("sh {reload}"),
            "--json",
        ])
        .expect(6)
        .json();
    assert_eq!(run["verdict"], "rollback-failed");
    let left = run["rolled_back"]["left"].to_string();
    assert!(left.contains("test the server"), "{run}");
    for path in [CHAIN, KEY] {
        assert!(!sandbox.join(path).is_symlink(), "{path}: {run}");
    }
}

/// The previous certificate is of no use, one address serves the new one, and another address still
/// serves something else: the site would be worse with the previous one.
#[test]
fn a_useless_certificate_is_not_restored_while_the_new_one_is_served() {
    let expired = Leaf {
        not_before: days(today(), -90),
        not_after: days(today(), -2),
        ..Leaf::default()
    };
    let narrow = Leaf {
        names: Some(vec!["example.com".to_owned()]),
        ..Leaf::default()
    };
    for (previous, reason) in [
        (expired, "the previous certificate expired on"),
        (
            narrow,
            "the previous certificate does not cover www.example.com",
        ),
    ] {
        for deploy in ["link", "copy"] {
            assert_not_restored(&previous, reason, deploy);
        }
    }
}

fn assert_not_restored(previous: &Leaf, reason: &str, deploy: &str) {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    sandbox
        .run(&["csr", "example.com", "www.example.com", "--force"])
        .expect(0);
    let leaf = site
        .setup
        .ca
        .issue_as(&sandbox.read("example.com.csr"), previous.clone());
    let chain = leaf + &site.setup.ca.intermediate_pem();
    for folder in ["tree/etc/ssl", "elsewhere"] {
        sandbox.write(&format!("{folder}/example.com.fullchain.pem"), &chain);
        sandbox.write(
            &format!("{folder}/private/example.com.key"),
            sandbox.read("example.com.key"),
        );
    }
    let _nginx = site.start(&site.block(CHAIN, KEY));
    let other = free_port();
    let block = site
        .block(
            "elsewhere/example.com.fullchain.pem",
            "elsewhere/private/example.com.key",
        )
        .replace(&format!(":{}", site.port), &format!(":{other}"));
    let _other = Nginx::start(&sandbox.join("other"), &block);
    let probe = format!("127.0.0.1:{other}");
    let run = site
        .renew_and_install(&["--deploy", deploy, "--probe", &probe, "--json"])
        .expect(6)
        .json();
    assert!(codes(&run).contains(&"previous-files-broken"), "{run}");
    assert!(run.to_string().contains(reason), "{run}");
    site.setup.served();
    assert_ne!(sandbox.read(CHAIN), chain, "{run}");
    site.assert_serves(CHAIN);
    assert_eq!(leftovers(sandbox), Vec::<PathBuf>::new());
}
