//! Runs work that may hang, such as reading a folder on a network file system, for a limited time.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Runs `work` on a thread of its own and returns its result; `None` if that takes longer than
/// `limit`. The thread then ends with the process.
pub(crate) fn finish_within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    let run = move || {
        // Fails only if nothing waits for the result any more.
        let _ = sender.send(work());
    };
    thread::Builder::new().spawn(run).ok()?;
    receiver.recv_timeout(limit).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::finish_within;

    #[test]
    fn work_that_hangs_is_left_alone() {
        let long = Duration::from_secs(60);
        assert_eq!(finish_within(long, || 7), Some(7));
        let hanging = move || std::thread::sleep(long);
        assert_eq!(finish_within(Duration::from_millis(10), hanging), None);
    }
}
