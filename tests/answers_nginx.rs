//! The model of nginx against nginx itself: for generated configurations, each of them really
//! started, certctl predicts which certificate is sent at each address for each name, and a client
//! asks. Each rule of the model is then switched off, which must lead to a wrong prediction.
//! Needs: nginx libnginx-mod-http-lua libnginx-mod-stream
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

#[path = "answers/nginx.rs"]
mod generator;
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use certctl::facade::webserver::control::NginxProgram;
use certctl::facade::webserver::model::{ClientHello, ModelRule, ServedAnswer};
use generator::{Configuration, FEATURES, MainFile};
use support::Sandbox;
use support::answers::{
    AnswerTally, CertificatePool, Comparison, KeyKind, Question, Seen, ask, free_ports,
};
use support::external::{external_program, path_of};
use support::seed::Generator;
use support::server_process::ServerProcess;

const CONFIGURATIONS: usize = 140;
const SEED: u64 = 16;

/// The rules whose absence must be noticed.
const RULES: [ModelRule; 12] = [
    ModelRule::NginxBareBlock,
    ModelRule::NginxConflict,
    ModelRule::NginxDefaultServer,
    ModelRule::NginxExactName,
    ModelRule::NginxExpression,
    ModelRule::NginxExpressionOrder,
    ModelRule::NginxInheritance,
    ModelRule::NginxLeadingFirst,
    ModelRule::NginxLongestWildcard,
    ModelRule::NginxPreread,
    ModelRule::NginxRejectHandshake,
    ModelRule::SingleAddress,
];

/// A configuration that was started, and the answers of nginx.
struct AskedConfiguration {
    configuration: Configuration,
    /// As certctl finds it.
    program: NginxProgram,
    questions: Vec<Question>,
    seen: Vec<Seen>,
}

#[test]
fn the_model_predicts_what_nginx_serves() {
    for module in ["ngx_http_lua_module", "ngx_stream_module"] {
        path_of(&format!("/usr/lib/nginx/modules/{module}.so"));
    }
    let sandbox = Sandbox::new();
    let pool = CertificatePool::generate(
        &sandbox.join("certificates"),
        generator::ECDSA,
        generator::RSA,
    );
    let mut random = Generator::new(SEED);
    let planned: Vec<Configuration> = (0..CONFIGURATIONS)
        .map(|_| generator::generate(&mut random))
        .collect();
    let asked = ask_all(planned, &pool, sandbox.path());
    let mut faults = compare_all(&asked, &pool);
    faults.extend(undetected_rules(&asked, &pool));
    assert!(
        faults.is_empty(),
        "{}\n{}",
        faults.join("\n"),
        random.repeat("answers_nginx", "the_model_predicts_what_nginx_serves")
    );
}

/// Starts each configuration and asks its questions; two at a time.
fn ask_all(
    planned: Vec<Configuration>,
    pool: &CertificatePool,
    folder: &Path,
) -> Vec<AskedConfiguration> {
    let found = NginxProgram::find(None).unwrap().unwrap();
    let next = AtomicUsize::new(0);
    let asked = Mutex::new(BTreeMap::new());
    let planned = Mutex::new(planned.into_iter().map(Some).collect::<Vec<_>>());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::SeqCst);
            let taken = planned.lock().unwrap().get_mut(number).map(Option::take);
            let Some(configuration) = taken.flatten() else {
                return;
            };
            let own = folder.join(number.to_string());
            let result = start_and_ask(configuration, &found, pool, &own);
            asked.lock().unwrap().insert(number, result);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    asked.into_inner().unwrap().into_values().collect()
}

