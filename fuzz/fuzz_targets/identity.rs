#![no_main]

use support::fuzzed::{Fuzzed, Reached, identity};

libfuzzer_sys::fuzz_target!(|input: identity::Input| input.run(&mut Reached::new()));
