//! The reference model of a bounded cache with strict LRU or LFU eviction, and the language that caches are
//! compared with it in.
//!
//! The [`rules`] are numbered, as everywhere in `aws-client-cache`. This crate depends on nothing, so that any cache can
//! be held against it:
//!
//! * [`Model`] is the specification as a program: a plain `Vec`, so simple that a reader sees that it is right.
//! * [`Operation`] and [`Outcome`] are what can be asked of a cache and what it answers.
//! * [`Subject`] is a cache under test. Implement it for yours, and [`step`] holds it against the model, one
//!   operation at a time, every accessor included.
//! * [`closure()`] does every operation in every state of a small scope, and so covers sequences of every length. It needs
//!   to see the cache's layout: [`Explore`].
//! * [`Broken`] is a fleet of caches that are each wrong in one subtle way. That none passes is the proof that the
//!   comparison can fail.
//!
//! ```
//! use aws_client_cache_spec::{EvictionPolicy, Model, Operation, Outcome, Subject, step};
//!
//! // The model passes its own comparison; put your cache in the place of this one.
//! let mut subject: Model<u8, u32> = Model::new(EvictionPolicy::Lru, 2);
//! let mut model = Model::new(EvictionPolicy::Lru, 2);
//! for operation in [
//!     Operation::Insert(1, 10),
//!     Operation::Insert(2, 20),
//!     Operation::Get(1),
//!     Operation::Insert(3, 30),
//! ] {
//!     step(&mut subject, &mut model, &operation)?;
//! }
//! assert_eq!(subject.items(), [(1, 10), (3, 30)]);
//! # Ok::<(), aws_client_cache_spec::Divergence>(())
//! ```

mod branch;
mod closure;
mod counter_example;
mod creation;
mod dict;
mod explore;
mod fleet;
mod fused;
mod history;
mod level;
mod model;
mod operation;
mod panics;
mod random;
mod shrink;
mod step;
mod subject;
mod threads;

pub use branch::{Branch, Branches};
pub use closure::{bounded, closure};
pub use counter_example::CounterExample;
pub use creation::{Creates, Creation, Failure, Reference, Scheduled, Schedules, Step, Violation, creation};
pub use dict::Dict;
pub use explore::{Covered, Explore, Names, Scope};
pub use fleet::{Broken, BrokenShared, CreationFault, Fault, SharedFault};
pub use fused::{Burned, Callback, Fused, with_fuse};
pub use history::{Call, History, NotLinearizable};
pub use level::Level;
pub use model::{EvictionPolicy, Model};
pub use operation::{Operation, Outcome, Refusal};
pub use panics::{Panicked, panic_step, panics};
pub use random::{Random, dict, order};
pub use step::{Divergence, step};
pub use subject::{Difference, Subject};
pub use threads::{Deadlock, Recorded, Recorder, Shared, Threads, linearizable, reentrant};

#[doc = include_str!("../SPEC.md")]
pub mod rules {}
