//! Hashers of different quality: the default, a constant, the identity, and a remainder.

use std::hash::{BuildHasher, Hasher};

use aws_client_cache::map::{DefaultHashBuilder, DefaultHasher};

/// A choice of hasher for a test.
#[derive(Clone, Copy, Debug)]
pub enum Hashing {
    Default,
    Constant,
    Identity,
    /// The remainder of a division by this number, which is the number of different hashes.
    Remainder(u64),
}

/// The hasher that [`Hashing`] builds.
#[derive(Debug)]
pub enum TestHasher {
    Default(DefaultHasher),
    Constant,
    Identity(u64),
    Remainder { value: u64, divisor: u64 },
}

thread_local! {
    /// The hash builder of all maps of a thread, because the hasher of a map must not change.
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
