//! The functions of `trace`, doing nothing, for builds without the feature `tracing`.

use crate::key::{CredentialScope, ScopeSelection};

pub(super) fn loaded<T, E>(_: &CredentialScope, _: &Result<T, E>) {}

pub(super) fn expired_token(_: &CredentialScope) {}

pub(super) fn invalidated(_: ScopeSelection<'_>, _: bool) {}

pub(super) fn admitted(_: ScopeSelection<'_>) {}
