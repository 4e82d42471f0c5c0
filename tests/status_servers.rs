//! `certctl status` and servers that certctl did not set up: what their configuration names, what they loaded, what lists
//! of revoked certificates say, and what other tools keep.
//! Needs: nginx, unshare, mount, openssl
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;
use support::Run;
use support::foreign::{path_of, succeed};
use support::namespace::in_mount;
use support::nginx::write_config;
use support::shop::{Shop, codes};
use support::site::Site;

/// nginx' usual configuration is ours, and it runs until the script ends.
fn with_nginx(site: &Site, http: &str, script: &str) -> Run {
    let config = write_config(&site.folder(), http);
    let text = std::fs::read_to_string(&config).unwrap().replace("daemon off;", "daemon on;");
    std::fs::write(&config, text).unwrap();
    let (nginx, mount) = (path_of("nginx"), path_of("mount"));
    let head = format!(
        "{} --bind {} /etc/nginx/nginx.conf; {nginx}; trap '{nginx} -s stop' EXIT",
        mount.display(),
        config.display(),
        nginx = nginx.display()
    );
    in_mount(&site.shop.sandbox, "size=1m", &format!("{head}\n{script}"))
}

/// The last line that is a document.
fn document(run: &Run) -> Value {
    serde_json::from_str(run.stdout.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("{run}"))
}

fn row<'a>(document: &'a Value, state: &str) -> &'a Value {
    let rows = document["rows"].as_array().unwrap();
    rows.iter()
        .find(|row| row["name"] == "example.com" && row["state"] == state)
        .unwrap_or_else(|| panic!("{document}"))
}

fn reasons(row: &Value) -> Vec<&str> {
    row["reasons"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect()
}

#[test]
fn what_nginx_names_is_found_and_compared_with_what_it_shows() {
    let site = Site::new();
    let sandbox = &site.shop.sandbox;
    site.plain("tls/site.pem", "tls/site.key");
    std::fs::create_dir_all(sandbox.join("empty")).unwrap();
    let block = site.block("tls/site.pem", "tls/site.key");
    let run = with_nginx(&site, &block, "certctl status -C empty --json || true");
    let fine = document(&run);
    let served = row(&fine, "served");
    let place = served["places"].as_array().unwrap().iter().find(|place| place["found"] == "configured").unwrap();
    assert_eq!(place["server"], "nginx", "{fine}");
    assert!(place["block"].as_str().unwrap().contains("nginx.conf:"), "{fine}");
    assert!(!reasons(served).contains(&"served-differs"), "{fine}");

    // Everybody may read the key, and a name that the certificate lacks is served with it.
    let loose = block.replace("server_name example.com", "server_name other.example example.com");
    let run = with_nginx(&site, &loose, "chmod 0644 tls/site.key; certctl status -C empty --json || true");
    let found = document(&run);
    assert_eq!(row(&found, "served")["verdict"], "wrong");
    let all = reasons(row(&found, "served"));
    assert!(all.contains(&"key-readable") && all.contains(&"host-not-covered"), "{found}");
    assert!(codes(&found).contains(&"key-readable"), "{found}");

    // Other files by now, and nginx goes on with what it loaded.
    site.plain("tls/next.pem", "tls/next.key");
    let script = "cp tls/next.pem tls/site.pem; cp tls/next.key tls/site.key; chmod 0600 tls/site.key
        certctl status -C empty --json || true";
    let stale = document(&with_nginx(&site, &block, script));
    let installed = row(&stale, "installed");
    assert!(reasons(installed).contains(&"served-differs"), "{stale}");
    assert_eq!(installed["next"][0]["text"], "sudo nginx -t && sudo systemctl reload nginx", "{stale}");
    assert_eq!(row(&stale, "served")["verdict"], "fine", "the old one is shown, and is told: {stale}");
}

#[test]
fn a_list_that_is_given_revokes() {
    let shop = Shop::new();
    let sandbox = &shop.sandbox;
    succeed(Command::new("sh").arg("-ec").arg(REVOKE).env("OPENSSL", path_of("openssl")).current_dir(sandbox.path()));
    let fine = sandbox.run(&["status", "site.pem", "--json"]).expect(0).json();
    assert_eq!(fine["rows"][0]["state"], "no-key", "{fine}");
    let run = sandbox.run(&["status", "site.pem", "list.pem", "--json"]).expect(1).json();
    assert_eq!(run["rows"][0]["reasons"][0]["code"], "revoked", "{run}");
    assert!(run["rows"][0]["reasons"][0]["message"].as_str().unwrap().contains("list.pem"), "{run}");
}

/// A CA of openssl's that issues, revokes, and says so.
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
"#;

#[test]
fn other_tools_keep_theirs_and_renew_them() {
    let shop = Shop::new();
    let sandbox = &shop.sandbox;
    shop.deliver("new.crt");
    let (leaf, key) = (sandbox.read("new.crt"), sandbox.read("example.com.key"));
    let kept = |chain: &str, file: &str| {
        sandbox.write(&format!("tree/{chain}"), &leaf);
        let key = sandbox.write(&format!("tree/{file}"), &key);
        std::fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    };
    kept("etc/letsencrypt/live/example.com/fullchain.pem", "etc/letsencrypt/live/example.com/privkey.pem");
    let late = format!("{}T00:00:00Z", support::ca::days(support::ca::today(), 170));
    std::fs::create_dir_all(sandbox.join("empty")).unwrap();
    let status = || sandbox.run(&["status", "--root", "tree", "-C", "empty", "--at", &late, "--json"]).expect(1).json();
    let certbot = status();
    assert_eq!(certbot["rows"][0]["next"][0]["text"], "sudo certbot renew --cert-name example.com", "{certbot}");
    std::fs::remove_dir_all(sandbox.join("tree/etc/letsencrypt")).unwrap();
    kept("root/.acme.sh/example.com_ecc/fullchain.cer", "root/.acme.sh/example.com_ecc/example.com.key");
    let acme = status();
    assert_eq!(acme["rows"][0]["next"][0]["text"], "acme.sh --renew -d example.com", "{acme}");
}
