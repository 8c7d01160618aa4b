//! A check for double-ended iterators.

use std::collections::VecDeque;

/// Returns `true` if an iterator yields the `expected` items, from both ends, and then stays exhausted.
///
/// Each value of `from_back` chooses the end for one step; all later steps take from the front. The length must be right
/// at each step.
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
