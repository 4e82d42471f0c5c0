//! Lists the DNS records that validate the chosen requests.

use std::rc::Rc;

use crate::advice::dcv_check_command;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::expectation::{self, ExpectedAnswer};
use crate::failure::{Failure, FailureKind};
use crate::install::stored_roots::root_source;
use crate::validation::select::{ChosenRecords, SelectedRequest};

/// A record to query, and the request that it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedRecord {
    /// The request's file as it is printed; empty without a request.
    pub request: String,
    pub ca: Option<Ca>,
    pub expected: Rc<ExpectedAnswer>,
    /// The names of the request that the record validates.
    pub names: Vec<String>,
}

/// Returns all records that validate the chosen requests; `named_ca` is the CA of the command line.
///
/// # Errors
/// `NotFound` if the CA needs no record, or if only the CA knows the host of one.
pub(crate) fn expected_records(
    context: &Context,
    named_ca: Option<Ca>,
    chosen: &ChosenRecords,
) -> Result<Vec<ExpectedRecord>, Failure> {
    let mut records = Vec::new();
    for selected in &chosen.selected {
        records.extend(records_of_request(named_ca, selected));
    }
    let unknown = records
        .iter()
        .find(|record| record.expected.record.name.contains('<'));
    if let Some(unknown) = unknown {
        return Err(host_unknown(context, unknown));
    }
    if records.is_empty() {
        let is_private = |one: &SelectedRequest| one.ca(named_ca) == Some(Ca::Private);
        if let Some(private) = chosen.selected.iter().find(|one| is_private(one)) {
            let message = format!(
                "{} is for a private CA, which checks no DNS record",
                private.shown
            );
            let install = context.command_words("install");
            let root = root_source(context, &private.request.dns_names);
            let step = dcv_check_command::send_to_private_ca(&private.shown, &install, root);
            return Err(Failure::new(FailureKind::NotFound, message).with_step(step));
        }
        let message =
            "the CA of this request does not require a DNS record, so there is nothing to check";
        let install = context.command_words("install");
        return Err(Failure::new(FailureKind::NotFound, message)
            .with_step(dcv_check_command::install_without_record(&install)));
    }
    Ok(records)
}

fn records_of_request(named_ca: Option<Ca>, selected: &SelectedRequest) -> Vec<ExpectedRecord> {
    let request = &selected.request;
    let ca = selected.ca(named_ca);
    let own: Vec<_> = selected
        .stored
        .records()
        .into_iter()
        .filter(|record| expectation::belongs_to_request(record, request))
        .collect();
    let mut records = Vec::new();
    for mut expected in expectation::expectations(request, ca, &own) {
        if selected.reuses_key {
            expected.require_reseller_value(request);
        }
        let names = expected.record.validates.clone();
        records.push(ExpectedRecord {
            request: selected.shown.clone(),
            ca,
            expected: Rc::new(expected),
            names,
        });
    }
    records
}

/// For a host with a random label if the reseller's record was not given.
fn host_unknown(context: &Context, unknown: &ExpectedRecord) -> Failure {
    let ca = unknown.ca.map_or("the CA", Ca::title);
    let message = format!(
        "only {ca} knows the host of the record: {}",
        unknown.expected.record.name
    );
    let check_command = context.command_words("dcv-check");
    Failure::new(FailureKind::NotFound, message)
        .with_step(dcv_check_command::check_again_with_record(&check_command))
}
