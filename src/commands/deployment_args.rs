//! The options about how a certificate is deployed, which `install`, `order` and `import` share. They are
//! saved, so that the next renewal needs none.

mod also_flags;
mod hook_flags;
mod key_access_flags;
mod probe_flags;
mod server_flags;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::also_flags::AlsoArgs;
use self::hook_flags::HookArgs;
use self::key_access_flags::KeyAccessArgs;
use self::probe_flags::ProbeArgs;
use self::server_flags::{ConfigFiles, ServerChoice};
use crate::context::Context;
use crate::failure::Failure;
use crate::install::transaction::LOCK_TIMEOUT;
use crate::store::layout::DeployMode;
use crate::store::settings::{FORGET, LineageSettings};
use crate::system::clock;
use crate::system::fs::files::FileError;
use crate::system::fs::folders;
use crate::wording::spell_keyword;

/// How a certificate is deployed.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct DeploymentArgs {
    /// Server that uses the certificate (may be repeated) [default: the servers whose configuration
    /// references it or has its names, else the running ones, else the only one that is installed;
    /// none under --root]
    #[arg(long, value_delimiter = ',')]
    pub server: Vec<ServerChoice>,
    /// Main configuration file of the server; SERVER=FILE sets it for one of several servers
    #[arg(long, value_name = "FILE")]
    pub server_config: Vec<PathBuf>,
    /// Path where servers read the chain [default: /etc/ssl/NAME.fullchain.pem]
    #[arg(long, value_name = "PATH", value_parser = parse_stored_path)]
    pub chain_path: Option<PathBuf>,
    /// Path where servers read the private key [default: /etc/ssl/private/NAME.key]
    #[arg(long, value_name = "PATH", value_parser = parse_stored_path)]
    pub key_path: Option<PathBuf>,
    /// How servers get the files: link, or copy for containers, chroots and shared folders [default:
    /// the saved mode, else copy if a server would not see a link's target, else link]
    #[arg(long, value_enum, value_name = "link|copy")]
    pub deploy: Option<DeployMode>,
    /// Who may read the key.
    #[command(flatten)]
    pub access: KeyAccessArgs,
    /// Further files for further readers.
    #[command(flatten)]
    pub also: AlsoArgs,
    /// Command that tests the server's configuration, run without a shell (may be repeated); auto
    /// restores the built-in command
    #[arg(long, value_name = "COMMAND|auto", value_parser = parse_command)]
    pub test: Vec<String>,
    /// Command that reloads the server, run without a shell (may be repeated, in this order); auto
    /// restores the built-in command
    #[arg(long, value_name = "COMMAND|auto", value_parser = parse_command)]
    pub reload: Vec<String>,
    /// The command that is run last.
    #[command(flatten)]
    pub hook: HookArgs,
    /// The addresses that are probed.
    #[command(flatten)]
    pub probes: ProbeArgs,
    /// How long to wait for another certctl to finish [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = clock::parse_duration)]
    pub lock_timeout: Option<Duration>,
}

impl DeploymentArgs {
    /// Returns the options of the command line, which the next renewal uses too; words such as `auto`
    /// are kept.
    ///
    /// # Errors
    /// When a user or group does not exist, or the working directory does not exist any more.
    pub(super) fn settings(&self, context: &Context) -> Result<LineageSettings, Failure> {
        let configs = ConfigFiles::parse(&self.server_config)?;
        let mut server = Vec::new();
        for choice in &self.server {
            server.push(choice.name().to_owned());
        }
        let flags = self.hook.add_to(LineageSettings {
            server_configs: configs.by_server,
            server,
            server_config: configs.any_server,
            chain_path: absolute(self.chain_path.as_deref())?,
            key_path: absolute(self.key_path.as_deref())?,
            deploy: self.deploy,
            test: self.test.clone(),
            reload: self.reload.clone(),
            ..self.access.settings(context)?
        });
        self.also.add_to(self.probes.add_to(flags))
    }

    /// Returns how long another certctl may hold the lock.
    pub(super) fn lock_wait(&self) -> Duration {
        self.lock_timeout.unwrap_or(LOCK_TIMEOUT)
    }

    /// Returns whether there is a path, which only one certificate can have.
    pub(super) fn has_path(&self) -> bool {
        self.chain_path.is_some() || self.key_path.is_some() || self.also.has_path()
    }
}

/// Parses the value of `--test` and `--reload`: the keyword in any case, else a command.
fn parse_command(text: &str) -> Result<String, Infallible> {
    Ok(spell_keyword(text, &[FORGET]))
}

/// Parses a path that is saved in settings.json, which holds UTF-8 only; clap refuses other text.
fn parse_stored_path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(PathBuf::from(text))
}

fn absolute(path: Option<&Path>) -> Result<Option<PathBuf>, FileError> {
    path.map(folders::absolute).transpose()
}
