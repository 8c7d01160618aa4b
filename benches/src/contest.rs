//! Contenders under workloads, and tables of who needs how much of whose time.

use std::borrow::Borrow;
use std::fmt::{self, Write as _};
use std::thread;

use crate::contender::{Contender, Ordered, Shared};
use crate::measure::{Spread, Way, interleaved};
use crate::workload::{Key, Shape, stream};

/// Who takes part, and what it does with a part of the work.
pub struct Entrant<W: ?Sized> {
    /// Its name.
    pub name: &'static str,
    start: Box<dyn Fn(usize, u64) -> Way<'static, W>>,
}

impl<W: ?Sized> Entrant<W> {
    /// One that is started anew for each seed, with a bound and the seed.
    pub fn new(name: &'static str, start: impl Fn(usize, u64) -> Way<'static, W> + 'static) -> Self {
        Self { name, start: Box::new(start) }
    }
}

impl<W: ?Sized> fmt::Debug for Entrant<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entrant").field(&self.name).finish()
    }
}

impl<K: Key> Entrant<[K]> {
    /// A cache of one thread: each key is looked up, and inserted if it is absent.
    pub fn of<C: Contender<K>>(name: &'static str) -> Self {
        Self::new(name, |max_size, seed| {
            let mut cache = C::new(max_size, seed);
            Box::new(move |keys| keys.iter().map(|key| u64::from(cache.get_or_insert(key))).sum())
        })
    }

