//! Workloads for the benchmarks, and what the engine is compared with.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and times are far from where that matters"
)]

#[cfg(feature = "clients")]
pub mod clients;
pub mod contender;
pub mod contest;
pub mod measure;
pub mod peers;
pub mod workload;
