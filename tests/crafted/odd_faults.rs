//! Odd encodings, times, names, keys and constraints, each of which some client judges differently from
//! the others.

use super::certificate::{AKI, BASIC, CONSTRAINTS, Crafted, EKU, KEY_USAGE, SKI, UTF8, name, tlv};
use super::faults::{Fault, Others, Place, add, exclude, permit, row};
use super::odd_names::{alternative_names, subjects, times};

/// All odd changes.
pub fn odd_faults() -> Vec<Fault> {
    let mut all = Vec::new();
    all.extend(times());
    all.extend(alternative_names());
    all.extend(subjects());
    all.extend(constraints());
    all.extend(purposes());
    all.extend(lengths_and_usages());
    all.extend(identifiers());
    all.extend(policies());
    all.extend(keys_and_signatures());
    all
}

/// Pairs of a change of the leaf and a change of its issuer that matter together.
pub const PAIRED: &[(&str, &str)] = &[
    ("names-address", "permits-address"),
    ("names-address", "permits-other-address"),
    ("names-address", "excludes-address"),
    ("names-address", "permits-version-6"),
    ("names-address", "permits-odd-mask"),
    ("names-address", "excludes-short-address"),
    ("names-uri", "permits-uri-host"),
    ("names-uri", "excludes-uri-host"),
    ("names-uri-address", "permits-uri-host"),
    ("names-mail", "permits-mail-host"),
    ("names-mail", "permits-other-mail"),
    ("names-mail", "excludes-mail-below"),
    ("subject-mail", "permits-other-mail"),
    ("subject-mail", "permits-mail-host"),
    ("names-wildcard", "excludes-one-label"),
    ("names-wildcard", "permits-one-label"),
    ("names-capitals", "permits-capitals"),
    ("names-registered", "permits-registered"),
    ("names-final-dot", "permits-domain-mixed"),
    ("subject-empty-critical", "excludes-shop-subject"),
    ("purpose-server-twice", "purpose-mail"),
    ("common-name-elsewhere", "excludes-bank"),
];

/// A permitted subtree with a `minimum` or `maximum` field.
fn limited(field: &[u8]) -> Vec<u8> {
    let base = tlv(0x82, &[b"example"]);
    tlv(0x30, &[&tlv(0xa0, &[&tlv(0x30, &[&base, field])])])
}

