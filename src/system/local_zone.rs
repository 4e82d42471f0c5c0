//! The local time zone: that of `TZ` in glibc's form (POSIX.1-2017, 8.3; tzset(3)), else that of
//! /etc/localtime. Only its own file is read: jiff's search of all zones takes more instructions
//! than all else that a short command does.

use std::path::Path;

use jiff::tz::TimeZone;

use super::fs::files;

/// The zones of the machine, by name.
const ZONES: &str = "/usr/share/zoneinfo";
/// The zone of the machine.
const MACHINE_ZONE: &str = "/etc/localtime";
/// The maximum size of a zone's file, in bytes; the largest one has 4 KiB.
const ZONE_LIMIT: u64 = 64 * 1024;

/// Reads the local time zone; UTC if it cannot be read.
#[must_use]
pub(crate) fn read() -> TimeZone {
    let zone = match std::env::var("TZ") {
        Ok(value) => zone_of_variable(&value),
        Err(_) => read_file(Path::new(MACHINE_ZONE)),
    };
    zone.unwrap_or(TimeZone::UTC)
}

/// The zone of a value of `TZ`: the name or the path of a zone's file, with or without a colon
/// before it, or a rule such as `CST-8`. An empty value means UTC.
fn zone_of_variable(value: &str) -> Option<TimeZone> {
    let name = value.strip_prefix(':').unwrap_or(value);
    if name.is_empty() {
        return Some(TimeZone::UTC);
    }
    read_file(&Path::new(ZONES).join(name)).or_else(|| TimeZone::posix(name).ok())
}

/// Reads a file in the format of RFC 9636 (TZif).
fn read_file(path: &Path) -> Option<TimeZone> {
    let bytes = files::read(path, ZONE_LIMIT).ok()?;
    TimeZone::tzif("local", &bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::zone_of_variable;

    #[test]
    fn rules_and_unknown_names_are_understood() {
        let instant = "2027-03-14T23:30:00Z".parse().unwrap();
        let hour =
            |value: &str| zone_of_variable(value).map(|zone| zone.to_datetime(instant).hour());
        assert_eq!(hour(""), Some(23));
        assert_eq!(hour("CST-8"), Some(7));
        assert_eq!(hour(":CST-8"), Some(7));
        assert_eq!(hour("no/such/zone"), None);
    }
}
