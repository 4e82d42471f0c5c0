//! Merges what several files of a folder contain: each certificate, request, key and list is shown
//! once, with every file that it is in.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::hash::Hash;

use crate::delivery::CaDelivery;
use crate::delivery::FoundItem;
use crate::delivery::ItemSource;
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::PrivateKey;
use crate::pki::key::PublicKey;
use crate::pki::key::PublicKeyId;
use crate::pki::request::SigningRequest;

/// Merges the items of `delivery` if they come from several files; returns how many files that are.
pub(super) fn merge_same_contents(delivery: &mut CaDelivery) -> usize {
    let count = input_count(delivery);
    if count > 1 {
        merge_items(&mut delivery.certificates);
        merge_items(&mut delivery.requests);
        merge_items(&mut delivery.keys);
        merge_items(&mut delivery.public_keys);
        merge_items(&mut delivery.lists);
    }
    count
}

/// Returns how many files the items come from.
fn input_count(delivery: &CaDelivery) -> usize {
    let mut inputs = BTreeSet::new();
    for item in &delivery.certificates {
        inputs.insert(&item.source.input);
    }
    for item in &delivery.requests {
        inputs.insert(&item.source.input);
    }
    for item in &delivery.keys {
        inputs.insert(&item.source.input);
    }
    for item in &delivery.lists {
        inputs.insert(&item.source.input);
    }
    inputs.len()
}

/// Content that may be in several files.
trait SharedContent {
    /// What the same content has in common.
    type Identity: Eq + Hash;

    fn identity(&self) -> Self::Identity;
}

impl SharedContent for Certificate {
    type Identity = Fingerprint;

    fn identity(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl SharedContent for SigningRequest {
    type Identity = Vec<u8>;

    fn identity(&self) -> Vec<u8> {
        self.der().to_vec()
    }
}

impl SharedContent for PrivateKey {
    type Identity = PublicKeyId;

    fn identity(&self) -> PublicKeyId {
        self.id()
    }
}

impl SharedContent for PublicKey {
    type Identity = PublicKeyId;

    fn identity(&self) -> PublicKeyId {
        self.id
    }
}

impl SharedContent for RevocationList {
    type Identity = String;

    fn identity(&self) -> String {
        self.sha256.clone()
    }
}

/// An item, with the sources of all items that are the same.
struct MergedItem<T> {
    item: FoundItem<T>,
    sources: Vec<String>,
}

impl<T> MergedItem<T> {
    fn add(&mut self, source: String) {
        if !self.sources.contains(&source) {
            self.sources.push(source);
        }
    }

    fn into_item(self) -> FoundItem<T> {
        let mut item = self.item;
        if self.sources.len() > 1 {
            item.source = ItemSource {
                input: self.sources.join(", "),
                entry: None,
            };
        }
        item
    }
}

/// Keeps the first of the items that are the same, with the sources of all of them.
fn merge_items<T: SharedContent>(items: &mut Vec<FoundItem<T>>) {
    let mut places = HashMap::new();
    let mut merged: Vec<MergedItem<T>> = Vec::new();
    for item in std::mem::take(items) {
        let source = item.source.to_string();
        let next = merged.len();
        let place = *places.entry(item.value.identity()).or_insert(next);
        if place == next {
            merged.push(MergedItem {
                item,
                sources: Vec::new(),
            });
        }
        merged[place].add(source);
    }
    for one in merged {
        items.push(one.into_item());
    }
}
