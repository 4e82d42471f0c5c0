//! Chains made of crafted certificates.

use super::certificate::{
    AKI, BASIC, Crafted, CraftedKey, EKU, KEY_USAGE, SAN, SKI, UTF8, name, pem, tlv,
};
use super::faults::{Fault, Place};

/// How many CAs are between the leaf and the root.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// Leaf, "CA 1", root.
    One,
    /// Leaf, "CA 1", "CA 2", root.
    Two,
    /// Leaf, "CA 1", a certificate of "CA 1" for its new key by its old one, root.
    Rollover,
    /// As `One`, with an RSA key in the leaf.
    Rsa,
    /// As `One`, with an Ed25519 key in the leaf.
    Ed25519,
}

/// Keys that all chains share: the leaf's, then those of the CAs, the root's last.
pub struct ChainKeys {
    leaf: CraftedKey,
    rsa: CraftedKey,
    ed25519: CraftedKey,
    authorities: [CraftedKey; 2],
    root: CraftedKey,
}

impl ChainKeys {
    pub fn new() -> Self {
        Self {
            leaf: CraftedKey::ec(),
            rsa: CraftedKey::rsa(),
            ed25519: CraftedKey::ed25519(),
            authorities: [CraftedKey::ec(), CraftedKey::ec()],
            root: CraftedKey::ec(),
        }
    }

    pub fn of_leaf(&self, shape: Shape) -> &CraftedKey {
        match shape {
            Shape::Rsa => &self.rsa,
            Shape::Ed25519 => &self.ed25519,
            _ => &self.leaf,
        }
    }
}

/// A chain as DER: leaf first, the root last.
pub struct CraftedChain {
    pub name: String,
    pub shape: Shape,
    pub certificates: Vec<Vec<u8>>,
    pub faults: Vec<Fault>,
}

impl CraftedChain {
    pub fn new(keys: &ChainKeys, shape: Shape, faults: &[Fault]) -> Self {
        let (mut certificates, signers) = template(keys, shape);
        for fault in faults {
            let last = certificates.len() - 1;
            let place = match fault.place {
                Place::Leaf => 0,
                Place::Issuer => 1,
                Place::Root => last,
            };
            (fault.change)(&mut certificates[place]);
        }
        let names: Vec<String> = faults
            .iter()
            .map(|fault| format!("{:?}-{}", fault.place, fault.name))
            .collect();
        Self {
            name: format!("{shape:?}+{}", names.join("+")),
            shape,
            certificates: certificates
                .iter()
                .zip(signers)
                .map(|(certificate, signer)| certificate.sign(signer))
                .collect(),
            faults: faults.to_vec(),
        }
    }

    /// What a server sends.
    pub fn sent_pem(&self) -> String {
        let sent = &self.certificates[..self.certificates.len() - 1];
        sent.iter().map(|der| pem("CERTIFICATE", der)).collect()
    }

    pub fn root_pem(&self) -> String {
        pem("CERTIFICATE", self.certificates.last().unwrap())
    }
}

/// Returns the certificates, and the key that signs each.
fn template(keys: &ChainKeys, shape: Shape) -> (Vec<Crafted>, Vec<&CraftedKey>) {
    let [first, second] = &keys.authorities;
    let root_name = authority_name("Root");
    let (one, two) = (authority_name("CA 1"), authority_name("CA 2"));
    let leaf = leaf(keys.of_leaf(shape));
    let root = authority(&root_name, &keys.root, 9);
    match shape {
        Shape::One | Shape::Rsa | Shape::Ed25519 => (
            linked(vec![leaf, authority(&one, first, 1), root]),
            vec![first, &keys.root, &keys.root],
        ),
        Shape::Two => (
            linked(vec![
                leaf,
                authority(&one, first, 1),
                authority(&two, second, 2),
                root,
            ]),
            vec![first, second, &keys.root, &keys.root],
        ),
        Shape::Rollover => (
            linked(vec![
                leaf,
                authority(&one, first, 1),
                authority(&one, second, 2),
                root,
            ]),
            vec![first, second, &keys.root, &keys.root],
        ),
    }
}

pub fn authority_name(common: &str) -> Vec<u8> {
    name(&[(10, UTF8, "Crafted"), (3, UTF8, common)])
}

/// Sets issuers and authority key identifiers.
fn linked(mut certificates: Vec<Crafted>) -> Vec<Crafted> {
    for place in 0..certificates.len() {
        let above = certificates[(place + 1).min(certificates.len() - 1)].clone();
        let key = above.subject_key().unwrap();
        certificates[place].issuer = above.subject;
        certificates[place].set(AKI, false, &tlv(0x30, &[&tlv(0x80, &[&key])]));
    }
    certificates
}

fn blank(subject: &[u8], key: &CraftedKey, number: u8) -> Crafted {
    let mut certificate = Crafted {
        version: 3,
        serial: vec![7, number],
        issuer: Vec::new(),
        subject: subject.to_vec(),
        not_before: tlv(0x17, &[b"260101000000Z"]),
        not_after: tlv(0x18, &[b"20600101000000Z"]),
        spki: key.spki(),
        unique_identifiers: false,
        signature_algorithms: [None, None],
        extensions: Vec::new(),
    };
    certificate.set(SKI, false, &tlv(4, &[&[number; 20]]));
    certificate
}

fn authority(subject: &[u8], key: &CraftedKey, number: u8) -> Crafted {
    let mut certificate = blank(subject, key, number);
    certificate.set(BASIC, true, &[0x30, 3, 1, 1, 0xff]);
    certificate.set(KEY_USAGE, true, &[3, 2, 1, 0x06]);
    certificate
}

fn leaf(key: &CraftedKey) -> Crafted {
    let subject = name(&[(10, UTF8, "Shop"), (3, UTF8, "shop.example")]);
    let mut certificate = blank(&subject, key, 100);
    let names = [
        tlv(0x82, &[b"shop.example"]),
        tlv(0x82, &[b"www.shop.example"]),
    ];
    certificate.set(SAN, false, &tlv(0x30, &[&names[0], &names[1]]));
    certificate.set(BASIC, true, &[0x30, 0]);
    certificate.set(KEY_USAGE, true, &[3, 2, 7, 0x80]);
    certificate.set(
        EKU,
        false,
        b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01",
    );
    certificate
}
