//! Generates a key and does nothing else. Usage: `kg_aws p256` or `kg_aws rsa2048`.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

fn main() {
    let length = match std::env::args().nth(1).as_deref() {
        Some("p256") => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
            key.to_pkcs8v1().expect("PKCS#8").as_ref().len()
        }
        Some("rsa2048") => {
            let key = KeyPair::generate(KeySize::Rsa2048).expect("a key");
            let der: Pkcs8V1Der<'_> = key.as_der().expect("PKCS#8");
            der.as_ref().len()
        }
        _ => panic!("kg_aws p256|rsa2048"),
    };
    println!("{length}");
}
