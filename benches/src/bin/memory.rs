//! Counts the bytes that the engine and its peers take for each entry, and prints a table.

#![expect(clippy::print_stdout, reason = "a program that prints its results")]
#![expect(clippy::cast_precision_loss, reason = "counts are far below the limits of precision")]

use std::alloc::System;
use std::fmt::Write as _;

use aws_client_cache_benches::candidate::{CandidateCache, Hasher, Lfu, Lfuda, Lru};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Count = fn(usize, usize, usize) -> f64;

/// Returns the bytes per entry of a cache with `entries` entries, after `newcomers` more insertions.
fn bytes<C: CandidateCache<u64>>(max_size: usize, entries: usize, newcomers: usize) -> f64 {
    let region = Region::new(ALLOCATOR);
    let mut cache = C::new(max_size, 7);
    for key in 0..entries + newcomers {
        cache.get_or_insert(&(key as u64));
    }
    let stats = region.change();
    let bytes = stats.bytes_allocated - stats.bytes_deallocated;
    drop(cache);
    bytes as f64 / entries as f64
}

fn main() {
    let all: [(&str, Count); 9] = [
        ("ours, LRU", bytes::<Lru<u64>>),
        ("lru", bytes::<lru::LruCache<u64, u64, Hasher>>),
        ("hashlink", bytes::<hashlink::LruCache<u64, u64, Hasher>>),
        ("schnellru", bytes::<schnellru::LruMap<u64, u64, schnellru::ByLength, Hasher>>),
        ("quick_cache", bytes::<quick_cache::unsync::Cache<u64, u64, quick_cache::UnitWeighter, Hasher>>),
        ("mini-moka", bytes::<mini_moka::unsync::Cache<u64, u64, Hasher>>),
        ("ours, LFU", bytes::<Lfu<u64>>),
        ("ours, LFUDA", bytes::<Lfuda<u64>>),
        ("lfu_cache", bytes::<lfu_cache::LfuCache<u64, u64>>),
    ];
    let mut table = String::from("| |");
    for (name, _) in all {
        write!(table, " {name} |").expect("text grows");
    }
    table += "\n|---|";
    table += &"---|".repeat(all.len());
    let rows = [
        ("30, just full", 30, 30, 0),
        ("30, after 300 newcomers", 30, 30, 300),
        ("1,000, just full", 1_000, 1_000, 0),
        ("1,000, after 10,000 newcomers", 1_000, 1_000, 10_000),
        ("100,000, just full", 100_000, 100_000, 0),
        ("100,000, after a million newcomers", 100_000, 100_000, 1_000_000),
        ("a million, just full", 1_000_000, 1_000_000, 0),
        ("a million, after ten million newcomers", 1_000_000, 1_000_000, 10_000_000),
        ("30, of a bound of a million", 1_000_000, 30, 0),
    ];
    for (name, max_size, entries, newcomers) in rows {
        write!(table, "\n| {name} |").expect("text grows");
        for (_, count) in all {
            write!(table, " {:.0} |", count(max_size, entries, newcomers)).expect("text grows");
        }
    }
    println!("{table}");
}
