//! `certctl status` and servers that certctl did not set up: what their configuration uses, what
//! they serve, which certificates are on CRLs, and what other ACME clients manage.
//! Needs: nginx, apache2, haproxy, unshare, mount, ip, openssl, strace, python3,
//! python3-cryptography
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use support::Run;
use support::any_server::{ServedNames, ServerKind};
use support::ca::{DAYS_UNTIL_DUE, cross_signed, days, noon, today};
use support::external::{path_of, succeed};
use support::install_sandbox::{InstallSandbox, codes};
use support::json::Json;
use support::namespace::in_mount;
use support::nginx::write_config;
use support::site::Site;
use support::usual_server::with_usual_server;

fn with_nginx(site: &Site, http: &str, script: &str) -> Run {
    write_config(&site.folder(), http);
    with_usual_server(
        ServerKind::Nginx,
        &site.setup.sandbox,
        &site.folder(),
        script,
    )
}

/// Parses the last line, which is a document.
fn document(run: &Run) -> Json {
    let last = run.stdout.lines().last().unwrap_or_default();
    last.parse().unwrap_or_else(|_| panic!("{run}"))
}

fn row<'a>(document: &'a Json, state: &str) -> &'a Json {
    let rows = document["rows"].as_array().unwrap();
    rows.iter()
        .find(|row| row["name"] == "example.com" && row["state"] == state)
        .unwrap_or_else(|| panic!("{document}"))
}

fn reasons(row: &Json) -> Vec<&str> {
    row["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect()
}

#[test]
fn certificates_of_nginx_are_found_and_compared_with_what_it_serves() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    site.plain("tls/site.pem", "tls/site.key");
    std::fs::create_dir_all(sandbox.join("empty")).unwrap();
    let block = site.block("tls/site.pem", "tls/site.key");
    let run = with_nginx(&site, &block, "certctl status -C empty --json || true");
    let fine = document(&run);
    let served = row(&fine, "served");
    let place = served["places"]
        .as_array()
        .unwrap()
        .iter()
        .find(|place| place["found"] == "configured")
        .unwrap();
    assert_eq!(place["server"], "nginx", "{fine}");
    assert!(
        place["block"].as_str().unwrap().contains("nginx.conf:"),
        "{fine}"
    );
    assert!(
        !reasons(served).contains(&"served-certificate-differs"),
        "{fine}"
    );

    // All users can read the key, and the certificate is used for a name that it does not cover.
    let loose = block.replace(
        "server_name example.com",
        "server_name other.example example.com",
    );
    let run = with_nginx(
        &site,
        &loose,
        "chmod 0644 tls/site.key; certctl status -C empty --json || true",
    );
    let found = document(&run);
    assert_eq!(row(&found, "served")["verdict"], "wrong");
    let all = reasons(row(&found, "served"));
    assert!(
        all.contains(&"key-readable-by-others") && all.contains(&"host-not-covered"),
        "{found}"
    );
    assert!(codes(&found).contains(&"key-readable-by-others"), "{found}");

    // The files were replaced, but nginx still uses what it loaded.
    site.plain("tls/next.pem", "tls/next.key");
    let script =
        "cp tls/next.pem tls/site.pem; cp tls/next.key tls/site.key; chmod 0600 tls/site.key
        certctl status -C empty --json || true";
    let stale = document(&with_nginx(&site, &block, script));
    let installed = row(&stale, "installed");
    assert!(
        reasons(installed).contains(&"served-certificate-differs"),
        "{stale}"
    );
    assert_eq!(
        installed["next"][0]["command"], "sudo nginx -t && sudo systemctl reload nginx",
        "{stale}"
    );
    assert_eq!(
        row(&stale, "served")["verdict"],
        "fine",
        "the old certificate is still served and listed: {stale}"
    );
}

