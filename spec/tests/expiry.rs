//! The rules E, as laws on the model, and in the levels.
//!
//! The levels accept the model, and refuse all caches with a fault of expiry.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};

use aws_client_cache_spec::check::{
    Branch, Branches, Covered, Level, PanicProbe, dict, exhaustive, exhaustive_to_depth, may_be_left, order, panics,
    step,
};
use aws_client_cache_spec::concurrency::{Call, History, Threads};
use aws_client_cache_spec::faults::{Fault, Faulty};
use aws_client_cache_spec::model::{Expiring, OperationKinds};
use aws_client_cache_spec::{
    CounterExample, Dict, Explore, Model, Operation, Outcome, Policy, Random, Refusal, Scope, SystemUnderTest,
};

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

/// Returns models after many histories, in which the clock is set forward and back.
fn states() -> impl Iterator<Item = Timed> {
    Policy::ALL.into_iter().flat_map(|policy| (0..200).map(move |seed| (policy, seed))).flat_map(|(policy, seed)| {
        let plan = Threads { max_size: 4, keys: 8, threads: 1, calls: 40, ..Threads::new() }.plan(seed);
        let mut held: Timed = model(policy, 4, SOME);
        plan.concat().into_iter().enumerate().map(move |(nth, operation)| {
            if nth % 3 == 0 {
                held.set_time(((seed + 5 * nth) % 12) as u64);
            }
            operation.apply(&mut held);
            held.clone()
        })
    })
}

fn expiry_of(key: u8) -> Option<u64> {
    SOME.iter().find_map(|(expiring, at)| (*expiring == key).then_some(*at))
}

fn is_expired(model: &Timed, key: u8) -> bool {
    expiry_of(key).is_some_and(|at| model.now() >= at)
}

/// Returns the expired entries, and the others.
fn parted(model: &Timed) -> (Entries, Entries) {
    model.items().into_iter().partition(|(key, _)| is_expired(model, *key))
}

/// Ensures that the laws are not vacuous.
#[test]
fn many_of_the_states_hold_what_is_expired_beside_what_is_not() {
    let both = |model: &Timed| !parted(model).0.is_empty() && !parted(model).1.is_empty();
    assert!(states().filter(both).count() > 500);
}

// Proves E1.
/// A key may be equal without being the same.
#[test]
fn equal_keys_expire_alike() {
    #[derive(Clone, Debug)]
    struct Name(&'static str);
    impl PartialEq for Name {
        fn eq(&self, other: &Self) -> bool {
            self.0.eq_ignore_ascii_case(other.0)
        }
    }
    impl Eq for Name {}
    impl Hash for Name {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.to_ascii_lowercase().hash(state);
        }
    }

    let mut model = Model::new(Policy::Lru, 2).with_expiry(Name("a"), 5);
    assert_eq!(model.insert(Name("A"), 1), Ok(None));
    model.set_time(5);
    assert_eq!(model.insert(Name("A"), 2), Err(Refusal::Expired));
    assert_eq!(model.remove_expired(), Some(vec![(Name("a"), 1)]));
}

// Proves E1.
/// A key has one expiry.
#[test]
fn of_two_expiries_of_one_key_the_latter_counts() {
    let once = Model::<u8, u64>::new(Policy::Lru, 1).with_expiry(0, 3);
    assert_eq!(Model::new(Policy::Lru, 1).with_expiry(0, 5).with_expiry(0, 3), once);
}

// Proves E1, E5.
/// Before its expiry, a key behaves like one that never expires.
#[test]
fn before_its_expiry_a_key_is_as_one_that_never_expires() {
    for (policy, seed) in Policy::ALL.into_iter().flat_map(|policy| (0..50).map(move |seed| (policy, seed))) {
        let plan = Threads { max_size: 4, keys: 8, threads: 1, calls: 40, ..Threads::new() }.plan(seed);
        let (mut expiring, mut timeless): (Timed, Timed) = (model(policy, 4, SOME), model(policy, 4, &[]));
        for (operation, now) in plan.concat().into_iter().zip((0..5).cycle()) {
            expiring.set_time(now);
            step(&mut expiring, &mut timeless, &operation).unwrap();
        }
    }
}

