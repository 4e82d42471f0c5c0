//! The table itself: a row is a state, the steps of an install in it, and the way back.

use super::{
    End, Layout, Link, Observed, Piece, Present, ReleaseId, Served, ServerState, Spot, Step, asks,
    id, install, installed, layout, nothing, plain, serves, short, undo, until_failure, wanted,
    with,
};

struct Row {
    name: &'static str,
    seen: Observed,
    steps: &'static str,
    /// The way back when the last step before `proven` failed.
    undo: &'static str,
    end: End,
}

fn row(
    name: &'static str,
    seen: Observed,
    steps: &'static str,
    undo: &'static str,
    end: End,
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
            End::Proven,
        ),
        row(
            "first, the configuration waits for these files",
            with(nothing(), ServerState::Mends(asks())),
            "write(b) settings link(chain) link(key) live=b test reload ask(b) proven=b note(b) \
                prune",
            "",
            End::Proven,
        ),
        row(
            "first, a server that loads without them",
            with(nothing(), serves()),
            "write(b) settings link(chain) link(key) live=b test reload ask(b) proven=b note(b) \
                prune",
            "no-live unlink(chain) unlink(key) test reload",
            End::Proven,
        ),
        row(
            "first, no block names the pair",
            with(nothing(), ServerState::NotNamed),
            "write(b) settings link(chain) link(key) live=b",
            "no-live unlink(chain) unlink(key)",
            End::NotNamed,
        ),
        row(
            "first, the server does not run",
            with(nothing(), ServerState::Stopped(asks())),
            "write(b) settings link(chain) link(key) live=b test",
            "no-live unlink(chain) unlink(key)",
            End::Stopped,
        ),
    ]
}

fn first_installs_over_something() -> Vec<Row> {
    let broken = || plain(Present::Broken("no".to_owned()));
    let lone_key = Observed {
        spots: vec![Spot::Absent, Spot::File],
        ..plain(Present::Partial)
    };
    vec![
        row(
            "first, over a pair that no server can load",
            with(broken(), ServerState::Mends(asks())),
            "write(b) settings backup(chain) backup(key) link(chain) link(key) live=b test reload \
                ask(b) proven=b note(b) prune",
            "",
            End::Proven,
        ),
        row(
            "first, a lone key is there",
            lone_key,
            "write(b) settings backup(key) link(chain) link(key) live=b proven=b note(b) prune",
            "no-live unlink(chain) restore(key)",
            End::Proven,
        ),
        row(
            "killed after the links: the rest of a first install",
            Observed {
                releases: vec![id("b")],
                spots: vec![Spot::Ours; 2],
                ..nothing()
            },
            "settings live=b proven=b note(b) prune",
            "no-live unlink(chain) unlink(key)",
            End::Proven,
        ),
    ]
}

fn replacements() -> Vec<Row> {
    let damaged = Observed {
        releases: Vec::new(),
        ..installed("a", "a")
    };
    vec![
        row(
            "replacement",
            with(installed("a", "a"), serves()),
            "write(b) settings live=b test reload ask(b) proven=b note(b) prune",
            "live=a test reload ask(a)",
            End::Proven,
        ),
        row(
            "replacement, nothing to ask",
            installed("a", "a"),
            "write(b) settings live=b proven=b note(b) prune",
            "live=a",
            End::Proven,
        ),
        row(
            "replacement, a link was deleted",
            Observed {
                spots: vec![Spot::Ours, Spot::Absent],
                ..installed("a", "a")
            },
            "write(b) settings link(key) live=b proven=b note(b) prune",
            "live=a",
            End::Proven,
        ),
        row(
            "a broken pair is never put back",
            with(damaged, ServerState::Mends(asks())),
            "write(b) settings live=b test reload ask(b) proven=b note(b) prune",
            "",
            End::Proven,
        ),
        row(
            "third release while the second is not proven",
            with(installed("c", "a"), serves()),
            "write(b) settings live=b test reload ask(b) proven=b note(b) prune",
            "live=a test reload ask(a)",
            End::Proven,
        ),
        row(
            "third release, nothing was ever proven",
            with(installed("c", ""), serves()),
            "write(b) settings live=b test reload ask(b) proven=b note(b) prune",
            "live=c test reload",
            End::Proven,
        ),
    ]
}

