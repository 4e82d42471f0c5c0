//! The answers of name servers: values that `system::dns` collects and `judge` evaluates.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::dnssec::DnssecEvidence;

/// The role of a server for the zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServerRole {
    /// A recursive resolver, which caches answers.
    Resolver,
    /// One of the zone's own servers, which a CA's resolver queries in the end.
    Authoritative,
}

impl ServerRole {
    /// Returns the word for JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Resolver => "resolver",
            Self::Authoritative => "authoritative",
        }
    }
}

/// A server that was to be queried.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DnsServerId {
    /// The address that was queried; `None` if no address was found for the name.
    pub address: Option<SocketAddr>,
    /// Its name, if it was found by name.
    pub name: Option<String>,
    pub role: ServerRole,
}

/// A type of record that is queried.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// IPv4 addresses; also the result of a CNAME that a provider flattens.
    A,
    /// IPv6 addresses (RFC 3596).
    Aaaa,
    /// An alias; its target is the value for validation.
    Cname,
    /// Mail exchangers (RFC 1035 3.3.9).
    Mx,
    /// Text strings (RFC 1035 3.3.14).
    Txt,
}

impl RecordKind {
    /// Returns the name of the type in zone files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Txt => "TXT",
        }
    }
}

/// A server's answer to the query for one type of record at one name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DnsAnswer {
    /// An alias, whichever type was queried; the target without its final dot, in the server's
    /// spelling.
    Cname(String),
    /// Several CNAME records with different targets, which a name must not have (RFC 1034 3.6.2).
    Cnames(Vec<String>),
    /// The TXT records, the strings of each one joined; bytes that are not UTF-8 are replaced.
    Txt(Vec<String>),
    /// The addresses of an A or AAAA answer.
    Addresses(Vec<IpAddr>),
    /// The mail exchangers, by preference; an empty name means that none accepts mail (RFC 7505).
    Mx(Vec<String>),
    /// NXDOMAIN: the name does not exist; with the seconds for which this may be cached.
    NoName(Option<u32>),
    /// NODATA: the name exists, but has no record of this type; with the seconds for which this may
    /// be cached.
    NoData(Option<u32>),
    /// The resolver has an answer but rejects it, because its DNSSEC signatures are invalid.
    Bogus,
    /// A server that the zone lists does not answer for it with authority.
    Lame,
    /// The server answered REFUSED (RFC 1035 4.1.1).
    Refused,
    /// The server answered SERVFAIL (RFC 1035 4.1.1).
    ServFail,
    /// Another response code, in words.
    Failed(String),
    /// The answer was truncated over UDP, and the server did not answer over TCP.
    NoTcp,
    /// No usable answer within the time limit.
    Timeout,
    /// No program listens on the port.
    Closed,
    /// No address was found for the server's name, or the lookup failed: it was not queried.
    NoAddress,
    /// This machine has no route to that address (often IPv6): the server was not queried.
    NoRoute,
}

impl DnsAnswer {
    /// Returns whether the server gave a result: the record, its absence, or one with invalid
    /// signatures.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        use DnsAnswer::{Addresses, Bogus, Cname, Cnames, Mx, NoData, NoName, Txt};
        matches!(
            self,
            Cname(_) | Cnames(_) | Txt(_) | Addresses(_) | Mx(_) | NoName(_) | NoData(_) | Bogus
        )
    }

    /// Returns whether the server sent nothing at all.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::Closed | Self::NoAddress | Self::NoRoute | Self::Timeout
        )
    }

    /// Returns the word for JSON; in a finding's code it follows `server-`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Cname(_) => "cname",
            Self::Cnames(_) => "several-cnames",
            Self::Txt(_) => "txt",
            Self::Addresses(_) => "addresses",
            Self::Mx(_) => "mx",
            Self::NoName(_) => "nxdomain",
            Self::NoData(_) => "nodata",
            Self::Bogus => "bogus",
            Self::Lame => "lame",
            Self::Refused => "refused",
            Self::ServFail => "servfail",
            Self::Failed(_) => "failed",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::NoAddress => "no-address",
            Self::NoRoute => "unreachable-from-here",
            Self::NoTcp => "no-tcp",
        }
    }
}

