//! The way to one server: how long its answers take and how many questions it takes at once, both
//! as measured. The timer is RFC 6298's, the window grows and halves as RFC 5681's does; a server
//! that stays silent is not waited for again and again.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// The questions that are under way at one server to begin with.
const FIRST_WINDOW: usize = 16;
/// The fewest: one question that takes long must not hold up those behind it.
const NARROWEST: usize = 4;
/// The most: about 250 fill the receive buffer that a name server has by default, and what it drops
/// costs a timer each.
const WIDEST: usize = 200;
/// The timer before anything was measured, and its longest.
const FIRST_TIMER: Duration = Duration::from_secs(1);
const LONGEST_TIMER: Duration = Duration::from_secs(2);
/// So many questions in a row that nothing came to make a server silent, for so long; then one is
/// let through to see.
const SILENT_AFTER: u32 = 4;
const SILENT_FOR: Duration = Duration::from_secs(10);

/// The ways to all servers that were asked.
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

/// What is known of the way to one server.
#[derive(Debug)]
pub(super) struct ServerCongestion {
    slots: Semaphore,
    measured: Mutex<Measured>,
}

#[derive(Debug)]
struct Measured {
    timer: Timer,
    window: Window,
    /// Whether there ever was an answer.
    answers: bool,
    /// Questions in a row that stayed without an answer, and until when no more are asked for that.
    unanswered: u32,
    silent_until: Option<Instant>,
}

impl Default for ServerCongestion {
    fn default() -> Self {
        let (timer, window) = (Timer::default(), Window::default());
        let measured = Measured {
            timer,
            window,
            answers: false,
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
    /// A place among the questions under way; `None` where the server is known to stay silent.
    pub(super) async fn turn(&self) -> Option<QueryTurn<'_>> {
        let slot = self.slots.acquire().await.ok()?;
        let turn = QueryTurn {
            way: self,
            slot: Some(slot),
        };
        let may = self.measured().may_be_asked();
        may.then_some(turn)
    }

    /// The same at once, for who asks again when something came and gives the place back by
    /// [`ServerCongestion::leave`].
    pub(super) fn take(&self) -> SendSlot {
        match self.slots.try_acquire() {
            Err(_) => SendSlot::Full,
            Ok(_) if !self.measured().may_be_asked() => SendSlot::Silent,
            Ok(slot) => {
                slot.forget();
                SendSlot::Taken
            }
        }
    }

    /// Gives back a place that was taken.
    pub(super) fn leave(&self) {
        if !self.measured().window.takes_back() {
            self.slots.add_permits(1);
        }
    }

    /// How long to wait for the answer to the transmission of that number, from 0. `least`: what
    /// any answer may take.
    pub(super) fn patience(&self, transmission: u32, least: Duration) -> Duration {
        self.measured().timer.after(transmission, least)
    }

    /// An answer came. `took`: since the question was sent, where it was sent once (RFC 6298 3,
    /// Karn).
    pub(super) fn answered(&self, took: Option<Duration>) {
        let mut measured = self.measured();
        took.into_iter()
            .for_each(|took| measured.timer.sample(took));
        (measured.answers, measured.unanswered, measured.silent_until) = (true, 0, None);
        let more = measured.window.grow();
        drop(measured);
        self.slots.add_permits(more);
    }

    /// The timer ran out: something was lost, or there was too much at once.
    pub(super) fn lost(&self) {
        let mut measured = self.measured();
        measured.timer.back_off();
        let pause = measured.timer.after(0, Duration::ZERO);
        measured.window.shrink(Instant::now(), pause);
    }

    /// Whether there ever was an answer.
    pub(super) fn answers(&self) -> bool {
        self.measured().answers
    }

    /// A question stayed without any answer until its end.
    pub(super) fn silent(&self) {
        let mut measured = self.measured();
        measured.unanswered += 1;
        if measured.unanswered >= SILENT_AFTER {
            measured.silent_until = Some(Instant::now() + SILENT_FOR);
        }
    }

    fn measured(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Measured {
    fn may_be_asked(&mut self) -> bool {
        match self.silent_until {
            Some(until) if Instant::now() < until => false,
            // This one sees whether it still is; the others wait for what it finds.
            Some(_) => {
                self.silent_until = Some(Instant::now() + SILENT_FOR);
                true
            }
            None => true,
        }
    }
}

/// Whether there is a place among the questions under way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SendSlot {
    Taken,
    Full,
    /// The server is known to stay silent.
    Silent,
}

/// One question's place; given back when dropped, unless the window has become smaller.
#[derive(Debug)]
pub(super) struct QueryTurn<'a> {
    way: &'a ServerCongestion,
    slot: Option<SemaphorePermit<'a>>,
}

impl Drop for QueryTurn<'_> {
    fn drop(&mut self) {
        if let (Some(slot), true) = (self.slot.take(), self.way.measured().window.takes_back()) {
            slot.forget();
        }
    }
}

/// RFC 6298: the time an answer takes, smoothed, and how much it varies.
#[derive(Clone, Copy, Debug, Default)]
struct Timer {
    smoothed: Option<(Duration, Duration)>,
    backed_off: u32,
}

