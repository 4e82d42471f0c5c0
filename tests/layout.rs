//! The text of every command at 80 and at 120 columns: lines fit, words are whole, and the language
//! of the environment changes nothing.
//! Needs: ip knotd nginx
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use jiff::civil::date;
use support::Sandbox;
use support::ca::{Leaf, TestCa, days};
use support::dns::{NameServer, with_port_53};
use support::install_sandbox::{CHAIN, InstallSandbox, KEY};
use support::issued_certificate::IssuedCertificate;
use support::layout::{Pages, Stage};
use support::nginx::Nginx;
use support::site::Site;

const TREE: [&str; 4] = ["--root", "tree", "--trust", "root.pem"];

/// The time at which dates are judged, so that no rule of the calendar changes a snapshot.
const NOW: &str = "2026-12-01T12:00:00Z";

/// Names with wide characters, and one that fills a line.
const WIDE_NAMES: [&str; 3] = [
    "测试.example.world",
    "bücher.example.com",
    "a-name-of-sixty-three-characters-which-is-as-long-as-labels-get.a-second-label.example.com",
];

/// Returns an order with its certificate and intermediate in `new.crt`.
fn order() -> IssuedCertificate {
    let order = IssuedCertificate::new();
    order.sandbox.write("new.crt", order.chain());
    order
}

#[test]
fn csr() {
    let mut pages = Pages::default();
    let empty = Sandbox::new();
    let stage = Stage::new(&empty);
    let names = ["csr", "example.com", "www.example.com"];
    stage.check(&mut pages, &names, 0);
    stage.check(
        &mut pages,
        &[&names[..], &["--ca", "namecheap"]].concat(),
        0,
    );
    stage.check(&mut pages, &[&names[..], &["--ca", "private"]].concat(), 0);
    stage.check(&mut pages, &[&["csr"], &WIDE_NAMES[..]].concat(), 0);
    stage.check(&mut pages, &["csr", "server.local", "10.0.0.1"], 1);
    let order = IssuedCertificate::new();
    let stage = Stage::new(&order.sandbox);
    stage.check(&mut pages, &names, 0);
    stage.check(&mut pages, &["csr", "example.com", "other.example.com"], 3);
    pages.compare("csr");
}

/// A request for `shop.example` with its record as a zone has it and as the CA shows it.
struct Record {
    sandbox: Sandbox,
    label: String,
    value: String,
}

impl Record {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let args = ["csr", "shop.example", "www.shop.example", "--json"];
        let created = sandbox.run(&args).expect(0).json();
        let text = |field: &str| created["request"][field].as_str().unwrap().to_owned();
        let (md5, sha256) = (text("md5"), text("sha256"));
        let (first, second) = sha256.split_at(32);
        Self {
            sandbox,
            label: format!("_{md5}"),
            value: format!("{first}.{second}.69ff68dc5168c.comodoca.com"),
        }
    }

    fn given(&self) -> String {
        format!("{}.shop.example {}", self.label, self.value)
    }
}

#[test]
fn dcv_check() {
    let mut pages = Pages::default();
    let record = Record::new();
    let (label, value, given) = (&record.label, &record.value, record.given());
    let stage = Stage::new(&record.sandbox);
    for (line, code) in [
        (format!("{label} CNAME {value}."), 0),
        (String::new(), 1),
        (format!("{label}.shop.example CNAME {value}."), 1),
        (format!("{label} CNAME {value}"), 1),
    ] {
        let server = NameServer::knot(&line);
        let at = server.at();
        let args = ["dcv-check", "--record", &given, "--resolver", &at];
        stage.check(&mut pages, &args, code);
    }
    let server = NameServer::knot("@ MX 10 mail\nmail A 192.0.2.25");
    let at = server.at();
    let method = [
        "dcv-check",
        "--method",
        "email",
        "--resolver",
        &at,
        "--at",
        NOW,
    ];
    stage.check(&mut pages, &method, 1);
    pages.compare("dcv_check");
}

