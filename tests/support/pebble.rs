//! Let's Encrypt's test CA pebble, as Debian ships it, on an address of loopback. It asks a given name
//! server and fetches validation files from port 80.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;
use tempfile::TempDir;

use super::external::{external_program, path_of};
use super::json::Json;
use super::server_process::ServerProcess;

const ACME_PORT: u16 = 14000;
const MANAGEMENT_PORT: u16 = 15000;

/// The external account of a CA that requires one.
pub const KEY_ID: &str = "kid-1";
/// Not a secret of anybody: pebble's documentation contains it.
pub const HMAC_KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

/// How pebble behaves.
#[derive(Clone, Copy, Default)]
pub struct PebbleOptions {
    /// Whether new accounts need an external account.
    pub requires_external_account: bool,
    /// How many of a hundred nonces are refused.
    pub bad_nonces: u8,
    /// How many seconds a validation takes at most.
    pub validation_seconds: u8,
    /// How many seconds a certificate is valid; 0 for five years.
    pub certificate_seconds: u64,
}

/// A running pebble; dropping it stops the process.
pub struct Pebble {
    ip: IpAddr,
    folder: TempDir,
    _process: ServerProcess,
}

impl Pebble {
    /// Starts pebble at `ip`; it resolves names at `name_server`.
    pub fn start(ip: IpAddr, name_server: SocketAddr, options: PebbleOptions) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("certctl-pebble-")
            .tempdir()
            .unwrap();
        write_own_certificate(&folder, ip);
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut pebble = json!({
            "listenAddress": format!("{ip}:{ACME_PORT}"),
            "managementListenAddress": format!("{ip}:{MANAGEMENT_PORT}"),
            "certificate": path("api.pem"),
            "privateKey": path("api.key"),
            "httpPort": 80,
            "tlsPort": 443,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": options.requires_external_account,
        });
        if options.requires_external_account {
            pebble["externalAccountMACKeys"] = json!({ KEY_ID: HMAC_KEY });
        }
        if options.certificate_seconds > 0 {
            pebble["certificateValidityPeriod"] = json!(options.certificate_seconds);
        }
        let config = folder.path().join("pebble.json");
        std::fs::write(&config, json!({ "pebble": pebble }).to_string()).unwrap();
        let log = folder.path().join("log");
        // It prints everything to stdout.
        let mut command = external_program("bash");
        command
            .args(["-c", "exec \"$0\" \"$@\" >\"$LOG\" 2>&1"])
            .arg(path_of("pebble"))
            .arg("-config")
            .arg(&config)
            .args(["-dnsserver", &name_server.to_string(), "-strict"])
            .env("PEBBLE_AUTHZREUSE", "0")
            .env("PEBBLE_WFE_NONCEREJECT", options.bad_nonces.to_string())
            .env("LOG", &log);
        if options.validation_seconds == 0 {
            command.env("PEBBLE_VA_NOSLEEP", "1");
        } else {
            let seconds = options.validation_seconds.to_string();
            command.env("PEBBLE_VA_SLEEPTIME", seconds);
        }
        let is_up = |_: &ServerProcess| {
            let ports = [ACME_PORT, MANAGEMENT_PORT];
            ports
                .iter()
                .all(|port| TcpStream::connect((ip, *port)).is_ok())
        };
        let show = || std::fs::read_to_string(&log).unwrap_or_default();
        let process = ServerProcess::start(&mut command, is_up, show);
        let pebble = Self {
            ip,
            folder,
            _process: process,
        };
        pebble.write_roots();
        pebble
    }

    /// The address of its API.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The URL of the directory.
    pub fn directory(&self) -> String {
        format!("https://{}:{ACME_PORT}/dir", self.ip)
    }

    /// A file with the root of its API and the root of the certificates that it issues.
    pub fn roots(&self) -> PathBuf {
        self.folder.path().join("roots.pem")
    }

    /// A file with the root of its API alone.
    pub fn api_root(&self) -> PathBuf {
        self.folder.path().join("api-root.pem")
    }

    /// What pebble has printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// What the CA says about a certificate: `Valid` or `Revoked`. The serial number is in hex.
    pub fn status(&self, serial: &str) -> String {
        let page = self.get(&format!("/cert-status-by-serial/{serial}"));
        let document = Json::parse(&page);
        document["Status"].as_str().unwrap().to_owned()
    }

    fn write_roots(&self) {
        let api = std::fs::read_to_string(self.folder.path().join("api-root.pem")).unwrap();
        let issuing = self.get("/roots/0");
        std::fs::write(self.roots(), api + &issuing).unwrap();
    }

    /// The body of a page of the management interface.
    fn get(&self, path: &str) -> String {
        let der = std::fs::read(self.folder.path().join("api-root.der")).unwrap();
        let mut store = RootCertStore::empty();
        store.add(CertificateDer::from(der)).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(store)
            .with_no_client_auth();
        let name = ServerName::from(self.ip);
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect((self.ip, MANAGEMENT_PORT)).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        write!(stream, "GET {path} HTTP/1.0\r\nHost: pebble\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        // Go's server may close without TLS's own end.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

/// Writes a root and the certificate of the API.
fn write_own_certificate(folder: &TempDir, ip: IpAddr) {
    let write = |name: &str, content: &[u8]| {
        std::fs::write(folder.path().join(name), content).unwrap();
    };
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // openssl takes a certificate with the name of its issuer for a self-signed one.
    root.distinguished_name
        .push(DnType::CommonName, "pebble's API");
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let mut leaf = CertificateParams::new(vec![ip.to_string()]).unwrap();
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().unwrap();
    let leaf = leaf.signed_by(&key, &root).unwrap();
    write("api-root.pem", root.pem().as_bytes());
    write("api-root.der", root.der());
    write("api.pem", leaf.pem().as_bytes());
    write("api.key", key.serialize_pem().as_bytes());
}
