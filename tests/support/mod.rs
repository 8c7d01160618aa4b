//! What the integration tests share: our caches as subjects of the specification, and a service without a network.

#![allow(dead_code, unreachable_pub, reason = "shared by inclusion, and each test program uses its part")]

pub mod assured;
pub mod cache;
pub mod clock;
#[cfg(feature = "s3")]
pub mod cloud;
pub mod creating;
pub mod deadlock;
pub mod ends;
pub mod engine;
pub mod fake;
pub mod fused;
pub mod fuzzed;
pub mod hashing;
pub mod history;
#[cfg(all(feature = "s3", feature = "rt-tokio", feature = "default-https-client"))]
pub mod tenancy;
