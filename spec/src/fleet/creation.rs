//! What can be wrong with creation on a miss.

/// What is wrong with a [`Reference`](crate::Reference) that has a fault.
///
/// [`creation`](crate::creation()) shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CreationFault {
    /// S1: what is under way is taken for an entry.
    UnderWayIsAnEntry,
    /// S2: what is made replaces what is there.
    MadeReplacesPresent,
    /// S2: what is there is returned, but counts no use.
    PresentCountsNoUse,
    /// S3: a removal revokes nothing.
    RemovalIsForgotten,
    /// S3: clearing revokes nothing.
    ClearingIsForgotten,
    /// S3: what was revoked is stored.
    RevokedIsStored,
    /// S3: who comes after a revocation waits for what was revoked.
    LaterOnesJoinTheRevoked,
    /// S3: who waits for what was revoked takes what was stored since.
    RevokedWaiterLooks,
    /// S3: eviction revokes.
    EvictionRevokes,
    /// S4: the maker counts a use beside the insertion.
    MakerCountsTwice,
    /// S4: who waited counts no use.
    WaiterCountsNoUse,
    /// S5: everyone makes their own.
    EveryoneMakes,
    /// S5: a failure stays.
    FailureIsCached,
    /// S5: who waited for a failure makes their own.
    FailureIsRetried,
    /// S5: of those who waited, one is woken.
    OnlyOneIsWoken,
    /// S5: nobody takes over from a maker who gave up.
    NobodyTakesOver,
    /// S5: a maker who gave up or panicked is waited for.
    PanicIsForEver,
    /// S5: whose turn it is to take over gives up, and nobody else is told.
    TurnIsLost,
    /// S5: who is polled again, with another waker, is woken by the first.
    FirstWakerIsKept,
    /// S6: at a bound of 0, everyone makes their own.
    NothingIsSharedAtZero,
    /// S7: the synchronous sister ends what is under way.
    SisterEndsTheFlight,
    /// S8: what goes to make room is not told.
    VictimIsUntold,
}

impl CreationFault {
    /// All of them.
    pub const ALL: [Self; 22] = [
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
    ];
}
