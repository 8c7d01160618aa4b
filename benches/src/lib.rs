//! Workloads for the benchmarks, and what the engine is compared with.

pub mod peers;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Zipf};

/// `count` keys of a universe of `universe`, the k-th most frequent one with weight k^-`exponent`.
///
/// # Panics
///
/// If the universe is empty, or the exponent negative.
pub fn zipf_keys(universe: u32, exponent: f64, count: usize, seed: u64) -> Vec<u64> {
    let zipf = Zipf::new(f64::from(universe), exponent).expect("a universe and an exponent");
    let rng = StdRng::seed_from_u64(seed);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks are whole, and positive")]
    zipf.sample_iter(rng).take(count).map(|rank| rank as u64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_skewed_of_the_universe_and_the_same_for_a_seed() {
        let keys = zipf_keys(60, 0.9, 10_000, 7);
        assert_eq!(keys, zipf_keys(60, 0.9, 10_000, 7));
        assert!(keys.iter().all(|key| (1..=60).contains(key)));
        let count = |wanted| keys.iter().filter(|key| **key == wanted).count();
        assert!(count(1) > 10 * count(60));
    }
}
