//! `settings.json`: the stored options of a certificate, so that the next renewal needs none, and
//! its history. Pure.

mod due_hook;
mod history_entry;
mod revoked;
mod stored_order;
mod unknown_links;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use self::due_hook::DueHook;
use self::history_entry::add_entry;
pub(crate) use self::history_entry::{HISTORY_LIMIT, HistoryEntry};
pub(crate) use self::stored_order::{ImportedOrder, StoredOrder};
use self::unknown_links::UnknownLinkParts;
use super::layout::{DeployMode, KeyStorage, ReleaseId, StableLink};
use super::release::KeyAccess;
use crate::permissions::{Mode, Owner};
use crate::probe::StartTls;

/// The maximum number of bytes read from a settings file.
pub(crate) const SETTINGS_LIMIT: u64 = 1024 * 1024;
/// The value of an option that deletes the stored value.
pub(crate) const FORGET: &str = "auto";
/// The value of `--probe` that probes no address, for one run.
pub(crate) const PROBE_NONE: &str = "none";
/// The value of `--server` without any server.
const NO_SERVER: &str = "none";

/// The options of an install. Paths are relative to the tree, with a leading `/`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct LineageSettings {
    /// The names of the servers, or `none`; in JSON a single one is a string, several are a list.
    #[serde(skip_serializing_if = "Vec::is_empty", with = "one_or_several")]
    pub server: Vec<String>,
    /// The server's main configuration file, if it is not the usual one.
    #[serde(skip_serializing_if = "is_not_text")]
    pub server_config: Option<PathBuf>,
    /// The main configuration file of each of several servers, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub server_configs: BTreeMap<String, PathBuf>,
    /// The path where servers read the chain.
    #[serde(skip_serializing_if = "is_not_text")]
    pub chain_path: Option<PathBuf>,
    /// The path where servers read the key.
    #[serde(skip_serializing_if = "is_not_text")]
    pub key_path: Option<PathBuf>,
    /// `none` if the key is not a file.
    #[serde(skip_serializing_if = "is_file")]
    pub key: Option<KeyStorage>,
    /// The paths where servers read further files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<StableLink>,
    /// Deletes these stored paths; only from the command line, never written.
    #[serde(skip)]
    pub no_links: bool,
    /// Whether the paths are links or copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy: Option<DeployMode>,
    /// The paths where servers read the certificate before its paths were changed, as long as our
    /// links exist there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<StableLink>,
    /// The ids of user and group of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_owner: Option<Owner>,
    /// The key's mode: `"0600"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_mode: Option<String>,
    /// The commands that test the configurations of the servers, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty", with = "one_or_several")]
    pub test: Vec<String>,
    /// The commands that reload them.
    #[serde(skip_serializing_if = "Vec::is_empty", with = "one_or_several")]
    pub reload: Vec<String>,
    /// The command that is run once a new certificate was verified live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Its time limit in seconds, if it is not the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_timeout: Option<u64>,
    /// Where that command has not succeeded yet since the install.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_due: Option<DueHook>,
    /// Further addresses to probe, `HOST:PORT`, besides those of the configuration; `none`, which
    /// is never stored, probes no address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub probe: Vec<String>,
    /// The protocol that starts TLS at these addresses, if their ports do not imply it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starttls: Option<StartTls>,
    /// The trust anchors, if they are not Mozilla's list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
    /// The folder of the request and the key that were created for it.
    #[serde(skip_serializing_if = "is_not_text")]
    pub folder: Option<PathBuf>,
    /// The name of that request's file, without `.csr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The reseller or CA that received it, as a value of `--ca`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// How the certificate is ordered through an API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<StoredOrder>,
    /// The last day of the paid order term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_until: Option<Date>,
    /// Deletes the stored term; only from the command line, never written.
    #[serde(skip)]
    pub no_term: bool,
    /// The release of a self-signed placeholder, which the first real certificate replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placeholder: Option<ReleaseId>,
    /// Each finished install, the oldest first.
    pub history: Vec<HistoryEntry>,
    /// Each finished rollback, the oldest first. They are not in `history`, where the entry before
    /// the live version is the one that the next rollback restores.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rollbacks: Vec<HistoryEntry>,
    /// The fingerprints of its certificates that were revoked, or were about to be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<String>,
    /// Unknown fields, which a later version wrote; they are kept.
    #[serde(flatten)]
    pub other: Map<String, Value>,
    /// The same for what it wrote about links.
    #[serde(skip)]
    pub unknown_links: UnknownLinkParts,
}

