//! Encodes a ClientHello (RFC 5246 7.4.1.2) that offers at most TLS 1.2, with every cipher suite,
//! group and signature algorithm that a server may require. Only the certificate of the answer is
//! read, which is sent in the clear: the handshake is never completed, so weak algorithms do no harm.

use std::net::IpAddr;

use crate::pki::key::KeyAlgorithm;

/// The content of a ClientHello.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HelloContent<'a> {
    /// The name to send (RFC 6066 section 3); an IP address is not sent.
    pub name: &'a str,
    /// The only key type to accept; `None` for any.
    pub algorithm: Option<KeyAlgorithm>,
    /// 32 random bytes.
    pub random: &'a [u8],
}

/// TLS 1.2 in `client_version`.
const TLS12: [u8; 2] = [3, 3];
/// Servers expect the oldest version in the record that carries a ClientHello (RFC 5246 E.1).
const RECORD_VERSION: [u8; 2] = [3, 1];
const HANDSHAKE_RECORD: u8 = 22;
const CLIENT_HELLO: u8 = 1;

const SERVER_NAME: u16 = 0;
const STATUS_REQUEST: u16 = 5;
const SUPPORTED_GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
const EXTENDED_MASTER_SECRET: u16 = 23;

/// Cipher suites of servers with an ECDSA or EdDSA key: ECDHE, then static ECDH.
const ECDSA_SUITES: [u16; 32] = [
    0xc02b, 0xc02c, 0xcca9, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af, 0xc023, 0xc024, 0xc009, 0xc00a, 0xc072,
    0xc073, 0xc086, 0xc087, 0xc048, 0xc049, 0xc05c, 0xc05d, 0xc008, 0xc007, 0xc006, 0xc02d, 0xc02e,
    0xc025, 0xc026, 0xc004, 0xc005, 0xc003, 0xc002, 0xc001, 0xc074,
];

/// Cipher suites of servers with an RSA key: ECDHE, DHE, then RSA key exchange.
const RSA_SUITES: [u16; 85] = [
    0xc02f, 0xc030, 0xcca8, 0xc027, 0xc028, 0xc013, 0xc014, 0xc076, 0xc077, 0xc08a, 0xc08b, 0xc04c,
    0xc04d, 0xc060, 0xc061, 0xc012, 0xc011, 0xc010, 0x009e, 0x009f, 0xccaa, 0xc09e, 0xc09f, 0xc0a2,
    0xc0a3, 0x0067, 0x006b, 0x0033, 0x0039, 0x0045, 0x0088, 0x00be, 0x00c4, 0xc07c, 0xc07d, 0xc044,
    0xc045, 0xc052, 0xc053, 0x009a, 0x0016, 0x0015, 0x009c, 0x009d, 0xc09c, 0xc09d, 0xc0a0, 0xc0a1,
    0x003c, 0x003d, 0x002f, 0x0035, 0x0041, 0x0084, 0x00ba, 0x00c0, 0xc07a, 0xc07b, 0xc03c, 0xc03d,
    0xc050, 0xc051, 0x0096, 0x000a, 0x0009, 0x0007, 0x0005, 0x0004, 0x003b, 0x0002, 0x0001, 0x00a0,
    0x00a1, 0x0031, 0x0037, 0x003f, 0x0069, 0x0043, 0x0086, 0x0098, 0xc00e, 0xc00f, 0xc029, 0xc02a,
    0xc031,
];

/// `TLS_EMPTY_RENEGOTIATION_INFO_SCSV` (RFC 5746 3.3): some servers refuse clients without it.
const RENEGOTIATION_SCSV: u16 = 0x00ff;

/// The groups of RFC 8422 and RFC 7027. Those of RFC 7919 are absent, so that a server may use any
/// Diffie-Hellman group of its own.
const GROUPS: [u16; 18] = [
    29, 23, 30, 25, 24, 26, 27, 28, 22, 21, 19, 9, 10, 11, 12, 13, 14, 20,
];

const ECDSA_SCHEMES: [u16; 7] = [0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0303, 0x0203];
const RSA_SCHEMES: [u16; 11] = [
    0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0301, 0x0201,
];

