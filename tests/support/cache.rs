//! `ClientCache` as a subject of the specification, with numbers for keys and for clients.

use std::collections::HashMap;
use std::sync::Arc;

use aws_client_cache::{AnyClient, AnyKey, ClientCache, ClientCacheError, ClientCacheKey, Evicted};
use aws_client_cache_spec::{self as spec, Operation, Outcome, Refusal, Shared, Subject};

use super::engine::policy;
use super::fake::{self, Client, Fake};

/// Keys are these numbers.
const KEYS: u8 = 64;

/// A [`ClientCache`] under test. Even keys are looked up as typed keys, odd ones as erased ones.
#[derive(Debug)]
pub struct Cache {
    pub cache: Arc<ClientCache>,
    keys: Arc<Keys>,
}

#[derive(Debug)]
struct Keys {
    by_number: Vec<ClientCacheKey<Fake>>,
    numbers: HashMap<AnyKey, u8>,
}

impl Cache {
    pub fn new(spec_policy: spec::EvictionPolicy, max_size: usize) -> Self {
        let by_number: Vec<_> = (0..KEYS).map(fake::key).collect();
        let numbers = by_number.iter().cloned().map(AnyKey::from).zip(0..).collect();
        Self {
            cache: Arc::new(ClientCache::new(policy(spec_policy), max_size)),
            keys: Arc::new(Keys { by_number, numbers }),
        }
    }

    /// An empty cache for the same keys, which take long to make.
    pub fn empty(&self, spec_policy: spec::EvictionPolicy, max_size: usize) -> Self {
        self.with(ClientCache::new(policy(spec_policy), max_size))
    }

    /// Another cache for the same keys.
    pub fn with(&self, cache: ClientCache) -> Self {
        Self { cache: Arc::new(cache), keys: Arc::clone(&self.keys) }
    }

    pub fn key(&self, number: u8) -> ClientCacheKey<Fake> {
        self.keys.by_number[usize::from(number)].clone()
    }

    /// What `typed` or `erased` finds under a key, as a number.
    fn find<T>(
        &self,
        number: u8,
        typed: impl FnOnce(&ClientCacheKey<Fake>) -> T,
        erased: impl FnOnce(&AnyKey) -> T,
    ) -> T {
        if number.is_multiple_of(2) { typed(&self.key(number)) } else { erased(&self.key(number).into()) }
    }

    fn number(&self, key: &AnyKey) -> u8 {
        self.keys.numbers[key]
    }

    fn item(&self, (key, client): (AnyKey, AnyClient)) -> (u8, u64) {
        (self.number(&key), id(client))
    }

    pub fn evicted(&self, evicted: Evicted) -> (u8, u64) {
        self.item((evicted.key, evicted.client))
    }
}

fn id(client: AnyClient) -> u64 {
    client.downcast::<Fake>().expect("all clients are of one service").id
}

fn refusal(error: &ClientCacheError) -> Refusal {
    match error {
        ClientCacheError::AlreadyExists { .. } => Refusal::AlreadyExists,
        ClientCacheError::NotFound { .. } => Refusal::NotFound,
        ClientCacheError::Empty => Refusal::Empty,
        other => panic!("unexpected: {other}"),
    }
}

/// A handle on the same cache.
impl Clone for Cache {
    fn clone(&self) -> Self {
        Self { cache: Arc::clone(&self.cache), keys: Arc::clone(&self.keys) }
    }
}

impl Shared<u8, u64> for Cache {
    fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        operation.apply(&mut self.clone())
    }
}

impl Subject<u8, u64> for Cache {
    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        let inserted = self.cache.insert(self.key(key), Client::new(value));
        match inserted {
            Ok(victim) => Ok(victim.map(|victim| self.evicted(victim))),
            Err(error) => Err(refusal(&error)),
        }
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        let cache = &self.cache;
        self.find(*key, |typed| Some(cache.get(typed)?.id), |erased| Some(id(cache.get(erased)?)))
    }

    fn try_get(&mut self, key: &u8) -> Result<u64, Refusal> {
        let cache = &self.cache;
        self.find(*key, |typed| Ok(cache.try_get(typed)?.id), |erased| Ok(id(cache.try_get(erased)?)))
            .map_err(|error| refusal(&error))
    }

    fn peek(&self, key: &u8) -> Option<u64> {
        let cache = &self.cache;
        self.find(*key, |typed| Some(cache.peek(typed)?.id), |erased| Some(id(cache.peek(erased)?)))
    }

    fn contains_key(&self, key: &u8) -> bool {
        let cache = &self.cache;
        self.find(*key, |typed| cache.contains_key(typed), |erased| cache.contains_key(erased))
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        let cache = &self.cache;
        self.find(*key, |typed| Ok(cache.remove(typed)?.id), |erased| Ok(id(cache.remove(erased)?)))
            .map_err(|error| refusal(&error))
    }

    fn pop(&mut self) -> Result<(u8, u64), Refusal> {
        let item = self.cache.pop_item().map_err(|error| refusal(&error))?;
        Ok(self.item(item))
    }

    fn clear(&mut self) {
        self.cache.clear();
    }

    fn copy(&self) -> Option<Self> {
        Some(self.with(self.cache.copy()))
    }

    fn max_size(&self) -> usize {
        self.cache.max_size()
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(u8, u64)>> {
        let evicted = self.cache.set_max_size(max_size);
        Some(evicted.into_iter().map(|evicted| self.evicted(evicted)).collect())
    }

    fn len(&self) -> usize {
        self.cache.len()
    }

    fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        self.cache.items().map(|item| self.item(item)).collect()
    }

    fn keys(&self) -> Vec<u8> {
        self.cache.keys().map(|key| self.number(&key)).collect()
    }

    fn values(&self) -> Vec<u64> {
        self.cache.values().map(id).collect()
    }

    fn reversed(&self) -> Vec<(u8, u64)> {
        self.cache.reversed().map(|item| self.item(item)).collect()
    }

    fn check(&self) -> Result<(), String> {
        self.cache.check()
    }
}
