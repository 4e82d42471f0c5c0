//! SHA-256 values (FIPS 180-4), which identify certificates, keys and files by their content.

use std::fmt;

/// The number of octets of a SHA-256 value.
const LENGTH: usize = 32;

/// The SHA-256 value of some octets: of a certificate's DER, a file, or several parts.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint([u8; LENGTH]);

impl Fingerprint {
    /// Hashes `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        let mut octets = [0; LENGTH];
        octets.copy_from_slice(digest.as_ref());
        Self(octets)
    }

    /// All octets of the value, most significant first.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The first four octets as eight hex digits, which people can compare.
    #[must_use]
    pub fn first_digits(&self) -> String {
        hex::encode(&self.0[..4])
    }
}

/// Writes lower-case hex.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    /// The example of FIPS 180-4 for "abc".
    #[test]
    fn the_value_is_sha_256() {
        let fingerprint = Fingerprint::of(b"abc");
        assert_eq!(
            fingerprint.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(fingerprint.first_digits(), "ba7816bf");
    }
}
