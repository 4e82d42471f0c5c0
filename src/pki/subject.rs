//! The subject of a request: written as in RFC 4514 (the most specific part first), encoded as in
//! X.501 (the most specific part last). Every part is kept: duplicates, parts of several
//! attributes, values of any type.

use std::fmt;
use std::str::FromStr;

use x509_parser::oid_registry::asn1_rs::{Oid, oid};
use x509_parser::prelude::{AttributeTypeAndValue, FromDer};
use x509_parser::x509::X509Name;

use super::alt_name::AltNames;
use super::certificate::escaped;
use super::der;
use super::oid::{StringType, attribute_name, find_attribute, find_attribute_by_name};

/// Why a text cannot be read as a subject.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SubjectError {
    /// A value with characters that the attribute cannot have; holds both.
    #[error("the value of {0} contains characters that are not allowed: {1:?}")]
    Letters(String, String),
    /// An attribute that has no value.
    #[error("the subject attribute {0} has no value")]
    NoValue(String),
    /// A part without `=`.
    #[error("{0:?} is not of the form TYPE=VALUE")]
    NotAPair(String),
    /// OpenSSL's format; holds the subject in the format of RFC 4514.
    #[error("the subject is written in OpenSSL's format, with slashes")]
    Slashes(String),
    /// A character that has to be escaped.
    #[error("the {0} in a value must be escaped as \\{0}")]
    Unescaped(char),
    /// An unknown attribute name.
    #[error("unknown subject attribute {0:?}")]
    UnknownType(String),
    /// An incomplete escape, hex value or quoted value.
    #[error(
        "the value of {0} contains an incomplete escape: a backslash, a # or a quotation mark \
            without its continuation"
    )]
    Unfinished(String),
}

/// A subject. The parts are in the order of the encoding; a part has one attribute or, rarely,
/// several.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SubjectName {
    parts: Vec<Vec<SubjectAttribute>>,
}

/// One attribute with its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SubjectAttribute {
    oid: Oid<'static>,
    value: Value,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Value {
    /// A whole DER element.
    Der(Vec<u8>),
    Text(String),
}

const COMMON_NAME: Oid<'static> = oid!(2.5.4.3);
/// X.520 ub-common-name.
const COMMON_NAME_MOST: usize = 64;

impl SubjectName {
    /// Parses RFC 4514. Also accepts spaces around `,`, `+` and `=`, and values in quotation marks
    /// (RFC 2253 4).
    ///
    /// # Errors
    /// See [`SubjectError`].
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        if let Some(converted) = convert_slashes(text) {
            return Err(SubjectError::Slashes(converted));
        }
        let mut parts = vec![Vec::new()];
        let mut rest = text.trim_start_matches(' ');
        while !rest.is_empty() {
            let (attribute, after) = grammar::parse_attribute(rest)?;
            if let Some(part) = parts.last_mut() {
                part.push(attribute);
            }
            rest = match after.chars().next() {
                None => break,
                Some(',') => {
                    parts.push(Vec::new());
                    &after[1..]
                }
                Some(_) => &after[1..],
            };
            if rest.trim_matches(' ').is_empty() {
                return Err(SubjectError::NotAPair(String::new()));
            }
        }
        parts.retain(|part| !part.is_empty());
        parts.reverse();
        Ok(Self { parts })
    }

    /// Parses a DER `Name`. Text in old encodings is converted.
    #[must_use]
    pub fn from_der(name: &[u8]) -> Option<Self> {
        let (_, name) = X509Name::from_der(name).ok()?;
        let parts = name
            .iter_rdn()
            .map(|part| part.iter().map(SubjectAttribute::from_parsed).collect());
        Some(Self {
            parts: parts.collect(),
        })
    }

    /// The values of its common names.
    pub fn common_names(&self) -> impl Iterator<Item = &str> {
        let all = self
            .attributes()
            .filter(|attribute| attribute.oid == COMMON_NAME);
        all.filter_map(SubjectAttribute::text)
    }

    /// All attributes in the order of the encoding.
    pub fn attributes(&self) -> impl Iterator<Item = &SubjectAttribute> {
        self.parts.iter().flatten()
    }

    /// Adds a common name as the most specific part.
    fn with_common_name(mut self, name: &str) -> Self {
        self.parts.push(vec![SubjectAttribute {
            oid: COMMON_NAME,
            value: Value::Text(name.to_owned()),
        }]);
        self
    }

    /// Adds the first of `names` as the common name if there is none, unless it is longer than
    /// X.520 allows.
    #[must_use]
    pub fn or_named(self, names: &AltNames) -> Self {
        let first = names.primary().text();
        let fits =
            first.chars().count() <= COMMON_NAME_MOST && self.common_names().next().is_none();
        if fits {
            self.with_common_name(&first)
        } else {
            self
        }
    }

    /// Removes the common names.
    #[must_use]
    pub fn without_common_name(mut self) -> Self {
        self.parts
            .iter_mut()
            .for_each(|part| part.retain(|attribute| attribute.oid != COMMON_NAME));
        self.parts.retain(|part| !part.is_empty());
        self
    }

    /// Replaces each common name by what `spelled` returns for it, unless that is `None`.
    #[must_use]
    pub fn spelling_common_names(mut self, spelled: impl Fn(&str) -> Option<String>) -> Self {
        for attribute in self
            .parts
            .iter_mut()
            .flatten()
            .filter(|attribute| attribute.oid == COMMON_NAME)
        {
            if let Some(text) = attribute.text().and_then(&spelled) {
                attribute.value = Value::Text(text);
            }
        }
        self
    }

    /// Returns whether it has no parts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The DER `Name` (RFC 5280 4.1.2.4).
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let parts: Vec<Vec<u8>> = self.parts.iter().map(|part| encode_part(part)).collect();
        der::encode_element(
            der::SEQUENCE,
            &parts.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        )
    }
}

