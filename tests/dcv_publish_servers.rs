//! Tests `certctl dcv-publish` with BIND's named, and with servers of one zone that do not agree.
//! Needs: ip kdig knotd named unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::Run;
use support::dns::{NameServer, ZONE, in_own_network, port_53};
use support::external::test_python;
use support::updatable_zone::{CHALLENGE, UpdatableZone, codes, verdict};

/// A zone that the key may change as a manual would set it up.
const UPDATABLE: &str = "zone shop.example { type primary; file \"FOLDER/zone\"; \
    update-policy { grant certctl zonesub TXT CNAME; }; };";

fn publish(zone: &UpdatableZone, record: &str, more: &[&str]) -> Run {
    let args = ["--dns", "rfc2136", "--record", record];
    zone.publish(&[&args[..], more].concat())
}

#[test]
fn bind_publishes_and_removes_exactly_one_value() {
    in_own_network("bind_publishes_and_removes_exactly_one_value", || {
        let zone =
            UpdatableZone::start_named(0, "_acme-challenge TXT other\n_t TXT text", UPDATABLE);
        let long = "x".repeat(300);
        for value in ["first", &long] {
            let run = publish(&zone, &format!("{CHALLENGE} TXT {value}"), &[]).expect(0);
            assert_eq!(verdict(&run), "published");
        }
        let removed = zone.publish(&[ZONE, "--remove"]).expect(0);
        assert_eq!(verdict(&removed), "removed");
        assert_eq!(zone.values("TXT", CHALLENGE), ["other"]);
        // named would report success for a CNAME beside a TXT record, and store nothing.
        let run = publish(&zone, &format!("_t.{ZONE} CNAME a.example.org"), &[]).expect(1);
        assert_eq!(codes(&run.json()), ["record-conflict"]);
        assert_eq!(zone.values("TXT", &format!("_t.{ZONE}")), ["text"]);
    });
}

#[test]
fn errors_of_bind_name_their_cause() {
    in_own_network("errors_of_bind_name_their_cause", || {
        let record = format!("{CHALLENGE} TXT first");
        let limited = UPDATABLE.replace("zonesub TXT CNAME", "name other.shop.example TXT");
        let zone = UpdatableZone::start_named(1, "", &limited);
        let run = publish(&zone, &record, &[]).expect(4);
        assert!(run.stdout.contains("answered REFUSED"), "{run}");
        assert!(run.stdout.contains("update-policy"), "{run}");
        assert!(zone.values("TXT", CHALLENGE).is_empty());
        // The server certainly did nothing, so that there is nothing to remove.
        zone.publish(&[ZONE, "--remove"]).expect(3);

        zone.write_credentials("d3Jvbmcgc2VjcmV0");
        let run = publish(&zone, &record, &[]).expect(4);
        assert!(run.stdout.contains("BADSIG"), "{run}");

        // Another server, which does not have the zone.
        let elsewhere = port_53(2, 1);
        let other = "zone shop.example.net { type primary; file \"FOLDER/zone\"; };";
        let _other = NameServer::named(
            &[elsewhere],
            "ns1 A 127.0.0.1\nns2 A 127.0.0.1",
            &zone.key,
            other,
        );
        let text = format!(
            "[dns.rfc2136]\nnameserver = \"{elsewhere}\"\ntsig_key = \"certctl\"\ntsig_secret = \"{}\"\n",
            zone.key.secret
        );
        zone.sandbox
            .write_key("tree/etc/certctl/credentials.toml", text);
        let run = publish(&zone, &record, &[]).expect(4);
        assert!(
            run.stdout.contains("answered REFUSED") || run.stdout.contains("answered NOTAUTH"),
            "{run}"
        );
        assert!(zone.values("TXT", CHALLENGE).is_empty());
    });
}

