//! What a server loads of a file, compared with what certctl reads in it.

use crate::delivery::{CaDelivery, DeliveryInput, LoadFault, load_certificates};
use crate::pki::fingerprint::Fingerprint;

/// What a server loads of a file.
#[derive(Clone, Debug)]
pub(crate) struct LoadedFile {
    /// The name of the input.
    pub(super) name: String,
    /// Its certificates, or where OpenSSL stops.
    pub(super) outcome: Result<Vec<Fingerprint>, LoadFault>,
}

impl LoadedFile {
    /// Loads `input` as a server would.
    #[must_use]
    pub(crate) fn new(input: &DeliveryInput) -> Self {
        let loaded = load_certificates(&input.bytes);
        Self {
            name: input.name.clone(),
            outcome: loaded.map(|all| all.iter().map(|der| Fingerprint::of(der)).collect()),
        }
    }

    /// Returns whether the server loads the certificates of `delivery` that are from this file.
    pub(super) fn has_all_of(&self, delivery: &CaDelivery) -> bool {
        match &self.outcome {
            Ok(loaded) => *loaded == self.fingerprints(delivery),
            Err(_) => false,
        }
    }

    /// The certificates of `delivery` that are from this file.
    pub(super) fn fingerprints(&self, delivery: &CaDelivery) -> Vec<Fingerprint> {
        let certificates = delivery.certificates.iter();
        certificates
            .filter(|found| found.source.input == self.name)
            .map(|found| found.fingerprint)
            .collect()
    }
}