fn constraints() -> Vec<Fault> {
    use Others::{Accept, Refuse};
    const N: u8 = CONSTRAINTS;
    let place = Place::Issuer;
    vec![
        row("constraints-in-leaf", Place::Leaf, Accept, |c| {
            c.set(N, true, &permit(0x82, b"shop.example"));
        }),
        row("permits-and-excludes", place, Refuse, |c| {
            let permitted = permit(0x82, b"example")[2..].to_vec();
            let excluded = exclude(0x82, b"www.shop.example")[2..].to_vec();
            c.set(N, true, &tlv(0x30, &[&permitted, &excluded]));
        }),
        row("permits-and-excludes-other", place, Accept, |c| {
            let permitted = permit(0x82, b"example")[2..].to_vec();
            let excluded = exclude(0x82, b"mail.shop.example")[2..].to_vec();
            c.set(N, true, &tlv(0x30, &[&permitted, &excluded]));
        }),
        row("permits-two", place, Accept, |c| {
            let subtree = |base: &[u8]| tlv(0x30, &[&tlv(0x82, &[base])]);
            let both = [subtree(b"bank.example"), subtree(b"shop.example")].concat();
            c.set(N, true, &tlv(0x30, &[&tlv(0xa0, &[&both])]));
        }),
        row("permits-no-subtree", place, Refuse, |c| {
            c.set(N, true, &tlv(0x30, &[&tlv(0xa0, &[])]));
        }),
        row("permits-minimum-0", place, Refuse, |c| {
            c.set(N, true, &limited(&[0x80, 1, 0]));
        }),
        row("permits-minimum-1", place, Refuse, |c| {
            c.set(N, true, &limited(&[0x80, 1, 1]));
        }),
        row("permits-maximum", place, Refuse, |c| {
            c.set(N, true, &limited(&[0x81, 1, 5]));
        }),
        row("permits-capitals", place, Accept, |c| {
            c.set(N, true, &permit(0x82, b"SHOP.Example"));
        }),
        row("permits-domain-mixed", place, Accept, |c| {
            c.set(N, true, &permit(0x82, b"eXample"));
        }),
        row("permits-final-dot", place, Refuse, |c| {
            c.set(N, true, &permit(0x82, b"example."));
        }),
        row("excludes-final-dot", place, Refuse, |c| {
            c.set(N, true, &exclude(0x82, b"bank.example."));
        }),
        row("excludes-bank", place, Accept, |c| {
            c.set(N, true, &exclude(0x82, b"bank.example"));
        }),
        row("permits-star", place, Refuse, |c| {
            c.set(N, true, &permit(0x82, b"*.example"));
        }),
        row("excludes-star", place, Accept, |c| {
            c.set(N, true, &exclude(0x82, b"*.bank.example"));
        }),
        row("excludes-everything", place, Refuse, |c| {
            c.set(N, true, &exclude(0x82, b""));
        }),
        row("permits-everything", place, Accept, |c| {
            c.set(N, true, &permit(0x82, b""));
        }),
        row("excludes-not-ascii", place, Refuse, |c| {
            c.set(N, true, &exclude(0x82, "b\u{fc}cher.example".as_bytes()));
        }),
        row("permits-address", place, Accept, |c| {
            c.set(N, true, &permit(0x87, &[192, 0, 2, 0, 255, 255, 255, 0]));
        }),
        row("permits-other-address", place, Accept, |c| {
            c.set(N, true, &permit(0x87, &[10, 0, 0, 0, 255, 0, 0, 0]));
        }),
        row("excludes-address", place, Accept, |c| {
            c.set(N, true, &exclude(0x87, &[192, 0, 2, 0, 255, 255, 255, 0]));
        }),
        row("permits-version-6", place, Accept, |c| {
            c.set(N, true, &permit(0x87, &[0; 32]));
        }),
        row("permits-odd-mask", place, Refuse, |c| {
            c.set(N, true, &permit(0x87, &[192, 0, 2, 0, 255, 0, 255, 0]));
        }),
        row("excludes-short-address", place, Refuse, |c| {
            c.set(N, true, &exclude(0x87, &[192, 0, 2, 0, 255]));
        }),
        row("permits-uri-host", place, Accept, |c| {
            c.set(N, true, &permit(0x86, b".example"));
        }),
        row("excludes-uri-host", place, Accept, |c| {
            c.set(N, true, &exclude(0x86, b"shop.example"));
        }),
        row("permits-mail-host", place, Accept, |c| {
            c.set(N, true, &permit(0x81, b"mail.shop.example"));
        }),
        row("permits-other-mail", place, Accept, |c| {
            c.set(N, true, &permit(0x81, b"bank.example"));
        }),
        row("excludes-mail-below", place, Accept, |c| {
            c.set(N, true, &exclude(0x81, b".shop.example"));
        }),
        row("excludes-one-label", place, Accept, |c| {
            c.set(N, true, &exclude(0x82, b"a.shop.example"));
        }),
        row("permits-one-label", place, Refuse, |c| {
            c.set(N, true, &permit(0x82, b"a.shop.example"));
        }),
        row("excludes-shop-subject", place, Accept, |c| {
            c.set(N, false, &exclude(0xa4, &name(&[(10, UTF8, "Bank")])));
        }),
        row("permits-registered", place, Refuse, |c| {
            c.set(N, true, &permit(0x88, &[0x2a, 3]));
        }),
        row("excludes-registered-ignorable", place, Accept, |c| {
            c.set(N, false, &exclude(0x88, &[0x2a, 3]));
        }),
    ]
}

/// An extended key usage with these purposes.
fn purposes_of(ids: &[&[u8]]) -> Vec<u8> {
    let ids: Vec<Vec<u8>> = ids.iter().map(|id| tlv(6, &[id])).collect();
    tlv(0x30, &ids.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

const SERVER: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const MAIL: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 4];
const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];
const ANY: &[u8] = &[0x55, 0x1d, 0x25, 0];
/// The step-up purposes of Microsoft and Netscape.
const MICROSOFT: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 3, 3];
const NETSCAPE: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 4, 1];

