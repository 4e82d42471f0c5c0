//! A current-thread tokio runtime for the batch calls of `dns` and `tls`, created on first use.
//! Async code stays inside `system`.

use std::cell::OnceCell;
use std::future::Future;
use std::io;

thread_local! {
    static RUNTIME: OnceCell<tokio::runtime::Runtime> = const { OnceCell::new() };
}

/// Runs `future` to completion on this thread's runtime.
///
/// # Errors
/// When the runtime cannot be built (no file descriptors left).
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> io::Result<T> {
    RUNTIME.with(|cell| {
        if cell.get().is_none() {
            let built = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            // Set only here and only when empty, so `set` cannot fail.
            let _ = cell.set(built);
        }
        match cell.get() {
            Some(runtime) => Ok(runtime.block_on(future)),
            None => Err(io::Error::other("no runtime")),
        }
    })
}
