//! Chains served by nginx and fetched by curl and Chromium, each at TLS 1.2 and at 1.3: what they
//! refuse, certctl refuses or warns of, and it names OpenSSL (curl) and Chrome only if they do. Key
//! usages, key identifiers, purposes, constraints, and the order and completeness of the chain.
//! Needs: certutil chromium curl nginx openssl
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod crafted;
mod support;

use std::collections::HashMap;
use std::fmt::Write;

use crafted::certificate::pem;
use crafted::chain::{ChainKeys, CraftedChain, Shape};
use crafted::faults::{Place, faults};
use support::Sandbox;
use support::answers::free_ports;
use support::external::{external_program, succeed};
use support::nginx::Nginx;

const HOST: &str = "shop.example";

/// The versions of TLS, as curl and Chromium spell them.
const VERSIONS: [(&str, &str); 2] = [("1.2", "tls1.2"), ("1.3", "tls1.3")];

/// What is sent of a chain of leaf, issuer and root.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sent {
    /// Leaf and issuer.
    Chain,
    /// Only the leaf.
    Leaf,
    /// Leaf, issuer, root.
    WithRoot,
    /// The leaf, an unrelated CA, then the issuer.
    Unordered,
}

/// Changes of a chain, and the leaf's key.
const CHANGES: [(Place, &str, Shape); 18] = [
    (Place::Leaf, "usage-missing", Shape::One),
    (Place::Leaf, "usage-all", Shape::One),
    (Place::Leaf, "usage-encipherment", Shape::One),
    (Place::Leaf, "usage-agreement", Shape::One),
    (Place::Leaf, "usage-encipherment", Shape::Rsa),
    (Place::Leaf, "aki-missing", Shape::One),
    (Place::Leaf, "aki-wrong", Shape::One),
    (Place::Leaf, "aki-other-serial", Shape::One),
    (Place::Leaf, "aki-other-issuer", Shape::One),
    (Place::Issuer, "ski-missing", Shape::One),
    (Place::Issuer, "ski-other", Shape::One),
    (Place::Leaf, "unknown-critical", Shape::One),
    (Place::Leaf, "purpose-client", Shape::One),
    (Place::Leaf, "purpose-any", Shape::One),
    (Place::Issuer, "usage-crl-only", Shape::One),
    (Place::Issuer, "permits-other-dns", Shape::One),
    (Place::Issuer, "permits-subject", Shape::One),
    (Place::Leaf, "issuer-capitals", Shape::One),
];

/// A chain that one port serves.
struct ServedChain {
    name: String,
    port: u16,
    /// Its files in the sandbox, without their endings.
    stem: String,
}

/// Writes the files of every chain and returns them; the first is sound.
fn served_chains(sandbox: &Sandbox) -> Vec<ServedChain> {
    let keys = ChainKeys::new();
    let good = CraftedChain::new(&keys, Shape::One, &[]);
    // All roots have the same name and key; clients trust the one of the first chain.
    sandbox.write("root.pem", good.root_pem());
    let mut chains = Vec::new();
    for sent in [Sent::Chain, Sent::Leaf, Sent::WithRoot, Sent::Unordered] {
        chains.push((format!("{sent:?}"), Shape::One, sent_pem(&good, sent)));
    }
    for shape in [Shape::Rsa, Shape::Two] {
        let chain = CraftedChain::new(&keys, shape, &[]);
        chains.push((format!("{shape:?}"), shape, chain.sent_pem()));
    }
    let all = faults();
    for (place, name, shape) in CHANGES {
        let mut named = all
            .iter()
            .filter(|one| one.name == name && one.place == place);
        let chain = CraftedChain::new(&keys, shape, &[*named.next().unwrap()]);
        chains.push((format!("{shape:?} {name}"), shape, chain.sent_pem()));
    }
    let ports = free_ports(chains.len());
    let numbered = chains.into_iter().zip(ports).enumerate();
    numbered
        .map(|(number, ((name, shape, sent), port))| {
            let stem = format!("chain-{number}");
            sandbox.write(&format!("{stem}.pem"), sent);
            sandbox.write_key(&format!("{stem}.key"), keys.of_leaf(shape).pem());
            ServedChain { name, port, stem }
        })
        .collect()
}

