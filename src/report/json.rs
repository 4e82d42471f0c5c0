//! Writes JSON exactly as `serde_json` does, but faster: text without escapes, which is nearly all
//! text, is recognized eight octets at a time and copied as a whole. Values that certctl never
//! writes (numbers with a fraction, byte strings, enum variants with data) are errors here;
//! `serde_json` then writes the whole object.
//!
//! Performance target: 100,000 files in `status --jsonl` (`benches/tree.py`). The line of one
//! certificate takes 5,800 instructions here and 14,800 with `serde_json` and an escaping
//! `Formatter`, out of 70,000 for reading and reporting the file (callgrind, 2026-11-28): this
//! saves an eighth.

use std::fmt::Display;
use std::io::{self, Write};

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple,
    Serializer,
};
use serde_json::Error;

use super::escape::escape_json;

/// Returns `value` as one line of JSON. Characters that `serde_json` leaves unescaped but terminals
/// interpret become `\uXXXX`; outside strings, JSON contains none of them.
#[must_use]
pub(crate) fn json_line(value: &impl Serialize) -> String {
    let mut line = Vec::with_capacity(1024); // enough for most lines
    push_json_line(&mut line, value);
    // Always UTF-8: `serde_json` writes nothing else.
    String::from_utf8(line).unwrap_or_default()
}

/// Appends `value` to `out` as one line of JSON.
pub(crate) fn push_json_line(out: &mut Vec<u8>, value: &impl Serialize) {
    let start = out.len();
    if value.serialize(&mut JsonWriter::new(out)).is_err() {
        out.truncate(start);
        // Only a map with keys other than strings could fail; certctl writes none.
        let written = serde_json::to_string(value).unwrap_or_default();
        out.extend_from_slice(escape_json(&written).as_bytes());
    }
    out.push(b'\n');
}

/// Writes `value` to `destination` as one line of JSON, part by part: at most [`PART`] octets and one
/// element of a list are in memory at a time.
///
/// # Errors
/// When writing fails, or the value contains something that certctl never writes.
pub(crate) fn write_json_line(
    value: &impl Serialize,
    destination: &mut dyn Write,
) -> io::Result<()> {
    let mut out = Vec::with_capacity(2 * PART);
    let mut writer = JsonWriter::new(&mut out);
    writer.destination = Some(destination);
    let result = value.serialize(&mut writer);
    let failed = writer.failed.take();
    let written = failed.map_or_else(|| result.map_err(io::Error::other), Err);
    written?;
    out.push(b'\n');
    destination.write_all(&out)
}

/// A longer part is written before the next element.
const PART: usize = 1 << 16;

/// Appends JSON to `out`.
struct JsonWriter<'o> {
    out: &'o mut Vec<u8>,
    /// Where `out` is written to whenever it is longer than [`PART`].
    destination: Option<&'o mut dyn Write>,
    /// Why it could not be written.
    failed: Option<io::Error>,
}

/// A list or an object that is being written.
struct OpenContainer<'w, 'o> {
    json: &'w mut JsonWriter<'o>,
    has_elements: bool,
    end: u8,
}

impl<'o> JsonWriter<'o> {
    fn new(out: &'o mut Vec<u8>) -> Self {
        Self {
            out,
            destination: None,
            failed: None,
        }
    }

