//! The manual pages in docs/man, from the command line, the code table and the table of files.

use std::collections::BTreeMap;

use certctl::facade::code_table::{CodeKind, entries};
use certctl::facade::reference::file_rows;
use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

/// Environment variables besides those of the global options, and what they do.
const VARIABLES: [(&str, &str); 6] = [
    (
        "NO_COLOR",
        "If it is set and not empty, output has no colour.",
    ),
    (
        "COLUMNS",
        "The width of output that does not go to a terminal; 80 without it.",
    ),
    (
        "PATH",
        "Where the programs of web servers are found, before the usual folders.",
    ),
    (
        "HOME",
        "Where the folders of acme.sh and of other users' tools are looked for.",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "The roots of this machine for --trust system, as in OpenSSL.",
    ),
    (
        "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY",
        "The proxy for --aia=any. Nothing else uses a proxy.",
    ),
];

/// The examples of certctl(1): a certificate from the request to the installation.
const EXAMPLES: [&str; 5] = [
    "certctl csr example.com www.example.com --ca namecheap",
    "certctl dcv-check --wait --record -",
    "sudo certctl install example_com.zip",
    "certctl status",
    "certctl renew",
];

/// Returns every page as file name and text.
pub(crate) fn pages(mut program: Command) -> BTreeMap<String, String> {
    program.build();
    let commands: Vec<Command> = program
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
        .cloned()
        .collect();
    let mut pages: BTreeMap<String, String> = commands
        .iter()
        .map(|command| {
            (
                format!("certctl-{}.1", command.get_name()),
                of_command(command),
            )
        })
        .collect();
    pages.insert("certctl.1".to_owned(), of_program(&program, &commands));
    pages
}

fn of_program(program: &Command, commands: &[Command]) -> String {
    let mut page = head("certctl", program, &EXAMPLES.map(str::to_owned));
    section(&mut page, "COMMANDS");
    for command in commands {
        page.control("TP", []);
        page.text([bold(format!("certctl {}", command.get_name()))]);
        page.text([roman(format!("{}.", Help::of(command).summary()))]);
    }
    let global: Vec<&Arg> = program.get_arguments().collect();
    let options = options(program, |arg| {
        global.iter().any(|one| one.get_id() == arg.get_id())
    });
    let mut end = Roff::new();
    exit_status(&mut end);
    files(&mut end, None);
    environment(&mut end, program);
    see_also(
        &mut end,
        commands
            .iter()
            .map(|command| format!("certctl-{}", command.get_name())),
    );
    join("certctl", &[page.to_roff(), options, end.to_roff()])
}

fn of_command(command: &Command) -> String {
    let name = format!("certctl-{}", command.get_name());
    let page = head(&name, command, &Help::of(command).examples);
    let options = options(command, |arg| {
        !arg.is_global_set() && arg.get_id() != "help"
    });
    let mut end = Roff::new();
    end.control("PP", []);
    end.text([
        roman("The options of every command are in "),
        bold("certctl"),
        roman("(1)."),
    ]);
    exit_status(&mut end);
    files(&mut end, Some(command.get_name()));
    section(&mut end, "ENVIRONMENT");
    end.text([
        roman("Each global option also exists as an environment variable: see "),
        bold("certctl"),
        roman("(1)."),
    ]);
    see_also(&mut end, ["certctl".to_owned()].into_iter());
    join(&name, &[page.to_roff(), options, end.to_roff()])
}

/// Returns NAME, EXAMPLES, SYNOPSIS and DESCRIPTION.
fn head(name: &str, command: &Command, examples: &[String]) -> Roff {
    let help = Help::of(command);
    let mut page = Roff::new();
    section(&mut page, "NAME");
    page.text([roman(format!("{name} - {}", help.summary()))]);
    section(&mut page, "EXAMPLES");
    page.control("nf", []);
    for example in examples {
        page.text([roman(example.as_str())]);
    }
    page.control("fi", []);
    section(&mut page, "SYNOPSIS");
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    page.text([bold(usage)]);
    section(&mut page, "DESCRIPTION");
    for paragraph in help.about.split("\n\n") {
        page.control("PP", []);
        page.text([roman(sentence(paragraph))]);
    }
    page
}

/// The parts of a command's doc comment.
struct Help {
    about: String,
    examples: Vec<String>,
}

