//! Compares a stapled OCSP response (RFC 6960 4.2.1) with the certificate that it should be about:
//! the hashes of the issuer, and the serial number. Its signature is not verified: a response for
//! another certificate is useless no matter who signed it. Untrusted bytes.

use aws_lc_rs::digest::{self, Algorithm};

use crate::pki::certificate::Certificate;
use crate::pki::der::{
    CONTEXT_0, DerElement, INTEGER, OCTET_STRING, SEQUENCE, split_element, split_public_key,
};

/// ENUMERATED, the type of the response status.
const ENUMERATED: u8 = 0x0a;

/// The hash algorithms of `CertID` that are used in practice, as the value of the object identifier.
const SHA1: [u8; 5] = [0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// The most answers of one response that are read; responders send one.
const ANSWERS: usize = 100;

/// What a stapled response is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StapledSubject {
    /// The served certificate.
    ThisCertificate,
    /// Another certificate, with this serial number (lower-case hex).
    Other(String),
    /// The responder gave no answer (RFC 6960 4.2.1: `responseStatus` is not `successful`).
    NoAnswer,
    /// The bytes are not an OCSP response.
    Unreadable,
}

/// Returns what `response` is about: `leaf`, issued by `issuer` if that is known, or something else.
#[must_use]
pub fn find_subject(
    response: &[u8],
    leaf: &Certificate,
    issuer: Option<&Certificate>,
) -> StapledSubject {
    let answers = match read_response(response) {
        None => return StapledSubject::Unreadable,
        Some(OcspResponse::NoAnswer) => return StapledSubject::NoAnswer,
        Some(OcspResponse::Answers(answers)) => answers,
    };
    if answers.iter().any(|answer| answer.is_about(leaf, issuer)) {
        return StapledSubject::ThisCertificate;
    }
    match answers.first() {
        Some(answer) => StapledSubject::Other(hex::encode(answer.serial)),
        None => StapledSubject::Unreadable,
    }
}

enum OcspResponse<'a> {
    NoAnswer,
    Answers(Vec<CertificateId<'a>>),
}

/// `CertID` of RFC 6960 4.1.1.
struct CertificateId<'a> {
    algorithm: &'a [u8],
    issuer_name_hash: &'a [u8],
    issuer_key_hash: &'a [u8],
    serial: &'a [u8],
}

impl CertificateId<'_> {
    fn is_about(&self, leaf: &Certificate, issuer: Option<&Certificate>) -> bool {
        let trimmed = |serial: &[u8]| {
            let start = serial.iter().position(|&byte| byte != 0);
            serial[start.unwrap_or(serial.len())..].to_vec()
        };
        let leaf_serial = hex::decode(&leaf.serial).unwrap_or_default();
        if trimmed(self.serial) != trimmed(&leaf_serial) {
            return false;
        }
        // With an unknown hash the serial number decides.
        let Some(algorithm) = self.hash() else {
            return true;
        };
        let is_hash =
            |expected: &[u8], bytes: &[u8]| digest::digest(algorithm, bytes).as_ref() == expected;
        let issuer_key = issuer.and_then(|issuer| split_public_key(issuer.spki()));
        is_hash(self.issuer_name_hash, leaf.issuer_der())
            && issuer_key.is_none_or(|(_, key)| is_hash(self.issuer_key_hash, key))
    }

    fn hash(&self) -> Option<&'static Algorithm> {
        if self.algorithm == SHA1 {
            Some(&digest::SHA1_FOR_LEGACY_USE_ONLY)
        } else if self.algorithm == SHA256 {
            Some(&digest::SHA256)
        } else {
            None
        }
    }
}

/// Splits off an element that must have this tag.
fn expect(der: &[u8], tag: u8) -> Option<(DerElement<'_>, &[u8])> {
    split_element(der).filter(|(element, _)| element.tag == tag)
}

fn read_response(der: &[u8]) -> Option<OcspResponse<'_>> {
    let (outer, _) = expect(der, SEQUENCE)?;
    let (status, rest) = expect(outer.value, ENUMERATED)?;
    if status.value != [0] {
        return Some(OcspResponse::NoAnswer);
    }
    let (bytes, _) = expect(rest, CONTEXT_0)?;
    let (bytes, _) = expect(bytes.value, SEQUENCE)?;
    // The type of the response; only the basic one exists.
    let (_, rest) = split_element(bytes.value)?;
    let (basic, _) = expect(rest, OCTET_STRING)?;
    let (basic, _) = expect(basic.value, SEQUENCE)?;
    let (data, _) = expect(basic.value, SEQUENCE)?;
    read_answers(data.value).map(OcspResponse::Answers)
}

/// Reads the certificates that `ResponseData` is about.
fn read_answers(data: &[u8]) -> Option<Vec<CertificateId<'_>>> {
    let rest = expect(data, CONTEXT_0).map_or(data, |(_version, rest)| rest);
    // The responder, and when the response was made.
    let (_, rest) = split_element(rest)?;
    let (_, rest) = split_element(rest)?;
    let (answers, _) = expect(rest, SEQUENCE)?;
    let mut open = answers.value;
    let mut ids = Vec::new();
    while !open.is_empty() && ids.len() < ANSWERS {
        let (answer, after) = expect(open, SEQUENCE)?;
        ids.push(read_certificate_id(answer.value)?);
        open = after;
    }
    Some(ids)
}

