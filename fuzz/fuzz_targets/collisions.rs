#![no_main]

use support::fuzzed::{Fuzzed, Reached, collisions};

libfuzzer_sys::fuzz_target!(|input: collisions::Input| input.run(&mut Reached::new()));
