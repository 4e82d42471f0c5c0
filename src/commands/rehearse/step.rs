//! One command of the round: what is typed, what should come of it, what came. All that is said of
//! it is taken from the document that `--json` gives to scripts.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::finding::shell_word;
use crate::report::TextOutput;

/// A command that was run, and what others had to say to it.
#[derive(Debug)]
pub(super) struct RehearsalStep {
    /// What it is for.
    pub(super) title: &'static str,
    /// All words, `certctl` first.
    pub(super) argv: Vec<String>,
    /// The words that people read: the folder's flags are said once, above.
    pub(super) shown: Vec<String>,
    /// How it should end.
    pub(super) expected: ExpectedResult,
    pub(super) exit_code: u8,
    /// What it printed with `--json`.
    pub(super) document: Value,
    /// What the shop, the panel and visitors of the site said then.
    pub(super) remarks: Vec<OutsideEvent>,
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
    pub(super) who: &'static str,
    pub(super) what: String,
}

impl RehearsalStep {
    /// How it did not end as it should; `None` when it did.
    pub(super) fn missed(&self) -> Option<String> {
        let ExpectedResult { exit_code, verdict } = self.expected;
        if self.exit_code == exit_code && self.verdict() == verdict {
            return None;
        }
        let words = |code: u8, verdict: Option<&str>| {
            format!(
                "exit {code}{}",
                verdict.map_or(String::new(), |word| format!(" ({word})"))
            )
        };
        Some(format!(
            "ended with {}, not with {}",
            words(self.exit_code, self.verdict()),
            words(exit_code, verdict)
        ))
    }

    /// The verdict in its document.
    pub(super) fn verdict(&self) -> Option<&str> {
        self.document["verdict"].as_str()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "command": self.argv.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" "),
            "argv": self.argv,
            "title": self.title,
            "expected": { "exit_code": self.expected.exit_code, "verdict": self.expected.verdict },
            "exit_code": self.exit_code,
            "as_expected": self.missed().is_none(),
            "outcome": self.document,
            "remarks": self.remarks.iter().map(|remark| json!({ "who": remark.who, "what": remark.what })).collect::<Vec<_>>(),
        })
    }

    pub(super) fn human(&self, number: usize, text: &mut TextOutput) {
        text.fact("", "");
        text.fact(&number.to_string(), self.title);
        let words: Vec<String> = self
            .shown
            .iter()
            .map(|word| shortened(&shell_word(word)))
            .collect();
        facts(text, "$", command_lines(&words));
        let said = self.said();
        facts(
            text,
            &format!("exit {}", self.exit_code),
            said.iter().flat_map(|line| prose(&shortened(line))),
        );
        for remark in &self.remarks {
            facts(text, remark.who, prose(&shortened(&remark.what)));
        }
    }

    /// What came of it, in a few lines.
    pub(super) fn said(&self) -> Vec<String> {
        let mut lines = failed(&self.document["error"]);
        lines.extend(judged(&self.document));
        if lines.is_empty() {
            lines.push(done(&self.document));
        }
        if let (Some(verdict), Some(first)) = (self.verdict(), lines.first_mut()) {
            *first = format!("{verdict}: {first}");
        }
        lines
    }
}

fn failed(error: &Value) -> Vec<String> {
    let message = error["message"].as_str().map(ToOwned::to_owned);
    message
        .into_iter()
        .chain(
            each(&error["causes"])
                .filter_map(Value::as_str)
                .map(ToOwned::to_owned),
        )
        .collect()
}

/// Errors and warnings, each with the first thing to do about it.
fn judged(document: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in each(&document["findings"]).filter(|finding| finding["severity"] != "note") {
        lines.push(text(&finding["message"]).to_owned());
        lines.extend(
            each(&finding["lines"])
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

/// What there is to say where nothing is wrong.
fn done(document: &Value) -> String {
    match text(&document["schema"]) {
        "certctl.csr/1" => format!(
            "made {} (0600, {}) and {}",
            text(&document["key"]["path"]),
            text(&document["key"]["algorithm"]),
            text(&document["request"]["path"])
        ),
        "certctl.dcv-check/1" => {
            let servers =
                each(&document["records"][0]["servers"]).map(|server| text(&server["address"]));
            format!(
                "at the right place, with the right value, at {}",
                servers.collect::<Vec<_>>().join(", ")
            )
        }
        _ => {
            let pair = &document["certificates"][0];
            let probes = each(&pair["probes"]).map(|probe| {
                format!(
                    "seen at {} over {}",
                    text(&probe["address"]),
                    text(&probe["protocol"])
                )
            });
            format!(
                "{}, leaf and whole chain",
                probes.collect::<Vec<_>>().join(", ")
            )
        }
    }
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn facts(text: &mut TextOutput, label: &str, lines: impl IntoIterator<Item = String>) {
    for line in lines {
        text.fact(label, line);
    }
}

/// No line is much wider than that.
const WIDTH: usize = 104;

/// A command line on as many lines as it needs, broken before a flag, to be pasted all the same.
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
    let broken = |(number, line): (usize, String)| {
        format!(
            "{}{line}{}",
            if number == 0 { "" } else { "    " },
            if number == last { "" } else { " \\" }
        )
    };
    lines.into_iter().enumerate().map(broken).collect()
}

/// Prose on as many lines as it needs.
fn prose(text: &str) -> Vec<String> {
    fold(&text.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>())
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

/// The date alone, UTC.
pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// Hashes in full are for programs: long runs of hex digits keep their first six.
pub(super) fn shortened(text: &str) -> String {
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
    use super::{WIDTH, command_lines, prose, shortened};

    #[test]
    fn long_lines_are_folded_and_can_be_pasted() {
        let (short, long) = ("certctl csr a".to_owned(), "x".repeat(WIDTH));
        assert_eq!(
            command_lines(&[short.clone(), "--ca".into(), "private".into()]),
            ["certctl csr a --ca private"]
        );
        let folded = ["certctl csr a \\".to_owned(), format!("    --key {long}")];
        assert_eq!(
            command_lines(&[short, "--key".into(), long.clone()]),
            folded
        );
        assert_eq!(prose(&format!("a {long} b c")), ["a", &long, "b c"]);
    }

    #[test]
    fn hashes_are_cut_and_words_are_not() {
        let md5 = "6fcfe984ac87413b45a0d531d2172600";
        assert_eq!(
            shortened(&format!("_{md5}.shop.example é")),
            "_6fcfe9….shop.example é"
        );
        assert_eq!(
            shortened(&format!("{md5}.{md5}.69ff68dc5168c.comodoca.com")),
            "6fcfe9….6fcfe9….69ff68dc5168c.comodoca.com"
        );
        assert_eq!(shortened("certctl install a.zip"), "certctl install a.zip");
        assert_eq!(shortened(""), "");
    }
}
