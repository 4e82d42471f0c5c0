//! Which module may import which other one, and which modules may use files, network, processes and
//! clock. Each rule has an example that violates it.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

#[path = "support/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};

use source::Source;

/// The layers, outermost first. A module imports only from its own layer and from those below it, so
/// there are no cycles between layers.
const LAYERS: [&str; 46] = [
    "main",
    "lib",
    "cli",
    "facade",
    "reference",
    "commands",
    "rehearsal",
    "ordering",
    "scan",
    "publication",
    "validation",
    "install",
    "inputs",
    "audit",
    "context",
    "status_report",
    "report",
    "advice",
    "failure",
    "diagnosis",
    "inventory",
    "install_plan",
    "site",
    "webserver",
    "store",
    "providers",
    "state",
    "configuration",
    "system",
    "probe",
    "matching",
    "export",
    "delivery",
    "csr_lint",
    "acme_clients",
    "namecheap",
    "publishing",
    "acme",
    "dcv",
    "error_texts",
    "finding",
    "pki",
    "code_table",
    "permissions",
    "secret",
    "wording",
];

/// The modules in pure layers that use the system.
const ACTING: [&str; 6] = [
    "install_plan::apply",
    "install_plan::observe",
    "store::disk",
    "store::key_access::on_disk",
    "store::root",
    "webserver::control",
];

/// Layers that only compute: they receive bytes, times and answers as arguments.
const PURE: [&str; 23] = [
    "acme",
    "acme_clients",
    "code_table",
    "csr_lint",
    "dcv",
    "delivery",
    "diagnosis",
    "error_texts",
    "export",
    "finding",
    "install_plan",
    "inventory",
    "matching",
    "namecheap",
    "permissions",
    "pki",
    "probe",
    "publishing",
    "secret",
    "site",
    "store",
    "webserver",
    "wording",
];

/// What only `system` may import: files, network, processes, clock, environment, and the crates that
/// use them.
const WORLD: [&str; 19] = [
    "std::env",
    "std::fs",
    "std::io::stdin",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "hickory_net",
    "hickory_resolver",
    "instant_acme",
    "openssl_probe",
    "reqwest",
    "rustix",
    "rustls_native_certs",
    "signal_hook",
    "tokio",
    "tokio_rustls",
];

/// Plain value types in the modules of `WORLD`, which every layer may import.
const VALUES: [&str; 6] = [
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "SocketAddr",
    "SocketAddrV4",
    "SocketAddrV6",
];

/// Methods of `Path` that read the file system.
const READING_METHODS: [&str; 8] = [
    "canonicalize",
    "exists",
    "is_dir",
    "metadata",
    "read_dir",
    "read_link",
    "symlink_metadata",
    "try_exists",
];

/// The modules of `commands` that are not commands and are shared by several commands.
const SHARED_BY_COMMANDS: [&str; 3] = ["deployment_args", "method_args", "validation_text"];

/// What a file may import although its layer may not.
const EXCEPTIONS: [(&str, &str); 3] = [
    ("main", "std::env::args_os"),      // reads the arguments
    ("main", "std::process::ExitCode"), // returns the exit code
    ("system", ""),                     // everything
];

