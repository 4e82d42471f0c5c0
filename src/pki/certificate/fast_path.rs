//! The short way to read a certificate: version 3, every field in the one form in which CAs write
//! it. Whatever is not exactly that is `None` and the full parser's, which is the judge of this one
//! in the tests: where both read, they read the same.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::super::der::{
    BIT_STRING, BOOLEAN, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, split,
};
use super::super::key::{KeyAlgorithm, PublicKeyId, sha256};
use super::super::oid;
use super::{Certificate, CertificateUsage, address, escaped, place};

/// Context-specific tags: `[3]` of the body, `dNSName`, `uniformResourceIdentifier`, `iPAddress`,
/// `keyIdentifier`.
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;
const IP_ADDRESS: u8 = 0x87;
const KEY_IDENTIFIER: u8 = 0x80;
/// `[0] { INTEGER 2 }`: version 3.
const VERSION_3: [u8; 5] = [0xa0, 3, INTEGER, 1, 2];

/// id-ce (2.5.29) and id-pkix (1.3.6.1.5.5.7), as octets.
const ID_CE: [u8; 2] = [0x55, 0x1d];
const ID_PKIX: [u8; 6] = [0x2b, 6, 1, 5, 5, 7];

/// Elements to be taken one after the other.
struct Parts<'a>(&'a [u8]);

// What is asked for each of the hundred elements of a certificate is worth its place in the code.
impl<'a> Parts<'a> {
    /// The parts of the one element that `der` is.
    fn of(der: &'a [u8], tag: u8) -> Option<Self> {
        let mut outer = Parts(der);
        let parts = Parts(outer.take(tag)?.0);
        outer.end()?;
        Some(parts)
    }

    /// The value of the next one and the whole of it.
    #[inline]
    fn take(&mut self, tag: u8) -> Option<(&'a [u8], &'a [u8])> {
        let (element, rest) = split(self.0)?;
        self.0 = rest;
        (element.tag == tag).then_some((element.value, element.whole))
    }

    fn next_is(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// `AlgorithmIdentifier` (RFC 5280 4.1.1.2), whatever its parameters are.
fn algorithm<'a>(from: &mut Parts<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let (value, whole) = from.take(SEQUENCE)?;
    let mut parts = Parts(value);
    identifier(&mut parts)?;
    if parts.end().is_none() {
        let (parameters, rest) = split(parts.0)?;
        let known =
            matches!(parameters.tag, 0x05 | OBJECT_IDENTIFIER | SEQUENCE) && rest.is_empty();
        known.then_some(())?;
    }
    Some((value, whole))
}

fn identifier<'a>(from: &mut Parts<'a>) -> Option<&'a [u8]> {
    let (octets, _) = from.take(OBJECT_IDENTIFIER)?;
    octets.last().filter(|last| **last < 0x80).map(|_| octets)
}

/// A BIT STRING without unused bits.
fn bits<'a>(from: &mut Parts<'a>) -> Option<&'a [u8]> {
    from.take(BIT_STRING)?.0.strip_prefix(&[0])
}

