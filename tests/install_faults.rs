//! File systems that refuse: full, read-only, immutable; paths that are taken or planted; folders
//! that anybody may write to. Each is refused or survived, the pair before is still there, and the
//! next run goes through.
//! Needs: unshare mount chattr strace prlimit
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use support::foreign::{foreign, succeed};
use support::mask;
use support::namespace::{in_mount, is_root, user};
use support::program::program;
use support::shop::{CHAIN, KEY, Shop, tree};

/// What is there before the run that fails.
#[derive(Clone, Copy)]
enum Before {
    /// A pair that certctl has installed.
    Installed,
    /// A pair in plain files.
    Plain,
}

/// A shop with the tree to start from in `kept`, the pair of it in `old.*` and the pair to come in
/// `new.*`.
fn shop(before: Before) -> Shop {
    let shop = Shop::new();
    let sandbox = &shop.sandbox;
    shop.round(&[]).expect(0);
    let old = shop.served();
    if let Before::Plain = before {
        fs::remove_dir_all(sandbox.join("tree")).unwrap();
        sandbox.write(CHAIN, &old.0);
        let key = sandbox.write(KEY, &old.1);
        fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    }
    fs::rename(sandbox.join("tree"), sandbox.join("kept")).unwrap();
    shop.round(&[]).expect(0);
    let new = shop.served();
    for (name, pair) in [("old", old), ("new", new)] {
        sandbox.write(&format!("{name}.chain"), pair.0);
        let key = sandbox.write(&format!("{name}.key"), pair.1);
        fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    }
    fs::remove_dir_all(sandbox.join("tree")).unwrap();
    shop
}