#[test]
fn src_respects_the_layers() {
    let broken = broken(&Source::tree());
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn each_rule_detects_its_violation() {
    for (module, code, complaint) in [
        (
            "pki::key",
            "use crate::system::fs::files;",
            "pki::key:1 imports crate::system::fs::files from a layer above it",
        ),
        (
            "pki",
            "fn f() { crate::report::escape(\"\", &[]); }",
            "imports crate::report::escape from a layer above it",
        ),
        ("nowhere", "", "nowhere is in no layer"),
        (
            "dcv::judge",
            "use std::{fmt, fs::{self, File}};",
            "dcv::judge:1 uses the system: std::fs::File",
        ),
        (
            "delivery",
            "use std::io;\nfn f() { io::stdin(); }",
            "delivery:2 uses the system: std::io::stdin",
        ),
        (
            "probe",
            "use std::net::{IpAddr, TcpStream};",
            "probe:1 uses the system: std::net::TcpStream",
        ),
        (
            "probe",
            "use jiff::Timestamp;\nfn f() { Timestamp::now(); }",
            "probe:2 reads the clock",
        ),
        (
            "install_plan::plan",
            "fn f(p: &Path) { p.exists(); }",
            "install_plan::plan:1 reads the file system: exists",
        ),
        (
            "install_plan::plan",
            "use crate::system::fs::files;",
            "install_plan::plan:1 must only compute, but imports crate::system::fs::files",
        ),
        (
            "commands::csr",
            "use std::env;",
            "commands::csr:1 uses the system: std::env",
        ),
        (
            "commands::csr",
            "use super::verify;",
            "commands::csr:1 calls another command: crate::commands::verify",
        ),
        (
            "commands::csr",
            "fn f() { std::io::stdout(); }",
            "commands::csr:1 prints",
        ),
        ("cli", "fn f() { eprintln!(); }", "cli:1 prints"),
    ] {
        let complaints = broken(&[
            Source::new("commands::verify", ""),
            Source::new(module, code),
        ]);
        assert!(
            complaints.iter().any(|found| found.contains(complaint)),
            "{module}: {code}\n{complaints:?}"
        );
    }
    let cycle = [
        Source::new("pki::a", "use super::b::B;"),
        Source::new("pki::b", "use crate::pki::a::A;"),
    ];
    assert_eq!(broken(&cycle), ["a cycle: pki::a > pki::b > pki::a"]);
}

#[test]
fn allowed_imports_are_accepted() {
    let harmless = [
        Source::new(
            "pki::name",
            "// use std::fs;\nfn f() { let s = \"std::fs\"; let x: std::net::IpAddr; }",
        ),
        Source::new(
            "pki::key",
            "use super::name::X;\n#[cfg(test)]\nmod tests { use std::fs; }",
        ),
        Source::new(
            "commands::csr",
            "use crate::pki::key::K; use crate::system::fs::files;",
        ),
        Source::new("commands::rehearse", "use super::csr;"),
        Source::new("commands::renew", "use super::validation_text::add_record;"),
        Source::new(
            "install_plan::apply",
            "use crate::system::fs::files; use super::plan::P;",
        ),
        Source::new(
            "install_plan::plan",
            "use crate::pki::key::K; struct P { exists: bool }",
        ),
        Source::new("report", "fn f() { std::io::stdout(); }"),
        Source::new("system::fs::files", "use std::fs;"),
    ];
    assert_eq!(broken(&harmless), Vec::<String>::new());
}

fn broken(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for complaint in [layer, world, clock_and_paths, printing, purity, commands] {
            complaint(source, &mut complaints);
        }
    }
    complaints.extend(cycles(sources));
    complaints
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == module)
}

fn layer(source: &Source, complaints: &mut Vec<String>) {
    let name = source.name();
    let Some(own) = rank(&source.module[0]) else {
        complaints.push(format!(
            "{name} is in no layer: add it to LAYERS in tests/layers.rs"
        ));
        return;
    };
    for (path, line) in source.paths() {
        if path.len() > 1 && path[0] == "crate" && rank(&path[1]).is_some_and(|other| other < own) {
            complaints.push(format!(
                "{name}:{line} imports {} from a layer above it",
                path.join("::")
            ));
        }
    }
}

fn world(source: &Source, complaints: &mut Vec<String>) {
    let name = source.name();
    for (path, line) in source.paths() {
        let path_name = path.join("::");
        let within =
            |prefix: &str| path_name == prefix || path_name.starts_with(&format!("{prefix}::"));
        let value = path.iter().any(|part| VALUES.contains(&part.as_str()));
        let excepted = EXCEPTIONS.iter().any(|(module, what)| {
            (name == *module || name.starts_with(&format!("{module}::")))
                && path_name.starts_with(what)
        });
        if WORLD.iter().any(|prefix| within(prefix)) && !value && !excepted {
            complaints.push(format!("{name}:{line} uses the system: {path_name}"));
        }
    }
}

