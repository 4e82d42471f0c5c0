//! The files and hosts that a message mentions, so that commands can be printed with them.

use crate::finding::shell_word;

/// What a message names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct MentionedNames {
    /// A host, and its port if it is not that of https.
    pub host: Option<(String, Option<u16>)>,
    /// The path of a certificate.
    pub file: Option<String>,
    /// The path of a private key.
    pub key: Option<String>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MentionedKind {
    File,
    Host,
}

/// The ends of names of files that are no keys.
const FILE_ENDINGS: [&str; 9] = [
    "crt",
    "pem",
    "cer",
    "pfx",
    "p12",
    "p7b",
    "der",
    "ca-bundle",
    "zip",
];

/// Parts of URLs of documentation and of CAs, which messages contain too.
const OTHER_URLS: [&str; 9] = [
    "/docs",
    ".html",
    "curl.se",
    "curl.haxx.se",
    "letsencrypt.org",
    "acme-",
    "nginx.org",
    "github.com",
    "aka.ms",
];

impl MentionedNames {
    /// Reads them from a message. Only plain names are taken: letters, digits and `._+@%-/`.
    #[must_use]
    pub(crate) fn of(text: &str) -> Self {
        let mut names = Self::default();
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "._+@%-/:".contains(letter);
        let mut before = "";
        for word in text.split(|letter: char| !is_part(letter)) {
            let word = word.trim_matches([':', '.']);
            if word.is_empty() {
                continue;
            }
            names.take(word, before);
            before = word;
        }
        names
    }

    /// Takes a name that was given in place of what the message mentions.
    pub(crate) fn replace(&mut self, name: &str, kind: MentionedKind) {
        let mut given = Self::default();
        match kind {
            MentionedKind::Host => given.take_host(name),
            MentionedKind::File if name.ends_with(".key") => given.key = Some(shell_word(name)),
            MentionedKind::File => given.file = Some(shell_word(name)),
        }
        self.host = given.host.or_else(|| self.host.take());
        self.file = given.file.or_else(|| self.file.take());
        self.key = given.key.or_else(|| self.key.take());
    }

    fn take(&mut self, word: &str, before: &str) {
        if let Some(url) = word.split_once("://").map(|(_, rest)| rest) {
            if !OTHER_URLS.iter().any(|part| url.contains(part)) {
                self.take_host(url.split('/').next().unwrap_or_default());
            }
        } else if let Some(path) = word.find('/').map(|start| &word[start..])
            && word.starts_with('/')
        {
            self.take_path(path.split(':').next().unwrap_or_default());
        } else if ["name", "hostname", "host", "for", "to", "than", "not"].contains(&before) {
            self.take_host(word);
        }
    }

    fn take_path(&mut self, path: &str) {
        let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
        let Some((stem, ending)) = name.rsplit_once('.') else {
            return;
        };
        if ending == "key" || (stem.ends_with("key") && ending == "pem") {
            self.key.get_or_insert_with(|| path.to_owned());
        } else if FILE_ENDINGS.contains(&ending) {
            self.file.get_or_insert_with(|| path.to_owned());
        }
    }

