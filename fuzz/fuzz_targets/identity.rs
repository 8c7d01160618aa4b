#![no_main]

use aws_client_cache_fuzz::fuzzed::{Fuzzed, Reached, identity};

libfuzzer_sys::fuzz_target!(|input: identity::Input| input.run(&mut Reached::new()));
