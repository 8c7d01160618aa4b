//! Reproduces each counterexample of `PEERS.md` with the peer's own functions alone.
//!
//! Neither the kit nor an adapter is used, so that neither can be at fault. A test fails if a new version of a peer
//! behaves differently.

use std::cell::Cell;
use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

thread_local! {
    /// The number of calls of `Hash` before the one that panics.
    static HASH: Cell<Option<usize>> = const { Cell::new(None) };
    /// The same of `Drop`.
    static DROP: Cell<Option<usize>> = const { Cell::new(None) };
    /// The number of keys and values that were not dropped.
    static ALIVE: Cell<usize> = const { Cell::new(0) };
}

/// A key or a value whose `Hash` or `Drop` panics on demand.
#[derive(Debug, PartialEq, Eq)]
struct Probe(u8);

fn probe(number: u8) -> Probe {
    ALIVE.set(ALIVE.get() + 1);
    Probe(number)
}

fn called(calls: &'static std::thread::LocalKey<Cell<Option<usize>>>) {
    match calls.get() {
        Some(0) => {
            calls.set(None);
            resume_unwind(Box::new("the panic of a caller's code"));
        }
        left => calls.set(left.map(|left| left - 1)),
    }
}

impl Hash for Probe {
    fn hash<H: Hasher>(&self, state: &mut H) {
        called(&HASH);
        self.0.hash(state);
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
        called(&DROP);
    }
}

/// Runs a call in which a callback panics after some calls.
fn panics_after(calls: usize, callback: &'static std::thread::LocalKey<Cell<Option<usize>>>, call: impl FnOnce()) {
    callback.set(Some(calls));
    catch_unwind(AssertUnwindSafe(call)).unwrap_err();
    assert_eq!(callback.get(), None, "the panic was another one");
}

/// Returns the numbers of entries.
fn numbers<'a>(entries: impl Iterator<Item = (&'a Probe, &'a Probe)>) -> Vec<u8> {
    entries.map(|(key, _)| key.0).collect()
}

fn full_lru() -> lru::LruCache<Probe, Probe> {
    let mut cache = lru::LruCache::new(NonZeroUsize::new(2).unwrap());
    cache.push(probe(0), probe(0));
    cache.push(probe(1), probe(1));
    cache
}

#[test]
fn a_panic_of_hash_in_lru_leaves_an_entry_that_is_listed_but_absent() {
    let mut cache = full_lru();
    panics_after(2, &HASH, || drop(cache.push(probe(2), probe(2))));
    assert_eq!(cache.len(), 1, "entry 0 was evicted, and entry 2 not counted");
    assert_eq!(numbers(cache.iter()), [2], "from the most recent, entry 2 is listed");
    assert_eq!(numbers(cache.iter().rev()), [1], "from the least recent, entry 1 is");
    assert!(!cache.contains(&probe(2)));

    assert_eq!(cache.pop_lru().unwrap().0.0, 1);
    for _ in 0..2 {
        catch_unwind(AssertUnwindSafe(|| cache.clear())).unwrap_err(); // `unwrap` of a `None` in the crate itself
    }
    drop(cache);
    assert_eq!(ALIVE.get(), 2, "the key and the value leak");
}

/// This was a use after free before 0.18.2: RUSTSEC-2026-0253.
#[test]
fn a_panic_of_drop_in_lru_removes_the_entry_and_no_other() {
    let mut cache = full_lru();
    panics_after(0, &DROP, || drop(cache.pop(&probe(0))));
    assert_eq!(numbers(cache.iter()), [1]);
    assert_eq!(numbers(cache.iter().rev()), [1]);
    cache.clear();
    assert!(cache.is_empty());
    assert_eq!(ALIVE.get(), 1, "the value leaks");
}

#[test]
fn a_panic_of_hash_in_hashlink_leaves_it_above_its_bound_for_good() {
    let mut cache = hashlink::LruCache::new(2);
    cache.set_capacity(0);
    panics_after(2, &HASH, || drop(cache.insert(probe(0), probe(0))));
    assert_eq!((cache.capacity(), numbers(cache.iter())), (0, vec![0]));
    cache.insert(probe(1), probe(1)); // evicts one entry, although two are too many
    assert_eq!((cache.capacity(), numbers(cache.iter())), (0, vec![1]));
}

#[test]
fn a_panic_of_drop_in_schnellru_evicts_an_entry_without_inserting_the_new_one() {
    let mut cache = schnellru::LruMap::<Probe, Probe>::new(schnellru::ByLength::new(2));
    cache.insert(probe(0), probe(0));
    cache.insert(probe(1), probe(1));
    panics_after(0, &DROP, || assert!(cache.insert(probe(2), probe(2))));
    assert_eq!(numbers(cache.iter()), [1]);
    drop(cache);
    assert_eq!(ALIVE.get(), 0, "nothing leaks");
}

#[test]
fn shrinking_quick_cache_evicts_more_than_necessary() {
    let mut cache = quick_cache::unsync::Cache::new(3);
    for key in [0, 1, 2] {
        cache.insert(key, 0);
    }
    assert_eq!((cache.len(), cache.get(&2)), (3, Some(&0)));
    cache.set_capacity(2);
    assert_eq!((cache.capacity(), cache.len()), (2, 1));
    assert!(cache.contains_key(&2));
}

#[test]
fn quick_cache_does_not_admit_a_new_key_that_get_or_insert_with_creates() {
    let mut cache = quick_cache::unsync::Cache::new(1);
    cache.insert(0, 0);
    cache.get_or_insert_with(&1, || Ok::<_, Infallible>(0)).unwrap();
    assert_eq!((cache.contains_key(&0), cache.contains_key(&1)), (true, false));
}

#[test]
fn quick_cache_evicts_an_entry_that_is_not_the_least_recently_used() {
    let mut cache = quick_cache::unsync::Cache::new(2);
    for key in [0, 1] {
        cache.insert(key, 0);
    }
    cache.set_capacity(1);
    assert_eq!((cache.contains_key(&0), cache.contains_key(&1)), (true, false));
}

#[test]
fn moka_under_its_default_policy_does_not_admit_a_new_key() {
    let cache = moka::sync::Cache::new(1);
    for key in [0, 1] {
        cache.insert(key, 0);
        cache.run_pending_tasks();
    }
    assert_eq!((cache.contains_key(&0), cache.contains_key(&1)), (true, false));
}

#[test]
fn lfu_cache_does_not_count_what_its_entries_insert() {
    let mut cache = lfu_cache::LfuCache::with_capacity(1);
    cache.entry(0).or_insert(0);
    assert_eq!((cache.len(), cache.is_empty(), cache.keys().count()), (0, true, 1));
    cache.entry(1).or_insert(1);
    assert_eq!((cache.len(), cache.keys().count()), (0, 2), "the bound is 1");
}

#[test]
fn lfu_cache_evicts_the_latest_of_equal_entries() {
    let mut cache = lfu_cache::LfuCache::with_capacity(2);
    cache.insert(0, 0);
    cache.insert(1, 0);
    assert_eq!(cache.pop_lfu_key_value(), Some((1, 0)));
}