/// Creates a place with a certificate of the test CA, in one file that both servers below can read.
fn place(site: &Site, name: &str) -> ServedNames {
    site.plain(&format!("tls/{name}.pem"), &format!("tls/{name}.key"));
    let sandbox = &site.setup.sandbox;
    let both = sandbox.read(&format!("tls/{name}.pem")) + &sandbox.read(&format!("tls/{name}.key"));
    let both = sandbox.write("tls/both.pem", both);
    std::fs::set_permissions(&both, Permissions::from_mode(0o600)).unwrap();
    let at = vec![([127, 0, 0, 1], site.port).into()];
    ServedNames {
        names: "example.com www.example.com",
        at,
        pairs: vec![(both.clone(), both)],
    }
}

#[test]
fn certificates_of_apache_and_haproxy_are_found_and_compared_with_what_they_serve() {
    for (kind, reload) in [
        (ServerKind::Apache, "systemctl reload apache2"),
        (ServerKind::Haproxy, "systemctl reload haproxy"),
    ] {
        let site = Site::new();
        let sandbox = &site.setup.sandbox;
        let folder = sandbox.join(kind.name());
        std::fs::create_dir_all(sandbox.join("empty")).unwrap();
        kind.write(&folder, &[place(&site, "first")]);
        let next = place(&site, "next");
        let next = std::fs::read(&next.pairs[0].0).unwrap();
        drop(place(&site, "first"));
        sandbox.write("next.pem", next);
        let script = "certctl status -C empty --json || true; cat next.pem > tls/both.pem; certctl status -C empty --json || true";
        let run = with_usual_server(kind, sandbox, &folder, script);
        let documents: Vec<Json> = run
            .stdout
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect();
        assert_eq!(documents.len(), 2, "{run}");
        let served = row(&documents[0], "served");
        let found = served["places"]
            .as_array()
            .unwrap()
            .iter()
            .find(|place| place["found"] == "configured")
            .unwrap();
        assert_eq!(found["server"], kind.name(), "{served}");
        assert!(
            !reasons(served).contains(&"served-certificate-differs"),
            "{served}"
        );
        // The files were replaced, but the server still uses what it loaded.
        let installed = row(&documents[1], "installed");
        assert_eq!(
            reasons(installed)[0],
            "served-certificate-differs",
            "{installed}"
        );
        assert!(
            installed["next"][0]["command"]
                .as_str()
                .unwrap()
                .contains(reload),
            "{installed}"
        );
    }
}

#[test]
fn an_intermediate_that_expires_first_is_reported_for_files_and_servers() {
    let site = Site::new();
    let setup = &site.setup;
    let sandbox = &setup.sandbox;
    site.plain("tls/site.pem", "tls/site.key");
    let chain = sandbox.read("tls/site.pem");
    let leaf = chain
        .split_inclusive("-----END CERTIFICATE-----\n")
        .next()
        .unwrap();
    sandbox.write(
        "tls/crossed.pem",
        leaf.to_owned() + &cross_signed(&setup.ca, days(today(), 30)),
    );
    sandbox.write("tls/alone.pem", leaf);
    let _nginx = site.start(&site.block("tls/crossed.pem", "tls/site.key"));
    let host = format!("127.0.0.1:{}", site.port);
    let ended = noon(25);
    let early = |args: &[&str], code: i32| -> Json {
        let run = sandbox
            .run(&[&["status", "--json"], args].concat())
            .expect(code)
            .json();
        let all = reasons(&run["rows"][0]);
        assert!(all.contains(&"intermediate-expires-first"), "{run}");
        run["rows"][0].clone()
    };
    let row = early(&["tls/crossed.pem"], 0);
    assert!(
        (28..=30).contains(&row["days_left"].as_i64().unwrap()),
        "the row expires with the chain: {row}"
    );
    assert_eq!(
        reasons(&early(&["tls/crossed.pem", "--at", &ended], 1))[0],
        "due"
    );
    early(&[&host], 1);
    // The file here has a complete chain, but that does not help clients of the host.
    let row = early(&[&host, "tls/site.pem"], 1);
    assert_eq!(row["places"].as_array().unwrap().len(), 2, "{row}");
    // With the CA's usual intermediate in the file, no intermediate expires first.
    sandbox.write(
        "tls/crossed.pem",
        leaf.to_owned()
            + &cross_signed(&setup.ca, days(today(), 30))
            + &setup.ca.intermediate_pem(),
    );
    let fine = sandbox
        .run(&["status", "tls/crossed.pem", "--json"])
        .expect(0)
        .json();
    assert!(
        !reasons(&fine["rows"][0]).contains(&"intermediate-expires-first"),
        "{fine}"
    );
}

