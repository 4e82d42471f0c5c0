//! What is changed in a chain that every client accepts, one rule at a time.

use super::certificate::{
    AKI, BASIC, CONSTRAINTS, Crafted, EKU, Extension, KEY_USAGE, PRINTABLE, SAN, SKI, UTF8, name,
    tlv,
};

/// The certificate that a fault changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    Leaf,
    /// The CA that issued the leaf.
    Issuer,
    Root,
}

/// What Go and browsers do, which do not run here: by their sources.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Others {
    Accept,
    Refuse,
}

/// One change.
#[derive(Clone, Copy)]
pub struct Fault {
    pub name: &'static str,
    pub place: Place,
    pub others: Others,
    pub change: fn(&mut Crafted),
}

const SERVER: &[u8] = b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
const CLIENT: &[u8] = b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02";
const ANY: &[u8] = b"\x30\x06\x06\x04\x55\x1d\x25\x00";
const BOTH: &[u8] =
    b"\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02";
const CA: &[u8] = &[0x30, 3, 1, 1, 0xff];
const NO_CA: &[u8] = &[0x30, 0];

/// A key usage with these bits in its first octet.
fn usage(bits: u8) -> Vec<u8> {
    let unused = u8::try_from(bits.trailing_zeros().min(7)).unwrap();
    vec![3, 2, unused, bits]
}

fn subtree(tag: u8, base_tag: u8, base: &[u8]) -> Vec<u8> {
    tlv(
        0x30,
        &[&tlv(tag, &[&tlv(0x30, &[&tlv(base_tag, &[base])])])],
    )
}

pub fn permit(base_tag: u8, base: &[u8]) -> Vec<u8> {
    subtree(0xa0, base_tag, base)
}

pub fn exclude(base_tag: u8, base: &[u8]) -> Vec<u8> {
    subtree(0xa1, base_tag, base)
}

pub fn add(to: &mut Crafted, id: &[u8], critical: bool, value: &[u8]) {
    to.extensions.push(Extension {
        id: id.to_vec(),
        critical,
        value: value.to_vec(),
    });
}

/// 1.3.6.1.4.1.55555.1, which no client knows.
const UNKNOWN: &[u8] = &[0x2b, 6, 1, 4, 1, 0x83, 0xb2, 3, 1];
/// id-pe-authorityInfoAccess with an OCSP URL.
const ACCESS_ID: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
const ACCESS: &[u8] =
    b"\x30\x21\x30\x1f\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x13http://ocsp.example";
const CRL_POINTS: &[u8] = b"\x30\x1b\x30\x19\xa0\x17\xa0\x15\x86\x13http://crl.example/";
const POLICIES: &[u8] = b"\x30\x0a\x30\x08\x06\x06\x67\x81\x0c\x01\x02\x01";

pub const fn row(
    name: &'static str,
    place: Place,
    others: Others,
    change: fn(&mut Crafted),
) -> Fault {
    Fault {
        name,
        place,
        others,
        change,
    }
}

/// All changes.
pub fn faults() -> Vec<Fault> {
    let mut all = Vec::new();
    for place in [Place::Leaf, Place::Issuer, Place::Root] {
        all.extend(everywhere(place));
    }
    all.extend(in_leaf());
    all.extend(in_issuer());
    all.extend(in_root());
    all.extend(constraints(Place::Issuer));
    all.extend(constraints(Place::Root));
    all
}

