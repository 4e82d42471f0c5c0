//! The files of a walk, read and looked at by as many threads as pay, told in the order of the walk. What waits is bounded,
//! however many files there are.

use std::collections::BTreeMap;
use std::ops::RangeFrom;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use zeroize::Zeroizing;

use super::files::{self, FileError};
use super::walk::Met;

/// What came of one thing that was met.
#[derive(Debug)]
pub enum Looked<T> {
    /// A file, and what was made of it.
    File(PathBuf, Result<T, FileError>),
    /// Something else.
    Other(Met),
}

/// More threads wait for the disk and for each other.
const THREADS: usize = 2;
/// So many files are taken at once,
const BATCH: usize = 64;
/// and what came of so many of these waits at most.
const WAITING: usize = 8;

/// Reads every file of `walk` up to `limit` bytes and makes something of it by `look` (path, content, permission bits);
/// `each` hears of all in the order of the walk.
pub fn look_at<T: Send>(
    walk: impl Iterator<Item = Met> + Send,
    limit: u64,
    look: impl Fn(&Path, &[u8], u32) -> T + Sync,
    mut each: impl FnMut(Looked<T>),
) {
    let (to_teller, done) = sync_channel::<(usize, Vec<Looked<T>>)>(WAITING);
    let batches = Mutex::new((0.., walk));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (batches, look, to_teller) = (&batches, &look, to_teller.clone());
            scope.spawn(move || {
                let mut buffer = Zeroizing::default();
                while let Some((number, batch)) = next(batches) {
                    let looked = batch.into_iter().map(|met| one(met, limit, &mut buffer, look)).collect();
                    // When nobody listens any more, there is nothing left to do.
                    if to_teller.send((number, looked)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(to_teller);
        let (mut early, mut wanted) = (BTreeMap::new(), 0);
        for (number, looked) in done {
            early.insert(number, looked);
            while let Some(looked) = early.remove(&wanted) {
                looked.into_iter().for_each(&mut each);
                wanted += 1;
            }
        }
    });
}

/// The next files of the walk: whoever is free goes on with it.
fn next(batches: &Mutex<(RangeFrom<usize>, impl Iterator<Item = Met>)>) -> Option<(usize, Vec<Met>)> {
    let mut batches = batches.lock().unwrap_or_else(PoisonError::into_inner);
    let batch: Vec<Met> = batches.1.by_ref().take(BATCH).collect();
    if batch.is_empty() { None } else { batches.0.next().map(|number| (number, batch)) }
}

/// What `buffer` held before is written over, and wiped when all is done.
fn one<T>(met: Met, limit: u64, buffer: &mut Zeroizing<Vec<u8>>, look: impl Fn(&Path, &[u8], u32) -> T) -> Looked<T> {
    match met {
        Met::File(path) => {
            let made =
                files::read_into(buffer, &path, limit).map(|(length, mode)| look(&path, &buffer[..length], mode));
            Looked::File(path, made)
        }
        other => Looked::Other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{Looked, look_at};
    use crate::system::walk::{Depth, Walk};

    #[test]
    fn files_are_told_in_the_order_of_the_walk() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..1000 {
            std::fs::write(folder.path().join(format!("{number:04}")), number.to_string()).unwrap();
        }
        std::fs::write(folder.path().join("2000"), [b'x'; 100]).unwrap();
        let mut told = Vec::new();
        look_at(
            Walk::new(folder.path(), Depth::Tree),
            50,
            |_, bytes, _| String::from_utf8(bytes.to_vec()).unwrap(),
            |looked| {
                let Looked::File(_, made) = looked else { panic!("{looked:?}") };
                told.push(made.unwrap_or_else(|error| error.source.to_string()));
            },
        );
        let expected: Vec<String> =
            (0..1000).map(|number| number.to_string()).chain(["it is larger than 50 bytes".to_owned()]).collect();
        assert_eq!(told, expected);
    }
}
