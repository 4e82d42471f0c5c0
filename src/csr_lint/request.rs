//! What is judged.

use crate::dcv::ca::Ca;
use crate::pki::alt_name::AltNames;
use crate::pki::key::KeyAlgorithm;
use crate::pki::subject::SubjectName;

/// What is about to be asked of a CA.
#[derive(Debug)]
pub(crate) struct LintedRequest<'a> {
    pub names: &'a AltNames,
    pub subject: &'a SubjectName,
    /// The kind of key.
    pub algorithm: KeyAlgorithm,
    /// The key, where it was not made for this request.
    pub reused: Option<ReusedKey>,
    /// What the certificate or request before it asked for beside names, subject and key.
    pub before: EarlierContent,
    /// The CA; without one it is taken for a public one.
    pub ca: Option<Ca>,
}

/// A key that was not made for this request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ReusedKey {
    /// The DER `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
    /// The other requests and certificates that have it, in words.
    pub others: Vec<String>,
}

/// What a certificate or request says beside names, subject and key: none of it is taken over.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct EarlierContent {
    /// It is, or asks to be, for TLS clients too.
    pub client_auth: bool,
    /// It has, or asks for, Must-Staple.
    pub must_staple: bool,
    /// Its RSA key has fewer bits than any that is made; the bits.
    pub short_rsa: Option<usize>,
}
