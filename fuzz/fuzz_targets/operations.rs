#![no_main]

use aws_client_cache_fuzz::fuzzed::{Fuzzed, operations};

libfuzzer_sys::fuzz_target!(|input: operations::Input| input.run());
