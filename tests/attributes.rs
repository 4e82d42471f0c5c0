//! ACLs, SELinux labels and hard links of installed files: a replaced file passes them on to the
//! new one.
//! Needs: setfacl getfacl setfattr getfattr unshare mount
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use support::external::{external_program, succeed};
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, codes, mode};
use support::namespace::in_mount;

/// Returns a sandbox whose tree contains a certificate and its key in plain files, the key with
/// this mode.
fn plain(key_mode: u32) -> InstallSandbox {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let (chain, key) = setup.served();
    fs::remove_dir_all(setup.sandbox.join("tree")).unwrap();
    setup.sandbox.write(CHAIN, chain);
    fs::set_permissions(
        setup.sandbox.write(KEY, key),
        Permissions::from_mode(key_mode),
    )
    .unwrap();
    for folder in ["tree", "tree/etc", "tree/etc/ssl", "tree/etc/ssl/private"] {
        fs::set_permissions(setup.sandbox.join(folder), Permissions::from_mode(0o755)).unwrap();
    }
    setup
}

fn setfacl(setup: &InstallSandbox, entry: &str, path: &str) {
    succeed(
        external_program("setfacl")
            .args(["-m", entry])
            .arg(setup.sandbox.join(path)),
    );
}

/// Returns the ACL as `getfacl` prints it.
fn getfacl(setup: &InstallSandbox, path: &str) -> String {
    let path = fs::canonicalize(setup.sandbox.join(path)).unwrap();
    let printed = succeed(
        external_program("getfacl")
            .args(["-n", "-c", "-p"])
            .arg(path),
    );
    printed
        .lines()
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn acl_entries_are_kept_for_the_next_key() {
    let setup = plain(0o600);
    setfacl(&setup, "u:33:rw,g:44:r,o:r", KEY);
    let run = setup.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(
        codes(&run),
        ["root-omitted", "acl-kept", "key-mode-tightened"],
        "{run}"
    );
    assert_eq!(
        run["certificates"][0]["key_mode"], "0600",
        "without the ACL's mask"
    );
    let kept = "user::rw- user:33:r-- group::--- group:44:r-- mask::r-- other::---";
    assert_eq!(getfacl(&setup, KEY), kept);
    assert_eq!(getfacl(&setup, CHAIN), "user::rw- group::r-- other::r--");
    let old = setup.sandbox.read(KEY);
    assert_eq!(
        setup.install("new.crt", &["--json"]).expect(0).json()["verdict"],
        "unchanged"
    );

    setup.renew_and_install(&[]).expect(0);
    assert_eq!(getfacl(&setup, KEY), kept, "and the one after it");
    setup
        .sandbox
        .run(&["rollback", "example.com", "--root", "tree"])
        .expect(0);
    assert_eq!(
        (setup.sandbox.read(KEY), getfacl(&setup, KEY)),
        (old, kept.to_owned())
    );
    setup
        .sandbox
        .run(&["rollback", "example.com", "--root", "tree"])
        .expect(0);
    assert_eq!(getfacl(&setup, KEY), kept, "the files that were adopted");

    // An ACL entry that was removed by hand is not restored.
    succeed(
        external_program("setfacl")
            .arg("-b")
            .arg(setup.sandbox.join(KEY)),
    );
    setup.renew_and_install(&[]).expect(0);
    assert_eq!(getfacl(&setup, KEY), "user::rw- group::--- other::---");
}

#[test]
fn acls_do_not_grant_access_that_folders_prevented() {
    let setup = plain(0o640);
    setfacl(&setup, "u:33:r,u:34:r", KEY);
    let private = setup.sandbox.join(KEY).parent().unwrap().to_owned();
    fs::set_permissions(&private, Permissions::from_mode(0o710)).unwrap();
    setfacl(&setup, "u:34:x", "tree/etc/ssl/private");
    let run = setup.renew_and_install(&[]).expect(0).to_string();
    let lines: Vec<&str> = run
        .lines()
        .filter(|line| line.contains("ACL") || line.contains("setfacl"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    warning the ACL entries of [SANDBOX]/tree/etc/ssl/private/example.com.key for user 33 are not copied to the new key: they may not be able to enter its folders, or another user may have put the file there
                sudo setfacl -m u:33:r [SANDBOX]/tree/etc/ssl/private/example.com.key
    note    an ACL lets user 34 read [SANDBOX]/tree/etc/ssl/private/example.com.key; the new file keeps that ACL
    ");
    assert_eq!(
        getfacl(&setup, KEY),
        "user::rw- user:34:r-- group::r-- mask::r-- other::---"
    );
}

#[test]
fn selinux_labels_are_kept() {
    let setup = plain(0o600);
    setup.write_delivery("new.crt");
    fs::rename(setup.sandbox.join("tree"), setup.sandbox.join("kept")).unwrap();
    let run = in_mount(
        &setup.sandbox,
        "size=4m",
        "cp -a kept/. tree/
         setfattr -n security.selinux -v system_u:object_r:cert_t:s0 tree/etc/ssl/example.com.fullchain.pem
         setfattr -n security.selinux -v system_u:object_r:my_key_t:s0 tree/etc/ssl/private/example.com.key
         setfattr -n user.colour -v red tree/etc/ssl/private/example.com.key
         certctl install new.crt --root tree --trust root.pem >/dev/null
         cd tree/etc/ssl/certctl/example.com/live && getfattr -d -m - *.pem",
    )
    .expect(0);
    insta::assert_snapshot!(run.stdout, @r#"
    # file: fullchain.pem
    security.selinux="system_u:object_r:cert_t:s0"

    # file: key.pem
    security.selinux="system_u:object_r:my_key_t:s0"
    "#);
}

#[test]
fn odd_selinux_labels_are_reported() {
    let setup = plain(0o600);
    setup.write_delivery("new.crt");
    fs::rename(setup.sandbox.join("tree"), setup.sandbox.join("kept")).unwrap();
    let run = in_mount(
        &setup.sandbox,
        "size=4m",
        "cp -a kept/. tree/
         touch tree/etc/ssl/other.pem tree/etc/ssl/private/other.key
         setfattr -n security.selinux -v system_u:object_r:cert_t:s0 tree/etc/ssl/*.pem tree/etc/ssl/private/*.key
         certctl install new.crt --root tree --trust root.pem >/dev/null
         certctl install --check --root tree >same
         cd tree/etc/ssl/certctl/example.com/live
         setfattr -n security.selinux -v system_u:object_r:user_home_t:s0 key.pem
         cd ../../../../../..
         certctl install --check --root tree",
    )
    .expect(0);
    assert!(!setup.sandbox.read("same").contains("SELinux"), "{run}");
    let findings: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.contains("restorecon"))
        .collect();
    assert_eq!(findings.len(), 1, "{run}");
    assert!(findings[0].contains("sudo restorecon -v "), "{run}");
    assert!(findings[0].ends_with("/key.pem"), "{run}");
    assert!(
        run.stdout.contains("has the SELinux type user_home_t"),
        "{run}"
    );
}

#[test]
fn an_install_reports_the_odd_label_that_it_keeps() {
    let setup = plain(0o600);
    setup.write_delivery("new.crt");
    fs::rename(setup.sandbox.join("tree"), setup.sandbox.join("kept")).unwrap();
    let run = in_mount(
        &setup.sandbox,
        "size=4m",
        "cp -a kept/. tree/
         touch tree/etc/ssl/other.pem tree/etc/ssl/private/other.key
         setfattr -n security.selinux -v system_u:object_r:cert_t:s0 tree/etc/ssl/*.pem tree/etc/ssl/private/*.key
         setfattr -n security.selinux -v system_u:object_r:user_home_t:s0 tree/etc/ssl/private/example.com.key
         certctl install new.crt --root tree --trust root.pem",
    )
    .expect(0);
    let reported = "key.pem has the SELinux type user_home_t";
    assert_eq!(run.stdout.matches(reported).count(), 1, "{run}");
    assert!(run.stdout.contains("sudo restorecon -v "), "{run}");
}

#[test]
fn hard_links_to_replaced_files_are_reported() {
    let setup = plain(0o600);
    let names = ["tree/srv/a.key", "tree/srv/b.key", "tree/srv/c.pem"];
    fs::create_dir(setup.sandbox.join("tree/srv")).unwrap();
    for (name, of) in names.into_iter().zip([KEY, KEY, CHAIN]) {
        fs::hard_link(setup.sandbox.join(of), setup.sandbox.join(name)).unwrap();
    }
    let old = setup.sandbox.read(KEY);
    let inode = |path: &str| {
        setup
            .sandbox
            .join(path)
            .metadata()
            .unwrap()
            .ino()
            .to_string()
    };
    let numbers = [CHAIN, KEY].map(inode);
    let run = setup
        .renew_and_install(&[])
        .expect(0)
        .to_string()
        .replace(&numbers[0], "INODE")
        .replace(&numbers[1], "INODE");
    let lines: Vec<&str> = run
        .lines()
        .filter(|line| line.contains("other hard link") || line.contains("-inum"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    warning [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem has 1 other hard link; programs that read the file there keep reading the old content
    next    Find the other hard links to the file, so that the programs that read them can be given the new file too:
                sudo find $(findmnt -no TARGET -T [SANDBOX]/tree/etc/ssl) -xdev -inum INODE
    warning [SANDBOX]/tree/etc/ssl/private/example.com.key has 2 other hard links; programs that read the file there keep reading the old content
    next    Find the other hard links to the file, so that the programs that read them can be given the new file too:
                sudo find $(findmnt -no TARGET -T [SANDBOX]/tree/etc/ssl/private) -xdev -inum INODE
    ");
    assert_eq!(setup.sandbox.read(names[0]), old);
    assert_ne!(setup.served().1, old);
    assert_eq!(mode(&setup.sandbox.join(names[1])), 0o600);
    assert_eq!(
        codes(&setup.renew_and_install(&["--json"]).expect(0).json()),
        ["root-omitted"],
        "our own links have no others"
    );
}

#[test]
fn backups_by_certctl_are_not_reported_as_hard_links() {
    let setup = plain(0o600);
    let broken = setup.sandbox.write(CHAIN, "no certificate");
    fs::hard_link(&broken, setup.sandbox.join(&format!("{CHAIN}.~1~"))).unwrap();
    let run = setup.renew_and_install(&["--json"]).expect(0).json();
    assert!(!codes(&run).contains(&"hard-link"), "{run}");
}
