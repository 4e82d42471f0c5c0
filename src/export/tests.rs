//! Every format reads back, and what is not the same is told.

use clap::ValueEnum;

use super::{
    ExportError, Format, Loss, Pair, Protection, Strength, Target, loss, read_back, render,
};
use crate::pki::chain::{Chain, Prefer, Wanted};
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
            Wanted {
                anchors: &anchors,
                at: now(),
                prefer: Prefer::default(),
            },
        )
        .chain,
        private(&key),
    )
}

fn locked(strength: Strength) -> Option<Protection<'static>> {
    Some(Protection {
        password: "geheim €",
        strength,
    })
}

#[test]
fn every_format_reads_back_and_no_other_pair_does() {
    let ((chain, key), (other, other_key)) = (made(), made());
    let pair = Pair {
        name: "example.com",
        chain: &chain,
        key: Some(&key),
        looked: "",
    };
    let stranger = Pair {
        name: "example.com",
        chain: &other,
        key: Some(&other_key),
        looked: "",
    };
    for strength in [Strength::Modern, Strength::Legacy] {
        for format in Format::value_variants() {
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
                Loss::Key
            } else {
                Loss::Nothing
            };
            let unknown = if *format == Format::Pfx {
                Loss::Unknown
            } else {
                holds
            };
            assert_eq!(loss(&bytes, None, None), unknown, "{format:?}");
            assert_eq!(
                loss(&bytes, Some(key.id()), Some("geheim €")),
                Loss::Nothing,
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
    let pair = Pair {
        name: "example.com",
        chain: &chain,
        key: Some(&key),
        looked: "here",
    };
    let without = Pair { key: None, ..pair };
    for format in [Format::Pfx, Format::Haproxy] {
        let told = render(format, without, locked(Strength::Modern)).unwrap_err();
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
        render(Format::Pfx, pair, None).unwrap_err(),
        ExportError::NoPassword(Format::Pfx)
    );
    let emoji = Some(Protection {
        password: "😀",
        strength: Strength::Modern,
    });
    assert_eq!(
        render(Format::Pfx, pair, emoji).unwrap_err(),
        ExportError::Password
    );
    let root = Authority::new("Root");
    let leaf = root.leaf(&["example.com"]);
    let anchors = TrustAnchors::from_certificates("x", &[root.root()]);
    let short = Chain::assemble(
        &leaf,
        &[],
        Wanted {
            anchors: &anchors,
            at: now(),
            prefer: Prefer::default(),
        },
    )
    .chain;
    let told = render(
        Format::Chain,
        Pair {
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
    for target in Target::value_variants() {
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
    let of = |target: Target| {
        target
            .steps("a", |word| format!("./a.{word}"))
            .pop()
            .unwrap()
            .1
    };
    assert_eq!(
        of(Target::Postfix),
        ["smtpd_tls_chain_files = /etc/ssl/private/a.key, /etc/ssl/a.fullchain.pem"]
    );
    assert!(of(Target::AwsAcm)[0].contains(
        "--certificate fileb://./a.cert --certificate-chain fileb://./a.chain --private"
    ));
    assert_eq!(Target::Windows2016.strength(), Strength::Legacy);
}
