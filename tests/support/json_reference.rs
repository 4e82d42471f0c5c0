//! Writes docs/reference/json.md from the schemas.

use std::collections::BTreeMap;

use super::json::Json;
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
pub fn page(schemas: &BTreeMap<String, Json>) -> String {
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
    for (name, part) in schemas["common-1.json"]["$defs"].fields() {
        page.push_str(&format!(
            "\n### {name}\n\n{}\n\n",
            text(part, "description")
        ));
        page.push_str(&table(part));
    }
    page
}

/// Returns a field of a schema that not every schema has.
fn field<'a>(schema: &'a Json, name: &str) -> Option<&'a Json> {
    match schema {
        Json::Object(_) => schema.get(name),
        _ => None,
    }
}

fn text<'a>(schema: &'a Json, name: &str) -> &'a str {
    let text = field(schema, name).and_then(Json::as_str);
    text.unwrap_or_default()
}

/// Returns the table of all fields of an object, with those of inner objects.
fn table(schema: &Json) -> String {
    let mut table = "| field | type | meaning |\n|---|---|---|\n".to_owned();
    add_rows(&mut table, schema, "");
    table
}

fn add_rows(table: &mut String, schema: &Json, prefix: &str) {
    let Some(properties) = field(schema, "properties") else {
        return;
    };
    for (name, property) in properties.fields() {
        let is_required = schema["required"].iter().any(|one| *one == name.as_str());
        let optional = if is_required { "" } else { ", optional" };
        let kind = kind(property);
        let meaning = text(property, "description").replace('|', "\\|");
        let path = format!("{prefix}{name}");
        table.push_str(&format!("| `{path}` | {kind}{optional} | {meaning} |\n"));
        add_rows(table, property, &format!("{path}."));
        if let Some(items) = field(property, "items") {
            add_rows(table, items, &format!("{path}[]."));
        }
    }
}

/// Returns the type of a value in words.
fn kind(schema: &Json) -> String {
    if let Some(constant) = field(schema, "const") {
        return format!("`{constant}`");
    }
    if let Some(reference) = field(schema, "$ref").and_then(Json::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return format!("[{name}](#{name})");
    }
    let kinds: Vec<String> = match (field(schema, "anyOf"), field(schema, "type")) {
        (Some(choices), _) => choices.iter().map(kind).collect(),
        (None, Some(Json::Array(kinds))) => kinds.iter().map(|one| one_kind(one, schema)).collect(),
        (None, Some(one)) => vec![one_kind(one, schema)],
        (None, None) => Vec::new(),
    };
    kinds.join(" or ")
}

fn one_kind(name: &Json, schema: &Json) -> String {
    match (name.as_str().unwrap_or_default(), field(schema, "items")) {
        ("array", None) => "list".to_owned(),
        ("array", Some(items)) => format!("list of {}", kind(items)),
        (name, _) => name.to_owned(),
    }
}
