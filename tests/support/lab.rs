//! Starts the DNS lab of `scripts/dns-lab` for tests: real servers (knot, nsd, unbound) with correct
//! zones and zones with one fault each, and a request for each zone of `tests/lab/`. A test file
//! starts one lab, which ends with the test process.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::external::{external_program, path_of};
use super::program::{clear_environment, program};
use super::{Run, Sandbox};

/// A running lab.
pub struct Lab {
    sandbox: Sandbox,
    zone_requests: BTreeMap<String, ZoneRequest>,
    /// The process whose namespaces the lab uses; `None` if it runs on the machine's own loopback.
    inside: Option<String>,
    net: String,
    /// Whether the address that should be unreachable has a route: on the machine's own network,
    /// without permission to block it.
    pub has_route: bool,
    /// The lab ends when this pipe is closed, at the latest with this process.
    _stdin: ChildStdin,
    _script: Child,
}

/// A request for the names of a zone, and its record.
struct ZoneRequest {
    /// The domain that the record validates.
    domain: String,
    label: String,
    value: String,
}

impl Lab {
    /// Creates a request for each zone and starts the lab.
    pub fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let sandbox = Sandbox::new();
        let mut zone_requests = BTreeMap::new();
        for entry in std::fs::read_dir(root.join("tests/lab")).unwrap() {
            let path = entry.unwrap().path();
            let Some(zone) = path
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .strip_suffix(".zone")
            else {
                continue;
            };
            let template = std::fs::read_to_string(&path).unwrap();
            let domain = word(&template, "record-for").unwrap_or_else(|| zone.to_owned());
            let zone_request = ZoneRequest::new(&sandbox, zone, domain, &names(zone, &template));
            sandbox.write(&format!("zones/{zone}.zone"), template);
            sandbox.write(
                &format!("zones/{zone}.record"),
                format!("{} {}.", zone_request.label, zone_request.value),
            );
            zone_requests.insert(zone.to_owned(), zone_request);
        }
        for program in [
            "kdig",
            "knotd",
            "ldns-keygen",
            "ldns-signzone",
            "nsd",
            "unbound",
            "unshare",
            "ip",
        ] {
            path_of(program);
        }
        let mut script = clear_environment(&mut Command::new(root.join("scripts/dns-lab")))
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .arg("--zones")
            .arg(sandbox.join("zones"))
            .arg("--owns")
            .arg(sandbox.path())
            .arg("--wait")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut inside, mut net, mut has_route, mut ready) = (None, String::new(), false, false);
        for line in BufReader::new(script.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
        {
            match line.split_once(' ') {
                Some(("enter", process)) => inside = Some(process.to_owned()),
                Some(("net", address)) => net = address.to_owned(),
                _ if line == "leads-far" => has_route = true,
                _ => ready = line == "ready",
            }
            if ready {
                break;
            }
        }
        assert!(ready, "the lab did not start; run scripts/dns-lab by hand");
        Self {
            sandbox,
            zone_requests,
            inside,
            net,
            has_route,
            _stdin: script.stdin.take().unwrap(),
            _script: script,
        }
    }

    /// Returns the resolver that validates DNSSEC from the lab's root.
    pub fn validating(&self) -> String {
        self.address(53)
    }

    /// Returns the resolver that does not check signatures.
    pub fn non_validating(&self) -> String {
        self.address(54)
    }

    /// Returns the resolver that has other values for some zones.
    pub fn with_own_view(&self) -> String {
        self.address(55)
    }

    /// Returns the lab's address with this last octet.
    pub fn address(&self, last: u8) -> String {
        format!("{}.{last}", self.net)
    }

    /// Runs certctl in the lab, in the folder of the request for `zone`.
    pub fn run(&self, zone: &str, args: &[&str]) -> Run {
        let binary = program();
        let mut command = match &self.inside {
            Some(process) => {
                let mut command = external_program("nsenter");
                command.args([
                    "--target",
                    process,
                    "--user",
                    "--net",
                    "--preserve-credentials",
                    binary,
                ]);
                command
            }
            None => {
                let mut command = Command::new(binary);
                clear_environment(&mut command).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
                command
            }
        };
        command
            .args(args)
            .current_dir(self.sandbox.join(&format!("orders/{zone}")))
            .stdin(Stdio::null());
        self.sandbox.run_command(command)
    }

    /// Runs `dcv-check` with the reseller's record for `zone`, through `resolver`.
    pub fn check(&self, zone: &str, resolver: &str, more: &[&str]) -> Run {
        let zone_request = &self.zone_requests[zone];
        let given = format!(
            "{}.{} {}",
            zone_request.label, zone_request.domain, zone_request.value
        );
        self.run(
            zone,
            &[
                &[
                    "dcv-check",
                    "--record",
                    &given,
                    "--resolver",
                    resolver,
                    "--json",
                ],
                more,
            ]
            .concat(),
        )
    }
}

/// Returns the names to request: those of the line `; names`, or the zone's name.
fn names(zone: &str, template: &str) -> Vec<String> {
    let names = word(template, "names").unwrap_or_else(|| zone.to_owned());
    names.split(' ').map(str::to_owned).collect()
}

/// Returns the text after `; WORD ` in a zone's file.
fn word(template: &str, word: &str) -> Option<String> {
    template
        .lines()
        .find_map(|line| line.strip_prefix(&format!("; {word} ")))
        .map(str::to_owned)
}

impl ZoneRequest {
    fn new(sandbox: &Sandbox, zone: &str, domain: String, names: &[String]) -> Self {
        let folder = format!("orders/{zone}");
        std::fs::create_dir_all(sandbox.join(&folder)).unwrap();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let created = sandbox
            .run(&[&["-C", folder.as_str(), "csr", "--json"], &names[..]].concat())
            .expect(0)
            .json();
        let sha256 = created["request"]["sha256"].as_str().unwrap();
        let label = format!("_{}", created["request"]["md5"].as_str().unwrap());
        Self {
            domain,
            label,
            value: format!(
                "{}.{}.69ff68dc5168c.comodoca.com",
                &sha256[..32],
                &sha256[32..]
            ),
        }
    }
}
