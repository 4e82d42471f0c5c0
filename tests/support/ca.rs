//! A CA created at run time: a root, intermediates, and leaves with the faults that a test
//! requests.

use std::sync::OnceLock;

use jiff::civil::Date;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer,
    CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm,
};

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A root and one intermediate below it.
pub struct TestCa {
    pub root: Issuer,
    pub intermediate: Issuer,
}

/// The days that a default leaf has left. Its whole lifetime of 45 days is allowed on every day of
/// the calendar: the strictest limit is 47 days, from 2029-03-15 (SC-081v3).
pub const DAYS_LEFT: i64 = 44;

/// The days until a default leaf is due for renewal, with some to spare: certctl renews in the last
/// third of a lifetime.
pub const DAYS_UNTIL_DUE: i64 = 36;

/// The properties of a leaf; `default()` is a valid one.
#[derive(Clone)]
pub struct Leaf {
    pub not_before: Date,
    pub not_after: Date,
    /// Names that replace those of the request.
    pub names: Option<Vec<String>>,
    /// Further changes.
    pub change: fn(&mut CertificateParams),
}

impl Default for Leaf {
    /// Valid from yesterday until [`DAYS_LEFT`] days from now, with the names of the request.
    fn default() -> Self {
        let today = today();
        Self {
            not_before: days(today, -1),
            not_after: days(today, DAYS_LEFT),
            names: None,
            change: |_| {},
        }
    }
}

/// Adds the URL of the issuer, as public CAs do (RFC 5280 4.2.2.1).
pub fn add_issuer_url(params: &mut CertificateParams) {
    let ca_issuers = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02\x86\x11http://ca.example";
    let content = [&[0x30, 0x1f, 0x30, 0x1d], &ca_issuers[..]].concat();
    params
        .custom_extensions
        .push(CustomExtension::from_oid_content(
            &[1, 3, 6, 1, 5, 5, 7, 1, 1],
            content,
        ));
}

impl TestCa {
    /// Creates a CA with P-256 keys.
    pub fn new() -> Self {
        Self::with_algorithm(&PKCS_ECDSA_P256_SHA256)
    }

    /// Creates a CA with RSA-2048 keys.
    pub fn rsa() -> Self {
        Self::with_algorithm(&PKCS_RSA_SHA256)
    }

    fn with_algorithm(algorithm: &'static SignatureAlgorithm) -> Self {
        let root = Issuer::self_signed(
            ca_params("Test Root R1"),
            KeyPair::generate_for(algorithm).unwrap(),
        )
        .unwrap();
        let intermediate = subordinate(&root, "Test DV CA R2", algorithm);
        Self { root, intermediate }
    }

    pub fn root_pem(&self) -> String {
        unix(&self.root.pem())
    }

    pub fn intermediate_pem(&self) -> String {
        unix(&self.intermediate.pem())
    }

    /// Returns intermediate and root: what resellers call the ca-bundle.
    pub fn bundle_pem(&self) -> String {
        self.intermediate_pem() + &self.root_pem()
    }

    /// Issues a valid leaf for a PEM request.
    pub fn issue(&self, request_pem: &str) -> String {
        self.issue_as(request_pem, Leaf::default())
    }

    /// Issues a leaf with these properties for a PEM request.
    pub fn issue_as(&self, request_pem: &str, leaf: Leaf) -> String {
        let mut request = CertificateSigningRequestParams::from_pem(request_pem).unwrap();
        let params = &mut request.params;
        if let Some(names) = leaf.names {
            params.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
        }
        params.not_before = midnight(leaf.not_before);
        params.not_after = midnight(leaf.not_after);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        (leaf.change)(params);
        unix(&request.signed_by(&self.intermediate).unwrap().pem())
    }
}

/// Returns the intermediate of `ca`, signed again by the root with another expiry date.
pub fn cross_signed(ca: &TestCa, not_after: Date) -> String {
    let mut params = ca_params("Test DV CA R2");
    params.not_after = midnight(not_after);
    unix(
        &params
            .signed_by(ca.intermediate.key(), &ca.root)
            .unwrap()
            .pem(),
    )
}

/// Issues a CA certificate below `issuer`.
pub fn subordinate(issuer: &Issuer, name: &str, algorithm: &'static SignatureAlgorithm) -> Issuer {
    let key = KeyPair::generate_for(algorithm).unwrap();
    Issuer::signed_by(ca_params(name), key, issuer).unwrap()
}

/// Returns the parameters of a CA certificate, valid from 2020 (so that tests can evaluate dates as
/// of any fixed day since) for five years from now.
pub fn ca_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "certctl tests");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = midnight(jiff::civil::date(2020, 1, 1));
    params.not_after = midnight(days(today(), 1800));
    params
}

/// Returns the day of the run in UTC; it stays the same throughout a process, even past midnight.
pub fn today() -> Date {
    static TODAY: OnceLock<Date> = OnceLock::new();
    *TODAY.get_or_init(|| {
        jiff::tz::Offset::UTC
            .to_datetime(jiff::Timestamp::now())
            .date()
    })
}

/// Returns noon (UTC) of the day `count` days after today, as `--at` takes it.
pub fn noon(count: i64) -> String {
    format!("{}T12:00:00Z", days(today(), count))
}

pub fn days(from: Date, count: i64) -> Date {
    from.checked_add(jiff::Span::new().days(count)).unwrap()
}

/// Returns midnight UTC in the type that rcgen uses.
pub fn midnight(date: Date) -> time::OffsetDateTime {
    rcgen::date_time_ymd(
        date.year().into(),
        date.month().try_into().unwrap(),
        date.day().try_into().unwrap(),
    )
}

fn unix(pem: &str) -> String {
    pem.replace("\r\n", "\n")
}
