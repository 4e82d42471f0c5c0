//! JSON exactly as `serde_json` writes it, but faster: text without escapes, which is nearly all
//! text, is found eight octets at a time and copied whole. What has no use here (numbers with a
//! fraction, octets, enum variants with data) is an error, and `serde_json` writes it instead.
//!
//! Performance target: 100,000 files in `status --jsonl` (`benches/tree.py`). For the line of one
//! certificate this takes 5,800 instructions, `serde_json` with a `Formatter` that escapes 14,800,
//! of 70,000 for reading and reporting the file (callgrind, 2026-11-28): an eighth.

use std::fmt::Display;
use std::io::Write;

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple,
    Serializer,
};
use serde_json::Error;

use super::escape::harmless;

/// One object on one line. Characters that
/// `serde_json` lets through but a terminal obeys become `\uXXXX`; outside of strings JSON has none
/// of them.
#[must_use]
pub(crate) fn json_line(value: &impl Serialize) -> String {
    let mut line = Vec::with_capacity(1024); // as much as most lines take
    push_json_line(&mut line, value);
    // It is text: `serde_json` writes nothing else.
    String::from_utf8(line).unwrap_or_default()
}

/// The same behind what is there.
pub(crate) fn push_json_line(out: &mut Vec<u8>, value: &impl Serialize) {
    let start = out.len();
    if value.serialize(&mut Json { out }).is_err() {
        out.truncate(start);
        // Only a map with keys that are no text could fail, and there is none.
        let written = serde_json::to_string(value).unwrap_or_default();
        out.extend_from_slice(harmless(&written).as_bytes());
    }
    out.push(b'\n');
}

/// Writes to the end of `out`.
struct Json<'o> {
    out: &'o mut Vec<u8>,
}

/// A list or an object, as far as it is written.
struct Parts<'w, 'o> {
    json: &'w mut Json<'o>,
    begun: bool,
    end: u8,
}

impl<'o> Json<'o> {
    fn text(&mut self, text: &str) {
        if is_plain(text.as_bytes()) {
            self.quoted(text);
        } else {
            // A text can always be written.
            let quoted = serde_json::to_string(text).unwrap_or_default();
            self.out.extend_from_slice(harmless(&quoted).as_bytes());
        }
    }

    fn quoted(&mut self, plain: &str) {
        self.out.reserve(plain.len() + 2);
        self.out.push(b'"');
        self.out.extend_from_slice(plain.as_bytes());
        self.out.push(b'"');
    }

    fn plain(&mut self, value: impl Display) -> Result<(), Error> {
        write!(self.out, "{value}").map_err(Error::custom)
    }

    fn parts(&mut self, [begin, end]: [u8; 2]) -> Parts<'_, 'o> {
        self.out.push(begin);
        Parts {
            json: self,
            begun: false,
            end,
        }
    }
}

impl Parts<'_, '_> {
    fn next(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            self.json.out.push(b',');
        }
    }

    fn close(self) -> Result<(), Error> {
        self.json.out.push(self.end);
        Ok(())
    }
}

/// Returns whether a text stands for itself: eight octets at once, the last ones maybe twice.
fn is_plain(octets: &[u8]) -> bool {
    let one = |octet: &u8| matches!(octet, b' '..=b'~') && !matches!(octet, b'"' | b'\\');
    match octets.last_chunk() {
        Some(last) => eight_are_plain(last) && octets.as_chunks().0.iter().all(eight_are_plain),
        None => octets.iter().all(one),
    }
}

/// The same of eight, in the eight lanes of one number: what is asked of each shows in the highest
/// bit of its lane.
#[inline]
fn eight_are_plain(octets: &[u8; 8]) -> bool {
    const fn each(octet: u8) -> u64 {
        u64::from_ne_bytes([octet; 8])
    }
    const HIGHEST: u64 = each(0x80);
    let word = u64::from_ne_bytes(*octets);
    // With the highest bit set nothing is borrowed from the next lane; without it nothing is
    // carried into it.
    let from_blank = (word | HIGHEST) - each(b' ');
    let not = |octet: u8| ((word ^ each(octet)) | HIGHEST) - each(1);
    let delete_or_above = ((word & !HIGHEST) + each(1)) | word;
    from_blank & not(b'"') & not(b'\\') & !delete_or_above & HIGHEST == HIGHEST
}

fn odd<T>() -> Result<T, Error> {
    Err(Error::custom(
        "nothing that is written line by line holds such a value",
    ))
}

