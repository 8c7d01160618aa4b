//! Slots by weight, and by last use within a weight: the structure of LFU and LFUDA.
//!
//! All slots are in one linked list, in eviction order. The slots of one weight are neighbors in it: a frequency bucket,
//! which knows its last slot. Buckets are linked by ascending weight, and closed to a ring by bucket 0, of weight 0, whose
//! last slot is the list's sentinel. So every operation is a constant number of writes.

use crate::map::linked_list::{END, LinkedList};

/// The bucket below and above all others.
const SENTINEL: u32 = 0;

/// Marks the absence of a bucket.
const NONE: u32 = u32::MAX;

/// The slots of one weight.
#[derive(Clone, Copy, Debug)]
struct FrequencyBucket {
    weight: u64,
    /// The most recently used slot of this weight.
    last: u32,
    prev: u32,
    /// In a free bucket, the next free one.
    next: u32,
}

#[derive(Clone, Debug)]
pub(super) struct FrequencyList {
    /// Each slot, tagged with its bucket.
    slots: LinkedList<u32>,
    /// The sentinel, then buckets in use and free ones, in any order.
    buckets: Vec<FrequencyBucket>,
    /// The first free bucket.
    free: u32,
    /// Weights saturate here.
    max_weight: u64,
}

impl FrequencyList {
    pub(super) fn new(max_weight: u64) -> Self {
        let sentinel = FrequencyBucket { weight: 0, last: END, prev: SENTINEL, next: SENTINEL };
        Self { slots: LinkedList::new(), buckets: vec![sentinel], free: NONE, max_weight }
    }

    #[inline]
    pub(super) fn next(&self, slot: u32) -> u32 {
        self.slots.next(slot)
    }

    #[inline]
    pub(super) fn prev(&self, slot: u32) -> u32 {
        self.slots.prev(slot)
    }

    #[inline]
    pub(super) fn weight(&self, slot: u32) -> u64 {
        self.bucket(self.slots.tag(slot)).weight
    }

    /// Adds the slot with the next number. `weight` is at most the lowest one plus 1, but saturates.
    pub(super) fn insert(&mut self, weight: u64) {
        let bucket = self.newcomers_bucket(weight);
        let slot = self.slots.add_slot();
        self.join(slot, bucket);
    }

    /// Removes `slot`, the next victim, and adds it again with another weight.
    ///
    /// `weight` is bounded as in [`insert`](Self::insert).
    pub(super) fn reinsert(&mut self, slot: u32, weight: u64) {
        if self.weight(slot) == weight {
            self.refresh(slot);
            return;
        }
        self.leave(slot, self.slots.tag(slot));
        let bucket = self.newcomers_bucket(weight);
        self.join(slot, bucket);
    }

    /// Adds 1 to the weight of `slot`, which becomes the most recently used one of its new weight.
    pub(super) fn increment(&mut self, slot: u32) {
        let number = self.slots.tag(slot);
        let FrequencyBucket { weight, next, .. } = *self.bucket(number);
        if weight >= self.max_weight {
            self.refresh(slot);
            return;
        }
        if self.bucket(next).weight != weight + 1 && self.is_only(slot, number) {
            // There is no bucket to join, so the slot takes its own along.
            self.bucket_mut(number).weight += 1;
            return;
        }
        let bucket = self.bucket_after(number, weight + 1);
        self.leave(slot, number);
        self.join(slot, bucket);
    }

    /// Makes `slot` the most recently used one of its weight.
    pub(super) fn refresh(&mut self, slot: u32) {
        let number = self.slots.tag(slot);
        if self.bucket(number).last != slot {
            self.slots.unlink(slot);
            self.join(slot, number);
        }
    }

    /// Removes `slot`, and gives its number to the last slot. Returns the number that the last slot had.
    pub(super) fn remove(&mut self, slot: u32) -> u32 {
        self.leave(slot, self.slots.tag(slot));
        let moved = self.slots.remove_slot(slot);
        if moved != slot {
            let bucket = self.slots.tag(slot);
            if self.bucket(bucket).last == moved {
                self.bucket_mut(bucket).last = slot;
            }
        }
        moved
    }

    pub(super) fn take(&mut self) -> Self {
        let empty = Self::new(self.max_weight);
        std::mem::replace(self, empty)
    }

    /// Sizes the memory for `room` slots; there must be no more.
    ///
    /// There are never more buckets in use than slots.
    pub(super) fn set_room(&mut self, room: usize) {
        self.slots.set_room(room);
        if self.buckets.len() > 2 * room {
            self.drop_free_buckets();
        }
    }

    /// Numbers the buckets in use anew, from the lowest weight on.
    fn drop_free_buckets(&mut self) {
        let empty = Self::new(self.max_weight).buckets;
        let buckets = std::mem::replace(&mut self.buckets, empty);
        self.free = NONE;
        let (mut slot, mut number) = (self.slots.next(END), SENTINEL);
        while slot != END {
            let FrequencyBucket { weight, .. } = buckets[self.slots.tag(slot) as usize];
            number = self.bucket_after(number, weight);
            loop {
                let is_last = buckets[self.slots.tag(slot) as usize].last == slot;
                self.slots.set_tag(slot, number);
                self.bucket_mut(number).last = slot;
                slot = self.slots.next(slot);
                if is_last {
                    break;
                }
            }
        }
    }

