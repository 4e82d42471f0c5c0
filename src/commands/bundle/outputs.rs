//! The arguments that choose which files `bundle` writes, where, and how they are encrypted.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use crate::advice::bundle_command;
use crate::context::Context;
use crate::export::{ExportFormat, ExportTarget, Pkcs12Strength};
use crate::failure::{Failure, FailureKind};
use crate::finding::{NextStep, shell_word};

/// The files to write.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct OutputArgs {
    /// Output file, for a single format; - writes to stdout [default: NAME.fullchain.pem or similar
    /// in the directory]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Format to write (may be repeated) [default: pem]
    #[arg(long = "format", value_name = "FORMAT", value_delimiter = ',')]
    pub formats: Vec<ExportFormat>,
    /// Write the formats that this server needs, and show its configuration lines (may be repeated)
    #[arg(long = "for", value_name = "TARGET", value_delimiter = ',')]
    pub targets: Vec<ExportTarget>,
    /// Encrypt the .pfx with triple DES and SHA-1, for old Windows and Java versions
    #[arg(long)]
    pub legacy: bool,
    /// File whose first line is the password for the new .pfx [default: prompt on a terminal]
    #[arg(long, value_name = "FILE")]
    pub pfx_password_file: Option<PathBuf>,
    /// Protect the .pfx with an empty password
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
    /// Returns each requested format once, in the order of the command line.
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

    /// Returns true if one of the formats contains the private key.
    pub(super) fn holds_key(&self) -> bool {
        self.formats_to_write()
            .iter()
            .any(|format| format.includes_key())
    }

    /// Returns true if the output goes to stdout.
    pub(super) fn uses_stdout(&self) -> bool {
        self.out.as_deref() == Some(Path::new("-"))
    }

    /// Returns the strongest encryption that all servers of `--for` can read.
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
                let message =
                    format!("{format} contains the private key, which is written only to files");
                Err(usage(message, bundle_command::name_output_file()))
            }
            [_, _, ..] if self.out.is_some() => {
                let count = formats.len();
                let message = format!("`--out` takes one format, but {count} were requested");
                Err(usage(message, bundle_command::omit_out()))
            }
            _ if self.uses_stdout() && report == ReportFormat::Json => {
                let message = "`--out -` and `--json` cannot both write to stdout";
                Err(usage(message, bundle_command::name_output_file()))
            }
            _ if self.legacy && !formats.contains(&ExportFormat::Pfx) => {
                let message = "`--legacy` applies to a .pfx file, but none was requested";
                Err(usage(message, bundle_command::request_legacy_pfx()))
            }
            _ => Ok(()),
        }
    }

    /// Returns how to configure each server of `--for` with the files. `key` is the key file, if it
    /// exists.
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
            let target_steps = target.steps(stem, path_word);
            steps.extend(
                target_steps
                    .into_iter()
                    .map(bundle_command::configure_server),
            );
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

/// Returns the path of the file in the format called `name`.
fn written_path<'a>(written: &'a [OutputFile], name: &str) -> Option<&'a Path> {
    written
        .iter()
        .find(|file| file.format.name() == name)
        .map(|file| file.path.as_path())
}
