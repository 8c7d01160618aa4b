//! The engine beside the model: any sequence of operations, every accessor compared after each one.

#![no_main]

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../../tests/support/engine.rs"]
mod engine;
#[path = "../../tests/support/fuzzed.rs"]
mod fuzzed;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: fuzzed::Input| input.run());
