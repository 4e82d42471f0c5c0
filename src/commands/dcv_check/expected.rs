//! Lists the DNS records that the chosen requests need.

use std::rc::Rc;

use crate::advice::dcv_check_command;
use crate::commands::dcv_check::select::{ChosenRecords, SelectedRequest};
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::expectation::{self, ExpectedAnswer};
use crate::failure::{Failure, FailureKind};

/// A record to look for, and the request that it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedRecord {
    /// The request's file as it is printed; empty without a request.
    pub(super) request: String,
    pub(super) ca: Option<Ca>,
    pub(super) expected: Rc<ExpectedAnswer>,
    /// The names of the request that the record proves.
    pub(super) names: Vec<String>,
}

/// All records that the chosen requests need; `named_ca` is the CA of the command line.
pub(super) fn expected_records(
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
        let message =
            "no record is asked for: the CA named for the request wants no proof in the DNS";
        let install = context.command_words("install");
        return Err(Failure::new(FailureKind::NotFound, message)
            .with_step(dcv_check_command::install_without_record(&install)));
    }
    Ok(records)
}

fn records_of_request(named_ca: Option<Ca>, selected: &SelectedRequest) -> Vec<ExpectedRecord> {
    let request = &selected.request;
    let ca = named_ca.or_else(|| selected.stored.ca());
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

/// For a host with a random label where the reseller's record was not given.
fn host_unknown(context: &Context, unknown: &ExpectedRecord) -> Failure {
    let shop = unknown.ca.map_or("the shop", Ca::title);
    let message = format!(
        "the host of the record is known to {shop} alone: {}",
        unknown.expected.record.name
    );
    let check_command = context.command_words("dcv-check");
    Failure::new(FailureKind::NotFound, message)
        .with_step(dcv_check_command::copy_record_from_shop(&check_command))
}