#[test]
fn success_of_a_server_that_changes_another_copy_is_no_proof() {
    let name = "success_of_a_server_that_changes_another_copy_is_no_proof";
    in_own_network(name, || {
        // With the key, certctl reads and changes a view that other clients do not see.
        let views = format!(
            "view inside {{ match-clients {{ key certctl; }}; {UPDATABLE} }};\n\
             view outside {{ zone shop.example {{ type primary; file \"FOLDER/other-zone\"; }}; }};"
        );
        let zone = UpdatableZone::start_named(2, "", &views);
        let run = publish(&zone, &format!("{CHALLENGE} TXT first"), &["--wait=1s"]).expect(1);
        assert_eq!(verdict(&run), "not-visible");
        assert!(zone.values("TXT", CHALLENGE).is_empty());
    });
}

/// A fake name server: it answers every message with NOERROR and the right signature, and stores nothing.
const FORGETFUL_SERVER: &str = r#"
import socket, sys
import dns.message, dns.tsigkeyring
keys = dns.tsigkeyring.from_text({sys.argv[1]: sys.argv[2]})
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    data, client = server.recvfrom(65535)
    message = dns.message.from_wire(data, keyring=keys)
    print(message.opcode(), flush=True)
    server.sendto(dns.message.make_response(message).to_wire(), client)
"#;

#[test]
fn success_of_a_server_that_stores_nothing_is_no_proof() {
    in_own_network(
        "success_of_a_server_that_stores_nothing_is_no_proof",
        || {
            let zone = UpdatableZone::start_named(7, "", UPDATABLE);
            let mut server = Command::new(test_python())
                .args(["-c", FORGETFUL_SERVER, zone.key.name, &zone.key.secret])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
            let port = lines.next().unwrap().unwrap();
            let credentials = format!(
                "[dns.rfc2136]\nnameserver = \"127.0.0.1:{port}\"\ntsig_key = \"{}\"\n\
             tsig_secret = \"{}\"\n",
                zone.key.name, zone.key.secret
            );
            let path = "tree/etc/certctl/credentials.toml";
            zone.sandbox.write_key(path, credentials);
            let run = publish(&zone, &format!("{CHALLENGE} TXT first"), &["--wait=1s"]).expect(1);
            server.kill().unwrap();
            server.wait().unwrap();
            assert_eq!(verdict(&run), "not-visible");
            assert!(
                codes(&run.json()).contains(&"provider-did-nothing"),
                "{run}"
            );
            assert!(zone.values("TXT", CHALLENGE).is_empty());
            let is_update = |line: &String| line.contains("UPDATE") || line == "5";
            assert!(
                lines.map_while(Result::ok).any(|line| is_update(&line)),
                "no update arrived"
            );
        },
    );
}

#[test]
fn answers_that_need_tcp_are_complete() {
    in_own_network("answers_that_need_tcp_are_complete", || {
        let others: String = (0..60)
            .map(|number| format!("_acme-challenge TXT \"{number} {}\"\n", "x".repeat(200)))
            .collect();
        let zone = UpdatableZone::start_named(3, &others, UPDATABLE);
        let run = publish(&zone, &format!("{CHALLENGE} TXT first"), &[]).expect(0);
        assert_eq!(verdict(&run), "published");
        assert_eq!(zone.values("TXT", CHALLENGE).len(), 61);
        let again = publish(&zone, &format!("{CHALLENGE} TXT first"), &[]).expect(0);
        assert_eq!(verdict(&again), "unchanged");
        let removed = zone.publish(&[ZONE, "--remove"]).expect(0);
        assert_eq!(verdict(&removed), "removed");
        assert_eq!(zone.values("TXT", CHALLENGE).len(), 60);
    });
}

#[test]
fn a_slow_secondary_is_awaited() {
    in_own_network("a_slow_secondary_is_awaited", || {
        let (zone, mut secondary) = UpdatableZone::start_apart(4);
        let record = format!("{CHALLENGE} TXT first");
        let args = ["--dns", "rfc2136", "--record", &record, "--wait=60s"];
        let mut command = zone.command(&args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let [primary, second] = zone.servers;
        while zone.values_at(primary, "TXT", CHALLENGE).is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_secs(3));
        let hosts = format!("ns1 A {}\nns2 A {}\n", primary.ip(), second.ip());
        secondary.publish(&format!("{hosts}_acme-challenge TXT first"), 2);
        let run = zone.sandbox.wait_for(child).expect(0);
        assert_eq!(verdict(&run), "published");
    });
}

