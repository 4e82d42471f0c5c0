//! The arguments that choose which files `bundle` writes, where, and how they are locked.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use crate::advice::bundle_command;
use crate::context::Context;
use crate::export::{ExportFormat, ExportTarget, Pkcs12Strength};
use crate::failure::{Failure, FailureKind};
use crate::finding::{NextStep, shell_word};

/// What is given out.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct OutputArgs {
    /// Where the one format goes; - is stdout [default: NAME.fullchain.pem and the like, in the
    /// directory]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// A format to write (may be repeated) [default: pem]
    #[arg(long = "format", value_name = "FORMAT", value_delimiter = ',')]
    pub formats: Vec<ExportFormat>,
    /// A server: its formats are written, and the lines of its configuration shown (may be
    /// repeated)
    #[arg(long = "for", value_name = "TARGET", value_delimiter = ',')]
    pub targets: Vec<ExportTarget>,
    /// A .pfx that old Windows and Java read: triple DES and SHA-1
    #[arg(long)]
    pub legacy: bool,
    /// The password of the .pfx is the first line of this file [default: asked for]
    #[arg(long, value_name = "FILE")]
    pub pfx_password_file: Option<PathBuf>,
    /// A .pfx with the empty password
    #[arg(long, conflicts_with = "pfx_password_file")]
    pub pfx_empty_password: bool,
}

/// A file that `bundle` wrote or found unchanged.
#[derive(Debug)]
pub(crate) struct OutputFile {
    pub format: ExportFormat,
    pub path: PathBuf,
    /// False if the same content existed already.
    pub changed: bool,
}

/// How the outcome is reported on stdout.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ReportFormat {
    Json,
    Text,
}

impl ReportFormat {
    pub(super) fn of(context: &Context) -> Self {
        if context.sink.wants_json() {
            Self::Json
        } else {
            Self::Text
        }
    }
}

impl OutputArgs {
    /// Each requested format once, in the order of the command line.
    pub(super) fn formats_to_write(&self) -> Vec<ExportFormat> {
        let requested = self
            .formats
            .iter()
            .chain(self.targets.iter().flat_map(|target| target.formats()));
        let mut formats: Vec<ExportFormat> = Vec::new();
        for format in requested {
            if !formats.contains(format) {
                formats.push(*format);
            }
        }
        if formats.is_empty() {
            formats.push(ExportFormat::Pem);
        }
        formats
    }

    /// True if one of the formats holds the private key.
    pub(super) fn holds_key(&self) -> bool {
        self.formats_to_write()
            .iter()
            .any(|format| format.includes_key())
    }

    /// True if the one format goes to stdout.
    pub(super) fn uses_stdout(&self) -> bool {
        self.out.as_deref() == Some(Path::new("-"))
    }

    /// The strongest protection that every server can open.
    pub(super) fn strength(&self) -> Pkcs12Strength {
        let needs_legacy = self
            .targets
            .iter()
            .any(|target| target.strength() == Pkcs12Strength::Legacy);
        if self.legacy || needs_legacy {
            Pkcs12Strength::Legacy
        } else {
            Pkcs12Strength::Modern
        }
    }

    /// Rejects arguments that contradict each other.
    pub(super) fn check(&self, report: ReportFormat) -> Result<(), Failure> {
        let formats = self.formats_to_write();
        match formats.as_slice() {
            [format] if self.uses_stdout() && format.includes_key() => {
                let format = format.name();
                let message = format!("{format} holds the private key, which goes only into files");
                Err(usage(message, bundle_command::name_output_file()))
            }
            [_, _, ..] if self.out.is_some() => {
                let count = formats.len();
                let message = format!("--out takes one format, and {count} are asked for");
                Err(usage(message, bundle_command::omit_out()))
            }
            _ if self.uses_stdout() && report == ReportFormat::Json => {
                let message = "--out - and --json both want stdout";
                Err(usage(message, bundle_command::name_output_file()))
            }
            _ if self.legacy && !formats.contains(&ExportFormat::Pfx) => {
                let message = "--legacy is about a .pfx, and none is asked for";
                Err(usage(message, bundle_command::request_legacy_pfx()))
            }
            _ => Ok(()),
        }
    }

    /// What to do with the files on each server of `--for`. `key` is the key file, if it exists.
    pub(super) fn server_steps(
        &self,
        stem: &str,
        written: &[OutputFile],
        key: Option<&Path>,
    ) -> Vec<NextStep> {
        let default_key = format!("{stem}.key");
        let lacks_key = Cell::new(false);
        let path_word = |word: &str| {
            let path = if word == "key" {
                lacks_key.set(lacks_key.get() || key.is_none());
                key
            } else {
                written_path(written, word)
            };
            let text = path.map_or_else(|| default_key.clone(), |path| path.display().to_string());
            shell_word(&text)
        };
        let mut steps = Vec::new();
        for target in &self.targets {
            for (text, lines) in target.steps(stem, path_word) {
                steps.push(bundle_command::configure_server(text, lines));
            }
        }
        if lacks_key.get() {
            steps.push(bundle_command::provide_key_file(&default_key));
        }
        steps
    }
}

fn usage(message: impl Into<String>, step: NextStep) -> Failure {
    Failure::new(FailureKind::Usage, message).with_step(step)
}

/// The path of the file in the format that is called `name`.
fn written_path<'a>(written: &'a [OutputFile], name: &str) -> Option<&'a Path> {
    written
        .iter()
        .find(|file| file.format.name() == name)
        .map(|file| file.path.as_path())
}
