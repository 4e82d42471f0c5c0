//! The jobs of one zone in a batch: how many may be open, and whether the zone's servers answer.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::dcv::answer::DnsSurvey;

/// How many jobs of one zone may be open: at first, and at the most.
const FIRST_OF_A_ZONE: usize = 4;
const OF_ONE_ZONE: usize = 256;
/// After this many jobs in a row without an answer, the zone's servers are not queried for this
/// long.
const LOST_AFTER: u32 = 3;
const LOST_FOR: Duration = Duration::from_secs(30);
/// The most zones that may be lost at once.
const LOST_ZONES: usize = 1000;

/// The jobs of one zone.
pub(super) struct ZoneQueue<J> {
    pub(super) waiting: VecDeque<J>,
    pub(super) open: usize,
    /// How many may be open.
    pub(super) allowed: usize,
    /// How many jobs in a row got no answer.
    failed: u32,
    lost: Option<LostZone>,
}

/// A zone whose servers do not answer.
struct LostZone {
    since: Instant,
    last: DnsSurvey,
}

impl<J> Default for ZoneQueue<J> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            open: 0,
            allowed: FIRST_OF_A_ZONE,
            failed: 0,
            lost: None,
        }
    }
}

impl<J> ZoneQueue<J> {
    /// Returns the last survey, while the zone's servers are not queried again.
    pub(super) fn survey_while_lost(&self) -> Option<&DnsSurvey> {
        self.lost
            .as_ref()
            .filter(|lost| lost.since.elapsed() < LOST_FOR)
            .map(|lost| &lost.last)
    }

    /// Records an answer, after which more jobs may be open. Returns true if the zone was lost
    /// before.
    pub(super) fn note_success(&mut self) -> bool {
        self.failed = 0;
        self.allowed = (self.allowed * 2).min(OF_ONE_ZONE);
        self.lost.take().is_some()
    }

    /// Records that the zone did not answer; after some failures in a row it is lost. Returns true
    /// if it becomes lost, in addition to the `lost_zones`.
    pub(super) fn note_failure(
        &mut self,
        unanswered: Option<DnsSurvey>,
        lost_zones: usize,
    ) -> bool {
        self.failed += 1;
        let was_lost = self.lost.is_some();
        if self.failed < LOST_AFTER || (!was_lost && lost_zones >= LOST_ZONES) {
            return false;
        }
        self.lost = unanswered.map(|last| LostZone {
            since: Instant::now(),
            last,
        });
        !was_lost
    }

    pub(super) fn is_idle(&self) -> bool {
        self.open == 0 && self.waiting.is_empty() && self.lost.is_none()
    }
}
