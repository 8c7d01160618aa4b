//! Caches that threads share: linearizability, and drops outside of locks.
//!
//! [`linearizable()`] records calls of threads, and [`reentrant()`] uses a cache from within its drops. For a scheduler of
//! your own, a [`Recorder`] records, and [`History::linearize`] judges.

pub use crate::history::{Call, History, NotLinearizable};
pub use crate::reentrant::{Deadlock, reentrant};
pub use crate::threads::{Recorded, Recorder, Shared, Threads, linearizable};
