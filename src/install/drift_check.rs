//! Is what is installed as the last install left it, and is it served? Looks, asks, and changes
//! nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::outcome::{InstallVerdict, ProbeResult};
use super::{installed, placeholder};
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep, Severity, shell_word};
use crate::install::preflight::{self, PreflightState};
use crate::install::request::{InstallGoal, InstallRequest, RunMode, again};
use crate::install::rollback;
use crate::install::servers::ServerUse;
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::apply::{self, ProbeAnswer, StepError};
use crate::install_plan::observe;
use crate::install_plan::plan::ServerState;
use crate::probe::{ProbePatience, ProbeTarget};
use crate::store::drift::{FileDrift, LinkReplacement};
use crate::store::layout::{LineageLayout, ReleaseId, StableLink};
use crate::store::release::Release;
use crate::store::root::{own, real, root};
use crate::store::settings::LineageSettings;
use crate::webserver::model::ServerSoftware;

/// What can be wrong with the serving alone, while the files are as they should be.
const SERVING: [&str; 6] = [
    "drift-not-configured",
    "drift-served",
    "not-probed",
    "configured-elsewhere",
    "server-config-broken",
    "server-not-running",
];

/// One pair as it was found.
#[derive(Debug)]
pub(crate) struct DriftCheck {
    pub name: String,
    /// What is live, where it can be loaded.
    pub release: Option<Release>,
    /// Where servers read it.
    pub layout: LineageLayout,
    pub seen: Vec<ProbeResult>,
    /// Every difference, and what else is worth telling.
    pub findings: Vec<Finding>,
    /// The line that installs it again; of a placeholder, the real one.
    pub mend: NextStep,
}

impl DriftCheck {
    /// As it should be; files or links that drifted; or only what is served.
    #[must_use]
    pub(crate) fn verdict(&self) -> InstallVerdict {
        let wrong = || {
            self.findings
                .iter()
                .filter(|one| one.severity == Severity::Error)
        };
        match (
            wrong().count(),
            wrong().all(|one| SERVING.contains(&one.code)),
        ) {
            (0, _) => InstallVerdict::Unchanged,
            (_, true) => InstallVerdict::NotServed,
            (_, false) => InstallVerdict::Refused,
        }
    }

    /// What proves it, in the word of the contract.
    #[must_use]
    pub(crate) fn proof(&self) -> &'static str {
        match (self.verdict(), self.seen.is_empty()) {
            (InstallVerdict::Unchanged, true) => "files",
            (InstallVerdict::Unchanged, false) => "live",
            _ => "none",
        }
    }
}

/// Looks at the pairs of these names, and at each server once.
///
/// # Errors
/// When one cannot be looked at: what cannot be read is not fine, and not known to be wrong.
pub(crate) fn check(context: &Context, stems: &[String]) -> Result<Vec<DriftCheck>, Failure> {
    let looked = stems
        .iter()
        .map(|stem| look(context, stem))
        .collect::<Result<Vec<_>, _>>()?;
    let (mut all, lives): (Vec<DriftCheck>, Vec<Option<(ReleaseId, LineageSettings)>>) =
        looked.into_iter().unzip();
    let asked = lives
        .iter()
        .enumerate()
        .filter_map(|(index, live)| Some((index, live.as_ref()?)));
    let (indices, orders): (Vec<usize>, Vec<InstallRequest<'_>>) = asked
        .map(|(index, live)| (index, as_it_is(&stems[index], live)))
        .unzip();
    let mut heard = Vec::new();
    for (situation, index) in preflight::look(context, &orders)?.into_iter().zip(indices) {
        match situation {
            Ok(situation) => heard.push((index, situation)),
            // Files that are not what they were are found already; nobody needs to be asked whether
            // they are served.
            Err(failure)
                if all[index].verdict() == InstallVerdict::Refused
                    && failure.kind.exit_code() == 3 => {}
            Err(failure) => return Err(failure),
        }
    }
    let groups: Vec<_> = heard
        .iter()
        .map(|(_, one)| (to_ask(one), &one.wanted.certificates[..]))
        .collect();
    let answers = apply::ask_groups(&groups);
    for ((index, situation), answered) in heard.into_iter().zip(answers) {
        all[index].hear(situation, answered);
    }
    Ok(all)
}

/// What a look goes by: as for a rollback to what is live, at the paths that are remembered and no
/// others. What else a configuration names by now is not what was installed.
fn as_it_is<'a>(stem: &str, (live, paths): &'a (ReleaseId, LineageSettings)) -> InstallRequest<'a> {
    InstallRequest {
        stem: stem.to_owned(),
        goal: InstallGoal::Back(Some(live)),
        flags: paths.clone(),
        allow: Vec::new(),
        lock_timeout: Duration::ZERO,
        patience: ProbePatience::default(),
        mode: RunMode::DryRun,
    }
}

