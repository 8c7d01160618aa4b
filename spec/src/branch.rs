//! Branch coverage of a run: how often each operation took each of its branches.

use std::fmt;

use crate::model::{EvictionPolicy, InsertionMode, Model};
use crate::operation::{Operation, OperationKinds, Outcome, Refusal};
use crate::subject::Subject;

/// A branch of an operation, as the rules distinguish it.
///
/// [`Branches`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Branch {
    // D2.
    /// An insertion with room to spare.
    InsertStores,
    // D2.
    /// An insertion that evicts.
    InsertEvicts,
    // F1.
    /// An insertion that evicts one of several entries with the lowest count.
    InsertEvictsTied,
    // D1, D2.
    /// An insertion at a bound of 0.
    InsertAtZero,
    // D3.
    /// A refused insertion.
    InsertRefused,
    // D4.
    /// A hit.
    Hit,
    // D4.
    /// A hit of the next victim.
    HitNextVictim,
    // F1.
    /// A hit of an entry whose count is saturated.
    HitSaturated,
    // D4.
    /// A miss.
    Miss,
    // D5.
    /// A peek or a question about an entry that is present.
    LookThere,
    // D5.
    /// A peek or a question about an absent entry.
    LookAbsent,
    // D6.
    /// A removal of the next victim.
    RemoveNextVictim,
    // D6.
    /// A removal from elsewhere.
    Remove,
    // D6.
    /// A removal of an absent key.
    RemoveAbsent,
    // D6.
    /// The next victim popped.
    Pop,
    // D6.
    /// Nothing to pop.
    PopEmpty,
    /// A cache with entries is cleared.
    Clear,
    /// An empty cache is cleared.
    ClearEmpty,
    // D8.
    /// A copy of a cache with entries.
    Copy,
    // D8.
    /// A copy of an empty cache.
    CopyEmpty,
    // D9.
    /// A bound that is no lower.
    Grow,
    // D9.
    /// A lower bound that all entries fit.
    ShrinkFits,
    // D9.
    /// One entry is evicted by a lower bound.
    ShrinkOne,
    // D9.
    /// Several entries are evicted by a lower bound, and some are left.
    ShrinkSeveral,
    // D9.
    /// All entries are evicted by a bound of 0.
    ShrinkToZero,
    // D7.
    /// A snapshot of a cache with entries.
    Items,
    // D7.
    /// A snapshot of an empty cache.
    ItemsEmpty,
    // E2.
    /// A refused insertion of an expired key that is absent.
    InsertExpired,
    // E2.
    /// A refused insertion of an expired key that is present.
    InsertExpiredThere,
    // E4.
    /// An insertion that evicts the next victim, and leaves an expired entry.
    InsertSparesExpired,
    // E3.
    /// A look-up of an expired entry, reported as a miss.
    GetExpired,
    // E3.
    /// A look-up of an expired entry, reported as an error.
    TryGetExpired,
    // E4.
    /// A peek or a question about an expired entry.
    LookExpired,
    // E4.
    /// A removal of all expired entries, of which there are none.
    ExpireNone,
    // E4.
    /// A removal of all expired entries that leaves others.
    ExpireSome,
    // E4.
    /// A removal of all expired entries that leaves none.
    ExpireAll,
    // E5.
    /// The clock is set to a later time, or to the same one.
    TimeForth,
    // E5.
    /// The clock is set back.
    TimeBack,
    // F2: these are counted in addition to the branch above that the operation takes.
    /// An insertion whose victim raises the floor from 0.
    InsertRaisesFloor,
    /// An insertion whose victim raises the floor once more.
    InsertRaisesFloorAgain,
    /// An insertion with room to spare, above a floor.
    InsertAboveFloor,
    /// An insertion at a bound of 0, which leaves the floor.
    InsertAtZeroLeavesFloor,
    /// A removal of an entry above the floor, which leaves it.
    RemoveLeavesFloor,
    /// A next victim popped from above the floor, which leaves it.
    PopLeavesFloor,
    /// A floor reset by clearing.
    ClearResetsFloor,
    /// A floor copied.
    CopyKeepsFloor,
    /// A floor raised by a lower bound.
    ShrinkRaisesFloor,
    // D13.
    /// An insertion that replaces the value of the next victim.
    InsertReplacesNextVictim,
    // D13.
    /// An insertion that replaces another value.
    InsertReplaces,
    // D14.
    /// An insertion that leaves a present entry unchanged.
    InsertKeeps,
}