fn clock_and_paths(source: &Source, complaints: &mut Vec<String>) {
    let name = source.name();
    if source.module[0] == "system" {
        return;
    }
    for (path, line) in source.paths() {
        if path.ends_with(&["Timestamp".to_owned(), "now".to_owned()])
            || path.ends_with(&["Zoned".to_owned(), "now".to_owned()])
        {
            complaints.push(format!("{name}:{line} reads the clock"));
        }
    }
    for called in source.words.windows(3) {
        if called[0].text == "."
            && called[2].text == "("
            && READING_METHODS.contains(&called[1].text.as_str())
        {
            complaints.push(format!(
                "{name}:{} reads the file system: {}",
                called[1].line, called[1].text
            ));
        }
    }
}

fn printing(source: &Source, complaints: &mut Vec<String>) {
    let name = source.name();
    if name == "report" {
        return;
    }
    let macros = ["print", "println", "eprint", "eprintln", "dbg"];
    let printed = source
        .words
        .windows(2)
        .filter(|pair| macros.contains(&pair[0].text.as_str()) && pair[1].text == "!");
    let mut lines: Vec<usize> = printed.map(|pair| pair[0].line).collect();
    let streams = ["std::io::stdout", "std::io::stderr"];
    lines.extend(
        source
            .paths()
            .iter()
            .filter(|(path, _)| streams.contains(&path.join("::").as_str()))
            .map(|(_, line)| line),
    );
    complaints.extend(
        lines
            .iter()
            .map(|line| format!("{name}:{line} prints, which is for report alone")),
    );
}

fn purity(source: &Source, complaints: &mut Vec<String>) {
    let name = source.name();
    let acting = ACTING
        .iter()
        .any(|module| name == *module || name.starts_with(&format!("{module}::")));
    if !PURE.contains(&source.module[0].as_str()) || acting {
        return;
    }
    for (path, line) in source.paths() {
        if path[0] == "crate" && path.get(1).is_some_and(|module| module == "system") {
            complaints.push(format!(
                "{name}:{line} must only compute, but imports {}",
                path.join("::")
            ));
        }
    }
}

fn commands(source: &Source, complaints: &mut Vec<String>) {
    let name = source.name();
    if source.module[0] != "commands" || source.module.len() < 2 {
        return;
    }
    // `rehearse` runs several commands, and `explain --check` those that only look.
    if ["rehearse", "explain"].contains(&source.module[1].as_str()) {
        return;
    }
    for (path, line) in source.paths() {
        let is_other = path.len() > 2
            && path[..2] == ["crate", "commands"]
            && path[2] != source.module[1]
            && !SHARED_BY_COMMANDS.contains(&path[2].as_str());
        if is_other {
            complaints.push(format!(
                "{name}:{line} calls another command: {}",
                path.join("::")
            ));
        }
    }
}

/// Returns the import cycles between files, each once.
fn cycles(sources: &[Source]) -> Vec<String> {
    let names: BTreeSet<String> = sources.iter().map(Source::name).collect();
    let graph: BTreeMap<String, BTreeSet<String>> = sources
        .iter()
        .map(|source| (source.name(), neighbours(source, &names)))
        .collect();
    let mut done = BTreeSet::new();
    let mut found = Vec::new();
    for start in &names {
        walk(
            start,
            &graph,
            &mut vec![start.clone()],
            &mut done,
            &mut found,
        );
    }
    found
}

fn neighbours(source: &Source, names: &BTreeSet<String>) -> BTreeSet<String> {
    let own = source.name();
    let mut others = BTreeSet::new();
    for (path, _) in source.paths() {
        let absolute = if path[0] == "crate" {
            path[1..].to_vec()
        } else {
            [source.module.clone(), path].concat()
        };
        let module = (1..=absolute.len())
            .rev()
            .map(|end| absolute[..end].join("::"))
            .find(|module| names.contains(module));
        others.extend(module.filter(|module| *module != own));
    }
    others
}

fn walk(
    at: &str,
    graph: &BTreeMap<String, BTreeSet<String>>,
    trail: &mut Vec<String>,
    done: &mut BTreeSet<String>,
    found: &mut Vec<String>,
) {
    for next in &graph[at] {
        if let Some(from) = trail.iter().position(|earlier| earlier == next) {
            found.push(format!("a cycle: {} > {next}", trail[from..].join(" > ")));
        } else if !done.contains(next) {
            trail.push(next.clone());
            walk(next, graph, trail, done, found);
            trail.pop();
        }
    }
    done.insert(at.to_owned());
}
