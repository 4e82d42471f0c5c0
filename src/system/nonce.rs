//! Random texts that are used once.

/// Returns 32 random hex digits.
///
/// The operating system's generator is the only source; if it fails, the digits of the current time
/// follow, which are unique as well.
#[must_use]
pub(crate) fn random_digits() -> String {
    let mut octets = [0; 16];
    if aws_lc_rs::rand::fill(&mut octets).is_err() {
        octets = super::clock::now().as_nanosecond().to_be_bytes();
    }
    hex::encode(octets)
}
