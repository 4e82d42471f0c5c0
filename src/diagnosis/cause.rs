//! Why a site does not work.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use jiff::Timestamp;

use super::facts::{AvailableCertificate, FileBarrier};
use crate::pki::verify::ChainProblem;
use crate::webserver::model::{ServerSoftware, UpstreamAddress};

/// One cause. The advice is in `advice::doctor_command`.
#[derive(Clone, Debug)]
pub(crate) enum SiteCause {
    /// The name has no address.
    NoAddress,
    /// Addresses of the name lead to another machine.
    AddressElsewhere {
        addresses: Vec<(IpAddr, String)>,
    },
    /// The server's own test fails.
    ConfigBroken {
        software: ServerSoftware,
        lines: Vec<String>,
        command: String,
    },
    /// Another program listens at the address.
    PortTaken {
        owner: String,
    },
    ServerStopped {
        software: ServerSoftware,
        start_command: String,
    },
    /// The configuration on disk would serve the site, and the server has not loaded it.
    ConfigNotLoaded {
        software: ServerSoftware,
        address: SocketAddr,
        reload_command: String,
    },
    /// The configuration has no TLS for the name; the block that serves it in plain text, if any.
    NoTlsBlock {
        plain_block: Option<String>,
    },
    /// Other addresses of the site answer, and this one does not.
    AddressNotServed {
        address: SocketAddr,
    },
    /// Nothing listens at the port.
    PortClosed {
        address: SocketAddr,
    },
    /// Connections get no answer.
    PortSilent {
        address: SocketAddr,
        reason: String,
    },
    /// Port 443 speaks plain HTTP.
    PlainTextAtTls {
        address: SocketAddr,
        block: Option<String>,
    },
    HandshakeFails {
        address: SocketAddr,
        reason: String,
    },
    /// No block has the name, so the default answers, with a certificate for other names.
    WrongBlock {
        address: SocketAddr,
        place: String,
        plain_block: Option<String>,
    },
    /// The server's file has another certificate than the server serves.
    CertificateNotLoaded {
        address: SocketAddr,
        file: PathBuf,
        not_after: Timestamp,
        reload_command: String,
    },
    /// The served certificate is wrong, and this machine has a valid one.
    OtherCertificateValid {
        problem: ChainProblem,
        available: AvailableCertificate,
    },
    /// The served certificate is wrong.
    Certificate {
        problem: ChainProblem,
        /// The file that the server reads.
        file: Option<PathBuf>,
        /// The name of the certificate in /etc/ssl, if certctl manages it.
        managed: Option<String>,
    },
    UpstreamClosed {
        address: UpstreamAddress,
        status: u16,
        start_command: Option<String>,
    },
    SocketMissing {
        path: PathBuf,
        start_command: Option<String>,
    },
    SocketDead {
        path: PathBuf,
        start_command: Option<String>,
    },
    SocketDenied {
        path: PathBuf,
        barrier: FileBarrier,
    },
    /// The server may not read the files.
    FilesDenied {
        barrier: FileBarrier,
    },
    FolderMissing {
        folder: PathBuf,
    },
    IndexMissing {
        folder: PathBuf,
        status: u16,
    },
    RedirectLoop,
    /// The site answers with an error, and the reason is not visible.
    PageFails {
        answer: String,
        log: Option<String>,
    },
    /// Port 80 is closed.
    HttpClosed {
        address: SocketAddr,
    },
    /// Port 80 answers with a page, or an error, instead of a redirect.
    NoRedirect {
        software: Option<ServerSoftware>,
        block: Option<String>,
        answer: String,
    },
    /// A CA would not see its validation files.
    WellKnownSwallowed {
        answer: String,
        block: Option<String>,
    },
    /// The firewall drops connections.
    FirewallDrops {
        rule: String,
    },
}

impl SiteCause {
    /// Whether two causes are the same for a person, although the addresses differ.
    #[must_use]
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether nothing at port 443 can be judged because of it.
    #[must_use]
    pub(super) fn hides_page(&self) -> bool {
        !matches!(
            self,
            Self::Certificate { .. }
                | Self::OtherCertificateValid { .. }
                | Self::CertificateNotLoaded { .. }
                | Self::NoAddress
                | Self::AddressElsewhere { .. }
                | Self::AddressNotServed { .. }
                | Self::ConfigBroken { .. }
        ) && !self.is_about_port_80()
    }

    /// Whether it is about plain HTTP only.
    #[must_use]
    pub(super) fn is_about_port_80(&self) -> bool {
        matches!(
            self,
            Self::HttpClosed { .. } | Self::NoRedirect { .. } | Self::WellKnownSwallowed { .. }
        )
    }
}
