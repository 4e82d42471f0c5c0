//! Every format can be read back to the same certificate and key, and nothing else is accepted.

use clap::ValueEnum;

use super::{
    ExportError, ExportFormat, ExportSource, ExportTarget, OverwriteLoss, Pkcs12Protection,
    Pkcs12Strength, find_overwrite_loss, render_export, verify_export,
};
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainCriteria, ChainPreference};
use crate::pki::key::PrivateKey;
use crate::pki::testing::{Authority, now, private, site_key};
use crate::pki::trust::TrustAnchors;

fn chain_and_key() -> (Chain, PrivateKey) {
    let root = Authority::new("Root");
    let sub = Authority::new("Sub");
    let key = site_key();
    let leaf = sub.leaf_as(&["example.com"], &key, |_| {});
    let anchors = TrustAnchors::from_certificates("x", &[root.root()]);
    let chain = assemble(&leaf, &[root.certify(&sub)], &anchors);
    (chain, private(&key))
}

fn assemble(leaf: &Certificate, bag: &[Certificate], anchors: &TrustAnchors) -> Chain {
    let criteria = ChainCriteria {
        anchors,
        at: now(),
        prefer: ChainPreference::default(),
    };
    Chain::assemble(leaf, bag, criteria).chain
}

fn source<'a>(chain: &'a Chain, key: &'a PrivateKey) -> ExportSource<'a> {
    ExportSource {
        name: "example.com",
        chain,
        key: Some(key),
        searched_places: "here",
    }
}

fn locked(strength: Pkcs12Strength) -> Option<Pkcs12Protection<'static>> {
    Some(Pkcs12Protection {
        password: "geheim €",
        strength,
    })
}

#[test]
fn read_back_accepts_only_the_exported_certificate() {
    let (chain, key) = chain_and_key();
    let (other_chain, other_key) = chain_and_key();
    let own = source(&chain, &key);
    let other = source(&other_chain, &other_key);
    for strength in [Pkcs12Strength::Modern, Pkcs12Strength::Legacy] {
        let protection = locked(strength);
        for &format in ExportFormat::value_variants() {
            let bytes = render_export(format, own, protection).unwrap();
            let differs = Err(ExportError::Differs(format));
            let own_outcome = verify_export(format, &bytes, own, protection);
            assert_eq!(own_outcome, Ok(()), "{format:?}");
            let other_outcome = verify_export(format, &bytes, other, protection);
            assert_eq!(other_outcome, differs, "{format:?}");
            let truncated = &bytes[..bytes.len() - 9];
            let truncated_outcome = verify_export(format, truncated, own, protection);
            assert_eq!(truncated_outcome, differs, "{format:?}");
        }
    }
}

#[test]
fn overwriting_a_file_with_a_key_is_a_loss() {
    let (chain, key) = chain_and_key();
    let (_, other_key) = chain_and_key();
    let password = Some("geheim €");
    for strength in [Pkcs12Strength::Modern, Pkcs12Strength::Legacy] {
        for &format in ExportFormat::value_variants() {
            let bytes = render_export(format, source(&chain, &key), locked(strength)).unwrap();
            let expected = if format.includes_key() {
                OverwriteLoss::Key
            } else {
                OverwriteLoss::Nothing
            };
            let without_password = if format == ExportFormat::Pfx {
                OverwriteLoss::Unknown
            } else {
                expected
            };
            assert_eq!(
                find_overwrite_loss(&bytes, None, None),
                without_password,
                "{format:?}"
            );
            let by_same_key = find_overwrite_loss(&bytes, Some(key.id()), password);
            assert_eq!(by_same_key, OverwriteLoss::Nothing, "{format:?}");
            let by_other_key = find_overwrite_loss(&bytes, Some(other_key.id()), password);
            assert_eq!(by_other_key, expected, "{format:?}");
        }
    }
}

#[test]
fn formats_with_the_key_require_it() {
    let (chain, key) = chain_and_key();
    let without_key = ExportSource {
        key: None,
        ..source(&chain, &key)
    };
    for format in [ExportFormat::Pfx, ExportFormat::Haproxy] {
        let error = render_export(format, without_key, locked(Pkcs12Strength::Modern)).unwrap_err();
        let expected = ExportError::NoKey {
            format,
            label: "example.com".into(),
            searched_places: "here".into(),
        };
        assert_eq!(error, expected);
    }
}

#[test]
fn pfx_files_require_an_encodable_password() {
    let (chain, key) = chain_and_key();
    let source = source(&chain, &key);
    let without = render_export(ExportFormat::Pfx, source, None);
    assert_eq!(
        without.unwrap_err(),
        ExportError::NoPassword(ExportFormat::Pfx)
    );
    let emoji = Some(Pkcs12Protection {
        password: "😀",
        strength: Pkcs12Strength::Modern,
    });
    let with_emoji = render_export(ExportFormat::Pfx, source, emoji);
    assert_eq!(with_emoji.unwrap_err(), ExportError::Password);
}

#[test]
fn chain_files_require_intermediates() {
    let (_, key) = chain_and_key();
    let root = Authority::new("Root");
    let leaf = root.leaf(&["example.com"]);
    let anchors = TrustAnchors::from_certificates("x", &[root.root()]);
    let short = assemble(&leaf, &[], &anchors);
    let error = render_export(ExportFormat::Chain, source(&short, &key), None).unwrap_err();
    let expected = ExportError::NoChain {
        label: "example.com".into(),
    };
    assert_eq!(error, expected);
}

#[test]
fn every_target_has_its_formats_and_lines() {
    for target in ExportTarget::value_variants() {
        assert!(!target.formats().is_empty());
        let steps = target.steps("example.com", |word| format!("example.com.{word}"));
        for line in steps
            .iter()
            .flat_map(|step| step.lines.iter().chain([&step.sentence]))
        {
            assert!(!line.contains(['{', '}']), "{target:?}: {line}");
        }
    }
    assert_eq!(
        last_lines(ExportTarget::Postfix),
        ["smtpd_tls_chain_files = /etc/ssl/private/a.key, /etc/ssl/a.fullchain.pem"]
    );
    assert!(last_lines(ExportTarget::AwsAcm)[0].contains(
        "--certificate fileb://./a.cert --certificate-chain fileb://./a.chain --private"
    ));
    assert_eq!(ExportTarget::Windows2016.strength(), Pkcs12Strength::Legacy);
}

/// Returns the lines of the last step that has any.
fn last_lines(target: ExportTarget) -> Vec<String> {
    let steps = target.steps("a", |word| format!("./a.{word}"));
    let mut lines = steps.into_iter().map(|step| step.lines);
    lines.rfind(|lines| !lines.is_empty()).unwrap()
}
