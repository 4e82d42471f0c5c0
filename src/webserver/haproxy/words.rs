//! What a failing `haproxy -c` says, and whether a given pair is to blame. HAProxy tells of every
//! line that fails.

use std::path::Path;

use crate::webserver::model::{Blame, Complaint, last_words};

/// Reads the output of a failing test; `paths` are those of the pair, as the configuration names
/// them.
#[must_use]
pub(crate) fn complaint(output: &str, paths: &[&Path]) -> Complaint {
    let mut lines: Vec<String> = output.lines().filter_map(alert).collect();
    lines.dedup();
    let about: Vec<Blame> = lines.iter().map(|line| blame(line, paths)).collect();
    let blame = match about.split_first() {
        Some((first, rest)) if rest.iter().all(|other| other == first) => *first,
        _ => Blame::Other,
    };
    let lines = if lines.is_empty() {
        last_words(output)
    } else {
        lines
    };
    Complaint { blame, lines }
}

/// `[ALERT]    (123) : config : parsing [FILE:LINE] : ...`; the sums at the end say nothing more.
fn alert(line: &str) -> Option<String> {
    let (_, said) = line.strip_prefix("[ALERT]")?.split_once(" : ")?;
    let said = said.strip_prefix("config : ").unwrap_or(said).trim();
    let sum = [
        "Error(s) found in configuration file",
        "Fatal errors found in configuration",
    ];
    (!sum.iter().any(|sum| said.starts_with(sum))).then(|| said.to_owned())
}

fn blame(line: &str, paths: &[&Path]) -> Blame {
    let names = |path: &Path, ends: &[&str]| {
        let path = path.display();
        ends.iter()
            .any(|end| line.contains(&format!("'{path}{end}'")))
    };
    // Without a key in it, it is looked for beside it.
    if !paths.iter().any(|path| names(path, &["", ".key"])) {
        return Blame::Other;
    }
    for (words, blame) in [
        ("unable to stat SSL certificate", Blame::PairMissing),
        ("cannot open the file", Blame::PairUnreadable),
        ("No Private Key found", Blame::PairBroken),
        ("inconsistencies between private key", Blame::PairBroken),
        ("unable to load", Blame::PairBroken),
    ] {
        if line.contains(words) {
            return blame;
        }
    }
    Blame::Other
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Blame, complaint};

    #[test]
    fn who_is_to_blame() {
        let at =
            "[ALERT]    (1) : config : parsing [/h.cfg:9] : 'bind :443' in section 'frontend' : ";
        let sums = "[ALERT]    (1) : config : Error(s) found in configuration file : /h.cfg\n\
            [ALERT]    (1) : config : Fatal errors found in configuration.\n";
        let list = "'crt-list' : unable to stat SSL certificate from file '/c' : No such file or \
            directory.";
        for (output, blame) in [
            (
                "unable to stat SSL certificate from file '/c' : No such file or directory.",
                Blame::PairMissing,
            ),
            (list, Blame::PairMissing),
            (
                "unable to stat SSL certificate from file '/other' : No such file or directory.",
                Blame::Other,
            ),
            (
                "unable to stat SSL certificate from file '/c/longer' : No such file or directory.",
                Blame::Other,
            ),
            ("No Private Key found in '/c.key'.", Blame::PairBroken),
            (
                "inconsistencies between private key and certificate loaded '/c'.",
                Blame::PairBroken,
            ),
            (
                "unable to load certificate from file '/c'.",
                Blame::PairBroken,
            ),
            ("cannot open the file '/c'.", Blame::PairUnreadable),
            (
                "unknown keyword 'bogus' in 'frontend' section",
                Blame::Other,
            ),
        ] {
            let output = format!("[NOTICE]   (1) : haproxy version is 2.6\n{at}{output}\n{sums}");
            assert_eq!(
                complaint(&output, &[Path::new("/c")]).blame,
                blame,
                "{output}"
            );
            let more = format!("{at}unknown keyword 'x'\n{output}");
            assert_eq!(
                complaint(&more, &[Path::new("/c")]).blame,
                Blame::Other,
                "{more}"
            );
        }
        assert_eq!(complaint("", &[Path::new("/c")]).blame, Blame::Other);
    }

    #[test]
    fn its_own_words_without_the_rest() {
        let output = "[NOTICE]   (7) : x\n[ALERT]    (7) : config : parsing [/h.cfg:2] : unknown keyword 'y'\n\
            [ALERT]    (7) : config : Fatal errors found in configuration.\n";
        assert_eq!(
            complaint(output, &[]).lines,
            ["parsing [/h.cfg:2] : unknown keyword 'y'"]
        );
        assert_eq!(complaint("killed\n", &[]).lines, ["killed"]);
    }
}
