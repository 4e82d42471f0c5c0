//! Odd dates, alternative names and subjects.

use super::certificate::{PRINTABLE, SAN, UTF8, name, tlv};
use super::faults::{Fault, Others, Place, add, row};

fn date(tag: u8, text: &str) -> Vec<u8> {
    tlv(tag, &[text.as_bytes()])
}

pub fn times() -> Vec<Fault> {
    use Others::{Accept, Refuse};
    let place = Place::Leaf;
    vec![
        row("time-without-seconds", place, Refuse, |c| {
            c.not_before = date(0x17, "2601010000Z");
        }),
        row("time-with-offset", place, Refuse, |c| {
            c.not_before = date(0x17, "260101000000+0100");
        }),
        row("time-with-fraction", place, Refuse, |c| {
            c.not_before = date(0x18, "20260101000000.5Z");
        }),
        row("time-local", place, Refuse, |c| {
            c.not_before = date(0x17, "260101000000");
        }),
        row("time-early-generalized", place, Accept, |c| {
            c.not_before = date(0x18, "20260101000000Z");
        }),
        row("time-generalized-both", place, Accept, |c| {
            c.not_before = date(0x18, "20260101000000Z");
            c.not_after = date(0x18, "20301231000000Z");
        }),
        row("time-leap-second", place, Refuse, |c| {
            c.not_after = date(0x18, "20301231235960Z");
        }),
        row("time-no-such-day", place, Refuse, |c| {
            c.not_after = date(0x17, "310229000000Z");
        }),
        row("time-hour-24", place, Refuse, |c| {
            c.not_after = date(0x17, "311231240000Z");
        }),
        row("time-small-letter", place, Refuse, |c| {
            c.not_after = date(0x17, "311231000000z");
        }),
        row("time-other-type", place, Refuse, |c| {
            c.not_after = date(0x1a, "311231000000Z");
        }),
        row("time-reversed", place, Refuse, |c| {
            c.not_before = date(0x17, "260601000000Z");
            c.not_after = date(0x17, "260101000000Z");
        }),
        row("time-ends-1950", place, Refuse, |c| {
            c.not_after = date(0x17, "500101000000Z");
        }),
        row("time-ends-2049", place, Accept, |c| {
            c.not_after = date(0x17, "491231235959Z");
        }),
        row("time-year-0", place, Accept, |c| {
            c.not_before = date(0x18, "00000101000000Z");
        }),
        row("time-month-13", Place::Issuer, Refuse, |c| {
            c.not_after = date(0x17, "311301000000Z");
        }),
        row("time-without-seconds", Place::Root, Refuse, |c| {
            c.not_after = date(0x17, "3101010000Z");
        }),
    ]
}

/// A subject alternative name with shop.example and one more name.
fn with_shop(tag: u8, value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x82, &[b"shop.example"]), &tlv(tag, &[value])])
}

