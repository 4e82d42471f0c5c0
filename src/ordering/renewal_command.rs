//! The `order` command line that does what a renewal does, for options that `renew` does not have.

use super::spec::{InstallChoice, OrderSpec, OrderTiming};
use crate::context::Context;
use crate::store::settings::StoredOrder;

impl OrderSpec {
    /// Returns the words of an `order` of the same certificate; `None` for what is not a renewal.
    #[must_use]
    pub(super) fn renewal_as_order(&self, context: &Context) -> Option<Vec<String>> {
        let OrderTiming::Renewal(renewed) = &self.timing else {
            return None;
        };
        let mut words = context.command_words("order");
        words.extend(self.name_texts());
        if self.names.primary().file_stem() != self.name {
            words.extend(["--cert-name".to_owned(), self.name.clone()]);
        }
        words.extend(stored_options(self.to_store()));
        if let Some(trust) = &self.trust {
            words.extend(["--trust".to_owned(), trust.clone()]);
        }
        if self.install == InstallChoice::FilesOnly {
            words.push("--no-install".to_owned());
        }
        // `--renew-before` of `renew` does not count for `order`.
        let before = context.renew_before(None).unwrap_or_default();
        let due = before.due(renewed.not_before, renewed.not_after);
        if context.now() < due {
            words.push("--force".to_owned());
        }
        Some(words)
    }
}

/// The options of `order` that are stored like this.
fn stored_options(stored: StoredOrder) -> Vec<String> {
    let StoredOrder {
        ca,
        webroot,
        dns,
        standalone,
        resolver,
        profile,
        certificate,
        email,
        ..
    } = stored;
    let mut words = vec!["--ca".to_owned(), ca];
    let named = [("--webroot", webroot), ("--resolver", resolver)];
    let single = [
        ("--dns", dns),
        ("--profile", profile),
        ("--certificate", certificate),
        ("--email", email),
    ];
    let single = single.map(|(name, value)| (name, Vec::from_iter(value)));
    for (name, values) in named.into_iter().chain(single) {
        for value in values {
            words.extend([name.to_owned(), value]);
        }
    }
    match standalone.as_deref() {
        None => {}
        Some("") => words.push("--standalone".to_owned()),
        Some(address) => words.push(format!("--standalone={address}")),
    }
    words
}
