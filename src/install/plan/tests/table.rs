//! The table itself: a row is a state, the steps of an install in it, and the way back.

use super::{
    End, Observed, Present, Served, ServerState, Spot, asks, id, install, installed, layout, nothing, plain, serves,
    short, undo, until_failure, wanted, with,
};

struct Row {
    name: &'static str,
    seen: Observed,
    steps: &'static str,
    /// The way back when the last step before `proven` failed.
    undo: &'static str,
    end: End,
}

fn row(name: &'static str, seen: Observed, steps: &'static str, undo: &'static str, end: End) -> Row {
    Row { name, seen, steps, undo, end }
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
            "write(b) settings link(chain) link(key) live=b test reload ask(b) proven=b note(b) prune",
            "",
            End::Proven,
        ),
        row(
            "first, a server that loads without them",
            with(nothing(), serves()),
            "write(b) settings link(chain) link(key) live=b test reload ask(b) proven=b note(b) prune",
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
    let lone_key = Observed { chain: Spot::Absent, ..plain(Present::Partial) };
    vec![
        row(
            "first, over a pair that no server can load",
            with(broken(), ServerState::Mends(asks())),
            "write(b) settings backup(chain) link(chain) backup(key) link(key) live=b test reload ask(b) proven=b note(b) prune",
            "",
            End::Proven,
        ),
        row(
            "first, a lone key is there",
            lone_key,
            "write(b) settings link(chain) backup(key) link(key) live=b proven=b note(b) prune",
            "no-live unlink(chain) restore(key)",
            End::Proven,
        ),
        row(
            "killed after the links: the rest of a first install",
            Observed { releases: vec![id("b")], chain: Spot::Ours, key: Spot::Ours, ..nothing() },
            "settings live=b proven=b note(b) prune",
            "no-live unlink(chain) unlink(key)",
            End::Proven,
        ),
    ]
}

fn replacements() -> Vec<Row> {
    let damaged = Observed { releases: Vec::new(), ..installed("a", "a") };
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
            Observed { key: Spot::Absent, ..installed("a", "a") },
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
        row("the same again, nothing to ask", installed("b", "b"), "", "", End::Proven),
        row("the same again, served", with(installed("b", "b"), seen_live), "", "", End::Proven),
        row(
            "the same again, served otherwise",
            with(installed("b", "b"), serves()),
            "test reload ask(b)",
            "",
            End::Proven,
        ),
        row("the same again, no block", with(installed("b", "b"), ServerState::NotNamed), "", "", End::NotNamed),
        row(
            "interrupted: take up there",
            with(installed("b", "a"), serves()),
            "test reload ask(b) proven=b note(b) prune",
            "live=a test reload ask(a)",
            End::Proven,
        ),
        row("interrupted, nothing to ask", installed("b", "a"), "proven=b note(b) prune", "", End::Proven),
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
            "write(b) settings take(a) live=a proven=a link(chain) link(key) live=b test reload ask(b) proven=b note(b) prune",
            "live=a test reload ask(a)",
            End::Proven,
        ),
        row(
            "takeover of a chain file that holds the key too: it is kept",
            Observed { mixed: true, ..whole() },
            "write(b) settings take(a) live=a proven=a backup(chain) link(chain) link(key) live=b proven=b note(b) prune",
            "live=a",
            End::Proven,
        ),
        row(
            "takeover, killed between the links",
            Observed {
                live: Some(id("a")),
                proven: Some(id("a")),
                releases: vec![id("a"), id("b")],
                chain: Spot::Ours,
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
            Observed { chain: Spot::File, key: Spot::File, present: Present::Whole(id("d")), ..installed("a", "a") },
            "write(b) settings take(d) live=d proven=d link(chain) link(key) live=b proven=b note(b) prune",
            "live=d",
            End::Proven,
        ),
        row(
            "plain files that do not fit, over our links",
            Observed { chain: Spot::File, present: Present::Broken("no".to_owned()), ..installed("a", "a") },
            "write(b) settings backup(chain) link(chain) live=b proven=b note(b) prune",
            "live=a",
            End::Proven,
        ),
    ]
}

#[test]
fn each_state_has_its_steps_and_its_way_back() {
    for rows in [first_installs(), first_installs_over_something(), replacements(), repeats(), takeovers()] {
        for Row { name, seen, steps, undo: way_back, end } in rows {
            let plan = install(&wanted(), &seen, &layout());
            assert_eq!(short(&plan.steps), steps, "{name}");
            assert_eq!(plan.end, end, "{name}");
            assert_eq!(short(&undo(&plan, until_failure(&plan)).steps), way_back, "{name}: undo");
        }
    }
}
