//! Concurrent tasks, and their results in order.

use std::collections::HashMap;

use tokio::task::JoinSet;

/// Returns the results of numbered tasks in the order of their numbers.
pub(super) async fn in_order<T: 'static>(mut tasks: JoinSet<(usize, T)>) -> Vec<T> {
    let mut done: HashMap<usize, T> = HashMap::new();
    while let Some(joined) = tasks.join_next().await {
        // A task is never cancelled here and does not panic.
        done.extend(joined.ok());
    }
    let mut numbered: Vec<(usize, T)> = done.into_iter().collect();
    numbered.sort_by_key(|(index, _)| *index);
    numbered.into_iter().map(|(_, value)| value).collect()
}
