//! certctl and a real nginx: certctl reads the configuration as nginx does, and
//! sees the new certificate in a handshake after a reload.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::pki::key::KeyAlgorithm;
use certctl::facade::pki::name::DnsName;
use certctl::facade::probe::{self, ProbeDecision, ProbePatience, ProbeTarget, ProbeVerdict};
use certctl::facade::store::layout::{ReleaseFile, StableLink};
use certctl::facade::system::tls::{ProbeError, probe_all};
use certctl::facade::webserver::control::{
    ControlledServer, NginxProgram, ServerDetail, ServerProgram, nginx,
};
use certctl::facade::webserver::model::{ComplaintSubject, InstalledPaths, ProbeTargets};
use certctl::facade::webserver::nginx::{NginxDirective, complaint};
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm,
};
use support::Sandbox;
use support::ca::TestCa;
use support::external::{external_program, succeed};
use support::nginx::{Nginx, free_port, write_config};

const DEADLINE: Duration = Duration::from_secs(20);

/// A certificate and its key on disk, and the chain in memory.
struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    chain: Vec<Certificate>,
}

impl CertificateFiles {
    fn lines(&self) -> String {
        format!(
            "ssl_certificate {}; ssl_certificate_key {};",
            self.certificate.display(),
            self.key.display()
        )
    }

    fn links(&self) -> [StableLink; 2] {
        [
            StableLink::new(&self.certificate, ReleaseFile::FullChain),
            StableLink::new(&self.key, ReleaseFile::Key),
        ]
    }
}

fn issue_with_key(
    sandbox: &Sandbox,
    ca: &TestCa,
    stem: &str,
    names: &[&str],
    algorithm: &'static SignatureAlgorithm,
) -> CertificateFiles {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let request = CertificateParams::new(names)
        .unwrap()
        .serialize_request(&key)
        .unwrap()
        .pem()
        .unwrap();
    let chain = ca.issue(&request) + &ca.intermediate_pem();
    let chain_path = sandbox.write(&format!("{stem}.fullchain.pem"), &chain);
    let key_path = sandbox.write(&format!("{stem}.key"), key.serialize_pem());
    let ders = pem::parse_many(&chain).unwrap();
    let chain = ders
        .iter()
        .map(|block| Certificate::from_der(block.contents()).unwrap())
        .collect();
    CertificateFiles {
        certificate: chain_path,
        key: key_path,
        chain,
    }
}

fn issue(sandbox: &Sandbox, ca: &TestCa, stem: &str, names: &[&str]) -> CertificateFiles {
    issue_with_key(sandbox, ca, stem, names, &PKCS_ECDSA_P256_SHA256)
}

fn names(names: &[&str]) -> Vec<DnsName> {
    names
        .iter()
        .map(|name| DnsName::parse(name).unwrap())
        .collect()
}

fn known(found: NginxProgram) -> ControlledServer {
    ControlledServer::Known {
        program: Box::new(ServerProgram::Nginx(found)),
        test: None,
        reload: None,
    }
}

fn handshake_with(port: u16, name: &str) -> Result<probe::TlsHandshake, ProbeError> {
    probe_all(
        &[ProbeTarget::new(([127, 0, 0, 1], port).into(), name)],
        DEADLINE,
    )
    .pop()
    .unwrap()
}

fn find(config: &Path) -> NginxProgram {
    NginxProgram::find(Some(config)).unwrap().unwrap()
}

fn targets(config: &Path, files: &CertificateFiles, certificate_names: &[&str]) -> ProbeTargets {
    let observation = find(config).observe().unwrap();
    let names = names(certificate_names);
    let installed = InstalledPaths {
        links: &files.links(),
        names: &names,
        algorithm: files.chain[0].algorithm,
    };
    ProbeTargets::find(&observation.config, &installed)
}

