//! In what state the servers are before anything is touched: each runs its own test once, over all
//! pairs that it reads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{ServerUse, ServingState};
use crate::failure::Failure;
use crate::finding::{Finding, NextStep, shell_word};
use crate::install::servers::discover::ObservedServer;
use crate::install_plan::observe;
use crate::install_plan::plan::{ServedEvidence, ServerQuestions, ServerState};
use crate::store::layout::LineageLayout;
use crate::system::fs::files;
use crate::system::process::FinishedCommand;
use crate::webserver::apache::gate::GATE;
use crate::webserver::model::{ComplaintSubject, ConfiguredCertificate, names_path};

/// Has every server tested that names a pair or is asked about one, and notes what that means for
/// each.
///
/// # Errors
/// When a test could not be run, or files cannot be read.
pub(crate) fn judge(all: &mut [(&LineageLayout, &mut ServingState)]) -> Result<(), Failure> {
    let (mut states, mut judged) = (Vec::new(), Vec::new());
    for (index, (_, serving)) in all.iter().enumerate() {
        for (number, one) in serving
            .uses
            .iter()
            .enumerate()
            .filter(|_| serving.refusals.is_empty())
        {
            states.push((index, number, state(all, one, &mut judged)?));
        }
    }
    for (index, number, state) in states {
        let serving = &mut *all[index].1;
        match state {
            Ok(state) => serving.uses[number].state = state,
            Err(broken) => serving.refusals.push(broken),
        }
    }
    all.iter_mut()
        .for_each(|(_, serving)| leave_stopped(serving));
    Ok(())
}

/// A server that does not run answers nowhere: only the others are asked, so that nothing that
/// works is taken back for it.
fn leave_stopped(serving: &mut ServingState) {
    let at = |stopped: bool| -> BTreeSet<String> {
        let uses = serving
            .uses
            .iter()
            .filter(|one| matches!(one.state, ServerState::Stopped(_)) == stopped);
        uses.flat_map(|one| one.addresses.iter().cloned()).collect()
    };
    let (silent, asked) = (at(true), at(false));
    let answers = |address: &String| asked.contains(address) || !silent.contains(address);
    serving
        .targets
        .retain(|target| answers(&target.address.to_string()));
}

/// Servers whose test fails, and whether this run mends that: the same for all pairs that one
/// reads.
type Judged = Vec<(Rc<ObservedServer>, bool)>;

fn state(
    all: &[(&LineageLayout, &mut ServingState)],
    one: &ServerUse,
    judged: &mut Judged,
) -> Result<Result<ServerState, Finding>, Failure> {
    let server = &one.looked.server;
    let asks = ServerQuestions {
        test: server.test_command().map(|words| words.join(" ")),
        reload: server.reload_command().map(|words| words.join(" ")),
        probe: one.addresses.clone(),
        reach: one.reach,
    };
    if asks
        == (ServerQuestions {
            reach: one.reach,
            ..ServerQuestions::default()
        })
    {
        return Ok(Ok(ServerState::Nothing));
    }
    let sound = match one.looked.test()? {
        Some(finished) if !finished.succeeded() => {
            let known = judged
                .iter()
                .find(|(looked, _)| Rc::ptr_eq(looked, &one.looked))
                .map(|(_, mends)| *mends);
            let mends = match known {
                Some(mends) => mends,
                None => mends(all, &one.looked, finished)?,
            };
            if known.is_none() {
                judged.push((Rc::clone(&one.looked), mends));
            }
            if !mends {
                return Ok(Err(broken(&one.looked, finished)));
            }
            false
        }
        _ => true,
    };
    let runs = one.looked.runs();
    Ok(Ok(match (one.named, runs, sound) {
        (false, ..) => ServerState::NotNamed,
        (true, false, _) => ServerState::Stopped(asks),
        (true, true, true) => ServerState::Serves(asks, ServedEvidence::Otherwise),
        (true, true, false) => ServerState::Mends(asks),
    }))
}