impl Timer {
    /// RFC 6298 2.
    fn sample(&mut self, took: Duration) {
        self.backed_off = 0;
        self.smoothed = Some(match self.smoothed {
            None => (took, took / 2),
            Some((mean, varies)) => (
                (mean * 7 + took) / 8,
                (varies * 3 + mean.abs_diff(took)) / 4,
            ),
        });
    }

    /// RFC 6298 5.5: kept until an answer is measured again.
    fn back_off(&mut self) {
        self.backed_off = (self.backed_off + 1).min(4);
    }

    fn after(&self, transmission: u32, least: Duration) -> Duration {
        let once = self
            .smoothed
            .map_or(FIRST_TIMER, |(mean, varies)| mean + varies * 4);
        let doubled = 1_u32 << transmission.max(self.backed_off).min(8);
        (once.max(least) * doubled).min(LONGEST_TIMER)
    }
}

/// How many questions may be under way.
#[derive(Clone, Copy, Debug)]
struct Window {
    size: usize,
    /// Up to here each answer makes it wider by one; above, a whole window of answers does.
    threshold: usize,
    credit: usize,
    /// Places to be taken away when they are given back.
    owed: usize,
    shrunk: Option<Instant>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            size: FIRST_WINDOW,
            threshold: WIDEST,
            credit: 0,
            owed: 0,
            shrunk: None,
        }
    }
}

impl Window {
    /// An answer came; says how many places there are more.
    fn grow(&mut self) -> usize {
        self.credit += 1;
        if self.size >= WIDEST || (self.size >= self.threshold && self.credit < self.size) {
            return 0;
        }
        (self.size, self.credit) = (self.size + 1, 0);
        if self.owed > 0 {
            self.owed -= 1;
            return 0;
        }
        1
    }

    /// Something was lost: half of it, once for all that is lost at one time.
    fn shrink(&mut self, now: Instant, pause: Duration) {
        if self
            .shrunk
            .is_some_and(|then| now.duration_since(then) < pause)
        {
            return;
        }
        let half = (self.size / 2).max(NARROWEST);
        self.owed += self.size - half;
        (self.size, self.threshold, self.credit, self.shrunk) = (half, half, 0, Some(now));
    }

    /// Whether a place given back is to go.
    fn takes_back(&mut self) -> bool {
        let owed = self.owed > 0;
        self.owed -= usize::from(owed);
        owed
    }
}

#[cfg(test)]
mod tests {
    use super::{
        FIRST_TIMER, FIRST_WINDOW, LONGEST_TIMER, NARROWEST, SILENT_AFTER, ServerCongestion, Timer,
        WIDEST, Window,
    };
    use std::time::Duration;
    use tokio::time::Instant;

    const LEAST: Duration = Duration::from_millis(30);

    #[test]
    fn the_timer_follows_what_answers_take() {
        let mut timer = Timer::default();
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
            "one that is late is waited for"
        );
        timer.back_off();
        assert!(timer.after(0, LEAST) > steady * 2);
        (0..8).for_each(|_| timer.back_off());
        assert_eq!(timer.after(9, LEAST), LONGEST_TIMER);
        (0..80).for_each(|_| timer.sample(Duration::from_micros(50)));
        assert_eq!(timer.after(0, LEAST), LEAST);
    }

    #[test]
    fn the_window_doubles_then_halves_then_creeps() {
        let (mut window, now, pause) =
            (Window::default(), Instant::now(), Duration::from_millis(50));
        let grown: usize = (0..1000).map(|_| window.grow()).sum();
        assert_eq!((window.size, grown), (WIDEST, WIDEST - FIRST_WINDOW));
        window.shrink(now, pause);
        window.shrink(now + pause / 2, pause);
        assert_eq!(
            (window.size, window.owed),
            (WIDEST / 2, WIDEST / 2),
            "one loss halves once"
        );
        let taken = (0..WIDEST).filter(|_| window.takes_back()).count();
        assert_eq!((taken, window.owed), (WIDEST / 2, 0));
        (0..WIDEST / 2).for_each(|_| assert!(window.grow() <= 1));
        assert_eq!(window.size, WIDEST / 2 + 1);
        (1..20).for_each(|turn| window.shrink(now + pause * 2 * turn, pause));
        assert_eq!(window.size, NARROWEST);
    }

    #[tokio::test]
    async fn places_follow_the_window() {
        let way = ServerCongestion::default();
        let mut turns = Vec::new();
        for _ in 0..FIRST_WINDOW {
            turns.push(way.turn().await.unwrap());
        }
        assert_eq!(way.slots.available_permits(), 0);
        way.lost();
        turns.clear();
        assert_eq!(way.slots.available_permits(), FIRST_WINDOW / 2);
        (0..FIRST_WINDOW / 2).for_each(|_| way.answered(Some(Duration::from_millis(1))));
        assert_eq!(way.slots.available_permits(), FIRST_WINDOW / 2 + 1);
    }

    #[tokio::test]
    async fn a_silent_server_is_not_waited_for_again() {
        let way = ServerCongestion::default();
        for _ in 0..SILENT_AFTER {
            assert!(way.turn().await.is_some());
            way.silent();
        }
        assert!(way.turn().await.is_none());
        way.answered(None);
        assert!(way.turn().await.is_some());
        assert_eq!(way.slots.available_permits(), FIRST_WINDOW + 1);
    }
}