#[test]
fn files_are_read_as_nginx_reads_them() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().display();
    sandbox.write(
        "sites/b.conf",
        "server { listen 127.0.0.1:8081; server_name b.example; include snippets/x; }",
    );
    sandbox.write(
        "sites/a.conf",
        "server { listen 127.0.0.1:8082; server_name \"a.example\"; }",
    );
    sandbox.write("sites/.hidden.conf", "nonsense;");
    sandbox.write("sites/a.conf.bak", "nonsense;");
    sandbox.write(
        "snippets/x",
        "location ~ \"\\.(gif|jpg){1}$\" { return 200 'it\\'s; {}'; } # end",
    );
    sandbox.write("deep/1/n.conf", "map $uri $m { default 0; ~^/x 1; }");
    let config = write_config(
        sandbox.path(),
        &format!("include sites/*.conf;\ninclude {folder}/deep/*/n.conf;"),
    );
    let dump = succeed(external_program("nginx").args(["-T", "-c"]).arg(&config));
    let theirs: BTreeSet<&str> = dump
        .lines()
        .filter_map(|line| {
            line.strip_prefix("# configuration file ")?
                .strip_suffix(':')
        })
        .collect();
    let directives = nginx::read_config(&config).unwrap();
    let mut ours = BTreeSet::from([config.display().to_string()]);
    files_of(&directives, &mut ours);
    assert_eq!(
        ours.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        theirs
    );

    let observation = find(&config).observe().unwrap();
    let blocks: Vec<String> = observation
        .config
        .blocks()
        .iter()
        .map(|block| block.names[0].text())
        .collect();
    assert_eq!(blocks, ["a.example", "b.example"]);
    let pid = sandbox.join("nginx.pid");
    assert!(
        matches!(&observation.detail, ServerDetail::Nginx { config, .. } if config.pid.as_ref() == Some(&pid))
    );
    assert_eq!(observation.running, None);
}

fn files_of(directives: &[NginxDirective], files: &mut BTreeSet<String>) {
    for directive in directives {
        files.insert(directive.file.display().to_string());
        files_of(directive.block.as_deref().unwrap_or_default(), files);
    }
}

#[test]
fn handshakes_show_the_new_certificate_after_a_reload() {
    let (sandbox, ca) = (Sandbox::new(), TestCa::new());
    let old = issue(&sandbox, &ca, "old", &["example.com", "www.example.com"]);
    let port = free_port();
    let http = |files: &CertificateFiles| {
        format!(
            "ssl_protocols TLSv1.2 TLSv1.3;\n\
             server {{ listen 127.0.0.1:{port} ssl; server_name example.com www.example.com; {} }}",
            files.lines()
        )
    };
    let running = Nginx::start(sandbox.path(), &http(&old));
    let found = find(running.config());
    assert!(found.observe().unwrap().running.is_some());
    assert_eq!(
        found.start_command(),
        format!("sudo nginx -c {}", running.config().display())
    );
    let probed = targets(running.config(), &old, &["example.com", "www.example.com"]);
    assert_eq!(probed.targets.len(), 2);
    assert!(probed.elsewhere.is_empty() && probed.unprobed.is_empty());
    for answer in probe_all(&probed.targets, DEADLINE) {
        let handshake = answer.unwrap();
        assert_eq!(
            probe::compare_handshake(&handshake, &old.chain),
            ProbeVerdict::Matches
        );
        assert_eq!(handshake.protocol, "TLS 1.3");
    }

    let new = issue(&sandbox, &ca, "new", &["example.com", "www.example.com"]);
    assert!(matches!(
        probe::compare_handshake(&handshake_with(port, "example.com").unwrap(), &new.chain),
        ProbeVerdict::OtherLeaf { label, .. } if label == "example.com"
    ));
    running.rewrite(&http(&new));
    let server = known(found.clone());
    assert!(server.test().unwrap().unwrap().succeeded());
    assert!(server.reload().unwrap().unwrap().succeeded());
    let patience = ProbePatience {
        deadline: DEADLINE,
        ..ProbePatience::default()
    };
    let (began, mut agreed) = (Instant::now(), 0);
    loop {
        let answers = probe_all(&probed.targets, DEADLINE);
        let same = |handshake: &probe::TlsHandshake| {
            probe::compare_handshake(handshake, &new.chain) == ProbeVerdict::Matches
        };
        agreed = if answers
            .iter()
            .flatten()
            .filter(|handshake| same(handshake))
            .count()
            == 2
        {
            agreed + 1
        } else {
            0
        };
        match patience.decide_next(agreed, began.elapsed()) {
            ProbeDecision::ProbeAgain(pause) => std::thread::sleep(pause),
            decision => break assert_eq!(decision, ProbeDecision::Proven),
        }
    }

    let pid = sandbox.read("nginx.pid");
    drop(running);
    assert_eq!(found.observe().unwrap().running, None);
    // A stale pid file is ignored, even if its process id now belongs to another program.
    sandbox.write("nginx.pid", pid);
    assert_eq!(found.observe().unwrap().running, None);
    let mut other = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    sandbox.write("nginx.pid", other.id().to_string());
    assert_eq!(found.observe().unwrap().running, None);
    other.kill().and_then(|()| other.wait()).unwrap();
}

