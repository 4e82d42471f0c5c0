//! The source of an item: a file, and the entry of an archive in it.

use std::fmt;

/// The source of an item: an input, and the entry of a zip file in it. Both are untrusted text,
/// which is displayed but never used as a path.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ItemSource {
    pub input: String,
    /// The name of the entry or the attachment; `outer.zip > inner.crt` if they are nested.
    pub entry: Option<String>,
}

impl ItemSource {
    /// The source of the entry `name` in this one.
    #[must_use]
    pub fn within(&self, name: &str) -> Self {
        let entry = match &self.entry {
            Some(outer) => format!("{outer} > {name}"),
            None => name.to_owned(),
        };
        Self {
            input: self.input.clone(),
            entry: Some(entry),
        }
    }
}

impl fmt::Display for ItemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entry {
            Some(entry) => write!(f, "{entry} in {}", self.input),
            None => f.write_str(&self.input),
        }
    }
}
