//! `certctl install` on a machine that a real systemd runs: a server is reloaded by the unit that
//! runs it, and only by that; no request fails; whatever ran before runs afterwards, exactly once.
//! Needs: nginx apache2 haproxy unshare nsenter mount openssl setpriv systemd
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::net::SocketAddr;

use support::Run;
use support::any_server::{ServedNames, ServerKind};
use support::install_sandbox::InstallSandbox;
use support::json::Json;
use support::namespace::is_root;
use support::nginx::free_port;
use support::outside::FUNCTIONS;
use support::program::unit_clock;
use support::systemd::SystemdMachine;
use support::visitors::Visitors;

/// The files that the servers read before the install; HAProxy reads the third.
const CHAIN: &str = "site/chain.pem";
const KEY: &str = "site/key.pem";
const BOTH: &str = "site/both.pem";

/// Debian's unit for Apache, with the folder of the test.
const APACHE_UNIT: &str = "[Service]
Type=forking
PIDFile=$FOLDER/apache2.pid
ExecStart=/usr/sbin/apache2 -k start -d $FOLDER -f /etc/apache2/apache2.conf
ExecStop=/usr/sbin/apache2 -k graceful-stop -d $FOLDER -f /etc/apache2/apache2.conf
ExecReload=/usr/sbin/apache2 -k graceful -d $FOLDER -f /etc/apache2/apache2.conf
";

/// A machine with a server that serves example.com at two addresses.
struct Machine {
    systemd: SystemdMachine,
    setup: InstallSandbox,
    kind: ServerKind,
}

impl Machine {
    fn boot(kind: ServerKind) -> Self {
        let setup = InstallSandbox::new();
        setup.write_delivery("old.crt");
        let sandbox = &setup.sandbox;
        let leaf = setup.ca.issue(&sandbox.read("example.com.csr"));
        let chain = leaf + &setup.ca.intermediate_pem();
        let key = sandbox.read("example.com.key");
        sandbox.write(BOTH, format!("{chain}{key}"));
        sandbox.write(CHAIN, chain);
        sandbox.write(KEY, key);
        let systemd = SystemdMachine::boot(sandbox);
        Self {
            systemd,
            setup,
            kind,
        }
    }

    /// The name of the server's process and of its unit.
    fn name(&self) -> &'static str {
        match self.kind {
            ServerKind::Apache => "apache2",
            ServerKind::Haproxy => "haproxy",
            ServerKind::Nginx => "nginx",
        }
    }

    /// Writes a configuration that serves the files at these addresses into `folder`.
    fn configure(&self, folder: &str, addresses: &[SocketAddr]) {
        let sandbox = &self.setup.sandbox;
        let pair = match self.kind {
            ServerKind::Haproxy => (sandbox.join(BOTH), sandbox.join(BOTH)),
            _ => (sandbox.join(CHAIN), sandbox.join(KEY)),
        };
        let site = ServedNames {
            names: "example.com www.example.com",
            at: addresses.to_vec(),
            pairs: vec![pair],
        };
        let folder = sandbox.join(folder);
        self.kind.write(&folder, &[site]);
        if self.kind == ServerKind::Nginx {
            let config = self.kind.config(&folder);
            let text = std::fs::read_to_string(&config).unwrap();
            std::fs::write(&config, text.replace("daemon off;", "")).unwrap();
        }
    }

    /// Commands that put the configuration in `folder` at its usual place, and a unit that reads it.
    fn prepare_unit(&self, folder: &str) -> String {
        let place = self.setup.sandbox.join(folder).display().to_string();
        match self.kind {
            ServerKind::Apache => format!(
                "mkdir -p /etc/apache2; cp {folder}/apache2.conf /etc/apache2/apache2.conf
                 cat >/etc/systemd/system/apache2.service <<'END'
{}END
                 systemctl daemon-reload",
                APACHE_UNIT.replace("$FOLDER", &place)
            ),
            ServerKind::Haproxy => format!("cp {folder}/haproxy.cfg /etc/haproxy/haproxy.cfg"),
            ServerKind::Nginx => format!(
                "sed 's,^pid .*,pid /run/nginx.pid;,' {folder}/nginx.conf >/etc/nginx/nginx.conf"
            ),
        }
    }

    /// The command that starts the server by hand, in the background.
    fn start_by_hand(&self, folder: &str) -> String {
        let place = self.setup.sandbox.join(folder).display().to_string();
        match self.kind {
            ServerKind::Apache => {
                format!("apache2 -k start -d {place} -f {place}/apache2.conf >>log 2>&1")
            }
            ServerKind::Haproxy => {
                format!("haproxy -W -D -f {place}/haproxy.cfg >>log 2>&1")
            }
            ServerKind::Nginx => format!("nginx -c {place}/nginx.conf >>log 2>&1"),
        }
    }

    /// Runs a script that must succeed; its variables are `old`, `live` and `unit`.
    #[track_caller]
    fn run(&self, script: &str) -> Run {
        let live = match self.kind {
            ServerKind::Haproxy => BOTH,
            _ => CHAIN,
        };
        let head = format!(
            "{FUNCTIONS}\nlive={live}; unit={}
             [ -e old-serial ] || serial_of $live >old-serial; old=$(cat old-serial)",
            self.name()
        );
        let run = self
            .systemd
            .run(&self.setup.sandbox, &format!("{head}\n{script}"));
        assert_eq!(run.code, 0, "{run}\n{}", self.journal());
        run
    }

    fn journal(&self) -> Run {
        self.systemd
            .run(&self.setup.sandbox, "cat log; journalctl --no-pager -n 50")
    }

    /// Issues a new certificate and installs it with these options; returns the exit code and the
    /// document.
    #[track_caller]
    fn renew(&self, options: &str) -> (i32, Json) {
        self.setup.write_delivery("new.crt");
        let run = self.run(&format!(
            "code=0; certctl install new.crt --trust root.pem --json {options} >output || code=$?
             echo $code"
        ));
        let document = self.setup.sandbox.read("output");
        let document = document
            .parse()
            .unwrap_or_else(|_| panic!("no document: {document}\n{run}\n{}", self.journal()));
        (run.stdout.trim().parse().unwrap(), document)
    }
}