/// Whether the test fails only for want of a pair that this run supplies.
fn mends(
    all: &[(&LineageLayout, &mut ServingState)],
    looked: &Rc<ObservedServer>,
    finished: &FinishedCommand,
) -> Result<bool, Failure> {
    let read = |serving: &ServingState| {
        serving
            .uses
            .iter()
            .any(|one| Rc::ptr_eq(&one.looked, looked))
    };
    let pairs = || all.iter().filter(|(_, serving)| read(serving));
    if looked.standing.is_none() {
        return pairs().try_fold(false, |mends, (layout, _)| {
            Ok(mends || !observe::pair_loads(layout)?)
        });
    }
    let paths = |serving: &ServingState| -> Vec<PathBuf> {
        serving
            .spelled
            .iter()
            .map(|link| link.path.clone())
            .collect()
    };
    let every: Vec<PathBuf> = pairs().flat_map(|(_, serving)| paths(serving)).collect();
    let every: Vec<&Path> = every.iter().map(PathBuf::as_path).collect();
    match looked.server.complaint(&finished.output, &every).blame {
        ComplaintSubject::PairMissing => Ok(true),
        ComplaintSubject::PairBroken => pairs().try_fold(false, |mends, (layout, serving)| {
            let named = paths(serving)
                .iter()
                .any(|path| names_path(&finished.output, path));
            Ok(mends || named && !observe::pair_loads(layout)?)
        }),
        ComplaintSubject::Other | ComplaintSubject::PairUnreadable => Ok(false),
    }
}

fn broken(looked: &ObservedServer, finished: &FinishedCommand) -> Finding {
    let command = looked.server.test_command().unwrap_or_default().join(" ");
    let said = looked.server.complaint(&finished.output, &[]).lines;
    if !said.is_empty() && said.iter().all(|line| line.starts_with(GATE)) {
        let message = "certctl does not let Apache reload: a pair of its configuration, named below, would end it, \
                       and its configtest opens no key";
        return Finding::error("server-config-broken", message).quoting(said).with(NextStep::say(
            "give each of these lines a certificate and the key that belongs to it, then type the \
                same certctl install again",
        ));
    }
    let how = if finished.timed_out {
        "does not end"
    } else {
        "fails"
    };
    let broken = Finding::error(
        "server-config-broken",
        format!("the server's own test {how} before anything is touched"),
    )
    .quoting(said);
    // Nothing tells for which names HAProxy has a file that is not there.
    let paths = missing(looked, &finished.output)
        .into_iter()
        .map(|(chain, key)| {
            let [chain, key] = [chain, key].map(|path| shell_word(&path.display().to_string()));
            NextStep::say(format!(
                "if this certificate belongs there, say so:  --chain-path {chain} --key-path {key}"
            ))
        });
    paths
        .fold(broken, Finding::with)
        .with(NextStep::say(format!(
            "mend it, then try again:  {command}"
        )))
}

/// The pairs of a configuration that its server complains of and that are not there: chain and key.
fn missing(looked: &ObservedServer, said: &str) -> Vec<(PathBuf, PathBuf)> {
    let pairs = looked
        .standing
        .iter()
        .flat_map(|standing| standing.config.blocks())
        .flat_map(|block| &block.pairs);
    let links = pairs
        .filter_map(ConfiguredCertificate::links)
        .filter(|links| {
            let absent = links
                .iter()
                .filter(|link| !files::occupied(&link.path))
                .any(|link| names_path(said, &link.path));
            absent && links.len() <= 2
        });
    let mut found = Vec::new();
    for links in links {
        let pair = links
            .first()
            .zip(links.last())
            .map(|(chain, key)| (chain.path.clone(), key.path.clone()));
        found.extend(pair.filter(|pair| !found.contains(pair)));
    }
    found
}
