//! Patterns of `include`, as glob(7) and fnmatch(3) match one part of a path: `*`, `?` and `[...]`;
//! a leading dot is matched by a dot alone.

/// Whether it is a pattern at all.
#[must_use]
pub(crate) fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

/// Whether `name` is one of those that `pattern` stands for.
#[must_use]
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    // After a mismatch only the last `*` can take one character more: no search but this one is
    // needed.
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < name.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, read));
            at += 1;
        } else if let Some(next) = one(&pattern, at, name[read]) {
            (at, read) = (next, read + 1);
        } else if let Some((before, taken)) = star {
            star = Some((before, taken + 1));
            (at, read) = (before + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&c| c == '*')
}

/// Where the pattern goes on after it has matched `c`.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => set(pattern, at, c).unwrap_or_else(|| (c == '[').then_some(at + 1)),
        '\\' if at + 1 < pattern.len() => (pattern[at + 1] == c).then_some(at + 2),
        &literal => (literal == c).then_some(at + 1),
    }
}

/// `[a-z]`, `[!abc]`; `None` when the bracket is never closed and so stands for itself.
fn set(pattern: &[char], open: usize, c: char) -> Option<Option<usize>> {
    let negated = matches!(pattern.get(open + 1), Some('!' | '^'));
    let first = open + 1 + usize::from(negated);
    // A `]` in the first place is a member.
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
