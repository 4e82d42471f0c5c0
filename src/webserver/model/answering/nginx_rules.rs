//! Which block of nginx answers for a name among those that listen at exactly one address.

use super::{ListenSite, NameAnswer};
use crate::webserver::model::block::TlsHandling;
use crate::webserver::model::name_table::NameMatch;
use crate::webserver::model::rules::ModelRule;

impl<'a> ListenSite<'a> {
    /// The block that answers for `host`; for clients that send no name, an empty one.
    pub(super) fn nginx_answer(&self, host: &str) -> NameAnswer<'a> {
        let index = &self.config.index;
        let place = index.place(self.part, &self.listen.interface, self.listen.port);
        let Some(place) = place else {
            return NameAnswer::Refused;
        };
        match place.names.find(host) {
            NameMatch::Found(block) => self.named_answer(block, place.default),
            NameMatch::Missing => self.default_answer(place.default),
            NameMatch::Undecided { blocks, otherwise } => {
                let otherwise = otherwise.unwrap_or(place.default);
                let mut blocks = blocks;
                // An expression of the block that answers in any case decides nothing.
                blocks.retain(|&block| block != otherwise);
                if !blocks.is_empty() {
                    blocks.push(otherwise);
                    NameAnswer::Unknown(self.config.at(blocks).collect())
                } else if otherwise == place.default {
                    self.default_answer(otherwise)
                } else {
                    self.named_answer(otherwise, place.default)
                }
            }
        }
    }

    /// The answer of the block that has the name. Without a certificate of its own, the one of the
    /// default block stays selected.
    fn named_answer(&self, block: usize, default: usize) -> NameAnswer<'a> {
        let blocks = self.config.blocks();
        let named = &blocks[block];
        if named.handling == TlsHandling::Rejects && ModelRule::NginxRejectHandshake.is_followed() {
            NameAnswer::Refused
        } else if !named.certificates.is_empty() {
            NameAnswer::Named(named)
        } else if ModelRule::NginxBareBlock.is_followed() {
            NameAnswer::Default(&blocks[default])
        } else {
            NameAnswer::Refused
        }
    }

    fn default_answer(&self, default: usize) -> NameAnswer<'a> {
        let block = &self.config.blocks()[default];
        if block.handling == TlsHandling::Rejects && ModelRule::NginxRejectHandshake.is_followed() {
            NameAnswer::Refused
        } else {
            NameAnswer::Default(block)
        }
    }
}
