//! The record of a change of a site, from before its first step to its end: what a rollback restores
//! if certctl was killed in between and the next run fails.

use serde_json::Map;

use crate::context::Context;
use crate::install::application::observe::ApplicationPlan;
use crate::pki::name::DnsName;
use crate::site::plan::{PreviousFile, SiteChange};
use crate::state::{
    StateError, StateFolder, UnfinishedApplication, UnfinishedFile, UnfinishedSite,
};

/// Whether the site got its placeholder from this change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PlaceholderOrigin {
    Earlier,
    ThisChange,
}

/// The record of the changes of one site.
#[derive(Debug)]
pub(crate) struct ChangeRecord {
    folder: StateFolder,
    name: String,
}

impl ChangeRecord {
    /// # Errors
    /// When the state folder cannot be used.
    pub(crate) fn find(context: &Context, name: &DnsName) -> Result<Self, StateError> {
        Ok(Self {
            folder: StateFolder::find(context.root.as_deref())?,
            name: name.as_str().to_owned(),
        })
    }

    /// Finds out whether this change continues one that was not finished. If so, a rollback restores
    /// what existed before that one.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(crate) fn resume(
        &self,
        change: &mut SiteChange,
        application: Option<&mut ApplicationPlan>,
    ) -> Result<PlaceholderOrigin, StateError> {
        let Some(unfinished) = self.folder.read_unfinished_site(&self.name)? else {
            return Ok(PlaceholderOrigin::Earlier);
        };
        let origin = if unfinished.made_placeholder {
            PlaceholderOrigin::ThisChange
        } else {
            PlaceholderOrigin::Earlier
        };
        if let (Some(plan), Some(before)) = (application, unfinished.application) {
            plan.existed = before.existed;
            resume_file(&mut plan.change, before.service);
        }
        resume_file(change, unfinished.block);
        Ok(origin)
    }

    /// Writes the record before the first step.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn begin(
        &self,
        change: &SiteChange,
        application: Option<&ApplicationPlan>,
        placeholder: PlaceholderOrigin,
    ) -> Result<(), StateError> {
        let application = application.map(|plan| UnfinishedApplication {
            existed: plan.existed,
            service: unfinished_file(&plan.change),
        });
        self.folder.write_unfinished_site(&UnfinishedSite {
            name: self.name.clone(),
            block: unfinished_file(change),
            application,
            made_placeholder: placeholder == PlaceholderOrigin::ThisChange,
            other: Map::new(),
        })
    }

    /// Removes the record.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn end(&self) -> Result<(), StateError> {
        self.folder.forget_unfinished_site(&self.name)
    }
}

/// A file that somebody has edited since is restored as it is now.
fn resume_file(change: &mut SiteChange, unfinished: UnfinishedFile) {
    let is_same = unfinished.path == change.file;
    if is_same && unfinished.explains(change.before.as_deref()) {
        change.previous = PreviousFile {
            text: unfinished.before,
            is_enabled: unfinished.was_enabled,
        };
    }
}

fn unfinished_file(change: &SiteChange) -> UnfinishedFile {
    UnfinishedFile {
        path: change.file.clone(),
        before: change.previous.text.clone(),
        after: change.after.clone(),
        was_enabled: change.previous.is_enabled,
    }
}
