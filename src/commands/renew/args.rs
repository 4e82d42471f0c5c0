//! The arguments of `renew`.

use crate::inventory::RenewBefore;

/// Prepare the next round for what is due: a new key and request; the pair that is served stays as
/// it is
///
/// Examples:
///   certctl renew
///   certctl renew example.com --dry-run
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct RenewArgs {
    /// Certificates by one of their names, whether they are due or not [default: what is due]
    #[arg(value_name = "NAME", value_delimiter = ',')]
    pub names: Vec<String>,
    /// Use the key again that the certificate has, instead of a new one of its kind
    #[arg(long)]
    pub reuse_key: bool,
    /// When a certificate is due: so long before its end, or with so much of its lifetime left
    /// [default: 30 days or a third, whichever is less]
    #[arg(long, value_name = "20d|25%", value_parser = RenewBefore::parse)]
    pub renew_before: Option<RenewBefore>,
    /// Only show what would be done
    #[arg(long)]
    pub dry_run: bool,
}
