//! `certctl completions`: prints a completion script like those in `completions/`. The scripts for
//! bash, fish and zsh run `certctl completions names` to offer the names that certctl knows.

mod names;
mod position;
mod script;

use std::ffi::OsString;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use clap_complete::Shell;

use self::position::CursorPosition;
use crate::context::Context;
use crate::report::Sink;
use crate::system::deadline;
use crate::system::signals::InterruptSignal;

/// Print a completion script for a shell
///
/// Examples:
///   certctl completions bash > /etc/bash_completion.d/certctl
///   certctl completions fish > ~/.config/fish/completions/certctl.fish
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct CompletionsArgs {
    /// Shell to print the script for
    shell: CompletionTopic,
    /// Words of an unfinished command line, for `names`; the last one ends at the cursor
    #[arg(last = true, hide = true)]
    words: Vec<OsString>,
}

/// What is printed.
#[derive(Clone, Copy, Debug)]
enum CompletionTopic {
    /// The script for this shell.
    Script(Shell),
    /// The known names that fit at the cursor of an unfinished command line. Only the scripts use
    /// this value.
    Names,
}

impl ValueEnum for CompletionTopic {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Script(Shell::Bash),
            Self::Script(Shell::Elvish),
            Self::Script(Shell::Fish),
            Self::Script(Shell::PowerShell),
            Self::Script(Shell::Zsh),
            Self::Names,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Script(shell) => shell.to_possible_value(),
            Self::Names => Some(PossibleValue::new("names").hide(true)),
        }
    }
}

/// How long the search for names may take: a person waits for the answer, and a network file system
/// may never give one.
const TIME_LIMIT: Duration = Duration::from_secs(1);

/// Prints the completion script or the names, and returns the exit code.
#[must_use]
pub(crate) fn run(context: &Context, args: &CompletionsArgs, command_line: clap::Command) -> u8 {
    let output = match args.shell {
        CompletionTopic::Script(shell) => script::script(shell, command_line),
        CompletionTopic::Names => {
            names_at_cursor(context, &args.words, &command_line).unwrap_or_default()
        }
    };
    context.sink.print_bytes(output.as_bytes())
}

/// Returns what the scripts read: the kind of the argument on the first line, then a name per line.
/// Nothing where no name is expected, or if the time is over.
fn names_at_cursor(
    context: &Context,
    words: &[OsString],
    command_line: &clap::Command,
) -> Option<String> {
    let position = CursorPosition::find(command_line, words)?;
    let context = Context {
        directory: position
            .directory
            .clone()
            .unwrap_or_else(|| context.directory.clone()),
        root: position.root.clone().or_else(|| context.root.clone()),
        at: None,
        sink: Sink::silent(),
        interrupt: InterruptSignal::default(),
    };
    let scope = position.argument.scope;
    let typed = position.typed;
    let names = deadline::finish_within(TIME_LIMIT, move || {
        names::list_known(&context, scope, &typed)
    })?;
    let mut output = format!("{}\n", position.argument.kind());
    for name in names {
        output.push_str(&name);
        output.push('\n');
    }
    Some(output)
}
