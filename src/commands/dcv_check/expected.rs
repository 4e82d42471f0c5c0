//! Which records to look for: those of the requests chosen.

use std::rc::Rc;

use crate::commands::dcv_check::select::{ChosenRecords, SelectedRequest};
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::expectation::{self, ExpectedAnswer};
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;

/// All records that the chosen requests need; `named` is the CA of the command line.
pub(super) fn pending(
    context: &Context,
    named: Option<Ca>,
    chosen: &ChosenRecords,
) -> Result<Vec<ExpectedRecord>, Failure> {
    let mut checks = Vec::new();
    for SelectedRequest {
        shown,
        request,
        kept,
        reuses_key,
        ..
    } in &chosen.selected
    {
        let ca = named.or_else(|| kept.ca());
        let own: Vec<_> = kept
            .records()
            .into_iter()
            .filter(|record| expectation::belongs(record, request))
            .collect();
        let mut expected = expectation::expectations(request, ca, &own);
        if *reuses_key {
            expected
                .iter_mut()
                .for_each(|one| one.shop_decides(request));
        }
        checks.extend(expected.into_iter().map(|expected| {
            let names = expected.record.validates.clone();
            ExpectedRecord {
                request: shown.clone(),
                ca,
                expected: Rc::new(expected),
                names,
            }
        }));
    }
    if let Some(unknown) = checks
        .iter()
        .find(|check| check.expected.record.name.contains('<'))
    {
        return Err(host_unknown(context, unknown));
    }
    if checks.is_empty() {
        let message =
            "no record is asked for: the CA named for the request wants no proof in the DNS";
        let install = NextStep::run(&context.again("install")).text;
        return Err(
            Failure::new(FailureKind::NotFound, message).with(NextStep::say(format!(
                "when the certificate has come:  sudo {install} FILE"
            ))),
        );
    }
    Ok(checks)
}

/// A host with a random label, and the shop's record was not given.
fn host_unknown(context: &Context, unknown: &ExpectedRecord) -> Failure {
    let shop = unknown.ca.map_or("the shop", Ca::title);
    let message = format!(
        "the host of the record is known to {shop} alone: {}",
        unknown.expected.record.name
    );
    let again = [
        context.again("dcv-check"),
        vec!["--record".to_owned(), "-".to_owned()],
    ]
    .concat();
    Failure::new(FailureKind::NotFound, message).with(NextStep::say(format!(
        "copy host and value from its page and give them:  {}",
        NextStep::run(&again).text
    )))
}

/// One record to look for, and what it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedRecord {
    pub(super) request: String,
    pub(super) ca: Option<Ca>,
    pub(super) expected: Rc<ExpectedAnswer>,
    /// The names of the request that the record proves.
    pub(super) names: Vec<String>,
}
