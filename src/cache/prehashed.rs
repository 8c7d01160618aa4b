//! Keys bring their hash along (K3); it is not hashed again.

use std::hash::{BuildHasher, Hasher};

/// Builds [`Pass`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Prehashed;

impl BuildHasher for Prehashed {
    type Hasher = Pass;

    #[inline]
    fn build_hasher(&self) -> Pass {
        Pass(0)
    }
}

/// The last `u64` written, as it is.
#[derive(Debug)]
pub(super) struct Pass(u64);

impl Hasher for Pass {
    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys write their hash and nothing else");
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_that_a_key_brings_is_its_hash() {
        for hash in [0, 1, 7, u64::MAX] {
            let mut pass = Prehashed.build_hasher();
            pass.write_u64(hash);
            assert_eq!(pass.finish(), hash);
        }
    }

    #[test]
    #[should_panic(expected = "keys write their hash and nothing else")]
    fn what_is_no_hash_is_refused() {
        Prehashed.hash_one("text");
    }
}