#[test]
fn dcv_check_over_http() {
    with_port_53("dcv_check_over_http", || {
        let mut pages = Pages::default();
        let record = Record::new();
        // All addresses have the same length, so that lines end at the same words in each process.
        let [high, low] = [std::process::id() / 150 % 150, std::process::id() % 150];
        let web = format!("127.{}.{}.144", 100 + high, 100 + low);
        let path = record.label[1..].to_uppercase();
        let block = format!(
            "server {{ listen {web}:80; location = /.well-known/pki-validation/{path}.txt \
             {{ return 200 \"soon\"; }} }}"
        );
        let folder = tempfile::tempdir().unwrap();
        let _web = Nginx::start(folder.path(), &block);
        let server = NameServer::knot(&format!("@ A {web}\nwww A {web}"));
        let (given, at) = (record.given(), server.at());
        let stage = Stage::new(&record.sandbox);
        let method = ["dcv-check", "--method", "http", "--resolver", &at];
        stage.check(
            &mut pages,
            &[&method[..], &["--record", &given]].concat(),
            1,
        );
        pages.compare("dcv_check_http");
    });
}

#[test]
fn bundle() {
    let mut pages = Pages::default();
    let order = order();
    order.sandbox.write("leaf.crt", &order.leaf);
    let stage = Stage::new(&order.sandbox);
    let bundle = ["bundle", "new.crt", "--trust", "root.pem"];
    stage.check(&mut pages, &bundle, 0);
    stage.check(
        &mut pages,
        &[&bundle[..], &["--for", "postfix"]].concat(),
        0,
    );
    stage.check(&mut pages, &["bundle", "leaf.crt"], 1);
    pages.compare("bundle");
}

#[test]
fn verify_and_inspect() {
    let (mut verify, mut inspect) = (Pages::default(), Pages::default());
    let site = Site::new();
    site.plain("chain.pem", "site.key");
    let key = site.setup.sandbox.read("site.key");
    site.setup.sandbox.write_key("site.key", key);
    let sandbox = &site.setup.sandbox;
    sandbox.run(&["csr", "other.example"]).expect(0);
    let many = [&["csr", "--cert-name", "many"], &WIDE_NAMES[..]].concat();
    sandbox.run(&many).expect(0);
    let block = site.block("chain.pem", "site.key");
    let host = format!("127.0.0.1:{}", site.port);
    let stage = Stage::new(sandbox).with_nginx(&block, &block);
    let files = ["verify", "chain.pem", "--trust", "root.pem", "--key"];
    stage.check(&mut verify, &[&files[..], &["site.key"]].concat(), 0);
    stage.check(
        &mut verify,
        &[&files[..], &["other.example.key"]].concat(),
        1,
    );
    stage.check(&mut verify, &["verify", "chain.pem"], 1);
    stage.check(&mut verify, &["verify", &host, "--trust", "root.pem"], 1);
    verify.compare("verify");
    for item in ["chain.pem", "many.csr", "site.key", &host] {
        stage.check(&mut inspect, &["inspect", item], 0);
    }
    inspect.compare("inspect");
}

#[test]
fn install_without_a_server() {
    let mut pages = Pages::default();
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let install = [&["install", "new.crt", "--server", "none"], &TREE[..]].concat();
    let stage = Stage::new(&setup.sandbox);
    stage.check(&mut pages, &[&install[..], &["--dry-run"]].concat(), 0);
    stage.check(&mut pages, &install, 0);
    let placeholder = ["install", "--placeholder", "example.com", "--root", "tree"];
    stage.check(&mut pages, &placeholder, 0);
    setup
        .sandbox
        .run(&["csr", "example.com", "--force"])
        .expect(0);
    let stage = Stage::new(&setup.sandbox);
    stage.check(&mut pages, &install, 1);
    pages.compare("install_files");
}

