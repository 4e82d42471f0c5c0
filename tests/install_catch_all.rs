//! `certctl install` where a block answers for the names without having one of them: a default server,
//! a regular expression, no name. Its files are adopted, unless other names would lose their
//! certificate; no second block is proposed.
//! Needs: apache2 haproxy nginx unshare mount
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::time::Duration;

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::probe::ProbeTarget;
use certctl::facade::system::tls::probe_all;
use support::apache::Apache;
use support::ca::Leaf;
use support::haproxy::Haproxy;
use support::install_sandbox::{InstallSandbox, codes};
use support::json::Json;
use support::namespace::in_mount;
use support::nginx::{Nginx, free_port};

const OLD: (&str, &str) = ("tree/etc/ssl/site.crt", "tree/etc/ssl/site.key");
const OLD_BOTH: &str = "tree/etc/ssl/site.pem";

/// A server that answers for example.com with the files of `OLD` or `OLD_BOTH`.
struct CatchAll {
    setup: InstallSandbox,
    port: u16,
    server: &'static str,
    config: String,
    /// Stops the server when it is dropped.
    _running: Box<dyn std::any::Any>,
}

/// Issues a certificate for these names and writes it, with its key, to `OLD` and `OLD_BOTH`.
fn write_old(setup: &InstallSandbox, names: &[&str]) {
    let sandbox = &setup.sandbox;
    let request = [&["csr"], names, &["--force"]].concat();
    sandbox.run(&request).expect(0);
    let stem = names[0].replace('*', "_");
    let leaf = setup.ca.issue(&sandbox.read(&format!("{stem}.csr")));
    let key = sandbox.read(&format!("{stem}.key"));
    let chain = leaf + &setup.ca.intermediate_pem();
    sandbox.write(OLD_BOTH, format!("{chain}{key}"));
    sandbox.write(OLD.0, chain);
    sandbox.write(OLD.1, key);
}

/// Replaces the words of a configuration: `PORT`, `FILES`, `CHAIN`, `KEY`, `BOTH`.
fn fill(setup: &InstallSandbox, port: u16, text: &str) -> String {
    let path = |path: &str| setup.sandbox.join(path).display().to_string();
    text.replace("PORT", &port.to_string())
        .replace("CHAIN", &path(OLD.0))
        .replace("KEY", &path(OLD.1))
        .replace("BOTH", &path(OLD_BOTH))
}

impl CatchAll {
    /// Starts nginx with these server blocks.
    fn nginx(names: &[&str], blocks: &str) -> Self {
        Self::start("nginx", names, blocks)
    }

    fn start(server: &'static str, names: &[&str], text: &str) -> Self {
        let setup = InstallSandbox::new();
        write_old(&setup, names);
        let port = free_port();
        let text = fill(&setup, port, text);
        let folder = setup.sandbox.join(server);
        let (config, running): (_, Box<dyn std::any::Any>) = match server {
            "apache" => {
                let apache = Apache::start(&folder, &text);
                (apache.config().to_owned(), Box::new(apache))
            }
            "haproxy" => {
                let haproxy = Haproxy::start(&folder, &text);
                (haproxy.config().to_owned(), Box::new(haproxy))
            }
            _ => {
                let nginx = Nginx::start(&folder, &text);
                (nginx.config().to_owned(), Box::new(nginx))
            }
        };
        Self {
            setup,
            port,
            server,
            config: config.display().to_string(),
            _running: running,
        }
    }

    /// Issues the next certificate for example.com and www.example.com, and installs it.
    fn install(&self, exit: i32) -> Json {
        self.setup.write_delivery_with("new.crt", Leaf::default());
        let flags = ["--server", self.server, "--server-config", &self.config];
        let flags = [&flags[..], &["--json"]].concat();
        self.setup.install("new.crt", &flags).expect(exit).json()
    }

    /// Returns the certificate that is served for a name, in PEM.
    fn served(&self, name: &str) -> String {
        let target = ProbeTarget::new(([127, 0, 0, 1], self.port).into(), name);
        let answer = probe_all(&[target], Duration::from_secs(20)).pop().unwrap();
        let chain = answer.expect("a handshake").chain;
        Certificate::from_der(&chain[0]).unwrap().to_pem()
    }

