//! Selects the records to publish.

use std::path::PathBuf;
use std::rc::Rc;

use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::expectation;
use crate::dcv::reseller_record::GivenRecord;
use crate::failure::{Failure, FailureKind};
use crate::inputs::folder::FolderContents;
use crate::validation::expected::{ExpectedRecord, expected_records};
use crate::validation::select::{DcvSelection, assign_records, given_records};

/// Returns the records to publish: those of the requests that the arguments select or, if no request
/// is named and none fits, the given ones as they are.
pub(crate) fn records_to_publish(
    context: &Context,
    selection: &DcvSelection<'_>,
) -> Result<PublishableRecords, Failure> {
    let given = given_records(context, selection)?;
    let folder = FolderContents::read(context)?;
    if selection.names.is_empty()
        && let Some(free) = free_records(&given, &folder, selection.ca)
    {
        return Ok(PublishableRecords {
            records: free,
            written: Vec::new(),
        });
    }
    let chosen = assign_records(context, selection, &given)?;
    if let Some(stray) = chosen.strays.first() {
        let failure = Failure::new(FailureKind::NotFound, stray.message.clone());
        return Err(stray.next.iter().cloned().fold(failure, Failure::with_step));
    }
    Ok(PublishableRecords {
        records: expected_records(context, selection.ca, &chosen)?,
        written: chosen.written,
    })
}

/// The records to publish, and the `.dcv` files that were written.
pub(crate) struct PublishableRecords {
    pub records: Vec<ExpectedRecord>,
    pub written: Vec<PathBuf>,
}

/// Returns the given records if they belong to no request: none of them is derived from a request,
/// and none is for a name that is requested here.
fn free_records(
    given: &[GivenRecord],
    folder: &FolderContents,
    ca: Option<Ca>,
) -> Option<Vec<ExpectedRecord>> {
    let is_for_request = |record: &GivenRecord| {
        let mut requests = folder.requests.iter();
        requests.any(|held| expectation::is_for_request_name(record, &held.value))
    };
    if given.is_empty()
        || given
            .iter()
            .any(|one| one.md5().is_some() || is_for_request(one))
    {
        return None;
    }
    let expected = given.iter().map(|record| {
        Some(ExpectedRecord {
            request: String::new(),
            ca,
            expected: Rc::new(expectation::expect_without_request(record)?),
            names: Vec::new(),
        })
    });
    expected.collect()
}
