//! Reads the files of a walk with several threads, and hands over the results in the order of the
//! walk. The number of waiting results is bounded, however many files there are.
//!
//! Serves the targets for `status FOLDER` on trees of up to 100,000 files (benches/README.md): a
//! second thread reads while the first one works, and one buffer per thread is reused for all files
//! instead of an allocation, and a wipe, for each. [`read_in_order`] is the only entry point.

use std::collections::BTreeMap;
use std::ops::RangeFrom;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use zeroize::Zeroizing;

use super::files::FileError;
use super::reused_buffer;
use super::walk::WalkedEntry;
use crate::permissions::Mode;

/// One entry of a walk.
#[derive(Debug)]
pub(crate) enum ReadFile<'a> {
    /// A file: its content and its permission bits.
    File(&'a Path, Result<(&'a [u8], Mode), FileError>),
    Other(WalkedEntry),
}

/// With more threads, they wait for the disk and for each other. One of them is the caller's own,
/// which hands over results between two of its batches: no thread has to be woken for that.
const THREADS: usize = 2;
/// How many entries of the walk a thread takes at once.
const BATCH: usize = 64;
/// The maximum number of batches whose results wait.
const WAITING: usize = 8;

/// Reads every file of `walk` up to `limit` bytes. `look` adds what it makes of each to a result
/// that starts empty for every batch of files; `each` gets these results in the order of the walk.
pub(crate) fn read_in_order<T: Default + Send>(
    walk: impl Iterator<Item = WalkedEntry> + Send,
    limit: u64,
    look: impl Fn(&mut T, ReadFile<'_>) + Sync,
    each: impl FnMut(T),
) {
    let (sender, receiver) = sync_channel(WAITING);
    let batches = BatchSource(Mutex::new(NumberedWalk { numbers: 0.., walk }));
    let mut results = OrderedResults {
        early: BTreeMap::new(),
        next: 0,
        each,
    };
    thread::scope(|scope| {
        let receiver = receiver; // dropped if this thread panics, so that no sender waits forever
        for _ in 1..THREADS {
            let batches = &batches;
            let look = &look;
            let sender = sender.clone();
            // Without a receiver there is nothing left to do.
            scope.spawn(move || {
                read_batches(batches, limit, look, |result| sender.send(result).is_ok());
            });
        }
        drop(sender);
        read_batches(&batches, limit, &look, |result| {
            results.add(result);
            for result in receiver.try_iter() {
                results.add(result);
            }
            // If this thread is far ahead, it waits for the other one.
            while results.early.len() > WAITING
                && let Ok(result) = receiver.recv()
            {
                results.add(result);
            }
            true
        });
        for result in receiver.iter() {
            results.add(result);
        }
    });
}

/// The batches of a walk, shared by the threads.
struct BatchSource<W>(Mutex<NumberedWalk<W>>);

struct NumberedWalk<W> {
    numbers: RangeFrom<usize>,
    walk: W,
}

/// Something that belongs to the batch with this number.
struct Numbered<T> {
    number: usize,
    value: T,
}

impl<W: Iterator<Item = WalkedEntry>> BatchSource<W> {
    fn next_batch(&self) -> Option<Numbered<Vec<WalkedEntry>>> {
        let mut source = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value: Vec<WalkedEntry> = source.walk.by_ref().take(BATCH).collect();
        if value.is_empty() {
            return None;
        }
        let number = source.numbers.next()?;
        Some(Numbered { number, value })
    }
}

/// Reads one batch after the other until there are no more, or `hand_over` returns false.
fn read_batches<T: Default>(
    batches: &BatchSource<impl Iterator<Item = WalkedEntry>>,
    limit: u64,
    look: impl Fn(&mut T, ReadFile<'_>),
    mut hand_over: impl FnMut(Numbered<T>) -> bool,
) {
    let mut buffer = Zeroizing::default();
    while let Some(batch) = batches.next_batch() {
        let mut result = T::default();
        for entry in batch.value {
            read_entry(entry, limit, &mut buffer, |file| look(&mut result, file));
        }
        let result = Numbered {
            number: batch.number,
            value: result,
        };
        if !hand_over(result) {
            return;
        }
    }
}

/// Reads into `buffer`, whose content is overwritten; it is wiped when its owner is done.
fn read_entry(
    entry: WalkedEntry,
    limit: u64,
    buffer: &mut Zeroizing<Vec<u8>>,
    look: impl FnOnce(ReadFile<'_>),
) {
    match entry {
        WalkedEntry::File(path) => {
            let content = reused_buffer::read_into(buffer, &path, limit)
                .map(|(length, mode)| (&buffer[..length], mode));
            look(ReadFile::File(&path, content));
        }
        other => look(ReadFile::Other(other)),
    }
}

/// Hands over the results of batches in the order of their numbers.
struct OrderedResults<T, F> {
    /// Results that came before those of an earlier batch.
    early: BTreeMap<usize, T>,
    /// The batch whose result comes next.
    next: usize,
    each: F,
}

impl<T, F: FnMut(T)> OrderedResults<T, F> {
    fn add(&mut self, result: Numbered<T>) {
        self.early.insert(result.number, result.value);
        while let Some(value) = self.early.remove(&self.next) {
            (self.each)(value);
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::{BATCH, ReadFile, WAITING, read_in_order};
    use crate::system::fs::walk::{FolderWalk, WalkDepth};

    #[test]
    fn results_come_in_the_order_of_the_walk() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..1000 {
            std::fs::write(
                folder.path().join(format!("{number:04}")),
                number.to_string(),
            )
            .unwrap();
        }
        std::fs::write(folder.path().join("2000"), [b'x'; 100]).unwrap();
        let mut texts = Vec::new();
        let look = |made: &mut Vec<String>, seen: ReadFile<'_>| {
            let ReadFile::File(_, read) = seen else {
                panic!("{seen:?}")
            };
            let text = read.map(|(bytes, _)| String::from_utf8(bytes.to_vec()).unwrap());
            made.push(text.unwrap_or_else(|error| error.source.to_string()));
        };
        read_in_order(
            FolderWalk::new(folder.path(), WalkDepth::Tree),
            50,
            look,
            |made| texts.extend(made),
        );
        let expected: Vec<String> = (0..1000)
            .map(|number| number.to_string())
            .chain(["it is larger than 50 bytes".to_owned()])
            .collect();
        assert_eq!(texts, expected);
    }

    /// If one file takes long, only a bounded number of files after it is read.
    #[test]
    fn no_thread_reads_far_ahead() {
        let most = (WAITING + 3) * BATCH;
        let folder = tempfile::tempdir().unwrap();
        for number in 0..2 * most {
            std::fs::write(folder.path().join(format!("{number:04}")), "x").unwrap();
        }
        let seen = AtomicUsize::new(0);
        let look = |count: &mut usize, met: ReadFile<'_>| {
            *count += 1;
            let before = seen.fetch_add(1, Ordering::Relaxed);
            let ReadFile::File(path, _) = met else {
                panic!("{met:?}")
            };
            if path.ends_with("0000") {
                let mut settled = before;
                while std::mem::replace(&mut settled, seen.load(Ordering::Relaxed)) != settled {
                    std::thread::sleep(Duration::from_millis(100));
                }
                assert!(settled < most, "{settled}");
            }
        };
        let mut total = 0;
        read_in_order(
            FolderWalk::new(folder.path(), WalkDepth::Tree),
            50,
            look,
            |count| total += count,
        );
        assert_eq!(total, 2 * most);
    }
}