    /// Asserts that the first install is live with the files in use, and that it is rolled back.
    fn assert_adopted(&self) {
        let before = self.served("example.com");
        let run = self.install(0);
        assert_eq!(run["verdict"], "live", "{run}");
        let sandbox = &self.setup.sandbox;
        let paths: &[&str] = match self.server {
            "haproxy" => &[OLD_BOTH],
            _ => &[OLD.0, OLD.1],
        };
        for path in paths {
            let is_link = sandbox.join(path).symlink_metadata().unwrap().is_symlink();
            assert!(is_link, "{path} is not adopted: {run}");
        }
        let new = sandbox.read("new.crt");
        for name in ["example.com", "www.example.com"] {
            assert!(new.contains(self.served(name).trim_end()), "{name}: {run}");
        }
        sandbox
            .run(&["rollback", "--root", "tree", "--json"])
            .expect(0);
        assert_eq!(self.served("example.com"), before);
    }

    /// Asserts that nothing is adopted, and that `step` is what to do.
    fn assert_not_adopted(&self, reason: &str, step: &str) {
        let before = self.setup.sandbox.read(OLD.0);
        let run = self.install(1);
        assert_eq!(run["verdict"], "not-served", "{run}");
        assert!(codes(&run).contains(&"paths-not-adopted"), "{run}");
        let findings = run["findings"].to_string();
        assert!(findings.contains(reason), "{reason}: {run}");
        assert!(findings.contains(step), "{step}: {run}");
        assert!(
            !run.to_string().contains("server_name example.com"),
            "{run}"
        );
        assert_eq!(self.setup.sandbox.read(OLD.0), before);
    }
}

const NAMES: [&str; 2] = ["example.com", "www.example.com"];
const FILES: &str = "ssl_certificate CHAIN; ssl_certificate_key KEY; return 204;";

#[test]
fn nginx_blocks_without_the_names_are_adopted() {
    for block in [
        "listen 127.0.0.1:PORT ssl default_server; server_name _;",
        "listen 127.0.0.1:PORT ssl default_server; server_name ~^(www\\.)?(?<d>.+)$;",
        "listen 127.0.0.1:PORT ssl;",
        "listen 127.0.0.1:PORT ssl; server_name \"\";",
        "listen 127.0.0.1:PORT ssl; server_name $hostname;",
    ] {
        CatchAll::nginx(&NAMES, &format!("server {{ {block} {FILES} }}")).assert_adopted();
    }
    // A second block with the same files: it may answer for the names too.
    let blocks = |expression: &str| {
        format!(
            "server {{ listen 127.0.0.1:PORT ssl default_server; server_name _; {FILES} }}\n\
             server {{ listen 127.0.0.1:PORT ssl; server_name {expression}; {FILES} }}"
        )
    };
    CatchAll::nginx(&NAMES, &blocks("~(?<!x)example")).assert_adopted();
    // It answers for other names, which the new certificate may lack.
    CatchAll::nginx(&NAMES, &blocks("~^x")).assert_not_adopted(
        "only nginx knows which names that matches",
        "change the certificate lines in",
    );
}

#[test]
fn apache_hosts_without_the_names_are_adopted() {
    let files = "SSLEngine on\nSSLCertificateFile CHAIN\nSSLCertificateKeyFile KEY";
    for host in [
        "<VirtualHost _default_:PORT>\nServerAdmin webmaster@localhost\nFILES\n</VirtualHost>",
        "<VirtualHost *:PORT>\nFILES\n</VirtualHost>",
        "<VirtualHost 127.0.0.1:PORT>\nDocumentRoot /var/www/html\nFILES\n</VirtualHost>",
    ] {
        let host = host.replace("FILES", files);
        let text = format!("Listen 127.0.0.1:PORT\n{host}");
        CatchAll::start("apache", &NAMES, &text).assert_adopted();
    }
}

#[test]
fn haproxy_default_certificates_are_adopted() {
    for (names, bind) in [
        (&NAMES[..], "bind 127.0.0.1:PORT ssl crt BOTH"),
        (&NAMES[1..], "bind 127.0.0.1:PORT ssl crt BOTH"),
        (
            &NAMES[..1],
            "bind 127.0.0.1:PORT ssl crt BOTH alpn http/1.1",
        ),
    ] {
        let text = format!("frontend f\n    {bind}\n    http-request return status 204\n");
        CatchAll::start("haproxy", names, &text).assert_adopted();
    }
}

