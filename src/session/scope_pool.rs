//! [`ScopePool`], the credential scopes of a session, active and idle.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::RandomState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use super::Inner;
use super::identity_cache::Provider;
use super::scope::Scope;
use crate::key::{CredentialScope, ScopeSelection};
use crate::map::{EvictingMap, EvictionPolicy};

/// The active scopes, which have leases, and the idle ones, which are kept for a while.
///
/// Scopes are dropped after the lock has been released, because they may release the lease of another scope.
// T2
pub(super) struct ScopePool {
    state: Mutex<State>,
    /// The time for which an idle scope is kept.
    idle_timeout: Duration,
}

struct State {
    active: HashMap<CredentialScope, ActiveScope>,
    /// In the order in which the scopes became idle.
    idle: EvictingMap<CredentialScope, IdleScope, RandomState>,
    revoked: Revoked,
}

/// The scopes and roles that are refused, which may be neither active nor idle.
// T13
#[derive(Default)]
struct Revoked {
    scopes: HashSet<CredentialScope>,
    /// The ARNs of roles.
    roles: HashSet<String>,
}

impl Revoked {
    fn insert(&mut self, selection: ScopeSelection<'_>) {
        match selection {
            ScopeSelection::Scope(scope) => self.scopes.insert(scope.clone()),
            ScopeSelection::Role(arn) => self.roles.insert(arn.to_owned()),
        };
    }

    /// Removes a selection; returns `true` if it was revoked.
    fn remove(&mut self, selection: ScopeSelection<'_>) -> bool {
        match selection {
            ScopeSelection::Scope(scope) => self.scopes.remove(scope),
            ScopeSelection::Role(arn) => self.roles.remove(arn),
        }
    }

    fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.roles.is_empty()
    }

    /// Returns `true` if a scope itself is revoked, or its role.
    fn contains(&self, scope: &CredentialScope) -> bool {
        self.scopes.contains(scope) || scope.role_arn().is_some_and(|arn| self.roles.contains(arn))
    }
}

/// A scope, and a lease of the scope of its source role, which must not be dropped before it.
// T2
pub(super) struct LeasedScope {
    scope: Scope,
    _source: Option<Lease>,
}

impl LeasedScope {
    pub(super) fn new(scope: Scope, source: Option<Lease>) -> Self {
        Self { scope, _source: source }
    }
}

struct ActiveScope {
    scope: Arc<LeasedScope>,
    /// The number of leases, at least one.
    leases: usize,
    /// Set if a caller has requested the scope since it was invalidated.
    ///
    /// Only such a scope becomes idle when its last lease is released.
    is_wanted: bool,
}

impl ActiveScope {
    fn new(scope: Arc<LeasedScope>) -> Self {
        Self { scope, leases: 1, is_wanted: true }
    }
}

pub(super) struct IdleScope {
    scope: Arc<LeasedScope>,
    since: SystemTime,
}

/// Scopes to drop after the lock has been released, because providers may be of callers' own types.
pub(super) type Retired = Vec<(CredentialScope, IdleScope)>;

