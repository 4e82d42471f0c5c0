//! Reads the output of a failed `nginx -t` and decides whether a given certificate is to blame.
//! nginx stops at its first error: once the certificate is fixed, the test may still fail for
//! another reason.

use std::path::Path;

use crate::webserver::model::{ComplaintSubject, ServerComplaint, last_lines};

/// Reads the output of a failed test; `paths` are those of the certificate and its key, as the
/// configuration names them.
#[must_use]
pub fn complaint(output: &str, paths: &[&Path]) -> ServerComplaint {
    let mut lines: Vec<String> = output.lines().filter_map(emergency).collect();
    // nginx prints the same line to stderr and to an error log, which may be stderr too.
    lines.dedup();
    let blame = match lines.as_slice() {
        [line]
            if paths
                .iter()
                .any(|path| line.contains(&format!("\"{}\"", path.display()))) =>
        {
            subject(line)
        }
        _ => ComplaintSubject::Other,
    };
    let lines = if lines.is_empty() {
        last_lines(output)
    } else {
        lines
    };
    ServerComplaint {
        subject: blame,
        lines,
    }
}

/// The message of `nginx: [emerg] ...`, or of a line of an error log:
/// `2026/11/23 10:00:00 [emerg] 1#1: ...`.
fn emergency(line: &str) -> Option<String> {
    let (_, message) = line.split_once("[emerg] ")?;
    let logged = message
        .split_once(": ")
        .filter(|(id, _)| id.contains('#') && !id.contains(' '));
    let message = logged.map_or(message, |(_, message)| message);
    Some(message.trim().to_owned())
}

fn subject(line: &str) -> ComplaintSubject {
    let loading = [
        "cannot load certificate",
        "SSL_CTX_use_",
        "BIO_new_file(",
        "PEM_read_bio",
    ];
    if !loading.iter().any(|words| line.contains(words)) {
        ComplaintSubject::Other
    } else if line.contains("No such file or directory") {
        ComplaintSubject::FilesMissing
    } else if line.contains("Permission denied") {
        ComplaintSubject::FilesUnreadable
    } else {
        ComplaintSubject::FilesBroken
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ComplaintSubject, complaint};

    #[test]
    fn complaints_are_attributed_to_the_certificate() {
        let load = "nginx: [emerg] cannot load certificate";
        let gone = "BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory:calling \
            fopen(/c, r) error:10000080:BIO routines::no such file)";
        for (output, blame) in [
            (format!("{load} \"/c\": {gone}"), ComplaintSubject::FilesMissing),
            (format!("{load} key \"/k\": {gone}"), ComplaintSubject::FilesMissing),
            (format!("{load} \"/other\": {gone}"), ComplaintSubject::Other),
            (format!("{load} \"/c/longer\": {gone}"), ComplaintSubject::Other),
            (
                format!(
                    "{load} key \"/k\": BIO_new_file() failed (SSL: error:8000000D:system \
                        library::Permission denied:)"
                ),
                ComplaintSubject::FilesUnreadable,
            ),
            (
                format!(
                    "{load} \"/c\": PEM_read_bio_X509_AUX() failed (SSL: error:04800066:PEM \
                        routines::bad end line)"
                ),
                ComplaintSubject::FilesBroken,
            ),
            (
                "nginx: [emerg] SSL_CTX_use_PrivateKey(\"/k\") failed (SSL: error:05800074:x509 certificate \
                 routines::key values mismatch)"
                    .to_owned(),
                ComplaintSubject::FilesBroken,
            ),
            (format!("{load} \"/c\": {gone}\nnginx: [emerg] unknown directive \"x\" in /n:1"), ComplaintSubject::Other),
            ("nginx: [emerg] open() \"/c\" failed (2: No such file or directory) in /n:1".to_owned(), ComplaintSubject::Other),
            ("nginx: [emerg] bind() to 0.0.0.0:443 failed (13: Permission denied)".to_owned(), ComplaintSubject::Other),
            (String::new(), ComplaintSubject::Other),
        ] {
            let complaint = complaint(&output, &[Path::new("/c"), Path::new("/k")]);
            assert_eq!(complaint.subject, blame, "{output}");
        }
    }

    #[test]
    fn only_lines_about_the_error_are_kept() {
        let read = |output: &str| complaint(output, &[]).lines;
        let output = "nginx: [warn] x\n2026/11/23 15:24:17 [emerg] 29945#29945: no \"ssl_certificate\"\n\
            nginx: [emerg] unknown directive: \"y\"\nnginx: configuration file /n test failed\n";
        assert_eq!(
            read(output),
            ["no \"ssl_certificate\"", "unknown directive: \"y\""]
        );
    }
}
