//! The servers that `--for` names.

/// A server to write files for (`--for`).
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum ExportTarget {
    /// nginx
    Nginx,
    /// Apache 2.4.8 or newer
    Apache,
    /// HAProxy
    Haproxy,
    /// Postfix 3.4 or newer
    Postfix,
    /// Dovecot
    Dovecot,
    /// Tomcat 8.5 or newer
    Tomcat,
    /// Windows Server 2019 or newer
    Iis,
    /// Windows Server 2016 or older
    Windows2016,
    /// AWS Certificate Manager
    AwsAcm,
    /// Caddy 2
    Caddy,
    /// lighttpd 1.4.53 or newer
    Lighttpd,
    /// mosquitto 2.0 or newer
    Mosquitto,
    /// PostgreSQL
    Postgres,
    /// stunnel 5
    Stunnel,
    /// vsftpd 3
    Vsftpd,
    /// MariaDB 10.4 or newer
    Mariadb,
    /// squid 4 or newer
    Squid,
    /// OpenLDAP 2.4 or newer
    Openldap,
    /// Exim 4.95 or newer
    Exim,
}
