//! An account's orders (RFC 8555 7.4). Each call is one step, so that the caller can write down what it
//! did in between.

use std::io;

use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeStatus, ChallengeType,
    Identifier, NewOrder, Order, OrderStatus,
};
use jiff::Timestamp;
use rustls::pki_types::PrivatePkcs8KeyDer;

use super::error::{AcmeError, AcmeProblem};
use super::transport::AcmeTransport;
use crate::acme::token::ChallengeToken;
use crate::pki::key::PrivateKey;
use crate::system::http::api::{ApiClient, ApiUrl};
use crate::system::runtime;

/// The stage of an order (RFC 8555 7.1.6).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum OrderStage {
    /// Some names are not validated yet.
    Pending,
    /// The request can be sent.
    Ready,
    /// The CA issues the certificate.
    Processing,
    Valid,
    Invalid,
}

/// How one name is validated.
#[derive(Clone, Debug)]
pub(crate) struct PendingChallenge {
    /// The name without its `*.`.
    pub name: String,
    pub token: ChallengeToken,
    /// The content of the file of http-01.
    pub key_authorization: String,
    /// The value of the TXT record of dns-01.
    pub dns_value: String,
}

/// The method of validation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ChallengeMethod {
    Http01,
    Dns01,
}

impl ChallengeMethod {
    /// Returns the name in RFC 8555.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::Dns01 => "dns-01",
        }
    }

    fn of_crate(self) -> ChallengeType {
        match self {
            Self::Http01 => ChallengeType::Http01,
            Self::Dns01 => ChallengeType::Dns01,
        }
    }
}

/// What is ordered.
pub(crate) struct WantedOrder<'a> {
    pub names: &'a [String],
    pub profile: Option<&'a str>,
    /// The identifier of the certificate that it replaces (RFC 9773 5).
    pub replaces: Option<&'a str>,
}

impl<'a> WantedOrder<'a> {
    fn to_crate(&self, identifiers: &'a [Identifier]) -> NewOrder<'a> {
        let order = NewOrder::new(identifiers);
        match self.profile {
            Some(profile) => order.profile(profile),
            None => order,
        }
    }
}

fn identifier_of(text: &str) -> Option<CertificateIdentifier<'_>> {
    let (authority_key, serial) = text.split_once('.')?;
    Some(CertificateIdentifier {
        authority_key_identifier: authority_key.into(),
        serial: serial.into(),
    })
}

/// An account whose requests are signed.
pub(crate) struct AcmeSession {
    account: Account,
    transport: AcmeTransport,
}

/// One order.
pub(crate) struct AcmeOrder {
    order: Order,
    transport: AcmeTransport,
}

fn run<T>(
    transport: &AcmeTransport,
    future: impl Future<Output = Result<T, instant_acme::Error>>,
) -> Result<T, AcmeError> {
    let failed = |error: io::Error| AcmeError::Protocol(error.to_string());
    let result = runtime::block_on(future).map_err(failed)?;
    result.map_err(|error| AcmeError::of_crate(error, transport.retry_at()))
}

impl AcmeSession {
    /// Uses an account that exists; `account_url` is its URL.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn open(
        client: &ApiClient,
        directory: &ApiUrl,
        account_url: &str,
        key: &PrivateKey,
    ) -> Result<Self, AcmeError> {
        let transport = AcmeTransport::new(client.clone());
        let builder = Account::builder_with_http(Box::new(transport.clone()));
        let opened = builder.from_parts(
            account_url.to_owned(),
            PrivatePkcs8KeyDer::from(key.pkcs8()),
            directory.expose().to_owned(),
        );
        let account = run(&transport, opened)?;
        Ok(Self { account, transport })
    }

    /// Returns the URL of the account.
    #[must_use]
    pub(crate) fn account_url(&self) -> &str {
        self.account.id()
    }

    /// Returns when the last answer asked to be asked again.
    #[must_use]
    pub(crate) fn retry_at(&self) -> Option<Timestamp> {
        self.transport.retry_at()
    }

    /// Places an order.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn place_order(&self, wanted: &WantedOrder<'_>) -> Result<AcmeOrder, AcmeError> {
        let names = wanted.names.iter();
        let mut identifiers = Vec::new();
        for name in names {
            identifiers.push(identifier(name));
        }
        if let Some(replaced) = wanted.replaces.and_then(identifier_of) {
            let order = wanted.to_crate(&identifiers).replaces(replaced);
            match run(&self.transport, self.account.new_order(&order)) {
                Err(error) if error.is_about_replacement() => {}
                placed => return Ok(self.wrap(placed?)),
            }
        }
        let order = wanted.to_crate(&identifiers);
        let order = run(&self.transport, self.account.new_order(&order))?;
        Ok(self.wrap(order))
    }

    /// Opens an order that was placed before.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn open_order(&self, url: &str) -> Result<AcmeOrder, AcmeError> {
        let order = run(&self.transport, self.account.order(url.to_owned()))?;
        Ok(self.wrap(order))
    }

    fn wrap(&self, order: Order) -> AcmeOrder {
        AcmeOrder {
            order,
            transport: self.transport.clone(),
        }
    }
}

impl AcmeOrder {
    #[must_use]
    pub(crate) fn url(&self) -> &str {
        self.order.url()
    }

    /// Returns when the last answer asked to be asked again.
    #[must_use]
    pub(crate) fn retry_at(&self) -> Option<Timestamp> {
        self.transport.retry_at()
    }

    /// Returns the stage as of the last answer.
    #[must_use]
    pub(crate) fn stage(&mut self) -> OrderStage {
        match self.order.state().status {
            OrderStatus::Pending => OrderStage::Pending,
            OrderStatus::Ready => OrderStage::Ready,
            OrderStatus::Processing => OrderStage::Processing,
            OrderStatus::Valid => OrderStage::Valid,
            OrderStatus::Invalid => OrderStage::Invalid,
        }
    }

