//! Several plans in one run, with servers and disks that succeed or fail as each test requires.

use super::{
    InstallPlan, ObservedState, PathState, PlanStep, PlannedServerUse, ServedEvidence,
    ServerQuestions, ServerSoftware, ServerState, installed, layout, nothing, plan_install, wanted,
};
use crate::install_plan::plan::scheduler::{NextAction, PlanProgress, PlanScheduler};

const NGINX: Option<ServerSoftware> = Some(ServerSoftware::Nginx);
const APACHE: Option<ServerSoftware> = Some(ServerSoftware::Apache);

/// A plan that replaces a certificate which these servers use.
fn replaced(servers: &[Option<ServerSoftware>]) -> InstallPlan {
    plan_install(&wanted(), &used_by(installed("a", "a"), servers), &layout())
}

fn used_by(observed: ObservedState, servers: &[Option<ServerSoftware>]) -> ObservedState {
    let mut uses = Vec::new();
    for server in servers {
        let name = server.map_or("x", ServerSoftware::name);
        let questions = ServerQuestions {
            test: Some(format!("test {name}")),
            reload: Some(format!("reload {name}")),
            addresses: vec![name.to_owned()],
            ..ServerQuestions::default()
        };
        uses.push(PlannedServerUse {
            server: *server,
            state: ServerState::Serves(questions, ServedEvidence::Otherwise),
        });
    }
    ObservedState {
        server_uses: uses,
        ..observed
    }
}

/// Decides how an action ends: `None` when it succeeds, else the plans that the output names.
type ActionOutcomes<'w> = &'w mut dyn FnMut(&str) -> Option<Vec<usize>>;

/// Runs the plans; returns the actions in a few letters each: `0` and `1` are plans, `=b` is the
/// switch.
fn run<'a>(
    plans: &'a [InstallPlan],
    outcomes: ActionOutcomes<'_>,
) -> (Vec<String>, Vec<PlanProgress<'a, String>>) {
    let mut scheduler = PlanScheduler::new(plans);
    let mut actions = Vec::new();
    while let Some(action) = scheduler.next_action() {
        let word = abbreviate_action(&action);
        let failure = outcomes(&word);
        actions.push(word.clone());
        assert!(actions.len() < 1000, "the run does not end: {actions:?}");
        perform(&mut scheduler, action, word, failure);
    }
    (actions, scheduler.into_progress())
}

fn perform(
    scheduler: &mut PlanScheduler<'_, String>,
    action: NextAction,
    word: String,
    failure: Option<Vec<usize>>,
) {
    match action {
        NextAction::RunStep(index, step) => {
            scheduler.start_step(index, &step);
            match failure {
                None => scheduler.complete_step(&[index]),
                Some(_) => scheduler.fail_step(index, word),
            }
        }
        NextAction::Flush(folder) => {
            scheduler.finish_flush(&folder, failure.map(|_| word).as_ref());
        }
        NextAction::AskServer(question, indices) => {
            for &index in &indices {
                scheduler.start_step(index, &question);
            }
            let Some(named) = failure else {
                return complete_server_step(scheduler, &question, &indices);
            };
            scheduler.fail_server_step(&question, &named, &word);
        }
        NextAction::Prove(steps) => {
            let unserved = failure.unwrap_or_default();
            for (index, step) in steps {
                scheduler.start_step(index, &step);
                if unserved.contains(&index) {
                    scheduler.fail_step(index, word.clone());
                } else {
                    scheduler.complete_step(&[index]);
                }
            }
        }
    }
}

fn complete_server_step(
    scheduler: &mut PlanScheduler<'_, String>,
    question: &PlanStep,
    indices: &[usize],
) {
    scheduler.complete_step(indices);
    if matches!(question, PlanStep::Reload { .. }) {
        scheduler.probe_again_after_reload(question);
    }
}

