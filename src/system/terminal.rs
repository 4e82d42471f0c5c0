//! The user's terminal: its properties, and the password prompt, which is the only prompt of
//! certctl.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::signals::InterruptSignal;
use crate::system::fs::stdin::stdin_is_terminal;

/// Returns whether `NO_COLOR` is set to any value (no-color.org).
#[must_use]
pub(crate) fn refuses_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The width that the environment asks for (`COLUMNS`, POSIX.1-2017, 8.3), in columns; `None` if it
/// is not set or not a number of at least 20.
#[must_use]
fn requested_columns() -> Option<usize> {
    let columns: usize = std::env::var("COLUMNS").ok()?.parse().ok()?;
    Some(columns).filter(|&columns| columns >= 20)
}

/// The width of output that does not go to a terminal.
const DEFAULT_WIDTH: usize = 80;

/// The width of `stream` in columns: `COLUMNS` where it is set, else the terminal's, else 80.
#[must_use]
pub(crate) fn width(stream: impl std::os::fd::AsFd) -> usize {
    requested_columns()
        .or_else(|| columns(stream))
        .unwrap_or(DEFAULT_WIDTH)
}

/// How many columns a terminal has; `None` if `stream` is not a terminal.
#[must_use]
pub(crate) fn columns(stream: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col)).filter(|&columns| columns > 0)
}

/// How many rows a terminal has; `None` if `stream` is not a terminal.
#[must_use]
pub(crate) fn rows(stream: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_row)).filter(|&rows| rows > 0)
}

/// False for a terminal that can only append (`TERM` is `dumb` or not set).
#[must_use]
pub(crate) fn moves_cursor() -> bool {
    std::env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb")
}

/// Why no password was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// A signal arrived; holds its number.
    #[error("interrupted at a password prompt")]
    Interrupted(i32),
    /// The terminal cannot be used.
    #[error("cannot read from the terminal")]
    Io(#[source] io::Error),
    /// Stdin is not a terminal.
    #[error("there is no terminal to prompt for a password on")]
    NoTerminal,
    /// The input is longer than any password, or not UTF-8.
    #[error("the password is too long or not UTF-8")]
    Unreadable,
}

/// The maximum length of a password in bytes.
const LONGEST: usize = 1024;

/// Prompts for a password, which is not shown. The handlers of `interrupt` must be registered.
/// Restores the settings of the terminal.
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
    let hidden =
        HiddenInput::start(terminal.try_clone().map_err(AskError::Io)?).map_err(AskError::Io)?;
    terminal
        .write_all(prompt.as_bytes())
        .map_err(AskError::Io)?;
    let typed = read_line(&mut terminal, interrupt);
    drop(hidden);
    // The line break was not shown either.
    let _ = terminal.write_all(b"\n");
    typed
}

/// Reads one line. Polls with a short timeout, because a signal only sets a flag and does not end a
/// read.
fn read_line(
    terminal: &mut File,
    interrupt: &InterruptSignal,
) -> Result<Zeroizing<String>, AskError> {
    let turn = Timespec::try_from(Duration::from_millis(100))
        .map_err(|error| AskError::Io(io::Error::other(error)))?;
    // Never grows, because that would leave copies in memory.
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut piece = Zeroizing::new([0_u8; 256]);
    loop {
        if let Some(signal) = interrupt.signal() {
            return Err(AskError::Interrupted(signal));
        }
        if !is_readable(terminal, &turn)? {
            continue;
        }
        let count = terminal.read(piece.as_mut_slice()).map_err(AskError::Io)?;
        if line.len() + count > LONGEST {
            return Err(AskError::Unreadable);
        }
        line.extend_from_slice(&piece[..count]);
        if count == 0 || line.ends_with(b"\n") {
            return password_of_line(&line);
        }
    }
}

/// Waits until Enter is pressed. `interrupt` must listen already.
///
/// # Errors
/// See [`AskError`].
pub(crate) fn wait_for_enter(interrupt: &InterruptSignal) -> Result<(), AskError> {
    let mut terminal = File::open("/dev/tty").map_err(AskError::Io)?;
    match read_line(&mut terminal, interrupt) {
        // What was typed before Enter does not matter.
        Ok(_) | Err(AskError::Unreadable) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Waits for one turn; false if nothing was typed, or a signal ended the wait.
fn is_readable(terminal: &File, turn: &Timespec) -> Result<bool, AskError> {
    match poll(&mut [PollFd::new(terminal, PollFlags::IN)], Some(turn)) {
        Ok(0) | Err(rustix::io::Errno::INTR) => Ok(false),
        Ok(_) => Ok(true),
        Err(error) => Err(AskError::Io(error.into())),
    }
}

fn password_of_line(line: &[u8]) -> Result<Zeroizing<String>, AskError> {
    let text = std::str::from_utf8(line).map_err(|_| AskError::Unreadable)?;
    let password = text.trim_end_matches(['\n', '\r']);
    Ok(Zeroizing::new(password.to_owned()))
}

/// A terminal that does not show what is typed; restored on drop.
struct HiddenInput {
    terminal: File,
    before: Termios,
}

impl HiddenInput {
    fn start(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &modes)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
