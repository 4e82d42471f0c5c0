//! What every provider does, and why it may fail.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::configuration::ConfigurationError;
use crate::publishing::profile::ProviderProfile;
use crate::publishing::zone_record::{PublishableKind, RecordLocation, RecordValue};
use crate::system::dns::UpdateError;
use crate::system::http::api::ApiError;
use crate::system::process::ProcessError;
use crate::system::tls::ProbeError;

/// The time limit of a program without `--hook-timeout`.
pub(crate) const HOOK_TIMEOUT: Duration = Duration::from_secs(300);

/// A provider whose credentials are known.
pub(crate) trait DnsProvider {
    /// Returns the provider's name for people.
    fn title(&self) -> String;

    /// Returns how long the provider may take to update all of its servers after the first answers.
    fn propagation(&self) -> Duration;

    /// Returns the CNAME and TXT records at a name as the provider has them.
    ///
    /// # Errors
    /// See [`ProviderError`].
    fn read_records(&self, location: &RecordLocation) -> Result<ProviderView, ProviderError>;

    /// Adds a record; other records at the name stay.
    ///
    /// # Errors
    /// See [`ProviderError`].
    fn add_record(
        &self,
        location: &RecordLocation,
        new_record: &RecordValue,
    ) -> Result<(), ProviderError>;

    /// Removes exactly this record.
    ///
    /// # Errors
    /// See [`ProviderError`].
    fn remove_record(
        &self,
        location: &RecordLocation,
        old_record: &RecordValue,
    ) -> Result<(), ProviderError>;

    /// Replaces a record, in one step if the provider can do that.
    ///
    /// # Errors
    /// See [`ProviderError`].
    fn replace_record(
        &self,
        location: &RecordLocation,
        old_record: &RecordValue,
        new_record: &RecordValue,
    ) -> Result<(), ProviderError> {
        self.remove_record(location, old_record)?;
        self.add_record(location, new_record)
    }
}

/// What a provider has at a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ProviderView {
    Records(Vec<RecordValue>),
    /// The provider only changes records; the zone's own servers have to be queried.
    Unreadable,
}

/// Why a provider could not be used, or did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    #[error("the address of the name server {server} was not found")]
    ServerAddress {
        server: String,
        #[source]
        source: ProbeError,
    },
    #[error("the update of {zone} failed")]
    Update {
        zone: String,
        #[source]
        source: UpdateError,
    },
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The provider answered with an error.
    #[error("{} refused the request: {fault}", provider.title)]
    Refused {
        provider: &'static ProviderProfile,
        fault: Box<ProviderFault>,
    },
    #[error("the account at {} has no zone {zone}", provider.title)]
    NoZone {
        provider: &'static ProviderProfile,
        zone: String,
    },
    /// The zone's servers answer with the provider's own addresses instead.
    #[error("{name} has a CNAME record that is proxied, so that no CA can see it")]
    Proxied { name: String },
    #[error("there are more records at {name} than certctl reads")]
    TooManyRecords { name: String },
    #[error(transparent)]
    Program(#[from] ProcessError),
    /// The program ended with another exit code than 0, or not at all.
    #[error("{program} {end}")]
    ProgramFailed {
        program: String,
        end: String,
        /// Its last lines. Untrusted text.
        output: Vec<String>,
    },
    /// dns-lexicon, or a provider of it.
    #[error("dns-lexicon cannot publish records at {provider}: {reason}")]
    Lexicon {
        provider: String,
        reason: LexiconFault,
    },
    /// The program was written for TXT records only.
    #[error("{program} does not declare that it can publish {} records", kind.word())]
    UnsupportedKind {
        program: String,
        kind: PublishableKind,
    },
}

/// What the API of a provider says about a failure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ProviderFault {
    /// The status of the answer.
    pub status: u16,
    /// The provider's word for it; empty if there is none. Untrusted text, as the next two.
    pub code: String,
    pub message: String,
    /// The provider's identifier of the request.
    pub request: Option<String>,
    /// When the provider asks to be asked again.
    pub retry_at: Option<Timestamp>,
}

impl fmt::Display for ProviderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.code.is_empty() {
            return write!(f, "status {}", self.status);
        }
        write!(f, "{} (status {})", self.code, self.status)?;
        if self.message.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.message)
    }
}

/// Why dns-lexicon did not do what was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum LexiconFault {
    #[error("no Python with dns-lexicon was found")]
    NoPython,
    #[error("{} has no dns-lexicon", .0.display())]
    NotInstalled(PathBuf),
    #[error("{} has a dns-lexicon before 3.18", .0.display())]
    TooOld(PathBuf),
    #[error("users other than root can change {0}")]
    Exposed(String),
    #[error("dns-lexicon has no provider of this name; it has {0}")]
    UnknownProvider(String),
    #[error("{} has no package that this provider needs", .0.display())]
    ExtraNeeded(PathBuf),
    /// Nothing is published there.
    #[error("its API replaces all records of a zone at once, and could lose some")]
    RewritesZone,
    /// Nothing was removed.
    #[error("the provider ignores the value of a record, and would remove others too")]
    NoFilter,
    #[error("the provider reported a failure")]
    Refused,
    /// What the provider's module raised, or the end of the output. Untrusted text.
    #[error("{0}")]
    Failed(String),
    #[error("it did not end within {0} s")]
    TimedOut(u64),
}

impl LexiconFault {
    fn changed_nothing(&self) -> bool {
        !matches!(self, Self::Refused | Self::Failed(_) | Self::TimedOut(_))
    }
}

impl ProviderError {
    /// Returns whether the provider certainly did not change anything.
    #[must_use]
    pub(crate) fn changed_nothing(&self) -> bool {
        match self {
            Self::Configuration(_)
            | Self::NoZone { .. }
            | Self::Proxied { .. }
            | Self::ServerAddress { .. }
            | Self::TooManyRecords { .. }
            | Self::Program(_)
            | Self::UnsupportedKind { .. } => true,
            Self::Update { source, .. } => matches!(
                source,
                UpdateError::Key(_)
                    | UpdateError::Name(..)
                    | UpdateError::Rejected { .. }
                    | UpdateError::WrongSignature { .. }
            ),
            Self::Api(error) => error.was_not_sent(),
            Self::Refused { fault, .. } => fault.status < 500,
            Self::Lexicon { reason, .. } => reason.changed_nothing(),
            Self::ProgramFailed { .. } => false,
        }
    }
}
