//! The zones that were looked at: each is explored once, however many names it has.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use hickory_proto::rr::Name;
use tokio::sync::OnceCell;

use super::delegation::{self, ExploredZone};
use crate::system::dns::client::DnsClient;

/// The most that are remembered; then it begins anew.
const MOST: usize = 1000;

/// What is known of zones, by the resolver that told of them and their names.
#[derive(Debug, Default)]
pub(super) struct ZoneCache(Mutex<HashMap<(SocketAddr, Name), Once>>);

/// What one task finds and others wait for.
#[derive(Clone, Debug, Default)]
struct Once(Arc<OnceCell<Arc<ExploredZone>>>);

impl ZoneCache {
    /// What is known of `zone`; who comes first explores it, and the others wait for that.
    pub(super) async fn explored(
        &self,
        client: &Arc<DnsClient>,
        guide: SocketAddr,
        zone: Name,
    ) -> Arc<ExploredZone> {
        let key = (guide, zone);
        let cell = self.cell(&key);
        let explored = cell
            .0
            .get_or_init(|| async { Arc::new(delegation::explore(client, guide, &key.1).await) })
            .await;
        if explored
            .own
            .servers
            .iter()
            .all(|server| server.address.is_none())
        {
            // Nothing to go by: whoever comes next tries again.
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&key);
        }
        Arc::clone(explored)
    }

    fn cell(&self, key: &(SocketAddr, Name)) -> Once {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(key) {
            known.clear();
        }
        known.entry(key.clone()).or_default().clone()
    }
}
