//! Congestion control for one server: the timeout and the number of open questions, both based on
//! measurements. The timer follows RFC 6298; the window grows and halves as in RFC 5681. If a
//! server does not answer, further questions do not wait for it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// How many questions to one server may be open at first.
const FIRST_WINDOW: usize = 16;
/// The smallest window: one slow question must not delay those after it.
const NARROWEST: usize = 4;
/// The largest window: about 250 questions fill the default receive buffer of a name server, and
/// each dropped question costs a timeout.
const WIDEST: usize = 200;
/// The timer before any measurement, and the longest.
const FIRST_TIMER: Duration = Duration::from_secs(1);
const LONGEST_TIMER: Duration = Duration::from_secs(2);
/// After this many questions in a row without an answer, the server counts as unresponsive for this
/// long; then one question is sent as a test.
const SILENT_AFTER: u32 = 4;
const SILENT_FOR: Duration = Duration::from_secs(10);

/// The state of all servers that were queried.
#[derive(Debug, Default)]
pub(super) struct CongestionControl(Mutex<HashMap<SocketAddr, Arc<ServerCongestion>>>);

impl CongestionControl {
    pub(super) fn to(&self, server: SocketAddr) -> Arc<ServerCongestion> {
        Arc::clone(
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(server)
                .or_default(),
        )
    }
}

/// The congestion state of one server.
#[derive(Debug)]
pub(super) struct ServerCongestion {
    slots: Semaphore,
    measured: Mutex<Measurements>,
}

#[derive(Debug)]
struct Measurements {
    timer: RetryTimer,
    window: Window,
    /// Whether the server has ever answered.
    has_answered: bool,
    /// How many questions in a row got no answer.
    unanswered: u32,
    /// The time until which no more questions are sent, because the server was unresponsive.
    silent_until: Option<Instant>,
}

impl Default for ServerCongestion {
    fn default() -> Self {
        let window = Window::default();
        let measured = Measurements {
            timer: RetryTimer::default(),
            window,
            has_answered: false,
            unanswered: 0,
            silent_until: None,
        };
        Self {
            slots: Semaphore::new(window.size),
            measured: Mutex::new(measured),
        }
    }
}

impl ServerCongestion {
    /// Waits for a slot in the window; `None` if the server is unresponsive.
    pub(super) async fn wait_for_slot(&self) -> Option<QuerySlot<'_>> {
        let slot = self.slots.acquire().await.ok()?;
        let slot = QuerySlot {
            server: self,
            slot: Some(slot),
        };
        let may = self.measured().may_be_queried();
        may.then_some(slot)
    }

    /// Takes a slot in the window without waiting. The caller tries again after an answer, and
    /// returns the slot with [`ServerCongestion::release_slot`].
    pub(super) fn try_take_slot(&self) -> SendSlot {
        match self.slots.try_acquire() {
            Err(_) => SendSlot::Full,
            Ok(_) if !self.measured().may_be_queried() => SendSlot::Silent,
            Ok(slot) => {
                slot.forget();
                SendSlot::Taken
            }
        }
    }

    /// Returns a slot to the window.
    pub(super) fn release_slot(&self) {
        if !self.measured().window.absorbs_slot() {
            self.slots.add_permits(1);
        }
    }

    /// Returns how long to wait for the answer to a transmission (numbered from 0); at least
    /// `least`.
    pub(super) fn timeout(&self, transmission: u32, least: Duration) -> Duration {
        self.measured().timer.after(transmission, least)
    }

    /// Records an answer. `elapsed` is the time since the question was sent, if it was sent only
    /// once (RFC 6298 section 3, Karn's algorithm).
    pub(super) fn note_answer(&self, elapsed: Option<Duration>) {
        let mut measured = self.measured();
        if let Some(elapsed) = elapsed {
            measured.timer.sample(elapsed);
        }
        measured.has_answered = true;
        measured.unanswered = 0;
        measured.silent_until = None;
        let more = measured.window.grow();
        drop(measured);
        self.slots.add_permits(more);
    }

    /// Records that a timer expired: a datagram was lost, or too many were sent at once.
    pub(super) fn note_loss(&self) {
        let mut measured = self.measured();
        measured.timer.back_off();
        let pause = measured.timer.after(0, Duration::ZERO);
        measured.window.shrink(Instant::now(), pause);
    }

    /// Returns whether the server has ever answered.
    pub(super) fn has_answered(&self) -> bool {
        self.measured().has_answered
    }

    /// Records that a question got no answer until its deadline.
    pub(super) fn note_silence(&self) {
        let mut measured = self.measured();
        measured.unanswered += 1;
        if measured.unanswered >= SILENT_AFTER {
            measured.silent_until = Some(Instant::now() + SILENT_FOR);
        }
    }

    fn measured(&self) -> MutexGuard<'_, Measurements> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Measurements {
    fn may_be_queried(&mut self) -> bool {
        match self.silent_until {
            Some(until) if Instant::now() < until => false,
            // This question tests whether the server is still unresponsive; the others wait for the
            // result.
            Some(_) => {
                self.silent_until = Some(Instant::now() + SILENT_FOR);
                true
            }
            None => true,
        }
    }
}

