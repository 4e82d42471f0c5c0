//! Which key files root may use: those that no other user owns, can read or can replace. Pure:
//! `inputs::key_files` reads the files.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::held_file::HeldFile;
use crate::permissions::{Mode, Owner};
use crate::pki::key::PublicKeyId;
use crate::wording::joined_with_and;

/// How certctl came to a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeySource {
    /// certctl found it in a folder.
    Found,
    /// It is in a file among the arguments, perhaps because a shell listed the files of a folder.
    Passed,
    /// The user named it with `--key` or redirected it to stdin.
    Given,
}

/// What exists at a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NodeKind {
    File,
    Folder,
    Link,
}

/// A key file, or a folder or link on the way to it.
#[derive(Clone, Debug)]
pub(crate) struct PathNode {
    pub path: PathBuf,
    pub kind: NodeKind,
    pub mode: Mode,
    pub owner: Owner,
    /// Whether an ACL names further users or groups; the group bits of the mode then apply to them.
    pub has_acl: bool,
}

/// A user as people know it: its name, else its number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AccountLabel(String);

impl fmt::Display for AccountLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why root should not use a key file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum KeyDoubt {
    /// The file belongs to another user.
    #[error("it belongs to {0}")]
    OtherOwner(AccountLabel),
    /// A folder or a link on the way to it belongs to another user, who can replace it.
    #[error("{user} owns {} and can replace the key", path.display())]
    OthersFolder { path: PathBuf, user: AccountLabel },
    /// Other users may write to the file or to a folder on the way to it.
    #[error("other users may write to {} (mode {mode}) and can replace the key", path.display())]
    Writable { path: PathBuf, mode: Mode },
    /// Other users can read it.
    #[error("other users can read it (mode {0})")]
    Readable(Mode),
    /// The path no longer leads to the file that was read.
    #[error("it was replaced while certctl read it")]
    Replaced,
}

impl KeyDoubt {
    /// Returns the code of the finding.
    #[must_use]
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::OtherOwner(_) => "key-of-another-user",
            Self::OthersFolder { .. } | Self::Writable { .. } | Self::Replaced => {
                "key-replaceable-by-others"
            }
            Self::Readable(_) => "key-readable-by-others",
        }
    }
}

/// The users whose key files root may use, and the groups that consist of them.
#[derive(Debug, Default)]
pub(crate) struct TrustedAccounts {
    users: Vec<u32>,
    private_groups: HashSet<u32>,
    names: HashMap<u32, String>,
    /// The user id that stands for every user outside this user namespace.
    outside: Option<u32>,
}

/// The group of root. On some systems it is also the group of system accounts that never log in.
const ROOT_GROUP: u32 = 0;

impl TrustedAccounts {
    /// Reads which groups have no other member than `users` from the texts of passwd(5) and
    /// group(5). A group that is in neither of them may have members that only a name service
    /// knows, and does not count as private. `outside` is the owner that folders outside this user
    /// namespace seem to have.
    #[must_use]
    pub(crate) fn new(users: &[u32], passwd: &str, group: &str, outside: Option<u32>) -> Self {
        let mut accounts = Self {
            users: users.to_vec(),
            outside,
            ..Self::default()
        };
        accounts.private_groups.insert(ROOT_GROUP);
        let mut shared = accounts.add_users(passwd);
        shared.extend(accounts.add_groups(group));
        accounts.private_groups.retain(|one| !shared.contains(one));
        accounts
    }

    /// Adds the users of passwd(5) and their primary groups; returns the groups of other users.
    fn add_users(&mut self, passwd: &str) -> HashSet<u32> {
        let mut shared = HashSet::new();
        for line in passwd.lines() {
            let mut fields = line.split(':');
            let name = fields.next().unwrap_or_default();
            let numbers: Vec<u32> = fields.skip(1).take(2).flat_map(str::parse).collect();
            let &[user, primary_group] = numbers.as_slice() else {
                continue;
            };
            let known = self.names.entry(user);
            known.or_insert_with(|| name.to_owned());
            if self.users.contains(&user) {
                self.private_groups.insert(primary_group);
            } else if primary_group != ROOT_GROUP {
                shared.insert(primary_group);
            }
        }
        shared
    }