/// Returns true for a path that JSON cannot represent; it is not stored and has to be passed again.
fn is_not_text(path: &Option<PathBuf>) -> bool {
    path.as_deref().and_then(Path::to_str).is_none()
}

/// Returns true for a key in a file, which is the usual case and is not stored.
fn is_file(key: &Option<KeyStorage>) -> bool {
    key.unwrap_or_default() == KeyStorage::File
}

/// The settings file is malformed.
#[derive(Debug, thiserror::Error)]
#[error("the stored options cannot be parsed")]
pub struct SettingsError(#[from] serde_json::Error);

/// Where root writes the next request if the last one is in the home of another user: only root can
/// read it.
pub(crate) const ROOT_REQUESTS: &str = "/var/lib/certctl/requests";

impl LineageSettings {
    /// Parses the content of the file.
    ///
    /// # Errors
    /// When it is not a JSON object, or a field has the wrong type.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, SettingsError> {
        let mut document: Value = serde_json::from_slice(bytes)?;
        let unknown_links = UnknownLinkParts::take_from(&mut document);
        if unknown_links.is_empty() {
            return Ok(serde_json::from_slice(bytes)?);
        }
        Ok(Self {
            unknown_links,
            ..serde_json::from_value(document)?
        })
    }

    /// Returns the content of the file as indented JSON.
    ///
    /// # Errors
    /// Never in practice, because all keys are strings.
    pub(crate) fn to_json(&self) -> Result<String, SettingsError> {
        if self.unknown_links.is_empty() {
            return Ok(serde_json::to_string_pretty(self)? + "\n");
        }
        let mut document = serde_json::to_value(self)?;
        self.unknown_links.add_to(&mut document);
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }

    /// Returns the options that the next renewal uses: everything but the history.
    #[must_use]
    pub(crate) fn options_json(&self) -> Value {
        let mut shown = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = shown.as_object_mut() {
            fields.remove("history");
            fields.remove("rollbacks");
            fields.remove("revoked");
            fields.remove("after_due");
        }
        shown
    }

    /// Returns the stored options, overridden by `flags`. The history stays.
    #[must_use]
    pub(crate) fn overridden_by(mut self, flags: Self) -> Self {
        self.override_hook(&flags);
        self.override_probes(&flags);
        self.override_origin(&flags);
        let ServerConfigs {
            server_config,
            server_configs,
        } = ServerConfigs::merge(
            ServerConfigs::new(self.server_config, self.server_configs),
            ServerConfigs::new(flags.server_config, flags.server_configs),
        );
        let paid_until = flags.paid_until.or(self.paid_until);
        let stored_links = if flags.no_links {
            Vec::new()
        } else {
            self.links
        };
        Self {
            server: passed_or_stored(flags.server, self.server),
            server_config,
            server_configs,
            chain_path: flags.chain_path.or(self.chain_path),
            key_path: flags.key_path.or(self.key_path),
            key: flags.key.or(self.key),
            links: passed_or_stored(flags.links, stored_links),
            no_links: false,
            deploy: flags.deploy.or(self.deploy),
            key_owner: flags.key_owner.or(self.key_owner),
            key_mode: flags.key_mode.or(self.key_mode),
            test: without_forgotten(passed_or_stored(flags.test, self.test)),
            reload: without_forgotten(passed_or_stored(flags.reload, self.reload)),
            trust: flags.trust.or(self.trust),
            paid_until: paid_until.filter(|_| !flags.no_term),
            no_term: false,
            ..self
        }
    }

    /// Overrides where the request is, and which CA issues the certificate.
    fn override_origin(&mut self, flags: &Self) {
        if flags.folder.is_some() {
            self.folder.clone_from(&flags.folder);
        }
        if flags.request.is_some() {
            self.request.clone_from(&flags.request);
        }
        if flags.ca.is_some() {
            self.ca.clone_from(&flags.ca);
        }
        if flags.order.is_some() {
            self.order.clone_from(&flags.order);
        }
    }

    /// Overrides the command of `--after`. Without a command it has no time limit and is not due.
    fn override_hook(&mut self, flags: &Self) {
        let passed = flags.after.clone();
        self.after = unless_forgotten(passed.or_else(|| self.after.take()));
        self.hook_timeout = flags.hook_timeout.or(self.hook_timeout);
        if self.after.is_none() {
            self.hook_timeout = None;
            self.after_due = None;
        }
    }

    /// Overrides the addresses of `--probe`, together with the protocol that starts TLS there.
    fn override_probes(&mut self, flags: &Self) {
        self.probe = merge_probes(std::mem::take(&mut self.probe), flags.probe.clone());
        if flags.starttls.is_some() || !flags.probe.is_empty() {
            self.starttls = flags.starttls;
        }
    }

    /// Returns the options to store. `--probe none` is dropped: it is for one run only, or no
    /// server would ever be probed again.
    #[must_use]
    pub(crate) fn without_probe_none(self, before: &Self) -> Self {
        if self.probe.iter().any(|probe| probe == PROBE_NONE) {
            return Self {
                probe: drop_probe_none(before.probe.clone()),
                starttls: before.starttls,
                ..self
            };
        }
        self
    }

    /// Does not save that there is no server (`--server none`), for a placeholder: that may be true only
    /// until the server is set up.
    pub(crate) fn forget_absent_server(&mut self, before: &Self) {
        if self.server.iter().any(|name| name == NO_SERVER) {
            self.server.clone_from(&before.server);
        }
    }

    /// Whether servers are tested and reloaded by the same commands.
    #[must_use]
    pub(crate) fn has_commands_of(&self, other: &Self) -> bool {
        (&self.test, &self.reload) == (&other.test, &other.reload)
    }

    /// Returns these options with the server options taken from `before`, for an install that was
    /// rolled back.
    #[must_use]
    pub(crate) fn with_server_of(self, before: Self) -> Self {
        Self {
            server: before.server,
            server_config: before.server_config,
            server_configs: before.server_configs,
            deploy: before.deploy,
            test: before.test,
            reload: before.reload,
            after: before.after,
            hook_timeout: before.hook_timeout,
            after_due: before.after_due,
            probe: before.probe,
            starttls: before.starttls,
            ..self
        }
    }

    /// Returns where the key is.
    #[must_use]
    pub(crate) fn key_storage(&self) -> KeyStorage {
        self.key.unwrap_or_default()
    }

    /// Returns the stored mode and owner of the key, if there are any. Other users never get
    /// access, even if the file has such a mode.
    #[must_use]
    pub(crate) fn key_access(&self) -> Option<KeyAccess> {
        let mode = Mode::parse(self.key_mode.as_deref()?)?;
        Some(KeyAccess {
            mode: super::layout::tighten_key_mode(Some(mode)),
            owner: self.key_owner,
        })
    }

    /// Stores mode and owner of the key.
    pub(crate) fn set_access(&mut self, access: KeyAccess) {
        self.key_mode = Some(access.mode.to_string());
        self.key_owner = access.owner;
    }

    /// Adds a finished install to the history.
    pub(crate) fn add_to_history(
        &mut self,
        release: ReleaseId,
        before: Option<ReleaseId>,
        at: Timestamp,
    ) {
        self.placeholder = None;
        add_entry(&mut self.history, release, before, at);
    }

    /// Adds a finished rollback.
    pub(crate) fn add_rollback(
        &mut self,
        release: ReleaseId,
        before: Option<ReleaseId>,
        at: Timestamp,
    ) {
        add_entry(&mut self.rollbacks, release, before, at);
    }

    /// Returns the release before `live`: the one that was proven when `live` was installed, else
    /// the previous entry. A `live` that is not in the history (certctl was killed before it was
    /// added) counts as the newest.
    #[must_use]
    pub(crate) fn release_before(&self, live: &ReleaseId) -> Option<&ReleaseId> {
        let index = self
            .history
            .iter()
            .rposition(|entry| entry.release == *live);
        let recorded = index
            .and_then(|index| self.history[index].before.as_ref())
            .filter(|before| *before != live);
        let above = &self.history[..index.unwrap_or(self.history.len())];
        recorded.or_else(|| {
            above
                .iter()
                .rev()
                .map(|entry| &entry.release)
                .find(|release| *release != live)
        })
    }
}