/// Changes that mean the same in every certificate.
fn everywhere(place: Place) -> Vec<Fault> {
    use Others::{Accept, Refuse};
    vec![
        row("unknown-critical", place, Refuse, |c| {
            add(c, UNKNOWN, true, &[5, 0])
        }),
        row("unknown-extension", place, Accept, |c| {
            add(c, UNKNOWN, false, &[5, 0])
        }),
        row("access-critical", place, Refuse, |c| {
            add(c, ACCESS_ID, true, ACCESS)
        }),
        row("access", place, Accept, |c| {
            add(c, ACCESS_ID, false, ACCESS)
        }),
        row("crl-points-critical", place, Accept, |c| {
            c.set(31, true, CRL_POINTS)
        }),
        row("policies-critical", place, Accept, |c| {
            c.set(32, true, POLICIES)
        }),
        row("policies", place, Accept, |c| c.set(32, false, POLICIES)),
        row("inhibit-any-critical", place, Accept, |c| {
            c.set(54, true, &[2, 1, 0])
        }),
        row("issuer-names-critical", place, Refuse, |c| {
            c.set(18, true, b"\x30\x0c\x82\x0aca.example");
        }),
        row("ski-critical", place, Refuse, |c| c.mark(SKI, true)),
        row("aki-critical", place, Refuse, |c| c.mark(AKI, true)),
        row("ski-twice", place, Refuse, |c| {
            let again: Vec<Extension> = c.extensions.clone();
            let ski = again.into_iter().find(|one| one.id == [0x55, 0x1d, SKI]);
            c.extensions.extend(ski);
        }),
        row("serial-negative", place, Refuse, |c| {
            c.serial = vec![0x81, 2, 3]
        }),
        row("serial-padded", place, Refuse, |c| {
            c.serial = vec![0, 0, 7];
        }),
        row("serial-empty", place, Refuse, |c| c.serial = Vec::new()),
        row("serial-zero", place, Accept, |c| c.serial = vec![0]),
        row("serial-long", place, Accept, |c| c.serial = vec![0x7f; 21]),
        row("unique-identifiers", place, Accept, |c| {
            c.unique_identifiers = true
        }),
        row("starts-before-1970", place, Accept, |c| {
            c.not_before = tlv(0x17, &[b"500101000000Z"]);
        }),
        row("never-ends", place, Accept, |c| {
            c.not_after = tlv(0x18, &[b"99991231235959Z"]);
        }),
        row("purpose-server-critical", place, Accept, |c| {
            c.set(EKU, true, SERVER)
        }),
        row("purpose-both", place, Accept, |c| c.set(EKU, false, BOTH)),
        row("purpose-client", place, Refuse, |c| {
            c.set(EKU, false, CLIENT)
        }),
        row("purpose-any", place, Accept, |c| c.set(EKU, false, ANY)),
        row("purpose-none", place, Accept, |c| c.drop(EKU)),
    ]
}

fn in_leaf() -> Vec<Fault> {
    use Others::{Accept, Refuse};
    let place = Place::Leaf;
    vec![
        row("aki-missing", place, Accept, |c| c.drop(AKI)),
        row("ski-missing", place, Accept, |c| c.drop(SKI)),
        row("basic-missing", place, Accept, |c| c.drop(BASIC)),
        row("basic-ignorable", place, Accept, |c| {
            c.set(BASIC, false, NO_CA)
        }),
        row("basic-path-length", place, Accept, |c| {
            c.set(BASIC, true, &[0x30, 3, 2, 1, 0]);
        }),
        row("is-a-ca", place, Refuse, |c| c.set(BASIC, true, CA)),
        row("usage-missing", place, Accept, |c| c.drop(KEY_USAGE)),
        row("usage-encipherment", place, Refuse, |c| {
            c.set(KEY_USAGE, true, &usage(0x20))
        }),
        row("usage-agreement", place, Refuse, |c| {
            c.set(KEY_USAGE, true, &usage(0x08))
        }),
        row("usage-all", place, Accept, |c| {
            c.set(KEY_USAGE, true, &usage(0xa0))
        }),
        row("usage-cert-sign", place, Accept, |c| {
            c.set(KEY_USAGE, true, &usage(0x84))
        }),
        row("usage-crl-sign", place, Refuse, |c| {
            c.set(KEY_USAGE, true, &usage(0x02))
        }),
        row("subject-empty", place, Accept, |c| c.subject = name(&[])),
        row("subject-empty-names-critical", place, Accept, |c| {
            c.subject = name(&[]);
            c.mark(SAN, true);
        }),
        row("names-critical", place, Accept, |c| c.mark(SAN, true)),
        row("names-other", place, Accept, |c| {
            let dns = tlv(0x82, &[b"shop.example"]);
            let mailbox = tlv(0x81, &[b"ann@shop.example"]);
            let uri = tlv(0x86, &[b"https://shop.example/"]);
            let address = tlv(0x87, &[&[127, 0, 0, 1]]);
            c.set(SAN, false, &tlv(0x30, &[&dns, &mailbox, &uri, &address]));
        }),
        row("aki-wrong", place, Accept, |c| {
            c.set(AKI, false, &tlv(0x30, &[&tlv(0x80, &[&[9; 20]])]));
        }),
        row("aki-other-serial", place, Accept, |c| {
            c.set(
                AKI,
                false,
                &tlv(0x30, &[&issuer_of_issuer(), &tlv(0x82, &[&[0x55; 4]])]),
            );
        }),
        row("aki-other-issuer", place, Accept, |c| {
            let other = tlv(0xa1, &[&tlv(0xa4, &[&name(&[(3, UTF8, "Somebody else")])])]);
            c.set(AKI, false, &tlv(0x30, &[&other, &tlv(0x82, &[&[7, 1]])]));
        }),
        row("aki-serial-right", place, Accept, |c| {
            c.set(
                AKI,
                false,
                &tlv(0x30, &[&issuer_of_issuer(), &tlv(0x82, &[&[7, 1]])]),
            );
        }),
        row("issuer-capitals", place, Refuse, |c| {
            c.issuer = name(&[(10, UTF8, "CRAFTED"), (3, UTF8, "ca 1")]);
        }),
        row("issuer-spaces", place, Refuse, |c| {
            c.issuer = name(&[(10, UTF8, "Crafted"), (3, UTF8, " CA  1")]);
        }),
        row("issuer-string-type", place, Refuse, |c| {
            c.issuer = name(&[(10, PRINTABLE, "Crafted"), (3, UTF8, "CA 1")]);
        }),
        row("version-1", place, Refuse, |c| {
            c.version = 1;
            c.extensions.clear();
        }),
    ]
}

