//! Hashers that spread well, not at all, hardly, and not beyond the value itself.

use std::hash::{BuildHasher, Hasher};

use aws_client_cache::map::{DefaultHashBuilder, DefaultHasher};

/// How a test hashes.
#[derive(Clone, Copy, Debug)]
pub enum Hashing {
    Default,
    Constant,
    Identity,
    /// By the remainder of a division by this, so that there are so many hashes.
    Remainder(u64),
}

/// What [`Hashing`] builds.
#[derive(Debug)]
pub enum TestHasher {
    Default(DefaultHasher),
    Constant,
    Identity(u64),
    Remainder { value: u64, divisor: u64 },
}

thread_local! {
    /// One for all maps of a thread, as a map's hasher must not change.
    static HASHER: DefaultHashBuilder = DefaultHashBuilder::default();
}

impl BuildHasher for Hashing {
    type Hasher = TestHasher;

    fn build_hasher(&self) -> TestHasher {
        match self {
            Self::Default => TestHasher::Default(HASHER.with(BuildHasher::build_hasher)),
            Self::Constant => TestHasher::Constant,
            Self::Identity => TestHasher::Identity(0),
            Self::Remainder(divisor) => TestHasher::Remainder { value: 0, divisor: *divisor },
        }
    }
}

impl Hasher for TestHasher {
    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Default(hasher) => hasher.write(bytes),
            Self::Constant => {}
            Self::Identity(value) | Self::Remainder { value, .. } => {
                *value = bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
            }
        }
    }

    fn finish(&self) -> u64 {
        match self {
            Self::Default(hasher) => hasher.finish(),
            Self::Constant => 0,
            Self::Identity(value) => *value,
            Self::Remainder { value, divisor } => value % divisor,
        }
    }
}
