//! The files of a walk, read and looked at by as many threads as pay, told in the order of the
//! walk. What waits is bounded, however many files there are.

use std::collections::BTreeMap;
use std::ops::RangeFrom;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use zeroize::Zeroizing;

use super::files::{self, FileError};
use super::walk::WalkedEntry;

/// One thing that was met.
#[derive(Debug)]
pub(crate) enum ReadFile<'a> {
    /// A file: its content and its permission bits.
    File(&'a Path, Result<(&'a [u8], u32), FileError>),
    Other(WalkedEntry),
}

/// More threads wait for the disk and for each other. One of them is the caller's own, which tells
/// what is done between two of its batches: nobody has to be woken for that.
const THREADS: usize = 2;
/// So many files are taken at once,
const BATCH: usize = 64;
/// and what came of so many of these waits at most.
const WAITING: usize = 8;

/// Reads every file of `walk` up to `limit` bytes. `look` adds what it makes of each to what it
/// made of those before it, from an empty start every some files; `each` hears of all that in the
/// order of the walk.
pub(crate) fn look_at<T: Default + Send>(
    walk: impl Iterator<Item = WalkedEntry> + Send,
    limit: u64,
    look: impl Fn(&mut T, ReadFile<'_>) + Sync,
    each: impl FnMut(T),
) {
    let (to_teller, done) = sync_channel(WAITING);
    let batches = Mutex::new((0.., walk));
    let mut order = Order {
        early: BTreeMap::new(),
        wanted: 0,
        each,
    };
    thread::scope(|scope| {
        let done = done; // gone with a panic here, so that nobody waits for ever to be heard
        for _ in 1..THREADS {
            let (batches, look, to_teller) = (&batches, &look, to_teller.clone());
            // When nobody listens any more, there is nothing left to do.
            scope.spawn(move || work(batches, limit, look, |made| to_teller.send(made).is_ok()));
        }
        drop(to_teller);
        work(&batches, limit, &look, |made| {
            order.tell(made);
            done.try_iter().for_each(|made| order.tell(made));
            // Whoever is far ahead waits for the one that is behind.
            while order.early.len() > WAITING
                && let Ok(made) = done.recv()
            {
                order.tell(made);
            }
            true
        });
        done.iter().for_each(|made| order.tell(made));
    });
}

/// The batches of a walk, numbered.
type Batches<W> = Mutex<(RangeFrom<usize>, W)>;

/// Takes one batch after the other until there are no more, or `tell` says that it is enough.
fn work<T: Default>(
    batches: &Batches<impl Iterator<Item = WalkedEntry>>,
    limit: u64,
    look: impl Fn(&mut T, ReadFile<'_>),
    mut tell: impl FnMut((usize, T)) -> bool,
) {
    let mut buffer = Zeroizing::default();
    while let Some((number, batch)) = next(batches) {
        let mut made = T::default();
        batch
            .into_iter()
            .for_each(|met| one(met, limit, &mut buffer, |seen| look(&mut made, seen)));
        if !tell((number, made)) {
            return;
        }
    }
}

/// The next files of the walk: whoever is free goes on with it.
fn next(batches: &Batches<impl Iterator<Item = WalkedEntry>>) -> Option<(usize, Vec<WalkedEntry>)> {
    let mut batches = batches.lock().unwrap_or_else(PoisonError::into_inner);
    let batch: Vec<WalkedEntry> = batches.1.by_ref().take(BATCH).collect();
    if batch.is_empty() {
        None
    } else {
        batches.0.next().map(|number| (number, batch))
    }
}

/// What `buffer` held before is written over, and wiped when all is done.
fn one(
    met: WalkedEntry,
    limit: u64,
    buffer: &mut Zeroizing<Vec<u8>>,
    look: impl FnOnce(ReadFile<'_>),
) {
    match met {
        WalkedEntry::File(path) => {
            let read = files::read_into(buffer, &path, limit);
            look(ReadFile::File(
                &path,
                read.map(|(length, mode)| (&buffer[..length], mode)),
            ));
        }
        other => look(ReadFile::Other(other)),
    }
}

/// What came of batches, and which of them is told next.
struct Order<T, F> {
    early: BTreeMap<usize, T>,
    wanted: usize,
    each: F,
}

impl<T, F: FnMut(T)> Order<T, F> {
    fn tell(&mut self, (number, made): (usize, T)) {
        self.early.insert(number, made);
        while let Some(made) = self.early.remove(&self.wanted) {
            (self.each)(made);
            self.wanted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::{BATCH, ReadFile, WAITING, look_at};
    use crate::system::fs::walk::{FolderWalk, WalkDepth};

    #[test]
    fn files_are_told_in_the_order_of_the_walk() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..1000 {
            std::fs::write(
                folder.path().join(format!("{number:04}")),
                number.to_string(),
            )
            .unwrap();
        }
        std::fs::write(folder.path().join("2000"), [b'x'; 100]).unwrap();
        let mut told = Vec::new();
        let look = |made: &mut Vec<String>, seen: ReadFile<'_>| {
            let ReadFile::File(_, read) = seen else {
                panic!("{seen:?}")
            };
            let text = read.map(|(bytes, _)| String::from_utf8(bytes.to_vec()).unwrap());
            made.push(text.unwrap_or_else(|error| error.source.to_string()));
        };
        look_at(
            FolderWalk::new(folder.path(), WalkDepth::Tree),
            50,
            look,
            |made| told.extend(made),
        );
        let expected: Vec<String> = (0..1000)
            .map(|number| number.to_string())
            .chain(["it is larger than 50 bytes".to_owned()])
            .collect();
        assert_eq!(told, expected);
    }

    /// One file takes long: what is read beyond it is no more than may wait.
    #[test]
    fn nobody_goes_far_ahead() {
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
        let mut told = 0;
        look_at(
            FolderWalk::new(folder.path(), WalkDepth::Tree),
            50,
            look,
            |count| told += count,
        );
        assert_eq!(told, 2 * most);
    }
}
