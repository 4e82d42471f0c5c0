//! Reads the lines of a file or of stdin, each up to a maximum length, a few at a time. A source
//! that may block is read on a thread of its own, so that queries go on in the meantime, and only a
//! little ahead of its consumer.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::system::fs::files::FileError;

/// The maximum length of a line in bytes.
const LONGEST: u64 = 4096;
/// How many lines are returned at once at the most, and how many times as many are read ahead.
const TOGETHER: usize = 64;
const AHEAD: usize = 4;

/// One line, numbered from 1.
#[derive(Debug)]
pub(crate) struct NumberedLine {
    pub number: usize,
    /// Its text without the line break; bytes that are not UTF-8 are replaced.
    pub text: Result<String, LineError>,
}

/// Why a line has no text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    /// The rest cannot be read.
    #[error("cannot read the rest of the list")]
    Io(#[source] io::Error),
    /// The line is longer than any name or record.
    #[error("the line is longer than {LONGEST} bytes")]
    TooLong,
}

/// The lines that are not returned yet.
#[derive(Debug)]
pub(crate) struct LineReader(Source);

#[derive(Debug)]
enum Source {
    /// A file on a disk: reading it does not block for long.
    File(BoundedLines<File>),
    /// A pipe or a terminal: reading it may block.
    Thread(Receiver<Vec<NumberedLine>>),
}

impl LineReader {
    /// Opens a file, or stdin for `-`.
    ///
    /// # Errors
    /// When the file cannot be opened or is a folder.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        if path == Path::new("-") {
            return Ok(Self::on_a_thread(io::stdin()));
        }
        let file = File::open(path).map_err(FileError::at("read", path))?;
        let metadata = file.metadata().map_err(FileError::at("read", path))?;
        match (metadata.is_dir(), metadata.is_file()) {
            (true, _) => Err(FileError::at("read", path)(
                io::ErrorKind::IsADirectory.into(),
            )),
            (_, true) => Ok(Self(Source::File(BoundedLines::new(file)))),
            _ => Ok(Self::on_a_thread(file)),
        }
    }

    fn on_a_thread(from: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = channel(AHEAD);
        std::thread::spawn(move || send_lines(BoundedLines::new(from), &sender));
        Self(Source::Thread(receiver))
    }

    /// Returns the next lines, at least one; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Vec<NumberedLine>> {
        match &mut self.0 {
            Source::File(reader) => reader.next_lines(),
            Source::Thread(lines) => lines.recv().await,
        }
    }
}

/// Sends lines until the end, or until the receiver is gone.
fn send_lines(mut from: BoundedLines<impl Read>, to: &Sender<Vec<NumberedLine>>) {
    while let Some(lines) = from.next_lines() {
        if to.blocking_send(lines).is_err() {
            return;
        }
    }
}

#[derive(Debug)]
struct BoundedLines<R> {
    from: BufReader<R>,
    number: usize,
    ended: bool,
}

impl<R: Read> BoundedLines<R> {
    fn new(from: R) -> Self {
        Self {
            from: BufReader::new(from),
            number: 0,
            ended: false,
        }
    }

    /// Returns the next line, and those that are already buffered; `None` at the end.
    fn next_lines(&mut self) -> Option<Vec<NumberedLine>> {
        let mut lines = Vec::new();
        while !self.ended
            && (lines.is_empty() || (lines.len() < TOGETHER && self.from.buffer().contains(&b'\n')))
        {
            let text = match read_line(&mut self.from) {
                Ok(None) => {
                    self.ended = true;
                    break;
                }
                Ok(Some(text)) => Ok(text),
                Err(error) => Err(error),
            };
            self.ended = matches!(text, Err(LineError::Io(_)));
            self.number += 1;
            lines.push(NumberedLine {
                number: self.number,
                text,
            });
        }
        (!lines.is_empty()).then_some(lines)
    }
}

fn read_line(from: &mut impl BufRead) -> Result<Option<String>, LineError> {
    let mut bytes = Vec::new();
    let count = from
        .by_ref()
        .take(LONGEST + 1)
        .read_until(b'\n', &mut bytes)
        .map_err(LineError::Io)?;
    if count == 0 {
        return Ok(None);
    }
    if bytes.last() != Some(&b'\n') && bytes.len() > usize::try_from(LONGEST).unwrap_or(usize::MAX)
    {
        from.skip_until(b'\n').map_err(LineError::Io)?;
        return Err(LineError::TooLong);
    }
    while bytes.pop_if(|last| matches!(last, b'\n' | b'\r')).is_some() {}
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::{BoundedLines, LONGEST, LineError};

    #[test]
    fn overlong_lines_are_errors_and_do_not_end_the_list() {
        let long = "x".repeat(usize::try_from(LONGEST).unwrap() * 3);
        let text = format!("a\r\n\n{long}\n\u{e9}\nlast");
        let mut reader = BoundedLines::new(text.as_bytes());
        let mut texts = Vec::new();
        while let Some(lines) = reader.next_lines() {
            texts.extend(lines.into_iter().map(|line| {
                let text = line.text.unwrap_or_else(|error| {
                    assert!(matches!(error, LineError::TooLong));
                    "(too long)".to_owned()
                });
                (line.number, text)
            }));
        }
        let wanted = ["a", "", "(too long)", "\u{e9}", "last"];
        assert_eq!(
            texts,
            (1..).zip(wanted.map(str::to_owned)).collect::<Vec<_>>()
        );
    }
}
