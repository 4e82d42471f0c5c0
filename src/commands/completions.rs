//! `certctl completions`: prints a completion script like those in `completions/`.

use clap_complete::Shell;

use crate::context::Context;

/// Print a completion script for a shell
///
/// Examples:
///   certctl completions bash > /etc/bash_completion.d/certctl
///   certctl completions fish > ~/.config/fish/completions/certctl.fish
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct CompletionsArgs {
    /// Shell to print the script for
    shell: Shell,
}

/// Prints the completion script and returns the exit code.
#[must_use]
pub(crate) fn run(
    context: &Context,
    args: &CompletionsArgs,
    mut command_line: clap::Command,
) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command_line, "certctl", &mut script);
    context.sink.print_bytes(&script)
}
