//! Get-or-insert under a skewed distribution of keys, on the engine and on the `lru` crate.
//!
//! The program `compare` measures more, and all caches in turns.

#![allow(missing_docs, reason = "made by Criterion's macros")]

use std::hint::black_box;

use aws_client_cache_benches::contender::{Contender, Hasher, Lfu, Lru};
use aws_client_cache_benches::workload::{Shape, stream};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const OPERATIONS: usize = 1 << 16;

fn bench<C: Contender<u64>>(c: &mut Criterion, name: &str) {
    let mut group = c.benchmark_group("get_or_insert");
    group.throughput(Throughput::Elements(OPERATIONS as u64));
    for (max_size, universe) in [(10, 10), (10, 20), (30, 60), (1_000, 2_000), (100_000, 200_000)] {
        let keys: Vec<u64> = stream(Shape::Zipf, universe, OPERATIONS, 7);
        let mut cache = C::new(max_size, 7);
        group.bench_with_input(BenchmarkId::new(name, format!("{max_size}/{universe}")), &keys, |b, keys| {
            b.iter(|| keys.iter().filter(|key| cache.get_or_insert(black_box(key))).count());
        });
    }
    group.finish();
}

fn get_or_insert(c: &mut Criterion) {
    bench::<Lru<u64>>(c, "LRU");
    bench::<Lfu<u64>>(c, "LFU");
    bench::<lru::LruCache<u64, u64, Hasher>>(c, "lru crate");
}

criterion_group!(benches, get_or_insert);
criterion_main!(benches);
