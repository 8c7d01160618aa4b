//! Times, side by side.

use std::time::{Duration, Instant};

/// One of several ways to do the same work: does a part of it, and returns a number that the work comes to.
pub type Way<'a, W> = Box<dyn FnMut(&W) -> u64 + 'a>;

/// How long each of the ways takes for a part of the work, in turns, so that whatever else the machine does meets them all:
/// the median over the parts of the work, which come one after another, and what they come to in all.
///
/// # Panics
///
/// If there is no work.
pub fn interleaved<W: ?Sized>(ways: &mut [Way<'_, W>], parts: &[&W]) -> Vec<(Duration, u64)> {
    let mut times = vec![Vec::with_capacity(parts.len()); ways.len()];
    let mut sums = vec![0; ways.len()];
    for (turn, part) in parts.iter().enumerate() {
        // Whoever comes first finds the processor's caches full of the last one's.
        for place in 0..ways.len() {
            let way = (place + turn) % ways.len();
            let begin = Instant::now();
            sums[way] += ways[way](part);
            times[way].push(begin.elapsed());
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    times.into_iter().map(median).zip(sums).collect()
}

/// The median of numbers, and how far they spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub low: f64,
    /// Half of them are below.
    pub median: f64,
    /// The largest.
    pub high: f64,
}

impl Spread {
    /// Of one number or more.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut numbers: Vec<_> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        Self { low: numbers[0], median: numbers[numbers.len() / 2], high: numbers[numbers.len() - 1] }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2}–{:.2})", self.median, self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_does_all_of_the_work() {
        let work = [&1, &2, &3, &4];
        let mut ways: Vec<Way<'_, u64>> = vec![Box::new(|part| *part), Box::new(|part| 2 * part)];
        let sums: Vec<_> = interleaved(&mut ways, &work).into_iter().map(|(_, sum)| sum).collect();
        assert_eq!(sums, [10, 20]);
    }

    #[test]
    fn a_spread_is_from_the_smallest_to_the_largest() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { low: 1.0, median: 2.0, high: 3.0 });
    }
}