impl Branch {
    /// All branches where nothing expires, and present keys are refused.
    pub const ALL: [Self; 27] = [
        Self::InsertStores,
        Self::InsertEvicts,
        Self::InsertEvictsTied,
        Self::InsertAtZero,
        Self::InsertRefused,
        Self::Hit,
        Self::HitNextVictim,
        Self::HitSaturated,
        Self::Miss,
        Self::LookThere,
        Self::LookAbsent,
        Self::RemoveNextVictim,
        Self::Remove,
        Self::RemoveAbsent,
        Self::Pop,
        Self::PopEmpty,
        Self::Clear,
        Self::ClearEmpty,
        Self::Copy,
        Self::CopyEmpty,
        Self::Grow,
        Self::ShrinkFits,
        Self::ShrinkOne,
        Self::ShrinkSeveral,
        Self::ShrinkToZero,
        Self::Items,
        Self::ItemsEmpty,
    ];

    /// The branches that only an order distinguishes.
    ///
    /// A [`dict()`](crate::dict()) takes others in their place: [`InsertEvicts`](Self::InsertEvicts), [`Hit`](Self::Hit)
    /// and [`Remove`](Self::Remove).
    pub const OF_ORDER: [Self; 4] =
        [Self::InsertEvictsTied, Self::HitNextVictim, Self::HitSaturated, Self::RemoveNextVictim];

    /// The branches that exist only where keys expire.
    pub const OF_EXPIRY: [Self; 11] = [
        Self::InsertExpired,
        Self::InsertExpiredThere,
        Self::InsertSparesExpired,
        Self::GetExpired,
        Self::TryGetExpired,
        Self::LookExpired,
        Self::ExpireNone,
        Self::ExpireSome,
        Self::ExpireAll,
        Self::TimeForth,
        Self::TimeBack,
    ];

    /// The branches that exist only under [`EvictionPolicy::Lfuda`].
    pub const OF_AGING: [Self; 9] = [
        Self::InsertRaisesFloor,
        Self::InsertRaisesFloorAgain,
        Self::InsertAboveFloor,
        Self::InsertAtZeroLeavesFloor,
        Self::RemoveLeavesFloor,
        Self::PopLeavesFloor,
        Self::ClearResetsFloor,
        Self::CopyKeepsFloor,
        Self::ShrinkRaisesFloor,
    ];

    /// The branches of other insertion modes, in place of [`InsertRefused`](Self::InsertRefused).
    pub const OF_INSERTION: [Self; 3] = [Self::InsertReplacesNextVictim, Self::InsertReplaces, Self::InsertKeeps];

    /// Returns the insertion mode of a branch that exists under one only.
    fn insertion(self) -> Option<InsertionMode> {
        match self {
            Self::InsertRefused => Some(InsertionMode::Refuse),
            Self::InsertReplacesNextVictim | Self::InsertReplaces => Some(InsertionMode::Replace),
            Self::InsertKeeps => Some(InsertionMode::KeepFirst),
            _ => None,
        }
    }

