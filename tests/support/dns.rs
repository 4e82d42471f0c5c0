//! Starts real name servers (knot, unbound) on loopback for tests.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use tempfile::TempDir;

use super::external::{external_program, succeed};

/// The zone of all tests that use these servers.
pub const ZONE: &str = "shop.example";

/// A server process, which is ended when the value is dropped.
pub struct NameServer {
    child: Child,
    folder: TempDir,
    pub address: SocketAddr,
}

impl NameServer {
    /// Starts knot on a free port of 127.0.0.1, with `records` in [`ZONE`].
    pub fn knot(records: &str) -> Self {
        Self::knot_at(&[free_port()], records, "")
    }

    /// Starts knot at these addresses; `zone_options` are further lines of its zone section.
    pub fn knot_at(addresses: &[SocketAddr], records: &str, zone_options: &str) -> Self {
        Self::knot_serving(addresses, ZONE, Some(records), zone_options)
    }

    /// Starts knot for `zone`; without records the zone has no file, so knot cannot serve it.
    pub fn knot_serving(
        addresses: &[SocketAddr],
        zone: &str,
        records: Option<&str>,
        zone_options: &str,
    ) -> Self {
        let folder = folder();
        let path = folder.path().display();
        let listen: Vec<String> = addresses
            .iter()
            .map(|address| format!("\"{}@{}\"", address.ip(), address.port()))
            .collect();
        let config = format!(
            "server:\n  rundir: \"{path}\"\n  listen: [ {} ]\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
             database:\n  storage: \"{path}\"\nlog:\n  - target: stderr\n    any: warning\n\
             zone:\n  - domain: {zone}\n    file: \"{path}/zone\"\n    zonefile-sync: -1\n    journal-content: none\n{zone_options}",
            listen.join(", ")
        );
        std::fs::write(folder.path().join("knot.conf"), config).unwrap();
        if let Some(records) = records {
            std::fs::write(folder.path().join("zone"), zone_text(zone, records, 1)).unwrap();
        }
        let mut command = external_program("knotd");
        command.arg("-c").arg(folder.path().join("knot.conf"));
        Self::started(command, folder, addresses[0])
    }

    /// Starts knot at these addresses with a TSIG key that may update [`ZONE`], and `records` in it.
    /// `update_rule` is the rest of the rule for the key, such as `update-type: [TXT]`.
    pub fn knot_with_updates(
        addresses: &[SocketAddr],
        records: &str,
        key: &TsigKey,
        update_rule: &str,
    ) -> Self {
        let folder = folder();
        let path = folder.path().display();
        let listen: Vec<String> = addresses
            .iter()
            .map(|address| format!("\"{}@{}\"", address.ip(), address.port()))
            .collect();
        let TsigKey { name, secret } = key;
        let config = format!(
            "server:\n  rundir: \"{path}\"\n  listen: [ {} ]\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
             database:\n  storage: \"{path}\"\nlog:\n  - target: stderr\n    any: info\n\
             key:\n  - id: {name}\n    algorithm: hmac-sha256\n    secret: {secret}\n\
             acl:\n  - id: updates\n    key: {name}\n    action: [update, query]\n{update_rule}\
             zone:\n  - domain: {ZONE}\n    file: \"{path}/zone\"\n    zonefile-sync: -1\n    journal-content: none\n    acl: updates\n",
            listen.join(", ")
        );
        std::fs::write(folder.path().join("knot.conf"), config).unwrap();
        std::fs::write(folder.path().join("zone"), zone_text(ZONE, records, 1)).unwrap();
        let mut command = external_program("knotd");
        command.arg("-c").arg(folder.path().join("knot.conf"));
        Self::started(command, folder, addresses[0])
    }

