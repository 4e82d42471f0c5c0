//! A zone on a real name server that accepts dynamic updates, and a sandbox with an account for it.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::dns::{NameServer, TsigKey, ZONE, port_53};
use super::external::{external_program, path_of};
use super::json::Json;
use super::program::clock_words;
use super::{Run, Sandbox};

/// A zone that can be updated, at two addresses, with an account for it.
pub struct UpdatableZone {
    pub sandbox: Sandbox,
    pub servers: [SocketAddr; 2],
    pub server: NameServer,
    pub key: TsigKey,
}

impl UpdatableZone {
    /// `number` is different in each test; `records` are in the zone already, and `rule` limits what
    /// the key may update.
    pub fn start(number: u8, records: &str, rule: &str) -> Self {
        let servers = [port_53(0, number * 2), port_53(0, number * 2 + 1)];
        let key = TsigKey::new("certctl");
        let hosts = format!(
            "ns1 A {}\nns2 A {}\n{records}",
            servers[0].ip(),
            servers[1].ip()
        );
        let knot = NameServer::knot_with_updates(&servers, &hosts, &key, rule);
        let zone = Self {
            sandbox: Sandbox::new(),
            servers,
            server: knot,
            key,
        };
        zone.write_credentials(&zone.key.secret);
        zone
    }

    /// The same on BIND's named, with these `zones` in its configuration.
    pub fn start_named(number: u8, records: &str, zones: &str) -> Self {
        let servers = [port_53(0, number * 2), port_53(0, number * 2 + 1)];
        let key = TsigKey::new("certctl");
        let [first, second] = servers.map(|server| server.ip());
        let records = format!("ns1 A {first}\nns2 A {second}\n{records}");
        let zone = Self {
            sandbox: Sandbox::new(),
            servers,
            server: NameServer::named(&servers, &records, &key, zones),
            key,
        };
        zone.write_credentials(&zone.key.secret);
        zone
    }

    /// The same, but the zone's servers are at an address where none runs: only the resolver, whose
    /// copy of the zone can be updated, can be queried.
    pub fn start_unreachable(number: u8, records: &str) -> Self {
        let (resolver, nowhere) = (port_53(2, number), port_53(1, number));
        let key = TsigKey::new("certctl");
        let hosts = format!("ns1 A {0}\nns2 A {0}\n{records}", nowhere.ip());
        let zone = Self {
            sandbox: Sandbox::new(),
            servers: [resolver, resolver],
            server: NameServer::knot_with_updates(&[resolver], &hosts, &key, ""),
            key,
        };
        zone.write_credentials(&zone.key.secret);
        zone
    }

    /// Writes the credentials for the zone's server, with this secret.
    pub fn write_credentials(&self, secret: &str) {
        let text = format!(
            "[dns.rfc2136]\nnameserver = \"{}\"\ntsig_key = \"{}\"\ntsig_secret = \"{secret}\"\n",
            self.servers[0], self.key.name
        );
        self.sandbox
            .write_key("tree/etc/certctl/credentials.toml", text);
    }

    /// The same, but the second address is another server, which has its own copy of the zone.
    pub fn start_apart(number: u8) -> (Self, NameServer) {
        let mut zone = Self::start(number, "", "");
        let (first, second) = (port_53(2, number), port_53(1, number));
        let hosts = format!("ns1 A {}\nns2 A {}", first.ip(), second.ip());
        zone.server = NameServer::knot_with_updates(&[first], &hosts, &zone.key, "");
        zone.servers = [first, second];
        zone.write_credentials(&zone.key.secret);
        (zone, NameServer::knot_at(&[second], &hosts, ""))
    }

    /// The same, but both name servers are at one address, where the test has to start something that
    /// asks this zone's server (the first) and another one, which is returned.
    pub fn start_behind(number: u8, address: SocketAddr) -> (Self, NameServer) {
        let (first, second) = (port_53(2, number), port_53(1, number));
        let key = TsigKey::new("certctl");
        let hosts = format!("ns1 A {0}\nns2 A {0}", address.ip());
        let zone = Self {
            sandbox: Sandbox::new(),
            servers: [first, second],
            server: NameServer::knot_with_updates(&[first], &hosts, &key, ""),
            key,
        };
        zone.write_credentials(&zone.key.secret);
        (zone, NameServer::knot_at(&[second], &hosts, ""))
    }