impl ScopePool {
    /// At most `max_idle` scopes are idle, each for at most `idle_timeout`.
    pub(super) fn new(idle_timeout: Duration, max_idle: usize) -> Self {
        // K3: keys contain names of tenants, which may be chosen to collide.
        let idle = EvictingMap::with_hasher(EvictionPolicy::Lru, max_idle, RandomState::new());
        let state = State { active: HashMap::new(), idle, revoked: Revoked::default() };
        Self { state: Mutex::new(state), idle_timeout }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the scopes that have been idle for too long, in O(k) for k removed scopes.
    // T2
    pub(super) fn purge(&self, now: SystemTime) -> Retired {
        self.lock().purge(now, self.idle_timeout)
    }

    /// Adds a lease to a scope, if the pool contains it.
    pub(super) fn find(&self, key: &CredentialScope) -> Option<Arc<LeasedScope>> {
        self.lock().find(key)
    }

    /// Adds a scope with one lease, or a lease to the scope that another caller has added in the meantime.
    pub(super) fn add(&self, key: &CredentialScope, scope: &Arc<LeasedScope>) -> Arc<LeasedScope> {
        let state = &mut *self.lock();
        state.find(key).unwrap_or_else(|| {
            // T13: the scope may have been revoked since the caller looked.
            if let Some(credentials) = scope.scope.credentials().filter(|_| state.revoked.contains(key)) {
                credentials.cached().revoke();
            }
            state.active.insert(key.clone(), ActiveScope::new(Arc::clone(scope)));
            Arc::clone(scope)
        })
    }

    /// Removes a lease.
    ///
    /// A scope without leases becomes idle.
    fn release(&self, key: &CredentialScope, now: SystemTime) {
        let _retired = {
            let state = &mut *self.lock();
            let mut retired = state.release(key, now);
            retired.extend(state.purge(now, self.idle_timeout));
            retired
        };
    }

    /// Invalidates the credentials of the selected scopes, and of all roles that are assumed with them.
    ///
    /// Their idle scopes are removed at once, and the active ones when their last lease is released. A source role is active
    /// while scopes are assumed with it, because they hold a lease of it.
    ///
    /// If `is_revoked`, also refuses them from now on. `base` are the credentials of the base configuration.
    // T6, T13
    pub(super) fn invalidate(
        &self,
        selection: ScopeSelection<'_>,
        base: Option<&Provider>,
        is_revoked: bool,
    ) -> Retired {
        let (selected, retired) = {
            let state = &mut *self.lock();
            let selected = state.select(selection, base);
            if is_revoked {
                state.revoked.insert(selection);
                for (_, credentials) in &selected {
                    credentials.cached().revoke();
                }
            }
            for (_, active) in state.active.iter_mut().filter(|(scope, _)| selection.covers(scope)) {
                active.is_wanted = false;
            }
            (selected, state.idle.extract(|scope, _| selection.covers(scope)))
        };
        for (_, credentials) in &selected {
            credentials.cached().invalidate();
        }
        retired
    }

    /// Ends the refusal of a selection; returns `true` if it was revoked.
    // T13
    pub(super) fn admit(&self, selection: ScopeSelection<'_>, base: Option<&Provider>) -> bool {
        let selected = {
            let state = &mut *self.lock();
            if !state.revoked.remove(selection) {
                return false;
            }
            let selected = state.select(selection, base);
            // The others are still revoked, alone or with their role.
            for (_, credentials) in selected.iter().filter(|(scope, _)| !state.revoked.contains(scope)) {
                credentials.cached().admit();
            }
            selected
        };
        // Roles that are assumed with them have cached the refusal.
        for (_, credentials) in &selected {
            credentials.cached().invalidate();
        }
        true
    }

    /// Returns `true` if a scope, or one that it is assumed with, is revoked.
    pub(super) fn is_revoked(&self, key: &CredentialScope) -> bool {
        let revoked = &self.lock().revoked;
        !revoked.is_empty() && key.chain().into_iter().any(|scope| revoked.contains(scope))
    }

    /// Returns the number of active and of idle scopes.
    pub(super) fn len(&self, now: SystemTime) -> (usize, usize) {
        let (len, _retired) = {
            let state = &mut *self.lock();
            let retired = state.purge(now, self.idle_timeout);
            ((state.active.len(), state.idle.len()), retired)
        };
        len
    }

    /// Returns the earliest expiry of the credentials that any scope holds.
    pub(super) fn next_expiry(&self) -> Option<SystemTime> {
        // No lock of credentials is taken while the pool is locked.
        let scopes: Vec<_> = {
            let state = self.lock();
            let active = state.active.values().map(|active| Arc::clone(&active.scope));
            active.chain(state.idle.values().map(|idle| Arc::clone(&idle.scope))).collect()
        };
        scopes.iter().filter_map(|scope| scope.scope.credentials()?.cached().expiry()).min()
    }
}

impl State {
    /// Returns the credentials of the selected scopes, or those of the base configuration.
    fn select(&self, selection: ScopeSelection<'_>, base: Option<&Provider>) -> Vec<(CredentialScope, Provider)> {
        let active = self.active.iter().map(|(scope, active)| (scope, &active.scope));
        let all = active.chain(self.idle.iter().map(|(scope, idle)| (scope, &idle.scope)));
        let all = all.filter_map(|(scope, leased)| Some((scope, leased.scope.credentials()?)));
        let all = all.chain(base.map(|base| (&CredentialScope::Base, base)));
        let selected = all.filter(|(scope, _)| selection.contains(scope));
        selected.map(|(scope, credentials)| (scope.clone(), credentials.clone())).collect()
    }

    fn find(&mut self, key: &CredentialScope) -> Option<Arc<LeasedScope>> {
        if let Some(active) = self.active.get_mut(key) {
            active.leases += 1;
            active.is_wanted = true;
            return Some(Arc::clone(&active.scope));
        }
        let (key, IdleScope { scope, .. }) = self.idle.remove_entry(key)?;
        self.active.insert(key, ActiveScope::new(Arc::clone(&scope)));
        Some(scope)
    }

    fn release(&mut self, key: &CredentialScope, now: SystemTime) -> Retired {
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
        // The key is absent, so the insertion succeeds.
        self.idle.insert(key, idle).ok().flatten().into_iter().collect()
    }

    fn purge(&mut self, now: SystemTime, idle_timeout: Duration) -> Retired {
        let mut retired = Vec::new();
        while let Some((_, oldest)) = self.idle.peek_next_victim() {
            match now.duration_since(oldest.since) {
                Ok(idle) if idle < idle_timeout => break,
                // The clock was turned back, so the idle time is unknown.
                Ok(_) | Err(_) => retired.extend(self.idle.pop()),
            }
        }
        retired
    }
}

/// Keeps a scope active.
///
/// Each client holds one, until its last clone is dropped.
pub(super) struct Lease {
    session: Weak<Inner>,
    key: CredentialScope,
    scope: Arc<LeasedScope>,
}

impl Lease {
    pub(super) fn new(session: &Arc<Inner>, key: &CredentialScope, scope: Arc<LeasedScope>) -> Self {
        Self { session: Arc::downgrade(session), key: key.clone(), scope }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope.scope
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Without a session, no caller can request the scope again.
        if let Some(session) = self.session.upgrade() {
            session.scopes.release(&self.key, session.now());
        }
    }
}