/// `YYMMDDHHMMSSZ` before 2050, `YYYYMMDDHHMMSSZ` (RFC 5280 4.1.2.5).
fn time(from: &mut Parts<'_>) -> Option<Timestamp> {
    let (digits, century) = if from.next_is(0x17) {
        (from.take(0x17)?.0, 0)
    } else {
        (from.take(0x18)?.0, 2)
    };
    let digits = digits
        .strip_suffix(b"Z")
        .filter(|digits| digits.len() == 12 + century)?;
    let (years, rest) = digits.split_at(2 + century);
    let year = years.iter().try_fold(0_i16, |sum, digit| {
        Some(sum * 10 + i16::from(value(*digit)?))
    })?;
    let year = match century {
        0 if year < 50 => 2000 + year,
        0 => 1900 + year,
        _ => year,
    };
    let mut pairs = rest
        .chunks_exact(2)
        .map(|pair| Some(value(pair[0])? * 10 + value(pair[1])?));
    let mut pair = || pairs.next().flatten();
    let time = DateTime::new(year, pair()?, pair()?, pair()?, pair()?, pair()?, 0).ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

fn value(digit: u8) -> Option<i8> {
    i8::try_from(digit.checked_sub(b'0')?)
        .ok()
        .filter(|value| *value < 10)
}

/// A name as [`super::printable_name`] writes it.
fn name(value: &[u8]) -> Option<String> {
    let mut parts = [("", ""); 16];
    let mut count = 0;
    let mut rest = Parts(value);
    while rest.end().is_none() {
        let mut part = Parts(rest.take(SET)?.0);
        let mut attribute = Parts(part.take(SEQUENCE)?.0);
        // Several attributes in one part are the full parser's.
        part.end()?;
        let called = oid::attribute_name_of(identifier(&mut attribute)?)?;
        let (element, _) = split(attribute.0).filter(|(_, after)| after.is_empty())?;
        let fits = match element.tag {
            0x0c => true,
            0x13 => element
                .value
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(byte)),
            0x16 => element.value.is_ascii(),
            _ => false,
        };
        fits.then_some(())?;
        *parts.get_mut(count)? = (called, std::str::from_utf8(element.value).ok()?);
        count += 1;
    }
    let mut text = String::with_capacity(value.len());
    for (called, value) in parts[..count].iter().rev() {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(called);
        text.push('=');
        let simple =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'*' | b' ');
        let octets = value.as_bytes();
        if octets.iter().all(simple) && !matches!(octets, [b' ', ..] | [.., b' ']) {
            text.push_str(value);
        } else {
            text.push_str(&escaped(value));
        }
    }
    Some(text)
}

impl Certificate {
    /// As [`Self::from_der`] where nothing follows the certificate and it is written as CAs write
    /// them, in a third of the time; `None` where that one has to look.
    #[must_use]
    pub fn from_plain_der(der: impl Into<Vec<u8>>) -> Option<Self> {
        let der = der.into();
        let certificate = Self::read_plain(&der)?;
        Some(Self { der, ..certificate })
    }

    /// All but the DER itself.
    fn read_plain(der: &[u8]) -> Option<Self> {
        let mut outer = Parts::of(der, SEQUENCE)?;
        let mut body = Parts(outer.take(SEQUENCE)?.0);
        let (_, signed_by) = algorithm(&mut outer)?;
        bits(&mut outer)?;
        outer.end()?;
        body.0 = body.0.strip_prefix(&VERSION_3)?;
        let (serial, _) = body
            .take(INTEGER)
            .filter(|(value, _)| (1..=20).contains(&value.len()))?;
        if algorithm(&mut body)?.1 != signed_by {
            return None;
        }
        let (issuer, issuer_der) = body.take(SEQUENCE)?;
        let mut dates = Parts(body.take(SEQUENCE)?.0);
        let (not_before, not_after) = (time(&mut dates)?, time(&mut dates)?);
        dates.end()?;
        let (subject, subject_der) = body.take(SEQUENCE)?;
        let (key, spki) = body.take(SEQUENCE)?;
        let mut key = Parts(key);
        algorithm(&mut key)?;
        bits(&mut key)?;
        key.end()?;
        let mut extensions = Parts::of(body.take(EXTENSIONS)?.0, SEQUENCE)?;
        body.end()?;
        let mut certificate = Self {
            der: Vec::new(),
            spki: place(spki, der),
            subject_der: place(subject_der, der),
            issuer_der: place(issuer_der, der),
            subject: name(subject)?,
            issuer: name(issuer)?,
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            not_before,
            not_after,
            serial: hex::encode(serial),
            is_ca: false,
            usage: CertificateUsage::default(),
            is_constrained: false,
            subject_key: None,
            authority_key: None,
            issuer_urls: Vec::new(),
            algorithm: KeyAlgorithm::of_spki(spki),
            key_id: PublicKeyId::of_spki(spki),
            fingerprint: sha256(der),
        };
        while extensions.end().is_none() {
            certificate.take_plain(extensions.take(SEQUENCE)?.0)?;
        }
        Some(certificate)
    }

