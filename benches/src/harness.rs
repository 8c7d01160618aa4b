//! Runs candidates under workloads, and prints tables of their relative times.

use std::borrow::Borrow;
use std::fmt::{self, Write as _};
use std::thread;

use crate::candidate::{CandidateCache, OrderedCache, SharedCache};
use crate::timing::{Routine, Spread, interleaved};
use crate::workload::{Key, Shape, stream};

/// A named cache of a comparison, with a routine that works on it.
pub struct Candidate<W: ?Sized> {
    /// The name in the tables.
    pub name: &'static str,
    start: Box<dyn Fn(usize, u64) -> Routine<'static, W>>,
}

impl<W: ?Sized> Candidate<W> {
    /// Creates a candidate. `start` returns a new routine for each bound and seed.
    pub fn new(name: &'static str, start: impl Fn(usize, u64) -> Routine<'static, W> + 'static) -> Self {
        Self { name, start: Box::new(start) }
    }
}

impl<W: ?Sized> fmt::Debug for Candidate<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Candidate").field(&self.name).finish()
    }
}

impl<K: Key> Candidate<[K]> {
    /// Creates a candidate of one thread that looks up each key, and inserts it if it is absent.
    pub fn of<C: CandidateCache<K>>(name: &'static str) -> Self {
        Self::new(name, |max_size, seed| {
            let mut cache = C::new(max_size, seed);
            Box::new(move |keys| keys.iter().map(|key| u64::from(cache.get_or_insert(key))).sum())
        })
    }

    /// Creates a candidate of one thread that removes each key and inserts it again.
    pub fn removing<C: OrderedCache<K>>(name: &'static str) -> Self {
        Self::new(name, |max_size, seed| {
            let mut cache = C::new(max_size, seed);
            Box::new(move |keys| {
                let mut removed = 0;
                for key in keys {
                    removed += u64::from(cache.remove(key));
                    cache.get_or_insert(key);
                }
                removed
            })
        })
    }

    /// Creates a candidate that iterates over its entries, from end to end.
    ///
    /// It warms up like [`of`](Self::of). Then it iterates until it has visited as many entries as there are keys.
    pub fn iterating<C: OrderedCache<K>>(name: &'static str) -> Self {
        Self::new(name, |max_size, seed| {
            let mut cache = C::new(max_size, seed);
            let mut is_warm = false;
            Box::new(move |keys| {
                if std::mem::replace(&mut is_warm, true) {
                    return (0..keys.len() / max_size).map(|_| cache.sum()).sum();
                }
                keys.iter().map(|key| u64::from(cache.get_or_insert(key))).sum()
            })
        })
    }
}

impl<K: Key> Candidate<[Vec<K>]> {
    /// Creates a candidate that threads share, each with its own keys.
    pub fn shared<C: SharedCache<K>>(name: &'static str) -> Self {
        Self::new(name, |max_size, seed| {
            let cache = C::new(max_size, seed);
            Box::new(move |threads| {
                let run = |keys: &[K]| keys.iter().map(|key| u64::from(cache.get_or_insert(key))).sum::<u64>();
                on_threads(threads, |keys| run(keys))
            })
        })
    }
}

/// Runs each part of the work on its own thread, and returns the sum of the results.
///
/// # Panics
///
/// If `run` panics.
pub fn on_threads<T: Sync>(parts: &[T], run: impl Fn(&T) -> u64 + Sync) -> u64 {
    match parts {
        [one] => run(one),
        _ => thread::scope(|scope| {
            let threads: Vec<_> = parts.iter().map(|part| scope.spawn(|| run(part))).collect();
            threads.into_iter().map(|thread| thread.join().expect("it does not panic")).sum()
        }),
    }
}

/// A stream of keys for a cache of a given bound.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// The order of the keys.
    pub shape: Shape,
    /// The bound of the caches.
    pub max_size: usize,
    /// The number of distinct keys.
    pub universe: u32,
}

