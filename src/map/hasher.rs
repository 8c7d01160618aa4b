//! The default hasher, as types of this crate: the library behind it may change without notice.

use std::hash::{BuildHasher, Hasher};

/// The default [`BuildHasher`] of [`EvictingMap`](super::EvictingMap).
///
/// It is fast, and seeded anew for each map. It protects against accidental collisions, not against an adversary who watches
/// timings. If keys come from an adversary, use [`std::hash::RandomState`].
///
/// ```
/// use aws_client_cache::EvictionPolicy;
/// use aws_client_cache::map::{DefaultHashBuilder, EvictingMap};
///
/// let hasher = DefaultHashBuilder::default();
/// let map: EvictingMap<u64, &str> = EvictingMap::with_hasher(EvictionPolicy::Lru, 10, hasher);
/// assert!(map.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct DefaultHashBuilder(foldhash::fast::RandomState);

/// The [`Hasher`] that a [`DefaultHashBuilder`] builds.
///
/// ```
/// use std::hash::{BuildHasher, Hash};
/// use aws_client_cache::map::{DefaultHashBuilder, DefaultHasher};
///
/// let builder = DefaultHashBuilder::default();
/// let mut hasher: DefaultHasher = builder.build_hasher();
/// 7.hash(&mut hasher);
/// assert_eq!(std::hash::Hasher::finish(&hasher), builder.hash_one(7));
/// ```
#[derive(Clone)]
pub struct DefaultHasher(foldhash::fast::FoldHasher<'static>);

impl BuildHasher for DefaultHashBuilder {
    type Hasher = DefaultHasher;

    #[inline]
    fn build_hasher(&self) -> DefaultHasher {
        DefaultHasher(self.0.build_hasher())
    }
}

impl std::fmt::Debug for DefaultHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DefaultHasher").finish_non_exhaustive()
    }
}

// Every method that a primitive's `Hash` calls is forwarded: the provided ones would take the slow way
// through `write`.
macro_rules! forward {
    ($($method:ident: $integer:ty),*) => {
        impl Hasher for DefaultHasher {
            #[inline]
            fn finish(&self) -> u64 {
                self.0.finish()
            }

            #[inline]
            fn write(&mut self, bytes: &[u8]) {
                self.0.write(bytes);
            }

            $(
                #[inline]
                fn $method(&mut self, i: $integer) {
                    self.0.$method(i);
                }
            )*
        }
    };
}

forward!(
    write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64, write_u128: u128, write_usize: usize,
    write_i8: i8, write_i16: i16, write_i32: i32, write_i64: i64, write_i128: i128, write_isize: isize
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_each_primitive_is_that_of_the_library() {
        let library = foldhash::fast::RandomState::default();
        let builder = DefaultHashBuilder(library.clone());
        macro_rules! assert_forwards {
            ($($integer:ty)*) => {
                $(assert_eq!(builder.hash_one(7 as $integer), library.hash_one(7 as $integer), stringify!($integer));)*
            };
        }
        assert_forwards!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
        assert_eq!(builder.hash_one("tenant-7"), library.hash_one("tenant-7"));
    }
}
