//! When CAs suggest to renew (RFC 9773). Each directory is read once in a run; a CA that does not answer is
//! not asked again, and never prevents a renewal.

use std::collections::HashMap;

use jiff::Timestamp;

use super::account::CaConnection;
use super::spec::OrderSpec;
use crate::context::Context;

/// The CAs that were asked in this run.
#[derive(Default)]
pub(crate) struct RenewalSuggestions(HashMap<String, Option<CaConnection>>);

impl RenewalSuggestions {
    /// Returns when the CA suggests to renew the certificate that `spec` replaces; `None` if it does not
    /// say.
    pub(crate) fn find(&mut self, context: &Context, spec: &OrderSpec) -> Option<Timestamp> {
        let id = spec.replaces()?;
        let directory = spec.ca.directory().to_owned();
        let known = self.0.entry(directory);
        let known = known.or_insert_with(|| CaConnection::open_for(context, spec).ok());
        let connection = known.as_ref()?;
        let asked = connection.directory.renewal_info(&connection.client, &id);
        let info = match asked {
            Ok(info) => info?,
            Err(_) => {
                *known = None;
                return None;
            }
        };
        Some(info.renewal_time(&id))
    }
}
