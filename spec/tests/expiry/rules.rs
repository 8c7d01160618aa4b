//! The rules E as laws on the model.

use std::hash::{Hash, Hasher};

use aws_client_cache_spec::check::step;
use aws_client_cache_spec::concurrency::Threads;
use aws_client_cache_spec::{Model, Operation, Policy, Refusal, SystemUnderTest};

use super::*;

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

fn is_expired(model: &Timed, key: u8) -> bool {
    expiry_of(key).is_some_and(|at| model.now() >= at)
}

/// Returns the expired entries, and the others.
fn parted(model: &Timed) -> (Entries, Entries) {
    model.items().into_iter().partition(|(key, _)| is_expired(model, *key))
}

/// Ensures that the laws are not vacuous.
#[test]
fn many_states_hold_expired_entries_beside_others() {
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
