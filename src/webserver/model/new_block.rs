//! A block for a pair that no block names yet, as a profile writes it.

use std::path::PathBuf;

use crate::pki::name::DnsName;
use crate::store::layout::StableLink;

/// What the block is for.
#[derive(Clone, Copy, Debug)]
pub struct NewBlock<'a> {
    /// The names of the certificate.
    pub names: &'a [DnsName],
    /// Where the pair will be.
    pub links: &'a [StableLink],
    /// Whether the machine speaks IPv6.
    pub ipv6: bool,
    /// The ports of plain text and of TLS.
    pub ports: (u16, u16),
}

/// The ports of the web.
pub(crate) const WEB: (u16, u16) = (80, 443);

/// TLS 1.2 ciphers of Mozilla's intermediate guideline 6.0; those of TLS 1.3 need no list.
pub(crate) const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
    ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WrittenBlock {
    pub text: String,
    /// What `/` is passed on to, where it is.
    pub upstream: Option<String>,
    /// The present block that the site was taken from, `FILE:LINE`.
    pub taken_from: Option<String>,
    /// Lines to add to present blocks by hand.
    pub additions: Vec<BlockAddition>,
    /// Commands to run before it is put into place.
    pub first: Vec<String>,
}

/// Lines to add to a block by hand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BlockAddition {
    pub file: PathBuf,
    /// The block's first line; the lines go after it.
    pub line: u32,
    pub lines: Vec<String>,
}
