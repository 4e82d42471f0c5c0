//! Several pairs at once, against a world that answers as it is told.

use super::{
    InstallPlan, ObservedState, PathState, PlanStep, PlannedServerUse, ServedEvidence,
    ServerQuestions, ServerSoftware, ServerState, id, install, installed, layout, nothing, wanted,
};
use crate::install_plan::plan::scheduler::{NextAction, PlanProgress, PlanScheduler};

const NGINX: Option<ServerSoftware> = Some(ServerSoftware::Nginx);
const APACHE: Option<ServerSoftware> = Some(ServerSoftware::Apache);

/// A pair that these servers read and that is replaced.
fn replaced(servers: &[Option<ServerSoftware>]) -> InstallPlan {
    install(&wanted(), &read_by(installed("a", "a"), servers), &layout())
}

fn read_by(seen: ObservedState, servers: &[Option<ServerSoftware>]) -> ObservedState {
    let asks = |server: &Option<ServerSoftware>| {
        let name = server.map_or("x", ServerSoftware::name);
        let say = |what: &str| Some(format!("{what} {name}"));
        ServerQuestions {
            test: say("test"),
            reload: say("reload"),
            probe: vec![name.to_owned()],
            ..ServerQuestions::default()
        }
    };
    let state = |server| ServerState::Serves(asks(server), ServedEvidence::Otherwise);
    let uses = servers
        .iter()
        .map(|server| PlannedServerUse {
            server: *server,
            state: state(server),
        })
        .collect();
    ObservedState { uses, ..seen }
}

/// What the world says to an act: nothing when it goes well, else the pairs that its words name.
type World<'w> = &'w mut dyn FnMut(&str) -> Option<Vec<usize>>;

/// Runs the plans; says what was done, in a few letters each: `0` and `1` are pairs, `=b` is the
/// switch.
fn run<'a>(
    plans: &'a [InstallPlan],
    world: World<'_>,
) -> (Vec<String>, Vec<PlanProgress<'a, String>>) {
    let mut course = PlanScheduler::new(plans);
    let mut said = Vec::new();
    while let Some(act) = course.next() {
        let word = in_letters(&act);
        let answer = world(&word);
        said.push(word.clone());
        assert!(said.len() < 1000, "without end: {said:?}");
        match act {
            NextAction::Do(pair, step) => {
                course.begins(pair, &step);
                match answer {
                    None => course.went_well(&[pair]),
                    Some(_) => course.failed(pair, word),
                }
            }
            NextAction::Flush(folder) => course.flushed(&folder, answer.map(|_| word).as_ref()),
            NextAction::Ask(question, pairs) => {
                pairs
                    .iter()
                    .for_each(|&pair| course.begins(pair, &question));
                match answer {
                    None => {
                        course.went_well(&pairs);
                        if matches!(question, PlanStep::Reload { .. }) {
                            course.reloaded(&question);
                        }
                    }
                    Some(named) => course.refused(&question, &named, &word),
                }
            }
            NextAction::Prove(asked) => {
                for (pair, step) in asked {
                    course.begins(pair, &step);
                    match &answer {
                        Some(unseen) if unseen.contains(&pair) => course.failed(pair, word.clone()),
                        _ => course.went_well(&[pair]),
                    }
                }
            }
        }
    }
    (said, course.into_ways())
}

fn in_letters(act: &NextAction) -> String {
    let numbers = |pairs: &[usize]| pairs.iter().map(ToString::to_string).collect::<String>();
    match act {
        NextAction::Do(pair, step) => match step {
            PlanStep::Switch { to, .. } => format!("{pair}={}", &to.as_str()[..1]),
            PlanStep::MarkProven { .. } => format!("{pair}proven"),
            PlanStep::Record { .. } => format!("{pair}note"),
            PlanStep::WriteRelease { .. } => format!("{pair}write"),
            PlanStep::Remember { .. } => format!("{pair}settings"),
            PlanStep::Prune => format!("{pair}prune"),
            other => format!("{pair}{other}"),
        },
        NextAction::Ask(
            PlanStep::TestServer { command, .. } | PlanStep::Reload { command, .. },
            pairs,
        ) => {
            format!("{} for {}", command, numbers(pairs))
        }
        NextAction::Ask(other, _) => panic!("{other:?} is no question"),
        NextAction::Flush(folder) => format!("flush {}", folder.display()),
        NextAction::Prove(asked) => {
            let of = |(pair, step): &(usize, PlanStep)| match step {
                PlanStep::Prove { release, .. } => format!("{pair}{}", &release.as_str()[..1]),
                other => panic!("{other:?} is no proof"),
            };
            format!("ask {}", asked.iter().map(of).collect::<Vec<_>>().join(" "))
        }
    }
}

