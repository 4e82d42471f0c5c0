//! certbot's `renewal/NAME.conf`.

use std::path::PathBuf;

use super::dns_plugins;
use super::renewal::{ForeignMethod, ForeignRenewal};
use super::sections::{SectionLine, find_value, parse_lines, split_list};

/// The section with the options of the last order.
const OPTIONS: &str = "renewalparams";
/// The section with the folder of each name.
const WEBROOTS: &str = "webroot_map";
/// The CA of certbot where the file names none.
const USUAL_CA: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Parses the file.
#[must_use]
pub(crate) fn parse(text: &str) -> ForeignRenewal {
    let lines = parse_lines(text);
    let option = |key| find_value(&lines, OPTIONS, key);
    let directory = option("server").unwrap_or(USUAL_CA);
    let account = option("account");
    let account = account.map(|id| account_folder(directory).join(id));
    ForeignRenewal {
        directory: Some(directory.to_owned()),
        method: method(&lines),
        account,
        keeps_key: option("reuse_key") == Some("True"),
        hook: option("renew_hook").map(str::to_owned),
    }
}

/// Returns the folder of the accounts at a CA, below `accounts`.
fn account_folder(directory: &str) -> PathBuf {
    let without_scheme = directory
        .split_once("://")
        .map_or(directory, |parts| parts.1);
    PathBuf::from(without_scheme.trim_end_matches('/'))
}

fn method(lines: &[SectionLine<'_>]) -> ForeignMethod {
    let option = |key| find_value(lines, OPTIONS, key);
    let authenticator = option("authenticator").unwrap_or_default();
    match authenticator {
        "webroot" => webroots(lines),
        "standalone" => ForeignMethod::Standalone(listener(
            option("http01_address").unwrap_or_default(),
            option("http01_port").unwrap_or_default(),
        )),
        "" => ForeignMethod::Unrecorded,
        other => match dns_plugins::find_certbot(other) {
            Some(choice) => ForeignMethod::Dns(choice),
            None => ForeignMethod::Unknown(other.to_owned()),
        },
    }
}

/// The folder of each name, else one for all.
fn webroots(lines: &[SectionLine<'_>]) -> ForeignMethod {
    let mut values = Vec::new();
    for line in lines.iter().filter(|line| line.section == WEBROOTS) {
        values.push(format!("{}={}", line.key, line.value));
    }
    if values.is_empty() {
        let folders = find_value(lines, OPTIONS, "webroot_path").unwrap_or_default();
        let first = split_list(folders).into_iter().next();
        values.extend(first.map(str::to_owned));
    }
    if values.is_empty() {
        return ForeignMethod::Unrecorded;
    }
    ForeignMethod::Webroot(values)
}

/// The value of `--standalone`: an address without a port listens at port 80.
fn listener(address: &str, port: &str) -> String {
    let port = if port.is_empty() { "80" } else { port };
    match (address, port) {
        ("", "80") => String::new(),
        ("", port) => format!("0.0.0.0:{port}"),
        (address, port) if address.contains(':') => format!("[{address}]:{port}"),
        (address, port) => format!("{address}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parse;
    use crate::acme_clients::ForeignMethod;

    /// A file as certbot 2.1.0 writes it.
    const FILE: &str = "# renew_before_expiry = 30 days\nversion = 2.1.0\n\
        fullchain = /etc/letsencrypt/live/a.example/fullchain.pem\n\n\
        # Options used in the renewal process\n[renewalparams]\naccount = 0123abc\n\
        authenticator = webroot\nwebroot_path = /srv/www,\nreuse_key = True\n\
        server = https://acme.example:14000/dir\nrenew_hook = systemctl reload nginx\n\
        key_type = ecdsa\n[[webroot_map]]\na.example = /srv/www\nb.example = /srv/b\n";

    #[test]
    fn options_of_the_last_order_are_read() {
        let renewal = parse(FILE);
        assert_eq!(
            renewal.directory.as_deref(),
            Some("https://acme.example:14000/dir")
        );
        let account = renewal.account.unwrap();
        assert_eq!(account, Path::new("acme.example:14000/dir/0123abc"));
        let webroots = ["a.example=/srv/www", "b.example=/srv/b"];
        let webroots = webroots.map(str::to_owned).to_vec();
        assert_eq!(renewal.method, ForeignMethod::Webroot(webroots));
        assert!(renewal.keeps_key);
        assert_eq!(renewal.hook.as_deref(), Some("systemctl reload nginx"));
    }

    #[test]
    fn each_authenticator_has_its_method() {
        for (lines, method) in [
            ("standalone", ForeignMethod::Standalone(String::new())),
            (
                "standalone\nhttp01_address = ::1",
                ForeignMethod::Standalone("[::1]:80".to_owned()),
            ),
            (
                "standalone\nhttp01_port = 8080",
                ForeignMethod::Standalone("0.0.0.0:8080".to_owned()),
            ),
            (
                "webroot\nwebroot_path = /srv/www,",
                ForeignMethod::Webroot(vec!["/srv/www".to_owned()]),
            ),
            ("webroot", ForeignMethod::Unrecorded),
            ("dns-cloudflare", ForeignMethod::Dns("cloudflare")),
            ("nginx", ForeignMethod::Unknown("nginx".to_owned())),
            ("", ForeignMethod::Unrecorded),
        ] {
            let file = format!("[renewalparams]\nauthenticator = {lines}\n");
            assert_eq!(parse(&file).method, method, "{lines}");
        }
    }
}