    fn take_host(&mut self, word: &str) {
        let (host, port) = match word.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()),
            None => (word, None),
        };
        let labels: Vec<&str> = host.split('.').collect();
        let is_label = |label: &&str| {
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
            !label.is_empty() && label.chars().all(is_plain) && !label.starts_with('-')
        };
        let last = labels.last().copied().unwrap_or_default();
        let is_domain = last.len() >= 2 && last.chars().all(|letter| letter.is_ascii_alphabetic());
        let is_file = FILE_ENDINGS.contains(&last) || ["key", "conf", "log"].contains(&last);
        if labels.len() >= 2 && labels.iter().all(is_label) && is_domain && !is_file {
            let port = port.filter(|port| ![80, 443].contains(port));
            self.host.get_or_insert_with(|| (host.to_lowercase(), port));
        }
    }

    /// The words of a command with the known names in place of HOST, NAME, FILE and KEY.
    #[must_use]
    pub(crate) fn fill(&self, command: &str) -> String {
        let mut filled = String::with_capacity(command.len());
        let mut rest = command;
        while let Some(start) = rest.find(|letter: char| letter.is_ascii_uppercase()) {
            let (before, from) = rest.split_at(start);
            filled.push_str(before);
            let is_upper = |letter: char| letter.is_ascii_uppercase();
            let end = from.find(|letter| !is_upper(letter)).unwrap_or(from.len());
            let (word, after) = from.split_at(end);
            rest = after;
            match (word, &self.host, &self.file, &self.key) {
                ("HOST", Some((host, Some(port))), ..) if after.starts_with(":443") => {
                    filled.push_str(&format!("{host}:{port}"));
                    rest = &after[":443".len()..];
                }
                ("HOST" | "NAME", Some((host, _)), ..) => filled.push_str(host),
                ("FILE", _, Some(file), _) => filled.push_str(file),
                ("KEY", _, _, Some(key)) => filled.push_str(key),
                _ => filled.push_str(word),
            }
        }
        filled.push_str(rest);
        filled
    }

    /// What a command with placeholders looks at.
    #[must_use]
    pub(crate) fn subject_of(command: &str) -> MentionedKind {
        if command.contains("HOST") || command.contains("NAME") {
            MentionedKind::Host
        } else {
            MentionedKind::File
        }
    }

    /// Whether `command` has a word that none of the names replaces.
    #[must_use]
    pub(crate) fn has_placeholder(command: &str) -> bool {
        let is_placeholder =
            |word: &str| ["HOST", "NAME", "FILE", "KEY", "PROVIDER"].contains(&word);
        command
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .any(is_placeholder)
    }
}

#[cfg(test)]
mod tests {
    use super::MentionedNames;

    #[test]
    fn files_and_hosts_of_messages_are_found() {
        let nginx =
            "nginx: [emerg] cannot load certificate \"/etc/ssl/a.crt\": BIO_new_file() failed";
        let names = MentionedNames::of(nginx);
        assert_eq!(names.file.as_deref(), Some("/etc/ssl/a.crt"));
        assert_eq!(
            names.fill("certctl verify FILE"),
            "certctl verify /etc/ssl/a.crt"
        );
        let key = "SSL_CTX_use_PrivateKey(\"/etc/letsencrypt/live/a/privkey.pem\") failed";
        let names = MentionedNames::of(key);
        assert_eq!(
            names.key.as_deref(),
            Some("/etc/letsencrypt/live/a/privkey.pem")
        );
        let url = "fatal: unable to access 'https://git.example.com:8443/x.git/': SSL certificate problem";
        let names = MentionedNames::of(url);
        assert_eq!(
            names.fill("certctl verify HOST:443"),
            "certctl verify git.example.com:8443"
        );
        assert_eq!(
            names.fill("certctl doctor HOST"),
            "certctl doctor git.example.com"
        );
        let curl =
            "no alternative certificate subject name matches target host name 'shop.example'";
        let names = MentionedNames::of(curl);
        assert_eq!(
            names.fill("certctl verify HOST:443"),
            "certctl verify shop.example:443"
        );
    }

    #[test]
    fn nothing_else_is_taken_for_a_name() {
        for text in [
            "x509: certificate signed by unknown authority",
            "failed for nginx.conf",
            "in /etc/nginx/nginx.conf:12",
            "https://$(reboot)/",
            "More details here: https://curl.se/docs/sslcerts.html",
            "host name '-oProxyCommand=x.example'",
        ] {
            assert_eq!(
                MentionedNames::of(text),
                MentionedNames::default(),
                "{text}"
            );
        }
        assert!(MentionedNames::has_placeholder("certctl verify FILE"));
        assert!(!MentionedNames::has_placeholder("certctl verify a.crt"));
    }
}
