//! Files that are not certificates and are described as what they are.

use super::encode::{SEQUENCE, block, tlv};
use super::world::{World, der};
use super::{ExpectedOutcome, Row};
use crate::support::zip::zip;

pub fn rows(world: &World) -> Vec<Row> {
    // The header is padded with zeros, because letters alone could be valid base64.
    let mut tar = vec![0; 512];
    tar[..5].copy_from_slice(b"x.crt");
    tar[257..262].copy_from_slice(b"ustar");
    let docx = zip(&[
        ("[Content_Types].xml", "<Types/>"),
        ("word/document.xml", "<w:p/>"),
    ]);
    let crl = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
    let traditional = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let locked = block(
        "ENCRYPTED PRIVATE KEY",
        &tlv(SEQUENCE, &[&tlv(SEQUENCE, &[]), &tlv(4, &[b"x"])]),
    );
    let spki = block(
        "PUBLIC KEY",
        certctl::facade::pki::certificate::Certificate::from_der(&der(&world.leaf))
            .unwrap()
            .spki(),
    );
    let bytes: Vec<(&str, &str, Vec<u8>)> = vec![
        ("nothing", "x.crt", Vec::new()),
        ("blanks", "x.crt", b" \r\n\r\n".to_vec()),
        (
            "a login page",
            "example_com.zip",
            b"<!DOCTYPE html>\n<html><head><title>Log in | Shop</title></head>".to_vec(),
        ),
        (
            "an error page without a title",
            "x.crt",
            b"<html><body>403</body></html>".to_vec(),
        ),
        ("gzip", "x.zip", b"\x1f\x8b\x08\0\0\0\0\0".to_vec()),
        ("7z", "x.zip", b"7z\xbc\xaf\x27\x1c\0\x04".to_vec()),
        ("rar", "x.zip", b"Rar!\x1a\x07\x01\0".to_vec()),
        ("tar", "x.tar", tar),
        ("bzip2", "x", b"BZh91AY&SY".to_vec()),
        ("xz", "x", b"\xfd7zXZ\0\0".to_vec()),
        ("zstd", "x", b"\x28\xb5\x2f\xfd\0\0".to_vec()),
        (
            "PNG",
            "screenshot.png",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
        ),
        ("JPEG", "photo.crt", b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec()),
        (
            "PDF",
            "invoice.pdf",
            b"%PDF-1.7\n%\xe2\xe3\xcf\xd3".to_vec(),
        ),
        ("a Word document", "cert.docx", docx),
        (
            "an old Word document",
            "cert.doc",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0".to_vec(),
        ),
        (
            "a Java keystore",
            "my store.jks",
            b"\xfe\xed\xfe\xed\0\0\0\x02".to_vec(),
        ),
        (
            "an OpenSSH key",
            "id_ed25519",
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
                .to_vec(),
        ),
        (
            "an OpenSSH public key",
            "id.pub",
            b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@here\n".to_vec(),
        ),
        (
            "a PGP message",
            "x.asc",
            b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n".to_vec(),
        ),
        ("a CRL", "x.crl", crl.into()),
        ("a public key", "x.pub", spki.into()),
        ("a request", "x.csr", world.request.clone().into()),
        ("a key", "x.key", world.key.clone().into()),
        ("an old encrypted key", "x.key", traditional.into()),
        ("an encrypted key", "x.key", locked.into()),
        (
            "words",
            "x.txt",
            b"Dear customer, your order is complete.\n".to_vec(),
        ),
        ("binary", "x", b"\x00\x01\x02\x03\xff\xfe\xfd".to_vec()),
        ("DER, cut off", "x.cer", der(&world.leaf)[..200].to_vec()),
        ("a zip without files", "x.zip", zip::<&str>(&[])),
        (
            "a zip of words",
            "x.zip",
            zip(&[("readme.txt", "Thank you!")]),
        ),
    ];
    bytes
        .into_iter()
        .map(|(name, file, bytes)| {
            Row::one(
                ExpectedOutcome::Refused,
                format!("no certificate: {name}"),
                file,
                bytes,
            )
        })
        .collect()
}
