//! Files with `key = value` lines, in sections (`[section]`, `[[section]]`) or without.

/// One line with a value.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct SectionLine<'a> {
    /// The name of the section; empty before the first one.
    pub section: &'a str,
    pub key: &'a str,
    /// Without the quotes around it.
    pub value: &'a str,
}

/// Returns the lines with values. Comments and other lines are skipped.
pub(super) fn parse_lines(text: &str) -> Vec<SectionLine<'_>> {
    let mut section = "";
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).trim();
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        lines.push(SectionLine {
            section,
            key: key.trim(),
            value: unquoted(value.trim()),
        });
    }
    lines
}

/// Returns the value of a key; `None` if it is missing or empty.
pub(super) fn find_value<'a>(
    lines: &[SectionLine<'a>],
    section: &str,
    key: &str,
) -> Option<&'a str> {
    let mut lines = lines.iter();
    let line = lines.find(|line| line.section == section && line.key == key)?;
    Some(line.value).filter(|value| !value.is_empty())
}

/// Returns the elements of a list, which may end with a comma.
pub(super) fn split_list(value: &str) -> Vec<&str> {
    let elements = value.split(',').map(|element| unquoted(element.trim()));
    elements.filter(|element| !element.is_empty()).collect()
}

fn unquoted(text: &str) -> &str {
    for quote in ['\'', '"'] {
        let inner = text.strip_prefix(quote);
        if let Some(inner) = inner.and_then(|inner| inner.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}
