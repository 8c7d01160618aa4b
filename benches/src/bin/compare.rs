//! Holds the engine and the cache against their peers, side by side, and prints who needs how much of whose time.

#![expect(clippy::print_stdout, reason = "it is what it is for")]

use aws_client_cache_benches::contender::{Hasher, Lfu, Lfuda, Locked, Lru, Unbounded};
use aws_client_cache_benches::contest::{Entrant, Outcome, Workload, alone, hits, ratios, together};
use aws_client_cache_benches::workload::{Key, Shape};
use clap::Parser;

/// Holds the engine and the cache against their peers, all in this process, in turns.
///
/// A cell is our time by a peer's: the median over the seeds, and the smallest and the largest. Below 1, ours takes less.
#[derive(Parser)]
struct Arguments {
    /// Over how many seeds, of keys and of hashes.
    #[arg(long, default_value_t = 7)]
    seeds: u64,
    /// Only the sections whose title contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// No caches of more entries than these.
    #[arg(long, default_value_t = usize::MAX)]
    up_to: usize,
}

type HashlinkLru<K> = hashlink::LruCache<K, u64, Hasher>;
type LruCrate<K> = lru::LruCache<K, u64, Hasher>;
type Schnellru<K> = schnellru::LruMap<K, u64, schnellru::ByLength, Hasher>;
type QuickCache<K> = quick_cache::unsync::Cache<K, u64, quick_cache::UnitWeighter, Hasher>;
type MiniMoka<K> = mini_moka::unsync::Cache<K, u64, Hasher>;

/// How many of them are strict LRU.
const STRICT: usize = 4;

fn lru<K: Key>() -> Vec<Entrant<[K]>> {
    vec![
        Entrant::of::<Lru<K>>("ours"),
        Entrant::of::<LruCrate<K>>("lru"),
        Entrant::of::<HashlinkLru<K>>("hashlink"),
        Entrant::of::<Schnellru<K>>("schnellru"),
        Entrant::of::<QuickCache<K>>("quick_cache"),
        Entrant::of::<MiniMoka<K>>("mini-moka"),
    ]
}

fn lfu<K: Key>() -> Vec<Entrant<[K]>> {
    vec![Entrant::of::<Lfu<K>>("ours"), Entrant::of::<lfu_cache::LfuCache<K, u64>>("lfu_cache")]
}

/// LFUDA next to our own LFU, which evicts other entries.
fn lfuda<K: Key>() -> Vec<Entrant<[K]>> {
    vec![Entrant::of::<Lfuda<K>>("ours"), Entrant::of::<Lfu<K>>("ours, LFU")]
}

fn removing<K: Key>() -> Vec<Entrant<[K]>> {
    vec![
        Entrant::removing::<Lru<K>>("ours"),
        Entrant::removing::<LruCrate<K>>("lru"),
        Entrant::removing::<HashlinkLru<K>>("hashlink"),
        Entrant::removing::<Schnellru<K>>("schnellru"),
    ]
}

fn iterating<K: Key>() -> Vec<Entrant<[K]>> {
    vec![
        Entrant::iterating::<Lru<K>>("ours"),
        Entrant::iterating::<LruCrate<K>>("lru"),
        Entrant::iterating::<HashlinkLru<K>>("hashlink"),
        Entrant::iterating::<Schnellru<K>>("schnellru"),
    ]
}

fn shared<K: Key>() -> Vec<Entrant<[Vec<K>]>> {
    vec![
        Entrant::shared::<Locked<Lru<K>>>("ours, locked"),
        Entrant::shared::<Locked<LruCrate<K>>>("lru, locked"),
        Entrant::shared::<Locked<Schnellru<K>>>("schnellru, locked"),
        Entrant::shared::<Locked<QuickCache<K>>>("quick_cache, locked"),
        Entrant::shared::<quick_cache::sync::Cache<K, u64, quick_cache::UnitWeighter, Hasher>>("quick_cache"),
        Entrant::shared::<moka::sync::Cache<K, u64, Hasher>>("moka"),
        Entrant::shared::<mini_moka::sync::Cache<K, u64, Hasher>>("mini-moka"),
    ]
}

impl Arguments {
    fn section(&self, title: &str, run: impl FnOnce() -> String) {
        if title.contains(&self.only) {
            println!("## {title}\n\n{}", run());
        }
    }

    fn outcomes<K: Key>(&self, entrants: &[Entrant<[K]>], strict: usize, workloads: &[Workload]) -> Vec<Outcome> {
        let workloads = workloads.iter().filter(|workload| workload.max_size <= self.up_to);
        workloads.map(|workload| alone(entrants, strict, *workload, self.seeds)).collect()
    }

    fn compare<K: Key>(&self, title: &str, entrants: &[Entrant<[K]>], strict: usize, workloads: &[Workload]) {
        self.section(title, || ratios(entrants, &self.outcomes(entrants, strict, workloads)));
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
    floor.push(Entrant::of::<Unbounded<u64>>("a table that evicts nothing"));
    arguments.compare("LRU, hits only, u64 keys, beside the floor", &floor, 2, &of(Shape::Zipf, &sizes));
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
        let mut entrants = lru::<u64>();
        entrants[0].name = "LRU (ours)";
        entrants.insert(1, Entrant::of::<Lfu<u64>>("LFU (ours)"));
        entrants.insert(2, Entrant::of::<Lfuda<u64>>("LFUDA (ours)"));
        entrants.truncate(3);
        entrants.push(Entrant::of::<QuickCache<u64>>("quick_cache"));
        entrants.push(Entrant::of::<MiniMoka<u64>>("mini-moka"));
        hits(&entrants, &arguments.outcomes(&entrants, 1, &traces))
    });
    arguments.compare("LRU, traces, u64 keys", &lru::<u64>(), STRICT, &traces);

    for threads in [1, 2] {
        arguments.section(&format!("shared, get or insert, u64 keys, threads: {threads}"), || {
            let (entrants, sizes) = (shared::<u64>(), [(30, 60), (1_000, 2_000), (100_000, 200_000)]);
            let workloads = of(Shape::Zipf, &sizes).into_iter().filter(|workload| workload.max_size <= arguments.up_to);
            let outcomes: Vec<_> =
                workloads.map(|workload| together(&entrants, threads, workload, arguments.seeds)).collect();
            ratios(&entrants, &outcomes)
        });
    }
    #[cfg(feature = "clients")]
    arguments.section("clients of S3", || {
        use aws_client_cache_benches::clients::{entrants, find};

        let entrants = entrants();
        let outcomes = [1, 2].map(|threads| find(&entrants, threads, arguments.seeds));
        ratios(&entrants, &outcomes)
    });
    #[cfg(not(feature = "clients"))]
    println!("Real clients are left out: `--features clients` brings them in.");
}
