//! The levels for a cache of one thread, and their parts.
//!
//! Each level takes its limits, a function that creates an empty [`Reference`](crate::Reference), and one that creates an
//! empty cache:
//!
//! * [`dict()`] and [`order()`] run random operations.
//! * [`exhaustive()`] and [`exhaustive_to_depth()`] try all operations in all states of a small scope.
//! * [`panics()`] makes each call of a caller's code panic, in each of those states.

pub use crate::branch::Branch;
pub use crate::branches::Branches;
pub use crate::counter_example::CounterExample;
pub use crate::exhaustive::{exhaustive, exhaustive_to_depth};
pub use crate::explore::{Covered, Explore, Names, Scope};
pub use crate::level::Level;
pub use crate::operation::from_both_ends;
pub use crate::panic_probe::{Callback, Injected, PanicProbe, inject_panic};
pub use crate::panics::{Panicked, may_be_left, panic_step, panics};
pub use crate::random::{Random, dict, order};
pub use crate::step::{Divergence, step};
pub use crate::system_under_test::{Difference, FoundOrInserted, SystemUnderTest};
