//! `ClientCache` as a subject of the specification, with numbers as keys and clients.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use aws_client_cache::{AnyClient, AnyKey, ClientCache, ClientCacheError, ClientCacheKey, Evicted};
use aws_client_cache_spec::check::{FoundOrInserted, from_both_ends};
use aws_client_cache_spec::concurrency::Shared;
use aws_client_cache_spec::model::{Expiring, OperationKind, OperationKinds};
use aws_client_cache_spec::{self as spec, Explore, Model, Names, Operation, Outcome, Refusal, SystemUnderTest};

use super::clock::{Clock, time};
use super::engine::policy;
use super::fake::{self, Client, Fake};

/// Keys are the numbers below this one.
const KEYS: u8 = 64;

/// The operations that a [`ClientCache`] does not have.
///
/// It hands out clones of its clients, and changes none in place.
pub const MISSING: OperationKinds = {
    let mut missing = OperationKinds::ALL.minus(OperationKinds::ALL);
    missing.insert(OperationKind::GetMut);
    missing
};

/// A [`ClientCache`] under test. It looks up even numbers as typed keys, odd ones as erased keys.
#[derive(Debug)]
pub struct Cache {
    pub shared: Arc<ClientCache>,
    keys: Arc<Keys>,
    /// The time to which each operation first sets the clock. Forks share the clock, but not the time.
    now: u64,
}

/// Makes keys of a model expire, with their numbers and times.
pub fn with_expiry(model: Model<u8, u64>, expiry: &[(u8, u64)]) -> Expiring<u8, Model<u8, u64>> {
    expiry.iter().fold(Expiring::new(model), |model, (key, at)| model.with_expiry(*key, *at))
}

#[derive(Debug)]
struct Keys {
    by_number: Vec<ClientCacheKey<Fake>>,
    numbers: HashMap<AnyKey, u8>,
    clock: Clock,
}

impl Cache {
    pub fn new(spec_policy: spec::Policy, max_size: usize) -> Self {
        Self::with_expiry(spec_policy, max_size, &[])
    }

    /// Creates a cache some of whose keys expire: `expiry` has their numbers and times.
    pub fn with_expiry(spec_policy: spec::Policy, max_size: usize, expiry: &[(u8, u64)]) -> Self {
        let expiry: HashMap<_, _> = expiry.iter().copied().collect();
        let key = |number| match expiry.get(&number) {
            Some(at) => fake::expiring_key(number, time(*at)),
            None => fake::key(number),
        };
        let by_number: Vec<_> = (0..KEYS).map(key).collect();
        let numbers = by_number.iter().cloned().map(AnyKey::from).zip(0..).collect();
        let clock = Clock::default();
        let cache = ClientCache::builder().policy(policy(spec_policy)).max_size(max_size).time_source(clock.clone());
        Self { shared: Arc::new(cache.build()), keys: Arc::new(Keys { by_number, numbers, clock }), now: 0 }
    }

    /// Creates an empty cache for the same keys, because keys are slow to create.
    pub fn empty(&self, spec_policy: spec::Policy, max_size: usize) -> Self {
        let clock = self.keys.clock.clone();
        let cache = ClientCache::builder().policy(policy(spec_policy)).max_size(max_size).time_source(clock);
        self.with(cache.build())
    }

    /// Wraps another cache that uses the same keys.
    pub fn with(&self, cache: ClientCache) -> Self {
        Self { shared: Arc::new(cache), keys: Arc::clone(&self.keys), now: self.now }
    }

    /// Sets the clock to the time of this fork, and returns the cache.
    fn at_its_time(&self) -> &ClientCache {
        self.keys.clock.set(self.now);
        &self.shared
    }

    pub fn key(&self, number: u8) -> ClientCacheKey<Fake> {
        self.keys.by_number[usize::from(number)].clone()
    }

    /// Calls `typed` with an even key, or `erased` with an odd one.
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
        ClientCacheError::CredentialsExpired { .. } => Refusal::Expired,
        other => panic!("unexpected: {other}"),
    }
}

/// A clone is a handle on the same cache.
impl Clone for Cache {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), keys: Arc::clone(&self.keys), now: self.now }
    }
}

impl Shared<u8, u64> for Cache {
    fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        match operation {
            // Neither takes effect at one moment. `retain` calls its predicate while the cache is unlocked, and this
            // adapter finds out by itself which client a creation has evicted.
            Operation::Retain(_) | Operation::GetOrInsert(..) => Outcome::Missing,
            _ => operation.apply(&mut self.clone()),
        }
    }
}

