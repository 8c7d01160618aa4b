//! x
#![forbid(unsafe_code)]
pub mod map;
pub use map::{EvictionPolicy, UnknownEvictionPolicy};
