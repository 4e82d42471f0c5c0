//! The heart: from what is there to the steps of an install, and from the steps attempted to the way back. Pure: a plan
//! names pieces and paths, never bytes; `--dry-run` shows the very value that `apply` runs.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::layout::{Layout, Piece, Pointer, ReleaseId, Stable};

mod show;
mod state;

pub use state::{Asks, Observed, Present, Reach, Remembered, Served, ServerState, Spot, Wanted};

/// One change or one question. Each can be repeated after a crash.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum Step {
    /// Keeps a plain file that is no part of a working pair as `<file>.~N~`, same inode, same mode.
    BackUp {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Puts our link at a path that servers know, over whatever file is there.
    Link {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        #[serde(serialize_with = "shown")]
        text: PathBuf,
    },
    /// `proven` follows.
    MarkProven { from: Option<ReleaseId>, to: ReleaseId },
    /// Asks every address, fresh handshakes, whether it serves this release.
    Prove { release: ReleaseId, at: Vec<String> },
    /// Drops releases that nothing needs any more, and what crashes have left.
    Prune,
    /// Adds the release to the history.
    Record { release: ReleaseId, before: Option<ReleaseId> },
    /// Makes the server read its files again.
    Reload { command: String },
    /// Writes the settings, so that the next round needs no flags.
    Remember {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Puts a file back that this run has kept: that very backup, no other.
    Restore {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        #[serde(serialize_with = "shown")]
        backup: PathBuf,
    },
    /// Makes `live` name another release: key and chain change together, in one rename.
    Switch { from: Option<ReleaseId>, to: ReleaseId },
    /// Makes a release of the files that the server reads now.
    TakeOver { release: ReleaseId },
    /// Has the server judge its configuration.
    TestServer { command: String },
    /// Takes our link away.
    Unlink {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Takes `live` or `proven` away.
    Unpoint { pointer: Pointer },
    /// Moves the release, built and flushed before, to its name.
    WriteRelease { release: ReleaseId, pieces: Vec<Piece> },
}

/// A path in a document: JSON holds text only.
fn shown<S: Serializer>(path: &Path, document: S) -> Result<S::Ok, S::Error> {
    document.collect_str(&path.display())
}

/// Where a failure after the switch leads.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Back {
    /// Nothing was there: links are removed, plain files come back. `reload`: the server loads its configuration
    /// without the pair, so that it can be made to forget it.
    Nothing {
        /// See above.
        reload: bool,
    },
    /// The pair before was broken (says why): the new files stay.
    Stay(String),
    /// To this release.
    To(ReleaseId),
    /// To this release, which was never proven but is what the server loads: without it, it loads nothing at all.
    Unproven(ReleaseId),
}

/// What a plan ends in when every step ends well.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The files are there; nobody serves them yet: no block names them.
    NotNamed,
    /// The files are there; some names are still served with others, or what is served cannot be asked.
    Partly,
    /// Served at every address, or nothing there to ask.
    Proven,
    /// The files are there and the server would load them; it does not run.
    Stopped,
}

/// What will be done, or would be.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct InstallPlan {
    /// In this order.
    pub steps: Vec<Step>,
    /// Where a failure leads.
    pub back: Back,
    /// What it comes to.
    pub end: End,
    /// What of ours is there before the first step.
    #[serde(skip)]
    pub start: Start,
}

/// Where an unproven pair of an earlier run stands: a failure takes that back too.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Start {
    /// Where `live` points.
    pub live: Option<ReleaseId>,
    /// Our links at the paths that servers know.
    pub links: Vec<PathBuf>,
}

impl Back {
    fn release(&self) -> Option<&ReleaseId> {
        match self {
            Self::To(id) | Self::Unproven(id) => Some(id),
            Self::Nothing { .. } | Self::Stay(_) => None,
        }
    }
}

/// A plain file that this run has kept, and the name that it got.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kept {
    /// Where it was.
    pub path: PathBuf,
    /// Its backup.
    pub backup: PathBuf,
}

