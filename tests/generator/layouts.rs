//! File layouts of CAs and resellers, from their help pages and from real deliveries.

use super::encode::{p7b, pfx};
use super::world::{World, der};
use super::{ExpectedOutcome, Row};
use crate::support::zip::zip;

const HINTS: &str = "Which file is for which server? Plain text opens in any editor.\r\n";

pub fn rows(world: &World) -> Vec<Row> {
    let packed = |name: &str, files: &[(&str, Vec<u8>)]| {
        Row::one(ExpectedOutcome::Chain, name, "example_com.zip", zip(files))
    };
    [
        sectigo(world, packed),
        others(world, packed),
        with_keys(world, packed),
    ]
    .concat_rows()
}

trait Concat {
    fn concat_rows(self) -> Vec<Row>;
}

impl<const N: usize> Concat for [Vec<Row>; N] {
    fn concat_rows(self) -> Vec<Row> {
        self.into_iter().flatten().collect()
    }
}

fn dos(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn bytes(text: &str) -> Vec<u8> {
    text.into()
}

fn sectigo(world: &World, packed: impl Fn(&str, &[(&str, Vec<u8>)]) -> Row) -> Vec<Row> {
    let World {
        leaf,
        middle,
        root,
        cross,
        older,
        expired,
        ..
    } = world;
    let bundle = format!("{middle}{cross}");
    vec![
        packed(
            "Sectigo, all formats in folders",
            &[
                ("CER - CRT Files/", Vec::new()),
                ("CER - CRT Files/example_com.crt", dos(leaf)),
                ("CER - CRT Files/My_CA_Bundle.ca-bundle", dos(&bundle)),
                (
                    "CER - CRT Files/SectigoPublicServerAuthenticationCADVR36.crt",
                    dos(middle),
                ),
                (
                    "CER - CRT Files/SectigoPublicServerAuthenticationRootR46_USERTrust.crt",
                    dos(cross),
                ),
                (
                    "CER - CRT Files/USERTrustRSACertificationAuthority.crt",
                    dos(older),
                ),
                ("Plain Text Files/example_com.txt", dos(leaf)),
                ("Plain Text Files/My_CA_Bundle.txt", dos(&bundle)),
                ("PKCS7 Files/example_com.p7b", p7b(&[leaf, middle, cross])),
                ("Choosing the Right Files to Install.txt", bytes(HINTS)),
            ],
        ),
        packed(
            "Namecheap: crt, ca-bundle, p7b",
            &[
                ("example_com.crt", bytes(leaf)),
                ("example_com.ca-bundle", bytes(&world.bundle())),
                ("example_com.p7b", p7b(&[root, middle, leaf])),
            ],
        ),
        packed(
            "old Comodo: one file each, an expired root at the end",
            &[
                ("example_com.crt", bytes(leaf)),
                ("COMODORSADomainValidationSecureServerCA.crt", bytes(middle)),
                ("COMODORSAAddTrustCA.crt", bytes(&expired.1)),
                ("AddTrustExternalCARoot.crt", bytes(&expired.0)),
            ],
        ),
        packed(
            "old Comodo: STAR_ names, DER",
            &[
                ("STAR_example_com.crt", der(leaf)),
                ("COMODORSADomainValidationSecureServerCA.crt", der(middle)),
                ("AddTrustExternalCARoot.crt", der(&expired.0)),
            ],
        ),
        packed(
            "Sectigo until 2025: cross-signed by AAA, its root too",
            &[
                ("example_com.crt", bytes(leaf)),
                (
                    "SectigoRSADomainValidationSecureServerCA.crt",
                    bytes(middle),
                ),
                ("USERTrustRSAAAACA.crt", bytes(cross)),
                ("AAACertificateServices.crt", bytes(older)),
            ],
        ),
    ]
}

fn others(world: &World, packed: impl Fn(&str, &[(&str, Vec<u8>)]) -> Row) -> Vec<Row> {
    let World {
        leaf,
        middle,
        root,
        cross,
        older,
        ..
    } = world;
    let two = |name: &str, first: (&str, &str), second: (&str, &str)| {
        packed(
            name,
            &[(first.0, bytes(first.1)), (second.0, bytes(second.1))],
        )
    };
    let json = |text: &str| text.replace('\n', "\\n");
    vec![
        two(
            "ZeroSSL: no line break at the ends",
            ("certificate.crt", leaf.trim_end()),
            ("ca_bundle.crt", middle.trim_end()),
        ),
        Row::one(
            ExpectedOutcome::Chain,
            "ZeroSSL: the answer of its API",
            "download.json",
            format!(
                "{{\"certificate.crt\":\"{}\",\"ca_bundle.crt\":\"{}\"}}",
                json(leaf),
                json(middle)
            ),
        ),
        packed(
            "DigiCert: leaf, intermediate, root",
            &[
                ("example_com.crt", bytes(leaf)),
                ("DigiCertCA.crt", bytes(middle)),
                ("TrustedRoot.crt", bytes(root)),
                (
                    "INSTALL_INSTRUCTIONS.en.html",
                    bytes("<!DOCTYPE html><html><title>Install</title></html>"),
                ),
            ],
        ),
        Row::one(
            ExpectedOutcome::Chain,
            "DigiCert: p7b",
            "example_com.p7b",
            p7b(&[leaf, middle, root]),
        ),
        packed(
            "GoDaddy: the leaf twice, its bundle with a root",
            &[
                ("1a2b3c4d5e6f7a8b.crt", bytes(leaf)),
                ("1a2b3c4d5e6f7a8b.pem", bytes(leaf)),
                (
                    "gd_bundle-g2-g1.crt",
                    bytes(&format!("{middle}{cross}{older}")),
                ),
            ],
        ),
        packed(
            "GoDaddy: for Tomcat",
            &[
                ("1a2b3c4d5e6f7a8b.crt", bytes(leaf)),
                ("1a2b3c4d5e6f7a8b.pem", bytes(leaf)),
                ("gd_bundle-g2-g1.crt", bytes(&format!("{middle}{root}"))),
                ("gdig2.crt.pem", bytes(middle)),
            ],
        ),
        two(
            "Entrust: chain bundle",
            ("ServerCertificate.crt", leaf),
            ("ChainBundle2.crt", &world.bundle()),
        ),
        packed(
            "Entrust: for other servers",
            &[
                ("ServerCertificate.crt", dos(leaf)),
                ("Intermediate.crt", dos(middle)),
                ("Root.crt", dos(root)),
            ],
        ),
        two(
            "Gandi",
            ("certificate-1234567.crt", leaf),
            ("GandiStandardSSLCA2.pem", middle),
        ),
        Row::new(
            ExpectedOutcome::Chain,
            "GlobalSign: two files",
            vec![
                ("example.com.crt", bytes(leaf)),
                ("intermediate.cer", der(middle)),
            ],
        ),
    ]
}

fn with_keys(world: &World, packed: impl Fn(&str, &[(&str, Vec<u8>)]) -> Row) -> Vec<Row> {
    let World {
        leaf,
        middle,
        key,
        request,
        ..
    } = world;
    let chain = world.chain();
    vec![
        packed(
            "ZeroSSL: with the key that was made there",
            &[
                ("certificate.crt", bytes(leaf)),
                ("ca_bundle.crt", bytes(middle)),
                ("private.key", bytes(key)),
            ],
        ),
        packed(
            "Alibaba: nginx",
            &[
                ("12345_example.com.pem", bytes(&chain)),
                ("12345_example.com.key", bytes(key)),
            ],
        ),
        packed(
            "Alibaba: Apache",
            &[
                ("example.com_public.crt", bytes(leaf)),
                ("example.com_chain.crt", bytes(middle)),
                ("example.com.key", bytes(key)),
            ],
        ),
        packed(
            "Alibaba: IIS, the password beside it",
            &[
                ("example.com.pfx", pfx(world, "Xy7pQ2", true)),
                ("pfx-password.txt", bytes("Xy7pQ2")),
            ],
        )
        .arguments(&["in/example_com.zip", "--password-file", "in/Xy7pQ2"])
        .with_file("Xy7pQ2", "Xy7pQ2\n"),
        Row {
            expected: ExpectedOutcome::Refused,
            ..packed(
                "Alibaba: IIS, its password not passed",
                &[
                    ("example.com.pfx", pfx(world, "Xy7pQ2", false)),
                    ("pfx-password.txt", bytes("Xy7pQ2")),
                ],
            )
        },
        packed(
            "Tencent: one folder a server",
            &[
                ("Apache/1_root_bundle.crt", bytes(&world.bundle())),
                ("Apache/2_example.com.crt", bytes(leaf)),
                ("Apache/3_example.com.key", bytes(key)),
                ("Nginx/1_example.com_bundle.crt", bytes(&chain)),
                ("Nginx/2_example.com.key", bytes(key)),
                ("IIS/example.com.pfx", pfx(world, "k3y", false)),
                ("IIS/keystorePass.txt", bytes("k3y")),
                (
                    "Tomcat/example.com.jks",
                    b"\xfe\xed\xfe\xed\0\0\0\x02".to_vec(),
                ),
                ("Tomcat/keystorePass.txt", bytes("k3y")),
                ("example.com.csr", bytes(request)),
            ],
        ),
        packed(
            "Tencent: nginx today",
            &[
                ("example.com_nginx/example.com_bundle.crt", bytes(&chain)),
                ("example.com_nginx/example.com_bundle.pem", bytes(&chain)),
                ("example.com_nginx/example.com.key", bytes(key)),
                ("example.com_nginx/example.com.csr", bytes(request)),
            ],
        ),
    ]
}
