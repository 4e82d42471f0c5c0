//! What name servers said: the values that `system::dns` brings back and `judge` looks at.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::dnssec::DnssecEvidence;

/// What a server is to the zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServerRole {
    /// It looks things up for others and remembers them.
    Resolver,
    /// One of the zone's own servers: what a CA's resolver asks in the end.
    Authoritative,
}

impl ServerRole {
    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Resolver => "resolver",
            Self::Authoritative => "authoritative",
        }
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DnsServerId {
    /// Where it was asked; none was found for the name where it is missing.
    pub address: Option<SocketAddr>,
    /// Its name, where it was found by one.
    pub name: Option<String>,
    /// What it is to the zone.
    pub role: ServerRole,
}

/// A type of record that is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// Addresses: what is left of a CNAME that a provider flattens.
    A,
    /// Addresses of the other kind.
    Aaaa,
    /// An alias; its target is the proof.
    Cname,
    /// Mail exchangers (RFC 1035 3.3.9).
    Mx,
    /// Text strings (RFC 1035 3.3.14).
    Txt,
}

impl RecordKind {
    /// As zone files write it.
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

/// What a server said when it was asked for one type of record at one name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DnsAnswer {
    /// There is an alias (whatever was asked for); the target without its final dot, as the server
    /// spelled it.
    Cname(String),
    /// The texts there, the strings of each record joined; bytes that are no UTF-8 are replaced.
    Txt(Vec<String>),
    /// The addresses of an A or AAAA answer.
    Addresses(Vec<IpAddr>),
    /// Who takes mail for it, by preference; an empty name says that nobody does (RFC 7505).
    Mx(Vec<String>),
    /// NXDOMAIN: there is nothing of this name; the seconds that it says this may be remembered.
    NoName(Option<u32>),
    /// NODATA: the name is there, but not with this type; the seconds that it says this may be
    /// remembered.
    NoData(Option<u32>),
    /// The resolver has an answer but rejects it, for its DNSSEC signatures do not hold.
    Bogus,
    /// A server named by the zone that does not answer for it with authority.
    Lame,
    /// The server answered REFUSED (RFC 1035 4.1.1).
    Refused,
    /// The server answered SERVFAIL (RFC 1035 4.1.1).
    ServFail,
    /// Another response code, in words.
    Failed(String),
    /// Its answer was cut short, and by TCP, where the whole one is to be had, it gives none.
    NoTcp,
    /// No usable answer within the time.
    Timeout,
    /// No program listens on the port.
    Closed,
    /// No address was found for the server's name, or its lookup failed: it was not asked.
    NoAddress,
    /// This machine has no way to that address (IPv6 where there is none): nobody was asked.
    NoRoute,
}

impl DnsAnswer {
    /// True when the server came to an answer: the record, its absence, or one that does not hold.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        use DnsAnswer::{Addresses, Bogus, Cname, Mx, NoData, NoName, Txt};
        matches!(
            self,
            Cname(_) | Txt(_) | Addresses(_) | Mx(_) | NoName(_) | NoData(_) | Bogus
        )
    }

    /// True when nothing at all came from where it was asked.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::Closed | Self::NoAddress | Self::NoRoute | Self::Timeout
        )
    }

    /// The word in JSON; in a finding's code it stands behind `server-`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Cname(_) => "cname",
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

/// One question and what came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AnsweredQuery {
    pub name: String,
    /// The type of record.
    pub kind: RecordKind,
    pub answer: DnsAnswer,
    /// For how many seconds it may be remembered, where it is there (TTL).
    pub ttl: Option<u32>,
}

/// All that one server said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerAnswers {
    pub server: DnsServerId,
    /// The questions and answers in the order asked: the record's own name and type first.
    pub answers: Vec<AnsweredQuery>,
}

/// How many of a zone's own servers were not asked, for there are more than anybody needs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct UnqueriedServers {
    pub names: usize,
    /// Addresses of the others.
    pub addresses: usize,
}

/// Whether the zone's own servers were among those asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ZoneServerCoverage {
    /// They were found and asked, but for those left out.
    Asked(UnqueriedServers),
    /// There are none: the registry's servers answer for the domain, which is not delegated.
    NotDelegated,
    /// Not wanted: one server alone was to be asked.
    NotRequested,
    /// Wanted but not found.
    NotFound,
}

impl ZoneServerCoverage {
    /// False where some that the CA may ask were not asked.
    #[must_use]
    pub(crate) fn is_complete(self) -> bool {
        matches!(self, Self::NotRequested) || self == Self::Asked(UnqueriedServers::default())
    }
}

/// What the servers say about the zone itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ZoneDelegation {
    /// The zone above, and the names of the servers that it gives; empty where it was not told.
    pub parent: Option<(String, Vec<String>)>,
    /// What each of the zone's servers says: its name, the serial number of its copy and the NS
    /// records in it.
    pub copies: Vec<ZoneCopy>,
}

/// One server's copy of the zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ZoneCopy {
    pub server: String,
    /// The serial number (SOA).
    pub serial: Option<u32>,
    /// The names of the zone's servers, in order.
    pub name_servers: Option<Vec<String>>,
}

/// Where a chain of aliases that is not the proof goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum AliasChain {
    /// It comes back to this name.
    Loop(String),
    /// It is longer than this many names, and no CA follows so far.
    Long(usize),
}

/// What was asked besides the record: about the zone, its keys, and where an alias leads.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct SurroundingAnswers {
    /// What servers say about the zone itself; not known where nobody but one server was to be
    /// asked.
    pub delegation: Option<ZoneDelegation>,
    pub evidence: DnssecEvidence,
    /// Where the alias at a name leads, where that is nowhere.
    pub broken_chain: Option<(String, AliasChain)>,
    /// What is at a name beside the record's that nobody made, where that was asked: only a
    /// wildcard answers there.
    pub wildcard_answer: Option<DnsAnswer>,
    /// A resolver's own words for why it gave no answer (RFC 8914), with its address.
    pub explanations: Vec<(String, String)>,
}

/// All that all servers said about one record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DnsSurvey {
    /// The zone that holds the name, where it was found.
    pub zone: Option<String>,
    /// Whether its own servers were asked.
    pub zone_server_coverage: ZoneServerCoverage,
    /// What each server said.
    pub server_answers: Vec<ServerAnswers>,
    /// What was asked besides.
    pub surroundings: SurroundingAnswers,
}

impl fmt::Display for DnsServerId {
    /// `dns1.example.net (192.0.2.1)`, `resolver 127.0.0.53`; the port where it is not 53.
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
