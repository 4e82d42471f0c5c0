//! What was observed about one site.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use jiff::Timestamp;

use crate::permissions::{Mode, Owner};
use crate::pki::fingerprint::Fingerprint;
use crate::pki::name::DnsName;
use crate::pki::verify::ChainProblem;
use crate::probe::http::SiteAnswer;
use crate::webserver::model::{ServerSoftware, UpstreamAddress};

/// Everything that was observed about one site.
#[derive(Debug)]
pub(crate) struct SiteFacts {
    pub name: DnsName,
    pub dns: DnsFacts,
    pub server: ServerFacts,
    /// What each address answers at port 443.
    pub tls: Vec<TlsFacts>,
    /// What each address answers at port 80.
    pub http: Vec<HttpFacts>,
    /// The pages over https.
    pub pages: Vec<PageFacts>,
    /// The name of the certificate in /etc/ssl, if certctl manages it.
    pub managed: Option<String>,
    /// A valid certificate for the name on this machine, the one that expires last.
    pub available: Option<AvailableCertificate>,
    /// Rules of the firewall that drop connections to port 80 or 443, as far as they are visible.
    pub firewall: Result<Vec<String>, String>,
}

/// What DNS says about the name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum DnsFacts {
    /// No resolver answered, for this reason.
    Unchecked(String),
    /// The name has no address.
    Missing,
    Addresses(Vec<NameAddress>),
}

/// An address of the name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NameAddress {
    pub address: IpAddr,
    pub place: AddressPlace,
}

/// Where an address of the name leads to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum AddressPlace {
    /// To this machine.
    Here,
    /// Elsewhere, where the same certificate is served: a router, a load balancer or a proxy.
    SameCertificate,
    /// To something else, which answers like this.
    Other(String),
    /// To something that serves a valid certificate for the name: a proxy, a CDN or another server.
    ValidElsewhere,
    /// The site is on another machine, which is checked from here.
    Remote,
    /// This machine has no public address, so it cannot see where the address leads to.
    BehindRouter,
}

/// The web server of this machine that answers for the name, or would.
#[derive(Debug)]
pub(crate) enum ServerFacts {
    /// None that certctl knows is installed.
    NotInstalled,
    /// The site is on another machine.
    Elsewhere,
    /// It could not be observed, for this reason.
    Unreadable(String),
    Known(Box<KnownServer>),
}

/// A web server of this machine.
#[derive(Debug)]
pub(crate) struct KnownServer {
    pub software: ServerSoftware,
    pub is_running: bool,
    /// The command that starts it, with sudo.
    pub start_command: String,
    /// The command that reloads it, with sudo; `None` if it cannot be reloaded.
    pub reload_command: Option<String>,
    pub test: ServerTest,
    /// Whether its configuration was changed after it was loaded.
    pub has_unloaded_changes: bool,
    /// The block that has the name and serves plain text only.
    pub plain_block: Option<String>,
}

/// What the server's own test of its configuration says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ServerTest {
    Passed,
    /// It failed with these lines; this is its command.
    Failed {
        lines: Vec<String>,
        command: String,
    },
    /// It was not run, for this reason.
    Unchecked(String),
}

/// What one address answers at port 443.
#[derive(Debug)]
pub(crate) struct TlsFacts {
    pub address: SocketAddr,
    pub state: TlsState,
    /// The block that answers by the configuration; `None` if it has no TLS at that address.
    pub block: Option<AnsweringBlock>,
    /// Another program that listens there.
    pub other_owner: Option<String>,
}

/// The answer to a TLS handshake.
#[derive(Debug)]
pub(crate) enum TlsState {
    Closed,
    /// No answer, for this reason.
    Silent(String),
    /// Something answers, and not in TLS.
    PlainText,
    /// The handshake fails, for this reason.
    Failed(String),
    Served(ServedChain),
}

/// A certificate that is served, and what is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct ServedChain {
    pub fingerprint: Fingerprint,
    pub not_after: Timestamp,
    pub problems: Vec<ChainProblem>,
}

/// The block that answers for the name at an address, by the configuration on disk.
#[derive(Clone, Debug)]
pub(crate) struct AnsweringBlock {
    /// `FILE:LINE`
    pub place: String,
    pub rule: BlockRule,
    /// The certificate in the file that it names.
    pub on_disk: Option<DiskCertificate>,
}

/// Why a block answers for the name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BlockRule {
    /// It has the name.
    Named,
    /// No block has the name.
    Default,
}

/// A certificate in a file that the server reads when it is reloaded.
#[derive(Clone, Debug)]
pub(crate) struct DiskCertificate {
    pub path: PathBuf,
    pub fingerprint: Fingerprint,
    pub not_after: Timestamp,
    pub problems: Vec<ChainProblem>,
}

/// A valid certificate for the name, in files of this machine.
#[derive(Clone, Debug)]
pub(crate) struct AvailableCertificate {
    pub chain_path: PathBuf,
    pub key_path: PathBuf,
    pub fingerprint: Fingerprint,
    pub not_after: Timestamp,
    /// The options of `install` that name its roots.
    pub trust_flags: Vec<String>,
}

/// What one address answers at port 80.
#[derive(Debug)]
pub(crate) struct HttpFacts {
    pub address: SocketAddr,
    pub state: PlainState,
    /// What a file below `/.well-known/acme-challenge/` that does not exist is answered with.
    pub well_known: Option<SiteAnswer>,
    /// The block that answers, `FILE:LINE`.
    pub block: Option<String>,
}

/// The answer to a request in plain text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum PlainState {
    Closed,
    /// No answer, for this reason.
    Silent(String),
    /// A redirect to https.
    Redirects,
    /// A redirect to this URL, which is not https. Untrusted text.
    RedirectsElsewhere(String),
    /// A page, or an error.
    Answers(u16),
}

/// The home page over https at one address.
#[derive(Debug)]
pub(crate) struct PageFacts {
    pub address: SocketAddr,
    pub answer: SiteAnswer,
    /// The applications that answer, by the configuration.
    pub upstreams: Vec<UpstreamState>,
    /// The files that are served, by the configuration.
    pub files: Option<PageFiles>,
    /// The log of the server.
    pub log: Option<String>,
}

/// An application behind the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct UpstreamState {
    pub address: UpstreamAddress,
    pub fault: Option<UpstreamFault>,
    /// The command that starts its process, if its service is known.
    pub start_command: Option<String>,
}

/// Why the server cannot connect to an application.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum UpstreamFault {
    /// Nothing listens at the port.
    Closed,
    /// The socket does not exist.
    SocketMissing,
    /// The socket exists, and no process listens on it.
    SocketDead,
    /// The server may not connect to the socket.
    Denied(FileBarrier),
}

/// A file or folder that the workers of the server may not use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FileBarrier {
    pub path: PathBuf,
    pub mode: Mode,
    pub owner: Owner,
    /// The user of the workers.
    pub user: u32,
    /// The letter of the missing permission: `r`, `w` or `x`.
    pub missing: char,
}

/// The folder of static files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PageFiles {
    pub folder: PathBuf,
    pub folder_exists: bool,
    pub has_index: bool,
    pub barrier: Option<FileBarrier>,
}