/// One pair as far as files tell, and what is live where somebody can be asked about it.
fn look(
    context: &Context,
    stem: &str,
) -> Result<(DriftCheck, Option<(ReleaseId, LineageSettings)>), Failure> {
    let root = root(context.root.as_deref())?;
    own(&root, stem)?;
    let (settings, refused) = match observe::settings(&root, stem) {
        Ok(settings) => (settings, None),
        Err(error @ (InstallError::Settings { .. } | InstallError::Writable { .. })) => {
            (LineageSettings::default(), Some(unsettled(error)))
        }
        Err(error) => return Err(error.into()),
    };
    let layout = installed::placed(context, stem, &settings)?;
    let mut looked = observe::drift::look(&layout, &settings)?;
    // Those of an earlier install are remembered: one that is gone may be missed.
    for link in &settings.former {
        let link = StableLink::new(real(&root, &link.path)?, link.piece);
        if !layout.links().contains(&link) {
            looked
                .drifts
                .extend(observe::drift::at_link(&layout, &link)?);
        }
    }
    let live = looked.release.as_ref();
    let kept = live
        .filter(|live| settings.placeholder.as_ref() == Some(&live.id))
        .map(|live| {
            let told = placeholder::told(context, live.not_after());
            Finding {
                severity: Severity::Error,
                ..told
            }
        });
    // A placeholder is never proven.
    let placed = kept.is_some();
    let open = |drift: &&FileDrift| !placed || !matches!(drift, FileDrift::NotProven { .. });
    let mend = match placed {
        true => NextStep::say(again(context, &["install", "FILE"]).text),
        false => again(context, &["install", stem]),
    };
    let drifts = looked
        .drifts
        .iter()
        .filter(open)
        .map(|drift| finding(context, (&layout, &settings), drift, &mend));
    // The commands of settings that others may write are not to be trusted: nobody is asked by
    // them.
    let live = live
        .map(|live| (live.id.clone(), paths(&layout, &settings)))
        .filter(|_| refused.is_none());
    let dated = looked
        .release
        .iter()
        .flat_map(|release| rollback::dated(release, context.now()));
    let dated = dated.map(|told| Finding {
        severity: Severity::Error,
        ..told
    });
    let findings = drifts.chain(kept).chain(refused).chain(dated).collect();
    Ok((
        DriftCheck {
            name: stem.to_owned(),
            findings,
            release: looked.release,
            layout,
            seen: Vec::new(),
            mend,
        },
        live,
    ))
}

/// Where the pair was installed, as the command line would say it.
fn paths(layout: &LineageLayout, settings: &LineageSettings) -> LineageSettings {
    let at = |path: &Option<PathBuf>, usual: &Path| {
        Some(path.clone().unwrap_or_else(|| layout.inside(usual)))
    };
    let further = layout
        .further()
        .iter()
        .map(|link| StableLink::new(layout.inside(&link.path), link.piece));
    let unsaid = further.filter(|link| !settings.links.contains(link));
    LineageSettings {
        links: settings.links.iter().cloned().chain(unsaid).collect(),
        chain_path: at(&settings.chain_path, layout.chain_path()),
        key_path: at(&settings.key_path, layout.key_path()),
        ..LineageSettings::default()
    }
}

/// Whom to ask what is served, where that was not done.
fn to_ask(situation: &PreflightState) -> &[ProbeTarget] {
    let serving = &situation.serving;
    let serves =
        |one: &ServerUse| matches!(one.state, ServerState::Mends(_) | ServerState::Serves(..));
    match serving.probes.is_empty() && serving.uses.iter().any(serves) {
        true => &serving.targets,
        false => &[],
    }
}

