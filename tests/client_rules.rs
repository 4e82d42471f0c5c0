//! Crafted chains that break one or two rules, judged by certctl and by other verifiers in the same
//! run: certctl refuses what OpenSSL refuses, warns of what stricter clients refuse, and names the
//! clients that do. The keys are made at run time; the pairs of changes follow from a fixed seed.
//! Needs: openssl, certtool, python3, /usr/share/ca-certificates/mozilla
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod crafted;
mod support;

use std::fmt::Write;
use std::path::PathBuf;

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::pki::verify::find_errors_of_root;
use crafted::chain::{ChainKeys, CraftedChain, Shape};
use crafted::faults::{Fault, Others, Place, faults};
use crafted::judges::{self, FILES, Verdicts};
use crafted::odd_faults::{PAIRED, odd_faults};
use support::Sandbox;
use support::external::path_of;
use support::json::Json;
use support::seed::Generator;

/// The clients as certctl names them, and the verifier that stands for each.
const CLIENTS: [&str; 4] = ["OpenSSL", "Python 3.13", "GnuTLS", "rustls"];

/// How many pairs of changes are tried besides every single one.
const PAIRS: usize = 150;

fn chains(keys: &ChainKeys, numbers: &mut Generator) -> Vec<CraftedChain> {
    let mut chains = Vec::new();
    let shapes = [
        Shape::One,
        Shape::Two,
        Shape::Rollover,
        Shape::Rsa,
        Shape::Ed25519,
    ];
    for shape in shapes {
        chains.push(CraftedChain::new(keys, shape, &[]));
    }
    let all = faults();
    for fault in &all {
        chains.push(CraftedChain::new(keys, Shape::One, &[*fault]));
        if fault.name.starts_with("usage") && fault.place == Place::Leaf {
            chains.push(CraftedChain::new(keys, Shape::Rsa, &[*fault]));
        }
        if fault.name.starts_with("path-length") {
            chains.push(CraftedChain::new(keys, Shape::Two, &[*fault]));
            chains.push(CraftedChain::new(keys, Shape::Rollover, &[*fault]));
        }
    }
    add_odd_chains(keys, &mut chains);
    for _ in 0..PAIRS {
        let first = all[numbers.below(all.len())];
        // Two changes of one certificate could replace each other.
        let apart: Vec<Fault> = all
            .iter()
            .copied()
            .filter(|fault| fault.place != first.place)
            .collect();
        let pair = [first, apart[numbers.below(apart.len())]];
        let shape = shapes[numbers.below(shapes.len())];
        chains.push(CraftedChain::new(keys, shape, &pair));
    }
    chains
}

/// Adds a chain for each odd change, and for each pair that matters together.
fn add_odd_chains(keys: &ChainKeys, chains: &mut Vec<CraftedChain>) {
    let odd = odd_faults();
    for fault in &odd {
        chains.push(CraftedChain::new(keys, Shape::One, &[*fault]));
    }
    let find = |place: Place, name: &str| {
        let found = odd
            .iter()
            .find(|one| one.place == place && one.name == name);
        *found.unwrap_or_else(|| panic!("no change {name}"))
    };
    for (leaf, issuer) in PAIRED {
        let pair = [find(Place::Leaf, leaf), find(Place::Issuer, issuer)];
        chains.push(CraftedChain::new(keys, Shape::One, &pair));
    }
}

/// Writes the files of each chain and returns their folders.
fn write_all(sandbox: &Sandbox, keys: &ChainKeys, chains: &[CraftedChain]) -> Vec<PathBuf> {
    let [sent, key, root] = FILES;
    let folders = chains.iter().enumerate().map(|(number, chain)| {
        let folder = format!("chain-{number}");
        sandbox.write(&format!("{folder}/{sent}"), chain.sent_pem());
        let key_pem = keys.of_leaf(chain.shape).pem();
        sandbox.write_key(&format!("{folder}/{key}"), key_pem);
        sandbox.write(&format!("{folder}/{root}"), chain.root_pem());
        sandbox.join(&folder)
    });
    folders.collect()
}

/// The findings of certctl about one chain.
struct Judged {
    code: i32,
    findings: Vec<Json>,
}

