//! One thing that was found, and where.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::webserver::model::ServerSoftware;

/// Why a place was scanned.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum ItemOrigin {
    AcmeSh,
    /// certbot keeps it; the name of its lineage.
    Certbot(String),
    /// A configuration names it: whose, and where (`FILE:LINE`).
    Configured(ServerSoftware, String),
    /// It is packed in what the CA sent, and its key or request was found elsewhere.
    Delivery,
    /// It was named on the command line, or is below a folder that was.
    Given,
    /// It is in the working directory.
    Here,
    /// certctl installed it; the name of the lineage.
    Installed(String),
    /// It is in the folder where the request of an installed lineage was made, and belongs to a
    /// renewal of it.
    Renewal,
}

impl ItemOrigin {
    /// The stable word in JSON.
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

    /// Whether a server reads the files there.
    #[must_use]
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::Configured(..) | Self::Installed(_))
    }
}

/// Where something was found.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum ItemLocation {
    /// A server shows it.
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

    /// Whether a server reads the files there.
    #[must_use]
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::File { origin, .. } if origin.is_live())
    }

    /// Whether it is packed in a file from the CA.
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

    /// The name under which certctl installed it.
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

/// A key as far as a listing needs it: never its bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeldKey {
    pub id: PublicKeyId,
    pub algorithm: KeyAlgorithm,
    /// The permission bits of its file.
    pub mode: Mode,
}

/// A request as far as a listing needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedRequest {
    /// The requested names.
    pub names: Vec<String>,
    /// The identity of its key.
    pub id: PublicKeyId,
    /// The kind of key.
    pub algorithm: KeyAlgorithm,
}

/// What a lineage was installed with, as far as its next renewals depend on it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct InstallTerms {
    /// The last day of the term that is paid for.
    pub paid_until: Option<Date>,
    /// Only the place of a certificate is kept.
    pub placeholder: bool,
    /// The `--trust` of the install, where it named other roots than Mozilla's.
    pub trust: Option<String>,
}

/// What a file or a block in it holds.
#[derive(Clone, Debug)]
pub enum ItemContent {
    /// Certificates in the order of the file, or as they were sent.
    Certificates(Vec<Arc<Certificate>>),
    /// A private key, encrypted or not.
    Key(HeldKey),
    /// A private key that needs a passphrase: whose it is only its name tells.
    LockedKey {
        /// The permission bits of its file.
        mode: Mode,
    },
    /// A certificate signing request.
    Request(ListedRequest),
    /// Revoked certificates of a CA.
    Revoked(RevocationList),
}

/// One thing that was found.
#[derive(Clone, Debug)]
pub(crate) struct InventoryItem {
    pub location: ItemLocation,
    pub content: ItemContent,
}

/// Somebody who should show a certificate, and what came of asking.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServedQuestion {
    /// The certificate that should be shown, SHA-256 of its DER; none for a host that was named.
    pub expected: Option<Fingerprint>,
    pub address: SocketAddr,
    /// The name that the probe requested (SNI).
    pub name: String,
    /// What was shown, the leaf first (SHA-256 of its DER and what it is called), or why nothing
    /// was.
    pub answer: Result<ServedLeaf, String>,
}

/// The leaf that a server showed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServedLeaf {
    /// SHA-256 of its DER.
    pub fingerprint: Fingerprint,
    /// In words. Foreign text.
    pub label: String,
    pub not_after: Option<Timestamp>,
    /// Whether the certificates after it are those of the file.
    pub same_chain: bool,
}
