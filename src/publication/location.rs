//! Finds the zone of a record, and refuses one that cannot be the owner's.

use crate::dcv::expectation::ExpectedAnswer;
use crate::failure::Failure;
use crate::pki::name::DnsName;
use crate::publication::model::PublicationSettings;
use crate::publishing::zone_record::{PublishableKind, RecordLocation};
use crate::system::dns::{DelegationRule, LocationError, locate_record};

/// The first label of ACME's records, which may be delegated (RFC 8555 section 8.4).
const DELEGABLE: &str = "_acme-challenge.";

/// Returns where a record is published.
///
/// # Errors
/// When the zone is not found, or belongs to a registry.
pub(super) fn find_location(
    settings: &PublicationSettings<'_>,
    expected: &ExpectedAnswer,
    kind: PublishableKind,
) -> Result<RecordLocation, Failure> {
    let name = &expected.record.name;
    let is_delegable = kind == PublishableKind::Txt && name.starts_with(DELEGABLE);
    let rule = if is_delegable {
        DelegationRule::Follow
    } else {
        DelegationRule::Stay
    };
    let interrupt = &settings.context.interrupt;
    let location = locate_record(name, rule, &settings.resolvers, interrupt)?;
    if !location.is_consistent() || is_registry_zone(&location) {
        return Err(LocationError::NotDelegated(location).into());
    }
    Ok(location)
}

/// Returns whether the zone is above the registrable domain of the name: then the domain is not
/// delegated, and the registry's servers answered.
fn is_registry_zone(location: &RecordLocation) -> bool {
    let mut rest = location.name.as_str();
    // Validation labels start with an underscore, which is not valid in a host name.
    while rest.starts_with('_') {
        match rest.split_once('.') {
            Some((_, parent)) => rest = parent,
            None => return false,
        }
    }
    let Ok(host) = DnsName::parse(rest) else {
        return false;
    };
    let top = match host.registrable() {
        Some(top) if host.has_public_suffix() => top,
        _ => return false,
    };
    top.len() > location.zone.len()
}

#[cfg(test)]
mod tests {
    use super::is_registry_zone;
    use crate::publishing::zone_record::RecordLocation;

    #[test]
    fn a_registry_has_no_zone_for_the_record() {
        for (name, zone, is_registry) in [
            ("_x.www.example.co.uk", "example.co.uk", false),
            ("_x.www.example.co.uk", "www.example.co.uk", false),
            ("_x.www.example.co.uk", "co.uk", true),
            ("example.com", "com", true),
            ("_x.shop.example", "shop.example", false),
            ("_x.shop.internal", "internal", false),
        ] {
            let location = RecordLocation {
                name: name.to_owned(),
                zone: zone.to_owned(),
            };
            assert_eq!(is_registry_zone(&location), is_registry, "{name} {zone}");
        }
    }
}
