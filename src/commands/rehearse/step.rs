//! One command of the rehearsal: what is typed, the expected result, the actual one. The report is
//! made from the document that the command prints with `--json`.

use serde_json::{Value, json};

use crate::finding::shell_word;
use crate::report::TextOutput;

/// A command that was run, and what happened outside of certctl.
#[derive(Debug)]
pub(super) struct RehearsalStep {
    /// What the step does.
    pub(super) title: &'static str,
    /// All words, `certctl` first.
    pub(super) argv: Vec<String>,
    /// The printed words, without the options for the folder.
    pub(super) shown: Vec<String>,
    /// How the command should end.
    pub(super) expected: ExpectedResult,
    pub(super) exit_code: u8,
    /// What the command prints with `--json`.
    pub(super) document: Value,
    /// What the reseller, the DNS console and visitors of the site say.
    pub(super) events: Vec<OutsideEvent>,
}

/// How a command should end: exit code and verdict (`csr` has none).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ExpectedResult {
    pub(super) exit_code: u8,
    pub(super) verdict: Option<&'static str>,
}

/// Something that happened outside of certctl.
#[derive(Debug)]
pub(super) struct OutsideEvent {
    pub(super) actor: &'static str,
    pub(super) event: String,
}

impl RehearsalStep {
    /// How the result differs from the expected one.
    pub(super) fn deviation(&self) -> Option<String> {
        let ExpectedResult { exit_code, verdict } = self.expected;
        if self.exit_code == exit_code && self.verdict() == verdict {
            return None;
        }
        Some(format!(
            "ended with {}, not with {}",
            result_in_words(self.exit_code, self.verdict()),
            result_in_words(exit_code, verdict)
        ))
    }

    /// The verdict in the document.
    pub(super) fn verdict(&self) -> Option<&str> {
        self.document["verdict"].as_str()
    }

    pub(super) fn json(&self) -> Value {
        let mut command = Vec::new();
        for word in &self.argv {
            command.push(shell_word(word));
        }
        let mut remarks = Vec::new();
        for event in &self.events {
            remarks.push(json!({
                "who": event.actor,
                "what": event.event,
            }));
        }
        json!({
            "command": command.join(" "),
            "argv": self.argv,
            "title": self.title,
            "expected": { "exit_code": self.expected.exit_code, "verdict": self.expected.verdict },
            "exit_code": self.exit_code,
            "as_expected": self.deviation().is_none(),
            "outcome": self.document,
            "remarks": remarks,
        })
    }

    pub(super) fn print(&self, number: usize, text: &mut TextOutput) {
        text.add_plain("");
        text.add_plain(format!("{number}. {}", self.title));
        let words: Vec<String> = self
            .shown
            .iter()
            .map(|word| shorten_hashes(&shell_word(word)))
            .collect();
        print_lines(text, "$", command_lines(&words));
        let mut result = Vec::new();
        for line in self.result_lines() {
            result.extend(fold_prose(&shorten_hashes(&line)));
        }
        print_lines(text, &format!("exit {}", self.exit_code), result);
        for event in &self.events {
            print_lines(text, event.actor, fold_prose(&shorten_hashes(&event.event)));
        }
    }

    /// The result in a few lines.
    pub(super) fn result_lines(&self) -> Vec<String> {
        let mut lines = failure_lines(&self.document["error"]);
        lines.extend(finding_lines(&self.document));
        if lines.is_empty() {
            lines.push(success_line(&self.document));
        }
        if let Some(verdict) = self.verdict()
            && let Some(first) = lines.first_mut()
        {
            *first = format!("{verdict}: {first}");
        }
        lines
    }
}

/// The exit code with the verdict.
fn result_in_words(exit_code: u8, verdict: Option<&str>) -> String {
    match verdict {
        Some(verdict) => format!("exit {exit_code} ({verdict})"),
        None => format!("exit {exit_code}"),
    }
}

fn failure_lines(error: &Value) -> Vec<String> {
    let message = error["message"].as_str().map(ToOwned::to_owned);
    message
        .into_iter()
        .chain(
            elements(&error["causes"])
                .filter_map(Value::as_str)
                .map(ToOwned::to_owned),
        )
        .collect()
}