/// The result of [`ServerCongestion::try_take_slot`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SendSlot {
    Taken,
    Full,
    /// The server is unresponsive.
    Silent,
}

/// A slot in the window; returned when dropped, unless the window has become smaller.
#[derive(Debug)]
pub(super) struct QuerySlot<'a> {
    server: &'a ServerCongestion,
    slot: Option<SemaphorePermit<'a>>,
}

impl Drop for QuerySlot<'_> {
    fn drop(&mut self) {
        if let (Some(slot), true) = (
            self.slot.take(),
            self.server.measured().window.absorbs_slot(),
        ) {
            slot.forget();
        }
    }
}

/// The smoothed time until an answer, and its variation (RFC 6298).
#[derive(Clone, Copy, Debug, Default)]
struct RetryTimer {
    smoothed: Option<(Duration, Duration)>,
    backed_off: u32,
}

impl RetryTimer {
    /// Updates the measurements (RFC 6298 section 2).
    fn sample(&mut self, elapsed: Duration) {
        self.backed_off = 0;
        self.smoothed = Some(match self.smoothed {
            None => (elapsed, elapsed / 2),
            Some((mean, deviation)) => (
                (mean * 7 + elapsed) / 8,
                (deviation * 3 + mean.abs_diff(elapsed)) / 4,
            ),
        });
    }

    /// Backs off the timer until an answer is measured again (RFC 6298 section 5.5).
    fn back_off(&mut self) {
        self.backed_off = (self.backed_off + 1).min(4);
    }

    fn after(&self, transmission: u32, least: Duration) -> Duration {
        let once = self
            .smoothed
            .map_or(FIRST_TIMER, |(mean, deviation)| mean + deviation * 4);
        let doubled = 1_u32 << transmission.max(self.backed_off).min(8);
        (once.max(least) * doubled).min(LONGEST_TIMER)
    }
}

/// How many questions may be open.
#[derive(Clone, Copy, Debug)]
struct Window {
    size: usize,
    /// Up to this size, each answer widens the window by one; above it, only a whole window of
    /// answers does.
    threshold: usize,
    credit: usize,
    /// How many slots to remove when they are returned, because the window has become smaller.
    slots_to_absorb: usize,
    shrunk: Option<Instant>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            size: FIRST_WINDOW,
            threshold: WIDEST,
            credit: 0,
            slots_to_absorb: 0,
            shrunk: None,
        }
    }
}

impl Window {
    /// Records an answer; returns how many slots are added.
    fn grow(&mut self) -> usize {
        self.credit += 1;
        if self.size >= WIDEST || (self.size >= self.threshold && self.credit < self.size) {
            return 0;
        }
        self.size += 1;
        self.credit = 0;
        if self.slots_to_absorb > 0 {
            self.slots_to_absorb -= 1;
            return 0;
        }
        1
    }

    /// Records a loss: halves the window, once for all losses within `pause`.
    fn shrink(&mut self, now: Instant, pause: Duration) {
        if self
            .shrunk
            .is_some_and(|then| now.duration_since(then) < pause)
        {
            return;
        }
        let half = (self.size / 2).max(NARROWEST);
        self.slots_to_absorb += self.size - half;
        self.size = half;
        self.threshold = half;
        self.credit = 0;
        self.shrunk = Some(now);
    }