fn purposes() -> Vec<Fault> {
    use Others::{Accept, Refuse};
    let mut all = Vec::new();
    for place in [Place::Leaf, Place::Issuer] {
        all.extend([
            row("purpose-mail", place, Refuse, |c| {
                c.set(EKU, false, &purposes_of(&[MAIL]));
            }),
            row("purpose-empty", place, Refuse, |c| {
                c.set(EKU, false, &[0x30, 0])
            }),
            row("purpose-malformed", place, Refuse, |c| {
                c.set(EKU, false, &[4, 0])
            }),
            row("purpose-microsoft", place, Refuse, |c| {
                c.set(EKU, false, &purposes_of(&[MICROSOFT]));
            }),
            row("purpose-netscape", place, Refuse, |c| {
                c.set(EKU, false, &purposes_of(&[NETSCAPE]));
            }),
            row("purpose-server-twice", place, Accept, |c| {
                c.set(EKU, false, &purposes_of(&[SERVER, SERVER]));
            }),
            row("purpose-server-and-any", place, Accept, |c| {
                c.set(EKU, false, &purposes_of(&[ANY, SERVER]));
            }),
            row("purpose-any-critical", place, Accept, |c| {
                c.set(EKU, true, &purposes_of(&[ANY]));
            }),
            row("purposes-two-extensions", place, Refuse, |c| {
                add(c, &[0x55, 0x1d, EKU], false, &purposes_of(&[SERVER]));
                add(c, &[0x55, 0x1d, EKU], false, &purposes_of(&[MAIL]));
            }),
        ]);
    }
    all.push(row("purpose-ocsp", Place::Leaf, Refuse, |c| {
        c.set(EKU, false, &purposes_of(&[SERVER, OCSP]));
    }));
    all
}

/// Basic constraints of a CA with a path length.
fn path_length(length: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&[1, 1, 0xff], &tlv(2, &[length])])
}

fn lengths_and_usages() -> Vec<Fault> {
    use Others::{Accept, Refuse};
    let place = Place::Issuer;
    vec![
        row("length-huge", place, Refuse, |c| {
            c.set(BASIC, true, &path_length(&[0x7f, 0xff, 0xff, 0xff]));
        }),
        row("length-200", place, Refuse, |c| {
            c.set(BASIC, true, &path_length(&[0, 200]));
        }),
        row("length-127", place, Accept, |c| {
            c.set(BASIC, true, &path_length(&[127]));
        }),
        row("length-33-bits", place, Refuse, |c| {
            c.set(BASIC, true, &path_length(&[1, 0, 0, 0, 0]));
        }),
        row("length-32-bits", place, Refuse, |c| {
            c.set(BASIC, true, &path_length(&[0, 0x80, 0, 0, 0]));
        }),
        row("length-72-bits", place, Refuse, |c| {
            c.set(BASIC, true, &path_length(&[1, 0, 0, 0, 0, 0, 0, 0, 0]));
        }),
        row("length-negative", place, Refuse, |c| {
            c.set(BASIC, true, &path_length(&[0xff]));
        }),
        row("length-padded", place, Refuse, |c| {
            c.set(BASIC, true, &path_length(&[0, 1]));
        }),
        row("length-negative", Place::Root, Refuse, |c| {
            c.set(BASIC, true, &path_length(&[0x80]));
        }),
        row("length-huge", Place::Root, Accept, |c| {
            c.set(BASIC, true, &path_length(&[0x7f, 0xff, 0xff, 0xff]));
        }),
        row("basic-true-as-1", place, Refuse, |c| {
            c.set(BASIC, true, &[0x30, 3, 1, 1, 1]);
        }),
        row("basic-trailing", place, Refuse, |c| {
            c.set(BASIC, true, &[0x30, 5, 1, 1, 0xff, 5, 0]);
        }),
        row("basic-twice", place, Refuse, |c| {
            add(c, &[0x55, 0x1d, BASIC], true, &[0x30, 3, 1, 1, 0xff]);
        }),
        row("basic-false-explicit", Place::Leaf, Accept, |c| {
            c.set(BASIC, true, &[0x30, 3, 1, 1, 0]);
        }),
        row("basic-malformed", Place::Leaf, Refuse, |c| {
            c.set(BASIC, true, &[4, 0]);
        }),
        row("usage-empty", Place::Leaf, Accept, |c| {
            c.set(KEY_USAGE, true, &[3, 1, 0]);
        }),
        row("usage-zero", Place::Leaf, Accept, |c| {
            c.set(KEY_USAGE, true, &[3, 2, 0, 0]);
        }),
        row("usage-trailing-zeros", Place::Leaf, Accept, |c| {
            c.set(KEY_USAGE, true, &[3, 2, 0, 0x80]);
        }),
        row("usage-three-octets", Place::Leaf, Accept, |c| {
            c.set(KEY_USAGE, true, &[3, 3, 7, 0x80, 0x80]);
        }),
        row("usage-no-bits-string", Place::Leaf, Refuse, |c| {
            c.set(KEY_USAGE, true, &[4, 1, 0x80]);
        }),
        row("usage-twice", Place::Leaf, Refuse, |c| {
            add(c, &[0x55, 0x1d, KEY_USAGE], true, &[3, 2, 7, 0x80]);
        }),
        row("usage-empty", place, Refuse, |c| {
            c.set(KEY_USAGE, true, &[3, 1, 0]);
        }),
    ]
}

