//! The rows. BR: CA/Browser Forum TLS Baseline Requirements 2.2.6. What public CAs accept is BR
//! 6.1.5 and 6.1.6 (RSA from 2048 bits, NIST curves, no Ed25519) less P-521, which Mozilla's root
//! store policy (5.1) leaves out.

use super::profile::{
    Accepts, CsrHash, DnsProof, HttpProof, Issuer, Known, Profile, Redirects, Token, UniqueValue,
};
use crate::dcv::answer::RecordKind::{Cname, Txt};
use crate::pki::key::KeyAlgorithm::{EcdsaP256, EcdsaP384};

/// What a public CA takes that has told no day for the end of clientAuth.
pub(super) const PUBLIC: Accepts = Accepts {
    keys: Some(&[EcdsaP256, EcdsaP384]),
    rsa_bits: 2048,
    client_auth_ends: None,
};

const BY_SECTIGO: Issuer = Issuer {
    title: "Sectigo",
    // cPanel's Sectigo provider, 2022.
    caa_identities: &[
        "sectigo.com",
        "comodoca.com",
        "usertrust.com",
        "trust-provider.com",
    ],
};
const BY_SSL_COM: Issuer = Issuer {
    title: "SSL.com",
    caa_identities: &["ssl.com"],
};

/// Sectigo's knowledge base; since ballot SC-45 took effect there.
const WWW_BY_SECTIGO: Option<&str> = Some("Sectigo KB kA03l000000Xsf9, since 2021-11-22");

/// Sectigo's day; most of its resellers' orders end there too.
const LIKE_SECTIGO: Accepts = Accepts {
    client_auth_ends: Some("2027-02-10"),
    ..PUBLIC
};

// Reissue answers of 2026-05 carry a unique value and comodoca.com (Namecheap API, ssl.reissue). A
// move to SSL.com was announced for 2026-07-11; neither that it happened nor the zone that shows
// since is confirmed, hence all three.
pub(super) const NAMECHEAP: Profile = Profile {
    name: "namecheap",
    also: &[],
    title: "Namecheap",
    about: "namecheap.com",
    dns: DnsProof::CsrHash(CsrHash {
        zones: &["comodoca.com", "ssl.com", "sectigo.com"],
        unique: UniqueValue::Always,
    }),
    http: HttpProof::CsrHash(Redirects::Refused),
    email: Known::Yes,
    www_drops_out: WWW_BY_SECTIGO,
    unconfirmed: "",
    issuers: &[BY_SSL_COM, BY_SECTIGO],
    accepts: LIKE_SECTIGO,
    source: "namecheap.com API ssl.activate and ssl.reissue; its notice of the move to SSL.com",
    read: "2026-11",
};

pub(super) const SSLS: Profile = Profile {
    name: "ssls",
    title: "SSLs.com",
    about: "ssls.com",
    source: "Namecheap's other shop, with the same back end",
    ..NAMECHEAP
};

pub(super) const SECTIGO: Profile = Profile {
    name: "sectigo",
    // Entrust's public TLS went to Sectigo in 2025.
    also: &["comodo", "positivessl", "entrust"],
    title: "Sectigo",
    about: "sectigo.com and most of its resellers; PositiveSSL, Comodo, Entrust",
    dns: DnsProof::CsrHash(CsrHash {
        zones: &["sectigo.com", "comodoca.com"],
        unique: UniqueValue::WhenKeyIsReused,
    }),
    http: HttpProof::CsrHash(Redirects::Refused),
    email: Known::Yes,
    www_drops_out: WWW_BY_SECTIGO,
    unconfirmed: "",
    issuers: &[BY_SECTIGO],
    accepts: LIKE_SECTIGO,
    source: "docs.sectigo.com request token; sectigo.com FAQ complete-dv-using-cname-method; \
        cPanel's Sectigo provider",
    read: "2026-11",
};

pub(super) const GOGETSSL: Profile = Profile {
    name: "gogetssl",
    also: &[],
    title: "GoGetSSL",
    about: "gogetssl.com",
    dns: DnsProof::CsrHash(CsrHash {
        zones: &["comodoca.com", "sectigo.com"],
        unique: UniqueValue::Always,
    }),
    email: Known::Unknown,
    source: "GoGetSSL API, Comodo-Unique-Value: the requester's 15 to 20 characters, or made for \
        him",
    ..SECTIGO
};

pub(super) const ZEROSSL: Profile = Profile {
    name: "zerossl",
    also: &[],
    title: "ZeroSSL",
    about: "zerossl.com",
    dns: DnsProof::CsrHash(CsrHash {
        zones: &["comodoca.com", "sectigo.com"],
        unique: UniqueValue::Always,
    }),
    email: Known::Unknown,
    source: "an API answer of 2024-04: 15 hex digits before comodoca.com",
    ..SECTIGO
};

pub(super) const SSL_COM: Profile = Profile {
    name: "ssl.com",
    also: &[],
    title: "SSL.com",
    about: "ssl.com",
    dns: DnsProof::CsrHash(CsrHash {
        zones: &["ssl.com"],
        unique: UniqueValue::Always,
    }),
    http: HttpProof::CsrHash(Redirects::Refused),
    email: Known::Unknown,
    www_drops_out: None,
    unconfirmed: "",
    issuers: &[BY_SSL_COM],
    accepts: PUBLIC,
    source: "SSL.com's DV requirements (the unique value is required) and its portal's code",
    read: "2026-11",
};

