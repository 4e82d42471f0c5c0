//! Takes over one certificate.

use std::net::SocketAddr;

use super::account::AccountImport;
use super::args::ImportArgs;
use super::outcome::ImportedLineage;
use crate::acme::ca_table::{AcmeChoice, OrderPrice};
use crate::acme_clients::ForeignMethod;
use crate::advice::import_command as advice;
use crate::advice::order::accept_charges;
use crate::commands::method_args::choose_method;
use crate::configuration::{ConfigurationFolders, read_defaults};
use crate::context::Context;
use crate::failure::Failure;
use crate::inputs::foreign_lineages::ForeignLineage;
use crate::inputs::{
    self, DeliveryOptions, InputReader, KeyUse, MatchedCertificate, NamedKeyOrigin, PasswordArgs,
    saved_trust,
};
use crate::install::installed::{self, InstalledLineages};
use crate::install::request::RunMode;
use crate::ordering::{
    ChargeConsent, DeploymentSpec, InstallChoice, KeyChoice, NameExpansion, OrderCa, OrderSpec,
    OrderTiming, PurchaseChoice, TakenOverCertificate, TermsConsent, ValidationSetup, Webroots,
    certificate_names, take_over,
};
use crate::pki::alt_name::AltNames;
use crate::pki::chain::ChainPreference;
use crate::pki::trust::TrustAnchors;
use crate::publication::UncheckedRule;
use crate::state::StateFolder;
use crate::store::settings::ImportedOrder;

/// The import of one certificate.
pub(super) struct LineageImport<'a> {
    context: &'a Context,
    args: &'a ImportArgs,
    lineage: &'a ForeignLineage,
}

impl<'a> LineageImport<'a> {
    pub(super) fn new(
        context: &'a Context,
        args: &'a ImportArgs,
        lineage: &'a ForeignLineage,
    ) -> Self {
        Self {
            context,
            args,
            lineage,
        }
    }

    /// Checks everything, then installs certificate and key, and writes the account.
    pub(super) fn carry_out(&self) -> Result<ImportedLineage, Failure> {
        let ca = self.ca()?;
        let trust = saved_trust(self.args.trust.as_deref())?;
        let anchors = inputs::trust_anchors(trust.as_deref())?;
        let matched = self.read_certificate(&anchors)?;
        let spec = self.spec(&matched, ca, trust)?;
        let state = StateFolder::find(self.context.root.as_deref())?;
        let account = AccountImport::find(self.context, &state, self.lineage, &spec)?;
        let origin = ImportedOrder {
            tool: self.lineage.tool.name().to_owned(),
            renewal_file: self.lineage.renewal_file.clone(),
            ..ImportedOrder::default()
        };
        let source = TakenOverCertificate {
            origin,
            matched,
            anchors: &anchors,
        };
        let outcome = take_over(self.context, &spec, source)?;
        if self.args.mode() == RunMode::Run && !outcome.has_failed() {
            account.save(self.context, &state, spec.acme()?)?;
        }
        Ok(ImportedLineage::new(
            self.context,
            self.lineage,
            &spec,
            &account,
            outcome,
        ))
    }

    /// The CA of the command line, else the other program's.
    fn ca(&self) -> Result<AcmeChoice, Failure> {
        let own = self.lineage.renewal.directory.as_deref();
        let own = own.and_then(|directory| directory.parse().ok());
        let Some(ca) = self.args.ca.clone().or(own) else {
            return Err(advice::ca_unknown(
                self.lineage.tool.name(),
                &self.lineage.name,
            ));
        };
        match ca.known() {
            Some(known) if known.price != OrderPrice::Free && !self.args.accept_charges => {
                Err(accept_charges(known))
            }
            _ => Ok(ca),
        }
    }

