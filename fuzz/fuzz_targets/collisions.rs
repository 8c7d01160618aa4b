#![no_main]

use aws_client_cache_fuzz::fuzzed::{Fuzzed, Reached, collisions};

libfuzzer_sys::fuzz_target!(|input: collisions::Input| input.run(&mut Reached::new()));
