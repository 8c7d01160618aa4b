//! Random numbers that are the same with every version of every library.

/// `SplitMix64`, a generator of 64-bit numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Returns a generator whose numbers depend on all seeds and on their order.
    pub fn new(seeds: &[u64]) -> Self {
        Self(seeds.iter().fold(0, |state, seed| mix(state ^ mix(*seed))))
    }

    /// Returns the next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        finalize(self.0)
    }

    /// Returns a number in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.next_u64() >> 11) as f64 * STEP
    }

    /// Returns a number with the exponential distribution of mean 1.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }
}

/// Returns a hash of a number.
pub fn mix(number: u64) -> u64 {
    finalize(number.wrapping_add(0x9E37_79B9_7F4A_7C15))
}

fn finalize(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_splitmix64() {
        // The first numbers of the reference implementation, with the seed 1234567.
        let mut random = Random(1_234_567);
        assert_eq!([random.next_u64(), random.next_u64()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn numbers_depend_on_every_seed() {
        let first = |seeds: &[u64]| Random::new(seeds).next_u64();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        assert!(first(&[1, 2]) != first(&[2, 1]) && first(&[1, 2]) != first(&[1, 3]));
    }

    #[test]
    fn means_are_as_expected() {
        let mut random = Random::new(&[7]);
        let mean = |mut draw: Box<dyn FnMut() -> f64 + '_>| (0..100_000).map(|_| draw()).sum::<f64>() / 100_000.0;
        let unit = mean(Box::new(|| random.unit()));
        assert!((unit - 0.5).abs() < 0.01, "{unit}");
        let exponential = mean(Box::new(|| random.exponential()));
        assert!((exponential - 1.0).abs() < 0.02, "{exponential}");
    }
}