// Proves E2.
#[test]
fn inserting_an_expired_key_is_refused_and_changes_nothing() {
    let mut refused = 0;
    for model in states() {
        for key in (0..8).filter(|key| is_expired(&model, *key)) {
            let mut after = model.clone();
            assert_eq!(after.insert(key, 1_000), Err(Refusal::Expired));
            assert_eq!(after, model);
            refused += 1;
        }
    }
    assert!(refused > 10_000);
}

// Proves D3, E2.
#[test]
fn an_expired_key_that_is_present_is_refused_as_expired() {
    let mut model: Timed = model(Policy::Lru, 2, TWO);
    model.insert(0, 10).unwrap();
    assert_eq!(model.insert(0, 11), Err(Refusal::AlreadyExists));
    model.set_time(1);
    assert_eq!(model.insert(0, 11), Err(Refusal::Expired));
    assert_eq!(model.items(), [(0, 10)]);
}

// Proves E3.
#[test]
fn a_look_up_removes_what_is_expired_and_nothing_else() {
    for model in states() {
        for (key, _) in parted(&model).0 {
            let left: Vec<_> = model.items().into_iter().filter(|(other, _)| *other != key).collect();
            let (mut got, mut tried) = (model.clone(), model.clone());
            assert_eq!(got.get(&key), None);
            assert_eq!(tried.try_get(&key), Err(Refusal::Expired));
            assert_eq!((got.items(), tried.items()), (left.clone(), left));
            assert_eq!(tried.try_get(&key), Err(Refusal::NotFound), "it is told once");
        }
    }
}

// Proves D4, E3.
#[test]
fn a_look_up_of_an_absent_key_is_a_miss_whether_the_key_is_expired_or_not() {
    for model in states() {
        for key in (0..8).filter(|key| model.items().iter().all(|(present, _)| present != key)) {
            let mut after = model.clone();
            assert_eq!((after.get(&key), after.try_get(&key)), (None, Err(Refusal::NotFound)));
            assert_eq!(after, model);
        }
    }
}

// Proves E4.
#[test]
fn looking_at_what_is_expired_finds_nothing_and_removes_nothing() {
    for model in states() {
        let before = model.clone();
        for (key, value) in model.items() {
            let seen = (!is_expired(&model, key)).then_some(value);
            assert_eq!((model.contains_key(&key), model.peek(&key)), (seen.is_some(), seen));
        }
        assert_eq!(model, before);
    }
}

// Proves D2, D7, D9, E4.
/// The results are those for the same entries at a time when none is expired.
#[test]
fn what_is_expired_is_counted_and_listed_and_goes_when_it_is_next() {
    for at_last in states() {
        let mut at_first = at_last.clone();
        at_first.set_time(0);
        let listed = |model: &Timed| {
            (model.len(), model.is_empty(), model.items(), model.keys(), model.values(), model.reversed())
        };
        assert_eq!(listed(&at_last), listed(&at_first));
        for operation in [Operation::Insert(200, 1), Operation::Pop, Operation::SetMaxSize(1), Operation::Clear] {
            let (mut last, mut first) = (at_last.clone(), at_first.clone());
            assert_eq!(operation.apply(&mut last), operation.apply(&mut first), "{operation:?}");
            assert_eq!(listed(&last), listed(&first), "{operation:?}");
        }
    }
}

// Proves D6, E4.
#[test]
fn what_is_expired_can_still_be_removed() {
    for model in states() {
        for (key, value) in parted(&model).0 {
            assert_eq!(model.clone().remove(&key), Ok(value));
        }
    }
}

// Proves E4.
#[test]
fn removing_all_that_is_expired_takes_it_in_eviction_order_and_leaves_the_others_in_theirs() {
    for mut model in states() {
        let (expired, others) = parted(&model);
        assert_eq!(model.remove_expired(), Some(expired));
        assert_eq!(model.items(), others);
        assert_eq!(model.remove_expired(), Some(vec![]));
    }
}

// Proves E5.
#[test]
fn a_key_is_expired_from_the_moment_of_its_expiry_on() {
    let mut model: Timed = Model::lru(1).with_expiry(0, 5);
    model.insert(0, 10).unwrap();
    for (now, is_there) in [(0, true), (4, true), (5, false), (6, false), (u64::MAX, false)] {
        model.set_time(now);
        assert_eq!((model.now(), model.contains_key(&0)), (now, is_there));
    }
    // A key may be expired from the first moment on, or not before the last.
    let mut model = Model::new(Policy::Lru, 2).with_expiry(0, 0).with_expiry(1, u64::MAX);
    assert_eq!((model.insert(0, 10), model.insert(1, 11)), (Err(Refusal::Expired), Ok(None)));
}

