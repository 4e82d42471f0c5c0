//! The steps of installs and rollbacks for each state (live, proven, plain files, server), and the
//! rollback after each step.

mod copies;
mod scheduling;
mod table;

use std::ffi::OsStr;
use std::path::Path;

use super::{
    BackedUpFile, InstallPlan, LineageLayout, ObservedState, PathState, PlanEnd, PlanStep,
    PlannedServerUse, ReleaseId, RollbackTarget, ServedBefore, ServedEvidence, ServerQuestions,
    ServerState, SettingsChange, StableLink, TargetRelease, plan_install, plan_rollback,
};
use crate::store::layout::ReleaseFile;
use crate::webserver::model::ServerSoftware;

fn id(letter: &str) -> ReleaseId {
    ReleaseId::parse(&letter.repeat(8)).unwrap()
}

fn layout() -> LineageLayout {
    LineageLayout::new(
        None,
        "x",
        "/etc/ssl/x.pem".into(),
        "/etc/ssl/private/x.key".into(),
    )
}

/// The state before a first install. In these tests `a` is the old release and `b` the new one.
fn nothing() -> ObservedState {
    ObservedState {
        live: None,
        proven: None,
        releases: Vec::new(),
        missing_files: Vec::new(),
        kept: Vec::new(),
        path_states: vec![PathState::Absent; 2],
        served_before: ServedBefore::Nothing,
        added_paths: Vec::new(),
        server_uses: Vec::new(),
    }
}

fn installed(live: &str, proven: &str) -> ObservedState {
    let proven = (!proven.is_empty()).then(|| id(proven));
    let releases = [Some(id(live)), proven.clone()]
        .into_iter()
        .flatten()
        .collect();
    ObservedState {
        live: Some(id(live)),
        proven,
        releases,
        path_states: vec![PathState::OurLink; 2],
        ..nothing()
    }
}

fn plain(present: ServedBefore) -> ObservedState {
    let spot = if matches!(present, ServedBefore::Whole(_)) {
        PathState::Identical
    } else {
        PathState::File
    };
    ObservedState {
        path_states: vec![spot; 2],
        served_before: present,
        ..nothing()
    }
}

fn server_questions() -> ServerQuestions {
    ServerQuestions {
        test: Some("t".to_owned()),
        reload: Some("r".to_owned()),
        addresses: vec!["p".to_owned()],
        ..ServerQuestions::default()
    }
}

fn serves() -> ServerState {
    ServerState::Serves(server_questions(), ServedEvidence::Otherwise)
}

fn wanted() -> TargetRelease {
    TargetRelease {
        id: id("b"),
        pieces: ReleaseFile::USUAL.to_vec(),
        settings_change: SettingsChange::Unchanged,
    }
}

/// The rollback, provided that every attempted backup was made.
fn undo(plan: &InstallPlan, attempted: &[PlanStep]) -> InstallPlan {
    let kept = attempted.iter().filter_map(|step| match step {
        PlanStep::BackUp { path } | PlanStep::Keep { path } => Some(BackedUpFile {
            path: path.clone(),
            backup: path.with_extension("kept"),
        }),
        _ => None,
    });
    super::undo::plan_undo(plan, attempted, &kept.collect::<Vec<_>>())
}

/// Abbreviates steps, so that a row fits on a line.
fn short(steps: &[PlanStep]) -> String {
    let words: Vec<String> = steps.iter().map(short_step).collect();
    words.join(" ")
}

fn short_step(step: &PlanStep) -> String {
    match step {
        PlanStep::BackUp { path } => format!("backup({})", short_path(path)),
        PlanStep::Copy { release, .. } => format!("copy({})", letter(release)),
        PlanStep::Keep { path } => format!("keep({})", short_path(path)),
        PlanStep::Link { path, .. } => format!("link({})", short_path(path)),
        PlanStep::MarkProven { to, .. } => format!("proven={}", letter(to)),
        PlanStep::Prove { release, .. } => format!("prove({})", letter(release)),
        PlanStep::Prune => "prune".to_owned(),
        PlanStep::Record { release, .. } => format!("record({})", letter(release)),
        PlanStep::Reload { .. } => "reload".to_owned(),
        PlanStep::Remember { .. } => "settings".to_owned(),
        PlanStep::RunHook { .. } => "hook".to_owned(),
        PlanStep::Switch { to, .. } => format!("live={}", letter(to)),
        PlanStep::TakeOver { release } => format!("take({})", letter(release)),
        PlanStep::TestServer { .. } => "test".to_owned(),
        PlanStep::WriteRelease { release, .. } => format!("write({})", letter(release)),
        _ => short_undo_step(step),
    }
}

/// Abbreviates a step that only a rollback has.
fn short_undo_step(step: &PlanStep) -> String {
    match step {
        PlanStep::RemoveCopy { path } => format!("remove({})", short_path(path)),
        PlanStep::Restore { path, .. } => format!("restore({})", short_path(path)),
        PlanStep::Unlink { path } => format!("unlink({})", short_path(path)),
        PlanStep::Unpoint { pointer } => format!("no-{}", pointer.name()),
        other => panic!("{other:?} is not a step of a rollback"),
    }
}

fn short_path(path: &Path) -> &'static str {
    match path.extension().and_then(OsStr::to_str) {
        Some("key") => "key",
        Some("both") => "both",
        _ => "chain",
    }
}

fn letter(id: &ReleaseId) -> &str {
    &id.as_str()[..1]
}

fn with(observed: ObservedState, server: ServerState) -> ObservedState {
    ObservedState {
        server_uses: vec![PlannedServerUse {
            server: Some(ServerSoftware::Nginx),
            state: server,
        }],
        ..observed
    }
}

