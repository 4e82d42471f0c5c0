//! Whether this machine runs `certctl renew` by itself: a timer of systemd, or cron.

use std::path::{Path, PathBuf};

use super::fs::files::{self, FileError};
use super::fs::folders;
use super::process;

/// The timer in `packaging/systemd`.
const TIMER: &str = "certctl-renew.timer";
/// Exists where systemd runs the machine (sd_booted(3)).
const SYSTEMD: &str = "/run/systemd/system";
/// Where the links of enabled timers are.
const ENABLED: &str = "/etc/systemd/system/timers.target.wants";
/// Where units are (systemd.unit(5)), the first one has precedence.
const UNIT_FOLDERS: [&str; 3] = [
    "/etc/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// Where the tables and scripts of cron are, besides /etc/crontab.
const CRON_FOLDERS: [&str; 5] = [
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/var/spool/cron",
    "/var/spool/cron/crontabs",
];
/// The maximum number of files in a folder, and of bytes in a file.
const FILE_LIMIT: usize = 10_000;
pub(crate) const SIZE_LIMIT: u64 = 1024 * 1024;

/// What runs `certctl renew` on this machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RenewalTimer {
    /// A timer or cron.
    Runs,
    /// The timer is installed, and not enabled.
    NotEnabled,
    /// Nothing, but cron is here.
    OnlyCron,
    /// Nothing.
    Absent,
    /// This user cannot read all tables of cron.
    NotChecked,
}

/// Finds out what runs `certctl renew` on this machine.
#[must_use]
pub(crate) fn find_renewal_timer() -> RenewalTimer {
    if folders::current_user() != 0 {
        return RenewalTimer::NotChecked;
    }
    match runs_by_timer().and_then(|by_timer| Ok(by_timer || runs_by_cron()?)) {
        Ok(true) => RenewalTimer::Runs,
        Ok(false) => find_possible_timer(),
        Err(_) => RenewalTimer::NotChecked,
    }
}

fn find_possible_timer() -> RenewalTimer {
    let has_systemd = files::exists(Path::new(SYSTEMD));
    if has_systemd && read_unit(TIMER).is_some() {
        return RenewalTimer::NotEnabled;
    }
    let has_cron = ["cron", "crond"]
        .iter()
        .any(|name| process::find_program(name).is_some());
    if has_cron {
        RenewalTimer::OnlyCron
    } else {
        RenewalTimer::Absent
    }
}

/// Returns whether the service of an enabled timer runs it.
fn runs_by_timer() -> Result<bool, FileError> {
    for name in folders::list_names(Path::new(ENABLED), FILE_LIMIT)? {
        let name = name.to_string_lossy();
        let Some(stem) = name.strip_suffix(".timer") else {
            continue;
        };
        let service = read_unit(&format!("{stem}.service"));
        if service.is_some_and(|text| runs_renew(&text)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the text of a unit.
fn read_unit(name: &str) -> Option<String> {
    let places = UNIT_FOLDERS
        .iter()
        .map(|folder| Path::new(folder).join(name));
    let mut texts = places.filter_map(|path| read_text(&path).ok());
    texts.next()
}

/// Returns whether a table or script of cron runs it.
fn runs_by_cron() -> Result<bool, FileError> {
    let mut paths = vec![PathBuf::from("/etc/crontab")];
    for folder in CRON_FOLDERS {
        let folder = Path::new(folder);
        let names = folders::list_names(folder, FILE_LIMIT)?.into_iter();
        paths.extend(names.map(|name| folder.join(name)));
    }
    for path in paths.iter().filter(|path| folders::is_file(path)) {
        if runs_renew(&read_text(path)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_text(path: &Path) -> Result<String, FileError> {
    let bytes = files::read(path, SIZE_LIMIT)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns whether a line that is no comment runs `certctl renew`.
fn runs_renew(text: &str) -> bool {
    let lines = text.lines().map(str::trim_start);
    let mut lines = lines.filter(|line| !line.starts_with('#'));
    lines.any(|line| {
        let mut words = line.split_whitespace();
        let has_program = words.by_ref().any(|word| word.ends_with("certctl"));
        has_program && words.any(|word| word == "renew")
    })
}

#[cfg(test)]
mod tests {
    use super::runs_renew;

    #[test]
    fn only_commands_that_renew_count() {
        for (text, expected) in [
            ("ExecStart=/usr/local/bin/certctl renew\n", true),
            ("17 3 * * * root cd / && certctl -q renew\n", true),
            ("#!/bin/sh\nexec certctl renew -q\n", true),
            ("# certctl renew\n", false),
            ("ExecStart=/usr/local/bin/certctl status -q\n", false),
            ("Description=renew with certctl\n", false),
            ("0 3 * * * root certbot renew\n", false),
            ("", false),
        ] {
            assert_eq!(runs_renew(text), expected, "{text}");
        }
    }
}
