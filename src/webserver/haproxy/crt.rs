//! The certificates that HAProxy loads for `crt PATH`: a file, all files of a folder, or a bundle
//! of `PATH.rsa` and `PATH.ecdsa`; each with the key in the file or next to it.
//! <https://docs.haproxy.org/2.6/configuration.html#5.1-crt>

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use super::list;
use crate::pki::certificate::Certificate;
use crate::store::layout::ReleaseFile;
use crate::webserver::model::key_type::KeyFamily;
use crate::webserver::model::{ConfiguredCertificate, ConfiguredPath, ServerName};

/// What exists at a certificate's path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CrtPathContent {
    File(CrtCertificate),
    /// A folder with these files.
    Folder(Vec<PathBuf>),
    Nothing,
    /// Something that cannot be read.
    Unreadable,
}

/// The content of a certificate file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CrtCertificate {
    /// The names of its first certificate, including the common name.
    pub names: Vec<ServerName>,
    /// Whether it contains a private key.
    pub key: bool,
    /// The type of the certificate's key; `None` if it contains no certificate.
    pub key_type: Option<KeyFamily>,
}

impl CrtCertificate {
    /// Parses the bytes of a certificate file.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        const WORDS: &[u8] = b"PRIVATE KEY-----";
        let key = bytes.windows(WORDS.len()).any(|window| window == WORDS);
        let leaf = leaf(bytes);
        Self {
            names: leaf.as_ref().map(names).unwrap_or_default(),
            key,
            key_type: leaf.map(|leaf| KeyFamily::of(leaf.algorithm)),
        }
    }
}

/// The first certificate of a PEM file; lines of private keys are not decoded.
fn leaf(bytes: &[u8]) -> Option<Certificate> {
    let mut lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines.find(|line| line.starts_with(b"-----BEGIN ") && line.ends_with(b"CERTIFICATE-----"))?;
    let body: Vec<u8> = lines
        .take_while(|line| !line.starts_with(b"-----"))
        .flatten()
        .copied()
        .collect();
    Certificate::from_der(&STANDARD.decode(body).ok()?).ok()
}

fn names(leaf: &Certificate) -> Vec<ServerName> {
    let subject = X509Name::from_der(leaf.subject_der()).ok();
    let common_names = subject
        .iter()
        .flat_map(|(_, subject)| subject.iter_common_name())
        .filter_map(|name| name.as_str().ok());
    let dns_names = leaf.dns_names.iter().map(String::as_str);
    let mut names = Vec::new();
    for name in dns_names.chain(common_names).map(list::parse_name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The files that HAProxy loads next to a certificate: `ssl-load-extra-files`,
/// `ssl-load-extra-del-ext`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CrtExtras {
    pub bundle: bool,
    pub key: bool,
    /// Whether `x.crt` has its key in `x.key` instead of `x.crt.key`.
    pub strip: bool,
}

impl Default for CrtExtras {
    fn default() -> Self {
        Self {
            bundle: true,
            key: true,
            strip: false,
        }
    }
}

/// One certificate with its key, as HAProxy loads it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LoadedCrt {
    pub certificate: ConfiguredCertificate,
    /// The names in the certificate.
    pub names: Vec<ServerName>,
    /// Whether the file exists and cannot be read, so that its names are unknown.
    pub unreadable: bool,
}

impl LoadedCrt {
    /// A certificate whose path only HAProxy can resolve.
    pub(crate) fn unresolved(text: &str) -> Self {
        let path = ConfiguredPath::Other(text.to_owned());
        let certificate = ConfiguredCertificate::in_files(vec![(ReleaseFile::Combined, path)]);
        Self {
            certificate,
            names: Vec::new(),
            unreadable: false,
        }
    }
}

