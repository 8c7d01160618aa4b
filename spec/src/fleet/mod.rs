//! Caches that are each wrong in one subtle way: the proof that the comparison can fail.

mod broken;
mod creation;
mod shared;

use crate::level::Level;
use crate::model::EvictionPolicy;

pub use broken::Broken;
pub use creation::CreationFault;
pub use shared::{BrokenShared, SharedFault};

/// What is wrong with a [`Broken`] cache.
///
/// ```
/// use aws_client_cache_spec::{Broken, EvictionPolicy, Fault, Level, Random, dict};
///
/// let random = Random { expiry: &[(0, 5), (1, 9), (2, 9)], ..Random::new(EvictionPolicy::Lfu) };
/// for fault in Fault::ALL.into_iter().filter(|fault| fault.level() == Level::Dict) {
///     let broken = |max_size| {
///         let broken = Broken::<u8, u64>::new(fault, EvictionPolicy::Lfu, max_size, u64::MAX);
///         random.expiry.iter().fold(broken, |broken, (key, at)| broken.with_expiry(*key, *at))
///     };
///     assert!(dict(random, broken).is_err(), "{fault:?} passes for a dict");
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// D1: holds one entry more than it may.
    HoldsOneTooMany,
    /// D1: at a bound of 0, one entry is held.
    ZeroHoldsOne,
    /// D2: a victim goes before the cache is full.
    EvictsEarly,
    /// D2: what went is not told.
    VictimIsNotReturned,
    /// D2: at a bound of 1, the newcomer goes.
    NewcomerGoesAtOne,
    /// D2, F1: the newcomer is placed before the victim is chosen.
    NewcomerIsPlacedFirst,
    /// D3: a full cache evicts before it finds that the key is present.
    EvictsBeforeItLooks,
    /// D3: a refused insertion counts as a use.
    RefusalIsAUse,
    /// D3: a present key is replaced.
    Replaces,
    /// D4: a hit counts no use.
    HitIsNoUse,
    /// D4: the hit that is an error on a miss counts no use.
    TryGetIsNoUse,
    /// D4: a miss evicts the next victim.
    MissEvicts,
    /// D5: peeking counts a use.
    PeekIsAUse,
    /// D5: asking whether a key is there forgets it if it is the next victim.
    AskingForgets,
    /// D6: popping takes the last one to go.
    PopsTheLast,
    /// D6: removal of an absent key removes the next victim.
    RemovesSomethingElse,
    /// D7: the keys come in the order of last use, whatever the policy.
    KeysInAnotherOrder,
    /// D7: reversed is not.
    ReversedIsNot,
    /// D8: a copy starts all counts anew.
    CopyForgetsCounts,
    /// D8: a copy forgets the order of last use.
    CopyForgetsTheOrder,
    /// D8: a copy is empty.
    CopyIsEmpty,
    /// D9: shrinking takes the last ones to go.
    ShrinksFromTheWrongEnd,
    /// D9: shrinking tells what went backwards.
    ShrinkingTellsBackwards,
    /// D9: shrinking to exactly what is there evicts one.
    ShrinksOneTooMany,
    /// D10: a key that returns has the count that it had.
    CountSurvives,
    /// L1, F1: a hit counts, but does not become the last use.
    HitDoesNotMove,
    /// F1: of equal counts, the most recently used goes.
    TiesByMostRecent,
    /// F1: the first hit is not counted.
    FirstHitIsFree,
    /// F1: a count that would saturate starts anew.
    SaturationWraps,
    // F2: they show only under LFUDA.
    /// A floor that stays at 0, which is plain LFU.
    FloorStays,
    /// A newcomer with room to spare that starts at 1, though the floor is higher.
    NewcomerStartsAtOne,
    /// A newcomer that starts at the floor itself.
    NewcomerStartsAtTheFloor,
    /// A newcomer that starts above the floor as it was before its victim.
    NewcomerStartsAboveTheOldFloor,
    /// A newcomer above a saturated floor that starts beyond saturation.
    StartDoesNotSaturate,
    /// A hit above a floor that is counted from there, whatever was counted before.
    HitCountsFromTheFloor,
    /// A refused insertion into a full cache that moves the floor.
    RefusalMovesTheFloor,
    /// A newcomer that comes back at a bound of 0, and moves the floor.
    NewcomerAtZeroMovesTheFloor,
    /// A removal that moves the floor.
    RemovalMovesTheFloor,
    /// A pop that moves the floor.
    PopMovesTheFloor,
    /// A floor that outlives clearing, which only saturation shows.
    ClearKeepsTheFloor,
    /// A copy whose floor is 0.
    CopyForgetsTheFloor,
    /// A lower bound that leaves the floor.
    ShrinkingLeavesTheFloor,
    /// A lower bound that leaves the floor at the first of its victims.
    ShrinkingKeepsTheFirstFloor,
    /// P1: a hit takes the entry out while it clones the value.
    HitTakesTheEntryOut,
    /// P1: the victim goes before keys are compared.
    EvictsBeforeItCompares,
    /// P1: a copy takes all entries out while it clones them.
    CopyTakesTheEntries,
    /// P1: a removal drops the key while the other entries are out.
    RemovesAndDropsInside,
    /// P1: what was under way when something panicked is taken to be under way for ever.
    PanicPoisons,
    // P1, F2.
    /// A floor that moves before keys are compared.
    FloorMovesBeforeItCompares,
    /// E2: an expired key is inserted.
    ExpiredIsInserted,
    /// E2: of an expired key that is present, it is told that it is present.
    PresentBeforeExpired,
    /// E2: a refused insertion of an expired key removes what is there.
    RefusalRemovesExpired,
    /// E3: an expired entry is a hit.
    ExpiredIsAHit,
    /// E3: a miss of an expired entry leaves it.
    ExpiredStays,
    /// E3: of an expired entry, it is told that it is absent.
    ExpiredIsNotFound,
    /// E3: of an absent key that is expired, it is told that it is expired.
    AbsentIsExpired,
    /// E4: peeking removes what is expired.
    PeekRemovesExpired,
    /// E4: peeking finds what is expired.
    PeekShowsExpired,
    /// E4: asking whether a key is there finds what is expired.
    AskingFindsExpired,
    /// E4: what is expired is not counted.
    LenLeavesExpiredOut,
    /// E4: what is expired is not among the items.
    ItemsLeaveExpiredOut,
    /// E4: what is expired cannot be removed.
    RemovalRefusesExpired,
    /// E4: what is expired is evicted before what is next.
    EvictsExpiredFirst,
    /// E4: popping leaves what is expired, as long as there is anything else.
    PopPassesExpiredOver,
    /// E4: of several that are expired, the removal of all leaves the last one to go.
    RemovingExpiredForgetsOne,
    /// E4: the removal of all that are expired tells them backwards.
    RemovingExpiredTellsBackwards,
    /// E4: the removal of all that are expired takes what will be a moment later.
    RemovingExpiredTakesTooMuch,
    /// E5: a key is expired only a moment after its expiry.
    ExpiresTooLate,
    /// E5: the clock cannot be turned back.
    ClockOnlyGoesForth,
    // E3, E4, F2.
    /// A look-up of an expired entry that moves the floor.
    GettingExpiredMovesTheFloor,
    /// A removal of all that are expired that moves the floor.
    RemovingExpiredMovesTheFloor,
}

