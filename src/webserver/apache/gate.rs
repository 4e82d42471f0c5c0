//! A check that Apache lacks. Its `configtest` never opens a key: with a wrong one it reports
//! "Syntax OK", and Apache exits with all of its sites at the graceful restart that follows. So
//! before every reload certctl reads the certificates and keys of all virtual hosts from the paths
//! that Apache will read, and reports what would make Apache exit.

use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

use super::block::ApacheConfig;
use crate::pki::key::KeyAlgorithm;
use crate::store::layout::ReleaseFile;
use crate::store::release::{KeyAccess, Release, UnloadableReason};
use crate::webserver::model::{ConfigBlock, ConfiguredCertificate};

/// The beginning of each reported line.
pub(crate) const RELOAD_FAULT_PREFIX: &str = "Apache would exit at the next reload: ";
/// The beginning of a line about an address at which another process listens.
pub(crate) const TAKEN_ADDRESS_PREFIX: &str =
    "Apache would exit at the next reload, because it cannot listen: ";

/// Reads a certificate or key file, or returns why it cannot be read.
type Reader<'a> = dyn FnMut(&Path) -> Result<Zeroizing<Vec<u8>>, String> + 'a;

/// What would make Apache exit at a reload.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ReloadFault {
    pub line: String,
    /// The position of the block (`FILE:LINE`).
    pub block: String,
}

/// Returns what would make Apache exit at a reload, one fault for each certificate.
pub(crate) fn faults(config: &ApacheConfig, read: &mut Reader<'_>) -> Vec<ReloadFault> {
    let mut faults = Vec::new();
    let mut checked: Vec<&ConfiguredCertificate> = Vec::new();
    let hosts = config.hosts.iter();
    for host in hosts.filter(|host| host.engine.loads_certificates()) {
        let block = &host.block;
        if block.certificates.is_empty() {
            let line = format!("{RELOAD_FAULT_PREFIX}{block} enables TLS without a certificate");
            faults.push(ReloadFault {
                line,
                block: block.to_string(),
            });
        }
        for configured in &block.certificates {
            if checked.contains(&configured) {
                continue;
            }
            checked.push(configured);
            faults.extend(fault(block, configured, read).map(|line| ReloadFault {
                line,
                block: block.to_string(),
            }));
        }
    }
    faults
}

fn fault(
    block: &ConfigBlock,
    configured: &ConfiguredCertificate,
    read: &mut Reader<'_>,
) -> Option<String> {
    let certificate_pieces = [
        ReleaseFile::FullChain,
        ReleaseFile::Cert,
        ReleaseFile::Combined,
    ];
    let certificate = path_of(configured, &certificate_pieces)?;
    let key = path_of(configured, &[ReleaseFile::Key, ReleaseFile::Combined])?;
    // Both files are read, even if the first one fails.
    let (chain_bytes, key_bytes) = match (read(certificate), read(key)) {
        (Ok(chain_bytes), Ok(key_bytes)) => (chain_bytes, key_bytes),
        (Err(why), _) => return Some(fault_line(certificate, block, &why)),
        (_, Err(why)) => return Some(fault_line(key, block, &why)),
    };
    let reason = unloadable_reason(chain_bytes, key_bytes)?;
    // Where the certificate cannot be read, the key is not to blame.
    let path = if reason == UnloadableReason::NoChain {
        certificate
    } else {
        key
    };
    Some(fault_line(path, block, &reason))
}

fn fault_line(path: &Path, block: &ConfigBlock, why: &dyn fmt::Display) -> String {
    format!("{RELOAD_FAULT_PREFIX}{} in {block}: {why}", path.display())
}

/// The path of the first file that is one of these pieces.
fn path_of<'a>(configured: &'a ConfiguredCertificate, pieces: &[ReleaseFile]) -> Option<&'a Path> {
    let mut files = configured.files.iter();
    let (_, path) = files.find(|(piece, _)| pieces.contains(piece))?;
    path.file()
}

