//! The reasons for a verdict.

use std::net::IpAddr;

use super::answer::{DnsAnswer, RecordKind, UnqueriedServers};
use crate::dcv::value_check::ValueFlaw;

/// A reason for a verdict, as facts; `advice::dcv` puts it into words and adds advice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DcvReason {
    /// The record is at another name than its own.
    WrongName {
        at: String,
        /// How the record probably got there.
        cause: WrongPlace,
    },
    /// Other data is at the record's own name, instead of it or beside it.
    Conflict {
        at: String,
        conflict: ConflictingRecord,
    },
    /// This machine has no route to some servers.
    NoRoute {
        servers: Vec<String>,
        /// Which other servers were queried.
        others: OtherServers,
    },
    /// The domain has no name servers: it is not registered, has expired, or has no NS records at
    /// the registrar.
    NotDelegated {
        /// The registrable domain.
        domain: String,
    },
    /// Some servers of the zone do not have the record yet.
    NotEverywhere {
        servers: Vec<String>,
    },
    NotPublished {
        name: String,
        servers: Vec<String>,
    },
    /// The zone's own servers could not be found.
    OwnServersNotFound {
        domain: String,
    },
    /// Other servers have the record; a resolver has cached its absence.
    ResolverCachedAbsence {
        servers: Vec<String>,
        /// For how many seconds the absence may still be cached.
        seconds: Option<u32>,
    },
    /// Some servers did not answer the query.
    NoAnswer {
        servers: Vec<String>,
        answer: DnsAnswer,
    },
    /// The zone has more servers than were queried.
    TooManyServers {
        domain: String,
        /// How many were not queried.
        omitted: UnqueriedServers,
    },
    /// The value is not known to be right.
    Value {
        at: String,
        found: String,
        /// The right value, if it is known.
        expected: Option<String>,
        /// What is wrong with the value.
        flaw: ValueFlaw,
    },
}

impl DcvReason {
    /// Whether somebody has to change the zone: waiting does not make the record visible.
    #[must_use]
    pub(crate) fn needs_change(&self) -> bool {
        match self {
            Self::Conflict { .. } | Self::WrongName { .. } => true,
            Self::Value { flaw, .. } => *flaw != ValueFlaw::Unchecked,
            _ => false,
        }
    }
}

/// Which servers were queried if some are unreachable from this machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OtherServers {
    /// Other servers of the zone.
    ZoneServers,
    Resolver,
    /// None: no resolver is reachable either.
    NoServer,
}

/// Why a record is at another name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WrongPlace {
    /// It is below the domain, which it does not validate.
    Below { domain: String },
    /// The zone's name was typed into a console that appends it by itself.
    Doubled {
        zone: String,
        /// The host to enter instead.
        relative: String,
    },
    /// The leading underscore is missing.
    NoUnderscore,
    /// It is at a parent domain, which the CA queries too.
    Parent,
}

/// The data at a record's own name, instead of it or beside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConflictingRecord {
    /// Addresses instead of a CNAME: the provider resolves the CNAME by itself, or its proxy
    /// answers.
    Addresses(Vec<IpAddr>),
    /// A TXT record is expected, and the name is an alias for this name, which has none.
    Alias(String),
    /// The CNAME, and a record of this type at the same name.
    Beside(RecordKind),
    /// A record of this type, which prevents a CNAME.
    Blocking(RecordKind),
    /// Several CNAME records.
    SeveralAliases {
        /// The right target, if it is one of them.
        right: Option<String>,
        /// The other targets.
        wrong: Vec<String>,
        /// The right target, if it is known.
        expected: Option<String>,
    },
    /// The answer of a wildcard record, which is the same for every name.
    Wildcard(String),
    /// The value in a record of another type.
    WrongType {
        /// The type that the CA queries.
        wanted: RecordKind,
        /// The type that was found.
        found: RecordKind,
    },
}