fn sent_pem(chain: &CraftedChain, sent: Sent) -> String {
    let [leaf, issuer, root] = chain.certificates.as_slice() else {
        panic!("three certificates")
    };
    let certificates = match sent {
        Sent::Chain => vec![leaf, issuer],
        Sent::Leaf => vec![leaf],
        Sent::WithRoot => vec![leaf, issuer, root],
        Sent::Unordered => vec![leaf, root, issuer],
    };
    certificates
        .iter()
        .map(|der| pem("CERTIFICATE", der))
        .collect()
}

fn server_blocks(sandbox: &Sandbox, chains: &[ServedChain]) -> String {
    let folder = sandbox.path().display();
    let mut blocks = String::new();
    for ServedChain { port, stem, .. } in chains {
        writeln!(
            blocks,
            "server {{ listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.2 TLSv1.3; \
                ssl_certificate {folder}/{stem}.pem; ssl_certificate_key {folder}/{stem}.key; \
                root {folder}/pages; default_type text/html; }}"
        )
        .unwrap();
    }
    blocks
}

/// Returns whether curl accepts the chain at this version of TLS.
fn curl_accepts(sandbox: &Sandbox, port: u16, version: &str) -> bool {
    let mut curl = external_program("curl");
    curl.current_dir(sandbox.path())
        .args(["--silent", "--show-error", "--cacert", "root.pem"])
        .args(["--resolve", &format!("{HOST}:{port}:127.0.0.1")])
        .args([&format!("--tlsv{version}"), "--tls-max", version])
        .arg(format!("https://{HOST}:{port}/"));
    let output = curl.output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    // Anything but a refused certificate or handshake is a fault of the test.
    assert!(
        matches!(output.status.code(), Some(0 | 35 | 60)),
        "{port}: {message}"
    );
    output.status.success()
}

/// A page that fetches a page of every port, and lists what failed.
fn write_page(sandbox: &Sandbox, chains: &[ServedChain]) {
    let ports: Vec<String> = chains.iter().map(|one| one.port.to_string()).collect();
    let ports = ports.join(",");
    sandbox.write(
        "pages/index.html",
        format!(
            "<!doctype html><pre id=out></pre><script>
const fetched = [{ports}].map(port => fetch(`https://{HOST}:${{port}}/empty.html`, {{mode: 'no-cors'}})
    .then(() => `${{port}} accepted`, () => `${{port}} refused`));
Promise.all(fetched).then(lines => {{
    document.getElementById('out').textContent = lines.join(' ; ') + ' ; end';
}});
</script>
"
        ),
    );
    sandbox.write("pages/empty.html", "");
}

/// Returns whether Chromium accepts each port's chain at this version of TLS.
fn ask_chromium(sandbox: &Sandbox, chains: &[ServedChain], version: &str) -> HashMap<u16, bool> {
    let home = sandbox.join("home");
    let profile = format!("--user-data-dir={}", home.join(version).display());
    let mut chromium = external_program("chromium");
    chromium
        .env("HOME", &home)
        .args(["--headless", "--no-sandbox", "--disable-gpu", &profile])
        .arg(format!("--host-resolver-rules=MAP {HOST} 127.0.0.1"))
        .arg(format!("--ssl-version-min={version}"))
        .arg(format!("--ssl-version-max={version}"))
        .args(["--virtual-time-budget=60000", "--dump-dom"])
        .arg(format!("https://{HOST}:{}/", chains[0].port));
    let shown = succeed(&mut chromium);
    assert!(shown.contains("; end"), "{shown}");
    let list = shown.split_once("<pre id=\"out\">").unwrap().1;
    let mut accepted = HashMap::new();
    for entry in list.split("; end").next().unwrap().split(" ; ") {
        if let Some((port, verdict)) = entry.trim().split_once(' ') {
            accepted.insert(port.parse().unwrap(), verdict == "accepted");
        }
    }
    assert_eq!(accepted.len(), chains.len(), "{shown}");
    accepted
}