/// The way back from the steps that were attempted (a step that failed halfway may have worked) and the files that were
/// kept. Not the reverse order: the links go back first, all of them, then one reload, then the proof.
#[must_use]
pub fn undo(plan: &InstallPlan, attempted: &[Step], kept: &[Kept]) -> InstallPlan {
    let reached = attempted.iter().any(|step| {
        matches!(step, Step::Switch { .. } | Step::TestServer { .. } | Step::Reload { .. } | Step::Prove { .. })
    });
    let live = last_switch(attempted).or(plan.start.live.as_ref()).filter(|_| reached);
    let mut steps = match &plan.back {
        // As long as no server could see the new files, what was there comes back as it was, broken or not.
        Back::Stay(_) if !reached => relink(attempted, kept),
        Back::Stay(_) => Vec::new(),
        Back::To(id) | Back::Unproven(id) => point_back(live, attempted, id),
        Back::Nothing { .. } if stays(plan, attempted) => Vec::new(),
        Back::Nothing { .. } => remove(live, plan, attempted, kept),
    };
    if live.is_some_and(|live| Some(live) != plan.back.release()) {
        steps.extend(plan.steps.iter().filter_map(|step| ask_again(step, &plan.back)));
    }
    InstallPlan { steps, ..plan.clone() }
}

/// Whether the new files stay after a failure: those before were broken, or there were none and the server was told to
/// load these; taken away, it would go on with them until it cannot start any more.
#[must_use]
pub fn stays(plan: &InstallPlan, attempted: &[Step]) -> bool {
    let any = |wanted: fn(&Step) -> bool| attempted.iter().any(wanted);
    match &plan.back {
        Back::Nothing { reload: false } => any(|step| matches!(step, Step::Reload { .. })),
        Back::Stay(_) => any(|step| matches!(step, Step::Switch { .. })),
        Back::Nothing { .. } | Back::To(_) | Back::Unproven(_) => false,
    }
}

fn point_back(live: Option<&ReleaseId>, attempted: &[Step], id: &ReleaseId) -> Vec<Step> {
    let from = live.cloned();
    let mut steps = Vec::new();
    if live.is_some_and(|live| live != id) {
        steps.push(Step::Switch { from: from.clone(), to: id.clone() });
    }
    if attempted.iter().any(|step| matches!(step, Step::MarkProven { to, .. } if to != id)) {
        steps.push(Step::MarkProven { from, to: id.clone() });
    }
    steps
}

/// `live` first, so that both paths show nothing at once; then the links, then what was there before.
fn remove(live: Option<&ReleaseId>, plan: &InstallPlan, attempted: &[Step], kept: &[Kept]) -> Vec<Step> {
    let mut steps = Vec::new();
    if live.is_some() {
        steps.push(Step::Unpoint { pointer: Pointer::Live });
        steps.extend(plan.start.links.iter().map(|path| Step::Unlink { path: path.clone() }));
    }
    if attempted.iter().any(|step| matches!(step, Step::MarkProven { .. })) {
        steps.push(Step::Unpoint { pointer: Pointer::Proven });
    }
    steps.extend(relink(attempted, kept));
    steps
}

/// What was kept comes back; our links where nothing was go.
fn relink(attempted: &[Step], kept: &[Kept]) -> Vec<Step> {
    let backup = |path: &Path| kept.iter().find(|kept| kept.path == path).map(|kept| kept.backup.clone());
    let steps = attempted.iter().filter_map(|step| match step {
        Step::Link { path, .. } if backup(path).is_none() => Some(Step::Unlink { path: path.clone() }),
        Step::BackUp { path } => backup(path).map(|backup| Step::Restore { path: path.clone(), backup }),
        _ => None,
    });
    steps.collect()
}