// Proves E5.
#[test]
fn what_was_expired_is_there_again_when_the_clock_goes_back() {
    let mut model: Timed = model(Policy::Lru, 2, TWO);
    model.insert(0, 10).unwrap();
    model.set_time(1);
    assert_eq!(model.peek(&0), None);
    model.set_time(0);
    assert_eq!(model.get(&0), Some(10));
}

// Proves D8, E1, E5.
#[test]
fn a_copy_has_the_same_clock_and_the_same_expiries() {
    for model in states() {
        assert_eq!(model.copy(), Some(model));
    }
}

/// Claims every level of one thread for a cache of plain and probes keys, where keys expire.
fn claim<C, F>(
    policy: Policy,
    plain: impl Fn(usize, Expiries) -> C,
    probes: impl Fn(usize) -> F,
) -> Result<(), CounterExample>
where
    C: Explore<u8, u64>,
    F: Explore<PanicProbe<u8>, PanicProbe<u64>>,
{
    let [some, two] = [SOME, TWO].map(|expiry| move |max_size| model(policy, max_size, expiry));
    let [plain_some, plain_two] = [SOME, TWO].map(|expiry| {
        let plain = &plain;
        move |max_size| plain(max_size, expiry)
    });
    dict(Random::new(), expected, plain_some)?;
    order(Random::new(), some, plain_some)?;
    exhaustive(SCOPE, two, plain_two)?;
    exhaustive(Scope { symmetric: true, ..SCOPE }, two, plain_two)?;
    exhaustive_to_depth(Scope { depth: 2, ..SCOPE }, two, plain_two)?;
    panics(Scope::new(2, 2), |max_size| model(policy, max_size, TWO), probes)?;
    Ok(())
}

// Proves every rule E.
#[test]
fn the_model_has_every_level_where_keys_expire() -> Result<(), CounterExample> {
    Policy::ALL.into_iter().try_for_each(|policy| {
        claim(policy, |max_size, expiry| model(policy, max_size, expiry), |max_size| model(policy, max_size, TWO))
    })
}

/// So each of the other caches is refused for its fault.
#[test]
fn a_faulty_cache_without_a_fault_has_every_level_where_keys_expire() -> Result<(), CounterExample> {
    Policy::ALL.into_iter().try_for_each(|policy| {
        let plain = |max_size, expiry| faulty(None, policy, max_size, expiry);
        claim(policy, plain, |max_size| faulty(None, policy, max_size, TWO))
    })
}

// Proves every rule E.
/// The numbers are exact, so that a search that loses part of its scope fails.
#[test]
fn every_state_is_reached_at_every_time() {
    // The possible contents at the bounds 0, 1 and 2, each at the times 0, 1, 2 and 3.
    let held = 1 + (1 + 3) + (1 + 3 + 3 * 2);
    // Eight operations on each of three keys, three bounds, nine others, four times, and the removal of expired entries.
    let operations = 8 * 3 + 3 + 9 + 4 + 1;
    let lru = Covered { states: held * 4, transitions: held * 4 * operations, answered: ANSWERED };
    // Under LFU, each entry has one of three counts. Among entries with one count, and among others, the order of last
    // use matters.
    let held = 1 + (1 + 3 * 3) + (1 + 3 * 3 + 3 * 2 * 9);
    let lfu = Covered { states: held * 4, transitions: held * 4 * operations, answered: ANSWERED };
    // Under LFUDA, there are four floors at each bound, and an entry weighs at least the floor. Of two entries, only
    // the one that was used earlier can weigh as much: a use or an insertion after the eviction leads higher, until
    // weights saturate.
    let one = [3, 3, 2, 1];
    let two = [9, 4 + 2, 1 + 1, 1];
    let lone: usize = one.iter().map(|weights| 1 + 3 * weights).sum();
    let pairs: usize = two.iter().map(|weights| 3 * 2 * weights).sum();
    let held = 4 + lone + lone + pairs;
    let lfuda = Covered { states: held * 4, transitions: held * 4 * operations, answered: ANSWERED };
    for (policy, covered) in [(Policy::Lru, lru), (Policy::Lfu, lfu), (Policy::Lfuda, lfuda)] {
        let new = |max_size| model(policy, max_size, TWO);
        assert_eq!(exhaustive(SCOPE, new, new).unwrap(), covered);
    }
}

