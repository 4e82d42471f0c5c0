//! Decides whether the file that exists at the path of an output may be replaced.

use std::path::Path;

use zeroize::Zeroizing;

use crate::export::{self, ExportFormat, ExportSource, OverwriteLoss, Pkcs12Protection};
use crate::failure::Failure;
use crate::inputs::folder::FILE_LIMIT;
use crate::permissions::Mode;
use crate::pki::key::PublicKeyId;
use crate::system::fs::files;

/// The file that exists at the path of an output.
pub(super) struct ExistingOutput {
    pub content: Zeroizing<Vec<u8>>,
    mode: Mode,
}

/// The content that is to be written.
#[derive(Clone, Copy)]
pub(super) struct NewOutput<'a> {
    pub format: ExportFormat,
    pub source: ExportSource<'a>,
    pub protection: Option<Pkcs12Protection<'a>>,
    pub content: &'a [u8],
}

/// What to do with the existing file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OverwriteDecision {
    /// It has the new content already.
    Keep,
    /// It contains nothing that would be lost.
    Replace,
    /// It contains a private key that the new content does not contain.
    Refuse,
    /// It is encrypted with another password: it must be opened to find out its key.
    OpenFirst,
}

type OverwriteCheck = fn(&ExistingOutput, &NewOutput<'_>) -> Option<OverwriteDecision>;

/// The checks in order; the first that returns a decision wins.
const CHECKS: [OverwriteCheck; 2] = [check_unchanged, check_loss];

impl ExistingOutput {
    /// Reads the file at `path`; none if nothing exists there.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        if !files::exists(path) {
            return Ok(None);
        }
        let (content, mode) = files::read_with_mode(path, FILE_LIMIT)?;
        Ok(Some(Self {
            content: Zeroizing::new(content),
            mode,
        }))
    }

    /// Decides whether the file may be replaced; accesses no file.
    pub(super) fn decide(&self, new: &NewOutput<'_>) -> OverwriteDecision {
        CHECKS
            .iter()
            .find_map(|check| check(self, new))
            .unwrap_or(OverwriteDecision::Replace)
    }
}

impl NewOutput<'_> {
    /// Returns the id of the private key in the new content.
    pub(super) fn key_id(&self) -> Option<PublicKeyId> {
        let key = self.source.key.filter(|_| self.format.includes_key())?;
        Some(key.id())
    }

    /// Returns true if `content` contains the same certificates and key.
    fn equals(&self, content: &[u8]) -> bool {
        if content == self.content {
            return true;
        }
        // The bytes of a .pfx differ each time, so its content and its encryption are compared.
        self.format == ExportFormat::Pfx
            && export::verify_export(self.format, content, self.source, self.protection).is_ok()
    }
}

fn check_unchanged(existing: &ExistingOutput, new: &NewOutput<'_>) -> Option<OverwriteDecision> {
    if !new.equals(&existing.content) {
        return None;
    }
    let has_right_mode = existing.mode == new.format.mode() || !new.format.includes_key();
    has_right_mode.then_some(OverwriteDecision::Keep)
}

fn check_loss(existing: &ExistingOutput, new: &NewOutput<'_>) -> Option<OverwriteDecision> {
    let password = new.protection.map(|protection| protection.password);
    match export::find_overwrite_loss(&existing.content, new.key_id(), password) {
        OverwriteLoss::Nothing => None,
        OverwriteLoss::Key => Some(OverwriteDecision::Refuse),
        OverwriteLoss::Unknown => Some(OverwriteDecision::OpenFirst),
    }
}
