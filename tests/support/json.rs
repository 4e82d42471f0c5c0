//! JSON that certctl printed or stored, read strictly: a missing field or element fails the test.
//!
//! `serde_json::Value` returns null for a missing field, so that `is_null()` or `!= "x"` passes for a
//! misspelled or renamed field. Use `get` for a field that may be absent.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::str::FromStr;

use serde_json::{Map, Number, Value};

#[derive(Clone)]
pub enum Json {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Parses one document; fails with the text if it is not JSON.
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        match text.parse() {
            Ok(document) => document,
            Err(error) => panic!("not JSON ({error}):\n{text}"),
        }
    }

    /// Parses JSON Lines: one document per line.
    pub fn parse_lines(text: &str) -> Vec<Self> {
        text.lines().map(Self::parse).collect()
    }

    /// Returns the field of an object, or `None` if it is absent; fails if this is not an object.
    #[track_caller]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let found = self.fields().iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value)
    }

    /// Adds a field, or replaces its value.
    #[track_caller]
    pub fn set(&mut self, name: &str, value: impl Into<Self>) {
        if self.get(name).is_none() {
            self.fields_mut().push((name.to_owned(), Self::Null));
        }
        self[name] = value.into();
    }

    /// Removes a field; fails if it is absent.
    #[track_caller]
    pub fn remove(&mut self, name: &str) {
        let _present = &self[name];
        self.fields_mut().retain(|(key, _)| key != name);
    }

    /// Returns the fields of an object in their order.
    #[track_caller]
    pub fn fields(&self) -> &[(String, Self)] {
        let Self::Object(fields) = self else {
            panic!("not an object: {}", self.shortened())
        };
        fields
    }

    #[track_caller]
    pub fn fields_mut(&mut self) -> &mut Vec<(String, Self)> {
        match self {
            Self::Object(fields) => fields,
            other => panic!("not an object: {}", other.shortened()),
        }
    }

    /// Returns the names of the fields of an object in their order.
    #[track_caller]
    pub fn keys(&self) -> Vec<&str> {
        self.fields().iter().map(|(key, _)| key.as_str()).collect()
    }

    /// Returns the elements of an array.
    #[track_caller]
    pub fn iter(&self) -> std::slice::Iter<'_, Self> {
        match self.as_array() {
            Some(elements) => elements.iter(),
            None => panic!("not an array: {}", self.shortened()),
        }
    }

    /// Returns the number of elements of an array.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.iter().len()
    }

    pub fn as_array(&self) -> Option<&Vec<Self>> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// Returns whether the value is null, which is not the same as an absent field.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the value for a library that checks JSON.
    pub fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::String(text) => Value::String(text.clone()),
            Self::Array(elements) => elements.iter().map(Self::value).collect(),
            Self::Object(fields) => {
                let field = |(key, value): &(String, Self)| (key.clone(), value.value());
                Value::Object(fields.iter().map(field).collect::<Map<_, _>>())
            }
        }
    }

    /// Returns the beginning of the document, for messages.
    fn shortened(&self) -> String {
        let text = self.to_string();
        match text.char_indices().nth(1000) {
            Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
            None => text,
        }
    }
}

impl FromStr for Json {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str::<Value>(text).map(Self::from)
    }
}

impl<T: Into<Value>> From<T> for Json {
    fn from(value: T) -> Self {
        match value.into() {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::String(text),
            Value::Array(elements) => Self::Array(elements.into_iter().map(Self::from).collect()),
            Value::Object(fields) => {
                let field = |(key, value): (String, Value)| (key, value.into());
                Self::Object(fields.into_iter().map(field).collect())
            }
        }
    }
}

/// Compares with another document, with `json!`, and with plain strings, numbers and booleans.
impl<T: Clone> PartialEq<T> for Json
where
    Self: From<T>,
{
    fn eq(&self, other: &T) -> bool {
        self.value() == Self::from(other.clone()).value()
    }
}

impl PartialEq<str> for Json {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl Index<&str> for Json {
    type Output = Self;

    #[track_caller]
    fn index(&self, name: &str) -> &Self {
        let Some(value) = self.get(name) else {
            let (keys, document) = (self.keys().join(", "), self.shortened());
            panic!("no field {name:?}; the fields are: {keys}\nin {document}")
        };
        value
    }
}

impl IndexMut<&str> for Json {
    #[track_caller]
    fn index_mut(&mut self, name: &str) -> &mut Self {
        let _present = &self[name];
        let mut fields = self.fields_mut().iter_mut();
        &mut fields.find(|(key, _)| key == name).unwrap().1
    }
}

impl Index<usize> for Json {
    type Output = Self;

    #[track_caller]
    fn index(&self, at: usize) -> &Self {
        let Some(value) = self.iter().nth(at) else {
            let (len, document) = (self.len(), self.shortened());
            panic!("no element {at} of {len} in {document}")
        };
        value
    }
}

impl IndexMut<usize> for Json {
    #[track_caller]
    fn index_mut(&mut self, at: usize) -> &mut Self {
        let _present = &self[at];
        &mut self.as_array_mut().unwrap()[at]
    }
}

/// Writes compact JSON; `{:#}` prints one field per line.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value(), f)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