/// Chromium on Linux trusts the roots of the user's NSS database.
fn trust_root(sandbox: &Sandbox) {
    std::fs::create_dir_all(sandbox.join("home/.pki/nssdb")).unwrap();
    let database = format!("sql:{}", sandbox.join("home/.pki/nssdb").display());
    let root = sandbox.join("root.pem");
    succeed(external_program("certutil").args(["-d", &database, "-N", "--empty-password"]));
    succeed(
        external_program("certutil")
            .args(["-d", &database, "-A", "-t", "C,,", "-n", "root", "-i"])
            .arg(root),
    );
}

/// What is wrong with certctl's verdict about one chain, which `refusing` refuse at some version.
fn complaints(sandbox: &Sandbox, chain: &ServedChain, refusing: &[&str]) -> Vec<String> {
    let line = format!(
        "verify {stem}.pem {stem}.key --trust root.pem --json",
        stem = chain.stem
    );
    let run = sandbox.run(&line.split(' ').collect::<Vec<_>>());
    assert!(matches!(run.code, 0 | 1), "{run}");
    let document = run.json();
    let mut named = Vec::new();
    let mut has_warning = false;
    for finding in document["findings"].as_array().unwrap() {
        has_warning |= finding["severity"] != "note";
        let message = finding["message"].as_str().unwrap();
        if let Some((_, clients)) = message.split_once("refused by ") {
            named.push(clients.to_owned());
        }
    }
    let mut found = Vec::new();
    if !refusing.is_empty() && !has_warning {
        found.push(format!("{refusing:?} refuse it, and certctl is silent"));
    }
    for client in ["OpenSSL", "Chrome"] {
        let is_named = named.iter().any(|clients| clients.contains(client));
        let refuses = refusing.contains(&client);
        if is_named && !refuses {
            found.push(format!("certctl says that {client} refuses it: {named:?}"));
        }
        if refuses && !is_named && run.code == 0 {
            found.push(format!(
                "{client} refuses it, and certctl does not say so: {named:?}"
            ));
        }
    }
    if refusing.is_empty() && run.code != 0 && named.is_empty() {
        found.push(format!("both accept it: {}", document["comment"]));
    }
    found
}

#[test]
fn verdicts_agree_with_curl_and_chromium() {
    let sandbox = Sandbox::new();
    let chains = served_chains(&sandbox);
    write_page(&sandbox, &chains);
    trust_root(&sandbox);
    let _nginx = Nginx::start(&sandbox.join("nginx"), &server_blocks(&sandbox, &chains));
    let mut refusing: HashMap<u16, Vec<&str>> = HashMap::new();
    for (version, chromium_version) in VERSIONS {
        let accepted = ask_chromium(&sandbox, &chains, chromium_version);
        for chain in &chains {
            let clients = refusing.entry(chain.port).or_default();
            if !accepted[&chain.port] {
                clients.push("Chrome");
            }
            if !curl_accepts(&sandbox, chain.port, version) {
                clients.push("OpenSSL");
            }
        }
    }
    let mut wrong = String::new();
    for chain in &chains {
        for complaint in complaints(&sandbox, chain, &refusing[&chain.port]) {
            writeln!(wrong, "{}: {complaint}", chain.name).unwrap();
        }
    }
    let refused = refusing.values().filter(|clients| !clients.is_empty());
    assert!(refused.count() >= 8, "{refusing:?}");
    assert!(refusing[&chains[0].port].is_empty(), "{refusing:?}");
    assert!(wrong.is_empty(), "\n{wrong}");
}
