//! docs/reference/clients.md: which TLS client refuses a chain that breaks which rule.

use super::table::table_row;
use crate::pki::client_rules::{ClientRule, RULES, RuleVerdict, TlsClient};

const INTRODUCTION: &str = "\
# Rules and clients

What `certctl verify`, `bundle` and `install` check in a chain besides signatures, dates and names, and which clients
refuse a chain that breaks the rule. This page is generated from the table that certctl checks with.

Python 3.13 stands for every program that sets OpenSSL's `X509_V_FLAG_X509_STRICT`, as Python does since 3.13. Of a root,
Chrome, Firefox and rustls use only the name, the key and the name constraints. A message names only the clients that
refuse the chain at hand.
";

const SEVERITIES: [(RuleVerdict, &str, &str); 2] = [
    (
        RuleVerdict::Refused,
        "Errors",
        "OpenSSL, Go or a browser refuses the chain with its default settings.",
    ),
    (
        RuleVerdict::RefusedBySome,
        "Warnings",
        "OpenSSL accepts the chain, and so does RFC 5280 where Go or a browser does not. The marked clients refuse \
            it, and so does `verify --strict`.",
    ),
];

/// Returns the page.
pub(super) fn page() -> String {
    let mut text = INTRODUCTION.to_owned();
    let clients: Vec<String> = TlsClient::ALL.iter().map(ToString::to_string).collect();
    for (verdict, title, meaning) in SEVERITIES {
        text.push_str(&format!("\n## {title}\n\n{meaning}\n\n"));
        let mut head = vec!["rule", "broken by", "standard"];
        head.extend(clients.iter().map(String::as_str));
        text.push_str(&table_row(&head));
        text.push_str(&format!("|{}\n", "---|".repeat(head.len())));
        for rule in RULES.iter().filter(|rule| rule.verdict == verdict) {
            text.push_str(&rule_row(rule));
        }
    }
    text
}

fn rule_row(rule: &ClientRule) -> String {
    let mut cells = vec![rule.id, rule.summary, rule.section];
    cells.extend(TlsClient::ALL.iter().map(|client| {
        if rule.clients.contains(client) {
            "refuses"
        } else {
            ""
        }
    }));
    table_row(&cells)
}
