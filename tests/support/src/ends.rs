//! Iterators that are taken from at both ends.

use std::collections::VecDeque;

/// Whether an iterator yields these, in order, taken from the back wherever `from_back` says so, and then from the front; and
/// says at each step how many are left, and nothing when it is over.
pub fn yields<I>(iterator: &mut I, expected: impl IntoIterator<Item = I::Item>, from_back: Vec<bool>) -> bool
where
    I: DoubleEndedIterator + ExactSizeIterator,
    I::Item: PartialEq,
{
    let mut expected: VecDeque<_> = expected.into_iter().collect();
    let mut from_back = from_back.into_iter();
    loop {
        if iterator.len() != expected.len() {
            return false;
        }
        let (got, wanted) = if from_back.next().unwrap_or_default() {
            (iterator.next_back(), expected.pop_back())
        } else {
            (iterator.next(), expected.pop_front())
        };
        if got != wanted {
            return false;
        }
        if got.is_none() {
            return iterator.next_back().is_none() && iterator.next().is_none();
        }
    }
}
