//! Measures the engine and the cache alongside their peers, and prints tables of relative times.

#![expect(clippy::print_stdout, reason = "a program that prints its results")]

use aws_client_cache_benches::candidate::{Hasher, Lfu, Lfuda, Locked, Lru, Unbounded};
use aws_client_cache_benches::harness::{Candidate, Outcome, Workload, hits, multi_threaded, ratios, single_threaded};
use aws_client_cache_benches::workload::{Key, Shape};
use clap::Parser;

/// Measures the engine and the cache alongside their peers, all in this process, in turns.
///
/// A cell is our time divided by the peer's: the median over the seeds, with the smallest and the largest. Below 1,
/// ours takes less.
#[derive(Parser)]
struct Arguments {
    /// The number of seeds, of keys and of hashes.
    #[arg(long, default_value_t = 7)]
    seeds: u64,
    /// Measure only the sections whose title contains this text.
    #[arg(long, default_value = "")]
    only: String,
    /// The maximum number of entries of a cache.
    #[arg(long, default_value_t = usize::MAX)]
    up_to: usize,
}

type HashlinkLru<K> = hashlink::LruCache<K, u64, Hasher>;
type LruCrate<K> = lru::LruCache<K, u64, Hasher>;
type Schnellru<K> = schnellru::LruMap<K, u64, schnellru::ByLength, Hasher>;
type QuickCache<K> = quick_cache::unsync::Cache<K, u64, quick_cache::UnitWeighter, Hasher>;
type MiniMoka<K> = mini_moka::unsync::Cache<K, u64, Hasher>;

/// The number of candidates, from the first on, that are strict LRU.
const STRICT: usize = 4;

fn lru<K: Key>() -> Vec<Candidate<[K]>> {
    vec![
        Candidate::of::<Lru<K>>("ours"),
        Candidate::of::<LruCrate<K>>("lru"),
        Candidate::of::<HashlinkLru<K>>("hashlink"),
        Candidate::of::<Schnellru<K>>("schnellru"),
        Candidate::of::<QuickCache<K>>("quick_cache"),
        Candidate::of::<MiniMoka<K>>("mini-moka"),
    ]
}

fn lfu<K: Key>() -> Vec<Candidate<[K]>> {
    vec![Candidate::of::<Lfu<K>>("ours"), Candidate::of::<lfu_cache::LfuCache<K, u64>>("lfu_cache")]
}

/// LFUDA alongside our own LFU, which evicts other entries.
fn lfuda<K: Key>() -> Vec<Candidate<[K]>> {
    vec![Candidate::of::<Lfuda<K>>("ours"), Candidate::of::<Lfu<K>>("ours, LFU")]
}

fn removing<K: Key>() -> Vec<Candidate<[K]>> {
    vec![
        Candidate::removing::<Lru<K>>("ours"),
        Candidate::removing::<LruCrate<K>>("lru"),
        Candidate::removing::<HashlinkLru<K>>("hashlink"),
        Candidate::removing::<Schnellru<K>>("schnellru"),
    ]
}

fn iterating<K: Key>() -> Vec<Candidate<[K]>> {
    vec![
        Candidate::iterating::<Lru<K>>("ours"),
        Candidate::iterating::<LruCrate<K>>("lru"),
        Candidate::iterating::<HashlinkLru<K>>("hashlink"),
        Candidate::iterating::<Schnellru<K>>("schnellru"),
    ]
}

fn shared<K: Key>() -> Vec<Candidate<[Vec<K>]>> {
    vec![
        Candidate::shared::<Locked<Lru<K>>>("ours, locked"),
        Candidate::shared::<Locked<LruCrate<K>>>("lru, locked"),
        Candidate::shared::<Locked<Schnellru<K>>>("schnellru, locked"),
        Candidate::shared::<Locked<QuickCache<K>>>("quick_cache, locked"),
        Candidate::shared::<quick_cache::sync::Cache<K, u64, quick_cache::UnitWeighter, Hasher>>("quick_cache"),
        Candidate::shared::<moka::sync::Cache<K, u64, Hasher>>("moka"),
        Candidate::shared::<mini_moka::sync::Cache<K, u64, Hasher>>("mini-moka"),
    ]
}

impl Arguments {
    fn section(&self, title: &str, run: impl FnOnce() -> String) {
        if title.contains(&self.only) {
            println!("## {title}\n\n{}", run());
        }
    }

