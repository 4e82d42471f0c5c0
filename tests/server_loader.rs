//! Files of certificates as servers load them: certctl's reader of them and `verify` agree with
//! OpenSSL itself (`SSL_CTX_use_certificate_chain_file`, called through Python's ctypes) on the corpus
//! of the fuzz targets, on damaged layouts and on mutations of all of them. The mutations follow from
//! a fixed seed.
//! Needs: python3
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use certctl::facade::delivery::load_certificates;
use certctl::facade::pki::certificate::Certificate;
use support::external::{external_program, succeed};
use support::issued_certificate::IssuedCertificate;
use support::mutation::mutate;
use support::seed::Generator;

/// How many mutated files are compared.
const MUTATIONS: usize = 6_000;

/// How many files `verify` judges too: the originals, and the first mutations.
const VERIFIED: usize = 160;

/// How many layouts of one chain are compared.
const LAYOUTS: usize = 18;

/// Prints one line for each file named on stdin: how many certificates OpenSSL loads, or the library
/// and the reason of its last error. Security level 0, so that only the encoding counts.
const OPENSSL: &str = r#"
import ctypes, ctypes.util, hashlib, sys
ssl = ctypes.CDLL("libssl.so.3")
crypto = ctypes.CDLL("libcrypto.so.3")
for name, library in [("TLS_method", ssl), ("SSL_CTX_new", ssl), ("SSL_CTX_get0_certificate", ssl), ("OPENSSL_sk_value", crypto)]:
    getattr(library, name).restype = ctypes.c_void_p
ssl.SSL_CTX_ctrl.restype = ctypes.c_long
crypto.ERR_peek_last_error.restype = ctypes.c_ulong
def der(certificate):
    out = ctypes.c_void_p()
    length = crypto.i2d_X509(ctypes.c_void_p(certificate), ctypes.byref(out))
    if length < 0:
        return "unwritable"
    text = hashlib.sha256(ctypes.string_at(out.value, length)).hexdigest()
    crypto.CRYPTO_free(out, None, 0)
    return text
def load(path):
    context = ctypes.c_void_p(ssl.SSL_CTX_new(ctypes.c_void_p(ssl.TLS_method())))
    ssl.SSL_CTX_set_security_level(context, 0)
    crypto.ERR_clear_error()
    try:
        if ssl.SSL_CTX_use_certificate_chain_file(context, path.encode()) != 1:
            error = crypto.ERR_peek_last_error()
            return "refused %d %d" % ((error >> 23) & 0xff, error & 0x7fffff)
        chain = ctypes.c_void_p()
        ssl.SSL_CTX_ctrl(context, 115, ctypes.c_long(0), ctypes.byref(chain))
        count = crypto.OPENSSL_sk_num(chain) if chain.value else 0
        all = [ssl.SSL_CTX_get0_certificate(context)]
        all += [crypto.OPENSSL_sk_value(chain, place) for place in range(count)]
        return "loaded " + " ".join(der(one) for one in all)
    finally:
        ssl.SSL_CTX_free(context)
for line in sys.stdin:
    print(load(line.rstrip("\n")))
"#;

/// What OpenSSL does with a file.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Loading {
    /// The SHA-256 of each certificate.
    Loaded(Vec<String>),
    /// It reads no certificates: PEM, base64 or ASN.1.
    Unreadable(String),
    /// It reads the first certificate, but not its key or an extension.
    Unusable,
}

/// Libraries of OpenSSL, by their numbers in error codes.
const LIBRARY_SSL: &str = "20";
const LIBRARY_X509: &str = "11";
const LIBRARY_X509V3: &str = "34";
/// "PEM lib": the first certificate was not read.
const PEM_FAILED: &str = "524297";

impl Loading {
    fn parse(line: &str) -> Self {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["loaded", all @ ..] => Self::Loaded(all.iter().map(ToString::to_string).collect()),
            ["refused", LIBRARY_SSL, reason] if *reason == PEM_FAILED => {
                Self::Unreadable(line.to_owned())
            }
            ["refused", LIBRARY_SSL | LIBRARY_X509 | LIBRARY_X509V3, _] => Self::Unusable,
            _ => Self::Unreadable(line.to_owned()),
        }
    }
}

/// Asks OpenSSL about all files.
fn ask_openssl(folder: &Path, files: &[PathBuf]) -> Vec<Loading> {
    let list: String = files
        .iter()
        .map(|file| format!("{}\n", file.display()))
        .collect();
    std::fs::write(folder.join("list"), list).unwrap();
    std::fs::write(folder.join("load.py"), OPENSSL).unwrap();
    let mut python = external_program("python3");
    python.arg(folder.join("load.py"));
    python.stdin(std::fs::File::open(folder.join("list")).unwrap());
    let output = succeed(&mut python);
    let loadings: Vec<Loading> = output.lines().map(Loading::parse).collect();
    assert_eq!(loadings.len(), files.len(), "{output}");
    loadings
}

