//! What a dry run shows: each step with its files, what each server still needs, the options that
//! would be saved, and what happens after a failure.

use serde_json::{Value, json};

use super::TransactionOutcome;
use crate::install::preflight::PreflightState;
use crate::install::servers::ServerUse;
use crate::install_plan::plan::{InstallPlan, PlanEnd, PlanStep, RollbackTarget, ServerState};
use crate::permissions::Owner;
use crate::report::{self, Label, TextOutput};
use crate::store::layout::{PUBLIC_MODE, ReleaseFile, StableLink};

impl TransactionOutcome {
    /// What each server still needs where the plan does not verify the certificate live.
    pub(crate) fn describe_left_to_do(situation: &PreflightState, end: PlanEnd) -> Vec<String> {
        let mut lines: Vec<String> = situation
            .serving
            .uses
            .iter()
            .filter_map(explain_missing)
            .collect();
        if end == PlanEnd::Partly {
            lines.push(
                "some names would still be served with other files, or cannot be probed".to_owned(),
            );
        }
        lines
    }

    /// The plan with the text of each step; null if it was refused.
    pub(super) fn plan_json(&self) -> Value {
        let Some(plan) = &self.plan else {
            return Value::Null;
        };
        let steps = plan.steps.iter();
        let steps: Vec<Value> = steps
            .map(|step| report::step_json(step, self.in_full(plan, step)))
            .collect();
        json!({
            "steps": steps,
            "back": plan.back,
            "end": plan.end,
        })
    }

    pub(crate) fn show_plan(&self, text: &mut TextOutput) {
        let Some(plan) = &self.plan else { return };
        if plan.steps.is_empty() {
            text.add(Label::Plan, "nothing: everything is up to date");
        }
        for step in &plan.steps {
            text.add(Label::Plan, self.in_full(plan, step));
        }
        text.add(Label::Undo, self.describe_rollback(plan));
        for line in &self.left_to_do {
            text.add(Label::Note, line);
        }
        self.show_settings(text);
    }

    /// Shows the options that the next renewal would use.
    fn show_settings(&self, text: &mut TextOutput) {
        let settings: Vec<(String, String)> = self
            .settings
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.replace('_', " "), in_words(value)))
            .collect();
        if settings.is_empty() {
            return;
        }
        let fields: Vec<(&str, &str)> = settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        text.add(Label::Note, "options that are saved for the next renewal:");
        text.add_fields(&fields);
    }

    /// What happens when a step after the switch fails.
    fn describe_rollback(&self, plan: &InstallPlan) -> String {
        let has_links = !plan
            .steps
            .iter()
            .any(|step| matches!(step, PlanStep::Copy { .. }));
        match &plan.back {
            RollbackTarget::Nothing { .. } => {
                let files = if has_links { "links" } else { "copies" };
                format!("if a step fails, the {files} are removed again")
            }
            RollbackTarget::Stay(why) => {
                format!("if a step fails, the new files stay instead of the old ones: {why}")
            }
            RollbackTarget::Unproven(id) if id.as_str() == self.release => {
                "if a step fails, the files stay: the server uses them already".to_owned()
            }
            RollbackTarget::To(id) | RollbackTarget::Unproven(id) => {
                format!("if a step fails, version {id} is restored")
            }
        }
    }

    /// A step with the paths that it changes.
    fn in_full(&self, plan: &InstallPlan, step: &PlanStep) -> String {
        let folder = self.folder.display();
        match step {
            PlanStep::WriteRelease { release, pieces } => {
                format!(
                    "write {} to {folder}/releases/{release}",
                    self.with_modes(pieces)
                )
            }
            PlanStep::TakeOver { release } => {
                format!("copy the existing files unchanged to {folder}/releases/{release}")
            }
            PlanStep::Switch { .. } => format!("{}: {folder}/live", plan.describe(step)),
            PlanStep::MarkProven { to, .. } => {
                format!("mark it as verified: link {folder}/proven -> releases/{to}")
            }
            PlanStep::Record { release, .. } => {
                format!("add version {release} to the history in {folder}/settings.json")
            }
            PlanStep::Prune => format!("{step} in {folder}/releases"),
            _ => step.to_string(),
        }
    }

    /// `fullchain.pem (0644), key.pem (0600)`
    fn with_modes(&self, pieces: &[ReleaseFile]) -> String {
        let mut words = Vec::new();
        for piece in pieces {
            let key_mode = self.key_mode.filter(|_| piece.is_secret());
            let mode = key_mode.unwrap_or(PUBLIC_MODE);
            words.push(format!("{} ({mode})", piece.file_name()));
        }
        words.join(", ")
    }
}

/// What a server still needs to serve the certificate.
fn explain_missing(server_use: &ServerUse) -> Option<String> {
    let software = server_use.program()?.software();
    let title = software.title();
    match &server_use.state {
        ServerState::NotNamed => Some(format!(
            "{title}'s configuration does not use these files: it would not serve the certificate"
        )),
        ServerState::Stopped(_) => Some(format!(
            "{title} is not running; the certificate cannot be verified before it is started"
        )),
        ServerState::BrokenUntilInstalled(_) | ServerState::Nothing | ServerState::Serves(..) => {
            None
        }
    }
}

/// A setting as people write it: `root:114`, `haproxy=/etc/x.cfg`, `/etc/x.pem (combined.pem)`.
fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(elements) => match elements.as_slice() {
            [Value::Number(_), Value::Number(_)] => match serde_json::from_value(value.clone()) {
                Ok((uid, gid)) => Owner { uid, gid }.to_string(),
                Err(_) => value.to_string(),
            },
            elements => {
                let words: Vec<String> = elements.iter().map(in_words).collect();
                words.join(", ")
            }
        },
        Value::Object(fields) => {
            if let Ok(link) = serde_json::from_value::<StableLink>(value.clone()) {
                return format!("{} ({})", link.path.display(), link.piece.file_name());
            }
            let fields = fields.iter();
            let words: Vec<String> = fields
                .map(|(name, value)| format!("{name}={}", in_words(value)))
                .collect();
            words.join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::in_words;

    #[test]
    fn settings_are_shown_as_people_write_them() {
        for (value, words) in [
            (json!("/etc/ssl/a.pem"), "/etc/ssl/a.pem"),
            (json!([0, 114]), "root:114"),
            (json!(["nginx", "haproxy"]), "nginx, haproxy"),
            (
                json!({
                    "haproxy": "/etc/h.cfg",
                    "nginx": "/etc/n.conf",
                }),
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
