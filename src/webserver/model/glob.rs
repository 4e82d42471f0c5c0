//! Patterns of `include` for one component of a path, by the rules of glob(7) and fnmatch(3): `*`,
//! `?` and `[...]`. Only a dot matches a leading dot.

/// Returns whether a component contains wildcards.
#[must_use]
pub(crate) fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

/// Returns whether `pattern` matches `name`.
#[must_use]
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let mut at = 0;
    let mut read = 0;
    // After a mismatch it is enough to let the last `*` match one more character.
    let mut last_star = None;
    while read < name.len() {
        if pattern.get(at) == Some(&'*') {
            last_star = Some((at, read));
            at += 1;
        } else if let Some(next) = match_one(&pattern, at, name[read]) {
            at = next;
            read += 1;
        } else if let Some((star, end)) = last_star {
            last_star = Some((star, end + 1));
            at = star + 1;
            read = end + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&c| c == '*')
}

/// The position in the pattern after it has matched `c`.
fn match_one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => match_set(pattern, at, c).unwrap_or_else(|| (c == '[').then_some(at + 1)),
        '\\' if at + 1 < pattern.len() => (pattern[at + 1] == c).then_some(at + 2),
        &literal => (literal == c).then_some(at + 1),
    }
}

/// Matches `[a-z]` or `[!abc]`; `None` when the bracket is not closed and so matches itself.
fn match_set(pattern: &[char], open: usize, c: char) -> Option<Option<usize>> {
    let negated = matches!(pattern.get(open + 1), Some('!' | '^'));
    let first = open + 1 + usize::from(negated);
    // A `]` at the first position is a member.
    let close = (first + 1..pattern.len()).find(|&at| pattern[at] == ']')?;
    let members = &pattern[first..close];
    let range = members
        .windows(3)
        .any(|w| w[1] == '-' && w[0] <= c && c <= w[2]);
    let found = range || members.contains(&c);
    Some((found != negated).then_some(close + 1))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_the_shell_does() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", false),
            ("*.conf", ".hidden.conf", false),
            (".*.conf", ".hidden.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("*", "default", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("?.conf", "a.conf", true),
            ("?.conf", "ab.conf", false),
            ("[0-9]*", "10-a", true),
            ("[!0-9]*", "10-a", false),
            ("[]a]b", "]b", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("exact", "exact", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert!(!matches(&"*a".repeat(40), &"a".repeat(39)));
    }
}
