//! `install --root` for trees that are not this machine, in the layouts of RHEL, Alpine, openSUSE and
//! FreeBSD: only the tree is read and changed, no program is run, and the paths of the advice are those
//! that the servers of the tree see.
//! Needs: strace
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::external::external_program;
use support::install_sandbox::{InstallSandbox, codes};
use support::program::program;

/// A tree: its folders, the server, and where chain and key are installed.
struct TreeLayout {
    name: &'static str,
    folders: &'static [&'static str],
    server: &'static str,
    config: &'static str,
    chain: &'static str,
    key: &'static str,
}

const TREES: [TreeLayout; 4] = [
    TreeLayout {
        name: "rhel",
        folders: &[
            "etc/pki/tls/certs",
            "etc/pki/tls/private",
            "etc/httpd/conf.d",
        ],
        server: "apache",
        config: "etc/httpd/conf/httpd.conf",
        chain: "/etc/pki/tls/certs/example.com.fullchain.pem",
        key: "/etc/pki/tls/private/example.com.key",
    },
    TreeLayout {
        name: "alpine",
        folders: &["etc/ssl/private", "etc/nginx/http.d"],
        server: "nginx",
        config: "etc/nginx/nginx.conf",
        chain: "/etc/ssl/example.com.fullchain.pem",
        key: "/etc/ssl/private/example.com.key",
    },
    TreeLayout {
        name: "opensuse",
        folders: &["etc/ssl/private", "etc/apache2/vhosts.d"],
        server: "apache",
        config: "etc/apache2/httpd.conf",
        chain: "/etc/ssl/example.com.fullchain.pem",
        key: "/etc/ssl/private/example.com.key",
    },
    TreeLayout {
        name: "freebsd",
        folders: &["etc/ssl", "usr/local/etc/nginx"],
        server: "nginx",
        config: "usr/local/etc/nginx/nginx.conf",
        chain: "/etc/ssl/example.com.fullchain.pem",
        key: "/etc/ssl/private/example.com.key",
    },
];

/// What every program of this machine reads, and certctl's own configuration: no server has it.
const NO_SERVERS: [&str; 8] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/certctl",
    "/etc/timezone",
];

#[test]
fn only_the_tree_is_read_and_advised_on() {
    for tree in &TREES {
        check_tree(tree);
    }
}

fn check_tree(tree: &TreeLayout) {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("new.crt");
    for folder in tree.folders {
        std::fs::create_dir_all(sandbox.join(&format!("image/{folder}"))).unwrap();
    }
    let config = sandbox.join(&format!("image/{}", tree.config));
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(&config, "# not read\n").unwrap();
    let trace = sandbox.join("trace");
    let mut command = external_program("strace");
    command
        .args(["-f", "-z", "-s", "4096", "-e", "trace=%file", "-o"])
        .arg(&trace)
        .arg(program())
        .args(["install", "new.crt", "--root", "image", "--trust"])
        .args(["root.pem", "--json", "--server", tree.server])
        .current_dir(sandbox.path());
    let run = sandbox.run_command(command).expect(0).json();
    let index = codes(&run)
        .iter()
        .position(|code| *code == "tree-server-not-read");
    let finding = &run["findings"][index.unwrap()];
    let lines = finding["next"][0]["lines"].to_string();
    for path in [tree.chain, tree.key] {
        assert!(lines.contains(path), "{}: {lines}", tree.name);
        let installed = sandbox.join(&format!("image{path}"));
        assert!(installed.is_file(), "{}: {path}", tree.name);
    }
    assert!(!lines.contains("image/"), "{}: {lines}", tree.name);
    assert_eq!(std::fs::read(&config).unwrap(), b"# not read\n");
    check_trace(tree.name, &std::fs::read_to_string(&trace).unwrap());
}

/// Checks every path of a trace: no configuration of this machine, and no other program.
fn check_trace(name: &str, trace: &str) {
    let mut count = 0;
    for line in trace.lines() {
        let Some(path) = line.split('"').nth(1) else {
            continue;
        };
        count += 1;
        let is_ours = NO_SERVERS.iter().any(|known| path.starts_with(known));
        let is_of_machine = path.starts_with("/etc/") || path.starts_with("/usr/local/etc/");
        assert!(!is_of_machine || is_ours, "{name}: {line}");
    }
    assert!(count > 20, "{name}: {trace}");
    let runs = trace.matches("execve(").count();
    assert_eq!(runs, 1, "{name}: another program was run");
}
