//! The gate that Apache lacks. Its `configtest` never opens a key: with a wrong one it says "Syntax
//! OK", and the graceful restart after it ends Apache with all of its sites. So before every reload
//! the pairs of all virtual hosts are read from the very paths that Apache will read, and what
//! would end it is said instead.

use std::path::Path;

use zeroize::Zeroizing;

use super::block::ApacheConfig;
use crate::pki::key::KeyAlgorithm;
use crate::store::layout::ReleaseFile;
use crate::store::release::{KeyAccess, Release, UnloadableReason};
use crate::webserver::model::{ConfigBlock, ConfiguredCertificate};

/// How each line of the gate begins.
pub(crate) const GATE: &str = "Apache would end at the next reload: ";

/// Reads a file of a pair; else says why it cannot.
type Reader<'a> = dyn FnMut(&Path) -> Result<Zeroizing<Vec<u8>>, String> + 'a;

/// What would end Apache, a line for each pair; `read` gives a file's bytes, or why it cannot be
/// read.
pub(crate) fn faults(config: &ApacheConfig, read: &mut Reader<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut seen: Vec<&ConfiguredCertificate> = Vec::new();
    for block in config
        .hosts
        .iter()
        .map(|host| &host.block)
        .filter(|block| block.speaks_tls())
    {
        if block.pairs.is_empty() {
            lines.push(format!("{GATE}{block} speaks TLS and has no certificate"));
        }
        for pair in &block.pairs {
            if seen.contains(&pair) {
                continue;
            }
            seen.push(pair);
            lines.extend(fault(block, pair, read));
        }
    }
    lines
}

fn fault(
    block: &ConfigBlock,
    pair: &ConfiguredCertificate,
    read: &mut Reader<'_>,
) -> Option<String> {
    let of = |wanted: &[ReleaseFile]| {
        pair.files
            .iter()
            .find(|(piece, _)| wanted.contains(piece))
            .map(|(_, path)| path)
    };
    let certificate = of(&[
        ReleaseFile::FullChain,
        ReleaseFile::Cert,
        ReleaseFile::Combined,
    ])?
    .file()?;
    let key = of(&[ReleaseFile::Key, ReleaseFile::Combined])?.file()?;
    let mut get = |path: &Path| {
        read(path).map_err(|why| format!("{GATE}{} of {block}: {why}", path.display()))
    };
    let (chain, key_bytes) = match (get(certificate), get(key)) {
        (Ok(chain), Ok(key)) => (chain, key),
        (Err(line), _) | (_, Err(line)) => return Some(line),
    };
    let why = ends(chain, key_bytes)?;
    // Of a certificate that cannot be read the key is not to blame.
    let path = if why == UnloadableReason::NoChain {
        certificate
    } else {
        key
    };
    Some(format!("{GATE}{} of {block}: {why}", path.display()))
}

/// Why Apache could not load a pair. An encrypted key may have its passphrase, and a key of a kind
/// that is not known here may be fine: only what is certain counts.
fn ends(chain: Zeroizing<Vec<u8>>, key: Zeroizing<Vec<u8>>) -> Option<UnloadableReason> {
    match Release::taken(chain.clone(), key.clone(), KeyAccess::default()) {
        Ok(_) | Err(UnloadableReason::Locked) => None,
        Err(UnloadableReason::NoKey) if is_unknown(chain, key) => None,
        Err(why) => Some(why),
    }
}

fn is_unknown(chain: Zeroizing<Vec<u8>>, key: Zeroizing<Vec<u8>>) -> bool {
    Release::opaque(chain, key, KeyAccess::default())
        .is_some_and(|release| release.leaf().algorithm == KeyAlgorithm::Unknown)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use zeroize::Zeroizing;

    use super::super::testing::config;
    use super::{GATE, faults};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};

    fn pair() -> (String, String) {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let signing = rcgen::KeyPair::try_from(key.pkcs8()).unwrap();
        let params = rcgen::CertificateParams::new(vec!["example.com".to_owned()]).unwrap();
        (
            params.self_signed(&signing).unwrap().pem(),
            key.to_pem().to_string(),
        )
    }

    #[test]
    fn only_what_would_end_apache_is_told() {
        let ((chain, key), (_, other)) = (pair(), pair());
        let locked =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let cut = &chain[..200];
        for (chain, key, expected) in [
            (Some(chain.as_str()), Some(key.as_str()), ""),
            (Some(chain.as_str()), Some(locked), ""),
            (
                Some(chain.as_str()),
                Some(other.as_str()),
                "/k of /etc/apache2/apache2.conf:2: the key is",
            ),
            (
                Some(cut),
                Some(key.as_str()),
                "/c of /etc/apache2/apache2.conf:2: the chain file holds no certificate",
            ),
            (
                Some(chain.as_str()),
                Some(""),
                "/k of /etc/apache2/apache2.conf:2: the key file holds no private key",
            ),
            (
                Some(chain.as_str()),
                None,
                "/k of /etc/apache2/apache2.conf:2: not there",
            ),
            (
                None,
                Some(key.as_str()),
                "/c of /etc/apache2/apache2.conf:2: not there",
            ),
        ] {
            let config = config(
                "Listen 443\n<VirtualHost *:443>\nSSLEngine on\nSSLCertificateFile /c\nSSLCertificateKeyFile /k\n</VirtualHost>\n\
                 <VirtualHost *:80>\nSSLCertificateFile /x\nSSLCertificateKeyFile /x\n</VirtualHost>",
            );
            let mut read = |path: &Path| {
                let content = if path == Path::new("/c") { chain } else { key };
                content
                    .map(|text| Zeroizing::new(text.as_bytes().to_vec()))
                    .ok_or_else(|| "not there".to_owned())
            };
            let told = faults(&config, &mut read);
            match expected {
                "" => assert_eq!(told, [""; 0]),
                expected => {
                    assert_eq!(told.len(), 1, "{told:?}");
                    assert!(
                        told[0].strip_prefix(GATE).unwrap().starts_with(expected),
                        "{told:?}"
                    );
                }
            }
        }
        let bare = config("Listen 443\n<VirtualHost *:443>\nSSLEngine on\n</VirtualHost>");
        assert_eq!(faults(&bare, &mut |_: &Path| Err(String::new())).len(), 1);
    }
}