fn identifiers() -> Vec<Fault> {
    use Others::{Accept, Refuse};
    let place = Place::Leaf;
    vec![
        row("aki-empty", place, Accept, |c| {
            c.set(AKI, false, &[0x30, 0])
        }),
        row("aki-malformed", place, Refuse, |c| {
            c.set(AKI, false, &[4, 2, 1, 1])
        }),
        row("aki-empty-key", place, Accept, |c| {
            c.set(AKI, false, &[0x30, 2, 0x80, 0]);
        }),
        row("aki-issuer-alone", place, Accept, |c| {
            let root = name(&[(10, UTF8, "Crafted"), (3, UTF8, "Root")]);
            c.set(
                AKI,
                false,
                &tlv(0x30, &[&tlv(0xa1, &[&tlv(0xa4, &[&root])])]),
            );
        }),
        row("aki-twice", place, Refuse, |c| {
            add(
                c,
                &[0x55, 0x1d, AKI],
                false,
                &tlv(0x30, &[&tlv(0x80, &[&[1; 20]])]),
            );
        }),
        row("ski-empty", place, Accept, |c| c.set(SKI, false, &[4, 0])),
        row("ski-malformed", place, Refuse, |c| {
            c.set(SKI, false, &[5, 0])
        }),
        row("ski-long", place, Accept, |c| {
            c.set(SKI, false, &tlv(4, &[&[9; 200]]))
        }),
        row("ski-empty", Place::Issuer, Accept, |c| {
            c.set(SKI, false, &[4, 0])
        }),
        row("unknown-twice", place, Refuse, |c| {
            add(c, &[0x2b, 6, 1, 4, 1, 0x83, 0xb2, 3, 2], false, &[5, 0]);
            add(c, &[0x2b, 6, 1, 4, 1, 0x83, 0xb2, 3, 2], false, &[5, 0]);
        }),
        row("crl-points-malformed", place, Refuse, |c| {
            c.set(31, false, &[4, 0])
        }),
        row("access-malformed", place, Refuse, |c| {
            add(c, &[0x2b, 6, 1, 5, 5, 7, 1, 1], false, &[4, 0]);
        }),
        row("serial-minus-1", place, Refuse, |c| c.serial = vec![0xff]),
        row("serial-64-octets", place, Accept, |c| {
            c.serial = vec![0x55; 64]
        }),
        row("version-2", place, Refuse, |c| {
            c.version = 2;
            c.extensions.clear();
        }),
        row("version-2-extensions", place, Accept, |c| c.version = 2),
        row("version-4", place, Refuse, |c| c.version = 4),
        row("version-4", Place::Root, Refuse, |c| c.version = 4),
    ]
}

