//! The users on whose behalf root runs certctl, and the accounts of this machine.

use std::path::{Path, PathBuf};

use crate::matching::key_trust::TrustedAccounts;
use crate::permissions::Owner;
use crate::system::fs::{files, folders};
use crate::system::{login, process_start};

/// The maximum size of passwd(5) and group(5).
const DATABASE_LIMIT: u64 = 16 * 1024 * 1024;
/// The maximum size of a file of /proc.
const PROC_LIMIT: u64 = 64 * 1024;
/// The maximum number of parent processes that are checked.
const MOST_PARENTS: usize = 64;
const ROOT: u32 = 0;
/// The ids of users who can log in (login.defs(5), UID_MIN and UID_MAX).
const PEOPLE: std::ops::RangeInclusive<u32> = 1000..=60_000;

/// Returns the users whose keys root may use, with the groups that consist of them: root, and the
/// user behind sudo, su or doas. A database that cannot be read or is too large counts as empty:
/// then no group is private.
#[must_use]
pub(crate) fn trusted_accounts() -> TrustedAccounts {
    let passwd = read("/etc/passwd", DATABASE_LIMIT);
    let group = read("/etc/group", DATABASE_LIMIT);
    let mut users = vec![ROOT];
    users.extend(user_behind_root(&passwd));
    TrustedAccounts::new(&users, &passwd, &group, owner_outside_namespace())
}

/// Returns whether root runs certctl and `folder` is in the home of another user.
#[must_use]
pub(crate) fn is_in_other_home(folder: &Path) -> bool {
    if folders::current_user() != ROOT {
        return false;
    }
    // The accounts of a name service are not in passwd(5).
    if folder.starts_with("/home") {
        return true;
    }
    let passwd = read("/etc/passwd", DATABASE_LIMIT);
    passwd
        .lines()
        .filter_map(home_of_person)
        .any(|home| folder.starts_with(home))
}

/// An account of this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SystemAccount {
    /// The user with its own group.
    pub owner: Owner,
    pub home: PathBuf,
}

/// Finds the account with this name in passwd(5).
#[must_use]
pub(crate) fn find_account(name: &str) -> Option<SystemAccount> {
    let passwd = read("/etc/passwd", DATABASE_LIMIT);
    parse_account(&passwd, name)
}

/// Finds the name of a user in passwd(5).
#[must_use]
pub(crate) fn name_of_user(user: u32) -> Option<String> {
    let passwd = read("/etc/passwd", DATABASE_LIMIT);
    account_names(&passwd, user).next().map(str::to_owned)
}

fn parse_account(passwd: &str, name: &str) -> Option<SystemAccount> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(SystemAccount {
            owner: Owner { uid, gid },
            home: PathBuf::from(fields.nth(1)?),
        })
    })
}

/// Returns the home in a line of passwd(5) of a user who can log in; system accounts have folders
/// such as /var/www, which are not homes.
fn home_of_person(line: &str) -> Option<&Path> {
    let mut fields = line.split(':').skip(2);
    let user: u32 = fields.next()?.parse().ok()?;
    if !PEOPLE.contains(&user) {
        return None;
    }
    let home = Path::new(fields.nth(2)?);
    let is_folder_of_own = home.components().count() > 2;
    is_folder_of_own.then_some(home)
}

/// Returns the user who became root to run certctl: the one that sudo names, if the account exists;
/// without sudo, the login user.
///
/// The kernel sets the login uid when somebody logs in (pam_loginuid(8)), and su and doas keep it. It
/// counts only if a parent process of this one runs as that user too: then certctl runs in that
/// user's own session, and a user who controls that session controls what root types there as well. A
/// service that was started from the session, or a shell in a container, has the same login uid
/// without that parent; there the number may even belong to another account.
fn user_behind_root(passwd: &str) -> Option<u32> {
    if let Some(text) = std::env::var_os("SUDO_UID") {
        let user = text.to_str()?.parse().ok()?;
        let name = std::env::var("SUDO_USER").ok()?;
        let is_listed = account_names(passwd, user).any(|listed| listed == name);
        // An account of a name service is not in passwd(5); the kernel confirms it.
        return (is_listed || login_user() == Some(user)).then_some(user);
    }
    let user = login_user()?;
    let is_listed = account_names(passwd, user).next().is_some();
    (is_listed && has_parent_of(user)).then_some(user)
}

