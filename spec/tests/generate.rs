//! The generator of operations: mixes, keys, and shrinking by `proptest` and by `quickcheck`.

use std::cell::RefCell;
use std::collections::HashSet;

use arbitrary::{Arbitrary as _, Unstructured};
use aws_client_cache_spec::check::step;
use aws_client_cache_spec::faults::{Fault, Faulty};
use aws_client_cache_spec::generate::{self, Limits, Mix, Operations};
use aws_client_cache_spec::model::OperationKind;
use aws_client_cache_spec::{Model, Operation, Policy, SystemUnderTest};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use quickcheck::QuickCheck;

fn lru(max_size: usize) -> Model<u8, u64> {
    Model::new(Policy::Lru, max_size)
}

fn runs(limits: Limits) -> impl Iterator<Item = Operations> {
    (0..400).map(move |seed| Operations::seeded(limits, seed, lru))
}

fn kinds(run: &Operations) -> HashSet<OperationKind> {
    run.operations.iter().map(Operation::kind).collect()
}

/// Returns `true` if a cache that counts no hit as a use behaves as the model.
fn is_correct(run: &Operations) -> bool {
    let mut model = lru(run.max_size);
    let mut cache = Faulty::new(Fault::HitIsNoUse, Policy::Lru, run.max_size, u64::MAX);
    run.operations.iter().all(|operation| step(&mut cache, &mut model, operation).is_ok())
}

/// Checks that a run is the shortest that exposes the cache: two entries, and a hit of the next victim.
fn is_shortest(run: &Operations) {
    let shortest = [0, 1].map(|key| [Operation::Insert(key, 0), Operation::Insert(1 - key, 0), Operation::Get(key)]);
    assert!(shortest.iter().any(|shortest| run.operations == shortest), "{run:?}");
    assert_eq!(run.max_size, 2);
}

#[test]
fn every_kind_is_drawn_and_those_of_expiry_only_where_the_clock_is_set() {
    let drawn = |limits| runs(limits).flat_map(|run| kinds(&run)).collect::<HashSet<_>>();
    let timeless = Limits::new();
    let expiring = Limits { times: 3, ..timeless };
    assert_eq!(drawn(expiring), OperationKind::ALL.into_iter().collect::<HashSet<_>>());
    let of_expiry = HashSet::from([OperationKind::SetTime, OperationKind::RemoveExpired]);
    assert_eq!(&drawn(timeless) | &of_expiry, drawn(expiring));
    assert_eq!(&drawn(timeless) & &of_expiry, HashSet::new());
}

#[test]
fn the_limits_are_kept_and_reached() {
    let limits = Limits { keys: 5, max_size: 3, operations: 40, times: 4, ..Limits::new() };
    let all: Vec<_> = runs(limits).collect();
    let operations = || all.iter().flat_map(|run| &run.operations);
    assert_eq!(operations().filter_map(Operation::key).max(), Some(&4));
    assert_eq!(all.iter().map(|run| run.operations.len()).max(), Some(40));
    let numbers =
        |number: fn(&Operation<u8, u64>) -> Option<u64>| operations().filter_map(number).collect::<HashSet<_>>();
    let sizes =
        numbers(|operation| if let Operation::SetMaxSize(size) = operation { Some(*size as u64) } else { None });
    assert_eq!(sizes, HashSet::from([0, 1, 2, 3]));
    let times = numbers(|operation| if let Operation::SetTime(time) = operation { Some(*time) } else { None });
    assert_eq!(times, HashSet::from([0, 1, 2, 3]));
    assert_eq!(all.iter().map(|run| run.max_size).collect::<HashSet<_>>(), HashSet::from([0, 1, 2, 3]));
}

/// Returns every bound of a run.
fn bounds(run: &Operations) -> impl Iterator<Item = usize> + '_ {
    let set = run
        .operations
        .iter()
        .filter_map(|operation| if let Operation::SetMaxSize(max_size) = operation { Some(*max_size) } else { None });
    set.chain([run.max_size])
}

#[test]
fn no_bound_is_below_the_least_one() {
    let limits = Limits { min_size: 2, max_size: 4, ..Limits::new() };
    assert_eq!(runs(limits).flat_map(|run| bounds(&run).collect::<Vec<_>>()).collect::<HashSet<_>>(), [2, 3, 4].into());
    let one = Limits { min_size: 3, max_size: 1, ..limits };
    assert!(runs(one).all(|run| bounds(&run).all(|bound| bound == 3)), "the least bound is the only one");
    let read = |bytes: &[u8]| generate::arbitrary::operations(&mut Unstructured::new(bytes), limits, lru).max_size;
    assert_eq!((read(&[]), read(&[1; 64])), (2, 3));
}

#[test]
fn proptest_shrinks_no_bound_below_the_least_one() {
    let limits = Limits { min_size: 2, ..Limits::new() };
    let tried = RefCell::new(HashSet::new());
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let found = TestRunner::new(config).run(&generate::proptest::operations(limits, lru), |run| {
        tried.borrow_mut().extend(bounds(&run));
        let sets = |operation: &Operation<u8, u64>| operation.kind() == OperationKind::SetMaxSize;
        if run.operations.iter().any(sets) { Err(TestCaseError::fail("a bound is set")) } else { Ok(()) }
    });
    let Err(TestError::Fail(_, run)) = found else { panic!("{found:?}") };
    assert_eq!(run, Operations { max_size: 2, operations: vec![Operation::SetMaxSize(2)] });
    assert_eq!(tried.borrow().iter().min(), Some(&2));
}