/// The words of an install that meets `fault`, its exit code, and what it left; then the next run,
/// after `mend`.
fn meet(shop: &Shop, (size, fault, mend): (&str, &str, &str)) -> String {
    let run = in_mount(
        &shop.sandbox,
        &format!("size={size}"),
        &format!(
            "chain=tree/etc/ssl/example.com.fullchain.pem key=tree/etc/ssl/private/example.com.key
             install() {{
               if [ -n \"$inject\" ]; then set -- strace -f -o /dev/null $inject; fi
               $limit \"$@\" \"$CERTCTL\" install new.crt --root tree --trust root.pem 2>&1; echo \"exit $?\"
             }}
             left() {{
               for pair in old new; do
                 if cmp -s $pair.chain $chain && cmp -s $pair.key $key; then echo \"on disk: the $pair pair\"; fi
               done
               find tree -name '.*~'
             }}
             cp -a kept/. tree/
             {fault}
             set +e
             install; left
             {mend}
             echo 'and then'
             install | tail -1; left"
        ),
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    run.to_string().replace("--- exit 0", "")
}

/// The pair before is there until the next run.
const KEPT: &str = "on disk: the old pair\nand then\nexit 0\non disk: the new pair\n";

/// Without what is another each time: ids and temporary names.
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
        let shop = shop(before);
        let mut refused = Vec::new();
        for pages in 0..most {
            let fill = format!(
                "head -c {} /dev/zero >tree/hole; cat /dev/zero 2>/dev/null >tree/fill || true; rm tree/hole",
                pages * 4096
            );
            let said = meet(&shop, ("256k", &fill, "rm tree/fill"));
            if said.contains("exit 4\n") {
                assert!(said.contains(KEPT), "{pages} pages: {said}");
                refused.push(said);
            } else {
                let [first, then] = said.split("and then\n").collect::<Vec<_>>()[..] else {
                    panic!("{said}")
                };
                assert!(
                    first.ends_with("exit 0\non disk: the new pair\n"),
                    "{pages} pages: {said}"
                );
                assert!(
                    then.ends_with("exit 0\non disk: the new pair\n"),
                    "{pages} pages: {said}"
                );
            }
        }
        assert!(
            refused.len() > 3 && refused.len() < most,
            "{}: {refused:?}",
            refused.len()
        );
        if let Before::Installed = before {
            insta::assert_snapshot!(masked(&refused[0]), @r"
            error: [SANDBOX]/tree/etc/ssl/certctl/example.com/releases has room for 0 more bytes; 28672 are needed
              next: make room:  df -h [SANDBOX]/tree/etc/ssl/certctl/example.com/releases
            exit 4
            on disk: the old pair
            and then
            exit 0
            on disk: the new pair
            ");
            insta::assert_snapshot!(masked(refused.last().unwrap()), @r"
            error: [SANDBOX]/tree/etc/ssl/certctl/example.com/releases has room for 24576 more bytes; 28672 are needed
              next: make room:  df -h [SANDBOX]/tree/etc/ssl/certctl/example.com/releases
            exit 4
            on disk: the old pair
            and then
            exit 0
            on disk: the new pair
            ");
        }
    }
}

/// Links alone move, and a link needs no room.
#[test]
fn the_way_back_needs_no_room() {
    let shop = shop(Before::Installed);
    let run = in_mount(
        &shop.sandbox,
        "size=256k",
        "cp -a kept/. tree/
         certctl install new.crt --root tree --trust root.pem >/dev/null
         cmp new.chain tree/etc/ssl/example.com.fullchain.pem
         cat /dev/zero 2>/dev/null >tree/fill || true
         certctl rollback --root tree >said 2>&1 || { echo \"exit $?\"; cat said; }
         cmp old.chain tree/etc/ssl/example.com.fullchain.pem && cmp old.key tree/etc/ssl/private/example.com.key
         find tree -name '.*~'",
    );
    assert_eq!(run.to_string(), "--- exit 0");
}

/// A dry run says what the run would say, and neither leaves a trace: not even a folder that was
/// made and taken away.
#[test]
fn what_cannot_be_written_is_known_before_anything_is() {
    let shop = Shop::new();
    shop.deliver("new.crt");
    let mut told = Vec::new();
    for (what, options, fault) in [
        (
            "no bytes",
            "size=256k",
            "cat /dev/zero 2>/dev/null >tree/fill || true",
        ),
        (
            "no files",
            "size=4m,nr_inodes=40",
            "i=0; while touch tree/$i 2>/dev/null; do i=$((i+1)); done",
        ),
        ("read-only", "size=4m", "mount -o remount,ro,bind tree"),
        (
            "a folder of another's",
            "size=4m",
            "set -- strace -f -o /dev/null -e inject=faccessat2:error=EACCES",
        ),
    ] {
        let run = in_mount(
            &shop.sandbox,
            options,
            &format!(
                "mkdir -p tree/etc/ssl/private
                 set --
                 {fault}
                 set +e
                 find tree -printf '%p %T@\\n' >before
                 for dry in --dry-run ''; do
                   \"$@\" \"$CERTCTL\" install new.crt --root tree --trust root.pem $dry >said$dry 2>&1; echo \"exit $?\"
                 done
                 find tree -printf '%p %T@\\n' | cmp before && cmp said said--dry-run && cat said"
            ),
        );
        told.push(
            masked(&format!("{what}\n{run}")).replace(&format!("user {}", user()), "user USER"),
        );
    }
    insta::assert_snapshot!(told.join("\n\n"), @r"
    no bytes
    exit 4
    exit 4
    error: [SANDBOX]/tree/etc/ssl has room for 0 more bytes; 40960 are needed
      next: make room:  df -h [SANDBOX]/tree/etc/ssl
    --- exit 0

    no files
    exit 4
    exit 4
    error: [SANDBOX]/tree/etc/ssl has room for 0 more files; 14 are needed
      next: make room:  df -hi [SANDBOX]/tree/etc/ssl
    --- exit 0

    read-only
    exit 4
    exit 4
    error: cannot create the folder [SANDBOX]/tree/etc/ssl/certctl
      cause: Read-only file system (os error 30)
      next: findmnt -T [SANDBOX]/tree/etc/ssl
    --- exit 0

    a folder of another's
    exit 4
    exit 4
    error: user USER may not write to [SANDBOX]/tree/etc/ssl
      cause: Permission denied (os error 13)
      next: run the same with sudo, or see whose it is:  sudo ls -ld [SANDBOX]/tree/etc/ssl
    --- exit 0
    ");
}

#[test]
fn a_mount_that_cannot_be_written_to_is_named() {
    for (before, path, mend) in [
        (Before::Installed, "tree", "mount -o remount,rw,bind tree"),
        (Before::Plain, "tree", "mount -o remount,rw,bind tree"),
        (
            Before::Plain,
            "tree/etc/ssl/private",
            "umount tree/etc/ssl/private",
        ),
    ] {
        let shop = shop(before);
        let fault = match path {
            "tree" => "mount -o remount,ro,bind tree".to_owned(),
            _ => format!("mount --bind {path} {path}; mount -o remount,ro,bind {path}"),
        };
        let said = meet(&shop, ("4m", &fault, mend));
        assert!(said.contains(KEPT), "{path}: {said}");
        match (before, path) {
            (Before::Installed, _) => insta::assert_snapshot!(masked(&said), @r"
            error: cannot create the folder [SANDBOX]/tree/etc/ssl/certctl/example.com/releases/RELEASE
              cause: Read-only file system (os error 30)
              next: findmnt -T [SANDBOX]/tree/etc/ssl/certctl/example.com/releases
            exit 4
            on disk: the old pair
            and then
            exit 0
            on disk: the new pair
            "),
            (Before::Plain, "tree") => {}
            (Before::Plain, _) => insta::assert_snapshot!(masked(&said), @r"
            error: cannot create the link [SANDBOX]/tree/etc/ssl/private/example.com.key
              cause: Read-only file system (os error 30)
              next: findmnt -T [SANDBOX]/tree/etc/ssl/private
            exit 4
            on disk: the old pair
            and then
            exit 0
            on disk: the new pair
            "),
        }
    }
}

#[test]
fn what_must_not_change_is_left() {
    let shop = shop(Before::Plain);
    let mut told = Vec::new();
    // Settings, live and proven are renamed before the two paths become links.
    for (path, rename) in [
        ("private/example.com.key", 5),
        ("example.com.fullchain.pem", 4),
        ("private", 5),
    ] {
        let path = format!("tree/etc/ssl/{path}");
        let said = match is_root() {
            true => meet(
                &shop,
                (
                    "4m",
                    &format!("chattr +i {path}"),
                    &format!("chattr -i {path}"),
                ),
            ),
            // Only root sets the flag: the same answer to the same calls, without it.
            false => {
                let inject = format!("inject='-e inject=rename:error=EPERM:when={rename}'");
                meet(&shop, ("4m", &inject, "inject="))
            }
        };
        assert!(said.contains(KEPT), "{path}: {said}");
        told.push(masked(&said));
    }
    insta::assert_snapshot!(told.join("\n\n"), @r"
    error: cannot create the link [SANDBOX]/tree/etc/ssl/private/example.com.key
      cause: Operation not permitted (os error 1)
      next: see what is marked i or a (chattr -i takes it off):  lsattr -d [SANDBOX]/tree/etc/ssl/private [SANDBOX]/tree/etc/ssl/private/example.com.key
    exit 4
    on disk: the old pair
    and then
    exit 0
    on disk: the new pair

    error: cannot create the link [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem
      cause: Operation not permitted (os error 1)
      next: see what is marked i or a (chattr -i takes it off):  lsattr -d [SANDBOX]/tree/etc/ssl [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem
    exit 4
    on disk: the old pair
    and then
    exit 0
    on disk: the new pair

    error: cannot create the link [SANDBOX]/tree/etc/ssl/private/example.com.key
      cause: Operation not permitted (os error 1)
      next: see what is marked i or a (chattr -i takes it off):  lsattr -d [SANDBOX]/tree/etc/ssl/private [SANDBOX]/tree/etc/ssl/private/example.com.key
    exit 4
    on disk: the old pair
    and then
    exit 0
    on disk: the new pair
    ");
}

/// What somebody else has put where certctl writes: refused without waiting, nothing of it followed
/// or changed.
#[test]
fn what_is_planted_is_refused() {
    let shop = Shop::new();
    let sandbox = &shop.sandbox;
    shop.round(&[]).expect(0);
    let (chain, key) = shop.served();
    shop.deliver("new.crt");
    let secret = sandbox.write("outside/secret", "root's");
    let mut told = Vec::new();
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
            "a link as the pair's folder",
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
            "a folder of anybody's",
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
        let before = shop.tree();
        let run = shop.install("new.crt", &[]);
        assert!([1, 2, 3, 4].contains(&run.code), "{what}: {run}");
        // Folders of its own, and the lock in them, are all that it may have made.
        let ours = |path: &PathBuf| path.is_dir() || path.ends_with(".lock");
        let after = shop
            .tree()
            .into_iter()
            .filter(|(path, _)| before.contains_key(path) || !ours(path))
            .collect();
        assert_eq!(before, after, "{what}");
        told.push(format!("{what}\n{run}").replace(&format!("user {}", user()), "user USER"));
    }
    assert_eq!(tree(&sandbox.join("outside")).len(), 1);
    assert_eq!(fs::read_to_string(secret).unwrap(), "root's");
    insta::assert_snapshot!(mask::masked(&told.join("\n\n")), @r"
    a FIFO as key
    found  example.com, www.example.com, ends [DATE]; fits example.com.key; 1 intermediate, root left out; trusted by root.pem
    note   left out: Test Root R1 (a root: clients have it)
    wrong  [SANDBOX]/tree/etc/ssl/private/example.com.key is no regular file
    next   ls -ld [SANDBOX]/tree/etc/ssl/private/example.com.key
    --- exit 1

    a folder as chain
    found  example.com, www.example.com, ends [DATE]; fits example.com.key; 1 intermediate, root left out; trusted by root.pem
    note   left out: Test Root R1 (a root: clients have it)
    wrong  [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem is a folder
    next   ls -ld [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem
    --- exit 1

    a link to a file of root's
    found  example.com, www.example.com, ends [DATE]; fits example.com.key; 1 intermediate, root left out; trusted by root.pem
    note   left out: Test Root R1 (a root: clients have it)
    wrong  [SANDBOX]/tree/etc/ssl/private/example.com.key is a link to [SANDBOX]/outside/secret, which another tool keeps
    next   choose paths of your own:  --chain-path PATH --key-path PATH, and name them in the server's configuration
    --- exit 1

    a link to nothing
    found  example.com, www.example.com, ends [DATE]; fits example.com.key; 1 intermediate, root left out; trusted by root.pem
    note   left out: Test Root R1 (a root: clients have it)
    wrong  [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem is a link to [SANDBOX]/outside/nothing, which another tool keeps
    next   choose paths of your own:  --chain-path PATH --key-path PATH, and name them in the server's configuration
    --- exit 1

    a link as lock
    --- stderr
    error: cannot open the lock [SANDBOX]/tree/etc/ssl/certctl/.lock
      cause: Too many levels of symbolic links (os error 40)
      next: ls -ld [SANDBOX]/tree/etc/ssl/certctl/.lock; what the kernel says of it:  sudo dmesg | tail
    --- exit 4

    a link as the pair's folder
    --- stderr
    error: [SANDBOX]/tree/etc/ssl/certctl/example.com is a link to [SANDBOX]/outside; what certctl keeps there is never behind a link
      next: find out who put it there, then take it away:  sudo rm [SANDBOX]/tree/etc/ssl/certctl/example.com
    --- exit 3

    a link as the folder of releases
    --- stderr
    error: a link in [SANDBOX]/tree/etc/ssl/certctl/example.com/releases/any points outside of [SANDBOX]/tree
      next: name paths inside of --root
    --- exit 2

    a file as live
    --- stderr
    error: [SANDBOX]/tree/etc/ssl/certctl/example.com/live is not the link that certctl makes
      next: ls -ld [SANDBOX]/tree/etc/ssl/certctl/example.com/live
    --- exit 3

    a FIFO as settings
    --- stderr
    error: cannot read [SANDBOX]/tree/etc/ssl/certctl/example.com/settings.json
      cause: it is a device, a pipe or a socket, not a file
      next: pass a file, or - for stdin; what is it?  file [SANDBOX]/tree/etc/ssl/certctl/example.com/settings.json
    --- exit 3

    a folder of anybody's
    --- stderr
    error: [SANDBOX]/tree/etc/ssl/certctl/example.com can be written by others (mode 0777, user USER): what it says may not be theirs to say
      next: look at what it says, then:  sudo chown root [SANDBOX]/tree/etc/ssl/certctl/example.com && sudo chmod go-w [SANDBOX]/tree/etc/ssl/certctl/example.com
    --- exit 3
    ");

    // Where anybody may write, what is there is taken over all the same, and it is told.
    fs::remove_dir_all(sandbox.join("tree")).unwrap();
    sandbox.write(CHAIN, chain);
    let key = sandbox.write(KEY, key);
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(key.parent().unwrap(), Permissions::from_mode(0o777)).unwrap();
    let run = shop.install("new.crt", &[]).expect(0).to_string();
    let told: Vec<&str> = run
        .lines()
        .filter(|line| line.contains("may write") || line.contains("chmod"))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    warn   anybody may write to [SANDBOX]/tree/etc/ssl/private (mode 0777)
    next   sudo chmod go-w [SANDBOX]/tree/etc/ssl/private
    ");
}

/// No file is ever born through a name that is taken, or through a link (`O_EXCL`), whatever its
/// name.
#[test]
fn a_link_planted_at_a_temporary_name_is_not_followed() {
    for before in [Before::Installed, Before::Plain] {
        let shop = shop(before);
        let sandbox = &shop.sandbox;
        fs::rename(sandbox.join("kept"), sandbox.join("tree")).unwrap();
        let mut strace = foreign("strace");
        strace.args([
            "-f",
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
        let trace = sandbox.read("traced");
        let born: Vec<&str> = trace
            .lines()
            .filter(|line| line.contains("O_CREAT"))
            .collect();
        assert!(born.len() >= 6, "{trace}");
        for line in born {
            assert!(
                line.contains("O_EXCL")
                    || (line.contains("/.lock\"") && line.contains("O_NOFOLLOW")),
                "{line}"
            );
            assert!(!line.contains("O_TRUNC"), "{line}");
        }
    }
}

/// A file may not grow beyond so many bytes: what fits is written, then it is refused.
#[test]
fn a_limit_on_the_size_of_files_changes_nothing() {
    let shop = shop(Before::Plain);
    let mut told = Vec::new();
    for limit in (0..4000).step_by(150) {
        let said = meet(
            &shop,
            ("4m", &format!("limit='prlimit --fsize={limit}'"), "limit="),
        );
        if !said.contains("exit 0\non disk: the new pair\nand then") {
            assert!(
                said.contains("exit 4\n") && said.contains(KEPT),
                "{limit}: {said}"
            );
            told.push(masked(&said));
        }
    }
    assert!((3..25).contains(&told.len()), "{told:?}");
    insta::assert_snapshot!(told[0], @r"
    error: cannot write [SANDBOX]/tree/etc/ssl/certctl/example.com/releases/.RELEASE.RANDOM~/fullchain.pem
      cause: File too large (os error 27)
      next: see the limit, and lift it:  ulimit -f unlimited
    exit 4
    on disk: the old pair
    and then
    exit 0
    on disk: the new pair
    ");
}