fn read_certificate_id(answer: &[u8]) -> Option<CertificateId<'_>> {
    let (id, _) = expect(answer, SEQUENCE)?;
    let (algorithm, rest) = expect(id.value, SEQUENCE)?;
    let (algorithm, _) = split_element(algorithm.value)?;
    let (issuer_name_hash, rest) = expect(rest, OCTET_STRING)?;
    let (issuer_key_hash, rest) = expect(rest, OCTET_STRING)?;
    let (serial, _) = expect(rest, INTEGER)?;
    Some(CertificateId {
        algorithm: algorithm.value,
        issuer_name_hash: issuer_name_hash.value,
        issuer_key_hash: issuer_key_hash.value,
        serial: serial.value,
    })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;

    use super::{ENUMERATED, SHA1, SHA256, StapledSubject, find_subject};
    use crate::pki::certificate::Certificate;
    use crate::pki::der::{
        CONTEXT_0, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, encode_element,
        split_public_key,
    };

    fn certificate(name: &str) -> Certificate {
        let generated = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        Certificate::from_der(generated.cert.der()).unwrap()
    }

    struct Answer<'a> {
        oid: &'a [u8],
        algorithm: &'static digest::Algorithm,
        name: &'a [u8],
        issuer: &'a Certificate,
        serial: Vec<u8>,
    }

    impl Answer<'_> {
        fn response(&self, status: u8) -> Vec<u8> {
            let hash = |bytes: &[u8]| digest::digest(self.algorithm, bytes);
            let key = split_public_key(self.issuer.spki()).unwrap().1;
            let octets = |bytes: &[u8]| encode_element(OCTET_STRING, &[bytes]);
            let algorithm =
                encode_element(SEQUENCE, &[&encode_element(OBJECT_IDENTIFIER, &[self.oid])]);
            let id = encode_element(
                SEQUENCE,
                &[
                    &algorithm,
                    &octets(hash(self.name).as_ref()),
                    &octets(hash(key).as_ref()),
                    &encode_element(INTEGER, &[&self.serial]),
                ],
            );
            let answers = encode_element(SEQUENCE, &[&encode_element(SEQUENCE, &[&id])]);
            let responder = encode_element(0xa1, &[]);
            let made_at = encode_element(0x18, &[b"20261129000000Z"]);
            let data = encode_element(SEQUENCE, &[&responder, &made_at, &answers]);
            let basic = encode_element(SEQUENCE, &[&data]);
            let kind = encode_element(OBJECT_IDENTIFIER, &[&[0x2b]]);
            let bytes = encode_element(SEQUENCE, &[&kind, &octets(&basic)]);
            let bytes = encode_element(CONTEXT_0, &[&bytes]);
            encode_element(
                SEQUENCE,
                &[&encode_element(ENUMERATED, &[&[status]]), &bytes],
            )
        }
    }

    #[test]
    fn issuer_and_serial_number_must_match() {
        let [leaf, other] = ["leaf.example", "other.example"].map(certificate);
        let serial = hex::decode(&leaf.serial).unwrap();
        let answer = |issuer, serial: &[u8]| Answer {
            oid: &SHA1,
            algorithm: &digest::SHA1_FOR_LEGACY_USE_ONLY,
            name: leaf.issuer_der(),
            issuer,
            serial: serial.to_vec(),
        };
        let subject = |answer: &Answer<'_>| find_subject(&answer.response(0), &leaf, Some(&leaf));
        assert_eq!(
            subject(&answer(&leaf, &serial)),
            StapledSubject::ThisCertificate
        );
        let padded = [&[0], &serial[..]].concat();
        assert_eq!(
            subject(&answer(&leaf, &padded)),
            StapledSubject::ThisCertificate
        );
        assert_eq!(
            subject(&answer(&leaf, &[1, 2])),
            StapledSubject::Other("0102".to_owned())
        );
        assert_eq!(
            subject(&answer(&other, &serial)),
            StapledSubject::Other(leaf.serial.clone())
        );
        let of_other_issuer = Answer {
            name: b"another issuer",
            ..answer(&leaf, &serial)
        };
        assert_eq!(
            subject(&of_other_issuer),
            StapledSubject::Other(leaf.serial.clone())
        );
        let with_sha256 = Answer {
            oid: &SHA256,
            algorithm: &digest::SHA256,
            ..answer(&leaf, &serial)
        };
        assert_eq!(subject(&with_sha256), StapledSubject::ThisCertificate);
        let refused = answer(&leaf, &serial).response(3);
        assert_eq!(
            find_subject(&refused, &leaf, None),
            StapledSubject::NoAnswer
        );
    }

    #[test]
    fn mutated_responses_never_panic() {
        let leaf = certificate("leaf.example");
        let response = Answer {
            oid: &SHA1,
            algorithm: &digest::SHA1_FOR_LEGACY_USE_ONLY,
            name: leaf.issuer_der(),
            issuer: &leaf,
            serial: vec![1],
        }
        .response(0);
        for at in 0..response.len() {
            for change in [0, 0x7f, 0x80, 0xff] {
                let mut changed = response.clone();
                changed[at] = change;
                let _ = find_subject(&changed, &leaf, Some(&leaf));
            }
            let cut = find_subject(&response[..at], &leaf, None);
            assert_eq!(cut, StapledSubject::Unreadable, "{at}");
        }
    }
}
