//! The file names of a certificate: a plain word and the number of the renewal.

use std::path::{Path, PathBuf};

/// Checks the value of `--cert-name`.
///
/// # Errors
/// Describes the permitted characters and endings: the name becomes part of paths, and some endings
/// have a meaning.
pub(crate) fn parse_cert_name(text: &str) -> Result<String, &'static str> {
    let numbered = strip_renewal_number(text) != text;
    if is_safe_name(text) && !numbered && !text.ends_with(".rsa") && !text.ends_with(".ecdsa") {
        return Ok(text.to_owned());
    }
    Err(
        "use letters, digits, '.', '_' and '-', and no '-<number>', '.rsa' or '.ecdsa' at the end, \
            which mark renewals and algorithms",
    )
}

/// Removes the number of the renewal: `example.com-2` is the second for `example.com`.
#[must_use]
pub(crate) fn strip_renewal_number(stem: &str) -> &str {
    match stem.rsplit_once('-') {
        Some((name, number))
            if !name.is_empty()
                && !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit()) =>
        {
            name
        }
        _ => stem,
    }
}

/// Returns the number of the renewal in a stem: 2 for `example.com-2`, 1 for `example.com`.
#[must_use]
pub(crate) fn renewal_number(stem: &str) -> u32 {
    let number = stem
        .strip_prefix(strip_renewal_number(stem))
        .and_then(|rest| rest.strip_prefix('-'));
    number.and_then(|number| number.parse().ok()).unwrap_or(1)
}

/// Splits a path into the path without the number of the renewal, and that number.
#[must_use]
pub(crate) fn split_renewal_path(path: &Path) -> (PathBuf, u32) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    (
        path.with_file_name(strip_renewal_number(&stem)),
        renewal_number(&stem),
    )
}

/// Returns the file-name stem of a renewal: `example.com-3` for 3.
#[must_use]
pub(crate) fn renewal_stem(stem: &str, number: u32) -> String {
    format!("{}-{number}", strip_renewal_number(stem))
}

/// Returns whether `stem` is safe as the name of a file or a folder in paths that root writes to.
#[must_use]
pub(crate) fn is_safe_name(stem: &str) -> bool {
    !stem.is_empty()
        && !stem.starts_with(['.', '-'])
        && stem
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::{
        is_safe_name, parse_cert_name, renewal_number, renewal_stem, strip_renewal_number,
    };

    #[test]
    fn renewals_share_a_name() {
        for (stem, name, number) in [
            ("example.com", "example.com", 1),
            ("example.com-2", "example.com", 2),
            ("my-site", "my-site", 1),
            ("-2", "-2", 1),
            ("example.com.rsa-3", "example.com.rsa", 3),
        ] {
            assert_eq!(
                (strip_renewal_number(stem), renewal_number(stem)),
                (name, number)
            );
        }
        assert_eq!(renewal_stem("example.com-2", 3), "example.com-3");
    }

    #[test]
    fn certificate_names_are_plain_words() {
        for (stem, fine) in [
            ("example.com", true),
            ("_.example.com", true),
            ("", false),
            (".lock", false),
            ("..", false),
            ("a/b", false),
            ("a b", false),
            ("-x", false),
        ] {
            assert_eq!(is_safe_name(stem), fine, "{stem}");
            assert_eq!(parse_cert_name(stem).is_ok(), fine, "{stem}");
        }
        for stem in ["x-2", "x.rsa", "x.ecdsa"] {
            assert!(
                is_safe_name(stem) && parse_cert_name(stem).is_err(),
                "{stem}"
            );
        }
    }
}
