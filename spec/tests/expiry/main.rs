//! The rules E: on the model, and in the levels.

mod levels;
mod rules;

use std::fmt::Debug;
use std::hash::Hash;

use aws_client_cache_spec::faults::{Fault, Faulty};
use aws_client_cache_spec::model::{Expiring, OperationKinds};
use aws_client_cache_spec::{Dict, Model, Policy, Scope};

const MAX_USES: u64 = 3;
const ANSWERED: OperationKinds = OperationKinds::ALL;

type Expiries = &'static [(u8, u64)];
type Entries = Vec<(u8, u64)>;

/// Some keys expire alone, some together, and most not at all.
const SOME: Expiries = &[(0, 5), (1, 5), (2, 9), (3, 9), (4, 9), (5, 10)];
/// One key expires a moment after the other.
const TWO: Expiries = &[(0, 1), (1, 2)];

type Timed<K = u8, V = u64> = Expiring<K, Model<K, V>>;

fn model<K: Eq + From<u8>, V>(policy: Policy, max_size: usize, expiry: Expiries) -> Timed<K, V> {
    let model = Expiring::new(Model::with_max_uses(policy, max_size, MAX_USES));
    expiry.iter().fold(model, |model, (key, at)| model.with_expiry(K::from(*key), *at))
}

fn faulty<K: Clone + Eq + Hash + Debug + From<u8>, V: Clone + Eq + Hash>(
    fault: impl Into<Option<Fault>>,
    policy: Policy,
    max_size: usize,
    expiry: Expiries,
) -> Faulty<K, V> {
    let faulty = Faulty::new(fault, policy, max_size, MAX_USES);
    expiry.iter().fold(faulty, |faulty, (key, at)| faulty.with_expiry(K::from(*key), *at))
}

fn expected(max_size: usize) -> Dict<u8, u64> {
    SOME.iter().fold(Dict::new(max_size), |dict, (key, at)| dict.with_expiry(*key, *at))
}

const SCOPE: Scope = Scope::new(2, 3);

fn expiry_of(key: u8) -> Option<u64> {
    SOME.iter().find_map(|(expiring, at)| (*expiring == key).then_some(*at))
}
