//! `certctl install` on a machine where servers run in unusual ways: several at once, with another
//! configuration, by hand, under a supervisor, in another network namespace. Whatever ran before runs
//! afterwards, exactly once, and serves the new certificate or is reported.
//! Needs: nginx apache2 haproxy unshare nsenter mount ip openssl python3 supervisord setpriv
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::net::SocketAddr;
use std::path::PathBuf;

use support::Run;
use support::any_server::{ServedNames, ServerKind};
use support::external::path_of;
use support::install_sandbox::{InstallSandbox, codes};
use support::json::Json;
use support::namespace::{in_mount, is_root};
use support::nginx::free_port;
use support::outside::FUNCTIONS;

/// The files that the servers read before the install; HAProxy reads the third.
const CHAIN: &str = "site/chain.pem";
const KEY: &str = "site/key.pem";
const BOTH: &str = "site/both.pem";

/// A machine with files of a certificate that servers read, and a new certificate in `new.crt`.
struct Machine {
    setup: InstallSandbox,
    kind: ServerKind,
}

/// What was observed around an install.
struct Observed {
    run: Run,
    document: Option<Json>,
}

impl Machine {
    fn new(kind: ServerKind) -> Self {
        let setup = InstallSandbox::new();
        let sandbox = &setup.sandbox;
        sandbox
            .run(&["csr", "example.com", "www.example.com"])
            .expect(0);
        let leaf = setup.ca.issue(&sandbox.read("example.com.csr"));
        let chain = leaf + &setup.ca.intermediate_pem();
        let key = sandbox.read("example.com.key");
        sandbox.write(BOTH, format!("{chain}{key}"));
        sandbox.write(CHAIN, chain);
        sandbox.write(KEY, key);
        setup.write_delivery("new.crt");
        Self { setup, kind }
    }

    fn path(&self, path: &str) -> String {
        self.setup.sandbox.join(path).display().to_string()
    }

    /// The name of the server's process.
    fn process(&self) -> &'static str {
        match self.kind {
            ServerKind::Apache => "apache2",
            ServerKind::Haproxy => "haproxy",
            ServerKind::Nginx => "nginx",
        }
    }

    /// Writes a configuration into `folder` that serves the certificate at these ports; returns its
    /// path.
    fn configure(&self, folder: &str, ports: &[u16]) -> PathBuf {
        let sandbox = &self.setup.sandbox;
        let pair = match self.kind {
            ServerKind::Haproxy => (sandbox.join(BOTH), sandbox.join(BOTH)),
            _ => (sandbox.join(CHAIN), sandbox.join(KEY)),
        };
        let at = ports.iter();
        let site = ServedNames {
            names: "example.com www.example.com",
            at: at
                .map(|&port| SocketAddr::from(([127, 0, 0, 1], port)))
                .collect(),
            pairs: vec![pair],
        };
        let folder = sandbox.join(folder);
        self.kind.write(&folder, &[site]);
        self.kind.config(&folder)
    }

    /// The command line that starts the server in the foreground.
    fn foreground(&self, folder: &str) -> String {
        let (folder, program) = (self.path(folder), path_of(self.process()));
        let program = program.display();
        match self.kind {
            ServerKind::Apache => {
                format!("{program} -D FOREGROUND -d {folder} -f {folder}/apache2.conf")
            }
            ServerKind::Haproxy => format!("{program} -W -db -f {folder}/haproxy.cfg"),
            ServerKind::Nginx => format!("{program} -c {folder}/nginx.conf"),
        }
    }

    /// Runs `start`, waits until the ports serve the old certificate, runs `certctl install` with
    /// the arguments, and reports what the ports serve then.
    fn install(&self, start: &str, ports: &[u16], arguments: &str) -> Observed {
        let name = self.process();
        let each = |function: &str| {
            let lines = ports.iter().map(|port| format!("{function} {port}\n"));
            lines.collect::<String>()
        };
        self.run(&format!(
            "{start}
             {}
             before=$(masters {name}); echo \"before $before\"
             code=0; certctl install {arguments} >output || code=$?
             echo \"exit $code\"
             {}
             echo \"after $(settled {name} $before)\"",
            each("wait_for"),
            each("report"),
        ))
    }

    fn run(&self, script: &str) -> Observed {
        let live = match self.kind {
            ServerKind::Haproxy => BOTH,
            _ => CHAIN,
        };
        let folders = "mount -t tmpfs -o mode=755 tmpfs /etc/ssl; mkdir -m 700 /etc/ssl/private
             mount -t tmpfs -o mode=755 tmpfs /run";
        let run = in_mount(
            &self.setup.sandbox,
            "size=1m",
            &format!("{FUNCTIONS}\n{folders}\nlive={live}; old=$(serial_of $live)\n{script}"),
        );
        let output = self.setup.sandbox.join("output");
        let text = std::fs::read_to_string(output).unwrap_or_default();
        let document = text.parse().ok();
        Observed { run, document }
    }
}

