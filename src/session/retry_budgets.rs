//! [`RetryBudgets`], the retry partitions of one credential scope.

use std::any::TypeId;
use std::hash::RandomState;
use std::sync::{Mutex, PoisonError};

use aws_smithy_runtime::client::retries::RetryPartition;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::map::{EvictingMap, EvictionPolicy};
use crate::params::ClientParams;
use crate::service::Service;

/// The retry budgets of one scope, by service and region.
// T3
pub(super) struct RetryBudgets(Mutex<Budgets>);

/// The recently used budgets, bounded because any name is a region.
///
/// Clients keep an evicted budget.
type Budgets = EvictingMap<(TypeId, Option<Region>), RetryPartition, RandomState>;

const MAX_BUDGETS: usize = 64;

impl Default for RetryBudgets {
    fn default() -> Self {
        Self(Mutex::new(EvictingMap::with_hasher(EvictionPolicy::Lru, MAX_BUDGETS, RandomState::new())))
    }
}

impl RetryBudgets {
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
