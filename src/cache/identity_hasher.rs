//! [`IdentityHasher`], the hasher of keys that carry their own hash.

use std::hash::{BuildHasher, Hasher};

/// Builds [`IdentityHasher`]s.
// K3: a key's hash is computed once, when the key is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct BuildIdentityHasher;

impl BuildHasher for BuildIdentityHasher {
    type Hasher = IdentityHasher;

    #[inline]
    fn build_hasher(&self) -> IdentityHasher {
        IdentityHasher(0)
    }
}

/// A hasher that returns the last `u64` written, unchanged.
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
    fn a_keys_own_hash_is_its_hash() {
        for hash in [0, 1, 7, u64::MAX] {
            let mut hasher = BuildIdentityHasher.build_hasher();
            hasher.write_u64(hash);
            assert_eq!(hasher.finish(), hash);
        }
    }

    #[test]
    #[should_panic(expected = "keys write their hash and nothing else")]
    fn anything_but_a_hash_is_refused() {
        BuildIdentityHasher.hash_one("text");
    }
}