impl Workload {
    /// Returns the keys of the warm-up, followed by those of each timed part.
    fn keys<K: Key>(self, seed: u64) -> Vec<Vec<K>> {
        let before = (4 * self.max_size).max(10_000);
        let (length, parts) = self.parts();
        let mut keys: Vec<K> = stream(self.shape, self.universe, before + length * parts, seed);
        let timed = keys.split_off(before);
        std::iter::once(keys).chain(timed.chunks(length).map(<[K]>::to_vec)).collect()
    }

    /// Returns the number of operations in a timed part, and the number of parts.
    fn parts(self) -> (usize, usize) {
        if self.max_size >= 10_000 { (400_000.max(self.max_size / 2), 9) } else { (50_000, 31) }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |count: usize| match count {
            1_000_000.. if count.is_multiple_of(1_000_000) => format!("{}M", count / 1_000_000),
            10_000.. if count.is_multiple_of(1_000) => format!("{}k", count / 1_000),
            _ => count.to_string(),
        };
        match self.shape {
            Shape::Churn => write!(f, "churn, {}", short(self.max_size)),
            shape => {
                let shape = format!("{shape:?}").to_lowercase();
                write!(f, "{shape}, {}/{}", short(self.max_size), short(self.universe as usize))
            }
        }
    }
}

/// The result of one workload.
#[derive(Clone, Debug)]
pub struct Outcome {
    name: String,
    /// Nanoseconds per operation, by candidate and seed.
    times: Vec<Vec<f64>>,
    /// Hits per hundred look-ups, by candidate.
    hits: Vec<f64>,
}

/// Runs all candidates in turns, over `seeds` seeds.
///
/// `work` returns the parts of the work for a seed. The first part warms up; the others are timed, and have
/// `operations` operations each.
///
/// # Panics
///
/// If the results of the first `strict` candidates differ: one of them is wrong, and its time means nothing.
pub fn run<W: ?Sized, P: Borrow<W>>(
    name: impl Into<String>,
    candidates: &[Candidate<W>],
    strict: usize,
    (max_size, seeds, operations): (usize, u64, usize),
    work: impl Fn(u64) -> Vec<P>,
) -> Outcome {
    let name = name.into();
    let mut times = vec![Vec::new(); candidates.len()];
    let mut sums = vec![0; candidates.len()];
    let mut total = 0;
    for seed in 0..seeds {
        let work = work(seed);
        let parts: Vec<&W> = work.iter().map(Borrow::borrow).collect();
        let mut routines: Vec<_> = candidates.iter().map(|candidate| (candidate.start)(max_size, seed)).collect();
        for routine in &mut routines {
            routine(parts[0]);
        }
        total += operations * (parts.len() - 1);
        for (index, (time, sum)) in interleaved(&mut routines, &parts[1..]).into_iter().enumerate() {
            times[index].push(1e9 * time.as_secs_f64() / operations as f64);
            sums[index] += sum;
        }
    }
    assert!(sums[..strict].iter().all(|sum| *sum == sums[0]), "{name}: {sums:?}");
    Outcome { name, times, hits: sums.into_iter().map(|sum| 100.0 * sum as f64 / total as f64).collect() }
}

/// Runs candidates of one thread.
pub fn single_threaded<K: Key>(
    candidates: &[Candidate<[K]>],
    strict: usize,
    workload: Workload,
    seeds: u64,
) -> Outcome {
    let (operations, _) = workload.parts();
    run(workload.to_string(), candidates, strict, (workload.max_size, seeds, operations), |seed| workload.keys(seed))
}

/// Runs shared candidates on `threads` threads, each with its own keys.
///
/// The time of an operation is that of one thread.
pub fn multi_threaded<K: Key>(
    candidates: &[Candidate<[Vec<K>]>],
    threads: u64,
    workload: Workload,
    seeds: u64,
) -> Outcome {
    let (operations, _) = workload.parts();
    let name = format!("{workload}, threads: {threads}");
    run(name, candidates, 0, (workload.max_size, seeds, operations), |seed| {
        let mut streams: Vec<_> =
            (0..threads).map(|thread| workload.keys::<K>(seed * threads + thread).into_iter()).collect();
        let (_, parts) = workload.parts();
        (0..=parts).map(|_| streams.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()).collect()
    })
}

