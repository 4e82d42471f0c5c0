//! The DNS plugins of other ACME clients, and the value of `--dns` that does the same, as data. A provider
//! that certctl does not speak to itself is one of dns-lexicon, by the name of its module there.

/// A plugin, and what does the same here.
struct DnsPlugin {
    /// The name after `dns-` of certbot.
    certbot: &'static str,
    /// The name after `dns_` of acme.sh.
    acme_sh: &'static str,
    /// The value of `--dns`.
    choice: &'static str,
}

/// Sources: eff-certbot.readthedocs.io/en/stable/using.html#dns-plugins,
/// github.com/acmesh-official/acme.sh/wiki/dnsapi, and the modules of dns-lexicon 3 (2026-11).
const PLUGINS: [DnsPlugin; 18] = [
    DnsPlugin {
        certbot: "aliyun",
        acme_sh: "ali",
        choice: "alidns",
    },
    DnsPlugin {
        certbot: "cloudflare",
        acme_sh: "cf",
        choice: "cloudflare",
    },
    DnsPlugin {
        certbot: "rfc2136",
        acme_sh: "nsupdate",
        choice: "rfc2136",
    },
    DnsPlugin {
        certbot: "digitalocean",
        acme_sh: "dgon",
        choice: "lexicon:digitalocean",
    },
    DnsPlugin {
        certbot: "dnsimple",
        acme_sh: "dnsimple",
        choice: "lexicon:dnsimple",
    },
    DnsPlugin {
        certbot: "dnsmadeeasy",
        acme_sh: "me",
        choice: "lexicon:dnsmadeeasy",
    },
    DnsPlugin {
        certbot: "duckdns",
        acme_sh: "duckdns",
        choice: "lexicon:duckdns",
    },
    DnsPlugin {
        certbot: "gandi",
        acme_sh: "gandi_livedns",
        choice: "lexicon:gandi",
    },
    DnsPlugin {
        certbot: "gehirn",
        acme_sh: "gehirn",
        choice: "lexicon:gehirn",
    },
    DnsPlugin {
        certbot: "godaddy",
        acme_sh: "gd",
        choice: "lexicon:godaddy",
    },
    DnsPlugin {
        certbot: "google",
        acme_sh: "gcloud",
        choice: "lexicon:googleclouddns",
    },
    DnsPlugin {
        certbot: "hetzner",
        acme_sh: "hetzner",
        choice: "lexicon:hetzner",
    },
    DnsPlugin {
        certbot: "linode",
        acme_sh: "linode_v4",
        choice: "lexicon:linode4",
    },
    DnsPlugin {
        certbot: "luadns",
        acme_sh: "lua",
        choice: "lexicon:luadns",
    },
    DnsPlugin {
        certbot: "nsone",
        acme_sh: "nsone",
        choice: "lexicon:nsone",
    },
    DnsPlugin {
        certbot: "ovh",
        acme_sh: "ovh",
        choice: "lexicon:ovh",
    },
    DnsPlugin {
        certbot: "route53",
        acme_sh: "aws",
        choice: "lexicon:route53",
    },
    DnsPlugin {
        certbot: "sakuracloud",
        acme_sh: "sakuracloud",
        choice: "lexicon:sakuracloud",
    },
];

/// Returns the value of `--dns` for an authenticator of certbot, such as `dns-cloudflare`.
#[must_use]
pub(super) fn find_certbot(authenticator: &str) -> Option<&'static str> {
    let name = authenticator.strip_prefix("dns-")?;
    let mut plugins = PLUGINS.iter();
    plugins
        .find(|plugin| plugin.certbot == name)
        .map(|plugin| plugin.choice)
}

/// Returns the value of `--dns` for a script of acme.sh, such as `dns_cf`.
#[must_use]
pub(super) fn find_acme_sh(script: &str) -> Option<&'static str> {
    let name = script.strip_prefix("dns_")?;
    let mut plugins = PLUGINS.iter();
    plugins
        .find(|plugin| plugin.acme_sh == name)
        .map(|plugin| plugin.choice)
}

#[cfg(test)]
mod tests {
    use super::{PLUGINS, find_acme_sh, find_certbot};
    use crate::publishing::provider::ProviderChoice;

    #[test]
    fn each_plugin_has_a_valid_choice() {
        for plugin in &PLUGINS {
            let choice: Result<ProviderChoice, _> = plugin.choice.parse();
            assert!(choice.is_ok(), "{}", plugin.choice);
        }
    }

    #[test]
    fn plugins_are_found_by_the_words_of_their_programs() {
        assert_eq!(find_certbot("dns-cloudflare"), Some("cloudflare"));
        assert_eq!(find_certbot("dns-aliyun"), Some("alidns"));
        assert_eq!(find_acme_sh("dns_ali"), Some("alidns"));
        assert_eq!(find_acme_sh("dns_aws"), Some("lexicon:route53"));
        assert_eq!(find_certbot("dns_cf"), None);
        assert_eq!(find_acme_sh("dns"), None);
    }
}
