//! Files that certctl writes for a site: the first line has a checksum of the rest, so that certctl
//! recognizes its files and never overwrites one that somebody has edited.

use crate::pki::fingerprint::Fingerprint;

/// How the first line begins, before the checksum.
const MARKER: &str = "# certctl-site sha256:";

/// What certctl finds at the path of one of its files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileOrigin {
    /// certctl wrote it, and it has not been changed since.
    Certctl,
    /// certctl wrote it, and somebody has edited it since.
    Edited,
    /// Another program or a person wrote it.
    Foreign,
}

impl FileOrigin {
    /// Determines who wrote this text.
    #[must_use]
    pub(crate) fn of(text: &str) -> Self {
        let Some(rest) = text.strip_prefix(MARKER) else {
            return Self::Foreign;
        };
        let (checksum, body) = rest.split_once('\n').unwrap_or((rest, ""));
        if Fingerprint::of(body.as_bytes()).to_string() == checksum {
            Self::Certctl
        } else {
            Self::Edited
        }
    }
}

/// Returns the content of a file with this body, beginning with the line that has its checksum.
#[must_use]
pub(crate) fn seal(body: &str) -> String {
    format!("{MARKER}{}\n{body}", Fingerprint::of(body.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{FileOrigin, seal};

    #[test]
    fn an_edited_file_is_recognized() {
        let text = seal("server { }\n");
        assert_eq!(FileOrigin::of(&text), FileOrigin::Certctl);
        for edited in [
            text.replace("server", "server "),
            format!("{text}\n"),
            text.replace("sha256:", "sha256:0"),
            text.trim_end().to_owned(),
        ] {
            assert_eq!(FileOrigin::of(&edited), FileOrigin::Edited, "{edited}");
        }
        for foreign in ["", "server { }", "# certctl"] {
            assert_eq!(FileOrigin::of(foreign), FileOrigin::Foreign, "{foreign}");
        }
    }
}
