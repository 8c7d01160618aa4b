//! Caches with one subtle fault each, which prove that the comparison can fail.

mod cache;
mod creation;
mod creator;
mod shared;

use crate::level::Level;
use crate::model::{InsertionMode, Policy};

pub use cache::Faulty;
pub use creation::CreationFault;
pub use creator::FaultyCreator;
pub use shared::{FaultyShared, SharedFault};

/// The fault of a [`Faulty`] cache.
///
/// ```
/// use aws_client_cache_spec::check::{Level, dict};
/// use aws_client_cache_spec::faults::{Fault, Faulty};
/// use aws_client_cache_spec::{Dict, Policy, Random};
///
/// const EXPIRY: [(u8, u64); 6] = [(0, 5), (1, 5), (2, 9), (3, 9), (4, 9), (5, 10)];
/// for fault in Fault::ALL.into_iter().filter(|fault| fault.level() == Level::Dict) {
///     let insertion = fault.insertions()[0];
///     let expected = |max_size| {
///         let dict = Dict::new(max_size).with_insertion(insertion);
///         EXPIRY.into_iter().fold(dict, |dict, (key, at)| dict.with_expiry(key, at))
///     };
///     let faulty = |max_size| {
///         let faulty = Faulty::<u8, u64>::new(fault, Policy::Lfu, max_size, u64::MAX);
///         let faulty = faulty.with_insertion(insertion);
///         EXPIRY.into_iter().fold(faulty, |faulty, (key, at)| faulty.with_expiry(key, at))
///     };
///     assert!(dict(Random::new(), expected, faulty).is_err(), "{fault:?} passes for a dict");
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    // D1.
    /// The cache holds one entry too many.
    HoldsOneTooMany,
    // D1.
    /// At a bound of 0, the cache holds one entry.
    ZeroHoldsOne,
    // D2.
    /// A victim is evicted before the cache is full.
    EvictsEarly,
    // D2.
    /// The evicted entry is not returned.
    VictimIsNotReturned,
    // D2.
    /// At a bound of 1, the new entry is evicted.
    NewcomerGoesAtOne,
    // D2, F1.
    /// The new entry is placed before the victim is chosen.
    NewcomerIsPlacedFirst,
    // D3.
    /// A full cache evicts before it finds that the key is present.
    EvictsBeforeItLooks,
    // D3, D14.
    /// The insertion of a present key, which stores nothing, counts as a use.
    RefusalIsAUse,
    // D3, D14.
    /// The value of a present key is replaced, though it should stay.
    Replaces,
    // D3, D13, D14.
    /// The insertion of a present key removes all other entries.
    PresentKeyRemovesOthers,
    // D3, D13, D14.
    /// The insertion of a present key removes all entries, that of the key too unless it is replaced.
    PresentKeyClears,
    // D13, D14.
    /// A present key is refused, though it should be replaced or kept.
    RefusesPresentKeys,
    // D13: they show only where a present key is replaced.
    /// A replacement keeps the old value.
    ReplacementKeepsTheOld,
    /// A replacement returns the new value.
    ReplacementReturnsTheNew,
    /// A replacement does not make the entry the most recently used one.
    ReplacementDoesNotMove,
    /// A replacement counts a use.
    ReplacementIsAUse,
    /// A replaced entry starts anew, as if it had been removed and inserted.
    ReplacementStartsAnew,
    // D4.
    /// A hit counts no use.
    HitIsNoUse,
    // D4.
    /// The hit that is an error on a miss counts no use.
    TryGetIsNoUse,
    // D4.
    /// A miss evicts the next victim.
    MissEvicts,
    // D5.
    /// Peeking counts a use.
    PeekIsAUse,
    // D5.
    /// Asking for a key removes it if it is the next victim.
    AskingForgets,
    // D6.
    /// Popping removes the last victim.
    PopsTheLast,
    // D6.
    /// Removal of an absent key removes the next victim.
    RemovesSomethingElse,
    // D7.
    /// The keys are listed in the order of last use, whatever the policy.
    KeysInAnotherOrder,
    // D7.
    /// The reversed list is not reversed.
    ReversedIsNot,
    // D8.
    /// A copy resets all counts.
    CopyForgetsCounts,
    // D8.
    /// A copy forgets the order of last use.
    CopyForgetsTheOrder,
    // D8.
    /// A copy is empty.
    CopyIsEmpty,
    // D8.
    /// Clearing a copy clears its original too, and the reverse.
    CopyIsAnAlias,
    // D9.
    /// Shrinking evicts the last victims.
    ShrinksFromTheWrongEnd,
    // D9.
    /// Shrinking returns the victims in reverse.
    ShrinkingTellsBackwards,
    // D9.
    /// Shrinking to exactly the present entries evicts one.
    ShrinksOneTooMany,
    // D10.
    /// A key that returns has its former count.
    CountSurvives,
    // L1, F1.
    /// A hit counts, but does not become the last use.
    HitDoesNotMove,
    // F1.
    /// Of equal counts, the most recently used is evicted.
    TiesByMostRecent,
    // F1.
    /// The first hit is not counted.
    FirstHitIsFree,
    // F1.
    /// A count that would saturate starts anew.
    SaturationWraps,
    // F2: they show only under LFUDA.
    /// A floor that stays at 0, which is plain LFU.
    FloorStays,
    /// A new entry with room to spare starts at 1, though the floor is higher.
    NewcomerStartsAtOne,
    /// A new entry starts at the floor itself.
    NewcomerStartsAtTheFloor,
    /// A new entry starts above the floor as it was before its victim.
    NewcomerStartsAboveTheOldFloor,
    /// A new entry above a saturated floor starts beyond saturation.
    StartDoesNotSaturate,
    /// A hit above a floor counts from the floor, whatever was counted before.
    HitCountsFromTheFloor,
    /// The insertion of a present key into a full cache moves the floor.
    PresentKeyMovesTheFloor,
    /// A new entry that is evicted itself at a bound of 0 moves the floor.
    NewcomerAtZeroMovesTheFloor,
    /// A removal moves the floor.
    RemovalMovesTheFloor,
    /// A pop moves the floor.
    PopMovesTheFloor,
    /// Clearing keeps the floor, which only saturation shows.
    ClearKeepsTheFloor,
    /// A copy has a floor of 0.
    CopyForgetsTheFloor,
    /// A lower bound leaves the floor unchanged.
    ShrinkingLeavesTheFloor,
    /// A lower bound leaves the floor at the first of its victims.
    ShrinkingKeepsTheFirstFloor,
    // D7.
    /// An iterator from both ends omits the last entry.
    IteratorEndsOneEarly,
    // D12.
    /// The next victim is shown as the last one.
    NextVictimIsTheLast,
    // D12.
    /// Looking at the next victim counts a use.
    NextVictimIsAUse,
    // D4.
    /// The hit of an insertion on a miss counts no use.
    GetOrInsertCountsNoUse,
    // D4.
    /// The hit of an insertion on a miss replaces the value.
    GetOrInsertReplaces,
    // D4.
    /// A hit whose value can be changed counts no use.
    GetMutCountsNoUse,
    // D4.
    /// A value that is changed in place is lost.
    GetMutLosesTheValue,
    // D12.
    /// The predicate is asked in reverse.
    RetainAsksBackwards,
    // D12.
    /// The predicate is not asked about the entry after a removed one.
    RetainSkipsAfterARemoval,
    // D12.
    /// The last of several adjacent entries that the predicate rejects stays.
    RetainKeepsTheLastOfARun,
    // D12.
    /// A drained cache still holds the last entry.
    DrainLeavesTheLast,
    // D12, F2.
    /// Draining keeps the floor.
    DrainKeepsTheFloor,
    // P1.
    /// A hit takes the entry out while it clones the value.
    HitTakesTheEntryOut,
    // P1.
    /// The victim is evicted before keys are compared.
    EvictsBeforeItCompares,
    // P1.
    /// A copy takes all entries out while it clones them.
    CopyTakesTheEntries,
    // P1.
    /// A removal drops the key while the other entries are out.
    RemovesAndDropsInside,
    // P1, D13.
    /// A replacement drops the key while the entry is out.
    ReplacementDropsInside,
    // P1.
    /// An operation that panicked counts as in flight for ever.
    PanicPoisons,
    // P1, F2.
    /// The floor moves before keys are compared.
    FloorMovesBeforeItCompares,
    // E2.
    /// An expired key is inserted.
    ExpiredIsInserted,
    // E2.
    /// An expired key that is present is reported as present.
    PresentBeforeExpired,
    // E2.
    /// A refused insertion of an expired key removes the entry.
    RefusalRemovesExpired,
    // E3.
    /// An expired entry is a hit.
    ExpiredIsAHit,
    // E3.
    /// A miss of an expired entry leaves it.
    ExpiredStays,
    // E3.
    /// An expired entry is reported as absent.
    ExpiredIsNotFound,
    // E3.
    /// An absent key that is expired is reported as expired.
    AbsentIsExpired,
    // E4.
    /// Peeking removes an expired entry.
    PeekRemovesExpired,
    // E4.
    /// Peeking finds an expired entry.
    PeekShowsExpired,
    // E4.
    /// Asking for a key finds an expired entry.
    AskingFindsExpired,
    // E4.
    /// The length omits expired entries.
    LenLeavesExpiredOut,
    // E4.
    /// The items omit expired entries.
    ItemsLeaveExpiredOut,
    // E4.
    /// An expired entry cannot be removed.
    RemovalRefusesExpired,
    // E4.
    /// An expired entry is evicted before the next victim.
    EvictsExpiredFirst,
    // E4.
    /// Popping leaves expired entries, as long as there are others.
    PopPassesExpiredOver,
    // E4.
    /// The removal of all expired entries leaves the last of several.
    RemovingExpiredForgetsOne,
    // E4.
    /// The removal of all expired entries returns them in reverse.
    RemovingExpiredTellsBackwards,
    // E4.
    /// The removal of all expired entries takes those that expire a moment later.
    RemovingExpiredTakesTooMuch,
    // E5.
    /// A key is expired only a moment after its expiry.
    ExpiresTooLate,
    // E5.
    /// The clock cannot be set back.
    ClockOnlyGoesForth,
    // E3, E4, F2.
    /// A look-up of an expired entry moves the floor.
    GettingExpiredMovesTheFloor,
    /// The removal of all expired entries moves the floor.
    RemovingExpiredMovesTheFloor,
}