    /// Starts BIND's named at these addresses; `zones` are the zone statements of its configuration
    /// (`view` statements too), in which `FOLDER` stands for the folder with the file `zone`. named
    /// listens only at addresses that an interface has, which [`in_own_network`] allows to add.
    pub fn named(addresses: &[SocketAddr], records: &str, key: &TsigKey, zones: &str) -> Self {
        for address in addresses {
            let address = format!("{}/32", address.ip());
            let mut command = external_program("ip");
            succeed(command.args(["address", "add", &address, "dev", "lo"]));
        }
        let folder = folder();
        let path = folder.path().display();
        let listen: String = addresses
            .iter()
            .map(|address| format!("{}; ", address.ip()))
            .collect();
        let config = format!(
            "options {{ directory \"{path}\"; pid-file none; session-keyfile none; recursion no; dnssec-validation no; \
             notify no; listen-on-v6 {{ none; }}; listen-on {{ {listen} }}; }};\ncontrols {{ }};\n\
             key \"{}\" {{ algorithm hmac-sha256; secret \"{}\"; }};\n{}\n",
            key.name,
            key.secret,
            zones.replace("FOLDER", &path.to_string())
        );
        std::fs::write(folder.path().join("named.conf"), config).unwrap();
        for name in ["zone", "other-zone"] {
            std::fs::write(folder.path().join(name), zone_text(ZONE, records, 1)).unwrap();
        }
        let mut command = external_program("named");
        command.args(["-g", "-n", "1", "-c"]);
        command.arg(folder.path().join("named.conf"));
        Self::started(command, folder, addresses[0])
    }

    /// Starts unbound at `address`; it resolves [`ZONE`] at `stub`, and no other zone.
    /// `server_options` are further lines of its server section.
    pub fn unbound(address: SocketAddr, stub: SocketAddr, server_options: &str) -> Self {
        let folder = folder();
        let path = folder.path().display();
        let config = format!(
            "server:\n  interface: {}@{}\n  username: \"\"\n  chroot: \"\"\n  directory: \"{path}\"\n  pidfile: \"\"\n  use-syslog: no\n\
             \x20 do-daemonize: no\n  do-not-query-localhost: no\n  access-control: 127.0.0.0/8 allow_snoop\n  num-threads: 1\n\
             \x20 local-zone: \".\" static\n  local-zone: \"{ZONE}.\" transparent\n{server_options}\
             stub-zone:\n  name: {ZONE}\n  stub-addr: {}@{}\nremote-control:\n  control-enable: no\n",
            address.ip(),
            address.port(),
            stub.ip(),
            stub.port()
        );
        std::fs::write(folder.path().join("unbound.conf"), config).unwrap();
        let mut command = external_program("unbound");
        command.arg("-c").arg(folder.path().join("unbound.conf"));
        Self::started(command, folder, address)
    }

    fn started(mut command: std::process::Command, folder: TempDir, address: SocketAddr) -> Self {
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let errors = log.try_clone().unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut server = Self {
            child,
            folder,
            address,
        };
        server.wait_for(|_| true);
        server
    }

    /// Replaces the records, and returns once the server has loaded them.
    pub fn publish(&mut self, records: &str, serial: u32) {
        std::fs::write(
            self.folder.path().join("zone"),
            zone_text(ZONE, records, serial),
        )
        .unwrap();
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
        self.wait_for(|answer| {
            answer
                .answers
                .iter()
                .any(|record| matches!(&record.data, hickory_proto::rr::RData::SOA(soa) if soa.serial == serial))
        });
    }

    /// Queries the zone's SOA until `is_expected` returns true for the answer.
    fn wait_for(&mut self, is_expected: impl Fn(&Message) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if soa(self.address).is_some_and(|answer| is_expected(&answer)) {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the name server ended: {status}\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the name server does not answer\n{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub fn at(&self) -> String {
        self.address.to_string()
    }

    /// The zone file, which another program may change; see [`Self::reload_changes`].
    pub fn zone_file(&self) -> std::path::PathBuf {
        self.folder.path().join("zone")
    }

    /// Lets the server read the zone file again whenever it has changed, until the value is dropped.
    pub fn reload_changes(&self) -> FileWatch {
        let (path, id) = (self.zone_file(), self.child.id());
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let mut known = std::fs::read(&path).unwrap_or_default();
            while !ends.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
                let content = std::fs::read(&path).unwrap_or_default();
                if content != known {
                    known = content;
                    let process = rustix::process::Pid::from_raw(id.try_into().unwrap()).unwrap();
                    let signal = rustix::process::Signal::HUP;
                    rustix::process::kill_process(process, signal).unwrap();
                }
            }
        });
        FileWatch {
            is_over,
            thread: Some(thread),
        }
    }
}

