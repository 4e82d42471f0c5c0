//! Validates every JSON document that a test run prints against its schema in
//! docs/reference/schemas. The shipped schemas allow fields of later versions; here a field without a
//! description fails the test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};

use super::json::Json;

/// Where the schemas are for the compiler. Nothing is fetched.
const LOCATION: &str = "http://schemas.invalid/";

thread_local! {
    static COMPILED: CompiledSchemas = CompiledSchemas::load();
}

/// The compiled schema of each document, by its name: `certctl.csr/1`.
struct CompiledSchemas {
    schemas: Schemas,
    indexes: BTreeMap<String, SchemaIndex>,
}

/// Returns the folder of the schemas.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/schemas")
}

/// Returns the file name and content of every schema, in alphabetical order.
pub fn read_all() -> BTreeMap<String, Json> {
    let mut schemas = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let schema = text
            .parse()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        schemas.insert(name, schema);
    }
    schemas
}

/// Returns the name of the document that a schema file describes: `certctl.csr/1` for
/// `certctl.csr-1.json`; `None` for the shared parts.
pub fn document_name(file: &str) -> Option<String> {
    let (name, version) = file.strip_suffix(".json")?.rsplit_once('-')?;
    name.starts_with("certctl.")
        .then(|| format!("{name}/{version}"))
}

/// Fails if a document does not match its schema.
#[track_caller]
pub fn assert_valid(document: &Json) {
    if let Some(fault) = find_fault(document) {
        panic!("{fault}\nin {document}");
    }
}

/// Describes how a document, or one inside of it, differs from its schema.
pub fn find_fault(document: &Json) -> Option<String> {
    if schema_name(document).is_none() {
        return Some("the document has no schema".to_owned());
    }
    COMPILED.with(|compiled| compiled.find_fault(document))
}

/// Returns the name of the schema that an object has.
fn schema_name(value: &Json) -> Option<&str> {
    match value {
        Json::Object(_) => value.get("schema").and_then(Json::as_str),
        _ => None,
    }
}

impl CompiledSchemas {
    fn load() -> Self {
        let mut compiler = Compiler::new();
        let mut schemas = Schemas::new();
        let mut indexes = BTreeMap::new();
        let files = read_all();
        for (file, schema) in &files {
            let mut schema = schema.clone();
            forbid_other_properties(&mut schema);
            let location = format!("{LOCATION}{file}");
            compiler.add_resource(&location, schema.value()).unwrap();
        }
        for file in files.keys() {
            let Some(name) = document_name(file) else {
                continue;
            };
            let index = compiler.compile(&format!("{LOCATION}{file}"), &mut schemas);
            let index = index.unwrap_or_else(|error| panic!("{file}: {error:#}"));
            indexes.insert(name, index);
        }
        Self { schemas, indexes }
    }

    /// Checks the value if it is a document, and everything in it.
    fn find_fault(&self, value: &Json) -> Option<String> {
        let fault = schema_name(value).and_then(|name| match self.indexes.get(name) {
            Some(index) => {
                let value = value.value();
                let result = self.schemas.validate(&value, *index);
                result.err().map(|error| format!("{error:#}"))
            }
            None => Some(format!("{name} has no schema")),
        });
        fault.or_else(|| inner_values(value).find_map(|inner| self.find_fault(inner)))
    }
}

/// Returns the elements of a list or the values of an object's fields.
pub fn inner_values(value: &Json) -> Box<dyn Iterator<Item = &Json> + '_> {
    match value {
        Json::Object(fields) => Box::new(fields.iter().map(|(_, inner)| inner)),
        Json::Array(elements) => Box::new(elements.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

/// Forbids properties without a description, except where a schema allows them itself.
fn forbid_other_properties(schema: &mut Json) {
    match schema {
        Json::Object(fields) => {
            let has = |name: &str| fields.iter().any(|(field, _)| field == name);
            if has("properties") && !has("additionalProperties") {
                fields.push(("additionalProperties".to_owned(), Json::Bool(false)));
            }
            for (_, inner) in fields {
                forbid_other_properties(inner);
            }
        }
        Json::Array(elements) => elements.iter_mut().for_each(forbid_other_properties),
        _ => {}
    }
}
