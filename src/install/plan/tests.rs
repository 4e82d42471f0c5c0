//! The table: (live, proven, files present, server) -> steps, and the way back from each point of them.

use super::{
    Asks, Back, End, InstallPlan, Layout, Observed, Piece, Present, ReleaseId, Remembered, Served, ServerState, Spot,
    Step, Wanted, install, rollback, undo,
};

fn id(letter: &str) -> ReleaseId {
    ReleaseId::parse(&letter.repeat(8)).unwrap()
}

fn layout() -> Layout {
    Layout::new(None, "x", "/etc/ssl/x.pem".into(), "/etc/ssl/private/x.key".into())
}

/// Old `a`, new `b`; nothing there yet.
fn nothing() -> Observed {
    Observed {
        live: None,
        proven: None,
        releases: Vec::new(),
        chain: Spot::Absent,
        key: Spot::Absent,
        present: Present::Nothing,
        server: ServerState::Nothing,
    }
}

fn installed(live: &str, proven: &str) -> Observed {
    let proven = (!proven.is_empty()).then(|| id(proven));
    let releases = [Some(id(live)), proven.clone()].into_iter().flatten().collect();
    Observed { live: Some(id(live)), proven, releases, chain: Spot::Ours, key: Spot::Ours, ..nothing() }
}

fn plain(present: Present) -> Observed {
    Observed { chain: Spot::File, key: Spot::File, present, ..nothing() }
}

fn asks() -> Asks {
    Asks { test: Some("t".to_owned()), reload: Some("r".to_owned()), probe: vec!["p".to_owned()], ..Asks::default() }
}

fn serves() -> ServerState {
    ServerState::Serves(asks(), Served::Otherwise)
}

fn wanted() -> Wanted {
    Wanted { id: id("b"), pieces: Piece::ALL.to_vec(), remembered: Remembered::Already }
}

/// Steps in a few letters each, so that a row is a line.
fn short(steps: &[Step]) -> String {
    let name = |path: &std::path::Path| if path.ends_with("x.key") { "key" } else { "chain" };
    let first = |id: &ReleaseId| id.as_str()[..1].to_owned();
    let words: Vec<String> = steps
        .iter()
        .map(|step| match step {
            Step::BackUp { path } => format!("backup({})", name(path)),
            Step::Link { path, .. } => format!("link({})", name(path)),
            Step::MarkProven { to, .. } => format!("proven={}", first(to)),
            Step::Prove { release, .. } => format!("ask({})", first(release)),
            Step::Prune => "prune".to_owned(),
            Step::Record { release, .. } => format!("note({})", first(release)),
            Step::Reload { .. } => "reload".to_owned(),
            Step::Remember { .. } => "settings".to_owned(),
            Step::Restore { path } => format!("restore({})", name(path)),
            Step::Switch { to, .. } => format!("live={}", first(to)),
            Step::TakeOver { release } => format!("take({})", first(release)),
            Step::TestServer { .. } => "test".to_owned(),
            Step::Unlink { path } => format!("unlink({})", name(path)),
            Step::Unpoint { pointer } => format!("no-{}", pointer.name()),
            Step::WriteRelease { release, .. } => format!("write({})", first(release)),
        })
        .collect();
    words.join(" ")
}

fn with(seen: Observed, server: ServerState) -> Observed {
    Observed { server, ..seen }
}

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

/// Everything up to the last question, or up to the switch where there is none.
fn until_failure(plan: &InstallPlan) -> &[Step] {
    let question = |step: &Step| {
        matches!(
            step,
            Step::Switch { .. }
                | Step::TestServer { .. }
                | Step::Reload { .. }
                | Step::Prove { .. }
                | Step::Link { .. }
        )
    };
    let last = plan.steps.iter().rposition(question).map_or(0, |index| index + 1);
    &plan.steps[..last]
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
            "no-live unlink(chain) unlink(key)",
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
            "no-live unlink(chain) unlink(key) test reload",
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
            "no-live unlink(chain) unlink(key) test reload",
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

#[test]
fn rollback_goes_to_what_it_is_told_and_comes_back_to_what_was_proven() {
    let plan = rollback(&id("a"), &with(installed("b", "b"), serves()), &layout());
    assert_eq!(short(&plan.steps), "live=a test reload ask(a) proven=a");
    assert_eq!(short(&undo(&plan, until_failure(&plan)).steps), "live=b test reload ask(b)");

    let plan = rollback(&id("a"), &with(installed("b", "a"), serves()), &layout());
    assert_eq!(short(&plan.steps), "live=a test reload ask(a)");
    assert_eq!(short(&undo(&plan, until_failure(&plan)).steps), "", "it is there already");
}

#[test]
fn undo_is_right_from_every_step() {
    let seen = with(plain(Present::Whole(id("a"))), serves());
    let plan = install(&wanted(), &seen, &layout());
    for count in 0..=plan.steps.len() {
        let attempted = &plan.steps[..count];
        let back = undo(&plan, attempted);
        let switched = attempted.iter().any(|step| matches!(step, Step::Switch { to, .. } if *to == id("b")));
        let expected = match (switched, short(attempted).contains("proven=b")) {
            (false, _) => "",
            (true, false) => "live=a test reload ask(a)",
            (true, true) => "live=a proven=a test reload ask(a)",
        };
        assert_eq!(short(&back.steps), expected, "after {}", short(attempted));
    }
    let first = install(&wanted(), &nothing(), &layout());
    let states: Vec<String> = (0..=5).map(|count| short(&undo(&first, &first.steps[..count]).steps)).collect();
    assert_eq!(states, ["", "", "", "unlink(chain)", "unlink(chain) unlink(key)", "no-live unlink(chain) unlink(key)"]);
}

#[test]
fn links_go_back_before_the_reload_and_the_reload_comes_once() {
    for seen in [installed("a", "a"), installed("c", "a"), plain(Present::Whole(id("a"))), nothing()] {
        let plan = install(&wanted(), &with(seen, serves()), &layout());
        for count in 0..=plan.steps.len() {
            let steps = undo(&plan, &plan.steps[..count]).steps;
            let reloads: Vec<usize> = steps
                .iter()
                .enumerate()
                .filter(|(_, step)| matches!(step, Step::Reload { .. }))
                .map(|(at, _)| at)
                .collect();
            assert!(reloads.len() <= 1, "{steps:?}");
            if let Some(&reload) = reloads.first() {
                let later = &steps[reload + 1..];
                assert!(later.iter().all(|step| matches!(step, Step::Prove { .. })), "{steps:?}");
            }
        }
    }
}

#[test]
fn a_plan_is_json_and_text_and_holds_no_bytes() {
    let plan = install(&wanted(), &with(installed("a", "a"), serves()), &layout());
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(
        json["steps"][0],
        serde_json::json!({"step": "write-release", "release": "bbbbbbbb", "pieces": ["full-chain", "cert", "ca", "key"]})
    );
    assert_eq!(json["back"], serde_json::json!({"to": "aaaaaaaa"}));
    assert_eq!(plan.steps[2].to_string(), "switch key and chain together, in one rename: aaaaaaaa -> bbbbbbbb");
    assert_eq!(plan.back, Back::To(id("a")));
}
