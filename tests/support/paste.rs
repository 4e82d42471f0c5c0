//! Pastes the next steps of JSON documents into a shell: every step that can be taken now has a
//! complete command, which a shell parses and certctl accepts.
//!
//! Commands run in a mount namespace of their own, in a copy of the sandbox at the sandbox's path;
//! /etc/ssl is a copy too, /root is empty, and no process of this machine is visible.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use super::OWN_PROCESSES;
use super::json::Json;
use super::program::program;

/// Programs of base systems that next steps name, besides those of `programs.txt`.
const STANDARD_PROGRAMS: &str = "a2enmod a2ensite acme.sh apache2ctl apachectl apt-get cat \
    certbot certreq chgrp chmod chown command cp cut date delv df dig dmesg do done file find \
    findmnt for fuser getent grep head install kill ln ls lsattr mkdir mv nc nft pip python readlink rm sed \
    service ss stat supervisorctl systemctl tail tee test true ulimit umask whois";
/// Programs that only read; nginx does with `-t`.
const READ_ONLY: &str = "cat command cut date df file find findmnt getfacl grep head id ls lsattr \
    nginx openssl readlink ss stat tail unzip";
/// Programs that change files, which are run for files of the sandbox.
const CHANGING: &str = "certctl chgrp chmod chown cp ln mkdir mv rm setfacl";
/// Words that stand for a value.
const PLACEHOLDERS: &str = "FILE FILES NAME NAMES CMD COMMAND HOST PORT PATH DIR DOMAIN YOUR USER \
    GROUP KEY CSR PASSWORD ADDRESS VALUE RECORD";

/// A next step of a document, and the code of the finding or failure that it belongs to.
struct PastedStep<'a> {
    owner: &'a str,
    step: &'a Json,
}

/// The shapes of commands that this process has run.
static PASTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Checks the next steps of the documents on `stdout`.
///
/// # Panics
/// If one has no sentence or no complete command.
#[track_caller]
pub fn check_steps(stdout: &str) {
    for document in documents(stdout) {
        for pasted in steps(&document) {
            if let Err(fault) = pasted.check() {
                pasted.fail(&fault);
            }
        }
    }
}

/// Runs the commands of the next steps on `stdout`, which `command` printed in `sandbox`, unless a
/// command of the same shape was run before.
///
/// # Panics
/// If a command of certctl ends with a usage error, with "not found" or with a panic, or if another
/// program does not know its options.
#[track_caller]
pub fn run_steps(stdout: &str, command: &Command, sandbox: &Path) {
    if !runs_certctl(command) {
        return;
    }
    for document in documents(stdout) {
        for pasted in steps(current_part(&document)) {
            let Some(line) = pasted.command_to_run() else {
                continue;
            };
            if let Err(fault) = run_line(line, command, sandbox) {
                pasted.fail(&fault);
            }
        }
    }
}

/// Returns whether the command is certctl, directly or in a process namespace.
fn runs_certctl(command: &Command) -> bool {
    let arguments: Vec<&OsStr> = command.get_args().collect();
    let program = OsStr::new(program());
    command.get_program() == program
        || arguments.get(..OWN_PROCESSES.len()) == Some(&OWN_PROCESSES.map(OsStr::new)[..])
            && arguments.get(OWN_PROCESSES.len()) == Some(&program)
}

/// Returns the documents on `stdout`: one, or one on each line; none if it is text.
fn documents(stdout: &str) -> Vec<Json> {
    if !stdout.starts_with('{') {
        return Vec::new();
    }
    match stdout.parse() {
        Ok(document) => vec![document],
        Err(_) => {
            let lines = stdout.lines();
            lines.filter_map(|line| line.parse().ok()).collect()
        }
    }
}

/// The part of a document whose steps can be taken after the run: a rehearsal also lists the steps
/// of the commands that it ran, which later commands of the same run made obsolete.
fn current_part(document: &Json) -> &Json {
    let is_rehearsal = document
        .get("schema")
        .is_some_and(|schema| *schema == "certctl.rehearse/1");
    if is_rehearsal {
        &document["next"]
    } else {
        document
    }
}

/// Returns every next step below `document`.
fn steps(document: &Json) -> Vec<PastedStep<'_>> {
    let mut found = Vec::new();
    collect(document, "", &mut found);
    found
}

