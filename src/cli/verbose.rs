//! `-v`: shows each command run, each file written and each query sent, on stderr.

use crate::finding::shell_line;
use crate::report::Sink;
use crate::system::activity::{self, Activity};

/// Shows activities from now on, if the user wants details.
pub(super) fn observe(sink: &Sink) {
    if let Some(sink) = sink.for_details() {
        activity::observe(move |activity| sink.show_detail(&line(activity)));
    }
}

fn line(activity: Activity<'_>) -> String {
    match activity {
        Activity::Run(argv) => format!("run: {}", shell_line(argv)),
        Activity::Write(path) => format!("write: {}", path.display()),
        Activity::Remove(path) => format!("remove: {}", path.display()),
        Activity::Query(question) => format!("query: {question}"),
    }
}
