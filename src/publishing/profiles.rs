//! The DNS providers that certctl speaks to itself, as data: their credentials and figures, each with
//! its source.

use std::time::Duration;

use super::profile::{CredentialField, CredentialNeed, ProviderProfile};

/// All of them, sorted by name.
pub(crate) const PROFILES: [&ProviderProfile; 3] = [&ALIDNS, &CLOUDFLARE, &RFC2136];

/// The smallest RAM policy (alibabacloud.com/help/en/dns/ram-authorization, 2026-11-28).
const ALIDNS_POLICY: &[&str] = &[
    "{",
    "  \"Version\": \"1\",",
    "  \"Statement\": [",
    "    {",
    "      \"Effect\": \"Allow\",",
    "      \"Action\": [",
    "        \"alidns:AddDomainRecord\",",
    "        \"alidns:DeleteDomainRecord\",",
    "        \"alidns:DescribeSubDomainRecords\"",
    "      ],",
    "      \"Resource\": \"acs:alidns:*:*:domain/example.com\"",
    "    }",
    "  ]",
    "}",
];

/// Alibaba Cloud DNS. The TTL of new records is the lowest of the free edition.
pub(crate) const ALIDNS: ProviderProfile = ProviderProfile {
    name: "alidns",
    title: "Alibaba Cloud DNS",
    credentials: &[
        CredentialField {
            key: "access_key_id",
            variable: "ALICLOUD_ACCESS_KEY",
            need: CredentialNeed::Required,
            example: "the AccessKey ID of a RAM user",
        },
        CredentialField {
            key: "access_key_secret",
            variable: "ALICLOUD_SECRET_KEY",
            need: CredentialNeed::Required,
            example: "its AccessKey secret",
        },
        CredentialField {
            key: "security_token",
            variable: "ALICLOUD_SECURITY_TOKEN",
            need: CredentialNeed::Optional,
            example: "",
        },
        CredentialField {
            key: "api_url",
            variable: "ALICLOUD_API_URL",
            need: CredentialNeed::Optional,
            example: "",
        },
    ],
    setup: &[
        "In the RAM console, create a user with \"Using permanent AccessKey to access\" and no access \
            to the console; note the AccessKey ID and its secret",
        "Create a policy of your own for the zone, and attach it to the user",
    ],
    policy: ALIDNS_POLICY,
    ttl: 600,
    propagation: Duration::from_secs(5),
    source: "alibabacloud.com/help/en/dns/api-alidns-2015-01-09-adddomainrecord; names of the \
        variables: go-acme.github.io/lego/dns/alidns (2026-11-29); a new record is served at once: \
        alibabacloud.com/help/en/dns/parse-effective-faq (2025-03-24), the rest is certctl's margin",
};

/// Cloudflare. Only zones of its Enterprise plan may have a lower TTL.
pub(crate) const CLOUDFLARE: ProviderProfile = ProviderProfile {
    name: "cloudflare",
    title: "Cloudflare",
    credentials: &[
        CredentialField {
            key: "api_token",
            variable: "CLOUDFLARE_DNS_API_TOKEN",
            need: CredentialNeed::Required,
            example: "a token with the permissions Zone Read and DNS Write",
        },
        CredentialField {
            key: "api_url",
            variable: "CLOUDFLARE_BASE_URL",
            need: CredentialNeed::Optional,
            example: "",
        },
    ],
    setup: &[
        "In Cloudflare's console (My Profile, API Tokens), create a token from the template \"Edit zone \
            DNS\": it has the permissions Zone Read and DNS Write",
        "Limit the token to the zone (Zone Resources: Include, Specific zone); a global API key is \
            not accepted",
    ],
    policy: &[],
    ttl: 60,
    propagation: Duration::from_secs(10),
    source: "developers.cloudflare.com/api/resources/dns/subresources/records/methods/create; names \
        of the variables: go-acme.github.io/lego/dns/cloudflare; propagation: the default of \
        certbot-dns-cloudflare.readthedocs.io (2026-11-30)",
};

/// An own name server that accepts dynamic updates (RFC 2136).
pub(crate) const RFC2136: ProviderProfile = ProviderProfile {
    name: "rfc2136",
    title: "the name server",
    credentials: &[
        CredentialField {
            key: "nameserver",
            variable: "RFC2136_NAMESERVER",
            need: CredentialNeed::Required,
            example: "ns1.example.com",
        },
        CredentialField {
            key: "tsig_file",
            variable: "RFC2136_TSIG_FILE",
            need: CredentialNeed::Optional,
            example: "/etc/certctl/update.key",
        },
        CredentialField {
            key: "tsig_key",
            variable: "RFC2136_TSIG_KEY",
            need: CredentialNeed::Optional,
            example: "certctl",
        },
        CredentialField {
            key: "tsig_algorithm",
            variable: "RFC2136_TSIG_ALGORITHM",
            need: CredentialNeed::Optional,
            example: "hmac-sha256",
        },
        CredentialField {
            key: "tsig_secret",
            variable: "RFC2136_TSIG_SECRET",
            need: CredentialNeed::Optional,
            example: "the secret that tsig-keygen printed",
        },
    ],
    setup: &[
        "Create a key with `tsig-keygen certctl`, and save it on both machines with the mode 0600",
        "Let the key change only TXT and CNAME records of the zone on its primary server, as in BIND",
    ],
    policy: &["update-policy { grant certctl zonesub TXT CNAME; };"],
    ttl: 60,
    propagation: Duration::ZERO,
    source: "RFC 2136; names of the variables: go-acme.github.io/lego/dns/rfc2136 (2026-11-29)",
};
