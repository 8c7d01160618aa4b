//! What a cache does, as events of `tracing`; without the feature of that name, `untraced` stands for this.
//!
//! Keys are shown by their labels, which hold no secret (K4), and callers' own errors not at all. Events are sent while the
//! cache is not locked, for what receives them is a caller's code (C2).

use tracing::{Instrument, Span, debug, debug_span};

use super::{Evicted, EvictionCause};
use crate::error::ClientCacheError;
use crate::key::AnyKey;

/// A client was not inserted.
pub(super) fn refused(error: &ClientCacheError) {
    debug!(%error, "refused");
}

/// An entry left to make room, or because it has expired.
pub(super) fn evicted(Evicted { key, .. }: &Evicted, cause: EvictionCause) {
    match cause {
        EvictionCause::Expired => debug!(%key, "expired"),
        EvictionCause::Capacity | EvictionCause::Shrunk => debug!(%key, ?cause, "evicted"),
    }
}

/// A creation has made a client, or failed.
pub(super) fn created<T>(key: &AnyKey, created: &Result<T, ClientCacheError>) {
    match created {
        Ok(_) => debug!(%key, "created"),
        Err(error) => debug!(%error, "failed"),
    }
}

/// The same creation, within a span.
pub(super) fn instrument<Fut: Future>(key: &AnyKey, create: Fut) -> impl Future<Output = Fut::Output> {
    create.instrument(span(key))
}

/// The same for what is no future.
pub(super) fn instrument_sync<T>(key: &AnyKey, create: impl FnOnce() -> T) -> T {
    span(key).in_scope(create)
}

fn span(key: &AnyKey) -> Span {
    debug_span!("create_client", %key)
}
