//! Full, read-only and immutable file systems; paths where something unexpected exists; folders that
//! every user can write to. Each install fails or succeeds cleanly, the previous certificate is still
//! there after a failure, and the next install succeeds.
//! Needs: unshare mount chattr strace prlimit
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use support::external::{external_program, succeed};
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, tree};
use support::mask;
use support::namespace::{in_mount, is_root, user};
use support::program::program;
use support::sweep::with_full_paths;

/// The installed state before the run that fails.
#[derive(Clone, Copy)]
enum Before {
    /// A certificate that certctl has installed.
    Installed,
    /// A certificate and its key in plain files.
    Plain,
}

/// Returns a sandbox with the initial tree in `kept`, its certificate and key in `old.*`, and the
/// next ones in `new.*`.
fn setup(before: Before) -> InstallSandbox {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    let old = setup.served();
    if let Before::Plain = before {
        fs::remove_dir_all(sandbox.join("tree")).unwrap();
        sandbox.write(CHAIN, &old.0);
        let key = sandbox.write(KEY, &old.1);
        fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    }
    fs::rename(sandbox.join("tree"), sandbox.join("kept")).unwrap();
    setup.renew_and_install(&[]).expect(0);
    let new = setup.served();
    for (name, pair) in [("old", old), ("new", new)] {
        sandbox.write(&format!("{name}.chain"), pair.0);
        let key = sandbox.write(&format!("{name}.key"), pair.1);
        fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    }
    fs::remove_dir_all(sandbox.join("tree")).unwrap();
    setup
}

/// Returns the output and exit code of an install after `fault` and the files that it left; then
/// those of the next install, after `repair`.
fn install_with_fault(setup: &InstallSandbox, (size, fault, repair): (&str, &str, &str)) -> String {
    let run = in_mount(
        &setup.sandbox,
        &format!("size={size}"),
        &format!(
            "chain=tree/etc/ssl/example.com.fullchain.pem key=tree/etc/ssl/private/example.com.key
             install() {{
               if [ -n \"$inject\" ]; then set -- strace -f -o /dev/null $inject; fi
               $limit \"$@\" \"$CERTCTL\" install new.crt --root tree --trust root.pem 2>&1; echo \"exit $?\"
             }}
             left() {{
               for version in old new; do
                 if cmp -s $version.chain $chain && cmp -s $version.key $key; then echo \"on disk: the $version certificate\"; fi
               done
               find tree -name '.*~'
             }}
             cp -a kept/. tree/
             {fault}
             set +e
             install; left
             {repair}
             echo 'and then'
             install | tail -1; left"
        ),
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    run.to_string().replace("--- exit 0", "")
}

/// The output where the old certificate stays until the next run.
const KEPT: &str = "on disk: the old certificate\nand then\nexit 0\non disk: the new certificate\n";

/// Masks what differs from run to run: ids and temporary names.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() && !c.is_ascii_uppercase() {
            word.push(c);
            continue;
        }
        masked.push_str(match word.len() {
            8 => "RELEASE",
            16 => "RANDOM",
            _ => &word,
        });
        word.clear();
        masked.push(c);
    }
    masked.trim_end().to_owned()
}

