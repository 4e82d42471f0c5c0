//! Findings about a site that was not put into service.

use std::path::Path;

use super::baseline::RestoredSite;
use super::evidence::SitePage;
use super::transaction::SiteFault;
use crate::advice::{site_application, site_command};
use crate::finding::Finding;
use crate::install::application::fault::ApplicationFault;
use crate::install_plan::apply::StepError;
use crate::site::SiteContent;
use crate::webserver::model::ServedElsewhere;
use crate::wording::with_causes;

/// Reports why a site was not put into service; `content` is what it should show.
#[must_use]
pub(crate) fn report_fault(fault: &SiteFault, content: Option<&SiteContent>) -> Finding {
    match fault {
        SiteFault::Application(error) => report_application(error),
        SiteFault::Step(error) => report_step(error),
        SiteFault::Server(error) => Finding::error("step-failed", with_causes(error))
            .with_step(site_command::repair_server()),
        SiteFault::DefaultChanged(default) => site_command::report_default(default),
        SiteFault::Elsewhere(elsewhere) => report_elsewhere(elsewhere),
        SiteFault::Page(pages) => report_pages(pages, content),
    }
}

fn report_application(fault: &ApplicationFault) -> Finding {
    let message = match fault {
        ApplicationFault::Ended { log } if !log.is_empty() => {
            "the application ended before it answered; its log says".to_owned()
        }
        ApplicationFault::Ended { .. } => "the application ended before it answered".to_owned(),
        other => with_causes(other),
    };
    let finding = site_application::report_failed(message, fault.quoted());
    match fault {
        ApplicationFault::Answered {
            status: 400, host, ..
        } => finding.with_step(site_application::allow_host(host)),
        _ => finding,
    }
}

fn report_step(error: &StepError) -> Finding {
    let mut finding = Finding::from(error);
    if !matches!(error, StepError::NotServed(_)) {
        finding.next = vec![site_command::repair_server()];
    }
    finding
}

fn report_elsewhere(elsewhere: &[ServedElsewhere]) -> Finding {
    let mut places = Vec::new();
    let mut finding = Finding::error("configured-elsewhere", "");
    for served in elsewhere {
        let place = format!("{}:{}", served.file.display(), served.line);
        let target = &served.target;
        places.push(format!(
            "{place} answers for {} at {}",
            target.name, target.address
        ));
        finding = finding.with_step(site_command::remove_name(&target.name, &place));
    }
    finding.message = places.join("; ");
    finding
}

fn report_pages(pages: &[SitePage], content: Option<&SiteContent>) -> Finding {
    let mut lines: Vec<String> = Vec::new();
    for page in pages {
        let line = page.in_words();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let message = if lines.is_empty() {
        "no address of the site could be asked for its page".to_owned()
    } else {
        lines.join("; ")
    };
    let finding = Finding::error("site-failed", message);
    let has_cause = pages.iter().any(|page| page.cause.is_some());
    match content {
        Some(SiteContent::Static(folder)) => finding
            .with_step(site_command::check_folder(folder))
            .with_step(site_command::read_log()),
        Some(SiteContent::Upstream(_)) if has_cause => {
            finding.with_step(site_command::start_application())
        }
        Some(SiteContent::Adopted | SiteContent::Application(_) | SiteContent::Upstream(_))
        | None => finding.with_step(site_command::read_log()),
    }
}

/// Reports steps of a rollback that failed.
#[must_use]
pub(crate) fn report_failed_rollback(file: &Path, failed: &[String]) -> Finding {
    let message = format!(
        "the rollback failed, so {} may still be as certctl wrote it: {}",
        file.display(),
        failed.join("; ")
    );
    Finding::error("rollback-incomplete", message).with_step(site_command::test_by_hand())
}

/// Reports a site that answers worse after the rollback than before the change.
#[must_use]
pub(crate) fn report_worse_answers(restored: &RestoredSite) -> Finding {
    let message = format!(
        "the files are as they were before and the server was reloaded, but the site answers worse: \
         {}",
        restored.differences.join("; ")
    );
    Finding::error("rollback-incomplete", message).with_step(site_command::read_log())
}
