//! Each operation is counted under the branch that it takes.

use aws_client_cache_spec::check::{Branch, Branches};
use aws_client_cache_spec::model::{OperationKind, Reference};
use aws_client_cache_spec::{InsertionMode, Model, Operation, Policy};

use Operation::{
    Clear, ContainsKey, Copy, Drain, Get, GetMut, GetOrInsert, Insert, Items, Iterate, NextVictim, Peek, Pop, Remove,
    RemoveExpired, Retain, SetMaxSize, SetTime, TryGet,
};

type Step = Operation<u8, u64>;

/// Returns the only branch that the last of some operations takes.
fn branch<R: Reference<u8, u64>>(mut reference: R, steps: &[Step]) -> Branch {
    let (last, before) = steps.split_last().unwrap();
    for step in before {
        Branches::default().apply(&mut reference, step);
    }
    let mut branches = Branches::default();
    branches.apply(&mut reference, last);
    assert_eq!(branches.operations(), 1);
    let taken = branches.all().find(|branch| branches.count(*branch) > 0);
    taken.unwrap_or_else(|| panic!("{last:?} takes no branch that it can take"))
}

/// Returns the branch of an operation on an LRU cache with the keys 1 to `len`. The next victim is 1.
fn lru(max_size: usize, len: u8, last: Step) -> Branch {
    let mut steps: Vec<_> = (1..=len).map(|key| Insert(key, 0)).collect();
    steps.push(last);
    branch(Model::lru(max_size), &steps)
}

#[test]
fn insertions() {
    for insert in [Insert as fn(u8, u64) -> Step, GetOrInsert] {
        assert_eq!(lru(2, 0, insert(9, 0)), Branch::InsertStores);
        assert_eq!(lru(2, 1, insert(9, 0)), Branch::InsertStores);
        assert_eq!(lru(1, 1, insert(9, 0)), Branch::InsertEvicts);
        assert_eq!(lru(2, 2, insert(9, 0)), Branch::InsertEvictsTied);
        assert_eq!(lru(0, 0, insert(9, 0)), Branch::InsertAtZero);
    }
    assert_eq!([1, 2].map(|key| lru(2, 2, Insert(key, 0))), [Branch::InsertRefused; 2]);
    assert_eq!([1, 2].map(|key| lru(2, 2, GetOrInsert(key, 0))), [Branch::HitNextVictim, Branch::Hit]);
    let of_mode = |mode, key| branch(Model::lru(2).with_insertion(mode), &[Insert(1, 0), Insert(2, 0), Insert(key, 1)]);
    let replaces = [Branch::InsertReplacesNextVictim, Branch::InsertReplaces, Branch::InsertEvictsTied];
    assert_eq!([1, 2, 9].map(|key| of_mode(InsertionMode::Replace, key)), replaces);
    let keeps = [Branch::InsertKeeps, Branch::InsertKeeps, Branch::InsertEvictsTied];
    assert_eq!([1, 2, 9].map(|key| of_mode(InsertionMode::KeepFirst, key)), keeps);
    let of_lfu = |used: &[u8]| {
        let uses = used.iter().map(|key| Get(*key));
        let steps: Vec<_> = [Insert(1, 0), Insert(2, 0)].into_iter().chain(uses).chain([Insert(9, 0)]).collect();
        branch(Model::lfu(2), &steps)
    };
    assert_eq!([of_lfu(&[]), of_lfu(&[2])], [Branch::InsertEvictsTied, Branch::InsertEvicts]);
}

#[test]
fn lookups() {
    for get in [Get as fn(u8) -> Step, TryGet, |key| GetMut(key, 1)] {
        assert_eq!([1, 2, 9].map(|key| lru(2, 2, get(key))), [Branch::HitNextVictim, Branch::Hit, Branch::Miss]);
    }
    let saturated = |hits: usize| {
        let steps = [vec![Insert(1, 0)], vec![Get(1); hits]].concat();
        branch(Model::with_max_uses(Policy::Lfu, 2, 3), &steps)
    };
    assert_eq!([saturated(2), saturated(3)], [Branch::HitNextVictim, Branch::HitSaturated]);
    for look in [Peek as fn(u8) -> Step, ContainsKey] {
        assert_eq!([1, 9].map(|key| lru(2, 2, look(key))), [Branch::LookThere, Branch::LookAbsent]);
    }
    assert_eq!([2, 0].map(|len| lru(2, len, NextVictim)), [Branch::LookThere, Branch::LookAbsent]);
    for items in [Items, Iterate(5)] {
        assert_eq!([2, 0].map(|len| lru(2, len, items.clone())), [Branch::Items, Branch::ItemsEmpty]);
    }
    assert_eq!([2, 0].map(|len| lru(2, len, Copy)), [Branch::Copy, Branch::CopyEmpty]);
}

