//! What the integration tests share: our caches as subjects of the specification.

#![allow(dead_code, reason = "each test program uses its part")]
#![allow(unreachable_pub, reason = "shared by inclusion")]

pub mod engine;
