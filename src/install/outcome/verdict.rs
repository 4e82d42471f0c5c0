//! The verdicts of an installation, with their words and exit codes.

/// The word for a server that was reloaded.
pub(super) const RELOADED: &str = "reloaded";

/// The verdicts of the contract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InstallVerdict {
    /// Installed; there is no server to probe.
    Files,
    /// Installed and verified at every address.
    Live,
    /// Installed and in use, and another address serves something else.
    LiveIncomplete,
    /// Installed, and no server serves it yet.
    NotServed,
    /// Failed after the switch, and not everything was rolled back.
    PartlyRolledBack,
    Planned,
    Refused,
    /// Failed after the switch; everything was rolled back.
    RolledBack,
    /// Everything was installed already.
    Unchanged,
}

impl InstallVerdict {
    /// Its name in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Live => "live",
            Self::LiveIncomplete => "live-incomplete",
            Self::NotServed => "not-served",
            Self::PartlyRolledBack => "rollback-failed",
            Self::Planned => "planned",
            Self::Refused => "refused",
            Self::RolledBack => "rolled-back",
            Self::Unchanged => "unchanged",
        }
    }

    /// The exit code of the process.
    #[must_use]
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Files | Self::Live | Self::Planned | Self::Unchanged => 0,
            Self::NotServed | Self::Refused => 1,
            Self::RolledBack => 5,
            Self::PartlyRolledBack => 6,
            Self::LiveIncomplete => 7,
        }
    }
}
