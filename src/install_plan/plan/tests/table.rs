//! Tables of states: each row has a state, the steps of an install in it, and the rollback.

use super::{
    LineageLayout, ObservedState, PathState, PlanEnd, PlanStep, ReleaseFile, ServedBefore,
    ServedEvidence, ServerState, StableLink, id, installed, layout, nothing, plain, plan_install,
    server_questions, serves, short, undo, until_failure, wanted, with,
};

struct Row {
    name: &'static str,
    observed: ObservedState,
    steps: &'static str,
    /// The rollback if the last step before `proven` fails.
    undo: &'static str,
    end: PlanEnd,
}

fn row(
    name: &'static str,
    observed: ObservedState,
    steps: &'static str,
    undo: &'static str,
    end: PlanEnd,
) -> Row {
    Row {
        name,
        observed,
        steps,
        undo,
        end,
    }
}

fn first_installs() -> Vec<Row> {
    vec![
        row(
            "first, no server",
            nothing(),
            "write(b) settings link(chain) link(key) live=b proven=b record(b) prune",
            "no-live unlink(chain) unlink(key)",
            PlanEnd::Proven,
        ),
        row(
            "first, the server cannot start without these files",
            with(
                nothing(),
                ServerState::BrokenUntilInstalled(server_questions()),
            ),
            "write(b) settings link(chain) link(key) live=b test reload prove(b) proven=b record(b) \
                prune",
            "",
            PlanEnd::Proven,
        ),
        row(
            "first, a server that can start without them",
            with(nothing(), serves()),
            "write(b) settings link(chain) link(key) live=b test reload prove(b) proven=b record(b) \
                prune",
            "no-live unlink(chain) unlink(key) test reload",
            PlanEnd::Proven,
        ),
        row(
            "first, no block references the certificate",
            with(nothing(), ServerState::NotNamed),
            "write(b) settings link(chain) link(key) live=b",
            "no-live unlink(chain) unlink(key)",
            PlanEnd::NotNamed,
        ),
        row(
            "first, the server is not running",
            with(nothing(), ServerState::Stopped(server_questions())),
            "write(b) settings link(chain) link(key) live=b test",
            "no-live unlink(chain) unlink(key)",
            PlanEnd::Stopped,
        ),
    ]
}

fn first_installs_over_something() -> Vec<Row> {
    let broken = || plain(ServedBefore::Broken("no".to_owned()));
    let lone_key = ObservedState {
        path_states: vec![PathState::Absent, PathState::File],
        ..plain(ServedBefore::Partial)
    };
    vec![
        row(
            "first, over files that no server can load",
            with(
                broken(),
                ServerState::BrokenUntilInstalled(server_questions()),
            ),
            "write(b) settings backup(chain) backup(key) link(chain) link(key) live=b test reload \
                prove(b) proven=b record(b) prune",
            "",
            PlanEnd::Proven,
        ),
        row(
            "first, a key without a chain exists",
            lone_key,
            "write(b) settings backup(key) link(chain) link(key) live=b proven=b record(b) prune",
            "no-live unlink(chain) restore(key)",
            PlanEnd::Proven,
        ),
        row(
            "killed after the links: the rest of a first install",
            ObservedState {
                releases: vec![id("b")],
                path_states: vec![PathState::OurLink; 2],
                ..nothing()
            },
            "settings live=b proven=b record(b) prune",
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
            "write(b) settings live=b test reload prove(b) proven=b record(b) prune",
            "live=a test reload prove(a)",
            PlanEnd::Proven,
        ),
        row(
            "replacement, no server",
            installed("a", "a"),
            "write(b) settings live=b proven=b record(b) prune",
            "live=a",
            PlanEnd::Proven,
        ),
        row(
            "replacement, a link was deleted",
            ObservedState {
                path_states: vec![PathState::OurLink, PathState::Absent],
                ..installed("a", "a")
            },
            "write(b) settings link(key) live=b proven=b record(b) prune",
            "live=a",
            PlanEnd::Proven,
        ),
        row(
            "broken files are never restored",
            with(
                damaged,
                ServerState::BrokenUntilInstalled(server_questions()),
            ),
            "write(b) settings live=b test reload prove(b) proven=b record(b) prune",
            "",
            PlanEnd::Proven,
        ),
        row(
            "third release while the second is not proven",
            with(installed("c", "a"), serves()),
            "write(b) settings live=b test reload prove(b) proven=b record(b) prune",
            "live=a test reload prove(a)",
            PlanEnd::Proven,
        ),
        row(
            "third release, nothing was ever proven",
            with(installed("c", ""), serves()),
            "write(b) settings live=b test reload prove(b) proven=b record(b) prune",
            "live=c test reload",
            PlanEnd::Proven,
        ),
    ]
}

