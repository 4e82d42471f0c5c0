//! What a later version of certctl wrote about links in settings.json: links to files that this
//! version does not know, and further fields of a link. They are kept when the file is written.

use serde_json::{Map, Value};

use crate::store::layout::StableLink;

/// The fields with links.
const FIELDS: [&str; 2] = ["links", "former"];
/// The fields of a link in this version.
const KNOWN: [&str; 2] = ["path", "piece"];

/// The links with something unknown, as they were read, by the field that they are in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct UnknownLinkParts(Vec<(&'static str, Map<String, Value>)>);

impl UnknownLinkParts {
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Collects the links with something unknown; those with an unknown file are removed from the
    /// document.
    pub(super) fn take_from(document: &mut Value) -> Self {
        let mut found = Vec::new();
        for field in FIELDS {
            let Some(links) = document.get_mut(field).and_then(Value::as_array_mut) else {
                continue;
            };
            links.retain(|link| {
                let Some(fields) = link.as_object() else {
                    return true;
                };
                let is_known = is_known(link);
                let has_more = fields.keys().any(|name| !KNOWN.contains(&name.as_str()));
                let is_link = fields.get("path").is_some_and(Value::is_string);
                if has_more || !is_known {
                    found.push((field, fields.clone()));
                }
                is_known || !is_link
            });
        }
        Self(found)
    }

    /// Adds the unknown fields to their links, and the links with an unknown file.
    pub(super) fn add_to(&self, document: &mut Value) {
        let Some(document) = document.as_object_mut() else {
            return;
        };
        for (field, kept) in &self.0 {
            let links = document
                .entry(*field)
                .or_insert_with(|| Value::Array(Vec::new()));
            let Some(links) = links.as_array_mut() else {
                continue;
            };
            let same = links
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .find(|link| KNOWN.iter().all(|name| link.get(*name) == kept.get(*name)));
            match same {
                Some(link) => add_missing(link, kept),
                // A known link that is not saved any more is gone, with its further fields.
                None if is_known(&Value::Object(kept.clone())) => {}
                None => links.push(Value::Object(kept.clone())),
            }
        }
    }
}

fn is_known(link: &Value) -> bool {
    serde_json::from_value::<StableLink>(link.clone()).is_ok()
}

fn add_missing(link: &mut Map<String, Value>, kept: &Map<String, Value>) {
    for (name, value) in kept {
        if !link.contains_key(name) {
            link.insert(name.clone(), value.clone());
        }
    }
}
