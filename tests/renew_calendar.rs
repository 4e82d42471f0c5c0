//! Two years of certificates that are valid for 47 days, with a minute for each day: sixteen renewals by the
//! timer's command, and one failure of each kind in between. With the real pebble, nginx and knot on
//! loopback; certctl's clock is moved with `--at`.
//! Needs: bash ip knotd nginx pebble strace unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use support::Run;
use support::dns::in_own_network;
use support::external::external_program;
use support::install_sandbox::link;
use support::json::Json;
use support::nginx::Nginx;
use support::order_lab::{NAMES, OrderLab, verdict};
use support::pebble::PebbleOptions;
use support::program::program;
use support::visitors::Visitors;

/// A certificate is valid for this many minutes, one for each day.
const MINUTES: i64 = 47;
/// The renewals of two years.
const RENEWALS: usize = 16;
const LIVE: &str = "tree/etc/ssl/certctl/shop.example/live";
const CREDENTIALS: &str = "tree/etc/certctl/credentials.toml";
/// The calls that flush a file, which fail where the disk is full.
const FULL_DISK: &str = "inject=fsync,fdatasync:error=ENOSPC:when=";

/// What prevents a renewal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Failure {
    NoDns,
    NoCa,
    WrongCredentials,
    BrokenServer,
    /// From this flush on.
    FullDisk(u8),
    /// Once the CA has the order.
    Killed,
}

const FAILURES: [Failure; 7] = [
    Failure::NoDns,
    Failure::NoCa,
    Failure::WrongCredentials,
    Failure::BrokenServer,
    Failure::FullDisk(1),
    Failure::FullDisk(8),
    Failure::Killed,
];

struct Calendar {
    lab: OrderLab,
    nginx: Nginx,
}

impl Calendar {
    /// Orders the first certificate, with records, for a site that nginx serves.
    fn start() -> Self {
        let options = PebbleOptions {
            certificate_seconds: u64::try_from(MINUTES * 60).unwrap(),
            ..PebbleOptions::default()
        };
        let lab = OrderLab::start(0, options);
        let placeholder = ["install", "--placeholder", NAMES[0], NAMES[1]];
        let words = [&["--root", "tree"], &placeholder[..]].concat();
        lab.sandbox.run(&words).expect(0);
        // Its workers run as the only user that the namespace has.
        let folder = lab.sandbox.join("nginx");
        let nginx = Nginx::start_as_user(&folder, &lab.both_blocks(), &[]);
        let config = nginx.config().display().to_string();
        let server = ["--server", "nginx", "--server-config", &config];
        lab.sandbox.run(&[&words[..], &server].concat()).expect(0);
        let records = ["--dns", "rfc2136", "--agree-tos", "--json"];
        let ordered = lab.order_names(&NAMES, &records).expect(0).json();
        assert_eq!(verdict(&ordered), "live", "{ordered}");
        Self { lab, nginx }
    }

    /// The command of the timer, at a time.
    fn words(at: Timestamp) -> Vec<String> {
        let words = ["--root", "tree", "--at", &at.to_string(), "renew", "--json"];
        words.map(str::to_owned).to_vec()
    }

    fn renew(&self, at: Timestamp) -> Run {
        let words = Self::words(at);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.lab.sandbox.run(&words)
    }

    /// When the served certificate is due, and when it expires.
    fn dates(&self) -> (Timestamp, Timestamp) {
        let file = format!("{LIVE}/cert.pem");
        let inspected = self.lab.sandbox.run(&["inspect", &file, "--json"]);
        let document = inspected.expect(0).json();
        let time = |field: &str| -> Timestamp {
            document["items"][0][field]
                .as_str()
                .unwrap()
                .parse()
                .unwrap()
        };
        let (start, end) = (time("not_before"), time("not_after"));
        (start + end.duration_since(start) * 2 / 3, end)
    }

    fn live(&self) -> String {
        link(&self.lab.sandbox, LIVE)
    }

    fn count(&self, text: &str) -> usize {
        self.lab.pebble.log().matches(text).count()
    }

    /// The timer's run fails at this time; the cause is gone afterwards.
    fn fail(&self, failure: Failure, at: Timestamp) {
        match failure {
            Failure::NoDns => self.fail_without(self.lab.resolver, at),
            Failure::NoCa => self.fail_without(self.lab.pebble.ip(), at),
            Failure::WrongCredentials => {
                let right = self.lab.sandbox.read(CREDENTIALS);
                let secret = right.split("tsig_secret = \"").nth(1).unwrap();
                let secret = secret.split('"').next().unwrap();
                let wrong = right.replace(secret, "d3JvbmcgYnV0IHdlbGwgZm9ybWVkIHNlY3JldCEhISE=");
                self.lab.sandbox.write_key(CREDENTIALS, wrong);
                self.expect_failure(&self.renew(at));
                self.lab.sandbox.write_key(CREDENTIALS, right);
            }
            Failure::BrokenServer => {
                let right = std::fs::read_to_string(self.nginx.config()).unwrap();
                let wrong = right.replace("server_name", "server_nam");
                std::fs::write(self.nginx.config(), wrong).unwrap();
                self.expect_failure(&self.renew(at));
                std::fs::write(self.nginx.config(), right).unwrap();
            }
            Failure::FullDisk(first) => self.fail_on_full_disk(first, at),
            Failure::Killed => self.kill(at),
        }
    }

