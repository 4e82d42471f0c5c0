//! Advice on names that a server serves with a certificate that lacks them.

use std::net::IpAddr;

use super::call_context::{CallContext, is_here};
use crate::finding::NextStep;
use crate::inventory::StatusRow;
use crate::inventory::item::ItemLocation;
use crate::pki::name::DnsName;

/// Returns what to do about `names` that a server serves and the certificate does not have. A
/// client that connects by address gets the certificate for clients that connect by name.
#[must_use]
pub(super) fn cover_names(names: &[String], row: &StatusRow, calls: &CallContext<'_>) -> NextStep {
    if names.iter().all(|name| name.parse::<IpAddr>().is_ok()) {
        return check_by_name(row, calls);
    }
    let mut words = vec!["csr"];
    words.extend(row.names.iter().chain(names).map(String::as_str));
    // The files of an answered request are in the way of a new one. Servers read the copies of
    // what certctl installed; files that it did not install may be in use where they are.
    let stem = names.first().and_then(|name| DnsName::parse(name).ok());
    let stem = stem.map(|name| name.file_stem());
    if row.requests.iter().any(is_here) {
        match (&row.installed_as, &stem) {
            (None, Some(stem)) => words.extend(["--cert-name", stem]),
            _ => words.push("--force"),
        }
    }
    (calls.here)("Create a request that includes the missing names", &words)
}

/// Probes the server by the name of its certificate instead of its address.
fn check_by_name(row: &StatusRow, calls: &CallContext<'_>) -> NextStep {
    let port = row.locations.iter().find_map(|place| match place {
        ItemLocation::Address { address, .. } => Some(address.port()),
        ItemLocation::File { .. } => None,
    });
    if row.name.starts_with('*') || DnsName::parse(&row.name).is_err() {
        return NextStep::say("If clients connect by name, pass that name instead of the address");
    }
    let host = format!("{}:{}", row.name, port.unwrap_or(443));
    (calls.here)(
        "If clients connect by name, check the server by that name",
        &["status", &host],
    )
}
