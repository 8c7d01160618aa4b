//! Adapters, fakes and fuzz inputs that tests and fuzz targets share.
//!
//! The adapters make the caches subjects of the kit. The fakes replace a service, a clock, a hasher and AWS.

#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "tests alone call these items, and their documentation is not published"
)]

pub mod cache;
pub mod clock;
pub mod cloud;
pub mod creation_adapter;
pub mod deadlock;
pub mod double_ended;
pub mod engine;
pub mod fake;
pub mod fuzzed;
pub mod hashing;
pub mod history;
pub mod probe_cache;
pub mod recorder;
pub mod report;