pub(super) const DIGICERT: Profile = Profile {
    name: "digicert",
    also: &["geotrust", "rapidssl", "thawte"],
    title: "DigiCert",
    about: "digicert.com; GeoTrust, RapidSSL, Thawte",
    dns: DnsProof::Token(&[
        Token {
            kind: Cname,
            label: "_dnsauth",
            value: "<token>.dcv.digicert.com",
        },
        Token {
            kind: Txt,
            label: "_dnsauth",
            value: "<token>",
        },
        Token {
            kind: Txt,
            label: "",
            value: "<token>",
        },
        Token {
            kind: Cname,
            label: "<token>",
            value: "dcv.digicert.com",
        },
    ]),
    http: HttpProof::Named("fileauth.txt", Redirects::Unknown),
    email: Known::Unknown,
    www_drops_out: None,
    unconfirmed: "",
    issuers: &[Issuer {
        title: "DigiCert",
        caa_identities: &["digicert.com"],
    }],
    accepts: Accepts {
        client_auth_ends: Some("2027-03-01"),
        ..PUBLIC
    },
    source: "docs.digicert.com DNS-based DCV methods; dev.digicert.com http-token",
    read: "2026-11",
};

pub(super) const GLOBALSIGN: Profile = Profile {
    name: "globalsign",
    also: &["alphassl"],
    title: "GlobalSign",
    about: "globalsign.com; AlphaSSL",
    dns: DnsProof::Token(&[
        Token {
            kind: Txt,
            label: "",
            value: "_globalsign-domain-verification=<token>",
        },
        Token {
            kind: Txt,
            label: "",
            value: "globalsign-domain-verification=<token>",
        },
    ]),
    http: HttpProof::Named("gsdv.txt", Redirects::Unknown),
    email: Known::Unknown,
    www_drops_out: None,
    unconfirmed: "",
    issuers: &[Issuer {
        title: "GlobalSign",
        caa_identities: &["globalsign.com"],
    }],
    accepts: PUBLIC,
    source: "support.globalsign.com 1345666; live zones with the underscore",
    read: "2026-03",
};

pub(super) const STARFIELD: Profile = Profile {
    name: "starfield",
    title: "Starfield",
    about: "GoDaddy's other brand",
    http: HttpProof::Named("starfield.html", Redirects::Refused),
    ..GODADDY
};

pub(super) const GODADDY: Profile = Profile {
    name: "godaddy",
    also: &[],
    title: "GoDaddy",
    about: "godaddy.com",
    dns: DnsProof::Token(&[
        Token {
            kind: Txt,
            label: "",
            value: "<token>",
        },
        Token {
            kind: Txt,
            label: "dzc",
            value: "<token>",
        },
    ]),
    http: HttpProof::Named("godaddy.html", Redirects::Refused),
    email: Known::Unknown,
    www_drops_out: None,
    unconfirmed: "",
    issuers: &[Issuer {
        title: "GoDaddy",
        caa_identities: &["godaddy.com", "starfieldtech.com"],
    }],
    accepts: PUBLIC,
    source: "support pages of 123-reg, tsohost and heartinternet, which are GoDaddy's",
    read: "2026-11",
};

pub(super) const CERTUM: Profile = Profile {
    name: "certum",
    also: &[],
    title: "Certum",
    about: "certum.eu",
    dns: DnsProof::Token(&[Token {
        kind: Txt,
        label: "",
        value: "<token>",
    }]),
    http: HttpProof::Named("certum.txt", Redirects::Unknown),
    email: Known::Yes,
    www_drops_out: None,
    unconfirmed: "at which host it looks for its TXT record",
    issuers: &[Issuer {
        title: "Certum",
        caa_identities: &[],
    }],
    accepts: PUBLIC,
    source: "support.certum.eu verification methods; the file's name by resellers",
    read: "2026-11",
};

pub(super) const TENCENT: Profile = Profile {
    name: "tencent",
    also: &["trustasia"],
    title: "Tencent Cloud",
    about: "Tencent Cloud; TrustAsia",
    dns: DnsProof::Token(&[Token {
        kind: Txt,
        label: "_dnsauth",
        value: "<token>",
    }]),
    http: HttpProof::Named("fileauth.txt", Redirects::Unknown),
    email: Known::Unknown,
    www_drops_out: None,
    unconfirmed: "at which host it looks for its TXT record",
    issuers: &[Issuer {
        title: "TrustAsia or DigiCert",
        caa_identities: &[],
    }],
    accepts: PUBLIC,
    source: "Tencent's SSL documents",
    read: "2026-11",
};

pub(super) const ACM: Profile = Profile {
    name: "aws-acm",
    also: &["acm", "amazon"],
    title: "AWS Certificate Manager",
    about: "AWS Certificate Manager",
    dns: DnsProof::Token(&[Token {
        kind: Cname,
        label: "_<32 hex>",
        value: "_<32 hex>.<10 letters>.acm-validations.aws",
    }]),
    http: HttpProof::None,
    email: Known::Unknown,
    www_drops_out: None,
    unconfirmed: "",
    issuers: &[Issuer {
        title: "Amazon",
        caa_identities: &[
            "amazon.com",
            "amazontrust.com",
            "awstrust.com",
            "amazonaws.com",
        ],
    }],
    accepts: PUBLIC,
    source: "docs.aws.amazon.com ACM user guide; live zones: one record for good, kept for renewals",
    read: "2026-11",
};

pub(super) const PRIVATE: Profile = Profile {
    name: "private",
    also: &[],
    title: "your CA",
    about: "A company's own CA: no proof in the DNS",
    dns: DnsProof::None,
    http: HttpProof::None,
    email: Known::No,
    www_drops_out: None,
    unconfirmed: "",
    issuers: &[],
    accepts: Accepts {
        keys: None,
        rsa_bits: 0,
        client_auth_ends: None,
    },
    source: "by its nature: its rules are the company's",
    read: "2026-11",
};
