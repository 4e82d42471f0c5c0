//! The programs that root runs because a user or a settings file named them: only root may be able
//! to change the program, the script that an interpreter runs, and every folder and link on the way.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::fs::{folders, root_only};
use super::process::{ProcessError, find_program};

/// Shells and interpreters by their names, without a version: the first argument that is a file is
/// the script.
const INTERPRETERS: [&str; 22] = [
    "ash", "awk", "bash", "dash", "fish", "gawk", "ksh", "lua", "mawk", "mksh", "node", "nodejs",
    "perl", "php", "pwsh", "pypy", "python", "ruby", "sh", "source", "tclsh", "zsh",
];
/// Programs that run the program in their arguments.
const WRAPPERS: [&str; 15] = [
    "busybox", "chronic", "chrt", "doas", "env", "flock", "ionice", "nice", "nohup", "runuser",
    "setpriv", "setsid", "stdbuf", "sudo", "timeout",
];
/// Options after which the program is the next argument itself, or the name of a module.
const INLINE: [&str; 4] = ["-c", "-e", "-m", "-r"];
/// The longest first line of a script that the kernel reads (execve(2)).
const FIRST_LINE_LIMIT: u64 = 256;
/// How many programs may run each other, as `env bash script`.
const DEPTH_LIMIT: usize = 5;

/// Refuses a command that root would run although other users can change what it runs. A command of
/// another user, who could run it anyway, is not checked.
///
/// # Errors
/// [`ProcessError::Exposed`], or [`ProcessError::Start`] for a path that cannot be followed.
pub(crate) fn check_command(argv: &[String]) -> Result<(), ProcessError> {
    if folders::current_user() != 0 {
        return Ok(());
    }
    check_at_depth(argv, 0)
}

fn check_at_depth(argv: &[String], depth: usize) -> Result<(), ProcessError> {
    let Some((name, arguments)) = argv.split_first() else {
        return Ok(());
    };
    let Some(program) = find_program(name) else {
        return Ok(());
    };
    check_program(&program, depth)?;
    if depth < DEPTH_LIMIT {
        check_arguments(&program, arguments, depth)?;
    }
    Ok(())
}

/// Checks a program; if it is a script, also what its first line names.
fn check_program(program: &Path, depth: usize) -> Result<(), ProcessError> {
    check_file(program)?;
    let start = read_start(program).unwrap_or_default();
    match parse_first_line(&start) {
        Some(words) if depth < DEPTH_LIMIT => check_at_depth(&words, depth + 1),
        _ => Ok(()),
    }
}

/// Returns the words of the first line of a script: its interpreter, and an argument for it.
#[must_use]
pub(crate) fn interpreter_of(script: &Path) -> Option<Vec<String>> {
    parse_first_line(&read_start(script).ok()?)
}

fn read_start(program: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(program)?
        .take(FIRST_LINE_LIMIT)
        .read_to_end(&mut start)?;
    Ok(start)
}

/// Checks the script or the program in the arguments of an interpreter or a wrapper.
fn check_arguments(program: &Path, arguments: &[String], depth: usize) -> Result<(), ProcessError> {
    let name = name_without_version(program);
    if INTERPRETERS.contains(&name.as_str()) {
        return match script_of(arguments) {
            Some(script) => check_file(Path::new(script)),
            None => Ok(()),
        };
    }
    if WRAPPERS.contains(&name.as_str()) {
        let is_program = |word: &String| !word.starts_with('-') && find_program(word).is_some();
        if let Some(index) = arguments.iter().position(is_program) {
            return check_at_depth(&arguments[index..], depth + 1);
        }
    }
    Ok(())
}

fn check_file(path: &Path) -> Result<(), ProcessError> {
    let failed = |error: io::Error| ProcessError::Start {
        program: path.display().to_string(),
        source: error,
    };
    let absolute = std::path::absolute(path).map_err(failed)?;
    let exposed = root_only::exposed_entries(&absolute).map_err(|error| failed(error.source))?;
    if exposed.is_empty() {
        return Ok(());
    }
    Err(ProcessError::Exposed {
        program: absolute,
        exposed,
    })
}

/// The name of a program without the version at its end: `python` for `/usr/bin/python3.11`.
fn name_without_version(program: &Path) -> String {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    name.to_owned()
}

/// The first argument that is a file, unless the program is given in an argument.
fn script_of(arguments: &[String]) -> Option<&String> {
    for word in arguments {
        if INLINE.contains(&word.as_str()) {
            return None;
        }
        if !word.starts_with('-') && folders::is_file(Path::new(word)) {
            return Some(word);
        }
    }
    None
}

/// The words of the line `#!INTERPRETER [ARGUMENT]`; the kernel passes the argument as one word, and
/// `env -S` splits it.
fn parse_first_line(start: &[u8]) -> Option<Vec<String>> {
    let line = start
        .strip_prefix(b"#!")?
        .split(|&byte| byte == b'\n')
        .next()?;
    let line = String::from_utf8_lossy(line);
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::{name_without_version, parse_first_line};

    #[test]
    fn names_have_no_version() {
        for (program, name) in [
            ("/usr/bin/python3.11", "python"),
            ("/bin/sh", "sh"),
            ("/usr/bin/perl5", "perl"),
            ("/opt/deploy", "deploy"),
        ] {
            assert_eq!(name_without_version(program.as_ref()), name);
        }
    }

    #[test]
    fn first_lines_name_the_interpreter() {
        let words = |text: &str| parse_first_line(text.as_bytes()).unwrap_or_default();
        assert_eq!(words("#!/bin/sh\necho"), ["/bin/sh"]);
        assert_eq!(
            words("#! /usr/bin/env python3 -u\n"),
            ["/usr/bin/env", "python3", "-u"]
        );
        assert!(words("\u{7f}ELF").is_empty());
        assert!(words("#!\n").is_empty());
    }
}