/// A query and its answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AnsweredQuery {
    pub name: String,
    pub kind: RecordKind,
    pub answer: DnsAnswer,
    /// For how many seconds the record may be cached (TTL), if there is one.
    pub ttl: Option<u32>,
}

/// All answers of one server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerAnswers {
    pub server: DnsServerId,
    /// The queries in the order in which they were sent: the record's own name and type first.
    pub answers: Vec<AnsweredQuery>,
}

/// How many of a zone's own servers were not queried, because there are more than the limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct UnqueriedServers {
    pub names: usize,
    /// The number of further addresses of the other servers.
    pub addresses: usize,
}

/// Whether the zone's own servers were queried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ZoneServerCoverage {
    /// They were found and queried, except for these.
    Queried(UnqueriedServers),
    /// The domain is not delegated: the registry's servers answer for it.
    NotDelegated,
    /// Only one given server was to be queried.
    NotRequested,
    /// They were not found.
    NotFound,
}

impl ZoneServerCoverage {
    /// Returns false if servers that the CA may query were not queried.
    #[must_use]
    pub(crate) fn is_complete(self) -> bool {
        matches!(self, Self::NotRequested) || self == Self::Queried(UnqueriedServers::default())
    }
}

/// What the servers answer about the zone itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ZoneDelegation {
    /// The parent zone and the name servers that it lists; `None` if that is not known.
    pub parent: Option<(String, Vec<String>)>,
    /// The copy of the zone on each of its servers.
    pub copies: Vec<ZoneCopy>,
}

/// One server's copy of the zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ZoneCopy {
    pub server: String,
    /// The serial number (SOA).
    pub serial: Option<u32>,
    /// The zone's NS records, sorted.
    pub name_servers: Option<Vec<String>>,
}

/// Why a chain of aliases leads nowhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum AliasChain {
    /// It returns to this name.
    Loop(String),
    /// It has more than this many names, and resolvers do not follow it that far.
    Long(usize),
}

/// Answers to further queries: about the zone, its keys, and the target of an alias.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct SurroundingAnswers {
    /// What the servers answer about the zone itself; `None` if only one given server was to be
    /// queried.
    pub delegation: Option<ZoneDelegation>,
    pub evidence: DnssecEvidence,
    /// The name of an alias that leads nowhere, and why.
    pub broken_chain: Option<(String, AliasChain)>,
    /// The answer for a sibling name that does not exist, if it was queried: only a wildcard record
    /// answers there.
    pub wildcard_answer: Option<DnsAnswer>,
    /// A resolver's address and its own explanation for a missing answer (RFC 8914).
    pub explanations: Vec<(String, String)>,
}

/// The answers of all servers about one record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DnsSurvey {
    /// The zone that contains the name, if it was found.
    pub zone: Option<String>,
    /// Whether the zone's own servers were queried.
    pub zone_server_coverage: ZoneServerCoverage,
    pub server_answers: Vec<ServerAnswers>,
    pub surroundings: SurroundingAnswers,
}

impl fmt::Display for DnsServerId {
    /// Writes `dns1.example.net (192.0.2.1)` or `resolver 127.0.0.53`; the port if it is not 53.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match self.address {
            Some(address) if address.port() == 53 => address.ip().to_string(),
            Some(address) => address.to_string(),
            None => "no address".to_owned(),
        };
        match (&self.name, self.role) {
            (Some(name), _) => write!(f, "{name} ({address})"),
            (None, ServerRole::Resolver) => write!(f, "resolver {address}"),
            (None, ServerRole::Authoritative) => f.write_str(&address),
        }
    }
}