/// Two addresses of this machine.
fn two_addresses() -> [SocketAddr; 2] {
    let port = free_port();
    [([127, 0, 0, 1], port).into(), ([127, 0, 0, 2], port).into()]
}

fn reloads_of(document: &Json) -> Vec<String> {
    let steps = document["certificates"][0]["plan"]["steps"]
        .as_array()
        .unwrap();
    let reloads = steps.iter().filter(|step| step["step"] == "reload");
    reloads
        .map(|step| step["command"].as_str().unwrap().to_owned())
        .collect()
}

/// Clients connect all the time while the server of a unit gets three certificates, one of which
/// cannot be verified, and then the one before.
fn visit_a_unit(kind: ServerKind) {
    if !is_root() {
        return;
    }
    let machine = Machine::boot(kind);
    let addresses = two_addresses();
    machine.configure("one", &addresses);
    let port = addresses[0].port();
    let before = machine.run(&format!(
        "{}
         systemctl start $unit; wait_for {port}
         systemctl show --property=MainPID,NRestarts $unit; masters $unit",
        machine.prepare_unit("one")
    ));
    let root = machine.setup.sandbox.read("root.pem");
    let visitors = Visitors::start(&addresses, "www.example.com", &root);
    visitors.await_visits(20);
    for _ in 0..2 {
        let (code, document) = machine.renew("");
        assert_eq!(code, 0, "{document}\n{}", machine.journal());
        assert_eq!(document["verdict"], "live", "{document}");
        let reload = format!("systemctl reload {}.service", machine.name());
        assert_eq!(reloads_of(&document), [reload], "{document}");
        visitors.await_visits(20);
    }
    // Nothing listens there, so the new certificate cannot be verified.
    let nowhere = format!("--probe 127.0.0.3:{}", free_port());
    let (code, document) = machine.renew(&nowhere);
    assert_eq!(code, 5, "{document}\n{}", machine.journal());
    visitors.await_visits(20);
    let _ = machine.run("certctl rollback example.com");
    visitors.await_visits(20);
    visitors.assert_no_failure();
    let after = machine.run(
        "systemctl show --property=MainPID,NRestarts $unit; settled $unit 1
         systemctl is-active $unit >&2",
    );
    assert_eq!(after.stdout, before.stdout, "{}", machine.journal());
}

#[test]
fn the_unit_of_apache_is_reloaded() {
    visit_a_unit(ServerKind::Apache);
}

#[test]
fn the_unit_of_haproxy_is_reloaded() {
    visit_a_unit(ServerKind::Haproxy);
}

#[test]
fn the_unit_of_nginx_is_reloaded() {
    visit_a_unit(ServerKind::Nginx);
}