fn last_switch(attempted: &[Step]) -> Option<&ReleaseId> {
    attempted.iter().rev().find_map(|step| match step {
        Step::Switch { to, .. } => Some(to),
        _ => None,
    })
}

/// The questions of the plan, about what it goes back to. Where that is nothing, there is nothing to prove, and a
/// server that cannot load its configuration without the pair is left alone.
fn ask_again(step: &Step, back: &Back) -> Option<Step> {
    match (step, back) {
        (_, Back::Stay(_) | Back::Nothing { reload: false }) => None,
        (Step::TestServer { .. } | Step::Reload { .. }, _) => Some(step.clone()),
        (Step::Prove { at, .. }, Back::To(id)) => Some(Step::Prove { release: id.clone(), at: at.clone() }),
        _ => None,
    }
}

/// What an install of `wanted` does.
#[must_use]
pub fn install(wanted: &Wanted, seen: &Observed, layout: &Layout) -> InstallPlan {
    let id = &wanted.id;
    let at_rest = seen.live.as_ref() == Some(id) && (seen.chain, seen.key) == (Spot::Ours, Spot::Ours);
    let mut steps = Vec::new();
    if !at_rest {
        steps.extend(arrange(wanted, seen, layout));
    } else if wanted.remembered == Remembered::Otherwise {
        steps.push(Step::Remember { path: layout.settings() });
    }
    let questions = questions(id, &seen.server);
    let answered = matches!(seen.server, ServerState::Nothing | ServerState::Serves(_, Served::AsWanted));
    let proven = seen.proven.as_ref() == Some(id);
    let end = end(&seen.server);
    if !(at_rest && proven && answered) {
        steps.extend(questions);
    }
    if end == End::Proven && !(at_rest && proven) {
        let before = proven_before(seen);
        if before.as_ref() != Some(id) {
            steps.push(Step::MarkProven { from: before.clone(), to: id.clone() });
        }
        steps.push(Step::Record { release: id.clone(), before: before.filter(|before| before != id) });
        steps.push(Step::Prune);
    }
    InstallPlan { steps, back: back(seen), end, start: start(seen, layout) }
}

/// Everything up to and with the one rename that makes `wanted` the pair that servers read.
fn arrange(wanted: &Wanted, seen: &Observed, layout: &Layout) -> Vec<Step> {
    let mut steps = Vec::new();
    if !seen.releases.contains(&wanted.id) {
        steps.push(Step::WriteRelease { release: wanted.id.clone(), pieces: wanted.pieces.clone() });
    }
    steps.push(Step::Remember { path: layout.settings() });
    let mut live = seen.live.clone();
    if let Present::Whole(taken) = &seen.present {
        steps.extend(take_over(taken, seen));
        live = Some(taken.clone());
    }
    for (stable, spot) in Stable::BOTH.into_iter().zip([seen.chain, seen.key]) {
        let path = layout.stable(stable).to_owned();
        let held = matches!(seen.present, Present::Whole(_)) && !(seen.mixed && stable == Stable::Chain);
        if spot == Spot::File && !held {
            steps.push(Step::BackUp { path: path.clone() });
        }
        if spot != Spot::Ours {
            steps.push(Step::Link { path, text: layout.link_text(stable) });
        }
    }
    if live.as_ref() != Some(&wanted.id) {
        steps.push(Step::Switch { from: live, to: wanted.id.clone() });
    }
    steps
}

/// What the server reads now becomes a release that is live and proven, before a link shows it: nothing changes for
/// the server.
fn take_over(taken: &ReleaseId, seen: &Observed) -> Vec<Step> {
    let mut steps = Vec::new();
    if !seen.releases.contains(taken) {
        steps.push(Step::TakeOver { release: taken.clone() });
    }
    if seen.live.as_ref() != Some(taken) {
        steps.push(Step::Switch { from: seen.live.clone(), to: taken.clone() });
    }
    if seen.proven.as_ref() != Some(taken) {
        steps.push(Step::MarkProven { from: seen.proven.clone(), to: taken.clone() });
    }
    steps
}

