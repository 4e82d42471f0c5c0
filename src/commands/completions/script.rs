//! The completion scripts: those of `clap_complete`, which know commands and options, with a function
//! for bash, fish and zsh that adds the names certctl knows.

use clap::Command;
use clap_complete::Shell;

use super::position;

const BASH_NAMES: &str = include_str!("scripts/names.bash");
const FISH_NAMES: &str = include_str!("scripts/names.fish");
const ZSH_NAMES: &str = include_str!("scripts/names.zsh");

/// Returns the completion script for `shell`.
pub(super) fn script(shell: Shell, command_line: Command) -> String {
    let mut bytes = Vec::new();
    let mut shown = with_value_hints(without_hidden_words(command_line));
    clap_complete::generate(shell, &mut shown, "certctl", &mut bytes);
    let script = String::from_utf8_lossy(&bytes).into_owned();
    match shell {
        Shell::Bash => for_bash(&script),
        Shell::Fish => format!("{script}\n{FISH_NAMES}"),
        Shell::Zsh => for_zsh(&script),
        _ => script,
    }
}

/// Removes what only the scripts use from `completions`, because `clap_complete` would offer it.
fn without_hidden_words(command_line: Command) -> Command {
    command_line.mut_subcommand("completions", |command| {
        let args = command.get_arguments().filter(|arg| !arg.is_hide_set());
        let shells = args.map(|arg| arg.clone().value_parser(clap::value_parser!(Shell)));
        Command::new("completions")
            .about(command.get_about().cloned().unwrap_or_default())
            .args(shells)
    })
}

/// Adds whether each argument for names takes files too; zsh offers other words otherwise.
fn with_value_hints(command_line: Command) -> Command {
    command_line.mut_subcommands(|command| {
        let Some(hint) = position::value_hint(command.get_name()) else {
            return command;
        };
        command.mut_args(|arg| {
            if arg.is_positional() {
                arg.value_hint(hint)
            } else {
                arg
            }
        })
    })
}

/// Registers a function that calls the generated one first.
fn for_bash(script: &str) -> String {
    let script = script.replace(
        "complete -F _certctl -o",
        "complete -F _certctl_with_names -o",
    );
    insert_before(&script, "\nif [[ \"${BASH_VERSINFO[0]}\" -eq 4", BASH_NAMES)
}

/// Calls the function at the start of the generated one.
fn for_zsh(script: &str) -> String {
    const START: &str = "    local ret=1\n";
    let script = script.replacen(START, &format!("{START}    _certctl_names && ret=0\n"), 1);
    insert_before(
        &script,
        "\nif [ \"$funcstack[1]\" = \"_certctl\" ]",
        ZSH_NAMES,
    )
}

/// Inserts a function before the last lines of a script.
fn insert_before(script: &str, end: &str, function: &str) -> String {
    match script.rfind(end) {
        Some(index) => format!("{}\n{function}{}", &script[..index], &script[index..]),
        None => script.to_owned(),
    }
}