fn passed_or_stored<T>(passed: Vec<T>, stored: Vec<T>) -> Vec<T> {
    if passed.is_empty() { stored } else { passed }
}

/// Returns a command, unless it is the word that deletes the stored one.
fn unless_forgotten(command: Option<String>) -> Option<String> {
    command.filter(|command| command != FORGET)
}

/// Returns commands without the word that deletes the stored ones.
fn without_forgotten(mut commands: Vec<String>) -> Vec<String> {
    commands.retain(|command| command != FORGET);
    commands
}

fn merge_probes(stored: Vec<String>, mut passed: Vec<String>) -> Vec<String> {
    if passed.is_empty() {
        return drop_probe_none(stored);
    }
    passed.retain(|probe| probe != FORGET);
    passed
}

/// Both options for the configuration files of servers.
struct ServerConfigs {
    server_config: Option<PathBuf>,
    server_configs: BTreeMap<String, PathBuf>,
}

impl ServerConfigs {
    fn new(server_config: Option<PathBuf>, server_configs: BTreeMap<String, PathBuf>) -> Self {
        Self {
            server_config,
            server_configs,
        }
    }

    /// Merges the stored and the passed options; one that is passed replaces both stored ones.
    fn merge(stored: Self, passed: Self) -> Self {
        if passed.server_config.is_some() {
            return passed;
        }
        let server_config = if passed.server_configs.is_empty() {
            stored.server_config
        } else {
            None
        };
        let mut server_configs = stored.server_configs;
        server_configs.extend(passed.server_configs);
        Self::new(server_config, server_configs)
    }
}