/// The certificates that `crt path` loads, in HAProxy's order.
pub(crate) fn expand(
    path: &Path,
    extras: CrtExtras,
    read_crt: &mut dyn FnMut(&Path) -> CrtPathContent,
) -> Vec<LoadedCrt> {
    match read_crt(path) {
        CrtPathContent::Folder(files) => {
            let files = files.into_iter().filter(|file| is_loaded(file));
            files
                .filter_map(|file| load_file(&file, extras, read_crt))
                .collect()
        }
        CrtPathContent::Nothing if extras.bundle => {
            let mut files = vec![
                with_suffix(path, "dsa"),
                with_suffix(path, "ecdsa"),
                with_suffix(path, "rsa"),
            ];
            files.retain(|file| {
                matches!(
                    read_crt(file),
                    CrtPathContent::File(_) | CrtPathContent::Unreadable
                )
            });
            if files.is_empty() {
                files.push(path.to_owned());
            }
            files
                .iter()
                .filter_map(|file| load_file(file, extras, read_crt))
                .collect()
        }
        _ => load_file(path, extras, read_crt).into_iter().collect(),
    }
}

/// HAProxy loads the files of a folder, except hidden ones and those that belong to another file.
fn is_loaded(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.')
        && ![".issuer", ".ocsp", ".sctl", ".key"]
            .iter()
            .any(|end| name.ends_with(end))
}

fn load_file(
    path: &Path,
    extras: CrtExtras,
    read_crt: &mut dyn FnMut(&Path) -> CrtPathContent,
) -> Option<LoadedCrt> {
    let content = read_crt(path);
    let has_crt_extension = path.extension().is_some_and(|extension| extension == "crt");
    let key_path = if extras.strip && has_crt_extension {
        path.with_extension("key")
    } else {
        with_suffix(path, "key")
    };
    let has_key_file = match &content {
        CrtPathContent::Folder(_) => return None,
        CrtPathContent::File(certificate) if certificate.key => false,
        // HAProxy needs a key in the file or next to it. Where neither exists yet, one file can
        // contain both.
        CrtPathContent::File(_) | CrtPathContent::Nothing | CrtPathContent::Unreadable => {
            extras.key && read_crt(&key_path) != CrtPathContent::Nothing
        }
    };
    Some(load_content(
        content,
        path.to_owned(),
        has_key_file.then_some(key_path),
    ))
}

/// Loads a certificate with its key: the file of a `load` line, or of a line with the option `key`.
pub(crate) fn load_pair(
    crt: PathBuf,
    key: Option<PathBuf>,
    read_crt: &mut dyn FnMut(&Path) -> CrtPathContent,
) -> LoadedCrt {
    load_content(read_crt(&crt), crt, key)
}

fn load_content(content: CrtPathContent, path: PathBuf, key_path: Option<PathBuf>) -> LoadedCrt {
    let file = ConfiguredPath::File(path);
    let mut certificate = match key_path {
        Some(key) => ConfiguredCertificate::two(file, ConfiguredPath::File(key)),
        None => ConfiguredCertificate::in_files(vec![(ReleaseFile::Combined, file)]),
    };
    let unreadable = content == CrtPathContent::Unreadable;
    let names = match content {
        CrtPathContent::File(content) => {
            certificate.key_type = content.key_type;
            content.names
        }
        _ => Vec::new(),
    };
    LoadedCrt {
        certificate,
        names,
        unreadable,
    }
}

