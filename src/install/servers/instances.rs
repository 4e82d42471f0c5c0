//! Chooses, among several servers of one kind that run with different configurations, those that a
//! certificate concerns.

use std::rc::Rc;

use super::observed_server::ObservedServer;
use crate::finding::Finding;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;
use crate::webserver::model::ServerSoftware;
use crate::wording::joined_with_and;

/// The servers of one kind that are used, and those whose configuration cannot be read.
#[derive(Debug, Default)]
pub(super) struct ChosenInstances {
    pub chosen: Vec<Rc<ObservedServer>>,
    pub unreadable: Vec<Rc<ObservedServer>>,
}

impl ChosenInstances {
    /// Chooses among `observed`, where the usual configuration comes first: the running servers that
    /// reference the certificate or answer for its names; else those that are not running; else one that
    /// runs; else the usual one. Nothing is known about other running servers whose configuration
    /// cannot be read.
    pub(super) fn choose(
        observed: Vec<Rc<ObservedServer>>,
        links: &[StableLink],
        names: &[DnsName],
    ) -> Self {
        let mut found = Self::default();
        for (index, server) in observed.into_iter().enumerate() {
            if index > 0 && server.refusal.is_some() {
                found.unreadable.push(server);
            } else {
                found.chosen.push(server);
            }
        }
        if found.chosen.len() < 2 {
            return found;
        }
        let mut concerned = found.chosen.clone();
        concerned.retain(|server| {
            server.concerns(links, names) || (server.runs() && server.answers_without_name(names))
        });
        let mut running = concerned.clone();
        running.retain(|server| server.runs());
        if !running.is_empty() {
            found.chosen = running;
        } else if !concerned.is_empty() {
            found.chosen = concerned;
        } else {
            let first = found.chosen.iter().position(|server| server.runs());
            found.chosen = vec![found.chosen.swap_remove(first.unwrap_or(0))];
        }
        found
    }
}

/// Reports a running server whose configuration cannot be read: whether it uses the certificate is
/// unknown.
#[must_use]
pub(super) fn report_unreadable(observed: &ObservedServer) -> Option<Finding> {
    let refusal = observed.refusal.as_ref()?;
    let title = observed.software().map_or("", ServerSoftware::title);
    let message = format!(
        "{title} ({}) was neither reloaded nor probed, because its configuration cannot be read; \
         whether it uses these files is unknown: {}",
        processes_in_words(&observed.master_pids()),
        refusal.message
    );
    let finding = Finding::warning("process-not-reached", message);
    let steps = refusal.next.iter().cloned();
    Some(steps.fold(finding, Finding::with_step))
}

/// `process 12` or `processes 12 and 34`
#[must_use]
pub(super) fn processes_in_words(pids: &[i32]) -> String {
    let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
    let words: Vec<&str> = pids.iter().map(String::as_str).collect();
    match words.as_slice() {
        [pid] => format!("process {pid}"),
        several => format!("processes {}", joined_with_and(several)),
    }
}
