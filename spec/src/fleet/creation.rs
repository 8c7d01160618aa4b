//! Faults of creation on a miss.

/// The fault of a [`Reference`](crate::Reference).
///
/// [`creation`](crate::creation()) shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CreationFault {
    // S1.
    /// A creation in flight counts as an entry.
    UnderWayIsAnEntry,
    // S2.
    /// The created value replaces the present one.
    MadeReplacesPresent,
    // S2.
    /// The present value is returned, but counts no use.
    PresentCountsNoUse,
    // S3.
    /// A removal revokes nothing.
    RemovalIsForgotten,
    // S3.
    /// Clearing revokes nothing.
    ClearingIsForgotten,
    // S3.
    /// A revoked value is stored.
    RevokedIsStored,
    // S3.
    /// A caller that comes after a revocation waits for the revoked creation.
    LaterOnesJoinTheRevoked,
    // S3.
    /// A waiter of a revoked creation takes the value that was stored since.
    RevokedWaiterLooks,
    // S3.
    /// Eviction revokes.
    EvictionRevokes,
    // S4.
    /// The leader counts a use in addition to the insertion.
    MakerCountsTwice,
    // S4.
    /// A waiter counts no use.
    WaiterCountsNoUse,
    // S5.
    /// Every caller creates its own value.
    EveryoneMakes,
    // S5.
    /// A failure is cached.
    FailureIsCached,
    // S5.
    /// A waiter creates its own value after a failure.
    FailureIsRetried,
    // S5.
    /// Only one of several waiters is woken.
    OnlyOneIsWoken,
    // S5.
    /// No waiter takes over from a dropped leader.
    NobodyTakesOver,
    // S5.
    /// Waiters wait for a leader that was dropped or panicked.
    PanicIsForEver,
    // S5.
    /// The waiter whose turn it is is dropped, and no other waiter is notified.
    TurnIsLost,
    // S5.
    /// A waiter that is polled again, with another waker, is woken by the first.
    FirstWakerIsKept,
    // S6.
    /// At a bound of 0, every caller creates its own value.
    NothingIsSharedAtZero,
    // S7.
    /// The sync variant ends the creation in flight.
    SisterEndsTheFlight,
    // S8.
    /// The entry that is evicted to make room is not reported.
    VictimIsUntold,
    // S9.
    /// Only the first caller drives a shared creation.
    OnlyTheFirstDrives,
    // S9.
    /// A shared creation wakes only the caller that polled it last.
    OnlyTheLatestIsWoken,
    // S9.
    /// A shared creation is dropped with its first caller.
    EndsWithTheFirst,
}

impl CreationFault {
    /// All faults.
    pub const ALL: [Self; 25] = [
        Self::UnderWayIsAnEntry,
        Self::MadeReplacesPresent,
        Self::PresentCountsNoUse,
        Self::RemovalIsForgotten,
        Self::ClearingIsForgotten,
        Self::RevokedIsStored,
        Self::LaterOnesJoinTheRevoked,
        Self::RevokedWaiterLooks,
        Self::EvictionRevokes,
        Self::MakerCountsTwice,
        Self::WaiterCountsNoUse,
        Self::EveryoneMakes,
        Self::FailureIsCached,
        Self::FailureIsRetried,
        Self::OnlyOneIsWoken,
        Self::NobodyTakesOver,
        Self::PanicIsForEver,
        Self::TurnIsLost,
        Self::FirstWakerIsKept,
        Self::NothingIsSharedAtZero,
        Self::SisterEndsTheFlight,
        Self::VictimIsUntold,
        Self::OnlyTheFirstDrives,
        Self::OnlyTheLatestIsWoken,
        Self::EndsWithTheFirst,
    ];
}