fn policies() -> Vec<Fault> {
    use Others::{Accept, Refuse};
    vec![
        // Go from 1.24 and Chrome: the leaf has no policy, and the CA demands one.
        row("policy-required", Place::Issuer, Refuse, |c| {
            c.set(36, true, &[0x30, 3, 0x80, 1, 0]);
        }),
        row("policy-required-ignorable", Place::Issuer, Refuse, |c| {
            c.set(36, false, &[0x30, 3, 0x80, 1, 0]);
        }),
        row("policy-mappings-critical", Place::Issuer, Accept, |c| {
            let one = tlv(6, &[&[0x2a, 3, 4]]);
            let two = tlv(6, &[&[0x2a, 3, 5]]);
            c.set(33, true, &tlv(0x30, &[&tlv(0x30, &[&one, &two])]));
        }),
        row("policy-required-at-leaf", Place::Issuer, Refuse, |c| {
            c.set(36, false, &[0x30, 3, 0x80, 1, 1]);
        }),
        row("policy-required-later", Place::Issuer, Accept, |c| {
            c.set(36, true, &[0x30, 3, 0x80, 1, 5]);
        }),
        row("policy-mapping-inhibited", Place::Issuer, Accept, |c| {
            c.set(36, true, &[0x30, 3, 0x81, 1, 0]);
        }),
        row("policies-twice-one", Place::Leaf, Refuse, |c| {
            let one = tlv(0x30, &[&tlv(6, &[&[0x67, 0x81, 0x0c, 1, 2, 1]])]);
            c.set(32, false, &tlv(0x30, &[&one, &one]));
        }),
        row("policies-malformed", Place::Leaf, Refuse, |c| {
            c.set(32, false, &[4, 0])
        }),
        row("policies-empty", Place::Leaf, Accept, |c| {
            c.set(32, false, &[0x30, 0])
        }),
        row("must-staple", Place::Leaf, Accept, |c| {
            let feature = [0x30, 3, 2, 1, 5];
            add(c, &[0x2b, 6, 1, 5, 5, 7, 1, 24], false, &feature);
        }),
    ]
}

/// The uncompressed point at the end of an EC key.
const POINT: usize = 65;

fn point_with_prefix(c: &mut Crafted, keep_y: bool, base: u8) {
    let start = c.spki.len() - POINT;
    let point = c.spki[start..].to_vec();
    let sign = base + (point[64] & 1);
    let end = if keep_y { POINT } else { 33 };
    let bits = [&[0, sign], &point[1..end]].concat();
    let algorithm_end = 2 + 2 + usize::from(c.spki[3]);
    let algorithm = c.spki[2..algorithm_end].to_vec();
    c.spki = tlv(0x30, &[&algorithm, &tlv(3, &[&bits])]);
}

fn keys_and_signatures() -> Vec<Fault> {
    use Others::Refuse;
    const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
    let place = Place::Leaf;
    vec![
        row("point-compressed", place, Refuse, |c| {
            point_with_prefix(c, false, 2)
        }),
        row("point-hybrid", place, Refuse, |c| {
            point_with_prefix(c, true, 6)
        }),
        row("point-compressed", Place::Issuer, Refuse, |c| {
            point_with_prefix(c, false, 2);
        }),
        row("signature-null-parameters", place, Refuse, |c| {
            let algorithm = tlv(0x30, &[&tlv(6, &[ECDSA_SHA256]), &[5, 0]]);
            c.signature_algorithms = [Some(algorithm.clone()), Some(algorithm)];
        }),
        row("signature-other-outside", place, Refuse, |c| {
            let other = tlv(0x30, &[&tlv(6, &[ECDSA_SHA384])]);
            c.signature_algorithms = [None, Some(other)];
        }),
        row("signature-other-inside", place, Refuse, |c| {
            let other = tlv(0x30, &[&tlv(6, &[ECDSA_SHA384])]);
            c.signature_algorithms = [Some(other), None];
        }),
        row("signature-null-outside", place, Refuse, |c| {
            let algorithm = tlv(0x30, &[&tlv(6, &[ECDSA_SHA256]), &[5, 0]]);
            c.signature_algorithms = [None, Some(algorithm)];
        }),
        row("aki-of-another", Place::Root, Refuse, |c| {
            c.set(AKI, false, &tlv(0x30, &[&tlv(0x80, &[&[5; 20]])]));
        }),
        row("signature-of-rsa", Place::Root, Refuse, |c| {
            let id = tlv(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b]]);
            let other = tlv(0x30, &[&id, &[5, 0]]);
            c.signature_algorithms = [Some(other.clone()), Some(other)];
        }),
        row("signature-unknown", Place::Root, Refuse, |c| {
            let other = tlv(0x30, &[&tlv(6, &[&[0x2a, 3, 4]])]);
            c.signature_algorithms = [Some(other.clone()), Some(other)];
        }),
    ]
}
