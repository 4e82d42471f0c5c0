//! A reader for XML that is not quite XML, such as the samples of the API's documentation. It has no
//! entities of a document's own, no namespaces and no external references, so that an answer can
//! neither grow nor refer to anything.
//!
//! A parser of a library would refuse an answer for a fault that does not matter: the documented
//! answer of `ssl.getInfo` has two attributes without a space between them. Here it reads what is
//! unambiguous. An answer that was cut off is refused: what is missing might matter.

/// The maximum number of elements in a document.
const ELEMENT_LIMIT: usize = 20_000;
/// The maximum number of elements inside each other.
const DEPTH_LIMIT: usize = 64;
const CDATA_START: &str = "<![CDATA[";
/// What has no meaning here: comments, instructions and declarations, with their ends.
const IGNORED: [(&str, &str); 3] = [("<!--", "-->"), ("<?", "?>"), ("<!", ">")];

/// An element with all that is in it. Untrusted text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct XmlElement {
    /// Without its prefix.
    pub name: String,
    attributes: Vec<(String, String)>,
    /// The text directly in it, without spaces around it.
    pub text: String,
    pub children: Vec<Self>,
}

/// Why a text is not a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum XmlError {
    #[error("it is not XML")]
    Malformed,
    #[error("it ends too early")]
    Truncated,
    #[error("it has too many elements")]
    TooLarge,
}

impl XmlElement {
    /// Returns an attribute; upper and lower case make no difference.
    #[must_use]
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }

    /// Returns the first element of this name in it, at any depth.
    #[must_use]
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        self.find_all(name).into_iter().next()
    }

    /// Returns all elements of this name in it, at any depth, in the order of the document.
    #[must_use]
    pub(crate) fn find_all(&self, name: &str) -> Vec<&Self> {
        let mut found = Vec::new();
        for child in &self.children {
            if child.is_named(name) {
                found.push(child);
            }
            found.extend(child.find_all(name));
        }
        found
    }

    #[must_use]
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Reads a document.
///
/// # Errors
/// See [`XmlError`].
pub(crate) fn parse(text: &str) -> Result<XmlElement, XmlError> {
    let mut reader = XmlReader {
        rest: text.trim_start_matches('\u{feff}'),
        open: vec![XmlElement::default()],
        count: 0,
    };
    while !reader.rest.is_empty() {
        reader.step()?;
    }
    let [document] = reader.open.as_mut_slice() else {
        return Err(XmlError::Truncated);
    };
    document.children.pop().ok_or(XmlError::Malformed)
}

struct XmlReader<'a> {
    rest: &'a str,
    /// The elements that are not closed yet, below one that stands for the document.
    open: Vec<XmlElement>,
    count: usize,
}

impl<'a> XmlReader<'a> {
    /// Reads a text or one tag.
    fn step(&mut self) -> Result<(), XmlError> {
        if let Some(rest) = self.rest.strip_prefix(CDATA_START) {
            let text = self.skip_past(rest, "]]>")?;
            self.add_text(text);
            return Ok(());
        }
        for (start, end) in IGNORED {
            if let Some(rest) = self.rest.strip_prefix(start) {
                self.skip_past(rest, end)?;
                return Ok(());
            }
        }
        if let Some(rest) = self.rest.strip_prefix("</") {
            let name = self.skip_past(rest, ">")?;
            self.close(without_prefix(name.trim()));
            return Ok(());
        }
        if let Some(rest) = self.rest.strip_prefix('<') {
            return self.open_element(rest);
        }
        let end = self.rest.find('<').unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.add_text(&unescape(text));
        Ok(())
    }

    /// Continues after the first `end` in `rest`; returns what is before it.
    fn skip_past(&mut self, rest: &'a str, end: &str) -> Result<&'a str, XmlError> {
        let (text, rest) = rest.split_once(end).ok_or(XmlError::Truncated)?;
        self.rest = rest;
        Ok(text)
    }

    fn add_text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            let text = text.trim();
            if !element.text.is_empty() && !text.is_empty() {
                element.text.push('\n');
            }
            element.text.push_str(text);
        }
    }

    /// Reads the name and the attributes of an element.
    fn open_element(&mut self, rest: &'a str) -> Result<(), XmlError> {
        self.count += 1;
        if self.count > ELEMENT_LIMIT || self.open.len() > DEPTH_LIMIT {
            return Err(XmlError::TooLarge);
        }
        let end = rest.find(is_end_of_name).ok_or(XmlError::Truncated)?;
        let (name, rest) = rest.split_at(end);
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Err(XmlError::Malformed);
        }
        let mut element = XmlElement {
            name: without_prefix(name).to_owned(),
            ..XmlElement::default()
        };
        self.rest = rest;
        let is_empty = self.read_attributes(&mut element)?;
        self.open.push(element);
        if is_empty {
            self.close_last();
        }
        Ok(())
    }

    /// Reads attributes up to the end of the tag. Returns whether the element is empty.
    fn read_attributes(&mut self, element: &mut XmlElement) -> Result<bool, XmlError> {
        loop {
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix("/>") {
                self.rest = rest;
                return Ok(true);
            }
            if let Some(rest) = self.rest.strip_prefix('>') {
                self.rest = rest;
                return Ok(false);
            }
            let end = self.rest.find(is_end_of_name).ok_or(XmlError::Truncated)?;
            let (name, rest) = self.rest.split_at(end);
            let rest = rest.trim_start().strip_prefix('=');
            let rest = rest.ok_or(XmlError::Malformed)?.trim_start();
            let quote = rest.chars().next().ok_or(XmlError::Truncated)?;
            if name.is_empty() || !matches!(quote, '"' | '\'') {
                return Err(XmlError::Malformed);
            }
            let (value, rest) = rest[1..].split_once(quote).ok_or(XmlError::Truncated)?;
            let name = without_prefix(name).to_owned();
            element.attributes.push((name, unescape(value)));
            self.rest = rest;
        }
    }

    /// Closes the innermost element of this name, with all that is open in it. An end without a
    /// beginning means nothing.
    fn close(&mut self, name: &str) {
        let is_open = |element: &XmlElement| element.is_named(name);
        let Some(index) = self.open.iter().rposition(is_open).filter(|at| *at > 0) else {
            return;
        };
        while self.open.len() > index {
            self.close_last();
        }
    }

    fn close_last(&mut self) {
        let closed = self.open.pop();
        if let (Some(closed), Some(parent)) = (closed, self.open.last_mut()) {
            parent.children.push(closed);
        }
    }
}

fn is_end_of_name(c: char) -> bool {
    c.is_whitespace() || matches!(c, '=' | '>' | '/' | '<' | '"' | '\'')
}

fn without_prefix(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, name)| name)
}

/// Replaces the predefined entities and character references; what is neither stays.
fn unescape(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part
            .split_once(';')
            .map(|(name, rest)| (character(name), rest))
        {
            Some((Some(character), rest)) => {
                plain.push(character);
                plain.push_str(rest);
            }
            Some((None, _)) | None => {
                plain.push('&');
                plain.push_str(part);
            }
        }
    }
    plain
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "apos" => Some('\''),
        "gt" => Some('>'),
        "lt" => Some('<'),
        "quot" => Some('"'),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests;