/// Reloads a server when its zone file changes.
pub struct FileWatch {
    is_over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A TSIG key (HMAC-SHA256).
pub struct TsigKey {
    pub name: &'static str,
    /// In base64.
    pub secret: String,
}

impl TsigKey {
    /// Makes a key for this test process.
    pub fn new(name: &'static str) -> Self {
        use base64::Engine;
        let seed = format!(
            "{name} {} {:?}",
            std::process::id(),
            std::time::SystemTime::now()
        );
        let secret = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, seed.as_bytes());
        Self {
            name,
            secret: base64::engine::general_purpose::STANDARD.encode(secret),
        }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("certctl-dns-")
        .tempdir()
        .unwrap()
}

/// Returns a zone file with SOA, two NS records (their addresses may be in `records`) and `records`.
fn zone_text(zone: &str, records: &str, serial: u32) -> String {
    format!(
        "$ORIGIN {zone}.\n$TTL 60\n@ SOA ns1 hostmaster {serial} 3600 600 86400 900\n@ NS ns1\n@ NS ns2\n{records}\n"
    )
}

fn soa(server: SocketAddr) -> Option<Message> {
    let socket = UdpSocket::bind(if server.is_ipv4() {
        "127.0.0.1:0"
    } else {
        "[::1]:0"
    })
    .unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let mut question = Message::query();
    question.add_query(Query::query(
        Name::from_ascii(format!("{ZONE}.")).unwrap(),
        RecordType::SOA,
    ));
    socket.connect(server).unwrap();
    socket.send(&question.to_vec().unwrap()).ok()?;
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).ok()?;
    Message::from_vec(&buffer[..length]).ok()
}

/// Returns a port of 127.0.0.1 that is free for UDP and TCP, below the ephemeral ports of the system.
pub fn free_port() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = (std::process::id() * 61 + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = SocketAddr::new(
            Ipv4Addr::LOCALHOST.into(),
            20_000 + u16::try_from(number).unwrap(),
        );
        if UdpSocket::bind(address).is_ok() && std::net::TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Returns port 53 of a loopback address that only this process uses: one for each `net` (below 4)
/// and `host` (below 60).
pub fn port_53(net: u8, host: u8) -> SocketAddr {
    let [high, low] = u16::try_from(std::process::id() % 0xdfff)
        .unwrap()
        .to_be_bytes();
    SocketAddr::new(
        IpAddr::V4(Ipv4Addr::new(127, 16 + high, low, net * 60 + host)),
        53,
    )
}

/// Runs `test` where port 53 of loopback is available: in this process, or else (without root, or if
/// a server on this machine uses the port) in another process with its own network namespace, which
/// runs the test called `name` again.
pub fn with_port_53(name: &str, test: impl FnOnce()) {
    if port_53_is_available() {
        return test();
    }
    in_own_network(name, test);
}

/// Runs `test` in another process with its own network namespace, which runs the test called `name`
/// again.
pub fn in_own_network(name: &str, test: impl FnOnce()) {
    const INSIDE: &str = "CERTCTL_TEST_NAMESPACE";
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    super::external::path_of("ip");
    let again = std::process::Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--net",
            "sh",
            "-c",
            "ip link set lo up && exec \"$0\" \"$@\"",
        ])
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare (util-linux)");
    assert!(again.success(), "{name} in a network namespace: {again}");
}

/// Returns whether port 53 can be bound. Binds it at an address that no test uses; retries, because
/// several tests may do so at once.
fn port_53_is_available() -> bool {
    let probe = || UdpSocket::bind(port_53(3, 59)).is_ok();
    (0..20).any(|_| {
        probe() || {
            std::thread::sleep(Duration::from_millis(5));
            false
        }
    })
}