fn collect<'a>(value: &'a Json, owner: &'a str, found: &mut Vec<PastedStep<'a>>) {
    match value {
        Json::Array(elements) => {
            for element in elements {
                collect(element, owner, found);
            }
        }
        Json::Object(fields) => {
            if value.get("text").is_some() && value.get("when").is_some() {
                found.push(PastedStep { owner, step: value });
                return;
            }
            let own = ["code", "kind", "command"]
                .iter()
                .find_map(|&name| value.get(name).and_then(Json::as_str));
            for (_, inner) in fields {
                collect(inner, own.unwrap_or(owner), found);
            }
        }
        _ => {}
    }
}

impl PastedStep<'_> {
    #[track_caller]
    fn fail(&self, fault: &str) -> ! {
        panic!("{fault}\nstep of {}: {:#}", self.owner, self.step)
    }

    fn text(&self) -> &str {
        self.step["text"].as_str().unwrap_or_default()
    }

    /// Returns the command of a step that can be taken now.
    fn command(&self) -> Option<&str> {
        let command = self.step.get("command").and_then(Json::as_str);
        command.filter(|_| self.step["when"] == "now")
    }

    /// What does not need a process: the sentence, and the words of the command.
    fn check(&self) -> Result<(), String> {
        check_sentence(self.text())?;
        let command = self.step.get("command").and_then(Json::as_str);
        let repeated = command.is_some_and(|command| self.text().contains(command));
        let names_program = ["`certctl ", "`sudo "].map(|start| self.text().contains(start));
        if repeated || (command.is_some() && names_program.contains(&true)) {
            return Err("a sentence with a command in it".to_owned());
        }
        let Some(command) = self.command() else {
            return match self.step["when"] == "now" {
                true => Err("a step for now without a command".to_owned()),
                false => Ok(()),
            };
        };
        check_words(command)?;
        if let Some(argv) = self.step.get("argv") {
            let argv: Vec<&str> = argv.iter().filter_map(Json::as_str).collect();
            let words = split_words(command.strip_prefix("sudo ").unwrap_or(command));
            if words != argv {
                return Err(format!("argv differs from the command: {words:?}"));
            }
        }
        Ok(())
    }

    /// Returns the command if it is to be run: one that only reads or is of certctl, and of a shape
    /// that this process has not run yet.
    fn command_to_run(&self) -> Option<&str> {
        // A JSON string cannot hold a file name that is not UTF-8.
        let command = self
            .command()
            .filter(|command| !command.contains('\u{fffd}'))?;
        let is_option = |word: &&String| word.starts_with('-');
        let words = split_words(command);
        let mut shape = format!("{} {}", self.owner, programs(command).join(" "));
        if let Some(at) = words.iter().position(|word| word == "certctl") {
            shape.extend(words.get(at + 1).map(|verb| format!(" {verb}")));
        }
        for option in words.iter().filter(is_option) {
            shape.push(' ');
            shape.push_str(option);
        }
        let is_new = PASTED.lock().unwrap().insert(shape);
        is_new.then_some(command)
    }
}

fn check_sentence(text: &str) -> Result<(), String> {
    let starts_well = text.starts_with(|c: char| c.is_uppercase());
    let ends_well = text.ends_with(|c: char| c.is_alphanumeric() || "`'\")*".contains(c));
    if starts_well && ends_well {
        Ok(())
    } else {
        Err(format!("not a sentence without its end: {text:?}"))
    }
}

/// Every program is known, and no word stands for a value.
fn check_words(command: &str) -> Result<(), String> {
    for sign in ["...", "\u{2026}", "<>", "[options]"] {
        if command.contains(sign) {
            return Err(format!("{sign} in a command"));
        }
    }
    let is_placeholder = |word: &&str| {
        let inner = word.trim_matches(|c| "<>[]{}'\"".contains(c));
        let mut parts = inner.split(|c: char| !c.is_ascii_alphanumeric());
        parts.any(|part| has_word(PLACEHOLDERS, part))
            || (word.starts_with('<') && word.ends_with('>'))
    };
    if let Some(word) = command.split(' ').find(is_placeholder) {
        return Err(format!("{word} in a command stands for a value"));
    }
    let unknown = programs(command).into_iter().find(|program| {
        let name = program.rsplit('/').next().unwrap_or(program);
        name != "certctl" && !has_word(STANDARD_PROGRAMS, name) && !is_listed(name)
    });
    match unknown {
        Some(program) => Err(format!(
            "{program} is neither in programs.txt nor a standard program"
        )),
        None => Ok(()),
    }
}

fn has_word(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|listed| listed == word)
}

