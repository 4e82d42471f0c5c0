//! The request that is checked.

use crate::dcv::ca::Ca;
use crate::pki::alt_name::AltNames;
use crate::pki::key::KeyAlgorithm;
use crate::pki::subject::SubjectName;

/// A request that is about to be created.
#[derive(Debug)]
pub(crate) struct LintedRequest<'a> {
    pub names: &'a AltNames,
    pub subject: &'a SubjectName,
    /// The kind of its key.
    pub algorithm: KeyAlgorithm,
    /// The key, if it was not created for this request.
    pub reused_key: Option<ReusedKey>,
    /// What the earlier certificate or request has in addition to names, subject and key.
    pub earlier_content: EarlierContent,
    /// The CA; an unknown one is treated as public.
    pub ca: Option<Ca>,
}

/// A key that was not created for this request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ReusedKey {
    /// The DER `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
    /// The other requests and certificates that use it, in words.
    pub also_used_by: Vec<String>,
}

/// What a certificate or request has in addition to names, subject and key. A new request does not
/// copy any of it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct EarlierContent {
    /// Whether it has or requests the usage clientAuth.
    pub client_auth: bool,
    /// Whether it has or requests Must-Staple.
    pub must_staple: bool,
    /// The bits of its RSA key, if they are fewer than certctl generates.
    pub short_rsa: Option<usize>,
}
