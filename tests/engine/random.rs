//! Levels L0 and L1: random runs of the engine and of the cache, and the branches that they take.
//!
//! Each run draws its own mix of operations.

use aws_client_cache::map::EvictingMap;
use aws_client_cache_spec::{
    Branch, Branches, CounterExample, InsertionMode, OperationKinds, Random, Subject, dict, order,
};
use support::cache::Cache;
use support::engine::{Engine, policy};
use support::hashing::Hashing;
use support::history::POLICIES;
use support::report::report;

/// Checks both levels, and returns the branches of the second, which distinguishes more.
fn claim<C: Subject<u8, u64>>(whose: &str, random: Random, new: impl Fn(usize) -> C) -> Branches {
    let both = || Ok([dict(random, &new)?, order(random, &new)?]);
    let [plain, branches] = both().unwrap_or_else(|found: CounterExample| panic!("{found}"));
    let Random { policy, keys, expiry, .. } = random;
    // An adapter that loses the override of an operation loses its answers.
    let expected = if expiry.is_empty() { OperationKinds::WITHOUT_EXPIRY } else { OperationKinds::ALL };
    assert_eq!([plain.answered(), branches.answered()], [expected; 2], "{whose}, {policy:?}");
    assert_eq!([plain.operations(), branches.operations()], [random.runs * random.operations; 2]);
    assert_eq!(plain.never().collect::<Vec<_>>(), [], "{whose}, {policy:?}");
    // `all` has the branches of expiry only if one of them was taken, and those of aging under LFUDA.
    let of_expiry = branches.all().filter(|branch| Branch::OF_EXPIRY.contains(branch)).count();
    assert_eq!(of_expiry > 0, !expiry.is_empty(), "{whose}, {policy:?}: keys expire exactly if they have an expiry");
    let all = branches.all().count();
    let taken = all - branches.never().count();
    let figures = format!("{} operations, {taken} of {all} branches", branches.operations());
    report("L0 dict, L1 eviction order", format!("{whose}, {policy:?}, {keys} keys"), figures);
    branches
}

#[test]
fn the_engine_is_a_dict_with_a_strict_order_under_any_hashes() {
    for spec_policy in POLICIES {
        let random = Random { max_uses: 3, ..Random::new(spec_policy) };
        for hashing in [Hashing::Default, Hashing::Constant, Hashing::Identity] {
            let map = |max_size| EvictingMap::with_max_uses(policy(spec_policy), max_size, hashing, random.max_uses);
            let branches =
                claim(&format!("engine, hashing {hashing:?}"), random, |max_size| Engine::<_, _, _>(map(max_size)));
            assert_eq!(branches.never().collect::<Vec<Branch>>(), []);
        }
    }
}

#[test]
fn the_engine_is_a_dict_with_a_strict_order_when_it_is_larger() {
    for policy in POLICIES {
        let larger = Random { runs: 10, operations: 1_000, keys: 250, max_size: 120, ..Random::new(policy) };
        let branches = claim("engine", larger, |max_size| Engine::new(policy, max_size));
        assert_eq!(branches.never().collect::<Vec<Branch>>(), [Branch::HitSaturated]);
    }
}

// Proves D13.
#[test]
fn a_replacing_engine_is_a_dict_with_a_strict_order() {
    for spec_policy in POLICIES {
        let random = Random { insertion: InsertionMode::Replace, max_uses: 3, ..Random::new(spec_policy) };
        let map =
            |max_size| EvictingMap::with_max_uses(policy(spec_policy), max_size, Hashing::Identity, random.max_uses);
        let branches = claim("engine, replacing", random, |max_size| Engine::<_, _, _, true>(map(max_size)));
        assert_eq!(branches.never().collect::<Vec<Branch>>(), []);
    }
}

// Proves every rule E.
#[test]
fn the_cache_is_a_dict_with_a_strict_order_while_its_keys_expire() {
    const EXPIRY: &[(u8, u64)] = &[(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 5), (6, 9), (7, 0)];
    for policy in POLICIES {
        let random = Random { expiry: EXPIRY, ..Random::new(policy) };
        let new = |max_size| Cache::with_expiry(policy, max_size, EXPIRY);
        let branches = claim("cache, half of them expiring", random, new);
        assert_eq!(branches.never().collect::<Vec<Branch>>(), [Branch::HitSaturated]);
    }
}

#[test]
fn the_cache_is_a_dict_with_a_strict_order() {
    for policy in POLICIES {
        let branches = claim("cache", Random::new(policy), |max_size| Cache::new(policy, max_size));
        // The use counts of the cache saturate at a number that is out of reach.
        assert_eq!(branches.never().collect::<Vec<Branch>>(), [Branch::HitSaturated]);
    }
}
