//! Every format reads back, and what is not the same is told.

use clap::ValueEnum;

use super::{
    ExportError, ExportFormat, ExportSource, ExportTarget, OverwriteLoss, Pkcs12Protection,
    Pkcs12Strength, loss, read_back, render,
};
use crate::pki::chain::{Chain, ChainCriteria, ChainPreference};
use crate::pki::key::PrivateKey;
use crate::pki::testing::{Authority, now, private, site_key};
use crate::pki::trust::TrustAnchors;

fn made() -> (Chain, PrivateKey) {
    let (root, sub) = (Authority::new("Root"), Authority::new("Sub"));
    let key = site_key();
    let leaf = sub.leaf_as(&["example.com"], &key, |_| {});
    let anchors = TrustAnchors::from_certificates("x", &[root.root()]);
    (
        Chain::assemble(
            &leaf,
            &[root.certify(&sub)],
            ChainCriteria {
                anchors: &anchors,
                at: now(),
                prefer: ChainPreference::default(),
            },
        )
        .chain,
        private(&key),
    )
}

fn locked(strength: Pkcs12Strength) -> Option<Pkcs12Protection<'static>> {
    Some(Pkcs12Protection {
        password: "geheim €",
        strength,
    })
}

#[test]
fn every_format_reads_back_and_no_other_pair_does() {
    let ((chain, key), (other, other_key)) = (made(), made());
    let pair = ExportSource {
        name: "example.com",
        chain: &chain,
        key: Some(&key),
        looked: "",
    };
    let stranger = ExportSource {
        name: "example.com",
        chain: &other,
        key: Some(&other_key),
        looked: "",
    };
    for strength in [Pkcs12Strength::Modern, Pkcs12Strength::Legacy] {
        for format in ExportFormat::value_variants() {
            let bytes = render(*format, pair, locked(strength)).unwrap();
            assert_eq!(
                read_back(*format, &bytes, pair, locked(strength)),
                Ok(()),
                "{format:?}"
            );
            let differs = Err(ExportError::Differs(*format));
            assert_eq!(
                read_back(*format, &bytes, stranger, locked(strength)),
                differs,
                "{format:?}"
            );
            assert_eq!(
                read_back(*format, &bytes[..bytes.len() - 9], pair, locked(strength)),
                differs,
                "{format:?}"
            );
            let holds = if format.holds_key() {
                OverwriteLoss::Key
            } else {
                OverwriteLoss::Nothing
            };
            let unknown = if *format == ExportFormat::Pfx {
                OverwriteLoss::Unknown
            } else {
                holds
            };
            assert_eq!(loss(&bytes, None, None), unknown, "{format:?}");
            assert_eq!(
                loss(&bytes, Some(key.id()), Some("geheim €")),
                OverwriteLoss::Nothing,
                "{format:?}"
            );
            assert_eq!(
                loss(&bytes, Some(other_key.id()), Some("geheim €")),
                holds,
                "{format:?}"
            );
        }
    }
}

#[test]
fn what_cannot_be_given_is_told() {
    let (chain, key) = made();
    let pair = ExportSource {
        name: "example.com",
        chain: &chain,
        key: Some(&key),
        looked: "here",
    };
    let without = ExportSource { key: None, ..pair };
    for format in [ExportFormat::Pfx, ExportFormat::Haproxy] {
        let told = render(format, without, locked(Pkcs12Strength::Modern)).unwrap_err();
        assert_eq!(
            told,
            ExportError::NoKey {
                format,
                label: "example.com".into(),
                looked: "here".into()
            }
        );
    }
    assert_eq!(
        render(ExportFormat::Pfx, pair, None).unwrap_err(),
        ExportError::NoPassword(ExportFormat::Pfx)
    );
    let emoji = Some(Pkcs12Protection {
        password: "😀",
        strength: Pkcs12Strength::Modern,
    });
    assert_eq!(
        render(ExportFormat::Pfx, pair, emoji).unwrap_err(),
        ExportError::Password
    );
    let root = Authority::new("Root");
    let leaf = root.leaf(&["example.com"]);
    let anchors = TrustAnchors::from_certificates("x", &[root.root()]);
    let short = Chain::assemble(
        &leaf,
        &[],
        ChainCriteria {
            anchors: &anchors,
            at: now(),
            prefer: ChainPreference::default(),
        },
    )
    .chain;
    let told = render(
        ExportFormat::Chain,
        ExportSource {
            chain: &short,
            ..pair
        },
        None,
    )
    .unwrap_err();
    assert_eq!(
        told,
        ExportError::NoChain {
            label: "example.com".into()
        }
    );
}

#[test]
fn every_target_has_its_formats_and_lines() {
    for target in ExportTarget::value_variants() {
        assert!(!target.formats().is_empty());
        assert_eq!(
            target.to_possible_value().unwrap().get_name(),
            target.name()
        );
        let steps = target.steps("example.com", |word| format!("example.com.{word}"));
        for line in steps
            .iter()
            .flat_map(|(text, lines)| lines.iter().chain([text]))
        {
            assert!(!line.contains(['{', '}']), "{target:?}: {line}");
        }
    }
    let of = |target: ExportTarget| {
        target
            .steps("a", |word| format!("./a.{word}"))
            .pop()
            .unwrap()
            .1
    };
    assert_eq!(
        of(ExportTarget::Postfix),
        ["smtpd_tls_chain_files = /etc/ssl/private/a.key, /etc/ssl/a.fullchain.pem"]
    );
    assert!(of(ExportTarget::AwsAcm)[0].contains(
        "--certificate fileb://./a.cert --certificate-chain fileb://./a.chain --private"
    ));
    assert_eq!(ExportTarget::Windows2016.strength(), Pkcs12Strength::Legacy);
}