fn repeats() -> Vec<Row> {
    let seen_live = ServerState::Serves(asks(), Served::AsWanted);
    vec![
        row(
            "the same again, nothing to ask",
            installed("b", "b"),
            "",
            "",
            End::Proven,
        ),
        row(
            "the same again, served",
            with(installed("b", "b"), seen_live),
            "",
            "",
            End::Proven,
        ),
        row(
            "the same again, served otherwise",
            with(installed("b", "b"), serves()),
            "test reload ask(b)",
            "",
            End::Proven,
        ),
        row(
            "the same again, no block",
            with(installed("b", "b"), ServerState::NotNamed),
            "",
            "",
            End::NotNamed,
        ),
        row(
            "interrupted: take up there",
            with(installed("b", "a"), serves()),
            "test reload ask(b) proven=b note(b) prune",
            "live=a test reload ask(a)",
            End::Proven,
        ),
        row(
            "interrupted, nothing to ask",
            installed("b", "a"),
            "proven=b note(b) prune",
            "",
            End::Proven,
        ),
        row(
            "not served before, and the block is there now",
            with(installed("b", ""), serves()),
            "test reload ask(b) proven=b note(b) prune",
            "",
            End::Proven,
        ),
        row(
            "not served before, still no block",
            with(installed("b", ""), ServerState::NotNamed),
            "",
            "",
            End::NotNamed,
        ),
    ]
}

fn takeovers() -> Vec<Row> {
    let whole = || plain(Present::Whole(id("a")));
    vec![
        row(
            "takeover of a working pair",
            with(whole(), serves()),
            "write(b) settings take(a) live=a proven=a link(chain) link(key) live=b test reload \
                ask(b) proven=b note(b) prune",
            "live=a test reload ask(a)",
            End::Proven,
        ),
        row(
            "takeover of a chain file that holds the key too: it is kept",
            Observed {
                spots: vec![Spot::File, Spot::Held],
                ..whole()
            },
            "write(b) settings take(a) live=a proven=a backup(chain) link(chain) link(key) live=b \
                proven=b note(b) prune",
            "live=a",
            End::Proven,
        ),
        row(
            "takeover, killed between the links",
            Observed {
                live: Some(id("a")),
                proven: Some(id("a")),
                releases: vec![id("a"), id("b")],
                spots: vec![Spot::Ours, Spot::Held],
                ..whole()
            },
            "settings link(key) live=b proven=b note(b) prune",
            "live=a",
            End::Proven,
        ),
        row(
            "takeover of the very pair",
            plain(Present::Whole(id("b"))),
            "write(b) settings take(b) live=b proven=b link(chain) link(key) note(b) prune",
            "",
            End::Proven,
        ),
        row(
            "somebody put plain files over our links",
            Observed {
                spots: vec![Spot::Held; 2],
                present: Present::Whole(id("d")),
                ..installed("a", "a")
            },
            "write(b) settings take(d) live=d proven=d link(chain) link(key) live=b proven=b \
                note(b) prune",
            "live=d",
            End::Proven,
        ),
        row(
            "plain files that do not fit, over our links",
            Observed {
                spots: vec![Spot::File, Spot::Ours],
                present: Present::Broken("no".to_owned()),
                ..installed("a", "a")
            },
            "write(b) settings backup(chain) link(chain) live=b proven=b note(b) prune",
            "live=a",
            End::Proven,
        ),
    ]
}

/// A server reads key and chain in one file beside the two.
fn three() -> Layout {
    layout().with([Link::new("/etc/ssl/private/x.both", Piece::Combined)])
}

/// Old `a` and new `b`, a third link: what is at it, whether `a` has its file; the steps and the
/// way back.
#[test]
fn a_further_link_is_part_of_the_transaction() {
    let lacking = vec![(id("a"), Piece::Combined)];
    let with_third = |seen: Observed, spot, lacks: &[(ReleaseId, Piece)]| {
        let spots = seen.spots.iter().copied().chain([spot]).collect();
        with(
            Observed {
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
            with_third(installed("a", "a"), Spot::Ours, &[]),
            "",
            "live=a test reload ask(a)",
        ),
        (
            "new, and what was there has no such file",
            with_third(installed("a", "a"), Spot::Absent, &lacking),
            "link(both) ",
            "live=a unlink(both) test reload ask(a)",
        ),
        (
            "another working pair is there",
            with_third(installed("a", "a"), Spot::Own, &[]),
            "backup(both) link(both) ",
            "live=a restore(both) test reload ask(a)",
        ),
        (
            "it holds nothing of use",
            with_third(installed("a", "a"), Spot::File, &lacking),
            "backup(both) link(both) ",
            "live=a restore(both) test reload ask(a)",
        ),
        (
            "linked by a run that ended before its proof",
            with_third(installed("c", "a"), Spot::Ours, &lacking),
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
            .position(|step| matches!(step, Step::Switch { .. }))
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
