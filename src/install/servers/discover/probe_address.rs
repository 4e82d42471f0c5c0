//! The addresses that `--probe` names.

use std::net::SocketAddr;
use std::time::Duration;

use crate::advice::servers;
use crate::failure::{Failure, FailureKind};
use crate::system::tls;

/// The timeout for resolving the host of a `--probe`.
const RESOLVE: Duration = Duration::from_secs(10);

/// Resolves a `HOST:PORT`.
pub(super) fn resolve(probe: &str) -> Result<Vec<SocketAddr>, Failure> {
    let Some((host, port)) = parse_host_and_port(probe) else {
        let message = format!("{probe:?} is not an address to probe");
        let failure = Failure::new(FailureKind::Usage, message);
        return Err(failure.with_step(servers::give_host_and_port()));
    };
    tls::resolve(host, port, RESOLVE).map_err(|error| {
        Failure::from_error(FailureKind::Network, &error).with_step(servers::give_address())
    })
}

fn parse_host_and_port(probe: &str) -> Option<(&str, u16)> {
    let (host, port) = probe.rsplit_once(':')?;
    Some((host, port.parse().ok()?))
}
