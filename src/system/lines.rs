//! The lines of a file or of stdin as they come, each up to a bound. They are read on a thread of their own, so that whoever
//! waits for servers meanwhile goes on, and only a little ahead of who takes them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::files::FileError;

/// The longest line in bytes.
const LONGEST: u64 = 4096;
/// How many lines are read ahead.
const AHEAD: usize = 256;

/// One line, numbered from 1.
#[derive(Debug)]
pub struct Line {
    /// Its number.
    pub number: usize,
    /// Its text without the line break; what is no UTF-8 is replaced.
    pub text: Result<String, LineError>,
}

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The rest cannot be read.
    #[error("cannot read the list any further")]
    Io(#[source] io::Error),
    /// The line is no name and no record.
    #[error("the line is longer than {LONGEST} bytes")]
    TooLong,
}

/// The lines to come.
#[derive(Debug)]
pub struct Lines(Receiver<Line>);

impl Lines {
    /// Those of a file, or of stdin for `-`.
    ///
    /// # Errors
    /// When the file cannot be opened or is a folder.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let (sender, receiver) = channel(AHEAD);
        if path == Path::new("-") {
            std::thread::spawn(move || send(io::stdin().lock(), &sender));
            return Ok(Self(receiver));
        }
        let file = File::open(path).map_err(FileError::at("read", path))?;
        if file.metadata().map_err(FileError::at("read", path))?.is_dir() {
            return Err(FileError::at("read", path)(io::ErrorKind::IsADirectory.into()));
        }
        std::thread::spawn(move || send(BufReader::new(file), &sender));
        Ok(Self(receiver))
    }

    /// The next one; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Line> {
        self.0.recv().await
    }
}

/// Until the end, or until nobody takes them any more.
fn send(mut from: impl BufRead, to: &Sender<Line>) {
    for number in 1.. {
        let text = match read(&mut from) {
            Ok(None) => return,
            Ok(Some(text)) => Ok(text),
            Err(error) => Err(error),
        };
        let last = matches!(text, Err(LineError::Io(_)));
        if to.blocking_send(Line { number, text }).is_err() || last {
            return;
        }
    }
}

fn read(from: &mut impl BufRead) -> Result<Option<String>, LineError> {
    let mut bytes = Vec::new();
    let count = from.by_ref().take(LONGEST + 1).read_until(b'\n', &mut bytes).map_err(LineError::Io)?;
    if count == 0 {
        return Ok(None);
    }
    if bytes.last() != Some(&b'\n') && bytes.len() > usize::try_from(LONGEST).unwrap_or(usize::MAX) {
        from.skip_until(b'\n').map_err(LineError::Io)?;
        return Err(LineError::TooLong);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, LineError, read};

    #[test]
    fn lines_are_bounded_and_a_long_one_does_not_end_the_list() {
        let long = "x".repeat(usize::try_from(LONGEST).unwrap() * 3);
        let text = format!("a\r\n\n{long}\n\u{e9}\nlast");
        let mut from = text.as_bytes();
        let mut said = Vec::new();
        while let Some(line) = read(&mut from).transpose() {
            said.push(line.unwrap_or_else(|error| {
                assert!(matches!(error, LineError::TooLong));
                "(too long)".to_owned()
            }));
        }
        assert_eq!(said, ["a", "", "(too long)", "\u{e9}", "last"]);
    }
}
