//! The user of an application, and the folders that belong to it.

use std::path::{Path, PathBuf};

use crate::pki::fingerprint::Fingerprint;

/// The folder with the folders of all applications. Each is owned by root; what the application may
/// write is below it.
const APPLICATIONS: &str = "/var/lib/certctl-apps";
/// The longest user name that useradd(8) accepts.
const NAME_LIMIT: usize = 32;
/// How many characters of a site's name are kept where a hash makes the user name unique.
const KEPT: usize = 19;

/// The user that runs the application of one site. It is also the name of the service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ApplicationAccount {
    pub name: String,
    /// The name of the site.
    pub site: String,
}

impl ApplicationAccount {
    /// Returns the account for the site with this file stem.
    #[must_use]
    pub(crate) fn for_site(stem: &str) -> Self {
        let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let plain: String = stem.to_ascii_lowercase().chars().map(letter).collect();
        let is_unique = stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
        let name = format!("app-{plain}");
        let name = if is_unique && name.len() <= NAME_LIMIT {
            name
        } else {
            let kept: String = plain.chars().take(KEPT).collect();
            let hash = Fingerprint::of(stem.as_bytes()).first_digits();
            format!("app-{kept}-{hash}")
        };
        Self {
            name,
            site: stem.to_owned(),
        }
    }

    /// The folder of everything that certctl creates for the application. Root owns it, so that the
    /// application cannot replace what is in it.
    #[must_use]
    pub(crate) fn folder(&self) -> PathBuf {
        Path::new(APPLICATIONS).join(&self.name)
    }

    /// The folder that contains the folders of all applications.
    #[must_use]
    pub(crate) fn parent() -> &'static Path {
        Path::new(APPLICATIONS)
    }

    /// Where the application may keep files.
    #[must_use]
    pub(crate) fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// The folder with the socket, which only the application and the web server may enter.
    #[must_use]
    pub(crate) fn socket_folder(&self) -> PathBuf {
        self.folder().join("run")
    }

    #[must_use]
    pub(crate) fn socket(&self) -> PathBuf {
        self.socket_folder().join("app.sock")
    }

    /// The virtual environment that `--venv` makes.
    #[must_use]
    pub(crate) fn environment(&self) -> PathBuf {
        self.folder().join("venv")
    }
}

#[cfg(test)]
mod tests {
    use super::{ApplicationAccount, NAME_LIMIT};

    #[test]
    fn user_names_are_valid_and_different_for_different_sites() {
        let long = format!("{}.example", "a".repeat(60));
        let sites = [
            "a.b.example",
            "a-b.example",
            "a.b-example",
            "xn--bcher-kva.example",
            "_.example.com",
            &long,
            &format!("{long}.example"),
        ];
        let names: Vec<String> = sites
            .iter()
            .map(|site| ApplicationAccount::for_site(site).name)
            .collect();
        assert_eq!(names[0], "app-a-b-example");
        for (index, name) in names.iter().enumerate() {
            assert!(name.len() <= NAME_LIMIT, "{name}");
            let is_valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(name.chars().all(is_valid), "{name}");
            assert!(!names[..index].contains(name), "{name}");
        }
        // The path of a socket has at most 107 bytes (unix(7)).
        let socket = ApplicationAccount::for_site(&long).socket();
        assert!(socket.display().to_string().len() < 108);
    }
}
