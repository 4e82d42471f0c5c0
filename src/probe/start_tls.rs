//! Protocols that start in plain text, and the services behind the ports that clients connect to.

/// A protocol that starts in plain text and switches to TLS on request (`--starttls`).
#[derive(
    Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum StartTls {
    /// SMTP: mail transfer and submission (ports 25, 587)
    Smtp,
    /// LMTP: mail delivery (port 24)
    Lmtp,
    /// IMAP: mailbox access (port 143)
    Imap,
    /// POP3: mailbox download (port 110)
    Pop3,
    /// ManageSieve: mail filters (port 4190)
    Sieve,
    /// FTP: file transfer (port 21)
    Ftp,
    /// LDAP: directory (port 389)
    Ldap,
    /// XMPP: chat (ports 5222, 5269)
    Xmpp,
    /// MySQL and MariaDB database connections (port 3306)
    Mysql,
    /// PostgreSQL database connections (port 5432)
    Postgres,
    /// NNTP: news (port 119)
    Nntp,
}

/// A protocol, its name on the command line and in messages, and its registered ports.
struct ProtocolRow {
    protocol: StartTls,
    name: &'static str,
    display_name: &'static str,
    ports: &'static [u16],
}

/// IANA's registry of service names and port numbers; LMTP has none, port 24 ("any private mail
/// system") is the usual one. The first port is the one without `HOST:PORT`.
const PROTOCOLS: [ProtocolRow; 11] = [
    row(StartTls::Smtp, "smtp", "SMTP", &[25, 587]),
    row(StartTls::Lmtp, "lmtp", "LMTP", &[24]),
    row(StartTls::Imap, "imap", "IMAP", &[143]),
    row(StartTls::Pop3, "pop3", "POP3", &[110]),
    row(StartTls::Sieve, "sieve", "ManageSieve", &[4190]),
    row(StartTls::Ftp, "ftp", "FTP", &[21]),
    row(StartTls::Ldap, "ldap", "LDAP", &[389]),
    row(StartTls::Xmpp, "xmpp", "XMPP", &[5222, 5269]),
    row(StartTls::Mysql, "mysql", "MySQL", &[3306]),
    row(StartTls::Postgres, "postgres", "PostgreSQL", &[5432]),
    row(StartTls::Nntp, "nntp", "NNTP", &[119]),
];

/// Services with TLS from the start that are not web sites (the same registry).
const TLS_SERVICES: [(u16, &str); 11] = [
    (465, "SMTPS"),
    (563, "NNTPS"),
    (636, "LDAPS"),
    (853, "DNS over TLS"),
    (989, "FTPS"),
    (990, "FTPS"),
    (993, "IMAPS"),
    (995, "POP3S"),
    (5061, "SIPS"),
    (6697, "IRCS"),
    (8883, "MQTT over TLS"),
];

const fn row(
    protocol: StartTls,
    name: &'static str,
    display_name: &'static str,
    ports: &'static [u16],
) -> ProtocolRow {
    ProtocolRow {
        protocol,
        name,
        display_name,
        ports,
    }
}

impl StartTls {
    /// Returns the protocol that is registered for a port.
    #[must_use]
    pub fn from_port(port: u16) -> Option<Self> {
        let known = PROTOCOLS.iter().find(|row| row.ports.contains(&port))?;
        Some(known.protocol)
    }

    /// Returns the protocol to use at a port of several: the registered one, and `requested` at
    /// ports that are not registered for another service.
    #[must_use]
    pub fn for_port_of_many(port: u16, requested: Option<Self>) -> Option<Self> {
        let has_tls = port == 443 || TLS_SERVICES.iter().any(|(known, _)| *known == port);
        Self::from_port(port).or_else(|| requested.filter(|_| !has_tls))
    }

    fn row(self) -> &'static ProtocolRow {
        let found = PROTOCOLS.iter().find(|row| row.protocol == self);
        // A test checks that each protocol has a row.
        found.unwrap_or(&PROTOCOLS[0])
    }

    /// Returns the name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Returns the name in messages.
    #[must_use]
    pub fn display_name(self) -> &'static str {
        self.row().display_name
    }

    /// Returns the port for a host without one.
    #[must_use]
    pub fn default_port(self) -> u16 {
        self.row().ports[0]
    }
}

/// Returns the name of a service that is not a web site, by how TLS starts and by its port; `None`
/// for what may be one.
#[must_use]
pub(crate) fn service_name(starttls: Option<StartTls>, port: u16) -> Option<&'static str> {
    match starttls {
        Some(protocol) => Some(protocol.display_name()),
        None => TLS_SERVICES
            .iter()
            .find(|(known, _)| *known == port)
            .map(|(_, name)| *name),
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::{PROTOCOLS, StartTls, service_name};

    #[test]
    fn each_protocol_has_a_row_with_its_own_ports() {
        let mut ports: Vec<u16> = Vec::new();
        for &protocol in StartTls::value_variants() {
            let row = PROTOCOLS.iter().find(|row| row.protocol == protocol);
            let row = row.expect("each protocol has a row");
            let value = protocol.to_possible_value().unwrap();
            assert_eq!(value.get_name(), row.name);
            assert_eq!(StartTls::from_port(protocol.default_port()), Some(protocol));
            ports.extend(row.ports);
        }
        let count = ports.len();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), count, "a port belongs to one protocol");
    }

    #[test]
    fn a_requested_protocol_is_not_used_at_ports_of_other_services() {
        let smtp = Some(StartTls::Smtp);
        for (port, used) in [
            (25, smtp),
            (2525, smtp),
            (143, Some(StartTls::Imap)),
            (465, None),
            (443, None),
        ] {
            assert_eq!(StartTls::for_port_of_many(port, smtp), used, "{port}");
        }
        assert_eq!(StartTls::for_port_of_many(8443, None), None);
        assert_eq!(service_name(None, 993), Some("IMAPS"));
        assert_eq!(service_name(None, 8443), None);
    }
}
