//! The linked list: a ring of slot numbers, doubly linked, and closed by the sentinel 0.
//!
//! The sentinel spares every operation the special cases of an empty list and of its ends: an unlink is two writes and an
//! insertion four, wherever it is.

/// The sentinel: before the first slot and after the last.
pub(super) const END: u32 = 0;

/// The longest list whose last slot is found by a conditional move.
///
/// In a longer list, it is read a second time.
///
/// A read waits for earlier writes to what might be the same link, as it often is in a short list. A conditional move waits
/// for a link that it may not need, and which in a long list is seldom in a processor cache. Both costs were measured.
const MAX_CONDITIONAL_MOVE: usize = 600;

/// Links between slots, each with a tag for the policy's use.
#[derive(Debug)]
pub(super) struct LinkedList<T> {
    /// The sentinel's link, then one for each slot. Empty until the first slot comes.
    links: Vec<Link<T>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Link<T> {
    prev: u32,
    next: u32,
    tag: T,
}

impl<T: Copy + Default> LinkedList<T> {
    pub(super) const fn new() -> Self {
        Self { links: Vec::new() }
    }

    /// Returns the slot after `slot`; after [`END`], the first.
    #[inline]
    pub(super) fn next(&self, slot: u32) -> u32 {
        self.links.get(slot as usize).map_or(END, |link| link.next)
    }

    /// Returns the slot before `slot`; before [`END`], the last.
    #[inline]
    pub(super) fn prev(&self, slot: u32) -> u32 {
        self.links.get(slot as usize).map_or(END, |link| link.prev)
    }

    #[inline]
    pub(super) fn tag(&self, slot: u32) -> T {
        self.links[slot as usize].tag
    }

    #[inline]
    pub(super) fn set_tag(&mut self, slot: u32, tag: T) {
        self.links[slot as usize].tag = tag;
    }

    /// Adds a link for one more slot, which is not in the list yet, and returns its number.
    #[inline]
    pub(super) fn add_slot(&mut self) -> u32 {
        if self.links.is_empty() {
            self.links.push(Link::default());
        }
        self.links.push(Link::default());
        self.last_slot()
    }