/// From the switch on: what comes before is the same for all.
fn after_writing(said: &[String]) -> String {
    let begun = |word: &&String| word.ends_with("write") || word.ends_with("settings");
    said.iter()
        .filter(|word| !begun(word))
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

const SETTLED: &str = "proven, Nnote, Nprune";

fn settled(pair: usize) -> String {
    format!("{pair}{}", SETTLED.replace('N', &pair.to_string()))
}

#[test]
fn one_test_and_one_reload_for_all() {
    let plans = [
        replaced(&[NGINX]),
        replaced(&[NGINX, APACHE]),
        replaced(&[NGINX]),
    ];
    let (said, ways) = run(&plans, &mut |_| None);
    let wanted = format!(
        "0=b, 1=b, 2=b, test nginx for 012, test apache for 1, reload nginx for 012, reload apache \
            for 1, ask 0b 1b 2b, {}, {}, {}",
        settled(0),
        settled(1),
        settled(2)
    );
    assert_eq!(after_writing(&said), wanted);
    assert!(
        ways.iter()
            .all(|way| way.trouble.is_none() && way.back.is_empty())
    );
}

/// What goes to the folders that pairs share, of two that are new.
fn shared(world: World<'_>) -> (String, bool) {
    let lone_key = ObservedState {
        spots: vec![PathState::Absent, PathState::File],
        ..nothing()
    };
    let plans = [
        lone_key,
        ObservedState {
            spots: vec![PathState::Absent; 2],
            ..nothing()
        },
    ]
    .map(|seen| install(&wanted(), &seen, &layout()));
    let (said, ways) = run(&plans, world);
    let word = |word: &String| {
        let is = |what: &str| {
            word[1..]
                .starts_with(what)
                .then(|| format!("{}{}", &word[..1], what.trim()))
        };
        ["keep", "link /", "="]
            .into_iter()
            .find_map(is)
            .or_else(|| word.starts_with("flush").then(|| word.clone()))
    };
    (
        said.iter().filter_map(word).collect::<Vec<_>>().join(", "),
        ways.iter().all(|way| way.trouble.is_none()),
    )
}

#[test]
fn a_folder_is_flushed_once_for_the_links_of_all() {
    let safe = "0keep, flush /etc/ssl/private, 0link /, 0link /, 1link /, 1link /, flush /etc/ssl";
    assert_eq!(
        shared(&mut |_| None),
        (format!("{safe}, flush /etc/ssl/private, 0=, 1="), true)
    );
    let mut fails = |word: &str| (word == "flush /etc/ssl").then(Vec::new);
    assert_eq!(
        shared(&mut fails),
        (format!("{safe}, flush /etc/ssl/private"), false),
        "nothing relies on it"
    );
}

#[test]
fn only_what_failed_goes_back() {
    let plans = || [replaced(&[NGINX]), replaced(&[NGINX])];
    for (name, fails, named, wanted) in [
        (
            "a test names the second",
            "test nginx for 01",
            vec![1],
            "0=b, 1=b, test nginx for 01, 1=a, test nginx for 01, reload nginx for 01, ask 0b 1a, ",
        ),
        (
            "a reload names the second",
            "reload nginx for 01",
            vec![1],
            "0=b, 1=b, test nginx for 01, reload nginx for 01, 1=a, test nginx for 1, reload nginx \
                for 01, ask 0b 1a, ",
        ),
        (
            "the second is not served",
            "ask 0b 1b",
            vec![1],
            "0=b, 1=b, test nginx for 01, reload nginx for 01, ask 0b 1b, 1=a, test nginx for 1, \
                reload nginx for 1, ask 0b 1a, ",
        ),
        (
            "the second cannot be switched",
            "1=b",
            vec![],
            "0=b, 1=b, 1=a, test nginx for 01, reload nginx for 01, ask 0b 1a, ",
        ),
    ] {
        let (plans, mut times) = (plans(), 0);
        let (said, ways) = run(&plans, &mut |word| {
            times += usize::from(word == fails);
            (word == fails && times == 1).then(|| named.clone())
        });
        assert_eq!(
            after_writing(&said),
            format!("{wanted}{}", settled(0)),
            "{name}"
        );
        assert!(ways[0].trouble.is_none(), "{name}");
        assert_eq!(ways[1].trouble.as_deref(), Some(fails), "{name}");
        assert!(
            ways[1].not_back.is_empty(),
            "{name}: {:?}",
            ways[1].not_back
        );
    }
}

#[test]
fn a_pair_goes_back_on_all_its_servers() {
    let plans = [
        replaced(&[NGINX]),
        replaced(&[NGINX, APACHE]),
        replaced(&[APACHE]),
    ];
    let mut times = 0;
    let (said, ways) = run(&plans, &mut |word| {
        times += usize::from(word == "test apache for 12");
        // Nobody is named: all that Apache reads.
        (word == "test apache for 12" && times == 1).then(Vec::new)
    });
    let wanted = "0=b, 1=b, 2=b, test nginx for 01, test apache for 12, 1=a, 2=a, test nginx for 1, test apache for 12, \
        reload nginx for 01, reload apache for 12, ask 0b 1a 2a, ";
    assert_eq!(after_writing(&said), format!("{wanted}{}", settled(0)));
    assert!(ways[0].trouble.is_none() && ways[1].trouble.is_some() && ways[2].trouble.is_some());
}

#[test]
fn a_server_that_refuses_for_good_is_not_reloaded_and_that_is_told() {
    let plans = [replaced(&[NGINX]), replaced(&[APACHE])];
    let (said, ways) = run(&plans, &mut |word| {
        word.starts_with("test nginx").then(Vec::new)
    });
    let wanted = "0=b, 1=b, test nginx for 0, 0=a, test nginx for 0, test apache for 1, reload \
        apache for 1, ask 0a 1b, ";
    assert_eq!(after_writing(&said), format!("{wanted}{}", settled(1)));
    let left: Vec<bool> = ways[0]
        .not_back
        .iter()
        .map(|(_, why)| why.is_some())
        .collect();
    assert_eq!(
        left,
        [true, false],
        "the test failed, the reload was left out: {:?}",
        ways[0].not_back
    );
    assert!(ways[1].trouble.is_none());
}

#[test]
fn a_signal_takes_all_back_at_once() {
    let plans = [replaced(&[NGINX]), replaced(&[NGINX])];
    let mut course: PlanScheduler<'_, &str> = PlanScheduler::new(&plans);
    while let Some(NextAction::Do(pair, step)) = course.next() {
        course.begins(pair, &step);
        course.went_well(&[pair]);
    }
    course.interrupted(&"signal");
    assert!(!course.is_settling());
    let mut said = Vec::new();
    while let Some(act) = course.next() {
        said.push(in_letters(&act));
        match act {
            NextAction::Do(pair, _) => course.went_well(&[pair]),
            NextAction::Flush(folder) => course.flushed(&folder, None),
            NextAction::Ask(_, pairs) => course.went_well(&pairs),
            NextAction::Prove(asked) => asked
                .iter()
                .for_each(|(pair, _)| course.went_well(&[*pair])),
        }
    }
    assert_eq!(
        said.join(", "),
        "0=a, 1=a, test nginx for 01, reload nginx for 01, ask 0a 1a"
    );
}

/// Whatever fails, and however often: it ends, and each pair is wholly the new one or wholly the
/// one before; what is noted as proven was seen after the last reload of its servers.
#[test]
fn whatever_fails_no_pair_is_left_between() {
    let first = || {
        install(
            &wanted(),
            &read_by(
                ObservedState {
                    spots: vec![PathState::Absent; 2],
                    ..nothing()
                },
                &[NGINX],
            ),
            &layout(),
        )
    };
    let plans = [
        replaced(&[NGINX]),
        replaced(&[NGINX, APACHE]),
        replaced(&[APACHE]),
        first(),
        replaced(&[]),
    ];
    for seed in 0..3000_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut random = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let often = 3 + random(12);
        let mut live = ["a", "a", "a", "", "a"].map(str::to_owned);
        let (said, ways) = run(&plans, &mut |word| {
            let pair: usize = word[..1].parse().unwrap_or(9);
            // What has to do with the disk fails on the way there only: on the way back there is
            // nothing to be done.
            let back = word.ends_with("=a") || word.contains("remove");
            let fails =
                random(often) == 0 && !back && !word.ends_with("note") && !word.ends_with("prune");
            if let (Some(to), false) =
                (word.get(1..).and_then(|word| word.strip_prefix('=')), fails)
            {
                live[pair] = to.to_owned();
            } else if word.contains("remove the link live") {
                live[pair] = String::new();
            }
            fails.then(|| (0..5).filter(|_| random(3) == 0).collect())
        });
        let last_reload = said.iter().rposition(|word| word.starts_with("reload"));
        for (pair, way) in ways.iter().enumerate() {
            let before = if pair == 3 { "" } else { "a" };
            let wanted = if way.trouble.is_none() { "b" } else { before };
            assert_eq!(live[pair], wanted, "seed {seed}, pair {pair}: {said:?}");
            let noted = said.contains(&format!("{pair}note"));
            assert_eq!(
                noted,
                way.trouble.is_none(),
                "seed {seed}, pair {pair}: {said:?}"
            );
            let seen = said
                .iter()
                .rposition(|word| word.starts_with("ask") && word.contains(&format!("{pair}b")));
            let shared = last_reload.is_some_and(|at| said[at].contains(&pair.to_string()));
            if noted && shared {
                assert!(seen > last_reload, "seed {seed}, pair {pair}: {said:?}");
            }
        }
    }
    let _ = id;
}
