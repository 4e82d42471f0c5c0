//! The arguments of `renew`.

use crate::install::request::RunMode;
use crate::inventory::RenewBefore;

/// Order what is due again, or prepare the next request
///
/// Examples:
///   certctl renew
///   certctl renew example.com --dry-run
#[derive(Clone, Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct RenewArgs {
    /// Certificates to renew, each by one of its names; the next request is prepared even if they are
    /// not due [default: all that are due]
    #[arg(value_name = "NAME", value_delimiter = ',')]
    pub names: Vec<String>,
    /// Reuse the key of the certificate instead of generating a new one with the same algorithm; saved
    /// for a certificate that is ordered
    #[arg(long)]
    pub reuse_key: bool,
    /// How long before its expiry a certificate is due for renewal: days, hours (`36h`), or a
    /// percentage of its lifetime [default: 30 days or a third of the lifetime, whichever is less]
    #[arg(long, value_name = "20d|25%", value_parser = RenewBefore::parse)]
    pub renew_before: Option<RenewBefore>,
    /// Renew these names now, with a new key; a saved `--reuse-key` is forgotten
    #[arg(long, requires = "names", conflicts_with = "reuse_key")]
    pub force: bool,
    /// Order what is due and write it to a file, and install nothing
    #[arg(long)]
    pub no_install: bool,
    /// Show what would be done; order, write and install nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl RenewArgs {
    /// `--dry-run`.
    pub(super) fn mode(&self) -> RunMode {
        if self.dry_run {
            RunMode::DryRun
        } else {
            RunMode::Run
        }
    }
}
