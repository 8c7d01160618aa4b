#![no_main]

use aws_client_cache_fuzz::fuzzed::{Fuzzed, collisions};

libfuzzer_sys::fuzz_target!(|input: collisions::Input| input.run());
