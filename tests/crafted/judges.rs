//! Other verifiers: OpenSSL in both modes, GnuTLS, Python's ssl in the mode that 3.13 has by
//! default, and webpki.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};

use crate::support::external::{external_program, path_of, succeed};

/// Each chain is in files of this name: what the server sends, its key, and the root.
pub const FILES: [&str; 3] = ["sent.pem", "key.pem", "root.pem"];

/// The refusal of a verifier in its own words, or none.
pub type Refusal = Option<String>;

/// Runs `openssl verify` as a TLS client would.
pub fn openssl(folder: &Path, options: &[&str]) -> Refusal {
    let mut command = external_program("openssl");
    command.current_dir(folder);
    command.args([
        "verify",
        "-purpose",
        "sslserver",
        "-no-CApath",
        "-no-CAstore",
    ]);
    command.args(options);
    command.args(["-CAfile", "root.pem", "-untrusted", "sent.pem", "sent.pem"]);
    refusal_of(&mut command)
}

/// Runs `certtool --verify`.
pub fn certtool(folder: &Path) -> Refusal {
    let mut command = external_program("certtool");
    command.current_dir(folder);
    command.args(["--verify", "--verify-purpose", "1.3.6.1.5.5.7.3.1"]);
    command.args(["--load-ca-certificate", "root.pem", "--infile", "sent.pem"]);
    refusal_of(&mut command)
}

fn refusal_of(command: &mut std::process::Command) -> Refusal {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (!output.status.success()).then(|| String::from_utf8_lossy(&text).into_owned())
}

/// A TLS handshake in memory for each folder named on stdin, with the flags of Python 3.13. Prints one line each.
const PYTHON: &str = r#"
import ssl, sys
def judge(folder):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(folder + "/sent.pem", folder + "/key.pem")
    except ssl.SSLError as error:
        return "server: " + str(error)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_REQUIRED
    client.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        client.load_verify_locations(folder + "/root.pem")
    except ssl.SSLError as error:
        return "root: " + str(error)
    a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
    left = client.wrap_bio(a, b, server_side=False)
    right = server.wrap_bio(b, a, server_side=True)
    done = 0
    for _ in range(10):
        done = 0
        for side in (left, right):
            try:
                side.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                return str(error)
        if done == 2:
            return "accepted"
    return "no handshake"
for line in sys.stdin:
    print(judge(line.rstrip("\n")).replace("\n", " "))
"#;

/// Judges all folders by Python's ssl.
pub fn python(folders: &[std::path::PathBuf], scratch: &Path) -> Vec<Refusal> {
    let (list, script) = (scratch.join("folders"), scratch.join("judge.py"));
    let lines: Vec<String> = folders
        .iter()
        .map(|one| one.display().to_string())
        .collect();
    std::fs::write(&list, lines.join("\n")).unwrap();
    std::fs::write(&script, PYTHON).unwrap();
    let mut command = external_program("python3");
    command
        .arg(&script)
        .stdin(std::fs::File::open(&list).unwrap());
    let output = succeed(&mut command);
    let verdicts: Vec<Refusal> = output
        .lines()
        .map(|line| (line != "accepted").then(|| line.to_owned()))
        .collect();
    assert_eq!(verdicts.len(), folders.len(), "{output}");
    assert!(path_of("python3").starts_with("/usr"));
    verdicts
}

/// Judges a chain (leaf first, the root last) by webpki, as rustls does.
pub fn webpki(certificates: &[Vec<u8>]) -> Refusal {
    let ders: Vec<CertificateDer<'_>> = certificates
        .iter()
        .map(|der| CertificateDer::from(der.as_slice()))
        .collect();
    let [leaf, between @ .., root] = ders.as_slice() else {
        panic!("no chain")
    };
    let judge = || {
        let anchors = [webpki::anchor_from_trusted_cert(root)?];
        let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(now));
        webpki::EndEntityCert::try_from(leaf)?
            .verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &anchors,
                between,
                time,
                webpki::KeyUsage::server_auth(),
                None,
                None,
            )
            .map(|_| ())
    };
    judge().err().map(|error| format!("{error:?}"))
}

/// What all verifiers say about one chain.
#[derive(Default)]
pub struct Verdicts(pub HashMap<&'static str, Refusal>);

impl Verdicts {
    pub fn refuses(&self, client: &str) -> bool {
        self.0[client].is_some()
    }
}
