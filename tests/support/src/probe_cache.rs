//! `ClientCache` as a subject of the specification, with clients and keys whose callbacks can panic.

use std::convert::Infallible;
use std::sync::Arc;

use aws_client_cache::{AnyClient, AnyKey, ClientCache, ClientCacheKey, ClientParams, Region, SdkConfig, Service};
use aws_client_cache_spec::check::{FoundOrInserted, PanicProbe, from_both_ends};
use aws_client_cache_spec::concurrency::Shared;
use aws_client_cache_spec::{self as spec, Explore, Names, Operation, Outcome, Refusal, SystemUnderTest};

use super::engine::policy;

type Key = PanicProbe<u8>;
type Value = PanicProbe<u64>;

/// A service whose clients are [`PanicProbe`] numbers.
#[derive(Debug)]
pub enum ProbeService {}

impl Service for ProbeService {
    type Client = Value;
    type ConfigBuilder = ();
    const NAME: &'static str = "PanicProbe";

    fn config_builder(_: &SdkConfig) {}

    fn client((): ()) -> Value {
        PanicProbe::new(0)
    }

    fn region(_: &Value) -> Option<&Region> {
        None
    }
}

/// A [`ClientCache`] under test, with customizations of [`PanicProbe`] values as keys.
///
/// It looks up even numbers as typed keys, odd ones as erased keys.
#[derive(Debug)]
pub struct ProbeCache {
    cache: Arc<ClientCache>,
    keys: Arc<Keys>,
}

/// The keys of each number, once for storing and once for lookups.
///
/// A key that is the same object as the stored one would not be compared by its value.
#[derive(Debug)]
struct Keys {
    stored: Vec<ClientCacheKey<ProbeService>>,
    asked: Vec<ClientCacheKey<ProbeService>>,
    erased: Vec<AnyKey>,
}

impl ProbeCache {
    pub fn new(spec_policy: spec::Policy, max_size: usize) -> Self {
        let key = |number: u8| {
            let params = ClientParams::builder().customize_with("key", Key::new(number), |(), _| ()).build();
            params.expect("it is valid").key()
        };
        let stored = (0..=u8::MAX).map(key).collect();
        let asked: Vec<_> = (0..=u8::MAX).map(key).collect();
        let erased = asked.iter().cloned().map(AnyKey::from).collect();
        let cache = Arc::new(ClientCache::new(policy(spec_policy), max_size));
        Self { cache, keys: Arc::new(Keys { stored, asked, erased }) }
    }

    /// Calls `typed` with an even key, or `erased` with an odd one.
    fn find<T>(
        &self,
        key: &Key,
        typed: impl FnOnce(&ClientCacheKey<ProbeService>) -> T,
        erased: impl FnOnce(&AnyKey) -> T,
    ) -> T {
        let number = usize::from(*key.get());
        if number.is_multiple_of(2) { typed(&self.keys.asked[number]) } else { erased(&self.keys.erased[number]) }
    }

    fn number(&self, key: &AnyKey) -> u8 {
        let position = self.keys.erased.iter().position(|erased| erased == key);
        u8::try_from(position.expect("no other keys were inserted")).expect("there are no more")
    }

    fn item(&self, (key, client): (AnyKey, AnyClient)) -> (Key, Value) {
        (PanicProbe::new(self.number(&key)), client.downcast::<ProbeService>().expect("there is one service"))
    }

    fn with(&self, cache: ClientCache) -> Self {
        Self { cache: Arc::new(cache), keys: Arc::clone(&self.keys) }
    }
}

impl Shared<Key, Value> for ProbeCache {
    fn call(&self, operation: &Operation<Key, Value>) -> Outcome<Key, Value> {
        let mut handle = Self { cache: Arc::clone(&self.cache), keys: Arc::clone(&self.keys) };
        operation.apply(&mut handle)
    }
}

