//! The table itself: a row is a state, the steps of an install in it, and the way back.

use super::{
    LineageLayout, ObservedState, PathState, PlanEnd, PlanStep, ReleaseFile, ReleaseId,
    ServedBefore, ServedEvidence, ServerState, StableLink, asks, id, install, installed, layout,
    nothing, plain, serves, short, undo, until_failure, wanted, with,
};

struct Row {
    name: &'static str,
    seen: ObservedState,
    steps: &'static str,
    /// The way back when the last step before `proven` failed.
    undo: &'static str,
    end: PlanEnd,
}

fn row(
    name: &'static str,
    seen: ObservedState,
    steps: &'static str,
    undo: &'static str,
    end: PlanEnd,
) -> Row {
    Row {
        name,
        seen,
        steps,
        undo,
        end,
    }
}

fn first_installs() -> Vec<Row> {
    vec![
        row(
            "first, nothing to ask",
            nothing(),
            "write(b) settings link(chain) link(key) live=b proven=b note(b) prune",
            "no-live unlink(chain) unlink(key)",
            PlanEnd::Proven,
        ),
        row(
            "first, the configuration waits for these files",
            with(nothing(), ServerState::Mends(asks())),
            "write(b) settings link(chain) link(key) live=b test reload ask(b) proven=b note(b) \
                prune",
            "",
            PlanEnd::Proven,
        ),
        row(
            "first, a server that loads without them",
            with(nothing(), serves()),
            "write(b) settings link(chain) link(key) live=b test reload ask(b) proven=b note(b) \
                prune",
            "no-live unlink(chain) unlink(key) test reload",
            PlanEnd::Proven,
        ),
        row(
            "first, no block names the pair",
            with(nothing(), ServerState::NotNamed),
            "write(b) settings link(chain) link(key) live=b",
            "no-live unlink(chain) unlink(key)",
            PlanEnd::NotNamed,
        ),
        row(
            "first, the server does not run",
            with(nothing(), ServerState::Stopped(asks())),
            "write(b) settings link(chain) link(key) live=b test",
            "no-live unlink(chain) unlink(key)",
            PlanEnd::Stopped,
        ),
    ]
}

fn first_installs_over_something() -> Vec<Row> {
    let broken = || plain(ServedBefore::Broken("no".to_owned()));
    let lone_key = ObservedState {
        spots: vec![PathState::Absent, PathState::File],
        ..plain(ServedBefore::Partial)
    };
    vec![
        row(
            "first, over a pair that no server can load",
            with(broken(), ServerState::Mends(asks())),
            "write(b) settings backup(chain) backup(key) link(chain) link(key) live=b test reload \
                ask(b) proven=b note(b) prune",
            "",
            PlanEnd::Proven,
        ),
        row(
            "first, a lone key is there",
            lone_key,
            "write(b) settings backup(key) link(chain) link(key) live=b proven=b note(b) prune",
            "no-live unlink(chain) restore(key)",
            PlanEnd::Proven,
        ),
        row(
            "killed after the links: the rest of a first install",
            ObservedState {
                releases: vec![id("b")],
                spots: vec![PathState::Ours; 2],
                ..nothing()
            },
            "settings live=b proven=b note(b) prune",
            "no-live unlink(chain) unlink(key)",
            PlanEnd::Proven,
        ),
    ]
}