    /// Writes a program for `exec:` and returns the value for `--dns`.
    pub fn write_program(&self, text: &str) -> String {
        let path = self.sandbox.write("hook", text);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        format!("exec:{}", path.display())
    }

    /// Returns the lines of a program for `exec:` that adds and removes one record with `knsupdate`.
    pub fn update_script(&self) -> String {
        let key = format!("hmac-sha256:{}:{}", self.key.name, self.key.secret);
        format!(
            "case $1 in present) action=add;; cleanup) action=del;; esac\n\
             printf 'server {} 53\\nzone %s.\\nupdate %s %s. %s %s %s\\nsend\\n' \"$CERTCTL_DNS_ZONE\" $action \\\n\
             \"$CERTCTL_DNS_NAME\" \"$CERTCTL_DNS_TTL\" \"$CERTCTL_DNS_TYPE\" \"$CERTCTL_DNS_VALUE\" |\n\
             env {}{} -y {key}\n",
            self.servers[0].ip(),
            clock_words(),
            path_of("knsupdate").display()
        )
    }

    /// Returns what changes the zone for a stub of a provider's API.
    pub fn writer(&self) -> ZoneWriter {
        ZoneWriter {
            server: self.servers[0],
            key: format!("hmac-sha256:{}:{}", self.key.name, self.key.secret),
        }
    }

    /// Runs `dcv-publish` with this zone's server as the resolver.
    pub fn publish(&self, args: &[&str]) -> Run {
        let run = self.sandbox.run_command(self.command(args));
        assert!(!run.stdout.contains(&self.key.secret), "{run}");
        assert!(!run.stderr.contains(&self.key.secret), "{run}");
        run
    }

    /// The same as a command that can be changed.
    pub fn command(&self, args: &[&str]) -> Command {
        let resolver = self.servers[0].ip().to_string();
        let mut all = vec![
            "--root",
            "tree",
            "dcv-publish",
            "--json",
            "--resolver",
            &resolver,
        ];
        all.extend(args);
        self.sandbox.command(&all)
    }

    /// The values of a type at a name, as the second address answers them.
    pub fn values(&self, kind: &str, name: &str) -> Vec<String> {
        self.values_at(self.servers[1], kind, name)
    }

    /// The values of a type at a name, as a server answers them.
    pub fn values_at(&self, server: SocketAddr, kind: &str, name: &str) -> Vec<String> {
        let server = format!("@{}", server.ip());
        let mut kdig: Command = external_program("kdig");
        let output = kdig
            .args([&server, "+short", "+norec", "+tcp", kind, name])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut values: Vec<String> = text
            .lines()
            .map(|line| line.trim_matches('"').to_owned())
            .collect();
        values.sort();
        values
    }
}

/// Changes the records of a zone, as the servers of a provider do after a call of its API.
pub struct ZoneWriter {
    server: SocketAddr,
    key: String,
}

impl ZoneWriter {
    pub fn add(&self, relative_name: &str, kind: &str, value: &str) {
        self.update(
            "add",
            &format!(
                "{relative_name}.{ZONE}. 60 {kind} {}",
                in_zone_file(kind, value)
            ),
        );
    }

    pub fn delete(&self, relative_name: &str, kind: &str, value: &str) {
        self.update(
            "del",
            &format!(
                "{relative_name}.{ZONE}. {kind} {}",
                in_zone_file(kind, value)
            ),
        );
    }

    fn update(&self, action: &str, record: &str) {
        let lines = format!(
            "server {} 53\nzone {ZONE}.\n{action} {record}\nsend\n",
            self.server.ip()
        );
        let mut child = external_program("knsupdate")
            .args(["-y", &self.key])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(lines.as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success(), "{lines}");
    }
}

/// A value as zone files have it.
fn in_zone_file(kind: &str, value: &str) -> String {
    match kind {
        "CNAME" => format!("{}.", value.trim_end_matches('.')),
        _ => format!("\"{value}\""),
    }
}

/// The codes of a document's findings.
pub fn codes(document: &Json) -> Vec<&str> {
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

/// The verdict of a document.
pub fn verdict(run: &Run) -> String {
    run.json()["verdict"].as_str().unwrap().to_owned()
}

/// The name of ACME's record in the zone.
pub const CHALLENGE: &str = "_acme-challenge.shop.example";
