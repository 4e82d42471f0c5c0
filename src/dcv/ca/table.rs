//! The rows. BR: CA/Browser Forum TLS Baseline Requirements 2.2.6. Public CAs accept the keys of BR
//! 6.1.5 and 6.1.6 (RSA from 2048 bits, NIST curves, no Ed25519) except P-521, which Mozilla's root
//! store policy (5.1) does not allow.

use super::profile::{
    CaProfile, CaaIssuer, Confirmation, CsrHashTarget, DnsValidation, HttpValidation,
    RandomValueRecord, RedirectPolicy, RequestLimits, UniqueValue,
};
use crate::dcv::answer::RecordKind::{Cname, Txt};
use crate::pki::key::KeyAlgorithm::{EcdsaP256, EcdsaP384};

/// The limits of a public CA that has not announced a day on which clientAuth ends.
pub(super) const PUBLIC: RequestLimits = RequestLimits {
    keys: Some(&[EcdsaP256, EcdsaP384]),
    rsa_bits: 2048,
    client_auth_ends: None,
};

const BY_SECTIGO: CaaIssuer = CaaIssuer {
    title: "Sectigo",
    // cPanel's Sectigo provider, 2022.
    caa_identities: &[
        "sectigo.com",
        "comodoca.com",
        "usertrust.com",
        "trust-provider.com",
    ],
};
const BY_SSL_COM: CaaIssuer = CaaIssuer {
    title: "SSL.com",
    caa_identities: &["ssl.com"],
};

/// Sectigo's knowledge base; Sectigo has done this since it implemented ballot SC-45.
const WWW_BY_SECTIGO: Option<&str> = Some("Sectigo KB kA03l000000Xsf9, since 2021-11-22");

/// The limits of Sectigo, with its date for the end of clientAuth; most of its resellers' orders
/// have the same ones.
const LIKE_SECTIGO: RequestLimits = RequestLimits {
    client_auth_ends: Some("2027-02-10"),
    ..PUBLIC
};

// API responses of 2026-05 contain a unique value and comodoca.com (Namecheap API, ssl.reissue). A
// move to SSL.com was announced for 2026-07-11; neither the move nor the zone that is used since
// then is confirmed, so the row lists all three zones.
pub(super) const NAMECHEAP: CaProfile = CaProfile {
    name: "namecheap",
    brands: &[],
    title: "Namecheap",
    about: "namecheap.com",
    dns: DnsValidation::CsrHash(CsrHashTarget {
        zones: &["comodoca.com", "ssl.com", "sectigo.com"],
        unique: UniqueValue::Always,
    }),
    http: HttpValidation::CsrHash(RedirectPolicy::Refused),
    email: Confirmation::Yes,
    www_will_be_dropped: WWW_BY_SECTIGO,
    unconfirmed: "",
    issuers: &[BY_SSL_COM, BY_SECTIGO],
    accepts: LIKE_SECTIGO,
    source: "namecheap.com API ssl.activate and ssl.reissue; its notice of the move to SSL.com",
    read_in: "2026-11",
};

pub(super) const SSLS: CaProfile = CaProfile {
    name: "ssls",
    title: "SSLs.com",
    about: "ssls.com",
    source: "Namecheap's other store, with the same back end",
    ..NAMECHEAP
};

pub(super) const SECTIGO: CaProfile = CaProfile {
    name: "sectigo",
    // Entrust's public TLS went to Sectigo in 2025.
    brands: &["comodo", "positivessl", "entrust"],
    title: "Sectigo",
    about: "sectigo.com and most of its resellers; PositiveSSL, Comodo, Entrust",
    dns: DnsValidation::CsrHash(CsrHashTarget {
        zones: &["sectigo.com", "comodoca.com"],
        unique: UniqueValue::WhenKeyIsReused,
    }),
    http: HttpValidation::CsrHash(RedirectPolicy::Refused),
    email: Confirmation::Yes,
    www_will_be_dropped: WWW_BY_SECTIGO,
    unconfirmed: "",
    issuers: &[BY_SECTIGO],
    accepts: LIKE_SECTIGO,
    source: "docs.sectigo.com request token; sectigo.com FAQ complete-dv-using-cname-method; \
        cPanel's Sectigo provider",
    read_in: "2026-11",
};

