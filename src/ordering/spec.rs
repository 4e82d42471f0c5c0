//! What is ordered, where, and how it is validated.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::order_ca::{OrderCa, PurchaseChoice};
use super::webroots::Webroots;
use crate::acme::ca_table::AcmeChoice;
use crate::acme::registration::ExternalAccount;
use crate::advice::order as advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::request::RunMode;
use crate::matching::file_names;
use crate::pki::alt_name::AltNames;
use crate::publication::UncheckedRule;
use crate::publishing::provider::ProviderChoice;
use crate::store::settings::{LineageSettings, StoredOrder};
use crate::system::acme::ChallengeMethod;
use crate::system::fs::{files, folders};

/// How long another certctl may hold the lock.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(60);
/// The highest number of a renewal whose files are searched.
pub(crate) const MOST_RENEWALS: u32 = 10_000;

/// An order as the user wants it.
#[derive(Debug)]
pub(crate) struct OrderSpec {
    /// The certificate's name in /etc/ssl.
    pub name: String,
    pub names: AltNames,
    pub ca: OrderCa,
    /// The certificate of a reseller.
    pub purchase: PurchaseChoice,
    pub method: ValidationSetup,
    pub resolvers: Vec<SocketAddr>,
    pub profile: Option<String>,
    /// `mailto:` URLs.
    pub contact: Vec<String>,
    pub external: Option<ExternalAccount>,
    /// `--trust`: a value of that option.
    pub trust: Option<String>,
    pub terms: TermsConsent,
    pub charges: ChargeConsent,
    pub timing: OrderTiming,
    pub key: KeyChoice,
    pub expansion: NameExpansion,
    pub install: InstallChoice,
    /// What follows if a validation file cannot be fetched from here.
    pub unchecked: UncheckedRule,
    pub deployment: DeploymentSpec,
    pub mode: RunMode,
}

/// How the certificate is deployed, apart from what is saved.
#[derive(Debug)]
pub(crate) struct DeploymentSpec {
    /// The options of the command line; they take precedence over the saved ones.
    pub flags: LineageSettings,
    /// Finding codes demoted to warnings by `--allow`.
    pub allow: Vec<&'static str>,
    /// How long another certctl may hold the lock.
    pub lock_wait: Duration,
}

impl Default for DeploymentSpec {
    /// As it was saved.
    fn default() -> Self {
        Self {
            flags: LineageSettings::default(),
            allow: Vec::new(),
            lock_wait: LOCK_TIMEOUT,
        }
    }
}

/// How control of the names is proven.
#[derive(Clone, Debug)]
pub(crate) enum ValidationSetup {
    /// By files that the web server serves (http-01).
    Files(Webroots),
    /// By files that certctl serves itself (http-01), at this address or at port 80 of all.
    Listener(Option<SocketAddr>),
    /// By records in the DNS that certctl publishes (dns-01, or the CNAME of a reseller).
    Records(ProviderChoice),
    /// By records that the user publishes: for resellers, which wait for them.
    Manual,
}

impl ValidationSetup {
    /// Returns the saved method; `None` if none is saved.
    ///
    /// # Errors
    /// When the saved folders are not valid.
    pub(crate) fn from_stored(order: &StoredOrder) -> Result<Option<Self>, Failure> {
        if !order.webroot.is_empty() {
            return Ok(Some(Self::Files(Webroots::parse(&order.webroot)?)));
        }
        if let Some(text) = &order.standalone {
            return Ok(Some(Self::Listener(text.parse().ok())));
        }
        let choice = order.dns.as_deref().and_then(|dns| dns.parse().ok());
        Ok(choice.map(Self::Records))
    }

    /// Returns the method's name in RFC 8555.
    #[must_use]
    pub(super) fn challenge(&self) -> ChallengeMethod {
        match self {
            Self::Files(_) | Self::Listener(_) => ChallengeMethod::Http01,
            Self::Records(_) | Self::Manual => ChallengeMethod::Dns01,
        }
    }
}

/// Whether the user agrees to the CA's terms of service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TermsConsent {
    Agreed,
    Unasked,
}

/// Whether the CA may charge for the certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ChargeConsent {
    Accepted,
    Unasked,
}

/// Whether a certificate that is not due is ordered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum OrderTiming {
    Now,
    WhenDue,
    /// The caller knows that this certificate is due.
    Renewal(RenewedCertificate),
}

/// The certificate that a renewal replaces.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RenewedCertificate {
    pub sha256: String,
    /// Its identifier (RFC 9773 4.1), if it has one.
    pub certificate_id: Option<String>,
    pub not_before: Timestamp,
    /// Whether the user wants another one now.
    pub is_forced: bool,
    pub place: CertificatePlace,
    pub not_after: Timestamp,
}