    /// Returns the branch of an operation that was applied to `before`, with its outcome.
    fn of(before: &Model<u8, u64>, operation: &Operation<u8, u64>, outcome: &Outcome<u8, u64>) -> Self {
        let next_victim = before.keys().first().copied();
        let uses = |key: u8| before.entries.iter().find(|entry| entry.key == key).map(|entry| entry.uses);
        if let Some(branch) = Self::of_expired(before, operation, outcome) {
            return branch;
        }
        match (operation, outcome) {
            (Operation::Insert(..), Outcome::Refused(_)) => Self::InsertRefused,
            (Operation::Insert(..), _) if before.max_size() == 0 => Self::InsertAtZero,
            (Operation::Insert(key, _), _) if before.contains_key(key) => match before.insertion {
                InsertionMode::KeepFirst => Self::InsertKeeps,
                _ if next_victim == Some(*key) => Self::InsertReplacesNextVictim,
                _ => Self::InsertReplaces,
            },
            (Operation::Insert(..), Outcome::Evicted(victims)) if !victims.is_empty() => {
                let lowest = before.entries.iter().map(|entry| entry.uses).min();
                let tied = before.entries.iter().filter(|entry| Some(entry.uses) == lowest).count();
                if tied > 1 { Self::InsertEvictsTied } else { Self::InsertEvicts }
            }
            (Operation::Insert(..), _) => Self::InsertStores,
            (Operation::Get(key) | Operation::TryGet(key), Outcome::Value(Some(_))) => match uses(*key) {
                Some(uses) if uses == before.max_uses => Self::HitSaturated,
                _ if next_victim == Some(*key) => Self::HitNextVictim,
                _ => Self::Hit,
            },
            (Operation::Get(_) | Operation::TryGet(_), _) => Self::Miss,
            (Operation::Peek(_), Outcome::Value(Some(_))) | (Operation::ContainsKey(_), Outcome::Answer(true)) => {
                Self::LookThere
            }
            (Operation::Peek(_) | Operation::ContainsKey(_), _) => Self::LookAbsent,
            (Operation::Remove(_), Outcome::Refused(_)) => Self::RemoveAbsent,
            (Operation::Remove(key), _) if next_victim == Some(*key) => Self::RemoveNextVictim,
            (Operation::Remove(_), _) => Self::Remove,
            (Operation::Pop, Outcome::Refused(_)) => Self::PopEmpty,
            (Operation::Pop, _) => Self::Pop,
            (Operation::Clear, _) if before.is_empty() => Self::ClearEmpty,
            (Operation::Clear, _) => Self::Clear,
            (Operation::Copy, _) if before.is_empty() => Self::CopyEmpty,
            (Operation::Copy, _) => Self::Copy,
            (Operation::SetMaxSize(max_size), _) if *max_size >= before.max_size() => Self::Grow,
            (Operation::SetMaxSize(0), Outcome::Evicted(victims)) if !victims.is_empty() => Self::ShrinkToZero,
            (Operation::SetMaxSize(_), Outcome::Evicted(victims)) => match victims.len() {
                0 => Self::ShrinkFits,
                1 => Self::ShrinkOne,
                _ => Self::ShrinkSeveral,
            },
            (Operation::SetMaxSize(_), _) => Self::ShrinkFits,
            (Operation::Items, _) if before.is_empty() => Self::ItemsEmpty,
            (Operation::Items, _) => Self::Items,
            (Operation::SetTime(now), _) if *now < before.now() => Self::TimeBack,
            (Operation::SetTime(_), _) => Self::TimeForth,
            (Operation::RemoveExpired, Outcome::Entries(removed)) if !removed.is_empty() => {
                if removed.len() == before.len() { Self::ExpireAll } else { Self::ExpireSome }
            }
            (Operation::RemoveExpired, _) => Self::ExpireNone,
        }
    }

    /// Returns the same for an operation that would take another branch if nothing were expired.
    fn of_expired(before: &Model<u8, u64>, operation: &Operation<u8, u64>, outcome: &Outcome<u8, u64>) -> Option<Self> {
        let is_expired = |key: u8| before.expiry.is_past(&key);
        let is_there = |key: u8| before.position(&key).is_some();
        let was_there = operation.key().is_some_and(|key| is_expired(*key) && is_there(*key));
        match (operation, outcome) {
            (Operation::Insert(..), Outcome::Refused(Refusal::Expired)) if was_there => Some(Self::InsertExpiredThere),
            (Operation::Insert(..), Outcome::Refused(Refusal::Expired)) => Some(Self::InsertExpired),
            (Operation::Insert(..), Outcome::Evicted(victims)) => {
                let spares = |(victim, _): &(u8, u64)| {
                    is_there(*victim)
                        && operation.key() != Some(victim)
                        && !is_expired(*victim)
                        && before.entries.iter().any(|entry| is_expired(entry.key))
                };
                victims.first().is_some_and(spares).then_some(Self::InsertSparesExpired)
            }
            (Operation::Get(_), _) if was_there => Some(Self::GetExpired),
            (Operation::TryGet(_), _) if was_there => Some(Self::TryGetExpired),
            (Operation::Peek(_) | Operation::ContainsKey(_), _) if was_there => Some(Self::LookExpired),
            _ => None,
        }
    }

    /// Returns the branch of a dict without an order.
    fn without_order(self) -> Self {
        match self {
            Self::InsertEvictsTied => Self::InsertEvicts,
            Self::HitNextVictim | Self::HitSaturated => Self::Hit,
            Self::RemoveNextVictim => Self::Remove,
            Self::InsertReplacesNextVictim => Self::InsertReplaces,
            other => other,
        }
    }

