//! F1: by use count, lowest first; within a count, by last use, oldest first.
//!
//! Nodes of one count form a run: a ring of their own. The runs are linked in ascending order of their counts,
//! and closed by run 0, a sentinel of count 0 that holds no node. So the next victim is the oldest node of the
//! run above run 0, inserting is joining the run of count 1 above run 0, and a use is joining the next run up:
//! each a constant number of writes.

use super::Order;
use crate::map::ring::{self, Linked, NIL, Ring};

/// The run below and above all others.
const SENTINEL: u32 = 0;

/// All nodes of one use count.
#[derive(Clone, Copy, Debug)]
struct Run {
    count: u64,
    nodes: Ring,
    lower: u32,
    /// In a free run, the next free one.
    higher: u32,
}

#[derive(Clone, Debug)]
pub(in crate::map) struct Lfu {
    /// The sentinel, then runs in use and free ones, in any order.
    runs: Vec<Run>,
    /// The first free run.
    free: u32,
    /// Where counts saturate.
    max_uses: u64,
}

impl Lfu {
    pub(super) fn new(max_uses: u64) -> Self {
        let sentinel = Run { count: 0, nodes: Ring::EMPTY, lower: SENTINEL, higher: SENTINEL };
        Self { runs: vec![sentinel], free: NIL, max_uses }
    }

    fn run(&self, run: u32) -> &Run {
        &self.runs[run as usize]
    }

    fn run_mut(&mut self, run: u32) -> &mut Run {
        &mut self.runs[run as usize]
    }