/// The steps up to the last test, reload or probe, or up to the switch where there is none.
fn until_failure(plan: &InstallPlan) -> &[PlanStep] {
    let last = plan.steps.iter().rposition(|step| {
        matches!(
            step,
            PlanStep::Switch { .. }
                | PlanStep::TestServer { .. }
                | PlanStep::Reload { .. }
                | PlanStep::Prove { .. }
                | PlanStep::Link { .. }
                | PlanStep::Copy { .. }
        )
    });
    &plan.steps[..last.map_or(0, |index| index + 1)]
}

#[test]
fn a_failed_rollback_restores_the_proven_release() {
    let both = || ObservedState {
        releases: vec![id("a"), id("b")],
        ..installed("b", "b")
    };
    let plan = plan_rollback(
        &TargetRelease {
            id: id("a"),
            ..wanted()
        },
        &with(both(), serves()),
        &layout(),
    );
    assert_eq!(
        short(&plan.steps),
        "live=a test reload prove(a) proven=a record(a)"
    );
    assert_eq!(
        short(&undo(&plan, until_failure(&plan)).steps),
        "live=b test reload prove(b)"
    );

    let plan = plan_rollback(
        &TargetRelease {
            id: id("a"),
            ..wanted()
        },
        &with(installed("b", "a"), serves()),
        &layout(),
    );
    assert_eq!(short(&plan.steps), "live=a test reload prove(a) record(a)");
    assert_eq!(
        short(&undo(&plan, until_failure(&plan)).steps),
        "",
        "the proven release is live already"
    );

    // A new link needs another file, so the same certificate becomes another release.
    let plan = plan_rollback(
        &TargetRelease {
            id: id("c"),
            ..wanted()
        },
        &with(both(), serves()),
        &layout(),
    );
    assert_eq!(
        short(&plan.steps),
        "write(c) live=c test reload prove(c) proven=c record(c)"
    );
}

/// The rollback of the first steps of a takeover.
fn expected_undo(attempted: &[PlanStep]) -> String {
    let text = short(attempted);
    let restored: Vec<String> = ["chain", "key"]
        .iter()
        .filter(|path| text.contains(&format!("keep({path})")))
        .map(|path| format!("restore({path})"))
        .collect();
    let restored = restored.join(" ");
    match (text.contains("live=b"), text.contains("proven=b")) {
        (false, _) => restored,
        (true, false) => format!("live=a {restored} test reload prove(a)"),
        (true, true) => format!("live=a proven=a {restored} test reload prove(a)"),
    }
}

#[test]
fn every_attempted_step_can_be_rolled_back() {
    let observed = with(plain(ServedBefore::Whole(id("a"))), serves());
    let plan = plan_install(&wanted(), &observed, &layout());
    for count in 0..=plan.steps.len() {
        let attempted = &plan.steps[..count];
        let back = undo(&plan, attempted);
        let expected = expected_undo(attempted);
        assert_eq!(short(&back.steps), expected, "after {}", short(attempted));
    }
    let first = plan_install(&wanted(), &nothing(), &layout());
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
fn only_backups_that_were_made_are_restored() {
    for present in [ServedBefore::Partial, ServedBefore::Broken("no".to_owned())] {
        let plan = plan_install(&wanted(), &plain(present), &layout());
        let until_backup = &plan.steps[..3];
        assert_eq!(short(until_backup), "write(b) settings backup(chain)");
        assert_eq!(
            super::undo::plan_undo(&plan, until_backup, &[]).steps,
            [],
            "the backup failed, so the existing file is left unchanged"
        );
        let between = &plan.steps[..5];
        assert_eq!(
            short(between),
            "write(b) settings backup(chain) backup(key) link(chain)"
        );
        let chain = BackedUpFile {
            path: "/etc/ssl/x.pem".into(),
            backup: "/etc/ssl/x.pem.~7~".into(),
        };
        let steps = super::undo::plan_undo(&plan, between, std::slice::from_ref(&chain)).steps;
        assert_eq!(
            steps,
            [PlanStep::Restore {
                path: chain.path,
                backup: chain.backup
            }]
        );
    }
}

#[test]
fn links_are_restored_before_a_single_reload() {
    for observed in [
        installed("a", "a"),
        installed("c", "a"),
        plain(ServedBefore::Whole(id("a"))),
        nothing(),
    ] {
        let plan = plan_install(&wanted(), &with(observed, serves()), &layout());
        for count in 0..=plan.steps.len() {
            let steps = undo(&plan, &plan.steps[..count]).steps;
            let reloads: Vec<usize> = steps
                .iter()
                .enumerate()
                .filter(|(_, step)| matches!(step, PlanStep::Reload { .. }))
                .map(|(at, _)| at)
                .collect();
            assert!(reloads.len() <= 1, "{steps:?}");
            if let Some(&reload) = reloads.first() {
                let later = &steps[reload + 1..];
                assert!(
                    later
                        .iter()
                        .all(|step| matches!(step, PlanStep::Prove { .. })),
                    "{steps:?}"
                );
            }
        }
    }
}

#[test]
fn plans_have_a_json_and_a_text_form() {
    let plan = plan_install(&wanted(), &with(installed("a", "a"), serves()), &layout());
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(
        json["steps"][0],
        serde_json::json!({
            "step": "write-release",
            "release": "bbbbbbbb",
            "pieces": ["full-chain", "cert", "ca", "key"],
        })
    );
    assert_eq!(json["back"], serde_json::json!({"to": "aaaaaaaa"}));
    assert_eq!(
        plan.steps[2].to_string(),
        "switch servers to version bbbbbbbb, chain and key in one rename (before: aaaaaaaa)"
    );
    assert_eq!(plan.back, RollbackTarget::To(id("a")));
}
