//! What a dry run shows: each step with the files that it is about, what it comes to, and where a
//! failure leads.

use serde_json::Value;

use super::TransactionOutcome;
use crate::install::preflight::PreflightState;
use crate::install::servers::new_block;
use crate::install_plan::plan::{PlanEnd, PlanStep, RollbackTarget, ServerState};
use crate::report::TextOutput;
use crate::store::layout::{PUBLIC_MODE, ReleaseFile, StableLink};
use crate::webserver::model::ServerSoftware;

impl TransactionOutcome {
    /// What is left to do where the plan falls short of proof: of each server.
    pub(crate) fn left_to_do(situation: &PreflightState, end: PlanEnd) -> Vec<String> {
        let uses = situation
            .serving
            .uses
            .iter()
            .filter_map(|one| Some((&one.state, one.program()?.software())));
        let said = |(state, software): (&ServerState, ServerSoftware)| {
            let title = software.title();
            match state {
                ServerState::NotNamed => {
                    let block = new_block::file_name(situation.layout.stem(), software);
                    Some(format!(
                        "{title} does not name these paths yet: its block goes to {block}"
                    ))
                }
                ServerState::Stopped(_) => {
                    Some(format!("{title} does not run: the files wait for it"))
                }
                ServerState::Mends(_) | ServerState::Nothing | ServerState::Serves(..) => None,
            }
        };
        let partly = "other blocks still serve names of it, or nothing can be asked: see above";
        uses.filter_map(said)
            .chain((end == PlanEnd::Partly).then(|| partly.to_owned()))
            .collect()
    }

    pub(crate) fn show_plan(&self, text: &mut TextOutput) {
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
            text.fact(
                "with",
                format!("{}: {}", name.replace('_', " "), in_words(value)),
            );
        }
        match &plan.back {
            RollbackTarget::Nothing { .. } => {
                text.fact("else", "if a later step fails, the links are removed again")
            }
            RollbackTarget::Stay(why) => text.fact(
                "else",
                format!("if a later step fails, the new files stay: {why}"),
            ),
            RollbackTarget::Unproven(id) if id.as_str() == self.release => {
                text.fact(
                    "else",
                    "if a later step fails, they stay: the server loads them already",
                );
            }
            RollbackTarget::To(id) | RollbackTarget::Unproven(id) => {
                text.fact("else", format!("if a later step fails, back to {id}"))
            }
        }
    }

    /// A step with the paths that it changes.
    fn in_full(&self, step: &PlanStep) -> String {
        let folder = self.folder.display();
        match step {
            PlanStep::WriteRelease { release, pieces } => {
                format!(
                    "write {folder}/releases/{release}/: {}",
                    self.with_modes(pieces)
                )
            }
            PlanStep::TakeOver { release } => {
                format!(
                    "take over the plain files that are there, as {folder}/releases/{release}/: \
                        the same bytes"
                )
            }
            PlanStep::Switch { .. } => format!("{step} ({folder}/live)"),
            PlanStep::MarkProven { to, .. } => {
                format!("note that it is served: link {folder}/proven -> releases/{to}")
            }
            PlanStep::Record { release, .. } => {
                format!("note {release} in the history: {folder}/settings.json")
            }
            PlanStep::Prune => format!("{step}: {folder}/releases"),
            _ => step.to_string(),
        }
    }

    /// `fullchain.pem (0644), key.pem (0600)`
    fn with_modes(&self, pieces: &[ReleaseFile]) -> String {
        let mode = |piece: &ReleaseFile| {
            if piece.is_secret() {
                self.key_mode
            } else {
                PUBLIC_MODE
            }
        };
        let one = |piece: &ReleaseFile| format!("{} ({:04o})", piece.file_name(), mode(piece));
        pieces.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// A setting as people write it: `0:114`, `haproxy=/etc/x.cfg`, `/etc/x.pem (combined.pem)`.
fn in_words(value: &Value) -> String {
    let several = |of: Vec<String>| of.join(", ");
    let link = || serde_json::from_value::<StableLink>(value.clone()).ok();
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => match all.as_slice() {
            [user @ Value::Number(_), group @ Value::Number(_)] => format!("{user}:{group}"),
            all => several(all.iter().map(in_words).collect()),
        },
        Value::Object(fields) => match link() {
            Some(StableLink { path, piece }) => {
                format!("{} ({})", path.display(), piece.file_name())
            }
            None => several(
                fields
                    .iter()
                    .map(|(name, value)| format!("{name}={}", in_words(value)))
                    .collect(),
            ),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::in_words;

    #[test]
    fn settings_are_read_by_people() {
        for (value, words) in [
            (json!("/etc/ssl/a.pem"), "/etc/ssl/a.pem"),
            (json!([0, 114]), "0:114"),
            (json!(["nginx", "haproxy"]), "nginx, haproxy"),
            (
                json!({"haproxy": "/etc/h.cfg", "nginx": "/etc/n.conf"}),
                "haproxy=/etc/h.cfg, nginx=/etc/n.conf",
            ),
            (
                json!([{"path": "/etc/ssl/a.both", "piece": "combined"}]),
                "/etc/ssl/a.both (combined.pem)",
            ),
            (json!(true), "true"),
        ] {
            assert_eq!(in_words(&value), words);
        }
    }
}
