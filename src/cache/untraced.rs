//! The functions of `trace`, doing nothing, for builds without the feature `tracing`.

use super::{Evicted, EvictionCause};
use crate::error::ClientCacheError;
use crate::key::AnyKey;

pub(super) fn refused(_: &ClientCacheError) {}

pub(super) fn evicted(_: &Evicted, _: EvictionCause) {}

pub(super) fn created<T>(_: &AnyKey, _: &Result<T, ClientCacheError>) {}

pub(super) fn instrument<Fut: Future>(_: &AnyKey, create: Fut) -> Fut {
    create
}

pub(super) fn instrument_sync<T>(_: &AnyKey, create: impl FnOnce() -> T) -> T {
    create()
}
