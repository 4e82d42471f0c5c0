//! The state of the servers before anything is changed. The test of each server runs once for all
//! certificates that it uses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::untested::{denied_line, report_untested};
use super::{ServerUse, ServingState};
use crate::advice::servers;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::install::request::RunMode;
use crate::install::servers::doubts;
use crate::install::servers::observed_server::ObservedServer;
use crate::install_plan::observe;
use crate::install_plan::plan::{ServedEvidence, ServerQuestions, ServerState};
use crate::store::layout::{LineageLayout, StableLink};
use crate::system::fs::files;
use crate::system::process::FinishedCommand;
use crate::webserver::apache::gate::{RELOAD_FAULT_PREFIX, TAKEN_ADDRESS_PREFIX};
use crate::webserver::model::{ComplaintSubject, ConfiguredCertificate, names_path};

impl RunMode {
    /// What follows from a failing test, to end a sentence.
    fn after_failed_test(self) -> &'static str {
        match self {
            Self::Check => "its next restart would fail",
            Self::DryRun | Self::Run => "nothing has been changed yet",
        }
    }
}

/// The paths of a certificate, and the servers that use it.
pub(crate) struct ServedLineage<'a> {
    pub layout: &'a LineageLayout,
    pub serving: &'a mut ServingState,
    pub mode: RunMode,
}