impl Observed {
    /// Asserts that the script printed these lines.
    fn assert_lines(&self, lines: &[&str]) {
        let printed: Vec<&str> = self.run.stdout.lines().collect();
        for line in lines {
            assert!(printed.contains(line), "no line {line:?}\n{self}");
        }
    }

    /// Asserts that the ports serve the new certificate and that as many masters run as before.
    fn assert_served(&self, ports: &[u16], masters: usize) {
        let served = ports.iter().map(|port| format!("{port} new"));
        let counts = ["before", "after"].map(|when| format!("{when} {masters}"));
        let lines: Vec<String> = served.chain(counts).chain(["exit 0".to_owned()]).collect();
        self.assert_lines(&Vec::from_iter(lines.iter().map(String::as_str)));
    }

    fn document(&self) -> &Json {
        self.document
            .as_ref()
            .unwrap_or_else(|| panic!("no document\n{self}"))
    }

    /// The message of the only finding with this code, and its severity.
    fn finding(&self, code: &str) -> (String, String) {
        let findings = self.document()["findings"].as_array().unwrap();
        let mut found = findings.iter().filter(|one| one["code"] == code);
        let one = found.next().unwrap_or_else(|| panic!("no {code}\n{self}"));
        assert!(found.next().is_none(), "several {code}\n{self}");
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        (text("message"), text("severity"))
    }