// Proves E1.
/// Keys 0 and 1, which expire together, stand for each other; 2 and 3 each stand for themselves.
#[test]
fn only_keys_that_expire_together_are_interchangeable() {
    let expiry: Expiries = &[(0, 1), (1, 1), (2, 2)];
    let policy = Policy::Lru;
    let own = Scope::new(2, 4);
    let symmetric = Scope { symmetric: true, ..own };
    let new = |max_size| model(policy, max_size, expiry);
    let covered = |scope| exhaustive(scope, new, new).unwrap();
    assert_eq!(covered(own).states, (1 + (1 + 4) + (1 + 4 + 4 * 3)) * 4);
    let states = 1 + (1 + 3) + (1 + 3 + (3 * 2 + 1));
    // At each bound, with no entry, one and two, the keys of the operations: the present keys, expired or not, and one
    // absent key for each expiry.
    let keys = 3 + (3 + (4 + 3 + 3)) + (3 + (4 + 3 + 3) + (5 * 4 + 2 * 3));
    let transitions = (8 * keys + states * (3 + 9 + 4 + 1)) * 4;
    assert_eq!(covered(symmetric), Covered { states: states * 4, transitions, answered: ANSWERED });

    // So a cache with the wrong expiry of one key is detected.
    let wrong: Expiries = &[(0, 1), (1, 1), (2, 3)];
    let found = exhaustive(symmetric, new, |max_size| model(policy, max_size, wrong)).unwrap_err();
    assert_eq!(found.operations(), [Operation::Insert(2, 2), Operation::SetTime(2)]);
}

#[test]
fn an_operation_takes_the_branch_that_the_rules_distinguish() {
    let mut model: Timed = model(Policy::Lru, 2, TWO);
    let taken = [
        (Operation::ContainsKey(0), Branch::LookAbsent),
        (Operation::Insert(2, 0), Branch::InsertStores),
        (Operation::Insert(0, 0), Branch::InsertStores),
        (Operation::SetTime(1), Branch::TimeForth),
        (Operation::SetTime(1), Branch::TimeForth),
        (Operation::ContainsKey(0), Branch::LookExpired),
        (Operation::Peek(0), Branch::LookExpired),
        (Operation::Insert(1, 0), Branch::InsertSparesExpired),
        (Operation::Insert(0, 0), Branch::InsertExpiredThere),
        (Operation::Insert(2, 0), Branch::InsertEvictsTied), // it is an expired one that goes
        (Operation::Insert(0, 0), Branch::InsertExpired),
        (Operation::Get(0), Branch::Miss),
        (Operation::RemoveExpired, Branch::ExpireNone),
        (Operation::SetTime(2), Branch::TimeForth),
        (Operation::RemoveExpired, Branch::ExpireSome),
        (Operation::Pop, Branch::Pop),
        (Operation::SetTime(0), Branch::TimeBack),
        (Operation::Insert(0, 0), Branch::InsertStores),
        (Operation::Insert(1, 0), Branch::InsertStores),
        (Operation::SetTime(3), Branch::TimeForth),
        (Operation::Get(0), Branch::GetExpired),
        (Operation::TryGet(1), Branch::TryGetExpired),
        (Operation::SetTime(0), Branch::TimeBack),
        (Operation::Insert(1, 0), Branch::InsertStores),
        (Operation::SetTime(2), Branch::TimeForth),
        (Operation::RemoveExpired, Branch::ExpireAll),
    ];
    for (operation, branch) in taken {
        let mut branches = Branches::default();
        branches.apply(&mut model, &operation);
        assert_eq!(
            (branches.count(branch), branches.operations()),
            (1, 1),
            "{operation:?} takes another than {branch:?}"
        );
    }
}

#[test]
fn random_runs_reach_every_branch_of_expiry_and_only_where_keys_expire() {
    for policy in Policy::ALL {
        let [some, none] = [SOME, &[]].map(|expiry| move |max_size| model(policy, max_size, expiry));
        let covered = order(Random { runs: 2_000, ..Random::new() }, some, some).unwrap();
        assert_eq!(covered.never().collect::<Vec<_>>(), []);
        assert!(covered.to_string().contains("\nInsertSparesExpired "));

        let plain = order(Random::new(), none, none).unwrap();
        assert!(Branch::OF_EXPIRY.into_iter().all(|branch| plain.count(branch) == 0));
        assert_eq!(plain.never().collect::<Vec<_>>(), []);
        assert!(!plain.to_string().contains("Expire"));
    }
}

