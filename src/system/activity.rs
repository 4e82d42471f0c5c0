//! Reports to an observer what certctl does on the machine and in the network, as it happens
//! (`-v`).
//!
//! The observer is set once, at the start. Without one, nothing is formatted. An activity holds the
//! words of a command, a path, or the name and address of a query: never the content of a file.

use std::path::Path;
use std::sync::OnceLock;

/// One thing that is being done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Activity<'a> {
    /// A program is started; holds its words.
    Run(&'a [String]),
    /// A file, a link or a folder is created at this path.
    Write(&'a Path),
    /// The file, link or folder at this path is removed.
    Remove(&'a Path),
    /// A query is sent; holds the query and its destination.
    Query(&'a str),
}

type Observer = Box<dyn Fn(Activity<'_>) + Send + Sync>;

static OBSERVER: OnceLock<Observer> = OnceLock::new();

/// Sets the observer, unless there is one.
pub(crate) fn observe(observer: impl Fn(Activity<'_>) + Send + Sync + 'static) {
    let _ = OBSERVER.set(Box::new(observer));
}

/// Reports an activity to the observer.
pub(super) fn report(activity: Activity<'_>) {
    if let Some(observer) = OBSERVER.get() {
        observer(activity);
    }
}

/// Reports a query to the observer; `describe` runs only if there is one.
pub(super) fn report_query(describe: impl FnOnce() -> String) {
    if let Some(observer) = OBSERVER.get() {
        observer(Activity::Query(&describe()));
    }
}
