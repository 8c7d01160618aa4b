//! Interleaved measurements of time.

use std::time::{Duration, Instant};

/// A routine that does one part of some work, and returns a checksum.
pub type Routine<'a, W> = Box<dyn FnMut(&W) -> u64 + 'a>;

/// Measures routines in turns, so that other load on the machine affects all of them.
///
/// Returns, for each routine, its median time over the parts of the work, and the sum of its checksums.
///
/// # Panics
///
/// If there is no work.
pub fn interleaved<W: ?Sized>(routines: &mut [Routine<'_, W>], parts: &[&W]) -> Vec<(Duration, u64)> {
    let mut times = vec![Vec::with_capacity(parts.len()); routines.len()];
    let mut sums = vec![0; routines.len()];
    for (turn, part) in parts.iter().enumerate() {
        // Each turn starts with another routine, because the first one finds the processor's caches full of foreign
        // data.
        for index in 0..routines.len() {
            let routine = (index + turn) % routines.len();
            let begin = Instant::now();
            sums[routine] += routines[routine](part);
            times[routine].push(begin.elapsed());
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    times.into_iter().map(median).zip(sums).collect()
}

/// The median of some numbers, with the smallest and the largest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The smallest number.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The largest number.
    pub high: f64,
}

impl Spread {
    /// Returns the spread of `numbers`.
    ///
    /// # Panics
    ///
    /// If `numbers` is empty.
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
    fn every_routine_does_all_parts_of_the_work() {
        let work = [&1, &2, &3, &4];
        let mut routines: Vec<Routine<'_, u64>> = vec![Box::new(|part| *part), Box::new(|part| 2 * part)];
        let sums: Vec<_> = interleaved(&mut routines, &work).into_iter().map(|(_, sum)| sum).collect();
        assert_eq!(sums, [10, 20]);
    }

    #[test]
    fn a_spread_is_from_the_smallest_to_the_largest() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { low: 1.0, median: 2.0, high: 3.0 });
    }
}