    fn bucket(&self, bucket: u32) -> &FrequencyBucket {
        &self.buckets[bucket as usize]
    }

    fn bucket_mut(&mut self, bucket: u32) -> &mut FrequencyBucket {
        &mut self.buckets[bucket as usize]
    }

    /// Returns the bucket of a newcomer's weight: one of the two lowest, or a new one among them.
    fn newcomers_bucket(&mut self, weight: u64) -> u32 {
        let weight = weight.min(self.max_weight);
        let lowest = self.bucket(SENTINEL).next;
        let prev = if self.bucket(lowest).weight < weight { lowest } else { SENTINEL };
        self.bucket_after(prev, weight)
    }

    /// Returns the bucket of `weight` for a slot to join, and creates it right after `prev` if needed.
    fn bucket_after(&mut self, prev: u32, weight: u64) -> u32 {
        let next = self.bucket(prev).next;
        if self.bucket(next).weight == weight {
            return next;
        }
        let new = FrequencyBucket { weight, last: END, prev, next };
        let bucket = if self.free == NONE {
            self.buckets.push(new);
            u32::try_from(self.buckets.len() - 1).expect("there are no more buckets than slots")
        } else {
            let bucket = self.free;
            self.free = self.bucket(bucket).next;
            *self.bucket_mut(bucket) = new;
            bucket
        };
        self.bucket_mut(prev).next = bucket;
        self.bucket_mut(next).prev = bucket;
        bucket
    }

    fn join(&mut self, slot: u32, bucket: u32) {
        let FrequencyBucket { last, prev, .. } = *self.bucket(bucket);
        // The first slot of a bucket comes right after those of the bucket before.
        let after = if last == END { self.bucket(prev).last } else { last };
        self.bucket_mut(bucket).last = slot;
        self.slots.insert_after(after, slot);
        self.slots.set_tag(slot, bucket);
    }

    /// Returns `true` if `slot` is the only one of its bucket.
    fn is_only(&self, slot: u32, bucket: u32) -> bool {
        let prev = self.slots.prev(slot);
        self.bucket(bucket).last == slot && (prev == END || self.slots.tag(prev) != bucket)
    }

    /// Takes `slot` out of its bucket, and frees the bucket if that was its only slot.
    fn leave(&mut self, slot: u32, number: u32) {
        let FrequencyBucket { last, prev, next, .. } = *self.bucket(number);
        if self.is_only(slot, number) {
            self.bucket_mut(prev).next = next;
            self.bucket_mut(next).prev = prev;
            self.bucket_mut(number).next = self.free;
            self.free = number;
        } else if last == slot {
            self.bucket_mut(number).last = self.slots.prev(slot);
        }
        self.slots.unlink(slot);
    }

    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn fingerprint(&self) -> Vec<u64> {
        let mut fingerprint = Vec::new();
        let mut bucket = self.bucket(SENTINEL).next;
        while bucket != SENTINEL {
            fingerprint.extend([bucket.into(), self.bucket(bucket).weight]);
            bucket = self.bucket(bucket).next;
        }
        let mut slot = self.slots.next(END);
        while slot != END {
            fingerprint.push(self.slots.tag(slot).into());
            slot = self.slots.next(slot);
        }
        let mut free = self.free;
        while free != NONE {
            fingerprint.push(free.into());
            free = self.bucket(free).next;
        }
        // The total number shows where the free buckets begin.
        fingerprint.push(self.buckets.len() as u64);
        fingerprint
    }

