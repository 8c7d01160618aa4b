#![no_main]

use aws_client_cache_fuzz::fuzzed::{Fuzzed, Reached, panics};

libfuzzer_sys::fuzz_target!(|input: panics::Input| input.run(&mut Reached::new()));
