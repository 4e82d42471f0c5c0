//! Many hosts side by side: each finds its addresses and asks them within a deadline of its own, so
//! that one that stalls delays none of the others.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::probe::{ProbeTarget, StartTls, TlsHandshake};
use crate::system::runtime;
use crate::system::signals::most_open_files;
use crate::system::tls::{ProbeError, probe};

/// A host to ask.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HostTarget {
    /// A DNS name as A-labels, or an address without brackets.
    pub name: String,
    pub port: u16,
    /// What is said before the handshake.
    pub starttls: Option<StartTls>,
}

/// What one address of a host showed.
#[derive(Debug)]
pub(crate) struct AddressAnswer {
    pub address: SocketAddr,
    /// What, or why nothing.
    pub answer: Result<TlsHandshake, ProbeError>,
}

/// As many hosts are asked at once, at as many addresses as files may be open: so many must stall
/// before anybody waits.
const AT_ONCE: usize = 256;

/// More addresses of one name are not asked.
const MOST: usize = 16;

/// One fresh handshake with every address of every host; `each` hears of the hosts (their places in
/// the list) as they are through, with an answer of every address or why none was asked.
pub(crate) fn ask_hosts(
    hosts: &[HostTarget],
    deadline: Duration,
    mut each: impl FnMut(usize, Result<Vec<AddressAnswer>, ProbeError>),
) {
    let all = async {
        // Names may have several addresses: those count, too.
        let sockets = Arc::new(Semaphore::new(most_open_files(AT_ONCE)));
        let mut waiting = hosts.iter().cloned().enumerate();
        let mut running = JoinSet::new();
        let mut start = |running: &mut JoinSet<_>| {
            let sockets = Arc::clone(&sockets);
            let next = waiting.next();
            next.map(|(index, host)| {
                running.spawn(async move { (index, ask(host, deadline, sockets).await) })
            })
        };
        while running.len() < AT_ONCE && start(&mut running).is_some() {}
        while let Some(joined) = running.join_next().await {
            start(&mut running);
            if let Ok((index, answer)) = joined {
                each(index, answer);
            }
        }
    };
    if let Err(error) = runtime::block_on(all) {
        let failed = || {
            Err(ProbeError::Unreachable(io::Error::new(
                error.kind(),
                error.to_string(),
            )))
        };
        (0..hosts.len()).for_each(|index| each(index, failed()));
    }
}

async fn ask(
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
    let mut answers: Vec<_> = addresses
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
    match timeout(
        deadline,
        tokio::net::lookup_host((host.name.as_str(), host.port)),
    )
    .await
    {
        Ok(Ok(found)) => {
            let mut addresses: Vec<SocketAddr> = found.take(MOST).collect();
            addresses.dedup();
            if addresses.is_empty() {
                Err(ProbeError::NoAddress(host.name.clone()))
            } else {
                Ok(addresses)
            }
        }
        Ok(Err(_)) => Err(ProbeError::NoAddress(host.name.clone())),
        Err(_) => Err(ProbeError::Timeout(deadline)),
    }
}
