//! The lines of a file as OpenSSL reads them: with `fgets` into a buffer of 255 bytes, and without
//! what it takes for white space at their end.

/// The most bytes of a line that are read at once.
const LINE_BYTES: usize = 254;

/// Reads the lines of a file one after the other.
pub(super) struct FileLines<'a> {
    rest: &'a [u8],
    number: usize,
}

/// One line, or a piece of a long one.
pub(super) struct FileLine<'a> {
    /// With its line break, up to the first NUL.
    bytes: &'a [u8],
    number: usize,
}

impl<'a> FileLines<'a> {
    pub(super) fn new(file: &'a [u8]) -> Self {
        Self {
            rest: file,
            number: 1,
        }
    }

    /// Returns the next line; `None` at the end of the file, and at a line that starts with NUL.
    pub(super) fn next(&mut self) -> Option<FileLine<'a>> {
        let window = &self.rest[..self.rest.len().min(LINE_BYTES)];
        let line_break = window.iter().position(|&byte| byte == b'\n');
        let length = line_break.map_or(window.len(), |at| at + 1);
        let (read, rest) = self.rest.split_at(length);
        self.rest = rest;
        let number = self.number;
        self.number += usize::from(line_break.is_some());
        let end = read.iter().position(|&byte| byte == 0);
        let bytes = &read[..end.unwrap_or(length)];
        (!bytes.is_empty()).then_some(FileLine { bytes, number })
    }
}

impl<'a> FileLine<'a> {
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Removes a UTF-8 byte order mark, which OpenSSL skips in front of a BEGIN line.
    pub(super) fn strip_byte_order_mark(&mut self) {
        match self.bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if !rest.is_empty() => self.bytes = rest,
            _ => {}
        }
    }

    /// Returns whether the rest of the line follows as a piece of its own.
    pub(super) fn is_cut(&self) -> bool {
        self.bytes.len() == LINE_BYTES && self.bytes.last() != Some(&b'\n')
    }

    pub(super) fn has_colon(&self) -> bool {
        self.bytes.contains(&b':')
    }

    /// Its text. Bytes beyond ASCII are negative as C's `char` on x86, and count as white space at
    /// the end of a line.
    pub(super) fn text(&self) -> &'a [u8] {
        let is_text = |&byte: &u8| byte > b' ' && byte.is_ascii();
        let end = self.bytes.iter().rposition(is_text);
        &self.bytes[..end.map_or(0, |at| at + 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::FileLines;

    #[test]
    fn lines_are_cut_as_fgets_cuts_them() {
        let long = "x".repeat(300);
        let file = format!("one \t\u{e9}\r\n{long}\nab\0c\n\0d\nafter\n");
        let mut lines = FileLines::new(file.as_bytes());
        let mut read = Vec::new();
        while let Some(line) = lines.next() {
            read.push((line.number(), line.text().len(), line.is_cut()));
        }
        assert_eq!(
            read,
            [(1, 3, false), (2, 254, true), (2, 46, false), (3, 2, false)]
        );
    }
}
