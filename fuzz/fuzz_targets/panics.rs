#![no_main]

use support::fuzzed::{Fuzzed, Reached, panics};

libfuzzer_sys::fuzz_target!(|input: panics::Input| input.run(&mut Reached::new()));
