//! What the server sends in a TLS handshake with an address: the question that a client asks. The
//! rules by which a block is selected are those of `answering`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::answering::{InstalledPaths, ListenSite, NameAnswer};
use super::block::{ConfigBlock, ConfiguredCertificate, ConfiguredPath, TlsHandling, TrafficKind};
use super::config::ServerConfig;
use super::index::ListenPlace;
use super::key_type::KeyType;
use super::listen::{ListenAddress, ListenInterface};
use super::pass_through::PassTarget;
use super::rules::ModelRule;
use super::software::ServerSoftware;
use crate::pki::key::KeyAlgorithm;

/// The maximum number of times that a connection is passed on within one server.
const HOPS: usize = 8;

/// The parts of a server, in no particular order: an address belongs to one of them.
const PARTS: [TrafficKind; 3] = [TrafficKind::Http, TrafficKind::Stream, TrafficKind::Mail];

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
            let next = match pass.target(hello.name) {
                PassTarget::Listen(ListenInterface::Address(ip), port) => {
                    PlaceSearch::Socket(SocketAddr::new(*ip, *port))
                }
                PassTarget::Listen(interface, port) => PlaceSearch::Exact(interface.clone(), *port),
                PassTarget::Closed => return Err(ServedAnswer::Refused),
                PassTarget::Unknown(reason) => return Err(ServedAnswer::Unknown(reason.clone())),
            };
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
            None if self.software == ServerSoftware::Nginx => site.nginx_answer(""),
            None if place.listen.strict && ModelRule::HaproxyStrictSni.is_followed() => {
                NameAnswer::Refused
            }
            None => NameAnswer::Default(default),
        })
    }

    fn certificates_of(&self, answer: NameAnswer<'_>, hello: ClientHello<'_>) -> ServedAnswer {
        if let NameAnswer::Named(block) | NameAnswer::Default(block) = answer
            && block.handling == TlsHandling::Script
        {
            let reason = "a script in the configuration may choose the certificate";
            return ServedAnswer::Unknown(reason.to_owned());
        }
        let mut certificates: Vec<&ConfiguredCertificate> = match answer {
            NameAnswer::Refused => return ServedAnswer::Refused,
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
            let accepted = KeyType::of(hello.algorithm.unwrap_or(KeyAlgorithm::EcdsaP256));
            let types: Vec<_> = certificates.iter().map(|one| one.key_type).collect();
            let chosen = accepted.choose(&types).unwrap_or_default();
            certificates = vec![certificates[chosen]];
        }
        let files = certificates.iter().filter_map(|one| one.files.first());
        let files: Vec<ConfiguredPath> = files.map(|(_, path)| path.clone()).collect();
        let is_variable = |path: &ConfiguredPath| matches!(path, ConfiguredPath::Other(text) if text.contains('$'));
        if files.iter().any(is_variable) {
            let reason = "the configuration names the certificate by a variable";
            return ServedAnswer::Unknown(reason.to_owned());
        }
        if files.is_empty() {
            return ServedAnswer::Unknown("the block names no certificate".to_owned());
        }
        ServedAnswer::Certificates(files)
    }

    /// Whether a client that sends no known name gets the first certificate, whatever key types it
    /// accepts.
    fn has_one_default(&self) -> bool {
        self.software == ServerSoftware::Haproxy && ModelRule::HaproxyDefault.is_followed()
    }

    /// The place where a connection is accepted: the most specific address that matches.
    fn find_place(
        &self,
        search: &PlaceSearch,
    ) -> Result<(TrafficKind, &ListenPlace), ServedAnswer> {
        let (socket, interface, port) = match search {
            PlaceSearch::Exact(interface, port) => (None, interface.clone(), *port),
            PlaceSearch::Socket(socket) => {
                let interface = ListenInterface::Address(socket.ip());
                (Some(*socket), interface, socket.port())
            }
        };
        let single = self.place_at(&interface, port);
        if let Some(found) = single
            && (socket.is_none() || ModelRule::SingleAddress.is_followed())
        {
            return Ok(found);
        }
        let Some(socket) = socket else {
            return Err(ServedAnswer::NotListening);
        };
        if let Some(unresolved) = self.unresolved_address(port) {
            return Err(ServedAnswer::Unknown(format!(
                "only the server resolves the address {unresolved}"
            )));
        }
        let any: IpAddr = match socket.ip() {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let any6 = ListenInterface::Address(Ipv6Addr::UNSPECIFIED.into());
        let wide = self.place_at(&ListenInterface::Address(any), port);
        let found = wide.or_else(|| {
            let dual = self.place_at(&any6, port);
            dual.filter(|(_, place)| place.listen.dual_stack && any.is_ipv4())
        });
        found.or(single).ok_or(ServedAnswer::NotListening)
    }

    fn place_at(
        &self,
        interface: &ListenInterface,
        port: u16,
    ) -> Option<(TrafficKind, &ListenPlace)> {
        PARTS.into_iter().find_map(|part| {
            let place = self.index.place(part, interface, port)?;
            Some((part, place))
        })
    }

    /// An address of that port that may be any address of this machine.
    fn unresolved_address(&self, port: u16) -> Option<&ListenAddress> {
        let places = PARTS.into_iter().flat_map(|part| self.index.places(part));
        places
            .map(|place| &place.listen)
            .find(|listen| match &listen.interface {
                ListenInterface::Host(_) => listen.port == port,
                ListenInterface::Unknown(text) => !text.starts_with("abns@"),
                ListenInterface::Address(_) | ListenInterface::Unix(_) => false,
            })
    }
}

/// Whether the block uses TLS at the address.
fn is_tls_at(block: &ConfigBlock, place: &ListenPlace) -> bool {
    let mut listens = block.listens.iter();
    listens.any(|listen| {
        listen.ssl
            && !listen.udp
            && listen.interface == place.listen.interface
            && listen.port == place.listen.port
    })
}

/// How the place that accepts a connection is searched.
enum PlaceSearch {
    /// The address of a connection.
    Socket(SocketAddr),
    /// A socket that is not an IP address.
    Exact(ListenInterface, u16),
}

impl fmt::Display for PlaceSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(socket) => write!(f, "{socket}"),
            Self::Exact(interface, port) => {
                write!(f, "{}", ListenAddress::on(interface.clone(), *port))
            }
        }
    }
}
