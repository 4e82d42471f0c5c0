//! The folders in which validation files are written.

use std::path::{Path, PathBuf};

use crate::advice::order as advice;
use crate::failure::Failure;
use crate::system::fs::folders;

/// The folders that serve validation files: one for each name, or one for all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Webroots {
    usual: Option<PathBuf>,
    named: Vec<NamedWebroot>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct NamedWebroot {
    name: String,
    folder: PathBuf,
}

impl Webroots {
    /// Parses the values of `--webroot`, `[NAME=]DIR`.
    ///
    /// # Errors
    /// When two values are for the same name, or a folder does not exist.
    pub(crate) fn parse(values: &[String]) -> Result<Self, Failure> {
        let mut webroots = Self::default();
        for value in values {
            let (name, folder) = match value.split_once('=') {
                Some((name, folder)) if !name.contains('/') => (Some(name), folder),
                _ => (None, value.as_str()),
            };
            let folder = folders::absolute(Path::new(folder))?;
            match name {
                Some(name) => webroots.named.push(NamedWebroot {
                    name: name.to_ascii_lowercase(),
                    folder,
                }),
                None if webroots.usual.is_none() => webroots.usual = Some(folder),
                None => return Err(advice::two_webroots()),
            }
        }
        Ok(webroots)
    }

    /// Returns the values of `--webroot`.
    #[must_use]
    pub(super) fn to_options(&self) -> Vec<String> {
        let named = self.named.iter();
        let named = named.map(|one| format!("{}={}", one.name, one.folder.display()));
        let usual = self.usual.iter().map(|folder| folder.display().to_string());
        usual.chain(named).collect()
    }

    /// Returns the folder of a name.
    ///
    /// # Errors
    /// When the name has none.
    pub(super) fn folder_of(&self, name: &str) -> Result<&Path, Failure> {
        let named = self.named.iter().find(|one| one.name == name);
        let folder = named.map(|one| &one.folder).or(self.usual.as_ref());
        folder
            .map(PathBuf::as_path)
            .ok_or_else(|| advice::no_webroot_for(name))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Webroots;

    #[test]
    fn each_name_has_a_webroot() {
        let values = ["/srv/a", "www.example.com=/srv/b"].map(str::to_owned);
        let webroots = Webroots::parse(&values).unwrap();
        for (name, folder) in [("example.com", "/srv/a"), ("www.example.com", "/srv/b")] {
            assert_eq!(webroots.folder_of(name).unwrap(), Path::new(folder));
        }
        assert_eq!(webroots.to_options(), values);
        let named = Webroots::parse(&["www.example.com=/srv/b".to_owned()]).unwrap();
        assert!(named.folder_of("example.com").is_err());
        assert!(Webroots::parse(&["/a".to_owned(), "/b".to_owned()]).is_err());
    }
}
