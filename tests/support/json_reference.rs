//! Writes docs/reference/json.md from the schemas.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schemas::document_name;

/// What applies to all documents.
const CONVENTIONS: &str = "\
# JSON

With `--json`, certctl prints one object on stdout, whatever happens. This page is generated from the
[JSON Schemas](schemas) (draft 2020-12), which programs can use to validate what they read.

- `schema` is the first field: the name of the document and its version. Within a version, fields are
  only ever added, so ignore the ones that you do not know.
- The exit codes 0, 1, 5, 6 and 7 come with the document of the command; 2, 3, 4, 130 and 143 with
  [`certctl.error/1`](#certctlerror1). `dcv-check` prints its own document at 4, too.
- `comment` is one line for people, in every document. Do not parse it, nor `message` and `text`.
- `verdict`, `code`, `kind`, `state` and `proof` are words that scripts may compare:
  [words.md](words.md) and [findings.md](findings.md) list them.
- Times are RFC 3339 in UTC; days are `YYYY-MM-DD`. Hashes and ids are lower-case hex, modes four octal
  digits in a string, names A-labels. Keys and passwords are never part of a document.
- A field that is called optional is absent unless its description says otherwise. Everything else is
  always there, and null only where the description says so.
- Every `--dry-run` document has `would_change` and `plan_id`. The plan and the findings of each
  certificate are in its entry in `certificates`, also if there is only one, with what servers read
  `before` and `after`.
- Streams (`dcv-check --batch`, `status --jsonl`) are one object per line; the last one is
  [`certctl.summary/1`](#certctlsummary1).
";

/// Examples of documents, by name.
pub const EXAMPLES: [(&str, &str); 2] = [
    (
        "certctl.error/1",
        r#"{
  "schema": "certctl.error/1",
  "comment": "cannot read example.com.zip",
  "error": {
    "kind": "not-found",
    "message": "cannot read example.com.zip",
    "causes": ["No such file or directory (os error 2)"],
    "next": []
  }
}"#,
    ),
    (
        "certctl.summary/1",
        r#"{
  "schema": "certctl.summary/1",
  "comment": "3 checked: 2 visible, 1 absent",
  "verdict": "absent",
  "lines": 3,
  "verdicts": {"visible": 2, "absent": 1},
  "errors": 0
}"#,
    ),
];

/// Returns the page for the schemas, by file name.
pub fn page(schemas: &BTreeMap<String, Value>) -> String {
    let mut page = CONVENTIONS.to_owned();
    for (file, schema) in schemas {
        let Some(name) = document_name(file) else {
            continue;
        };
        page.push_str(&format!(
            "\n## {name}\n\n{} Schema: [{file}](schemas/{file})\n\n",
            text(schema, "description")
        ));
        page.push_str(&table(schema));
        for (_, example) in EXAMPLES.iter().filter(|(known, _)| *known == name) {
            page.push_str(&format!("\n```json\n{example}\n```\n"));
        }
    }
    page.push_str("\n## Shared parts\n");
    for (name, part) in schemas["common-1.json"]["$defs"].as_object().unwrap() {
        page.push_str(&format!(
            "\n### {name}\n\n{}\n\n",
            text(part, "description")
        ));
        page.push_str(&table(part));
    }
    page
}

fn text<'a>(schema: &'a Value, field: &str) -> &'a str {
    schema[field].as_str().unwrap_or_default()
}

/// Returns the table of all fields of an object, with those of inner objects.
fn table(schema: &Value) -> String {
    let mut table = "| field | type | meaning |\n|---|---|---|\n".to_owned();
    add_rows(&mut table, schema, "");
    table
}

fn add_rows(table: &mut String, schema: &Value, prefix: &str) {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let optional = if required.contains(&name.as_str()) {
            ""
        } else {
            ", optional"
        };
        let kind = kind(property);
        let meaning = text(property, "description").replace('|', "\\|");
        let path = format!("{prefix}{name}");
        table.push_str(&format!("| `{path}` | {kind}{optional} | {meaning} |\n"));
        if property.get("properties").is_some() {
            add_rows(table, property, &format!("{path}."));
        }
        if property["items"].get("properties").is_some() {
            add_rows(table, &property["items"], &format!("{path}[]."));
        }
    }
}

/// Returns the type of a value in words.
fn kind(schema: &Value) -> String {
    if let Some(constant) = schema["const"].as_str() {
        return format!("`\"{constant}\"`");
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return format!("[{name}](#{name})");
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let kinds: Vec<String> = choices.iter().map(kind).collect();
        return kinds.join(" or ");
    }
    let kinds: Vec<String> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(|one| one_kind(one, schema)).collect(),
        one => vec![one_kind(one, schema)],
    };
    kinds.join(" or ")
}

fn one_kind(name: &Value, schema: &Value) -> String {
    match (name.as_str().unwrap_or_default(), &schema["items"]) {
        ("array", Value::Null) => "list".to_owned(),
        ("array", items) => format!("list of {}", kind(items)),
        (name, _) => name.to_owned(),
    }
}