    /// Removes the link of `slot`, which is not in the list.
    ///
    /// The last slot takes its number, as in the slab. Returns the number that the last slot had.
    #[inline]
    pub(super) fn remove_slot(&mut self, slot: u32) -> u32 {
        let last = self.last_slot();
        self.links.swap_remove(slot as usize);
        if slot != last {
            let Link { prev, next, .. } = self.links[slot as usize];
            self.links[prev as usize].next = slot;
            self.links[next as usize].prev = slot;
        }
        last
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the index holds at most 2^30 entries")]
    fn last_slot(&self) -> u32 {
        (self.links.len() - 1) as u32
    }

    /// Inserts `slot`, which is not in the list, after `prev`, which is in the list or [`END`].
    #[inline]
    pub(super) fn insert_after(&mut self, prev: u32, slot: u32) {
        let next = self.links[prev as usize].next;
        self.links[prev as usize].next = slot;
        self.links[next as usize].prev = slot;
        let link = &mut self.links[slot as usize];
        (link.prev, link.next) = (prev, next);
    }

    /// Takes `slot` out of the list. Its own link stays as it was.
    #[inline]
    pub(super) fn unlink(&mut self, slot: u32) {
        let Link { prev, next, .. } = self.links[slot as usize];
        self.links[prev as usize].next = next;
        self.links[next as usize].prev = prev;
    }

    /// Makes `slot`, which is in the list, the last.
    ///
    /// It is unlinked and inserted wherever it is: to ask first whether it is the last already would cost a branch that real
    /// streams of keys make unpredictable.
    #[inline]
    pub(super) fn move_to_back(&mut self, slot: u32) {
        let links = &mut self.links[..];
        let Link { prev, next, .. } = links[slot as usize];
        let back = links[END as usize].prev;
        links[prev as usize].next = next;
        links[next as usize].prev = prev;
        let back = if links.len() > MAX_CONDITIONAL_MOVE {
            links[END as usize].prev
        } else if back == slot {
            prev
        } else {
            back
        };
        links[back as usize].next = slot;
        links[END as usize].prev = slot;
        let link = &mut links[slot as usize];
        (link.prev, link.next) = (back, END);
    }

    /// Makes the first slot, which there must be, the last, and returns it.
    #[inline]
    pub(super) fn move_front_to_back(&mut self) -> u32 {
        let links = &mut self.links[..];
        let Link { prev: back, next: front, .. } = links[END as usize];
        if front == back {
            return front;
        }
        let second = links[front as usize].next;
        links[second as usize].prev = END;
        links[back as usize].next = front;
        let link = &mut links[front as usize];
        (link.prev, link.next) = (back, END);
        (links[END as usize].prev, links[END as usize].next) = (front, second);
        front
    }

    /// Sizes the memory for `room` slots; there must be no more.
    pub(super) fn set_room(&mut self, room: usize) {
        let links = room + 1;
        self.links.shrink_to(links);
        self.links.reserve_exact(links - self.links.len());
    }

    /// Verifies every link, and passes each slot and its tag to `visit`, in order.
    ///
    /// Returns the number of slots.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check(&self, mut visit: impl FnMut(u32, T) -> Result<(), String>) -> Result<usize, String> {
        let (mut slot, mut count) = (END, 0);
        loop {
            let next = self.next(slot);
            if next as usize >= self.links.len().max(1) {
                return Err(format!("slot {slot} leads to {next}, which is no slot"));
            }
            if self.prev(next) != slot {
                return Err(format!("slot {next} does not lead back to {slot}"));
            }
            // Each slot has led back so far, so that the list cannot return to another slot than the sentinel.
            if next == END {
                break;
            }
            visit(next, self.tag(next))?;
            count += 1;
            slot = next;
        }
        let slots = self.links.len().saturating_sub(1);
        if count == slots { Ok(count) } else { Err(format!("{count} of {slots} slots are in the list")) }
    }
}

/// The copy has the same room, as in the slab.
impl<T: Clone> Clone for LinkedList<T> {
    fn clone(&self) -> Self {
        let mut links = Vec::with_capacity(self.links.capacity());
        links.extend_from_slice(&self.links);
        Self { links }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three slots, in the order 1, 3, 2.
    fn list() -> LinkedList<()> {
        let mut list = LinkedList::new();
        for prev in [END, 1, 1] {
            let slot = list.add_slot();
            list.insert_after(prev, slot);
        }
        list
    }

    fn slots(list: &LinkedList<()>) -> Vec<u32> {
        let mut slots = Vec::new();
        list.check(|slot, ()| {
            slots.push(slot);
            Ok(())
        })
        .unwrap();
        slots
    }

    // Proves D1.
    #[test]
    fn the_memory_is_that_of_the_room_and_the_sentinel() {
        let mut list = list();
        for room in [100, 10, 3] {
            list.set_room(room);
            assert_eq!(list.links.capacity(), room + 1);
        }
    }

    #[test]
    fn a_list_that_is_broken_in_any_one_link_is_refused() {
        type Break = fn(&mut LinkedList<()>);
        let breaks: [(&str, Break); 5] = [
            ("a link to no slot", |list| list.links[1].next = 4),
            ("a link that does not lead back", |list| list.links[2].prev = END),
            ("a sentinel that does not lead back", |list| list.links[0].prev = 1),
            ("a list without an end", |list| (list.links[2].next, list.links[2].prev) = (2, 2)),
            ("a slot that is not in the list", |list| list.unlink(3)),
        ];
        assert_eq!(list().check(|_, ()| Ok(())), Ok(3));
        for (fault, apply) in breaks {
            let mut list = list();
            apply(&mut list);
            assert!(list.check(|_, ()| Ok(())).is_err(), "{fault}");
        }
    }

    #[test]
    fn the_last_slot_takes_the_number_of_a_removed_one() {
        for (removed, left) in [(1, [1, 2]), (2, [1, 2]), (3, [1, 2])] {
            let mut list = list();
            let order: Vec<_> = slots(&list).into_iter().filter(|slot| *slot != removed).collect();
            list.unlink(removed);
            assert_eq!(list.remove_slot(removed), 3);
            let renumbered: Vec<_> = order.into_iter().map(|slot| if slot == 3 { removed } else { slot }).collect();
            assert_eq!(slots(&list), renumbered);
            let mut numbers = renumbered;
            numbers.sort_unstable();
            assert_eq!(numbers, left);
        }
    }

    #[test]
    fn a_list_without_slots_is_valid() {
        assert_eq!(slots(&LinkedList::new()), [0; 0]);
        assert_eq!((LinkedList::<()>::new().next(END), LinkedList::<()>::new().prev(END)), (END, END));
    }
}
