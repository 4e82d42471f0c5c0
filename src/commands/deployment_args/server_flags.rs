//! `--server` and `--server-config`: which servers use the certificate, and where each has its
//! configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::system::fs::folders;
use crate::webserver::model::ServerSoftware;

/// The values of `--server`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum ServerChoice {
    /// Apache 2.4
    Apache,
    /// HAProxy
    Haproxy,
    /// nginx
    Nginx,
    /// Caddy 2
    Caddy,
    /// Dovecot
    Dovecot,
    /// Exim
    Exim,
    /// lighttpd
    Lighttpd,
    /// MariaDB
    Mariadb,
    /// mosquitto
    Mosquitto,
    /// OpenLDAP
    Openldap,
    /// Postfix
    Postfix,
    /// PostgreSQL
    Postgres,
    /// squid
    Squid,
    /// stunnel
    Stunnel,
    /// vsftpd
    Vsftpd,
    /// No known server; another one is controlled with --test, --reload and --probe
    None,
}

impl ServerChoice {
    /// The name in the stored settings.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Apache => ServerSoftware::Apache.name(),
            Self::Haproxy => ServerSoftware::Haproxy.name(),
            Self::Nginx => ServerSoftware::Nginx.name(),
            Self::Caddy => "caddy",
            Self::Dovecot => "dovecot",
            Self::Exim => "exim",
            Self::Lighttpd => "lighttpd",
            Self::Mariadb => "mariadb",
            Self::Mosquitto => "mosquitto",
            Self::Openldap => "openldap",
            Self::Postfix => "postfix",
            Self::Postgres => "postgres",
            Self::Squid => "squid",
            Self::Stunnel => "stunnel",
            Self::Vsftpd => "vsftpd",
            Self::None => "none",
        }
    }
}

/// The files of `--server-config`, absolute.
#[derive(Default)]
pub(super) struct ConfigFiles {
    /// `FILE`: for whichever server is used.
    pub any_server: Option<PathBuf>,
    /// `haproxy=FILE`: by the name of the server.
    pub by_server: BTreeMap<String, PathBuf>,
}

impl ConfigFiles {
    /// Parses the values of `--server-config`.
    ///
    /// # Errors
    /// When the working directory does not exist any more.
    pub(super) fn parse(values: &[PathBuf]) -> Result<Self, Failure> {
        let mut files = Self::default();
        for value in values {
            match split_server(value) {
                Some((software, path)) => {
                    let name = software.name().to_owned();
                    files.by_server.insert(name, folders::absolute(path)?);
                }
                None => files.any_server = Some(folders::absolute(value)?),
            }
        }
        Ok(files)
    }
}

/// Splits `haproxy=FILE`.
fn split_server(value: &Path) -> Option<(ServerSoftware, &Path)> {
    let (name, file) = value.to_str()?.split_once('=')?;
    let software = ServerSoftware::from_name(&name.to_ascii_lowercase())?;
    Some((software, Path::new(file)))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use clap::ValueEnum;

    use super::{ConfigFiles, ServerChoice};
    use crate::export::ExportTarget;
    use crate::webserver::model::ServerSoftware;

    #[test]
    fn each_name_is_a_server_that_certctl_can_control() {
        for choice in ServerChoice::value_variants() {
            let name = choice.name();
            let is_known = ServerSoftware::from_name(name).is_some()
                || ExportTarget::find_service(name).is_some();
            assert!(is_known || *choice == ServerChoice::None, "{name}");
        }
    }

    #[test]
    fn servers_are_recognized_in_any_case() {
        let values = ["HAProxy=/a.cfg", "NGINX=/b.conf", "other=/c.conf"].map(PathBuf::from);
        let files = ConfigFiles::parse(&values).unwrap();
        assert_eq!(files.by_server["haproxy"], Path::new("/a.cfg"));
        assert_eq!(files.by_server["nginx"], Path::new("/b.conf"));
        let any = files.any_server.unwrap();
        assert!(any.ends_with("other=/c.conf"), "{}", any.display());
    }
}