#[test]
fn several_installs_a_check_a_rollback_and_a_forget() {
    let (mut install, mut rollback, mut forget) =
        (Pages::default(), Pages::default(), Pages::default());
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    for name in ["a.example", "b.example", "c.example"] {
        sandbox.run(&["csr", name]).expect(0);
        let leaf = setup.ca.issue(&sandbox.read(&format!("{name}.csr")));
        sandbox.write(&format!("{name}.crt"), leaf + &setup.ca.bundle_pem());
    }
    let files = ["install", "a.example.crt", "b.example.crt", "c.example.crt"];
    Stage::new(sandbox).check(&mut install, &[&files[..], &TREE[..]].concat(), 0);

    setup.renew_and_install(&[]).expect(0);
    setup.renew_and_install(&[]).expect(0);
    let stage = Stage::new(sandbox);
    let check = ["install", "example.com", "--check", "--root", "tree"];
    stage.check(&mut install, &check, 0);
    let rolled_back = ["rollback", "example.com", "--root", "tree"];
    stage.check(&mut rollback, &rolled_back, 0);
    let unknown = ["rollback", "other.example", "--root", "tree"];
    stage.check(&mut rollback, &unknown, 3);
    let forgotten = ["forget", "example.com", "--root", "tree"];
    stage.check(&mut forget, &forgotten, 0);
    std::fs::remove_file(sandbox.join(CHAIN)).unwrap();
    sandbox.write(CHAIN, "another file");
    let stage = Stage::new(sandbox);
    stage.check(&mut install, &check, 1);
    install.compare("install_several");
    rollback.compare("rollback");
    forget.compare("forget");
}

#[test]
fn install_with_nginx() {
    let mut pages = Pages::default();
    let site = Site::new();
    let setup = &site.setup;
    let config = site.folder().join("nginx.conf").display().to_string();
    let block = site.block(CHAIN, KEY);
    let install = [
        &[
            "install",
            "new.crt",
            "--server",
            "nginx",
            "--server-config",
            &config,
        ],
        &TREE[..],
    ]
    .concat();
    setup.write_delivery("new.crt");
    let stage = Stage::new(&setup.sandbox).with_nginx("", &block);
    stage.check(&mut pages, &[&install[..], &["--dry-run"]].concat(), 0);
    stage.check(&mut pages, &install, 0);
    let stage = Stage::new(&setup.sandbox).with_nginx("", "");
    stage.check(&mut pages, &install, 1);
    let stage = Stage::new(&setup.sandbox).with_nginx("", "no such directive;");
    stage.check(&mut pages, &install, 1);

    {
        let nginx = site.start("");
        nginx.rewrite(&block);
        setup
            .install(
                "new.crt",
                &["--server", "nginx", "--server-config", &config],
            )
            .expect(0);
    }
    setup.write_delivery("new.crt");
    let stage = Stage::new(&setup.sandbox).with_nginx(&block, &block);
    stage.check(
        &mut pages,
        &[&install[..], &["--reload", "true"]].concat(),
        5,
    );
    let check = ["install", "example.com", "--check", "--root", "tree"];
    stage.check(&mut pages, &check, 0);
    pages.compare("install_nginx");
}

