//! Runs commands at several widths and in several languages, and checks the layout of their text:
//! lines fit, words are whole, and the language of the environment changes nothing.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use unicode_width::UnicodeWidthStr;

use super::mask::masked;
use super::nginx::Nginx;
use super::{Run, Sandbox};

/// The widths of snapshots.
pub const WIDTHS: [usize; 2] = [80, 120];
const UNWRAPPED: usize = 10_000;

/// Environments that must not change the output.
const LANGUAGES: [&[(&str, &str)]; 4] = [
    &[("LANG", "de_DE.UTF-8")],
    &[("LANG", "zh_CN.UTF-8"), ("LANGUAGE", "zh_CN:zh")],
    &[("LC_ALL", "C")],
    &[("LC_ALL", "tr_TR.ISO-8859-9"), ("LANG", "C.UTF-8")],
];

/// The texts of one command at each of [`WIDTHS`].
#[derive(Default)]
pub struct Pages {
    cases: usize,
    texts: [String; WIDTHS.len()],
}

/// A sandbox in the state that it has before each run of a command.
pub struct Stage<'a> {
    sandbox: &'a Sandbox,
    saved: TempDir,
    /// The http blocks of an nginx: those that it starts with, and those in its file afterwards.
    nginx: Option<(&'a str, &'a str)>,
}

impl<'a> Stage<'a> {
    /// Saves the sandbox as it is now.
    pub fn new(sandbox: &'a Sandbox) -> Self {
        let saved = tempfile::tempdir().unwrap();
        copy(sandbox.path(), saved.path());
        Self {
            sandbox,
            saved,
            nginx: None,
        }
    }

    /// The same with an nginx that starts with the http block `first` before each run, and whose
    /// file then has `second`. Commands that probe it take long, so they run in one language each.
    pub fn with_nginx(self, first: &'a str, second: &'a str) -> Self {
        Self {
            nginx: Some((first, second)),
            ..self
        }
    }

    /// Removes everything in the sandbox and copies the saved files into it.
    fn restore(&self) {
        for entry in std::fs::read_dir(self.sandbox.path()).unwrap() {
            let path = entry.unwrap().path();
            let is_folder = path.symlink_metadata().unwrap().is_dir();
            let remove = if is_folder {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
            remove.unwrap();
        }
        copy(self.saved.path(), self.sandbox.path());
    }

    fn run(&self, args: &[&str], width: usize, environment: &[(&str, &str)]) -> Run {
        self.restore();
        let server = self.nginx.map(|(first, second)| {
            let nginx = Nginx::start(&self.sandbox.join("nginx"), first);
            if first != second {
                // Always later than nginx has loaded the first one, as certctl compares them.
                std::thread::sleep(Duration::from_millis(500));
                nginx.rewrite(second);
            }
            nginx
        });
        let mut command = self.sandbox.command(args);
        command
            .env("COLUMNS", width.to_string())
            .envs(environment.iter().copied());
        let run = self.sandbox.run_command(command);
        drop(server);
        run
    }

    /// Runs a command that ends with `code`, checks its layout, and appends its texts to `pages`.
    #[track_caller]
    pub fn check(&self, pages: &mut Pages, args: &[&str], code: i32) {
        let unwrapped = self.run(args, UNWRAPPED, &[]).expect(code);
        for (text, width) in pages.texts.iter_mut().zip(WIDTHS) {
            let run = self.run(args, width, &[]).expect(code);
            for stream in [&run.stdout, &run.stderr] {
                check_widths(stream, width);
            }
            check_words(&run, &unwrapped, args.contains(&"status"));
            let line = masked_text(&args.join(" "), &run.folder);
            write!(text, "$ certctl {line}\n{}\n\n", stable(&run)).unwrap();
        }
        let usual = self.run(args, WIDTHS[0], &[]);
        let count = if self.nginx.is_some() {
            1
        } else {
            LANGUAGES.len()
        };
        let first = pages.cases;
        pages.cases += 1;
        for environment in LANGUAGES.iter().cycle().skip(first).take(count) {
            let run = self.run(args, WIDTHS[0], environment);
            assert_eq!(stable(&run), stable(&usual), "{environment:?}");
        }
        self.restore();
    }
}

impl Pages {
    /// Checks and appends the texts of a command that ran elsewhere, at each of [`WIDTHS`]; `others`
    /// are runs at the first width in other languages.
    #[track_caller]
    pub fn add(&mut self, line: &str, runs: [&Run; WIDTHS.len()], others: &[Run]) {
        for ((text, width), run) in self.texts.iter_mut().zip(WIDTHS).zip(runs) {
            for stream in [&run.stdout, &run.stderr] {
                check_widths(stream, width);
            }
            write!(text, "$ certctl {line}\n{}\n\n", stable(run)).unwrap();
        }
        for other in others {
            assert_eq!(stable(other), stable(runs[0]), "{line}");
        }
    }

