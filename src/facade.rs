//! The parts of certctl that its own tests, benches and fuzz targets use, under the paths that they
//! have inside the crate. Nothing else is public. It is no API: it changes with the code.

/// Domain control validation.
pub mod dcv {
    /// DNS answers.
    pub mod answer {
        pub use crate::dcv::answer::{Answer, LeftOut, RecordKind, Role};
    }
    /// The `.dcv` file.
    pub mod dcv_file {
        pub use crate::dcv::dcv_file::Kept;
    }
    /// The findings of `dcv-check`.
    pub mod finding_codes {
        pub use crate::dcv::finding_codes::{FINDINGS, table};
    }
    /// The record as a reseller shows it.
    pub mod parse {
        pub use crate::dcv::parse::{RecordError, parse};
    }
    /// Why a record is not visible.
    pub mod reason {
        pub use crate::dcv::reason::{Elsewhere, Instead, Others, Reason};
    }
    /// What is wrong with a record value.
    pub mod value_check {
        pub use crate::dcv::value_check::Flaw;
    }
}

/// What a CA sends.
pub mod delivery {
    pub use crate::delivery::{
        Delivery, DeliveryError, Ignored, Input, Limits, Passphrase, Source, Unused,
    };
}

/// Output formats.
pub mod export {
    pub use crate::export::{ExportError, Format};
}

/// Why a command has no outcome.
pub mod failure {
    pub use crate::failure::{Failure, Kind};
}

/// Findings and next steps.
pub mod finding {
    pub use crate::finding::{Finding, Next};
}

/// What an install changes.
pub mod install_plan {
    /// Running a plan.
    pub mod apply {
        pub use crate::install_plan::apply::{Probe, Trouble};
        /// Why an install fails.
        pub mod error {
            pub use crate::install_plan::apply::error::InstallError;
        }
    }
    /// What is on disk.
    pub mod observe {
        pub use crate::install_plan::observe::Obstacle;
    }
    /// The steps of an install.
    pub mod plan {
        pub use crate::install_plan::plan::{Back, End, InstallPlan, Start, Step, flushes};
    }
}

/// What `status` judges.
pub mod inventory {
    pub use crate::inventory::What;
    /// Fast and complete readers of certificate files.
    pub mod file_reader {
        pub use crate::inventory::file_reader::{Keys, glance, whole};
    }
}

/// Which certificate and key belong together.
pub mod matching {
    pub use crate::matching::PairingError;
}

/// Names, keys, requests, certificates, chains.
pub mod pki {
    /// Certificates.
    pub mod certificate {
        pub use crate::pki::certificate::{Certificate, CertificateError};
    }
    /// Chain building.
    pub mod chain {
        pub use crate::pki::chain::{Prefer, Wanted};
    }
    /// Keys.
    pub mod key {
        pub use crate::pki::key::{KeyAlgorithm, KeyError, PublicKeyId};
    }
    /// DNS names.
    pub mod name {
        pub use crate::pki::name::{DnsName, NameError, Names};
    }
    /// Certificate signing requests.
    pub mod request {
        pub use crate::pki::request::RequestError;
    }
    /// Distinguished names.
    pub mod subject {
        pub use crate::pki::subject::SubjectError;
    }
    /// Trust anchors.
    pub mod trust {
        pub use crate::pki::trust::{TrustAnchors, TrustSource};
    }
    /// Chain verification.
    pub mod verify {
        pub use crate::pki::verify::{Policy, Problem, assemble, problems};
    }
}

/// Judging a TLS handshake.
pub mod probe {
    pub use crate::probe::{Handshake, Patience, ProbeTarget, Turn, Verdict, judge};
}

/// The parts of `rehearse`.
pub mod rehearsal {
    /// The DNS zone of the rehearsal.
    pub mod zone {
        pub use crate::rehearsal::zone::Zone;
    }
}

/// What is printed.
pub mod report {
    pub use crate::report::Text;
}

/// Everything under /etc/ssl/certctl.
pub mod store {
    /// Who may read a key.
    pub mod key_access {
        /// The owner of installed files.
        pub mod owner {
            pub use crate::store::key_access::owner::OwnerError;
        }
    }
    /// Paths, links and modes.
    pub mod layout {
        pub use crate::store::layout::{Layout, Link, Piece, ReleaseId};
    }
    /// One set of installed files.
    pub mod release {
        pub use crate::store::release::{Access, Release};
    }
    /// Stored options.
    pub mod settings {
        pub use crate::store::settings::Settings;
    }
}

/// Files, network, processes.
pub mod system {
    /// The DNS client.
    pub mod dns {
        pub use crate::system::dns::{DnsError, glanced, heard};
    }
    /// Files and folders.
    pub mod fs {
        /// Reading and writing files.
        pub mod files {
            pub use crate::system::fs::files::FileError;
        }
        /// Advisory locks.
        pub mod lock {
            pub use crate::system::fs::lock::Lock;
        }
        /// Temporary folders.
        pub mod scratch {
            pub use crate::system::fs::scratch::ScratchError;
        }
    }
    /// Running commands.
    pub mod process {
        pub use crate::system::process::{
            Finished, Invocation, ProcessError, WordsError, alive, run, which,
        };
    }
    /// Servers for the rehearsal.
    pub mod serve {
        /// A DNS server.
        pub mod dns {
            pub use crate::system::serve::dns::DnsServer;
        }
    }
    /// Prompts.
    pub mod terminal {
        pub use crate::system::terminal::AskError;
    }
    /// TLS handshakes.
    pub mod tls {
        pub use crate::system::tls::{ProbeError, probe_all, resolve};
    }
}

/// Web servers and their configuration.
pub mod webserver {
    /// The Apache dialect.
    pub mod apache {
        pub use crate::webserver::apache::Directive;
    }
    /// Finding, testing and reloading servers.
    pub mod control {
        pub use crate::webserver::control::{
            Apache, Detail, Nginx, Program, Server, ServerError, Standing,
        };
        /// nginx on this machine.
        pub mod nginx {
            pub use crate::webserver::control::nginx::read_config;
        }
    }
    /// What any server configuration means.
    pub mod model {
        pub use crate::webserver::model::{Blame, NewBlock, Software, Targets, Wanted};
    }
    /// The nginx dialect.
    pub mod nginx {
        pub use crate::webserver::nginx::{Directive, Fault, ParseError, complaint};
    }
}