/// Returns why Apache certainly cannot load a certificate and its key. An encrypted key may have
/// its password in the configuration, and Apache may support a key algorithm that certctl does not
/// know.
fn unloadable_reason(
    chain: Zeroizing<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
) -> Option<UnloadableReason> {
    match Release::take_over(chain.clone(), key.clone(), KeyAccess::default()) {
        Ok(_) | Err(UnloadableReason::Locked) => None,
        Err(UnloadableReason::NoKey) if has_unknown_algorithm(chain, key) => None,
        Err(why) => Some(why),
    }
}

fn has_unknown_algorithm(chain: Zeroizing<Vec<u8>>, key: Zeroizing<Vec<u8>>) -> bool {
    Release::take_over_opaque(chain, key, KeyAccess::default())
        .is_some_and(|release| release.leaf().algorithm == KeyAlgorithm::Unknown)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use zeroize::Zeroizing;

    use super::super::testing::config;
    use super::{RELOAD_FAULT_PREFIX, faults};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};

    fn certificate_and_key() -> (String, String) {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let signing = rcgen::KeyPair::try_from(key.pkcs8()).unwrap();
        let params = rcgen::CertificateParams::new(vec!["example.com".to_owned()]).unwrap();
        (
            params.self_signed(&signing).unwrap().pem(),
            key.to_pem().to_string(),
        )
    }

    /// The faults where `/c` and `/k` have this content; `None` is a missing file.
    fn faults_of(chain: Option<&str>, key: Option<&str>) -> Vec<String> {
        let config = config(
            "Listen 443\n<VirtualHost *:443>\nSSLEngine on\nSSLCertificateFile /c\nSSLCertificateKeyFile /k\n</VirtualHost>\n\
             <VirtualHost *:80>\nSSLCertificateFile /x\nSSLCertificateKeyFile /x\n</VirtualHost>",
        );
        let faults = faults(&config, &mut |path: &Path| {
            let content = if path == Path::new("/c") { chain } else { key };
            match content {
                Some(text) => Ok(Zeroizing::new(text.as_bytes().to_vec())),
                None => Err("no such file".to_owned()),
            }
        });
        faults.into_iter().map(|fault| fault.line).collect()
    }

    #[test]
    fn only_faults_that_make_apache_exit_are_reported() {
        let (chain, key) = certificate_and_key();
        let (_, other) = certificate_and_key();
        let locked =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let cut = &chain[..200];
        for (chain, key, expected) in [
            (Some(chain.as_str()), Some(key.as_str()), ""),
            (Some(chain.as_str()), Some(locked), ""),
            (
                Some(chain.as_str()),
                Some(other.as_str()),
                "/k in /etc/apache2/apache2.conf:2: the key file contains the key",
            ),
            (
                Some(cut),
                Some(key.as_str()),
                "/c in /etc/apache2/apache2.conf:2: the chain file contains no certificate",
            ),
            (
                Some(chain.as_str()),
                Some(""),
                "/k in /etc/apache2/apache2.conf:2: the key file contains no private key",
            ),
            (
                Some(chain.as_str()),
                None,
                "/k in /etc/apache2/apache2.conf:2: no such file",
            ),
            (
                None,
                Some(key.as_str()),
                "/c in /etc/apache2/apache2.conf:2: no such file",
            ),
        ] {
            let faults = faults_of(chain, key);
            match expected {
                "" => assert_eq!(faults, [""; 0]),
                expected => {
                    assert_eq!(faults.len(), 1, "{faults:?}");
                    assert!(
                        faults[0]
                            .strip_prefix(RELOAD_FAULT_PREFIX)
                            .unwrap()
                            .starts_with(expected),
                        "{faults:?}"
                    );
                }
            }
        }
        let bare = config("Listen 443\n<VirtualHost *:443>\nSSLEngine on\n</VirtualHost>");
        assert_eq!(faults(&bare, &mut |_: &Path| Err(String::new())).len(), 1);
    }
}
