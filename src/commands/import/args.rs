//! The arguments of `import`.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::acme::ca_table::AcmeChoice;
use crate::commands::deployment_args::DeploymentArgs;
use crate::commands::method_args::MethodArgs;
use crate::inputs::foreign_lineages::ImportTool;
use crate::install::request::RunMode;
use crate::install_plan::allow;
use crate::system::dns;

/// Take over certificates and accounts of certbot, acme.sh, lego
///
/// Examples:
///   sudo certctl import certbot example.com
///   sudo certctl import lego example.com --from /var/lib/lego --dns alidns
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ImportArgs {
    /// Program that ordered the certificates
    #[arg(value_enum)]
    pub tool: ImportTool,
    /// Certificates, as that program names them [default: all of them]
    #[arg(value_name = "NAME", value_delimiter = ',')]
    pub names: Vec<String>,
    /// Folder of that program [default: /etc/letsencrypt, ~/.acme.sh, or .lego in the working
    /// directory]
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// CA, as in `order --ca` [default: the one from which the program orders]
    #[arg(long, value_name = "CA|URL")]
    pub ca: Option<AcmeChoice>,
    /// How control of the names is proven, instead of as the program does it.
    #[command(flatten)]
    pub method: MethodArgs,
    /// Resolver to query instead of the system's (may be repeated)
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = dns::parse_address)]
    pub resolver: Vec<SocketAddr>,
    /// Accept what renewals cost, or may cost
    #[arg(long)]
    pub accept_charges: bool,
    /// Trusted roots of the CA and of its API: mozilla, system, or a file of CA certificates
    /// [default: mozilla]
    #[arg(long, value_name = "mozilla|FILE", value_parser = crate::inputs::parse_trust)]
    pub trust: Option<String>,
    /// How it is deployed.
    #[command(flatten)]
    pub deployment: DeploymentArgs,
    /// Report the finding with this code as a warning instead of refusing (may be repeated)
    #[arg(long, value_name = "CODE", value_parser = allow::parse_allowed_code, value_delimiter = ',')]
    pub allow: Vec<&'static str>,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl ImportArgs {
    /// `--dry-run`.
    pub(super) fn mode(&self) -> RunMode {
        if self.dry_run {
            RunMode::DryRun
        } else {
            RunMode::Run
        }
    }
}
