//! The difference between two versions of a file, as a unified diff with one hunk: the files of a
//! site are short, and their changes are close together.

use std::path::Path;

/// How many unchanged lines are shown before and after the changed ones.
const CONTEXT: usize = 3;

/// Returns the lines of a unified diff; none if both versions are the same. A version that is `None`
/// does not exist.
#[must_use]
pub(crate) fn unified(path: &Path, before: Option<&str>, after: Option<&str>) -> Vec<String> {
    if before == after {
        return Vec::new();
    }
    let comparison = LineComparison::new(before.unwrap_or_default(), after.unwrap_or_default());
    let mut lines = vec![
        format!("--- {}", name_of(path, before)),
        format!("+++ {}", name_of(path, after)),
    ];
    comparison.add_hunk(&mut lines);
    lines
}

/// Two versions of a file, and how many lines at both ends they share.
struct LineComparison<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
    same_start: usize,
    same_end: usize,
}

impl<'a> LineComparison<'a> {
    fn new(before: &'a str, after: &'a str) -> Self {
        let old: Vec<&str> = before.lines().collect();
        let new: Vec<&str> = after.lines().collect();
        let from_start = old.iter().zip(&new);
        let same_start = count_equal(from_start);
        let from_end = old.iter().rev().zip(new.iter().rev());
        let same_end = count_equal(from_end);
        let shortest = old.len().min(new.len());
        Self {
            same_end: same_end.min(shortest - same_start),
            same_start,
            old,
            new,
        }
    }

    /// Adds the changed lines with their neighbours.
    fn add_hunk(&self, lines: &mut Vec<String>) {
        let first = self.same_start.saturating_sub(CONTEXT);
        let after = self.same_end.min(CONTEXT);
        let old_end = self.old.len() - self.same_end;
        let new_end = self.new.len() - self.same_end;
        let old_range = range(first, old_end + after);
        let new_range = range(first, new_end + after);
        lines.push(format!("@@ -{old_range} +{new_range} @@"));
        add_lines(lines, ' ', &self.old[first..self.same_start]);
        add_lines(lines, '-', &self.old[self.same_start..old_end]);
        add_lines(lines, '+', &self.new[self.same_start..new_end]);
        add_lines(lines, ' ', &self.old[old_end..old_end + after]);
    }
}

fn add_lines(lines: &mut Vec<String>, sign: char, part: &[&str]) {
    for line in part {
        lines.push(format!("{sign}{line}"));
    }
}

fn count_equal<'a>(pairs: impl Iterator<Item = (&'a &'a str, &'a &'a str)>) -> usize {
    pairs.take_while(|(old, new)| old == new).count()
}

fn name_of(path: &Path, version: Option<&str>) -> String {
    match version {
        Some(_) => path.display().to_string(),
        None => "/dev/null".to_owned(),
    }
}

/// The lines from `first` (counted from 0) to before `end`, as a hunk names them.
fn range(first: usize, end: usize) -> String {
    match end - first {
        0 => format!("{first},0"),
        count => format!("{},{count}", first + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::unified;

    #[test]
    fn changed_lines_are_shown_with_their_neighbours() {
        let diff = |before, after| unified(Path::new("/etc/x"), before, after).join("\n");
        assert_eq!(diff(Some("a\n"), Some("a\n")), "");
        assert_eq!(
            diff(None, Some("a\nb\n")),
            "--- /dev/null\n+++ /etc/x\n@@ -0,0 +1,2 @@\n+a\n+b"
        );
        assert_eq!(
            diff(Some("a\n"), None),
            "--- /etc/x\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a"
        );
        assert_eq!(
            diff(
                Some("1\n2\n3\n4\nold\n6\n7\n8\n9\n"),
                Some("1\n2\n3\n4\nnew\nmore\n6\n7\n8\n9\n")
            ),
            "--- /etc/x\n+++ /etc/x\n@@ -2,7 +2,8 @@\n 2\n 3\n 4\n-old\n+new\n+more\n 6\n 7\n 8"
        );
        assert_eq!(
            diff(Some("a\na\n"), Some("a\na\na\n")),
            "--- /etc/x\n+++ /etc/x\n@@ -1,2 +1,3 @@\n a\n a\n+a"
        );
    }
}