    /// Adds the groups of group(5) without other members; returns those with other members.
    fn add_groups(&mut self, group: &str) -> HashSet<u32> {
        let mut shared = HashSet::new();
        for line in group.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let &[_, _, number, members] = fields.as_slice() else {
                continue;
            };
            let Ok(number) = number.parse() else {
                continue;
            };
            let mut members = members.split(',').filter(|member| !member.is_empty());
            if members.all(|member| self.is_name_of_trusted(member)) {
                self.private_groups.insert(number);
            } else {
                shared.insert(number);
            }
        }
        shared
    }

    fn is_name_of_trusted(&self, name: &str) -> bool {
        self.users
            .iter()
            .any(|user| self.names.get(user).is_some_and(|known| known == name))
    }

    fn label(&self, user: u32) -> AccountLabel {
        let name = self.names.get(&user);
        AccountLabel(name.map_or_else(|| format!("user {user}"), |name| format!("user {name}")))
    }

    fn trusts(&self, node: &PathNode) -> bool {
        let user = node.owner.uid;
        self.users.contains(&user) || (node.kind == NodeKind::Folder && self.outside == Some(user))
    }

    /// Returns whether anyone else has one of these rights: bits for the group, and for others.
    fn lets_others(&self, node: &PathNode, group: u32, others: u32) -> bool {
        let is_shared = node.has_acl || !self.private_groups.contains(&node.owner.gid);
        node.mode.has_any(others) || (is_shared && node.mode.has_any(group))
    }
}

/// What is known about the access to a key file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeyFileJudgement {
    doubts: Vec<KeyDoubt>,
    effect: DoubtEffect,
}

/// What doubts about a key file lead to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum DoubtEffect {
    /// The key is not used.
    Refusal,
    /// The key is used if others can do no more than read it, and that is reported.
    RefusalUnlessReadable,
    /// The key is used, and the doubts are reported.
    Warning,
}

impl KeyFileJudgement {
    /// The judgement of keys that are no files of other users: installed by certctl, read from a
    /// pipe, or only compared and used for nothing else.
    #[must_use]
    pub(crate) fn not_needed() -> Self {
        Self {
            doubts: Vec::new(),
            effect: DoubtEffect::Warning,
        }
    }

    /// Judges a file that was replaced while it was read.
    #[must_use]
    pub(crate) fn of_replaced_file(source: KeySource) -> Self {
        Self::of_doubts(vec![KeyDoubt::Replaced], source)
    }

    /// Judges the file at the end of a path for root; `above` are the folders and links on the way
    /// to it.
    #[must_use]
    pub(crate) fn for_root(
        file: &PathNode,
        above: &[PathNode],
        accounts: &TrustedAccounts,
        source: KeySource,
    ) -> Self {
        let mut doubts = Vec::new();
        if !accounts.trusts(file) {
            doubts.push(KeyDoubt::OtherOwner(accounts.label(file.owner.uid)));
        }
        if let Some(node) = above.iter().find(|node| !accounts.trusts(node)) {
            doubts.push(KeyDoubt::OthersFolder {
                path: node.path.clone(),
                user: accounts.label(node.owner.uid),
            });
        }
        let mut nodes = above.iter().chain([file]);
        if let Some(node) = nodes.find(|node| is_writable(node, accounts)) {
            doubts.push(KeyDoubt::Writable {
                path: node.path.clone(),
                mode: node.mode,
            });
        }
        // Only root can give a file of root to a group, so that group may read it.
        let group_bits = if file.owner.uid == 0 { 0 } else { 0o040 };
        let enters = |node: &PathNode| {
            node.kind != NodeKind::Folder || accounts.lets_others(node, 0o010, 0o001)
        };
        if accounts.lets_others(file, group_bits, 0o004) && above.iter().all(enters) {
            doubts.push(KeyDoubt::Readable(file.mode));
        }
        Self::of_doubts(doubts, source)
    }

    /// Judges a file for a user without privileges: only what every user can read is reported, and
    /// nothing is refused.
    #[must_use]
    pub(crate) fn for_user(file: &PathNode, above: &[PathNode]) -> Self {
        let enters = |node: &PathNode| node.kind != NodeKind::Folder || node.mode.has_any(0o001);
        let is_readable = file.mode.has_any(0o004) && above.iter().all(enters);
        let doubts = is_readable.then_some(KeyDoubt::Readable(file.mode));
        Self {
            doubts: doubts.into_iter().collect(),
            effect: DoubtEffect::Warning,
        }
    }

    fn refuses(&self, file: &DoubtfulKeyFile) -> bool {
        match self.effect {
            DoubtEffect::Refusal => true,
            DoubtEffect::RefusalUnlessReadable => !file.is_only_readable(),
            DoubtEffect::Warning => false,
        }
    }

    fn of_doubts(doubts: Vec<KeyDoubt>, source: KeySource) -> Self {
        let effect = match source {
            KeySource::Found => DoubtEffect::Refusal,
            KeySource::Passed => DoubtEffect::RefusalUnlessReadable,
            KeySource::Given => DoubtEffect::Warning,
        };
        Self { doubts, effect }
    }