    fn expect_failure(&self, run: &Run) {
        assert!([1, 3, 4, 5].contains(&run.code), "{run}");
    }

    /// Nothing reaches the server at this address.
    fn fail_without(&self, ip: IpAddr, at: Timestamp) {
        let route = |action: &str| {
            let mut command = external_program("ip");
            let target = format!("{ip}/32");
            command.args(["route", action, "unreachable", &target, "table", "local"]);
            assert!(command.status().unwrap().success());
        };
        route("add");
        let run = self.renew(at);
        route("del");
        self.expect_failure(&run);
    }

    fn fail_on_full_disk(&self, first: u8, at: Timestamp) {
        let output = external_program("strace")
            .args(["-f", "-qq", "-e", "trace=fsync,fdatasync"])
            .args(["-o", "/dev/null", "-e", &format!("{FULL_DISK}{first}+")])
            .arg(program())
            .args(self.lab.sandbox.command(&[]).get_args())
            .args(Self::words(at))
            .current_dir(self.lab.sandbox.path())
            .output()
            .unwrap();
        assert_ne!(output.status.code(), Some(0), "{output:?}");
    }

    /// Ends the run once the journal has the order.
    fn kill(&self, at: Timestamp) {
        let words = Self::words(at);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command: Command = self.lab.sandbox.command(&words);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        let is_placed = || {
            let journal = self.journal();
            journal.is_some_and(|entry| entry.get("order").is_some())
        };
        while !is_placed() {
            assert!(Instant::now() < deadline, "nothing was ordered");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The entry of the order that is not finished.
    fn journal(&self) -> Option<Json> {
        let mut files = self.lab.state("orders");
        files.retain(|path| path.extension().is_some_and(|suffix| suffix == "json"));
        let text = std::fs::read_to_string(files.pop()?).ok()?;
        Some(Json::parse(&text))
    }
}

#[test]
fn two_years_of_renewals_survive_each_failure() {
    const NAME: &str = "two_years_of_renewals_survive_each_failure";
    in_own_network(NAME, || {
        let calendar = Calendar::start();
        let roots = std::fs::read_to_string(calendar.lab.pebble.roots()).unwrap();
        let issuing = roots.rfind("-----BEGIN").unwrap();
        let site = SocketAddr::new(calendar.lab.site, 443);
        let visitors = Visitors::start(&[site], NAMES[1], &roots[issuing..]);
        let mut failures = FAILURES.into_iter();
        for renewal in 1..=RENEWALS {
            let (due, expiry) = calendar.dates();
            let minute = SignedDuration::from_mins(1);
            let nothing = calendar.renew(due - minute).expect(0).json();
            assert_eq!(verdict(&nothing), "nothing-due", "{nothing}");
            let before = calendar.live();
            let mut at = due + minute;
            // Every second renewal, so that the runs after a failure are ordinary ones.
            let failure = if renewal % 2 == 0 {
                failures.next()
            } else {
                None
            };
            if let Some(failure) = failure {
                calendar.fail(failure, at);
                assert_eq!(calendar.live(), before, "{failure:?}");
                // The pause is a quarter of the time that is left.
                at += expiry.duration_since(at) / 4 + minute;
            }
            assert!(at < expiry, "an expired certificate would be served");
            let renewed = calendar.renew(at).expect(0).json();
            assert_eq!(verdict(&renewed), "renewed", "{failure:?}: {renewed}");
            assert_ne!(calendar.live(), before);
            let (_, next_expiry) = calendar.dates();
            assert!(at < next_expiry);
            // One order for each certificate, whatever happened.
            assert_eq!(calendar.count("Added order"), renewal + 1, "{failure:?}");
            assert_eq!(calendar.count("Issued certificate"), renewal + 1);
            for folder in ["orders", "records", "failed-renewals"] {
                let none = Vec::<PathBuf>::new();
                assert_eq!(calendar.lab.state(folder), none, "{failure:?}");
            }
        }
        assert_eq!(failures.next(), None, "not every failure happened");
        visitors.assert_no_failure();
    });
}
