//! The completion scripts: those of `clap_complete`, which know commands and options, with a function
//! for bash, fish and zsh that adds the names certctl knows.

use clap::Command;
use clap_complete::Shell;

const BASH_NAMES: &str = include_str!("scripts/names.bash");
const FISH_NAMES: &str = include_str!("scripts/names.fish");
const ZSH_NAMES: &str = include_str!("scripts/names.zsh");

/// Returns the completion script for `shell`.
pub(super) fn script(shell: Shell, command_line: Command) -> String {
    let mut bytes = Vec::new();
    let mut shown = without_hidden_options(command_line);
    clap_complete::generate(shell, &mut shown, "certctl", &mut bytes);
    let script = String::from_utf8_lossy(&bytes).into_owned();
    match shell {
        Shell::Bash => for_bash(&script),
        Shell::Fish => format!("{script}\n{FISH_NAMES}"),
        Shell::Zsh => for_zsh(&script),
        _ => script,
    }
}

/// Removes the hidden arguments of `completions`, which `clap_complete` would offer.
fn without_hidden_options(command_line: Command) -> Command {
    command_line.mut_subcommand("completions", |command| {
        let args = command.get_arguments().filter(|arg| !arg.is_hide_set());
        Command::new("completions")
            .about(command.get_about().cloned().unwrap_or_default())
            .args(args.cloned())
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