impl HelloContent<'_> {
    /// Encodes the record that carries the message.
    #[must_use]
    pub(crate) fn to_record(self) -> Vec<u8> {
        let mut body = TLS12.to_vec();
        body.extend_from_slice(self.random);
        // No session to resume.
        body.push(0);
        let mut suites = self.suites();
        suites.push(RENEGOTIATION_SCSV);
        push_list(&mut body, &be_bytes(&suites));
        // One compression method: none.
        body.extend_from_slice(&[1, 0]);
        push_list(&mut body, &self.extensions());
        let mut message = vec![CLIENT_HELLO, 0];
        push_list(&mut message, &body);
        let mut record = vec![HANDSHAKE_RECORD, RECORD_VERSION[0], RECORD_VERSION[1]];
        push_list(&mut record, &message);
        record
    }

    fn suites(&self) -> Vec<u16> {
        let (ecdsa, rsa) = self.key_kinds();
        let mut suites = Vec::new();
        if ecdsa {
            suites.extend(ECDSA_SUITES);
        }
        if rsa {
            suites.extend(RSA_SUITES);
        }
        suites
    }

    /// Whether keys for ECDSA or EdDSA are accepted, and whether RSA keys are.
    fn key_kinds(&self) -> (bool, bool) {
        match self.algorithm {
            None | Some(KeyAlgorithm::Unknown) => (true, true),
            Some(KeyAlgorithm::Rsa(_)) => (false, true),
            Some(_) => (true, false),
        }
    }

    fn schemes(&self) -> Vec<u16> {
        let (ecdsa, rsa) = self.key_kinds();
        let mut schemes = Vec::new();
        if ecdsa {
            let is_edwards = |scheme: &u16| matches!(scheme, 0x0807 | 0x0808);
            let wanted = |scheme: &u16| match self.algorithm {
                Some(KeyAlgorithm::Ed25519) => *scheme == 0x0807,
                Some(
                    KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 | KeyAlgorithm::EcdsaP521,
                ) => !is_edwards(scheme),
                _ => true,
            };
            schemes.extend(ECDSA_SCHEMES.iter().filter(|scheme| wanted(scheme)));
        }
        if rsa {
            schemes.extend(RSA_SCHEMES);
        }
        schemes
    }

    fn extensions(&self) -> Vec<u8> {
        let mut extensions = Vec::new();
        if self.has_host_name() {
            // A list with one entry of the type `host_name`.
            let mut entry = vec![0];
            push_list(&mut entry, self.name.as_bytes());
            push_extension(&mut extensions, SERVER_NAME, &listed(&entry));
        }
        // OCSP, no responder ids, no request extensions (RFC 6066 section 8).
        push_extension(&mut extensions, STATUS_REQUEST, &[1, 0, 0, 0, 0]);
        push_extension(
            &mut extensions,
            SUPPORTED_GROUPS,
            &listed(&be_bytes(&GROUPS)),
        );
        push_extension(&mut extensions, POINT_FORMATS, &[1, 0]);
        let schemes = listed(&be_bytes(&self.schemes()));
        push_extension(&mut extensions, SIGNATURE_ALGORITHMS, &schemes);
        push_extension(&mut extensions, EXTENDED_MASTER_SECRET, &[]);
        extensions
    }

    fn has_host_name(&self) -> bool {
        let is_address = self.name.parse::<IpAddr>().is_ok();
        !is_address && !self.name.is_empty() && self.name.len() <= 255
    }
}

fn be_bytes(values: &[u16]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_be_bytes())
        .collect()
}

/// Appends `content` with its length in two bytes before it. Every list here is far shorter than
/// 64 KiB.
fn push_list(to: &mut Vec<u8>, content: &[u8]) {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(content);
}

fn listed(content: &[u8]) -> Vec<u8> {
    let mut list = Vec::new();
    push_list(&mut list, content);
    list
}

fn push_extension(to: &mut Vec<u8>, kind: u16, content: &[u8]) {
    to.extend_from_slice(&kind.to_be_bytes());
    push_list(to, content);
}

#[cfg(test)]
mod tests {
    use super::HelloContent;
    use crate::pki::key::KeyAlgorithm;

    fn record(name: &str, algorithm: Option<KeyAlgorithm>) -> Vec<u8> {
        let random = &[7; 32];
        HelloContent {
            name,
            algorithm,
            random,
        }
        .to_record()
    }

    fn contains(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn lengths_add_up_and_the_version_is_capped() {
        let record = record("example.com", None);
        let length = |at: usize| usize::from(u16::from_be_bytes([record[at], record[at + 1]]));
        assert_eq!(&record[..3], &[22, 3, 1]);
        assert_eq!(length(3), record.len() - 5);
        assert_eq!((record[5], record[6]), (1, 0));
        assert_eq!(length(7), record.len() - 9);
        assert_eq!(&record[9..11], &[3, 3]);
        // `supported_versions` (RFC 8446 4.2.1) would offer TLS 1.3.
        assert!(!contains(&record, &[0, 43, 0]));
    }

    #[test]
    fn names_are_sent_and_addresses_are_not() {
        let sent = b"\x00\x00\x00\x10\x00\x0e\x00\x00\x0bexample.com";
        assert!(contains(&record("example.com", None), sent));
        for address in ["192.0.2.1", "2001:db8::1"] {
            assert!(!contains(&record(address, None), address.as_bytes()));
        }
    }

    #[test]
    fn a_key_type_selects_the_suites() {
        let (ecdhe_ecdsa, ecdhe_rsa) = ([0xc0, 0x2b], [0xc0, 0x2f]);
        for (algorithm, ecdsa, rsa) in [
            (None, true, true),
            (Some(KeyAlgorithm::EcdsaP521), true, false),
            (Some(KeyAlgorithm::Ed25519), true, false),
            (Some(KeyAlgorithm::Rsa(2048)), false, true),
        ] {
            let record = record("", algorithm);
            assert_eq!(
                (
                    contains(&record, &ecdhe_ecdsa),
                    contains(&record, &ecdhe_rsa)
                ),
                (ecdsa, rsa),
                "{algorithm:?}"
            );
        }
    }
}