/// Fault A4 under systemd: the unit is installed, but somebody started the server by hand.
#[test]
fn a_unit_that_does_not_run_stays_that_way() {
    if !is_root() {
        return;
    }
    for kind in ServerKind::ALL {
        let machine = Machine::boot(kind);
        let addresses = two_addresses();
        machine.configure("one", &addresses);
        let port = addresses[0].port();
        let _ = machine.run(&format!(
            "{}
             {}; wait_for {port}",
            machine.prepare_unit("one"),
            machine.start_by_hand("one")
        ));
        let (code, document) = machine.renew("");
        assert_eq!(code, 0, "{document}\n{}", machine.journal());
        let reloads = reloads_of(&document);
        assert!(
            reloads.len() == 1 && reloads[0].starts_with("kill -"),
            "{reloads:?}"
        );
        let after = machine.run(&format!(
            "report {port}; settled $unit 1; systemctl is-active $unit || true"
        ));
        assert_eq!(after.stdout, format!("{port} new\n1\ninactive\n"));
    }
}

/// One server of a unit and one that was started by hand read the same files: each is reloaded in
/// its own way, while clients connect to both.
#[test]
fn a_unit_and_a_server_beside_it_are_both_reloaded() {
    if !is_root() {
        return;
    }
    for kind in ServerKind::ALL {
        let machine = Machine::boot(kind);
        let (of_unit, by_hand) = (two_addresses(), two_addresses());
        machine.configure("one", &of_unit);
        machine.configure("two", &by_hand);
        let _ = machine.run(&format!(
            "{}
             systemctl start $unit; {}; wait_for {}; wait_for {}; settled $unit 2",
            machine.prepare_unit("one"),
            machine.start_by_hand("two"),
            of_unit[0].port(),
            by_hand[0].port()
        ));
        let root = machine.setup.sandbox.read("root.pem");
        let all = [of_unit, by_hand].concat();
        let visitors = Visitors::start(&all, "www.example.com", &root);
        visitors.await_visits(10);
        let (code, document) = machine.renew("");
        assert_eq!(code, 0, "{document}\n{}", machine.journal());
        let mut reloads = reloads_of(&document);
        reloads.sort();
        assert!(
            reloads.len() == 2
                && reloads[0].starts_with("kill -")
                && reloads[1] == format!("systemctl reload {}.service", machine.name()),
            "{reloads:?}"
        );
        visitors.await_visits(10);
        let nowhere = format!("--probe 127.0.0.3:{}", free_port());
        let (code, document) = machine.renew(&nowhere);
        assert_eq!(code, 5, "{document}\n{}", machine.journal());
        visitors.await_visits(10);
        visitors.assert_no_failure();
        let after = machine.run("settled $unit 2; systemctl is-active $unit");
        assert_eq!(after.stdout, "2\nactive\n");
    }
}

/// HAProxy without a master is replaced by a new process; two of them with one configuration share
/// the addresses.
#[test]
fn no_request_to_an_haproxy_without_a_master_fails() {
    if !is_root() {
        return;
    }
    for count in [1, 2] {
        let machine = Machine::boot(ServerKind::Haproxy);
        let addresses = two_addresses();
        machine.configure("one", &addresses);
        let port = addresses[0].port();
        let start = "haproxy -D -f $PWD/one/haproxy.cfg >>log 2>&1\n".repeat(count);
        let _ = machine.run(&format!("{start} wait_for {port}; settled $unit {count}"));
        let root = machine.setup.sandbox.read("root.pem");
        let visitors = Visitors::start(&addresses, "www.example.com", &root);
        visitors.await_visits(20);
        for _ in 0..2 {
            let (code, document) = machine.renew("");
            assert_eq!(code, 0, "{document}\n{}", machine.journal());
            visitors.await_visits(20);
        }
        let _ = machine.run("certctl rollback example.com");
        visitors.await_visits(20);
        visitors.assert_no_failure();
        let after = machine.run(
            "settled $unit $count"
                .replace("$count", &count.to_string())
                .as_str(),
        );
        assert_eq!(after.stdout, format!("{count}\n"));
    }
}

/// A unit without ExecReload cannot be reloaded by systemd; its main process can.
#[test]
fn a_unit_without_a_reload_command_is_signalled() {
    if !is_root() {
        return;
    }
    for kind in [ServerKind::Apache, ServerKind::Nginx] {
        let machine = Machine::boot(kind);
        let addresses = two_addresses();
        machine.configure("one", &addresses);
        let port = addresses[0].port();
        let before = machine.run(&format!(
            "{}
             systemctl cat $unit | grep -v ExecReload >unit
             cp unit /etc/systemd/system/$unit.service; systemctl daemon-reload
             systemctl start $unit; wait_for {port}; systemctl show --property=MainPID $unit",
            machine.prepare_unit("one")
        ));
        let (code, document) = machine.renew("");
        assert_eq!(code, 0, "{document}\n{}", machine.journal());
        assert!(reloads_of(&document)[0].starts_with("kill -"), "{document}");
        let after = machine.run("systemctl show --property=MainPID $unit");
        assert_eq!(after.stdout, before.stdout);
    }
}

