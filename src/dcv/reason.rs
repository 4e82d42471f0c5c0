//! Why a verdict is what it is.

use std::net::IpAddr;

use super::answer::{DnsAnswer, RecordKind, UnqueriedServers};
use crate::dcv::value_check::ValueFlaw;

/// Why a verdict is what it is: facts; `advice::dcv` has the words and the advice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DcvReason {
    /// It is at another name than the record's own.
    WrongName {
        at: String,
        /// How that name came about.
        cause: WrongPlace,
    },
    /// Something else is at the record's own name, in its place or beside it.
    Conflict {
        at: String,
        conflict: ConflictingRecord,
    },
    /// No way from this machine to some servers.
    NoRoute {
        servers: Vec<String>,
        /// Who was asked all the same.
        others: OtherServers,
    },
    /// The domain has no servers of its own: not registered, expired, or without NS records at the
    /// registrar.
    NotDelegated {
        /// The registrable domain.
        domain: String,
    },
    /// It is in the zone but some servers have an older copy.
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
    /// The zone's servers have it; a resolver remembers from before that it was absent.
    ResolverRemembers {
        servers: Vec<String>,
        /// How long it may go on, as it said.
        seconds: Option<u32>,
    },
    /// Some server did not answer the question.
    Silent {
        servers: Vec<String>,
        answer: DnsAnswer,
    },
    /// The zone has more servers than were asked.
    TooManyServers {
        domain: String,
        /// How many are left.
        omitted: UnqueriedServers,
    },
    /// The value is not known to be right.
    Value {
        at: String,
        found: String,
        /// What should be there, as far as it is known.
        expected: String,
        /// What is the matter with it.
        flaw: ValueFlaw,
    },
}

/// Who was asked where no way leads to some servers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OtherServers {
    /// Others of the zone's own servers.
    ZoneServers,
    Resolver,
    /// Nobody: there was no way to any resolver.
    NoServer,
}

/// How a record came to stand at another name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WrongPlace {
    /// It is below the domain, which it does not prove.
    Below { domain: String },
    /// The zone's name was typed into a panel that adds it by itself.
    Doubled {
        zone: String,
        /// The host to type instead.
        relative: String,
    },
    /// The underscore in front is missing.
    NoUnderscore,
    /// It is at a parent domain, where the CA looks too.
    Parent,
}

/// What is at a record's own name in its place or beside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConflictingRecord {
    /// Addresses, where a CNAME was entered: the provider resolves it by itself, or its proxy
    /// answers.
    Addresses(Vec<IpAddr>),
    /// A text is looked for, and the name is an alias for this one, which has none.
    Alias(String),
    /// The CNAME, and other data of this type at the same name.
    Beside(RecordKind),
    /// Other data of this type, which keep a CNAME out.
    Blocking(RecordKind),
    /// What a wildcard record has for every name.
    Wildcard(String),
    /// The value, in a record of another type.
    WrongType {
        /// The type that the CA looks for.
        wanted: RecordKind,
        /// The type that is there.
        seen: RecordKind,
    },
}
