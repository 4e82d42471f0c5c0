//! `certctl completions`: a script for a shell, as `completions/` holds them.

use clap_complete::Shell;

use crate::cli;
use crate::context::Context;

/// A completion script for a shell
///
/// Examples:
///   certctl completions bash > /etc/bash_completion.d/certctl
///   certctl completions fish > ~/.config/fish/completions/certctl.fish
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub fn run(context: &Context, args: &CompletionsArgs) -> u8 {
    match context.sink.raw(&script(args.shell)) {
        Ok(()) => 0,
        Err(_) => 4,
    }
}

/// The script for `shell`.
#[must_use]
pub fn script(shell: Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut cli::command_line(), "certctl", &mut out);
    out
}
