//! The arguments of `renew`.

use crate::inventory::RenewBefore;

/// Prepare the renewal of due certificates: a new key and request; servers keep the current files
///
/// Examples:
///   certctl renew
///   certctl renew example.com --dry-run
#[derive(Clone, Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct RenewArgs {
    /// Certificates to renew, each by one of its names, even if not due [default: all that are due]
    #[arg(value_name = "NAME", value_delimiter = ',')]
    pub names: Vec<String>,
    /// Reuse the key of the certificate instead of generating a new one with the same algorithm
    #[arg(long)]
    pub reuse_key: bool,
    /// How long before its expiry a certificate is due for renewal: days, hours (`36h`), or a
    /// percentage of its lifetime [default: 30 days or a third of the lifetime, whichever is less]
    #[arg(long, value_name = "20d|25%", value_parser = RenewBefore::parse)]
    pub renew_before: Option<RenewBefore>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}