macro_rules! written_plainly {
    ($($method:ident $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<(), Error> {
            self.plain(value)
        })*
    };
}

impl<'w, 'o> Serializer for &'w mut Json<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'w, 'o>;
    type SerializeTuple = Parts<'w, 'o>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Parts<'w, 'o>;
    type SerializeStruct = Parts<'w, 'o>;
    type SerializeStructVariant = Impossible<(), Error>;

    written_plainly! {
        serialize_bool bool,
        serialize_i8 i8,
        serialize_i16 i16,
        serialize_i32 i32,
        serialize_i64 i64,
        serialize_u8 u8,
        serialize_u16 u16,
        serialize_u32 u32,
        serialize_u64 u64,
    }

    fn serialize_f32(self, _: f32) -> Result<(), Error> {
        odd()
    }

    fn serialize_f64(self, _: f64) -> Result<(), Error> {
        odd()
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.text(value);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        let start = self.out.len();
        write!(self.out, "\"{value}").map_err(Error::custom)?;
        if is_plain(&self.out[start + 1..]) {
            self.out.push(b'"');
        } else {
            let text = value.to_string();
            self.out.truncate(start);
            self.text(&text);
        }
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        odd()
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.plain("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.plain("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.plain("null")
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        odd()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'w, 'o>, Error> {
        Ok(self.parts(*b"[]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'w, 'o>, Error> {
        Ok(self.parts(*b"[]"))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        odd()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        odd()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'w, 'o>, Error> {
        Ok(self.parts(*b"{}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'w, 'o>, Error> {
        Ok(self.parts(*b"{}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        odd()
    }
}

impl SerializeSeq for Parts<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.next();
        value.serialize(&mut *self.json)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeTuple for Parts<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeMap for Parts<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.next();
        let start = self.json.out.len();
        key.serialize(&mut *self.json)?;
        if self.json.out.get(start) == Some(&b'"') {
            Ok(())
        } else {
            odd()
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.json.out.push(b':');
        value.serialize(&mut *self.json)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeStruct for Parts<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.next();
        // A field's name in the code.
        self.json.quoted(key);
        self.serialize_value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::json;

    use super::Json;

    #[derive(Serialize)]
    struct Whole<'a> {
        #[serde(flatten)]
        part: Part<'a>,
        list: &'a [Option<u8>],
        pair: (char, i64),
        #[serde(skip_serializing_if = "Option::is_none")]
        none: Option<bool>,
        address: std::net::SocketAddr,
        value: serde_json::Value,
    }

    #[derive(Serialize)]
    struct Part<'a> {
        text: &'a str,
        unit: (),
        kind: Kind,
    }

    #[derive(Clone, Copy, Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
    }

    fn written(value: &impl Serialize) -> Option<String> {
        let mut out = b"before ".to_vec();
        value.serialize(&mut Json { out: &mut out }).ok()?;
        Some(
            String::from_utf8(out)
                .unwrap()
                .strip_prefix("before ")
                .unwrap()
                .to_owned(),
        )
    }

    #[test]
    fn it_is_what_serde_json_writes() {
        let long = "x".repeat(100);
        let ends = [long.as_str(), "\""].concat();
        for octet in 0..=0x7f_u8 {
            let text = format!("1234567{}", char::from(octet));
            let plain = matches!(octet, b' '..=b'~') && octet != b'"' && octet != b'\\';
            assert_eq!(super::is_plain(text.as_bytes()), plain, "{text:?}");
            assert_eq!(super::is_plain(&text.as_bytes()[1..]), plain, "{text:?}");
        }
        for text in [
            "",
            "plain",
            "a \"b\" \\ /",
            "b\u{fc}cher \u{1f600}",
            "a\n\t",
            &long,
            &ends,
        ] {
            let whole = Whole {
                part: Part {
                    text,
                    unit: (),
                    kind: Kind::One,
                },
                list: &[Some(1), None],
                pair: ('"', i64::MIN),
                none: None,
                address: "[2001:db8::1]:53".parse().unwrap(),
                value: json!({text: [{}, [], null, true, 7, -7, text]}),
            };
            assert_eq!(
                written(&whole).unwrap(),
                serde_json::to_string(&whole).unwrap()
            );
        }
    }

    #[test]
    fn what_it_cannot_write_is_an_error() {
        assert_eq!(written(&0.5), None);
        assert_eq!(written(&std::collections::BTreeMap::from([(1, 2)])), None);
        assert_eq!(written(&json!({"a": 1.5})), None);
    }
}
