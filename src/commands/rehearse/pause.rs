//! `--step`: shows each part of the rehearsal as soon as it is known, and waits for Enter.

use serde_json::Value;

use crate::advice;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::report::{Outcome, Sink, TextOutput};
use crate::system::fs::stdin;
use crate::system::signals::InterruptSignal;
use crate::system::terminal::{self, AskError};

/// Whether the rehearsal waits after each step.
#[derive(Debug)]
pub(super) enum StepPause<'a> {
    /// It runs through and prints everything at its end.
    Never,
    /// It prints each step and waits for Enter.
    AfterEachStep(&'a Sink),
}

impl<'a> StepPause<'a> {
    /// Prints to the output of `context` and waits on its terminal.
    ///
    /// # Errors
    /// When `--json` was given, or there is no terminal to wait for Enter on.
    pub(super) fn after_each_step(context: &'a Context) -> Result<Self, Failure> {
        let message = if context.sink.wants_json() {
            "`--step` cannot be combined with `--json`"
        } else if !(stdin::stdin_is_terminal() && context.sink.prints_to_terminal()) {
            "`--step` waits for Enter, but stdin or stdout is not a terminal"
        } else {
            return Ok(Self::AfterEachStep(&context.sink));
        };
        let failure = Failure::new(FailureKind::Usage, message);
        Err(failure.with_step(advice::rehearsal::omit_step()))
    }

    /// True if each part is printed as soon as it is known.
    pub(super) fn prints_each_step(&self) -> bool {
        matches!(self, Self::AfterEachStep(_))
    }

    /// Prints a part of the rehearsal at once; does nothing without `--step`.
    pub(super) fn print(&self, write_text: impl Fn(&mut TextOutput)) {
        if let Self::AfterEachStep(sink) = self {
            // A closed stdout is noticed when the end of the rehearsal is printed.
            let _ = sink.print_outcome(&RehearsalPart { write_text });
        }
    }

    /// Waits for Enter; does nothing without `--step`. A signal ends the wait, and the caller checks
    /// for it.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub(super) fn wait(&self, interrupt: &InterruptSignal) -> Result<(), Failure> {
        if !self.prints_each_step() {
            return Ok(());
        }
        self.print(|text| {
            text.add_plain("");
            text.add_plain("Press Enter to continue.");
        });
        match terminal::wait_for_enter(interrupt) {
            Ok(()) | Err(AskError::Interrupted(_)) => Ok(()),
            Err(error) => Err(Failure::from_error(FailureKind::Io, &error)),
        }
    }
}

/// A part of the report that is printed before the end.
struct RehearsalPart<F> {
    write_text: F,
}

impl<F: Fn(&mut TextOutput)> Outcome for RehearsalPart<F> {
    fn json(&self) -> Value {
        Value::Null
    }

    fn human(&self, text: &mut TextOutput) {
        (self.write_text)(text);
    }

    fn exit_code(&self) -> u8 {
        0
    }
}