fn abbreviate_action(action: &NextAction) -> String {
    match action {
        NextAction::RunStep(index, step) => format!("{index}{}", abbreviate_step(step)),
        NextAction::AskServer(
            PlanStep::TestServer { command, .. } | PlanStep::Reload { command, .. },
            indices,
        ) => {
            let indices: String = indices.iter().map(ToString::to_string).collect();
            format!("{command} for {indices}")
        }
        NextAction::AskServer(other, _) => panic!("{other:?} is not a test or reload"),
        NextAction::Flush(folder) => format!("flush {}", folder.display()),
        NextAction::Prove(steps) => {
            let words: Vec<String> = steps
                .iter()
                .map(|(index, step)| format!("{index}{}", proven_letter(step)))
                .collect();
            format!("prove {}", words.join(" "))
        }
    }
}

fn abbreviate_step(step: &PlanStep) -> String {
    match step {
        PlanStep::Switch { to, .. } => format!("={}", &to.as_str()[..1]),
        PlanStep::MarkProven { .. } => "proven".to_owned(),
        PlanStep::BackUp { .. } => "keep".to_owned(),
        PlanStep::Link { path, .. } => format!("link {}", path.display()),
        PlanStep::Record { .. } => "record".to_owned(),
        PlanStep::WriteRelease { .. } => "write".to_owned(),
        PlanStep::Remember { .. } => "settings".to_owned(),
        PlanStep::Prune => "prune".to_owned(),
        other => other.to_string(),
    }
}

fn proven_letter(step: &PlanStep) -> &str {
    match step {
        PlanStep::Prove { release, .. } => &release.as_str()[..1],
        other => panic!("{other:?} is not a probe"),
    }
}