/// Where a certificate is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CertificatePlace {
    Installed,
    /// Only in the working directory.
    Folder,
}

/// The key of the new certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyChoice {
    New,
    /// The key of the installed certificate.
    Reused,
}

/// Whether the new certificate may have more names than the installed one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NameExpansion {
    Allowed,
    Refused,
}

/// Whether the certificate is installed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InstallChoice {
    FilesOnly,
    Install,
    /// Together with other certificates, once all of them are here.
    Together,
}

impl OrderSpec {
    /// Returns the names as the CA receives them.
    #[must_use]
    pub(super) fn name_texts(&self) -> Vec<String> {
        self.names.texts()
    }

    /// Returns the identifier of the certificate that is replaced.
    #[must_use]
    pub(super) fn replaces(&self) -> Option<String> {
        match &self.timing {
            OrderTiming::Renewal(renewed) => renewed.certificate_id.clone(),
            OrderTiming::Now | OrderTiming::WhenDue => None,
        }
    }

    /// Returns whether the user wants another certificate now.
    #[must_use]
    pub(super) fn is_forced(&self) -> bool {
        match &self.timing {
            OrderTiming::Now => true,
            OrderTiming::WhenDue => false,
            OrderTiming::Renewal(renewed) => renewed.is_forced,
        }
    }

    /// Returns the CA if it offers ACME.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn acme(&self) -> Result<&AcmeChoice, Failure> {
        match &self.ca {
            OrderCa::Acme(ca) => Ok(ca),
            OrderCa::Namecheap => Err(advice::not_an_acme_ca(self.ca.title())),
        }
    }

    /// Returns the name of the method of validation: that of RFC 8555, or `cname` at a reseller.
    #[must_use]
    pub(super) fn method_name(&self) -> &'static str {
        match self.ca {
            OrderCa::Acme(_) => self.method.challenge().name(),
            OrderCa::Namecheap => "cname",
        }
    }

    /// Returns the first mail address of the contacts.
    #[must_use]
    pub(super) fn email(&self) -> Option<&str> {
        let first = self.contact.first()?;
        Some(first.strip_prefix("mailto:").unwrap_or(first))
    }

    /// Returns how the certificate is renewed.
    #[must_use]
    pub(super) fn to_store(&self) -> StoredOrder {
        let charges_accepted = match self.charges {
            ChargeConsent::Accepted => self.name_texts(),
            ChargeConsent::Unasked => Vec::new(),
        };
        let mut stored = StoredOrder::default();
        match &self.method {
            ValidationSetup::Files(webroots) => stored.webroot = webroots.to_options(),
            ValidationSetup::Records(choice) => stored.dns = Some(choice.to_string()),
            ValidationSetup::Manual => {}
            ValidationSetup::Listener(address) => {
                let text = match address {
                    Some(address) => address.to_string(),
                    None => String::new(),
                };
                stored.standalone = Some(text);
            }
        }
        if let PurchaseChoice::Certificate(id) = &self.purchase {
            stored.certificate = Some(id.to_string());
        }
        if self.ca.is_reseller() {
            stored.email = self.email().map(str::to_owned);
        }
        StoredOrder {
            ca: self.ca.to_string(),
            resolver: self.resolvers.iter().map(ToString::to_string).collect(),
            profile: self.profile.clone(),
            reuse_key: self.key == KeyChoice::Reused,
            charges_accepted,
            ..stored
        }
    }
}

/// The files of an order.
#[derive(Clone, Debug)]
pub(crate) struct OrderFiles {
    pub key: PathBuf,
    pub request: PathBuf,
    pub chain: PathBuf,
}

impl OrderFiles {
    /// Returns the files of the first order, or of a later one, in the working directory.
    #[must_use]
    pub(super) fn numbered(context: &Context, name: &str, number: u32) -> Self {
        let stem = match number {
            1 => name.to_owned(),
            number => file_names::renewal_stem(name, number),
        };
        Self {
            key: context.path_of(format!("{stem}.key")),
            request: context.path_of(format!("{stem}.csr")),
            chain: context.path_of(format!("{stem}.fullchain.pem")),
        }
    }

    /// Returns the same files with absolute paths.
    ///
    /// # Errors
    /// When the working directory does not exist any more.
    pub(super) fn absolute(&self) -> Result<Self, Failure> {
        Ok(Self {
            key: folders::absolute(&self.key)?,
            request: folders::absolute(&self.request)?,
            chain: folders::absolute(&self.chain)?,
        })
    }

    /// Returns whether a key or a request exists.
    #[must_use]
    pub(super) fn have_request(&self) -> bool {
        files::exists(&self.key) || files::exists(&self.request)
    }
}
