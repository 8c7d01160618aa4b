//! Shrinks a failing sequence of operations to a short and simple one.

use crate::operation::Operation;
use crate::step::Divergence;

/// A bound, operations on an empty cache with it, and the divergence that they lead to.
pub(crate) type Failing = (usize, Vec<Operation<u8, u64>>, Divergence);

/// Omits and simplifies as much as possible while cache and model still diverge.
///
/// Omits more and more of the operations, and lowers the bound, keys, values, and times, which are among those given.
pub(crate) fn shrink(
    mut max_size: usize,
    operations: &[Operation<u8, u64>],
    smallest: usize,
    times: &[u64],
    diverges: impl Fn(usize, &[Operation<u8, u64>]) -> Option<(usize, Divergence)>,
) -> Failing {
    let mut best = operations.to_vec();
    let mut divergence = diverges(max_size, &best).map(|(_, divergence)| divergence);
    // A round ends when nothing helps any more. Each success makes the sequence shorter or smaller, so the rounds end.
    loop {
        let mut smaller: Vec<(usize, Vec<Operation<u8, u64>>)> =
            (smallest..max_size).map(|size| (size, best.clone())).collect();
        let mut chunk = best.len();
        while chunk > 0 {
            for start in (0..best.len()).step_by(chunk) {
                let end = (start + chunk).min(best.len());
                smaller.push((max_size, [&best[..start], &best[end..]].concat()));
            }
            chunk /= 2;
        }
        for place in 0..best.len() {
            if let Operation::SetMaxSize(size) = best[place] {
                smaller.push((size, [&best[..place], &best[place + 1..]].concat()));
            }
            for plainer in plainer(&best, place, times) {
                smaller.push((max_size, plainer));
            }
        }
        // Of a cache that must be full, an insertion goes together with a part of the bound; others go in pairs.
        if best.len() <= 20 {
            for first in 0..best.len() {
                let mut one_less = best.clone();
                one_less.remove(first);
                smaller.extend((smallest..max_size).map(|size| (size, one_less.clone())));
                for second in first..one_less.len() {
                    let mut two_less = one_less.clone();
                    two_less.remove(second);
                    smaller.push((max_size, two_less));
                }
            }
        }
        let found = smaller.into_iter().find_map(|(size, operations)| {
            let (last, divergence) = diverges(size, &operations)?;
            Some((size, operations[..=last].to_vec(), divergence))
        });
        match found {
            Some((size, operations, found)) => (max_size, best, divergence) = (size, operations, Some(found)),
            None => break,
        }
    }
    let divergence = divergence.unwrap_or_else(|| Divergence::new("a cache that does not do the same twice", "", ""));
    (max_size, best, divergence)
}

/// Returns the sequences in which one operation is replaced by a simpler one.
fn plainer(operations: &[Operation<u8, u64>], place: usize, times: &[u64]) -> Vec<Vec<Operation<u8, u64>>> {
    let mut sequences = Vec::new();
    let mut with = |operation: Operation<u8, u64>| {
        let mut sequence = operations.to_vec();
        sequence[place] = operation;
        sequences.push(sequence);
    };
    match &operations[place] {
        Operation::Insert(key, value) if *value > 0 => {
            (0..*value).take(10).for_each(|value| with(Operation::Insert(*key, value)));
        }
        Operation::SetMaxSize(max_size) => (0..*max_size).for_each(|smaller| with(Operation::SetMaxSize(smaller))),
        Operation::TryGet(key) => with(Operation::Get(*key)),
        Operation::GetOrInsert(key, value) | Operation::GetMut(key, value) => {
            with(Operation::Get(*key));
            with(Operation::Insert(*key, *value));
            if *value > 0 {
                let is_mut = matches!(operations[place], Operation::GetMut(..));
                with(if is_mut { Operation::GetMut(*key, 0) } else { Operation::GetOrInsert(*key, 0) });
            }
        }
        Operation::Drain(bits) | Operation::Iterate(bits) | Operation::Retain(bits) if *bits > 0 => {
            for fewer in (0..8).map(|bit| bits & !(1 << bit)).filter(|fewer| fewer != bits) {
                match &operations[place] {
                    Operation::Drain(_) => with(Operation::Drain(fewer)),
                    Operation::Iterate(_) => with(Operation::Iterate(fewer)),
                    _ => with(Operation::Retain(fewer)),
                }
            }
        }
        Operation::SetTime(now) => {
            times.iter().filter(|time| *time < now).for_each(|time| with(Operation::SetTime(*time)));
        }
        _ => {}
    }
    // A key is renamed everywhere, to a smaller one that does not occur.
    if let Some(key) = operations[place].key() {
        let occurs = |key: &u8| operations.iter().any(|operation| operation.key() == Some(key));
        if let Some(free) = (0..*key).find(|key| !occurs(key)) {
            let rename = |present: u8| if present == *key { free } else { present };
            let renamed = operations.iter().cloned().map(|operation| operation.map(rename, |value| value));
            sequences.push(renamed.collect());
        }
    }
    sequences
}
