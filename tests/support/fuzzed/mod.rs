//! What the fuzzer makes of bytes, and what is done with it.
//!
//! Each file here is a target. The fuzzer runs it on inputs that it makes up; `tests/corpus.rs`, on those that were worth keeping.
//! A new one is a file here, one in `fuzz/fuzz_targets` with its `[[bin]]`, a corpus, and a test that replays it.

pub mod collisions;
pub mod identity;
pub mod operations;
pub mod panics;

use arbitrary::Arbitrary;

use super::{engine, fake, hashing};

/// The input of a target. To reorder its fields is to lose its corpus.
pub trait Fuzzed: for<'a> Arbitrary<'a> {
    /// Does it all, and panics if a property does not hold.
    fn run(self);
}
