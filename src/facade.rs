//! The parts of certctl that its own tests, benches and fuzz targets use, under the same paths as
//! inside the crate. Nothing else is public. This is not a stable API: it changes with the code.

/// The codes and verdicts of the output, with their meanings.
pub mod code_table {
    pub use crate::code_table::{
        CodeEntry, CodeKind, RENAMED_WORDS, RenamedKind, RenamedWord, entries, find, pages,
        validation_findings,
    };
}

/// The checks of `csr`.
pub mod csr_lint {
    pub use crate::csr_lint::codes;
}

/// Domain control validation.
pub mod dcv {
    /// DNS answers.
    pub mod answer {
        pub use crate::dcv::answer::{DnsAnswer, RecordKind, ServerRole};
    }
    /// The `.dcv` file.
    pub mod dcv_file {
        pub use crate::dcv::dcv_file::StoredRecord;
    }
    /// The record as a reseller shows it.
    pub mod parse {
        pub use crate::dcv::parse::parse;
    }
}

/// Reading the files that a CA sends.
pub mod delivery {
    pub use crate::delivery::{
        CaDelivery, DeliveryError, DeliveryInput, DeliveryLimits, LoadFault, Password,
        UnusedContent, load_certificates,
    };
}

/// The plan of an install.
pub mod install_plan {
    /// The steps of an install.
    pub mod plan {
        pub use crate::install_plan::plan::{
            InstallPlan, PlanEnd, PlanStep, RollbackTarget, UnfinishedStart, flushes,
        };
    }
}

/// The certificates that `status` lists.
pub mod inventory {
    pub use crate::inventory::ItemContent;
    /// Fast and complete readers of certificate files.
    pub mod file_reader {
        pub use crate::inventory::file_reader::{Keys, read_items, read_items_in_full};
    }
}

/// Permission bits of files.
pub mod permissions {
    pub use crate::permissions::Mode;
}

/// Names, keys, requests, certificates, chains.
pub mod pki {
    /// Dates of the Baseline Requirements.
    pub mod baseline_dates {
        pub use crate::pki::baseline_dates::{LIFETIME, midnight_utc};
    }
    /// Certificates.
    pub mod certificate {
        pub use crate::pki::certificate::Certificate;
    }
    /// Chain building.
    pub mod chain {
        pub use crate::pki::chain::{ChainCriteria, ChainPreference};
    }
    /// Keys.
    pub mod key {
        pub use crate::pki::key::KeyAlgorithm;
    }
    /// DNS names.
    pub mod name {
        pub use crate::pki::name::{DnsName, DnsNames};
    }
    /// Trust anchors.
    pub mod trust {
        pub use crate::pki::trust::TrustAnchors;
    }
    /// Chain verification.
    pub mod verify {
        pub use crate::pki::client_rules::{BrokenRule, find_errors_of_root};
        pub use crate::pki::verify::{ChainProblem, VerifyPolicy, assemble_chain, find_problems};
    }
}

/// Comparing a TLS handshake with the expected certificate.
pub mod probe {
    pub use crate::probe::{
        KeyCheck, ProbeDecision, ProbePatience, ProbeTarget, ProbeVerdict, TlsHandshake,
        compare_handshake,
    };
    /// Certificates that a server sends in the clear.
    pub mod server_flight {
        pub use crate::probe::server_flight::{
            ClearCertificates, FLIGHT_LIMIT, FlightError, ServerFlight,
        };
    }
    /// Stapled OCSP responses.
    pub mod stapled {
        pub use crate::probe::stapled::{StapledSubject, find_subject};
    }
}

/// The generated pages about files and limits.
pub mod reference {
    pub use crate::reference::{FileRow, file_rows, pages};
}

/// The servers of `rehearse`.
pub mod rehearsal {
    /// The DNS zone of the rehearsal.
    pub mod zone {
        pub use crate::rehearsal::zone::RehearsalZone;
    }
}

/// The files under /etc/ssl/certctl.
pub mod store {
    /// Paths, links and modes.
    pub mod layout {
        pub use crate::store::layout::{LineageLayout, ReleaseFile, ReleaseId, StableLink};
    }
    /// One set of installed files.
    pub mod release {
        pub use crate::store::release::{KeyAccess, Release};
    }
}

/// Files, network, processes.
pub mod system {
    /// The DNS client.
    pub mod dns {
        pub use crate::system::dns::{compare_fast_path, read_datagram};
    }
    /// Files and folders.
    pub mod fs {
        /// Advisory locks.
        pub mod lock {
            pub use crate::system::fs::lock::FileLock;
        }
    }
    /// Running commands.
    pub mod process {
        pub use crate::system::process::{
            CommandInvocation, FinishedCommand, ProcessError, find_program, is_alive, run,
        };
    }
    /// Servers for the rehearsal.
    pub mod serve {
        /// A DNS server.
        pub mod dns {
            pub use crate::system::serve::dns::DnsServer;
        }
    }
    /// TLS handshakes.
    pub mod tls {
        pub use crate::system::tls::clear_text::probe_with_fallback;
        pub use crate::system::tls::{ProbeError, probe_all, resolve};
    }
}

/// Web servers and their configuration.
pub mod webserver {
    /// The Apache dialect.
    pub mod apache {
        pub use crate::webserver::apache::ApacheDirective;
    }
    /// Finding, testing and reloading servers.
    pub mod control {
        pub use crate::webserver::control::{
            ApacheProgram, ControlledServer, NginxProgram, ServerDetail, ServerObservation,
            ServerProgram,
        };
        /// nginx on this machine.
        pub mod nginx {
            pub use crate::webserver::control::nginx::read_config;
        }
    }
    /// The configuration of any server.
    pub mod model {
        pub use crate::webserver::model::{
            ClientHello, ComplaintSubject, ConfiguredPath, InstalledPaths, ModelRule, ProbeTargets,
            ServedAnswer, ServerSoftware,
        };
    }
    /// The nginx dialect.
    pub mod nginx {
        pub use crate::webserver::nginx::{NginxDirective, complaint};
    }
}
