//! The credential scopes of a session: who shares them, and how long they stay when nobody does.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::RandomState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

use super::Inner;
use super::scope::Scope;
use crate::key::CredentialScope;
use crate::map::{EvictingMap, EvictionPolicy};

/// The scopes that somebody has a share in, and those that nobody has, for a while (T2).
///
/// A scope is in one of the two. Scopes are dropped when the lock is released: they may give back a share in another one.
pub(super) struct ScopePool {
    state: Mutex<State>,
    /// How long a scope stays that nobody shares.
    idle_timeout: Duration,
}

struct State {
    active: HashMap<CredentialScope, ActiveScope>,
    /// By when the last one left, longest ago first.
    idle: EvictingMap<CredentialScope, IdleScope, RandomState>,
}

struct ActiveScope {
    scope: Arc<Scope>,
    /// How many share it, at least one.
    leases: usize,
    /// Whether somebody has asked for it since it was forgotten, so that it is to linger.
    is_wanted: bool,
}

impl ActiveScope {
    fn new(scope: Arc<Scope>) -> Self {
        Self { scope, leases: 1, is_wanted: true }
    }
}

pub(super) struct IdleScope {
    scope: Arc<Scope>,
    since: SystemTime,
}

/// What has gone, to be dropped when the lock is released, and who has a share can give it back: providers are callers' own.
pub(super) type Retired = Vec<(CredentialScope, IdleScope)>;

impl ScopePool {
    pub(super) fn new(idle_timeout: Duration) -> Self {
        // Keys hold names of tenants, which may be chosen to collide (K3).
        let idle = EvictingMap::with_hasher(EvictionPolicy::Lru, 0, RandomState::new());
        let state = State { active: HashMap::new(), idle };
        Self { state: Mutex::new(state), idle_timeout }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more share in a scope, if it is known.
    pub(super) fn find(&self, key: &CredentialScope, now: SystemTime) -> (Option<Arc<Scope>>, Retired) {
        let state = &mut *self.lock();
        let retired = state.purge(now, self.idle_timeout);
        (state.find(key), retired)
    }

    /// One share in a scope that was not known, unless somebody else has added it since: then one more in that.
    pub(super) fn add(&self, key: &CredentialScope, scope: &Arc<Scope>, now: SystemTime) -> (Arc<Scope>, Retired) {
        let state = &mut *self.lock();
        let retired = state.purge(now, self.idle_timeout);
        let known = state.find(key);
        let scope = known.unwrap_or_else(|| {
            state.active.insert(key.clone(), ActiveScope::new(Arc::clone(scope)));
            Arc::clone(scope)
        });
        (scope, retired)
    }

    /// One share less; the last one leaves the scope to linger, with at most `max_idle` others.
    fn release(&self, key: &CredentialScope, now: SystemTime, max_idle: usize) {
        let _retired = {
            let state = &mut *self.lock();
            let mut retired = state.release(key, now, max_idle);
            retired.extend(state.purge(now, self.idle_timeout));
            retired
        };
    }

    /// Forgets what the scope keeps, and with that what is assumed with it (T6). Those that linger go, and the others when
    /// their last share is given back.
    ///
    /// A scope that others are assumed with is live as long as they are there: they have a share in it.
    pub(super) fn invalidate(&self, key: &CredentialScope) -> Retired {
        let (active, retired) = {
            let state = &mut *self.lock();
            for (_, active) in state.active.iter_mut().filter(|(scope, _)| scope.derives_from(key)) {
                active.is_wanted = false;
            }
            let active = state.active.get(key).map(|active| Arc::clone(&active.scope));
            (active, state.idle.extract(|scope, _| scope.derives_from(key)))
        };
        if let Some(credentials) = active.as_ref().and_then(|scope| scope.credentials()) {
            credentials.cached().invalidate();
        }
        retired
    }

    /// How many somebody shares, and how many nobody does.
    #[cfg(feature = "__internals")]
    pub(super) fn len(&self, now: SystemTime) -> (usize, usize) {
        let (len, _retired) = {
            let state = &mut *self.lock();
            let retired = state.purge(now, self.idle_timeout);
            ((state.active.len(), state.idle.len()), retired)
        };
        len
    }
}

impl State {
    fn find(&mut self, key: &CredentialScope) -> Option<Arc<Scope>> {
        if let Some(active) = self.active.get_mut(key) {
            active.leases += 1;
            active.is_wanted = true;
            return Some(Arc::clone(&active.scope));
        }
        let (key, IdleScope { scope, .. }) = self.idle.remove_entry(key)?;
        self.active.insert(key, ActiveScope::new(Arc::clone(&scope)));
        Some(scope)
    }

    fn release(&mut self, key: &CredentialScope, now: SystemTime, max_idle: usize) -> Retired {
        let Entry::Occupied(mut active) = self.active.entry(key.clone()) else { return Vec::new() };
        active.get_mut().leases -= 1;
        if active.get().leases > 0 {
            return Vec::new();
        }
        let (key, ActiveScope { scope, is_wanted, .. }) = active.remove_entry();
        let idle = IdleScope { scope, since: now };
        if !is_wanted {
            return vec![(key, idle)];
        }
        let mut retired: Retired = self.idle.set_max_size(max_idle);
        retired.extend(self.idle.insert(key, idle).ok().flatten());
        retired
    }

    /// Those that nobody has shared for long enough. Linear in what goes, unless the clock has been turned.
    fn purge(&mut self, now: SystemTime, idle_timeout: Duration) -> Retired {
        let mut retired = Vec::new();
        while let Some((_, oldest)) = self.idle.peek_next_victim() {
            match now.duration_since(oldest.since) {
                Ok(idle) if idle < idle_timeout => break,
                // A time that has not come yet: the clock was ahead, and nobody knows for how long this one has been idle.
                Ok(_) | Err(_) => retired.extend(self.idle.pop()),
            }
        }
        retired
    }
}

/// A share in a scope. Every client holds one, in its identity cache, and gives it back when its last clone is dropped.
pub(super) struct Lease {
    session: Weak<Inner>,
    key: CredentialScope,
    scope: Arc<Scope>,
}

impl Lease {
    pub(super) fn new(session: &Arc<Inner>, key: &CredentialScope, scope: Arc<Scope>) -> Self {
        Self { session: Arc::downgrade(session), key: key.clone(), scope }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The scope's identity cache, which holds this share.
    pub(super) fn identity_cache(self) -> SharedIdentityCache {
        SharedIdentityCache::new(LeasedIdentityCache(self))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Without a session, nobody could ask for the scope again.
        if let Some(session) = self.session.upgrade() {
            session.scopes.release(&self.key, session.now(), session.cache.max_size());
        }
    }
}

struct LeasedIdentityCache(Lease);

impl ResolveCachedIdentity for LeasedIdentityCache {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        self.0.scope.identities().resolve_cached_identity(resolver, components, config)
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.scope.identities().validate_base_client_config(components, config)
    }
}

impl fmt::Debug for LeasedIdentityCache {
    /// Shows nothing: the `Debug` of an identity cache shows what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeasedIdentityCache")
    }
}