impl Fault {
    /// All faults.
    ///
    /// The type shows an example.
    pub const ALL: [Self; 93] = [
        Self::HoldsOneTooMany,
        Self::ZeroHoldsOne,
        Self::EvictsEarly,
        Self::VictimIsNotReturned,
        Self::NewcomerGoesAtOne,
        Self::NewcomerIsPlacedFirst,
        Self::EvictsBeforeItLooks,
        Self::RefusalIsAUse,
        Self::Replaces,
        Self::PresentKeyRemovesOthers,
        Self::PresentKeyClears,
        Self::RefusesPresentKeys,
        Self::ReplacementKeepsTheOld,
        Self::ReplacementReturnsTheNew,
        Self::ReplacementDoesNotMove,
        Self::ReplacementIsAUse,
        Self::ReplacementStartsAnew,
        Self::HitIsNoUse,
        Self::TryGetIsNoUse,
        Self::MissEvicts,
        Self::PeekIsAUse,
        Self::AskingForgets,
        Self::PopsTheLast,
        Self::RemovesSomethingElse,
        Self::KeysInAnotherOrder,
        Self::ReversedIsNot,
        Self::CopyForgetsCounts,
        Self::CopyForgetsTheOrder,
        Self::CopyIsEmpty,
        Self::CopyIsAnAlias,
        Self::ShrinksFromTheWrongEnd,
        Self::ShrinkingTellsBackwards,
        Self::ShrinksOneTooMany,
        Self::CountSurvives,
        Self::HitDoesNotMove,
        Self::TiesByMostRecent,
        Self::FirstHitIsFree,
        Self::SaturationWraps,
        Self::FloorStays,
        Self::NewcomerStartsAtOne,
        Self::NewcomerStartsAtTheFloor,
        Self::NewcomerStartsAboveTheOldFloor,
        Self::StartDoesNotSaturate,
        Self::HitCountsFromTheFloor,
        Self::PresentKeyMovesTheFloor,
        Self::NewcomerAtZeroMovesTheFloor,
        Self::RemovalMovesTheFloor,
        Self::PopMovesTheFloor,
        Self::ClearKeepsTheFloor,
        Self::CopyForgetsTheFloor,
        Self::ShrinkingLeavesTheFloor,
        Self::ShrinkingKeepsTheFirstFloor,
        Self::IteratorEndsOneEarly,
        Self::NextVictimIsTheLast,
        Self::NextVictimIsAUse,
        Self::GetOrInsertCountsNoUse,
        Self::GetOrInsertReplaces,
        Self::GetMutCountsNoUse,
        Self::GetMutLosesTheValue,
        Self::RetainAsksBackwards,
        Self::RetainSkipsAfterARemoval,
        Self::RetainKeepsTheLastOfARun,
        Self::DrainLeavesTheLast,
        Self::DrainKeepsTheFloor,
        Self::HitTakesTheEntryOut,
        Self::EvictsBeforeItCompares,
        Self::CopyTakesTheEntries,
        Self::RemovesAndDropsInside,
        Self::ReplacementDropsInside,
        Self::PanicPoisons,
        Self::FloorMovesBeforeItCompares,
        Self::ExpiredIsInserted,
        Self::PresentBeforeExpired,
        Self::RefusalRemovesExpired,
        Self::ExpiredIsAHit,
        Self::ExpiredStays,
        Self::ExpiredIsNotFound,
        Self::AbsentIsExpired,
        Self::PeekRemovesExpired,
        Self::PeekShowsExpired,
        Self::AskingFindsExpired,
        Self::LenLeavesExpiredOut,
        Self::ItemsLeaveExpiredOut,
        Self::RemovalRefusesExpired,
        Self::EvictsExpiredFirst,
        Self::PopPassesExpiredOver,
        Self::RemovingExpiredForgetsOne,
        Self::RemovingExpiredTellsBackwards,
        Self::RemovingExpiredTakesTooMuch,
        Self::ExpiresTooLate,
        Self::ClockOnlyGoesForth,
        Self::GettingExpiredMovesTheFloor,
        Self::RemovingExpiredMovesTheFloor,
    ];

