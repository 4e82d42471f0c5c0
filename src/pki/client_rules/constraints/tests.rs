//! Comparison of names with subtrees.

use super::{
    ConstrainedName, is_dns_within, is_excluded_by, is_mailbox_within, is_subnet, is_within,
};

#[test]
fn subtrees_of_dns_names_contain_the_base_and_names_below() {
    for (name, base, expected) in [
        ("example.com", "example.com", true),
        ("a.EXAMPLE.com", "example.com", true),
        ("*.example.com", "example.com", true),
        ("notexample.com", "example.com", false),
        ("example.com", ".example.com", false),
        ("a.example.com", ".example.com", true),
        ("com", "example.com", false),
        ("anything.test", "", true),
    ] {
        assert_eq!(is_dns_within(name, base), expected, "{name} {base}");
    }
}

#[test]
fn a_wildcard_is_excluded_if_it_can_stand_for_an_excluded_name() {
    for (name, base, expected) in [
        ("*.example.com", "a.example.com", true),
        ("*.example.com", "a.b.example.com", false),
        ("*.example.com", "example.com", true),
        ("b.example.com", "a.example.com", false),
    ] {
        let found = is_excluded_by(&ConstrainedName::Dns(name), &ConstrainedName::Dns(base));
        assert_eq!(found, Some(expected), "{name} {base}");
    }
}

#[test]
fn mailboxes_and_uris_are_compared_by_their_hosts() {
    for (mailbox, base, expected) in [
        ("a@b.example", "b.example", Some(true)),
        ("a@c.b.example", "b.example", Some(false)),
        ("a@c.b.example", ".b.example", Some(true)),
        ("a@b.example", ".b.example", Some(false)),
        ("a@B.example", "a@b.example", Some(true)),
        ("A@b.example", "a@b.example", Some(false)),
        ("b.example", "b.example", None),
    ] {
        assert_eq!(
            is_mailbox_within(mailbox, base),
            expected,
            "{mailbox} {base}"
        );
    }
    for (uri, base, expected) in [
        ("https://u@b.example:1/x", "b.example", Some(true)),
        ("https://a.b.example", "b.example", Some(false)),
        ("https://a.b.example?", ".b.example", Some(true)),
        ("https://192.0.2.1/", "b.example", None),
        ("urn:x", "b.example", None),
    ] {
        let found = is_within(&ConstrainedName::Uri(uri), &ConstrainedName::Uri(base));
        assert_eq!(found, expected, "{uri} {base}");
    }
}

#[test]
fn subnets_have_contiguous_masks() {
    assert!(is_subnet(&[192, 0, 2, 0, 255, 255, 254, 0]));
    assert!(is_subnet(&[192, 0, 2, 0, 0, 0, 0, 0]));
    assert!(!is_subnet(&[192, 0, 2, 0, 255, 0, 255, 0]));
    assert!(!is_subnet(&[192, 0, 2, 0, 255, 255, 253, 0]));
    assert!(!is_subnet(&[192, 0, 2, 0]));
}