    /// The run of `count`, which belongs right above `lower`: the one that is there, or a new one.
    fn run_above(&mut self, lower: u32, count: u64) -> u32 {
        let higher = self.run(lower).higher;
        if self.run(higher).count == count {
            return higher;
        }
        let new = Run { count, nodes: Ring::EMPTY, lower, higher };
        let run = if self.free == NIL {
            self.runs.push(new);
            u32::try_from(self.runs.len() - 1).expect("there are no more runs than nodes")
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

    fn join<N: Linked>(&mut self, nodes: &mut [N], slot: u32, run: u32) {
        nodes[slot as usize].links_mut().run = run;
        self.run_mut(run).nodes.push(nodes, slot);
    }

    /// Takes the node out of its run, and the run out of the order if that was its last node.
    fn leave<N: Linked>(&mut self, nodes: &mut [N], slot: u32) {
        let number = nodes[slot as usize].links().run;
        let run = self.run_mut(number);
        run.nodes.unlink(nodes, slot);
        if run.nodes.newest().is_none() {
            let Run { lower, higher, .. } = *run;
            self.run_mut(lower).higher = higher;
            self.run_mut(higher).lower = lower;
            self.run_mut(number).higher = self.free;
            self.free = number;
        }
    }
}

impl Order for Lfu {
    fn victim<N: Linked>(&self, nodes: &[N]) -> Option<u32> {
        self.run(self.run(SENTINEL).higher).nodes.oldest(nodes)
    }

    fn last<N: Linked>(&self, _: &[N]) -> Option<u32> {
        self.run(self.run(SENTINEL).lower).nodes.newest()
    }

    fn after<N: Linked>(&self, nodes: &[N], slot: u32) -> u32 {
        let run = self.run(nodes[slot as usize].links().run);
        if run.nodes.is_newest(slot) {
            self.run(run.higher).nodes.oldest(nodes).unwrap_or(slot)
        } else {
            ring::newer(nodes, slot)
        }
    }

    fn before<N: Linked>(&self, nodes: &[N], slot: u32) -> u32 {
        let run = self.run(nodes[slot as usize].links().run);
        let older = ring::older(nodes, slot);
        if run.nodes.is_newest(older) { self.run(run.lower).nodes.newest().unwrap_or(slot) } else { older }
    }

    fn insert<N: Linked>(&mut self, nodes: &mut [N], slot: u32) {
        let run = self.run_above(SENTINEL, 1);
        self.join(nodes, slot, run);
    }

    fn touch<N: Linked>(&mut self, nodes: &mut [N], slot: u32) {
        let number = nodes[slot as usize].links().run;
        let count = self.run(number).count;
        if count >= self.max_uses {
            // Saturated: still a use, so still the newest of its count.
            self.run_mut(number).nodes.touch(nodes, slot);
            return;
        }
        let next = self.run(self.run(number).higher).count;
        if next != count + 1 && Ring::is_only(nodes, slot) {
            // A lone node with no run to join takes its run along.
            self.run_mut(number).count += 1;
            return;
        }
        let run = self.run_above(number, count + 1);
        self.leave(nodes, slot);
        self.join(nodes, slot, run);
    }

    fn remove<N: Linked>(&mut self, nodes: &mut [N], slot: u32) {
        self.leave(nodes, slot);
    }

    fn replace_victim<N: Linked>(&mut self, nodes: &mut [N], victim: u32) {
        self.leave(nodes, victim);
        self.insert(nodes, victim);
    }

    fn relocate<N: Linked>(&mut self, nodes: &mut [N], from: u32, to: u32) {
        let run = nodes[from as usize].links().run;
        self.run_mut(run).nodes.relocate(nodes, from, to);
    }

    fn clear(&mut self) {
        *self = Self::new(self.max_uses);
    }

    #[cfg(any(test, feature = "__internals"))]
    fn layout<N: Linked>(&self, _: &[N]) -> Vec<u64> {
        let mut layout = Vec::new();
        let mut run = self.run(SENTINEL).higher;
        while run != SENTINEL {
            layout.extend([run.into(), self.run(run).count]);
            run = self.run(run).higher;
        }
        let mut free = self.free;
        while free != NIL {
            layout.push(free.into());
            free = self.run(free).higher;
        }
        // How many runs there are tells where the free ones begin.
        layout.push(self.runs.len() as u64);
        layout
    }

    #[cfg(any(test, feature = "__internals"))]
    fn check<N: Linked>(&self, nodes: &[N]) -> Result<(), String> {
        let (mut linked, mut in_use) = (0, 1);
        let (mut lower, mut number) = (SENTINEL, self.run(SENTINEL).higher);
        while number != SENTINEL {
            let run = self.runs.get(number as usize).ok_or_else(|| format!("run {number} does not exist"))?;
            if run.lower != lower {
                return Err(format!("run {number} does not point back to {lower}"));
            }
            if run.count <= self.run(lower).count || run.count > self.max_uses {
                return Err(format!("run {number} of count {} is out of order", run.count));
            }
            if run.nodes.newest().is_none() {
                return Err(format!("run {number} is empty"));
            }
            run.nodes.check(nodes, |slot, links| {
                linked += 1;
                if links.run == number {
                    Ok(())
                } else {
                    Err(format!("node {slot} of run {number} thinks it is in {}", links.run))
                }
            })?;
            in_use += 1;
            (lower, number) = (number, run.higher);
        }
        if self.run(SENTINEL).lower != lower {
            return Err(format!("the highest run is {lower}, not {}", self.run(SENTINEL).lower));
        }
        if linked != nodes.len() {
            return Err(format!("{linked} of {} nodes are in a run", nodes.len()));
        }
        let mut free = self.free;
        while free != NIL && in_use <= self.runs.len() {
            in_use += 1;
            free = self.run(free).higher;
        }
        if in_use != self.runs.len() {
            return Err(format!("{in_use} of {} runs are in use or free", self.runs.len()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::ring::Links;

    struct Node(Links);

    impl Linked for Node {
        fn links(&self) -> &Links {
            &self.0
        }

        fn links_mut(&mut self) -> &mut Links {
            &mut self.0
        }
    }

    fn lowest(order: &Lfu) -> u32 {
        order.run(SENTINEL).higher
    }

    fn highest(order: &Lfu) -> u32 {
        order.run(SENTINEL).lower
    }

    /// Three nodes of two uses, one of three, and a free run.
    fn order() -> (Lfu, [Node; 4]) {
        let mut nodes = [(); 4].map(|()| Node(Links::UNLINKED));
        let mut order = Lfu::new(3);
        for slot in 0..4 {
            order.insert(&mut nodes, slot);
        }
        for slot in [3, 3, 0, 1, 2] {
            order.touch(&mut nodes, slot);
        }
        (order, nodes)
    }

    #[test]
    fn an_order_that_is_broken_in_any_one_place_is_refused() {
        type Break = fn(&mut Lfu, &mut [Node]);
        let breaks: [(&str, Break); 9] = [
            ("a count of none", |order, _| order.run_mut(lowest(order)).count = 0),
            ("two runs of one count", |order, _| order.run_mut(lowest(order)).count = 3),
            ("a count beyond saturation", |order, _| order.run_mut(highest(order)).count = 4),
            ("a run that does not lead back", |order, _| order.run_mut(highest(order)).lower = SENTINEL),
            ("another highest run", |order, _| order.run_mut(SENTINEL).lower = lowest(order)),
            ("an empty run", |order, _| order.run_mut(highest(order)).nodes = Ring::EMPTY),
            ("a node that names another run", |order, nodes| nodes[0].0.run = highest(order)),
            ("a free run that is lost", |order, _| order.free = NIL),
            ("free runs without an end", |order, _| order.run_mut(order.free).higher = order.free),
        ];
        let (good, nodes) = order();
        assert_eq!(good.check(&nodes), Ok(()));
        for (what, apply) in breaks {
            let (mut broken, mut nodes) = order();
            apply(&mut broken, &mut nodes);
            assert!(broken.check(&nodes).is_err(), "{what}");
        }
    }
}