fn start_and_ask(
    configuration: Configuration,
    found: &NginxProgram,
    pool: &CertificatePool,
    folder: &Path,
) -> AskedConfiguration {
    let ports = free_ports(generator::PORTS);
    for (path, text) in &configuration.files {
        let mut text = text.replace("@DIR@", &folder.display().to_string());
        for (number, port) in ports.iter().enumerate() {
            text = text.replace(&format!("@{number}@"), &port.to_string());
        }
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::create_dir_all(folder.join("run")).unwrap();
    std::os::unix::fs::symlink("../certificates", folder.join("certificates")).unwrap();
    let (_nginx, program) = start(configuration.main, found, folder);
    let planned = configuration.questions.iter();
    let mut questions: Vec<Question> = planned
        .map(|planned| Question {
            address: (
                planned.ip.parse::<std::net::IpAddr>().unwrap(),
                ports[planned.port],
            )
                .into(),
            name: planned.name.map(str::to_owned),
            only: planned.only,
            is_tls12: planned.is_tls12,
        })
        .collect();
    // A client that accepts only one key type gets an alert where a block has the other one.
    let predicted = predictions(&program, &questions);
    for (question, answer) in questions.iter_mut().zip(predicted) {
        if !matches!(answer, ServedAnswer::Certificates(files) if files.len() > 1) {
            question.only = None;
        }
    }
    let seen = questions.iter().map(|one| ask(pool, one)).collect();
    AskedConfiguration {
        configuration,
        program,
        questions,
        seen,
    }
}

/// Starts nginx, and returns it as certctl finds it.
fn start(main: MainFile, found: &NginxProgram, folder: &Path) -> (ServerProcess, NginxProgram) {
    let mut program = found.clone();
    let mut command = external_program("nginx");
    let file: PathBuf = match main {
        MainFile::Here => folder.join("nginx.conf"),
        MainFile::Elsewhere => folder.join("etc/nginx.conf"),
        MainFile::Prefix => {
            let prefix = folder.join("run/");
            command.arg("-p").arg(&prefix);
            program.build.prefix.clone_from(&prefix);
            prefix.join("../etc/nginx.conf")
        }
    };
    match main {
        MainFile::Here | MainFile::Elsewhere => command.arg("-c").arg(&file),
        MainFile::Prefix => command.args(["-c", "../etc/nginx.conf"]),
    };
    program.config = Some(file);
    let log = folder.join("error.log");
    let errors = folder.join("stderr");
    let pid_file = folder.join("nginx.pid");
    let nginx = ServerProcess::start(
        command.stderr(Stdio::from(std::fs::File::create(&errors).unwrap())),
        |process| {
            std::fs::read_to_string(&pid_file)
                .is_ok_and(|pid| pid.trim() == process.id().to_string())
        },
        || {
            [&log, &errors]
                .map(|path| std::fs::read_to_string(path).unwrap_or_default())
                .concat()
        },
    );
    (nginx, program)
}

/// What the model predicts, from the files as they are on disk.
fn predictions(program: &NginxProgram, questions: &[Question]) -> Vec<ServedAnswer> {
    let config = program.observe().unwrap().config;
    let answer = |question: &Question| {
        let hello = ClientHello {
            name: question.name.as_deref(),
            algorithm: None,
        };
        config.served_at(question.address, hello)
    };
    questions.iter().map(answer).collect()
}

fn compare(
    pool: &CertificatePool,
    question: &Question,
    predicted: &ServedAnswer,
    seen: &Seen,
) -> Comparison {
    let agrees = match predicted {
        ServedAnswer::Unknown(reason) => {
            let by_nature = reason.contains("script") || reason.contains("variable");
            return if by_nature {
                Comparison::UnknownByNature
            } else {
                Comparison::Unknown
            };
        }
        ServedAnswer::Refused => *seen == Seen::Refused,
        ServedAnswer::PlainText => *seen == Seen::PlainText,
        ServedAnswer::NotListening => *seen == Seen::NotListening,
        ServedAnswer::Certificates(files) => {
            let numbers = files
                .iter()
                .filter_map(|path| pool.at_path(path.file().unwrap()));
            let of_type = |kind: KeyKind| question.only.is_none_or(|only| only == kind);
            let mut possible = numbers.filter(|&number| of_type(pool.0[number].kind));
            possible.any(|number| *seen == Seen::Certificate(number))
        }
    };
    if agrees {
        Comparison::Agrees
    } else {
        Comparison::Disagrees
    }
}

/// Compares all predictions, prints the tally and returns what is wrong.
fn compare_all(asked: &[AskedConfiguration], pool: &CertificatePool) -> Vec<String> {
    let mut tally = AnswerTally::of(&FEATURES);
    let mut faults = Vec::new();
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for (number, one) in asked.iter().enumerate() {
        let predicted = predictions(&one.program, &one.questions);
        let mut comparisons = Vec::new();
        for ((question, predicted), seen) in one.questions.iter().zip(&predicted).zip(&one.seen) {
            let comparison = compare(pool, question, predicted, seen);
            if comparison == Comparison::Disagrees {
                faults.push(format!(
                    "configuration {number} ({:?}): {question:?}\n  predicted {predicted:?}\n  seen {seen:?}",
                    one.program.config
                ));
            }
            let kind = format!("{seen:?}");
            let kind = kind.split('(').next().unwrap().to_owned();
            *answers.entry(kind).or_default() += 1;
            comparisons.push(comparison);
        }
        let features = one.configuration.features.iter().copied();
        tally.add(features, &comparisons);
    }
    if faults.len() > 10 {
        let count = faults.len();
        faults.truncate(10);
        faults.push(format!("{count} disagreements in all"));
    }
    faults.extend(tally.report());
    println!("answers: {answers:?}");
    for kind in ["Certificate", "Refused", "PlainText", "NotListening"] {
        if answers.get(kind).is_none_or(|&count| count < 20) {
            faults.push(format!("hardly any answer is {kind}: {answers:?}"));
        }
    }
    faults
}

/// Switches each rule off; returns those whose absence changes no prediction for the worse.
fn undetected_rules(asked: &[AskedConfiguration], pool: &CertificatePool) -> Vec<String> {
    let mut undetected = Vec::new();
    for rule in RULES {
        let count = rule.switch_off(|| disagreements(asked, pool));
        println!("without {rule:?}: {count} disagreements");
        if count == 0 {
            undetected.push(format!(
                "the test does not notice that {rule:?} is switched off"
            ));
        }
    }
    undetected
}

fn disagreements(asked: &[AskedConfiguration], pool: &CertificatePool) -> usize {
    let mut count = 0;
    for one in asked {
        let predicted = predictions(&one.program, &one.questions);
        let answers = one.questions.iter().zip(&predicted).zip(&one.seen);
        count += answers
            .filter(|((question, predicted), seen)| {
                compare(pool, question, predicted, seen) == Comparison::Disagrees
            })
            .count();
    }
    count
}
