//! Writes the files of `bundle`: all are rendered, written under temporary names and read back
//! before the first one replaces anything.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::outputs::{OutputArgs, OutputFile};
use super::overwrite::{ExistingOutput, NewOutput, OverwriteDecision};
use super::pfx_password;
use crate::advice::{bundle_command, key_files};
use crate::context::Context;
use crate::delivery::DeliveryInput;
use crate::export::{self, ExportFormat, ExportSource, OverwriteLoss, Pkcs12Protection};
use crate::failure::{Failure, FailureKind};
use crate::inputs::folder::FILE_LIMIT;
use crate::inputs::{InputReader, MatchedCertificate};
use crate::matching::MatchingRemark;
use crate::system::fs::files::{self, StagedFile};

/// Converts the certificate to the input of the export.
pub(super) fn export_source(matched: &MatchedCertificate) -> ExportSource<'_> {
    ExportSource {
        name: &matched.stem,
        chain: &matched.assembly.chain,
        key: matched.key.as_ref().map(|(_, key)| key),
        searched_places: &matched.searched_places,
    }
}

/// Writes every requested format of every certificate. Stages all of them and reads them back
/// before the first one is renamed into place.
pub(super) fn write(
    context: &Context,
    args: &OutputArgs,
    matched: &[MatchedCertificate],
    reader: &InputReader,
) -> Result<Vec<Vec<OutputFile>>, Failure> {
    if args.holds_key() {
        matched.iter().try_for_each(refuse_unused_key)?;
    }
    let password = pfx_password::read(context, args)?;
    let strength = args.strength();
    let protection = password
        .as_deref()
        .map(|password| Pkcs12Protection { password, strength });
    let mut staged = Vec::new();
    for certificate in matched {
        let mut staged_formats = Vec::new();
        for format in args.formats_to_write() {
            let planned = PlannedOutput {
                format,
                path: output_path(context, args, &certificate.stem, format),
                source: export_source(certificate),
                protection,
            };
            staged_formats.push(planned.stage(reader)?);
        }
        staged.push(staged_formats);
    }
    staged
        .into_iter()
        .map(|outputs| outputs.into_iter().map(StagedOutput::finish).collect())
        .collect()
}

/// Fails if the key was found and must not be used.
fn refuse_unused_key(matched: &MatchedCertificate) -> Result<(), Failure> {
    match &matched.no_key {
        Some(MatchingRemark::RefusedKey { file, .. }) => {
            let purpose = "belongs to the certificate";
            Err(key_files::key_not_used(file, purpose, None))
        }
        _ => Ok(()),
    }
}

fn output_path(context: &Context, args: &OutputArgs, stem: &str, format: ExportFormat) -> PathBuf {
    match &args.out {
        Some(path) => path.clone(),
        None => context.path_of(format!("{stem}.{}", format.extension())),
    }
}

/// One format of one certificate that is to be written.
struct PlannedOutput<'a> {
    format: ExportFormat,
    path: PathBuf,
    source: ExportSource<'a>,
    protection: Option<Pkcs12Protection<'a>>,
}

/// A file under its temporary name; no staged file if the existing one is kept.
struct StagedOutput {
    output: OutputFile,
    staged: Option<StagedFile>,
}

impl PlannedOutput<'_> {
    /// Writes the file under a temporary name and reads it back, unless the same content exists.
    fn stage(self, reader: &InputReader) -> Result<StagedOutput, Failure> {
        let content = export::render_export(self.format, self.source, self.protection)?;
        if let Some(existing) = ExistingOutput::read(&self.path)? {
            let new = NewOutput {
                format: self.format,
                source: self.source,
                protection: self.protection,
                content: &content,
            };
            match existing.decide(&new) {
                OverwriteDecision::Keep => return Ok(self.unchanged()),
                OverwriteDecision::Replace => {}
                OverwriteDecision::Refuse => return Err(holds_key(&self.path)),
                OverwriteDecision::OpenFirst => {
                    check_locked(&self.path, &existing, &new, reader)?;
                }
            }
        }
        self.stage_content(&content)
    }

    fn unchanged(self) -> StagedOutput {
        StagedOutput {
            output: OutputFile {
                format: self.format,
                path: self.path,
                changed: false,
            },
            staged: None,
        }
    }

    fn stage_content(self, content: &[u8]) -> Result<StagedOutput, Failure> {
        let staged = files::stage(&self.path, content, self.format.mode())?;
        let written = Zeroizing::new(staged.read_back(FILE_LIMIT)?);
        export::verify_export(self.format, &written, self.source, self.protection)?;
        Ok(StagedOutput {
            output: OutputFile {
                format: self.format,
                path: self.path,
                changed: true,
            },
            staged: Some(staged),
        })
    }
}

impl StagedOutput {
    /// Renames the file into place.
    fn finish(self) -> Result<OutputFile, Failure> {
        if let Some(staged) = self.staged {
            staged.replace()?;
        }
        Ok(self.output)
    }
}

/// Opens an existing file that is encrypted with another password, to find out which key it
/// contains.
fn check_locked(
    path: &Path,
    existing: &ExistingOutput,
    new: &NewOutput<'_>,
    reader: &InputReader,
) -> Result<(), Failure> {
    let input = DeliveryInput::new(path.display().to_string(), existing.content.to_vec());
    let delivery = reader.read_inputs(&[input])?;
    match export::find_delivery_loss(&delivery, new.key_id()) {
        OverwriteLoss::Nothing => Ok(()),
        OverwriteLoss::Key => Err(holds_key(path)),
        OverwriteLoss::Unknown => Err(not_overwritten(path, "is encrypted with another password")
            .because("it may contain the only copy of a key")
            .with_step(bundle_command::give_old_password())),
    }
}

fn holds_key(path: &Path) -> Failure {
    not_overwritten(path, "contains a private key")
}

fn not_overwritten(path: &Path, reason: &str) -> Failure {
    let message = format!("{} {reason} and was not overwritten", path.display());
    Failure::new(FailureKind::Exists, message).with_step(bundle_command::write_elsewhere(path))
}
