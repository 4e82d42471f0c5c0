//! Validates every JSON document that a test run prints against its schema in
//! docs/reference/schemas. The shipped schemas allow fields of later versions; here a field without a
//! description fails the test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

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
pub fn read_all() -> BTreeMap<String, Value> {
    let mut schemas = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        schemas.insert(name, value);
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

/// Fails if the document on `stdout`, or one of several on a line each, does not match its schema.
#[track_caller]
pub fn assert_valid(stdout: &str) {
    match serde_json::from_str::<Value>(stdout) {
        Ok(document) => assert_document(&document),
        Err(_) => stdout
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .for_each(|document| assert_document(&document)),
    }
}

#[track_caller]
fn assert_document(document: &Value) {
    if let Some(fault) = find_fault(document) {
        if std::env::var_os("CERTCTL_COLLECT").is_some() {
            use std::io::Write as _;
            let mut file = std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open("/tmp/j-faults.txt")
                .unwrap();
            file.write_all(
                format!(
                    "{fault}\nin {}\n\n",
                    document.to_string().chars().take(1500).collect::<String>()
                )
                .as_bytes(),
            )
            .unwrap();
            return;
        }
        panic!("{fault}\nin {document}");
    }
}

/// Describes how a document, or one inside of it, differs from its schema.
pub fn find_fault(document: &Value) -> Option<String> {
    if !document["schema"].is_string() {
        return Some("the document has no schema".to_owned());
    }
    COMPILED.with(|compiled| compiled.find_fault(document))
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
            compiler.add_resource(&location, schema).unwrap();
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
    fn find_fault(&self, value: &Value) -> Option<String> {
        match value {
            Value::Object(fields) => {
                let name = fields.get("schema").and_then(Value::as_str);
                let fault = name.and_then(|name| match self.indexes.get(name) {
                    Some(index) => {
                        let result = self.schemas.validate(value, *index);
                        result.err().map(|error| format!("{error:#}"))
                    }
                    None => Some(format!("{name} has no schema")),
                });
                fault.or_else(|| fields.values().find_map(|inner| self.find_fault(inner)))
            }
            Value::Array(elements) => elements.iter().find_map(|inner| self.find_fault(inner)),
            _ => None,
        }
    }
}

/// Forbids properties without a description, except where a schema allows them itself.
fn forbid_other_properties(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("properties").is_some_and(Value::is_object) {
                fields
                    .entry("additionalProperties")
                    .or_insert(Value::Bool(false));
            }
            fields.values_mut().for_each(forbid_other_properties);
        }
        Value::Array(elements) => elements.iter_mut().for_each(forbid_other_properties),
        _ => {}
    }
}