/// Returns the values of `--probe` that a later run may use.
fn drop_probe_none(probes: Vec<String>) -> Vec<String> {
    probes
        .into_iter()
        .filter(|probe| probe != PROBE_NONE)
        .collect()
}

/// Serializes a list with one element as that element.
mod one_or_several {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrSeveral {
        One(String),
        Several(Vec<String>),
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        document: D,
    ) -> Result<Vec<String>, D::Error> {
        Ok(match OneOrSeveral::deserialize(document)? {
            OneOrSeveral::One(word) => vec![word],
            OneOrSeveral::Several(words) => words,
        })
    }

    pub(crate) fn serialize<S: Serializer>(
        words: &[String],
        document: S,
    ) -> Result<S::Ok, S::Error> {
        match words {
            [one] => one.serialize(document),
            several => several.serialize(document),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyAccess, LineageSettings, Mode, Owner, ReleaseId, StableLink, Timestamp};
    use crate::store::layout::ReleaseFile;

    /// A frozen sample: every version must read what an earlier one wrote.
    const SAMPLE: &str = r#"{
  "server": "nginx",
  "chain_path": "/etc/ssl/your_site.crt",
  "key_mode": "0640",
  "key_owner": [0, 114],
  "links": [{"path": "/etc/ssl/private/site.pem", "piece": "combined"}],
  "probe": ["127.0.0.1:8443"],
  "history": [
    {"release": "0123abcd", "at": "2027-05-11T10:00:00Z"},
    {"release": "4567cdef", "at": "2027-08-01T10:00:00Z", "before": "0123abcd"}
  ],
  "ca": "namecheap",
  "paid_until": "2028-01-01",
  "of_later": "2028"
}"#;

    fn id(text: &str) -> ReleaseId {
        ReleaseId::parse(text).unwrap()
    }

    #[test]
    fn settings_survive_writing_and_reading_with_unknown_fields() {
        let settings = LineageSettings::parse(SAMPLE.as_bytes()).unwrap();
        assert_eq!(
            settings.key_access(),
            Some(KeyAccess {
                mode: Mode::new(0o640),
                owner: Some(Owner { uid: 0, gid: 114 })
            })
        );
        assert_eq!(
            settings.links,
            [StableLink::new(
                "/etc/ssl/private/site.pem",
                ReleaseFile::Combined
            )]
        );
        assert_eq!(
            settings.release_before(&id("4567cdef")),
            Some(&id("0123abcd"))
        );
        assert_eq!(settings.release_before(&id("0123abcd")), None);
        let again = LineageSettings::parse(settings.to_json().unwrap().as_bytes()).unwrap();
        assert_eq!(again, settings);
        assert_eq!(again.other["of_later"], "2028");
        assert_eq!(again.paid_until, Some(jiff::civil::date(2028, 1, 1)));
        assert_eq!(again.ca.as_deref(), Some("namecheap"));
        assert_eq!(
            LineageSettings::parse(b"{}").unwrap(),
            LineageSettings::default()
        );
        assert!(LineageSettings::parse(b"[1]").is_err());
        assert!(
            LineageSettings::parse(
                br#"{"history":[{"release":"../../x","at":"2027-05-11T10:00:00Z"}]}"#
            )
            .is_err()
        );
    }