    /// One `Extension` (RFC 5280 4.1.2.9).
    fn take_plain(&mut self, extension: &[u8]) -> Option<()> {
        let mut parts = Parts(extension);
        let id = identifier(&mut parts)?;
        if parts.next_is(BOOLEAN) {
            parts.take(BOOLEAN).filter(|(value, _)| *value == [0xff])?;
        }
        let (content, _) = parts.take(OCTET_STRING)?;
        parts.end()?;
        if let Some([number]) = id.strip_prefix(&ID_CE) {
            return match number {
                14 => {
                    let (key, whole) = Parts(content).take(OCTET_STRING)?;
                    self.subject_key =
                        (whole.len() == content.len()).then(|| Some(key.to_vec()))?;
                    Some(())
                }
                15 => self.take_usage(content),
                17 => self.take_names(Parts::of(content, SEQUENCE)?),
                19 => self.take_constraints(content),
                30 => None,
                35 => {
                    let mut parts = Parts::of(content, SEQUENCE)?;
                    self.authority_key = Some(parts.take(KEY_IDENTIFIER)?.0.to_vec());
                    parts.end()
                }
                37 => self.take_purposes(Parts::of(content, SEQUENCE)?),
                // Of no concern here, whatever it says.
                _ => Some(()),
            };
        }
        // id-pe-authorityInfoAccess
        match id.strip_prefix(&ID_PKIX) {
            Some([1, 1]) => self.take_access(Parts::of(content, SEQUENCE)?),
            _ => Some(()),
        }
    }

    fn take_usage(&mut self, content: &[u8]) -> Option<()> {
        // At most eight bits: the ninth is `decipherOnly`. Those that are not used are 0.
        let [BIT_STRING, 2, unused @ 0..=7, bits] = content else {
            return None;
        };
        (bits & !(0xff << unused) == 0).then_some(())?;
        self.usage.signs_certificates = bits & 0x04 != 0;
        self.usage.serves = bits & (0x80 | 0x20 | 0x08) != 0;
        Some(())
    }

    fn take_constraints(&mut self, content: &[u8]) -> Option<()> {
        let (ca, length) = match content {
            [SEQUENCE, 0] => (false, None),
            [SEQUENCE, 3, BOOLEAN, 1, 0xff] => (true, None),
            [SEQUENCE, 6, BOOLEAN, 1, 0xff, INTEGER, 1, length @ 0..=0x7f] => {
                (true, Some(u32::from(*length)))
            }
            _ => return None,
        };
        (self.is_ca, self.usage.may_be_root, self.usage.path_length) = (ca, ca, length);
        Some(())
    }

    fn take_names(&mut self, mut names: Parts<'_>) -> Option<()> {
        while names.end().is_none() {
            if names.next_is(DNS_NAME) {
                self.dns_names.push(ascii(names.take(DNS_NAME)?.0)?);
            } else {
                let address: IpAddr = address(names.take(IP_ADDRESS)?.0)?;
                self.ip_addresses.push(address);
            }
        }
        Some(())
    }

    fn take_purposes(&mut self, mut purposes: Parts<'_>) -> Option<()> {
        (
            self.usage.for_servers,
            self.usage.server_auth,
            self.usage.for_clients,
        ) = (false, false, false);
        while purposes.end().is_none() {
            let purpose = identifier(&mut purposes)?;
            // anyExtendedKeyUsage
            self.usage.for_servers |= purpose == [0x55, 0x1d, 37, 0];
            match purpose.strip_prefix(&ID_PKIX) {
                Some([3, 1]) => (self.usage.for_servers, self.usage.server_auth) = (true, true),
                Some([3, 2]) => self.usage.for_clients = true,
                _ => {}
            }
        }
        Some(())
    }

    /// `caIssuers`; `ocsp` and others are of no concern.
    fn take_access(&mut self, mut access: Parts<'_>) -> Option<()> {
        while access.end().is_none() {
            let mut description = Parts(access.take(SEQUENCE)?.0);
            let method = identifier(&mut description)?;
            let url = ascii(description.take(URI)?.0)?;
            description.end()?;
            if method.strip_prefix(&ID_PKIX) == Some(&[48, 2]) {
                self.issuer_urls.push(url);
            }
        }
        Some(())
    }
}

fn ascii(octets: &[u8]) -> Option<String> {
    octets
        .is_ascii()
        .then(|| String::from_utf8(octets.to_vec()).ok())?
}
