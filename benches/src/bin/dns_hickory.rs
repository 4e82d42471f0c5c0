//! Looks up CNAME records with the UDP resolver of hickory, 64 at once. Usage: dns_hickory LIST ADDRESS,
//! where LIST has a name and its target on each line, as for `dcv-check --batch`. Prints how many
//! answers had that target.

use std::net::SocketAddr;

use hickory_resolver::Resolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::task::JoinSet;

fn main() {
    let mut args = std::env::args().skip(1);
    let list = std::fs::read_to_string(args.next().unwrap()).unwrap();
    let server: SocketAddr = args.next().unwrap().parse().unwrap();
    let mut lines: Vec<(String, String)> = list
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, target)| (name.to_owned(), target.to_owned()))
        .collect();
    lines.reverse();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async move {
        let mut udp = ConnectionConfig::udp();
        udp.port = server.port();
        let config = ResolverConfig::from_parts(None, vec![], vec![NameServerConfig::new(server.ip(), true, vec![udp])]);
        let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        (options.cache_size, options.attempts, options.ndots) = (0, 3, 0);
        options.use_hosts_file = ResolveHosts::Never;
        let resolver = builder.build().unwrap();
        let (mut tasks, mut right) = (JoinSet::new(), 0);
        loop {
            while tasks.len() < 64 {
                let Some((name, target)) = lines.pop() else { break };
                let resolver = resolver.clone();
                tasks.spawn(async move {
                    let Ok(found) = resolver.lookup(name, RecordType::CNAME).await else { return false };
                    found.answers().iter().any(
                        |record| matches!(&record.data, RData::CNAME(seen) if seen.0.to_ascii().eq_ignore_ascii_case(&target)),
                    )
                });
            }
            match tasks.join_next().await {
                Some(Ok(true)) => right += 1,
                Some(_) => {}
                None => break,
            }
        }
        println!("{right} right");
    });
}