/// The path with `.suffix` appended.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{CrtCertificate, CrtExtras, CrtPathContent, expand};
    use crate::webserver::model::ServerName;

    /// Formats the loaded certificates as `FILE` or `FILE+KEY`; the files `existing` exist, and
    /// those whose names start with `c` contain no key.
    fn shown(path: &str, existing: &[&str], extras: CrtExtras) -> Vec<String> {
        let mut read_crt = |path: &Path| {
            let text = path.display().to_string();
            if existing.contains(&text.as_str()) {
                let key = !path.file_name().unwrap().to_string_lossy().starts_with('c');
                return CrtPathContent::File(CrtCertificate {
                    names: vec![ServerName::Exact(text)],
                    key,
                    key_type: None,
                });
            }
            let inside = existing
                .iter()
                .filter(|file| Path::new(file).parent() == Some(path));
            let inside: Vec<PathBuf> = inside.map(PathBuf::from).collect();
            if inside.is_empty() {
                CrtPathContent::Nothing
            } else {
                CrtPathContent::Folder(inside)
            }
        };
        let loaded = expand(Path::new(path), extras, &mut read_crt);
        let files = |one: &super::LoadedCrt| {
            let files = one
                .certificate
                .files
                .iter()
                .map(|(_, path)| path.file().unwrap().display().to_string());
            files.collect::<Vec<_>>().join("+")
        };
        loaded.iter().map(files).collect()
    }

    #[test]
    fn paths_expand_to_what_haproxy_would_load() {
        let usual = CrtExtras::default();
        let strip = CrtExtras {
            strip: true,
            ..usual
        };
        let none = CrtExtras {
            bundle: false,
            key: false,
            strip: false,
        };
        for (path, existing, extras, expected) in [
            ("/x/a.pem", &["/x/a.pem"][..], usual, &["/x/a.pem"][..]),
            ("/x/c.pem", &["/x/c.pem"], usual, &["/x/c.pem"]),
            (
                "/x/c.pem",
                &["/x/c.pem", "/x/c.pem.key"],
                usual,
                &["/x/c.pem+/x/c.pem.key"],
            ),
            (
                "/x/c.crt",
                &["/x/c.crt", "/x/c.crt.key"],
                usual,
                &["/x/c.crt+/x/c.crt.key"],
            ),
            (
                "/x/c.crt",
                &["/x/c.crt", "/x/c.key"],
                strip,
                &["/x/c.crt+/x/c.key"],
            ),
            (
                "/x/c.pem",
                &["/x/c.pem", "/x/c.pem.key"],
                strip,
                &["/x/c.pem+/x/c.pem.key"],
            ),
            (
                "/x/c.pem",
                &["/x/c.pem", "/x/c.pem.key"],
                none,
                &["/x/c.pem"],
            ),
            // The certificate does not exist yet: a combined file, unless its key file exists.
            ("/x/n.pem", &[], usual, &["/x/n.pem"]),
            (
                "/x/n.pem",
                &["/x/n.pem.key"],
                usual,
                &["/x/n.pem+/x/n.pem.key"],
            ),
            (
                "/x/n.pem",
                &["/x/n.pem.rsa", "/x/n.pem.ecdsa"],
                usual,
                &["/x/n.pem.ecdsa", "/x/n.pem.rsa"],
            ),
            ("/x/n.pem", &["/x/n.pem.rsa"], none, &["/x/n.pem"]),
            (
                "/x",
                &[
                    "/x/.a.pem.0123~",
                    "/x/a.pem",
                    "/x/a.pem.ocsp",
                    "/x/b.pem.~1~",
                    "/x/c.crt",
                    "/x/c.crt.key",
                    "/x/d/e",
                ],
                usual,
                &["/x/a.pem", "/x/b.pem.~1~", "/x/c.crt+/x/c.crt.key"],
            ),
        ] {
            assert_eq!(
                shown(path, existing, extras),
                expected,
                "{path} {existing:?}"
            );
        }
    }

    #[test]
    fn names_are_those_of_the_first_certificate() {
        let mut params =
            rcgen::CertificateParams::new(vec!["A.example".to_owned(), "*.b.example".to_owned()])
                .unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "cn.example");
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let shown = CrtCertificate::from_bytes(format!("{}{pem}", key.serialize_pem()).as_bytes());
        let names: Vec<String> = shown.names.iter().map(ServerName::text).collect();
        assert_eq!(
            (names.join(" ").as_str(), shown.key),
            ("a.example *.b.example cn.example", true)
        );
        assert!(!CrtCertificate::from_bytes(pem.as_bytes()).key);
        assert_eq!(
            CrtCertificate::from_bytes(b"nothing"),
            CrtCertificate::default()
        );
    }
}
