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
pub(super) struct Scopes {
    state: Mutex<State>,
    /// How long a scope stays that nobody shares.
    linger: Duration,
}

struct State {
    live: HashMap<CredentialScope, Live>,
    /// By when the last one left, longest ago first.
    idle: EvictingMap<CredentialScope, Idle, RandomState>,
}

struct Live {
    scope: Arc<Scope>,
    /// How many share it, at least one.
    leases: usize,
    /// Whether somebody has asked for it since it was forgotten, so that it is to linger.
    is_wanted: bool,
}

impl Live {
    fn new(scope: Arc<Scope>) -> Self {
        Self { scope, leases: 1, is_wanted: true }
    }
}

pub(super) struct Idle {
    scope: Arc<Scope>,
    since: SystemTime,
}

/// What has gone, to be dropped when the lock is released, and who has a share can give it back: providers are callers' own.
pub(super) type Gone = Vec<(CredentialScope, Idle)>;

impl Scopes {
    pub(super) fn new(linger: Duration) -> Self {
        // Keys hold names of tenants, which may be chosen to collide (K3).
        let idle = EvictingMap::with_hasher(EvictionPolicy::Lru, 0, RandomState::new());
        let state = State { live: HashMap::new(), idle };
        Self { state: Mutex::new(state), linger }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more share in a scope, if it is known.
    pub(super) fn find(&self, key: &CredentialScope, now: SystemTime) -> (Option<Arc<Scope>>, Gone) {
        let state = &mut *self.lock();
        let gone = state.purge(now, self.linger);
        (state.find(key), gone)
    }

    /// One share in a scope that was not known, unless somebody else has added it since: then one more in that.
    pub(super) fn add(&self, key: &CredentialScope, scope: &Arc<Scope>, now: SystemTime) -> (Arc<Scope>, Gone) {
        let state = &mut *self.lock();
        let gone = state.purge(now, self.linger);
        let known = state.find(key);
        let scope = known.unwrap_or_else(|| {
            state.live.insert(key.clone(), Live::new(Arc::clone(scope)));
            Arc::clone(scope)
        });
        (scope, gone)
    }

    /// One share less; the last one leaves the scope to linger, with at most `max_idle` others.
    fn release(&self, key: &CredentialScope, now: SystemTime, max_idle: usize) {
        let _gone = {
            let state = &mut *self.lock();
            let mut gone = state.release(key, now, max_idle);
            gone.extend(state.purge(now, self.linger));
            gone
        };
    }

    /// Forgets what the scope keeps, and with that what is assumed with it (T6). Those that linger go, and the others when
    /// their last share is given back.
    ///
    /// A scope that others are assumed with is live as long as they are there: they have a share in it.
    pub(super) fn forget(&self, key: &CredentialScope) -> Gone {
        let (live, gone) = {
            let state = &mut *self.lock();
            for (_, live) in state.live.iter_mut().filter(|(scope, _)| scope.is_from(key)) {
                live.is_wanted = false;
            }
            let live = state.live.get(key).map(|live| Arc::clone(&live.scope));
            (live, state.idle.extract(|scope, _| scope.is_from(key)))
        };
        if let Some(credentials) = live.as_ref().and_then(|scope| scope.credentials()) {
            credentials.kept().forget();
        }
        gone
    }

    /// How many somebody shares, and how many nobody does.
    #[cfg(feature = "__internals")]
    pub(super) fn len(&self, now: SystemTime) -> (usize, usize) {
        let (len, _gone) = {
            let state = &mut *self.lock();
            let gone = state.purge(now, self.linger);
            ((state.live.len(), state.idle.len()), gone)
        };
        len
    }
}

impl State {
    fn find(&mut self, key: &CredentialScope) -> Option<Arc<Scope>> {
        if let Some(live) = self.live.get_mut(key) {
            live.leases += 1;
            live.is_wanted = true;
            return Some(Arc::clone(&live.scope));
        }
        let (key, Idle { scope, .. }) = self.idle.remove_entry(key)?;
        self.live.insert(key, Live::new(Arc::clone(&scope)));
        Some(scope)
    }

    fn release(&mut self, key: &CredentialScope, now: SystemTime, max_idle: usize) -> Gone {
        let Entry::Occupied(mut live) = self.live.entry(key.clone()) else { return Vec::new() };
        live.get_mut().leases -= 1;
        if live.get().leases > 0 {
            return Vec::new();
        }
        let (key, Live { scope, is_wanted, .. }) = live.remove_entry();
        let idle = Idle { scope, since: now };
        if !is_wanted {
            return vec![(key, idle)];
        }
        let mut gone: Gone = self.idle.set_max_size(max_idle);
        gone.extend(self.idle.insert(key, idle).ok().flatten());
        gone
    }

    /// Those that nobody has shared for long enough. Linear in what goes, unless the clock has been turned.
    fn purge(&mut self, now: SystemTime, linger: Duration) -> Gone {
        let mut gone = Vec::new();
        while let Some((_, oldest)) = self.idle.peek_next_victim() {
            match now.duration_since(oldest.since) {
                Ok(idle) if idle < linger => break,
                // A time that has not come yet: the clock was ahead, and nobody knows for how long this one has been idle.
                Ok(_) | Err(_) => gone.extend(self.idle.pop()),
            }
        }
        gone
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
        SharedIdentityCache::new(Leased(self))
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

struct Leased(Lease);

impl ResolveCachedIdentity for Leased {
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

impl fmt::Debug for Leased {
    /// Shows nothing: the `Debug` of an identity cache shows what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leased")
    }
}