    /// The same, but each key is removed, and inserted again.
    pub fn removing<C: Ordered<K>>(name: &'static str) -> Self {
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

    /// The same as [`of`](Self::of) in the warm-up; then it is iterated over, from end to end, until there were as many
    /// entries as keys.
    pub fn iterating<C: Ordered<K>>(name: &'static str) -> Self {
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

impl<K: Key> Entrant<[Vec<K>]> {
    /// A cache that threads share, each with keys of its own.
    pub fn shared<C: Shared<K>>(name: &'static str) -> Self {
        Self::new(name, |max_size, seed| {
            let cache = C::new(max_size, seed);
            Box::new(move |threads| {
                let run = |keys: &[K]| keys.iter().map(|key| u64::from(cache.get_or_insert(key))).sum::<u64>();
                on_threads(threads, |keys| run(keys))
            })
        })
    }
}

/// Runs each part of the work on a thread, and adds up what they come to.
///
/// # Panics
///
/// If one panics.
pub fn on_threads<T: Sync>(parts: &[T], run: impl Fn(&T) -> u64 + Sync) -> u64 {
    match parts {
        [one] => run(one),
        _ => thread::scope(|scope| {
            let threads: Vec<_> = parts.iter().map(|part| scope.spawn(|| run(part))).collect();
            threads.into_iter().map(|thread| thread.join().expect("it does not panic")).sum()
        }),
    }
}

/// How much is done, and of what.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// In what order keys come.
    pub shape: Shape,
    /// The caches' bound.
    pub max_size: usize,
    /// How many keys there are.
    pub universe: u32,
}

impl Workload {
    /// Keys for the warm-up, and then for each part that is timed.
    fn keys<K: Key>(self, seed: u64) -> Vec<Vec<K>> {
        let before = (4 * self.max_size).max(10_000);
        let (length, parts) = self.parts();
        let mut keys: Vec<K> = stream(self.shape, self.universe, before + length * parts, seed);
        let timed = keys.split_off(before);
        std::iter::once(keys).chain(timed.chunks(length).map(<[K]>::to_vec)).collect()
    }

    /// How many operations are timed at once, and how often.
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

/// Of one workload, what came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    name: String,
    /// Nanoseconds an operation, by entrant and seed.
    times: Vec<Vec<f64>>,
    /// How many of a hundred look-ups hit, by entrant.
    hits: Vec<f64>,
}

/// Runs all of them side by side, over so many seeds. `work` is what there is to do for a seed, first to warm up and then to
/// be timed, part after part, of `operations` each.
///
/// # Panics
///
/// If the first `strict` ones do not come to the same: one of them is wrong, and its time means nothing.
pub fn run<W: ?Sized, P: Borrow<W>>(
    name: impl Into<String>,
    entrants: &[Entrant<W>],
    strict: usize,
    (max_size, seeds, operations): (usize, u64, usize),
    work: impl Fn(u64) -> Vec<P>,
) -> Outcome {
    let name = name.into();
    let mut times = vec![Vec::new(); entrants.len()];
    let mut sums = vec![0; entrants.len()];
    let mut in_all = 0;
    for seed in 0..seeds {
        let work = work(seed);
        let parts: Vec<&W> = work.iter().map(Borrow::borrow).collect();
        let mut ways: Vec<_> = entrants.iter().map(|entrant| (entrant.start)(max_size, seed)).collect();
        for way in &mut ways {
            way(parts[0]);
        }
        in_all += operations * (parts.len() - 1);
        for (place, (time, sum)) in interleaved(&mut ways, &parts[1..]).into_iter().enumerate() {
            times[place].push(1e9 * time.as_secs_f64() / operations as f64);
            sums[place] += sum;
        }
    }
    assert!(sums[..strict].iter().all(|sum| *sum == sums[0]), "{name}: {sums:?}");
    Outcome { name, times, hits: sums.into_iter().map(|sum| 100.0 * sum as f64 / in_all as f64).collect() }
}

/// The same for caches of one thread.
pub fn alone<K: Key>(entrants: &[Entrant<[K]>], strict: usize, workload: Workload, seeds: u64) -> Outcome {
    let (operations, _) = workload.parts();
    run(workload.to_string(), entrants, strict, (workload.max_size, seeds, operations), |seed| workload.keys(seed))
}

/// The same for so many threads, each with keys of its own. An operation's time is that of one thread.
pub fn together<K: Key>(entrants: &[Entrant<[Vec<K>]>], threads: u64, workload: Workload, seeds: u64) -> Outcome {
    let (operations, _) = workload.parts();
    let name = format!("{workload}, threads: {threads}");
    run(name, entrants, 0, (workload.max_size, seeds, operations), |seed| {
        let mut of_threads: Vec<_> =
            (0..threads).map(|thread| workload.keys::<K>(seed * threads + thread).into_iter()).collect();
        let (_, parts) = workload.parts();
        (0..=parts).map(|_| of_threads.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()).collect()
    })
}

/// A table of times, ours first, and then by how much ours is less or more than each peer's.
pub fn ratios<W: ?Sized>(entrants: &[Entrant<W>], outcomes: &[Outcome]) -> String {
    let mut table = String::from("| workload | ours, ns |");
    for entrant in &entrants[1..] {
        write!(table, " ours / {} |", entrant.name).expect("text grows");
    }
    table += "\n|---|---|";
    table += &"---|".repeat(entrants.len() - 1);
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

/// A table of how many of a hundred look-ups hit.
pub fn hits<W: ?Sized>(entrants: &[Entrant<W>], outcomes: &[Outcome]) -> String {
    let mut table = String::from("| workload |");
    for entrant in entrants {
        write!(table, " {} |", entrant.name).expect("text grows");
    }
    table += "\n|---|";
    table += &"---|".repeat(entrants.len());
    for Outcome { name, hits, .. } in outcomes {
        write!(table, "\n| {name} |").expect("text grows");
        for hits in hits {
            write!(table, " {hits:.1} |").expect("text grows");
        }
    }
    table + "\n"
}

/// Nanoseconds an operation, by entrant: the median over seeds.
pub fn medians(outcome: &Outcome) -> Vec<f64> {
    outcome.times.iter().map(|times| Spread::of(times.iter().copied()).median).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contender::{Hasher, Lru};

    const SMALL: Workload = Workload { shape: Shape::Zipf, max_size: 10, universe: 20 };

    #[test]
    fn strict_caches_hit_alike_and_a_table_has_a_row_for_each_workload() {
        let entrants: [Entrant<[u64]>; 2] =
            [Entrant::of::<Lru<u64>>("ours"), Entrant::of::<lru::LruCache<u64, u64, Hasher>>("lru")];
        let outcome = alone(&entrants, 2, SMALL, 1);
        assert!(outcome.hits[0] > 50.0 && outcome.hits[0] < 100.0, "{outcome:?}");
        assert_eq!(ratios(&entrants, &[outcome.clone(), outcome.clone()]).lines().count(), 4);
        assert!(hits(&entrants, &[outcome]).contains("| zipf, 10/20 |"));
    }

    #[test]
    #[should_panic(expected = "zipf, 10/20")]
    fn a_cache_that_hits_more_or_less_than_it_should_is_found_out() {
        let never = Entrant::new("never", |_, _| Box::new(|_: &[u64]| 0_u64) as Way<'static, [u64]>);
        alone(&[Entrant::of::<Lru<u64>>("ours"), never], 2, SMALL, 1);
    }

    #[test]
    fn every_thread_has_keys_of_its_own() {
        let all = |threads: &[Vec<u64>]| threads.iter().map(|keys| keys.len() as u64).sum();
        let entrant = Entrant::new("all", move |_, _| Box::new(all) as Way<'static, [Vec<u64>]>);
        let outcome = together(&[entrant], 2, SMALL, 1);
        assert_eq!(outcome.hits, [200.0]);
    }

    #[test]
    fn work_on_threads_is_done_by_all() {
        assert_eq!(on_threads(&[1, 2, 3], |part| *part), 6);
    }
}
