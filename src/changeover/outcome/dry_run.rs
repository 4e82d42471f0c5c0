//! What a dry run shows: each step with the files that it is about, what it comes to, and where a failure leads.

use super::Changeover;
use crate::changeover::block;
use crate::changeover::situation::Situation;
use crate::install::layout::{PUBLIC_MODE, Piece};
use crate::install::plan::{Back, End, ServerState, Step};
use crate::install::site::Software;
use crate::report::Text;

impl Changeover {
    /// What is left to do where the plan falls short of proof: of each server.
    pub(super) fn left_to_do(situation: &Situation, end: End) -> Vec<String> {
        let uses = situation.serving.uses.iter().filter_map(|one| Some((&one.state, one.program()?.software())));
        let said = |(state, software): (&ServerState, Software)| {
            let title = software.title();
            match state {
                ServerState::NotNamed => {
                    let block = block::file_name(situation.layout.stem(), software);
                    Some(format!("{title} does not name these paths yet: its block goes to {block}"))
                }
                ServerState::Stopped(_) => Some(format!("{title} does not run: the files wait for it")),
                ServerState::Mends(_) | ServerState::Nothing | ServerState::Serves(..) => None,
            }
        };
        let partly = "other blocks still serve names of it, or nothing can be asked: see above";
        uses.filter_map(said).chain((end == End::Partly).then(|| partly.to_owned())).collect()
    }

    pub(super) fn show_plan(&self, text: &mut Text) {
        let Some(plan) = &self.plan else { return };
        if plan.steps.is_empty() {
            text.fact("plan", "nothing to do");
        }
        for step in &plan.steps {
            text.fact("plan", self.in_full(step));
        }
        for then in &self.then {
            text.fact("then", then);
        }
        for (name, value) in self.settings.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.fact("with", format!("{}: {value}", name.replace('_', " ")));
        }
        match &plan.back {
            Back::Nothing { .. } => text.fact("else", "if a later step fails, the links are removed again"),
            Back::Stay(why) => text.fact("else", format!("if a later step fails, the new files stay: {why}")),
            Back::Unproven(id) if id.as_str() == self.release => {
                text.fact("else", "if a later step fails, they stay: the server loads them already");
            }
            Back::To(id) | Back::Unproven(id) => text.fact("else", format!("if a later step fails, back to {id}")),
        }
    }

    /// A step with the paths that it changes.
    fn in_full(&self, step: &Step) -> String {
        let folder = self.folder.display();
        match step {
            Step::WriteRelease { release, pieces } => {
                format!("write {folder}/releases/{release}/: {}", self.with_modes(pieces))
            }
            Step::TakeOver { release } => {
                format!("take over the plain files that are there, as {folder}/releases/{release}/: the same bytes")
            }
            Step::Switch { .. } => format!("{step} ({folder}/live)"),
            Step::MarkProven { to, .. } => format!("note that it is served: link {folder}/proven -> releases/{to}"),
            Step::Record { release, .. } => format!("note {release} in the history: {folder}/settings.json"),
            Step::Prune => format!("{step}: {folder}/releases"),
            _ => step.to_string(),
        }
    }

    /// `fullchain.pem (0644), key.pem (0600)`
    fn with_modes(&self, pieces: &[Piece]) -> String {
        let mode = |piece: &Piece| if piece.is_secret() { self.key_mode } else { PUBLIC_MODE };
        let one = |piece: &Piece| format!("{} ({:04o})", piece.file_name(), mode(piece));
        pieces.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}
