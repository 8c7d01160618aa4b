//! What the clients of one credential scope share.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::SdkConfig;
use aws_types::region::Region;

use super::credentials::Kept;
use super::scopes::Lease;
use crate::params::ClientParams;
use crate::service::Service;

/// A client's identities: those of its credentials, of its requests that are not signed, and what a service adds.
const MAX_IDENTITIES: usize = 8;

/// What the clients of one credential scope share, and no others (T1).
pub(super) struct Scope {
    /// `None` if requests are not signed.
    credentials: Option<(Kept, SharedCredentialsProvider)>,
    identity_cache: SharedIdentityCache,
    partitions: Partitions,
    /// Whose credentials it is assumed with, which must not go before it (T2).
    _source: Option<Lease>,
}

impl Scope {
    /// `base` has a clock.
    pub(super) fn new(provider: Option<SharedCredentialsProvider>, source: Option<Lease>, base: &SdkConfig) -> Self {
        let credentials = provider.map(|provider| {
            let kept = Kept::new(provider, base.time_source().unwrap_or_default());
            (kept.clone(), SharedCredentialsProvider::new(kept))
        });
        Self {
            credentials,
            identity_cache: IdentityCache::lazy().max_partitions(MAX_IDENTITIES).build(),
            partitions: Partitions::default(),
            _source: source,
        }
    }

    pub(super) fn provider(&self) -> Option<SharedCredentialsProvider> {
        self.credentials.as_ref().map(|(_, provider)| provider.clone())
    }

    pub(super) fn credentials(&self) -> Option<&Kept> {
        self.credentials.as_ref().map(|(kept, _)| kept)
    }

    pub(super) fn identity_cache(&self) -> &SharedIdentityCache {
        &self.identity_cache
    }

    pub(super) fn partitions(&self) -> &Partitions {
        &self.partitions
    }
}

/// The budgets of retries of one scope, by service and region, as the SDK has them for a whole process (T3).
#[derive(Default)]
pub(super) struct Partitions(Mutex<HashMap<(TypeId, Option<Region>), RetryPartition>>);

impl Partitions {
    pub(super) fn of<S: Service>(&self, params: &ClientParams<S>, base: &SdkConfig) -> RetryPartition {
        let key = params.key_ref();
        let region = key.region().or(base.region()).cloned();
        let mut partitions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let partition = partitions.entry((TypeId::of::<S>(), region));
        // The name is for logs only: each is a budget of its own.
        partition.or_insert_with(|| RetryPartition::custom(S::NAME).build()).clone()
    }
}
