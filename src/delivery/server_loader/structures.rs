//! X.509 certificates as OpenSSL decodes them (`d2i_X509`): the fields by their templates, not what
//! they mean. Values of extensions and dates are not read here.

use super::encoding::{
    self, ElementHeader, ElementLength, ElementTag, EncodingFault, read_header, skip_content,
    skip_end,
};

/// Tags of the universal class.
const BOOLEAN: u32 = 1;
const INTEGER: u32 = 2;
const BIT_STRING: u32 = 3;
const OCTET_STRING: u32 = 4;
const NULL: u32 = 5;
const OBJECT: u32 = 6;
const ENUMERATED: u32 = 10;
const UTF8_STRING: u32 = 12;
const SEQUENCE: u32 = 16;
const SET: u32 = 17;
const PRINTABLE_STRING: u32 = 19;
const T61_STRING: u32 = 20;
const IA5_STRING: u32 = 22;
const UTC_TIME: u32 = 23;
const GENERALIZED_TIME: u32 = 24;
const UNIVERSAL_STRING: u32 = 28;
const BMP_STRING: u32 = 30;

/// Tags that OpenSSL accepts as the value of an attribute of a name.
const NAME_VALUES: [u32; 17] = [
    BIT_STRING,
    7,
    8,
    9,
    11,
    UTF8_STRING,
    13,
    14,
    15,
    SEQUENCE,
    18,
    PRINTABLE_STRING,
    T61_STRING,
    IA5_STRING,
    UNIVERSAL_STRING,
    29,
    BMP_STRING,
];

/// A type.
enum Template {
    Any,
    /// A value of an attribute of a name, which must be text that can be compared.
    NameValue,
    Primitive(u32),
    Sequence(&'static [Field]),
    /// A list; holds the tag of the list.
    ListOf(u32, &'static Self),
    Time,
}

/// How a field of a SEQUENCE is tagged.
#[derive(Clone, Copy)]
enum FieldTagging {
    Explicit(u32),
    Implicit(u32),
    None,
}

/// Whether a field may be absent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FieldPresence {
    Optional,
    Required,
}

/// A field of a SEQUENCE.
struct Field {
    template: Template,
    tagging: FieldTagging,
    presence: FieldPresence,
}

const fn required(template: Template) -> Field {
    Field {
        template,
        tagging: FieldTagging::None,
        presence: FieldPresence::Required,
    }
}

const fn optional(tagging: FieldTagging, template: Template) -> Field {
    Field {
        template,
        tagging,
        presence: FieldPresence::Optional,
    }
}

const ALGORITHM: Template = Template::Sequence(&[
    required(Template::Primitive(OBJECT)),
    optional(FieldTagging::None, Template::Any),
]);
const ATTRIBUTE: Template = Template::Sequence(&[
    required(Template::Primitive(OBJECT)),
    required(Template::NameValue),
]);
const NAME: Template = Template::ListOf(SEQUENCE, &Template::ListOf(SET, &ATTRIBUTE));
const VALIDITY: Template =
    Template::Sequence(&[required(Template::Time), required(Template::Time)]);
const PUBLIC_KEY: Template = Template::Sequence(&[
    required(ALGORITHM),
    required(Template::Primitive(BIT_STRING)),
]);
const EXTENSION: Template = Template::Sequence(&[
    required(Template::Primitive(OBJECT)),
    optional(FieldTagging::None, Template::Primitive(BOOLEAN)),
    required(Template::Primitive(OCTET_STRING)),
]);
/// RFC 5280 4.1.
const CERTIFICATE: Template = Template::Sequence(&[
    required(Template::Sequence(&[
        optional(FieldTagging::Explicit(0), Template::Primitive(INTEGER)),
        required(Template::Primitive(INTEGER)),
        required(ALGORITHM),
        required(NAME),
        required(VALIDITY),
        required(NAME),
        required(PUBLIC_KEY),
        optional(FieldTagging::Implicit(1), Template::Primitive(BIT_STRING)),
        optional(FieldTagging::Implicit(2), Template::Primitive(BIT_STRING)),
        optional(
            FieldTagging::Explicit(3),
            Template::ListOf(SEQUENCE, &EXTENSION),
        ),
    ])),
    required(ALGORITHM),
    required(Template::Primitive(BIT_STRING)),
]);
const OBJECTS: Template = Template::ListOf(SEQUENCE, &Template::Primitive(OBJECT));
/// `X509_CERT_AUX` of OpenSSL.
const TRUST_SETTINGS: Template = Template::Sequence(&[
    optional(FieldTagging::None, OBJECTS),
    optional(FieldTagging::Implicit(0), OBJECTS),
    optional(FieldTagging::None, Template::Primitive(UTF8_STRING)),
    optional(FieldTagging::None, Template::Primitive(OCTET_STRING)),
    optional(
        FieldTagging::Implicit(1),
        Template::ListOf(SEQUENCE, &ALGORITHM),
    ),
]);

/// Returns the length of the certificate that `content` starts with.
pub(super) fn measure_certificate(content: &[u8]) -> Option<usize> {
    let mut rest = content;
    let found = CERTIFICATE.read(&mut rest, None, FieldPresence::Required);
    (found == Ok(Found::Present)).then(|| content.len() - rest.len())
}

/// Returns whether `content` starts with trust settings.
pub(super) fn is_trust_settings(content: &[u8]) -> bool {
    let mut rest = content;
    TRUST_SETTINGS.read(&mut rest, None, FieldPresence::Required) == Ok(Found::Present)
}

/// Whether a field was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Found {
    Absent,
    Present,
}