    /// Compares the texts with the snapshots `NAME_80` and `NAME_120`.
    pub fn compare(&self, name: &str) {
        for (text, width) in self.texts.iter().zip(WIDTHS) {
            let mut settings = insta::Settings::clone_current();
            settings.set_omit_expression(true);
            settings.set_snapshot_path("../snapshots/layout");
            settings.set_prepend_module_to_snapshot(false);
            settings.bind(|| insta::assert_snapshot!(format!("{name}_{width}"), text));
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .arg("-a")
        .arg(from.join("."))
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success(), "cp: {status}");
}

/// No line is wider than `width` unless it is copied as it is: a command or lines below `next` or
/// `undo`, a quoted line, a line of a payload, or a single word.
#[track_caller]
fn check_widths(text: &str, width: usize) {
    let mut label = "";
    for line in text.lines() {
        let word = line.split(' ').next().unwrap_or_default();
        if !word.is_empty() {
            label = word;
        }
        if line.width() <= width {
            continue;
        }
        let is_indented = line.starts_with("            ");
        let is_step = is_indented && ["next", "undo"].contains(&label);
        let is_command = is_step
            || ["$ certctl ", "  certctl "]
                .iter()
                .any(|c| line.starts_with(c));
        let is_quote = line.starts_with("        | ");
        let is_directive = ["ssl_certificate", "SSLCertificate", "server_name", "bind "]
            .iter()
            .any(|word| line.trim_start().starts_with(word));
        // A field: its name and a value of one word.
        let field = line.replace("<unique value>", "<unique-value>");
        let value = field
            .trim_start()
            .split_once("  ")
            .map(|(_, value)| value.trim_start());
        let is_value = is_indented && value.is_some_and(|value| !value.contains(' '));
        assert!(
            is_command || is_quote || is_directive || is_value || is_one_word(line),
            "wider than {width} columns: {line}\n{text}"
        );
    }
}

/// Whether a line has only one word behind its label or indent; a command between backticks is one
/// word.
fn is_one_word(line: &str) -> bool {
    let body = match line.split_at_checked(8) {
        Some((label, body)) if label.trim_end().chars().all(|c| c.is_ascii_lowercase()) => {
            body.trim_start()
        }
        _ => line.trim_start(),
    };
    match body.split_once('`') {
        Some((before, rest)) => {
            let after = rest.split_once('`').map_or(rest, |(_, after)| after);
            !before.contains(' ') && !after.contains(' ')
        }
        None => !body.contains(' '),
    }
}

/// Every word of the wrapped output is a word of the output without line breaks, and none is lost;
/// a table may have other words at another width.
#[track_caller]
fn check_words(run: &Run, unwrapped: &Run, is_table: bool) {
    let words = |run: &Run| -> Vec<String> {
        let is_bar = |word: &&str| word.chars().all(|c| "#-.".contains(c));
        let text = stable(run);
        let words = text.split_whitespace().filter(|word| !is_bar(word));
        words.map(str::to_owned).collect()
    };
    let (narrow, wide) = (words(run), words(unwrapped));
    if narrow == wide {
        return;
    }
    let known: BTreeSet<&str> = wide.iter().map(String::as_str).collect();
    let broken: Vec<&String> = narrow
        .iter()
        .filter(|word| !known.contains(word.as_str()))
        .collect();
    assert!(broken.is_empty(), "{broken:?}\n{run}\n---\n{unwrapped}");
    assert!(is_table, "words are missing\n{run}\n---\n{unwrapped}");
}

/// Returns the output without what differs from run to run: also requests, ids of versions, ports,
/// addresses of tests, and the folder of the sandbox.
fn stable(run: &Run) -> String {
    masked_text(&run.to_string(), &run.folder)
}

fn masked_text(text: &str, folder: &str) -> String {
    let mut out = String::new();
    let mut is_request = false;
    for line in text.replace(folder, "[SANDBOX]").split_inclusive('\n') {
        is_request &= !line.starts_with("-----END");
        if !is_request {
            out.push_str(line);
        }
        if line.starts_with("-----BEGIN") {
            out.push_str("[BASE64]\n");
            is_request = true;
        }
    }
    mask_tokens(&masked(&out))
}

/// Masks ports, ids (8 or 13 hex digits), addresses other than 127.0.0.1, and the process of a signal
/// (`kill -HUP 812`).
fn mask_tokens(text: &str) -> String {
    let mut out = String::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let mut before = ' ';
    let mut last = "";
    for word in text.split_inclusive(|c: char| !is_part(c)) {
        let (token, end) = match word.chars().next_back() {
            Some(c) if !is_part(c) => word.split_at(word.len() - c.len_utf8()),
            _ => (word, ""),
        };
        let is_number = token.bytes().all(|byte| byte.is_ascii_digit());
        let is_port = before == ':' && token.len() == 5 && is_number;
        let is_process = last == "HUP" && !token.is_empty() && is_number;
        let is_address = token.starts_with("127.") && token != "127.0.0.1";
        let parts = token.split('.').map(|part| {
            let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
            match part.len() {
                8 | 13 if is_hex => "[ID]",
                _ => part,
            }
        });
        match (is_port, is_address) {
            (true, _) => out.push_str("[PORT]"),
            _ if is_process => out.push_str("[PROCESS]"),
            (_, true) => out.push_str("[ADDRESS]"),
            _ => out.push_str(&parts.collect::<Vec<_>>().join(".")),
        }
        out.push_str(end);
        before = end.chars().next().unwrap_or(' ');
        last = token;
    }
    out
}
