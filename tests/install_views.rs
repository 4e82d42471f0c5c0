//! Servers with another view of the file system: containers that see only the folder of the files, a
//! file that is a mount point, a folder that two servers share. Whatever happens, the server's own
//! test succeeds inside afterwards, and it can be restarted.
//! Needs: nginx unshare nsenter mount openssl bindfs chroot
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::fs;

use support::Run;
use support::install_sandbox::InstallSandbox;
use support::json::Json;
use support::namespace::{in_mount, is_root};
use support::nginx::{free_port, write_config};

/// Shell functions: containers that run nginx with the folder `site` at /mnt and an empty /etc/ssl,
/// and what they serve.
const FUNCTIONS: &str = r#"
mount -t tmpfs -o mode=755 tmpfs /etc/ssl; mkdir -m 700 /etc/ssl/private
mount -t tmpfs -o mode=755 tmpfs /run
D=$PWD/site
serial_of() { openssl x509 -noout -serial -in $1; }
serial_at() {
  timeout 5 openssl s_client -connect 127.0.0.1:$1 -servername example.com </dev/null 2>/dev/null |
    openssl x509 -noout -serial 2>/dev/null || echo none
}
# NAME PORT
container() {
  rm -f $1/nginx.pid
  unshare -m sh -c "mount --bind $D /mnt; mount -t tmpfs tmpfs /etc/ssl; $MORE exec nginx -c $PWD/$1/nginx.conf" >>log 2>&1 &
  for attempt in $(seq 100); do [ "$(serial_at $2)" = none ] || return 0; sleep 0.1; done
  echo "$1 does not start:"; tail -3 log $1/error.log; return 1
}
# NAME PROGRAM...: runs a program inside.
inside() { name=$1; shift; nsenter -t $(cat $name/nginx.pid) -m -- "$@"; }
# NAME PORT WHAT: the server's own test, a restart, and what it serves then.
restart() {
  inside $1 nginx -t -c $PWD/$1/nginx.conf 2>&1 | grep -c 'test is successful' || cat log
  kill $(cat $1/nginx.pid); while kill -0 $(cat $1/nginx.pid 2>/dev/null) 2>/dev/null; do sleep 0.1; done
  container $1 $2
  serial=$(serial_at $2); what=other
  for name in old one two; do [ "$serial" != "$(cat $name.serial)" ] || what=$name; done
  echo "$1 serves $what"
}
plain() { for file in $D/*.pem; do [ -L $file ] && echo "$file is a link" || echo plain; done; }
"#;

/// A machine with old files in `site`, and two further certificates in the folders `one` and `two`.
struct Machine {
    setup: InstallSandbox,
    ports: Vec<u16>,
}

impl Machine {
    fn new(servers: &[&str]) -> Self {
        let setup = InstallSandbox::new();
        let sandbox = &setup.sandbox;
        let mut ports = Vec::new();
        for server in servers {
            let port = free_port();
            let block = format!(
                "server {{ listen 127.0.0.1:{port} ssl; server_name example.com www.example.com;\n\
                 ssl_certificate /mnt/chain.pem; ssl_certificate_key /mnt/key.pem; return 204; }}"
            );
            write_config(&sandbox.join(server), &block);
            ports.push(port);
        }
        for folder in ["old", "one", "two"] {
            setup.write_delivery("new.crt");
            let folder = sandbox.join(folder);
            fs::create_dir(&folder).unwrap();
            for file in ["new.crt", "example.com.key", "example.com.csr"] {
                fs::rename(sandbox.join(file), folder.join(file)).unwrap();
            }
        }
        // The CA's reply has the intermediate first; a server needs the leaf first.
        let reply = sandbox.read("old/new.crt");
        let bundle = setup.ca.bundle_pem();
        let leaf = reply.strip_prefix(bundle.as_str()).unwrap();
        sandbox.write(
            "site/chain.pem",
            format!("{leaf}{}", setup.ca.intermediate_pem()),
        );
        sandbox.write("site/key.pem", sandbox.read("old/example.com.key"));
        for (folder, text) in [
            ("old", leaf.to_owned()),
            ("one", sandbox.read("one/new.crt").replace(&bundle, "")),
            ("two", sandbox.read("two/new.crt").replace(&bundle, "")),
        ] {
            sandbox.write(&format!("{folder}.leaf"), text);
        }
        Self { setup, ports }
    }

    fn run(&self, script: &str) -> Run {
        let serials = "for name in old one two; do serial_of $name.leaf >$name.serial; done";
        in_mount(
            &self.setup.sandbox,
            "size=1m",
            &format!("{FUNCTIONS}\n{serials}\n{script}"),
        )
    }

    fn document(&self, name: &str) -> Json {
        Json::parse(&self.setup.sandbox.read(name))
    }
}

fn codes(document: &Json) -> Vec<String> {
    let findings = document["findings"].as_array().unwrap();
    let code = |one: &Json| one["code"].as_str().unwrap().to_owned();
    findings.iter().map(code).collect()
}

/// The options for the servers `names` with these ports, whose tests and reloads run inside.
fn options(names: &[(&str, u16)]) -> String {
    let mut test = String::new();
    let mut reload = String::new();
    let mut probes = String::new();
    for (name, port) in names {
        test.push_str(&format!(
            "nsenter -t $(cat {name}/nginx.pid) -m -- nginx -t -c $PWD/{name}/nginx.conf &&"
        ));
        reload.push_str(&format!(
            "nsenter -t $(cat {name}/nginx.pid) -m -- nginx -s reload -c $PWD/{name}/nginx.conf &&"
        ));
        probes.push_str(&format!(" --probe 127.0.0.1:{port}"));
    }
    format!(
        "echo '{test} true' >a-test; echo '{reload} true' >a-reload
         install() {{ code=0; folder=$1; shift
           certctl install $folder/new.crt -C $folder --trust root.pem --server none --chain-path $D/chain.pem \
             --key-path $D/key.pem --test \"sh $PWD/a-test\" --reload \"${{RELOAD:-sh $PWD/a-reload}}\"{probes} --json \"$@\" || code=$?
           echo \"exit $code\" >&2; }}"
    )
}

#[track_caller]
fn assert_lines(run: &Run, lines: &[&str]) {
    let printed: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(printed, lines, "{run}");
}

#[test]
fn a_container_gets_copies() {
    if !is_root() {
        return;
    }
    let machine = Machine::new(&["box"]);
    let port = machine.ports[0];
    let run = machine.run(&format!(
        "{}
         container box {port}
         install one --deploy link >refused; plain
         install one >first; plain; restart box {port}
         RELOAD=true; install two >failed; RELOAD=; plain; restart box {port}
         install two >second; plain; restart box {port}
         code=0; certctl rollback example.com >back || code=$?; echo \"exit $code\"; plain; restart box {port}
         code=0; certctl install --check >check || code=$?; echo \"check $code\"",
        options(&[("box", port)])
    ));
    assert_lines(
        &run,
        &[
            "plain",
            "plain",
            "plain",
            "plain",
            "1",
            "box serves one",
            "plain",
            "plain",
            "1",
            "box serves one",
            "plain",
            "plain",
            "1",
            "box serves two",
            "exit 0",
            "plain",
            "plain",
            "1",
            "box serves one",
            "check 0",
        ],
    );
    let exits: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("exit"))
        .collect();
    assert_eq!(exits, ["exit 1", "exit 0", "exit 5", "exit 0"], "{run}");
    let refused = machine.document("refused");
    assert!(
        codes(&refused).contains(&"link-target-hidden".to_owned()),
        "{refused}"
    );
    assert!(
        refused["next"].to_string().contains("--deploy copy")
            || refused.to_string().contains("--deploy copy"),
        "{refused}"
    );
    let first = machine.document("first");
    assert_eq!(first["settings"]["deploy"], "copy", "{first}");
    assert!(
        codes(&first).contains(&"deployed-as-copies".to_owned()),
        "{first}"
    );
}

#[test]
fn a_first_install_that_fails_leaves_the_container_as_it_was() {
    if !is_root() {
        return;
    }
    let machine = Machine::new(&["box"]);
    let port = machine.ports[0];
    for deploy in ["", "--deploy copy"] {
        let run = machine.run(&format!(
            "{}
             container box {port}
             before=$(stat -c '%i %Y %a' $D/chain.pem $D/key.pem)
             RELOAD=true; install one {deploy} >failed; plain
             [ \"$before\" = \"$(stat -c '%i %Y %a' $D/chain.pem $D/key.pem)\" ] && echo same
             restart box {port}; kill $(cat box/nginx.pid)",
            options(&[("box", port)])
        ));
        assert_lines(&run, &["plain", "plain", "same", "1", "box serves old"]);
        assert!(run.stderr.contains("exit 5"), "{run}");
    }
}

#[test]
fn two_containers_share_a_folder() {
    if !is_root() {
        return;
    }
    let machine = Machine::new(&["left", "right"]);
    let [left, right] = [machine.ports[0], machine.ports[1]];
    let both = format!("restart left {left}; restart right {right}");
    let run = machine.run(&format!(
        "{}
         container left {left}; container right {right}
         install one >first; plain; {both}
         echo false >>a-reload
         install two >failed; plain; {both}
         code=0; certctl rollback example.com >back || code=$?; echo \"exit $code\"; plain; {both}",
        options(&[("left", left), ("right", right)])
    ));
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        &lines[..6],
        [
            "plain",
            "plain",
            "1",
            "left serves one",
            "1",
            "right serves one"
        ],
        "{run}"
    );
    assert_eq!(
        &lines[6..12],
        [
            "plain",
            "plain",
            "1",
            "left serves one",
            "1",
            "right serves one"
        ],
        "the reload fails, also during the rollback: {run}"
    );
    assert!(
        run.stderr.contains("exit 0\n") && run.stderr.contains("exit 6\n"),
        "{run}"
    );
}

#[test]
fn a_file_that_is_a_mount_point_is_refused_beforehand() {
    if !is_root() {
        return;
    }
    let machine = Machine::new(&["box"]);
    let port = machine.ports[0];
    let run = machine.run(&format!(
        "{}
         mkdir here; for file in chain key; do cp $D/$file.pem here/; mount --bind here/$file.pem $D/$file.pem; done
         install one >refused; install one --deploy copy >copies; install one --dry-run >planned
         ls $D; ls /etc/ssl",
        options(&[("box", port)])
    ));
    assert_lines(&run, &["chain.pem", "key.pem", "private"]);
    for name in ["refused", "copies", "planned"] {
        let document = machine.document(name);
        assert_eq!(document["verdict"], "refused", "{document}");
        assert!(
            codes(&document).contains(&"file-is-mount-point".to_owned()),
            "{document}"
        );
        assert!(
            document.to_string().contains("Mount the folder"),
            "{document}"
        );
    }
    assert_eq!(run.stderr.matches("exit 1").count(), 3, "{run}");
}

#[test]
fn a_container_with_mounted_files_is_refused_beforehand() {
    if !is_root() {
        return;
    }
    let machine = Machine::new(&["box"]);
    let port = machine.ports[0];
    let run = machine.run(&format!(
        "{}
         MORE='mount -t tmpfs tmpfs /mnt; for file in chain key; do touch /mnt/$file.pem; mount --bind '$D'/$file.pem /mnt/$file.pem; done;'
         container box {port}
         install one >refused; plain; ls /etc/ssl",
        options(&[("box", port)])
    ));
    assert_lines(&run, &["plain", "plain", "private"]);
    let document = machine.document("refused");
    assert!(
        codes(&document).contains(&"file-is-mount-point".to_owned()),
        "{document}"
    );
    assert!(
        document.to_string().contains("nginx (process"),
        "{document}"
    );
}

#[test]
fn a_read_only_folder_is_refused_beforehand() {
    if !is_root() {
        return;
    }
    let machine = Machine::new(&["box"]);
    let port = machine.ports[0];
    let run = machine.run(&format!(
        "{}
         container box {port}; mount --bind $D $D; mount -o remount,ro,bind $D
         install one --deploy copy >failed; plain; ls /etc/ssl",
        options(&[("box", port)])
    ));
    assert!(run.stderr.contains("exit 4"), "{run}");
    let document = machine.document("failed");
    assert!(
        document.to_string().contains("Read-only file system"),
        "{document}"
    );
    assert_lines(&run, &["plain", "plain", "private"]);
}

/// As [`a_container_gets_copies`], for a server that has another root directory.
#[test]
fn a_server_in_a_chroot_gets_copies() {
    if !is_root() {
        return;
    }
    let machine = Machine::new(&["box"]);
    let port = machine.ports[0];
    let in_namespace = "nsenter -t $(cat box/nginx.pid) -m --";
    let options = options(&[("box", port)]).replace(in_namespace, "chroot jail");
    let run = machine.run(&format!(
        "{options}
         mkdir jail; mount --rbind / jail; mount -t tmpfs tmpfs jail/etc/ssl; mount --bind $D jail/mnt
         inside() {{ shift; chroot jail \"$@\"; }}
         container() {{
           rm -f $1/nginx.pid; chroot jail nginx -c $PWD/$1/nginx.conf >>log 2>&1 &
           for attempt in $(seq 100); do [ \"$(serial_at $2)\" = none ] || return 0; sleep 0.1; done
         }}
         container box {port}
         install one --deploy link >refused; plain
         install one >first; plain; restart box {port}
         RELOAD=true; install two >failed; RELOAD=; plain; restart box {port}
         install two >second
         code=0; certctl rollback example.com >back || code=$?; echo \"exit $code\"; plain; restart box {port}"
    ));
    let served = ["plain", "plain", "1", "box serves one"];
    let back = [&["exit 0"], &served[..]].concat();
    assert_lines(&run, &[&served[..2], &served, &served, &back].concat());
    let exits: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("exit"))
        .collect();
    assert_eq!(exits, ["exit 1", "exit 0", "exit 5", "exit 0"], "{run}");
    assert!(codes(&machine.document("refused")).contains(&"link-target-hidden".to_owned()));
    assert!(codes(&machine.document("first")).contains(&"deployed-as-copies".to_owned()));
}

/// Installs with files that no server reads, into a folder `site` that is another view of `real`.
const SHARE: &str = "mv $D real; mkdir $D; state() { stat -c '%i %Y %a %n' real/*; }
install() {
  code=0; folder=$1; shift
  certctl install $folder/new.crt -C $folder --trust root.pem --server none --chain-path $D/chain.pem \\
    --key-path $D/key.pem --json \"$@\" || code=$?
  echo \"exit $code\" >&2
}";

/// A file system that other machines use too (FUSE, as NFS and SMB): they do not see certctl's folder.
#[test]
fn a_folder_that_other_machines_share_gets_copies() {
    if !is_root() {
        return;
    }
    let machine = Machine::new(&[]);
    let run = machine.run(&format!(
        "{SHARE}
         bindfs real $D
         before=$(state); printf 'cmp -s %s old/example.com.key' $D/key.pem >old-only
         install one --test \"sh $PWD/old-only\" >failed; [ \"$before\" = \"$(state)\" ]; plain
         install one >first; plain; install two >second; plain
         cmp real/chain.pem /etc/ssl/certctl/example.com/live/fullchain.pem
         certctl rollback example.com >/dev/null; plain; certctl install --check >/dev/null
         cmp real/key.pem one/example.com.key; ls -A real"
    ));
    let plain = ["plain"; 8];
    assert_lines(&run, &[&plain[..], &["chain.pem", "key.pem"]].concat());
    assert_eq!(run.stderr, "exit 5\nexit 0\nexit 0\n", "{run}");
    let first = machine.document("first");
    assert!(codes(&first).contains(&"deployed-as-copies".to_owned()));
    let reason = "is on a fuse file system, and other machines that read it";
    assert!(first.to_string().contains(reason), "{first}");
}

/// A file system that gives every file the same mode (FAT, SMB): no key is written where others could
/// read it.
#[test]
fn no_key_is_written_where_modes_are_ignored() {
    if !is_root() {
        return;
    }
    let machine = Machine::new(&[]);
    let run = machine.run(&format!(
        "{SHARE}
         bindfs --chmod-ignore -p 0644,a+X real $D
         before=$(state); install one >failed
         code=0; certctl csr new.example -C $D --json >refused || code=$?; echo \"exit $code\" >&2
         [ \"$before\" = \"$(state)\" ]; ls -A real; ls /etc/ssl/certctl"
    ));
    assert_lines(&run, &["chain.pem", "key.pem"]);
    assert_eq!(run.stderr, "exit 5\nexit 4\n", "{run}");
    let reason = "this file system gives new files the mode 0644";
    for name in ["failed", "refused"] {
        let document = machine.document(name);
        assert!(document.to_string().contains(reason), "{document}");
    }
    let refused = machine.document("refused");
    let step = refused["error"]["next"][0]["command"].as_str().unwrap();
    assert!(step.starts_with("findmnt -T "), "{refused}");
}
