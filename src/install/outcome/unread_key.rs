//! Names the processes at the probed addresses whose user cannot read the key: such a server keeps the
//! old certificate at a reload, or has none any more, and reports success.

use std::net::SocketAddr;
use std::path::Path;

use crate::advice::key_access;
use crate::finding::{Finding, NextStep};
use crate::install::preflight::PreflightState;
use crate::install_plan::apply::StepError;
use crate::permissions::Owner;
use crate::store::key_access::inherit::FileAccess;
use crate::store::key_access::on_disk;
use crate::store::key_access::reader::KeyReader;
use crate::store::release::KeyAccess;
use crate::system::fs::folders;
use crate::webserver::control::ports::{self, PortOwner};
use crate::webserver::control::process_table;

/// Adds to `cause` the processes that cannot read the key, with the options that would let them.
pub(super) fn explain(situation: &PreflightState, error: &StepError, cause: Finding) -> Finding {
    let StepError::NotServed(probes) = error else {
        return cause;
    };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for probe in probes {
        if !probe.agrees() && !addresses.contains(&probe.target.address) {
            addresses.push(probe.target.address);
        }
    }
    let mut lines = Vec::new();
    let mut steps = Vec::new();
    let owners = ports::find_other_owners(&ports::current_sockets(), &addresses, &[]);
    for owner in &owners {
        if let Some(unread) = UnreadKey::find(situation, owner) {
            lines.push(unread.line);
            steps.push(unread.step);
        }
    }
    steps.dedup();
    if steps.is_empty() {
        return cause;
    }
    let cause = Finding {
        next: steps,
        ..cause
    };
    cause.with_quote(lines)
}

/// A process whose user cannot read the key.
struct UnreadKey {
    line: String,
    step: NextStep,
}

impl UnreadKey {
    fn find(situation: &PreflightState, listener: &PortOwner) -> Option<Self> {
        let path = situation.layout.key_path()?;
        let user = process_table::user_of(listener.pid)?;
        let reader = KeyReader {
            uid: user.uid,
            groups: user.groups,
        };
        let access = situation.wanted.access;
        let is_folder_closed = has_closed_folder(path, &reader);
        if !is_folder_closed && !is_file_closed(path, access, &reader) {
            return None;
        }
        let accounts = on_disk::read_account_names(situation.layout.root());
        let name = accounts.user_name(reader.uid);
        let of = owner_of_key(access);
        let line = format!(
            "process {} ({}) listens at {} as user {name}, who cannot read {} ({}, {})",
            listener.pid,
            listener.command,
            listener.address,
            path.display(),
            access.mode,
            accounts.owner_in_words(of)
        );
        let group = accounts.reader(reader.uid).groups.first().copied();
        let owner = match group {
            Some(gid) => format!("{name}:{}", accounts.group_name(gid)),
            None => name,
        };
        let open_path = is_folder_closed.then(|| situation.layout.open_key_path());
        let step = key_access::give_key_or_restart(&owner, open_path.as_deref());
        Some(Self { line, step })
    }
}

/// The owner of a new key: that of certctl, unless another one was chosen.
fn owner_of_key(access: KeyAccess) -> Owner {
    let own = Owner {
        uid: folders::current_user(),
        gid: 0,
    };
    access.owner.unwrap_or(own)
}

/// Whether the user cannot read a key with this access. An access control list may decide otherwise:
/// then nothing is claimed.
fn is_file_closed(path: &Path, access: KeyAccess, reader: &KeyReader) -> bool {
    let file = FileAccess {
        mode: access.mode,
        owner: owner_of_key(access),
    };
    !reader.reads(file) && on_disk::has_no_acl(path)
}

/// Whether the user cannot enter a folder above the key.
fn has_closed_folder(path: &Path, reader: &KeyReader) -> bool {
    path.ancestors().skip(1).any(|folder| {
        let Ok(Some(status)) = on_disk::read_status(folder) else {
            return false;
        };
        let is_open = reader.enters(on_disk::file_access(&status));
        !is_open && on_disk::has_no_acl(folder)
    })
}