#[test]
fn removals() {
    let removed = [Branch::RemoveNextVictim, Branch::Remove, Branch::RemoveAbsent];
    assert_eq!([1, 2, 9].map(|key| lru(2, 2, Remove(key))), removed);
    assert_eq!([2, 0].map(|len| lru(2, len, Pop)), [Branch::Pop, Branch::PopEmpty]);
    for clear in [Clear, Drain(1)] {
        assert_eq!([2, 0].map(|len| lru(2, len, clear.clone())), [Branch::Clear, Branch::ClearEmpty]);
    }
    let retained = [(255, Branch::RetainAll), (1, Branch::RetainSome), (0, Branch::RetainNone)];
    assert_eq!(retained.map(|(answers, _)| lru(2, 2, Retain(answers))), retained.map(|(_, branch)| branch));
    assert_eq!(lru(2, 0, Retain(0)), Branch::RetainAll);
}

#[test]
fn bounds() {
    let resized = |max_size, len, to| lru(max_size, len, SetMaxSize(to));
    assert_eq!([2, 3].map(|to| resized(2, 2, to)), [Branch::Grow; 2]);
    assert_eq!([(1, 1), (0, 1), (0, 0)].map(|(len, to)| resized(2, len, to)), [Branch::ShrinkFits; 3]);
    assert_eq!([2, 1, 0].map(|to| resized(3, 3, to)), [Branch::ShrinkOne, Branch::ShrinkSeveral, Branch::ShrinkToZero]);
    assert_eq!(resized(3, 1, 0), Branch::ShrinkToZero);
}

/// Returns the branch of an operation on a cache with `keys`. The keys 1 and 2 have expired.
fn expired(keys: &[u8], last: Step) -> Branch {
    let inserts = keys.iter().map(|key| Insert(*key, 0));
    let steps: Vec<_> = inserts.chain([SetTime(5), last]).collect();
    branch(Model::lru(2).with_expiry(1, 4).with_expiry(2, 5).with_expiry(3, 6), &steps)
}

#[test]
fn expired_keys() {
    for key in [1, 2] {
        assert_eq!(
            [expired(&[], Insert(key, 0)), expired(&[key], Insert(key, 0))],
            [Branch::InsertExpired, Branch::InsertExpiredThere]
        );
        let (absent, present) = (expired(&[3], Get(key)), expired(&[key], Get(key)));
        assert_eq!([absent, present], [Branch::Miss, Branch::GetExpired]);
        assert_eq!(expired(&[key], TryGet(key)), Branch::TryGetExpired);
        for look in [Peek as fn(u8) -> Step, ContainsKey] {
            assert_eq!(
                [expired(&[3], look(key)), expired(&[key], look(key))],
                [Branch::LookAbsent, Branch::LookExpired]
            );
        }
    }
    // The key 3 has not expired yet.
    assert_eq!(expired(&[3], Insert(3, 0)), Branch::InsertRefused);
    assert_eq!([Get(3), TryGet(3)].map(|get| expired(&[3], get)), [Branch::HitNextVictim; 2]);
    assert_eq!([Peek(3), ContainsKey(3)].map(|look| expired(&[3], look)), [Branch::LookThere; 2]);
    for insert in [Insert as fn(u8, u64) -> Step, GetOrInsert] {
        assert_eq!(expired(&[3, 1], insert(9, 0)), Branch::InsertSparesExpired);
        assert_eq!(expired(&[1, 3], insert(9, 0)), Branch::InsertEvictsTied, "the victim has expired itself");
        assert_eq!(expired(&[3, 4], insert(9, 0)), Branch::InsertEvictsTied);
        assert_eq!(expired(&[1], insert(9, 0)), Branch::InsertStores);
    }
    let replacing = Model::lru(2).with_insertion(InsertionMode::Replace).with_expiry(1, 4);
    let steps = [Insert(3, 0), Insert(1, 0), SetTime(5), Insert(3, 1)];
    assert_eq!(branch(replacing, &steps), Branch::InsertReplacesNextVictim, "nothing is evicted");
    let removed = [&[3, 4][..], &[1, 3], &[1, 2], &[]].map(|keys| expired(keys, RemoveExpired));
    assert_eq!(removed, [Branch::ExpireNone, Branch::ExpireSome, Branch::ExpireAll, Branch::ExpireNone]);
}

