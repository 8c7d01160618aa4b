//! Random histories of operations. Most keys are present ones, so that hits and refusals are frequent.

use aws_client_cache_spec::{EvictionPolicy, Model, Operation, Subject};
use quickcheck::{Arbitrary, Gen};

pub const POLICIES: [EvictionPolicy; 3] = EvictionPolicy::ALL;

/// The policy and the bound of a cache, and a sequence of operations on it.
#[derive(Clone, Debug)]
pub struct History {
    pub policy: EvictionPolicy,
    pub max_size: usize,
    pub operations: Vec<Operation<u8, u64>>,
}

impl History {
    /// Applies all operations to a new cache, and returns it.
    pub fn run<C: Subject<u8, u64>>(&self, new: impl Fn(EvictionPolicy, usize) -> C) -> C {
        let mut cache = new(self.policy, self.max_size);
        for operation in &self.operations {
            operation.apply(&mut cache);
        }
        cache
    }
}

impl Arbitrary for History {
    fn arbitrary(g: &mut Gen) -> Self {
        let policy = *g.choose(&POLICIES).expect("there are policies");
        let max_size = usize::from(u8::arbitrary(g) % 8);
        let mut model = Model::new(policy, max_size);
        let length = usize::arbitrary(g) % g.size().max(1);
        let operations = (0..length)
            .map(|value| {
                let operation = operation(g, &model.keys(), value as u64);
                operation.apply(&mut model);
                operation
            })
            .collect();
        Self { policy, max_size, operations }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let history = self.clone();
        Box::new((0..self.operations.len()).rev().map(move |gone| {
            let mut shorter = history.clone();
            shorter.operations.remove(gone);
            shorter
        }))
    }
}

fn operation(g: &mut Gen, live: &[u8], value: u64) -> Operation<u8, u64> {
    let any = u8::arbitrary(g) % 12;
    let key = match g.choose(live) {
        Some(live) if u8::arbitrary(g) % 10 < 6 => *live,
        _ => any,
    };
    match u8::arbitrary(g) % 32 {
        0..=11 => Operation::Insert(key, value),
        12..=20 => Operation::Get(key),
        21..=22 => Operation::TryGet(key),
        23 => Operation::Peek(key),
        24 => Operation::ContainsKey(key),
        25..=27 => Operation::Remove(key),
        28 => Operation::Pop,
        29 => Operation::SetMaxSize(usize::from(any) % 8),
        30 => Operation::Copy,
        _ if u8::arbitrary(g) % 4 == 0 => Operation::Clear,
        _ => Operation::Insert(any, value),
    }
}