impl SubjectAttribute {
    /// Its short name; the dotted number if the name is unknown.
    #[must_use]
    pub fn name(&self) -> String {
        attribute_name(&self.oid)
    }

    /// Its value, if that is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value {
            Some(text)
        } else {
            None
        }
    }

    /// Returns the maximum length of its value in characters, if a standard limits it.
    #[must_use]
    pub fn most(&self) -> Option<usize> {
        find_attribute(&self.oid)
            .map(|known| known.most)
            .filter(|&most| most > 0)
    }

    fn new(oid: Oid<'static>, text: String) -> Result<Self, SubjectError> {
        let fits = match string_type(&oid) {
            StringType::Ia5 => text.is_ascii(),
            StringType::Printable => is_printable(&text),
            StringType::Utf8 => true,
        };
        match text.chars().any(char::is_control) {
            _ if text.is_empty() => Err(SubjectError::NoValue(attribute_name(&oid))),
            false if fits => Ok(Self {
                oid,
                value: Value::Text(text),
            }),
            _ => Err(SubjectError::Letters(attribute_name(&oid), text)),
        }
    }

    fn from_parsed(found: &AttributeTypeAndValue<'_>) -> Self {
        let oid = found.attr_type().to_owned();
        let value = found.attr_value();
        let tag = u8::try_from(value.tag().0).unwrap_or_default();
        // Attributes of unknown types keep their encoding.
        let text = find_attribute(&oid).and_then(|_| decode_text(tag, value.data));
        let attribute = text.and_then(|text| Self::new(oid.clone(), text).ok());
        attribute.unwrap_or_else(|| Self {
            oid,
            value: Value::Der(der::encode_element(tag, &[value.data])),
        })
    }

    fn to_der(&self) -> Vec<u8> {
        let value = match &self.value {
            Value::Der(element) => element.clone(),
            Value::Text(text) => {
                der::encode_element(string_tag(string_type(&self.oid)), &[text.as_bytes()])
            }
        };
        der::encode_element(
            der::SEQUENCE,
            &[
                &der::encode_element(der::OBJECT_IDENTIFIER, &[self.oid.as_bytes()]),
                &value,
            ],
        )
    }
}