#[test]
fn status_and_renew() {
    let (mut status, mut renew) = (Pages::default(), Pages::default());
    let (sandbox, ca) = (Sandbox::new(), TestCa::new());
    sandbox.write("root.pem", ca.root_pem());
    let make = |name: &str, from: i64, to: i64| {
        let args = ["csr", name, &format!("www.{name}"), "--cert-name", "new"];
        sandbox.run(&args).expect(0);
        let leaf = Leaf {
            not_before: days(date(2026, 12, 1), from),
            not_after: days(date(2026, 12, 1), to),
            ..Leaf::default()
        };
        let leaf = ca.issue_as(&sandbox.read("new.csr"), leaf);
        let chain = sandbox.write("new.crt", leaf + &ca.intermediate_pem());
        let stem = name.replace(|c: char| !c.is_ascii(), "x");
        for suffix in ["key", "csr", "crt"] {
            let new = sandbox.join(&format!("new.{suffix}"));
            std::fs::rename(new, sandbox.join(&format!("{stem}.{suffix}"))).unwrap();
        }
        drop(chain);
    };
    Stage::new(&sandbox).check(&mut status, &["status", "--at", NOW], 0);
    make("fine.example.com", -1, 43);
    Stage::new(&sandbox).check(&mut status, &["status", "--at", NOW], 0);
    make("soon.example.net", -40, 4);
    make("expired.example.org", -250, -20);
    make(WIDE_NAMES[0], -1, 43);
    make(WIDE_NAMES[1], -40, 4);
    sandbox.run(&["csr", "pending.example.com"]).expect(0);
    sandbox.run(&["csr", WIDE_NAMES[2]]).expect(0);
    let stage = Stage::new(&sandbox);
    stage.check(&mut status, &["status", "--at", NOW], 1);
    stage.check(&mut status, &["status", "-q", "--at", NOW], 1);
    let all = ["renew", "--at", NOW, "--root", "tree"];
    stage.check(&mut renew, &all, 1);
    stage.check(&mut renew, &[&all[..], &["soon.example.net"]].concat(), 1);
    stage.check(&mut renew, &[&all[..], &["nothing.example"]].concat(), 3);
    status.compare("status");
    renew.compare("renew");
}

#[test]
fn explain() {
    let mut pages = Pages::default();
    let sandbox = Sandbox::new();
    let stage = Stage::new(&sandbox);
    for words in [&["explain"][..], &["explain", "zone-doubled"]] {
        stage.check(&mut pages, words, 0);
    }
    let message = "SSL certificate problem: unable to get local issuer certificate";
    stage.check(&mut pages, &["explain", message], 0);
    stage.check(&mut pages, &["explain", "no-such-code"], 3);
    pages.compare("explain");
}

#[test]
fn rehearse() {
    let mut pages = Pages::default();
    let sandbox = Sandbox::new();
    Stage::new(&sandbox).check(&mut pages, &["rehearse"], 0);
    pages.compare("rehearse");
}

/// The commands in the order of bare `certctl`.
fn commands() -> Vec<String> {
    let overview = Sandbox::new().run(&[]).expect(0);
    let lines = overview.stdout.lines().skip(2);
    let mut commands = Vec::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        let columns = line.get(6..).unwrap_or_default();
        if !columns.starts_with(' ') {
            commands.extend(columns.split_whitespace().next().map(str::to_owned));
        }
    }
    assert!(commands.len() > 15, "{overview}");
    commands
}

/// A command whose texts are in no snapshot was forgotten here.
#[test]
fn every_command_has_pages_besides_its_help() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/layout");
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let runs = text.lines().filter(|line| line.starts_with("$ certctl "));
        let outputs = runs.filter(|line| !line.ends_with("--help"));
        lines.extend(outputs.map(str::to_owned));
    }
    for command in commands() {
        let is_run = |line: &String| line.split(' ').any(|word| word == command);
        assert!(lines.iter().any(is_run), "no page of `{command}`");
    }
}

#[test]
fn help_overview_usage_errors_and_failures() {
    let (mut help, mut overview) = (Pages::default(), Pages::default());
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "example.com"]).expect(0);
    let stage = Stage::new(&sandbox);
    stage.check(&mut help, &["--help"], 0);
    for command in commands() {
        stage.check(&mut help, &[&command, "--help"], 0);
    }
    help.compare("help");
    stage.check(&mut overview, &[], 0);
    for words in [
        &["list"][..],
        &["no-such-command"],
        &["install", "--no-such-option"],
        &["csr", "example.com", "--key-type", "dsa"],
        &["completions"],
        &["order", "example.com"],
        &["site", "example.com"],
    ] {
        stage.check(&mut overview, words, 2);
    }
    stage.check(&mut overview, &["bundle", "missing.zip"], 3);
    stage.check(&mut overview, &["-C", "missing", "status"], 1);
    overview.compare("overview");
}
