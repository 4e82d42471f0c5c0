//! A proposed configuration block for a certificate that no block names yet, and what its three
//! dialects share.

use std::fmt::Display;
use std::path::PathBuf;

use super::block::ConfigBlock;
use super::name::probe_host;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;

/// The certificate and the ports that a new block is for.
#[derive(Clone, Copy, Debug)]
pub struct NewBlock<'a> {
    /// The names of the certificate.
    pub names: &'a [DnsName],
    /// Where the certificate and its key will be.
    pub links: &'a [StableLink],
    /// Whether the machine supports IPv6.
    pub ipv6: bool,
    /// The ports of http and https.
    pub ports: WebPorts,
}

/// The ports of a web site.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WebPorts {
    /// The port of http, in plain text.
    pub plain: u16,
    /// The port of https.
    pub tls: u16,
}

/// The default ports of http and https.
pub(crate) const DEFAULT_WEB_PORTS: WebPorts = WebPorts {
    plain: 80,
    tls: 443,
};

impl NewBlock<'_> {
    /// The names of the certificate, joined by `separator`.
    pub(crate) fn joined_names(&self, separator: &str) -> String {
        let names: Vec<&str> = self.names.iter().map(DnsName::as_str).collect();
        names.join(separator)
    }

    /// The comment at the top of the written text.
    pub(crate) fn heading(&self) -> String {
        format!(
            "# {}: written by certctl; edit it as you like.\n",
            self.joined_names(", ")
        )
    }

    /// The names of the certificate that none of `blocks` answers to.
    pub(crate) fn names_without_block(&self, blocks: &[&ConfigBlock]) -> Vec<String> {
        let mut names = Vec::new();
        for name in self.names {
            let host = probe_host(name);
            if !blocks.iter().any(|block| block.answers_to(&host)) {
                names.push(name.as_str().to_owned());
            }
        }
        names
    }

    /// What follows the host in an https URL: nothing for the default port, else `:PORT`.
    pub(crate) fn https_port_suffix(&self) -> String {
        if self.ports.tls == DEFAULT_WEB_PORTS.tls {
            String::new()
        } else {
            format!(":{}", self.ports.tls)
        }
    }
}

/// The comment above content that is copied from an existing block, `FILE:LINE`.
pub(crate) fn origin_comment(origin: &impl Display) -> String {
    format!("    # Copied from {origin}:\n")
}

/// TLS 1.2 ciphers of Mozilla's intermediate guideline 6.0; those of TLS 1.3 need no list.
pub(crate) const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
    ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WrittenBlock {
    pub text: String,
    /// Where `/` is proxied to, if it is.
    pub upstream: Option<String>,
    /// The existing block that the content was copied from, `FILE:LINE`.
    pub copied_from: Option<String>,
    /// Lines that the user has to add to existing blocks.
    pub additions: Vec<BlockAddition>,
    /// Commands to run before the text is put into place.
    pub commands_before: Vec<String>,
}

/// Lines that the user has to add to an existing block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BlockAddition {
    pub file: PathBuf,
    /// The block's first line; the lines go after it.
    pub line: u32,
    pub lines: Vec<String>,
}

impl BlockAddition {
    /// Lines to add at the top of `block`.
    pub(crate) fn new(block: &ConfigBlock, lines: Vec<String>) -> Self {
        Self {
            file: block.file.clone(),
            line: block.line,
            lines,
        }
    }

    /// A comment with lines that redirect http to https; `kind` is the server's word for a block.
    pub(crate) fn redirect_comment(&self, kind: &str) -> String {
        let place = format!("{}:{}", self.file.display(), self.line);
        let mut text = format!(
            "\n# To redirect http to https (except /.well-known/), add this to the {kind} at \
             {place}:\n"
        );
        for line in &self.lines {
            text.push_str(&format!("#     {line}\n"));
        }
        text
    }
}
