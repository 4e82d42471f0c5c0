//! `certctl renew` run by its timer on a machine that a real systemd runs, with the real pebble, nginx and
//! knot on loopback.
//! Needs: bash ip knotd nginx pebble unshare nsenter mount setpriv systemd
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::net::SocketAddr;

use support::Run;
use support::dns::with_port_53;
use support::install_sandbox::codes;
use support::json::Json;
use support::namespace::is_root;
use support::nginx::write_config;
use support::order_lab::{NAMES, OrderLab, verdict};
use support::pebble::PebbleOptions;
use support::program::unit_clock;
use support::systemd::SystemdMachine;
use support::visitors::Visitors;

/// Starts nginx with the sandbox's configuration, with a placeholder.
const START_NGINX: &str = "
certctl install --placeholder shop.example www.shop.example --server none >/dev/null
sed 's,^pid .*,pid /run/nginx.pid;,; s/^daemon off;//' nginx/nginx.conf >/etc/nginx/nginx.conf
systemctl start nginx";

/// Installs the units; the service sees the sandbox, although it has its own /tmp.
const INSTALL_UNITS: &str = "
cp \"$CERTCTL\" /usr/local/bin/certctl
cp certctl-renew.service certctl-renew.timer /etc/systemd/system/
mkdir -p /etc/systemd/system/certctl-renew.service.d /etc/systemd/system/certctl-renew.timer.d
printf '[Service]\\nBindPaths=%s\\n' \"$PWD\" >/etc/systemd/system/certctl-renew.service.d/sandbox.conf
printf '[Timer]\\nOnCalendar=\\nOnActiveSec=1s\\nRandomizedDelaySec=0\\nAccuracySec=10ms\\n' \
  >/etc/systemd/system/certctl-renew.timer.d/soon.conf
systemctl daemon-reload";

/// The command that starts the timer, at the next boot too.
const ENABLE: &str = "sudo systemctl enable --now certctl-renew.timer";

/// What the service has printed, and the live release.
const REPORT: &str = "
journalctl --no-pager -o cat _SYSTEMD_UNIT=certctl-renew.service >&2
readlink /etc/ssl/certctl/shop.example/live";

fn packaged(lab: &OrderLab, name: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/systemd");
    let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
    lab.sandbox.write(name, text);
}

/// Runs a script that must succeed.
#[track_caller]
fn run(machine: &SystemdMachine, lab: &OrderLab, script: &str) -> Run {
    let run = machine.run(&lab.sandbox, script);
    if run.code == 0 {
        return run;
    }
    let log = machine.run(&lab.sandbox, "journalctl --no-pager -n 60");
    panic!("{run}\n{log}");
}

/// Returns whether `status` reports that nothing renews.
fn warns(machine: &SystemdMachine, lab: &OrderLab) -> bool {
    let script = "certctl status --json || [ $? = 1 ]";
    codes(&run(machine, lab, script).json()).contains(&"no-timer")
}

fn issued(lab: &OrderLab) -> usize {
    lab.pebble.log().matches("Issued certificate").count()
}

#[test]
fn the_timer_renews_and_no_request_is_lost() {
    const NAME: &str = "the_timer_renews_and_no_request_is_lost";
    if !is_root() {
        return;
    }
    with_port_53(NAME, || {
        let lab = OrderLab::start(4, PebbleOptions::default());
        for name in ["certctl-renew.service", "certctl-renew.timer"] {
            packaged(&lab, name);
        }
        let roots = std::fs::read_to_string(lab.pebble.roots()).unwrap();
        lab.sandbox.write("roots.pem", &roots);
        write_config(&lab.sandbox.join("nginx"), &lab.blocks_in("/"));
        let machine = SystemdMachine::boot(&lab.sandbox);
        run(&machine, &lab, START_NGINX);
        let clock = unit_clock("certctl-renew.service");
        run(&machine, &lab, &format!("{clock}{INSTALL_UNITS}"));
        let order = format!(
            "certctl order {} --ca {} --trust roots.pem --resolver {} --webroot $PWD/webroot \
             --agree-tos --json",
            NAMES.join(" "),
            lab.pebble.directory(),
            lab.resolver()
        );
        let ordered: Json = run(&machine, &lab, &order).json();
        assert_eq!(verdict(&ordered), "live", "{ordered}");
        let next = ordered["next"].as_array().unwrap();
        assert_eq!(next.last().unwrap()["command"], ENABLE, "{ordered}");

        let site = SocketAddr::new(lab.site, 443);
        let issuing = roots.rfind("-----BEGIN").unwrap();
        let visitors = Visitors::start(&[site], NAMES[1], &roots[issuing..]);
        visitors.await_visits(20);
        assert!(warns(&machine, &lab));
        run(&machine, &lab, ENABLE.trim_start_matches("sudo "));
        assert!(!warns(&machine, &lab));
        let before = run(
            &machine,
            &lab,
            &format!("systemctl start certctl-renew.service{REPORT}"),
        );
        assert_eq!(issued(&lab), 1, "nothing is due: {before}");

        // From now on everything is due.
        let timed = run(
            &machine,
            &lab,
            &format!(
                "mkdir -p /etc/certctl; echo 'renew_before = \"9000d\"' >/etc/certctl/config.toml
                 systemctl start certctl-renew.timer
                 for attempt in $(seq 600); do
                   [ \"$(readlink /etc/ssl/certctl/shop.example/live)\" = '{}' ] || break; sleep 0.1
                 done
                 systemctl stop certctl-renew.timer
                 for attempt in $(seq 300); do
                   [ \"$(systemctl is-active certctl-renew.service)\" = activating ] || break; sleep 0.1
                 done
                 systemctl show --property=Result,ExecMainStatus certctl-renew.service >&2{REPORT}",
                before.stdout.trim()
            ),
        );
        assert_ne!(timed.stdout, before.stdout, "{timed}");
        assert_eq!(issued(&lab), 2, "{timed}");
        assert!(timed.stderr.contains("Result=success"), "{timed}");
        assert!(timed.stderr.contains("ExecMainStatus=0"), "{timed}");
        visitors.await_visits(20);
        visitors.assert_no_failure();
        run(&machine, &lab, "certctl install --check");
    });
}