/// Reads the header of an element with this tag; `None` if another one follows and this one is
/// optional.
fn expect_tag(
    input: &mut &[u8],
    tag: ElementTag,
    presence: FieldPresence,
) -> Result<Option<ElementHeader>, EncodingFault> {
    let mut rest = *input;
    let header = read_header(&mut rest)?;
    if header.tag == tag {
        *input = rest;
        return Ok(Some(header));
    }
    match presence {
        FieldPresence::Optional => Ok(None),
        FieldPresence::Required => Err(EncodingFault),
    }
}

/// Splits the content of an element off `input`; content of indefinite length is all that follows.
fn split_content<'a>(input: &mut &'a [u8], length: ElementLength) -> &'a [u8] {
    match length {
        ElementLength::Definite(length) => {
            let (content, rest) = input.split_at(length);
            *input = rest;
            content
        }
        ElementLength::Indefinite => std::mem::take(input),
    }
}

impl Template {
    /// Reads a value; `tag` replaces the tag of the type.
    fn read(
        &self,
        input: &mut &[u8],
        tag: Option<ElementTag>,
        presence: FieldPresence,
    ) -> Result<Found, EncodingFault> {
        let own_tag = |number| tag.unwrap_or_else(|| ElementTag::universal(number));
        match self {
            Self::Sequence(fields) => match expect_tag(input, own_tag(SEQUENCE), presence)? {
                Some(header) => read_fields(input, header, fields),
                None => Ok(Found::Absent),
            },
            Self::ListOf(number, item) => match expect_tag(input, own_tag(*number), presence)? {
                Some(header) => read_list(input, header.length, item),
                None => Ok(Found::Absent),
            },
            Self::Primitive(number) => match expect_tag(input, own_tag(*number), presence)? {
                Some(header) => read_primitive(input, header, *number).map(|_| Found::Present),
                None => Ok(Found::Absent),
            },
            Self::Any => read_any(input),
            Self::NameValue => read_name_value(input),
            Self::Time => read_time(input),
        }
    }
}

