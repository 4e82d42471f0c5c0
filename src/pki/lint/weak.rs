//! Publicly known keys, and RSA keys whose factors can be found. Lists of leaked keys, and of those
//! that Debian's broken generator made in 2006 to 2008, are too large to include.

use num_bigint::BigUint;

use crate::pki::der;

/// The weakness of an RSA key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum KeyWeakness {
    #[error("its RSA key has close primes: Fermat's method factors it at once (CVE-2022-26320)")]
    ClosePrimes,
    #[error("its RSA exponent is even or 1: no signature of it means anything")]
    Exponent,
    #[error(
        "its RSA key was made by a chip with the ROCA flaw and can be factored (CVE-2017-15361)"
    )]
    Roca,
    #[error("its RSA modulus has the factor {0}")]
    SmallFactor(u32),
}

/// Keys, by key id, whose private half is published in RFCs and the sources of languages, from where
/// they are copied. Not all such keys: those that were found and could be computed on 2026-11-23.
pub(super) static PRINTED_KEYS: [(&str, &str); 8] = [
    (
        "8fb6bad671cfe698393c453357da61b56d757ab8c0f3fb9c87f2849e63131878",
        "RFC 9500 2.1 (testRSA2048)",
    ),
    (
        "96465ea5dc9bb2da7b351d808a7196e5761f2412a5040131c68d719aaba28fb9",
        "RFC 9500 2.1 (testRSA4096)",
    ),
    (
        "b2b04340cfaee616ec9c2c62d261b208e54bb197498df52e8cadede23ac0ba5e",
        "RFC 9500 2.3 (testECCP256)",
    ),
    (
        "c4c10105a0be0ed4dd3354428dc38a9bfee64da141ce16e75c94eda272f9dd3a",
        "RFC 9500 2.3 (testECCP384)",
    ),
    (
        "acb1b8327fef995e2458fdf5e3c33b2dc0749feabd6a894cb9bda9d70ac06c24",
        "RFC 9500 2.3 (testECCP521)",
    ),
    (
        "64eebde4d94a861ca1b062a103ef51d4d8a2c1b0a2133838198230e9c85407ed",
        "Go's net/http/internal/testcert",
    ),
    (
        "0bb46449d66671f8db75aa2615c230d26ec105c89db0c7f066163644047b7254",
        "Go's net/http/internal/testcert, before 2023",
    ),
    (
        "226acd9b52f5731987d46521bbe02fa88045f9eb0c4a262690022d23cbb5eef2",
        "Go's crypto/tls/testdata/example-key.pem",
    ),
];

/// Larger moduli are refused by every client and not checked.
const MOST_BITS: u64 = 16_384;

/// Reads modulus and exponent of a PKCS#1 `RSAPublicKey` (RFC 8017 A.1.1) in a DER
/// `SubjectPublicKeyInfo`.
pub(super) fn read_rsa_key(spki: &[u8]) -> Option<(BigUint, BigUint)> {
    let (_, key) = der::split_public_key(spki)?;
    let (outer, _) = der::split_element(key)?;
    let (modulus, rest) = der::split_element(outer.value)?;
    let (exponent, _) = der::split_element(rest)?;
    (modulus.tag == 0x02 && exponent.tag == 0x02).then(|| {
        (
            BigUint::from_bytes_be(modulus.value),
            BigUint::from_bytes_be(exponent.value),
        )
    })
}

/// Finds a weakness of BR 6.1.1.3 and 6.1.6: an even exponent, a factor below 752, ROCA, close primes
/// (100 rounds).
pub(super) fn weakness(modulus: &BigUint, exponent: &BigUint) -> Option<KeyWeakness> {
    if !exponent.bit(0) || exponent.bits() < 2 {
        return Some(KeyWeakness::Exponent);
    }
    if modulus.bits() > MOST_BITS {
        return None;
    }
    let small_factor = primes(752).find(|&prime| remainder(modulus, prime) == 0);
    if let Some(factor) = small_factor {
        return Some(KeyWeakness::SmallFactor(factor));
    }
    if is_roca(modulus) {
        return Some(KeyWeakness::Roca);
    }
    has_close_primes(modulus).then_some(KeyWeakness::ClosePrimes)
}

fn primes(below: u32) -> impl Iterator<Item = u32> {
    (2..below).filter(|&candidate| {
        (2..candidate)
            .take_while(|d| d * d <= candidate)
            .all(|d| candidate % d != 0)
    })
}

fn remainder(number: &BigUint, divisor: u32) -> u32 {
    u32::try_from(number % divisor).unwrap_or(0)
}

/// Whether the modulus has the ROCA flaw: both primes of such a key are powers of 65537 modulo every
/// small prime, and so is the modulus (Nemec et al., 2017).
fn is_roca(modulus: &BigUint) -> bool {
    primes(168).skip(1).all(|prime| {
        let wanted = remainder(modulus, prime);
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * (65537 % prime) % prime;
            power == wanted
        })
    })
}

/// Whether `modulus` is a difference of squares near its root (Fermat).
fn has_close_primes(modulus: &BigUint) -> bool {
    let mut a = modulus.sqrt();
    if &a * &a < *modulus {
        a += 1_u32;
    }
    (0..100).any(|_| {
        let rest = &a * &a - modulus;
        a += 1_u32;
        is_square(&rest)
    })
}

fn is_square(number: &BigUint) -> bool {
    // Most numbers that are no squares are found by their remainder modulo 64, without a root.
    let low = remainder(number, 64);
    let possible = (0..64_u32).any(|root| root * root % 64 == low);
    possible && {
        let root = number.sqrt();
        &root * &root == *number
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::{KeyWeakness, primes, weakness};

    fn next_prime(from: &BigUint) -> BigUint {
        let mut candidate = from | BigUint::from(1_u32);
        // Fermat's little theorem is proof enough here.
        while BigUint::from(2_u32).modpow(&(&candidate - 1_u32), &candidate) != BigUint::from(1_u32)
        {
            candidate += 2_u32;
        }
        candidate
    }

    #[test]
    fn weak_rsa_keys_are_detected() {
        let e = BigUint::from(65537_u32);
        let p = next_prime(&(BigUint::from(3_u32).pow(640) + 12345_u32));
        let q = next_prime(&(BigUint::from(5_u32).pow(440) + 54321_u32));
        assert_eq!(weakness(&(&p * &q), &e), None);
        let twin = next_prime(&(&p + 2_u32));
        assert_eq!(weakness(&(&p * &twin), &e), Some(KeyWeakness::ClosePrimes));
        assert_eq!(
            weakness(&(&p * 751_u32), &e),
            Some(KeyWeakness::SmallFactor(751))
        );
        for exponent in [0_u32, 1, 2, 65536] {
            assert_eq!(
                weakness(&(&p * &q), &exponent.into()),
                Some(KeyWeakness::Exponent)
            );
        }
        // A power of 65537 modulo the product of all the small primes, as those keys are.
        let product: BigUint = primes(168).map(BigUint::from).product();
        let flawed = BigUint::from(65537_u32).modpow(&BigUint::from(123_457_u32), &product)
            + &product * &product;
        let odd = if flawed.bit(0) {
            flawed
        } else {
            flawed + &product
        };
        let found = weakness(&odd, &e);
        assert!(
            matches!(found, Some(KeyWeakness::Roca | KeyWeakness::SmallFactor(_))),
            "{found:?}"
        );
        assert!(super::is_roca(&odd));
    }
}
