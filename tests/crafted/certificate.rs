//! Certificates written field by field, so that each of them can be wrong.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
};

/// Encodes one DER element.
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match content.len() {
        short @ 0..0x80 => out.push(u8::try_from(short).unwrap()),
        middle @ 0x80..0x100 => out.extend([0x81, u8::try_from(middle).unwrap()]),
        long => {
            out.push(0x82);
            out.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    out.extend(content);
    out
}

/// An attribute of a name: the last arc below 2.5.4, the tag of its string type, its text.
pub type Attribute<'a> = (u8, u8, &'a str);

pub const UTF8: u8 = 0x0c;
pub const PRINTABLE: u8 = 0x13;

/// Encodes a `Name` with one attribute in each part.
pub fn name(attributes: &[Attribute<'_>]) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = attributes
        .iter()
        .map(|(arc, tag, text)| {
            let id = tlv(6, &[&[0x55, 4, *arc]]);
            let value = tlv(*tag, &[text.as_bytes()]);
            tlv(0x31, &[&tlv(0x30, &[&id, &value])])
        })
        .collect();
    tlv(0x30, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A key that signs certificates or handshakes.
pub enum CraftedKey {
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl CraftedKey {
    pub fn ec() -> Self {
        Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    pub fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// The `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> Vec<u8> {
        match self {
            Self::Ec(key) => key.public_key().as_der().unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.public_key().as_der().unwrap().as_ref().to_vec(),
            Self::Rsa(key) => key.public_key().as_der().unwrap().as_ref().to_vec(),
        }
    }

    /// The private key, as PKCS#8 in PEM.
    pub fn pem(&self) -> String {
        let der: Vec<u8> = match self {
            Self::Ec(key) => key.to_pkcs8v1().unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.to_pkcs8v1().unwrap().as_ref().to_vec(),
            Self::Rsa(key) => key.as_der().unwrap().as_ref().to_vec(),
        };
        pem("PRIVATE KEY", &der)
    }

    fn algorithm(&self) -> Vec<u8> {
        match self {
            Self::Ec(_) => tlv(
                0x30,
                &[&tlv(6, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]])],
            ),
            Self::Ed25519(_) => tlv(0x30, &[&tlv(6, &[&[0x2b, 0x65, 0x70]])]),
            Self::Rsa(_) => {
                let id = tlv(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b]]);
                tlv(0x30, &[&id, &[5, 0]])
            }
        }
    }

    fn sign(&self, body: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(key) => key.sign(&random, body).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(body).as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, body, &mut signature)
                    .unwrap();
                signature
            }
        }
    }
}

/// Encodes PEM.
pub fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// One extension.
#[derive(Clone)]
pub struct Extension {
    /// The octets of its object identifier.
    pub id: Vec<u8>,
    pub critical: bool,
    pub value: Vec<u8>,
}

/// The last arc below 2.5.29.
pub const SKI: u8 = 14;
pub const KEY_USAGE: u8 = 15;
pub const SAN: u8 = 17;
pub const BASIC: u8 = 19;
pub const CONSTRAINTS: u8 = 30;
pub const AKI: u8 = 35;
pub const EKU: u8 = 37;

/// The fields of a certificate.
#[derive(Clone)]
pub struct Crafted {
    pub version: u8,
    pub serial: Vec<u8>,
    pub issuer: Vec<u8>,
    pub subject: Vec<u8>,
    pub not_before: Vec<u8>,
    pub not_after: Vec<u8>,
    pub spki: Vec<u8>,
    pub unique_identifiers: bool,
    /// The signature algorithms inside and outside the signed part, if not that of the key.
    pub signature_algorithms: [Option<Vec<u8>>; 2],
    pub extensions: Vec<Extension>,
}

impl Crafted {
    /// Removes an extension.
    pub fn drop(&mut self, number: u8) {
        self.extensions
            .retain(|extension| extension.id != [0x55, 0x1d, number]);
    }

    /// Replaces the value of an extension, or adds the extension.
    pub fn set(&mut self, number: u8, critical: bool, value: &[u8]) {
        self.drop(number);
        self.extensions.push(Extension {
            id: vec![0x55, 0x1d, number],
            critical,
            value: value.to_vec(),
        });
    }

    /// Changes whether an extension is critical.
    pub fn mark(&mut self, number: u8, critical: bool) {
        for extension in &mut self.extensions {
            if extension.id == [0x55, 0x1d, number] {
                extension.critical = critical;
            }
        }
    }

    /// The octets of the subject key identifier.
    pub fn subject_key(&self) -> Option<Vec<u8>> {
        let found = self
            .extensions
            .iter()
            .find(|extension| extension.id == [0x55, 0x1d, SKI])?;
        Some(found.value[2..].to_vec())
    }

    pub fn sign(&self, key: &CraftedKey) -> Vec<u8> {
        let [inside, outside] = self.signature_algorithms.clone();
        let inside = inside.unwrap_or_else(|| key.algorithm());
        let outside = outside.unwrap_or_else(|| key.algorithm());
        let version = tlv(0xa0, &[&[2, 1, self.version - 1]]);
        let dates = tlv(0x30, &[&self.not_before, &self.not_after]);
        let mut parts: Vec<Vec<u8>> = vec![
            tlv(2, &[&self.serial]),
            inside,
            self.issuer.clone(),
            dates,
            self.subject.clone(),
            self.spki.clone(),
        ];
        if self.version > 1 {
            parts.insert(0, version);
        }
        if self.unique_identifiers {
            parts.push(tlv(0x81, &[&[0, 1, 2]]));
        }
        if !self.extensions.is_empty() {
            let list: Vec<Vec<u8>> = self.extensions.iter().map(encode_extension).collect();
            let list = tlv(0x30, &list.iter().map(Vec::as_slice).collect::<Vec<_>>());
            parts.push(tlv(0xa3, &[&list]));
        }
        let body = tlv(0x30, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let signature = tlv(3, &[&[0], &key.sign(&body)]);
        tlv(0x30, &[&body, &outside, &signature])
    }
}

fn encode_extension(extension: &Extension) -> Vec<u8> {
    let id = tlv(6, &[&extension.id]);
    let critical: &[u8] = if extension.critical {
        &[1, 1, 0xff]
    } else {
        &[]
    };
    tlv(0x30, &[&id, critical, &tlv(4, &[&extension.value])])
}
