//! The fuzz targets: inputs that are read from bytes, and their runs.
//!
//! Each file here is a target. The fuzzer runs it on generated inputs. `cargo test` replays the corpus, and checks that
//! it reaches the branches of the target. To add a target, add a file here, a file in `fuzz/fuzz_targets` with its
//! `[[bin]]`, a corpus, and a test that replays it.

pub mod collisions;
pub mod identity;
pub mod operations;
pub mod panics;

use std::collections::BTreeSet;

use arbitrary::Arbitrary;

/// The names of the branches that runs have reached.
pub type Reached = BTreeSet<String>;

/// The input of a target. Reordering its fields invalidates its corpus.
pub trait Fuzzed: for<'a> Arbitrary<'a> {
    /// Returns the branches that the target is for; its corpus reaches each of them.
    fn branches() -> Reached;

    /// Runs the input, and adds the branches that it reaches; panics if a property does not hold.
    fn run(self, reached: &mut Reached);
}
