//! Keys bring their hash along (K3); it is not hashed again.

use std::hash::{BuildHasher, Hasher};

/// Builds [`IdentityHasher`].
#[derive(Clone, Copy, Debug)]
pub(super) struct BuildIdentityHasher;

impl BuildHasher for BuildIdentityHasher {
    type Hasher = IdentityHasher;

    #[inline]
    fn build_hasher(&self) -> IdentityHasher {
        IdentityHasher(0)
    }
}

/// The last `u64` written, as it is.
#[derive(Debug)]
pub(super) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
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
            let mut hasher = BuildIdentityHasher.build_hasher();
            hasher.write_u64(hash);
            assert_eq!(hasher.finish(), hash);
        }
    }

    #[test]
    #[should_panic(expected = "keys write their hash and nothing else")]
    fn what_is_no_hash_is_refused() {
        BuildIdentityHasher.hash_one("text");
    }
}
