//! The options that are saved after a successful install.

use super::LocatedRequest;
use super::observation::PreflightObservation;
use crate::install::request::InstallGoal;
use crate::store::layout::StableLink;
use crate::store::settings::LineageSettings;

impl LocatedRequest<'_, '_> {
    /// Returns the options that the next renewal uses.
    pub(super) fn settings_to_save(&self, observation: &PreflightObservation) -> LineageSettings {
        let mut settings = self.settings.clone();
        if let InstallGoal::Placeholder(_) = self.request.goal {
            settings.placeholder = Some(observation.wanted.id.clone());
            settings.forget_absent_server(&self.settings_before);
        }
        let mut settings = settings.without_probe_none(&self.settings_before);
        self.save_paths(&mut settings);
        settings.former.clone_from(&observation.former_links);
        if self.layout.key_path().is_some() {
            settings.set_access(observation.wanted.access);
        }
        settings
    }

    /// Saves the paths as configurations spell them, as seen from inside the tree.
    fn save_paths(&self, settings: &mut LineageSettings) {
        let (primary, further) = self.serving.primary_and_further();
        let mut inside = primary
            .iter()
            .map(|link| self.layout.path_inside_tree(&link.path));
        settings.chain_path = inside.next();
        settings.key_path = inside.next();
        settings.links = further
            .iter()
            .map(|link| StableLink::new(self.layout.path_inside_tree(&link.path), link.piece))
            .filter(|link| link.path.to_str().is_some())
            .collect();
    }
}