/// One address behind which two servers answer in turns, as behind an anycast address.
struct AlternatingServers {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl AlternatingServers {
    fn start(address: SocketAddr, servers: [SocketAddr; 2]) -> Self {
        let socket = UdpSocket::bind(address).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            let mut turns = servers.iter().cycle();
            while !is_over.load(Ordering::Relaxed) {
                let Ok((length, client)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                let server = UdpSocket::bind((address.ip(), 0)).unwrap();
                server
                    .set_read_timeout(Some(Duration::from_secs(5)))
                    .unwrap();
                server
                    .send_to(&buffer[..length], turns.next().unwrap())
                    .unwrap();
                if let Ok(length) = server.recv(&mut buffer) {
                    socket.send_to(&buffer[..length], client).unwrap();
                }
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for AlternatingServers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn a_record_that_alternating_servers_have_is_not_published() {
    let name = "a_record_that_alternating_servers_have_is_not_published";
    in_own_network(name, || {
        let anycast = port_53(2, 50);
        let (zone, stale) = UpdatableZone::start_behind(5, anycast);
        let updated = zone.servers[0];
        let servers = AlternatingServers::start(anycast, [updated, stale.address]);
        let record = format!("{CHALLENGE} TXT first");
        for _ in 0..5 {
            let run = publish(&zone, &record, &["--wait=2s"]).expect(1);
            assert_eq!(verdict(&run), "not-visible");
        }
        drop(servers);
        // The same, where both have the record.
        let _servers = AlternatingServers::start(anycast, [updated, updated]);
        let run = publish(&zone, &record, &["--wait=2s"]).expect(0);
        assert_eq!(verdict(&run), "unchanged");
    });
}

#[test]
fn credentials_are_read_from_files_that_the_environment_names() {
    let name = "credentials_are_read_from_files_that_the_environment_names";
    in_own_network(name, || {
        let zone = UpdatableZone::start_named(6, "", UPDATABLE);
        let credentials = zone.sandbox.join("tree/etc/certctl/credentials.toml");
        std::fs::remove_file(credentials).unwrap();
        let server = zone.servers[0].to_string();
        let secret = format!("\u{feff}{}\r\n", zone.key.secret);
        for (number, variable) in ["RFC2136_TSIG_SECRET_FILE", "CREDENTIALS_DIRECTORY"]
            .iter()
            .enumerate()
        {
            let file = zone
                .sandbox
                .write_key("credentials/RFC2136_TSIG_SECRET", &secret);
            let value = if number == 0 {
                file.as_path()
            } else {
                file.parent().unwrap()
            };
            let record = format!("{CHALLENGE} TXT value{number}");
            let mut command = zone.command(&["--dns", "rfc2136", "--record", &record]);
            command
                .env("RFC2136_NAMESERVER", &server)
                .env("RFC2136_TSIG_KEY", "certctl")
                .env(variable, value);
            let run = zone.sandbox.run_command(command).expect(0);
            assert_eq!(verdict(&run), "published");
        }
        // A file that every user may write is not used.
        let file = zone
            .sandbox
            .write("credentials/RFC2136_TSIG_SECRET", &secret);
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o666))
            .unwrap();
        let record = format!("{CHALLENGE} TXT value2");
        let mut command = zone.command(&["--dns", "rfc2136", "--record", &record]);
        command
            .env("RFC2136_NAMESERVER", &server)
            .env("RFC2136_TSIG_KEY", "certctl")
            .env("RFC2136_TSIG_SECRET_FILE", &file);
        let run = zone.sandbox.run_command(command).expect(3);
        assert!(run.stdout.contains("mode 0666"), "{run}");
    });
}