pub fn alternative_names() -> Vec<Fault> {
    use Others::{Accept, Refuse};
    let place = Place::Leaf;
    vec![
        row("names-twice", place, Refuse, |c| {
            let again = c.extensions.clone();
            let same = again.into_iter().find(|one| one.id == [0x55, 0x1d, SAN]);
            c.extensions.extend(same);
        }),
        row("names-two-extensions", place, Refuse, |c| {
            let other = tlv(0x30, &[&tlv(0x82, &[b"bank.example"])]);
            add(c, &[0x55, 0x1d, SAN], false, &other);
        }),
        row("names-address", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x87, &[192, 0, 2, 7]));
        }),
        row("names-address-5-octets", place, Refuse, |c| {
            c.set(SAN, false, &with_shop(0x87, &[192, 0, 2, 7, 1]));
        }),
        row("names-uri", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x86, b"https://shop.example/a"));
        }),
        row("names-uri-address", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x86, b"https://192.0.2.7/a"));
        }),
        row("names-uri-broken", place, Refuse, |c| {
            c.set(SAN, false, &with_shop(0x86, b"https://[::1/a"));
        }),
        row("names-mail", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x81, b"ann@mail.shop.example"));
        }),
        row("names-mail-broken", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x81, b"ann at shop"));
        }),
        row("names-registered", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x88, &[0x2a, 3, 4]));
        }),
        row("names-other-kind", place, Accept, |c| {
            let upn = tlv(0xa0, &[&tlv(0x0c, &[b"ann@shop"])]);
            let id = tlv(6, &[&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3]]);
            c.set(SAN, false, &with_shop(0xa0, &[id, upn].concat()));
        }),
        row("names-wildcard", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x82, b"*.shop.example"));
        }),
        row("names-capitals", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x82, b"WWW.Shop.EXAMPLE"));
        }),
        row("names-final-dot", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x82, b"www.shop.example."));
        }),
        row("names-underscore", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x82, b"my_www.shop.example"));
        }),
        row("names-address-as-dns", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x82, b"192.0.2.7"));
        }),
        row("names-empty-dns", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x82, b""));
        }),
        row("names-space", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x82, b" "));
        }),
        row("names-nul", place, Accept, |c| {
            c.set(SAN, false, &with_shop(0x82, b"bank.example\0.shop.example"));
        }),
        row("names-not-ascii", place, Refuse, |c| {
            c.set(
                SAN,
                false,
                &with_shop(0x82, "b\u{fc}cher.example".as_bytes()),
            );
        }),
        row("names-long-label", place, Accept, |c| {
            let long = [b"a".repeat(70).as_slice(), b".example"].concat();
            c.set(SAN, false, &with_shop(0x82, &long));
        }),
        row("names-many", place, Accept, |c| {
            let names: Vec<Vec<u8>> = (0..1000)
                .map(|one| tlv(0x82, &[format!("h{one}.shop.example").as_bytes()]))
                .collect();
            let parts: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
            c.set(SAN, false, &tlv(0x30, &parts));
        }),
        row("names-trailing", place, Refuse, |c| {
            let names = [with_shop(0x82, b"www.shop.example"), vec![5, 0]].concat();
            c.set(SAN, false, &names);
        }),
        row("names-none", place, Refuse, |c| c.drop(SAN)),
        row("common-name-elsewhere", place, Accept, |c| {
            c.subject = name(&[(3, UTF8, "bank.example")]);
        }),
    ]
}

const IA5: u8 = 0x16;
const TELETEX: u8 = 0x14;
const BMP: u8 = 0x1e;

/// A subject with an organization that is encoded as given.
fn organization(tag: u8, text: &[u8]) -> Vec<u8> {
    let id = tlv(6, &[&[0x55, 4, 10]]);
    tlv(
        0x30,
        &[&tlv(0x31, &[&tlv(0x30, &[&id, &tlv(tag, &[text])])])],
    )
}

pub fn subjects() -> Vec<Fault> {
    use Others::{Accept, Refuse};
    let place = Place::Leaf;
    vec![
        row("subject-underscore", place, Refuse, |c| {
            c.subject = name(&[(10, PRINTABLE, "my_shop")]);
        }),
        row("subject-at", place, Refuse, |c| {
            c.subject = name(&[(10, PRINTABLE, "ann@shop.example")]);
        }),
        row("subject-star", place, Accept, |c| {
            c.subject = name(&[(3, PRINTABLE, "*.shop.example & more")]);
        }),
        row("subject-not-utf8", place, Refuse, |c| {
            c.subject = organization(UTF8, b"B\xfccher");
        }),
        row("subject-teletex", place, Accept, |c| {
            c.subject = organization(TELETEX, b"B\xfccher");
        }),
        row("subject-bmp", place, Accept, |c| {
            c.subject = organization(BMP, &[0, b'S', 0, b'h', 0, b'o', 0, b'p']);
        }),
        row("subject-bmp-odd", place, Refuse, |c| {
            c.subject = organization(BMP, &[0, b'S', 0]);
        }),
        row("subject-ia5-high", place, Refuse, |c| {
            c.subject = organization(IA5, b"B\xfccher");
        }),
        row("subject-empty-value", place, Accept, |c| {
            c.subject = organization(UTF8, b"");
        }),
        row("subject-empty-set", place, Accept, |c| {
            c.subject = tlv(0x30, &[&tlv(0x31, &[])]);
        }),
        row("subject-long", place, Accept, |c| {
            c.subject = organization(UTF8, &[b'x'; 300]);
        }),
        row("subject-nul", place, Accept, |c| {
            c.subject = organization(UTF8, b"Shop\0Bank");
        }),
        row("subject-mail", place, Accept, |c| {
            let id = tlv(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1]]);
            let mail = tlv(IA5, &[b"ann@mail.shop.example"]);
            c.subject = tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[&id, &mail])])]);
        }),
        row("subject-visible", place, Refuse, |c| {
            c.subject = organization(0x1a, b"Shop");
        }),
        row("subject-empty-critical", place, Accept, |c| {
            c.subject = name(&[]);
            c.mark(SAN, true);
        }),
    ]
}