impl Judged {
    fn messages(&self, severity: &str) -> Vec<String> {
        let of_severity = self
            .findings
            .iter()
            .filter(|finding| finding["severity"].as_str() == Some(severity));
        of_severity
            .map(|finding| finding["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Returns the clients that errors and warnings say refuse the chain.
    fn names(&self, client: &str) -> bool {
        let all = [self.messages("error"), self.messages("warning")].concat();
        all.iter().any(|message| {
            message
                .split_once("refused by ")
                .is_some_and(|(_, clients)| clients.contains(client))
        })
    }
}

fn judge(sandbox: &Sandbox, folder: usize) -> Judged {
    let run = sandbox.run(&[
        "verify",
        &format!("chain-{folder}/sent.pem"),
        &format!("chain-{folder}/key.pem"),
        "--trust",
        &format!("chain-{folder}/root.pem"),
        "--json",
    ]);
    let findings = match run.code {
        0 | 1 => run.json()["findings"].as_array().unwrap().clone(),
        _ => Vec::new(),
    };
    Judged {
        code: run.code,
        findings,
    }
}

/// Returns what is wrong with certctl's verdict about one chain.
fn complaints(chain: &CraftedChain, verdicts: &Verdicts, judged: &Judged) -> Vec<String> {
    let mut found = Vec::new();
    let errors = judged.messages("error");
    let warnings = judged.messages("warning");
    let others_refuse = chain.faults.iter().any(|one| one.others == Others::Refuse);
    if verdicts.refuses("OpenSSL") && judged.code == 0 {
        found.push("OpenSSL refuses it, and certctl says right".to_owned());
    }
    let is_silent = judged.code == 0 && warnings.is_empty();
    if others_refuse && is_silent {
        found.push("Go or a browser refuses it, and certctl is silent".to_owned());
    }
    let all_accept = CLIENTS.iter().all(|client| !verdicts.refuses(client)) && !others_refuse;
    if all_accept && judged.code != 0 {
        found.push(format!("all accept it, and certctl refuses: {errors:?}"));
    }
    for client in CLIENTS {
        if verdicts.refuses(client) && is_silent {
            found.push(format!("{client} refuses it, and certctl is silent"));
        }
        // certtool checks no key usage of a leaf; the handshake of GnuTLS does.
        let is_about_usage = chain.faults.iter().any(|one| one.name.starts_with("usage"));
        if client == "GnuTLS" && is_about_usage {
            continue;
        }
        if judged.names(client) && !verdicts.refuses(client) {
            found.push(format!(
                "certctl says that {client} refuses it: {errors:?} {warnings:?}"
            ));
        }
        if verdicts.refuses(client) && judged.code == 0 && !judged.names(client) {
            found.push(format!("certctl does not name {client}: {warnings:?}"));
        }
    }
    found
}

#[test]
fn verdicts_agree_with_other_verifiers() {
    let sandbox = Sandbox::new();
    let mut numbers = Generator::new(20_261_129);
    let keys = ChainKeys::new();
    let chains = chains(&keys, &mut numbers);
    assert!(chains.len() >= 250, "only {} chains", chains.len());
    let folders = write_all(&sandbox, &keys, &chains);
    let python = judges::python(&folders, sandbox.path());
    let mut wrong = String::new();
    for (number, (chain, folder)) in chains.iter().zip(&folders).enumerate() {
        let verdicts = Verdicts(
            [
                ("OpenSSL", judges::openssl(folder, &[])),
                (
                    "Python 3.13",
                    python[number]
                        .clone()
                        .or_else(|| judges::openssl(folder, &["-x509_strict", "-partial_chain"])),
                ),
                ("GnuTLS", judges::certtool(folder)),
                ("rustls", judges::webpki(&chain.certificates)),
            ]
            .into(),
        );
        let judged = judge(&sandbox, number);
        for complaint in complaints(chain, &verdicts, &judged) {
            writeln!(wrong, "{}: {complaint}", chain.name).unwrap();
            for (client, refusal) in &verdicts.0 {
                let why = refusal.clone().unwrap_or_default().replace('\n', " ");
                let end = &why[why.len().saturating_sub(150)..];
                writeln!(wrong, "    {client}: {end}").unwrap();
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{wrong}",
        numbers.repeat("client_rules", "")
    );
}

/// A re-issued CA certificate with another key identifier: the leaf names the first one.
#[test]
fn the_certificate_that_the_key_identifier_names_is_used() {
    let keys = ChainKeys::new();
    let all = faults();
    let other_ski = all.iter().find(|one| one.name == "ski-other").unwrap();
    let good = CraftedChain::new(&keys, Shape::One, &[]);
    let other = CraftedChain::new(&keys, Shape::One, &[*other_ski]);
    let sandbox = Sandbox::new();
    let pem = |chain: &CraftedChain, place: usize| {
        crafted::certificate::pem("CERTIFICATE", &chain.certificates[place])
    };
    sandbox.write("leaf.pem", pem(&good, 0));
    sandbox.write("root.pem", good.root_pem());
    let wanted = pem(&good, 1);
    for (bag, code) in [
        (format!("{}{wanted}", pem(&other, 1)), 0),
        (format!("{wanted}{}", pem(&other, 1)), 0),
        (pem(&other, 1), 1),
    ] {
        sandbox.write("bag.pem", bag);
        let bundle = "bundle leaf.pem bag.pem --trust root.pem --out -";
        let args: Vec<&str> = bundle.split(' ').collect();
        let run = sandbox.run(&args).expect(code);
        assert_eq!(run.stdout.contains(wanted.trim()), code == 0, "{run}");
        let chain = sandbox.write(
            "sent.pem",
            format!("{}{}", sandbox.read("leaf.pem"), sandbox.read("bag.pem")),
        );
        let openssl = judges::openssl(chain.parent().unwrap(), &[]);
        assert_eq!(openssl.is_some(), code == 1, "{openssl:?}");
        if code == 1 {
            assert!(run.to_string().contains("refused by OpenSSL"), "{run}");
        }
    }
}

/// The roots of Debian's package, all of which OpenSSL and Go load.
#[test]
fn roots_of_public_cas_break_no_rule() {
    let folder = std::fs::read_dir(path_of("/usr/share/ca-certificates/mozilla")).unwrap();
    let mut count = 0;
    for entry in folder {
        let path = entry.unwrap().path();
        let block = pem::parse(std::fs::read(&path).unwrap()).unwrap();
        let root = Certificate::from_der(block.contents()).unwrap();
        let errors = find_errors_of_root(&root);
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        count += 1;
    }
    assert!(count > 100, "{count} roots");
}