#[test]
fn four_of_five_drawn_keys_are_present() {
    // So many keys that any other key is absent.
    let limits = Limits { keys: 255, ..Limits::new() };
    let (mut present, mut all) = (0, 0);
    for run in runs(limits) {
        let mut model = lru(run.max_size);
        for operation in &run.operations {
            if let (Operation::Get(key) | Operation::Peek(key) | Operation::Remove(key), 1..) = (operation, model.len())
            {
                all += 1;
                present += usize::from(model.contains_key(key));
            }
            operation.apply(&mut model);
        }
    }
    assert!((78..84).contains(&(present * 100 / all)), "{present} of {all}");
}

#[test]
fn the_mix_differs_between_runs() {
    let long: Vec<_> = runs(Limits::new()).filter(|run| run.operations.len() > 60).collect();
    let without = |kind| long.iter().filter(|run| !kinds(run).contains(&kind)).count();
    for kind in [OperationKind::Get, OperationKind::Remove, OperationKind::Pop, OperationKind::SetMaxSize] {
        // About one run in five has none of a kind.
        assert!(
            (long.len() / 10..long.len() / 2).contains(&without(kind)),
            "{kind:?}: {} of {}",
            without(kind),
            long.len()
        );
    }
    assert!(without(OperationKind::Insert) * 50 < long.len(), "{}", without(OperationKind::Insert));
}

#[test]
fn equal_seeds_give_equal_runs() {
    assert!(runs(Limits::new()).eq(runs(Limits::new())));
    // Other seeds give other runs, but for the shortest.
    let longer: Vec<_> = runs(Limits::new()).filter(|run| run.operations.len() > 2).collect();
    assert!(longer.len() > 380);
    assert_eq!(longer.iter().collect::<HashSet<_>>().len(), longer.len());
}

#[test]
fn proptest_shrinks_to_a_shortest_run() {
    let config = Config { cases: 1_000, failure_persistence: None, ..Config::default() };
    let found = TestRunner::new(config).run(&generate::proptest::operations(Limits::new(), lru), |run| {
        if is_correct(&run) { Ok(()) } else { Err(TestCaseError::fail("a difference")) }
    });
    let Err(TestError::Fail(_, run)) = found else { panic!("{found:?}") };
    is_shortest(&run);
}

#[test]
fn quickcheck_shrinks_to_a_shortest_run() {
    thread_local!(static FAILED: RefCell<Option<Operations>> = const { RefCell::new(None) });

    // The last run that fails is the one that quickcheck reports.
    fn property(run: Operations) -> bool {
        let is_correct = is_correct(&run);
        if !is_correct {
            FAILED.set(Some(run));
        }
        is_correct
    }

    assert!(QuickCheck::new().tests(1_000).quicktest(property as fn(Operations) -> bool).is_err());
    is_shortest(&FAILED.take().expect("a run has failed"));
}

#[test]
fn keys_and_numbers_of_every_operation_shrink() {
    let is_large = |operation: &Operation<u8, u64>| match *operation {
        Operation::Insert(key, value) | Operation::GetOrInsert(key, value) | Operation::GetMut(key, value) => {
            key >= 2 && value >= 3
        }
        Operation::SetMaxSize(max_size) => max_size >= 3,
        Operation::Iterate(bits) | Operation::Retain(bits) | Operation::Drain(bits) => bits >= 3,
        Operation::SetTime(time) => time >= 3,
        _ => false,
    };
    let shrunk = [
        Operation::Insert(2, 3),
        Operation::GetOrInsert(2, 3),
        Operation::GetMut(2, 3),
        Operation::SetMaxSize(3),
        Operation::Iterate(3),
        Operation::Retain(3),
        Operation::Drain(3),
        Operation::SetTime(3),
    ];
    let runs = generate::proptest::operations(Limits { times: 9, ..Limits::new() }, lru);
    for shortest in shrunk {
        let config = Config { cases: 10_000, failure_persistence: None, ..Config::default() };
        let found = TestRunner::new(config).run(&runs, |run| {
            let fails = |operation: &Operation<u8, u64>| operation.kind() == shortest.kind() && is_large(operation);
            if run.operations.iter().any(fails) { Err(TestCaseError::fail("a large number")) } else { Ok(()) }
        });
        let Err(TestError::Fail(_, run)) = found else { panic!("{found:?}") };
        // A key takes the lowest name that is free, and then a lower one of another key.
        assert_eq!((run.max_size, run.operations), (0, vec![shortest]));
    }
}

#[test]
fn bytes_determine_the_operations_and_end_them() {
    let read = |bytes: &[u8]| Operations::arbitrary(&mut Unstructured::new(bytes)).unwrap();
    let bytes: Vec<u8> = (0..=u8::MAX).map(|byte| byte.wrapping_mul(97)).collect();
    assert_eq!(read(&bytes), read(&bytes));
    assert_eq!(read(&[]), Operations { max_size: 0, operations: Vec::new() });
    let half = read(&bytes[..128]).operations;
    assert_eq!(half[..half.len() - 1], read(&bytes).operations[..half.len() - 1]);
    assert!((30..114).contains(&half.len()), "one to three bytes for each: {}", half.len());
}

#[test]
fn a_mix_draws_the_operations_of_a_run_one_by_one() {
    let mut bytes = Unstructured::new(&[77; 200]);
    let mix = generate::arbitrary::mix(&mut bytes, Limits::new());
    let mut kinds = HashSet::new();
    while !bytes.is_empty() {
        kinds.insert(generate::arbitrary::operation(&mut bytes, &mix, &[3], 7).kind());
    }
    assert!(!kinds.is_empty());
    let seeded: HashSet<_> =
        (0..200).map(|seed| Mix::seeded(Limits::new(), 1).operation(seed, &[3], 7).kind()).collect();
    assert!(seeded.len() > 3);
}