/// The files of the corpora that are files, and layouts that editors and mail programs produce.
fn originals(setup: &IssuedCertificate) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for corpus in ["reader", "loader"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(corpus);
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        all.extend(paths.iter().map(|path| std::fs::read(path).unwrap()));
    }
    let chain = setup.chain();
    let key = setup.sandbox.read("example.com.key");
    let trusted = chain.replacen("CERTIFICATE", "TRUSTED CERTIFICATE", 2);
    let unwrapped = chain
        .replace("-----\n", "-----#")
        .replace('\n', "")
        .replace("-----#", "-----\n")
        .replace("-----END", "\n-----END");
    let layouts: [String; LAYOUTS] = [
        chain.clone(),
        format!("{key}{chain}"),
        format!("{chain}{key}"),
        chain.replace('\n', "\r\n"),
        chain.replace('\n', "\n\n"),
        chain.replace("-----\n", "-----\n\n"),
        chain.replace("-----END", "\n-----END"),
        chain.replace("-----END", "-----END "),
        chain.replace("-----\n-----", "----------"),
        chain.replace("CERTIFICATE-----\nM", "CERTIFICATE-----\nA: b\n\nM"),
        format!("\u{feff}{chain}"),
        chain.replace("-----\n-----", "-----\n\u{feff}-----"),
        chain.replace("-----\n-----", "-----\nsubject: x\n\n-----"),
        chain.replace("-----\n-----", "-----\n\0\n-----"),
        chain.replace("CERTIFICATE", "X509 CERTIFICATE"),
        trusted,
        unwrapped,
        chain.trim_end().to_owned(),
    ];
    all.extend(layouts.map(String::into_bytes));
    all
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}

/// A file and what OpenSSL does with it.
struct ComparedFile {
    /// Its path below the sandbox.
    path: String,
    bytes: Vec<u8>,
    openssl: Loading,
}

/// Returns the files of the test: the originals first, then the mutations.
fn compared_files(setup: &IssuedCertificate, numbers: &mut Generator) -> Vec<ComparedFile> {
    let originals = originals(setup);
    let mut contents = originals.clone();
    for _ in 0..MUTATIONS {
        // The layouts of one chain are at the end.
        let nearest = if numbers.below(3) == 0 {
            0
        } else {
            originals.len() - LAYOUTS
        };
        let original = &originals[nearest + numbers.below(originals.len() - nearest)];
        contents.push(mutate(original, numbers));
    }
    let paths: Vec<String> = (0..contents.len())
        .map(|number| format!("files/{number}.pem"))
        .collect();
    let written: Vec<PathBuf> = paths
        .iter()
        .zip(&contents)
        .map(|(path, bytes)| setup.sandbox.write(path, bytes))
        .collect();
    let loadings = ask_openssl(setup.sandbox.path(), &written);
    let both = contents.into_iter().zip(paths).zip(loadings);
    both.map(|((bytes, path), openssl)| ComparedFile {
        path,
        bytes,
        openssl,
    })
    .collect()
}

/// Returns whether certctl loads the same certificates.
fn is_same(ours: &[Vec<u8>], openssl: &[String]) -> bool {
    // OpenSSL writes BER as DER, so only what certctl reads as DER can be compared.
    let mut both = ours.iter().zip(openssl);
    ours.len() == openssl.len()
        && both.all(|(der, hash)| digest(der) == *hash || Certificate::from_der(der).is_err())
}

/// Returns how `verify` contradicts OpenSSL about a file.
fn contradiction(setup: &IssuedCertificate, file: &ComparedFile) -> Option<String> {
    let args = ["verify", &file.path, "--trust", "root.pem", "--json"];
    let run = setup.sandbox.run(&args);
    let Loading::Loaded(hashes) = &file.openssl else {
        return (run.code == 0).then(|| format!("OpenSSL refuses it: {run}"));
    };
    if !matches!(run.code, 0 | 1) || !run.stdout.contains("servers cannot") {
        return None;
    }
    // OpenSSL skips what has no exact BEGIN line.
    let document = run.json();
    let certificates = document["certificates"].as_array().unwrap().iter();
    let mut sent = certificates.flat_map(|one| one["chain"].as_array().unwrap());
    let has_all = sent.all(|one| hashes.iter().any(|hash| one["sha256"] == **hash));
    has_all.then(|| format!("OpenSSL loads it: {}", document["comment"]))
}

#[test]
fn files_are_loaded_as_openssl_loads_them() {
    let setup = IssuedCertificate::new();
    let mut numbers = Generator::new(20_261_129);
    let mut wrong = String::new();
    let (mut loaded, mut refused, mut unusable) = (0, 0, 0);
    let files = compared_files(&setup, &mut numbers);
    for file in &files {
        let ours = load_certificates(&file.bytes);
        let agrees = match (&ours, &file.openssl) {
            (Ok(certificates), Loading::Loaded(hashes)) => {
                loaded += 1;
                is_same(certificates, hashes)
            }
            (Err(_), Loading::Unreadable(_)) => {
                refused += 1;
                true
            }
            // The content of the first certificate, which OpenSSL judges before it reads on.
            (_, Loading::Unusable) => {
                unusable += 1;
                true
            }
            _ => false,
        };
        if !agrees {
            let ours = ours.map(|certificates| certificates.len());
            let text = String::from_utf8_lossy(&file.bytes);
            writeln!(wrong, "{ours:?}, OpenSSL {:?}:\n{text}", file.openssl).unwrap();
        }
    }
    let counts = format!("{loaded} loaded, {refused} refused, {unusable} unusable");
    assert!(loaded > 400 && refused > 500 && unusable < 200, "{counts}");
    let repeat = numbers.repeat("server_loader", "");
    assert!(wrong.is_empty(), "{counts}; {repeat}\n{wrong}");
    for file in &files[..VERIFIED] {
        if let Some(contradiction) = contradiction(&setup, file) {
            writeln!(wrong, "{}: {contradiction}", file.path).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{repeat}\n{wrong}");
}
