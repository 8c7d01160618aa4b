//! F1: by use count, lowest first; within a count, by last use, oldest first.
//!
//! All places are in one list, in that order. Those of one use count are a run of it, which is known by its newest place. Runs
//! are linked in ascending order of their counts, and closed by run 0, of count 0, whose newest place is the list's end. So
//! inserting is joining the run of count 1 above run 0, and a use is joining the next run up: each a constant number of
//! writes.

use super::Order;
use crate::map::list::{END, List};
use crate::map::table::Moved;

/// The run below and above all others.
const SENTINEL: u32 = 0;

/// The run that is none.
const NONE: u32 = u32::MAX;

/// All places of one use count.
#[derive(Clone, Copy, Debug)]
struct Run {
    count: u64,
    newest: u32,
    lower: u32,
    /// In a free run, the next free one.
    higher: u32,
}

#[derive(Clone, Debug)]
pub(in crate::map) struct Lfu {
    /// Each place with its run.
    uses: List<u32>,
    /// The sentinel, then runs in use and free ones, in any order.
    runs: Vec<Run>,
    /// The first free run.
    free: u32,
    /// Where counts saturate.
    max_uses: u64,
}

impl Lfu {
    pub(super) fn new(max_uses: u64) -> Self {
        let sentinel = Run { count: 0, newest: END, lower: SENTINEL, higher: SENTINEL };
        Self { uses: List::new(), runs: vec![sentinel], free: NONE, max_uses }
    }

    fn run(&self, run: u32) -> &Run {
        &self.runs[run as usize]
    }

    fn run_mut(&mut self, run: u32) -> &mut Run {
        &mut self.runs[run as usize]
    }

    /// The run of `count`, which belongs right above `lower`: the one that is there, or a new one, for a place to join.
    fn run_above(&mut self, lower: u32, count: u64) -> u32 {
        let higher = self.run(lower).higher;
        if self.run(higher).count == count {
            return higher;
        }
        let new = Run { count, newest: END, lower, higher };
        let run = if self.free == NONE {
            self.runs.push(new);
            u32::try_from(self.runs.len() - 1).expect("there are no more runs than places")
        } else {
            let run = self.free;
            self.free = self.run(run).higher;
            *self.run_mut(run) = new;
            run
        };
        self.run_mut(lower).higher = run;
        self.run_mut(higher).lower = run;
        run
    }

    fn join(&mut self, place: u32, run: u32) {
        let Run { newest, lower, .. } = *self.run(run);
        // The first one is right behind the places of the lower run.
        let older = if newest == END { self.run(lower).newest } else { newest };
        self.run_mut(run).newest = place;
        self.uses.link(place, older);
        self.uses.set_tag(place, run);
    }

    /// Whether a place, which is of this run, is its only one.
    fn is_only(&self, place: u32, run: u32) -> bool {
        let older = self.uses.older(place);
        self.run(run).newest == place && (older == END || self.uses.tag(older) != run)
    }

    /// Takes the place out of its run, and the run out of the order if that was its last place.
    fn leave(&mut self, place: u32, number: u32) {
        let Run { newest, lower, higher, .. } = *self.run(number);
        if self.is_only(place, number) {
            self.run_mut(lower).higher = higher;
            self.run_mut(higher).lower = lower;
            self.run_mut(number).higher = self.free;
            self.free = number;
        } else if newest == place {
            self.run_mut(number).newest = self.uses.older(place);
        }
        self.uses.unlink(place);
    }
}

impl Order for Lfu {
    #[inline]
    fn after(&self, place: u32) -> u32 {
        self.uses.newer(place)
    }

    fn before(&self, place: u32) -> u32 {
        self.uses.older(place)
    }

    fn insert(&mut self, place: u32) {
        let run = self.run_above(SENTINEL, 1);
        self.join(place, run);
    }

    #[inline]
    fn touch(&mut self, place: u32) {
        let number = self.uses.tag(place);
        let Run { count, newest, higher, .. } = *self.run(number);
        if count >= self.max_uses {
            // Saturated: still a use, so still the newest of its count.
            if newest != place {
                self.uses.unlink(place);
                self.join(place, number);
            }
            return;
        }
        if self.run(higher).count != count + 1 && self.is_only(place, number) {
            // A lone place with no run to join takes its run along.
            self.run_mut(number).count += 1;
            return;
        }
        let run = self.run_above(number, count + 1);
        self.leave(place, number);
        self.join(place, run);
    }

    fn remove(&mut self, place: u32) {
        self.leave(place, self.uses.tag(place));
    }

