//! The one shape of refusals and failures: the problems, then the state, then what to do.

use crate::finding::{Finding, NextStep, Severity};
use crate::report::TextOutput;

/// Prints findings without their next steps, then the state with `show_state`, and last what to do:
/// the steps of errors, each once, and then `next`. The steps of warnings are printed where there is
/// no error: they can wait until the error is fixed.
pub(crate) fn show_problems(
    text: &mut TextOutput,
    findings: &[Finding],
    next: &[NextStep],
    show_state: impl FnOnce(&mut TextOutput),
) {
    let mut problems = findings.to_vec();
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    let worst = problems.first().map_or(Severity::Error, |one| one.severity);
    let mut steps: Vec<NextStep> = Vec::new();
    for problem in &mut problems {
        let own_steps = std::mem::take(&mut problem.next);
        if problem.severity == worst && worst > Severity::Note {
            steps.extend(own_steps);
        }
    }
    steps.extend_from_slice(next);
    text.add_findings(&problems);
    show_state(text);
    let mut shown: Vec<NextStep> = Vec::new();
    for step in steps {
        if !shown.contains(&step) {
            shown.push(step);
        }
    }
    text.add_next_steps(&shown);
}