/// A reload that fails is rolled back; the unit still runs the process that it ran before.
#[test]
fn a_failed_reload_of_a_unit_is_rolled_back() {
    if !is_root() {
        return;
    }
    for kind in ServerKind::ALL {
        let machine = Machine::boot(kind);
        let addresses = two_addresses();
        machine.configure("one", &addresses);
        let port = addresses[0].port();
        let before = machine.run(&format!(
            "{}
             mkdir -p /etc/systemd/system/$unit.service.d
             printf '[Service]\\nExecReload=\\nExecReload=/bin/sh -c \"echo broken; exit 1\"\\n' \\
               >/etc/systemd/system/$unit.service.d/reload.conf
             systemctl daemon-reload; systemctl start $unit; wait_for {port}
             systemctl show --property=MainPID,ActiveState $unit",
            machine.prepare_unit("one")
        ));
        let (code, document) = machine.renew("");
        assert_eq!(code, 6, "{document}\n{}", machine.journal());
        let after = machine.run(&format!(
            "systemctl show --property=MainPID,ActiveState $unit; report {port}"
        ));
        assert_eq!(after.stdout, format!("{}{port} old\n", before.stdout));
    }
}

/// systemd makes a unit from a service script where there is no other.
#[test]
fn a_service_script_is_reloaded_by_systemd() {
    if !is_root() {
        return;
    }
    for kind in [ServerKind::Haproxy, ServerKind::Nginx] {
        let machine = Machine::boot(kind);
        let addresses = two_addresses();
        machine.configure("one", &addresses);
        let port = addresses[0].port();
        let started = machine.run(&format!(
            "{}
             rm /lib/systemd/system/$unit.service; systemctl daemon-reload
             systemctl start $unit; wait_for {port}
             systemctl show --property=SourcePath --value $unit",
            machine.prepare_unit("one")
        ));
        assert_eq!(started.stdout, format!("/etc/init.d/{}\n", machine.name()));
        let root = machine.setup.sandbox.read("root.pem");
        let visitors = Visitors::start(&addresses, "www.example.com", &root);
        visitors.await_visits(10);
        let (code, document) = machine.renew("");
        assert_eq!(code, 0, "{document}\n{}", machine.journal());
        let reload = format!("systemctl reload {}.service", machine.name());
        assert_eq!(reloads_of(&document), [reload]);
        visitors.await_visits(10);
        visitors.assert_no_failure();
        let after = machine.run("settled $unit 1; systemctl is-active $unit");
        assert_eq!(after.stdout, "1\nactive\n");
    }
}

/// The unit that reports what needs action runs with the privileges that it leaves itself. It has
/// its own /tmp, so the server reads other files here.
#[test]
fn the_unit_of_status_reports_what_is_due() {
    if !is_root() {
        return;
    }
    let machine = Machine::boot(ServerKind::Nginx);
    let addresses = two_addresses();
    machine.configure("one", &addresses);
    let port = addresses[0].port();
    let unit = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/packaging/systemd/certctl-status.service"
    );
    let copy = machine.setup.sandbox.join("certctl-status.service");
    std::fs::copy(unit, copy).unwrap();
    machine.setup.write_delivery("new.crt");
    let _ = machine.run(&format!(
        "{}
         mkdir /srv/site; cp site/* root.pem /srv/site
         sed -i \"s,$PWD/site,/srv/site,\" /etc/nginx/nginx.conf
         systemctl start $unit; wait_for {port}
         sed '/^OnFailure/d' certctl-status.service >/etc/systemd/system/certctl-status.service
         cp \"$CERTCTL\" /usr/local/bin/certctl; {}systemctl daemon-reload
         certctl install new.crt --trust /srv/site/root.pem",
        machine.prepare_unit("one"),
        unit_clock("certctl-status.service")
    ));
    let report = "code=0; systemctl start certctl-status || code=$?; echo $code
         journalctl --no-pager -o cat _SYSTEMD_UNIT=certctl-status.service";
    let fine = machine.run(report);
    assert_eq!(fine.stdout, "0\n", "nothing needs action");
    let due = machine.run(&format!(
        "sed -i 's/status -q$/& --renew-before 9000d/' /etc/systemd/system/certctl-status.service
         systemctl daemon-reload; {report}"
    ));
    assert!(
        due.stdout.starts_with("1\n") && due.stdout.contains("certctl renew example.com"),
        "{due}"
    );
    // A test that fails in this unit is no evidence.
    let failing = machine.run(&format!(
        "sed -i \"s,/srv/site,$PWD/site,\" /etc/nginx/nginx.conf; {report}"
    ));
    assert!(!failing.stdout.contains("failed"), "{failing}");
}
