//! Where the entries are: a dense slab of nodes and a hash index over it.
//!
//! This is the only file that touches the index. It never hashes: hashes come in from above, and where many
//! are needed (a rebuild) a function comes in. Two facts carry the design:
//!
//! * A node remembers its bucket, so that removing it neither hashes nor probes, and calls none of the key's
//!   code. Buckets stay where they are until the index rehashes; so it never rehashes by itself: whoever is
//!   about to insert calls [`Slab::make_room`] first, which rebuilds the index by hand when it is full.
//! * The slab is dense: a removal moves the last node into the hole. Nobody outside holds slots across calls.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as TableEntry;

use super::ring::{Linked, Links};

/// The most entries that a map holds, whatever its `max_size`: slots, and the buckets of the sparse index
/// over them, are `u32`.
pub(super) const MAX_ENTRIES: usize = 1 << 31;

/// Up to so many entries the index is very sparse: churn on a dense tiny table stalls on its tombstones,
/// and a bucket costs five bytes.
const SMALL: usize = 512;
const SPARSITY_SMALL: usize = 8;
/// With less than twice the room, a full table could be made of tombstones and be rebuilt again and again.
const SPARSITY: usize = 2;

/// An entry and its places in the index and the order.
#[derive(Clone, Debug)]
pub(super) struct Node<K, V> {
    pub(super) key: K,
    pub(super) value: V,
    bucket: u32,
    links: Links,
}

impl<K, V> Linked for Node<K, V> {
    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// A dense slab of entries with a hash index over it.
#[derive(Debug)]
pub(super) struct Slab<K, V> {
    index: HashTable<u32>,
    nodes: Vec<Node<K, V>>,
}

/// What [`Slab::entry`] found.
pub(super) enum Entry<'a, K, V> {
    Occupied,
    Vacant(VacantEntry<'a, K, V>),
}

/// A key's place in the index, found free.
pub(super) struct VacantEntry<'a, K, V> {
    bucket: hashbrown::hash_table::VacantEntry<'a, u32>,
    nodes: &'a mut Vec<Node<K, V>>,
}

