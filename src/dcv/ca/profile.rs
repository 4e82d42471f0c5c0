//! The columns of the table of CAs and resellers.

use crate::dcv::answer::RecordKind;
use crate::pki::key::KeyAlgorithm;

/// The rules of one CA or reseller.
#[derive(Debug, Eq, PartialEq)]
pub struct CaProfile {
    /// The name for the command line.
    pub name: &'static str,
    /// Other names for the command line: its brands.
    pub brands: &'static [&'static str],
    /// Its own spelling of its name, for sentences.
    pub title: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    /// How it validates control in the DNS.
    pub dns: DnsValidation,
    /// How it validates control by a file on the web server.
    pub http: HttpValidation,
    /// Whether it offers validation by email.
    pub email: Confirmation,
    /// The source, if it adds www to a single name and silently omits it again unless the file is
    /// served there too.
    pub www_will_be_dropped: Option<&'static str>,
    /// Which fact of this row is unconfirmed, in words; empty if all are confirmed.
    pub unconfirmed: &'static str,
    /// The CAs that may turn out to issue; more than one if a reseller changes its supplier.
    pub issuers: &'static [CaaIssuer],
    /// What it accepts in a request.
    pub accepts: RequestLimits,
    /// The documentation of these rules.
    pub source: &'static str,
    /// The month in which the documentation was read.
    pub read_in: &'static str,
}

/// Whether a fact is confirmed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Confirmation {
    Yes,
    No,
    Unknown,
}

/// A CA, and the identifiers that allow it in a CAA record (RFC 8659 4.2).
#[derive(Debug, Eq, PartialEq)]
pub struct CaaIssuer {
    /// The name for sentences.
    pub title: &'static str,
    /// Any of these identifiers allows the CA; empty if none is confirmed.
    pub caa_identities: &'static [&'static str],
}

/// The limits of a CA for the content of a request.
#[derive(Debug, Eq, PartialEq)]
pub struct RequestLimits {
    /// The accepted kinds of key besides RSA; `None`: any.
    pub keys: Option<&'static [KeyAlgorithm]>,
    /// The smallest accepted RSA modulus, in bits.
    pub rsa_bits: usize,
    /// The first day (RFC 3339) on which the CA issues without clientAuth, if it has announced one.
    pub client_auth_ends: Option<&'static str>,
}

/// How the CA validates control by a DNS record.
#[derive(Debug, Eq, PartialEq)]
pub enum DnsValidation {
    /// A CNAME derived from the request's hashes.
    CsrHash(CsrHashTarget),
    /// A record with a random value that only the reseller knows; the usual form first.
    Token(&'static [RandomValueRecord]),
    None,
}

/// How a CA of the CSR-hash family writes its CNAME target.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CsrHashTarget {
    /// The zones it is known to use, the likeliest first.
    pub zones: &'static [&'static str],
    /// Whether a unique value precedes the zone.
    pub unique: UniqueValue,
}

/// When the target has a value that only the reseller knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UniqueValue {
    /// Always: the target cannot be known from the request alone.
    Always,
    /// Only if the key was used before: the record for a new key has none.
    WhenKeyIsReused,
}

/// A record with a random value. `<...>` stands for a part that differs from order to order
/// (`shape`).
#[derive(Debug, Eq, PartialEq)]
pub struct RandomValueRecord {
    pub kind: RecordKind,
    /// The label before the domain; empty if the record is at the domain itself.
    pub label: &'static str,
    pub value: &'static str,
}

/// How the CA validates control by a file below `/.well-known/pki-validation/`.
#[derive(Debug, Eq, PartialEq)]
pub enum HttpValidation {
    /// The file's name is the request's MD5 in upper case; its lines are the SHA-256, the zone of
    /// the DNS form and the unique value.
    CsrHash(RedirectPolicy),
    /// A file of this name with the random value that the reseller shows.
    Named(&'static str, RedirectPolicy),
    /// Not offered, or not required.
    None,
    Unknown,
}

/// Whether the CA follows redirects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RedirectPolicy {
    /// The CA does not follow redirects.
    Refused,
    /// Unconfirmed: only a file without a redirect is safe.
    Unknown,
}