#[test]
fn only_this_machine_is_probed_unless_a_host_is_passed() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    site.plain("tls/site.pem", "tls/site.key");
    std::fs::create_dir_all(sandbox.join("empty")).unwrap();
    // The names resolve to another machine, but only nginx here is probed for them.
    let elsewhere = sandbox.write(
        "hosts",
        "203.0.113.1 example.com www.example.com\n127.0.0.1 localhost\n",
    );
    let head = format!(
        "{} --bind {} /etc/hosts",
        path_of("mount").display(),
        elsewhere.display()
    );
    let strace = path_of("strace").display().to_string();
    let script = format!(
        "{head}; {strace} -f -b execve -e trace=connect,sendto,sendmsg,sendmmsg -o calls $CERTCTL status -C empty --json || true"
    );
    let run = with_nginx(&site, &site.block("tls/site.pem", "tls/site.key"), &script);
    let served = document(&run);
    assert_eq!(
        row(&served, "served")["places"][0]["kind"],
        "file",
        "{served}"
    );
    let calls = sandbox.read("calls");
    let connections: Vec<&str> = calls
        .lines()
        .filter(|line| line.contains("AF_INET"))
        .collect();
    assert!(
        connections
            .iter()
            .any(|line| line.contains(&format!("htons({})", site.port))),
        "{calls}"
    );
    assert!(
        connections
            .iter()
            .all(|line| line.contains("127.0.0.1") || line.contains("\"::1\"")),
        "{connections:#?}"
    );
}

#[test]
fn an_unreachable_address_is_not_a_fault_of_the_host() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    site.plain("tls/site.pem", "tls/site.key");
    let config = write_config(&site.folder(), &site.block("tls/site.pem", "tls/site.key"));
    let text = std::fs::read_to_string(&config)
        .unwrap()
        .replace("daemon off;", "daemon on;");
    std::fs::write(&config, text).unwrap();
    let both = sandbox.write("hosts", "127.0.0.1 example.com\n2001:db8::1 example.com\n");
    let (mount, nginx) = (
        path_of("mount").display().to_string(),
        path_of("nginx").display().to_string(),
    );
    let inside = format!(
        "{} link set lo up; {nginx} -c {config}; \"$CERTCTL\" status example.com:{} --json || true; {nginx} -c {config} -s stop",
        path_of("ip").display(),
        site.port,
        config = config.display()
    );
    let script = format!(
        "{mount} --bind {} /etc/hosts; {} -n sh -ec '{inside}'",
        both.display(),
        path_of("unshare").display()
    );
    let run = document(&in_mount(sandbox, "size=1m", &script));
    assert_eq!(row(&run, "served")["verdict"], "fine", "{run}");
    assert_eq!(
        (codes(&run)[0], &run["verdict"]),
        ("address-no-answer", &"fine".into()),
        "{run}"
    );
}