// Proves every rule E.
#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn no_cache_that_is_wrong_about_expiry_has_the_level_that_names_its_fault() {
    let mut refused_by = BTreeMap::new();
    for fault in Fault::ALL.into_iter().filter(|fault| fault.is_of_expiry()) {
        for policy in fault.policies().iter().copied() {
            let new = |max_size| faulty(fault, policy, max_size, SOME);
            let model = |max_size| model(policy, max_size, SOME);
            let found = dict(Random::new(), expected, new).and(order(Random::new(), model, new)).err();
            let found = found.unwrap_or_else(|| panic!("{fault:?} passes under {policy:?}"));
            assert_eq!(found.level(), fault.level(), "{fault:?}: {found}");
            assert_times_are_plain(&found);
            assert!(found.operations().len() <= 8, "{fault:?} is led apart by few operations, not by {found}");
        }
        *refused_by.entry(fault.level()).or_insert(0) += 1;
    }
    assert_eq!(refused_by, BTreeMap::from([(Level::Dict, 17), (Level::Order, 5)]));
    for (level, refused) in refused_by {
        println!("\nreport: faulty caches | faults of expiry, refused first by {level} | {refused} caches");
    }
}

/// Checks, for one key and one setting of the clock, that the time is not after the key's expiry.
fn assert_times_are_plain(found: &CounterExample) {
    let turned = found.operations().iter().filter_map(|operation| match operation {
        Operation::SetTime(now) => Some(*now),
        _ => None,
    });
    let keys = found.operations().iter().filter_map(|operation| operation.key().copied());
    if let ([now], [key]) = (&turned.collect::<Vec<_>>()[..], &keys.collect::<Vec<_>>()[..]) {
        assert!(Some(*now) <= expiry_of(*key), "{found}");
    }
}

/// Random operations do not find the faults by accident.
#[test]
fn no_cache_that_is_wrong_about_expiry_passes_the_closure_whichever_keys_are_interchangeable() {
    for fault in Fault::ALL.into_iter().filter(|fault| fault.is_of_expiry()) {
        for policy in fault.policies().iter().copied() {
            for symmetric in [true, false] {
                let new = |max_size| faulty(fault, policy, max_size, TWO);
                let model = |max_size| model(policy, max_size, TWO);
                let found = exhaustive(Scope { symmetric, ..SCOPE }, model, new).err();
                let found = found.unwrap_or_else(|| panic!("{fault:?} passes under {policy:?}"));
                assert!(found.operations().len() <= 8, "{fault:?}: {found}");
            }
        }
    }
}

/// No fault of expiry shows where nothing expires.
#[test]
fn a_cache_that_is_wrong_about_expiry_is_right_where_nothing_expires() -> Result<(), CounterExample> {
    let few = Random { runs: 50, ..Random::new() };
    Fault::ALL.into_iter().filter(|fault| fault.is_of_expiry()).try_for_each(|fault| {
        Policy::ALL.into_iter().try_for_each(|policy| {
            let model = |max_size| model(policy, max_size, &[]);
            order(few, model, |max_size| faulty(fault, policy, max_size, &[])).map(drop)
        })
    })
}

/// A cache without a clock, in which nothing expires.
struct Clockless(Timed);

impl SystemUnderTest<u8, u64> for Clockless {
    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        self.0.insert(key, value)
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        self.0.get(key)
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        self.0.remove(key)
    }

    fn max_size(&self) -> usize {
        self.0.max_size()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        self.0.items()
    }
}

#[test]
fn of_a_cache_without_a_clock_no_expiry_is_asked() -> Result<(), CounterExample> {
    let policy = Policy::Lru;
    let new = |max_size| Clockless(model(policy, max_size, &[]));
    for operation in [Operation::SetTime(1), Operation::RemoveExpired] {
        assert_eq!(operation.apply(&mut new(1)), Outcome::Missing);
    }
    dict(Random::new(), expected, new)?;
    order(Random::new(), |max_size| model(policy, max_size, SOME), new)?;
    exhaustive_to_depth(Scope { depth: 2, ..SCOPE }, |max_size| model(policy, max_size, TWO), new)?;
    Ok(())
}