    /// Returns whether a returned slot is removed.
    fn absorbs_slot(&mut self) -> bool {
        let is_absorbed = self.slots_to_absorb > 0;
        self.slots_to_absorb -= usize::from(is_absorbed);
        is_absorbed
    }
}

#[cfg(test)]
mod tests {
    use super::{
        FIRST_TIMER, FIRST_WINDOW, LONGEST_TIMER, NARROWEST, RetryTimer, SILENT_AFTER,
        ServerCongestion, WIDEST, Window,
    };
    use std::time::Duration;
    use tokio::time::Instant;

    const LEAST: Duration = Duration::from_millis(30);

    #[test]
    fn the_timer_follows_the_measured_answers() {
        let mut timer = RetryTimer::default();
        assert_eq!(timer.after(0, LEAST), FIRST_TIMER);
        assert_eq!(timer.after(1, LEAST), FIRST_TIMER * 2);
        (0..50).for_each(|_| timer.sample(Duration::from_millis(100)));
        let steady = timer.after(0, LEAST);
        assert!(
            steady >= Duration::from_millis(100) && steady < Duration::from_millis(102),
            "{steady:?}"
        );
        timer.sample(Duration::from_millis(300));
        assert!(
            timer.after(0, LEAST) > Duration::from_millis(300),
            "a late answer is waited for"
        );
        timer.back_off();
        assert!(timer.after(0, LEAST) > steady * 2);
        (0..8).for_each(|_| timer.back_off());
        assert_eq!(timer.after(9, LEAST), LONGEST_TIMER);
        (0..80).for_each(|_| timer.sample(Duration::from_micros(50)));
        assert_eq!(timer.after(0, LEAST), LEAST);
    }

    #[test]
    fn the_window_doubles_then_halves_then_grows_slowly() {
        let (mut window, now, pause) =
            (Window::default(), Instant::now(), Duration::from_millis(50));
        let grown: usize = (0..1000).map(|_| window.grow()).sum();
        assert_eq!((window.size, grown), (WIDEST, WIDEST - FIRST_WINDOW));
        window.shrink(now, pause);
        window.shrink(now + pause / 2, pause);
        assert_eq!(
            (window.size, window.slots_to_absorb),
            (WIDEST / 2, WIDEST / 2),
            "losses within the pause halve the window once"
        );
        let taken = (0..WIDEST).filter(|_| window.absorbs_slot()).count();
        assert_eq!((taken, window.slots_to_absorb), (WIDEST / 2, 0));
        (0..WIDEST / 2).for_each(|_| assert!(window.grow() <= 1));
        assert_eq!(window.size, WIDEST / 2 + 1);
        (1..20).for_each(|slot| window.shrink(now + pause * 2 * slot, pause));
        assert_eq!(window.size, NARROWEST);
    }

    #[tokio::test]
    async fn places_follow_the_window() {
        let server = ServerCongestion::default();
        let mut slots = Vec::new();
        for _ in 0..FIRST_WINDOW {
            slots.push(server.wait_for_slot().await.unwrap());
        }
        assert_eq!(server.slots.available_permits(), 0);
        server.note_loss();
        slots.clear();
        assert_eq!(server.slots.available_permits(), FIRST_WINDOW / 2);
        (0..FIRST_WINDOW / 2).for_each(|_| server.note_answer(Some(Duration::from_millis(1))));
        assert_eq!(server.slots.available_permits(), FIRST_WINDOW / 2 + 1);
    }

    #[tokio::test]
    async fn questions_to_a_silent_server_do_not_wait() {
        let server = ServerCongestion::default();
        for _ in 0..SILENT_AFTER {
            assert!(server.wait_for_slot().await.is_some());
            server.note_silence();
        }
        assert!(server.wait_for_slot().await.is_none());
        server.note_answer(None);
        assert!(server.wait_for_slot().await.is_some());
        assert_eq!(server.slots.available_permits(), FIRST_WINDOW + 1);
    }
}
