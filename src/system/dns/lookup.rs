//! Plain lookups through resolvers, by `hickory-resolver`: it repeats queries, changes to TCP, follows
//! aliases, and asks the next resolver as `/etc/resolv.conf` says.
//!
//! Two things are not left to it. Its sockets are connected, so that a closed port is noticed at once.
//! And if a lookup fails, [`super::first_answer`] asks again and says why: hickory-resolver cannot set
//! the CD bit (RFC 4035 section 3.2.2), which tells a bogus answer from a server that fails.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RData, RecordType};
use hickory_resolver::Resolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::config::{ResolveHosts, ServerOrderingStrategy};
use hickory_resolver::net::runtime::{
    DnsUdpSocket, RuntimeProvider, TokioRuntimeProvider, TokioTime,
};
use hickory_resolver::net::{DnsError as LookupError, NetError};
use tokio::time::{Instant, timeout_at};

use super::client::describe_query;
use super::connected_socket::ConnectedSocket;
use super::message::read_answer;
use super::resolvers::ResolverList;
use super::server_queries::record_type;
use super::survey::SURVEY;
use crate::dcv::answer::{DnsAnswer, RecordKind, ServerRole};
use crate::pki::tlsa::TlsaRecord;
use crate::system::activity;

type Opening<T> = Pin<Box<dyn Send + Future<Output = io::Result<T>>>>;

/// Resolvers that are asked one after the other until one responds.
pub(super) struct PlainResolver {
    resolver: Resolver<ConnectedSockets>,
    first: Option<SocketAddr>,
    deadline: Instant,
}

impl PlainResolver {
    /// Uses the resolvers of the list, with the options of `/etc/resolv.conf` if they come from there.
    ///
    /// # Errors
    /// When the resolver cannot be made.
    pub(super) fn new(list: &ResolverList) -> io::Result<Self> {
        let servers = list.addresses.iter().copied().map(name_server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let sockets = ConnectedSockets::default();
        let resolver = Resolver::builder_with_config(config, sockets)
            .with_options(options(list))
            .build()
            .map_err(io::Error::other)?;
        Ok(Self {
            resolver,
            first: list.addresses.first().copied(),
            deadline: Instant::now() + SURVEY,
        })
    }

    /// Returns the answer to a question; `None` if no resolver gave one in time.
    pub(super) async fn look_up(&self, name: &str, kind: RecordKind) -> Option<DnsAnswer> {
        // A name that is too long for the DNS cannot exist.
        let Ok(name) = Name::from_ascii(format!("{name}.")) else {
            return Some(DnsAnswer::NoName(None));
        };
        let kind = record_type(kind);
        if let Some(first) = self.first {
            activity::report_query(|| describe_query(&name, kind, first));
        }
        let lookup = self.resolver.lookup(name.clone(), kind);
        match timeout_at(self.deadline, lookup).await.ok()? {
            Ok(lookup) => {
                let answer = read_answer(lookup.message(), &name, kind, ServerRole::Resolver);
                Some(answer)
            }
            Err(NetError::Dns(LookupError::NoRecordsFound(absence))) => match absence.response_code
            {
                ResponseCode::NXDomain => Some(DnsAnswer::NoName(absence.negative_ttl)),
                ResponseCode::NoError => Some(DnsAnswer::NoData(absence.negative_ttl)),
                _ => None,
            },
            Err(_) => None,
        }
    }

    /// Returns the TLSA records at a name; none if no resolver gave an answer in time.
    pub(super) async fn look_up_tlsa(&self, name: &str) -> Vec<TlsaRecord> {
        let Ok(name) = Name::from_ascii(format!("{name}.")) else {
            return Vec::new();
        };
        let kind = RecordType::TLSA;
        if let Some(first) = self.first {
            activity::report_query(|| describe_query(&name, kind, first));
        }
        let lookup = timeout_at(self.deadline, self.resolver.lookup(name, kind)).await;
        let Ok(Ok(lookup)) = lookup else {
            return Vec::new();
        };
        let records = lookup.message().answers.iter();
        records
            .filter_map(|record| read_tlsa(&record.data))
            .collect()
    }
}

fn read_tlsa(data: &RData) -> Option<TlsaRecord> {
    let RData::TLSA(tlsa) = data else {
        return None;
    };
    Some(TlsaRecord {
        usage: tlsa.cert_usage.into(),
        selector: tlsa.selector.into(),
        matching: tlsa.matching.into(),
        data: tlsa.cert_data.clone(),
    })
}

/// Returns the options of the list, and those that certctl always needs: the order of the resolvers
/// as given, one after the other, and answers from the DNS alone.
fn options(list: &ResolverList) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = list.options.timeout;
    options.attempts = list.options.attempts;
    options.edns0 = list.options.edns0;
    options.num_concurrent_reqs = 1;
    options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
    options.use_hosts_file = ResolveHosts::Never;
    options
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = address.port();
    }
    NameServerConfig::new(address.ip(), true, connections)
}

/// Sockets of tokio; those for UDP are connected.
#[derive(Clone, Default)]
struct ConnectedSockets(TokioRuntimeProvider);

impl DnsUdpSocket for ConnectedSocket {
    type Time = TokioTime;

    fn poll_recv_from(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let length = ready!(self.poll_receive(context, buffer))?;
        Poll::Ready(Ok((length, self.server())))
    }

    fn poll_send_to(
        &self,
        _context: &mut Context<'_>,
        bytes: &[u8],
        _server: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.send(bytes).map(|()| bytes.len()))
    }
}

impl RuntimeProvider for ConnectedSockets {
    type Handle = <TokioRuntimeProvider as RuntimeProvider>::Handle;
    type Timer = <TokioRuntimeProvider as RuntimeProvider>::Timer;
    type Udp = ConnectedSocket;
    type Tcp = <TokioRuntimeProvider as RuntimeProvider>::Tcp;

    fn create_handle(&self) -> Self::Handle {
        self.0.create_handle()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        local: Option<SocketAddr>,
        wait: Option<Duration>,
    ) -> Opening<Self::Tcp> {
        self.0.connect_tcp(server, local, wait)
    }

    fn bind_udp(&self, local: SocketAddr, server: SocketAddr) -> Opening<Self::Udp> {
        Box::pin(async move { ConnectedSocket::open(local, server) })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, UdpSocket};

    use hickory_proto::rr::RecordType;
    use hickory_resolver::net::NetError;

    use super::PlainResolver;
    use crate::system::dns::resolvers::ResolverList;
    use crate::system::runtime::block_on;

    /// Otherwise, a machine whose resolver does not run would wait for all tries.
    #[test]
    fn a_closed_port_is_an_error_and_not_silence() {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let closed: SocketAddr = socket.local_addr().unwrap();
        drop(socket);
        let looked_up = block_on(async {
            let resolver = PlainResolver::new(&ResolverList::new(&[closed])).unwrap();
            resolver.resolver.lookup("a.example.", RecordType::A).await
        });
        let error = looked_up.unwrap().unwrap_err();
        assert!(!matches!(error, NetError::Timeout), "{error}");
    }
}