    fn outcomes<K: Key>(&self, candidates: &[Candidate<[K]>], strict: usize, workloads: &[Workload]) -> Vec<Outcome> {
        let workloads = workloads.iter().filter(|workload| workload.max_size <= self.up_to);
        workloads.map(|workload| single_threaded(candidates, strict, *workload, self.seeds)).collect()
    }

    fn compare<K: Key>(&self, title: &str, candidates: &[Candidate<[K]>], strict: usize, workloads: &[Workload]) {
        self.section(title, || ratios(candidates, &self.outcomes(candidates, strict, workloads)));
    }
}

fn main() {
    let arguments = Arguments::parse();
    let of = |shape, sizes: &[(usize, u32)]| -> Vec<Workload> {
        sizes.iter().map(|&(max_size, universe)| Workload { shape, max_size, universe }).collect()
    };
    let sizes = [(10, 10), (10, 20), (30, 60), (1_000, 2_000), (100_000, 200_000), (1_000_000, 8_000_000)];
    let zipf = of(Shape::Zipf, &sizes);

    arguments.compare("LRU, get or insert, u64 keys", &lru::<u64>(), STRICT, &zipf);
    arguments.compare("LRU, get or insert, keys of 40 bytes", &lru::<String>(), STRICT, &zipf[..5]);
    let sizes = [(30, 30), (1_000, 1_000), (100_000, 100_000)];
    arguments.compare("LRU, hits only, u64 keys", &lru::<u64>(), STRICT, &of(Shape::Zipf, &sizes));
    arguments.compare("LRU, churn only, u64 keys", &lru::<u64>(), STRICT, &of(Shape::Churn, &sizes));
    let mut floor = lru::<u64>();
    floor.truncate(1);
    floor.push(Candidate::of::<Unbounded<u64>>("a table that evicts nothing"));
    arguments.compare("LRU, hits only, u64 keys, next to the floor", &floor, 2, &of(Shape::Zipf, &sizes));
    arguments.compare("LFU, get or insert, u64 keys", &lfu::<u64>(), 1, &zipf);
    arguments.compare("LFU, get or insert, keys of 40 bytes", &lfu::<String>(), 1, &zipf[..5]);
    arguments.compare("LFUDA, get or insert, u64 keys", &lfuda::<u64>(), 1, &zipf);
    let sizes = [(30, 60), (1_000, 2_000), (100_000, 200_000)];
    arguments.compare("LRU, remove and insert, u64 keys", &removing::<u64>(), STRICT, &of(Shape::Zipf, &sizes));
    arguments.compare("LRU, iterate, u64 keys, an entry", &iterating::<u64>(), STRICT, &of(Shape::Zipf, &sizes));

    let traces: Vec<_> = [Shape::Zipf, Shape::Loop, Shape::Scan, Shape::Shift]
        .iter()
        .flat_map(|shape| of(*shape, &[(30, 60), (1_000, 2_000)]))
        .collect();
    arguments.section("hits of a hundred, u64 keys, by policy", || {
        let mut candidates = lru::<u64>();
        candidates[0].name = "LRU (ours)";
        candidates.insert(1, Candidate::of::<Lfu<u64>>("LFU (ours)"));
        candidates.insert(2, Candidate::of::<Lfuda<u64>>("LFUDA (ours)"));
        candidates.truncate(3);
        candidates.push(Candidate::of::<QuickCache<u64>>("quick_cache"));
        candidates.push(Candidate::of::<MiniMoka<u64>>("mini-moka"));
        hits(&candidates, &arguments.outcomes(&candidates, 1, &traces))
    });
    arguments.compare("LRU, traces, u64 keys", &lru::<u64>(), STRICT, &traces);

    for threads in [1, 2] {
        arguments.section(&format!("shared, get or insert, u64 keys, threads: {threads}"), || {
            let (candidates, sizes) = (shared::<u64>(), [(30, 60), (1_000, 2_000), (100_000, 200_000)]);
            let workloads = of(Shape::Zipf, &sizes).into_iter().filter(|workload| workload.max_size <= arguments.up_to);
            let outcomes: Vec<_> =
                workloads.map(|workload| multi_threaded(&candidates, threads, workload, arguments.seeds)).collect();
            ratios(&candidates, &outcomes)
        });
    }
    #[cfg(feature = "clients")]
    arguments.section("clients of S3", || {
        use aws_client_cache_benches::clients::{candidates, find};

        let candidates = candidates();
        let outcomes = [1, 2].map(|threads| find(&candidates, threads, arguments.seeds));
        ratios(&candidates, &outcomes)
    });
    #[cfg(not(feature = "clients"))]
    println!("Real clients are omitted; `--features clients` adds them.");
}
