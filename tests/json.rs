//! The JSON helper of the tests: reading a missing field or element fails, and the message lists the
//! existing ones.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "only a part of the helper is used here"
)]

#[path = "support/json.rs"]
mod json;

use json::Json;
use serde_json::json;

fn document() -> Json {
    Json::parse(r#"{"verdict":"fine","rows":[{"count":3,"next":null}],"changed":false}"#)
}

/// Returns the message of the panic in `read`.
fn message(read: impl FnOnce(Json) + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(|| read(document())).unwrap_err();
    *panic.downcast::<String>().unwrap()
}

#[test]
fn missing_fields_and_elements_fail() {
    let missing = message(|document| assert!(!document["verdit"].is_null()));
    assert_eq!(
        missing,
        format!(
            "no field \"verdit\"; the fields are: verdict, rows, changed\nin {}",
            document()
        )
    );
    let below_null = message(|document| assert!(document["rows"][0]["next"]["text"].is_null()));
    assert_eq!(below_null, "not an object: null");
    let beyond = message(|document| assert!(document["rows"][1].is_null()));
    assert_eq!(beyond, r#"no element 1 of 1 in [{"count":3,"next":null}]"#);
    let no_array = message(|document| assert_eq!(document["verdict"].len(), 0));
    assert_eq!(no_array, "not an array: \"fine\"");
    let assigned = message(|mut document| document["verdit"] = Json::Null);
    assert!(assigned.starts_with("no field \"verdit\""), "{assigned}");
    let removed = message(|mut document| document.remove("verdit"));
    assert!(removed.starts_with("no field \"verdit\""), "{removed}");
    let text = message(|_| drop(Json::parse("{")));
    assert!(text.starts_with("not JSON ("), "{text}");
}

#[test]
fn values_are_compared_and_printed_as_json() {
    let mut document = document();
    assert!(document["rows"][0]["next"].is_null() && document.get("verdit").is_none());
    assert_eq!(document["verdict"], "fine");
    assert_ne!(document["verdict"], "fin");
    assert_eq!(document["changed"], false);
    assert_eq!(document["rows"][0]["count"], 3);
    assert_ne!(document["rows"][0]["count"], "3");
    assert_eq!(document["rows"], json!([{"next": null, "count": 3}]));
    document.set("changed", true);
    document.set("more", json!(["a"]));
    document.remove("verdict");
    assert_eq!(
        document.to_string(),
        r#"{"rows":[{"count":3,"next":null}],"changed":true,"more":["a"]}"#
    );
    assert_eq!(document.keys(), ["rows", "changed", "more"]);
}
