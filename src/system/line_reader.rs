//! The lines of a file or of stdin as they come, each up to a bound, a few at a time. Those that
//! may be long in coming are read on a thread of their own, so that whoever waits for servers
//! meanwhile goes on, and only a little ahead of who takes them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::system::fs::files::FileError;

/// The longest line in bytes.
const LONGEST: u64 = 4096;
/// How many lines come together at the most, and how many times that is read ahead.
const TOGETHER: usize = 64;
const AHEAD: usize = 4;

/// One line, numbered from 1.
#[derive(Debug)]
pub(crate) struct NumberedLine {
    pub number: usize,
    /// Its text without the line break; what is no UTF-8 is replaced.
    pub text: Result<String, LineError>,
}

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    /// The rest cannot be read.
    #[error("cannot read the list any further")]
    Io(#[source] io::Error),
    /// The line is no name and no record.
    #[error("the line is longer than {LONGEST} bytes")]
    TooLong,
}

/// The lines to come.
#[derive(Debug)]
pub(crate) struct LineReader(Source);

#[derive(Debug)]
enum Source {
    /// A file on a disk: it never makes anybody wait.
    File(Reader<File>),
    /// A pipe, a terminal: somebody may have to write first.
    Thread(Receiver<Vec<NumberedLine>>),
}

impl LineReader {
    /// Those of a file, or of stdin for `-`.
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
            (_, true) => Ok(Self(Source::File(Reader::new(file)))),
            _ => Ok(Self::on_a_thread(file)),
        }
    }

    fn on_a_thread(from: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = channel(AHEAD);
        std::thread::spawn(move || send(Reader::new(from), &sender));
        Self(Source::Thread(receiver))
    }

    /// The next ones, at least one; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Vec<NumberedLine>> {
        match &mut self.0 {
            Source::File(reader) => reader.some(),
            Source::Thread(lines) => lines.recv().await,
        }
    }
}

/// Until the end, or until nobody takes them any more.
fn send(mut from: Reader<impl Read>, to: &Sender<Vec<NumberedLine>>) {
    while let Some(lines) = from.some() {
        if to.blocking_send(lines).is_err() {
            return;
        }
    }
}

#[derive(Debug)]
struct Reader<R> {
    from: BufReader<R>,
    number: usize,
    ended: bool,
}

impl<R: Read> Reader<R> {
    fn new(from: R) -> Self {
        Self {
            from: BufReader::new(from),
            number: 0,
            ended: false,
        }
    }

    /// The next line, and those that have come with it; `None` at the end.
    fn some(&mut self) -> Option<Vec<NumberedLine>> {
        let mut lines = Vec::new();
        while !self.ended
            && (lines.is_empty() || (lines.len() < TOGETHER && self.from.buffer().contains(&b'\n')))
        {
            let text = match read(&mut self.from) {
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

fn read(from: &mut impl BufRead) -> Result<Option<String>, LineError> {
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
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Some(
        String::from_utf8(bytes).unwrap_or_else(|error| lossy(error.as_bytes())),
    ))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, LineError, Reader};

    #[test]
    fn lines_are_bounded_and_a_long_one_does_not_end_the_list() {
        let long = "x".repeat(usize::try_from(LONGEST).unwrap() * 3);
        let text = format!("a\r\n\n{long}\n\u{e9}\nlast");
        let mut reader = Reader::new(text.as_bytes());
        let mut said = Vec::new();
        while let Some(lines) = reader.some() {
            said.extend(lines.into_iter().map(|line| {
                let text = line.text.unwrap_or_else(|error| {
                    assert!(matches!(error, LineError::TooLong));
                    "(too long)".to_owned()
                });
                (line.number, text)
            }));
        }
        let wanted = ["a", "", "(too long)", "\u{e9}", "last"];
        assert_eq!(
            said,
            (1..).zip(wanted.map(str::to_owned)).collect::<Vec<_>>()
        );
    }
}
