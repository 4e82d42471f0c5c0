//! The mounts of a process, from /proc/PID/mountinfo (proc_pid_mountinfo(5)).

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many bytes of the file are read.
const LIMIT: u64 = 16 * 1024 * 1024;
/// File systems that other machines use at the same time, or that are shared with a host.
const SHARED: [&str; 16] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "gfs2",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "smb3",
    "vboxsf",
    "virtiofs",
];

/// A mount.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct MountEntry {
    pub point: PathBuf,
    /// The type of the file system: `ext4`, `nfs4`, `fuse.sshfs`.
    pub kind: String,
}

impl MountEntry {
    /// Whether other machines may use the file system too. The type of FUSE for a local disk is
    /// `fuseblk`.
    #[must_use]
    pub(crate) fn is_shared(&self) -> bool {
        let kind = self.kind.as_str();
        SHARED.contains(&kind) || kind == "fuse" || kind.starts_with("fuse.")
    }
}

/// The mounts that a process sees; empty if they cannot be read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct MountTable(Vec<MountEntry>);

impl MountTable {
    /// Reads the mounts of certctl itself.
    #[must_use]
    pub(crate) fn own() -> Self {
        Self::read(Path::new("/proc/self"))
    }

    /// Reads the mounts of a process, whose folder in /proc this is.
    #[must_use]
    pub(crate) fn read(process: &Path) -> Self {
        Self::parse(&read_bounded(&process.join("mountinfo")).unwrap_or_default())
    }

    /// Parses the content of a `mountinfo` file.
    #[must_use]
    pub(crate) fn parse(text: &[u8]) -> Self {
        let lines = text.split(|byte| *byte == b'\n');
        Self(lines.filter_map(parse_line).collect())
    }

    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the mounts is shared.
    #[must_use]
    pub(crate) fn has_shared(&self) -> bool {
        self.0.iter().any(MountEntry::is_shared)
    }

    /// Whether something is mounted at exactly this path.
    #[must_use]
    pub(crate) fn is_mount_point(&self, path: &Path) -> bool {
        self.0.iter().any(|mount| mount.point == path)
    }

    /// Returns the mount that `path` is on; the last one of several at the same point hides the
    /// others.
    #[must_use]
    pub(crate) fn mount_of(&self, path: &Path) -> Option<&MountEntry> {
        let above = self.0.iter().filter(|mount| path.starts_with(&mount.point));
        above.max_by_key(|mount| mount.point.components().count())
    }
}

/// Reads the file. `files::read` asks this module first whether a path is local.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let file = File::open(path)?;
    file.take(LIMIT).read_to_end(&mut text)?;
    Ok(text)
}

/// Parses `36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw`.
fn parse_line(line: &[u8]) -> Option<MountEntry> {
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let separator = words.iter().position(|word| *word == b"-")?;
    Some(MountEntry {
        point: PathBuf::from(OsStr::from_bytes(&unescape(words.get(4)?))),
        kind: String::from_utf8_lossy(words.get(separator + 1)?).into_owned(),
    })
}

/// Replaces `\040` and the like by the byte with that octal number.
fn unescape(word: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after
            .get(..3)
            .filter(|digits| first == b'\\' && is_octal(digits));
        let value =
            digits.and_then(|digits| u8::from_str_radix(&String::from_utf8_lossy(digits), 8).ok());
        match value {
            Some(value) => {
                bytes.push(value);
                rest = &after[3..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    bytes
}

fn is_octal(digits: &[u8]) -> bool {
    digits.iter().all(|digit| (b'0'..=b'7').contains(digit))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::MountTable;

    const SAMPLE: &[u8] = b"\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /srv/ssl rw - tmpfs tmpfs rw
31 22 0:26 /x /srv/ssl rw,relatime master:1 - nfs4 files:/x rw
32 22 8:1 /h/shop.crt /etc/nginx/ssl/my\\040shop.crt rw - ext4 /dev/sda1 rw
33 22 0:27 / /mnt/a ro shared:2 propagate_from:1 - fuse.sshfs me@x:/ rw
not a mount
";

    #[test]
    fn the_nearest_and_last_mount_counts() {
        let mounts = MountTable::parse(SAMPLE);
        for (path, kind, is_shared) in [
            ("/etc/ssl/a.pem", "ext4", false),
            ("/srv/ssl/a.pem", "nfs4", true),
            ("/srv/sslx", "ext4", false),
            ("/mnt/a/b/c.pem", "fuse.sshfs", true),
        ] {
            let mount = mounts.mount_of(Path::new(path)).unwrap();
            assert_eq!((mount.kind.as_str(), mount.is_shared()), (kind, is_shared));
        }
        assert!(mounts.is_mount_point(Path::new("/etc/nginx/ssl/my shop.crt")));
        assert!(!mounts.is_mount_point(Path::new("/etc/nginx/ssl")));
    }

    #[test]
    fn malformed_lines_are_skipped() {
        for text in [
            "",
            "-",
            "1 2 3 4 - ext4",
            "1 2 3 4 /a\\04 -",
            "\\",
            "a b c d /e\\777 - x",
        ] {
            let mounts = MountTable::parse(text.as_bytes());
            assert!(mounts.0.len() <= 1, "{text}");
        }
    }
}
