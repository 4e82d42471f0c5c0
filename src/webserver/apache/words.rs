//! What a failing `configtest`, a start that failed and our own gate say, and whether a given pair
//! is to blame.

use std::collections::BTreeSet;
use std::path::Path;

use super::block::ApacheConfig;
use super::gate::GATE;
use crate::webserver::model::{ComplaintSubject, ServerComplaint, last_words};

/// Reads the output; `paths` are those of the pair, as the configuration names them.
#[must_use]
pub(crate) fn complaint(output: &str, paths: &[&Path]) -> ServerComplaint {
    let mut lines: Vec<String> = output
        .lines()
        .map(said)
        .filter(|line| tells(line))
        .collect();
    lines.dedup();
    let named = |line: &String| {
        paths
            .iter()
            .any(|path| names(line, &path.display().to_string()))
    };
    // Apache stops at its first error; the gate tells of all.
    let blame = match lines
        .iter()
        .filter(|line| !is_place(line))
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => ComplaintSubject::Other,
        all if all.iter().all(|line| named(line)) => about(all[0]),
        _ => ComplaintSubject::Other,
    };
    let lines = if lines.is_empty() {
        last_words(output)
    } else {
        lines
    };
    ServerComplaint { blame, lines }
}

/// The virtual hosts that Apache lists (`-t -D DUMP_VHOSTS`) and that were not read, and those that
/// were and it does not list: what was understood of the configuration is then not what Apache
/// makes of it.
#[must_use]
pub(crate) fn unlisted(output: &str, config: &ApacheConfig) -> Vec<String> {
    let place = |line: &str| {
        line.trim_end()
            .strip_suffix(')')?
            .rsplit_once('(')
            .map(|(_, place)| place.to_owned())
    };
    let listed: BTreeSet<String> = output
        .lines()
        .filter_map(place)
        .filter(|place| place.contains(':'))
        .collect();
    let hosts = config.hosts.iter().filter(|host| host.directives.is_some());
    let read: BTreeSet<String> = hosts.map(|host| host.block.to_string()).collect();
    let unread = listed
        .difference(&read)
        .map(|place| format!("{place}: Apache has a virtual host there that was not read"));
    let unknown = read.difference(&listed);
    unread
        .chain(unknown.map(|place| format!("{place}: Apache does not list this virtual host")))
        .collect()
}

/// Whether a line names a path, not a longer one.
fn names(line: &str, path: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| " '\",:".contains(c));
    line.match_indices(path).any(|(at, _)| {
        edge(line[..at].chars().next_back()) && edge(line[at + path.len()..].chars().next())
    })
}

/// A line without `AH00526: ` and without what an error log puts in front:
/// `[time] [ssl:emerg] [pid 1:tid 1] `.
fn said(line: &str) -> String {
    let mut line = line.trim();
    while let Some((_, rest)) = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
    {
        line = rest;
    }
    let code = |word: &str| {
        word.len() == 7 && word.starts_with("AH") && word[2..].bytes().all(|b| b.is_ascii_digit())
    };
    match line.split_once(": ") {
        Some((word, rest)) if code(word) => rest.to_owned(),
        _ => line.to_owned(),
    }
}

/// Not what is said whatever the reason: that it failed, where the log is, and what only warns.
fn tells(line: &str) -> bool {
    let empty = [
        "Syntax OK",
        "Action '",
        "The Apache error log may have more",
        "Configuration Failed",
        "Could not reliably",
    ];
    let chatter = [
        "apache2: Could not reliably",
        "httpd: Could not reliably",
        "Config variable ",
        "Init: Session Cache",
    ];
    !line.is_empty()
        && !empty
            .iter()
            .chain(&chatter)
            .any(|start| line.starts_with(start))
}

/// `Syntax error on line 20 of FILE:` goes before what is wrong there.
fn is_place(line: &str) -> bool {
    line.contains("Syntax error on line ") && line.ends_with(':')
}

fn about(line: &str) -> ComplaintSubject {
    if line.contains("does not exist or is empty") || line.contains("Can't open certificate file") {
        ComplaintSubject::PairMissing
    } else if line.contains("Permission denied") {
        ComplaintSubject::PairUnreadable
    } else if line.starts_with(GATE)
        || ["do not match", "Failed to configure", "private key"]
            .iter()
            .any(|words| line.contains(words))
    {
        ComplaintSubject::PairBroken
    } else {
        ComplaintSubject::Other
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ComplaintSubject, complaint};

    #[test]
    fn who_is_to_blame() {
        let place = "AH00526: Syntax error on line 20 of /etc/apache2/sites-enabled/a.conf:\n";
        for (output, blame) in [
            (
                format!("{place}SSLCertificateFile: file '/c' does not exist or is empty\nAction \
                    '-t' failed.\n"),
                ComplaintSubject::PairMissing,
            ),
            (format!("{place}SSLCertificateKeyFile: file '/k' does not exist or is empty\n"), ComplaintSubject::PairMissing),
            (format!("{place}SSLCertificateFile: file '/c/longer' does not exist or is empty\n"), ComplaintSubject::Other),
            (format!("{place}Invalid command 'SSLEngine', perhaps misspelled\n"), ComplaintSubject::Other),
            (
                "[Mon Nov 23 18:00:21.199129 2026] [ssl:emerg] [pid 1:tid 1] AH02565: Certificate and private key \
                 a.example:443:0 from /c and /k do not match\nAH00016: Configuration Failed\n"
                    .to_owned(),
                ComplaintSubject::PairBroken,
            ),
            ("Apache would end at the next reload: /k of /a.conf:3: the key is x".to_owned(), ComplaintSubject::PairBroken),
            (
                "Apache would end at the next reload: /k of /a.conf:3: the key is x\n\
                 Apache would end at the next reload: /other of /a.conf:9: the key is x"
                    .to_owned(),
                ComplaintSubject::Other,
            ),
            ("Syntax OK\n".to_owned(), ComplaintSubject::Other),
            (String::new(), ComplaintSubject::Other),
        ] {
            let read = complaint(&output, &[Path::new("/c"), Path::new("/k")]);
            assert_eq!(read.blame, blame, "{output}");
        }
    }

    #[test]
    fn its_own_words_without_the_rest() {
        let output = "AH00558: apache2: Could not reliably determine the server's fully qualified domain name\n\
            AH00526: Syntax error on line 20 of /a.conf:\nSSLCertificateFile: file '/c' does not exist or is empty\n\
            Action '-t' failed.\nThe Apache error log may have more information.\n";
        let expected = [
            "Syntax error on line 20 of /a.conf:",
            "SSLCertificateFile: file '/c' does not exist or is empty",
        ];
        assert_eq!(complaint(output, &[]).lines, expected);
    }
}
