//! What the targets share with the tests.

#[path = "../../tests/support/engine.rs"]
pub mod engine;
#[path = "../../tests/support/fake.rs"]
pub mod fake;
#[path = "../../tests/support/fuzzed/mod.rs"]
pub mod fuzzed;
#[path = "../../tests/support/hashing.rs"]
pub mod hashing;
