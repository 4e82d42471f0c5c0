//! Finds the block that serves names in plain text and can serve them over TLS as well.

use super::block::{NginxBlock, NginxConfig};
use super::parse::{NginxDirective, flat};
use crate::pki::name::DnsName;
use crate::webserver::model::{PlainSite, TrafficKind};

impl NginxConfig {
    /// Returns the first plain-text block for `names` that serves a site. A block that redirects to
    /// https is none: over TLS it would redirect to itself.
    #[must_use]
    pub(crate) fn plain_site(&self, names: &[DnsName]) -> Option<PlainSite> {
        let site = self.blocks.iter().find(|server| {
            let block = &server.block;
            block.traffic == TrafficKind::Http
                && block.serves_in_plain_text(names)
                && serves_site(server)
        })?;
        Some(PlainSite {
            place: site.block.to_string(),
            listens: site.block.listens.clone(),
        })
    }
}

/// Returns whether a block serves anything but redirects to https.
fn serves_site(block: &NginxBlock) -> bool {
    let directives = flat(&block.directives);
    // `return` at the top level hides all locations.
    let returns = directives
        .iter()
        .any(|directive| directive.name == "return");
    let serves = directives
        .iter()
        .any(|directive| match directive.name.as_str() {
            "location" => !redirects(directive),
            "root" => true,
            _ => false,
        });
    serves && !returns
}

/// Returns whether a directive, or one inside it, redirects visitors to https.
fn redirects(directive: &NginxDirective) -> bool {
    let is_redirect = matches!(directive.name.as_str(), "return" | "rewrite");
    let mut arguments = directive.arguments.iter();
    let inside = flat(directive.block.as_deref().unwrap_or_default());
    (is_redirect && arguments.any(|word| word.starts_with("https://")))
        || inside.into_iter().any(redirects)
}
