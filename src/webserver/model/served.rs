//! What the server sends in a TLS handshake with an address: the question that a client asks. The
//! rules by which a block is selected are those of `answering`.

use std::net::SocketAddr;

use super::answering::{InstalledPaths, ListenSite, NameAnswer};
use super::block::{ConfiguredCertificate, ConfiguredPath, TlsHandling};
use super::config::ServerConfig;
use super::key_type::KeyFamily;
use super::listen::{ListenAddress, ListenInterface};
use super::pass_through::PassTarget;
use super::place_search::{NoPlace, PlaceSearch, is_tls_at};
use super::rules::ModelRule;
use super::software::ServerSoftware;
use crate::pki::key::KeyAlgorithm;

/// The maximum number of times that a connection is passed on within one server.
const HOPS: usize = 8;

/// What a server sends in a TLS handshake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServedAnswer {
    /// The certificate in one of these files. If there are several, the key types that the client
    /// accepts decide; of two with the same key type, the last one counts.
    Certificates(Vec<ConfiguredPath>),
    /// It refuses the handshake or closes the connection.
    Refused,
    /// It does not use TLS at this address.
    PlainText,
    /// It does not listen at this address.
    NotListening,
    /// Only the server can decide: the reason.
    Unknown(String),
}

/// A handshake that a client starts.
#[derive(Clone, Copy, Debug)]
pub struct ClientHello<'a> {
    /// The name that it sends (SNI), in lower case.
    pub name: Option<&'a str>,
    /// The only key type that it accepts; `None` for a client that accepts all.
    pub algorithm: Option<KeyAlgorithm>,
}

impl ServedAnswer {
    /// The answer of a server that has selected these certificates.
    fn of(certificates: &[&ConfiguredCertificate]) -> Self {
        let files = certificates.iter().filter_map(|one| one.files.first());
        let files: Vec<ConfiguredPath> = files.map(|(_, path)| path.clone()).collect();
        if files.iter().any(ConfiguredPath::has_variable) {
            let reason = "the configuration names the certificate by a variable";
            return Self::Unknown(reason.to_owned());
        }
        if files.is_empty() {
            return Self::Unknown("the block names no certificate".to_owned());
        }
        Self::Certificates(files)
    }
}

impl ServerConfig {
    /// What the server sends to a client that connects to `address`.
    #[must_use]
    pub fn served_at(&self, address: SocketAddr, hello: ClientHello<'_>) -> ServedAnswer {
        let wanted = InstalledPaths {
            links: &[],
            names: &[],
            algorithm: hello.algorithm.unwrap_or(KeyAlgorithm::EcdsaP256),
        };
        match self.follow(&PlaceSearch::Socket(address), hello, &wanted, 0) {
            Ok(answer) => self.certificates_of(answer, hello),
            Err(answer) => answer,
        }
    }

    /// The block that answers for `host` behind an address at which connections are passed on; `None`
    /// where that is not known.
    pub(super) fn answer_behind<'a>(
        &'a self,
        listen: &ListenAddress,
        host: &str,
        wanted: &'a InstalledPaths<'a>,
    ) -> Option<NameAnswer<'a>> {
        let search = PlaceSearch::Exact(listen.interface.clone(), listen.port);
        let hello = ClientHello {
            name: Some(host),
            algorithm: Some(wanted.algorithm),
        };
        self.follow(&search, hello, wanted, 0).ok()
    }

    /// The block that a connection leads to, or what happens instead.
    fn follow<'a>(
        &'a self,
        search: &PlaceSearch,
        hello: ClientHello<'_>,
        wanted: &'a InstalledPaths<'a>,
        hops: usize,
    ) -> Result<NameAnswer<'a>, ServedAnswer> {
        if hops > HOPS {
            let reason = "the server passes the connection on in circles";
            return Err(ServedAnswer::Unknown(reason.to_owned()));
        }
        let (part, place) = self.find_place(search)?;
        if let Some(pass) = self.pass_through_at(&place.listen)
            && ModelRule::HaproxyPassThrough.is_followed()
        {
            let next = next_search(pass.target(hello.name))?;
            return match self.follow(&next, hello, wanted, hops + 1) {
                Err(ServedAnswer::NotListening) => Err(ServedAnswer::Unknown(format!(
                    "the connection is passed on to {next}, where another program listens"
                ))),
                answer => answer,
            };
        }
        let default = &self.blocks()[place.default];
        if !is_tls_at(default, place) {
            return Err(ServedAnswer::PlainText);
        }
        let site = ListenSite {
            config: self,
            wanted,
            part,
            listen: &place.listen,
        };
        Ok(match hello.name {
            Some(name) => site.answer(name),
            None => site.answer_without_name(default),
        })
    }

    fn certificates_of(&self, answer: NameAnswer<'_>, hello: ClientHello<'_>) -> ServedAnswer {
        let mut certificates: Vec<&ConfiguredCertificate> = match answer {
            NameAnswer::Refused => return ServedAnswer::Refused,
            NameAnswer::Named(block) | NameAnswer::Default(block)
                if block.handling == TlsHandling::Script =>
            {
                let reason = "a script in the configuration may choose the certificate";
                return ServedAnswer::Unknown(reason.to_owned());
            }
            NameAnswer::Named(block) => block.certificates.iter().collect(),
            NameAnswer::Default(block) if self.has_one_default() => {
                block.certificates.iter().take(1).collect()
            }
            NameAnswer::Default(block) => block.certificates.iter().collect(),
            NameAnswer::Unknown(blocks) => {
                let first = &blocks[0].certificates;
                if blocks.iter().any(|block| block.certificates != *first) {
                    return ServedAnswer::Unknown("a regular expression decides".to_owned());
                }
                first.iter().collect()
            }
        };
        if self.software == ServerSoftware::Haproxy && certificates.len() > 1 {
            certificates = vec![choose_by_key_type(&certificates, hello)];
        }
        ServedAnswer::of(&certificates)
    }

    /// Whether a client that sends no known name gets the first certificate, whatever key types it
    /// accepts.
    fn has_one_default(&self) -> bool {
        self.software == ServerSoftware::Haproxy && ModelRule::HaproxyDefault.is_followed()
    }
}

impl From<NoPlace<'_>> for ServedAnswer {
    fn from(reason: NoPlace<'_>) -> Self {
        match reason {
            NoPlace::NotListening => Self::NotListening,
            NoPlace::Unresolved(address) => {
                Self::Unknown(format!("only the server resolves the address {address}"))
            }
        }
    }
}

/// The certificate that HAProxy selects for the key types that the client accepts.
fn choose_by_key_type<'a>(
    certificates: &[&'a ConfiguredCertificate],
    hello: ClientHello<'_>,
) -> &'a ConfiguredCertificate {
    let accepted = KeyFamily::of(hello.algorithm.unwrap_or(KeyAlgorithm::EcdsaP256));
    let mut types = Vec::new();
    for one in certificates {
        types.push(one.key_type);
    }
    certificates[accepted.choose(&types).unwrap_or_default()]
}

/// Where a connection is accepted that is passed on, or what happens instead.
fn next_search(target: &PassTarget) -> Result<PlaceSearch, ServedAnswer> {
    match target {
        PassTarget::Listen(ListenInterface::Address(ip), port) => {
            Ok(PlaceSearch::Socket(SocketAddr::new(*ip, *port)))
        }
        PassTarget::Listen(interface, port) => Ok(PlaceSearch::Exact(interface.clone(), *port)),
        PassTarget::Closed => Err(ServedAnswer::Refused),
        PassTarget::Unknown(reason) => Err(ServedAnswer::Unknown(reason.clone())),
    }
}
