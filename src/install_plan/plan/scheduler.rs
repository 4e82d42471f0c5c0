//! Several plans as one course: the changes of all pairs, then one test and one reload of each
//! server, then one proof of all, and last what is noted. Whoever runs it asks what comes
//! [`PlanScheduler::next`] and says how that ended; a pair that failed goes back on all its
//! servers, and those are tested and reloaded again, while the others go on. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::step::{InstallPlan, PlanStep};
use super::undo::{BackedUpFile, undo};

/// What is to be done next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum NextAction {
    /// A step of one pair alone.
    Do(usize, PlanStep),
    /// A test or a reload of a server, once for all of these pairs.
    Ask(PlanStep, Vec<usize>),
    /// A folder that several pairs have changed is flushed, once: what comes next relies on it.
    Flush(PathBuf),
    /// Each of these pairs is asked for as its step says, all at once.
    Prove(Vec<(usize, PlanStep)>),
}

/// In this order, over all pairs: whoever goes back does so at once; no link takes the place of a
/// file before all backups are safe, no pair is switched before all links are. What is noted comes
/// last: until then everything can go back.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Rank {
    Return,
    Write,
    BackUp,
    Link,
    Switch,
    Test,
    Reload,
    Prove,
    Settle,
}

/// How far one pair has come.
#[derive(Debug)]
pub(crate) struct PlanProgress<'a, T> {
    /// What was planned for it.
    pub plan: &'a InstallPlan,
    /// Every step that was begun on the way there.
    pub attempted: Vec<PlanStep>,
    /// The plain files that were kept on the way.
    pub kept: Vec<BackedUpFile>,
    /// Why it went back; none when it did not.
    pub trouble: Option<T>,
    /// What of the way back ended well.
    pub back: Vec<PlanStep>,
    /// What of it did not, and why; none where it was left out because a test before it failed.
    pub not_back: Vec<(PlanStep, Option<T>)>,
    /// What is still to be done, the last first.
    open: Vec<PlanStep>,
}

impl<'a, T> PlanProgress<'a, T> {
    fn new(plan: &'a InstallPlan) -> Self {
        let open = plan.steps.iter().rev().cloned().collect();
        let (attempted, kept, back, not_back) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self {
            plan,
            attempted,
            kept,
            trouble: None,
            back,
            not_back,
            open,
        }
    }

    fn rank(&self) -> Option<Rank> {
        let notes = |step: &PlanStep| {
            matches!(
                step,
                PlanStep::MarkProven { .. } | PlanStep::Record { .. } | PlanStep::Prune
            )
        };
        Some(match self.open.last()? {
            PlanStep::TestServer { .. } => Rank::Test,
            PlanStep::Reload { .. } => Rank::Reload,
            PlanStep::Prove { .. } => Rank::Prove,
            _ if self.trouble.is_some() => Rank::Return,
            PlanStep::BackUp { .. } => Rank::BackUp,
            PlanStep::Link { .. } => Rank::Link,
            _ if self.open.iter().all(notes) => Rank::Settle,
            // What is taken over is made live before a link shows it.
            PlanStep::Switch { .. } if self.open.iter().all(|step| arranged(step).is_none()) => {
                Rank::Switch
            }
            _ => Rank::Write,
        })
    }

    fn begun(&self, wanted: impl Fn(&PlanStep) -> bool) -> bool {
        self.attempted.iter().any(wanted)
    }

    fn goes_on(&self) -> bool {
        self.trouble.is_none() && !self.begun(|step| matches!(step, PlanStep::Record { .. }))
    }
}

/// The path that is changed among those of other pairs.
fn arranged(step: &PlanStep) -> Option<&Path> {
    match step {
        PlanStep::BackUp { path } | PlanStep::Link { path, .. } => Some(path),
        _ => None,
    }
}

/// All pairs on their ways.
#[derive(Debug)]
pub(crate) struct PlanScheduler<'a, T> {
    ways: Vec<PlanProgress<'a, T>>,
    open: BTreeSet<(Rank, usize)>,
    /// Folders that are not flushed yet, and whose changes are in them.
    unflushed: BTreeMap<(Rank, PathBuf), BTreeSet<usize>>,
}

