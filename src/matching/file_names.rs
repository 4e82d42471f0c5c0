//! The names of the files of a certificate: one plain word, then the number of the renewal.

use std::path::{Path, PathBuf};

/// Checks the name that `--cert-name` gives.
///
/// # Errors
/// The characters and endings that are permitted: it becomes part of paths, and some endings have a
/// meaning.
pub(crate) fn parse_cert_name(text: &str) -> Result<String, &'static str> {
    let numbered = strip_renewal_number(text) != text;
    if is_safe_name(text) && !numbered && !text.ends_with(".rsa") && !text.ends_with(".ecdsa") {
        return Ok(text.to_owned());
    }
    Err(
        "letters, digits, '.', '_' and '-'; no '-<number>', '.rsa' or '.ecdsa' at the end, which \
            mark rounds and algorithms",
    )
}

/// Removes the number of the renewal: `example.com-2` is the second for `example.com`.
#[must_use]
pub(crate) fn strip_renewal_number(stem: &str) -> &str {
    match stem.rsplit_once('-') {
        Some((name, round))
            if !name.is_empty()
                && !round.is_empty()
                && round.bytes().all(|b| b.is_ascii_digit()) =>
        {
            name
        }
        _ => stem,
    }
}

/// The number of the renewal in a stem: 2 for `example.com-2`; the first has no number.
#[must_use]
pub(crate) fn renewal_number(stem: &str) -> u32 {
    let number = stem
        .strip_prefix(strip_renewal_number(stem))
        .and_then(|rest| rest.strip_prefix('-'));
    number.and_then(|number| number.parse().ok()).unwrap_or(1)
}

/// The path without the number of the renewal, and that number.
#[must_use]
pub(crate) fn split_renewal_path(path: &Path) -> (PathBuf, u32) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    (
        path.with_file_name(strip_renewal_number(&stem)),
        renewal_number(&stem),
    )
}

/// The stem of the files of a renewal.
#[must_use]
pub(crate) fn renewal_stem(stem: &str, round: u32) -> String {
    format!("{}-{round}", strip_renewal_number(stem))
}

/// Whether it is safe as the name of a file or a folder, in paths that root writes to.
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
    fn rounds_share_a_name() {
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
    fn a_name_is_one_plain_word() {
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