#[test]
fn a_full_disk_changes_nothing() {
    for (before, most) in [(Before::Installed, 12), (Before::Plain, 24)] {
        let setup = setup(before);
        let mut refused = Vec::new();
        for pages in 0..most {
            let fill = format!(
                "head -c {} /dev/zero >tree/hole; cat /dev/zero 2>/dev/null >tree/fill || true; rm tree/hole",
                pages * 4096
            );
            let output = install_with_fault(&setup, ("256k", &fill, "rm tree/fill"));
            if output.contains("exit 4\n") {
                assert!(output.contains(KEPT), "{pages} pages: {output}");
                refused.push(output);
            } else {
                let [first, then] = output.split("and then\n").collect::<Vec<_>>()[..] else {
                    panic!("{output}")
                };
                assert!(
                    first.ends_with("exit 0\non disk: the new certificate\n"),
                    "{pages} pages: {output}"
                );
                assert!(
                    then.ends_with("exit 0\non disk: the new certificate\n"),
                    "{pages} pages: {output}"
                );
            }
        }
        assert!(
            refused.len() > 3 && refused.len() < most,
            "{}: {refused:?}",
            refused.len()
        );
        if let Before::Installed = before {
            insta::assert_snapshot!(masked(&refused[0]), @"
            error   the file system of [SANDBOX]/tree/etc/ssl/certctl/example.com/releases has 0 free bytes; 28672 are needed
            next    Free some space on the file system, whose usage this shows:
                        df -h [SANDBOX]/tree/etc/ssl/certctl/example.com/releases
            exit 4
            on disk: the old certificate
            and then
            exit 0
            on disk: the new certificate
            ");
            insta::assert_snapshot!(masked(refused.last().unwrap()), @"
            error   the file system of [SANDBOX]/tree/etc/ssl/certctl/example.com/releases has 24576 free bytes; 28672 are needed
            next    Free some space on the file system, whose usage this shows:
                        df -h [SANDBOX]/tree/etc/ssl/certctl/example.com/releases
            exit 4
            on disk: the old certificate
            and then
            exit 0
            on disk: the new certificate
            ");
        }
    }
}

/// A rollback only changes links, and a link needs no blocks.
#[test]
fn a_rollback_needs_no_disk_space() {
    let setup = setup(Before::Installed);
    let run = in_mount(
        &setup.sandbox,
        "size=256k",
        "cp -a kept/. tree/
         certctl install new.crt --root tree --trust root.pem >/dev/null
         cmp new.chain tree/etc/ssl/example.com.fullchain.pem
         cat /dev/zero 2>/dev/null >tree/fill || true
         certctl rollback --root tree >output 2>&1 || { echo \"exit $?\"; cat output; }
         cmp old.chain tree/etc/ssl/example.com.fullchain.pem && cmp old.key tree/etc/ssl/private/example.com.key
         find tree -name '.*~'",
    );
    assert_eq!(run.to_string(), "--- exit 0");
}

/// A dry run prints the same error as the run, and neither changes the tree, not even a folder's
/// modification time.
#[test]
fn unwritable_files_are_detected_before_anything_is_written() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let mut outputs = Vec::new();
    for (what, options, fault) in [
        (
            "no bytes",
            "size=256k",
            "cat /dev/zero 2>/dev/null >tree/fill || true",
        ),
        (
            "no inodes",
            "size=4m,nr_inodes=40",
            "i=0; while touch tree/$i 2>/dev/null; do i=$((i+1)); done",
        ),
        ("read-only", "size=4m", "mount -o remount,ro,bind tree"),
        (
            "a folder of another user",
            "size=4m",
            "set -- strace -f -o /dev/null -e inject=faccessat2:error=EACCES",
        ),
    ] {
        let run = in_mount(
            &setup.sandbox,
            options,
            &format!(
                "mkdir -p tree/etc/ssl/private
                 set --
                 {fault}
                 set +e
                 find tree -printf '%p %T@\\n' >before
                 for dry in --dry-run ''; do
                   \"$@\" \"$CERTCTL\" install new.crt --root tree --trust root.pem $dry >output$dry 2>&1; echo \"exit $?\"
                 done
                 find tree -printf '%p %T@\\n' | cmp before && cmp output output--dry-run && cat output"
            ),
        );
        outputs.push(
            masked(&format!("{what}\n{run}")).replace(&format!("user {}", user()), "user USER"),
        );
    }
    insta::assert_snapshot!(outputs.join("\n\n"), @"
    no bytes
    exit 4
    exit 4
    error   the file system of [SANDBOX]/tree/etc/ssl has 0 free bytes; 40960 are needed
    next    Free some space on the file system, whose usage this shows:
                df -h [SANDBOX]/tree/etc/ssl
    --- exit 0

    no inodes
    exit 4
    exit 4
    error   the file system of [SANDBOX]/tree/etc/ssl has 0 free inodes; 14 are needed
    next    Free some space on the file system, whose usage this shows:
                df -hi [SANDBOX]/tree/etc/ssl
    --- exit 0

    read-only
    exit 4
    exit 4
    error   cannot create the folder [SANDBOX]/tree/etc/ssl/certctl
            cause: Read-only file system (os error 30)
    next    Check how this file system is mounted:
                findmnt -T [SANDBOX]/tree/etc/ssl
    --- exit 0

    a folder of another user
    exit 4
    exit 4
    error   user USER cannot write to [SANDBOX]/tree/etc/ssl
            cause: Permission denied (os error 13)
    next    Run the command again as root, with sudo.
    next    If root may not write there either, check the owner and mode of the folder:
                sudo ls -ld [SANDBOX]/tree/etc/ssl
    --- exit 0
    ");
}

#[test]
fn read_only_mounts_are_reported() {
    for (before, path, repair) in [
        (Before::Installed, "tree", "mount -o remount,rw,bind tree"),
        (Before::Plain, "tree", "mount -o remount,rw,bind tree"),
        (
            Before::Plain,
            "tree/etc/ssl/private",
            "umount tree/etc/ssl/private",
        ),
    ] {
        let setup = setup(before);
        let fault = match path {
            "tree" => "mount -o remount,ro,bind tree".to_owned(),
            _ => format!("mount --bind {path} {path}; mount -o remount,ro,bind {path}"),
        };
        let output = install_with_fault(&setup, ("4m", &fault, repair));
        assert!(output.contains(KEPT), "{path}: {output}");
        match (before, path) {
            (Before::Installed, _) => insta::assert_snapshot!(masked(&output), @"
            error   cannot create the folder [SANDBOX]/tree/etc/ssl/certctl/example.com/releases/RELEASE
                    cause: Read-only file system (os error 30)
            next    Check how this file system is mounted:
                        findmnt -T [SANDBOX]/tree/etc/ssl/certctl/example.com/releases
            exit 4
            on disk: the old certificate
            and then
            exit 0
            on disk: the new certificate
            "),
            (Before::Plain, "tree") => {}
            (Before::Plain, _) => insta::assert_snapshot!(masked(&output), @"
            error   cannot create the link [SANDBOX]/tree/etc/ssl/private/example.com.key
                    cause: Read-only file system (os error 30)
            next    Check how this file system is mounted:
                        findmnt -T [SANDBOX]/tree/etc/ssl/private
            exit 4
            on disk: the old certificate
            and then
            exit 0
            on disk: the new certificate
            "),
        }
    }
}

#[test]
fn immutable_files_are_left_unchanged() {
    let setup = setup(Before::Plain);
    let mut outputs = Vec::new();
    // Settings, live and proven are renamed before the two paths become links.
    for (path, rename) in [
        ("private/example.com.key", 5),
        ("example.com.fullchain.pem", 4),
        ("private", 5),
    ] {
        let path = format!("tree/etc/ssl/{path}");
        let output = match is_root() {
            true => install_with_fault(
                &setup,
                (
                    "4m",
                    &format!("chattr +i {path}"),
                    &format!("chattr -i {path}"),
                ),
            ),
            // Only root can set the flag: strace injects the same error instead.
            false => {
                let inject = format!("inject='-e inject=rename:error=EPERM:when={rename}'");
                install_with_fault(&setup, ("4m", &inject, "inject="))
            }
        };
        assert!(output.contains(KEPT), "{path}: {output}");
        outputs.push(masked(&output));
    }
    insta::assert_snapshot!(outputs.join("\n\n"), @"
    error   cannot create the link [SANDBOX]/tree/etc/ssl/private/example.com.key
            cause: Operation not permitted (os error 1)
    next    Check for the attributes i and a, which `chattr -i` and `chattr -a` remove:
                lsattr -d [SANDBOX]/tree/etc/ssl/private [SANDBOX]/tree/etc/ssl/private/example.com.key
    exit 4
    on disk: the old certificate
    and then
    exit 0
    on disk: the new certificate

    error   cannot create the link [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem
            cause: Operation not permitted (os error 1)
    next    Check for the attributes i and a, which `chattr -i` and `chattr -a` remove:
                lsattr -d [SANDBOX]/tree/etc/ssl [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem
    exit 4
    on disk: the old certificate
    and then
    exit 0
    on disk: the new certificate

    error   cannot create the link [SANDBOX]/tree/etc/ssl/private/example.com.key
            cause: Operation not permitted (os error 1)
    next    Check for the attributes i and a, which `chattr -i` and `chattr -a` remove:
                lsattr -d [SANDBOX]/tree/etc/ssl/private [SANDBOX]/tree/etc/ssl/private/example.com.key
    exit 4
    on disk: the old certificate
    and then
    exit 0
    on disk: the new certificate
    ");
}

/// Unexpected files, links and folders where certctl writes are refused without waiting, and not
/// followed or changed.
#[test]
fn unexpected_files_and_links_are_refused() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    let (chain, key) = setup.served();
    setup.write_delivery("new.crt");
    let secret = sandbox.write("outside/secret", "root's");
    let mut outputs = Vec::new();
    for (what, plant) in [
        ("a FIFO as key", "mkfifo private/example.com.key"),
        ("a folder as chain", "mkdir example.com.fullchain.pem"),
        (
            "a link to a file of root's",
            "ln -s OUTSIDE/secret private/example.com.key",
        ),
        (
            "a link to nothing",
            "ln -s OUTSIDE/nothing example.com.fullchain.pem",
        ),
        (
            "a link as lock",
            "mkdir certctl; ln -s OUTSIDE/nothing certctl/.lock",
        ),
        (
            "a link as the certificate's folder",
            "mkdir certctl; ln -s OUTSIDE certctl/example.com",
        ),
        (
            "a link as the folder of releases",
            "mkdir -p certctl/example.com; ln -s OUTSIDE certctl/example.com/releases",
        ),
        (
            "a file as live",
            "mkdir -p certctl/example.com; echo x >certctl/example.com/live",
        ),
        (
            "a FIFO as settings",
            "mkdir -p certctl/example.com; mkfifo certctl/example.com/settings.json",
        ),
        (
            "a folder that every user can write to",
            "mkdir -p -m 777 certctl/example.com",
        ),
    ] {
        let _ = fs::remove_dir_all(sandbox.join("tree"));
        let private = sandbox.join("tree/etc/ssl/private");
        fs::create_dir_all(&private).unwrap();
        let plant = plant.replace("OUTSIDE", &sandbox.join("outside").display().to_string());
        succeed(
            Command::new("/bin/sh")
                .args(["-c", &format!("umask 022; {plant}")])
                .current_dir(private.parent().unwrap()),
        );
        let before = setup.tree();
        let run = setup.install("new.crt", &[]);
        assert!([1, 2, 3, 4].contains(&run.code), "{what}: {run}");
        // It may only have created its own folders and the lock.
        let ours = |path: &PathBuf| path.is_dir() || path.ends_with(".lock");
        let after = setup
            .tree()
            .into_iter()
            .filter(|(path, _)| before.contains_key(path) || !ours(path))
            .collect();
        assert_eq!(before, after, "{what}");
        outputs.push(format!("{what}\n{run}").replace(&format!("user {}", user()), "user USER"));
    }
    assert_eq!(tree(&sandbox.join("outside")).len(), 1);
    assert_eq!(fs::read_to_string(secret).unwrap(), "root's");
    insta::assert_snapshot!(mask::masked(&outputs.join("\n\n")), @"
    a FIFO as key
    found   example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate, root omitted; trusted by root.pem
    error   [SANDBOX]/tree/etc/ssl/private/example.com.key is not a regular file
    note    omitted: Test Root R1 (root: clients already have it)
    done    nothing was changed
    next    Check what is at this path:
                ls -ld [SANDBOX]/tree/etc/ssl/private/example.com.key
    --- exit 1

    a folder as chain
    found   example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate, root omitted; trusted by root.pem
    error   [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem is a folder
    note    omitted: Test Root R1 (root: clients already have it)
    done    nothing was changed
    next    Check what is at this path:
                ls -ld [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem
    --- exit 1

    a link to a file of root's
    found   example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate, root omitted; trusted by root.pem
    error   [SANDBOX]/tree/etc/ssl/private/example.com.key is a symbolic link to [SANDBOX]/outside/secret, which certctl did not create
    note    omitted: Test Root R1 (root: clients already have it)
    done    nothing was changed
    next    Choose other paths with `--chain-path` and `--key-path`, and reference them in the server's configuration.
    --- exit 1

    a link to nothing
    found   example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate, root omitted; trusted by root.pem
    error   [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem is a symbolic link to [SANDBOX]/outside/nothing, which certctl did not create
    note    omitted: Test Root R1 (root: clients already have it)
    done    nothing was changed
    next    Choose other paths with `--chain-path` and `--key-path`, and reference them in the server's configuration.
    --- exit 1

    a link as lock
    --- stderr
    error   cannot open the lock [SANDBOX]/tree/etc/ssl/certctl/.lock
            cause: Too many levels of symbolic links (os error 40)
    next    The lock must not be a symbolic link; find out what created it, and if nothing needs it, remove it:
                sudo rm [SANDBOX]/tree/etc/ssl/certctl/.lock
    --- exit 4

    a link as the certificate's folder
    --- stderr
    error   [SANDBOX]/tree/etc/ssl/certctl/example.com is a symbolic link to [SANDBOX]/outside; certctl never creates one there
    next    Find out what created the link; if nothing needs it, remove it:
                sudo rm [SANDBOX]/tree/etc/ssl/certctl/example.com
    --- exit 3

    a link as the folder of releases
    --- stderr
    error   a link in [SANDBOX]/tree/etc/ssl/certctl/example.com/releases/any points outside of [SANDBOX]/tree
    next    Choose a path inside the tree of `--root`.
    --- exit 2

    a file as live
    --- stderr
    error   [SANDBOX]/tree/etc/ssl/certctl/example.com/live is not a symbolic link that certctl created
    next    Check what is at this path:
                ls -ld [SANDBOX]/tree/etc/ssl/certctl/example.com/live
    --- exit 3

    a FIFO as settings
    --- stderr
    error   cannot read [SANDBOX]/tree/etc/ssl/certctl/example.com/settings.json
            cause: it is a device, a pipe or a socket, not a file
    next    Pass a regular file, or - for stdin; this shows what kind of file it is:
                file [SANDBOX]/tree/etc/ssl/certctl/example.com/settings.json
    --- exit 3

    a folder that every user can write to
    --- stderr
    error   other users can write to [SANDBOX]/tree/etc/ssl/certctl/example.com (mode 0777, owned by user USER), so its content is not trusted
    next    Check that its content is as you expect, then let only root write to it:
                sudo chown root [SANDBOX]/tree/etc/ssl/certctl/example.com && sudo chmod go-w [SANDBOX]/tree/etc/ssl/certctl/example.com
    --- exit 3
    ");

    // Existing files are taken over from a folder that every user can write to, with a warning.
    fs::remove_dir_all(sandbox.join("tree")).unwrap();
    sandbox.write(CHAIN, chain);
    let key = sandbox.write(KEY, key);
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(key.parent().unwrap(), Permissions::from_mode(0o777)).unwrap();
    let run = setup.install("new.crt", &[]).expect(0).to_string();
    let warnings: Vec<&str> = run
        .lines()
        .filter(|line| line.contains("can write") || line.contains("chmod"))
        .collect();
    insta::assert_snapshot!(warnings.join("\n"), @"
    warning any user can write to [SANDBOX]/tree/etc/ssl/private (mode 0777)
                sudo chmod go-w [SANDBOX]/tree/etc/ssl/private
    ");
}

/// Every file is created with `O_EXCL`, so that an existing file or link at its name is never used.
#[test]
fn a_link_planted_at_a_temporary_name_is_not_followed() {
    for before in [Before::Installed, Before::Plain] {
        let setup = setup(before);
        let sandbox = &setup.sandbox;
        fs::rename(sandbox.join("kept"), sandbox.join("tree")).unwrap();
        let mut strace = external_program("strace");
        strace.args([
            "-f",
            "-y",
            "-o",
            "traced",
            "-e",
            "trace=open,openat,openat2,creat",
            program(),
        ]);
        strace
            .args([
                "install", "new.crt", "--root", "tree", "--trust", "root.pem",
            ])
            .current_dir(sandbox.path());
        succeed(&mut strace);
        let trace = with_full_paths(&sandbox.read("traced"));
        let created: Vec<&str> = trace
            .lines()
            .filter(|line| line.contains("O_CREAT"))
            .collect();
        assert!(created.len() >= 6, "{trace}");
        for line in created {
            assert!(
                line.contains("O_EXCL")
                    || (line.contains("/.lock\"") && line.contains("O_NOFOLLOW")),
                "{line}"
            );
            assert!(!line.contains("O_TRUNC"), "{line}");
        }
    }
}

/// With a limit on the size of files, a write fails after the first bytes.
#[test]
fn a_limit_on_file_sizes_changes_nothing() {
    let setup = setup(Before::Plain);
    let mut outputs = Vec::new();
    for limit in (0..4000).step_by(150) {
        let output = install_with_fault(
            &setup,
            ("4m", &format!("limit='prlimit --fsize={limit}'"), "limit="),
        );
        if !output.contains("exit 0\non disk: the new certificate\nand then") {
            assert!(
                output.contains("exit 4\n") && output.contains(KEPT),
                "{limit}: {output}"
            );
            outputs.push(masked(&output));
        }
    }
    assert!((3..25).contains(&outputs.len()), "{outputs:?}");
    insta::assert_snapshot!(outputs[0], @"
    error   cannot write [SANDBOX]/tree/etc/ssl/certctl/example.com/releases/.RELEASE.RANDOM~/fullchain.pem
            cause: File too large (os error 27)
    next    Lift the limit on the size of files in this shell:
                ulimit -f unlimited
    exit 4
    on disk: the old certificate
    and then
    exit 0
    on disk: the new certificate
    ");
}