impl<'a, T: Clone> PlanScheduler<'a, T> {
    /// Nothing is done yet.
    #[must_use]
    pub(crate) fn new(plans: impl IntoIterator<Item = &'a InstallPlan>) -> Self {
        let ways: Vec<PlanProgress<'a, T>> = plans.into_iter().map(PlanProgress::new).collect();
        let open = ways
            .iter()
            .enumerate()
            .filter_map(|(pair, way)| Some((way.rank()?, pair)))
            .collect();
        Self {
            ways,
            open,
            unflushed: BTreeMap::new(),
        }
    }

    /// What comes next; none when all is done.
    #[must_use]
    pub(crate) fn next(&self) -> Option<NextAction> {
        let open = self.open.first();
        if let Some(((since, folder), _)) = self.unflushed.first_key_value()
            && open.is_none_or(|(next, _)| since < next)
        {
            return Some(NextAction::Flush(folder.clone()));
        }
        let &(rank, first) = open?;
        let front = |pair: usize| {
            self.ways[pair]
                .open
                .last()
                .cloned()
                .map(|step| (pair, step))
        };
        let (pair, step) = front(first)?;
        let at_once = self
            .open
            .iter()
            .take_while(|(other, _)| *other == rank)
            .map(|&(_, pair)| pair);
        Some(match rank {
            Rank::Return
            | Rank::Write
            | Rank::BackUp
            | Rank::Link
            | Rank::Switch
            | Rank::Settle => NextAction::Do(pair, step),
            Rank::Prove => NextAction::Prove(at_once.filter_map(front).collect()),
            Rank::Test | Rank::Reload => {
                let same = |pair: &usize| self.ways[*pair].open.last() == Some(&step);
                let pairs = at_once.filter(same).collect();
                NextAction::Ask(step, pairs)
            }
        })
    }

    /// Whether everything that can fail for a reason outside is over: what is left is only noted.
    #[must_use]
    pub(crate) fn is_settling(&self) -> bool {
        let noted = |step: &PlanStep| matches!(step, PlanStep::Record { .. });
        self.ways
            .iter()
            .any(|way| way.trouble.is_none() && way.begun(noted))
    }

    /// The steps of one pair after the one that it stands before.
    pub(crate) fn after(&self, pair: usize) -> impl Iterator<Item = &PlanStep> {
        self.ways[pair].open.iter().rev().skip(1)
    }

    /// Notes that a step of one pair begins: one that fails halfway may have worked.
    pub(crate) fn begins(&mut self, pair: usize, step: &PlanStep) {
        if self.ways[pair].trouble.is_none() {
            self.ways[pair].attempted.push(step.clone());
        }
    }

    /// Notes a plain file that was kept.
    pub(crate) fn keeps(&mut self, pair: usize, kept: BackedUpFile) {
        self.ways[pair].kept.push(kept);
    }

    /// The first step of these pairs ended well.
    pub(crate) fn went_well(&mut self, pairs: &[usize]) {
        for &pair in pairs {
            self.changed(pair);
            self.advance(pair, |way, step| {
                if way.trouble.is_some() {
                    way.back.push(step);
                }
            });
        }
    }

    /// The folder of a backup or a link waits for those of the other pairs.
    fn changed(&mut self, pair: usize) {
        let way = &self.ways[pair];
        let folder = way.open.last().and_then(arranged).and_then(Path::parent);
        if let (Some(rank @ (Rank::BackUp | Rank::Link)), Some(folder)) = (way.rank(), folder) {
            self.unflushed
                .entry((rank, folder.to_owned()))
                .or_default()
                .insert(pair);
        }
    }

    /// A folder was flushed; or, for a reason, it could not be: whoever has changed it goes back.
    pub(crate) fn flushed(&mut self, folder: &Path, failed: Option<&T>) {
        let all = [Rank::BackUp, Rank::Link]
            .map(|rank| self.unflushed.remove(&(rank, folder.to_owned())));
        let pairs: BTreeSet<usize> = all.into_iter().flatten().flatten().collect();
        if let Some(why) = failed {
            let going: Vec<usize> = pairs
                .into_iter()
                .filter(|&pair| self.ways[pair].goes_on())
                .collect();
            going
                .into_iter()
                .for_each(|pair| self.turn_back(pair, why.clone()));
        }
    }

