//! Unpacks samples of what an earlier certctl left on disk (fixtures/frozen, described in
//! fixtures/README.md).

use std::fs::{self, FileTimes, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::process::{getegid, geteuid};

use super::Sandbox;

/// The time at which the tests use the samples; all certificates in them are valid then.
pub const NOW: &str = "2026-08-02T10:00:00Z";
/// A time at which even the newest certificate in them has expired.
pub const DUE: &str = "2027-02-01T10:00:00Z";

/// The mark after each line that begins or ends a key.
const KEY_MARK: &str = " (test key, worthless)";

/// Unpacks a sample into a new sandbox.
pub fn unpack(sample: &str) -> Sandbox {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/frozen/{sample}.txt"));
    let text =
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let sandbox = Sandbox::new();
    let mut releases = Vec::new();
    let mut lines = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .peekable();
    while let Some(line) = lines.next() {
        let (kind, rest) = line.split_once(' ').unwrap();
        match kind {
            "folder" => {
                let (mode, path) = rest.split_once(' ').unwrap();
                let path = sandbox.join(path);
                fs::create_dir(&path).unwrap();
                set_mode(&path, mode);
                if path
                    .parent()
                    .is_some_and(|parent| parent.ends_with("releases"))
                {
                    releases.push(path);
                }
            }
            "link" => {
                let (path, target) = rest.split_once(" -> ").unwrap();
                symlink(placed(&sandbox, target), sandbox.join(path)).unwrap();
            }
            "file" => {
                let mut content = String::new();
                while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
                    content += &format!("{}\n", line[2..].trim_end_matches(KEY_MARK));
                }
                file_of(&sandbox, rest, &content);
            }
            other => panic!("{sample}: {other}"),
        }
    }
    age(&releases);
    sandbox
}

/// Writes the file of `MODE [USER:GROUP] PATH [= PATH [+ PATH]]`, with its own content or that of one
/// or two other files.
fn file_of(sandbox: &Sandbox, line: &str, content: &str) {
    let (head, parts) = line
        .split_once(" = ")
        .map_or((line, None), |(head, parts)| (head, Some(parts)));
    let words: Vec<&str> = head.split(' ').collect();
    let content = match parts {
        Some(parts) => parts.split(" + ").map(|part| sandbox.read(part)).collect(),
        None => placed(sandbox, content),
    };
    let path = sandbox.write(words[words.len() - 1], content);
    if let [_, owner, _] = words[..] {
        let (user, group) = owner.split_once(':').unwrap();
        chown(
            &path,
            Some(user.parse().unwrap()),
            Some(group.parse().unwrap()),
        )
        .unwrap();
    }
    set_mode(&path, words[0]);
}

/// Replaces the placeholders for the sandbox's path and the current user and group.
fn placed(sandbox: &Sandbox, text: &str) -> String {
    let folder = sandbox.path().display().to_string();
    let [user, group] = [geteuid().as_raw(), getegid().as_raw()].map(|id| id.to_string());
    text.replace("@SANDBOX@", &folder)
        .replace("@UID@", &user)
        .replace("@GID@", &group)
}

fn set_mode(path: &Path, mode: &str) {
    fs::set_permissions(
        path,
        Permissions::from_mode(u32::from_str_radix(mode, 8).unwrap()),
    )
    .unwrap();
}

/// Sets the age of the releases, which are listed from the oldest to the newest: which of them are
/// kept depends on it.
fn age(releases: &[PathBuf]) {
    let mut time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_777_000_000);
    for release in releases {
        time += Duration::from_secs(60);
        fs::File::open(release)
            .unwrap()
            .set_times(FileTimes::new().set_modified(time))
            .unwrap();
    }
}