#[test]
fn a_counter_example_says_what_expires_of_what_it_is_about() {
    let policy = Policy::Lru;
    let late = |max_size| faulty(Fault::ExpiresTooLate, policy, max_size, SOME);
    let of_dict = dict(Random::new(), expected, late).unwrap_err();
    let expected = r"// dict: Insert(2, 0): the cache returns Evicted([(2, 0)]); the model expects Refused(Expired)
use aws_client_cache_spec::{Dict, Operation};

#[test]
fn the_cache_matches_the_model() {
    let mut cache = new(0); // yours, empty, with a bound of 0
    let mut dict = Dict::new(0).with_expiry(2, 9);
    dict.step(&mut cache, &Operation::SetTime(9)).unwrap();
    dict.step(&mut cache, &Operation::Insert(2, 0)).unwrap();
}
";
    assert_eq!(of_dict.to_string(), expected);

    let backwards = |max_size| faulty(Fault::RemovingExpiredTellsBackwards, policy, max_size, SOME);
    let of_order = order(Random::new(), |max_size| model(policy, max_size, SOME), backwards).unwrap_err().to_string();
    assert!(
        of_order
            .contains("Expiring::new(Model::with_max_uses(Policy::Lru, 2, 3)).with_expiry(0, 5).with_expiry(1, 5);\n"),
        "{of_order}"
    );
    assert!(
        of_order.contains("    step(&mut cache, &mut model, &Operation::RemoveExpired).unwrap();\n}\n"),
        "{of_order}"
    );
}

/// The test above, pasted, with its cache.
#[test]
#[should_panic(expected = "Insert(2, 0): the cache returns")]
fn a_counter_example_is_a_test_that_fails() {
    let mut cache = faulty(Fault::ExpiresTooLate, Policy::Lru, 0, &[(2, 9)]);
    let mut dict = Dict::new(0).with_expiry(2, 9);
    dict.step(&mut cache, &Operation::SetTime(9)).unwrap();
    dict.step(&mut cache, &Operation::Insert(2, 0)).unwrap();
}

/// The output of panic safety, which has other keys.
#[test]
fn a_counter_example_of_a_panic_says_what_expires_too() {
    let new = |max_size| faulty(Fault::HitTakesTheEntryOut, Policy::Lru, max_size, TWO);
    let model = |max_size| model(Policy::Lru, max_size, TWO);
    let found = panics(Scope::new(1, 1), model, new).unwrap_err().to_string();
    assert!(found.contains(", 1, 3)).with_expiry(PanicProbe::new(0), 1);\n"), "{found}");
}

// Proves E4, P1.
/// As for all operations that remove several entries.
#[test]
fn a_panic_while_what_is_expired_is_removed_may_leave_some_of_it_and_all_of_the_others() {
    let mut held: Timed = model(Policy::Lru, 3, TWO);
    (0..3).for_each(|key| assert_eq!(held.insert(key, 0), Ok(None)));
    held.set_time(2);
    let left = |shown: &[(u8, u64)]| may_be_left(&held, &Operation::RemoveExpired, shown, 3).len();
    assert!(left(&[(1, 0), (2, 0)]) > 0 && left(&[(0, 0), (2, 0)]) > 0 && left(&[(2, 0)]) > 0);
    assert_eq!(left(&[(0, 0), (1, 0)]), 0, "what is not expired is not lost");
}

// Proves E5.
/// The clock is shared by the threads, too.
#[test]
fn a_history_in_which_the_clock_is_turned_has_an_order() {
    let model: Timed = Model::lru(2).with_expiry(0, 1).with_expiry(1, 2);
    let get = |outcome| {
        History::new(vec![
            Call::new(0, 0..1, Operation::Insert(0, 10), Outcome::Evicted(vec![])),
            Call::new(0, 2..5, Operation::SetTime(1), Outcome::Done),
            Call::new(1, 3..4, Operation::Get(0), Outcome::Value(outcome)),
            Call::new(1, 6..7, Operation::RemoveExpired, Outcome::Entries(vec![])),
        ])
    };
    assert_eq!(get(None).linearize(&model), Ok(vec![0, 1, 2, 3]));
    let printed = get(Some(10)).linearize(&model).unwrap_err().to_string();
    let model = "&Expiring::new(Model::new(Policy::Lru, 2)).with_expiry(0, 1)).unwrap();";
    assert!(printed.contains(model), "{printed}");
    assert!(printed.contains("Operation::RemoveExpired, Outcome::Entries(vec![])"), "{printed}");
}
