//! Plans that deploy copies: the steps of an install in each state, and the rollback.

use super::{
    InstallPlan, LineageLayout, ObservedState, PathState, PlanStep, ServedBefore, id, installed,
    layout, nothing, plain, plan_install, plan_rollback, serves, short, undo, until_failure,
    wanted, with,
};
use crate::store::layout::DeployMode;

fn copies() -> LineageLayout {
    layout().with_deploy_mode(DeployMode::Copy)
}

/// A state, the steps of an install in it up to the copies, and the rollback after them.
struct CopyRow {
    name: &'static str,
    observed: ObservedState,
    steps: &'static str,
    rollback: &'static str,
}

fn copied(live: &str, proven: &str, path_states: [PathState; 2]) -> ObservedState {
    ObservedState {
        path_states: path_states.to_vec(),
        ..installed(live, proven)
    }
}

fn rows() -> Vec<CopyRow> {
    vec![
        CopyRow {
            name: "first",
            observed: nothing(),
            steps: "write(b) settings live=b copy(b)",
            rollback: "remove(chain) remove(key) no-live",
        },
        CopyRow {
            name: "takeover",
            observed: plain(ServedBefore::Whole(id("a"))),
            steps: "write(b) settings take(a) live=a proven=a keep(chain) keep(key) live=b copy(b)",
            rollback: "restore(chain) restore(key) live=a",
        },
        CopyRow {
            name: "replacement",
            observed: copied("a", "a", [PathState::OurCopy; 2]),
            steps: "write(b) settings keep(chain) keep(key) live=b copy(b)",
            rollback: "restore(chain) restore(key) live=a",
        },
        CopyRow {
            name: "links become copies",
            observed: copied("a", "a", [PathState::OurLink; 2]),
            steps: "write(b) settings live=b copy(b)",
            rollback: "link(chain) link(key) live=a",
        },
        CopyRow {
            name: "killed between two copies",
            observed: ObservedState {
                releases: vec![id("a"), id("b")],
                kept: vec!["/etc/ssl/x.pem".into(), "/etc/ssl/private/x.key".into()],
                ..copied("b", "a", [PathState::OurCopy, PathState::OutdatedCopy])
            },
            steps: "settings copy(b)",
            rollback: "restore(chain) restore(key) live=a",
        },
        CopyRow {
            name: "a useless file has replaced a copy, and another was deleted",
            observed: ObservedState {
                served_before: ServedBefore::Broken("no".to_owned()),
                ..copied("a", "a", [PathState::File, PathState::Absent])
            },
            steps: "write(b) settings backup(chain) live=b copy(b)",
            rollback: "copy(a) live=a",
        },
        CopyRow {
            name: "the previous certificate is broken",
            observed: plain(ServedBefore::Broken("no".to_owned())),
            steps: "write(b) settings backup(chain) backup(key) live=b copy(b)",
            rollback: "",
        },
    ]
}

fn until_copies(plan: &InstallPlan) -> &[PlanStep] {
    let last = plan
        .steps
        .iter()
        .position(|step| matches!(step, PlanStep::Copy { .. }));
    &plan.steps[..=last.unwrap()]
}

#[test]
fn copies_are_written_after_the_old_files_are_kept() {
    for row in rows() {
        let plan = plan_install(&wanted(), &row.observed, &copies());
        let attempted = until_copies(&plan);
        assert_eq!(short(attempted), row.steps, "{}", row.name);
        assert_eq!(
            short(&undo(&plan, attempted).steps),
            row.rollback,
            "{}",
            row.name
        );
    }
}

#[test]
fn servers_are_asked_after_the_copies() {
    let observed = with(copied("a", "a", [PathState::OurCopy; 2]), serves());
    let plan = plan_install(&wanted(), &observed, &copies());
    assert_eq!(
        short(&plan.steps),
        "write(b) settings keep(chain) keep(key) live=b copy(b) test reload prove(b) proven=b \
            record(b) prune"
    );
    assert_eq!(
        short(&undo(&plan, until_failure(&plan)).steps),
        "restore(chain) restore(key) live=a test reload prove(a)"
    );
    assert_eq!(
        short(
            &plan_install(
                &wanted(),
                &copied("b", "b", [PathState::OurCopy; 2]),
                &copies()
            )
            .steps
        ),
        "",
        "nothing to do"
    );
}

#[test]
fn a_rollback_replaces_the_copies() {
    let mut observed = copied("b", "b", [PathState::OurCopy; 2]);
    observed.releases.push(id("a"));
    let mut target = wanted();
    target.id = id("a");
    let plan = plan_rollback(&target, &observed, &copies());
    assert_eq!(
        short(&plan.steps),
        "keep(chain) keep(key) live=a copy(a) proven=a record(a)"
    );
    assert_eq!(
        short(&undo(&plan, until_failure(&plan)).steps),
        "restore(chain) restore(key) live=b"
    );
}

#[test]
fn kept_files_of_an_attempt_before_the_copies_are_removed() {
    let observed = copied("a", "a", [PathState::OurCopy; 2]);
    let plan = plan_install(&wanted(), &observed, &copies());
    let until_kept = &plan.steps[..4];
    assert_eq!(short(until_kept), "write(b) settings keep(chain) keep(key)");
    assert_eq!(
        short(&undo(&plan, until_kept).steps),
        "restore(chain) restore(key)"
    );
}