/// Returns a table of our times, and of our time divided by that of each peer.
pub fn ratios<W: ?Sized>(candidates: &[Candidate<W>], outcomes: &[Outcome]) -> String {
    let mut table = String::from("| workload | ours, ns |");
    for candidate in &candidates[1..] {
        write!(table, " ours / {} |", candidate.name).expect("text grows");
    }
    table += "\n|---|---|";
    table += &"---|".repeat(candidates.len() - 1);
    for Outcome { name, times, .. } in outcomes {
        let ours = &times[0];
        write!(table, "\n| {name} | {:.1} |", Spread::of(ours.iter().copied()).median).expect("text grows");
        for peer in &times[1..] {
            let ratios = ours.iter().zip(peer).map(|(ours, peer)| ours / peer);
            write!(table, " {} |", Spread::of(ratios)).expect("text grows");
        }
    }
    table + "\n"
}

/// Returns a table of the hits per hundred look-ups.
pub fn hits<W: ?Sized>(candidates: &[Candidate<W>], outcomes: &[Outcome]) -> String {
    let mut table = String::from("| workload |");
    for candidate in candidates {
        write!(table, " {} |", candidate.name).expect("text grows");
    }
    table += "\n|---|";
    table += &"---|".repeat(candidates.len());
    for Outcome { name, hits, .. } in outcomes {
        write!(table, "\n| {name} |").expect("text grows");
        for hits in hits {
            write!(table, " {hits:.1} |").expect("text grows");
        }
    }
    table + "\n"
}

/// Returns the nanoseconds per operation, by candidate: the median over the seeds.
pub fn medians(outcome: &Outcome) -> Vec<f64> {
    outcome.times.iter().map(|times| Spread::of(times.iter().copied()).median).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::{Hasher, Lru};

    const SMALL: Workload = Workload { shape: Shape::Zipf, max_size: 10, universe: 20 };

    #[test]
    fn strict_caches_hit_equally_and_a_table_has_a_row_for_each_workload() {
        let candidates: [Candidate<[u64]>; 2] =
            [Candidate::of::<Lru<u64>>("ours"), Candidate::of::<lru::LruCache<u64, u64, Hasher>>("lru")];
        let outcome = single_threaded(&candidates, 2, SMALL, 1);
        assert!(outcome.hits[0] > 50.0 && outcome.hits[0] < 100.0, "{outcome:?}");
        assert_eq!(ratios(&candidates, &[outcome.clone(), outcome.clone()]).lines().count(), 4);
        assert!(hits(&candidates, &[outcome]).contains("| zipf, 10/20 |"));
    }

    #[test]
    #[should_panic(expected = "zipf, 10/20")]
    fn a_cache_with_a_wrong_number_of_hits_is_rejected() {
        let never = Candidate::new("never", |_, _| Box::new(|_: &[u64]| 0_u64) as Routine<'static, [u64]>);
        single_threaded(&[Candidate::of::<Lru<u64>>("ours"), never], 2, SMALL, 1);
    }

    #[test]
    fn every_thread_has_its_own_keys() {
        let all = |threads: &[Vec<u64>]| threads.iter().map(|keys| keys.len() as u64).sum();
        let candidate = Candidate::new("all", move |_, _| Box::new(all) as Routine<'static, [Vec<u64>]>);
        let outcome = multi_threaded(&[candidate], 2, SMALL, 1);
        assert_eq!(outcome.hits, [200.0]);
    }

    #[test]
    fn every_thread_does_its_part_of_the_work() {
        assert_eq!(on_threads(&[1, 2, 3], |part| *part), 6);
    }
}
