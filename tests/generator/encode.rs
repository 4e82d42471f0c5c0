//! DER, PKCS#7 and PKCS#12 as other programs write them, encoded octet by octet and independently
//! of certctl's own encoders.

use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey,
    PrivateKeyChain,
};

use super::world::{World, der};
use crate::support::ca::{DAYS_LEFT, days, today};

pub const SEQUENCE: u8 = 0x30;
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

/// Encodes an element: tag, length and value.
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = match value.len() {
        short @ 0..=0x7f => vec![u8::try_from(short).unwrap()],
        long => {
            let octets: Vec<u8> = long
                .to_be_bytes()
                .into_iter()
                .skip_while(|&octet| octet == 0)
                .collect();
            [vec![0x80 + u8::try_from(octets.len()).unwrap()], octets].concat()
        }
    };
    [vec![tag], length, value].concat()
}

/// Encodes an element with an indefinite length (X.690 8.1.3.6).
pub fn open(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    [&[tag, 0x80], parts.concat().as_slice(), &[0, 0]].concat()
}

/// Encodes `SignedData` without a signer, which CAs call p7b.
pub fn p7b(certificates: &[&str]) -> Vec<u8> {
    signed_data(certificates, tlv)
}

/// Encodes the same as BER.
pub fn p7b_ber(certificates: &[&str]) -> Vec<u8> {
    signed_data(certificates, open)
}

fn signed_data(certificates: &[&str], wrap: fn(u8, &[&[u8]]) -> Vec<u8>) -> Vec<u8> {
    let certificates: Vec<u8> = certificates.iter().flat_map(|pem| der(pem)).collect();
    let inner = wrap(SEQUENCE, &[&tlv(6, &[DATA])]);
    let set = tlv(0x31, &[]);
    let body = wrap(
        SEQUENCE,
        &[
            &[2, 1, 1],
            &set,
            &inner,
            &wrap(0xa0, &[&certificates]),
            &set,
        ],
    );
    wrap(SEQUENCE, &[&tlv(6, &[SIGNED_DATA]), &wrap(0xa0, &[&body])])
}

/// Encodes a PEM block with any label, in lines of 64 characters.
pub fn block(label: &str, der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(label, der), config)
}

/// Encodes a PKCS#12 file as OpenSSL 3, old Windows or Java write it.
pub fn pfx(world: &World, password: &str, legacy: bool) -> Vec<u8> {
    let certificates = [&world.leaf, &world.middle, &world.root]
        .map(|pem| Certificate::from_der(&der(pem)).unwrap());
    let key = PrivateKey::from_der(&der(&world.key)).unwrap();
    let mut store = KeyStore::new();
    let chain = PrivateKeyChain::new(b"1".to_vec(), key, certificates);
    store.add_entry("example.com", KeyStoreEntry::PrivateKeyChain(chain));
    let (cipher, mac) = match legacy {
        true => (
            EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc,
            MacAlgorithm::HmacSha1,
        ),
        false => (
            EncryptionAlgorithm::PbeWithHmacSha256AndAes256,
            MacAlgorithm::HmacSha256,
        ),
    };
    let writer = store
        .writer(password)
        .encryption_algorithm(cipher)
        .mac_algorithm(mac);
    writer
        .encryption_iterations(2048)
        .mac_iterations(2048)
        .write()
        .unwrap()
}

/// Encodes PKCS#12 without encryption and MAC; `wrap` encodes the lengths.
pub fn plain_pfx(world: &World, wrap: fn(u8, &[&[u8]]) -> Vec<u8>) -> Vec<u8> {
    const BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01";
    const X509: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01";
    let bag =
        |kind: u8, value: &[u8]| wrap(SEQUENCE, &[&tlv(6, &[BAG, &[kind]]), &wrap(0xa0, &[value])]);
    let certificate = |pem: &str| {
        let value = wrap(0xa0, &[&tlv(4, &[&der(pem)])]);
        bag(3, &wrap(SEQUENCE, &[&tlv(6, &[X509]), &value]))
    };
    let bags = [
        certificate(&world.leaf),
        certificate(&world.middle),
        bag(1, &der(&world.key)),
    ]
    .concat();
    let data = |content: &[u8]| {
        let octets = tlv(4, &[content]);
        wrap(SEQUENCE, &[&tlv(6, &[DATA]), &wrap(0xa0, &[&octets])])
    };
    let safes = wrap(SEQUENCE, &[&data(&wrap(SEQUENCE, &[&bags]))]);
    wrap(SEQUENCE, &[&[2, 1, 3], &data(&safes)])
}

/// Encodes the outline of a certificate, with an RSA key of that many octets and an invalid
/// signature.
pub fn long_key(octets: usize) -> Vec<u8> {
    let rsa = tlv(
        SEQUENCE,
        &[&tlv(6, &[b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"]), &[5, 0]],
    );
    let number = tlv(
        SEQUENCE,
        &[&tlv(2, &[&[0], &vec![0xc5; octets]]), &[2, 3, 1, 0, 1]],
    );
    let key = tlv(SEQUENCE, &[&rsa, &tlv(3, &[&[0], &number])]);
    let scheme = tlv(
        SEQUENCE,
        &[&tlv(6, &[b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"]), &[5, 0]],
    );
    let utc_time = |count: i64| {
        tlv(
            0x17,
            &[days(today(), count)
                .strftime("%y%m%d000000Z")
                .to_string()
                .as_bytes()],
        )
    };
    let dates = tlv(SEQUENCE, &[&utc_time(-1), &utc_time(DAYS_LEFT)]);
    let name = tlv(SEQUENCE, &[]);
    let body = tlv(
        SEQUENCE,
        &[
            &tlv(0xa0, &[&[2, 1, 2]]),
            &[2, 1, 7],
            &scheme,
            &name,
            &dates,
            &name,
            &key,
        ],
    );
    tlv(
        SEQUENCE,
        &[&body, &scheme, &tlv(3, &[&[0], &vec![0; octets]])],
    )
}

/// Encodes base64 in lines of `width` characters.
pub fn base64(bytes: &[u8], width: usize) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    let lines = text
        .as_bytes()
        .chunks(width)
        .map(|line| std::str::from_utf8(line).unwrap());
    lines.map(|line| format!("{line}\n")).collect()
}