/// Runs the test of every server that references a certificate or is probed, and records the state
/// of each.
///
/// # Errors
/// When a test cannot be run, or files cannot be read.
pub(crate) fn test_servers(lineages: &mut [ServedLineage<'_>]) -> Result<(), Failure> {
    let states = judge_states(lineages)?;
    for (lineage, states) in lineages.iter_mut().zip(states) {
        let serving = &mut *lineage.serving;
        for (server_use, state) in serving.uses.iter_mut().zip(states) {
            match state {
                TestedState::Usable(state) => server_use.state = state,
                TestedState::Untested(state, finding) => {
                    server_use.state = state;
                    serving.findings.push(finding);
                }
                TestedState::Broken(finding) => serving.refusals.push(finding),
            }
        }
        exclude_stopped(serving);
    }
    Ok(())
}

/// Returns the state of each server of each certificate, in their order; an empty list for a
/// certificate that is refused.
fn judge_states(lineages: &[ServedLineage<'_>]) -> Result<Vec<Vec<TestedState>>, Failure> {
    let mut failing_tests = FailingTests::default();
    let mut states = Vec::new();
    for lineage in lineages {
        let mut states_of_lineage = Vec::new();
        if lineage.serving.refusals.is_empty() {
            for server_use in &lineage.serving.uses {
                states_of_lineage.push(judge_state(
                    lineages,
                    server_use,
                    lineage.mode,
                    &mut failing_tests,
                )?);
            }
        }
        states.push(states_of_lineage);
    }
    Ok(states)
}

/// Excludes the addresses of servers that are not running from the probes: otherwise a working
/// install would be rolled back because of them.
fn exclude_stopped(serving: &mut ServingState) {
    let mut stopped: BTreeSet<String> = BTreeSet::new();
    let mut probed: BTreeSet<String> = BTreeSet::new();
    for server_use in &serving.uses {
        let addresses = server_use.addresses.iter().cloned();
        match server_use.state {
            ServerState::Stopped(_) => stopped.extend(addresses),
            _ => probed.extend(addresses),
        }
    }
    serving.targets.retain(|target| {
        let address = target.address.to_string();
        probed.contains(&address) || !stopped.contains(&address)
    });
}

/// The result of a server's own test of its configuration.
enum TestResult<'a> {
    /// It passed, or the server has no test.
    Passed,
    Failed(&'a FinishedCommand),
    /// It was denied what root may do, as this line of its output says.
    Denied(&'a str),
}

/// Runs the test of a server.
fn run_test(observed: &ObservedServer) -> Result<TestResult<'_>, Failure> {
    let Some(finished) = observed.test()?.filter(|finished| !finished.succeeded()) else {
        return Ok(TestResult::Passed);
    };
    Ok(denied_line(finished).map_or(TestResult::Failed(finished), TestResult::Denied))
}

/// Runs the test of a server; returns what `status` reports, or `None` if it passes.
///
/// # Errors
/// When the test cannot be started.
pub(crate) fn check_test(observed: &ObservedServer) -> Result<Option<Finding>, Failure> {
    Ok(match run_test(observed)? {
        TestResult::Passed => None,
        TestResult::Failed(finished) => Some(report_broken(
            observed,
            finished,
            RunMode::Check.after_failed_test(),
        )),
        // The service that checks once a day may not run the test, and would warn each time.
        TestResult::Denied(line) => Some(report_untested(observed, line, Severity::Note)),
    })
}

/// The state of a server after its own test.
enum TestedState {
    Usable(ServerState),
    /// Its test cannot run here, and nothing is to be changed.
    Untested(ServerState, Finding),
    /// Its test fails, and this install does not repair that.
    Broken(Finding),
}

/// Servers whose test fails, and whether this install repairs that, which is the same for all
/// certificates of one server.
#[derive(Default)]
struct FailingTests(Vec<(Rc<ObservedServer>, bool)>);

impl FailingTests {
    /// Whether this install repairs the failing test of a server; decided once per server.
    fn is_repaired(
        &mut self,
        lineages: &[ServedLineage<'_>],
        observed: &Rc<ObservedServer>,
        finished: &FinishedCommand,
    ) -> Result<bool, Failure> {
        let judged = self.0.iter().find(|(known, _)| Rc::ptr_eq(known, observed));
        if let Some((_, is_repaired)) = judged {
            return Ok(*is_repaired);
        }
        let is_repaired = is_repaired_by_install(lineages, observed, finished)?;
        self.0.push((Rc::clone(observed), is_repaired));
        Ok(is_repaired)
    }
}

fn judge_state(
    lineages: &[ServedLineage<'_>],
    server_use: &ServerUse,
    mode: RunMode,
    failing_tests: &mut FailingTests,
) -> Result<TestedState, Failure> {
    let observed = &server_use.observed;
    let questions = questions(server_use);
    let no_questions = ServerQuestions {
        coverage: server_use.coverage,
        ..ServerQuestions::default()
    };
    if questions == no_questions {
        return Ok(TestedState::Usable(ServerState::Nothing));
    }
    let (failed_test, untested) = match run_test(observed)? {
        TestResult::Passed => (None, None),
        TestResult::Failed(finished) => (Some(finished), None),
        TestResult::Denied(line) if mode == RunMode::Check => {
            let finding = report_untested(observed, line, Severity::Warning);
            (None, Some(finding))
        }
        TestResult::Denied(line) => {
            let finding = report_untested(observed, line, Severity::Error);
            return Ok(TestedState::Broken(finding));
        }
    };
    if let Some(finished) = failed_test
        && !failing_tests.is_repaired(lineages, observed, finished)?
    {
        let broken = report_broken(observed, finished, mode.after_failed_test());
        return Ok(TestedState::Broken(broken));
    }
    let state = state_of(server_use, questions, failed_test);
    Ok(match untested {
        Some(finding) => TestedState::Untested(state, finding),
        None => TestedState::Usable(state),
    })
}

/// The state of a server; a failing test is one that this install repairs.
fn state_of(
    server_use: &ServerUse,
    questions: ServerQuestions,
    failed_test: Option<&FinishedCommand>,
) -> ServerState {
    if !server_use.is_configured {
        ServerState::NotNamed
    } else if !server_use.observed.runs() {
        ServerState::Stopped(questions)
    } else if failed_test.is_none() {
        ServerState::Serves(questions, ServedEvidence::Otherwise)
    } else {
        ServerState::BrokenUntilInstalled(questions)
    }
}

fn questions(server_use: &ServerUse) -> ServerQuestions {
    let server = &server_use.observed.server;
    ServerQuestions {
        test: server.test_line(),
        reload: server.reload_line(),
        addresses: server_use.addresses.clone(),
        coverage: server_use.coverage,
    }
}

/// Whether the test fails only because of missing or broken certificates that this run installs.
fn is_repaired_by_install(
    lineages: &[ServedLineage<'_>],
    observed: &Rc<ObservedServer>,
    finished: &FinishedCommand,
) -> Result<bool, Failure> {
    let used: Vec<&ServedLineage<'_>> = lineages
        .iter()
        .filter(|lineage| uses_server(lineage.serving, observed))
        .collect();
    if observed.observation.is_none() {
        for lineage in used {
            if !observe::deployed_files_load(lineage.layout)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let paths: Vec<&Path> = used
        .iter()
        .flat_map(|lineage| &lineage.serving.configured_paths)
        .map(|link| link.path.as_path())
        .collect();
    match observed.server.complaint(&finished.output, &paths).subject {
        ComplaintSubject::FilesMissing => Ok(true),
        ComplaintSubject::FilesBroken => has_broken_files(&used, finished),
        ComplaintSubject::Other | ComplaintSubject::FilesUnreadable => Ok(false),
    }
}

fn uses_server(serving: &ServingState, observed: &Rc<ObservedServer>) -> bool {
    serving
        .uses
        .iter()
        .any(|server_use| Rc::ptr_eq(&server_use.observed, observed))
}

/// Whether the failing test names one of these certificates, and it cannot be loaded.
fn has_broken_files(
    lineages: &[&ServedLineage<'_>],
    finished: &FinishedCommand,
) -> Result<bool, Failure> {
    for lineage in lineages {
        let mut links = lineage.serving.configured_paths.iter();
        let is_named = links.any(|link| names_path(&finished.output, &link.path));
        if is_named && !observe::deployed_files_load(lineage.layout)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reports a failing test, and what follows from it.
fn report_broken(
    observed: &ObservedServer,
    finished: &FinishedCommand,
    consequence: &str,
) -> Finding {
    let output = observed.server.complaint(&finished.output, &[]).lines;
    if !output.is_empty()
        && output
            .iter()
            .all(|line| line.starts_with(RELOAD_FAULT_PREFIX))
    {
        return doubts::report_gate(output);
    }
    if output
        .iter()
        .any(|line| line.starts_with(TAKEN_ADDRESS_PREFIX))
    {
        return report_taken_addresses(output);
    }
    let how = if finished.timed_out {
        "timed out"
    } else {
        "failed"
    };
    let message = format!("the server's test of its configuration {how}; {consequence}");
    let broken = Finding::error("server-config-broken", message).with_quote(output);
    // HAProxy's configuration does not say for which names a missing file is.
    let missing = missing_certificates(observed, &finished.output);
    let command = observed.server.test_line().unwrap_or_default();
    missing
        .into_iter()
        .map(|(chain, key)| servers::claim_missing_paths(&chain, &key))
        .fold(broken, Finding::with_step)
        .with_step(servers::repair_config(&command))
}

/// Reports that certctl does not reload Apache, because Apache could not listen at an address.
fn report_taken_addresses(lines: Vec<String>) -> Finding {
    let message = "a reload would stop Apache: another process listens at an address of its \
                       configuration (see below)";
    Finding::error("server-config-broken", message)
        .with_quote(lines)
        .with_step(servers::free_addresses())
}

/// Returns chain and key of the certificates that the server complains about and that do not exist.
fn missing_certificates(observed: &ObservedServer, output: &str) -> Vec<(PathBuf, PathBuf)> {
    let certificates = observed
        .observation
        .iter()
        .flat_map(|observation| observation.config.blocks())
        .flat_map(|block| &block.certificates);
    let missing = certificates
        .filter_map(ConfiguredCertificate::links)
        .filter(|links| is_missing(links, output));
    let mut found = Vec::new();
    for links in missing {
        if let (Some(chain), Some(key)) = (links.first(), links.last()) {
            let paths = (chain.path.clone(), key.path.clone());
            if !found.contains(&paths) {
                found.push(paths);
            }
        }
    }
    found
}

/// Whether `output` names a file of these links that does not exist.
fn is_missing(links: &[StableLink], output: &str) -> bool {
    let mut absent = links.iter().filter(|link| !files::exists(&link.path));
    absent.any(|link| names_path(output, &link.path)) && links.len() <= 2
}
