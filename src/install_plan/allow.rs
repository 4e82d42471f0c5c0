//! What an operator may override with `--allow CODE`: the list, with a reason for each. Everything
//! else that refuses an install does so because no server could use the files, no client would
//! accept them, or somebody would lose theirs.

/// The codes of findings, and what is overridden.
pub(crate) const ALLOWABLE: [(&str, &str); 2] = [
    (
        "names-not-covered",
        "names that a block serves and the certificate is not for are given up",
    ),
    (
        "configured-elsewhere",
        "some names of the certificate stay with the files that other blocks name",
    ),
];

/// The code in `text`.
///
/// # Errors
/// What can be allowed.
pub(crate) fn code(text: &str) -> Result<&'static str, String> {
    let found = ALLOWABLE
        .iter()
        .map(|(code, _)| *code)
        .find(|code| *code == text);
    found.ok_or_else(|| {
        let known: Vec<String> = ALLOWABLE
            .iter()
            .map(|(code, what)| format!("{code} ({what})"))
            .collect();
        format!("what can be allowed: {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::{ALLOWABLE, code};

    #[test]
    fn only_what_is_listed() {
        for (known, _) in ALLOWABLE {
            assert_eq!(code(known), Ok(known));
        }
        for refused in ["expired", "wrong-key", "", "names-not-covered "] {
            assert!(
                code(refused).unwrap_err().contains("configured-elsewhere"),
                "{refused}"
            );
        }
    }
}