#[test]
fn a_catch_all_whose_certificate_has_other_names_is_not_adopted() {
    let block = "server { listen 127.0.0.1:PORT ssl default_server; server_name _; FILES }";
    let block = block.replace("FILES", FILES);
    let own_block = "to a separate block with these lines";
    for (names, reason) in [
        (
            &["example.com", "other.example"][..],
            "also covers other.example",
        ),
        (&["*.example.com"], "also covers *.example.com"),
        (&["default.example"], "also covers default.example"),
    ] {
        CatchAll::nginx(names, &block).assert_not_adopted(reason, own_block);
    }
    let host = "Listen 127.0.0.1:PORT\n<VirtualHost *:PORT>\nSSLEngine on\nSSLCertificateFile CHAIN\n\
                SSLCertificateKeyFile KEY\n</VirtualHost>";
    CatchAll::start("apache", &["example.com", "other.example"], host)
        .assert_not_adopted("also covers other.example", own_block);
}

#[test]
fn a_block_that_only_the_server_can_choose_is_not_adopted() {
    let blocks = "server { listen 127.0.0.1:PORT ssl default_server; server_name _; FILES }\n\
         server { listen 127.0.0.1:PORT ssl; server_name ~(?<!x)www; ssl_certificate BOTH; ssl_certificate_key BOTH; return 204; }";
    CatchAll::nginx(&NAMES, &blocks.replace("FILES", FILES)).assert_not_adopted(
        "only nginx knows whether this block answers",
        "change the certificate lines in",
    );
}

#[test]
fn with_several_servers_and_none_running_the_user_chooses() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    // An Apache without a configuration is not a server.
    let listen = format!("Listen 127.0.0.1:{}", free_port());
    support::apache::write_config(&setup.sandbox.join("apache"), &listen);
    let script = "mount -t tmpfs -o mode=755 tmpfs /etc/ssl; mkdir -m 700 /etc/ssl/private
         mount -t tmpfs -o mode=755 tmpfs /run
         mount -t tmpfs -o mode=755 tmpfs /etc/apache2; cp apache/apache2.conf /etc/apache2/
         certctl install new.crt --trust root.pem --json";
    let run = in_mount(&setup.sandbox, "size=1m", script).expect(3);
    let run = run.json();
    let steps = run["error"]["next"].as_array().unwrap();
    let commands: Vec<&str> = steps
        .iter()
        .map(|step| step["command"].as_str().unwrap())
        .collect();
    assert_eq!(
        commands,
        ["nginx", "apache", "haproxy"].map(|server| format!(
            "sudo certctl install new.crt --trust root.pem --json --server {server}"
        )),
        "{run}"
    );
    // Each line works.
    for command in commands {
        let line = command.trim_start_matches("sudo ");
        let script = script.replace("certctl install new.crt --trust root.pem --json", line);
        let run = in_mount(&setup.sandbox, "size=1m", &script)
            .expect(1)
            .json();
        assert_eq!(run["verdict"], "not-served", "{run}");
    }
}

#[test]
fn of_several_servers_the_running_one_is_used() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let port = free_port();
    let block = format!("server {{ listen 127.0.0.1:{port}; return 204; }}");
    support::nginx::write_config(&setup.sandbox.join("nginx"), &block);
    let script = "mount -t tmpfs -o mode=755 tmpfs /etc/ssl; mkdir -m 700 /etc/ssl/private
         mount -t tmpfs -o mode=755 tmpfs /run
         mount --bind nginx/nginx.conf /etc/nginx/nginx.conf
         nginx -c \"$PWD/nginx/nginx.conf\" & trap \"kill $!\" EXIT
         for i in 1 2 3 4 5 6 7 8 9 0; do [ -s nginx/nginx.pid ] && break; sleep 0.2; done
         certctl install new.crt --trust root.pem --json || test $? = 1";
    let run = in_mount(&setup.sandbox, "size=1m", script).expect(0).json();
    assert_eq!(run["verdict"], "not-served", "{run}");
    let next = run["next"].to_string();
    assert!(
        next.contains("ssl_certificate_key") && !next.contains("SSLEngine"),
        "{run}"
    );
}
