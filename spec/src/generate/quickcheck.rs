//! `quickcheck::Arbitrary` for [`Operations`].

use ::quickcheck::{Arbitrary, Gen};

use super::{Limits, Operations, Simplify};
use crate::model::{Model, Policy};

/// Draws at most as many operations as the size of the generator, within the default [`Limits`].
///
/// The present keys are those of an LRU. [`Operations::seeded`], with a seed from the generator, takes other limits and
/// policies. A run shrinks to bounds of 0: skip such runs for a cache that has no bound of 0.
///
/// ```
/// use aws_client_cache_spec::{Model, Policy, SystemUnderTest, generate::Operations};
/// use quickcheck::quickcheck;
///
/// fn never_holds_more_than_the_bound(run: Operations) -> bool {
///     let mut cache = Model::new(Policy::Lfuda, run.max_size);
///     run.operations.iter().all(|operation| {
///         operation.apply(&mut cache);
///         cache.len() <= cache.max_size()
///     })
/// }
/// quickcheck(never_holds_more_than_the_bound as fn(Operations) -> bool);
/// ```
impl Arbitrary for Operations {
    fn arbitrary(g: &mut Gen) -> Self {
        let limits = Limits { operations: g.size(), ..Limits::new() };
        // Numbers of the generator favor the limits of their type, and so are only a seed.
        Self::seeded(limits, u64::arbitrary(g), |max_size| Model::new(Policy::Lru, max_size))
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        self.simpler(0)
    }
}
