//! [`Scope`], the state that the clients of one credential scope share.

use std::any::TypeId;
use std::hash::RandomState;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_types::SdkConfig;
use aws_types::region::Region;

use super::credentials::LoadConfig;
use super::identity_cache::{Provider, ScopedIdentityCache};
use crate::key::CredentialScope;
use crate::map::{EvictingMap, EvictionPolicy};
use crate::params::ClientParams;
use crate::service::Service;

/// The state that the clients of one credential scope share, and no other clients.
// T1
pub(super) struct Scope {
    /// `None` if requests are not signed.
    credentials: Option<Provider>,
    identities: ScopedIdentityCache,
    partitions: Partitions,
}

impl Scope {
    /// Creates a scope.
    ///
    /// A role is assumed with the credentials of `source`, or with those of the base configuration.
    pub(super) fn new(
        scope: &CredentialScope,
        provider: Option<SharedCredentialsProvider>,
        assumed_with: Option<Provider>,
        config: &Arc<LoadConfig>,
    ) -> Self {
        let credentials = provider.map(|provider| Provider::new(scope, provider, assumed_with, config));
        let identities = ScopedIdentityCache::new(credentials.clone(), None);
        Self { credentials, identities, partitions: Partitions::default() }
    }

    pub(super) fn credentials(&self) -> Option<&Provider> {
        self.credentials.as_ref()
    }

    pub(super) fn identities(&self) -> &ScopedIdentityCache {
        &self.identities
    }

    pub(super) fn partitions(&self) -> &Partitions {
        &self.partitions
    }
}

/// The retry partitions of one scope, by service and region.
// T3
pub(super) struct Partitions(Mutex<Budgets>);

/// The recently used budgets, bounded because any name is a region.
///
/// Clients keep an evicted budget.
type Budgets = EvictingMap<(TypeId, Option<Region>), RetryPartition, RandomState>;

const MAX_BUDGETS: usize = 64;

impl Default for Partitions {
    fn default() -> Self {
        Self(Mutex::new(EvictingMap::with_hasher(EvictionPolicy::Lru, MAX_BUDGETS, RandomState::new())))
    }
}

impl Partitions {
    pub(super) fn of<S: Service>(&self, params: &ClientParams<S>, base: &SdkConfig) -> RetryPartition {
        let region = params.key_ref().region().or(base.region()).cloned();
        let key = (TypeId::of::<S>(), region);
        let mut budgets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = budgets.get(&key) {
            return known.clone();
        }
        // The name is only for logs: each partition has its own budget.
        let partition = RetryPartition::custom(S::NAME).build();
        // The key is absent, so the insertion succeeds. An evicted budget may be dropped.
        let _ = budgets.insert(key, partition.clone());
        partition
    }
}
