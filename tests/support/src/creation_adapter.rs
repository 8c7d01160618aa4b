//! `ClientCache` as a subject of creation, with numbers as keys, values and failures.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use aws_client_cache::{ClientCache, ClientCacheError};
use aws_client_cache_spec::concurrency::Shared;
use aws_client_cache_spec::creation::{Creates, Creation, Failure};
use aws_client_cache_spec::{self as spec, Operation, Outcome, SystemUnderTest};

use super::cache::Cache;
use super::engine::policy;
use super::fake::Client;

type Evictions = Arc<Mutex<Vec<(u8, u64)>>>;

/// A [`ClientCache`] that creates clients on a miss, with a listener that records evictions.
#[derive(Debug)]
pub struct CreationAdapter {
    cache: Cache,
    evictions: Evictions,
    is_shared: bool,
}

/// A [`Failure`] as the error of a creation.
#[derive(Debug)]
struct Failed(Failure);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Error for Failed {}

fn failure(error: &ClientCacheError) -> Failure {
    let source = error.source().unwrap_or_else(|| panic!("{error} has no source"));
    if let Some(Failed(failure)) = source.downcast_ref::<Failed>() {
        *failure
    } else {
        assert_eq!(source.to_string(), "the creation panicked");
        Failure::PANIC
    }
}

impl CreationAdapter {
    pub fn new(spec_policy: spec::Policy, max_size: usize) -> Self {
        Self::with(&Cache::new(spec_policy, max_size), spec_policy, max_size)
    }

    /// Creates an empty cache for the same keys, because keys are slow to create.
    pub fn empty(&self, spec_policy: spec::Policy, max_size: usize) -> Self {
        Self::with(&self.cache, spec_policy, max_size)
    }

    fn with(keys: &Cache, spec_policy: spec::Policy, max_size: usize) -> Self {
        let evictions = Evictions::default();
        let (listener, numbers) = (Arc::clone(&evictions), keys.clone());
        let cache = ClientCache::builder().policy(policy(spec_policy)).max_size(max_size);
        let cache = cache.on_evict(move |evicted, _| listener.lock().unwrap().push(numbers.evicted(evicted.clone())));
        Self { cache: keys.with(cache.build()), evictions, is_shared: false }
    }

    /// Calls the variant whose creations are shared, or the other one.
    pub fn sharing(self, is_shared: bool) -> Self {
        Self { is_shared, ..self }
    }
}

impl Creates for CreationAdapter {
    fn get_or_create(
        &self,
        key: u8,
        create: Box<dyn FnOnce() -> Creation + Send>,
    ) -> Pin<Box<dyn Future<Output = Result<u64, Failure>>>> {
        let (cache, key, is_shared) = (Arc::clone(&self.cache.shared), self.cache.key(key), self.is_shared);
        Box::pin(async move {
            let create = || async move { create().await.map(Client::new).map_err(Failed) };
            let client = if is_shared {
                cache.get_or_try_insert_with_shared(&key, create).await
            } else {
                cache.get_or_try_insert_with(&key, create).await
            };
            client.map(|client| client.id).map_err(|error| failure(&error))
        })
    }

    fn get_or_create_now(
        &self,
        key: u8,
        create: Box<dyn FnOnce() -> Result<u64, Failure> + Send>,
    ) -> Result<u64, Failure> {
        let create = || create().map(Client::new).map_err(Failed);
        let client = self.cache.shared.get_or_try_insert_with_sync(&self.cache.key(key), create);
        client.map(|client| client.id).map_err(|error| failure(&error))
    }

    fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        self.cache.shared.check().unwrap_or_else(|broken| panic!("{broken}"));
        match operation {
            Operation::Retain(0) => {
                let entries = self.cache.items();
                let removed = self.cache.shared.retain(|_| false);
                assert_eq!(removed.len(), entries.len());
                Outcome::Entries(entries)
            }
            _ => Shared::call(&self.cache, operation),
        }
    }

    fn reports(&self) -> Vec<(u8, u64)> {
        std::mem::take(&mut *self.evictions.lock().unwrap())
    }
}