impl Fault {
    /// All of them.
    ///
    /// The type shows an example.
    pub const ALL: [Self; 71] = [
        Self::HoldsOneTooMany,
        Self::ZeroHoldsOne,
        Self::EvictsEarly,
        Self::VictimIsNotReturned,
        Self::NewcomerGoesAtOne,
        Self::NewcomerIsPlacedFirst,
        Self::EvictsBeforeItLooks,
        Self::RefusalIsAUse,
        Self::Replaces,
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
        Self::RefusalMovesTheFloor,
        Self::NewcomerAtZeroMovesTheFloor,
        Self::RemovalMovesTheFloor,
        Self::PopMovesTheFloor,
        Self::ClearKeepsTheFloor,
        Self::CopyForgetsTheFloor,
        Self::ShrinkingLeavesTheFloor,
        Self::ShrinkingKeepsTheFirstFloor,
        Self::HitTakesTheEntryOut,
        Self::EvictsBeforeItCompares,
        Self::CopyTakesTheEntries,
        Self::RemovesAndDropsInside,
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

    /// Whether it is about expiry (the rules E): where nothing expires, such a cache is right.
    ///
    /// ```
    /// # use aws_client_cache_spec::Fault;
    /// assert!(Fault::ExpiredIsAHit.is_of_expiry());
    /// assert!(!Fault::HitIsNoUse.is_of_expiry());
    /// ```
    pub fn is_of_expiry(self) -> bool {
        self >= Self::ExpiredIsInserted // they are the last ones
    }

    /// Returns the policies under which the fault shows.
    ///
    /// A fault of counts shows under the policies that count, a fault of aging under the one that ages, and any other under all.
    ///
    /// ```
    /// # use aws_client_cache_spec::{EvictionPolicy, Fault};
    /// assert_eq!(Fault::HitIsNoUse.policies(), EvictionPolicy::ALL);
    /// assert_eq!(Fault::FloorStays.policies(), [EvictionPolicy::Lfuda]);
    /// ```
    pub fn policies(self) -> &'static [EvictionPolicy] {
        match self {
            Self::KeysInAnotherOrder
            | Self::NewcomerIsPlacedFirst
            | Self::CopyForgetsCounts
            | Self::CountSurvives
            | Self::FirstHitIsFree
            | Self::SaturationWraps => &[EvictionPolicy::Lfu, EvictionPolicy::Lfuda],
            Self::FloorStays
            | Self::NewcomerStartsAtOne
            | Self::NewcomerStartsAtTheFloor
            | Self::NewcomerStartsAboveTheOldFloor
            | Self::StartDoesNotSaturate
            | Self::HitCountsFromTheFloor
            | Self::RefusalMovesTheFloor
            | Self::NewcomerAtZeroMovesTheFloor
            | Self::RemovalMovesTheFloor
            | Self::PopMovesTheFloor
            | Self::ClearKeepsTheFloor
            | Self::CopyForgetsTheFloor
            | Self::ShrinkingLeavesTheFloor
            | Self::ShrinkingKeepsTheFirstFloor
            | Self::FloorMovesBeforeItCompares
            | Self::GettingExpiredMovesTheFloor
            | Self::RemovingExpiredMovesTheFloor => &[EvictionPolicy::Lfuda],
            _ => &EvictionPolicy::ALL,
        }
    }

    /// The first level that refuses it.
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
            | Self::MissEvicts
            | Self::PeekIsAUse
            | Self::AskingForgets
            | Self::RemovesSomethingElse
            | Self::KeysInAnotherOrder
            | Self::ReversedIsNot
            | Self::CopyIsEmpty
            | Self::ShrinksOneTooMany
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
            | Self::PanicPoisons
            | Self::FloorMovesBeforeItCompares => Level::Panics,
            _ => Level::Order,
        }
    }
}