/// The actions from the switch on; those before it are the same for all plans.
fn after_writing(actions: &[String]) -> String {
    actions
        .iter()
        .filter(|word| !word.ends_with("write") && !word.ends_with("settings"))
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

const SETTLED: &str = "proven, Nrecord, Nprune";

fn settled(index: usize) -> String {
    format!("{index}{}", SETTLED.replace('N', &index.to_string()))
}

#[test]
fn each_server_is_tested_and_reloaded_once() {
    let plans = [
        replaced(&[NGINX]),
        replaced(&[NGINX, APACHE]),
        replaced(&[NGINX]),
    ];
    let (actions, progress) = run(&plans, &mut |_| None);
    let wanted = format!(
        "0=b, 1=b, 2=b, test nginx for 012, test apache for 1, reload nginx for 012, reload apache \
            for 1, prove 0b 1b 2b, {}, {}, {}",
        settled(0),
        settled(1),
        settled(2)
    );
    assert_eq!(after_writing(&actions), wanted);
    assert!(
        progress
            .iter()
            .all(|plan| plan.failure.is_none() && plan.undone.is_empty())
    );
}

/// The changes of two first installs to the folders that they share, and whether both succeed.
fn shared_folder_actions(outcomes: ActionOutcomes<'_>) -> (String, bool) {
    let lone_key = ObservedState {
        path_states: vec![PathState::Absent, PathState::File],
        ..nothing()
    };
    let plans = [
        lone_key,
        ObservedState {
            path_states: vec![PathState::Absent; 2],
            ..nothing()
        },
    ]
    .map(|observed| plan_install(&wanted(), &observed, &layout()));
    let (actions, progress) = run(&plans, outcomes);
    let words: Vec<String> = actions
        .iter()
        .filter_map(|word| folder_action(word))
        .collect();
    (
        words.join(", "),
        progress.iter().all(|plan| plan.failure.is_none()),
    )
}

/// The beginning of an action that changes a folder; `None` for other actions.
fn folder_action(word: &str) -> Option<String> {
    if word.starts_with("flush") {
        return Some(word.to_owned());
    }
    for start in ["keep", "link /", "="] {
        if word[1..].starts_with(start) {
            return Some(format!("{}{}", &word[..1], start.trim()));
        }
    }
    None
}

#[test]
fn shared_folders_are_flushed_once() {
    let safe = "0keep, flush /etc/ssl/private, 0link /, 0link /, 1link /, 1link /, flush /etc/ssl";
    assert_eq!(
        shared_folder_actions(&mut |_| None),
        (format!("{safe}, flush /etc/ssl/private, 0=, 1="), true)
    );
    let mut fails = |word: &str| (word == "flush /etc/ssl").then(Vec::new);
    assert_eq!(
        shared_folder_actions(&mut fails),
        (format!("{safe}, flush /etc/ssl/private"), false),
        "no later step relies on the flush"
    );
}

#[test]
fn only_the_failed_plan_is_rolled_back() {
    let plans = || [replaced(&[NGINX]), replaced(&[NGINX])];
    for (name, fails, named, wanted) in [
        (
            "a test names the second",
            "test nginx for 01",
            vec![1],
            "0=b, 1=b, test nginx for 01, 1=a, test nginx for 01, reload nginx for 01, prove 0b 1a, ",
        ),
        (
            "a reload names the second",
            "reload nginx for 01",
            vec![1],
            "0=b, 1=b, test nginx for 01, reload nginx for 01, 1=a, test nginx for 1, reload nginx \
                for 01, prove 0b 1a, ",
        ),
        (
            "the second is not served",
            "prove 0b 1b",
            vec![1],
            "0=b, 1=b, test nginx for 01, reload nginx for 01, prove 0b 1b, 1=a, test nginx for 1, \
                reload nginx for 1, prove 0b 1a, ",
        ),
        (
            "the second cannot be switched",
            "1=b",
            vec![],
            "0=b, 1=b, 1=a, test nginx for 01, reload nginx for 01, prove 0b 1a, ",
        ),
    ] {
        let plans = plans();
        let mut times = 0;
        let (actions, progress) = run(&plans, &mut |word| {
            times += usize::from(word == fails);
            (word == fails && times == 1).then(|| named.clone())
        });
        assert_eq!(
            after_writing(&actions),
            format!("{wanted}{}", settled(0)),
            "{name}"
        );
        assert!(progress[0].failure.is_none(), "{name}");
        assert_eq!(progress[1].failure.as_deref(), Some(fails), "{name}");
        assert!(
            progress[1].not_undone.is_empty(),
            "{name}: {:?}",
            progress[1].not_undone
        );
    }
}

#[test]
fn a_plan_is_rolled_back_on_all_its_servers() {
    let plans = [
        replaced(&[NGINX]),
        replaced(&[NGINX, APACHE]),
        replaced(&[APACHE]),
    ];
    let mut times = 0;
    let (actions, progress) = run(&plans, &mut |word| {
        times += usize::from(word == "test apache for 12");
        // The output names no plan: all plans of Apache are rolled back.
        (word == "test apache for 12" && times == 1).then(Vec::new)
    });
    let wanted = "0=b, 1=b, 2=b, test nginx for 01, test apache for 12, 1=a, 2=a, test nginx for 1, test apache for 12, \
        reload nginx for 01, reload apache for 12, prove 0b 1a 2a, ";
    assert_eq!(after_writing(&actions), format!("{wanted}{}", settled(0)));
    assert!(
        progress[0].failure.is_none()
            && progress[1].failure.is_some()
            && progress[2].failure.is_some()
    );
}

#[test]
fn a_server_whose_test_keeps_failing_is_not_reloaded() {
    let plans = [replaced(&[NGINX]), replaced(&[APACHE])];
    let (actions, progress) = run(&plans, &mut |word| {
        word.starts_with("test nginx").then(Vec::new)
    });
    let wanted = "0=b, 1=b, test nginx for 0, 0=a, test nginx for 0, test apache for 1, reload \
        apache for 1, prove 0a 1b, ";
    assert_eq!(after_writing(&actions), format!("{wanted}{}", settled(1)));
    let left: Vec<bool> = progress[0]
        .not_undone
        .iter()
        .map(|(_, why)| why.is_some())
        .collect();
    assert_eq!(
        left,
        [true, false],
        "the test failed, so the reload was skipped: {:?}",
        progress[0].not_undone
    );
    assert!(progress[1].failure.is_none());
}

#[test]
fn a_signal_rolls_back_all_plans() {
    let plans = [replaced(&[NGINX]), replaced(&[NGINX])];
    let mut scheduler: PlanScheduler<'_, String> = PlanScheduler::new(&plans);
    while let Some(NextAction::RunStep(index, step)) = scheduler.next_action() {
        scheduler.start_step(index, &step);
        scheduler.complete_step(&[index]);
    }
    scheduler.interrupt(&"signal".to_owned());
    assert!(!scheduler.is_settling());
    let mut actions = Vec::new();
    while let Some(action) = scheduler.next_action() {
        let word = abbreviate_action(&action);
        actions.push(word.clone());
        perform(&mut scheduler, action, word, None);
    }
    assert_eq!(
        actions.join(", "),
        "0=a, 1=a, test nginx for 01, reload nginx for 01, prove 0a 1a"
    );
}

/// Disks and servers that fail at random, and what is live after each action.
struct RandomOutcomes {
    state: u64,
    one_in: u64,
    live: [&'static str; 5],
}

impl RandomOutcomes {
    fn new(seed: u64) -> Self {
        let mut outcomes = Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            one_in: 0,
            live: LIVE_BEFORE,
        };
        outcomes.one_in = 3 + outcomes.random(12);
        outcomes
    }

    fn random(&mut self, below: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % below
    }

    fn failure(&mut self, word: &str) -> Option<Vec<usize>> {
        let is_chosen = self.random(self.one_in) == 0;
        // The disk fails only before the rollback: a rollback cannot repair it.
        let changes_disk_in_rollback = word.ends_with("=a") || word.contains("remove");
        let is_bookkeeping = word.ends_with("record") || word.ends_with("prune");
        if is_chosen && !changes_disk_in_rollback && !is_bookkeeping {
            return Some((0..5).filter(|_| self.random(3) == 0).collect());
        }
        self.switch(word);
        None
    }

    fn switch(&mut self, word: &str) {
        let index: usize = word[..1].parse().unwrap_or(9);
        if word.contains("remove the link live") {
            self.live[index] = "";
        } else if word.ends_with("=a") {
            self.live[index] = "a";
        } else if word.ends_with("=b") {
            self.live[index] = "b";
        }
    }
}

/// What is live before the plans of `random_failures_leave_no_plan_half_done`.
const LIVE_BEFORE: [&str; 5] = ["a", "a", "a", "", "a"];

/// With any number of failures the run ends, and each plan has either installed the new certificate
/// or restored the previous one. A certificate is noted as proven only if it was probed after the
/// last reload of its servers.
#[test]
fn random_failures_leave_no_plan_half_done() {
    let new = ObservedState {
        path_states: vec![PathState::Absent; 2],
        ..nothing()
    };
    let plans = [
        replaced(&[NGINX]),
        replaced(&[NGINX, APACHE]),
        replaced(&[APACHE]),
        plan_install(&wanted(), &used_by(new, &[NGINX]), &layout()),
        replaced(&[]),
    ];
    for seed in 0..3000_u64 {
        let mut outcomes = RandomOutcomes::new(seed);
        let (actions, progress) = run(&plans, &mut |word| outcomes.failure(word));
        for (index, plan) in progress.iter().enumerate() {
            let is_installed = plan.failure.is_none();
            let expected = if is_installed {
                "b"
            } else {
                LIVE_BEFORE[index]
            };
            let context = format!("seed {seed}, plan {index}: {actions:?}");
            assert_eq!(outcomes.live[index], expected, "{context}");
            let is_recorded = actions.contains(&format!("{index}record"));
            assert_eq!(is_recorded, is_installed, "{context}");
            if is_recorded {
                assert!(is_probed_after_last_reload(&actions, index), "{context}");
            }
        }
    }
}

/// Whether the new certificate was probed after the last reload, where that reload concerns it.
fn is_probed_after_last_reload(actions: &[String], index: usize) -> bool {
    let Some(reload) = actions.iter().rposition(|word| word.starts_with("reload")) else {
        return true;
    };
    let concerns_plan = actions[reload].contains(&index.to_string());
    let probe = format!("{index}b");
    let is_probe = |word: &String| word.starts_with("prove") && word.contains(&probe);
    !concerns_plan || actions[reload..].iter().any(is_probe)
}
