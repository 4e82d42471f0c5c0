//! Plans in documents: steps with their text, and the fields of a dry run.

use std::fmt::Display;

use serde::Serialize;
use serde_json::{Value, json};

use crate::finding::Finding;
use crate::pki::fingerprint::Fingerprint;

/// The number of octets of a plan's id.
const ID_LENGTH: usize = 8;

/// What a dry run adds to its document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DryRunSummary {
    /// Whether the same command without `--dry-run` would change anything.
    pub would_change: bool,
    /// The id from [`plan_id`].
    pub plan_id: String,
}

impl DryRunSummary {
    /// Adds `would_change` and `plan_id` behind `changed`.
    pub(crate) fn add_to(&self, document: &mut Value) {
        let Some(fields) = document.as_object_mut() else {
            return;
        };
        let changed = fields.keys().position(|name| name == "changed");
        let index = changed.map_or(fields.len(), |index| index + 1);
        fields.shift_insert(index, "would_change".to_owned(), self.would_change.into());
        fields.shift_insert(
            index + 1,
            "plan_id".to_owned(),
            self.plan_id.as_str().into(),
        );
    }
}

/// Returns the id of a plan: 16 hex digits of the SHA-256 of everything that was `considered` (the
/// plan, the inputs, the observed state, the options), as JSON with sorted keys. The same state has
/// the same id, however often it is observed.
#[must_use]
pub(crate) fn plan_id(mut considered: Value) -> String {
    considered.sort_all_objects();
    // Values have no keys that are not text, so they can always be written.
    let text = serde_json::to_vec(&considered).unwrap_or_default();
    hex::encode(&Fingerprint::of(&text).as_slice()[..ID_LENGTH])
}

/// Returns what a plan's id depends on of some findings: not their messages, which may contain the
/// time that is left.
#[must_use]
pub(crate) fn considered_findings(findings: &[Finding]) -> Value {
    findings
        .iter()
        .map(|finding| json!([finding.code, finding.severity]))
        .collect()
}

/// Returns a step as an object with `text`, the step in words.
#[must_use]
pub(crate) fn step_json(step: &impl Serialize, text: String) -> Value {
    let mut object = json!(step);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("text".to_owned(), text.into());
    }
    object
}

/// Returns a plan whose steps are printed as they are in JSON.
#[must_use]
pub(crate) fn plan_json<S: Serialize + Display>(steps: &[S]) -> Value {
    let steps: Vec<Value> = steps
        .iter()
        .map(|step| step_json(step, step.to_string()))
        .collect();
    json!({ "steps": steps })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{DryRunSummary, plan_id};

    #[test]
    fn plan_ids_depend_on_values_and_not_on_the_order_of_keys() {
        let id = plan_id(json!({
            "a": 1,
            "b": {"c": [1, 2], "d": null},
        }));
        assert_eq!(
            id,
            plan_id(json!({
                "b": {"d": null, "c": [1, 2]},
                "a": 1,
            }))
        );
        assert_eq!((id.len(), hex::decode(&id).unwrap().len()), (16, 8));
        for other in [
            json!({
                "a": 1,
                "b": {"c": [2, 1], "d": null},
            }),
            json!({
                "a": 1,
                "b": {"c": [1, 2]},
            }),
            json!({
                "a": "1",
                "b": {"c": [1, 2], "d": null},
            }),
        ] {
            assert_ne!(id, plan_id(other.clone()), "{other}");
        }
    }

    #[test]
    fn fields_of_a_dry_run_come_after_changed() {
        let summary = DryRunSummary {
            would_change: true,
            plan_id: "0123456789abcdef".to_owned(),
        };
        let mut document = json!({
            "schema": "x",
            "changed": false,
            "next": [],
        });
        summary.add_to(&mut document);
        assert_eq!(
            document.to_string(),
            r#"{"schema":"x","changed":false,"would_change":true,"plan_id":"0123456789abcdef","next":[]}"#
        );
    }
}
