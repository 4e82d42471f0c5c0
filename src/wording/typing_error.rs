//! Whether a word is another one with a typing error.

/// Whether `typed` may be `word` with a typing error: its start, or the same word except for one
/// character, or for two in a longer word.
#[must_use]
pub(crate) fn is_typing_error(typed: &str, word: &str) -> bool {
    const START: usize = 3;
    const LONGER: usize = 6;
    let typed = typed.trim_start_matches('-').to_ascii_lowercase();
    let word = word.trim_start_matches('-').to_ascii_lowercase();
    let length = typed.chars().count();
    let tolerance = if length < LONGER { 1 } else { 2 };
    let is_start = length >= START && word.starts_with(&typed);
    is_start || edit_distance(&typed, &word) <= tolerance
}

/// How many characters have to be inserted, removed or replaced, or neighbours exchanged, to get the
/// second word from the first.
fn edit_distance(first: &str, second: &str) -> usize {
    let first: Vec<char> = first.chars().collect();
    let second: Vec<char> = second.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=second.len()).collect();
    for row in 1..=first.len() {
        let mut current = vec![row];
        for column in 1..=second.len() {
            let is_same = first[row - 1] == second[column - 1];
            let replaced = last[column - 1] + usize::from(!is_same);
            let removed = last[column] + 1;
            let inserted = current[column - 1] + 1;
            let mut distance = replaced.min(removed).min(inserted);
            let is_exchanged = row > 1
                && column > 1
                && first[row - 1] == second[column - 2]
                && first[row - 2] == second[column - 1];
            if is_exchanged {
                distance = distance.min(before_last[column - 2] + 1);
            }
            current.push(distance);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::is_typing_error;

    #[test]
    fn only_typing_errors_get_a_suggestion() {
        for (typed, word) in [
            ("instal", "install"),
            ("isntall", "install"),
            ("verfy", "verify"),
            ("stauts", "status"),
            ("rolback", "rollback"),
            ("--forse", "--force"),
            ("--jsno", "--json"),
            ("namechep", "namecheap"),
            ("digi", "digicert"),
        ] {
            assert!(is_typing_error(typed, word), "{typed}");
        }
        for (typed, word) in [
            ("order", "forget"),
            ("revoke", "renew"),
            ("lets", "gogetssl"),
            ("--yes", "--test"),
            ("--foo", "--root"),
            ("it", "install"),
            ("", "install"),
        ] {
            assert!(!is_typing_error(typed, word), "{typed}");
        }
    }
}