/// Returns the names that passwd(5) has for a user id.
fn account_names(passwd: &str, user: u32) -> impl Iterator<Item = &str> {
    passwd.lines().filter_map(move |line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user)).then_some(name)
    })
}

fn login_user() -> Option<u32> {
    login::kernel_login().filter(|user| ![login::UNSET, ROOT].contains(user))
}

/// Returns whether this process or one of its parents was started by `user`.
fn has_parent_of(user: u32) -> bool {
    let mut folder = "/proc/self".to_owned();
    for _ in 0..MOST_PARENTS {
        let status = read(&format!("{folder}/status"), PROC_LIMIT);
        if real_user(&status) == Some(user) {
            return true;
        }
        match process_start::read_stat(Path::new(&folder)) {
            Some(stat) if stat.parent > 1 => folder = format!("/proc/{}", stat.parent),
            _ => return false,
        }
    }
    false
}

/// Reads the real user id from the line `Uid` (proc_pid_status(5)).
fn real_user(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Returns the owner that every file of a user outside this user namespace seems to have; `None` if
/// all users are mapped (user_namespaces(7)).
fn owner_outside_namespace() -> Option<u32> {
    let overflow = read("/proc/sys/kernel/overflowuid", PROC_LIMIT);
    let overflow: u32 = overflow.trim().parse().ok()?;
    let map = read("/proc/self/uid_map", PROC_LIMIT);
    (!map.is_empty() && !maps_user(&map, overflow)).then_some(overflow)
}

fn maps_user(map: &str, user: u32) -> bool {
    map.lines().any(|line| {
        let numbers: Vec<u32> = line.split_whitespace().flat_map(str::parse).collect();
        matches!(numbers.as_slice(), &[first, _, count]
            if (first..=first.saturating_add(count.saturating_sub(1))).contains(&user))
    })
}

fn read(path: &str, limit: u64) -> String {
    let bytes = files::read(Path::new(path), limit).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{account_names, home_of_person, maps_user, parse_account, real_user};

    #[test]
    fn only_people_have_homes() {
        let passwd = "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:\nalice:x:1000:1000::/home/alice:\n\
                      odd:x:1001:1001::/:\nnobody:x:65534:65534::/nonexistent:\n";
        let homes: Vec<&Path> = passwd.lines().filter_map(home_of_person).collect();
        assert_eq!(homes, [Path::new("/home/alice")]);
    }

    #[test]
    fn accounts_are_found_by_number() {
        let passwd = "root:x:0:0::/:\nalice:x:1000:1000::/:\nadmin:x:1000:0::/:\nbad:x\n";
        let names: Vec<&str> = account_names(passwd, 1000).collect();
        assert_eq!(names, ["alice", "admin"]);
        assert_eq!(account_names(passwd, 7).count(), 0);
    }

    #[test]
    fn accounts_are_found_by_name() {
        let passwd = "bad\nann:x:7:8:Ann:/home/ann:/bin/sh\nann2:x:9:9::/:\n";
        let found = parse_account(passwd, "ann").unwrap();
        assert_eq!((found.owner.uid, found.owner.gid), (7, 8));
        assert_eq!(found.home, Path::new("/home/ann"));
        assert_eq!(parse_account(passwd, "bad"), None);
        assert_eq!(parse_account(passwd, "an"), None);
    }

    #[test]
    fn the_real_user_of_a_process_is_read() {
        let status = "Name:\tsu\nUid:\t1000\t0\t0\t0\nGid:\t1000\t0\t0\t0\n";
        assert_eq!(real_user(status), Some(1000));
        assert_eq!(real_user("Name:\tsu\n"), None);
    }

    #[test]
    fn user_namespaces_map_ranges() {
        let all = "         0          0 4294967295\n";
        let container = "0 1000 1\n1 100000 65536\n";
        assert!(maps_user(all, 65534) && maps_user(container, 65534));
        assert!(!maps_user("0 1000 1\n", 65534) && !maps_user("", 65534));
    }
}
