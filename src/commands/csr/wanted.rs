//! What is asked for, put together from the command line.

use super::args::CsrArgs;
use crate::acceptance::{self, Before, Fault, Order};
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::pki::alt_name::{AltName, AltNames};
use crate::pki::key::KeyAlgorithm;
use crate::pki::request::SigningRequest;
use crate::pki::subject::Subject;

use super::line;

/// What is asked for.
pub(super) struct Wanted {
    pub(super) names: AltNames,
    /// With its common name.
    pub(super) subject: Subject,
    /// The kind of key, where one was asked for.
    pub(super) key_type: Option<KeyAlgorithm>,
    /// Whether another subject than that of the names was asked for.
    subject_given: bool,
    before: Before,
}

impl Wanted {
    pub(super) fn new(args: &CsrArgs) -> Result<Self, Failure> {
        let names = AltNames::parse(&args.names)?;
        let given = args.subject.as_deref().map(Subject::parse).transpose()?;
        let subject_given = given.is_some();
        // `CN=Example.COM` is the name example.com.
        let listed = |name: &str| AltName::parse(name).ok().filter(|name| names.iter().any(|one| one == name));
        let subject = given.unwrap_or_default().spelling_common_names(|name| Some(listed(name)?.text()));
        let subject = subject.or_named(&names);
        Ok(Self {
            names,
            subject,
            key_type: args.key_type.map(KeyAlgorithm::from),
            subject_given,
            before: Before::default(),
        })
    }

    /// Whether `request` asks for the same names.
    pub(super) fn is_for(&self, request: &SigningRequest) -> bool {
        request.alt_names().is_some_and(|has| has.same_set(&self.names))
    }

    /// Whether `request` has another subject than was asked for.
    pub(super) fn differs_in_subject(&self, request: &SigningRequest) -> bool {
        self.subject_given && self.subject.to_der() != request.subject_der()
    }

    /// What a CA would not take; what is allowed is told all the same. Whether it refuses, too.
    pub(super) fn findings(&self, context: &Context, args: &CsrArgs) -> (Vec<Finding>, bool) {
        let order = Order {
            names: &self.names,
            subject: &self.subject,
            algorithm: self.key_type.unwrap_or(KeyAlgorithm::EcdsaP256),
            reused: None,
            before: self.before,
            ca: args.ca,
        };
        let faults = acceptance::faults(&order);
        let refuses = |fault: &Fault| fault.rule.severity == Severity::Error && !args.allow.contains(&fault.rule.code);
        let refused = faults.iter().any(refuses);
        // Once files are made, another request takes their place.
        let args = CsrArgs { force: args.force || !refused, ..args.clone() };
        let finding = |fault: &Fault| fault.finding(|cure| line::cured(context, &args, &self.names, cure));
        (faults.iter().map(|fault| allowed(finding(fault), &args.allow)).collect(), refused)
    }
}

fn allowed(mut finding: Finding, codes: &[&'static str]) -> Finding {
    if finding.severity == Severity::Error && codes.contains(&finding.code) {
        finding.severity = Severity::Warning;
        finding.message.push_str(&format!("; allowed by --allow {}", finding.code));
        finding.next.clear();
    }
    finding
}