    /// Verifies every invariant, with `min_weight` as the lowest weight that there may be.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check(
        &self,
        min_weight: u64,
        mut visit: impl FnMut(u32) -> Result<(), String>,
    ) -> Result<usize, String> {
        let (mut number, mut last) = (SENTINEL, END);
        let mut known = 1;
        let count = self.slots.check(|slot, tag| {
            if number == SENTINEL || tag != number {
                if last != self.bucket(number).last {
                    return Err(format!("the last of bucket {number} is {last}, not {}", self.bucket(number).last));
                }
                if tag != self.bucket(number).next {
                    return Err(format!("slot {slot} is of bucket {tag}, but after bucket {number}"));
                }
                let Some(bucket) = self.buckets.get(tag as usize) else {
                    return Err(format!("there is no bucket {tag}"));
                };
                if bucket.prev != number {
                    return Err(format!("bucket {tag} does not lead back to {number}"));
                }
                if bucket.weight <= self.bucket(number).weight || bucket.weight > self.max_weight {
                    return Err(format!("bucket {tag} of weight {} is out of order", bucket.weight));
                }
                if bucket.weight < min_weight {
                    return Err(format!("bucket {tag} of weight {} is below {min_weight}", bucket.weight));
                }
                number = tag;
                known += 1;
            }
            last = slot;
            visit(slot)
        })?;
        if self.bucket(number).last != last || self.bucket(number).next != SENTINEL {
            return Err(format!("bucket {number} is not the highest, or its last slot is not {last}"));
        }
        if self.bucket(SENTINEL).prev != number {
            return Err(format!("the highest bucket is {number}, not {}", self.bucket(SENTINEL).prev));
        }
        let mut free = self.free;
        while free != NONE && known <= self.buckets.len() {
            known += 1;
            free = self.bucket(free).next;
        }
        if known != self.buckets.len() {
            return Err(format!("{known} of {} buckets are in use or free", self.buckets.len()));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPT: fn(u32) -> Result<(), String> = |_| Ok(());

    fn lowest(list: &FrequencyList) -> u32 {
        list.bucket(SENTINEL).next
    }

    fn highest(list: &FrequencyList) -> u32 {
        list.bucket(SENTINEL).prev
    }

    /// Three slots of weight 2, one of weight 3, and a free bucket.
    fn list() -> FrequencyList {
        let mut list = FrequencyList::new(3);
        for _ in 1..=4 {
            list.insert(1);
        }
        for slot in [4, 4, 1, 2, 3] {
            list.increment(slot);
        }
        list
    }

    #[test]
    fn a_list_that_is_broken_in_any_one_field_is_refused() {
        type Break = fn(&mut FrequencyList);
        let breaks: [(&str, Break); 13] = [
            ("a weight of 0", |list| list.bucket_mut(lowest(list)).weight = 0),
            ("a weight below the lowest possible", |list| list.bucket_mut(lowest(list)).weight = 1),
            ("two buckets of one weight", |list| list.bucket_mut(lowest(list)).weight = 3),
            ("a weight beyond saturation", |list| list.bucket_mut(highest(list)).weight = 4),
            ("a bucket that does not lead back", |list| list.bucket_mut(highest(list)).prev = SENTINEL),
            ("another highest bucket", |list| list.bucket_mut(SENTINEL).prev = lowest(list)),
            ("another last slot of the lower bucket", |list| list.bucket_mut(lowest(list)).last = 2),
            ("another last slot of the higher bucket", |list| list.bucket_mut(highest(list)).last = END),
            ("a slot that names another bucket", |list| list.slots.set_tag(1, highest(list))),
            ("a bucket that there is not", |list| {
                list.bucket_mut(lowest(list)).next = 9;
                list.slots.set_tag(list.slots.prev(END), 9);
            }),
            ("a bucket without slots", |list| list.bucket_mut(highest(list)).next = list.free),
            ("a free bucket that is lost", |list| list.free = NONE),
            ("free buckets without an end", |list| list.bucket_mut(list.free).next = list.free),
        ];
        assert_eq!(list().check(2, ACCEPT), Ok(4));
        for (fault, apply) in breaks {
            let mut broken = list();
            apply(&mut broken);
            assert!(broken.check(2, ACCEPT).is_err(), "{fault}");
        }
    }

    // Proves F1.
    #[test]
    fn dropping_free_buckets_changes_no_order_and_no_weight() {
        let mut list = list();
        let order = |list: &FrequencyList| {
            let slots = std::iter::successors(Some(list.next(END)), |slot| Some(list.next(*slot)));
            slots.take_while(|slot| *slot != END).map(|slot| (slot, list.weight(slot))).collect::<Vec<_>>()
        };
        let backwards = |list: &FrequencyList| {
            let slots = std::iter::successors(Some(list.prev(END)), |slot| Some(list.prev(*slot)));
            slots.take_while(|slot| *slot != END).map(|slot| (slot, list.weight(slot))).collect::<Vec<_>>()
        };
        let before = order(&list);
        assert!(backwards(&list).into_iter().rev().eq(before.clone()));
        list.drop_free_buckets();
        assert_eq!(order(&list), before);
        assert!(backwards(&list).into_iter().rev().eq(before));
        assert_eq!(list.check(2, ACCEPT), Ok(4));
        assert_eq!((list.buckets.len(), list.free), (3, NONE));
    }

    // Proves D1.
    #[test]
    fn free_buckets_are_dropped_if_there_are_more_than_two_buckets_for_each_slot() {
        let buckets = |left: u32, room: usize| {
            let mut list = FrequencyList::new(10);
            for _ in 1..=5 {
                list.insert(1);
            }
            for slot in 1..=5 {
                (1..slot).for_each(|_| list.increment(slot));
            }
            assert_eq!(list.buckets.len(), 6, "one for each weight, and the sentinel");
            for slot in (left + 1..=5).rev() {
                list.remove(slot);
            }
            list.set_room(room);
            assert_eq!(list.check(1, ACCEPT), Ok(left as usize));
            list.buckets.len()
        };
        assert_eq!((buckets(3, 3), buckets(2, 2)), (6, 3));
    }
}