#[test]
fn names_select_the_block_and_key_types_the_certificate() {
    let (sandbox, ca) = (Sandbox::new(), TestCa::new());
    let both = ["a.example", "b.example"];
    let ours = issue(&sandbox, &ca, "ours", &both);
    let other = issue(&sandbox, &ca, "other", &["b.example"]);
    let rsa = issue_with_key(&sandbox, &TestCa::rsa(), "rsa", &both, &PKCS_RSA_SHA256);
    let port = free_port();
    let http = format!(
        "ssl_protocols TLSv1.2;\n\
         server {{ listen 127.0.0.1:{port} ssl; server_name a.example; {} {} }}\n\
         server {{ listen 127.0.0.1:{port} ssl; server_name b.example; {} }}",
        ours.lines(),
        rsa.lines(),
        other.lines(),
    );
    let running = Nginx::start(sandbox.path(), &http);
    let probed = targets(running.config(), &ours, &both);
    assert_eq!(probed.targets.len(), 1);
    assert_eq!(probed.targets[0].algorithm, Some(KeyAlgorithm::EcdsaP256));
    assert_eq!(
        (
            probed.elsewhere.len(),
            probed.elsewhere[0].target.name.as_str()
        ),
        (1, "b.example")
    );

    let handshake = probe_all(&probed.targets, DEADLINE).pop().unwrap().unwrap();
    assert_eq!(
        (
            probe::compare_handshake(&handshake, &ours.chain),
            handshake.protocol
        ),
        (ProbeVerdict::Matches, "TLS 1.2")
    );
    let probed = targets(running.config(), &rsa, &both);
    let handshake = probe_all(&probed.targets, DEADLINE).pop().unwrap().unwrap();
    assert_eq!(
        probe::compare_handshake(&handshake, &rsa.chain),
        ProbeVerdict::Matches
    );
    // The other block answers for this name, with its own certificate.
    assert!(matches!(
        probe::compare_handshake(&handshake_with(port, "b.example").unwrap(), &ours.chain),
        ProbeVerdict::OtherLeaf { .. }
    ));
    // The default block answers for names that no block has.
    assert_eq!(
        probe::compare_handshake(&handshake_with(port, "c.example").unwrap(), &ours.chain),
        ProbeVerdict::Matches
    );
}