pub(super) const GOGETSSL: CaProfile = CaProfile {
    name: "gogetssl",
    brands: &[],
    title: "GoGetSSL",
    about: "gogetssl.com",
    dns: DnsValidation::CsrHash(CsrHashTarget {
        zones: &["comodoca.com", "sectigo.com"],
        unique: UniqueValue::Always,
    }),
    email: Confirmation::Unknown,
    source: "GoGetSSL API, Comodo-Unique-Value: 15 to 20 characters, chosen by the requester or \
        generated",
    ..SECTIGO
};

pub(super) const ZEROSSL: CaProfile = CaProfile {
    name: "zerossl",
    brands: &[],
    title: "ZeroSSL",
    about: "zerossl.com",
    dns: DnsValidation::CsrHash(CsrHashTarget {
        zones: &["comodoca.com", "sectigo.com"],
        unique: UniqueValue::Always,
    }),
    email: Confirmation::Unknown,
    source: "an API response of 2024-04: 15 hex digits before comodoca.com",
    ..SECTIGO
};

pub(super) const SSL_COM: CaProfile = CaProfile {
    name: "ssl.com",
    brands: &[],
    title: "SSL.com",
    about: "ssl.com",
    dns: DnsValidation::CsrHash(CsrHashTarget {
        zones: &["ssl.com"],
        unique: UniqueValue::Always,
    }),
    http: HttpValidation::CsrHash(RedirectPolicy::Refused),
    email: Confirmation::Unknown,
    www_will_be_dropped: None,
    unconfirmed: "",
    issuers: &[BY_SSL_COM],
    accepts: PUBLIC,
    source: "SSL.com's DV requirements (the unique value is required) and its portal's code",
    read_in: "2026-11",
};

pub(super) const DIGICERT: CaProfile = CaProfile {
    name: "digicert",
    brands: &["geotrust", "rapidssl", "thawte"],
    title: "DigiCert",
    about: "digicert.com; GeoTrust, RapidSSL, Thawte",
    dns: DnsValidation::Token(&[
        RandomValueRecord {
            kind: Cname,
            label: "_dnsauth",
            value: "<token>.dcv.digicert.com",
        },
        RandomValueRecord {
            kind: Txt,
            label: "_dnsauth",
            value: "<token>",
        },
        RandomValueRecord {
            kind: Txt,
            label: "",
            value: "<token>",
        },
        RandomValueRecord {
            kind: Cname,
            label: "<token>",
            value: "dcv.digicert.com",
        },
    ]),
    http: HttpValidation::Named("fileauth.txt", RedirectPolicy::Unknown),
    email: Confirmation::Unknown,
    www_will_be_dropped: None,
    unconfirmed: "",
    issuers: &[CaaIssuer {
        title: "DigiCert",
        caa_identities: &["digicert.com"],
    }],
    accepts: RequestLimits {
        client_auth_ends: Some("2027-03-01"),
        ..PUBLIC
    },
    source: "docs.digicert.com DNS-based DCV methods; dev.digicert.com http-token",
    read_in: "2026-11",
};

pub(super) const GLOBALSIGN: CaProfile = CaProfile {
    name: "globalsign",
    brands: &["alphassl"],
    title: "GlobalSign",
    about: "globalsign.com; AlphaSSL",
    dns: DnsValidation::Token(&[
        RandomValueRecord {
            kind: Txt,
            label: "",
            value: "_globalsign-domain-verification=<token>",
        },
        RandomValueRecord {
            kind: Txt,
            label: "",
            value: "globalsign-domain-verification=<token>",
        },
    ]),
    http: HttpValidation::Named("gsdv.txt", RedirectPolicy::Unknown),
    email: Confirmation::Unknown,
    www_will_be_dropped: None,
    unconfirmed: "",
    issuers: &[CaaIssuer {
        title: "GlobalSign",
        caa_identities: &["globalsign.com"],
    }],
    accepts: PUBLIC,
    source: "support.globalsign.com 1345666; live zones with the underscore",
    read_in: "2026-03",
};

