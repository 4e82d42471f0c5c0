//! acme.sh's `NAME.conf`: lines of the shell, `Le_Domain='example.com'`.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::dns_plugins;
use super::renewal::{ForeignMethod, ForeignRenewal};
use super::sections::{SectionLine, find_value, parse_lines, split_list};

/// Around a command that is encoded.
const ENCODED_START: &str = "__ACME_BASE64__START_";
const ENCODED_END: &str = "__ACME_BASE64__END_";

/// Parses the file.
#[must_use]
pub(crate) fn parse(text: &str) -> ForeignRenewal {
    let lines = parse_lines(text);
    let value = |key| find_value(&lines, "", key);
    let directory = value("Le_API");
    ForeignRenewal {
        directory: directory.map(str::to_owned),
        method: method(&lines),
        account: directory.map(account_folder),
        keeps_key: false,
        hook: value("Le_ReloadCmd").map(decoded),
    }
}

/// Returns the folder of the account at a CA, below `ca`: its host without a port, and its path.
fn account_folder(directory: &str) -> PathBuf {
    let without_scheme = directory
        .split_once("://")
        .map_or(directory, |parts| parts.1);
    let (host, path) = without_scheme
        .split_once('/')
        .unwrap_or((without_scheme, ""));
    let host = host.split(':').next().unwrap_or(host);
    PathBuf::from(host).join(path.trim_end_matches('/'))
}

/// One word for all names, or one for each.
fn method(lines: &[SectionLine<'_>]) -> ForeignMethod {
    let words = find_value(lines, "", "Le_Webroot").unwrap_or_default();
    let words = split_list(words);
    let Some(first) = words.first().copied() else {
        return ForeignMethod::Unrecorded;
    };
    if words.iter().all(|word| word.starts_with('/')) {
        return ForeignMethod::Webroot(webroots(lines, &words));
    }
    if words.iter().any(|word| *word != first) {
        return ForeignMethod::Unknown(words.join(", "));
    }
    match first {
        "no" => ForeignMethod::Standalone(String::new()),
        other => match dns_plugins::find_acme_sh(other) {
            Some(choice) => ForeignMethod::Dns(choice),
            None => ForeignMethod::Unknown(other.to_owned()),
        },
    }
}

/// The folder of each name; the last one is for all further names.
fn webroots(lines: &[SectionLine<'_>], folders: &[&str]) -> Vec<String> {
    let first = find_value(lines, "", "Le_Domain").unwrap_or_default();
    let others = find_value(lines, "", "Le_Alt").filter(|names| *names != "no");
    let mut names = vec![first];
    names.extend(split_list(others.unwrap_or_default()));
    match folders {
        [only] => vec![(*only).to_owned()],
        several => {
            let last = several.last().copied().unwrap_or_default();
            let folders = several.iter().copied().chain(std::iter::repeat(last));
            let named = names.iter().zip(folders);
            named
                .map(|(name, folder)| format!("{name}={folder}"))
                .collect()
        }
    }
}

/// A command, which may be encoded.
fn decoded(command: &str) -> String {
    let encoded = command.strip_prefix(ENCODED_START);
    let encoded = encoded.and_then(|text| text.strip_suffix(ENCODED_END));
    let bytes = encoded.and_then(|text| STANDARD.decode(text).ok());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.unwrap_or_else(|| command.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parse;
    use crate::acme_clients::ForeignMethod;

    #[test]
    fn options_of_the_last_order_are_read() {
        let renewal = parse(
            "Le_Domain='a.example'\nLe_Alt='b.example'\nLe_Webroot='/srv/a,/srv/b'\n\
             Le_API='https://acme-v02.api.letsencrypt.org/directory'\nLe_Keylength='ec-256'\n\
             Le_ReloadCmd='__ACME_BASE64__START_bmdpbnggLXMgcmVsb2Fk__ACME_BASE64__END_'\n",
        );
        let account = renewal.account.unwrap();
        assert_eq!(account, Path::new("acme-v02.api.letsencrypt.org/directory"));
        let webroots = ["a.example=/srv/a", "b.example=/srv/b"];
        let webroots = webroots.map(str::to_owned).to_vec();
        assert_eq!(renewal.method, ForeignMethod::Webroot(webroots));
        assert_eq!(renewal.hook.as_deref(), Some("nginx -s reload"));
    }

    #[test]
    fn each_word_has_its_method() {
        for (word, method) in [
            ("no", ForeignMethod::Standalone(String::new())),
            ("dns_cf", ForeignMethod::Dns("cloudflare")),
            ("dns_cf,dns_cf", ForeignMethod::Dns("cloudflare")),
            (
                "/srv/www",
                ForeignMethod::Webroot(vec!["/srv/www".to_owned()]),
            ),
            ("dns", ForeignMethod::Unknown("dns".to_owned())),
            ("no,dns_cf", ForeignMethod::Unknown("no, dns_cf".to_owned())),
            ("", ForeignMethod::Unrecorded),
        ] {
            let file = format!("Le_Domain='a.example'\nLe_Alt='no'\nLe_Webroot='{word}'\n");
            assert_eq!(parse(&file).method, method, "{word}");
        }
    }
}