/// `authorityCertIssuer` with the name of the issuer of "CA 1": the root.
fn issuer_of_issuer() -> Vec<u8> {
    let root = name(&[(10, UTF8, "Crafted"), (3, UTF8, "Root")]);
    tlv(0xa1, &[&tlv(0xa4, &[&root])])
}

fn in_issuer() -> Vec<Fault> {
    use Others::{Accept, Refuse};
    let place = Place::Issuer;
    vec![
        row("aki-missing", place, Accept, |c| c.drop(AKI)),
        row("ski-missing", place, Accept, |c| c.drop(SKI)),
        row("ski-other", place, Accept, |c| {
            c.set(SKI, false, &tlv(4, &[&[8; 20]]))
        }),
        row("basic-missing", place, Refuse, |c| c.drop(BASIC)),
        row("basic-and-usage-missing", place, Refuse, |c| {
            c.drop(BASIC);
            c.drop(KEY_USAGE);
        }),
        row("basic-false", place, Refuse, |c| c.set(BASIC, true, NO_CA)),
        row("basic-ignorable", place, Accept, |c| c.mark(BASIC, false)),
        row("path-length-0", place, Accept, |c| {
            c.set(BASIC, true, &[0x30, 6, 1, 1, 0xff, 2, 1, 0]);
        }),
        row("usage-missing", place, Accept, |c| c.drop(KEY_USAGE)),
        row("usage-missing-path-length", place, Accept, |c| {
            c.drop(KEY_USAGE);
            c.set(BASIC, true, &[0x30, 6, 1, 1, 0xff, 2, 1, 0]);
        }),
        row("usage-ignorable", place, Accept, |c| {
            c.mark(KEY_USAGE, false)
        }),
        row("usage-crl-only", place, Refuse, |c| {
            c.set(KEY_USAGE, true, &usage(0x02))
        }),
        row("version-1", place, Refuse, |c| {
            c.version = 1;
            c.extensions.clear();
        }),
        row("issuer-capitals", place, Refuse, |c| {
            c.issuer = name(&[(10, UTF8, "crafted"), (3, UTF8, "ROOT")]);
        }),
    ]
}

