//! Events and spans for `tracing`. Without the feature of that name, `untraced` replaces this module.

// K4: keys are shown by their labels, which hold no secret, and callers' errors are not shown.
// C2: events are sent while the cache is unlocked, because subscribers are callers' code.
// O4: the events, and the span around each creation.

use tracing::{Instrument, Span, debug, debug_span};

use super::{Evicted, EvictionCause};
use crate::error::ClientCacheError;
use crate::key::AnyKey;

/// Reports that an operation was refused.
pub(super) fn refused(error: &ClientCacheError) {
    debug!(%error, "refused");
}

/// Reports that an entry was evicted or has expired.
pub(super) fn evicted(Evicted { key, .. }: &Evicted, cause: EvictionCause) {
    match cause {
        EvictionCause::Expired => debug!(%key, "expired"),
        EvictionCause::Capacity | EvictionCause::Shrunk => debug!(%key, ?cause, "evicted"),
    }
}

/// Reports that a creation has succeeded or failed.
pub(super) fn created<T>(key: &AnyKey, created: &Result<T, ClientCacheError>) {
    match created {
        Ok(_) => debug!(%key, "created"),
        Err(error) => debug!(%error, "failed"),
    }
}

/// Runs a creation within a span.
pub(super) fn instrument<Fut: Future>(key: &AnyKey, create: Fut) -> impl Future<Output = Fut::Output> {
    create.instrument(span(key))
}

/// Runs a sync creation within a span.
pub(super) fn instrument_sync<T>(key: &AnyKey, create: impl FnOnce() -> T) -> T {
    span(key).in_scope(create)
}

fn span(key: &AnyKey) -> Span {
    debug_span!("create_client", %key)
}