fn repeats() -> Vec<Row> {
    let seen_live = ServerState::Serves(server_questions(), ServedEvidence::WantedRelease);
    vec![
        row(
            "the same again, no server",
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
            "the same again, not verified as served",
            with(installed("b", "b"), serves()),
            "test reload prove(b)",
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
            "interrupted: the install is continued",
            with(installed("b", "a"), serves()),
            "test reload prove(b) proven=b record(b) prune",
            "live=a test reload prove(a)",
            PlanEnd::Proven,
        ),
        row(
            "interrupted, no server",
            installed("b", "a"),
            "proven=b record(b) prune",
            "",
            PlanEnd::Proven,
        ),
        row(
            "not served before, and the block exists now",
            with(installed("b", ""), serves()),
            "test reload prove(b) proven=b record(b) prune",
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
            "takeover of a working certificate",
            with(whole(), serves()),
            "write(b) settings take(a) live=a proven=a keep(chain) keep(key) link(chain) link(key) \
                live=b test reload prove(b) proven=b record(b) prune",
            "live=a restore(chain) restore(key) test reload prove(a)",
            PlanEnd::Proven,
        ),
        row(
            "takeover of a chain file with the key in it, which is backed up",
            ObservedState {
                path_states: vec![PathState::File, PathState::Identical],
                ..whole()
            },
            "write(b) settings take(a) live=a proven=a backup(chain) keep(key) link(chain) link(key) \
                live=b proven=b record(b) prune",
            "live=a restore(chain) restore(key)",
            PlanEnd::Proven,
        ),
        row(
            "takeover, killed between the links",
            ObservedState {
                live: Some(id("a")),
                proven: Some(id("a")),
                releases: vec![id("a"), id("b")],
                path_states: vec![PathState::OurLink, PathState::Identical],
                kept: vec!["/etc/ssl/x.pem".into()],
                ..whole()
            },
            "settings keep(key) link(key) live=b proven=b record(b) prune",
            "live=a restore(key) restore(chain)",
            PlanEnd::Proven,
        ),
        row(
            "takeover of the certificate that is installed",
            plain(ServedBefore::Whole(id("b"))),
            "write(b) settings take(b) live=b proven=b keep(chain) keep(key) link(chain) link(key) \
                record(b) prune",
            "restore(chain) restore(key)",
            PlanEnd::Proven,
        ),
    ]
}

fn replaced_links() -> Vec<Row> {
    vec![
        row(
            "plain files replaced certctl's links",
            ObservedState {
                path_states: vec![PathState::Identical; 2],
                served_before: ServedBefore::Whole(id("d")),
                ..installed("a", "a")
            },
            "write(b) settings take(d) live=d proven=d keep(chain) keep(key) link(chain) link(key) \
                live=b proven=b record(b) prune",
            "live=d restore(chain) restore(key)",
            PlanEnd::Proven,
        ),
        row(
            "plain files that do not match replaced certctl's links",
            ObservedState {
                path_states: vec![PathState::File, PathState::OurLink],
                served_before: ServedBefore::Broken("no".to_owned()),
                ..installed("a", "a")
            },
            "write(b) settings backup(chain) link(chain) live=b proven=b record(b) prune",
            "live=a",
            PlanEnd::Proven,
        ),
    ]
}

/// A layout where a server also reads key and chain from one file.
fn layout_with_third_link() -> LineageLayout {
    layout().with_links([StableLink::new(
        "/etc/ssl/private/x.both",
        ReleaseFile::Combined,
    )])
}