pub(super) const STARFIELD: CaProfile = CaProfile {
    name: "starfield",
    title: "Starfield",
    about: "GoDaddy's other brand",
    http: HttpValidation::Named("starfield.html", RedirectPolicy::Refused),
    ..GODADDY
};

pub(super) const GODADDY: CaProfile = CaProfile {
    name: "godaddy",
    brands: &[],
    title: "GoDaddy",
    about: "godaddy.com",
    dns: DnsValidation::Token(&[
        RandomValueRecord {
            kind: Txt,
            label: "",
            value: "<token>",
        },
        RandomValueRecord {
            kind: Txt,
            label: "dzc",
            value: "<token>",
        },
    ]),
    http: HttpValidation::Named("godaddy.html", RedirectPolicy::Refused),
    email: Confirmation::Unknown,
    www_will_be_dropped: None,
    unconfirmed: "",
    issuers: &[CaaIssuer {
        title: "GoDaddy",
        caa_identities: &["godaddy.com", "starfieldtech.com"],
    }],
    accepts: PUBLIC,
    source: "support pages of 123-reg, tsohost and heartinternet, which are GoDaddy's",
    read_in: "2026-11",
};

pub(super) const CERTUM: CaProfile = CaProfile {
    name: "certum",
    brands: &[],
    title: "Certum",
    about: "certum.eu",
    dns: DnsValidation::Token(&[RandomValueRecord {
        kind: Txt,
        label: "",
        value: "<token>",
    }]),
    http: HttpValidation::Named("certum.txt", RedirectPolicy::Unknown),
    email: Confirmation::Yes,
    www_will_be_dropped: None,
    unconfirmed: "the host name of its TXT record",
    issuers: &[CaaIssuer {
        title: "Certum",
        caa_identities: &[],
    }],
    accepts: PUBLIC,
    source: "support.certum.eu verification methods; the file's name from resellers",
    read_in: "2026-11",
};

pub(super) const TENCENT: CaProfile = CaProfile {
    name: "tencent",
    brands: &["trustasia"],
    title: "Tencent Cloud",
    about: "Tencent Cloud; TrustAsia",
    dns: DnsValidation::Token(&[RandomValueRecord {
        kind: Txt,
        label: "_dnsauth",
        value: "<token>",
    }]),
    http: HttpValidation::Named("fileauth.txt", RedirectPolicy::Unknown),
    email: Confirmation::Unknown,
    www_will_be_dropped: None,
    unconfirmed: "the host name of its TXT record",
    issuers: &[CaaIssuer {
        title: "TrustAsia or DigiCert",
        caa_identities: &[],
    }],
    accepts: PUBLIC,
    source: "Tencent's SSL documents",
    read_in: "2026-11",
};

pub(super) const ACM: CaProfile = CaProfile {
    name: "aws-acm",
    brands: &["acm", "amazon"],
    title: "AWS Certificate Manager",
    about: "AWS Certificate Manager",
    dns: DnsValidation::Token(&[RandomValueRecord {
        kind: Cname,
        label: "_<32 hex>",
        value: "_<32 hex>.<10 letters>.acm-validations.aws",
    }]),
    http: HttpValidation::None,
    email: Confirmation::Unknown,
    www_will_be_dropped: None,
    unconfirmed: "",
    issuers: &[CaaIssuer {
        title: "Amazon",
        caa_identities: &[
            "amazon.com",
            "amazontrust.com",
            "awstrust.com",
            "amazonaws.com",
        ],
    }],
    accepts: PUBLIC,
    source: "docs.aws.amazon.com ACM user guide; live zones: one permanent record, reused for renewals",
    read_in: "2026-11",
};

pub(super) const PRIVATE: CaProfile = CaProfile {
    name: "private",
    brands: &[],
    title: "your CA",
    about: "A company's own CA: no domain validation",
    dns: DnsValidation::None,
    http: HttpValidation::None,
    email: Confirmation::No,
    www_will_be_dropped: None,
    unconfirmed: "",
    issuers: &[],
    accepts: RequestLimits {
        keys: None,
        rsa_bits: 0,
        client_auth_ends: None,
    },
    source: "none: the company sets the rules of its own CA",
    read_in: "2026-11",
};