    /// Returns the branch of aging that an operation took in addition, from `before` to `after`.
    fn of_aging(before: &Model<u8, u64>, operation: &Operation<u8, u64>, after: &Model<u8, u64>) -> Option<Self> {
        let is_gone = |key: &u8| after.position(key).is_none();
        let gone = before.entries.iter().find(|entry| is_gone(&entry.key));
        let raises = after.floor > before.floor;
        let leaves = before.floor > 0 && gone.is_some_and(|entry| entry.uses != before.floor);
        let stores = after.len() > before.len();
        match operation {
            Operation::Insert(..) if raises && before.floor == 0 => Some(Self::InsertRaisesFloor),
            Operation::Insert(..) if raises => Some(Self::InsertRaisesFloorAgain),
            Operation::Insert(..) if stores && before.floor > 0 => Some(Self::InsertAboveFloor),
            Operation::Insert(..) if before.max_size == 0 && before.floor > 0 => Some(Self::InsertAtZeroLeavesFloor),
            Operation::Remove(_) if leaves => Some(Self::RemoveLeavesFloor),
            Operation::Pop if leaves => Some(Self::PopLeavesFloor),
            Operation::Clear if before.floor > 0 => Some(Self::ClearResetsFloor),
            Operation::Copy if before.floor > 0 => Some(Self::CopyKeepsFloor),
            Operation::SetMaxSize(_) if raises => Some(Self::ShrinkRaisesFloor),
            _ => None,
        }
    }
}

/// The number of times that each [`Branch`] was taken.
///
/// A level counts compared operations only: not those that the cache does not have, nor those in which it declares a
/// [`Difference`](crate::Difference).
///
/// ```
/// use aws_client_cache_spec::{Branch, Branches, EvictionPolicy, Model, Operation};
///
/// let mut branches = Branches::default();
/// let mut model = Model::new(EvictionPolicy::Lru, 1);
/// branches.apply(&mut model, &Operation::Insert(1, 10));
/// branches.apply(&mut model, &Operation::Insert(2, 20));
/// assert_eq!(branches.count(Branch::InsertEvicts), 1);
/// assert_eq!(branches.operations(), 2);
/// assert!(branches.never().any(|branch| branch == Branch::Miss));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Branches {
    taken: [u64; Self::NUMBER],
    answered: OperationKinds,
    /// Is `true` if a model was followed, which has an order, and not only a dict.
    ordered: bool,
    /// Is `true` for each insertion mode that a model or dict had.
    insertions: [bool; InsertionMode::ALL.len()],
    // F2.
    /// Is `true` if a model had the policy that ages.
    ages: bool,
}

/// Creates counts of 0.
impl Default for Branches {
    fn default() -> Self {
        Self { taken: [0; _], answered: OperationKinds::default(), ordered: false, insertions: [false; _], ages: false }
    }
}

impl Branches {
    const NUMBER: usize =
        Branch::ALL.len() + Branch::OF_EXPIRY.len() + Branch::OF_AGING.len() + Branch::OF_INSERTION.len();

    /// Applies an operation to a model, and counts the branch that it takes.
    ///
    /// The type shows an example.
    pub fn apply(&mut self, model: &mut Model<u8, u64>, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        let before = model.clone();
        let outcome = operation.apply(model);
        self.add(&before, operation, &outcome, model);
        outcome
    }

    /// Counts the branch of an operation that led from one model to another.
    pub(crate) fn add(
        &mut self,
        before: &Model<u8, u64>,
        operation: &Operation<u8, u64>,
        outcome: &Outcome<u8, u64>,
        after: &Model<u8, u64>,
    ) {
        self.ordered = true;
        self.insertions[before.insertion as usize] = true;
        self.answered.insert(operation.kind());
        self.taken[Branch::of(before, operation, outcome) as usize] += 1;
        if after.policy == EvictionPolicy::Lfuda {
            self.ages = true;
            if let Some(branch) = Branch::of_aging(before, operation, after) {
                self.taken[branch as usize] += 1;
            }
        }
    }

    /// Counts the branch of an operation of a dict without an order.
    pub(crate) fn add_without_order(
        &mut self,
        before: &Model<u8, u64>,
        operation: &Operation<u8, u64>,
        outcome: &Outcome<u8, u64>,
    ) {
        self.insertions[before.insertion as usize] = true;
        self.answered.insert(operation.kind());
        self.taken[Branch::of(before, operation, outcome).without_order() as usize] += 1;
    }