impl SystemUnderTest<Key, Value> for ProbeCache {
    fn insert(&mut self, key: Key, value: Value) -> Result<Option<(Key, Value)>, Refusal> {
        let stored = self.keys.stored[usize::from(*key.get())].clone();
        drop(key); // before the insertion: if this drop panicked later, the returned entry would leak
        let inserted = self.cache.insert(stored, value).map_err(|_| Refusal::AlreadyExists)?;
        Ok(inserted.map(|evicted| self.item((evicted.key, evicted.client))))
    }

    fn get(&mut self, key: &Key) -> Option<Value> {
        let cache = &self.cache;
        self.find(key, |typed| cache.get(typed), |erased| cache.get(erased)?.downcast::<ProbeService>().ok())
    }

    fn peek(&self, key: &Key) -> Option<Value> {
        let cache = &self.cache;
        self.find(key, |typed| cache.peek(typed), |erased| cache.peek(erased)?.downcast::<ProbeService>().ok())
    }

    fn contains_key(&self, key: &Key) -> bool {
        let cache = &self.cache;
        self.find(key, |typed| cache.contains_key(typed), |erased| cache.contains_key(erased))
    }

    fn remove(&mut self, key: &Key) -> Result<Value, Refusal> {
        let cache = &self.cache;
        let removed = self.find(
            key,
            |typed| cache.remove(typed).ok(),
            |erased| cache.remove(erased).ok()?.downcast::<ProbeService>().ok(),
        );
        removed.ok_or(Refusal::NotFound)
    }

    fn pop(&mut self) -> Result<(Key, Value), Refusal> {
        let item = self.cache.pop_item().map_err(|_| Refusal::Empty)?;
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

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(Key, Value)>> {
        let evicted = self.cache.set_max_size(max_size);
        Some(evicted.into_iter().map(|evicted| self.item((evicted.key, evicted.client))).collect())
    }

    fn len(&self) -> usize {
        self.cache.len()
    }

    fn items(&self) -> Vec<(Key, Value)> {
        self.cache.items().map(|item| self.item(item)).collect()
    }

    fn iterate(&self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(Key, Value)>> {
        Some(from_both_ends(self.cache.iter().map(|item| self.item(item)), from_back))
    }

    fn next_victim(&self) -> Option<Option<(Key, Value)>> {
        Some(self.cache.peek_next_victim().map(|item| self.item(item)))
    }

    /// Creates the client on a miss.
    ///
    /// The method of the cache does not return the evicted client, so it is found by comparing the clients before and
    /// after.
    fn get_or_insert(&mut self, key: Key, value: Value) -> Option<FoundOrInserted<Key, Value>> {
        let before = self.items();
        let stored = &self.keys.stored[usize::from(*key.get())];
        let found = self.cache.get_or_try_insert_with_sync(stored, || Ok::<_, Infallible>(value.clone()));
        let found = found.expect("no creation fails, and nothing expires");
        let after = self.items();
        let mut known = before.into_iter().chain([(key, value)]);
        let gone = known.find(|(known, _)| after.iter().all(|(left, _)| left != known));
        drop((known, after)); // here, or the client would leak if this panicked
        Some(Ok((found, gone)))
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&Key, &Value) -> bool) -> Option<()> {
        let clients = self.items();
        let mut asked = clients.iter();
        drop(self.cache.retain(|_| asked.next().is_some_and(|(key, client)| keep(key, client))));
        Some(())
    }

    fn drain(&mut self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(Key, Value)>> {
        Some(from_both_ends(self.cache.drain().map(|item| self.item(item)), from_back))
    }

    fn check(&self) -> Result<(), String> {
        self.cache.check()
    }
}

impl Explore<Key, Value> for ProbeCache {
    fn fork(&self) -> Self {
        self.with(self.cache.fork())
    }

    fn fingerprint(&self, names: Names<'_, Key>) -> Vec<u64> {
        self.cache.fingerprint(|key| names.of(&PanicProbe::new(self.number(key))), names.are_own())
    }
}
