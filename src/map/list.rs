//! A doubly linked list of places, closed to a ring by place 0, which is no entry's, so that linking has no ends to branch
//! on: an unlink is two writes and a link four, wherever it is.

use super::table::Moved;

/// The place before the oldest and behind the newest.
pub(super) const END: u32 = 0;

/// Up to so many places the newest one is known by a conditional move, beyond by a second read.
///
/// A read waits for the writes before it wherever they might be to the same place, which among few places they often are; a
/// conditional move waits for what it may not need, which among many places comes from far away. Both were measured.
const FEW: usize = 600;

/// The places of all entries, from the oldest to the newest, each with a tag for the policy's use.
#[derive(Clone, Debug)]
pub(super) struct List<T> {
    /// By place. None at all until there is room for an entry.
    links: Vec<Link<T>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Link<T> {
    older: u32,
    newer: u32,
    tag: T,
}

impl<T: Copy + Default> List<T> {
    pub(super) const fn new() -> Self {
        Self { links: Vec::new() }
    }

    /// The neighbour towards the newest; that of [`END`] is the oldest.
    #[inline]
    pub(super) fn newer(&self, place: u32) -> u32 {
        self.links.get(place as usize).map_or(END, |link| link.newer)
    }

    /// The neighbour towards the oldest; that of [`END`] is the newest.
    #[inline]
    pub(super) fn older(&self, place: u32) -> u32 {
        self.links.get(place as usize).map_or(END, |link| link.older)
    }

    #[inline]
    pub(super) fn tag(&self, place: u32) -> T {
        self.links[place as usize].tag
    }

    #[inline]
    pub(super) fn set_tag(&mut self, place: u32, tag: T) {
        self.links[place as usize].tag = tag;
    }

    /// Links `place`, which is not in the list, behind `older`, which is, or is the end.
    #[inline]
    pub(super) fn link(&mut self, place: u32, older: u32) {
        let newer = self.links[older as usize].newer;
        self.links[older as usize].newer = place;
        self.links[newer as usize].older = place;
        let link = &mut self.links[place as usize];
        (link.older, link.newer) = (older, newer);
    }

    /// Links `place`, which is not in the list, as the newest.
    #[inline]
    pub(super) fn push(&mut self, place: u32) {
        let newest = self.older(END);
        self.links[newest as usize].newer = place;
        self.links[END as usize].older = place;
        let link = &mut self.links[place as usize];
        (link.older, link.newer) = (newest, END);
    }

    /// Takes the oldest out of the list.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<u32> {
        let oldest = self.newer(END);
        if oldest == END {
            return None;
        }
        let newer = self.links[oldest as usize].newer;
        self.links[END as usize].newer = newer;
        self.links[newer as usize].older = END;
        Some(oldest)
    }

    /// Takes `place` out of the list. Its own links stay as they were.
    #[inline]
    pub(super) fn unlink(&mut self, place: u32) {
        let Link { older, newer, .. } = self.links[place as usize];
        self.links[older as usize].newer = newer;
        self.links[newer as usize].older = older;
    }

    /// Makes `place`, which is in the list, the newest.
    ///
    /// It is taken out and put back wherever it stands: asking first whether it is the newest already would cost a branch
    /// that real streams of keys make unpredictable.
    #[inline]
    pub(super) fn move_to_newest(&mut self, place: u32) {
        let links = &mut self.links[..];
        let newest = links[END as usize].older;
        let Link { older, newer, .. } = links[place as usize];
        links[older as usize].newer = newer;
        links[newer as usize].older = older;
        let newest = if links.len() > FEW {
            links[END as usize].older
        } else if newest == place {
            older
        } else {
            newest
        };
        links[newest as usize].newer = place;
        links[END as usize].older = place;
        let link = &mut links[place as usize];
        (link.older, link.newer) = (newest, END);
    }

    /// Follows the entries to other places.
    pub(super) fn follow(&mut self, moved: &Moved) {
        let mut links = vec![Link::default(); moved.places];
        let mut place = END;
        // The end stays where it is.
        while let Some(Link { older, newer, tag }) = self.links.get(place as usize).copied() {
            let link = &mut links[moved.to(place) as usize];
            *link = Link { older: moved.to(older), newer: moved.to(newer), tag };
            place = newer;
            if place == END {
                break;
            }
        }
        self.links = links;
    }

    /// Verifies every link and passes each place to `visit`, oldest first. Returns how many there are.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check(&self, mut visit: impl FnMut(u32, T) -> Result<(), String>) -> Result<usize, String> {
        let (mut place, mut count) = (END, 0);
        loop {
            let newer = self.newer(place);
            if newer as usize >= self.links.len().max(1) {
                return Err(format!("{place} leads to {newer}, which is no place"));
            }
            if self.older(newer) != place {
                return Err(format!("{newer} does not lead back to {place}"));
            }
            if newer == END {
                return Ok(count);
            }
            if count == self.links.len() {
                return Err(format!("the list from {place} on does not end"));
            }
            visit(newer, self.tag(newer))?;
            count += 1;
            place = newer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three places, of which the second is not in the list.
    fn list() -> List<()> {
        let mut list = List { links: vec![Link::default(); 4] };
        list.push(1);
        list.push(3);
        list
    }

    #[test]
    fn a_list_that_is_broken_in_any_one_place_is_refused() {
        type Break = fn(&mut List<()>);
        let breaks: [(&str, Break); 5] = [
            ("a link to no place", |list| list.links[1].newer = 4),
            ("a link to a place that is not in the list", |list| list.links[1].newer = 2),
            ("a link that does not lead back", |list| list.links[3].older = END),
            ("an end that does not lead back", |list| list.links[0].older = 1),
            ("a list without an end", |list| (list.links[3].newer, list.links[3].older) = (3, 3)),
        ];
        assert_eq!(list().check(|_, ()| Ok(())), Ok(2));
        for (what, apply) in breaks {
            let mut list = list();
            apply(&mut list);
            assert!(list.check(|_, ()| Ok(())).is_err(), "{what}");
        }
    }

    #[test]
    fn a_list_of_nothing_is_valid() {
        assert_eq!(List::<()>::new().check(|_, ()| Ok(())), Ok(0));
        assert_eq!(List::<()>::new().pop(), None);
    }
}
