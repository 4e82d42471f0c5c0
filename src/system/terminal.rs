//! The user's terminal: what it is told to be like, and passwords, the only thing that is ever
//! asked for.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::signals::InterruptSignal;
use crate::system::fs::files::stdin_is_terminal;

/// True when `NO_COLOR` is set to anything (no-color.org).
#[must_use]
pub(crate) fn refuses_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// How many columns a terminal has; none where `stream` is no terminal.
#[must_use]
pub(crate) fn columns(stream: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col)).filter(|&columns| columns > 0)
}

/// How many rows a terminal has; none where `stream` is no terminal.
#[must_use]
pub(crate) fn rows(stream: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_row)).filter(|&rows| rows > 0)
}

/// False for a terminal that only adds at its end (`TERM=dumb`, or none named).
#[must_use]
pub(crate) fn moves_cursor() -> bool {
    std::env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb")
}

/// Why nothing was typed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// A signal came; holds its number.
    #[error("interrupted while a password was asked for")]
    Interrupted(i32),
    /// The terminal cannot be used.
    #[error("cannot read from the terminal")]
    Io(#[source] io::Error),
    /// Nobody sits at stdin.
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// Longer than any password, or no UTF-8.
    #[error("what was typed is no password: too long, or not UTF-8")]
    Unreadable,
}

/// The longest password, in bytes.
const LONGEST: usize = 1024;

/// Asks for a password that is not shown. `interrupt` must listen already; the terminal is as
/// before afterwards.
///
/// # Errors
/// See [`AskError`].
pub(crate) fn ask_password(
    prompt: &str,
    interrupt: &InterruptSignal,
) -> Result<Zeroizing<String>, AskError> {
    if !stdin_is_terminal() {
        return Err(AskError::NoTerminal);
    }
    let mut terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(AskError::Io)?;
    let quiet = Quiet::on(terminal.try_clone().map_err(AskError::Io)?).map_err(AskError::Io)?;
    terminal
        .write_all(prompt.as_bytes())
        .map_err(AskError::Io)?;
    let typed = read_line(&mut terminal, interrupt);
    drop(quiet);
    // The line break that was typed was not shown either.
    let _ = terminal.write_all(b"\n");
    typed
}

/// Waits in short turns: a signal sets a flag and ends no read.
fn read_line(
    terminal: &mut File,
    interrupt: &InterruptSignal,
) -> Result<Zeroizing<String>, AskError> {
    let turn = Timespec::try_from(Duration::from_millis(100))
        .map_err(|error| AskError::Io(io::Error::other(error)))?;
    // Never grows: growing would leave copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut piece = Zeroizing::new([0_u8; 256]);
    loop {
        if let Some(signal) = interrupt.signal() {
            return Err(AskError::Interrupted(signal));
        }
        match poll(&mut [PollFd::new(&*terminal, PollFlags::IN)], Some(&turn)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(AskError::Io(error.into())),
        }
        let count = terminal.read(piece.as_mut_slice()).map_err(AskError::Io)?;
        if line.len() + count > LONGEST {
            return Err(AskError::Unreadable);
        }
        line.extend_from_slice(&piece[..count]);
        if count == 0 || line.ends_with(b"\n") {
            let text = std::str::from_utf8(&line).map_err(|_| AskError::Unreadable)?;
            return Ok(Zeroizing::new(
                text.trim_end_matches(['\n', '\r']).to_owned(),
            ));
        }
    }
}

/// A terminal that does not show what is typed, until this is dropped.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn on(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &modes)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