fn encode_part(part: &[SubjectAttribute]) -> Vec<u8> {
    let mut attributes: Vec<Vec<u8>> = part.iter().map(SubjectAttribute::to_der).collect();
    // X.690 11.6: the elements of a SET OF are in ascending order.
    attributes.sort();
    der::encode_element(
        der::SET,
        &attributes.iter().map(Vec::as_slice).collect::<Vec<_>>(),
    )
}

fn string_type(oid: &Oid<'_>) -> StringType {
    find_attribute(oid).map_or(StringType::Utf8, |known| known.letters)
}

/// The tag of a string type (X.690 8.1.2).
fn string_tag(string_type: StringType) -> u8 {
    match string_type {
        StringType::Ia5 => 0x16,
        StringType::Printable => 0x13,
        StringType::Utf8 => 0x0c,
    }
}

fn is_printable(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&b))
}

/// Decodes text of any string type that is or was used in names.
fn decode_text(tag: u8, octets: &[u8]) -> Option<String> {
    match tag {
        0x0c | 0x12 | 0x13 | 0x16 | 0x1a => std::str::from_utf8(octets).ok().map(str::to_owned),
        // TeletexString: in practice Latin-1.
        0x14 => Some(octets.iter().map(|&octet| char::from(octet)).collect()),
        // BMPString.
        0x1e => {
            let units: Vec<u16> = octets
                .chunks(2)
                .map(|pair| u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]))
                .collect();
            String::from_utf16(&units)
                .ok()
                .filter(|_| octets.len().is_multiple_of(2))
        }
        _ => None,
    }
}

impl fmt::Display for SubjectName {
    /// Formats the subject as in RFC 4514, which [`SubjectName::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.parts.iter().rev().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            for (place, attribute) in part.iter().enumerate() {
                let plus = if place > 0 { "+" } else { "" };
                let value = match &attribute.value {
                    Value::Der(element) => format!("#{}", hex::encode(element)),
                    Value::Text(text) => escaped(text),
                };
                write!(f, "{plus}{}={value}", attribute.name())?;
            }
        }
        Ok(())
    }
}

/// Converts the form `/C=DE/O=Acme/CN=example.com` of OpenSSL to RFC 4514.
fn convert_slashes(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.strip_prefix('/')?.split('/').collect();
    let mut converted = Vec::with_capacity(parts.len());
    for part in parts.iter().rev() {
        let (name, value) = part.split_once('=')?;
        converted.push(format!("{name}={}", escaped(value)));
    }
    Some(converted.join(","))
}

/// A parser for the grammar of RFC 4514 3.
mod grammar {
    use super::{FromStr, Oid, SubjectAttribute, SubjectError, Value, der, find_attribute_by_name};

    /// Parses the first `TYPE=VALUE` of `text`; returns what follows the value too.
    pub(super) fn parse_attribute(text: &str) -> Result<(SubjectAttribute, &str), SubjectError> {
        let (name, value) = split_type(text)?;
        let oid = parse_type(name).ok_or_else(|| SubjectError::UnknownType(name.to_owned()))?;
        if let Some(digits) = value.strip_prefix('#') {
            let (octets, rest) = parse_hex_value(digits).ok_or_else(|| unfinished(name))?;
            let value = Value::Der(octets);
            return Ok((SubjectAttribute { oid, value }, rest));
        }
        let (octets, rest) = match value.strip_prefix('"') {
            Some(quoted) => parse_quoted_value(quoted).ok_or_else(|| unfinished(name))?,
            None => parse_plain_value(value, name)?,
        };
        let text = String::from_utf8(octets).map_err(|_| unfinished(name))?;
        Ok((SubjectAttribute::new(oid, text)?, rest))
    }

    /// Splits `text` at the first `=` into the type and the rest, both without surrounding spaces.
    fn split_type(text: &str) -> Result<(&str, &str), SubjectError> {
        let end = text
            .find([',', '+', '='])
            .filter(|&at| text[at..].starts_with('='));
        let Some(end) = end else {
            let piece = text.split([',', '+']).next().unwrap_or_default();
            return Err(SubjectError::NotAPair(piece.trim_matches(' ').to_owned()));
        };
        let name = text[..end].trim_matches(' ');
        let value = text[end + 1..].trim_start_matches(' ');
        Ok((name, value))
    }

