//! Caches of real S3 clients under hits only: creating a client costs a thousand times more.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use aws_client_cache::{ClientCache, ClientCacheKey, ClientParams, EvictionPolicy, Region, S3, SdkConfig};
use aws_config::BehaviorVersion;
use aws_sdk_s3::Client;

use crate::harness::{Candidate, Outcome, on_threads, run};
use crate::workload::{Shape, stream};

type Key = ClientCacheKey<S3>;

/// The number of clients.
const CLIENTS: usize = 30;

/// The number of look-ups in a timed part, and the number of parts.
const PARTS: (usize, usize) = (50_000, 31);

/// Passes on the hash that a key contains.
#[derive(Debug, Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys write their hash and nothing else");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type Floor = hashbrown::HashMap<Key, Client, BuildHasherDefault<IdentityHasher>>;

/// Returns a candidate that holds all clients, and looks them up by their keys.
fn candidate<C: Sync + 'static>(
    name: &'static str,
    clients: &Arc<Vec<(Key, Client)>>,
    cache: impl Fn(&[(Key, Client)]) -> C + 'static,
    get: impl Fn(&C, &Key) -> Option<Client> + Copy + Sync + 'static,
) -> Candidate<[Vec<u64>]> {
    let clients = Arc::clone(clients);
    Candidate::new(name, move |_, _| {
        let (clients, cache) = (Arc::clone(&clients), cache(&clients));
        Box::new(move |threads: &[Vec<u64>]| {
            let is_found =
                |rank: &u64| get(&cache, &clients[usize::try_from(*rank).expect("it is small") - 1].0).is_some();
            on_threads(threads, |ranks| ranks.iter().map(|rank| u64::from(is_found(rank))).sum())
        })
    })
}

/// Returns our cache, a plain hash table, and the peers.
///
/// # Panics
///
/// If a client cannot be created.
pub fn candidates() -> Vec<Candidate<[Vec<u64>]>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let base =
        SdkConfig::builder().behavior_version(BehaviorVersion::latest()).region(Region::from_static("eu-north-1"));
    let base = base.build();
    let client = |number| {
        let params = ClientParams::<S3>::builder().base(format!("tenant-{number}")).build().expect("a name");
        (params.key(), runtime.block_on(params.client(&base)).expect("the base is complete"))
    };
    let clients: Arc<Vec<_>> = Arc::new((0..CLIENTS).map(client).collect());
    let ours = |policy| {
        move |clients: &[(Key, Client)]| {
            let cache = ClientCache::new(policy, CLIENTS);
            for (key, client) in clients.iter().cloned() {
                cache.insert(key, client).expect("the key is absent");
            }
            cache
        }
    };
    vec![
        candidate("ours", &clients, ours(EvictionPolicy::Lru), ClientCache::get),
        candidate("ours, LFU", &clients, ours(EvictionPolicy::Lfu), ClientCache::get),
        candidate(
            "a table behind a lock",
            &clients,
            |clients| Mutex::new(clients.iter().cloned().collect::<Floor>()),
            |floor, key| floor.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned(),
        ),
        candidate(
            "quick_cache",
            &clients,
            |clients| {
                let cache = quick_cache::sync::Cache::new(2 * CLIENTS);
                clients.iter().cloned().for_each(|(key, client)| cache.insert(key, client));
                cache
            },
            quick_cache::sync::Cache::get,
        ),
        candidate(
            "moka",
            &clients,
            |clients| {
                let cache = moka::sync::Cache::new(2 * CLIENTS as u64);
                clients.iter().cloned().for_each(|(key, client)| cache.insert(key, client));
                cache
            },
            moka::sync::Cache::get,
        ),
        candidate(
            "mini-moka",
            &clients,
            |clients| {
                let cache = mini_moka::sync::Cache::new(2 * CLIENTS as u64);
                clients.iter().cloned().for_each(|(key, client)| cache.insert(key, client));
                cache
            },
            mini_moka::sync::Cache::get,
        ),
    ]
}

/// Looks up clients on `threads` threads.
///
/// # Panics
///
/// If a candidate misses: it has lost a client, and its time means nothing.
pub fn find(candidates: &[Candidate<[Vec<u64>]>], threads: u64, seeds: u64) -> Outcome {
    let name = format!("find a client, threads: {threads}");
    let universe = u32::try_from(CLIENTS).expect("they are few");
    // Every cache holds all clients, so every look-up hits.
    run(name, candidates, candidates.len(), (CLIENTS, seeds, PARTS.0), |seed| {
        let of_thread = |thread| stream(Shape::Zipf, universe, PARTS.0 * (PARTS.1 + 1), seed * threads + thread);
        let all: Vec<Vec<u64>> = (0..threads).map(of_thread).collect();
        let part =
            |part| all.iter().map(|keys| keys[part * PARTS.0..(part + 1) * PARTS.0].to_vec()).collect::<Vec<_>>();
        (0..=PARTS.1).map(part).collect()
    })
}