    fn pop(&mut self) -> Option<u32> {
        let victim = self.uses.newer(END);
        if victim == END {
            return None;
        }
        self.remove(victim);
        Some(victim)
    }

    fn follow(&mut self, moved: &Moved) {
        self.uses.follow(moved);
        for run in &mut self.runs {
            run.newest = moved.to(run.newest);
        }
    }

    fn take(&mut self) -> Self {
        let emptied = Self::new(self.max_uses);
        std::mem::replace(self, emptied)
    }

    #[cfg(any(test, feature = "__internals"))]
    fn layout(&self) -> Vec<u64> {
        let mut layout = Vec::new();
        let mut run = self.run(SENTINEL).higher;
        while run != SENTINEL {
            layout.extend([run.into(), self.run(run).count]);
            run = self.run(run).higher;
        }
        let mut place = self.uses.newer(END);
        while place != END {
            layout.push(self.uses.tag(place).into());
            place = self.uses.newer(place);
        }
        let mut free = self.free;
        while free != NONE {
            layout.push(free.into());
            free = self.run(free).higher;
        }
        // How many runs there are tells where the free ones begin.
        layout.push(self.runs.len() as u64);
        layout
    }

    #[cfg(any(test, feature = "__internals"))]
    fn check(&self, mut visit: impl FnMut(u32) -> Result<(), String>) -> Result<usize, String> {
        let (mut number, mut last) = (SENTINEL, END);
        let mut in_use = 1;
        let count = self.uses.check(|place, tag| {
            if number == SENTINEL || tag != number {
                if last != self.run(number).newest {
                    return Err(format!("the newest of run {number} is {last}, not {}", self.run(number).newest));
                }
                if tag != self.run(number).higher {
                    return Err(format!("{place} is of run {tag}, but behind run {number}"));
                }
                let Some(run) = self.runs.get(tag as usize) else { return Err(format!("there is no run {tag}")) };
                if run.lower != number {
                    return Err(format!("run {tag} does not point back to {number}"));
                }
                if run.count <= self.run(number).count || run.count > self.max_uses {
                    return Err(format!("run {tag} of count {} is out of order", run.count));
                }
                number = tag;
                in_use += 1;
            }
            last = place;
            visit(place)
        })?;
        if self.run(number).newest != last || self.run(number).higher != SENTINEL {
            return Err(format!("run {number} is not the highest, or its newest is not {last}"));
        }
        if self.run(SENTINEL).lower != number {
            return Err(format!("the highest run is {number}, not {}", self.run(SENTINEL).lower));
        }
        let mut free = self.free;
        while free != NONE && in_use <= self.runs.len() {
            in_use += 1;
            free = self.run(free).higher;
        }
        if in_use != self.runs.len() {
            return Err(format!("{in_use} of {} runs are in use or free", self.runs.len()));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowest(order: &Lfu) -> u32 {
        order.run(SENTINEL).higher
    }

    fn highest(order: &Lfu) -> u32 {
        order.run(SENTINEL).lower
    }

    /// Three places of two uses, one of three, and a free run.
    fn order() -> Lfu {
        let mut order = Lfu::new(3);
        order.follow(&Moved::of_nothing(5));
        for place in 1..=4 {
            order.insert(place);
        }
        for place in [4, 4, 1, 2, 3] {
            order.touch(place);
        }
        order
    }

    #[test]
    fn an_order_that_is_broken_in_any_one_place_is_refused() {
        type Break = fn(&mut Lfu);
        let breaks: [(&str, Break); 11] = [
            ("a count of none", |order| order.run_mut(lowest(order)).count = 0),
            ("two runs of one count", |order| order.run_mut(lowest(order)).count = 3),
            ("a count beyond saturation", |order| order.run_mut(highest(order)).count = 4),
            ("a run that does not lead back", |order| order.run_mut(highest(order)).lower = SENTINEL),
            ("another highest run", |order| order.run_mut(SENTINEL).lower = lowest(order)),
            ("another newest place of the lower run", |order| order.run_mut(lowest(order)).newest = 2),
            ("another newest place of the higher run", |order| order.run_mut(highest(order)).newest = END),
            ("a place that names another run", |order| order.uses.set_tag(1, highest(order))),
            ("a run that has no place", |order| order.run_mut(highest(order)).higher = order.free),
            ("a free run that is lost", |order| order.free = NONE),
            ("free runs without an end", |order| order.run_mut(order.free).higher = order.free),
        ];
        assert_eq!(order().check(|_| Ok(())), Ok(4));
        for (what, apply) in breaks {
            let mut broken = order();
            apply(&mut broken);
            assert!(broken.check(|_| Ok(())).is_err(), "{what}");
        }
    }
}
