//! The table: (live, proven, files present, server) -> steps, and the way back from each point of
//! them.

mod course;
mod table;

use super::{
    Asks, Back, End, InstallPlan, Kept, Layout, Link, Observed, Present, ReleaseId, Remembered,
    Served, ServerState, Spot, Step, Use, Wanted, install, rollback,
};
use crate::store::layout::Piece;
use crate::webserver::model::Software;

fn id(letter: &str) -> ReleaseId {
    ReleaseId::parse(&letter.repeat(8)).unwrap()
}

fn layout() -> Layout {
    Layout::new(
        None,
        "x",
        "/etc/ssl/x.pem".into(),
        "/etc/ssl/private/x.key".into(),
    )
}

/// Old `a`, new `b`; nothing there yet.
fn nothing() -> Observed {
    Observed {
        live: None,
        proven: None,
        releases: Vec::new(),
        lacks: Vec::new(),
        spots: vec![Spot::Absent; 2],
        present: Present::Nothing,
        uses: Vec::new(),
    }
}

fn installed(live: &str, proven: &str) -> Observed {
    let proven = (!proven.is_empty()).then(|| id(proven));
    let releases = [Some(id(live)), proven.clone()]
        .into_iter()
        .flatten()
        .collect();
    Observed {
        live: Some(id(live)),
        proven,
        releases,
        spots: vec![Spot::Ours; 2],
        ..nothing()
    }
}

fn plain(present: Present) -> Observed {
    let spot = if matches!(present, Present::Whole(_)) {
        Spot::Held
    } else {
        Spot::File
    };
    Observed {
        spots: vec![spot; 2],
        present,
        ..nothing()
    }
}

fn asks() -> Asks {
    Asks {
        test: Some("t".to_owned()),
        reload: Some("r".to_owned()),
        probe: vec!["p".to_owned()],
        ..Asks::default()
    }
}

fn serves() -> ServerState {
    ServerState::Serves(asks(), Served::Otherwise)
}

fn wanted() -> Wanted {
    Wanted {
        id: id("b"),
        pieces: Piece::USUAL.to_vec(),
        remembered: Remembered::Already,
    }
}

/// The way back when every backup that was attempted was made.
fn undo(plan: &InstallPlan, attempted: &[Step]) -> InstallPlan {
    let kept = attempted.iter().filter_map(|step| match step {
        Step::BackUp { path } => Some(Kept {
            path: path.clone(),
            backup: path.with_extension("kept"),
        }),
        _ => None,
    });
    super::undo::undo(plan, attempted, &kept.collect::<Vec<_>>())
}

/// Steps in a few letters each, so that a row is a line.
fn short(steps: &[Step]) -> String {
    let name =
        |path: &std::path::Path| match path.extension().and_then(|extension| extension.to_str()) {
            Some("key") => "key",
            Some("both") => "both",
            _ => "chain",
        };
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
            Step::Restore { path, .. } => format!("restore({})", name(path)),
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
    Observed {
        uses: vec![Use {
            server: Some(Software::Nginx),
            state: server,
        }],
        ..seen
    }
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
    let last = plan
        .steps
        .iter()
        .rposition(question)
        .map_or(0, |index| index + 1);
    &plan.steps[..last]
}

#[test]
fn rollback_goes_to_what_it_is_told_and_comes_back_to_what_was_proven() {
    let both = || Observed {
        releases: vec![id("a"), id("b")],
        ..installed("b", "b")
    };
    let plan = rollback(
        &Wanted {
            id: id("a"),
            ..wanted()
        },
        &with(both(), serves()),
        &layout(),
    );
    assert_eq!(short(&plan.steps), "live=a test reload ask(a) proven=a");
    assert_eq!(
        short(&undo(&plan, until_failure(&plan)).steps),
        "live=b test reload ask(b)"
    );

    let plan = rollback(
        &Wanted {
            id: id("a"),
            ..wanted()
        },
        &with(installed("b", "a"), serves()),
        &layout(),
    );
    assert_eq!(short(&plan.steps), "live=a test reload ask(a)");
    assert_eq!(
        short(&undo(&plan, until_failure(&plan)).steps),
        "",
        "it is there already"
    );

    // A link that came since wants a file more: the same certificate is another release.
    let plan = rollback(
        &Wanted {
            id: id("c"),
            ..wanted()
        },
        &with(both(), serves()),
        &layout(),
    );
    assert_eq!(
        short(&plan.steps),
        "write(c) live=c test reload ask(c) proven=c"
    );
}

#[test]
fn undo_is_right_from_every_step() {
    let seen = with(plain(Present::Whole(id("a"))), serves());
    let plan = install(&wanted(), &seen, &layout());
    for count in 0..=plan.steps.len() {
        let attempted = &plan.steps[..count];
        let back = undo(&plan, attempted);
        let switched = attempted
            .iter()
            .any(|step| matches!(step, Step::Switch { to, .. } if *to == id("b")));
        let expected = match (switched, short(attempted).contains("proven=b")) {
            (false, _) => "",
            (true, false) => "live=a test reload ask(a)",
            (true, true) => "live=a proven=a test reload ask(a)",
        };
        assert_eq!(short(&back.steps), expected, "after {}", short(attempted));
    }
    let first = install(&wanted(), &nothing(), &layout());
    let states: Vec<String> = (0..=5)
        .map(|count| short(&undo(&first, &first.steps[..count]).steps))
        .collect();
    assert_eq!(
        states,
        [
            "",
            "",
            "",
            "unlink(chain)",
            "unlink(chain) unlink(key)",
            "no-live unlink(chain) unlink(key)"
        ]
    );
}

#[test]
fn only_what_was_kept_is_put_back() {
    for present in [Present::Partial, Present::Broken("no".to_owned())] {
        let plan = install(&wanted(), &plain(present), &layout());
        let until_backup = &plan.steps[..3];
        assert_eq!(short(until_backup), "write(b) settings backup(chain)");
        assert_eq!(
            super::undo::undo(&plan, until_backup, &[]).steps,
            [],
            "it failed: what is there is the user's"
        );
        let between = &plan.steps[..5];
        assert_eq!(
            short(between),
            "write(b) settings backup(chain) backup(key) link(chain)"
        );
        let chain = Kept {
            path: "/etc/ssl/x.pem".into(),
            backup: "/etc/ssl/x.pem.~7~".into(),
        };
        let steps = super::undo::undo(&plan, between, std::slice::from_ref(&chain)).steps;
        assert_eq!(
            steps,
            [Step::Restore {
                path: chain.path,
                backup: chain.backup
            }]
        );
    }
}

#[test]
fn links_go_back_before_the_reload_and_the_reload_comes_once() {
    for seen in [
        installed("a", "a"),
        installed("c", "a"),
        plain(Present::Whole(id("a"))),
        nothing(),
    ] {
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
                assert!(
                    later.iter().all(|step| matches!(step, Step::Prove { .. })),
                    "{steps:?}"
                );
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
    assert_eq!(
        plan.steps[2].to_string(),
        "switch key and chain together, in one rename: aaaaaaaa -> bbbbbbbb"
    );
    assert_eq!(plan.back, Back::To(id("a")));
}