    /// The error for a value of the attribute `name`.
    fn unfinished(name: &str) -> SubjectError {
        SubjectError::Unfinished(name.to_owned())
    }

    fn parse_type(name: &str) -> Option<Oid<'static>> {
        if let Some(known) = find_attribute_by_name(name) {
            return Some(known.oid.clone());
        }
        let number = name
            .strip_prefix("OID.")
            .or_else(|| name.strip_prefix("oid."))
            .unwrap_or(name);
        Oid::from_str(number)
            .ok()
            .filter(|_| number.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// Parses a whole DER element in hex, up to the next `,` or `+`.
    fn parse_hex_value(text: &str) -> Option<(Vec<u8>, &str)> {
        let end = text.find([',', '+']).unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        let octets = hex::decode(digits.trim_end_matches(' ')).ok()?;
        let (_, after) = der::split_element(&octets)?;
        let is_whole = after.is_empty();
        is_whole.then_some((octets, rest))
    }

    /// Parses a value up to the next unescaped `,` or `+`, without unescaped spaces at its end.
    /// `name` is the attribute, for errors.
    fn parse_plain_value<'a>(
        text: &'a str,
        name: &str,
    ) -> Result<(Vec<u8>, &'a str), SubjectError> {
        let mut octets = Vec::new();
        let mut rest = text;
        // The length without spaces at the end.
        let mut kept = 0;
        while let Some(c) = rest.chars().next() {
            match c {
                ',' | '+' => break,
                '"' | ';' | '<' | '>' => return Err(SubjectError::Unescaped(c)),
                '\\' => {
                    let (octet, after) =
                        parse_escape(&rest[1..]).ok_or_else(|| unfinished(name))?;
                    octets.push(octet);
                    rest = after;
                    kept = octets.len();
                }
                _ => {
                    octets.extend_from_slice(&rest.as_bytes()[..c.len_utf8()]);
                    rest = &rest[c.len_utf8()..];
                    kept = if c == ' ' { kept } else { octets.len() };
                }
            }
        }
        octets.truncate(kept);
        Ok((octets, rest))
    }

