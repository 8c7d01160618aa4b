//! The workloads of the benchmarks, and the caches that the engine is compared with.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and times are far below the limits of precision"
)]

pub mod candidate;
#[cfg(feature = "clients")]
pub mod clients;
#[cfg(feature = "fleet")]
pub mod fleet;
pub mod harness;
pub mod peers;
pub mod timing;
pub mod workload;
