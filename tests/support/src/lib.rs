//! What the tests and fuzz targets share: the caches as subjects of the specification, and a service without a network.

#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "tests alone call these items, and their documentation is not published"
)]

pub mod assured;
pub mod cache;
pub mod clock;
pub mod creating;
pub mod deadlock;
pub mod ends;
pub mod engine;
pub mod fake;
pub mod fused;
pub mod fuzzed;
pub mod hashing;
pub mod history;
