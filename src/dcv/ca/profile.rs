//! The columns of the table of CAs and shops.

use crate::dcv::answer::RecordKind;
use crate::pki::key::KeyAlgorithm;

/// All that is known of one.
#[derive(Debug, Eq, PartialEq)]
pub struct CaProfile {
    /// The name as typed.
    pub name: &'static str,
    /// Other names of the same, as typed: its brands.
    pub also: &'static [&'static str],
    /// The name as it writes itself, for sentences.
    pub title: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    /// Its proof in the DNS.
    pub dns: DnsValidation,
    /// Its proof by a file on the web server.
    pub http: HttpValidation,
    /// Whether it takes an answer to an e-mail.
    pub email: Confirmation,
    /// That it adds www to a single name, and leaves it out again without a word where the file is
    /// not served there too: where it says so, and since when.
    pub www_drops_out: Option<&'static str>,
    /// What of this row nobody could confirm, in words; empty where all of it is.
    pub unconfirmed: &'static str,
    /// Who may turn out to issue; more than one where a shop changes its supplier.
    pub issuers: &'static [CaaIssuer],
    /// What it takes in a request.
    pub accepts: RequestLimits,
    /// Where it says so.
    pub source: &'static str,
    /// The month it was read.
    pub read: &'static str,
}

/// What was found out, or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Confirmation {
    Yes,
    No,
    Unknown,
}

/// A CA by the names that a CAA record allows it with (RFC 8659 4.2).
#[derive(Debug, Eq, PartialEq)]
pub struct CaaIssuer {
    /// The name for sentences.
    pub title: &'static str,
    /// Any of these allows it; none: not confirmed.
    pub caa_identities: &'static [&'static str],
}

/// What a request may hold.
#[derive(Debug, Eq, PartialEq)]
pub struct RequestLimits {
    /// The kinds of key besides RSA; `None`: any.
    pub keys: Option<&'static [KeyAlgorithm]>,
    /// The fewest bits of an RSA modulus.
    pub rsa_bits: usize,
    /// The first day without clientAuth (RFC 3339), where the CA has told one.
    pub client_auth_ends: Option<&'static str>,
}

/// How control is proved in the DNS.
#[derive(Debug, Eq, PartialEq)]
pub enum DnsValidation {
    /// A CNAME made of the request's hashes.
    CsrHash(CsrHashTarget),
    /// A record with a random value that only the shop knows; the usual form first.
    Token(&'static [RandomValueRecord]),
    None,
}

/// How a CA of the CSR-hash family writes its CNAME target.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CsrHashTarget {
    /// The zones it is known to use, the likeliest first.
    pub zones: &'static [&'static str],
    /// Whether a unique value stands before the zone.
    pub unique: UniqueValue,
}

/// Whether the target carries a value that only the shop knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UniqueValue {
    /// Always: the target cannot be known from the request alone.
    Always,
    /// Only where a key is used again: a fresh request has none.
    WhenKeyIsReused,
}

/// A record with a random value. `<...>` stands for what differs from order to order (`shape`).
#[derive(Debug, Eq, PartialEq)]
pub struct RandomValueRecord {
    pub kind: RecordKind,
    /// What stands before the domain; empty: the record is at the domain itself.
    pub label: &'static str,
    pub value: &'static str,
}

/// How control is proved by a file below `/.well-known/pki-validation/`.
#[derive(Debug, Eq, PartialEq)]
pub enum HttpValidation {
    /// The file is called after the request's MD5 in upper case and holds its SHA-256, the zone of
    /// the DNS form and the unique value, a line each.
    CsrHash(RedirectPolicy),
    /// A file of this name with the random value that the shop shows.
    Named(&'static str, RedirectPolicy),
    /// Not offered, or not wanted.
    None,
    Unknown,
}

/// Whether the CA goes where the web server sends it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RedirectPolicy {
    /// The file has to be there itself.
    Refused,
    /// Not confirmed: a file that is there itself is safe.
    Unknown,
}