/// Reads the fields of a SEQUENCE.
fn read_fields(
    input: &mut &[u8],
    header: ElementHeader,
    fields: &[Field],
) -> Result<Found, EncodingFault> {
    if !header.is_constructed {
        return Err(EncodingFault);
    }
    let length = header.length;
    let mut content = split_content(input, length);
    let is_open = length == ElementLength::Indefinite;
    let mut has_ended = false;
    let mut remaining = fields.iter();
    while !content.is_empty() && !has_ended {
        let Some(field) = remaining.as_slice().first() else {
            break;
        };
        if skip_end(&mut content) {
            if !is_open {
                return Err(EncodingFault);
            }
            has_ended = true;
            continue;
        }
        remaining.next();
        // The last field must be what follows.
        let presence = if remaining.as_slice().is_empty() {
            FieldPresence::Required
        } else {
            field.presence
        };
        read_field(&mut content, field, presence)?;
    }
    if is_open {
        if !has_ended && !skip_end(&mut content) {
            return Err(EncodingFault);
        }
        *input = content;
    } else if !content.is_empty() {
        return Err(EncodingFault);
    }
    match remaining.all(|field| field.presence == FieldPresence::Optional) {
        true => Ok(Found::Present),
        false => Err(EncodingFault),
    }
}

fn read_field(
    content: &mut &[u8],
    field: &Field,
    presence: FieldPresence,
) -> Result<Found, EncodingFault> {
    match field.tagging {
        FieldTagging::None => field.template.read(content, None, presence),
        FieldTagging::Implicit(number) => {
            let tag = Some(ElementTag::context(number));
            field.template.read(content, tag, presence)
        }
        FieldTagging::Explicit(number) => {
            let tag = ElementTag::context(number);
            let Some(header) = expect_tag(content, tag, presence)? else {
                return Ok(Found::Absent);
            };
            if !header.is_constructed {
                return Err(EncodingFault);
            }
            read_explicit(content, header.length, &field.template)
        }
    }
}

fn read_explicit(
    content: &mut &[u8],
    length: ElementLength,
    template: &Template,
) -> Result<Found, EncodingFault> {
    let mut inner = split_content(content, length);
    let found = template.read(&mut inner, None, FieldPresence::Required)?;
    if length == ElementLength::Indefinite {
        if !skip_end(&mut inner) {
            return Err(EncodingFault);
        }
        *content = inner;
    } else if !inner.is_empty() {
        return Err(EncodingFault);
    }
    Ok(found)
}

fn read_list(
    input: &mut &[u8],
    length: ElementLength,
    item: &Template,
) -> Result<Found, EncodingFault> {
    let mut content = split_content(input, length);
    let is_open = length == ElementLength::Indefinite;
    while !content.is_empty() {
        if skip_end(&mut content) {
            if !is_open {
                return Err(EncodingFault);
            }
            *input = content;
            return Ok(Found::Present);
        }
        item.read(&mut content, None, FieldPresence::Required)?;
    }
    if is_open {
        return Err(EncodingFault);
    }
    Ok(Found::Present)
}

fn read_time(input: &mut &[u8]) -> Result<Found, EncodingFault> {
    let header = read_header(input)?;
    let is_time = [UTC_TIME, GENERALIZED_TIME].contains(&header.tag.number);
    if header.tag.class != encoding::UNIVERSAL || !is_time {
        return Err(EncodingFault);
    }
    read_primitive(input, header, header.tag.number)?;
    Ok(Found::Present)
}

fn read_any(input: &mut &[u8]) -> Result<Found, EncodingFault> {
    let header = read_header(input)?;
    if header.tag.class != encoding::UNIVERSAL {
        skip_content(input, header.length)?;
        return Ok(Found::Present);
    }
    read_primitive(input, header, header.tag.number)?;
    Ok(Found::Present)
}

fn read_name_value(input: &mut &[u8]) -> Result<Found, EncodingFault> {
    let header = read_header(input)?;
    let number = header.tag.number;
    if header.tag.class != encoding::UNIVERSAL || !NAME_VALUES.contains(&number) {
        return Err(EncodingFault);
    }
    let value = read_primitive(input, header, number)?;
    match is_comparable(number, &value) {
        true => Ok(Found::Present),
        false => Err(EncodingFault),
    }
}

