//! Which DNS provider has a zone, by the names of its servers, and how certctl publishes there.

/// A provider that is recognized.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct KnownProvider {
    /// What the names of its servers end with, or contain if it starts and ends with a dot or hyphen.
    servers: &'static [&'static str],
    /// The name for people.
    pub title: &'static str,
    /// The value for `--dns`.
    pub choice: &'static str,
}

const fn known(
    title: &'static str,
    choice: &'static str,
    servers: &'static [&'static str],
) -> KnownProvider {
    KnownProvider {
        servers,
        title,
        choice,
    }
}

/// Sources: the list of name servers in dns-lexicon 3.25.2 (`get_nameservers` of each provider), and
/// the providers' own name servers (2026-11-29). Namecheap is missing: its API replaces all records of
/// a zone.
const PROVIDERS: [KnownProvider; 31] = [
    known(
        "Alibaba Cloud DNS",
        "alidns",
        &[".hichina.com", ".alidns.com"],
    ),
    known("Amazon Route 53", "lexicon:route53", &[".awsdns-"]),
    known(
        "Azure DNS",
        "lexicon:azure",
        &[
            ".azure-dns.com",
            ".azure-dns.info",
            ".azure-dns.net",
            ".azure-dns.org",
        ],
    ),
    known("Cloudflare", "cloudflare", &[".ns.cloudflare.com"]),
    known("ClouDNS", "lexicon:cloudns", &[".cloudns.net"]),
    known("Constellix", "lexicon:constellix", &[".constellix.com"]),
    known("deSEC", "lexicon:desec", &["ns1.desec.io", "ns2.desec.org"]),
    known(
        "DigitalOcean",
        "lexicon:digitalocean",
        &[".digitalocean.com"],
    ),
    known(
        "DNS Made Easy",
        "lexicon:dnsmadeeasy",
        &[".dnsmadeeasy.com"],
    ),
    known("DNSimple", "lexicon:dnsimple", &[".dnsimple.com"]),
    known("DreamHost", "lexicon:dreamhost", &[".dreamhost.com"]),
    known("Dynu", "lexicon:dynu", &[".dynu.com"]),
    known("easyDNS", "lexicon:easydns", &[".easydns.net"]),
    known("Exoscale", "lexicon:exoscale", &[".exoscale.ch"]),
    known("Gandi", "lexicon:gandi", &[".gandi.net"]),
    known("GoDaddy", "lexicon:godaddy", &[".domaincontrol.com"]),
    known(
        "Google Cloud DNS",
        "lexicon:googleclouddns",
        &[".googledomains.com"],
    ),
    known("Hetzner", "lexicon:hetzner", &[".ns.hetzner.com"]),
    known("Infomaniak", "lexicon:infomaniak", &[".infomaniak.com"]),
    known(
        "INWX",
        "lexicon:inwx",
        &[".inwx.de", ".inwx.eu", ".inwx.com", ".inwx.net"],
    ),
    known(
        "IONOS",
        "lexicon:ionos",
        &[".ui-dns.biz", ".ui-dns.com", ".ui-dns.de", ".ui-dns.org"],
    ),
    known("Linode", "lexicon:linode4", &[".linode.com"]),
    known("LuaDNS", "lexicon:luadns", &[".luadns.net", ".luadns.com"]),
    known(
        "Mythic Beasts",
        "lexicon:mythicbeasts",
        &[".mythic-beasts.com"],
    ),
    known("Netcup", "lexicon:netcup", &[".netcup.net"]),
    known("NS1", "lexicon:nsone", &[".nsone.net"]),
    known("OVH", "lexicon:ovh", &[".ovh.net", ".anycast.me"]),
    known("Porkbun", "lexicon:porkbun", &[".porkbun.com"]),
    known("Scaleway", "lexicon:scaleway", &[".scw.cloud"]),
    known("Vercel", "lexicon:vercel", &[".vercel-dns.com"]),
    known("Vultr", "lexicon:vultr", &[".vultr.com"]),
];

impl KnownProvider {
    fn has(&self, server: &str) -> bool {
        let name = server.trim_end_matches('.').to_ascii_lowercase();
        self.servers.iter().any(|part| {
            if part.ends_with('-') {
                name.contains(part)
            } else {
                name.ends_with(part)
            }
        })
    }
}

/// Returns the provider of a zone if all of its servers are that provider's: with the servers of two
/// providers, a record at one is not enough.
#[must_use]
pub(crate) fn recognize<'a>(
    servers: impl IntoIterator<Item = &'a str>,
) -> Option<&'static KnownProvider> {
    let servers: Vec<&str> = servers.into_iter().collect();
    let first = servers.first()?;
    let mut providers = PROVIDERS.iter();
    let provider = providers.find(|provider| provider.has(first))?;
    let is_only = servers.iter().all(|server| provider.has(server));
    is_only.then_some(provider)
}

#[cfg(test)]
mod tests {
    use super::{PROVIDERS, recognize};
    use crate::publishing::provider::ProviderChoice;

    #[test]
    fn zones_are_recognized_by_all_of_their_servers() {
        for (servers, title) in [
            (
                &["dns17.hichina.com", "dns18.HICHINA.com."][..],
                Some("Alibaba Cloud DNS"),
            ),
            (
                &["vip1.alidns.com", "vip2.alidns.com"],
                Some("Alibaba Cloud DNS"),
            ),
            (
                &["ns-1.awsdns-00.com", "ns-2000.awsdns-58.co.uk"],
                Some("Amazon Route 53"),
            ),
            (
                &["amy.ns.cloudflare.com", "bob.ns.cloudflare.com"],
                Some("Cloudflare"),
            ),
            (&["amy.ns.cloudflare.com", "dns17.hichina.com"], None),
            (&["ns1.cloudflare.com.example"], None),
            (&["nothichina.com"], None),
            (&[], None),
        ] {
            let found = recognize(servers.iter().copied());
            assert_eq!(found.map(|one| one.title), title, "{servers:?}");
        }
    }

    #[test]
    fn each_provider_can_be_chosen() {
        let mut titles = Vec::new();
        for provider in &PROVIDERS {
            let choice: Result<ProviderChoice, _> = provider.choice.parse();
            assert!(choice.is_ok(), "{}", provider.title);
            titles.push(provider.title.to_ascii_lowercase());
        }
        assert!(titles.is_sorted(), "{titles:?}");
    }
}
