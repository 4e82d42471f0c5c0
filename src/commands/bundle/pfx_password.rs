//! The password of a new `.pfx`: from a file, typed twice, or empty.

use std::path::Path;

use zeroize::Zeroizing;

use super::outputs::OutputArgs;
use crate::advice::bundle_command;
use crate::context::Context;
use crate::export::{ExportError, ExportFormat};
use crate::failure::{Failure, FailureKind};
use crate::system::fs::stdin;
use crate::system::terminal::{self, AskError};

/// Reads the password for the `.pfx`, if one is requested: the first line of the password file,
/// else typed twice on a terminal.
pub(super) fn read(
    context: &Context,
    args: &OutputArgs,
) -> Result<Option<Zeroizing<String>>, Failure> {
    if !args.formats_to_write().contains(&ExportFormat::Pfx) {
        return Ok(None);
    }
    if args.pfx_empty_password {
        return Ok(Some(Zeroizing::default()));
    }
    let password = match &args.pfx_password_file {
        Some(path) => read_first_line(path)?,
        None => prompt_twice(context)?,
    };
    if password.is_empty() {
        let message = "the password for the new .pfx file is empty";
        return Err(Failure::new(FailureKind::Malformed, message)
            .because("Windows and Java ask for a password when they import the file")
            .with_step(bundle_command::confirm_empty_password()));
    }
    Ok(Some(password))
}

fn read_first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    const LIMIT: u64 = 4096;
    let bytes = Zeroizing::new(stdin::read_named(path, LIMIT)?);
    let line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    match std::str::from_utf8(line) {
        Ok(line) => Ok(Zeroizing::new(line.trim_end_matches('\r').to_owned())),
        Err(_) => {
            let message = format!("the first line of {} is not UTF-8", path.display());
            Err(Failure::new(FailureKind::Malformed, message)
                .because("it is the password for the new .pfx file (`--pfx-password-file`)")
                .with_step(bundle_command::rewrite_password_file()))
        }
    }
}

fn prompt_twice(context: &Context) -> Result<Zeroizing<String>, Failure> {
    context
        .interrupt
        .listen()
        .map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    let password = prompt(context, "password for the new .pfx file (not shown): ")?;
    let repeated = prompt(context, "repeat the password: ")?;
    if repeated != password {
        let message = "the two passwords differ; no file was written";
        let failure = Failure::new(FailureKind::Malformed, message);
        return Err(failure.with_step(bundle_command::retype_password()));
    }
    Ok(password)
}

fn prompt(context: &Context, text: &str) -> Result<Zeroizing<String>, Failure> {
    match terminal::ask_password(text, &context.interrupt) {
        Err(AskError::NoTerminal) => Err(ExportError::NoPassword(ExportFormat::Pfx).into()),
        typed => Ok(typed?),
    }
}
