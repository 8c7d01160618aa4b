//! A doubly linked list over a slab, closed to a ring so that linking has no ends to branch on.
//!
//! A ring knows only its newest node; that node's `newer` neighbour is the oldest. Every node's neighbours
//! are nodes of the same ring, itself included, so an unlink is two writes and a link four, whatever the
//! place. Emptiness, the one special case, shows only where a ring gains its first node or loses its last.

/// The index that is no node's.
pub(super) const NIL: u32 = u32::MAX;

/// A node's place in its ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    pub(super) older: u32,
    pub(super) newer: u32,
    /// The run that the node's ring belongs to, for a policy that keeps several rings.
    pub(super) run: u32,
}

impl Links {
    /// Links of a node that is in no ring yet.
    pub(super) const UNLINKED: Self = Self { older: NIL, newer: NIL, run: NIL };
}

/// What a ring threads through.
pub(super) trait Linked {
    fn links(&self) -> &Links;
    fn links_mut(&mut self) -> &mut Links;
}

/// A ring of the nodes of a slab, from the oldest to the newest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    newest: u32,
}

impl Ring {
    pub(super) const EMPTY: Self = Self { newest: NIL };

    pub(super) fn newest(self) -> Option<u32> {
        (self.newest != NIL).then_some(self.newest)
    }

    pub(super) fn oldest<N: Linked>(self, nodes: &[N]) -> Option<u32> {
        self.newest().map(|newest| newer(nodes, newest))
    }

    pub(super) fn is_newest(self, node: u32) -> bool {
        self.newest == node
    }

    /// Whether `node`, a node of this ring, is its only one.
    pub(super) fn is_only<N: Linked>(nodes: &[N], node: u32) -> bool {
        newer(nodes, node) == node
    }

    /// Links `node`, which is in no ring, as the newest.
    pub(super) fn push<N: Linked>(&mut self, nodes: &mut [N], node: u32) {
        // In an empty ring the node is its own neighbour on both sides.
        let newest = self.newest().unwrap_or(node);
        let oldest = if newest == node { node } else { newer(nodes, newest) };
        link(nodes, newest, node, oldest);
        self.newest = node;
    }

    /// Takes `node`, a node of this ring, out of it. Its own links are left as they were.
    pub(super) fn unlink<N: Linked>(&mut self, nodes: &mut [N], node: u32) {
        let Links { older, newer, .. } = *at(nodes, node);
        at_mut(nodes, older).newer = newer;
        at_mut(nodes, newer).older = older;
        if self.newest == node {
            self.newest = if older == node { NIL } else { older };
        }
    }

    /// Makes `node`, a node of this ring, its newest.
    ///
    /// The node is taken out and put back wherever it stands: asking first whether it is the newest already
    /// would cost a branch that real streams of keys make unpredictable.
    pub(super) fn touch<N: Linked>(&mut self, nodes: &mut [N], node: u32) {
        let Links { older, newer, .. } = *at(nodes, node);
        at_mut(nodes, older).newer = newer;
        at_mut(nodes, newer).older = older;
        let newest = if self.newest == node { older } else { self.newest };
        let oldest = at(nodes, newest).newer;
        link(nodes, newest, node, oldest);
        self.newest = node;
    }

    /// Makes the oldest node the newest, by turning the ring by one.
    pub(super) fn rotate<N: Linked>(&mut self, nodes: &[N]) {
        self.newest = newer(nodes, self.newest);
    }

    /// Follows the node in slot `from` to slot `to`: its neighbours and this ring point there afterwards.
    /// The caller moves the node itself next, links and all.
    pub(super) fn relocate<N: Linked>(&mut self, nodes: &mut [N], from: u32, to: u32) {
        let Links { older, newer, .. } = *at(nodes, from);
        at_mut(nodes, older).newer = to;
        at_mut(nodes, newer).older = to;
        if self.newest == from {
            self.newest = to;
        }
    }

    /// Verifies every link and passes each node to `visit`, oldest first.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check<N: Linked>(
        self,
        nodes: &[N],
        mut visit: impl FnMut(u32, &Links) -> Result<(), String>,
    ) -> Result<(), String> {
        let Some(oldest) = self.newest().map(|newest| nodes.get(newest as usize)) else {
            return Ok(());
        };
        let mut node = oldest.ok_or("a ring's newest node is outside the slab")?.links().newer;
        for _ in 0..nodes.len() {
            let links =
                nodes.get(node as usize).ok_or_else(|| format!("a link points to {node}, outside the slab"))?.links();
            let follower = nodes
                .get(links.newer as usize)
                .ok_or_else(|| format!("node {node} points to {}, outside the slab", links.newer))?;
            if follower.links().older != node {
                return Err(format!("node {} does not point back to {node}", links.newer));
            }
            visit(node, links)?;
            if node == self.newest {
                return Ok(());
            }
            node = links.newer;
        }
        Err(format!("the ring of {} does not close", self.newest))
    }
}

/// The neighbour of `node` towards the newest; the newest one's is the oldest.
pub(super) fn newer<N: Linked>(nodes: &[N], node: u32) -> u32 {
    at(nodes, node).newer
}

/// The neighbour of `node` towards the oldest; the oldest one's is the newest.
pub(super) fn older<N: Linked>(nodes: &[N], node: u32) -> u32 {
    at(nodes, node).older
}

fn at<N: Linked>(nodes: &[N], node: u32) -> &Links {
    nodes[node as usize].links()
}

fn at_mut<N: Linked>(nodes: &mut [N], node: u32) -> &mut Links {
    nodes[node as usize].links_mut()
}

fn link<N: Linked>(nodes: &mut [N], newest: u32, node: u32, oldest: u32) {
    at_mut(nodes, newest).newer = node;
    at_mut(nodes, oldest).older = node;
    let links = at_mut(nodes, node);
    links.older = newest;
    links.newer = oldest;
}
