//! When processes of this machine started, and when files were changed last, by the same clock.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::system::fs::{files, tree};

/// The unit of the start times in /proc: USER_HZ, which is 100 on every architecture of Linux that
/// Rust supports (proc(5)).
const TICKS_PER_SECOND: u64 = 100;

/// The longest file of /proc that is read, in bytes.
const LIMIT: u64 = 64 * 1024;

/// A process that another one has started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ChildProcess {
    pub pid: i32,
    /// When it started, to about a hundredth of a second.
    pub started: Timestamp,
    /// Its command line, or the title that it has given itself. Untrusted text.
    pub title: String,
}

/// Two fields of /proc/PID/stat (proc_pid_stat(5): 4 and 22).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ProcessStat {
    pub parent: i32,
    /// When the process started, in clock ticks since boot.
    pub started: u64,
}

/// Reads the stat of a process from its folder in /proc; `None` if the process has ended, or the
/// system does not show it.
#[must_use]
pub(crate) fn read_stat(folder: &Path) -> Option<ProcessStat> {
    parse_stat(&read(&folder.join("stat"))?)
}

/// Parses a line of /proc/PID/stat. The program's name, the second field, may contain spaces and
/// parentheses.
fn parse_stat(stat: &str) -> Option<ProcessStat> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    // A zombie has ended; its parent has only not noticed yet.
    if *fields.first()? == "Z" {
        return None;
    }
    Some(ProcessStat {
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// Returns when a process started; `None` if it has ended, or the system does not show it.
#[must_use]
pub(crate) fn start_of(pid: i32) -> Option<Timestamp> {
    let ticks = read_stat(&folder_of(pid))?.started;
    let uptime = read(Path::new("/proc/uptime"))?;
    let uptime: f64 = uptime.split(' ').next()?.parse().ok()?;
    let started = Duration::from_millis(ticks.checked_mul(1000 / TICKS_PER_SECOND)?);
    let age = Duration::try_from_secs_f64(uptime).ok()?;
    // The uptime may be a hundredth of a second behind.
    now_of_files().checked_sub(age.saturating_sub(started)).ok()
}

/// Reads the clock from which the kernel takes the times of files. A test that moves this process's
/// calendar ([`crate::system::clock`]) moves neither this clock nor the times of files.
fn now_of_files() -> Timestamp {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let nanoseconds = i32::try_from(now.tv_nsec).unwrap_or(0);
    Timestamp::new(now.tv_sec, nanoseconds).unwrap_or_default()
}

fn folder_of(pid: i32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

/// Returns the processes that a process has started and that still run; `None` if the system does
/// not show them.
#[must_use]
pub(crate) fn children_of(pid: i32) -> Option<Vec<ChildProcess>> {
    let text = read(&folder_of(pid).join(format!("task/{pid}/children")))?;
    let pids = text.split_whitespace().filter_map(|word| word.parse().ok());
    let children = pids.filter_map(|child: i32| {
        Some(ChildProcess {
            pid: child,
            started: start_of(child)?,
            title: read(&folder_of(child).join("cmdline"))?.replace('\0', " "),
        })
    });
    Some(children.collect())
}

/// Returns when a file was changed last: its content, its name, its mode or its owner.
#[must_use]
pub(crate) fn last_change_of(path: &Path) -> Option<Timestamp> {
    let meta = tree::metadata(path).ok()?;
    Timestamp::new(meta.ctime(), i32::try_from(meta.ctime_nsec()).ok()?).ok()
}

/// Returns when the content of a file was changed last; for a folder, when an entry was added,
/// removed or renamed.
#[must_use]
pub(crate) fn content_change_of(path: &Path) -> Option<Timestamp> {
    let meta = tree::metadata(path).ok()?;
    Timestamp::new(meta.mtime(), i32::try_from(meta.mtime_nsec()).ok()?).ok()
}

fn read(path: &Path) -> Option<String> {
    let bytes = files::read(path, LIMIT).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ProcessStat, content_change_of, last_change_of, parse_stat, start_of};

    #[test]
    fn start_times_are_between_files_written_before_and_after() {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = (folder.path().join("before"), folder.path().join("after"));
        std::fs::write(&before, "").unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let started = start_of(pid);
        std::thread::sleep(Duration::from_millis(300));
        std::fs::write(&after, "").unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let started = started.unwrap();
        assert!(last_change_of(&before).unwrap() < started, "{started}");
        assert!(started < last_change_of(&after).unwrap(), "{started}");
        assert!(started < content_change_of(&after).unwrap(), "{started}");
        assert!(start_of(pid).is_none());
    }

    #[test]
    fn names_with_spaces_do_not_shift_the_fields() {
        let fields: Vec<String> = (4..=30).map(|number| number.to_string()).collect();
        let stat = format!("12 (a) b (c)) S {}", fields.join(" "));
        let parsed = ProcessStat {
            parent: 4,
            started: 22,
        };
        assert_eq!(parse_stat(&stat), Some(parsed));
        assert_eq!(parse_stat(&stat.replace(") S", ") Z")), None);
        assert_eq!(parse_stat("12 (a"), None);
        assert_eq!(parse_stat("12 (a) S 1"), None);
    }
}
