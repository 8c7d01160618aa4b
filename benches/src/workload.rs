//! Streams of keys.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};

/// What a key is: the same streams, as numbers or as text.
pub trait Key: Clone + Eq + std::hash::Hash + Send + Sync + 'static {
    /// Whether cloning one is as cheap as passing a reference. Caches that look up by value are then told by value.
    const IS_COPY: bool;

    /// The key of a rank.
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

    /// Forty bytes, the last of which tell keys apart, as they do in names with a common prefix.
    fn of(rank: u64) -> Self {
        format!("arn:aws:iam::123456789012:role/{rank:09}")
    }
}

/// In what order keys come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Independently, the k-th most frequent one with weight k^-0.9.
    Zipf,
    /// One after another, over and over: with more keys than the cache holds, the worst case of LRU.
    Loop,
    /// As under [`Zipf`](Self::Zipf), but a tenth of the keys come once and never again, in runs of a hundred.
    Scan,
    /// As under [`Zipf`](Self::Zipf), but which keys are frequent changes all along.
    Shift,
    /// Each once.
    Churn,
}

/// `count` keys out of `universe`, the same for the same seed.
///
/// # Panics
///
/// If the universe is empty.
pub fn stream<K: Key>(shape: Shape, universe: u32, count: usize, seed: u64) -> Vec<K> {
    let mut rng = StdRng::seed_from_u64(seed);
    let zipf = Zipf::new(f64::from(universe), 0.9).expect("a universe that is not empty");
    let mut rank = move || zipf.sample(&mut rng) as u64;
    let universe = u64::from(universe);
    // What has no seed of its own begins somewhere else.
    let start = StdRng::seed_from_u64(seed).random_range(0..universe);
    let key = |place: usize| {
        let place = place as u64;
        match shape {
            Shape::Loop => (start + place) % universe,
            Shape::Scan if place % 1_000 < 100 => u64::from(u32::MAX) + place,
            Shape::Zipf | Shape::Scan => rank(),
            Shape::Shift => (rank() + place * universe / 100_000) % universe,
            Shape::Churn => (start << 40) + place,
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
    fn keys_are_skewed_and_of_the_universe() {
        let keys: Vec<u64> = stream(Shape::Zipf, 60, 10_000, 7);
        assert!(keys.iter().all(|key| (1..=60).contains(key)));
        let count = |wanted| keys.iter().filter(|key| **key == wanted).count();
        assert!(count(1) > 10 * count(60));
    }

    #[test]
    fn a_loop_has_each_key_as_often_and_churn_has_each_once() {
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
