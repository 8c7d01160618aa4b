#![no_main]

use aws_client_cache_fuzz::fuzzed::{Fuzzed, Reached, operations};

libfuzzer_sys::fuzz_target!(|input: operations::Input| input.run(&mut Reached::new()));