    fn reload_commands(&self) -> Vec<String> {
        let steps = self.document()["certificates"][0]["plan"]["steps"]
            .as_array()
            .unwrap();
        let reloads = steps.iter().filter(|step| step["step"] == "reload");
        reloads
            .map(|step| step["command"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl std::fmt::Display for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.run)?;
        match &self.document {
            Some(document) => write!(f, "\n{document}"),
            None => Ok(()),
        }
    }
}

const NEW: &str = "new.crt --trust root.pem --json";

/// Starts a command in the background. Its output would keep the script's pipe open.
fn in_background(command: &str) -> String {
    format!("{command} >>log 2>&1 &")
}

#[test]
fn every_master_that_reads_the_files_is_reloaded() {
    for kind in ServerKind::ALL {
        let machine = Machine::new(kind);
        let ports = [free_port(), free_port()];
        machine.configure("one", &ports[..1]);
        machine.configure("two", &ports[1..]);
        let start = ["one", "two"].map(|folder| in_background(&machine.foreground(folder)));
        let observed = machine.install(&start.join("\n"), &ports, NEW);
        observed.assert_served(&ports, 2);
        assert_eq!(observed.document()["verdict"], "live", "{observed}");
        assert_eq!(observed.reload_commands().len(), 2, "{observed}");
        let probes = observed.document()["certificates"][0]["probes"].to_string();
        for port in ports {
            assert!(probes.contains(&format!("127.0.0.1:{port}")), "{observed}");
        }
    }
}

#[test]
fn two_haproxies_with_the_same_configuration_are_both_reloaded() {
    for options in ["-W -D", "-D"] {
        let machine = Machine::new(ServerKind::Haproxy);
        let port = free_port();
        let config = machine.configure("one", &[port]);
        let one = format!("haproxy {options} -f {} >>log 2>&1", config.display());
        // The kernel spreads connections over both.
        let ports = [port; 8];
        let observed = machine.install(&format!("{one}; {one}"), &ports, NEW);
        observed.assert_served(&ports, 2);
        let lines = observed.run.stdout.lines();
        let old = lines.filter(|line| *line == format!("{port} old"));
        assert_eq!(old.count(), 0, "{options}: {observed}");
    }
}

/// Faults A3 and cases/12: the usual configuration is not what runs.
#[test]
fn a_server_with_a_configuration_elsewhere_is_found() {
    for kind in ServerKind::ALL {
        let machine = Machine::new(kind);
        let port = free_port();
        machine.configure("elsewhere", &[port]);
        let start = in_background(&machine.foreground("elsewhere"));
        let observed = machine.install(&start, &[port], NEW);
        observed.assert_served(&[port], 1);
        assert_eq!(observed.document()["verdict"], "live", "{observed}");
        let wrote = observed.document().to_string();
        assert!(!wrote.contains("example.com.nginx.conf"), "{observed}");
    }
}

/// `status` reports what servers serve, also where certctl installed none of it.
#[test]
fn the_status_includes_a_server_with_a_configuration_elsewhere() {
    for kind in ServerKind::ALL {
        let machine = Machine::new(kind);
        let port = free_port();
        machine.configure("elsewhere", &[port]);
        let start = in_background(&machine.foreground("elsewhere"));
        let observed = machine.run(&format!(
            "{start}
             wait_for {port}
             mkdir empty
             certctl status -C empty --json >output || echo \"exit $?\""
        ));
        let rows = observed.document()["rows"].as_array().unwrap();
        let [row] = &rows[..] else {
            panic!("one certificate is served\n{observed}");
        };
        assert_eq!(row["name"], "example.com", "{observed}");
        let places = row["places"].to_string();
        for place in [
            machine.path(match kind {
                ServerKind::Haproxy => BOTH,
                _ => CHAIN,
            }),
            format!("127.0.0.1:{port}"),
        ] {
            assert!(places.contains(&place), "{kind:?}: no {place}\n{observed}");
        }
    }
}

/// Fault A4: the service script starts a second HAProxy next to one that it did not start.
#[test]
fn an_haproxy_that_runs_by_hand_stays_the_only_one() {
    for (options, reload) in [
        ("-W -db", "kill -USR2 "),
        ("-W -D", "kill -USR2 "),
        (
            "-D",
            "/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg -D -sf ",
        ),
    ] {
        let machine = Machine::new(ServerKind::Haproxy);
        let port = free_port();
        let config = machine.configure("one", &[port]);
        let start = format!(
            "[ -x /etc/init.d/haproxy ]
             mount --bind {} /etc/haproxy/haproxy.cfg
             {}",
            config.display(),
            in_background(&format!("haproxy -f /etc/haproxy/haproxy.cfg {options}"))
        );
        let observed = machine.run(&format!(
            "{start}
             wait_for {port}; before=$(masters haproxy); echo \"before $before\"
             certctl install {NEW} >output; echo \"exit $?\"
             report {port}; echo \"between $(settled haproxy 1)\"
             certctl install {NEW} >again; report {port}; echo \"after $(settled haproxy 1)\""
        ));
        observed.assert_served(&[port], 1);
        observed.assert_lines(&["between 1"]);
        let reloads = observed.reload_commands();
        assert!(
            reloads.len() == 1 && reloads[0].starts_with(reload),
            "{options}: {reloads:?}"
        );
        let again = machine.setup.sandbox.read("again");
        assert!(again.contains("\"verdict\":\"unchanged\""), "{again}");
    }
}

#[test]
fn a_server_of_a_service_script_is_reloaded_by_it() {
    for kind in [ServerKind::Haproxy, ServerKind::Nginx] {
        let machine = Machine::new(kind);
        let port = free_port();
        let config = machine.configure("one", &[port]);
        let (name, usual) = match kind {
            ServerKind::Haproxy => ("haproxy", "/etc/haproxy/haproxy.cfg"),
            _ => ("nginx", "/etc/nginx/nginx.conf"),
        };
        let text = std::fs::read_to_string(&config)
            .unwrap()
            .replace("daemon off;", "")
            .replace(
                &format!("pid {}/nginx.pid;", machine.path("one")),
                "pid /run/nginx.pid;",
            );
        std::fs::write(&config, text).unwrap();
        let start = format!(
            "mount --bind {} {usual}
             service {name} start >>log 2>&1 || {{ cat log; exit 98; }}",
            config.display()
        );
        let observed = machine.install(&start, &[port], NEW);
        observed.assert_served(&[port], 1);
        assert_eq!(
            observed.reload_commands(),
            [format!("service {name} reload")],
            "{observed}"
        );
    }
}

#[test]
fn a_supervisor_keeps_the_process_that_it_started() {
    for kind in ServerKind::ALL {
        let machine = Machine::new(kind);
        let port = free_port();
        machine.configure("one", &[port]);
        let text = format!(
            "[supervisord]\nnodaemon=true\nlogfile=supervisord.log\npidfile=supervisord.pid\n\
             [program:server]\ncommand={}\nstdout_logfile=log\nredirect_stderr=true\n",
            machine.foreground("one")
        );
        machine.setup.sandbox.write("supervisor.conf", text);
        let start = format!(
            "{}
             finish() {{ echo \"starts $(grep -c \"spawned: 'server'\" supervisord.log)\"; }}; trap finish EXIT",
            in_background("supervisord -c supervisor.conf")
        );
        let observed = machine.install(&start, &[port], NEW);
        observed.assert_served(&[port], 1);
        observed.assert_lines(&["starts 1"]);
    }
}

#[test]
fn a_server_in_another_network_namespace_is_reported() {
    for kind in ServerKind::ALL {
        let machine = Machine::new(kind);
        let port = free_port();
        machine.configure("here", &[port]);
        machine.configure("there", &[port]);
        let observed = machine.run(&format!(
            "{}
             unshare -n sh -c 'ip link set lo up; exec {}' >>log 2>&1 &
             there=$!
             wait_for {port}; wait_for {port} $there
             code=0; certctl install {NEW} >output || code=$?
             echo \"exit $code\"; echo \"there $there\"
             report {port}
             echo \"in the other network:\"
             sleep 1; report {port} $there; echo \"after $(settled {} 2)\"",
            in_background(&machine.foreground("here")),
            machine.foreground("there"),
            machine.process(),
        ));
        observed.assert_lines(&["exit 7", &format!("{port} new"), "after 2"]);
        let (_, theirs) = observed
            .run
            .stdout
            .split_once("in the other network:\n")
            .unwrap();
        assert!(theirs.starts_with(&format!("{port} new\n")), "{observed}");
        assert_eq!(
            observed.document()["verdict"],
            "live-incomplete",
            "{observed}"
        );
        let (message, severity) = observed.finding("process-not-reached");
        let there = observed
            .run
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("there "))
            .unwrap();
        assert!(
            message.contains(&format!("(process {there})")) && severity == "error",
            "{message}"
        );
    }
}

/// Like a container that mounts the folder of the certificate: its /etc is another one.
#[test]
fn a_server_with_another_view_of_the_file_system_is_reported() {
    for kind in ServerKind::ALL {
        let machine = Machine::new(kind);
        let ports = [free_port(), free_port()];
        machine.configure("here", &ports[..1]);
        machine.configure("there", &ports[1..]);
        let observed = machine.run(&format!(
            "{}
             mkdir etc; cp /etc/passwd /etc/group etc
             unshare -m sh -c 'mount --bind etc /etc; exec {}' >>log 2>&1 &
             there=$!
             wait_for {}; wait_for {}
             code=0; certctl install {NEW} >output || code=$?
             echo \"exit $code\"; echo \"there $there\"
             report {}; report {}; echo \"after $(settled {} 2)\"",
            in_background(&machine.foreground("here")),
            machine.foreground("there"),
            ports[0],
            ports[1],
            ports[0],
            ports[1],
            machine.process(),
        ));
        let [own, theirs] = [format!("{} new", ports[0]), format!("{} old", ports[1])];
        observed.assert_lines(&["exit 7", &own, &theirs, "after 2"]);
        assert_eq!(
            observed.document()["verdict"],
            "live-incomplete",
            "{observed}"
        );
        let (message, severity) = observed.finding("process-not-reached");
        let mut lines = observed.run.stdout.lines();
        let there = lines.find_map(|line| line.strip_prefix("there ")).unwrap();
        assert!(
            message.contains(&format!("(process {there}) uses these files")) && severity == "error",
            "{message}"
        );
    }
}

#[test]
fn a_server_that_may_not_be_signalled_is_reported() {
    // Only root can start a server as another user.
    if !is_root() {
        return;
    }
    let machine = Machine::new(ServerKind::Haproxy);
    let port = free_port();
    let config = machine.configure("one", &[port]);
    let text = std::fs::read_to_string(&config)
        .unwrap()
        .replace("global\n", "global\n    user www-data\n");
    std::fs::write(&config, text).unwrap();
    let observed = machine.run(&format!(
        "haproxy -D -f {} >>log 2>&1
         wait_for {port}; echo \"before $(masters haproxy)\"
         code=0; setpriv --bounding-set=-kill $CERTCTL install {NEW} >output || code=$?
         echo \"exit $code\"; report {port}; echo \"after $(settled haproxy 1)\"",
        config.display()
    ));
    observed.assert_lines(&["before 1", "exit 7", &format!("{port} old"), "after 1"]);
    assert_eq!(
        observed.document()["verdict"],
        "live-incomplete",
        "{observed}"
    );
    let (message, severity) = observed.finding("process-not-reached");
    assert!(
        message.contains("belongs to another user") && severity == "error",
        "{message}"
    );
}

/// A program that listens at a port and never answers.
fn listener(port: u16) -> String {
    let program = format!(
        "import socket,time; s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); \
         s.bind((\"127.0.0.1\", {port})); s.listen(); open(\"listening\", \"w\").close(); time.sleep(1000)"
    );
    format!(
        "{}
         owner=$!
         for attempt in $(seq 100); do [ ! -e listening ] || break; sleep 0.1; done
         echo \"owner $owner\"",
        in_background(&format!("python3 -c '{program}'"))
    )
}

fn in_use(observed: &Observed, port: u16) -> String {
    let mut lines = observed.run.stdout.lines();
    let owner = lines.find_map(|line| line.strip_prefix("owner ")).unwrap();
    format!("127.0.0.1:{port} is in use by process {owner} (python3)")
}

#[test]
fn the_process_at_the_port_of_a_stopped_server_is_named() {
    for kind in ServerKind::ALL {
        let machine = Machine::new(kind);
        let port = free_port();
        let config = machine.configure("one", &[port]);
        let observed = machine.run(&format!(
            "{}
             certctl install {} --server {} --server-config {} || echo \"exit $?\"",
            listener(port),
            NEW.replace(" --json", ""),
            kind.name(),
            config.display()
        ));
        observed.assert_lines(&["exit 1"]);
        assert!(
            observed.run.stdout.contains(&in_use(&observed, port)),
            "{observed}"
        );
    }
}

#[test]
fn a_new_address_that_is_taken_does_not_stop_the_server() {
    for kind in [ServerKind::Apache, ServerKind::Nginx] {
        let machine = Machine::new(kind);
        let ports = [free_port(), free_port()];
        let both = std::fs::read_to_string(machine.configure("one", &ports)).unwrap();
        let config = machine.configure("one", &ports[..1]);
        machine.setup.sandbox.write("both.conf", both);
        let start = format!(
            "{}
             {}
             wait_for {}; cp both.conf {}",
            listener(ports[1]),
            in_background(&machine.foreground("one")),
            ports[0],
            config.display()
        );
        let text = NEW.replace(" --json", "");
        let observed = machine.install(&start, &ports[..1], &text);
        observed.assert_lines(&["before 1", &format!("{} old", ports[0]), "after 1"]);
        assert!(!observed.run.stdout.contains("exit 0"), "{observed}");
        let output = machine.setup.sandbox.read("output");
        assert!(
            output.contains(&in_use(&observed, ports[1])),
            "{observed}\n{output}"
        );
    }
}

/// A configuration can load code and write files: nothing that another user wrote is tested or
/// reloaded by root.
#[test]
fn a_server_of_another_user_is_reported_and_not_tested() {
    if !is_root() {
        return;
    }
    for kind in [ServerKind::Haproxy, ServerKind::Nginx] {
        let machine = Machine::new(kind);
        let ports = [free_port(), free_port()];
        machine.configure("here", &ports[..1]);
        let theirs = machine.configure("there", &ports[1..]);
        let name = machine.process();
        // The test of their nginx would write this file.
        let text = std::fs::read_to_string(&theirs).unwrap();
        let log = format!("error_log {}/written-by-a-test", machine.path("there"));
        let own_log = format!("error_log {}/error.log", machine.path("there"));
        std::fs::write(&theirs, text.replace(&own_log, &log)).unwrap();
        let observed = machine.run(&format!(
            "{}
             chmod a+rx .; chmod 644 site/*; cp {} there/{name}; chown -R 65534 there
             setpriv --reuid 65534 --regid 65534 --clear-groups there/{name} {} {} >>log 2>&1 &
             there=$!
             wait_for {}; wait_for {}
             rm -f there/written-by-a-test
             code=0; certctl install {NEW} >output || code=$?
             echo \"exit $code\"; echo \"there $there\"
             report {}; report {}; ls there; echo \"after $(settled {name} 2)\"",
            in_background(&machine.foreground("here")),
            path_of(name).display(),
            match kind {
                ServerKind::Haproxy => "-W -db -f",
                _ => "-c",
            },
            theirs.display(),
            ports[0],
            ports[1],
            ports[0],
            ports[1],
        ));
        let [ours, old] = [format!("{} new", ports[0]), format!("{} old", ports[1])];
        observed.assert_lines(&["exit 7", &ours, &old, "after 2"]);
        assert!(
            !observed.run.stdout.contains("written-by-a-test"),
            "{observed}"
        );
        let (message, severity) = observed.finding("process-not-reached");
        assert!(
            message.contains("another user runs it") && severity == "error",
            "{message}"
        );
    }
}

#[test]
fn the_check_reports_masters_that_cannot_be_probed() {
    let machine = Machine::new(ServerKind::Nginx);
    let port = free_port();
    machine.configure("here", &[port]);
    machine.configure("there", &[port]);
    let observed = machine.run(&format!(
        "{}
         unshare -n sh -c 'ip link set lo up; exec {}' >>log 2>&1 &
         there=$!
         wait_for {port}; wait_for {port} $there
         certctl install {NEW} >first || true
         certctl install --check example.com --json >output || echo \"exit $?\"",
        in_background(&machine.foreground("here")),
        machine.foreground("there"),
    ));
    observed.assert_lines(&["exit 1"]);
    assert_eq!(
        codes(observed.document()),
        ["process-not-reached"],
        "{observed}"
    );
}
