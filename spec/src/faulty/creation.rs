//! Faults of creation on a miss.

/// The fault of a [`FaultyCreator`](super::FaultyCreator).
///
/// [`creation`](crate::creation::creation()) shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CreationFault {
    // S1.
    /// A creation in flight counts as an entry.
    InFlightCountsAsEntry,
    // S2.
    /// The created value replaces the present one.
    CreatedReplacesPresent,
    // S2.
    /// The present value is returned, but counts no use.
    PresentValueCountsNoUse,
    // S3.
    /// A removal revokes nothing.
    RemovalRevokesNothing,
    // S3.
    /// Clearing revokes nothing.
    ClearRevokesNothing,
    // S3.
    /// Draining revokes nothing.
    DrainRevokesNothing,
    // S3.
    /// Retaining revokes nothing.
    RetainRevokesNothing,
    // S3.
    /// A revoked value is stored.
    RevokedIsStored,
    // S3.
    /// A caller that comes after a revocation waits for the revoked creation.
    LaterCallersJoinTheRevoked,
    // S3.
    /// A caller that comes after a draining waits for the revoked creation.
    LaterCallersJoinTheDrained,
    // S3.
    /// A waiter of a revoked creation takes the value that was stored since.
    WaiterOfRevokedLooksUp,
    // S3.
    /// Eviction revokes.
    EvictionRevokes,
    // S4.
    /// The leader counts a use in addition to the insertion.
    LeaderCountsAnExtraUse,
    // S4.
    /// A waiter counts no use.
    WaiterCountsNoUse,
    // S5.
    /// Every caller creates its own value.
    EachCallerCreates,
    // S5.
    /// A creation runs on after its last caller is dropped.
    AbandonedCreationRunsOn,
    // S5.
    /// A waiter that is polled again creates its own value.
    WaiterCreatesAnother,
    // S5.
    /// A failure is cached.
    FailureIsCached,
    // S5.
    /// Callers still join a creation that has failed, as long as a waiter has not been polled.
    FailureStaysJoinable,
    // S5.
    /// A waiter creates its own value after a failure.
    FailureIsRetried,
    // S5.
    /// Only one of several waiters is woken.
    OnlyOneWaiterIsWoken,
    // S5.
    /// No waiter takes over from a dropped leader.
    NoWaiterTakesOver,
    // S5.
    /// Waiters wait for a leader that was dropped or panicked.
    WaitersOfAPanicHang,
    // S5.
    /// The waiter whose turn it is is dropped, and no other waiter is notified.
    DroppedWaiterLosesTheTurn,
    // S5.
    /// A waiter that is polled again, with another waker, is woken by the first.
    FirstWakerIsKept,
    // S6.
    /// At a bound of 0, every caller creates its own value.
    NothingIsSharedAtZero,
    // S7.
    /// The sync variant ends the creation in flight.
    SyncVariantEndsTheCreation,
    // S7.
    /// The failure of the sync variant ends the creation in flight.
    SyncFailureIsShared,
    // S7.
    /// The failure of the sync variant is cached.
    SyncFailureIsCached,
    // S8.
    /// The entry that is evicted to make room is not reported.
    EvictionIsNotReported,
    // S9.
    /// Only the first caller drives a shared creation.
    OnlyTheFirstDrives,
    // S9.
    /// A shared creation wakes only the caller that polled it last.
    OnlyTheLatestIsWoken,
    // S9.
    /// A shared creation is dropped with its first caller.
    EndsWithTheFirstCaller,
}

impl CreationFault {
    /// All faults.
    pub const ALL: [Self; 33] = [
        Self::InFlightCountsAsEntry,
        Self::CreatedReplacesPresent,
        Self::PresentValueCountsNoUse,
        Self::RemovalRevokesNothing,
        Self::ClearRevokesNothing,
        Self::DrainRevokesNothing,
        Self::RetainRevokesNothing,
        Self::RevokedIsStored,
        Self::LaterCallersJoinTheRevoked,
        Self::LaterCallersJoinTheDrained,
        Self::WaiterOfRevokedLooksUp,
        Self::EvictionRevokes,
        Self::LeaderCountsAnExtraUse,
        Self::WaiterCountsNoUse,
        Self::EachCallerCreates,
        Self::AbandonedCreationRunsOn,
        Self::WaiterCreatesAnother,
        Self::FailureIsCached,
        Self::FailureStaysJoinable,
        Self::FailureIsRetried,
        Self::OnlyOneWaiterIsWoken,
        Self::NoWaiterTakesOver,
        Self::WaitersOfAPanicHang,
        Self::DroppedWaiterLosesTheTurn,
        Self::FirstWakerIsKept,
        Self::NothingIsSharedAtZero,
        Self::SyncVariantEndsTheCreation,
        Self::SyncFailureIsShared,
        Self::SyncFailureIsCached,
        Self::EvictionIsNotReported,
        Self::OnlyTheFirstDrives,
        Self::OnlyTheLatestIsWoken,
        Self::EndsWithTheFirstCaller,
    ];
}