    #[test]
    fn unknown_links_and_unknown_fields_at_every_level_are_kept() {
        let text = r#"{
  "links": [
    {"path": "/etc/ssl/a.pem", "piece": "combined", "mode": "0640"},
    {"path": "/etc/ssl/a.p7b", "piece": "p7b"}
  ],
  "former": [{"path": "/etc/ssl/old.p7b", "piece": "p7b"}],
  "after": "true",
  "after_due": {"release": "0123abcd", "since": "2027"},
  "history": [{"release": "0123abcd", "at": "2027-05-11T10:00:00Z", "user": "alice"}]
}"#;
        let settings = LineageSettings::parse(text.as_bytes()).unwrap();
        assert_eq!(
            settings.links,
            [StableLink::new("/etc/ssl/a.pem", ReleaseFile::Combined)]
        );
        let as_value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let written = settings.to_json().unwrap();
        assert_eq!(as_value(&written), as_value(text));
        let renewed = settings.overridden_by(LineageSettings::default());
        assert_eq!(as_value(&renewed.to_json().unwrap()), as_value(text));
        let without_link = LineageSettings {
            links: Vec::new(),
            ..renewed
        };
        let links = as_value(&without_link.to_json().unwrap())["links"].clone();
        assert_eq!(
            links,
            serde_json::json!([{"path": "/etc/ssl/a.p7b", "piece": "p7b"}])
        );
        assert!(LineageSettings::parse(br#"{"links":[5]}"#).is_err());
        assert!(LineageSettings::parse(br#"{"links":[{"piece":"p7b"}]}"#).is_err());
    }

    #[test]
    fn flags_override_stored_options_and_the_history_stays() {
        let flags = LineageSettings {
            server: vec!["none".to_owned()],
            ..LineageSettings::default()
        };
        let settings = LineageSettings::parse(SAMPLE.as_bytes())
            .unwrap()
            .overridden_by(flags);
        assert_eq!(settings.server, ["none"]);
        assert_eq!(settings.options_json()["server"], "none");
        let several = LineageSettings::parse(br#"{"server":["nginx","haproxy"]}"#).unwrap();
        assert_eq!(several.server, ["nginx", "haproxy"]);
        assert_eq!(
            several.options_json()["server"],
            serde_json::json!(["nginx", "haproxy"])
        );
        assert_eq!(settings.probe, ["127.0.0.1:8443"]);
        assert_eq!(settings.history.len(), 2);
    }

    #[test]
    fn auto_deletes_stored_options_and_probe_none_is_not_stored() {
        let options = |word: &str| LineageSettings {
            test: vec![word.to_owned()],
            reload: vec![word.to_owned()],
            probe: vec![word.to_owned()],
            ..LineageSettings::default()
        };
        let before = LineageSettings {
            probe: vec!["127.0.0.1:443".to_owned()],
            ..options("true")
        };
        assert_eq!(
            before.clone().overridden_by(options("auto")),
            LineageSettings::default()
        );
        let now = before.clone().overridden_by(LineageSettings {
            probe: vec!["none".to_owned()],
            ..LineageSettings::default()
        });
        assert_eq!(now.probe, ["none"]);
        assert_eq!(now.without_probe_none(&before), before);
        let old = LineageSettings {
            probe: vec!["none".to_owned()],
            ..LineageSettings::default()
        };
        assert!(
            old.clone()
                .overridden_by(LineageSettings::default())
                .probe
                .is_empty(),
            "an earlier version stored it"
        );
        assert!(old.clone().without_probe_none(&old).probe.is_empty());
    }

    #[test]
    fn stored_modes_never_give_other_users_access_to_the_key() {
        let settings = LineageSettings {
            key_mode: Some("0666".to_owned()),
            ..LineageSettings::default()
        };
        assert_eq!(settings.key_access().unwrap().mode, Mode::new(0o660));
    }

    #[test]
    fn rollbacks_skip_releases_that_were_rolled_back() {
        // a was installed, then b; b was rolled back; then c was installed over a.
        let (a, b, c) = (id("aaaaaaaa"), id("bbbbbbbb"), id("cccccccc"));
        let mut settings = LineageSettings::default();
        settings.add_to_history(a.clone(), None, Timestamp::UNIX_EPOCH);
        settings.add_to_history(b.clone(), Some(a.clone()), Timestamp::UNIX_EPOCH);
        settings.add_to_history(c.clone(), Some(a.clone()), Timestamp::UNIX_EPOCH);
        assert_eq!(settings.release_before(&c), Some(&a));
        assert_eq!(settings.release_before(&b), Some(&a));
        assert_eq!(settings.release_before(&a), None);
        assert_eq!(
            settings.release_before(&id("dddddddd")),
            Some(&c),
            "certctl was killed before the install was added to the history"
        );
    }
}
