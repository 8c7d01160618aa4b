//! Counts the instructions of one operation. The counts repeat even on a machine whose times vary.
//!
//! `cargo xtask bench instructions` prints them as a table. It needs valgrind and gungraun-runner.

#![expect(
    clippy::cast_possible_truncation,
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "counts are far below the limits of precision; the harness causes the rest"
)]

use std::hint::black_box;
use std::sync::Arc;

use aws_client_cache::{ClientCache, ClientParams, EvictionPolicy, Region, SdkConfig, Service};
use aws_client_cache_benches::candidate::{CandidateCache, Hasher, Lfu, Lru};
use gungraun::prelude::*;

type LruPeer = lru::LruCache<u64, u64, Hasher>;
type Hashlink = hashlink::LruCache<u64, u64, Hasher>;
type Schnellru = schnellru::LruMap<u64, u64, schnellru::ByLength, Hasher>;
type LfuPeer = lfu_cache::LfuCache<u64, u64>;

/// The number of entries, which fit in the first level of the processor's caches.
const ENTRIES: u64 = 30;

/// The number of operations of a benchmark, by which `cargo xtask bench` divides.
const OPERATIONS: u64 = 20_000;

/// The operations of a benchmark, on a cache that is created before the count starts.
type Work = Box<dyn FnOnce() -> u64>;

/// Returns a full cache.
fn full<C: CandidateCache<u64>>() -> C {
    let mut cache = C::new(ENTRIES as usize, 7);
    for key in 0..ENTRIES {
        cache.get_or_insert(&key);
    }
    cache
}

/// Looks up keys that are present.
fn hits<C: CandidateCache<u64>>() -> Work {
    let mut cache = full::<C>();
    // In a mixed order, because in sequence each key would be the next victim.
    Box::new(move || {
        let is_hit = |turn: &u64| cache.get_or_insert(black_box(&(turn * 7 % ENTRIES)));
        (0..OPERATIONS).filter(is_hit).count() as u64
    })
}

/// Inserts keys that are absent; each replaces an entry.
fn replacements<C: CandidateCache<u64>>() -> Work {
    let mut cache = full::<C>();
    Box::new(move || {
        let is_hit = |turn: &u64| cache.get_or_insert(black_box(&(ENTRIES + turn)));
        (0..OPERATIONS).filter(is_hit).count() as u64
    })
}

/// A service whose clients are handles, as the SDK's are.
enum Handles {}

impl Service for Handles {
    type Client = Arc<u64>;
    type ConfigBuilder = u64;
    const NAME: &'static str = "Handles";

    fn config_builder(_: &SdkConfig) -> u64 {
        0
    }

    fn client(number: u64) -> Arc<u64> {
        Arc::new(number)
    }

    fn region(_: &Arc<u64>) -> Option<&Region> {
        None
    }
}

/// Looks up clients that are present.
fn client_hits() -> Work {
    let cache = ClientCache::new(EvictionPolicy::Lru, ENTRIES as usize);
    let insert = |number: u64| {
        let params = ClientParams::<Handles>::builder().base(number.to_string()).build();
        let key = params.expect("a number is a valid name").key();
        cache.insert(key.clone(), Arc::new(number)).expect("it is absent");
        key
    };
    let keys: Vec<_> = (0..ENTRIES).map(insert).collect();
    Box::new(move || {
        let is_hit = |turn: &u64| cache.get(black_box(&keys[(turn * 7 % ENTRIES) as usize])).is_some();
        (0..OPERATIONS).filter(is_hit).count() as u64
    })
}

#[library_benchmark]
#[bench::ours_lru(hits::<Lru<u64>>())]
#[bench::lru(hits::<LruPeer>())]
#[bench::hashlink(hits::<Hashlink>())]
#[bench::schnellru(hits::<Schnellru>())]
#[bench::ours_lfu(hits::<Lfu<u64>>())]
#[bench::lfu_cache(hits::<LfuPeer>())]
#[bench::client_cache(client_hits())]
fn hit(work: Work) -> u64 {
    work()
}

#[library_benchmark]
#[bench::ours_lru(replacements::<Lru<u64>>())]
#[bench::lru(replacements::<LruPeer>())]
#[bench::hashlink(replacements::<Hashlink>())]
#[bench::schnellru(replacements::<Schnellru>())]
#[bench::ours_lfu(replacements::<Lfu<u64>>())]
#[bench::lfu_cache(replacements::<LfuPeer>())]
fn replacement(work: Work) -> u64 {
    work()
}

library_benchmark_group!(name = operations, benchmarks = [hit, replacement]);

main!(library_benchmark_groups = operations);
