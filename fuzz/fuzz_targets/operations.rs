#![no_main]

use support::fuzzed::{Fuzzed, Reached, operations};

libfuzzer_sys::fuzz_target!(|input: operations::Input| input.run(&mut Reached::new()));
