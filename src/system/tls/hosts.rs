//! Probes many hosts concurrently: each has its own deadline for resolving and for the handshakes,
//! so that a slow host does not delay the others.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::probe::{ProbeTarget, StartTls, TlsHandshake};
use crate::system::activity;
use crate::system::runtime;
use crate::system::signals::most_open_files;
use crate::system::tls::{ProbeError, probe};

/// A host to probe.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HostTarget {
    /// A DNS name as A-labels, or an address without brackets.
    pub name: String,
    pub port: u16,
    /// The protocol that starts TLS.
    pub starttls: Option<StartTls>,
}

/// The result of probing one address of a host.
#[derive(Debug)]
pub(crate) struct AddressAnswer {
    pub address: SocketAddr,
    pub answer: Result<TlsHandshake, ProbeError>,
}

/// How many hosts are probed at once; the number of addresses is limited by the open files. Others
/// wait only if that many are slow.
pub(crate) const HOSTS_AT_ONCE: usize = 256;

/// The maximum number of addresses of one name that are probed.
pub(crate) const ADDRESS_LIMIT: usize = 16;

/// Makes one full handshake with every address of every host. `each` gets the index of a host as
/// soon as it is done, with the answer of every address, or the error that prevented probing.
///
/// Serves the target for a thousand TLS hosts (benches/README.md): hosts are probed concurrently.
pub(crate) fn probe_all_hosts(
    hosts: &[HostTarget],
    deadline: Duration,
    mut each: impl FnMut(usize, Result<Vec<AddressAnswer>, ProbeError>),
) {
    if let Err(error) = runtime::block_on(probe_hosts(hosts, deadline, &mut each)) {
        for index in 0..hosts.len() {
            let same_error = io::Error::new(error.kind(), error.to_string());
            each(index, Err(ProbeError::Unreachable(same_error)));
        }
    }
}

async fn probe_hosts(
    hosts: &[HostTarget],
    deadline: Duration,
    mut each: impl FnMut(usize, Result<Vec<AddressAnswer>, ProbeError>),
) {
    // Hosts may have several addresses, each of which needs a socket.
    let sockets = Arc::new(Semaphore::new(most_open_files(HOSTS_AT_ONCE)));
    let mut waiting = hosts.iter().cloned().enumerate();
    let mut running = JoinSet::new();
    let mut finished = None;
    loop {
        while running.len() < HOSTS_AT_ONCE
            && let Some((index, host)) = waiting.next()
        {
            let sockets = Arc::clone(&sockets);
            running.spawn(async move { (index, probe_host(host, deadline, sockets).await) });
        }
        if let Some((index, answer)) = finished.take() {
            each(index, answer);
        }
        match running.join_next().await {
            // A task is never cancelled here and does not panic.
            Some(joined) => finished = joined.ok(),
            None => return,
        }
    }
}

async fn probe_host(
    host: HostTarget,
    deadline: Duration,
    sockets: Arc<Semaphore>,
) -> Result<Vec<AddressAnswer>, ProbeError> {
    let addresses = match host.name.parse() {
        Ok(address) => vec![SocketAddr::new(address, host.port)],
        Err(_) => look_up(&host, deadline).await?,
    };
    let mut running = JoinSet::new();
    for (index, address) in addresses.iter().copied().enumerate() {
        let target = ProbeTarget {
            starttls: host.starttls,
            ..ProbeTarget::new(address, host.name.clone())
        };
        let sockets = Arc::clone(&sockets);
        running.spawn(async move {
            let _permit = sockets.acquire().await;
            (index, probe(&target, deadline).await)
        });
    }
    let mut answers: Vec<AddressAnswer> = addresses
        .into_iter()
        .map(|address| AddressAnswer {
            address,
            answer: Err(ProbeError::Closed),
        })
        .collect();
    while let Some(joined) = running.join_next().await {
        if let Ok((index, answer)) = joined {
            answers[index].answer = answer;
        }
    }
    Ok(answers)
}

async fn look_up(host: &HostTarget, deadline: Duration) -> Result<Vec<SocketAddr>, ProbeError> {
    activity::report_query(|| format!("addresses of {} from the system's resolver", host.name));
    let lookup = tokio::net::lookup_host((host.name.as_str(), host.port));
    let found = timeout(deadline, lookup)
        .await
        .map_err(|_| ProbeError::Timeout(deadline))?
        .map_err(|_| ProbeError::NoAddress(host.name.clone()))?;
    let mut addresses: Vec<SocketAddr> = found.take(ADDRESS_LIMIT).collect();
    addresses.dedup();
    if addresses.is_empty() {
        return Err(ProbeError::NoAddress(host.name.clone()));
    }
    Ok(addresses)
}
