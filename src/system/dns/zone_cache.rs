//! Caches explored zones: each is explored once, however many names it has.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use hickory_proto::rr::Name;
use tokio::sync::OnceCell;

use super::delegation::{self, ExploredZone};
use crate::system::dns::client::DnsClient;

/// The maximum number of zones that are cached; then the cache is cleared.
const MOST: usize = 1000;

/// Explored zones, by the resolver that reported them and their names.
#[derive(Debug, Default)]
pub(super) struct ZoneCache(Mutex<HashMap<ZoneKey, ZoneCell>>);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct ZoneKey {
    main_resolver: SocketAddr,
    zone: Name,
}

/// A zone that one task explores while others wait for it.
#[derive(Clone, Debug, Default)]
struct ZoneCell(Arc<OnceCell<Arc<ExploredZone>>>);

impl ZoneCache {
    /// Explores `zone`, unless that has been done; concurrent callers wait for the first.
    pub(super) async fn get_or_explore(
        &self,
        client: &Arc<DnsClient>,
        main_resolver: SocketAddr,
        zone: Name,
    ) -> Arc<ExploredZone> {
        let key = ZoneKey {
            main_resolver,
            zone,
        };
        let cell = self.cell(&key);
        let explored = cell
            .0
            .get_or_init(|| async {
                Arc::new(delegation::explore(client, main_resolver, &key.zone).await)
            })
            .await;
        if explored
            .own
            .servers
            .iter()
            .all(|server| server.address.is_none())
        {
            // No server can be queried; the next caller tries again.
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&key);
        }
        Arc::clone(explored)
    }

    fn cell(&self, key: &ZoneKey) -> ZoneCell {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(key) {
            known.clear();
        }
        known.entry(key.clone()).or_default().clone()
    }
}