/// Returns whether the name is in `programs.txt`, or belongs to one of its packages.
fn is_listed(name: &str) -> bool {
    include_str!("programs.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .any(|line| line.split_whitespace().any(|word| word == name))
}

/// Returns the programs that a command line starts: the first word of each part of it, after sudo.
fn programs(command: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_first = true;
    for word in split_words(command) {
        if ["&&", "||", "|", ";", "do"].contains(&word.as_str()) {
            is_first = true;
        } else if is_first && word != "sudo" {
            let program = word.trim_start_matches('(').trim_end_matches(';');
            found.push(program.to_owned());
            is_first = false;
        }
        if word.ends_with(';') {
            is_first = true;
        }
    }
    found
}

/// Splits a command line as a shell does, without expansions.
fn split_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(rest.next()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Whether all `programs` of the line only read, or change only files of the sandbox.
fn can_be_run(line: &str, programs: &[String], sandbox: &Path) -> bool {
    let words = split_words(line);
    let is_inside = |word: &String| {
        !word.starts_with('/')
            || word.starts_with("/etc/ssl")
            || Path::new(word).starts_with(sandbox)
    };
    programs.iter().all(|program| {
        let name = program.rsplit('/').next().unwrap_or(program);
        match name {
            "certctl" => true,
            "nginx" => words.iter().any(|word| word == "-t"),
            _ if has_word(READ_ONLY, name) => true,
            _ => has_word(CHANGING, name) && words.iter().skip(1).all(is_inside),
        }
    })
}

/// Sets up the namespace; `$M` is where the copies are made.
const NAMESPACE: &str = r#"set -e
M=/mnt
mount -t tmpfs tmpfs $M
mkdir $M/bin $M/sandbox
touch $M/bin/certctl
mount --bind "$CERTCTL" $M/bin/certctl
printf '#!/bin/sh\nexec "$@"\n' > $M/bin/sudo
chmod +x $M/bin/sudo
cp -a /etc/ssl $M/ssl 2> $M/log || :
cp -a "$SANDBOX/." $M/sandbox 2> $M/log || :
mount --bind $M/ssl /etc/ssl
mount --bind $M/sandbox "$SANDBOX"
mount -t tmpfs -o mode=700 tmpfs /root
cd "$FOLDER"
PATH=$M/bin:$PATH
export PATH
exec timeout -k 5 "$SECONDS_LEFT" bash -c "$LINE"
"#;

/// Parses `line` with bash and, if it only reads or is of certctl, runs it where `command` ran.
fn run_line(line: &str, command: &Command, sandbox: &Path) -> Result<(), String> {
    let parsed = Command::new("bash").args(["-n", "-c", line]).output();
    let parsed = parsed.map_err(|error| error.to_string())?;
    if !parsed.status.success() {
        return Err(String::from_utf8_lossy(&parsed.stderr).into_owned());
    }
    let programs = programs(line);
    if !can_be_run(line, &programs, sandbox) {
        return Ok(());
    }
    let is_root = super::namespace::is_root();
    // What still waits for something outside by then has accepted its words. A test may have
    // stopped the servers that the command probes, so it must not wait for long.
    let is_waiting =
        programs.iter().any(|program| program == "certctl") || line.contains("s_client");
    let is_patient = line.contains("--wait");
    let mut unshare = Command::new("unshare");
    unshare
        .arg(if is_root { "-m" } else { "-rm" })
        .args(["--pid", "--fork", "--mount-proc", "sh", "-c", NAMESPACE])
        .env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            unshare.env(name, value);
        }
    }
    let folder = command.get_current_dir().unwrap_or(sandbox);
    let output = unshare
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("CERTCTL", program())
        .env("SANDBOX", sandbox)
        .env("FOLDER", folder)
        .env("LINE", line)
        .env("SECONDS_LEFT", if is_patient { "3" } else { "8" })
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    judge(&output, &programs, is_waiting)
}

/// Judges the result of a command line.
fn judge(output: &Output, programs: &[String], is_waiting: bool) -> Result<(), String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().unwrap_or(-1);
    let is_certctl = programs.iter().any(|program| program == "certctl");
    let stdout = String::from_utf8_lossy(&output.stdout);
    // In the namespace no server runs, and several may be installed: certctl then asks which one is
    // meant, with a command line for each.
    let asks_back = [&stdout, &stderr]
        .iter()
        .any(|text| text.contains("certctl does not know which one serves the site"));
    let fault = match code {
        3 if is_certctl && asks_back => false,
        2 | 3 if is_certctl => true,
        124 => !is_waiting,
        -1 | 101 | 126 | 127 | 134 | 137 => true,
        _ => false,
    };
    let complaints = ["panicked", "invalid option", "unrecognized option"];
    if fault || complaints.iter().any(|words| stderr.contains(words)) {
        return Err(format!("exit {code} of the command\n{stdout}{stderr}"));
    }
    Ok(())
}
