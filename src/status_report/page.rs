//! `--html FILE`: the status as one page. It loads nothing from elsewhere and is complete without
//! scripts. Its content security policy (CSP) allows only its own script and style, whatever the
//! names in a certificate contain.

mod markup;
mod row;
mod timeline;
mod years;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;

use self::markup::{mark, text};
use self::timeline::Timeline;
use crate::finding::{Finding, Severity};
use crate::inventory::RowVerdict;
use crate::status_report::StatusOutcome;
use crate::wording::date_and_minute;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
    %3Cpath d='M5 7V5a3 3 0 0 1 6 0v2' fill='none' stroke='%230a7d55' stroke-width='2'/%3E\
    %3Crect x='3' y='7' width='10' height='8' rx='2' fill='%230a7d55'/%3E%3C/svg%3E";

pub(crate) fn html(outcome: &StatusOutcome) -> String {
    let timeline = Timeline::fitting(outcome.at, &outcome.rows);
    let mut page = head(&outcome.machine.hostname, outcome.at);
    page.push_str(&counts(outcome));
    page.push_str(&notes(&outcome.findings));
    page.push_str(&timeline.grid());
    let ahead = years::section(&outcome.rows, &timeline);
    if !ahead.is_empty() {
        page.push_str(Timeline::KEY);
    }
    page.push_str(&format!(
        "<table><caption class=\"unseen\">All certificates, the most urgent first</caption>\n<thead><tr>\
         <th scope=\"col\" data-by=\"verdict\">Verdict</th><th scope=\"col\" data-by=\"name\">Names</th>\
         <th scope=\"col\" data-by=\"state\">State</th><th scope=\"col\" data-by=\"ends\">Expires</th>\
         <th scope=\"col\" data-by=\"due\">Next renewal</th><th scope=\"col\" class=\"time\">{}</th></tr></thead>\n",
        timeline.axis()
    ));
    outcome
        .rows
        .iter()
        .for_each(|one| page.push_str(&row::body(one, &timeline)));
    page.push_str("</table>\n<p id=\"none\" hidden>No row matches the filter.</p>\n");
    page.push_str(&timeline.legend());
    page.push_str(&ahead);
    page.push_str(&format!(
        "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    ));
    page
}

fn head(hostname: &str, at: Timestamp) -> String {
    let policy = format!(
        "default-src 'none'; img-src data:; style-src '{}'; script-src '{}'; base-uri 'none'; \
            form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let at = date_and_minute(at);
    let machine = text(hostname);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Certificates on {machine}, {at}</title>\n\
         <link rel=\"icon\" href=\"{ICON}\">\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header><h1>Certificates on {machine}</h1><p>Status at <time>{at}</time></p></header>\n"
    )
}

/// Returns the CSP source expression that allows an inline style or script.
fn hash(inline: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, inline.as_bytes());
    format!("sha256-{}", BASE64_STANDARD.encode(digest))
}

/// Returns the counts, which the script turns into filters.
fn counts(outcome: &StatusOutcome) -> String {
    let mut chips = String::new();
    for verdict in [RowVerdict::Wrong, RowVerdict::Due, RowVerdict::Fine] {
        let word = verdict.name();
        let rows = outcome
            .rows
            .iter()
            .filter(|one| one.row.verdict() == verdict);
        chips.push_str(&format!(
            "<li class=\"{word}\" data-only=\"{word}\">{}<b>{}</b> {word}</li>",
            mark(verdict),
            rows.count()
        ));
    }
    format!(
        "<div class=\"bar\"><ul class=\"chips\">{chips}</ul><label id=\"filter\" hidden>Find \
         <input type=\"search\" placeholder=\"name, place, issuer\"></label></div>\n<p id=\"shown\" role=\"status\"></p>\n"
    )
}

/// Returns the findings that belong to no row: what could not be checked.
fn notes(findings: &[Finding]) -> String {
    let items: String = findings.iter().map(note).collect();
    if items.is_empty() {
        items
    } else {
        format!("<ul class=\"notes\">\n{items}</ul>\n")
    }
}

fn note(finding: &Finding) -> String {
    let class = match finding.severity {
        Severity::Error => "wrong",
        Severity::Warning => "due",
        Severity::Note => "fine",
    };
    let next: String = finding
        .next
        .iter()
        .map(|next| format!(" {}", markup::step(next)))
        .collect();
    format!(
        "<li class=\"{class}\">{}{next}</li>\n",
        text(&finding.message)
    )
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, STYLE, hash};

    #[test]
    fn style_and_script_contain_no_markup_or_links() {
        // These would end the element early, or load something.
        for part in [STYLE, SCRIPT] {
            let part = part.to_ascii_lowercase();
            for bad in [
                "</",
                "<!--",
                "@import",
                "url(",
                "fetch(",
                "http:",
                "https:",
                "eval",
                "innerhtml",
            ] {
                assert!(!part.contains(bad), "{bad}");
            }
        }
        assert_eq!(
            hash(""),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }
}
