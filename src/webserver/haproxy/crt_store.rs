//! The certificates of `crt-store` sections (HAProxy 3.0): a `load` line names the files of one,
//! which `crt` then refers to, by its alias or by its path.
//! <https://docs.haproxy.org/3.0/configuration.html#3.11>

use std::path::{Path, PathBuf};

use super::lex::{HaproxyWord, text_at};

/// The certificates of all stores, and the store that is being read.
#[derive(Clone, Debug, Default)]
pub(crate) struct CrtStores {
    loaded: Vec<StoredCrt>,
    /// The name of the current store; empty for one without a name.
    name: String,
    bases: StoreBases,
}

/// The folders of relative paths.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct StoreBases {
    /// `crt-base`
    pub crt: Option<PathBuf>,
    /// `key-base`
    pub key: Option<PathBuf>,
}

/// A certificate of a store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StoredCrt {
    /// What `crt` must say, once `crt-base` is added to a relative path: `@STORE/ALIAS`,
    /// `@STORE/PATH`, or the path of a certificate of a store without a name.
    reference: String,
    /// The path of the certificate; with the key, if there is no path of a key.
    pub crt: HaproxyWord,
    pub key: Option<HaproxyWord>,
}

impl StoreBases {
    /// Adds the base of certificates to a path as HAProxy does.
    fn join_crt(&self, path: &str) -> String {
        join(self.crt.as_deref(), path)
    }

    fn join_key(&self, key: &HaproxyWord) -> HaproxyWord {
        HaproxyWord {
            text: join(self.key.as_deref(), &key.text),
            unresolved: key.unresolved,
        }
    }
}

impl CrtStores {
    /// Opens a store with these arguments; `global` are the folders of the global section, which
    /// apply until the store has its own.
    pub(crate) fn open(&mut self, arguments: &[HaproxyWord], global: &StoreBases) {
        text_at(arguments, 0).clone_into(&mut self.name);
        self.bases = global.clone();
    }

    /// Reads a line of the current store; `global` as for [`CrtStores::open`].
    pub(crate) fn read(&mut self, keyword: &str, arguments: &[HaproxyWord], global: &StoreBases) {
        let first = text_at(arguments, 0);
        match keyword {
            "crt-base" => self.bases.crt = Some(first.into()),
            "key-base" => self.bases.key = Some(first.into()),
            "load" => self.loaded.extend(self.parse_load(arguments, global)),
            _ => {}
        }
    }

    fn parse_load(&self, arguments: &[HaproxyWord], global: &StoreBases) -> Option<StoredCrt> {
        let crt = argument_of(arguments, "crt")?;
        let reference = match argument_of(arguments, "alias") {
            Some(alias) => format!("@{}/{}", self.name, alias.text),
            None if self.name.is_empty() => global.join_crt(&crt.text),
            // HAProxy avoids a second slash before an absolute path.
            None => format!("@{}/{}", self.name, crt.text.trim_start_matches('/')),
        };
        let crt = HaproxyWord {
            text: self.bases.join_crt(&crt.text),
            unresolved: crt.unresolved,
        };
        let key = argument_of(arguments, "key").map(|key| self.bases.join_key(key));
        Some(StoredCrt {
            reference,
            crt,
            key,
        })
    }

    /// Finds the certificate that `crt WORD` refers to; `None` if it names a file itself.
    #[must_use]
    pub(crate) fn find(&self, word: &str, global: &StoreBases) -> Option<StoredCrt> {
        let reference = match word.strip_prefix('@') {
            Some(_) => word.to_owned(),
            None => global.join_crt(word),
        };
        let mut loaded = self.loaded.iter();
        loaded.find(|crt| crt.reference == reference).cloned()
    }
}

/// The value of a parameter: every parameter has one.
fn argument_of<'a>(arguments: &'a [HaproxyWord], name: &str) -> Option<&'a HaproxyWord> {
    let mut pairs = arguments.chunks_exact(2);
    pairs.find_map(|pair| (pair[0].text == name).then_some(&pair[1]))
}

fn join(base: Option<&Path>, path: &str) -> String {
    match base {
        Some(base) if !path.starts_with('/') => format!("{}/{path}", base.display()),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{CrtStores, StoreBases};
    use crate::webserver::haproxy::lex::{HaproxyEnvironment, HaproxyWord, words};

    fn words_of(line: &str) -> Vec<HaproxyWord> {
        words(line, &HaproxyEnvironment::default()).unwrap()
    }

    #[test]
    fn references_are_found_by_alias_and_by_path() {
        let global = StoreBases {
            crt: Some("/g".into()),
            key: None,
        };
        let mut stores = CrtStores::default();
        stores.open(&[], &global);
        for line in [
            "crt a.pem key a.key alias a",
            "crt b.pem",
            "key x alias none",
        ] {
            stores.read("load", &words_of(line), &global);
        }
        stores.open(&words_of("web"), &global);
        stores.read("crt-base", &words_of("/w"), &global);
        stores.read("key-base", &words_of("/k"), &global);
        stores.read("load", &words_of("crt c.pem key c.key ocsp x"), &global);
        stores.read("load", &words_of("alias d crt /d.pem"), &global);
        stores.read("load", &words_of("crt /e/e.pem"), &global);
        for (word, found) in [
            ("@/a", Some("/g/a.pem a.key")),
            ("a.pem", None),
            ("b.pem", Some("/g/b.pem -")),
            ("/g/b.pem", Some("/g/b.pem -")),
            ("@web/c.pem", Some("/w/c.pem /k/c.key")),
            ("@web/d", Some("/d.pem -")),
            ("@web/d.pem", None),
            ("@web/e/e.pem", Some("/e/e.pem -")),
            ("@web//e/e.pem", None),
            ("@/none", None),
        ] {
            let stored = stores.find(word, &global).map(|stored| {
                let key = stored.key.map_or_else(|| "-".to_owned(), |key| key.text);
                format!("{} {key}", stored.crt.text)
            });
            assert_eq!(stored.as_deref(), found, "{word}");
        }
    }
}