    /// The first step of one pair failed: it goes back; or, where it is on its way back, that step
    /// is left undone.
    pub(crate) fn failed(&mut self, pair: usize, why: T) {
        if self.ways[pair].trouble.is_some() {
            self.advance(pair, |way, step| way.not_back.push((step, Some(why))));
        } else {
            self.turn_back(pair, why);
        }
    }

    /// A test or a reload failed. Of the pairs that its words name those go back that have not
    /// settled; where it names none of them, all that the server reads. Where none is left that
    /// could go back, it is left undone.
    pub(crate) fn refused(&mut self, question: &PlanStep, named: &[usize], why: &T) {
        let reads = |way: &PlanProgress<'_, T>| way.goes_on() && way.begun(|step| step == question);
        let of_server: Vec<usize> = (0..self.ways.len())
            .filter(|&pair| reads(&self.ways[pair]))
            .collect();
        let mut blamed: Vec<usize> = of_server
            .iter()
            .copied()
            .filter(|pair| named.contains(pair))
            .collect();
        if blamed.is_empty() {
            blamed = of_server;
        }
        for &pair in &blamed {
            self.turn_back(pair, why.clone());
        }
        if blamed.is_empty() {
            let stuck =
                (0..self.ways.len()).filter(|&pair| self.ways[pair].open.last() == Some(question));
            for pair in stuck.collect::<Vec<_>>() {
                self.failed(pair, why.clone());
                self.leave_out_reload(pair, question);
            }
        }
    }

    /// A server was reloaded: pairs that it was seen to serve before are asked for again.
    pub(crate) fn reloaded(&mut self, question: &PlanStep) {
        for pair in 0..self.ways.len() {
            let way = &self.ways[pair];
            let is_over = way.goes_on() && matches!(way.rank(), None | Some(Rank::Settle));
            let proof = way
                .plan
                .steps
                .iter()
                .rposition(|step| matches!(step, PlanStep::Prove { .. }));
            if let (true, Some(proof)) = (is_over && way.begun(|step| step == question), proof) {
                self.unfile(pair);
                self.ways[pair].open = self.ways[pair].plan.steps[proof..]
                    .iter()
                    .rev()
                    .cloned()
                    .collect();
                self.file(pair);
            }
        }
    }

    /// Whoever has not settled goes back, each for a reason of its own.
    pub(crate) fn interrupted(&mut self, why: &T) {
        for pair in 0..self.ways.len() {
            if self.ways[pair].goes_on() && !self.ways[pair].open.is_empty() {
                self.turn_back(pair, why.clone());
            }
        }
    }

    #[must_use]
    pub(crate) fn into_ways(self) -> Vec<PlanProgress<'a, T>> {
        self.ways
    }

    fn turn_back(&mut self, pair: usize, why: T) {
        self.unfile(pair);
        let way = &mut self.ways[pair];
        way.trouble = Some(why);
        way.open = undo(way.plan, &way.attempted, &way.kept).steps;
        way.open.reverse();
        self.file(pair);
    }

    /// A server that refuses its configuration is not told to load it.
    fn leave_out_reload(&mut self, pair: usize, question: &PlanStep) {
        let PlanStep::TestServer {
            server: refusing, ..
        } = question
        else {
            return;
        };
        self.unfile(pair);
        let way = &mut self.ways[pair];
        let is_its =
            |step: &PlanStep| matches!(step, PlanStep::Reload { server, .. } if server == refusing);
        let (left_out, open) = std::mem::take(&mut way.open).into_iter().partition(is_its);
        way.open = open;
        way.not_back
            .extend(Vec::into_iter(left_out).map(|step| (step, None)));
        self.file(pair);
    }

    fn advance(&mut self, pair: usize, note: impl FnOnce(&mut PlanProgress<'a, T>, PlanStep)) {
        self.unfile(pair);
        if let Some(step) = self.ways[pair].open.pop() {
            note(&mut self.ways[pair], step);
        }
        self.file(pair);
    }

    fn unfile(&mut self, pair: usize) {
        if let Some(rank) = self.ways[pair].rank() {
            self.open.remove(&(rank, pair));
        }
    }

    fn file(&mut self, pair: usize) {
        if let Some(rank) = self.ways[pair].rank() {
            self.open.insert((rank, pair));
        }
    }
}