    /// Returns the doubts about a key with this id; other users can do nothing with an encrypted key
    /// that they can read.
    fn doubts_about(&self, id: Option<PublicKeyId>) -> Vec<KeyDoubt> {
        let doubts = self.doubts.iter();
        doubts
            .filter(|doubt| id.is_some() || !matches!(doubt, KeyDoubt::Readable(_)))
            .cloned()
            .collect()
    }
}

/// Whether others can change a file, or replace what is in a folder. In a folder with the sticky
/// bit, others cannot replace what belongs to a trusted user, and every node has to.
fn is_writable(node: &PathNode, accounts: &TrustedAccounts) -> bool {
    let is_sticky = node.kind == NodeKind::Folder && node.mode.has_any(0o1000);
    node.kind != NodeKind::Link && !is_sticky && accounts.lets_others(node, 0o020, 0o002)
}

/// A key that may be used. [`TrustedKeyFile::admit`] is the only way to make one.
#[derive(Debug)]
pub(crate) struct TrustedKeyFile<T> {
    file: HeldFile<T>,
    doubts: Vec<KeyDoubt>,
}

impl<T> TrustedKeyFile<T> {
    /// Lets a key be used if no other user owns it, can read it or can replace it, or if the user
    /// named it; `id` is its key id unless it is encrypted.
    ///
    /// # Errors
    /// The file and the doubts; the key itself is dropped.
    pub(crate) fn admit(
        file: HeldFile<T>,
        id: Option<PublicKeyId>,
        judgement: &KeyFileJudgement,
    ) -> Result<Self, RefusedKeyFile> {
        let doubts = judgement.doubts_about(id);
        match DoubtfulKeyFile::new(&file.path, &doubts) {
            Some(file) if judgement.refuses(&file) => {
                let file = Box::new(file);
                Err(RefusedKeyFile { id, file })
            }
            _ => Ok(Self { file, doubts }),
        }
    }

    /// Returns the same file with a value that was made from its content.
    #[must_use]
    pub(crate) fn with_value<U>(&self, value: U) -> TrustedKeyFile<U> {
        TrustedKeyFile {
            file: HeldFile {
                path: self.file.path.clone(),
                value,
            },
            doubts: self.doubts.clone(),
        }
    }

    /// Returns the doubts about a key that is used nevertheless, because the user named it or runs
    /// certctl without privileges.
    #[must_use]
    pub(crate) fn doubtful(&self) -> Option<DoubtfulKeyFile> {
        DoubtfulKeyFile::new(&self.file.path, &self.doubts)
    }

    /// Returns the key and its path.
    #[must_use]
    pub(crate) fn into_held(self) -> HeldFile<T> {
        self.file
    }
}

impl<T> Deref for TrustedKeyFile<T> {
    type Target = HeldFile<T>;

    fn deref(&self) -> &HeldFile<T> {
        &self.file
    }
}

/// A key file that is not used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RefusedKeyFile {
    /// The id of its key; unknown if the key is encrypted.
    pub id: Option<PublicKeyId>,
    /// The file and why it is refused.
    pub file: Box<DoubtfulKeyFile>,
}

/// A key file and at least one doubt about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DoubtfulKeyFile {
    path: PathBuf,
    /// The gravest doubt.
    first: KeyDoubt,
    others: Vec<KeyDoubt>,
}

impl DoubtfulKeyFile {
    fn new(path: &Path, doubts: &[KeyDoubt]) -> Option<Self> {
        let (first, others) = doubts.split_first()?;
        Some(Self {
            path: path.to_owned(),
            first: first.clone(),
            others: others.to_vec(),
        })
    }

    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the code of the gravest doubt.
    #[must_use]
    pub(crate) fn code(&self) -> &'static str {
        self.first.code()
    }

    /// Returns all doubts, the gravest first.
    pub(crate) fn doubts(&self) -> impl Iterator<Item = &KeyDoubt> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Returns whether other users can read the file, and do nothing else.
    #[must_use]
    pub(crate) fn is_only_readable(&self) -> bool {
        self.doubts()
            .all(|doubt| matches!(doubt, KeyDoubt::Readable(_)))
    }

    /// Returns whether another file in the same folder would be safe from other users.
    #[must_use]
    pub(crate) fn is_folder_safe(&self) -> bool {
        self.doubts().all(|doubt| match doubt {
            KeyDoubt::OtherOwner(_) | KeyDoubt::Readable(_) => true,
            KeyDoubt::Writable { path, .. } => *path == self.path,
            KeyDoubt::OthersFolder { .. } | KeyDoubt::Replaced => false,
        })
    }

    /// Returns the doubts in words: `it belongs to user bob and other users can read it (mode
    /// 0644)`.
    #[must_use]
    pub(crate) fn reasons(&self) -> String {
        let reasons: Vec<String> = self.doubts().map(ToString::to_string).collect();
        joined_with_and(&reasons)
    }
}

#[cfg(test)]
mod tests;
