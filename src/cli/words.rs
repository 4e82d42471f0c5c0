//! Rewrites words that people type by convention into the form that clap parses: `help COMMAND`,
//! `--wait 30m`, and a comma after a name.

use std::ffi::OsString;

use super::globals::command_index;
use crate::system::clock;

/// The arguments as clap parses them. `args` start with the program's name.
pub(super) fn normalize(args: Vec<OsString>) -> Vec<OsString> {
    let Some(index) = command_index(&args) else {
        return args;
    };
    let args = match args[index].to_str() {
        Some("help") => help_option(args, index),
        Some("csr") => without_final_commas(args, index),
        _ => args,
    };
    join_wait(args)
}

/// `help COMMAND` as `COMMAND --help`.
fn help_option(mut args: Vec<OsString>, index: usize) -> Vec<OsString> {
    args.remove(index);
    if args.get(index).is_some_and(|word| word == "help") {
        args.remove(index);
    }
    args.push("--help".into());
    args
}

/// `csr a.example, b.example`: the first name has no comma.
fn without_final_commas(mut args: Vec<OsString>, index: usize) -> Vec<OsString> {
    for word in args.iter_mut().skip(index + 1) {
        let name = word.to_str().and_then(|text| text.strip_suffix(','));
        if let Some(name) = name.filter(|name| name.contains('.') && !name.contains(['=', ' '])) {
            *word = name.into();
        }
    }
    args
}

/// `--wait 30m` as `--wait=30m`. A word that is not a duration stays separate.
fn join_wait(args: Vec<OsString>) -> Vec<OsString> {
    let end = args.iter().position(|word| word == "--");
    let end = end.unwrap_or(args.len());
    let mut joined: Vec<OsString> = Vec::with_capacity(args.len());
    for (index, word) in args.into_iter().enumerate() {
        match joined.last_mut() {
            Some(wait) if index < end && wait == "--wait" && is_duration(&word) => {
                wait.push("=");
                wait.push(word);
            }
            _ => joined.push(word),
        }
    }
    joined
}

fn is_duration(word: &OsString) -> bool {
    word.to_str()
        .is_some_and(|text| clock::parse_duration(text).is_ok())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::normalize;

    fn normalized(line: &str) -> String {
        let args = line.split(' ').map(OsString::from).collect();
        let words = normalize(args).into_iter();
        let words: Vec<String> = words.map(|word| word.into_string().unwrap()).collect();
        words.join(" ")
    }

    #[test]
    fn conventional_words_are_rewritten() {
        for (line, expected) in [
            ("certctl help", "certctl --help"),
            ("certctl help csr", "certctl csr --help"),
            ("certctl -C x help help", "certctl -C x --help"),
            ("certctl -C help csr", "certctl -C help csr"),
            (
                "certctl dcv-check --wait 30m a.b",
                "certctl dcv-check --wait=30m a.b",
            ),
            (
                "certctl dcv-check --wait a.b",
                "certctl dcv-check --wait a.b",
            ),
            (
                "certctl dcv-check --wait=1h 30m",
                "certctl dcv-check --wait=1h 30m",
            ),
            (
                "certctl dcv-check -- --wait 30m",
                "certctl dcv-check -- --wait 30m",
            ),
            ("certctl csr a.b, c.d", "certctl csr a.b c.d"),
            (
                "certctl csr --subject CN=a.b,",
                "certctl csr --subject CN=a.b,",
            ),
            ("certctl csr ,", "certctl csr ,"),
            ("certctl bundle a.zip,", "certctl bundle a.zip,"),
        ] {
            assert_eq!(normalized(line), expected, "{line}");
        }
    }
}