    /// Returns the kinds of the compared operations.
    ///
    /// [`OperationKinds`] shows an example.
    pub fn answered(&self) -> OperationKinds {
        self.answered
    }

    /// Returns the number of times that a branch was taken.
    ///
    /// The type shows an example.
    pub fn count(&self, branch: Branch) -> u64 {
        self.taken[branch as usize]
    }

    /// Returns the number of operations.
    ///
    /// The type shows an example.
    pub fn operations(&self) -> u64 {
        let exclusive = Branch::ALL.into_iter().chain(Branch::OF_EXPIRY).chain(Branch::OF_INSERTION);
        exclusive.map(|branch| self.count(branch)).sum()
    }

    /// Returns the branches that can be taken.
    ///
    /// Those [of order](Branch::OF_ORDER) are included only if a model was followed, and not a dict. Of those [of
    /// insertion](Branch::OF_INSERTION) and [`Branch::InsertRefused`], those of each mode that occurred are. Those [of
    /// expiry](Branch::OF_EXPIRY) are included only if one of them was taken, those [of aging](Branch::OF_AGING) only if
    /// a model had the policy [`EvictionPolicy::Lfuda`].
    ///
    /// ```
    /// # use aws_client_cache_spec::{Branch, Branches, EvictionPolicy, Model, Operation};
    /// let mut branches = Branches::default();
    /// branches.apply(&mut Model::new(EvictionPolicy::Lfu, 1), &Operation::Clear);
    /// assert_eq!(branches.all().count(), Branch::ALL.len());
    /// branches.apply(&mut Model::new(EvictionPolicy::Lfuda, 1), &Operation::Clear);
    /// assert_eq!(branches.all().count(), Branch::ALL.len() + Branch::OF_AGING.len());
    /// ```
    pub fn all(&self) -> impl Iterator<Item = Branch> {
        let expires = Branch::OF_EXPIRY.into_iter().any(|branch| self.count(branch) > 0);
        let of_expiry = Branch::OF_EXPIRY.into_iter().filter(move |_| expires);
        let ages = self.ages;
        let of_aging = Branch::OF_AGING.into_iter().filter(move |_| ages);
        let ordered = self.ordered;
        let only_ordered =
            |branch: &Branch| Branch::OF_ORDER.contains(branch) || *branch == Branch::InsertReplacesNextVictim;
        let (insertions, any) = (self.insertions, self.insertions.contains(&true));
        let of_mode = move |branch: &Branch| {
            branch.insertion().is_none_or(|mode| insertions[mode as usize] || (!any && mode == InsertionMode::Refuse))
        };
        let of_all = Branch::ALL.into_iter().chain(Branch::OF_INSERTION);
        let of_all = of_all.filter(move |branch| ordered || !only_ordered(branch)).filter(of_mode);
        of_all.chain(of_expiry).chain(of_aging)
    }

    /// Returns the branches of [all](Self::all) that were never taken.
    ///
    /// The type shows an example.
    pub fn never(&self) -> impl Iterator<Item = Branch> {
        self.all().filter(|branch| self.count(*branch) == 0)
    }
}

impl std::ops::AddAssign for Branches {
    fn add_assign(&mut self, other: Self) {
        self.taken.iter_mut().zip(other.taken).for_each(|(count, more)| *count += more);
        self.answered |= other.answered;
        self.ordered |= other.ordered;
        self.insertions.iter_mut().zip(other.insertions).for_each(|(mode, more)| *mode |= more);
        self.ages |= other.ages;
    }
}

/// Formats the branches that were taken, by name.
impl fmt::Debug for Branches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.all().filter(|branch| self.count(*branch) > 0);
        f.debug_map().entries(taken.map(|branch| (branch, self.count(branch)))).finish()
    }
}

/// A line for each branch.
///
/// Of those [of insertion](Branch::OF_INSERTION), [of expiry](Branch::OF_EXPIRY) and [of aging](Branch::OF_AGING), there
/// is one for each that was taken.
impl fmt::Display for Branches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = Branch::OF_INSERTION.into_iter().chain(Branch::OF_EXPIRY).chain(Branch::OF_AGING);
        let others = others.filter(|branch| self.count(*branch) > 0);
        Branch::ALL.into_iter().chain(others).try_for_each(|branch| {
            let name = format!("{branch:?}");
            writeln!(f, "{name:<24}{:>10}", self.count(branch))
        })
    }
}