#[test]
fn a_crl_that_is_passed_is_applied() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    succeed(
        Command::new("sh")
            .arg("-ec")
            .arg(REVOKE)
            .env("OPENSSL", path_of("openssl"))
            .env("PYTHON", path_of("python3"))
            .current_dir(sandbox.path()),
    );
    let fine = sandbox
        .run(&["status", "site.pem", "--json"])
        .expect(0)
        .json();
    assert_eq!(fine["rows"][0]["state"], "key-missing", "{fine}");
    let run = sandbox
        .run(&["status", "site.pem", "list.pem", "--json"])
        .expect(1)
        .json();
    assert_eq!(run["rows"][0]["reasons"][0]["code"], "revoked", "{run}");
    assert!(
        run["rows"][0]["reasons"][0]["message"]
            .as_str()
            .unwrap()
            .contains("list.pem"),
        "{run}"
    );

    // CRLs that are out of date, delta CRLs, or of another CA, are reported.
    let status = |files: &[&str], more: &[&str], code: i32| -> Json {
        sandbox
            .run(&[&["status", "site.pem"], files, more, &["--json"]].concat())
            .expect(code)
            .json()
    };
    let late = format!("{}T00:00:00Z", days(today(), 60));
    assert_eq!(
        codes(&status(&["list.pem"], &["--at", &late], 1))[0],
        "crl-old"
    );
    assert_eq!(
        codes(&status(&["others.pem"], &[], 0))[0],
        "crl-other-issuer"
    );
    assert_eq!(
        codes(&status(&["delta.pem"], &[], 1))[..2],
        ["crl-delta", "revoked"]
    );
    // A later delta CRL removes the certificate.
    assert_eq!(
        status(&["list.pem", "lifted.pem"], &[], 0)["rows"][0]["verdict"],
        "fine"
    );
    // An entry of an indirect CRL applies only to the CA in its certificate issuer extension.
    assert_eq!(
        reasons(&status(&["indirect.pem"], &[], 1)["rows"][0])[0],
        "revoked"
    );
    assert_eq!(
        status(&["indirect-others.pem"], &[], 0)["rows"][0]["verdict"],
        "fine"
    );
}

/// An OpenSSL CA that issues and revokes a certificate, and several CRLs.
const REVOKE: &str = r#"
mkdir ca; touch ca/index.txt; echo 01 > ca/serial; echo 01 > ca/crlnumber
cat > ca.cnf <<END
[ca]
default_ca = here
[here]
database = ca/index.txt
serial = ca/serial
crlnumber = ca/crlnumber
new_certs_dir = ca
default_md = sha256
policy = any
x509_extensions = site
default_crl_days = 30
[any]
commonName = supplied
[site]
subjectAltName = DNS:site.example
END
$OPENSSL req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 300 -subj /CN=Lists -batch
$OPENSSL req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout site.key -out site.csr -subj /CN=site.example -batch
$OPENSSL ca -config ca.cnf -batch -notext -days 150 -cert ca.pem -keyfile ca.key -in site.csr -out site.pem
$OPENSSL ca -config ca.cnf -cert ca.pem -keyfile ca.key -revoke site.pem
$OPENSSL ca -config ca.cnf -cert ca.pem -keyfile ca.key -gencrl -out list.pem
$PYTHON - <<'END'
import sys; sys.path.append('/usr/lib/python3/dist-packages')
from datetime import datetime, timedelta
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
site = x509.load_pem_x509_certificate(open('site.pem', 'rb').read())
key = serialization.load_pem_private_key(open('ca.key', 'rb').read(), None)
now = datetime.utcnow()
other = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'Others')])
def listed(file, issuer, made, entry_issuer=None, reason=None, delta=False):
    entry = x509.RevokedCertificateBuilder().serial_number(site.serial_number).revocation_date(now)
    if entry_issuer: entry = entry.add_extension(x509.CertificateIssuer([x509.DirectoryName(entry_issuer)]), True)
    if reason: entry = entry.add_extension(x509.CRLReason(reason), False)
    new = x509.CertificateRevocationListBuilder().issuer_name(issuer).last_update(made).next_update(made + timedelta(days=7))
    if delta: new = new.add_extension(x509.DeltaCRLIndicator(1), True)
    if entry_issuer: new = new.add_extension(x509.IssuingDistributionPoint(None, None, False, False, None, True, False), True)
    new = new.add_revoked_certificate(entry.build()).sign(key, hashes.SHA256())
    open(file, 'wb').write(new.public_bytes(serialization.Encoding.PEM))
