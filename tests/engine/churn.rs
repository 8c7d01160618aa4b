//! Long runs of insertions into full maps: the index fills up with tombstones and is rebuilt.

use aws_client_cache::map::EvictingMap;
use aws_client_cache_spec::check::step;
use aws_client_cache_spec::{Model, Operation, SystemUnderTest};
use support::engine::{Engine, policy};
use support::hashing::Hashing;
use support::history::POLICIES;

/// Inserts sequential keys; with an identity hash, they leave the most tombstones.
fn churn(max_size: usize, newcomers: u64, look_every: u64) {
    for hashing in [Hashing::Identity, Hashing::Default] {
        for spec_policy in POLICIES {
            let mut engine = Engine::<_, _, _>(EvictingMap::with_hasher(policy(spec_policy), max_size, hashing));
            let mut model = Model::new(spec_policy, max_size);
            for key in 0..newcomers {
                let insert = Operation::Insert(key, key);
                if key.is_multiple_of(look_every) {
                    step(&mut engine, &mut model, &insert).unwrap();
                    step(&mut engine, &mut model, &Operation::Get(key - key % 7)).unwrap();
                } else {
                    assert_eq!(insert.apply(&mut engine), insert.apply(&mut model));
                }
            }
            assert_eq!(engine.items(), model.items());
            assert_eq!(engine.check(), Ok(()));
        }
    }
}

// Proves D2, F1.
#[test]
fn a_small_map_behaves_as_the_model_under_churn() {
    churn(30, 20_000, 16);
}

// Proves D2, L1.
#[test]
fn a_map_with_a_dense_index_behaves_as_the_model_under_churn() {
    churn(1_200, 6_000, 256);
}