impl SystemUnderTest<u8, u64> for Cache {
    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        let inserted = self.at_its_time().insert(self.key(key), Client::new(value));
        match inserted {
            Ok(victim) => Ok(victim.map(|victim| self.evicted(victim))),
            Err(refused) => Err(refusal(&refused.error)),
        }
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        let cache = self.at_its_time();
        self.find(*key, |typed| Some(cache.get(typed)?.id), |erased| Some(id(cache.get(erased)?)))
    }

    fn try_get(&mut self, key: &u8) -> Result<u64, Refusal> {
        let cache = self.at_its_time();
        self.find(*key, |typed| Ok(cache.try_get(typed)?.id), |erased| Ok(id(cache.try_get(erased)?)))
            .map_err(|error| refusal(&error))
    }

    fn peek(&self, key: &u8) -> Option<u64> {
        let cache = self.at_its_time();
        self.find(*key, |typed| Some(cache.peek(typed)?.id), |erased| Some(id(cache.peek(erased)?)))
    }

    fn contains_key(&self, key: &u8) -> bool {
        let cache = self.at_its_time();
        self.find(*key, |typed| cache.contains_key(typed), |erased| cache.contains_key(erased))
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        let cache = self.at_its_time();
        self.find(*key, |typed| Ok(cache.remove(typed)?.id), |erased| Ok(id(cache.remove(erased)?)))
            .map_err(|error| refusal(&error))
    }

    fn pop(&mut self) -> Result<(u8, u64), Refusal> {
        let item = self.at_its_time().pop_item().map_err(|error| refusal(&error))?;
        Ok(self.item(item))
    }

    fn clear(&mut self) {
        self.at_its_time().clear();
    }

    fn copy(&self) -> Option<Self> {
        Some(self.with(self.at_its_time().copy()))
    }

    fn max_size(&self) -> usize {
        self.at_its_time().max_size()
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(u8, u64)>> {
        let evicted = self.at_its_time().set_max_size(max_size);
        Some(evicted.into_iter().map(|evicted| self.evicted(evicted)).collect())
    }

    fn len(&self) -> usize {
        self.at_its_time().len()
    }

    fn is_empty(&self) -> bool {
        self.at_its_time().is_empty()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        self.at_its_time().items().map(|item| self.item(item)).collect()
    }

    fn keys(&self) -> Vec<u8> {
        self.at_its_time().keys().map(|key| self.number(&key)).collect()
    }

    fn values(&self) -> Vec<u64> {
        self.at_its_time().values().map(id).collect()
    }

    fn reversed(&self) -> Vec<(u8, u64)> {
        self.at_its_time().reversed().map(|item| self.item(item)).collect()
    }

    fn check(&self) -> Result<(), String> {
        self.at_its_time().check()
    }

    fn iterate(&self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(u8, u64)>> {
        Some(from_both_ends(self.at_its_time().iter().map(|item| self.item(item)), from_back))
    }

    fn next_victim(&self) -> Option<Option<(u8, u64)>> {
        Some(self.at_its_time().peek_next_victim().map(|item| self.item(item)))
    }

    /// Creates the client on a miss.
    ///
    /// The method of the cache does not return the evicted client, so it is found by comparing the clients before and
    /// after.
    fn get_or_insert(&mut self, key: u8, value: u64) -> Option<FoundOrInserted<u8, u64>> {
        let before = self.items();
        let create = || Ok::<_, Infallible>(Client::new(value));
        let found = match self.at_its_time().get_or_try_insert_with_sync(&self.key(key), create) {
            Ok(client) => client.id,
            Err(error) => return Some(Err(refusal(&error))),
        };
        let after = self.keys();
        let gone = before.into_iter().chain([(key, value)]).find(|(known, _)| !after.contains(known));
        Some(Ok((found, gone)))
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&u8, &u64) -> bool) -> Option<()> {
        let clients: HashMap<_, _> = self.items().into_iter().collect();
        let mut refused = Vec::new();
        let removed = self.at_its_time().retain(|key| {
            let number = self.number(key);
            let is_kept = keep(&number, &clients[&number]);
            if !is_kept {
                refused.push((number, clients[&number]));
            }
            is_kept
        });
        let removed: Vec<_> = removed.into_iter().map(|item| self.item(item)).collect();
        assert_eq!(removed, refused, "`retain` returns the clients that it has removed");
        Some(())
    }

    fn drain(&mut self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(u8, u64)>> {
        Some(from_both_ends(self.at_its_time().drain().map(|item| self.item(item)), from_back))
    }

    fn set_time(&mut self, now: u64) -> Option<()> {
        self.now = now;
        Some(())
    }

    fn remove_expired(&mut self) -> Option<Vec<(u8, u64)>> {
        let expired = self.at_its_time().remove_expired();
        Some(expired.into_iter().map(|expired| self.evicted(expired)).collect())
    }
}

impl Explore<u8, u64> for Cache {
    fn fork(&self) -> Self {
        self.with(self.shared.fork())
    }

    fn fingerprint(&self, names: Names<'_, u8>) -> Vec<u64> {
        // The index is left out, because it depends on hashes, which differ in each process: so would the number of states.
        let mut fingerprint = self.shared.fingerprint(|key| names.of(&self.number(key)), false);
        fingerprint.push(self.now);
        fingerprint
    }
}