/// The errors and warnings, each with its first next step.
fn finding_lines(document: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in elements(&document["findings"]) {
        if finding["severity"] == "note" {
            continue;
        }
        lines.push(text(&finding["message"]).to_owned());
        lines.extend(
            elements(&finding["lines"])
                .filter_map(Value::as_str)
                .map(|line| format!("| {line}")),
        );
        lines.extend(
            finding["next"][0]["text"]
                .as_str()
                .map(|next| format!("next: {next}")),
        );
    }
    lines
}

/// The line for a command without findings.
fn success_line(document: &Value) -> String {
    match text(&document["schema"]) {
        "certctl.csr/1" => format!(
            "made {} (0600, {}) and {}",
            text(&document["key"]["path"]),
            text(&document["key"]["algorithm"]),
            text(&document["request"]["path"])
        ),
        "certctl.dcv-check/1" => {
            let mut addresses = Vec::new();
            for server in elements(&document["records"][0]["servers"]) {
                addresses.push(text(&server["address"]));
            }
            format!(
                "at the right place, with the right value, at {}",
                addresses.join(", ")
            )
        }
        _ => {
            let certificate = &document["certificates"][0];
            let mut probes = Vec::new();
            for probe in elements(&certificate["probes"]) {
                let address = text(&probe["address"]);
                let protocol = text(&probe["protocol"]);
                probes.push(format!("seen at {address} over {protocol}"));
            }
            format!("{}, leaf and whole chain", probes.join(", "))
        }
    }
}

fn elements(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn print_lines(text: &mut TextOutput, label: &str, lines: impl IntoIterator<Item = String>) {
    for line in lines {
        text.add_plain(format!("{label} {line}"));
    }
}

/// The width of folded lines, in characters.
const WIDTH: usize = 104;

/// Breaks a command line before options; the lines can be pasted.
fn command_lines(words: &[String]) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    for word in words {
        match units.last_mut() {
            Some(unit) if !word.starts_with("--") => unit.extend([" ", word]),
            _ => units.push(word.clone()),
        }
    }
    let lines = fold(&units);
    let last = lines.len().saturating_sub(1);
    let mut command_lines = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        let indent = if index == 0 { "" } else { "    " };
        let continuation = if index == last { "" } else { " \\" };
        command_lines.push(format!("{indent}{line}{continuation}"));
    }
    command_lines
}

fn fold_prose(text: &str) -> Vec<String> {
    let words: Vec<String> = text.split(' ').map(ToOwned::to_owned).collect();
    fold(&words)
}

fn fold(units: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for unit in units {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + unit.chars().count() <= WIDTH => {
                line.extend([" ", unit])
            }
            _ => lines.push(unit.clone()),
        }
    }
    lines
}

/// Shortens long runs of hex digits to the first six.
pub(super) fn shorten_hashes(text: &str) -> String {
    const KEPT: usize = 6;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run = rest
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(rest.len());
        let (taken, ellipsis) = if run >= 24 {
            (KEPT, "…")
        } else {
            (run.max(first.len_utf8()), "")
        };
        out.push_str(&rest[..taken]);
        out.push_str(ellipsis);
        rest = &rest[run.max(taken)..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, command_lines, fold_prose, shorten_hashes};

    #[test]
    fn long_lines_are_folded_and_can_be_pasted() {
        let short = "certctl csr a".to_owned();
        let long = "x".repeat(WIDTH);
        assert_eq!(
            command_lines(&[short.clone(), "--ca".into(), "private".into()]),
            ["certctl csr a --ca private"]
        );
        let folded = ["certctl csr a \\".to_owned(), format!("    --key {long}")];
        assert_eq!(
            command_lines(&[short, "--key".into(), long.clone()]),
            folded
        );
        assert_eq!(fold_prose(&format!("a {long} b c")), ["a", &long, "b c"]);
    }

    #[test]
    fn hashes_are_shortened_and_words_are_not() {
        let md5 = "6fcfe984ac87413b45a0d531d2172600";
        assert_eq!(
            shorten_hashes(&format!("_{md5}.shop.example é")),
            "_6fcfe9….shop.example é"
        );
        assert_eq!(
            shorten_hashes(&format!("{md5}.{md5}.69ff68dc5168c.comodoca.com")),
            "6fcfe9….6fcfe9….69ff68dc5168c.comodoca.com"
        );
        assert_eq!(
            shorten_hashes("certctl install a.zip"),
            "certctl install a.zip"
        );
        assert_eq!(shorten_hashes(""), "");
    }
}
