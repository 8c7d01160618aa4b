//! The branches of operations, as the rules distinguish them.

use crate::model::InsertionMode;
use crate::operation::{Operation, Outcome, Refusal, pattern};

/// A branch of an operation, as the rules distinguish it.
///
/// [`Branches`](crate::check::Branches) shows an example.
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
    // D12.
    /// A predicate that rejects no entry.
    RetainAll,
    // D12.
    /// A predicate that rejects some entries.
    RetainSome,
    // D12.
    /// A predicate that rejects all entries.
    RetainNone,
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
    /// A [`dict()`](crate::check::dict()) takes others in their place: [`InsertEvicts`](Self::InsertEvicts), [`Hit`](Self::Hit)
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

    /// The branches that exist only under [`Policy::Lfuda`](crate::Policy).
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

    /// The branches of [`Operation::Retain`], which exist only where a cache has it.
    pub const OF_RETAIN: [Self; 3] = [Self::RetainAll, Self::RetainSome, Self::RetainNone];

    /// Returns the insertion mode of a branch that exists under one only.
    pub(crate) fn insertion(self) -> Option<InsertionMode> {
        match self {
            Self::InsertRefused => Some(InsertionMode::Refuse),
            Self::InsertReplacesNextVictim | Self::InsertReplaces => Some(InsertionMode::Replace),
            Self::InsertKeeps => Some(InsertionMode::KeepFirst),
            _ => None,
        }
    }

    /// Returns the branch of an operation that was applied to `before`, with its outcome.
    pub(crate) fn of(before: &Before<'_>, operation: &Operation<u8, u64>, outcome: &Outcome<u8, u64>) -> Self {
        if let Some(branch) = Self::of_expired(before, operation, outcome) {
            return branch;
        }
        let next_victim = before.entries.first().map(|(key, _)| *key);
        let (is_empty, max_size) = (before.entries.is_empty(), before.max_size);
        match (operation, outcome) {
            (Operation::Insert(..), Outcome::Refused(_)) => Self::InsertRefused,
            (Operation::Insert(..), _) if max_size == 0 => Self::InsertAtZero,
            (Operation::Insert(key, _), Outcome::Evicted(replaced)) if before.holds(*key) => match next_victim {
                _ if replaced.is_empty() => Self::InsertKeeps,
                Some(next) if next == *key => Self::InsertReplacesNextVictim,
                _ => Self::InsertReplaces,
            },
            (Operation::Insert(..), Outcome::Evicted(victims)) if !victims.is_empty() => Self::InsertEvicts,
            (Operation::GetOrInsert(key, _), Outcome::Found(..)) if before.holds(*key) => {
                if next_victim == Some(*key) {
                    Self::HitNextVictim
                } else {
                    Self::Hit
                }
            }
            (Operation::GetOrInsert(..), Outcome::Found(..)) if max_size == 0 => Self::InsertAtZero,
            (Operation::GetOrInsert(..), Outcome::Found(_, victims)) if !victims.is_empty() => Self::InsertEvicts,
            (Operation::Insert(..) | Operation::GetOrInsert(..), _) => Self::InsertStores,
            (Operation::Get(key) | Operation::TryGet(key) | Operation::GetMut(key, _), Outcome::Value(Some(_))) => {
                if next_victim == Some(*key) {
                    Self::HitNextVictim
                } else {
                    Self::Hit
                }
            }
            (Operation::Get(_) | Operation::TryGet(_) | Operation::GetMut(..), _) => Self::Miss,
            (Operation::Peek(_), Outcome::Value(Some(_)))
            | (Operation::ContainsKey(_), Outcome::Answer(true))
            | (Operation::NextVictim, Outcome::Entry(..)) => Self::LookThere,
            (Operation::Peek(_) | Operation::ContainsKey(_) | Operation::NextVictim, _) => Self::LookAbsent,
            (Operation::Remove(_), Outcome::Refused(_)) => Self::RemoveAbsent,
            (Operation::Remove(key), _) if next_victim == Some(*key) => Self::RemoveNextVictim,
            (Operation::Remove(_), _) => Self::Remove,
            (Operation::Pop, Outcome::Refused(_)) => Self::PopEmpty,
            (Operation::Pop, _) => Self::Pop,
            (Operation::Clear | Operation::Drain(_), _) if is_empty => Self::ClearEmpty,
            (Operation::Clear | Operation::Drain(_), _) => Self::Clear,
            (Operation::Copy, _) if is_empty => Self::CopyEmpty,
            (Operation::Copy, _) => Self::Copy,
            (Operation::SetMaxSize(lower), _) if *lower >= max_size => Self::Grow,
            (Operation::SetMaxSize(0), Outcome::Evicted(victims)) if !victims.is_empty() => Self::ShrinkToZero,
            (Operation::SetMaxSize(_), Outcome::Evicted(victims)) => match victims.len() {
                0 => Self::ShrinkFits,
                1 => Self::ShrinkOne,
                _ => Self::ShrinkSeveral,
            },
            (Operation::SetMaxSize(_), _) => Self::ShrinkFits,
            (Operation::Items | Operation::Iterate(_), _) if is_empty => Self::ItemsEmpty,
            (Operation::Items | Operation::Iterate(_), _) => Self::Items,
            (Operation::Retain(answers), _) => {
                let mut keeps = pattern(*answers);
                let kept = before.entries.iter().filter(|_| keeps()).count();
                match kept {
                    _ if kept == before.entries.len() => Self::RetainAll,
                    0 => Self::RetainNone,
                    _ => Self::RetainSome,
                }
            }
            (Operation::SetTime(now), _) if *now < before.now => Self::TimeBack,
            (Operation::SetTime(_), _) => Self::TimeForth,
            (Operation::RemoveExpired, Outcome::Entries(removed)) if !removed.is_empty() => {
                if removed.len() == before.entries.len() { Self::ExpireAll } else { Self::ExpireSome }
            }
            (Operation::RemoveExpired, _) => Self::ExpireNone,
        }
    }

    /// Returns the same for an operation that would take another branch if nothing were expired.
    fn of_expired(before: &Before<'_>, operation: &Operation<u8, u64>, outcome: &Outcome<u8, u64>) -> Option<Self> {
        let was_there = operation.key().is_some_and(|key| before.is_expired(*key) && before.holds(*key));
        match (operation, outcome) {
            (Operation::Insert(..), Outcome::Refused(Refusal::Expired)) if was_there => Some(Self::InsertExpiredThere),
            (Operation::Insert(..), Outcome::Refused(Refusal::Expired)) => Some(Self::InsertExpired),
            (Operation::Insert(..), Outcome::Evicted(victims))
            | (Operation::GetOrInsert(..), Outcome::Found(_, victims)) => {
                let spares = |(victim, _): &(u8, u64)| {
                    before.holds(*victim)
                        && operation.key() != Some(victim)
                        && !before.is_expired(*victim)
                        && before.entries.iter().any(|(key, _)| before.is_expired(*key))
                };
                victims.first().is_some_and(spares).then_some(Self::InsertSparesExpired)
            }
            (Operation::Get(_), _) if was_there => Some(Self::GetExpired),
            (Operation::TryGet(_), _) if was_there => Some(Self::TryGetExpired),
            (Operation::Peek(_) | Operation::ContainsKey(_), _) if was_there => Some(Self::LookExpired),
            _ => None,
        }
    }

    /// Returns the branch, or the more special one that a reference distinguishes in its place.
    pub(crate) fn or_special(self, own: &[Self]) -> Self {
        let special = match self {
            Self::InsertEvicts => Self::InsertEvictsTied,
            Self::Hit | Self::HitNextVictim => Self::HitSaturated,
            _ => return self,
        };
        if own.contains(&special) { special } else { self }
    }

    /// Returns the branch of a dict without an order.
    pub(crate) fn without_order(self) -> Self {
        match self {
            Self::InsertEvictsTied => Self::InsertEvicts,
            Self::HitNextVictim | Self::HitSaturated => Self::Hit,
            Self::RemoveNextVictim => Self::Remove,
            Self::InsertReplacesNextVictim => Self::InsertReplaces,
            other => other,
        }
    }
}

/// A cache before an operation, as a reference or a dict knows it.
pub(crate) struct Before<'a> {
    /// The entries, next victim first if there is an order.
    pub(crate) entries: &'a [(u8, u64)],
    pub(crate) max_size: usize,
    pub(crate) now: u64,
    pub(crate) expiry: &'a dyn Fn(u8) -> Option<u64>,
}

impl Before<'_> {
    fn holds(&self, key: u8) -> bool {
        self.entries.iter().any(|(present, _)| *present == key)
    }

    fn is_expired(&self, key: u8) -> bool {
        (self.expiry)(key).is_some_and(|at| self.now >= at)
    }
}