fn proven_before(seen: &Observed) -> Option<ReleaseId> {
    match &seen.present {
        Present::Whole(taken) => Some(taken.clone()),
        _ => seen.proven.clone(),
    }
}

/// Test, reload, proof: as far as there is somebody to ask.
fn questions(id: &ReleaseId, server: &ServerState) -> Vec<Step> {
    let (asks, runs) = match server {
        ServerState::Nothing | ServerState::NotNamed => return Vec::new(),
        ServerState::Mends(asks) | ServerState::Serves(asks, _) => (asks, true),
        ServerState::Stopped(asks) => (asks, false),
    };
    let mut steps = Vec::new();
    if let Some(command) = asks.test.clone() {
        steps.push(Step::TestServer { command });
    }
    if let (true, Some(command)) = (runs, asks.reload.clone()) {
        steps.push(Step::Reload { command });
    }
    if runs && !asks.probe.is_empty() {
        steps.push(Step::Prove { release: id.clone(), at: asks.probe.clone() });
    }
    steps
}

fn end(server: &ServerState) -> End {
    match server {
        ServerState::NotNamed => End::NotNamed,
        ServerState::Stopped(_) => End::Stopped,
        ServerState::Mends(asks) | ServerState::Serves(asks, _) if asks.reach == Reach::Part => End::Partly,
        ServerState::Mends(_) | ServerState::Nothing | ServerState::Serves(..) => End::Proven,
    }
}

/// To what was proven or is taken over; never to a pair that no server can load.
fn back(seen: &Observed) -> Back {
    if let Present::Whole(taken) = &seen.present {
        return Back::To(taken.clone());
    }
    match (&seen.proven, &seen.present) {
        (Some(proven), _) if seen.releases.contains(proven) => Back::To(proven.clone()),
        (Some(proven), _) => Back::Stay(format!("no server can load the files before, {proven}")),
        (None, Present::Broken(why)) => Back::Stay(why.clone()),
        (None, _) => match loaded(seen) {
            Some(live) => Back::Unproven(live),
            None => Back::Nothing { reload: matches!(seen.server, ServerState::Serves(..)) },
        },
    }
}

/// The pair that a server was seen to load by its own test, where it is ours.
fn loaded(seen: &Observed) -> Option<ReleaseId> {
    let tested = matches!(&seen.server, ServerState::Serves(asks, _) if asks.test.is_some());
    let ours = (seen.chain, seen.key) == (Spot::Ours, Spot::Ours);
    seen.live.clone().filter(|live| tested && ours && seen.releases.contains(live))
}

/// What a rollback to `target` does: the way of an install whose files are all there.
#[must_use]
pub fn rollback(target: &ReleaseId, seen: &Observed, layout: &Layout) -> InstallPlan {
    let mut steps = Vec::new();
    if seen.live.as_ref() != Some(target) {
        steps.push(Step::Switch { from: seen.live.clone(), to: target.clone() });
    }
    let answered = matches!(seen.server, ServerState::Nothing | ServerState::Serves(_, Served::AsWanted));
    if !(steps.is_empty() && seen.proven.as_ref() == Some(target) && answered) {
        steps.extend(questions(target, &seen.server));
    }
    let end = end(&seen.server);
    if end == End::Proven && seen.proven.as_ref() != Some(target) {
        steps.push(Step::MarkProven { from: seen.proven.clone(), to: target.clone() });
    }
    InstallPlan { steps, back: back(seen), end, start: start(seen, layout) }
}

fn start(seen: &Observed, layout: &Layout) -> Start {
    let ours = Stable::BOTH.into_iter().zip([seen.chain, seen.key]).filter(|(_, spot)| *spot == Spot::Ours);
    Start { live: seen.live.clone(), links: ours.map(|(stable, _)| layout.stable(stable).to_owned()).collect() }
}

#[cfg(test)]
mod tests;