#[test]
fn times() {
    let set = [6, 5, 4].map(|to| expired(&[], SetTime(to)));
    assert_eq!(set, [Branch::TimeForth, Branch::TimeForth, Branch::TimeBack]);
}

/// Applies operations to a reference, and returns their branches.
fn branches<R: Reference<u8, u64>>(mut reference: R, steps: &[Step]) -> Branches {
    let mut branches = Branches::default();
    for step in steps {
        branches.apply(&mut reference, step);
    }
    branches
}

#[test]
fn counts_are_added() {
    let one = branches(Model::lru(1), &[Insert(1, 0), Get(1), Get(1)]);
    let steps = [Insert(1, 0), Insert(1, 1), Get(1), Insert(2, 0), Retain(1)];
    let other = branches(Model::lfuda(1).with_insertion(InsertionMode::Replace), &steps);
    let mut sum = Branches::default();
    sum += one;
    sum += other;
    assert_eq!((one.operations(), other.operations(), sum.operations()), (3, 5, 8));
    assert!(Branch::OF_AGING.into_iter().any(|branch| other.count(branch) > 0));
    let all: Vec<_> = sum.all().collect();
    for branch in Branch::ALL.into_iter().chain(Branch::OF_INSERTION).chain(Branch::OF_AGING).chain(Branch::OF_RETAIN) {
        assert_eq!(sum.count(branch), one.count(branch) + other.count(branch), "{branch:?}");
        let is_possible = |branches: &Branches| branches.all().any(|possible| possible == branch);
        assert_eq!(all.contains(&branch), is_possible(&one) || is_possible(&other), "{branch:?}");
        assert_eq!(sum.never().any(|never| never == branch), all.contains(&branch) && sum.count(branch) == 0);
    }
    let mut twice = other;
    twice += other;
    assert!(twice.all().eq(other.all()));
    let kinds = [OperationKind::Insert, OperationKind::Get, OperationKind::Retain];
    assert_eq!(kinds.map(|kind| one.answered().contains(kind)), [true, true, false]);
    assert_eq!(kinds.map(|kind| sum.answered().contains(kind)), [true; 3]);
}

#[test]
fn a_branch_is_possible_only_if_the_cache_distinguishes_it() {
    let all = |branches: Branches| branches.all().collect::<Vec<_>>();
    let nothing = all(Branches::default());
    assert!(nothing.contains(&Branch::InsertRefused), "the mode is unknown, and the default one is assumed");
    assert!(Branch::OF_INSERTION.iter().all(|branch| !nothing.contains(branch)));
    let unasked = all(branches(Model::lru(1), &[Get(1)]));
    assert!(Branch::OF_RETAIN.iter().all(|branch| !unasked.contains(branch)));
    let asked = all(branches(Model::lru(1), &[Retain(1)]));
    assert!(Branch::OF_RETAIN.iter().all(|branch| asked.contains(branch)));
    for answers in [0, 0xFF] {
        let equal = all(branches(Model::lru(1), &[Retain(answers)]));
        assert!(equal.contains(&Branch::RetainAll) && !equal.contains(&Branch::RetainSome), "{equal:?}");
    }
}

#[test]
fn a_line_for_each_branch_shows_its_count() {
    let replacing = Model::lru(1).with_insertion(InsertionMode::Replace);
    let shown = branches(replacing, &[Insert(1, 0), Insert(1, 1), Get(9), Get(9)]).to_string();
    let lines: Vec<_> = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(lines.len(), Branch::ALL.len() + 1);
    for (branch, count) in [("InsertStores", "1"), ("InsertReplacesNextVictim", "1"), ("Miss", "2"), ("Hit", "0")] {
        assert!(lines.contains(&vec![branch, count]), "{branch} {count}\n{shown}");
    }
}