    /// Writes what is complete, if that is long enough.
    fn flush_part(&mut self) -> Result<(), Error> {
        let Some(destination) = self.destination.as_mut() else {
            return Ok(());
        };
        if self.out.len() < PART {
            return Ok(());
        }
        if let Err(error) = destination.write_all(self.out) {
            self.failed = Some(error);
            return Err(Error::custom("the output could not be written"));
        }
        self.out.clear();
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if is_plain(text.as_bytes()) {
            self.quoted(text);
        } else {
            // Serializing a string cannot fail.
            let quoted = serde_json::to_string(text).unwrap_or_default();
            self.out.extend_from_slice(escape_json(&quoted).as_bytes());
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

    fn parts(&mut self, [begin, end]: [u8; 2]) -> OpenContainer<'_, 'o> {
        self.out.push(begin);
        OpenContainer {
            json: self,
            has_elements: false,
            end,
        }
    }
}

impl OpenContainer<'_, '_> {
    fn next(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.has_elements, true) {
            self.json.out.push(b',');
            self.json.flush_part()?;
        }
        Ok(())
    }

    fn close(self) -> Result<(), Error> {
        self.json.out.push(self.end);
        Ok(())
    }
}

/// Returns whether a string needs no escape. Checks eight octets at a time; the last eight may
/// overlap those before.
fn is_plain(octets: &[u8]) -> bool {
    let one = |octet: &u8| matches!(octet, b' '..=b'~') && !matches!(octet, b'"' | b'\\');
    match octets.last_chunk() {
        Some(last) => eight_are_plain(last) && octets.as_chunks().0.iter().all(eight_are_plain),
        None => octets.iter().all(one),
    }
}

/// Does the same for eight octets, in the eight lanes of one number: the result for each octet is
/// the highest bit of its lane.
#[inline]
fn eight_are_plain(octets: &[u8; 8]) -> bool {
    const fn each(octet: u8) -> u64 {
        u64::from_ne_bytes([octet; 8])
    }
    const HIGHEST: u64 = each(0x80);
    let word = u64::from_ne_bytes(*octets);
    // Setting the highest bits prevents borrows from the next lane; clearing them prevents carries
    // into it.
    let from_space = (word | HIGHEST) - each(b' ');
    let not = |octet: u8| ((word ^ each(octet)) | HIGHEST) - each(1);
    let delete_or_above = ((word & !HIGHEST) + each(1)) | word;
    from_space & not(b'"') & not(b'\\') & !delete_or_above & HIGHEST == HIGHEST
}

fn unsupported<T>() -> Result<T, Error> {
    Err(Error::custom("certctl writes no such value line by line"))
}

macro_rules! written_plainly {
    ($($method:ident $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<(), Error> {
            self.plain(value)
        })*
    };
}

impl<'w, 'o> Serializer for &'w mut JsonWriter<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = OpenContainer<'w, 'o>;
    type SerializeTuple = OpenContainer<'w, 'o>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = OpenContainer<'w, 'o>;
    type SerializeStruct = OpenContainer<'w, 'o>;
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
        unsupported()
    }

    fn serialize_f64(self, _: f64) -> Result<(), Error> {
        unsupported()
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
        unsupported()
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
        unsupported()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<OpenContainer<'w, 'o>, Error> {
        Ok(self.parts(*b"[]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<OpenContainer<'w, 'o>, Error> {
        Ok(self.parts(*b"[]"))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        unsupported()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        unsupported()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<OpenContainer<'w, 'o>, Error> {
        Ok(self.parts(*b"{}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<OpenContainer<'w, 'o>, Error> {
        Ok(self.parts(*b"{}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        unsupported()
    }
}

impl SerializeSeq for OpenContainer<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.next()?;
        value.serialize(&mut *self.json)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeTuple for OpenContainer<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeMap for OpenContainer<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.next()?;
        let start = self.json.out.len();
        key.serialize(&mut *self.json)?;
        if self.json.out.get(start) == Some(&b'"') {
            Ok(())
        } else {
            unsupported()
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

impl SerializeStruct for OpenContainer<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.next()?;
        // The names of fields in the code need no escape.
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

    use super::JsonWriter;

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
        value.serialize(&mut JsonWriter::new(&mut out)).ok()?;
        Some(
            String::from_utf8(out)
                .unwrap()
                .strip_prefix("before ")
                .unwrap()
                .to_owned(),
        )
    }

    #[test]
    fn the_output_equals_that_of_serde_json() {
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

    /// Fails after so many calls.
    struct Limited(Vec<usize>, usize);

    impl std::io::Write for Limited {
        fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
            if self.0.len() == self.1 {
                return Err(std::io::ErrorKind::BrokenPipe.into());
            }
            self.0.push(part.len());
            Ok(part.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_long_document_is_written_in_parts() {
        let text = "a \"quoted\" text; ".repeat(50);
        let list: Vec<_> = (0..1000)
            .map(|number| json!({text.clone(): [number, text]}))
            .collect();
        let mut written = Vec::new();
        super::write_json_line(&list, &mut written).unwrap();
        assert_eq!(written, super::json_line(&list).as_bytes());

        let mut parts = Limited(Vec::new(), usize::MAX);
        super::write_json_line(&list, &mut parts).unwrap();
        assert_eq!(parts.0.iter().sum::<usize>(), written.len());
        let bound = super::PART + 4096;
        assert!(parts.0.len() > 10 && parts.0.iter().all(|part| *part < bound));

        let mut closed = Limited(Vec::new(), 3);
        let error = super::write_json_line(&list, &mut closed).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
        assert!(super::write_json_line(&0.5, &mut Vec::new()).is_err());
    }

    #[test]
    fn unsupported_values_are_errors() {
        assert_eq!(written(&0.5), None);
        assert_eq!(written(&std::collections::BTreeMap::from([(1, 2)])), None);
        assert_eq!(written(&json!({"a": 1.5})), None);
    }
}