    fn read_certificate(&self, anchors: &TrustAnchors) -> Result<MatchedCertificate, Failure> {
        let reader = InputReader::new(self.context, &PasswordArgs::default())?;
        let options = DeliveryOptions {
            key: Some(&self.lineage.key),
            key_origin: NamedKeyOrigin::User,
            csr: None,
            anchors,
            prefer: ChainPreference::default(),
            aia: None,
            reader: &reader,
            key_use: KeyUse::Installing,
        };
        let chain = self.lineage.chain.display().to_string();
        let mut matched = inputs::match_delivery(self.context, &[chain], &options)?;
        matched
            .pop()
            .ok_or_else(|| advice::no_certificate_in(self.lineage.tool.name(), &self.lineage.chain))
    }

    /// The method of the command line, else the other program's.
    fn method(&self, names: &AltNames) -> Result<ValidationSetup, Failure> {
        if let Some(given) = self.args.method.given()? {
            return Ok(given);
        }
        let method = &self.lineage.renewal.method;
        match method {
            ForeignMethod::Webroot(values) => {
                return Ok(ValidationSetup::Files(Webroots::parse(values)?));
            }
            ForeignMethod::Standalone(address) if address.is_empty() => {
                return Ok(ValidationSetup::Listener(None));
            }
            ForeignMethod::Standalone(address) => {
                if let Ok(address) = address.parse() {
                    return Ok(ValidationSetup::Listener(Some(address)));
                }
            }
            ForeignMethod::Dns(choice) => {
                if let Ok(choice) = choice.parse() {
                    return Ok(ValidationSetup::Records(choice));
                }
            }
            ForeignMethod::Unknown(_) | ForeignMethod::Unrecorded => {}
        }
        let configuration = ConfigurationFolders::find(self.context.root.as_deref());
        let failure = choose_method(self.context, &configuration, names);
        Err(advice::method_unknown(
            self.lineage.tool.name(),
            method,
            failure,
        ))
    }

    /// What a renewal orders.
    fn spec(
        &self,
        matched: &MatchedCertificate,
        ca: AcmeChoice,
        trust: Option<String>,
    ) -> Result<OrderSpec, Failure> {
        let mut lineages = InstalledLineages::default();
        let name = installed::choose_stem(self.context, matched, &mut lineages)?;
        let names = AltNames::parse(&certificate_names(matched.leaf()))?;
        Ok(OrderSpec {
            name,
            method: self.method(&names)?,
            names,
            ca: OrderCa::Acme(ca),
            purchase: PurchaseChoice::Unspecified,
            resolvers: self.resolvers()?,
            profile: None,
            contact: Vec::new(),
            external: None,
            trust,
            terms: TermsConsent::Unasked,
            charges: self.charges(),
            timing: OrderTiming::WhenDue,
            key: self.key_choice(),
            expansion: NameExpansion::Refused,
            install: InstallChoice::Install,
            unchecked: UncheckedRule::Refuse,
            deployment: self.deployment()?,
            mode: self.args.mode(),
        })
    }

    /// The resolvers of the command line, else the configured ones.
    fn resolvers(&self) -> Result<Vec<SocketAddr>, Failure> {
        if !self.args.resolver.is_empty() {
            return Ok(self.args.resolver.clone());
        }
        let configuration = ConfigurationFolders::find(self.context.root.as_deref());
        let defaults = read_defaults(&configuration)?;
        Ok(defaults.resolvers)
    }

    /// The options of the install.
    fn deployment(&self) -> Result<DeploymentSpec, Failure> {
        let args = &self.args.deployment;
        let flags = args.settings(self.context)?;
        Ok(DeploymentSpec {
            flags,
            allow: self.args.allow.clone(),
            lock_wait: args.lock_wait(),
        })
    }

    fn charges(&self) -> ChargeConsent {
        if self.args.accept_charges {
            ChargeConsent::Accepted
        } else {
            ChargeConsent::Unasked
        }
    }

    fn key_choice(&self) -> KeyChoice {
        if self.lineage.renewal.keeps_key {
            KeyChoice::Reused
        } else {
            KeyChoice::New
        }
    }
}