fn replacements() -> Vec<Row> {
    let damaged = ObservedState {
        releases: Vec::new(),
        ..installed("a", "a")
    };
    vec![
        row(
            "replacement",
            with(installed("a", "a"), serves()),
            "write(b) settings live=b test reload ask(b) proven=b note(b) prune",
            "live=a test reload ask(a)",
            PlanEnd::Proven,
        ),
        row(
            "replacement, nothing to ask",
            installed("a", "a"),
            "write(b) settings live=b proven=b note(b) prune",
            "live=a",
            PlanEnd::Proven,
        ),
        row(
            "replacement, a link was deleted",
            ObservedState {
                spots: vec![PathState::Ours, PathState::Absent],
                ..installed("a", "a")
            },
            "write(b) settings link(key) live=b proven=b note(b) prune",
            "live=a",
            PlanEnd::Proven,
        ),
        row(
            "a broken pair is never put back",
            with(damaged, ServerState::Mends(asks())),
            "write(b) settings live=b test reload ask(b) proven=b note(b) prune",
            "",
            PlanEnd::Proven,
        ),
        row(
            "third release while the second is not proven",
            with(installed("c", "a"), serves()),
            "write(b) settings live=b test reload ask(b) proven=b note(b) prune",
            "live=a test reload ask(a)",
            PlanEnd::Proven,
        ),
        row(
            "third release, nothing was ever proven",
            with(installed("c", ""), serves()),
            "write(b) settings live=b test reload ask(b) proven=b note(b) prune",
            "live=c test reload",
            PlanEnd::Proven,
        ),
    ]
}

fn repeats() -> Vec<Row> {
    let seen_live = ServerState::Serves(asks(), ServedEvidence::AsWanted);
    vec![
        row(
            "the same again, nothing to ask",
            installed("b", "b"),
            "",
            "",
            PlanEnd::Proven,
        ),
        row(
            "the same again, served",
            with(installed("b", "b"), seen_live),
            "",
            "",
            PlanEnd::Proven,
        ),
        row(
            "the same again, served otherwise",
            with(installed("b", "b"), serves()),
            "test reload ask(b)",
            "",
            PlanEnd::Proven,
        ),
        row(
            "the same again, no block",
            with(installed("b", "b"), ServerState::NotNamed),
            "",
            "",
            PlanEnd::NotNamed,
        ),
        row(
            "interrupted: take up there",
            with(installed("b", "a"), serves()),
            "test reload ask(b) proven=b note(b) prune",
            "live=a test reload ask(a)",
            PlanEnd::Proven,
        ),
        row(
            "interrupted, nothing to ask",
            installed("b", "a"),
            "proven=b note(b) prune",
            "",
            PlanEnd::Proven,
        ),
        row(
            "not served before, and the block is there now",
            with(installed("b", ""), serves()),
            "test reload ask(b) proven=b note(b) prune",
            "",
            PlanEnd::Proven,
        ),
        row(
            "not served before, still no block",
            with(installed("b", ""), ServerState::NotNamed),
            "",
            "",
            PlanEnd::NotNamed,
        ),
    ]
}

fn takeovers() -> Vec<Row> {
    let whole = || plain(ServedBefore::Whole(id("a")));
    vec![
        row(
            "takeover of a working pair",
            with(whole(), serves()),
            "write(b) settings take(a) live=a proven=a link(chain) link(key) live=b test reload \
                ask(b) proven=b note(b) prune",
            "live=a test reload ask(a)",
            PlanEnd::Proven,
        ),
        row(
            "takeover of a chain file that holds the key too: it is kept",
            ObservedState {
                spots: vec![PathState::File, PathState::Held],
                ..whole()
            },
            "write(b) settings take(a) live=a proven=a backup(chain) link(chain) link(key) live=b \
                proven=b note(b) prune",
            "live=a",
            PlanEnd::Proven,
        ),
        row(
            "takeover, killed between the links",
            ObservedState {
                live: Some(id("a")),
                proven: Some(id("a")),
                releases: vec![id("a"), id("b")],
                spots: vec![PathState::Ours, PathState::Held],
                ..whole()
            },
            "settings link(key) live=b proven=b note(b) prune",
            "live=a",
            PlanEnd::Proven,
        ),
        row(
            "takeover of the very pair",
            plain(ServedBefore::Whole(id("b"))),
            "write(b) settings take(b) live=b proven=b link(chain) link(key) note(b) prune",
            "",
            PlanEnd::Proven,
        ),
        row(
            "somebody put plain files over our links",
            ObservedState {
                spots: vec![PathState::Held; 2],
                present: ServedBefore::Whole(id("d")),
                ..installed("a", "a")
            },
            "write(b) settings take(d) live=d proven=d link(chain) link(key) live=b proven=b \
                note(b) prune",
            "live=d",
            PlanEnd::Proven,
        ),
        row(
            "plain files that do not fit, over our links",
            ObservedState {
                spots: vec![PathState::File, PathState::Ours],
                present: ServedBefore::Broken("no".to_owned()),
                ..installed("a", "a")
            },
            "write(b) settings backup(chain) link(chain) live=b proven=b note(b) prune",
            "live=a",
            PlanEnd::Proven,
        ),
    ]
}