/// A third link: the state of its path, the steps before the switch that concern it, and the
/// rollback.
struct ThirdLinkRow {
    name: &'static str,
    observed: ObservedState,
    steps: &'static str,
    rollback: &'static str,
}

/// `observed` with a third link in `state`; `lacking` is the release that has no file for it.
fn with_third(observed: ObservedState, state: PathState, lacking: Option<&str>) -> ObservedState {
    let mut spots = observed.path_states.clone();
    spots.push(state);
    let lacks = lacking.map(|letter| (id(letter), ReleaseFile::Combined));
    with(
        ObservedState {
            path_states: spots,
            missing_files: lacks.into_iter().collect(),
            ..observed
        },
        serves(),
    )
}

fn third_link_rows() -> [ThirdLinkRow; 6] {
    let added = ObservedState {
        added_paths: vec!["/etc/ssl/private/x.both".into()],
        ..with_third(installed("a", "a"), PathState::Absent, None)
    };
    [
        ThirdLinkRow {
            name: "new, and the previous release has such a file",
            observed: added,
            steps: "link(both) ",
            rollback: "live=a unlink(both) test reload prove(a)",
        },
        ThirdLinkRow {
            name: "already linked",
            observed: with_third(installed("a", "a"), PathState::OurLink, None),
            steps: "",
            rollback: "live=a test reload prove(a)",
        },
        ThirdLinkRow {
            name: "new, and the previous release has no such file",
            observed: with_third(installed("a", "a"), PathState::Absent, Some("a")),
            steps: "link(both) ",
            rollback: "live=a unlink(both) test reload prove(a)",
        },
        ThirdLinkRow {
            name: "another working certificate exists there",
            observed: with_third(installed("a", "a"), PathState::OtherCertificate, None),
            steps: "backup(both) link(both) ",
            rollback: "live=a restore(both) test reload prove(a)",
        },
        ThirdLinkRow {
            name: "a useless file exists there",
            observed: with_third(installed("a", "a"), PathState::File, Some("a")),
            steps: "backup(both) link(both) ",
            rollback: "live=a restore(both) test reload prove(a)",
        },
        ThirdLinkRow {
            name: "linked by a run that ended before it was verified",
            observed: with_third(installed("c", "a"), PathState::OurLink, Some("a")),
            steps: "",
            rollback: "live=a unlink(both) test reload prove(a)",
        },
    ]
}

#[test]
fn a_third_link_is_part_of_the_transaction() {
    let common_steps = "live=b test reload prove(b) proven=b record(b) prune";
    for row in third_link_rows() {
        let ThirdLinkRow {
            name,
            observed,
            steps,
            rollback,
        } = row;
        let plan = plan_install(&wanted(), &observed, &layout_with_third_link());
        assert_eq!(
            short(&plan.steps),
            format!("write(b) settings {steps}{common_steps}"),
            "{name}"
        );
        assert_eq!(
            short(&undo(&plan, until_failure(&plan)).steps),
            rollback,
            "{name}: undo"
        );
        let before = plan
            .steps
            .iter()
            .position(|step| matches!(step, PlanStep::Switch { .. }))
            .unwrap();
        let early = short(&undo(&plan, &plan.steps[..before]).steps);
        let relinked: Vec<&str> = rollback
            .split(' ')
            .filter(|word| word.contains("both") && !steps.is_empty())
            .collect();
        assert_eq!(early, relinked.join(" "), "{name}: undo before the switch");
    }
}

#[test]
fn each_state_has_its_steps_and_its_rollback() {
    for rows in [
        first_installs(),
        first_installs_over_something(),
        replacements(),
        repeats(),
        takeovers(),
        replaced_links(),
    ] {
        for Row {
            name,
            observed,
            steps,
            undo: rollback,
            end,
        } in rows
        {
            let plan = plan_install(&wanted(), &observed, &layout());
            assert_eq!(short(&plan.steps), steps, "{name}");
            assert_eq!(plan.end, end, "{name}");
            assert_eq!(
                short(&undo(&plan, until_failure(&plan)).steps),
                rollback,
                "{name}: undo"
            );
        }
    }
}