impl<K, V> Slab<K, V> {
    pub(super) const fn new() -> Self {
        Self { index: HashTable::new(), nodes: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn nodes(&self) -> &[Node<K, V>] {
        &self.nodes
    }

    pub(super) fn nodes_mut(&mut self) -> &mut [Node<K, V>] {
        &mut self.nodes
    }

    /// The slot of the node with this hash that `is_key` accepts.
    pub(super) fn find(&self, hash: u64, is_key: impl Fn(&K) -> bool) -> Option<u32> {
        self.index.find(hash, |&slot| is_key(&self.nodes[slot as usize].key)).copied()
    }

    /// Makes room in the index for one more entry, and in the slab too if it may grow, up to `limit` nodes.
    ///
    /// Both grow together, by doubling, and never beyond what `limit` needs. A full slab whose index has filled
    /// up with tombstones gets an index without any. `hash` may panic; nothing has changed then.
    pub(super) fn make_room(&mut self, limit: usize, hash: impl Fn(&K) -> u64) {
        let len = self.nodes.len();
        let grow = len == self.nodes.capacity() && len < limit;
        if !grow && self.index.len() < self.index.capacity() {
            return;
        }
        let target = self.nodes.capacity().max(if grow { len.saturating_mul(2).max(8).min(limit) } else { len });
        // One more than the slab holds: a newcomer is in the index before its victim is out of it.
        let index = self.build_index(target + 1, hash);
        self.nodes.reserve_exact(target - len);
        self.adopt_index(index);
    }

    /// Looks a key up once, for reading or for inserting. There must be room.
    pub(super) fn entry(&mut self, hash: u64, is_key: impl Fn(&K) -> bool) -> Entry<'_, K, V> {
        debug_assert!(self.index.len() < self.index.capacity());
        let nodes = &self.nodes;
        match self.index.entry(hash, |&slot| is_key(&nodes[slot as usize].key), rehash) {
            TableEntry::Occupied(_) => Entry::Occupied,
            TableEntry::Vacant(bucket) => Entry::Vacant(VacantEntry { bucket, nodes: &mut self.nodes }),
        }
    }

    /// Takes the node out of its slot, which the last node then fills.
    pub(super) fn remove(&mut self, slot: u32) -> (K, V) {
        self.free_bucket(self.nodes[slot as usize].bucket);
        let node = self.nodes.swap_remove(slot as usize);
        if let Some(moved) = self.nodes.get(slot as usize) {
            let index = self.index.get_bucket_mut(moved.bucket as usize);
            *index.expect("a node's bucket is full") = slot;
        }
        (node.key, node.value)
    }

    /// Empties the slab and returns it as it was, so that the caller decides when it is dropped.
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new())
    }

    /// Frees a bucket whose node is gone, or has another one already.
    pub(super) fn free_bucket(&mut self, bucket: u32) {
        let entry = self.index.get_bucket_entry(bucket as usize);
        let Ok(entry) = entry else { unreachable!("a node's bucket is full") };
        entry.remove();
    }

    /// A copy whose keys and values are made by `Clone`, each in the same slot.
    ///
    /// The index is built anew: that it would keep its buckets if cloned is nothing that it promises.
    pub(super) fn copy(&self, hash: impl Fn(&K) -> u64) -> Self
    where
        K: Clone,
        V: Clone,
    {
        let mut copy = Self { index: HashTable::new(), nodes: self.nodes.clone() };
        let index = copy.build_index(copy.nodes.len(), hash);
        copy.adopt_index(index);
        copy
    }

    fn build_index(&self, entries: usize, hash: impl Fn(&K) -> u64) -> HashTable<u32> {
        let mut index = HashTable::with_capacity(index_capacity(entries));
        for (slot, node) in (0..).zip(&self.nodes) {
            index.insert_unique(hash(&node.key), slot, rehash);
        }
        index
    }

    /// Replaces the index. No key's code runs here, so that nodes and index change together or not at all.
    fn adopt_index(&mut self, index: HashTable<u32>) {
        for bucket in index.iter_buckets() {
            let &slot = index.get_bucket(bucket).expect("an iterated bucket is full");
            self.nodes[slot as usize].bucket = bucket_number(bucket);
        }
        self.index = index;
    }

    /// An exact copy, with the index as it is; that its buckets stay where they are is for `check` to see.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn fork(&self) -> Self
    where
        K: Clone,
        V: Clone,
    {
        let mut nodes = Vec::with_capacity(self.nodes.capacity());
        nodes.extend(self.nodes.iter().cloned());
        Self { index: self.index.clone(), nodes }
    }

    /// The room of the slab and of the index, and the bucket of each node, in numbers.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn layout(&self) -> Vec<u64> {
        let room = [self.nodes.capacity(), self.index.num_buckets(), self.index.capacity()];
        let room = room.into_iter().map(|room| room as u64);
        room.chain(self.nodes.iter().map(|node| node.bucket.into())).collect()
    }

    /// Verifies that index and nodes point at each other, one to one, and that every key is found.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check(&self, hash: impl Fn(&K) -> u64) -> Result<(), String>
    where
        K: Eq,
    {
        if self.index.len() != self.nodes.len() {
            return Err(format!("{} buckets for {} nodes", self.index.len(), self.nodes.len()));
        }
        for (slot, node) in (0_u32..).zip(&self.nodes) {
            if self.index.get_bucket(node.bucket as usize) != Some(&slot) {
                return Err(format!("node {slot} does not own bucket {}", node.bucket));
            }
            if self.find(hash(&node.key), |key| *key == node.key) != Some(slot) {
                return Err(format!("the key of node {slot} is not found there"));
            }
        }
        Ok(())
    }
}

impl<K, V> VacantEntry<'_, K, V> {
    /// Stores a new node in a new slot and returns the slot. No key's code runs here.
    pub(super) fn push(self, key: K, value: V) -> u32 {
        let slot = u32::try_from(self.nodes.len()).expect("there are at most MAX_ENTRIES nodes");
        let bucket = bucket_number(self.bucket.insert(slot).bucket_index());
        self.nodes.push(Node { key, value, bucket, links: Links::UNLINKED });
        slot
    }

    /// Stores a new entry in a used slot, whose links stay, and returns the one that was there with its
    /// bucket, for the caller to free.
    pub(super) fn replace(self, slot: u32, key: K, value: V) -> (u32, K, V) {
        let bucket = bucket_number(self.bucket.insert(slot).bucket_index());
        let node = &mut self.nodes[slot as usize];
        (
            std::mem::replace(&mut node.bucket, bucket),
            std::mem::replace(&mut node.key, key),
            std::mem::replace(&mut node.value, value),
        )
    }
}

/// How much room an index over so many entries asks for. Never more than `u32` can number.
fn index_capacity(entries: usize) -> usize {
    let sparsity = if entries <= SMALL { SPARSITY_SMALL } else { SPARSITY };
    // 2^32 buckets hold 7/8 of that.
    entries.saturating_mul(sparsity).min(7 << 29)
}

fn bucket_number(bucket: usize) -> u32 {
    u32::try_from(bucket).expect("the index has at most 2^32 buckets")
}

/// What the index would call to rehash by itself.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the index passes a reference")]
fn rehash(_: &u32) -> u64 {
    unreachable!("room is made before an insertion")
}