impl DriftCheck {
    /// What the servers say.
    fn hear(&mut self, situation: PreflightState, answered: Vec<ProbeAnswer>) {
        let PreflightState { serving, .. } = situation;
        // What a new key would inherit is another run's business.
        let about_new =
            |one: &Finding| one.severity == Severity::Note || one.code.starts_with("key-");
        // The dates were judged with the files: what only warns whoever goes back is wrong with
        // what is served.
        let judged = |one: &Finding| {
            self.findings
                .iter()
                .any(|known| known.message == one.message)
        };
        let further: Vec<Finding> = serving
            .findings
            .into_iter()
            .filter(|one| !about_new(one) && !judged(one))
            .collect();
        self.findings.extend(further);
        self.findings.extend(serving.refusals);
        let install = || self.mend.clone();
        for one in &serving.uses {
            let title = one
                .looked
                .software()
                .map_or("the server", ServerSoftware::title);
            match &one.state {
                ServerState::NotNamed => {
                    let message = format!(
                        "{title}'s configuration does not name the files of {}",
                        self.name
                    );
                    self.findings
                        .push(Finding::error("drift-not-configured", message).with(install()));
                }
                ServerState::Stopped(_) => {
                    let message = format!("{title} does not run: nobody serves {}", self.name);
                    let start = one
                        .program()
                        .map(|program| NextStep::say(program.start_command()));
                    let stopped = Finding::error("server-not-running", message);
                    self.findings
                        .push(start.into_iter().fold(stopped, Finding::with));
                }
                ServerState::Mends(_) | ServerState::Serves(..) | ServerState::Nothing => {}
            }
        }
        let probes = if serving.probes.is_empty() {
            answered
        } else {
            serving.probes
        };
        self.seen = probes.iter().map(ProbeResult::from).collect();
        if !probes.iter().all(ProbeAnswer::agrees) {
            let message = format!(
                "not every address serves what is installed as {}",
                self.name
            );
            let said = Finding::from(&StepError::NotServed(probes)).lines;
            self.findings.push(
                Finding::error("drift-served", message)
                    .quoting(said)
                    .with(install()),
            );
        }
    }
}

/// Settings that nobody should go by.
fn unsettled(error: InstallError) -> Finding {
    let failure = Failure::from(error);
    let message = std::iter::once(failure.message)
        .chain(failure.causes)
        .collect::<Vec<_>>()
        .join(": ");
    let finding = Finding::error("drift-settings", message);
    failure.next.into_iter().fold(finding, Finding::with)
}

/// The difference, and the line that mends it.
fn finding(
    context: &Context,
    (layout, settings): (&LineageLayout, &LineageSettings),
    drift: &FileDrift,
    mend: &NextStep,
) -> Finding {
    let install = || mend.clone();
    let word = |path: &std::path::Path| shell_word(&path.display().to_string());
    let message = drift.to_string();
    match drift {
        FileDrift::File { path, .. } => {
            let folder = word(
                path.parent()
                    .filter(|_| path.extension().is_some())
                    .unwrap_or(path),
            );
            let aside = format!(
                "move it aside and install the certificate again:  sudo mv {folder} \
                    {folder}.damaged && {}",
                again(context, &["install", "FILE"]).text
            );
            let finding = Finding::error("drift-file", message);
            match rollback::release(context, layout, settings, None) {
                Ok(_) => finding
                    .with(again(context, &["rollback", layout.stem()]))
                    .with(NextStep::say(format!("or {aside}"))),
                Err(_) => finding.with(NextStep::say(aside)),
            }
        }
        FileDrift::Link {
            at: LinkReplacement::Other,
            link,
        } => Finding::error("drift-link", message)
            .with(NextStep::say(format!("ls -ld {}", word(&link.path)))),
        FileDrift::Link {
            at: LinkReplacement::Link(_),
            link,
        } => Finding::error("drift-link", message).with(NextStep::say(format!(
            "if nobody else needs that link:  sudo rm {} && {}",
            word(&link.path),
            install().text
        ))),
        FileDrift::Link { .. } => Finding::error("drift-link", message).with(install()),
        FileDrift::Live(path) => Finding::error("drift-live", message)
            .with(NextStep::say(format!(
                "let it lead to what was served last:  sudo ln -sfnT \"$(readlink {})\" {}",
                word(&path.with_file_name("proven")),
                word(path)
            )))
            .with(install()),
        FileDrift::Mode { path, was, .. } => Finding::error("drift-mode", message).with(
            NextStep::say(format!("sudo chmod {was:04o} {}", word(path))),
        ),
        FileDrift::NotProven { .. } => Finding::error("drift-unverified", message).with(install()),
        FileDrift::Owner {
            path,
            was: (user, group),
            ..
        } => Finding::error("drift-owner", message).with(NextStep::say(format!(
            "sudo chown {user}:{group} {}",
            word(path)
        ))),
    }
}
