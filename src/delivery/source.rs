//! Where something was found.

use std::fmt;

/// Where something was found: an input, and the entry of a zip in it. Both are foreign text: shown, never used as a
/// path.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Source {
    /// The input's name.
    pub input: String,
    /// The entry's name, `outer.zip > inner.crt` where zips are nested.
    pub entry: Option<String>,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entry {
            Some(entry) => write!(f, "{entry} in {}", self.input),
            None => f.write_str(&self.input),
        }
    }
}
