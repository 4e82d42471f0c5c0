//! Reads a certificate that is encoded as CAs encode it: version 3, every field in its usual form.
//! Anything else is `None`, and the full parser reads it; the tests check that both read the same.

use crate::pki::fingerprint::Fingerprint;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::super::der::{
    BIT_STRING, BOOLEAN, DerElement, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET,
    split_element,
};
use super::super::key::{KeyAlgorithm, PublicKeyId};
use super::super::oid;
use super::{Certificate, CertificateUsage, escaped, parse_ip_address, place};

/// Context-specific tags: `[3]` of the body, `dNSName`, `uniformResourceIdentifier`, `iPAddress`,
/// `keyIdentifier`.
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;
const IP_ADDRESS: u8 = 0x87;
const KEY_IDENTIFIER: u8 = 0x80;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0] { INTEGER 2 }`: version 3.
const VERSION_3: [u8; 5] = [0xa0, 3, INTEGER, 1, 2];

/// id-ce (2.5.29) and id-pkix (1.3.6.1.5.5.7), as octets.
const ID_CE: [u8; 2] = [0x55, 0x1d];
const ID_PKIX: [u8; 6] = [0x2b, 6, 1, 5, 5, 7];

impl Certificate {
    /// Reads DER with no bytes after it; `None` unless every field is encoded as CAs encode it.
    /// Then [`Self::from_der`] has to read it.
    ///
    /// This is the one entry point of the fast path. It serves the target of benches/README.md for
    /// `status FOLDER --jsonl`: at most 1.1 times the CPU time of x509-parser and rayon on 100,000
    /// files. It takes a third of the time of [`Self::from_der`].
    #[must_use]
    pub fn from_plain_der(der: impl Into<Vec<u8>>) -> Option<Self> {
        let der = der.into();
        let certificate = Self::read_plain(&der)?;
        Some(Self { der, ..certificate })
    }

    /// Reads everything except the DER itself.
    fn read_plain(der: &[u8]) -> Option<Self> {
        let mut fields = PlainFields::read(der)?;
        let mut certificate = Self {
            der: Vec::new(),
            spki: place(fields.spki, der),
            subject_der: place(fields.subject.whole, der),
            issuer_der: place(fields.issuer.whole, der),
            subject: format_name(fields.subject.value)?,
            issuer: format_name(fields.issuer.value)?,
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            not_before: fields.not_before,
            not_after: fields.not_after,
            serial: hex::encode(fields.serial),
            is_ca: false,
            usage: CertificateUsage::default(),
            is_constrained: false,
            subject_key: None,
            authority_key: None,
            authority_certificate: None,
            issuer_urls: Vec::new(),
            algorithm: KeyAlgorithm::of_spki(fields.spki),
            key_id: PublicKeyId::of_spki(fields.spki),
            fingerprint: Fingerprint::of(der),
        };
        while !fields.extensions.is_at_end() {
            certificate.add_extension_der(fields.extensions.read(SEQUENCE)?.value)?;
        }
        Some(certificate)
    }

    /// Adds one `Extension` (RFC 5280 4.1.2.9).
    fn add_extension_der(&mut self, extension: &[u8]) -> Option<()> {
        let mut parts = ElementReader(extension);
        let id = read_identifier(&mut parts)?;
        if parts.next_is(BOOLEAN) {
            parts
                .read(BOOLEAN)
                .filter(|critical| critical.value == [0xff])?;
        }
        let content = parts.read(OCTET_STRING)?.value;
        parts.expect_end()?;
        if let Some([number]) = id.strip_prefix(&ID_CE) {
            return self.add_standard_extension(*number, content);
        }
        // id-pe-authorityInfoAccess
        match id.strip_prefix(&ID_PKIX) {
            Some([1, 1]) => self.add_issuer_urls_der(ElementReader::inside(content, SEQUENCE)?),
            _ => Some(()),
        }
    }

    /// Adds the extension with the last arc `number` below id-ce (RFC 5280 4.2.1).
    fn add_standard_extension(&mut self, number: u8, content: &[u8]) -> Option<()> {
        match number {
            14 => {
                let key = ElementReader::inside(content, OCTET_STRING)?;
                self.subject_key = Some(key.0.to_vec());
                Some(())
            }
            15 => self.add_key_usage(content),
            17 => self.add_names_der(ElementReader::inside(content, SEQUENCE)?),
            19 => self.add_basic_constraints(content),
            // Name constraints.
            30 => None,
            35 => {
                let mut parts = ElementReader::inside(content, SEQUENCE)?;
                self.authority_key = Some(parts.read(KEY_IDENTIFIER)?.value.to_vec());
                parts.expect_end()
            }
            37 => self.add_purposes(ElementReader::inside(content, SEQUENCE)?),
            // The full parser ignores these too.
            _ => Some(()),
        }
    }

    fn add_key_usage(&mut self, content: &[u8]) -> Option<()> {
        // At most eight bits: the ninth is `decipherOnly`. Unused bits are 0.
        let [BIT_STRING, 2, unused @ 0..=7, bits] = content else {
            return None;
        };
        (bits & !(0xff << unused) == 0).then_some(())?;
        self.usage.signs_certificates = bits & 0x04 != 0;
        self.usage.serves = bits & (0x80 | 0x20 | 0x08) != 0;
        Some(())
    }

    fn add_basic_constraints(&mut self, content: &[u8]) -> Option<()> {
        let (is_ca, path_length) = match content {
            [SEQUENCE, 0] => (false, None),
            [SEQUENCE, 3, BOOLEAN, 1, 0xff] => (true, None),
            [SEQUENCE, 6, BOOLEAN, 1, 0xff, INTEGER, 1, length @ 0..=0x7f] => {
                (true, Some(u32::from(*length)))
            }
            _ => return None,
        };
        self.is_ca = is_ca;
        self.usage.may_be_root = is_ca;
        self.usage.path_length = path_length;
        Some(())
    }

    fn add_names_der(&mut self, mut names: ElementReader<'_>) -> Option<()> {
        while !names.is_at_end() {
            if names.next_is(DNS_NAME) {
                let name = names.read(DNS_NAME)?.value;
                self.dns_names.push(read_ascii(name)?);
            } else {
                let octets = names.read(IP_ADDRESS)?.value;
                let ip_address: IpAddr = parse_ip_address(octets)?;
                self.ip_addresses.push(ip_address);
            }
        }
        Some(())
    }

    fn add_purposes(&mut self, mut purposes: ElementReader<'_>) -> Option<()> {
        self.usage.for_servers = false;
        self.usage.server_auth = false;
        self.usage.for_clients = false;
        while !purposes.is_at_end() {
            let purpose = read_identifier(&mut purposes)?;
            // anyExtendedKeyUsage
            self.usage.for_servers |= purpose == [0x55, 0x1d, 37, 0];
            match purpose.strip_prefix(&ID_PKIX) {
                Some([3, 1]) => {
                    self.usage.for_servers = true;
                    self.usage.server_auth = true;
                }
                Some([3, 2]) => self.usage.for_clients = true,
                _ => {}
            }
        }
        Some(())
    }

    /// Adds the `caIssuers` URLs of the authority information access.
    fn add_issuer_urls_der(&mut self, mut access: ElementReader<'_>) -> Option<()> {
        while !access.is_at_end() {
            let mut description = ElementReader(access.read(SEQUENCE)?.value);
            let method = read_identifier(&mut description)?;
            let url = read_ascii(description.read(URI)?.value)?;
            description.expect_end()?;
            if method.strip_prefix(&ID_PKIX) == Some(&[48, 2]) {
                self.issuer_urls.push(url);
            }
        }
        Some(())
    }
}

/// The fields of a certificate as they are encoded.
struct PlainFields<'a> {
    serial: &'a [u8],
    issuer: DerElement<'a>,
    not_before: Timestamp,
    not_after: Timestamp,
    subject: DerElement<'a>,
    spki: &'a [u8],
    extensions: ElementReader<'a>,
}

impl<'a> PlainFields<'a> {
    /// Reads `Certificate` (RFC 5280 4.1).
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut outer = ElementReader::inside(der, SEQUENCE)?;
        let mut body = ElementReader(outer.read(SEQUENCE)?.value);
        let signature_algorithm = read_algorithm(&mut outer)?;
        read_bits(&mut outer)?;
        outer.expect_end()?;
        body.0 = body.0.strip_prefix(&VERSION_3)?;
        let serial = body.read(INTEGER)?.value;
        (1..=20).contains(&serial.len()).then_some(())?;
        if read_algorithm(&mut body)? != signature_algorithm {
            return None;
        }
        let issuer = body.read(SEQUENCE)?;
        let mut dates = ElementReader(body.read(SEQUENCE)?.value);
        let not_before = read_time(&mut dates)?;
        let not_after = read_time(&mut dates)?;
        dates.expect_end()?;
        let subject = body.read(SEQUENCE)?;
        let spki = body.read(SEQUENCE)?;
        check_public_key(spki.value)?;
        let extensions = ElementReader::inside(body.read(EXTENSIONS)?.value, SEQUENCE)?;
        body.expect_end()?;
        Some(Self {
            serial,
            issuer,
            not_before,
            not_after,
            subject,
            spki: spki.whole,
            extensions,
        })
    }
}

/// Reads DER elements in sequence from the rest of a value.
struct ElementReader<'a>(&'a [u8]);

impl<'a> ElementReader<'a> {
    /// Reads the value of the single element `der`.
    fn inside(der: &'a [u8], tag: u8) -> Option<Self> {
        let mut outer = ElementReader(der);
        let inner = ElementReader(outer.read(tag)?.value);
        outer.expect_end()?;
        Some(inner)
    }

    /// Reads the next element. Inlined: called about a hundred times per certificate.
    #[inline]
    fn read(&mut self, tag: u8) -> Option<DerElement<'a>> {
        let (element, rest) = split_element(self.0)?;
        self.0 = rest;
        (element.tag == tag).then_some(element)
    }

    fn next_is(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn expect_end(&self) -> Option<()> {
        self.is_at_end().then_some(())
    }
}

/// Reads an `AlgorithmIdentifier` (RFC 5280 4.1.1.2) with any parameters; returns all of it.
fn read_algorithm<'a>(from: &mut ElementReader<'a>) -> Option<&'a [u8]> {
    let algorithm = from.read(SEQUENCE)?;
    let mut parts = ElementReader(algorithm.value);
    read_identifier(&mut parts)?;
    if !parts.is_at_end() {
        let (parameters, rest) = split_element(parts.0)?;
        let is_usual =
            matches!(parameters.tag, 0x05 | OBJECT_IDENTIFIER | SEQUENCE) && rest.is_empty();
        is_usual.then_some(())?;
    }
    Some(algorithm.whole)
}

fn read_identifier<'a>(from: &mut ElementReader<'a>) -> Option<&'a [u8]> {
    let octets = from.read(OBJECT_IDENTIFIER)?.value;
    octets.last().filter(|last| **last < 0x80).map(|_| octets)
}

/// Reads a BIT STRING without unused bits.
fn read_bits<'a>(from: &mut ElementReader<'a>) -> Option<&'a [u8]> {
    from.read(BIT_STRING)?.value.strip_prefix(&[0])
}

/// Checks the form of a `SubjectPublicKeyInfo` by its value.
fn check_public_key(value: &[u8]) -> Option<()> {
    let mut parts = ElementReader(value);
    read_algorithm(&mut parts)?;
    read_bits(&mut parts)?;
    parts.expect_end()
}

/// Reads `YYMMDDHHMMSSZ` before 2050, or `YYYYMMDDHHMMSSZ` (RFC 5280 4.1.2.5).
fn read_time(from: &mut ElementReader<'_>) -> Option<Timestamp> {
    let (text, year_digits) = if from.next_is(UTC_TIME) {
        (from.read(UTC_TIME)?.value, 2)
    } else {
        (from.read(GENERALIZED_TIME)?.value, 4)
    };
    let digits = text
        .strip_suffix(b"Z")
        .filter(|digits| digits.len() == 10 + year_digits)?;
    let (year, rest) = digits.split_at(year_digits);
    let [month, day, hour, minute, second] = read_digit_pairs(rest)?;
    let time = DateTime::new(read_year(year)?, month, day, hour, minute, second, 0).ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

/// Reads a year of two digits, of 1950 to 2049, or of four.
fn read_year(digits: &[u8]) -> Option<i16> {
    let number = digits.iter().try_fold(0_i16, |number, digit| {
        Some(number * 10 + i16::from(digit_value(*digit)?))
    })?;
    match digits.len() {
        2 if number < 50 => Some(2000 + number),
        2 => Some(1900 + number),
        _ => Some(number),
    }
}

/// Reads five numbers of two digits each.
fn read_digit_pairs(digits: &[u8]) -> Option<[i8; 5]> {
    let mut numbers = [0; 5];
    for (number, pair) in numbers.iter_mut().zip(digits.chunks_exact(2)) {
        *number = digit_value(pair[0])? * 10 + digit_value(pair[1])?;
    }
    Some(numbers)
}

fn digit_value(digit: u8) -> Option<i8> {
    i8::try_from(digit.checked_sub(b'0')?)
        .ok()
        .filter(|value| *value < 10)
}

/// One attribute of a name: its short name and its value.
#[derive(Clone, Copy, Default)]
struct NameAttribute<'a> {
    short_name: &'static str,
    value: &'a str,
}

/// Formats a name as [`super::printable_name`] does.
fn format_name(value: &[u8]) -> Option<String> {
    let mut attributes = [NameAttribute::default(); 16];
    let mut count = 0;
    let mut rest = ElementReader(value);
    while !rest.is_at_end() {
        *attributes.get_mut(count)? = read_name_attribute(&mut rest)?;
        count += 1;
    }
    let mut text = String::with_capacity(value.len());
    for attribute in attributes[..count].iter().rev() {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(attribute.short_name);
        text.push('=');
        push_escaped(&mut text, attribute.value);
    }
    Some(text)
}

/// Reads a part of a name with a single attribute, of a known type.
fn read_name_attribute<'a>(from: &mut ElementReader<'a>) -> Option<NameAttribute<'a>> {
    let mut part = ElementReader(from.read(SET)?.value);
    let mut attribute = ElementReader(part.read(SEQUENCE)?.value);
    part.expect_end()?;
    let short_name = oid::attribute_name_of(read_identifier(&mut attribute)?)?;
    let (element, _) = split_element(attribute.0).filter(|(_, after)| after.is_empty())?;
    let has_valid_letters = match element.tag {
        0x0c => true,
        0x13 => element
            .value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(byte)),
        0x16 => element.value.is_ascii(),
        _ => false,
    };
    has_valid_letters.then_some(())?;
    Some(NameAttribute {
        short_name,
        value: std::str::from_utf8(element.value).ok()?,
    })
}

/// Appends a value; most need no escape.
fn push_escaped(text: &mut String, value: &str) {
    let octets = value.as_bytes();
    let is_plain = octets
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'*' | b' '));
    if is_plain && !matches!(octets, [b' ', ..] | [.., b' ']) {
        text.push_str(value);
    } else {
        text.push_str(&escaped(value));
    }
}

fn read_ascii(octets: &[u8]) -> Option<String> {
    octets
        .is_ascii()
        .then(|| String::from_utf8(octets.to_vec()).ok())?
}