/// Returns whether OpenSSL can convert the text to UTF-8, which it compares names in.
fn is_comparable(number: u32, value: &[u8]) -> bool {
    match number {
        UTF8_STRING => std::str::from_utf8(value).is_ok(),
        BMP_STRING => value.chunks_exact(2).all(|unit| {
            let unit = u16::from_be_bytes([unit[0], unit[1]]);
            !(0xd800..0xe000).contains(&unit)
        }),
        UNIVERSAL_STRING => value.chunks_exact(4).all(|unit| {
            let unit = u32::from_be_bytes([unit[0], unit[1], unit[2], unit[3]]);
            char::from_u32(unit).is_some()
        }),
        _ => true,
    }
}

/// Reads the content of a value of this type, and returns it.
fn read_primitive(
    input: &mut &[u8],
    header: ElementHeader,
    number: u32,
) -> Result<Vec<u8>, EncodingFault> {
    if matches!(number, SEQUENCE | SET) {
        if !header.is_constructed {
            return Err(EncodingFault);
        }
        skip_content(input, header.length)?;
        return Ok(Vec::new());
    }
    let value = if header.is_constructed {
        if matches!(number, BOOLEAN | INTEGER | NULL | OBJECT | ENUMERATED) {
            return Err(EncodingFault);
        }
        encoding::collect_string(input, header.length)?
    } else {
        split_content(input, header.length).to_vec()
    };
    match is_valid(number, &value) {
        true => Ok(value),
        false => Err(EncodingFault),
    }
}

/// Returns whether OpenSSL accepts the content of a value of this type.
fn is_valid(number: u32, value: &[u8]) -> bool {
    match number {
        BOOLEAN => value.len() == 1,
        NULL => value.is_empty(),
        INTEGER | ENUMERATED => is_integer(value),
        OBJECT => is_object(value),
        BIT_STRING => value.first().is_some_and(|&unused| unused <= 7),
        BMP_STRING => value.len().is_multiple_of(2),
        UNIVERSAL_STRING => value.len().is_multiple_of(4),
        _ => true,
    }
}

/// X.690 8.3.2: no padding.
fn is_integer(value: &[u8]) -> bool {
    match value {
        [] => false,
        [_] => true,
        [0, next, ..] => next & 0x80 != 0,
        [0xff, rest @ ..] => rest[0] & 0x80 == 0 || rest.iter().all(|&octet| octet == 0),
        _ => true,
    }
}

/// X.690 8.19.2: complete sub-identifiers without padding.
fn is_object(value: &[u8]) -> bool {
    let is_complete = value.last().is_some_and(|last| last & 0x80 == 0);
    let has_padding = value.iter().enumerate().any(|(at, &octet)| {
        let is_start = at == 0 || value[at - 1] & 0x80 == 0;
        octet == 0x80 && is_start
    });
    is_complete && !has_padding
}

#[cfg(test)]
mod tests {
    use super::{T61_STRING, is_comparable, is_integer, is_object, is_trust_settings};

    #[test]
    fn values_are_valid_as_openssl_reads_them() {
        for (octets, is_valid) in [
            (&[][..], false),
            (&[0], true),
            (&[0, 0x7f], false),
            (&[0, 0x80], true),
            (&[0xff, 0x80], false),
            (&[0xff, 0x00], true),
            (&[0xff, 0x7f], true),
        ] {
            assert_eq!(is_integer(octets), is_valid, "{octets:?}");
        }
        for (octets, is_valid) in [
            (&[][..], false),
            (&[0x2a, 3], true),
            (&[0x2a, 0x83], false),
            (&[0x80, 1], false),
            (&[0x2a, 0x80, 1], false),
            (&[0x2a, 0x81, 0x80, 1], true),
        ] {
            assert_eq!(is_object(octets), is_valid, "{octets:?}");
        }
        assert!(!is_comparable(super::UTF8_STRING, &[0xff]));
        assert!(!is_comparable(super::BMP_STRING, &[0xd8, 0]));
        assert!(is_comparable(T61_STRING, &[0xff]));
        assert!(is_trust_settings(&[0x30, 0]));
        assert!(!is_trust_settings(&[0x31, 0]));
    }
}
