//! Streams of keys.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};

/// A type of keys, so that the same streams exist as numbers and as text.
pub trait Key: Clone + Eq + std::hash::Hash + Send + Sync + 'static {
    /// Is `true` if a clone is as cheap as a reference. Then caches that look up by value receive a value.
    const IS_COPY: bool;

    /// Returns the key of a rank.
    fn of(rank: u64) -> Self;
}

impl Key for u64 {
    const IS_COPY: bool = true;

    fn of(rank: u64) -> Self {
        rank
    }
}

impl Key for String {
    const IS_COPY: bool = false;

    /// Returns forty bytes, of which the last ones distinguish keys, like names with a common prefix.
    fn of(rank: u64) -> Self {
        format!("arn:aws:iam::123456789012:role/{rank:09}")
    }
}

/// The order of the keys in a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Independent keys, the k-th most frequent with weight k^-0.9.
    Zipf,
    /// A repeated sequence: with more keys than the cache holds, the worst case of LRU.
    Loop,
    /// Like [`Zipf`](Self::Zipf), but a tenth of the keys appear only once, in runs of a hundred.
    Scan,
    /// Like [`Zipf`](Self::Zipf), but the frequent keys change continuously.
    Shift,
    /// Keys that each appear once.
    Churn,
}

/// Returns `count` keys out of `universe`, the same for the same seed.
///
/// # Panics
///
/// If the universe is empty.
pub fn stream<K: Key>(shape: Shape, universe: u32, count: usize, seed: u64) -> Vec<K> {
    let mut rng = StdRng::seed_from_u64(seed);
    let zipf = Zipf::new(f64::from(universe), 0.9).expect("a universe that is not empty");
    let mut rank = move || zipf.sample(&mut rng) as u64;
    let universe = u64::from(universe);
    // Shapes that draw no keys start at a random key instead.
    let start = StdRng::seed_from_u64(seed).random_range(0..universe);
    let key = |index: usize| {
        let index = index as u64;
        match shape {
            Shape::Loop => (start + index) % universe,
            Shape::Scan if index % 1_000 < 100 => u64::from(u32::MAX) + index,
            Shape::Zipf | Shape::Scan => rank(),
            Shape::Shift => (rank() + index * universe / 100_000) % universe,
            Shape::Churn => (start << 40) + index,
        }
    };
    (0..count).map(key).map(K::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Shape; 5] = [Shape::Zipf, Shape::Loop, Shape::Scan, Shape::Shift, Shape::Churn];

    #[test]
    fn keys_are_the_same_for_a_seed() {
        for shape in ALL {
            assert_eq!(stream::<u64>(shape, 60, 10_000, 7), stream(shape, 60, 10_000, 7));
            assert_ne!(stream::<u64>(shape, 60, 10_000, 7), stream(shape, 60, 10_000, 8), "{shape:?}");
        }
    }

    #[test]
    fn keys_are_skewed_and_within_the_universe() {
        let keys: Vec<u64> = stream(Shape::Zipf, 60, 10_000, 7);
        assert!(keys.iter().all(|key| (1..=60).contains(key)));
        let count = |wanted| keys.iter().filter(|key| **key == wanted).count();
        assert!(count(1) > 10 * count(60));
    }

    #[test]
    fn a_loop_repeats_each_key_equally_and_churn_has_each_once() {
        let mut keys: Vec<u64> = stream(Shape::Loop, 50, 100, 7);
        keys.sort_unstable();
        assert!(keys.chunks(2).all(|two| two[0] == two[1]));
        let mut keys: Vec<u64> = stream(Shape::Churn, 50, 100, 7);
        keys.dedup();
        assert_eq!(keys.len(), 100);
    }

    #[test]
    fn text_keys_have_forty_bytes() {
        assert!(stream::<String>(Shape::Zipf, 60, 100, 7).iter().all(|key| key.len() == 40));
    }
}