#[test]
fn client_certificates_proxy_headers_and_plain_text_are_handled() {
    let (sandbox, ca) = (Sandbox::new(), TestCa::new());
    let files = issue(&sandbox, &ca, "a", &["a.example"]);
    let root = sandbox.write("root.pem", ca.root_pem());
    let (port, plain, proxied) = (free_port(), free_port(), free_port());
    let http = format!(
        "server {{ listen 127.0.0.1:{port} ssl; server_name a.example; {} ssl_verify_client on; \
         ssl_client_certificate {}; }}\nserver {{ listen 127.0.0.1:{plain}; }}\n\
         server {{ listen 127.0.0.1:{proxied} ssl proxy_protocol; server_name b.example; {} }}",
        files.lines(),
        root.display(),
        files.lines(),
    );
    let running = Nginx::start(sandbox.path(), &http);
    assert_eq!(
        probe::compare_handshake(&handshake_with(port, "a.example").unwrap(), &files.chain),
        ProbeVerdict::Matches
    );
    let answer = handshake_with(plain, "a.example");
    assert!(
        matches!(answer, Err(ProbeError::NotTls)),
        "{answer:?}\n{}",
        running.log()
    );

    let behind_a_proxy = targets(running.config(), &files, &["b.example"])
        .targets
        .pop()
        .unwrap();
    assert!(behind_a_proxy.proxy_header && behind_a_proxy.address.port() == proxied);
    let handshake = probe_all(&[behind_a_proxy], DEADLINE)
        .pop()
        .unwrap()
        .unwrap();
    assert_eq!(
        probe::compare_handshake(&handshake, &files.chain),
        ProbeVerdict::Matches
    );
    assert!(handshake_with(proxied, "b.example").is_err());
}

#[test]
fn failed_tests_are_attributed_to_the_certificate_or_to_another_cause() {
    let (sandbox, ca) = (Sandbox::new(), TestCa::new());
    let good = issue(&sandbox, &ca, "good", &["a.example"]);
    let other = issue(&sandbox, &ca, "other", &["a.example"]);
    let reversed = ca.intermediate_pem() + &std::fs::read_to_string(&good.certificate).unwrap();
    let glued = std::fs::read_to_string(&good.certificate)
        .unwrap()
        .replace("-----\n-----", "----------");
    let port = free_port();
    let test = |certificate: &Path, key: &Path, more: &str| {
        let files = format!(
            "ssl_certificate {}; ssl_certificate_key {};",
            certificate.display(),
            key.display()
        );
        let config = write_config(
            sandbox.path(),
            &format!("server {{ listen 127.0.0.1:{port} ssl; {files} {more} }}"),
        );
        let finished = known(find(&config)).test().unwrap().unwrap();
        (!finished.succeeded()).then(|| complaint(&finished.output, &[certificate, key]))
    };
    let file = |content: &str| sandbox.write(&format!("{:x}.pem", content.len()), content);
    let missing = sandbox.join("missing.pem");
    assert_eq!(test(&good.certificate, &good.key, ""), None);
    for (certificate, key, blame) in [
        (&missing, &good.key, ComplaintSubject::FilesMissing),
        (&good.certificate, &missing, ComplaintSubject::FilesMissing),
        (&good.certificate, &other.key, ComplaintSubject::FilesBroken),
        (&file(&reversed), &good.key, ComplaintSubject::FilesBroken),
        (&file(&glued), &good.key, ComplaintSubject::FilesBroken),
        (&file(""), &good.key, ComplaintSubject::FilesBroken),
        (
            &good.certificate,
            &file("junk"),
            ComplaintSubject::FilesBroken,
        ),
        (&good.key, &good.certificate, ComplaintSubject::FilesBroken),
    ] {
        let complaint = test(certificate, key, "").unwrap();
        assert_eq!(
            (complaint.subject, complaint.lines.len()),
            (blame, 1),
            "{complaint:?}"
        );
    }
    for more in [
        "nonsense on;",
        "ssl_trusted_certificate /certctl-no-such;",
        "include /certctl-no-such;",
    ] {
        let complaint = test(&good.certificate, &good.key, more).unwrap();
        assert_eq!(
            (complaint.subject, complaint.lines.len()),
            (ComplaintSubject::Other, 1),
            "{complaint:?}"
        );
    }
}
