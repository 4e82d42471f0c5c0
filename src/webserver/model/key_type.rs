//! The key types by which HAProxy selects among certificates: it prefers ECDSA where the client
//! accepts it, then RSA (`ssl_sock_switchctx_cbk`).

use crate::pki::key::KeyAlgorithm;

/// A key type that HAProxy distinguishes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyFamily {
    Ecdsa,
    Rsa,
    /// Any other one, such as Ed25519.
    Other,
}

impl KeyFamily {
    pub(crate) fn of(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 | KeyAlgorithm::EcdsaP521 => {
                Self::Ecdsa
            }
            KeyAlgorithm::Rsa(_) => Self::Rsa,
            KeyAlgorithm::Ed25519 | KeyAlgorithm::Unknown => Self::Other,
        }
    }

    /// The position of the certificate that HAProxy selects for a client that prefers this key type,
    /// among certificates with these key types in the order of their match. Where a key type is not
    /// known, it may be the preferred one.
    pub(crate) fn choose(self, types: &[Option<Self>]) -> Option<usize> {
        let order = match self {
            Self::Ecdsa => [Self::Ecdsa, Self::Rsa, Self::Other],
            Self::Rsa => [Self::Rsa, Self::Other, Self::Ecdsa],
            Self::Other => [Self::Other, Self::Ecdsa, Self::Rsa],
        };
        let of_type = |wanted: Self| {
            types
                .iter()
                .position(|own| own.is_none_or(|own| own == wanted))
        };
        order.into_iter().find_map(of_type)
    }
}

#[cfg(test)]
mod tests {
    use super::KeyFamily::{Ecdsa, Other, Rsa};

    #[test]
    fn the_key_type_decides_before_the_order() {
        for (client, types, expected) in [
            (Ecdsa, vec![Some(Rsa), Some(Ecdsa)], Some(1)),
            (Rsa, vec![Some(Ecdsa), Some(Rsa)], Some(1)),
            (Rsa, vec![Some(Ecdsa)], Some(0)),
            (Ecdsa, vec![Some(Other), Some(Rsa)], Some(1)),
            (Ecdsa, vec![None, Some(Ecdsa)], Some(0)),
            (Other, vec![], None),
        ] {
            assert_eq!(client.choose(&types), expected, "{client:?} {types:?}");
        }
    }
}
