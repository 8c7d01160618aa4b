//! Operations from the bytes of a fuzzer.
//!
//! One to three bytes choose each operation.

use ::arbitrary::{Arbitrary, Result, Unstructured};

use super::{Choices, Limits, Mix, Operations};
use crate::model::{Model, Policy};
use crate::operation::Operation;
use crate::system_under_test::SystemUnderTest;

/// Reads a run, up to the last byte or the limit.
///
/// `new` creates an empty cache with a bound. The operations are applied to it, so that their keys are present ones. Call
/// this last: it leaves no bytes.
///
/// ```
/// use aws_client_cache_spec::generate::{Limits, arbitrary::operations};
/// use aws_client_cache_spec::{Model, Policy};
/// use arbitrary::Unstructured;
///
/// let mut bytes = Unstructured::new(b"the bytes of a fuzzer, of which some are the weights of the mix");
/// let run = operations(&mut bytes, Limits::new(), |max_size| Model::new(Policy::Lfu, max_size));
/// assert!(run.operations.len() > 10);
/// ```
pub fn operations<C: SystemUnderTest<u8, u64>>(
    bytes: &mut Unstructured<'_>,
    limits: Limits,
    new: impl FnOnce(usize) -> C,
) -> Operations {
    Operations::draw(&mut Bytes(bytes), limits, new)
}

/// Reads the mix of a run whose operations you read yourself.
///
/// ```
/// use aws_client_cache_spec::generate::{Limits, arbitrary::{mix, operation}};
/// use arbitrary::Unstructured;
///
/// let mut bytes = Unstructured::new(b"the bytes of a fuzzer, of which some are the weights of the mix");
/// let mix = mix(&mut bytes, Limits::new());
/// for value in 0.. {
///     if bytes.is_empty() {
///         break;
///     }
///     let operation = operation(&mut bytes, &mix, &[], value);
/// }
/// ```
pub fn mix(bytes: &mut Unstructured<'_>, limits: Limits) -> Mix {
    Mix::draw(&mut Bytes(bytes), limits)
}

/// Reads an operation.
///
/// `live` are the keys of the cache. `value` is inserted.
///
/// [`mix`] shows an example.
pub fn operation(bytes: &mut Unstructured<'_>, mix: &Mix, live: &[u8], value: u64) -> Operation<u8, u64> {
    mix.draw_operation(&mut Bytes(bytes), live, value)
}

/// Reads a run within the default [`Limits`], up to the last byte.
///
/// The present keys are those of an LRU.
///
/// ```
/// use aws_client_cache_spec::generate::Operations;
/// use arbitrary::{Arbitrary, Unstructured};
///
/// let run = Operations::arbitrary(&mut Unstructured::new(&[1; 64]))?;
/// assert_eq!(run.max_size, 1);
/// # Ok::<(), arbitrary::Error>(())
/// ```
impl<'a> Arbitrary<'a> for Operations {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(operations(bytes, Limits::new(), |max_size| Model::new(Policy::Lru, max_size)))
    }
}

/// Choices by bytes.
struct Bytes<'b, 'a>(&'b mut Unstructured<'a>);

impl Choices for Bytes<'_, '_> {
    fn below(&mut self, bound: u32) -> u32 {
        // Without bytes, it is the first number.
        self.0.int_in_range(0..=bound - 1).unwrap_or_default()
    }

    /// Returns `most`: the bytes determine the number.
    fn length(&mut self, most: usize) -> usize {
        most
    }

    fn is_exhausted(&self) -> bool {
        self.0.is_empty()
    }
}