    /// Asks for the stage.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn refresh(&mut self) -> Result<OrderStage, AcmeError> {
        let transport = self.transport.clone();
        run(&transport, async { self.order.refresh().await.map(|_| ()) })?;
        Ok(self.stage())
    }

    /// Returns the challenges of the names that are not validated yet. A name that the CA has
    /// validated before needs none.
    ///
    /// # Errors
    /// [`AcmeError::Protocol`] if the CA does not offer the method, or sends a token that is none.
    pub(crate) fn pending_challenges(
        &mut self,
        method: ChallengeMethod,
    ) -> Result<Vec<PendingChallenge>, AcmeError> {
        let transport = self.transport.clone();
        let wanted = async {
            let mut pending = Vec::new();
            let mut authorizations = self.order.authorizations();
            while let Some(authorization) = authorizations.next().await {
                let mut authorization = authorization?;
                if authorization.status != AuthorizationStatus::Pending {
                    continue;
                }
                let name = name_of(authorization.identifier().identifier);
                let challenge = authorization.challenge(method.of_crate());
                let Some(challenge) = challenge else {
                    pending.push(Err(name));
                    continue;
                };
                let key_authorization = challenge.key_authorization();
                pending.push(Ok(RawChallenge {
                    name,
                    token: challenge.token.clone(),
                    dns_value: key_authorization.dns_value(),
                    key_authorization: key_authorization.as_str().to_owned(),
                }));
            }
            Ok(pending)
        };
        let pending = run(&transport, wanted)?;
        let pending = pending.into_iter().map(|challenge| match challenge {
            Ok(raw) => raw.check(),
            Err(name) => Err(AcmeError::Protocol(format!(
                "it offers no {} challenge for {name}",
                method.name()
            ))),
        });
        pending.collect()
    }

    /// Asks the CA to validate each name that has a challenge of this method.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn accept_challenges(&mut self, method: ChallengeMethod) -> Result<(), AcmeError> {
        let transport = self.transport.clone();
        let accepted = async {
            let mut authorizations = self.order.authorizations();
            while let Some(authorization) = authorizations.next().await {
                let mut authorization = authorization?;
                if authorization.status != AuthorizationStatus::Pending {
                    continue;
                }
                if let Some(mut challenge) = authorization.challenge(method.of_crate())
                    && challenge.status == ChallengeStatus::Pending
                {
                    challenge.set_ready().await?;
                }
            }
            Ok(())
        };
        run(&transport, accepted)
    }

    /// Returns what the CA says about each name that failed, and about the order.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn problems(&mut self) -> Result<Vec<AcmeProblem>, AcmeError> {
        let transport = self.transport.clone();
        let order_problem = self.order.state().error.clone();
        let found = async {
            let mut found = Vec::new();
            let mut authorizations = self.order.authorizations();
            while let Some(authorization) = authorizations.next().await {
                let mut authorization = authorization?;
                authorization.refresh().await?;
                let name = name_of(authorization.identifier().identifier);
                for challenge in &authorization.challenges {
                    if let Some(problem) = &challenge.error {
                        let mut problem = AcmeProblem::of_crate(problem, None);
                        problem.detail = format!("{name}: {}", problem.detail);
                        found.push(problem);
                    }
                }
            }
            Ok(found)
        };
        let mut problems = run(&transport, found)?;
        if problems.is_empty() {
            let order_problem = order_problem.iter();
            problems.extend(order_problem.map(|problem| AcmeProblem::of_crate(problem, None)));
        }
        Ok(problems)
    }

    /// Deactivates the authorizations that are pending (RFC 8555 7.5.2): they count against limits.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn deactivate_pending(&mut self) -> Result<(), AcmeError> {
        let transport = self.transport.clone();
        let deactivated = async {
            let mut authorizations = self.order.authorizations();
            while let Some(authorization) = authorizations.next().await {
                let mut authorization = authorization?;
                if authorization.status == AuthorizationStatus::Pending {
                    authorization.deactivate().await?;
                }
            }
            Ok(())
        };
        run(&transport, deactivated)
    }

    /// Sends the request (DER), which makes the CA issue the certificate.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn finalize(&mut self, request: &[u8]) -> Result<OrderStage, AcmeError> {
        let transport = self.transport.clone();
        run(&transport, self.order.finalize_csr(request))?;
        Ok(self.stage())
    }

    /// Returns the chain of a valid order in PEM.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn certificate(&mut self) -> Result<String, AcmeError> {
        let transport = self.transport.clone();
        let chain = run(&transport, self.order.certificate())?;
        chain.ok_or_else(|| AcmeError::Protocol("a valid order without a certificate".to_owned()))
    }
}

/// The identifier of a name (RFC 8555 9.7.7, RFC 8738 3).
fn identifier(name: &str) -> Identifier {
    match name.parse() {
        Ok(address) => Identifier::Ip(address),
        Err(_) => Identifier::Dns(name.to_owned()),
    }
}

fn name_of(identifier: &Identifier) -> String {
    identifier.authorized(false).to_string()
}

/// A challenge as the CA sent it.
struct RawChallenge {
    name: String,
    token: String,
    key_authorization: String,
    dns_value: String,
}

impl RawChallenge {
    fn check(self) -> Result<PendingChallenge, AcmeError> {
        let Some(token) = ChallengeToken::parse(&self.token) else {
            let reason = format!("the token for {} is not base64url", self.name);
            return Err(AcmeError::Protocol(reason));
        };
        Ok(PendingChallenge {
            name: self.name,
            token,
            key_authorization: self.key_authorization,
            dns_value: self.dns_value,
        })
    }
}
