//! The rules for a root.

use super::breach::{Breach, breach};
use super::chain_link::ChainLink;
use super::clients::TlsClient;
use super::table;
use crate::pki::certificate_fields::{BASIC_CONSTRAINTS, IdentifierMatch, compare_identifier};
use crate::pki::der;
use crate::pki::key::KeyAlgorithm;

/// The rules for a root of which the certificate is known; dates, key usage and path length are
/// checked by `TrustAnchors::find_refusal`.
pub(super) fn check_root(link: &ChainLink<'_>) -> Vec<Breach> {
    let fields = &link.fields;
    let mut found = Vec::new();
    found.extend(check_root_itself(link));
    if fields.version == 3 && fields.extension(BASIC_CONSTRAINTS).is_none() {
        found.extend(match fields.key_usage() {
            Some(_) => breach(
                &table::ROOT_WITHOUT_CONSTRAINTS,
                "the root has no basic constraints",
            ),
            None => breach(
                &table::ROOT_NOT_A_CA,
                "the root has neither basic constraints nor a key usage, so it is not a CA",
            ),
        });
    }
    if fields.version < 3 {
        found.extend(breach(
            &table::OLD_VERSION,
            "the root is a certificate of version 1, which cannot be marked as a CA",
        ));
    }
    if !link.certificate.usage.server_auth {
        let how = "the root may not issue certificates for TLS servers";
        let breach = Breach::new(&table::ROOT_PURPOSE, how);
        // anyExtendedKeyUsage.
        found.push(if link.certificate.usage.for_servers {
            breach.except(&[TlsClient::Go])
        } else {
            breach
        });
    }
    found
}

/// OpenSSL takes a root for one only if it could have signed itself.
fn check_root_itself(link: &ChainLink<'_>) -> Option<Breach> {
    let fields = &link.fields;
    if fields.issuer != fields.subject {
        return None;
    }
    let wanted = fields.authority_key();
    let is_other_key =
        wanted.is_some_and(|key| compare_identifier(&key, fields) != IdentifierMatch::Same);
    let how = if is_other_key {
        "its authority key identifier names another certificate than itself"
    } else if !fits_own_key(link) {
        "its signature algorithm is not one of its own key"
    } else {
        return None;
    };
    breach(&table::ROOT_NOT_SELF_SIGNED, how)
}

/// Returns whether the signature algorithm belongs to the key of the certificate itself.
fn fits_own_key(link: &ChainLink<'_>) -> bool {
    let signed = der::split_signed(link.certificate.der());
    let algorithm = signed.and_then(|signed| der::split_element(signed.algorithm));
    let Some((id, _)) = algorithm else {
        return false;
    };
    match link.certificate.algorithm {
        KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 | KeyAlgorithm::EcdsaP521 => {
            id.value.starts_with(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4])
        }
        KeyAlgorithm::Rsa(_) => id
            .value
            .starts_with(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1]),
        KeyAlgorithm::Ed25519 => id.value == [0x2b, 0x65, 0x70],
        KeyAlgorithm::Unknown => true,
    }
}
