//! Get-or-insert under a skewed distribution of keys, on the engine and on the `lru` crate.

#![allow(missing_docs, reason = "made by Criterion's macros")]

use std::hint::black_box;
use std::num::NonZeroUsize;

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::EvictingMap;
use aws_client_cache_benches::zipf_keys;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lru::LruCache;

const OPERATIONS: usize = 1 << 16;

fn get_or_insert(c: &mut Criterion) {
    let mut group = c.benchmark_group("get_or_insert");
    group.throughput(Throughput::Elements(OPERATIONS as u64));
    for (max_size, universe) in [(10, 10), (10, 20), (30, 60), (1_000, 2_000), (100_000, 200_000)] {
        let keys = zipf_keys(universe, 0.9, OPERATIONS, 7);
        let size = format!("{max_size}/{universe}");
        for policy in [EvictionPolicy::Lru, EvictionPolicy::Lfu] {
            let mut map = EvictingMap::new(policy, max_size);
            group.bench_with_input(BenchmarkId::new(policy.to_string(), &size), &keys, |b, keys| {
                b.iter(|| {
                    for &key in keys {
                        if map.get(&key).is_none() {
                            let _ = black_box(map.insert(key, key));
                        }
                    }
                });
            });
        }
        let mut peer = LruCache::new(NonZeroUsize::new(max_size).expect("it is not zero"));
        group.bench_with_input(BenchmarkId::new("lru crate", &size), &keys, |b, keys| {
            b.iter(|| {
                for &key in keys {
                    if peer.get(&key).is_none() {
                        black_box(peer.push(key, key));
                    }
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, get_or_insert);
criterion_main!(benches);
