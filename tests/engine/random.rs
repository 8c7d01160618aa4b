//! Random runs of the engine and of the cache, and the branches that they take.
//!
//! Each run draws its own mix of operations.

use aws_client_cache::map::EvictingMap;
use aws_client_cache_spec::check::{Branch, Branches, dict, order};
use aws_client_cache_spec::model::OperationKinds;
use aws_client_cache_spec::{CounterExample, Dict, InsertionMode, Model, Policy, Random, SystemUnderTest};
use support::cache::{Cache, MISSING, with_expiry};
use support::engine::{Engine, policy};
use support::hashing::Hashing;
use support::history::POLICIES;
use support::report::report;

/// The rules that a cache obeys.
#[derive(Clone, Copy)]
struct Rules {
    policy: Policy,
    max_uses: u64,
    insertion: InsertionMode,
    expiry: &'static [(u8, u64)],
    /// The operations that the cache does not have.
    missing: OperationKinds,
}

impl Rules {
    fn new(policy: Policy) -> Self {
        Self {
            policy,
            max_uses: u64::MAX,
            insertion: InsertionMode::Refuse,
            expiry: &[],
            missing: OperationKinds::default(),
        }
    }
}

impl Rules {
    fn of_cache(policy: Policy) -> Self {
        Self { missing: MISSING, ..Self::new(policy) }
    }
}

/// Checks both levels, and returns the branches of the second, which distinguishes more.
fn claim<C: SystemUnderTest<u8, u64>>(whose: &str, random: Random, rules: Rules, new: impl Fn(usize) -> C) -> Branches {
    let Rules { policy, max_uses, insertion, expiry, missing } = rules;
    let expected = |max_size| {
        let dict = Dict::new(max_size).with_insertion(insertion);
        expiry.iter().fold(dict, |dict, (key, at)| dict.with_expiry(*key, *at))
    };
    let model =
        |max_size| with_expiry(Model::with_max_uses(policy, max_size, max_uses).with_insertion(insertion), expiry);
    let both = || Ok([dict(random, expected, &new)?, order(random, model, &new)?]);
    let [plain, branches] = both().unwrap_or_else(|found: CounterExample| panic!("{found}"));
    let Random { keys, .. } = random;
    // An adapter that loses the override of an operation loses its answers.
    let expected = if expiry.is_empty() { OperationKinds::WITHOUT_EXPIRY } else { OperationKinds::ALL };
    let expected = expected.minus(missing);
    assert_eq!([plain.answered(), branches.answered()], [expected; 2], "{whose}, {policy:?}");
    let all = random.runs * random.operations;
    let compared = [plain.operations(), branches.operations()];
    if missing == OperationKinds::default() {
        assert_eq!(compared, [all; 2]);
    } else {
        assert!(compared.iter().all(|compared| (all / 2..all).contains(compared)), "{compared:?}");
    }
    assert_eq!(plain.never().collect::<Vec<_>>(), [], "{whose}, {policy:?}");
    // `all` has the branches of expiry only if one of them was taken, and those of aging under LFUDA.
    let of_expiry = branches.all().filter(|branch| Branch::OF_EXPIRY.contains(branch)).count();
    assert_eq!(of_expiry > 0, !expiry.is_empty(), "{whose}, {policy:?}: keys expire exactly if they have an expiry");
    let all = branches.all().count();
    let taken = all - branches.never().count();
    let figures = format!("{} operations, {taken} of {all} branches", branches.operations());
    report("dict, eviction order", format!("{whose}, {policy:?}, {keys} keys"), figures);
    branches
}

#[test]
fn the_engine_is_a_dict_with_a_strict_order_under_any_hashes() {
    for spec_policy in POLICIES {
        let rules = Rules { max_uses: 3, ..Rules::new(spec_policy) };
        for hashing in [Hashing::Default, Hashing::Constant, Hashing::Identity] {
            let map = |max_size| EvictingMap::with_max_uses(policy(spec_policy), max_size, hashing, rules.max_uses);
            let whose = format!("engine, hashing {hashing:?}");
            let branches = claim(&whose, Random::new(), rules, |max_size| Engine::<_, _, _>(map(max_size)));
            assert_eq!(branches.never().collect::<Vec<Branch>>(), []);
        }
    }
}

#[test]
fn the_engine_is_a_dict_with_a_strict_order_when_it_is_larger() {
    for policy in POLICIES {
        let larger = Random { runs: 10, operations: 1_000, keys: 250, max_size: 120, ..Random::new() };
        let branches = claim("engine", larger, Rules::new(policy), |max_size| Engine::new(policy, max_size));
        assert_eq!(branches.never().collect::<Vec<Branch>>(), [Branch::HitSaturated]);
    }
}

// Proves D13.
#[test]
fn a_replacing_engine_is_a_dict_with_a_strict_order() {
    for spec_policy in POLICIES {
        let rules = Rules { insertion: InsertionMode::Replace, max_uses: 3, ..Rules::new(spec_policy) };
        let map =
            |max_size| EvictingMap::with_max_uses(policy(spec_policy), max_size, Hashing::Identity, rules.max_uses);
        let new = |max_size| Engine::<_, _, _, true>(map(max_size));
        let branches = claim("engine, replacing", Random::new(), rules, new);
        assert_eq!(branches.never().collect::<Vec<Branch>>(), []);
    }
}

// Proves every rule E.
#[test]
fn the_cache_is_a_dict_with_a_strict_order_while_its_keys_expire() {
    const EXPIRY: &[(u8, u64)] = &[(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 5), (6, 9), (7, 0)];
    for policy in POLICIES {
        let rules = Rules { expiry: EXPIRY, ..Rules::of_cache(policy) };
        let new = |max_size| Cache::with_expiry(policy, max_size, EXPIRY);
        let branches = claim("cache, half of them expiring", Random::new(), rules, new);
        assert_eq!(branches.never().collect::<Vec<Branch>>(), [Branch::HitSaturated]);
    }
}

#[test]
fn the_cache_is_a_dict_with_a_strict_order() {
    for policy in POLICIES {
        let branches = claim("cache", Random::new(), Rules::of_cache(policy), |max_size| Cache::new(policy, max_size));
        // The use counts of the cache saturate at a number that is out of reach.
        assert_eq!(branches.never().collect::<Vec<Branch>>(), [Branch::HitSaturated]);
    }
}