    /// Parses a value up to the closing quotation mark, which only a separator may follow.
    fn parse_quoted_value(text: &str) -> Option<(Vec<u8>, &str)> {
        let mut octets = Vec::new();
        let mut rest = text;
        loop {
            let c = rest.chars().next()?;
            match c {
                '"' => {
                    let rest = rest[1..].trim_start_matches(' ');
                    let is_separated = rest.is_empty() || rest.starts_with([',', '+']);
                    return is_separated.then_some((octets, rest));
                }
                '\\' => {
                    let (octet, after) = parse_escape(&rest[1..])?;
                    octets.push(octet);
                    rest = after;
                }
                _ => {
                    octets.extend_from_slice(&rest.as_bytes()[..c.len_utf8()]);
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
    }

    /// Parses what follows a backslash: a special character, or the two hex digits of an octet.
    fn parse_escape(text: &str) -> Option<(u8, &str)> {
        let first = *text.as_bytes().first()?;
        if b" \"#+,;<=>\\".contains(&first) {
            return Some((first, &text[1..]));
        }
        let digits = text
            .get(..2)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some((u8::from_str_radix(digits, 16).ok()?, &text[2..]))
    }
}

#[cfg(test)]
mod tests {
    use super::{SubjectError, SubjectName};

    /// The input, its normalized text, and its encoding in hex as written by `openssl req -subj`.
    const READ: [(&str, &str, &str); 9] = [
        (
            "CN=a,C=DE",
            "CN=a,C=DE",
            "3019310b3009060355040613024445310a300806035504030c0161",
        ),
        ("cn = a", "CN=a", "300c310a300806035504030c0161"),
        (
            "O=A\\, B.",
            "O=A\\, B.",
            "3010310e300c060355040a0c05412c20422e",
        ),
        (
            "O=\"A, B.\"",
            "O=A\\, B.",
            "3010310e300c060355040a0c05412c20422e",
        ),
        (
            "OU=a, OU = b ,O=c",
            "OU=a,OU=b,O=c",
            "3024310a3008060355040a0c0163310a3008060355040b0c0162310a3008060355040b0c0161",
        ),
        (
            "OU=a+CN=b",
            "CN=b+OU=a",
            "30163114300806035504030c01623008060355040b0c0161",
        ),
        (
            "O=\\C3\\BC\\ ",
            "O=ü\\ ",
            "300e310c300a060355040a0c03c3bc20",
        ),
        (
            "1.2.3.4=#0c0178",
            "1.2.3.4=#0c0178",
            "300c310a300806032a03040c0178",
        ),
        (
            "E=a@b",
            "emailAddress=a@b",
            "30143112301006092a864886f70d0109011603614062",
        ),
    ];

    #[test]
    fn all_parts_are_kept_in_order() {
        for (typed, written, encoded) in READ {
            let subject = SubjectName::parse(typed).unwrap();
            let der = subject.to_der();
            assert!(
                hex::encode(&der).starts_with(encoded),
                "{typed}: {}",
                hex::encode(&der)
            );
            let again = SubjectName::from_der(&der).unwrap();
            assert_eq!(
                (again.to_string().as_str(), again.to_der()),
                (written, der.clone()),
                "{typed}"
            );
            assert_eq!(
                SubjectName::parse(&again.to_string()).unwrap().to_der(),
                der,
                "{typed}"
            );
        }
        assert!(SubjectName::parse("  ").unwrap().is_empty());
        assert_eq!(hex::encode(SubjectName::default().to_der()), "3000");
    }

    #[test]
    fn invalid_subjects_have_their_own_errors() {
        let text = str::to_owned;
        for (typed, error) in [
            (
                "/C=DE/O=Acme, Inc./CN=x",
                SubjectError::Slashes(text("CN=x,O=Acme\\, Inc.,C=DE")),
            ),
            ("CN=a,Acme", SubjectError::NotAPair(text("Acme"))),
            ("CN=a,", SubjectError::NotAPair(String::new())),
            ("CN=a,,O=b", SubjectError::NotAPair(String::new())),
            ("CN=", SubjectError::NoValue(text("CN"))),
            ("XX=a", SubjectError::UnknownType(text("XX"))),
            ("=a", SubjectError::UnknownType(String::new())),
            ("O=a;b", SubjectError::Unescaped(';')),
            ("O=a\"b", SubjectError::Unescaped('"')),
            ("O=\"a", SubjectError::Unfinished(text("O"))),
            ("O=a\\", SubjectError::Unfinished(text("O"))),
            ("O=\\FF", SubjectError::Unfinished(text("O"))),
            ("O=#zz", SubjectError::Unfinished(text("O"))),
            ("O=#0c02", SubjectError::Unfinished(text("O"))),
            ("C=Ö", SubjectError::Letters(text("C"), text("Ö"))),
            (
                "emailAddress=ä@b.c",
                SubjectError::Letters(text("emailAddress"), text("ä@b.c")),
            ),
            ("O=a\nb", SubjectError::Letters(text("O"), text("a\nb"))),
        ] {
            assert_eq!(SubjectName::parse(typed), Err(error), "{typed}");
        }
    }

    #[test]
    fn old_encodings_are_converted() {
        // SEQUENCE { SET { SEQUENCE { O, BMPString "Aä" } }, SET { SEQUENCE { CN, TeletexString "ö"
        // } } }
        let name =
            hex::decode("301b310d300b060355040a1e04004100e4310a300806035504031401f6").unwrap();
        let subject = SubjectName::from_der(&name).unwrap();
        assert_eq!(subject.to_string(), "CN=ö,O=Aä");
        assert_eq!(subject.common_names().collect::<Vec<_>>(), ["ö"]);
    }

    #[test]
    fn only_common_names_are_changed() {
        let subject = SubjectName::parse("CN=A.example+OU=x,O=y").unwrap();
        let lower = subject
            .clone()
            .spelling_common_names(|name| Some(name.to_lowercase()));
        assert_eq!(lower.to_string(), "CN=a.example+OU=x,O=y");
        assert_eq!(
            subject
                .without_common_name()
                .with_common_name("b")
                .to_string(),
            "CN=b,OU=x,O=y"
        );
    }
}