/// A server reads key and chain in one file beside the two.
fn three() -> LineageLayout {
    layout().with([StableLink::new(
        "/etc/ssl/private/x.both",
        ReleaseFile::Combined,
    )])
}

/// Old `a` and new `b`, a third link: what is at it, whether `a` has its file; the steps and the
/// way back.
#[test]
fn a_further_link_is_part_of_the_transaction() {
    let lacking = vec![(id("a"), ReleaseFile::Combined)];
    let with_third = |seen: ObservedState, spot, lacks: &[(ReleaseId, ReleaseFile)]| {
        let spots = seen.spots.iter().copied().chain([spot]).collect();
        with(
            ObservedState {
                spots,
                lacks: lacks.to_vec(),
                ..seen
            },
            serves(),
        )
    };
    let asked = "live=b test reload ask(b) proven=b note(b) prune";
    for (name, seen, steps, way_back) in [
        (
            "there",
            with_third(installed("a", "a"), PathState::Ours, &[]),
            "",
            "live=a test reload ask(a)",
        ),
        (
            "new, and what was there has no such file",
            with_third(installed("a", "a"), PathState::Absent, &lacking),
            "link(both) ",
            "live=a unlink(both) test reload ask(a)",
        ),
        (
            "another working pair is there",
            with_third(installed("a", "a"), PathState::Own, &[]),
            "backup(both) link(both) ",
            "live=a restore(both) test reload ask(a)",
        ),
        (
            "it holds nothing of use",
            with_third(installed("a", "a"), PathState::File, &lacking),
            "backup(both) link(both) ",
            "live=a restore(both) test reload ask(a)",
        ),
        (
            "linked by a run that ended before its proof",
            with_third(installed("c", "a"), PathState::Ours, &lacking),
            "",
            "live=a unlink(both) test reload ask(a)",
        ),
    ] {
        let plan = install(&wanted(), &seen, &three());
        assert_eq!(
            short(&plan.steps),
            format!("write(b) settings {steps}{asked}"),
            "{name}"
        );
        assert_eq!(
            short(&undo(&plan, until_failure(&plan)).steps),
            way_back,
            "{name}: undo"
        );
        let before = plan
            .steps
            .iter()
            .position(|step| matches!(step, PlanStep::Switch { .. }))
            .unwrap();
        let early = short(&undo(&plan, &plan.steps[..before]).steps);
        let relinked: Vec<&str> = way_back
            .split(' ')
            .filter(|word| word.contains("both") && !steps.is_empty())
            .collect();
        assert_eq!(early, relinked.join(" "), "{name}: undo before the switch");
    }
}

#[test]
fn each_state_has_its_steps_and_its_way_back() {
    for rows in [
        first_installs(),
        first_installs_over_something(),
        replacements(),
        repeats(),
        takeovers(),
    ] {
        for Row {
            name,
            seen,
            steps,
            undo: way_back,
            end,
        } in rows
        {
            let plan = install(&wanted(), &seen, &layout());
            assert_eq!(short(&plan.steps), steps, "{name}");
            assert_eq!(plan.end, end, "{name}");
            assert_eq!(
                short(&undo(&plan, until_failure(&plan)).steps),
                way_back,
                "{name}: undo"
            );
        }
    }
}