fn in_root() -> Vec<Fault> {
    use Others::{Accept, Refuse};
    let place = Place::Root;
    vec![
        row("aki-missing", place, Accept, |c| c.drop(AKI)),
        row("ski-missing", place, Accept, |c| c.drop(SKI)),
        row("basic-missing", place, Refuse, |c| c.drop(BASIC)),
        row("basic-and-usage-missing", place, Refuse, |c| {
            c.drop(BASIC);
            c.drop(KEY_USAGE);
        }),
        row("basic-false", place, Refuse, |c| c.set(BASIC, true, NO_CA)),
        row("basic-ignorable", place, Accept, |c| c.mark(BASIC, false)),
        row("path-length-0", place, Refuse, |c| {
            c.set(BASIC, true, &[0x30, 6, 1, 1, 0xff, 2, 1, 0]);
        }),
        row("path-length-1", place, Accept, |c| {
            c.set(BASIC, true, &[0x30, 6, 1, 1, 0xff, 2, 1, 1]);
        }),
        row("usage-missing", place, Accept, |c| c.drop(KEY_USAGE)),
        row("usage-crl-only", place, Refuse, |c| {
            c.set(KEY_USAGE, true, &usage(0x02))
        }),
        row("version-1", place, Accept, |c| {
            c.version = 1;
            c.extensions.clear();
        }),
    ]
}

/// Name constraints; the leaf is shop.example with the subject O=Shop, CN=shop.example.
fn constraints(place: Place) -> Vec<Fault> {
    use Others::{Accept, Refuse};
    const N: u8 = CONSTRAINTS;
    vec![
        row("permits-dns", place, Accept, |c| {
            c.set(N, true, &permit(0x82, b"shop.example"))
        }),
        row("permits-domain", place, Accept, |c| {
            c.set(N, true, &permit(0x82, b"example"))
        }),
        row("permits-dot", place, Accept, |c| {
            c.set(N, true, &permit(0x82, b".example"))
        }),
        row("permits-below", place, Refuse, |c| {
            c.set(N, true, &permit(0x82, b".shop.example"));
        }),
        row("permits-other-dns", place, Refuse, |c| {
            c.set(N, true, &permit(0x82, b"bank.example"));
        }),
        row("permits-other-dns-ignorable", place, Refuse, |c| {
            c.set(N, false, &permit(0x82, b"bank.example"));
        }),
        row("permits-suffix", place, Refuse, |c| {
            c.set(N, true, &permit(0x82, b"hop.example"))
        }),
        row("excludes-dns", place, Refuse, |c| {
            c.set(N, true, &exclude(0x82, b"shop.example"))
        }),
        row("excludes-www", place, Refuse, |c| {
            c.set(N, true, &exclude(0x82, b"www.shop.example"));
        }),
        row("excludes-other-dns", place, Accept, |c| {
            c.set(N, true, &exclude(0x82, b"bank.example"));
        }),
        row("excludes-all-addresses", place, Accept, |c| {
            c.set(N, true, &exclude(0x87, &[0; 8]));
        }),
        row("permits-mail", place, Accept, |c| {
            c.set(N, true, &permit(0x81, b"shop.example"))
        }),
        row("permits-uri", place, Accept, |c| {
            c.set(N, true, &permit(0x86, b"shop.example"))
        }),
        // Go refuses critical constraints on directory names; RFC 5280 and the others do not.
        row("permits-subject", place, Refuse, |c| {
            c.set(N, true, &permit(0xa4, &name(&[(10, UTF8, "Shop")])));
        }),
        row("permits-subject-ignorable", place, Accept, |c| {
            c.set(N, false, &permit(0xa4, &name(&[(10, UTF8, "Shop")])));
        }),
        row("permits-subject-capitals", place, Accept, |c| {
            c.set(N, false, &permit(0xa4, &name(&[(10, PRINTABLE, "SHOP")])));
        }),
        row("permits-other-subject", place, Refuse, |c| {
            c.set(N, true, &permit(0xa4, &name(&[(10, UTF8, "Bank")])));
        }),
        row("excludes-subject", place, Refuse, |c| {
            c.set(N, true, &exclude(0xa4, &name(&[(10, UTF8, "Shop")])));
        }),
        row("excludes-other-subject", place, Refuse, |c| {
            c.set(N, true, &exclude(0xa4, &name(&[(10, UTF8, "Bank")])));
        }),
        row("constraints-empty", place, Refuse, |c| {
            c.set(N, true, &[0x30, 0])
        }),
    ]
}
