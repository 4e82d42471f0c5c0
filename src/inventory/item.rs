//! One item that was found, and where.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::finding::NextStep;
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::webserver::model::ServerSoftware;

/// Why a file was scanned.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum ItemOrigin {
    /// acme.sh manages it.
    AcmeSh,
    /// certbot manages it; the name of certbot's lineage.
    Certbot(String),
    /// A server's configuration uses it: which server, and where (`FILE:LINE`).
    Configured(ServerSoftware, String),
    /// It is in a zip file or an email from the CA.
    Delivery,
    /// It was passed on the command line, or is below a folder that was.
    Given,
    /// It is in the working directory.
    Here,
    /// certctl installed it; the name of the lineage.
    Installed(String),
    /// It is in the folder where the request of an installed lineage was created, and belongs to a
    /// renewal of it.
    Renewal,
}

impl ItemOrigin {
    /// Returns the stable word in JSON.
    #[must_use]
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::AcmeSh => "acme.sh",
            Self::Certbot(_) => "certbot",
            Self::Configured(..) => "configured",
            Self::Delivery => "delivery",
            Self::Given => "given",
            Self::Here => "here",
            Self::Installed(_) => "installed",
            Self::Renewal => "round",
        }
    }

    /// Returns whether a server reads the files there.
    #[must_use]
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::Configured(..) | Self::Installed(_))
    }
}

/// Where an item was found.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum ItemLocation {
    /// A server sends it.
    Address {
        address: SocketAddr,
        /// The name that the probe requested (SNI).
        name: String,
    },
    File {
        path: PathBuf,
        /// Why it was scanned.
        origin: ItemOrigin,
    },
}

impl ItemLocation {
    #[must_use]
    pub(crate) fn file(path: impl Into<PathBuf>, origin: ItemOrigin) -> Self {
        Self::File {
            path: path.into(),
            origin,
        }
    }

    /// Returns whether a server reads the files there.
    #[must_use]
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::File { origin, .. } if origin.is_live())
    }

    /// Returns true for an item in a zip file or an email from the CA.
    #[must_use]
    pub(crate) fn is_packed(&self) -> bool {
        matches!(
            self,
            Self::File {
                origin: ItemOrigin::Delivery,
                ..
            }
        )
    }

    /// Returns the name under which certctl installed it.
    #[must_use]
    pub(crate) fn stem(&self) -> Option<&str> {
        match self {
            Self::File {
                origin: ItemOrigin::Installed(stem),
                ..
            } => Some(stem),
            _ => None,
        }
    }
}

impl fmt::Display for ItemLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, .. } => address.fmt(f),
            Self::File { path, .. } => path.display().fmt(f),
        }
    }
}

/// The facts about a key that a listing needs, without its bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeldKey {
    pub id: PublicKeyId,
    pub algorithm: KeyAlgorithm,
    /// The permission bits of its file.
    pub mode: Mode,
}

/// The facts about a request that a listing needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedRequest {
    /// The requested names.
    pub names: Vec<String>,
    /// The id of its key.
    pub id: PublicKeyId,
    /// The algorithm of its key.
    pub algorithm: KeyAlgorithm,
}

/// The stored options of a lineage on which its next renewals depend.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct InstallTerms {
    /// The last day of the paid order term.
    pub paid_until: Option<Date>,
    /// Only a placeholder is installed.
    pub placeholder: bool,
    /// The `--trust` of the install, if it was not Mozilla's list.
    pub trust: Option<String>,
    /// The certificate that the last rollback replaced, and when.
    pub rolled_back: Option<(Fingerprint, Timestamp)>,
}

/// The content of a file or of a block in it.
#[derive(Clone, Debug)]
pub enum ItemContent {
    /// Certificates in the order of the file, or in which the server sent them.
    Certificates(Vec<Arc<Certificate>>),
    /// A private key, encrypted or not.
    Key(HeldKey),
    /// A private key that needs a password; only its file name shows what it belongs to.
    LockedKey {
        /// The permission bits of its file.
        mode: Mode,
    },
    /// A file with the name of a key that this user may not read.
    UnreadableKey,
    /// A certificate signing request.
    Request(ListedRequest),
    /// A certificate revocation list.
    Revoked(RevocationList),
}

/// One item that was found.
#[derive(Clone, Debug)]
pub(crate) struct InventoryItem {
    pub location: ItemLocation,
    pub content: ItemContent,
}

/// A probe of a server that should send a certificate, and its result.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerProbe {
    /// SHA-256 of the DER of the certificate that the server should send; none for a host that was
    /// passed as an argument.
    pub expected: Option<Fingerprint>,
    pub address: SocketAddr,
    /// The name that the probe requested (SNI).
    pub name: String,
    /// The block that answers there with other files, if the certificate's own does not.
    pub other_block: Option<OtherBlock>,
    /// The leaf that the server sent, or why it sent none.
    pub answer: Result<ServedLeaf, String>,
}

/// A block of a server's configuration that answers for names of a certificate with other files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OtherBlock {
    /// `FILE:LINE`.
    pub place: String,
    /// The lines to change there.
    pub next: Vec<NextStep>,
}

/// The leaf that a server sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServedLeaf {
    /// SHA-256 of its DER.
    pub fingerprint: Fingerprint,
    /// A label for people. Untrusted text.
    pub label: String,
    pub not_after: Option<Timestamp>,
    /// Whether the certificates after it are the same as in the file.
    pub same_chain: bool,
    /// What a stapled OCSP response is about, if that is not this certificate.
    pub stapled_for: Option<String>,
}
