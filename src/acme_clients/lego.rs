//! lego's `certificates/NAME.json`. lego saves neither the URL of the CA's directory nor how the names are
//! validated: both are on its command line.

use std::path::PathBuf;

use serde::Deserialize;

use super::renewal::{ForeignMethod, ForeignRenewal};
use crate::acme::ca_table::ACME_CAS;

/// The parts of the file that matter.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct LegoCertificate {
    /// The URL of the certificate at the CA.
    cert_url: String,
}

/// Parses the file.
#[must_use]
pub(crate) fn parse(text: &str) -> ForeignRenewal {
    let file: LegoCertificate = serde_json::from_str(text).unwrap_or_default();
    let host = host_of(&file.cert_url);
    ForeignRenewal {
        directory: host.and_then(directory_at),
        method: ForeignMethod::Unrecorded,
        account: host.map(|host| PathBuf::from(host.replace(':', "_"))),
        keeps_key: false,
        hook: None,
    }
}

/// The CA whose API is at a host.
fn directory_at(host: &str) -> Option<String> {
    let mut cas = ACME_CAS.iter();
    let found = cas.find(|ca| host_of(ca.directory) == Some(host))?;
    Some(found.directory.to_owned())
}

fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parse;

    #[test]
    fn the_ca_is_found_by_its_host() {
        for (url, directory, account) in [
            (
                "https://acme-v02.api.letsencrypt.org/acme/cert/04",
                Some("https://acme-v02.api.letsencrypt.org/directory"),
                "acme-v02.api.letsencrypt.org",
            ),
            ("https://127.0.0.1:14000/certZ/1", None, "127.0.0.1_14000"),
        ] {
            let renewal = parse(&format!(
                "{{\"domain\": \"a.example\", \"certUrl\": \"{url}\"}}"
            ));
            assert_eq!(renewal.directory.as_deref(), directory);
            assert_eq!(renewal.account.as_deref(), Some(Path::new(account)));
        }
        assert_eq!(parse("not json").account, None);
    }
}