listed('others.pem', other, now)
listed('delta.pem', site.issuer, now, delta=True)
listed('lifted.pem', site.issuer, now + timedelta(hours=1), reason=x509.ReasonFlags.remove_from_crl, delta=True)
listed('indirect.pem', other, now, entry_issuer=site.issuer)
listed('indirect-others.pem', site.issuer, now, entry_issuer=other)
END
"#;

#[test]
fn certificates_of_other_acme_clients_are_renewed_by_those() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("new.crt");
    let (leaf, key) = (sandbox.read("new.crt"), sandbox.read("example.com.key"));
    let write_files = |chain: &str, file: &str| {
        sandbox.write(&format!("tree/{chain}"), &leaf);
        let key = sandbox.write(&format!("tree/{file}"), &key);
        std::fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    };
    // The layout of certbot: `live` has links to the newest files in `archive`, and a README.
    write_files(
        "etc/letsencrypt/archive/example.com/fullchain2.pem",
        "etc/letsencrypt/archive/example.com/privkey2.pem",
    );
    sandbox.write(
        "tree/etc/letsencrypt/archive/example.com/fullchain1.pem",
        setup.ca.intermediate_pem(),
    );
    sandbox.write(
        "tree/etc/letsencrypt/live/README",
        "This directory contains your keys and certificates.",
    );
    std::fs::create_dir_all(sandbox.join("tree/etc/letsencrypt/live/example.com")).unwrap();
    for file in ["fullchain", "privkey"] {
        let link = sandbox.join(&format!("tree/etc/letsencrypt/live/example.com/{file}.pem"));
        symlink(format!("../../archive/example.com/{file}2.pem"), link).unwrap();
    }
    let late = noon(DAYS_UNTIL_DUE);
    std::fs::create_dir_all(sandbox.join("empty")).unwrap();
    let status = || {
        sandbox
            .run(&[
                "status", "--root", "tree", "-C", "empty", "--at", &late, "--json",
            ])
            .expect(1)
            .json()
    };
    let certbot = status();
    assert_eq!(
        certbot["rows"][0]["next"][0]["command"], "sudo certbot renew --cert-name example.com",
        "{certbot}"
    );
    let place = &certbot["rows"][0]["places"][0];
    assert!(
        place["path"]
            .as_str()
            .unwrap()
            .ends_with("/live/example.com/fullchain.pem"),
        "{certbot}"
    );
    assert_eq!(
        (&place["found"], &certbot["rows"][0]["state"]),
        (&"certbot".into(), &"ready".into()),
        "{certbot}"
    );
    std::fs::remove_dir_all(sandbox.join("tree/etc/letsencrypt")).unwrap();
    write_files(
        "root/.acme.sh/example.com_ecc/fullchain.cer",
        "root/.acme.sh/example.com_ecc/example.com.key",
    );
    let acme = status();
    assert_eq!(
        acme["rows"][0]["next"][0]["command"], "acme.sh --renew -d example.com",
        "{acme}"
    );
    assert_eq!(acme["rows"][0]["places"][0]["found"], "acme.sh", "{acme}");
    // Without --root, the default folder of acme.sh in the user's home is scanned.
    let mut here = sandbox.command(&["status", "-C", "empty", "--at", &late, "--json"]);
    here.env("HOME", sandbox.join("tree/root"));
    let here = sandbox.run_command(here).expect(1).json();
    let own = here["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "example.com")
        .unwrap();
    assert_eq!(own["places"][0]["found"], "acme.sh", "{here}");
}
