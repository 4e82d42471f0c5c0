//! The jobs of one zone in a batch: how many may be open, and whether the zone's servers answer.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::dcv::answer::DnsSurvey;

/// How many jobs of one zone may be open: at first, and at the most.
const FIRST_ALLOWED: usize = 4;
const MOST_ALLOWED: usize = 256;
/// After this many jobs in a row without an answer, the zone counts as unresponsive: its servers
/// are not queried for this long.
const UNRESPONSIVE_AFTER: u32 = 3;
const UNRESPONSIVE_FOR: Duration = Duration::from_secs(30);
/// The maximum number of zones that may count as unresponsive at once.
const MOST_UNRESPONSIVE: usize = 1000;

/// The jobs of one zone.
pub(super) struct ZoneQueue<J> {
    pub waiting: VecDeque<J>,
    pub open: usize,
    /// How many jobs may be open.
    pub allowed: usize,
    /// How many jobs in a row got no answer.
    failed: u32,
    unresponsive: Option<UnresponsiveZone>,
}

/// A zone whose servers do not answer.
struct UnresponsiveZone {
    since: Instant,
    last: DnsSurvey,
}

impl<J> Default for ZoneQueue<J> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            open: 0,
            allowed: FIRST_ALLOWED,
            failed: 0,
            unresponsive: None,
        }
    }
}

impl<J> ZoneQueue<J> {
    /// Returns the last survey, while the zone's servers are not queried again.
    pub(super) fn survey_while_unresponsive(&self) -> Option<&DnsSurvey> {
        self.unresponsive
            .as_ref()
            .filter(|unresponsive| unresponsive.since.elapsed() < UNRESPONSIVE_FOR)
            .map(|unresponsive| &unresponsive.last)
    }

    /// Records an answer, after which more jobs may be open. Returns whether the zone was
    /// unresponsive before.
    pub(super) fn note_success(&mut self) -> bool {
        self.failed = 0;
        self.allowed = (self.allowed * 2).min(MOST_ALLOWED);
        self.unresponsive.take().is_some()
    }

    /// Records that the zone did not answer; after several failures in a row it counts as
    /// unresponsive. Returns whether it has just become unresponsive, in addition to the
    /// `unresponsive_zones`.
    pub(super) fn note_failure(
        &mut self,
        unanswered: Option<DnsSurvey>,
        unresponsive_zones: usize,
    ) -> bool {
        self.failed += 1;
        let was_unresponsive = self.unresponsive.is_some();
        if self.failed < UNRESPONSIVE_AFTER
            || (!was_unresponsive && unresponsive_zones >= MOST_UNRESPONSIVE)
        {
            return false;
        }
        self.unresponsive = unanswered.map(|last| UnresponsiveZone {
            since: Instant::now(),
            last,
        });
        !was_unresponsive
    }

    pub(super) fn is_idle(&self) -> bool {
        self.open == 0 && self.waiting.is_empty() && self.unresponsive.is_none()
    }
}