    /// Returns `true` for a fault of expiry (the rules E). Where nothing expires, such a cache is correct.
    ///
    /// ```
    /// # use aws_client_cache_spec::faults::Fault;
    /// assert!(Fault::ExpiredIsAHit.is_of_expiry());
    /// assert!(!Fault::HitIsNoUse.is_of_expiry());
    /// ```
    pub fn is_of_expiry(self) -> bool {
        self >= Self::ExpiredIsInserted // they are the last ones
    }

    /// Returns the policies under which the fault shows.
    ///
    /// A fault of counts shows under the policies that count, and a fault of aging under the policy that ages.
    /// All other faults show under every policy.
    ///
    /// ```
    /// # use aws_client_cache_spec::faults::Fault;
    /// # use aws_client_cache_spec::Policy;
    /// assert_eq!(Fault::HitIsNoUse.policies(), Policy::ALL);
    /// assert_eq!(Fault::FloorStays.policies(), [Policy::Lfuda]);
    /// ```
    pub fn policies(self) -> &'static [Policy] {
        match self {
            Self::KeysInAnotherOrder
            | Self::NewcomerIsPlacedFirst
            | Self::CopyForgetsCounts
            | Self::CountSurvives
            | Self::ReplacementIsAUse
            | Self::ReplacementStartsAnew
            | Self::FirstHitIsFree
            | Self::SaturationWraps => &[Policy::Lfu, Policy::Lfuda],
            Self::FloorStays
            | Self::NewcomerStartsAtOne
            | Self::NewcomerStartsAtTheFloor
            | Self::NewcomerStartsAboveTheOldFloor
            | Self::StartDoesNotSaturate
            | Self::HitCountsFromTheFloor
            | Self::PresentKeyMovesTheFloor
            | Self::NewcomerAtZeroMovesTheFloor
            | Self::RemovalMovesTheFloor
            | Self::PopMovesTheFloor
            | Self::ClearKeepsTheFloor
            | Self::CopyForgetsTheFloor
            | Self::ShrinkingLeavesTheFloor
            | Self::ShrinkingKeepsTheFirstFloor
            | Self::FloorMovesBeforeItCompares
            | Self::DrainKeepsTheFloor
            | Self::GettingExpiredMovesTheFloor
            | Self::RemovingExpiredMovesTheFloor => &[Policy::Lfuda],
            _ => &Policy::ALL,
        }
    }

    /// Returns the insertion modes under which the fault shows.
    ///
    /// A fault of replacing shows where present keys are replaced. Most other faults show under every mode.
    ///
    /// ```
    /// # use aws_client_cache_spec::faults::Fault;
    /// # use aws_client_cache_spec::InsertionMode;
    /// assert_eq!(Fault::HitIsNoUse.insertions(), InsertionMode::ALL);
    /// assert_eq!(Fault::ReplacementIsAUse.insertions(), [InsertionMode::Replace]);
    /// ```
    pub fn insertions(self) -> &'static [InsertionMode] {
        match self {
            Self::RefusalIsAUse | Self::Replaces => &[InsertionMode::Refuse, InsertionMode::KeepFirst],
            Self::RefusesPresentKeys => &[InsertionMode::Replace, InsertionMode::KeepFirst],
            Self::ReplacementKeepsTheOld
            | Self::ReplacementReturnsTheNew
            | Self::ReplacementDoesNotMove
            | Self::ReplacementIsAUse
            | Self::ReplacementStartsAnew
            | Self::ReplacementDropsInside => &[InsertionMode::Replace],
            _ => &InsertionMode::ALL,
        }
    }

    /// Returns the first level that refuses the fault.
    ///
    /// The type shows an example.
    pub fn level(self) -> Level {
        match self {
            Self::HoldsOneTooMany
            | Self::ZeroHoldsOne
            | Self::EvictsEarly
            | Self::VictimIsNotReturned
            | Self::NewcomerGoesAtOne
            | Self::NewcomerIsPlacedFirst
            | Self::EvictsBeforeItLooks
            | Self::Replaces
            | Self::PresentKeyRemovesOthers
            | Self::PresentKeyClears
            | Self::RefusesPresentKeys
            | Self::ReplacementKeepsTheOld
            | Self::ReplacementReturnsTheNew
            | Self::MissEvicts
            | Self::PeekIsAUse
            | Self::AskingForgets
            | Self::RemovesSomethingElse
            | Self::KeysInAnotherOrder
            | Self::ReversedIsNot
            | Self::CopyIsEmpty
            | Self::CopyIsAnAlias
            | Self::ShrinksOneTooMany
            | Self::IteratorEndsOneEarly
            | Self::GetOrInsertReplaces
            | Self::GetMutLosesTheValue
            | Self::RetainSkipsAfterARemoval
            | Self::RetainKeepsTheLastOfARun
            | Self::DrainLeavesTheLast
            | Self::ExpiredIsInserted
            | Self::PresentBeforeExpired
            | Self::RefusalRemovesExpired
            | Self::ExpiredIsAHit
            | Self::ExpiredStays
            | Self::ExpiredIsNotFound
            | Self::AbsentIsExpired
            | Self::PeekRemovesExpired
            | Self::PeekShowsExpired
            | Self::AskingFindsExpired
            | Self::LenLeavesExpiredOut
            | Self::ItemsLeaveExpiredOut
            | Self::RemovalRefusesExpired
            | Self::RemovingExpiredForgetsOne
            | Self::RemovingExpiredTakesTooMuch
            | Self::ExpiresTooLate
            | Self::ClockOnlyGoesForth => Level::Dict,
            Self::HitTakesTheEntryOut
            | Self::EvictsBeforeItCompares
            | Self::CopyTakesTheEntries
            | Self::RemovesAndDropsInside
            | Self::ReplacementDropsInside
            | Self::PanicPoisons
            | Self::FloorMovesBeforeItCompares => Level::Panics,
            _ => Level::Order,
        }
    }
}