impl Help {
    fn of(command: &Command) -> Self {
        let long = command.get_long_about();
        let about = long.or_else(|| command.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        let mut about_paragraphs = Vec::new();
        let mut examples = Vec::new();
        for paragraph in about.split("\n\n") {
            match paragraph.trim().strip_prefix("Examples:") {
                Some(lines) => {
                    examples = lines
                        .trim()
                        .lines()
                        .map(|line| line.trim().to_owned())
                        .collect();
                }
                None => about_paragraphs.push(paragraph.trim()),
            }
        }
        Self {
            about: about_paragraphs.join("\n\n"),
            examples,
        }
    }

    /// Returns the first line without a full stop.
    fn summary(&self) -> &str {
        self.about
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end_matches('.')
    }
}

/// Joins wrapped lines, and ends with a full stop.
fn sentence(paragraph: &str) -> String {
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    format!("{}.", words.join(" ").trim_end_matches('.'))
}

/// Returns the section OPTIONS with the arguments that `is_wanted` selects; empty without any.
fn options(command: &Command, is_wanted: impl Fn(&Arg) -> bool) -> String {
    let command = command.clone().mut_args(|arg| {
        let is_hidden = arg.is_hide_set() || !is_wanted(&arg);
        // One list: the headings are for the help on a terminal.
        arg.hide(is_hidden).help_heading(None::<&str>)
    });
    if command.get_arguments().all(Arg::is_hide_set) {
        return String::new();
    }
    let mut text = Vec::new();
    Man::new(command).render_options_section(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    // Every section begins with the same definition, which a page needs once.
    let start = text.find(".SH OPTIONS").unwrap();
    text[start..].to_owned()
}

fn exit_status(page: &mut Roff) {
    section(page, "EXIT STATUS");
    for entry in entries().filter(|entry| entry.kind == CodeKind::ExitCode) {
        page.control("TP", []);
        page.text([bold(entry.code)]);
        page.text([roman(entry.meaning)]);
    }
}

/// Adds the files that `command` writes; those of every command for `None`.
fn files(page: &mut Roff, command: Option<&str>) {
    let rows: Vec<_> = file_rows()
        .into_iter()
        .filter(|row| command.is_none_or(|command| row.commands.contains(&command)))
        .collect();
    if rows.is_empty() {
        return;
    }
    section(page, "FILES");
    for row in rows {
        page.control("TP", []);
        page.text([italic(row.path)]);
        let mode = if row.mode.is_empty() {
            String::new()
        } else {
            format!(" (mode {})", row.mode)
        };
        page.text([roman(format!("{}{mode}", row.meaning.replace('`', "")))]);
    }
}

fn environment(page: &mut Roff, program: &Command) {
    section(page, "ENVIRONMENT");
    let options = program
        .get_arguments()
        .filter_map(Arg::get_long)
        .filter(|long| !["help", "version"].contains(long));
    for long in options {
        page.control("TP", []);
        page.text([bold(format!("CERTCTL_{}", long.to_uppercase()))]);
        page.text([roman("The same as "), bold(format!("--{long}")), roman(".")]);
    }
    for (name, meaning) in VARIABLES {
        page.control("TP", []);
        page.text([bold(name)]);
        page.text([roman(meaning)]);
    }
}

fn see_also(page: &mut Roff, names: impl Iterator<Item = String>) {
    section(page, "SEE ALSO");
    let mut text = Vec::new();
    for name in names {
        if !text.is_empty() {
            text.push(roman(", "));
        }
        text.push(bold(name));
        text.push(roman("(1)"));
    }
    page.text(text);
}

fn section(page: &mut Roff, title: &str) {
    page.control("SH", [title]);
}

/// Returns a page with its title line. Apostrophes stay what they are: commands contain them.
fn join(name: &str, parts: &[String]) -> String {
    let title = name.to_uppercase();
    let version = concat!("certctl ", env!("CARGO_PKG_VERSION"));
    let comment = ".\\\" Written by scripts/completions from the command line of certctl.\n";
    let head = format!("{comment}.TH {title} 1 \"\" \"{version}\" \"certctl manual\"\n");
    // A line that only switches the font back has no effect.
    let body = parts.concat().replace('\'', "\\(aq");
    head + &body.replace("\\*(Aq", "\\(aq")
}
