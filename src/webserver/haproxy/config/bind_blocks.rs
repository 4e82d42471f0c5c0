//! The blocks of a `bind` line: one for each certificate that it loads, or one without a
//! certificate.

use std::path::{Path, PathBuf};

use super::{HaproxyReader, RelativeBase};
use crate::webserver::haproxy::bind::{BindLine, BindSource};
use crate::webserver::haproxy::crt::{LoadedCrt, expand, load_pair};
use crate::webserver::haproxy::lex::HaproxyWord;
use crate::webserver::haproxy::list::{self, CrtListEntry};
use crate::webserver::model::{
    ConfigBlock, ConfigPosition, ConfiguredPath, ListenInterface, ModelRule, NameSource,
    ServerName, TlsHandling, TrafficKind,
};

impl HaproxyReader<'_> {
    /// Adds the blocks of a `bind` line.
    pub(super) fn read_bind(
        &mut self,
        position: ConfigPosition<'_>,
        part: TrafficKind,
        arguments: &[HaproxyWord],
    ) {
        let bind = BindLine::parse(arguments);
        if part == TrafficKind::Http
            && let Some(frontend) = self.config.frontends.last_mut()
        {
            frontend.listens.extend(bind.listens.iter().cloned());
        }
        let mut blocks = self.blocks_of_bind(position, &bind);
        for (index, block) in blocks.iter_mut().enumerate() {
            block.traffic = part;
            block.listens.clone_from(&bind.listens);
            for listen in &mut block.listens {
                listen.default_server = index == 0 && !bind.strict;
            }
        }
        for listen in &bind.listens {
            if let ListenInterface::Unknown(_) = listen.interface {
                self.doubt(
                    position,
                    format!("certctl cannot resolve the address {listen}"),
                );
            }
        }
        self.proxies.add_listens(&bind.listens);
        let frontend = self
            .config
            .frontends
            .len()
            .checked_sub(1)
            .filter(|_| part == TrafficKind::Http);
        self.frontends_of_blocks
            .extend(blocks.iter().map(|_| frontend));
        self.config.blocks.extend(blocks);
    }

    /// One block per certificate, or one without a certificate. Certificates for the same names,
    /// which have different key types, share a block.
    fn blocks_of_bind(
        &mut self,
        position: ConfigPosition<'_>,
        bind: &BindLine,
    ) -> Vec<ConfigBlock> {
        let mut blocks: Vec<ConfigBlock> = Vec::new();
        for source in &bind.certificates {
            for block in self.blocks_of_source(position, source) {
                // The last block that shares a name: the order of those that do matters.
                let sharing = blocks
                    .iter_mut()
                    .rfind(|other| other.names.iter().any(|name| block.names.contains(name)));
                match sharing {
                    Some(other) if other.names == block.names => {
                        other.certificates.extend(block.certificates);
                    }
                    _ => blocks.push(block),
                }
            }
        }
        if blocks.is_empty() {
            blocks.push(empty_block(position));
        }
        blocks
    }

    fn blocks_of_source(
        &mut self,
        position: ConfigPosition<'_>,
        source: &BindSource,
    ) -> Vec<ConfigBlock> {
        match source {
            BindSource::Crt(word) => self
                .load(position, position, word)
                .into_iter()
                .map(|loaded| certificate_block(position, loaded))
                .collect(),
            BindSource::List(word) => self.blocks_of_list(position, word),
        }
    }

    fn blocks_of_list(&mut self, bind: ConfigPosition<'_>, word: &HaproxyWord) -> Vec<ConfigBlock> {
        let path = match self.resolve(bind, word, None) {
            ConfiguredPath::File(path) => path,
            ConfiguredPath::Other(text) => {
                self.doubt(
                    bind,
                    format!("certctl cannot resolve the path of crt-list {text}"),
                );
                return Vec::new();
            }
        };
        let Some(text) = (self.files.read_list)(&path) else {
            self.doubt(
                bind,
                format!("certctl cannot read crt-list {}", path.display()),
            );
            return Vec::new();
        };
        let (entries, malformed_lines) = list::parse_list(&text);
        for line in malformed_lines {
            let position = ConfigPosition { file: &path, line };
            self.doubt(position, "malformed line of a crt-list".to_owned());
        }
        let mut blocks = Vec::new();
        for entry in &entries {
            blocks.extend(self.blocks_of_entry(bind, &path, entry));
        }
        blocks
    }

    fn blocks_of_entry(
        &mut self,
        bind: ConfigPosition<'_>,
        list: &Path,
        entry: &CrtListEntry,
    ) -> Vec<ConfigBlock> {
        let position = ConfigPosition {
            file: list,
            line: entry.line,
        };
        let word = HaproxyWord {
            text: entry.path.clone(),
            unresolved: false,
        };
        let loaded = match &entry.key {
            Some(key) => {
                let key = HaproxyWord {
                    text: key.clone(),
                    unresolved: false,
                };
                vec![self.load_with_key(bind, position, &word, &key)]
            }
            None => self.load(bind, position, &word),
        };
        let mut blocks = Vec::new();
        for loaded in loaded {
            let mut block = certificate_block(position, loaded);
            if let Some(filters) = &entry.filters {
                let except = filters.except.iter().cloned().map(ServerName::Except);
                block.names = filters.names.iter().cloned().chain(except).collect();
                block.names_from = NameSource::Configuration;
            }
            blocks.push(block);
        }
        blocks
    }

    /// The certificates that `word` at `position` loads for the `bind` line.
    fn load(
        &mut self,
        bind: ConfigPosition<'_>,
        position: ConfigPosition<'_>,
        word: &HaproxyWord,
    ) -> Vec<LoadedCrt> {
        if let Some(stored) = self.stores.find(&word.text, &self.bases) {
            let loaded = self.load_files(bind, position, &stored.crt, stored.key.as_ref());
            return vec![loaded];
        }
        let path = match self.resolve(bind, word, self.crt_base()) {
            ConfiguredPath::File(path) => path,
            ConfiguredPath::Other(text) => return vec![self.unresolved(position, &text)],
        };
        let loaded = expand(&path, self.extras, self.files.read_crt);
        for crt in &loaded {
            self.doubt_unreadable(position, crt);
        }
        loaded
    }

    fn crt_base(&self) -> Option<&Path> {
        let base = self.bases.crt.as_deref();
        base.filter(|_| ModelRule::HaproxyBase.is_followed())
    }

    /// Loads the certificate of a crt-list's line with a key of its own, to which `key-base` does
    /// not apply.
    fn load_with_key(
        &mut self,
        bind: ConfigPosition<'_>,
        position: ConfigPosition<'_>,
        crt: &HaproxyWord,
        key: &HaproxyWord,
    ) -> LoadedCrt {
        match self.resolve(bind, crt, self.crt_base()) {
            ConfiguredPath::File(path) => {
                let crt = HaproxyWord {
                    text: path.display().to_string(),
                    unresolved: false,
                };
                self.load_files(bind, position, &crt, Some(key))
            }
            ConfiguredPath::Other(text) => self.unresolved(position, &text),
        }
    }

    fn load_files(
        &mut self,
        bind: ConfigPosition<'_>,
        position: ConfigPosition<'_>,
        crt: &HaproxyWord,
        key: Option<&HaproxyWord>,
    ) -> LoadedCrt {
        let crt = self.resolve(bind, crt, None);
        let key = key.map(|key| self.resolve(bind, key, None));
        let (crt, key) = match (crt, key) {
            (ConfiguredPath::File(crt), None) => (crt, None),
            (ConfiguredPath::File(crt), Some(ConfiguredPath::File(key))) => (crt, Some(key)),
            (ConfiguredPath::Other(text), _) | (_, Some(ConfiguredPath::Other(text))) => {
                return self.unresolved(position, &text);
            }
        };
        let loaded = load_pair(crt, key, self.files.read_crt);
        self.doubt_unreadable(position, &loaded);
        loaded
    }

    fn unresolved(&mut self, position: ConfigPosition<'_>, text: &str) -> LoadedCrt {
        self.doubt(
            position,
            format!("certctl cannot resolve the path of crt {text}"),
        );
        LoadedCrt::unresolved(text)
    }

    fn doubt_unreadable(&mut self, position: ConfigPosition<'_>, crt: &LoadedCrt) {
        if crt.unreadable
            && let Some((_, ConfiguredPath::File(file))) = crt.certificate.files.first()
        {
            self.doubt(
                position,
                format!(
                    "certctl cannot read {}, so its names are unknown",
                    file.display()
                ),
            );
        }
    }

    /// The absolute path that `word` names, for a `bind` line at `bind`.
    fn resolve(
        &self,
        bind: ConfigPosition<'_>,
        word: &HaproxyWord,
        base: Option<&Path>,
    ) -> ConfiguredPath {
        // `@store/file` is one of a crt-store; here, of one that does not exist.
        if word.unresolved || word.text.is_empty() || word.text.starts_with('@') {
            return ConfiguredPath::Other(word.text.clone());
        }
        let path = base.map_or_else(|| PathBuf::from(&word.text), |base| base.join(&word.text));
        let config_folder = bind.file.parent();
        let folder = match &self.relative {
            RelativeBase::Started => self.files.folder.as_deref(),
            RelativeBase::Config => config_folder,
            RelativeBase::Parent => config_folder.and_then(Path::parent),
            RelativeBase::Origin(folder) => Some(folder.as_path()),
        };
        let path = folder.unwrap_or_else(|| Path::new("")).join(path);
        if path.is_absolute() {
            ConfiguredPath::File(path)
        } else {
            ConfiguredPath::Other(word.text.clone())
        }
    }
}

fn empty_block(position: ConfigPosition<'_>) -> ConfigBlock {
    ConfigBlock {
        file: position.file.to_owned(),
        line: position.line,
        traffic: TrafficKind::Http,
        names: Vec::new(),
        names_from: NameSource::Certificate,
        listens: Vec::new(),
        certificates: Vec::new(),
        // HAProxy staples the file next to the certificate (`.ocsp`).
        stapling: None,
        handling: TlsHandling::Certificates,
    }
}

fn certificate_block(position: ConfigPosition<'_>, loaded: LoadedCrt) -> ConfigBlock {
    ConfigBlock {
        names: loaded.names,
        certificates: vec![loaded.certificate],
        ..empty_block(position)
    }
}
