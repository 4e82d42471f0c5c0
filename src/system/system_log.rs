//! The log of the system: a datagram to journald in its native protocol, else to syslogd as
//! syslog(3) writes it. Nothing waits longer than [`TIMEOUT`].

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::{clock, local_zone, runtime};

/// The socket of journald (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).
const JOURNAL: &str = "/run/systemd/journal/socket";
/// The socket of syslogd (syslog(3)).
const SYSLOG: &str = "/dev/log";
/// How long a full socket is waited for.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The name under which lines are logged.
const IDENTIFIER: &str = "certctl";
/// The facility authpriv and the priority notice (RFC 5424, 6.2.1; authpriv is 10).
const FACILITY: u8 = 10;
const PRIORITY: u8 = 5;

/// One line of the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LogLine {
    /// The line for people; it has no line breaks.
    pub message: String,
    /// The same facts as fields of the journal, with their names.
    pub fields: Vec<(&'static str, String)>,
}

/// Whether the system has a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LogPresence {
    Absent,
    Written,
}

/// Returns whether a log may exist, which is cheaper than a line that goes nowhere.
#[must_use]
pub(crate) fn may_exist() -> bool {
    [JOURNAL, SYSLOG]
        .iter()
        .any(|socket| !matches!(Path::new(socket).try_exists(), Ok(false)))
}

/// Writes a line to the first log that accepts it.
///
/// # Errors
/// When a log exists and none accepts the line.
pub(crate) fn write(line: &LogLine) -> io::Result<LogPresence> {
    let journal = send_to_journal(line);
    if matches!(journal, Ok(LogPresence::Written)) {
        return journal;
    }
    match (journal, send_to_syslog(line)) {
        (_, Ok(LogPresence::Written)) => Ok(LogPresence::Written),
        (Err(error), _) | (_, Err(error)) => Err(error),
        (Ok(LogPresence::Absent | LogPresence::Written), Ok(LogPresence::Absent)) => {
            Ok(LogPresence::Absent)
        }
    }
}

fn send_to_journal(line: &LogLine) -> io::Result<LogPresence> {
    found(send_datagram(JOURNAL.as_ref(), &journal_entry(line)))
}

fn send_to_syslog(line: &LogLine) -> io::Result<LogPresence> {
    let text = syslog_line(line, clock::now());
    match send_datagram(SYSLOG.as_ref(), text.as_bytes()) {
        // Some syslogds listen for connections instead (syslog(3) tries both).
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::PROTOTYPE.raw_os_error()) => {
            found(send_on_connection(SYSLOG.as_ref(), &text))
        }
        sent => found(sent),
    }
}

/// A missing socket is no error.
fn found(sent: io::Result<()>) -> io::Result<LogPresence> {
    match sent {
        Ok(()) => Ok(LogPresence::Written),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(LogPresence::Absent),
        Err(error) => Err(error),
    }
}

fn send_datagram(socket: &Path, bytes: &[u8]) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    sender.set_write_timeout(Some(TIMEOUT))?;
    sender.send_to(bytes, socket).map(drop)
}

/// On a connection each line ends with a null byte. A full queue lets a connection wait without end.
fn send_on_connection(socket: &Path, text: &str) -> io::Result<()> {
    let line = format!("{text}\0");
    let sending = async {
        let mut sender = UnixStream::connect(socket).await?;
        sender.write_all(line.as_bytes()).await
    };
    runtime::block_on(async { timeout(TIMEOUT, sending).await })??
}

fn journal_entry(line: &LogLine) -> Vec<u8> {
    let mut entry = Vec::new();
    add_field(&mut entry, "MESSAGE", &line.message);
    add_field(&mut entry, "PRIORITY", &PRIORITY.to_string());
    add_field(&mut entry, "SYSLOG_FACILITY", &FACILITY.to_string());
    add_field(&mut entry, "SYSLOG_IDENTIFIER", IDENTIFIER);
    for (name, value) in &line.fields {
        add_field(&mut entry, name, value);
    }
    entry
}

/// Adds a field; a value with a line break needs the form with its length.
fn add_field(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend(name.as_bytes());
    if value.contains('\n') {
        let length = u64::try_from(value.len()).unwrap_or_default();
        entry.push(b'\n');
        entry.extend(length.to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend(value.as_bytes());
    entry.push(b'\n');
}

/// `<85>Jun  5 14:02:31 certctl[123]: ...` (RFC 3164, 4.1), in local time.
fn syslog_line(line: &LogLine, now: Timestamp) -> String {
    let priority = FACILITY * 8 + PRIORITY;
    let time = now
        .to_zoned_datetime(local_zone::read())
        .strftime("%b %e %H:%M:%S");
    let process = std::process::id();
    format!(
        "<{priority}>{time} {IDENTIFIER}[{process}]: {}",
        line.message
    )
}

#[cfg(test)]
mod tests {
    use super::{LogLine, journal_entry, syslog_line};

    #[test]
    fn values_with_line_breaks_have_their_length_in_the_journal() {
        let line = LogLine {
            message: "installed".to_owned(),
            fields: vec![
                ("CERTCTL_NAME", "example.com".to_owned()),
                ("CERTCTL_COMMAND", "a\nMESSAGE=forged".to_owned()),
            ],
        };
        let entry = journal_entry(&line);
        let expected = [
            &b"MESSAGE=installed\nPRIORITY=5\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=certctl\n"[..],
            b"CERTCTL_NAME=example.com\nCERTCTL_COMMAND\n",
            &16_u64.to_le_bytes(),
            b"a\nMESSAGE=forged\n",
        ];
        assert_eq!(entry, expected.concat());
    }

    #[test]
    fn lines_for_syslog_have_priority_time_and_process() {
        let line = LogLine {
            message: "installed".to_owned(),
            fields: Vec::new(),
        };
        let text = syslog_line(&line, "2027-06-05T04:02:31Z".parse().unwrap());
        let process = std::process::id();
        assert!(text.starts_with("<85>Jun  "), "{text}");
        assert!(
            text.ends_with(&format!(" certctl[{process}]: installed")),
            "{text}"
        );
        assert_eq!(text.find(" certctl["), Some("<85>Jun  5 04:02:31".len()));
    }
}
